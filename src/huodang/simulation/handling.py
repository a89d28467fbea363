"""What a sensible clerk or reviewer does with a case that waits for a person, by its reason.

Data, as far as it goes: each kind of reason names the event, the paper or the finding, and the sentence for the record.
Some cases are left open, as they would be in life: the person has to decide, or the papers have still to come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from huodang.simulation.people import Person


@dataclass(frozen=True)
class Step:
    """One event that a member of staff causes.

    Attributes:
        role: who does it: `window_clerk` or `reviewer`.
        days: working days that go by before it is done, such as while a paper is on its way.
    """

    event: str
    role: str
    note: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    days: int = 0


_BOOKLET: Final = "户口簿(曾用名页)复印件"
_HOUSEHOLD: Final = "户口簿首页、本人页复印件"
_SCHEME_FORM: Final = "制度衔接申请表、居民养老保险退费凭证"

# Who must be asked for a paper before it can be accepted, and how long it takes to come.
_PAPERS: Final = {
    "household_unknown": (_HOUSEHOLD, 2),
    "duplicate_enrolment": (_SCHEME_FORM, 4),
}
# The person has to choose one of two pensions, in writing: nobody can do that instead.
LEFT_TO_THE_PERSON: Final = {"duplicate_benefits": "保留哪一项养老待遇的选择书"}
# The household register is put right on our word, or the move is entered: it takes the police some days.
REGISTER_CORRECTED_AFTER: Final = 3
_RETURNED: Final = {
    "custody_prison": "正在服刑,服刑期间不发放基本养老金,刑满后可重新提交",
    "custody_detained": "被羁押尚未判决,判决后可重新提交",
    "years_short": "缴费年限不足,可继续缴费或转入居民养老保险",
    "age_not_reached": "尚未到退休年月",
    "route_refused": "不符合所选退休方式的条件",
    "finding_against": "经裁定不予认可",
}


def next_step(state: str, reasons: Sequence[Mapping[str, str]], person: Person, *, papers_here: bool) -> Step | None:
    """Say what is done next with a case that waits for a person.

    Args:
        state: where the case stands: `exception`, `arbitration` or `supplement`.
        reasons: its reasons, with `kind` and `subject`.
        person: whom it is about; the archive's own record is looked up for an arbitration.
        papers_here: papers that were asked for have come in.

    Returns:
        The step, or None if the case is left as it is.
    """
    kinds = {reason["kind"]: reason for reason in reasons}
    if state == "arbitration":
        return _arbitration(kinds, person)
    if state == "supplement":
        return _supplement(kinds)
    for kind, why in _RETURNED.items():
        if kind in kinds:
            return Step("return_application", "window_clerk", note=why)
    if any(kind in kinds for kind in LEFT_TO_THE_PERSON):
        return _ask("duplicate_benefits", LEFT_TO_THE_PERSON["duplicate_benefits"])
    for kind, (paper, _) in _PAPERS.items():
        if kind in kinds:
            if not papers_here:
                return _ask(kind, paper)
            return Step(
                "accept_evidence",
                "window_clerk",
                note="核对原件后认定",
                data={"check": kinds[kind]["subject"], "evidence": paper},
            )
    if "household_conflict" in kinds:
        return Step(
            "accept_evidence",
            "window_clerk",
            note="曾用名与申请姓名一致,同一人",
            data={"check": kinds["household_conflict"]["subject"], "evidence": _BOOKLET},
        )
    if set(kinds) == {"parameter_missing"}:
        return Step("approve_provisional", "reviewer", note="过渡性养老金参数缺失,先按已确定部分预发")
    if set(kinds) & {"not_answered", "contributions_not_answered", "death_unconfirmed"}:
        return Step("recheck", "window_clerk", note="部门恢复后重新核验")
    return None


def _ask(kind: str, paper: str) -> Step:
    return Step("request_supplement", "window_clerk", note=f"请补交:{paper}", data={"papers": [paper], "for": kind})


def _supplement(kinds: Mapping[str, Mapping[str, str]]) -> Step | None:
    for kind, (paper, days) in _PAPERS.items():
        if kind in kinds:
            return Step("supplement_received", "window_clerk", data={"papers": [paper]}, days=days)
    return None


def _arbitration(kinds: Mapping[str, Mapping[str, str]], person: Person) -> Step | None:
    if "birth_date_conflict" in kinds:
        return Step(
            "arbitrated",
            "reviewer",
            note="档案最早记载的出生日期清晰无涂改,以其为准",
            data={"subject": "birth_date", "finding": person.born.isoformat()},
            days=2,
        )
    if "conflicting_evidence" in kinds:
        return Step(
            "arbitrated",
            "reviewer",
            note="本人持身份证到窗口,人脸比对一致;户籍误注销已函告公安更正",
            data={"subject": "alive", "finding": "alive"},
            days=3,
        )
    return None


def item_step(resource: str, reason: str) -> Step | None:
    """Say what is done with a joint item that a department refused; None if it stays open until the person acts."""
    if reason in {"already_awarded", "not_registered"} and resource == "health.one_child_award":
        return Step(
            "accept_evidence",
            "window_clerk",
            note="登记信息核实,转卫健部门线下办理",
            data={"item": resource, "evidence": "独生子女父母光荣证复印件"},
        )
    if resource == "police.household_confirm" and reason == "not_registered":
        return Step("recheck", "window_clerk", note="公安已按函告更正或办理迁入", days=REGISTER_CORRECTED_AFTER)
    return None  # housing-fund arrears: the employer has to pay them first
