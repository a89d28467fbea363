"""What a citizen sees of the own case and of the looks at the own data: plain words, both languages, texts only."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from huodang.exchange import Look
from huodang.retirement import STATE_LABELS, CaseView, Label, State
from huodang.store import shanghai_text
from huodang.supervision.certification import CertificationView
from huodang.supervision.control import Notice
from huodang.web.case_page import papers
from huodang.web.labels import department_name, element_names, few_element_names, purpose_name
from huodang.web.language import LANGUAGES, mark, translate

T = TypeVar("T")

# The straight way, as a citizen follows it.
_WAY: Final = (
    State.DRAFT,
    State.CHECKING,
    State.WINDOW_REVIEW,
    State.FILING_REVIEW,
    State.JOINT_ITEMS,
    State.FILING,
    State.COMPLETED,
)
# Where a case stands on that way while it has left it.
_BESIDE: Final[dict[State, State]] = {
    State.EXCEPTION: State.CHECKING,
    State.SUPPLEMENT: State.CHECKING,
    State.ARBITRATION: State.CHECKING,
    State.PUBLIC_NOTICE: State.CHECKING,
}
_WAY_WORDS: Final[dict[State, str]] = {
    State.DRAFT: mark("提交申请"),
    State.CHECKING: mark("部门核对信息"),
    State.WINDOW_REVIEW: mark("窗口初审"),
    State.FILING_REVIEW: mark("入库复审"),
    State.JOINT_ITEMS: mark("医保、公积金等事项联办"),
    State.FILING: mark("归档"),
    State.COMPLETED: mark("办结，开始发放养老金"),
}
_PLAIN: Final[dict[State, str]] = {
    State.DRAFT: mark("申请表已替您准备好，还没有提交。请到“申请退休”核对后提交。"),
    State.CHECKING: mark("正在向各部门核对您的信息，您不用做什么。"),
    State.EXCEPTION: mark("有一处需要工作人员处理，原因见下。您暂时不用做什么。"),
    State.SUPPLEMENT: mark("请补充下面列出的材料。这段时间不算在办理时限里。"),
    State.ARBITRATION: mark("部门之间的记录不一致，正由专人查证。"),
    State.PUBLIC_NOTICE: mark("正在按规定公示，期满自动进入下一步。"),
    State.WINDOW_REVIEW: mark("信息已核对完，正在初审。"),
    State.FILING_REVIEW: mark("初审已通过，正由另一位工作人员复审。"),
    State.JOINT_ITEMS: mark("退休已核定，正在替您办理医保、公积金等事项。"),
    State.FILING: mark("事项都已办完，正在归档。"),
    State.COMPLETED: mark("已全部办完。养老金将按下面的金额按月发放。"),
    State.RETURNED: mark("申请已退回，原因见下。改正后可以重新提交，不服可以申诉。"),
    State.WITHDRAWN: mark("您已撤回申请。需要时可以重新申请。"),
    State.ENDED_BY_DEATH: mark("因登记有死亡记录，申请已终止。记录有误请马上申诉。"),
    State.APPEAL: mark("申诉正由没有参与原决定的人审查。"),
}
_TURNS: Final[dict[State, str]] = {
    State.DRAFT: mark("您本人"),
    State.SUPPLEMENT: mark("您本人"),
    State.CHECKING: mark("各部门自动答复"),
    State.PUBLIC_NOTICE: mark("法定期间，无需办理"),
    State.JOINT_ITEMS: mark("各部门自动办理"),
    State.FILING: mark("系统自动办理"),
    State.EXCEPTION: mark("社保窗口工作人员"),
    State.WINDOW_REVIEW: mark("社保窗口工作人员"),
    State.FILING_REVIEW: mark("社保复核人员"),
    State.ARBITRATION: mark("社保复核人员"),
    State.APPEAL: mark("社保复核人员"),
}
_MOST_NOTICES: Final = 50
"""An answer has to fit the ferry; older letters stand in the volume and at the window."""
# A citizen returns to the form to hand an application in again.
_BY_FORM: Final = "resubmit"


def citizen_case(view: CaseView) -> dict[str, Any]:
    """The case in plain words."""
    clock = view.clock
    running = view.ended_at is None
    return {
        "found": True,
        "case_id": view.case_id,
        "state": _label(Label(*STATE_LABELS[view.state])),
        "state_code": view.state.value,
        "plain": _both(_PLAIN[view.state]),
        "turn": _both(_TURNS[view.state]) if view.state in _TURNS else None,
        "step_due": clock.step_due.isoformat() if clock.step_due and running else "",
        "due": clock.due.isoformat() if clock.due and running else "",
        "due_provisional": clock.due_provisional,
        "steps": _steps(view),
        # The sentence alone: what to do about it is said to staff.
        "reasons": [_label(one.sentence) for one in view.reasons],
        "asked_papers": [{"code": paper, "zh": paper, "en": paper} for paper in view.papers_asked]
        if view.state is State.SUPPLEMENT
        else [],
        "events": [
            {"code": choice.event.value, **_label(choice.label)}
            for choice in view.events
            if choice.event.value in {"withdraw", "supplement_received", "appeal"}
        ],
        "may_apply_again": view.state in {State.DRAFT, State.WITHDRAWN}
        or any(choice.event.value == _BY_FORM for choice in view.events),
        "pension": _pension(view),
        "messages": [
            {"at": shanghai_text(one.at)[:16], **_label(one.text)} for one in view.messages if one.recipient == "person"
        ],
        "papers": None if view.materials is None else papers(view.materials),
    }


def look_seen(look: Look) -> dict[str, Any]:
    """One look, as the person concerned sees it: department, role, purpose, elements; no name of staff."""
    return {
        "at": shanghai_text(look.at)[:16],
        **_pair("department", look.department, department_name),
        "role": look.role,
        **_pair("purpose", look.purpose, purpose_name),
        **_pair("elements", look.elements, element_names),
        **_pair("few", look.elements, few_element_names),
        "what": look.what,
        "entry_id": look.entry_id,
    }


def notices_seen(notices: Sequence[Notice], certification: CertificationView | None) -> dict[str, Any]:
    """What was written to the person about payments, and how the certification stands: in the words that were used."""
    return {
        "notices": [
            {
                "notice_id": one.notice_id,
                "at": shanghai_text(one.written_at)[:16],
                "object_by": one.object_by.isoformat(),
                **{part: {"zh": words[0], "en": words[1]} for part, words in one.parts.items()},
            }
            for one in islice(notices, _MOST_NOTICES)
        ],
        "certification": None if certification is None else _certification(certification),
    }


def _certification(view: CertificationView) -> dict[str, Any]:
    def both(words: tuple[str, str]) -> dict[str, str]:
        return {"zh": words[0], "en": words[1]}

    return {
        "state_code": view.row.state,
        "state": both(view.row.state_label),
        "words": both(view.words),
        "due_on": view.row.due_on.isoformat(),
        "proofs": [
            {"on": one.on.isoformat(), "means": both(one.means_label), "standing": both(one.standing_label)}
            for one in islice(view.proofs, _MOST_NOTICES)
        ],
    }


def _steps(view: CaseView) -> list[dict[str, str]]:
    stands = _BESIDE.get(view.state, view.state)
    if stands not in _WAY:
        return []
    at = _WAY.index(stands)
    finished = view.state is State.COMPLETED
    return [
        {
            **_both(_WAY_WORDS[state]),
            "status": "done" if place < at or finished else "now" if place == at else "todo",
        }
        for place, state in enumerate(_WAY)
    ]


def _pension(view: CaseView) -> dict[str, Any] | None:
    """The amounts, once they are final: a proposal may still change."""
    if view.decision is None or view.decision_stage != "final":
        return None
    return {
        "first_month": f"{view.decision['pay_from'][:4]}-{view.decision['pay_from'][4:]}",
        "provisional": view.provisional,
        "total": view.decision["payable"],
        "basic": view.decision["basic"],
        "account": view.decision["account"],
        "transitional": view.decision["transitional"],
    }


def _label(label: Label) -> dict[str, str]:
    return {"zh": label.chinese, "en": label.english}


def _both(chinese: str) -> dict[str, str]:
    return {language: translate(chinese, language) for language in LANGUAGES}


def _pair(name: str, code: T, words: Callable[[T, str], str]) -> dict[str, str]:
    return {f"{name}_{language}": words(code, language) for language in LANGUAGES}
