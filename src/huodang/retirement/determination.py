"""What follows from the checks: end, arbitration, exception, public notice or review. Pure.

No branch stops anybody's pension on a machine's word alone: a death that only one department knows waits for a person,
and what nobody answered is `unknown`, never clear.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from huodang.exchange import Outcome
from huodang.pension import Route
from huodang.retirement.checks import CHECKS, CheckResult, CheckStatus
from huodang.retirement.entitlement import Proposal, work_out
from huodang.retirement.form import ApplicationForm
from huodang.retirement.materials import has_housing_account
from huodang.retirement.reasons import Reason
from huodang.retirement.work_record import RecordFault, WorkRecord
from huodang.standards import BadValue, PersonName, same_name

CONTRIBUTIONS = "social_insurance.contributions"
_ALIVE = "police.alive"
_DEATH = "health.death"
_HOUSEHOLD = "police.household"
_NOT_REGISTERED = frozenset({"not_registered", "no_row", "no_record", "not_found"})
_PAID_SENTENCES = frozenset({"probation", "control", "outside", "parole"})
_CONFLICTS_OF_BIRTH = frozenset({"birth_date_differs", "birth_date_conflict"})


class Branch(StrEnum):
    """Where a case goes once all its checks are settled."""

    DEAD = "found_dead"
    CONFLICTING = "found_conflicting"
    EXCEPTION = "found_exception"
    NOTICE = "notice_needed"
    CLEAR = "found_clear"


@dataclass(frozen=True)
class Determination:
    """The outcome of the checks of one case.

    Attributes:
        branch: the guard of the transition table that holds.
        reasons: what a person must deal with; empty when the case goes on.
        notes: what is worth knowing and stops nothing.
        proposal: the pension as far as it can be worked out; None without a record or rules.
        died_on: the day of death that a department reported, if any.
    """

    branch: Branch
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    proposal: Proposal | None
    died_on: date | None = None


@dataclass(frozen=True)
class Circumstances:
    """What else bears on a determination.

    Attributes:
        findings: what people decided in arbitration, by subject: `alive`, `birth_date`, `objection`, or a check's
            resource.
        notice_over: the public notice of this case has run its term.
        provisional_approved: a reviewer has approved paying the parts that are determined.
        own_benefit: this case itself has registered a benefit already (a decision reopened on appeal).
        ahead_months: how many months before the month of retirement a case may be decided.
        employer: number of the employer whose clerk filed the application; "" when somebody else did.
    """

    findings: Mapping[str, str]
    notice_over: bool = False
    provisional_approved: bool = False
    own_benefit: bool = False
    ahead_months: int = 1
    employer: str = ""


def determine(
    form: ApplicationForm, results: Mapping[str, CheckResult], today: date, circumstances: Circumstances
) -> Determination:
    """Say what follows from the checks of one case.

    Args:
        form: the application.
        results: every check of the plan, settled.
        today: the present day.
        circumstances: findings of people and what happened before.
    """
    reader = _Reader(form, dict(results), circumstances)
    reader.life()
    reader.household()
    reader.custody()
    reader.other_schemes()
    reader.side_items()
    proposal = reader.entitlement(today)
    reader.unanswered()
    if circumstances.findings.get("objection") == "upheld":
        reader.stop("objection_upheld")
    return reader.outcome(proposal)


class _Reader:
    """Goes through the checks one concern after the other and gathers what follows."""

    def __init__(self, form: ApplicationForm, results: dict[str, CheckResult], circumstances: Circumstances) -> None:
        missing = {check.resource for check in CHECKS} - set(results)
        for resource in missing:
            results[resource] = CheckResult(resource, CheckStatus.UNANSWERED, reason="not_asked")
        self._form = form
        self._results = results
        self._case = circumstances
        self._reasons: list[Reason] = []
        self._notes: list[Reason] = []
        self._dead = False
        self._conflict = False
        self._died_on: date | None = None
        self._explained: set[str] = set()

    def stop(self, kind: str, subject: str = "", detail: str = "") -> None:
        """Add a reason, and take its check as dealt with."""
        self._reasons.append(Reason(kind, subject, detail))
        self._explained.add(subject)

    def note(self, kind: str, subject: str = "", detail: str = "") -> None:
        """Add a note, and take its check as dealt with."""
        self._notes.append(Reason(kind, subject, detail))
        self._explained.add(subject)

    def _settled_by_hand(self, resource: str) -> bool:
        """Whether a person has taken the place of the department: by evidence, or in arbitration."""
        finding = self._case.findings.get(resource)
        if finding == "refused":
            self.stop("finding_against", resource)
            return True
        evidence = self._results[resource].accepted_evidence
        if finding == "accepted" or evidence is not None:
            self.note("evidence_accepted", resource, evidence or "arbitration")
            return True
        return False

    def life(self) -> None:
        """Dead only if nobody denies it; two departments at odds are for a person to judge."""
        finding = self._case.findings.get("alive")
        if finding == "dead":
            self._dead = True
            self._died_on = self._day_of_death()
        if finding is not None:
            self._explained |= {_ALIVE, _DEATH}
            return
        alive, death = self._results[_ALIVE], self._results[_DEATH]
        registered_dead = alive.hit or self._results[_HOUSEHOLD].hit
        if registered_dead and death.hit:
            self._dead = True
            self._died_on = self._day_of_death()
        elif registered_dead or death.hit:
            other = death if registered_dead else alive
            if other.status is CheckStatus.ANSWERED and other.outcome is not Outcome.UNKNOWN:
                self._conflict = True
                self.stop("conflicting_evidence", detail="alive")
            else:
                self.stop("death_unconfirmed", _ALIVE if registered_dead else _DEATH)
        if alive.hit or (alive.outcome is Outcome.CONFLICT and self._conflict):
            self._explained.add(_ALIVE)
        if death.hit:
            self._explained.add(_DEATH)

    def _day_of_death(self) -> date | None:
        for resource in (_DEATH, _ALIVE, _HOUSEHOLD):
            text = self._results[resource].fields.get("death_date", "")
            try:
                return date.fromisoformat(text)
            except ValueError:
                continue
        return None

    def household(self) -> None:
        """Hold the register against the application."""
        result = self._results[_HOUSEHOLD]
        alive = self._results[_ALIVE]
        if self._settled_by_hand(_HOUSEHOLD):
            if alive.outcome is Outcome.UNKNOWN and alive.reason in _NOT_REGISTERED:
                self._explained.add(_ALIVE)  # the booklet answers for the same missing row
            return
        if result.hit:
            self._explained.add(_HOUSEHOLD)  # registered as dead: dealt with under life
        elif result.outcome is Outcome.CONFLICT and result.reason in _CONFLICTS_OF_BIRTH:
            self._birth_conflict(_HOUSEHOLD)
        elif result.outcome is Outcome.CONFLICT:
            self.stop("household_conflict", _HOUSEHOLD, result.reason)
        elif result.status is CheckStatus.ANSWERED and result.reason in _NOT_REGISTERED:
            self.stop("household_unknown", _HOUSEHOLD)
            if alive.reason in _NOT_REGISTERED:
                self._explained.add(_ALIVE)

    def _birth_conflict(self, subject: str) -> None:
        if "birth_date" in self._case.findings:
            self._explained.add(subject)
            return
        self._conflict = True
        if not any(reason.kind == "birth_date_conflict" for reason in self._reasons):
            self.stop("birth_date_conflict", subject)
        self._explained.add(subject)

    def custody(self) -> None:
        """Prison stops pay; probation and the like do not.

        Source: 劳社厅函〔2001〕44号 (text unverified).
        """
        resource = "justice.custody"
        result = self._results[resource]
        if not result.hit or self._settled_by_hand(resource):
            return
        kind = result.fields.get("sentence_type", "") or result.reason
        if kind in _PAID_SENTENCES:
            self.note("custody_paid", resource, kind)
        elif kind == "detention":
            self.stop("custody_detained", resource)
        elif kind in {"prison", "in_prison", "serving"}:
            self.stop("custody_prison", resource)
        else:
            self.stop("custody_unclear", resource)

    def other_schemes(self) -> None:
        """Two schemes are joined, and of two benefits one is chosen: by the person, before the case goes on.

        Source: 人社部发〔2014〕17号, 人社部规〔2016〕5号 (texts unverified).
        """
        for resource, kind in (
            ("social_insurance.enrolment", "duplicate_enrolment"),
            ("social_insurance.benefits", "duplicate_benefits"),
        ):
            result = self._results[resource]
            if not result.hit or self._settled_by_hand(resource):
                continue
            if self._case.own_benefit:
                self.note("own_benefit", resource)
            else:
                self.stop(kind, resource, result.fields.get("scheme", ""))

    def side_items(self) -> None:
        """Medical insurance and housing fund hold up their own items only."""
        medical = self._results["medical_insurance.years"]
        if medical.hit:
            self.note("medical_years_short", medical.resource, medical.fields.get("medical_months", ""))
        elif not medical.clear:
            self.note("medical_not_answered", medical.resource, medical.reason)
        housing = self._results["housing_fund.account"]
        if not has_housing_account(housing):
            self.note("no_housing_account", housing.resource)
        elif housing.hit:
            self.note("housing_arrears", housing.resource)
        elif not housing.clear:
            self.note("housing_not_answered", housing.resource, housing.reason)

    def entitlement(self, today: date) -> Proposal | None:
        """Work out month and amount from the record, if there is one that can be read."""
        result = self._results[CONTRIBUTIONS]
        if result.status is not CheckStatus.ANSWERED or not result.fields:
            return None
        self._explained.add(CONTRIBUTIONS)
        by_hand = self._settled_by_hand(CONTRIBUTIONS)
        try:
            record = WorkRecord.parse(result.fields)
        except RecordFault as fault:
            self.stop("record_incomplete" if fault.missing else "record_malformed", CONTRIBUTIONS, fault.element)
            return None
        born = self._birth_date(record)
        if not by_hand:
            self._compare_archive(record)
            if self._case.employer and record.employer_code not in {"", self._case.employer}:
                self.stop("employer_differs", CONTRIBUTIONS)
        if born is None:
            return None
        skip = frozenset({"category_differs", "special_trade_differs"}) if by_hand else frozenset[str]()
        worked = work_out(self._form, record, born, today, ahead_months=self._case.ahead_months, skip=skip)
        self._reasons += [
            reason
            for reason in worked.reasons
            if not (reason.kind == "parameter_missing" and self._case.provisional_approved)
        ]
        self._notes += worked.notes
        if self._case.provisional_approved and worked.proposal is not None and worked.proposal.missing:
            self.note("provisional_parts")
        if self._form.route is Route.SPECIAL_EARLY:
            self.note("notice_special_early")
        if record.deemed_months > 0:
            self.note("notice_deemed_years")
        return worked.proposal

    def _birth_date(self, record: WorkRecord) -> date | None:
        """Say which birth date governs; a difference between archive and number is for a person to judge.

        Source: 劳社部发〔1999〕8号 (rule R-RET-07, text unverified): the earliest record of the archive governs.
        """
        finding = self._case.findings.get("birth_date")
        if finding is not None:
            self.note("birth_date_as_found")
            return date.fromisoformat(finding)
        if record.archive_birth_date is not None and self._form.born not in {None, record.archive_birth_date}:
            self._birth_conflict(CONTRIBUTIONS)
        born = record.archive_birth_date or self._form.born
        if born is None:
            self._conflict = True
            self.stop("no_birth_date")
        return born

    def _compare_archive(self, record: WorkRecord) -> None:
        if record.archive_name and not _same(record.archive_name, self._form.name):
            self.stop("archive_name_differs", CONTRIBUTIONS)
        if record.archive_sex and self._form.sex is not None and record.archive_sex != self._form.sex:
            self.stop("archive_sex_differs", CONTRIBUTIONS)

    def unanswered(self) -> None:
        """Whatever is neither clear nor dealt with above stops its own step, and is named."""
        for check in CHECKS:
            result = self._results[check.resource]
            if result.clear or check.resource in self._explained or not check.essential:
                continue
            if check.resource != CONTRIBUTIONS and self._settled_by_hand(check.resource):
                continue
            kind = "contributions_not_answered" if check.resource == CONTRIBUTIONS else "not_answered"
            self.stop(kind, check.resource, result.reason or result.outcome.value)

    def outcome(self, proposal: Proposal | None) -> Determination:
        """Choose the branch: what binds most comes first."""
        notes = tuple(dict.fromkeys(self._notes))
        if self._dead:
            return Determination(Branch.DEAD, (Reason("died"),), notes, None, self._died_on)
        reasons = tuple(dict.fromkeys(self._reasons))
        if self._conflict:
            return Determination(Branch.CONFLICTING, reasons, notes, proposal, self._died_on)
        if reasons or proposal is None:
            return Determination(Branch.EXCEPTION, reasons, notes, proposal)
        notice = any(note.kind in {"notice_special_early", "notice_deemed_years"} for note in notes)
        if notice and not self._case.notice_over:
            return Determination(Branch.NOTICE, (), notes, proposal)
        return Determination(Branch.CLEAR, (), notes, proposal)


def _same(one: str, other: str) -> bool:
    try:
        return same_name(PersonName.parse(one), PersonName.parse(other))
    except BadValue:
        return one == other
