"""Clues (疑点) on pages: what is pressing, what each register says of one, its frozen evidence, and what to do.

Lists name nobody; who opens a clue or its evidence leaves a look, as the policy says.
"""

from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from huodang.standards import HuodangError, code_table
from huodang.supervision.clues import CLUES, UNDECIDED, ClueRow, ClueView
from huodang.web.exchange_access import Visit
from huodang.web.exchange_demand_pages import history_rows
from huodang.web.exchange_words import light_chip
from huodang.web.forms import Form, FormData
from huodang.web.labels import DEPARTMENT_NAMES, Chip, department_name, element_names, shown_value
from huodang.web.language import mark
from huodang.web.pages import render, see_other
from huodang.web.problems import NotFoundError, problem_of, shown
from huodang.web.roles import ASKED_ROLES, CLUE_ROLES, SUPERVISION_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services
from huodang.web.supervision_words import choice_rows, coming_rows

_LISTED: Final = 200
_PRESSING: Final = 20
_TIERS: Final = {"urgent": ("‼", "bad"), "high": ("!", "bad"), "normal": ("·", "blue"), "look": ("○", "")}
_STATES: Final = {
    "new": ("…", "warn"),
    "assigned": ("…", "blue"),
    "verifying": ("…", "blue"),
    "proposed": ("▲", "warn"),
    "arbitration": ("≠", "bad"),
    "confirmed": ("!", "bad"),
    "objection": ("▲", "warn"),
    "refuted": ("✓", "good"),
}
_STANCES: Final[dict[str, Chip]] = {
    "for": Chip("!", mark("支持疑点"), "bad"),
    "against": Chip("✓", mark("否定疑点"), "good"),
}
_REASONS: Final[dict[str, str]] = {
    "conflict": mark("来源互相矛盾，由部门仲裁，发放照常"),
    "no_witness": mark("没有登记部门的记录作证，只核查"),
    "own_data_only": mark("只有经办系统自己的数据，只核查"),
    "one_witness": mark("只有一个来源，最多暂停一期"),
    "independent_witnesses": mark("两个互相独立的来源一致"),
    "harm_outweighs": mark("误停的害处大于多付，只核查"),
}
_EVIDENCE_NAMES: Final[dict[str, str]] = {
    "event": mark("事件编号"),
    "resource": mark("资源"),
    "type": mark("事件类型"),
    "digest": mark("记录摘要"),
    "paid": mark("各月多发（分）"),
    "monthly_fen": mark("每月待遇（分）"),
    "month": mark("月份"),
    "months": mark("月份"),
    "fen": mark("金额（分）"),
    "rule": mark("发现规则"),
    "row": mark("文件行号"),
    "run_id": mark("比对批号"),
}
ANSWERS: Final[dict[str, str]] = {"yes": mark("属实"), "no": mark("不属实"), "unknown": mark("无法确定")}
_DANGER: Final = frozenset({"confirm", "approve", "decide_for"})
_DATA: Final = ("investigator", "department", "answer", "letter", "law", "fact_from", "meeting", "into")
_REGISTERS: Final[dict[str, str]] = {
    "civil_affairs": mark("民政"),
    "linkage": mark("记录关联"),
    "check": mark("批量比对"),
    "scores": mark("异常评分"),
    "person": mark("本人到场"),
}


@get("/supervision", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True)
def overview(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """What is most pressing."""
    visit = Visit(request, services)
    desk = services.supervision.clues
    counts = desk.counts(visit.actor)
    return render(
        request,
        "supervision_overview.html",
        undecided=sum(counts.by_state.get(state, 0) for state in UNDECIDED),
        fen=counts.fen,
        late=counts.overdue,
        mine=[clue_row(visit, one) for one in desk.queue(visit.actor, mine=True, limit=_PRESSING)],
        rows=[clue_row(visit, one) for one in desk.queue(visit.actor, limit=_PRESSING)],
        states=_states(visit, counts.by_state),
    )


@get("/supervision/clues", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True)
def clues(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The clues that the onlooker may know of."""
    visit = Visit(request, services)
    state = request.query_params.get("state", "")
    mine = request.query_params.get("mine", "") == "1"
    if state and state not in CLUES.states:
        raise NotFoundError
    desk = services.supervision.clues
    rows = desk.queue(visit.actor, state=state or None, mine=mine, limit=_LISTED)
    return render(
        request,
        "supervision_clues.html",
        rows=[clue_row(visit, one) for one in rows],
        state=state,
        mine_only=mine,
        states=_states(visit, desk.counts(visit.actor).by_state),
    )


@get("/supervision/asked", opt={"roles": ASKED_ROLES}, sync_to_thread=True)
def asked(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """What the onlooker's department was asked about clues and hasn't answered."""
    visit = Visit(request, services)
    return render(
        request,
        "supervision_asked.html",
        department=department_name(visit.department, visit.language),
        rows=[
            {
                "clue_id": one.clue_id,
                "matter": visit.pick(one.matter_label),
                "region": one.region,
                "asked_at": one.asked_at,
                "due": one.due_on,
                "light": light_chip(one.light, visit.pick(one.light_label)),
                "days_late": one.days_late,
            }
            for one in services.supervision.clues.asked(visit.actor)
        ],
    )


@get("/supervision/clues/{clue_id:str}", opt={"roles": CLUE_ROLES}, sync_to_thread=True)
def clue(request: StaffRequest, services: NamedDependency[Services], clue_id: FromPath[str]) -> Response[str]:
    """One clue; the look is recorded."""
    visit = Visit(request, services)
    return _page(visit, services.supervision.clues.view(visit.actor, clue_id))


@post("/supervision/clues/{clue_id:str}", opt={"roles": CLUE_ROLES}, sync_to_thread=True)
def act(
    request: StaffRequest, services: NamedDependency[Services], clue_id: FromPath[str], data: FormData
) -> Response[Any]:
    """Move a clue by one event."""
    visit, form = Visit(request, services), Form(data)
    desk = services.supervision.clues
    given = {name: form.text(name) for name in _DATA if form.text(name)}
    if form.text("seen_in_person"):
        given["seen_in_person"] = "yes"
    try:
        desk.move(visit.actor, clue_id, form.text("event"), note=form.text("note"), data=given)
    except HuodangError as error:
        return _page(visit, desk.view(visit.actor, clue_id), error)
    return see_other(f"/supervision/clues/{clue_id}")


@get("/supervision/clues/{clue_id:str}/evidence", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True)
def evidence(request: StaffRequest, services: NamedDependency[Services], clue_id: FromPath[str]) -> Response[str]:
    """The frozen evidence, held against its digests; the look is recorded."""
    visit = Visit(request, services)
    return render(
        request,
        "supervision_evidence.html",
        clue_id=clue_id,
        evidence=[
            {
                "digest": one.digest,
                "frozen_at": one.frozen_at,
                "shown": [
                    (_evidence_name(visit, name), shown_value(name, value, visit.language))
                    for name, value in one.shown.items()
                ],
            }
            for one in services.supervision.clues.evidence(visit.actor, clue_id)
        ],
    )


def clue_row(visit: Visit, row: ClueRow) -> dict[str, Any]:
    """A clue ready to be shown in a list; it names nobody."""
    holder = row.locked_by or row.assigned_to
    shape, kind = _STATES.get(row.state, ("–", ""))
    tier_shape, tier_kind = _TIERS[row.tier]
    return {
        "clue_id": row.clue_id,
        "matter": visit.pick(row.matter_label),
        "rule": row.rule,
        "region": row.region,
        "state": Chip(shape, visit.pick(row.state_label), kind),
        "tier": Chip(tier_shape, visit.pick(row.tier_label), tier_kind),
        "measure": visit.pick(row.measure_label),
        "fen": row.fen,
        "candidate": row.candidate,
        "due": row.due_on,
        "provisional": row.due_provisional,
        "light": light_chip(row.light, visit.pick(row.light_label)),
        "days_late": row.days_late,
        "holder": holder,
        "mine": holder == visit.actor.user_id,
    }


def _states(visit: Visit, counts: Any) -> list[tuple[str, str, int]]:  # noqa: ANN401  (a mapping of counts)
    return [(code, visit.pick(label), counts[code]) for code, label in CLUES.states.items() if counts.get(code)]


def _evidence_name(visit: Visit, name: str) -> str:
    return visit.say(_EVIDENCE_NAMES[name]) if name in _EVIDENCE_NAMES else element_names([name], visit.language)


def _register(visit: Visit, code: str) -> str:
    return visit.say(_REGISTERS[code]) if code in _REGISTERS else department_name(code, visit.language)


def _page(visit: Visit, view: ClueView, error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    return render(
        visit.request,
        "supervision_clue.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        view=view,
        row=clue_row(visit, view.row),
        reason=visit.say(_REASONS.get(view.reason, view.reason)),
        stakes=[
            {
                "scheme": code_table("scheme").meaning(one.scheme)
                if one.scheme and visit.language == "zh"
                else one.scheme,
                "months": [month.iso for month in one.months],
                "fen": one.fen,
            }
            for one in view.stakes
        ],
        signals=[
            {
                "register": _register(visit, one.register),
                "stance": Chip(
                    _STANCES[one.stance].shape, visit.say(_STANCES[one.stance].word), _STANCES[one.stance].kind
                ),
                "fact": [
                    (element_names([name], visit.language), shown_value(name, value, visit.language))
                    for name, value in one.fact.items()
                ],
                "fuzzy": one.fuzzy,
                "copy_of": _register(visit, one.copy_of) if one.copy_of else "",
                "known_at": one.known_at,
                "mille_wrong": one.mille_wrong,
            }
            for one in view.signals
        ],
        opinions=[
            {
                "department": _register(visit, one.department),
                "asked_at": one.asked_at,
                "due_on": one.due_on,
                "light": light_chip(one.light, "") if one.light else None,
                "answer": visit.say(ANSWERS.get(one.answer, one.answer)) if one.answer else "",
                "note": one.note,
            }
            for one in view.opinions
        ],
        history=history_rows(visit, view.history, CLUES.states),
        coming=coming_rows(visit, CLUES, view.row.state),
        actions=choice_rows(visit, view.may, _DANGER),
        departments=[
            (code, visit.say(name))
            for code, name in DEPARTMENT_NAMES.items()
            if code not in {"hub", "citizen", "employer"}
        ],
        answers=[(code, visit.say(name)) for code, name in ANSWERS.items()],
        may_open=visit.actor.role in {Role.INVESTIGATOR, Role.REVIEWER, Role.AUDITOR},
    )


supervision_clue_router: Final = Router(
    path="/", route_handlers=[overview, clues, asked, clue, act, evidence], include_in_schema=False
)
