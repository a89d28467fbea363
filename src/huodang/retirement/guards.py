"""The guards of the transition table: each says what must hold for an event, or why it may not happen."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from huodang.retirement import records
from huodang.retirement.cases import FINAL, decision_values, form_of, present_notice
from huodang.retirement.checks import CHECK_OF
from huodang.retirement.determination import Branch
from huodang.retirement.engine import Change, Guard
from huodang.retirement.errors import GuardError
from huodang.retirement.joint_items import ITEM_OF, REGISTER_BENEFIT, ItemStatus
from huodang.retirement.states import Event, State

_NUMBER_LIKE: Final = re.compile(r"[0-9]{8}")
_LONGEST_PAPER: Final = 60
_MOST_PAPERS: Final = 20
FINDINGS: Final[dict[str, tuple[str, ...]]] = {"alive": ("alive", "dead"), "objection": ("dismissed", "upheld")}


def paper_name(value: object) -> str | None:
    """Give the name of a paper as a person typed it, or None when it can't be one.

    It stands open in the database, so it may name a kind of paper, but hold no number of a person or account.
    """
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    plain = all(unicodedata.category(character)[0] != "C" for character in text)
    fits = 0 < len(text) <= _LONGEST_PAPER and plain and not _NUMBER_LIKE.search(unicodedata.normalize("NFKC", text))
    return text if fits else None


def finding_of(data: dict[str, Any]) -> tuple[str, str] | None:
    """Give subject and finding of an arbitration, or None when they make no sense together."""
    subject, finding = str(data.get("subject", "")), str(data.get("finding", ""))
    if subject == "birth_date":
        try:
            return subject, date.fromisoformat(finding).isoformat()
        except ValueError:
            return None
    if subject in CHECK_OF and finding in {"accepted", "refused"}:
        return subject, finding
    return (subject, finding) if finding in FINDINGS.get(subject, ()) else None


def _when(name: str, holds: Callable[[Change], bool], chinese: str, english: str, *advice: str) -> tuple[str, Guard]:
    """Make a guard from a condition and the sentences for when it fails."""

    def guard(change: Change) -> GuardError | None:
        return None if holds(change) else GuardError(name, chinese, english, *advice)

    return name, guard


def _branch(branch: Branch) -> tuple[str, Guard]:
    def holds(change: Change) -> bool:
        determination = change.data.get("determination")
        return determination is not None and determination.branch is branch

    return _when(branch.value, holds, "核验结论与此分支不符", "the checks lead elsewhere")


def _declared(change: Change) -> bool:
    form = change.data.get("form") or form_of(change.desk.sealer, change.case)
    return bool(form.declaration)


def _evidence_named(change: Change) -> bool:
    return paper_name(change.data.get("evidence")) is not None and (
        change.data.get("item") in ITEM_OF
        if change.case.state is State.JOINT_ITEMS
        else any(
            reason.subject == change.data.get("check") and Event.ACCEPT_EVIDENCE in reason.ways
            for reason in change.case.reasons
        )
    )


def _papers_named(change: Change) -> bool:
    papers = change.data.get("papers")
    return (
        isinstance(papers, list | tuple)
        and 0 < len(papers) <= _MOST_PAPERS
        and all(paper_name(paper) is not None for paper in papers)
    )


def _only_parameter_missing(change: Change) -> bool:
    reasons = change.case.reasons
    return bool(reasons) and all(reason.kind == "parameter_missing" for reason in reasons)


def notice_is_over(change: Change) -> bool:
    """Whether the present decision's notice has run its term."""
    notice = present_notice(change.connection, change.case)
    return notice is not None and notice.ends_on < change.desk.clock.today()


def _nothing_paid(change: Change) -> bool:
    table = records.decision
    final = select(table.c.number).where(table.c.case_id == change.case.case_id, table.c.stage == FINAL)
    return change.connection.execute(final).first() is None


def _decision_stands(change: Change) -> bool:
    found = decision_values(change.connection, change.desk.sealer, change.case)
    if found is None:
        return False
    return found[1]["total"] is not None or change.case.provisional_approved_by is not None


def _item_statuses(change: Change) -> dict[str, str]:
    table = records.item
    rows = change.connection.execute(
        select(table.c.resource, table.c.status).where(table.c.case_id == change.case.case_id)
    )
    return {row.resource: row.status for row in rows}


def _items_settled(change: Change) -> bool:
    statuses = _item_statuses(change)
    return bool(statuses) and set(statuses.values()) <= {ItemStatus.DONE, ItemStatus.WAIVED}


def _no_other_live_case(change: Change) -> bool:
    table = records.case
    other = select(table.c.case_id).where(
        table.c.live_index == change.case.person_index, table.c.case_id != change.case.case_id
    )
    return change.connection.execute(other).first() is None


GUARDS: Final[dict[str, Guard]] = dict(
    [
        *(_branch(branch) for branch in Branch),
        _when("declared", _declared, "尚未勾选告知承诺", "the declaration isn't confirmed"),
        _when(
            "note_given", lambda change: bool(change.note), "须填写说明", "a note is needed", "请写明理由。", "Say why."
        ),
        _when(
            "evidence_named",
            _evidence_named,
            "须指明可凭材料认定的核验或事项，以及材料名称（不含号码）",
            "name a check or item that evidence may settle, and the paper (without numbers)",
        ),
        _when(
            "papers_named",
            _papers_named,
            f"须列出材料名称（1 至 {_MOST_PAPERS} 份，不含号码）",
            f"list the papers (1 to {_MOST_PAPERS}, without numbers)",
        ),
        _when(
            "not_own_application",
            lambda change: change.actor.user_id != change.case.applicant_user,
            "经办人不得审核本人代办的申请",
            "nobody decides on an application that they filed",
            "请交由其他人员办理。",
            "Hand it to somebody else.",
        ),
        _when(
            "not_the_window_reviewer",
            lambda change: change.case.window_reviewer not in {None, change.actor.user_id},
            "初审与复审不得为同一人",
            "the two reviews are never by one person",
            "请交由其他复核员办理。",
            "Hand it to another reviewer.",
        ),
        _when(
            "not_the_decider",
            lambda change: change.actor.user_id != change.case.decided_by,
            "原决定人不得审理对其决定的申诉",
            "nobody judges an appeal against their own decision",
            "请交由其他复核员办理。",
            "Hand it to another reviewer.",
        ),
        _when(
            "only_parameter_missing",
            _only_parameter_missing,
            "仅在只缺少待遇参数时可批准预发",
            "provisional pay is only for a missing parameter and nothing else",
        ),
        _when(
            "notice_still_needed",
            lambda change: change.case.notice_required and not notice_is_over(change),
            "无须公示或公示已满",
            "no public notice is needed any more",
        ),
        _when(
            "asked_at_window_review",
            lambda change: change.case.came_from == State.WINDOW_REVIEW.value,
            "补正不是在初审时要求的",
            "the papers weren't asked for at the window review",
        ),
        _when(
            "finding_given",
            lambda change: finding_of(dict(change.data)) is not None,
            "须给出裁定事项与结论",
            "give the subject and the finding",
            "事项：alive（alive/dead）、birth_date（日期）、objection（dismissed/upheld）或核验项（accepted/refused）。",
            "Subjects: alive (alive|dead), birth_date (a day), objection (dismissed|upheld), check (accepted|refused).",
        ),
        _when("notice_term_over", notice_is_over, "公示期未满", "the term of the notice isn't over"),
        _when("decision_stands", _decision_stands, "待遇核定尚不完整", "the pension isn't fully determined"),
        _when(
            "item_needs_person",
            lambda change: _item_statuses(change).get(str(change.data.get("item"))) == ItemStatus.NEEDS_PERSON,
            "该联办事项无须人工处置",
            "this item doesn't wait for a person",
        ),
        _when("items_settled", _items_settled, "联办事项尚未办结", "the joint items aren't settled"),
        _when(
            "first_payment_stands",
            lambda change: _item_statuses(change).get(REGISTER_BENEFIT) in {ItemStatus.DONE, ItemStatus.WAIVED},
            "待遇尚未登记",
            "the benefit isn't registered yet",
        ),
        _when(
            "no_other_live_case",
            _no_other_live_case,
            "该人员已有其他在办联办件",
            "the person has another case under way",
        ),
        _when(
            "nothing_paid",
            _nothing_paid,
            "原核定已发放待遇，须重新核定，不能退回或撤回",
            "pay has begun under the former decision: decide anew instead",
        ),
        _when(
            "appealed_return",
            lambda change: change.case.came_from == State.RETURNED.value,
            "申诉对象不是退回",
            "the appeal isn't against a return",
        ),
        _when(
            "appealed_death",
            lambda change: change.case.came_from == State.ENDED_BY_DEATH.value,
            "申诉对象不是死亡终结",
            "the appeal isn't against an end by death",
        ),
        _when(
            "appealed_completion",
            lambda change: change.case.came_from == State.COMPLETED.value,
            "申诉对象不是办结",
            "the appeal isn't against a completed case",
        ),
    ]
)
