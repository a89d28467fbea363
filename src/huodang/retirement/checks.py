"""The checks of a case: which resource is asked, what is claimed, what came back.

Pure. The plan is data; the departments are asked in parallel by `check_jobs.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from huodang.exchange import Outcome
from huodang.retirement.form import ApplicationForm


class CheckStatus(StrEnum):
    """How far a check has come."""

    WAITING = "waiting"  # 待询问: asked again until an answer comes or the attempts are used up
    ANSWERED = "answered"  # 已答复: the department has said something
    UNANSWERED = "unanswered"  # 未答复: no answer came within the attempts
    STOPPED = "stopped"  # 已停止: the case ended before


@dataclass(frozen=True)
class Check:
    """One question of the plan.

    Attributes:
        essential: without a good answer no pension may be decided; else only the joint items behind it wait.
    """

    resource: str
    chinese: str
    english: str
    essential: bool = True

    @property
    def provider(self) -> str:
        """The department that is asked."""
        return self.resource.partition(".")[0]


CHECKS: Final[tuple[Check, ...]] = (
    Check("police.household", "户籍核验", "Household registration"),
    Check("police.alive", "公安生存状态", "Alive by the police register"),
    Check("health.death", "死亡证明核验", "Death certificates"),
    Check("justice.custody", "服刑羁押核验", "Custody"),
    Check("social_insurance.enrolment", "重复参保核验", "Duplicate enrolment"),
    Check("social_insurance.benefits", "重复领取核验", "Duplicate benefits"),
    Check("social_insurance.contributions", "缴费与视同缴费", "Contributions and deemed years"),
    Check("medical_insurance.years", "医保缴费年限", "Medical-insurance years", essential=False),
    Check("housing_fund.account", "住房公积金账户", "Housing-fund account", essential=False),
)
CHECK_OF: Final[dict[str, Check]] = {check.resource: check for check in CHECKS}
PROVIDERS: Final[tuple[str, ...]] = tuple(dict.fromkeys(check.provider for check in CHECKS))


@dataclass(frozen=True)
class CheckResult:
    """What is known of one check.

    Attributes:
        outcome: what the department said; `UNKNOWN` while nothing is known, which is never read as `CLEAR`.
        reason: the department's reason code, or the code of the failure when no answer came.
        fields: raw values, only those that the agreement lets through.
        accepted_evidence: the paper on which a clerk accepted the check by hand, or None.
    """

    resource: str
    status: CheckStatus
    outcome: Outcome = Outcome.UNKNOWN
    reason: str = ""
    as_of: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    accepted_evidence: str | None = None
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    attempts: int = 0
    grant_id: str | None = None

    @property
    def clear(self) -> bool:
        """The department says that nothing stands in the way."""
        return self.status is CheckStatus.ANSWERED and self.outcome is Outcome.CLEAR

    @property
    def hit(self) -> bool:
        """The department says that there is something."""
        return self.status is CheckStatus.ANSWERED and self.outcome is Outcome.HIT


@dataclass(frozen=True)
class CheckQuestion:
    """What one check asks: claims to compare and parameters that the question needs."""

    resource: str
    claims: dict[str, str]
    parameters: dict[str, str]


def question(resource: str, form: ApplicationForm, today: date, *, medical_months_required: int) -> CheckQuestion:
    """Make the question of one check: no more is told to a department than it needs.

    Args:
        resource: one of `CHECKS`.
        form: the application.
        today: the present day; custody is asked for as of it.
        medical_months_required: months after which medical insurance is free in retirement, a local rule.
    """
    claims: dict[str, str] = {}
    parameters: dict[str, str] = {}
    if resource == "police.household":
        claims["name"] = form.name
        if form.sex is not None:
            claims["sex"] = form.sex
        if form.born is not None:
            claims["birth_date"] = form.born.isoformat()
    elif resource == "justice.custody":
        parameters["on_date"] = today.isoformat()
    elif resource == "medical_insurance.years":
        parameters["required_months"] = str(medical_months_required)
    return CheckQuestion(resource, claims, parameters)
