"""Corrections and disputes (校核纠错, 争议, 召回) on pages: mark as wrong, answer, dispute, acknowledge.

What a value in doubt is, only correctors and who raised it see, as the policy says; every such look is recorded.
"""

from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from huodang.exchange.sharing import CORRECTION, Announcement, CorrectionClaim, CorrectionView
from huodang.standards import HuodangError
from huodang.web.exchange_access import Visit
from huodang.web.exchange_demand_pages import action_rows, event_data, history_rows, next_steps
from huodang.web.exchange_words import CORRECTION_KINDS, ORIGINS, departments, standing_row
from huodang.web.forms import Form, FormData
from huodang.web.labels import element_names, shown_value
from huodang.web.language import mark
from huodang.web.pages import render, see_other
from huodang.web.problems import NotFoundError, problem_of, shown
from huodang.web.roles import CORRECTION_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_ROLES: Final = {"roles": CORRECTION_ROLES}
_LISTED: Final = 200
_VALUES: Final[dict[str, str]] = {
    "identity": mark("证件号码"),
    "received": mark("收到的值"),
    "believed": mark("认为正确的值"),
    "corrected": mark("更正后的值"),
}
_WAYS_IN: Final[dict[str, frozenset[Role]]] = {
    "correction": frozenset({Role.CORRECTOR, Role.WINDOW_CLERK, Role.REVIEWER}),
    "announcement": frozenset({Role.CORRECTOR}),
    "recall": frozenset({Role.STEWARD}),
}
"""Who is offered which form; whether it is permitted, the policies decide."""


@get("/exchange/corrections", opt=_ROLES, sync_to_thread=True)
def corrections(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The corrections of both sides, and the notices to this department. No value stands here."""
    visit = Visit(request, services)
    state = request.query_params.get("state", "")
    if state and state not in CORRECTION.states:
        raise NotFoundError
    everything = services.corrections.corrections(visit.actor, limit=_LISTED)
    counts = {code: sum(one.standing.state == code for one in everything) for code in CORRECTION.states}
    rows: list[dict[str, Any]] = [
        {
            "correction_id": one.correction_id,
            "kind": visit.say(CORRECTION_KINDS[one.kind]),
            "title": visit.title(one.resource),
            "element": element_names([one.element], visit.language) if one.element else "—",
            "sides": departments(visit, tuple(filter(None, (one.consumer, one.provider)))),
            "raised_at": one.raised_at,
            "standing": standing_row(visit, one.standing),
        }
        for one in everything
        if state in {"", one.standing.state}
    ]
    return render(
        request,
        "exchange_corrections.html",
        rows=sorted(rows, key=lambda row: not row["standing"]["mine"]),
        state=state,
        states=[(code, visit.pick(label), counts[code]) for code, label in CORRECTION.states.items() if counts[code]],
        notices=[
            {
                "notice_id": one.notice_id,
                "correction_id": one.correction_id,
                "kind": visit.say(CORRECTION_KINDS.get(one.kind, one.kind)),
                "title": visit.title(one.resource),
                "issued_at": one.issued_at,
                "acknowledged_at": one.acknowledged_at,
                "copies": len(one.copies),
            }
            for one in services.corrections.notices(visit.actor)
        ],
        ways_in=_ways_in(visit),
    )


@get("/exchange/corrections/new/{kind:str}", opt=_ROLES, sync_to_thread=True)
def new(request: StaffRequest, services: NamedDependency[Services], kind: FromPath[str]) -> Response[str]:
    """The form by which a correction begins."""
    typed = {name: request.query_params.get(name, "")[:256] for name in ("resource", "origin", "reference", "element")}
    return _form(Visit(request, services), kind, typed)


@post("/exchange/corrections/new/{kind:str}", opt=_ROLES, sync_to_thread=True)
def begin(
    request: StaffRequest, services: NamedDependency[Services], kind: FromPath[str], data: FormData
) -> Response[Any]:
    """Mark a value as wrong, correct one of one's own, or recall a delivery."""
    visit, form = Visit(request, services), Form(data)
    if kind not in dict(_ways_in(visit)):
        raise NotFoundError
    try:
        begun = _begin(visit, kind, form)
    except HuodangError as error:
        return _form(visit, kind, form.fields(), error)
    return see_other(f"/exchange/corrections/{begun.row.correction_id}")


@get("/exchange/corrections/{correction_id:str}", opt=_ROLES, sync_to_thread=True)
def correction(
    request: StaffRequest, services: NamedDependency[Services], correction_id: FromPath[str]
) -> Response[str]:
    """One correction; its values as the policy says."""
    visit = Visit(request, services)
    return _page(visit, services.corrections.view(visit.actor, correction_id))


@post("/exchange/corrections/{correction_id:str}", opt=_ROLES, sync_to_thread=True)
def act(
    request: StaffRequest, services: NamedDependency[Services], correction_id: FromPath[str], data: FormData
) -> Response[Any]:
    """Move a correction by one event, or acknowledge a notice of it."""
    visit, form = Visit(request, services), Form(data)
    desk = services.corrections
    try:
        if form.text("notice"):
            desk.acknowledge(visit.actor, form.text("notice"))
            return see_other("/exchange/corrections")  # who was told need not be a side that sees the matter
        desk.act(visit.actor, correction_id, form.text("event"), note=form.text("note"), data=event_data(form))
    except HuodangError as error:
        return _page(visit, desk.view(visit.actor, correction_id), error)
    return see_other(f"/exchange/corrections/{correction_id}")


def _begin(visit: Visit, kind: str, form: Form) -> CorrectionView:
    desk, actor, note = visit.services.corrections, visit.actor, form.text("note")
    if kind == "recall":
        return desk.recall(actor, form.text("resource"), form.text("origin"), form.text("reference"), reason=note)
    if kind == "announcement":
        announcement = Announcement(
            resource=form.text("resource"),
            identity_number=form.text("identity_number"),
            element=form.text("element"),
            received=form.text("received"),
            corrected=form.text("corrected"),
            in_force_from=form.text("in_force_from"),
            evidence=form.text("evidence").lower(),
        )
        return desk.announce(actor, announcement, note=note)
    claim = CorrectionClaim(
        resource=form.text("resource"),
        identity_number=form.text("identity_number"),
        element=form.text("element"),
        believed=form.text("believed"),
        origin=form.text("origin"),
        reference=form.text("reference"),
        received=form.text("received"),
        evidence=form.text("evidence").lower(),
    )
    return desk.raise_correction(actor, claim, note=note)


def _ways_in(visit: Visit) -> list[tuple[str, str]]:
    role = visit.request.user.role
    return [(kind, visit.say(CORRECTION_KINDS[kind])) for kind, roles in _WAYS_IN.items() if role in roles]


def _form(visit: Visit, kind: str, typed: dict[str, str], error: HuodangError | None = None) -> Response[str]:
    if kind not in dict(_ways_in(visit)):
        raise NotFoundError
    problem = problem_of(error) if error else None
    entries = [one for one in visit.entries.values() if kind == "correction" or one.provider == visit.department]
    chosen = visit.entries.get(typed.get("resource", ""))
    held = dict.fromkeys(name for one in ([chosen] if chosen else entries) for name in one.elements)
    return render(
        visit.request,
        "exchange_correction_new.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        kind=kind,
        title=visit.say(CORRECTION_KINDS[kind]),
        typed=typed,
        resources=[(one.resource, visit.title(one.resource)) for one in entries],
        elements=[(one, element_names([one], visit.language)) for one in held],
        origins=[(code, visit.say(name)) for code, name in ORIGINS.items()],
    )


def _page(visit: Visit, view: CorrectionView, error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    row = view.row
    return render(
        visit.request,
        "exchange_correction.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        view=view,
        row=row,
        title=visit.title(row.resource),
        kind=visit.say(CORRECTION_KINDS[row.kind]),
        element=element_names([row.element], visit.language) if row.element else "",
        sides=(departments(visit, (row.consumer,)) if row.consumer else "—", departments(visit, (row.provider,))),
        origin=visit.say(ORIGINS.get(view.origin, view.origin)) if view.origin else "",
        standing=standing_row(visit, row.standing),
        values=[
            (visit.say(name), value if code == "identity" else shown_value(row.element, value, visit.language))
            for code, name in _VALUES.items()
            if (value := view.values.get(code)) is not None
        ],
        history=history_rows(visit, view.history, CORRECTION.states),
        coming=next_steps(visit, CORRECTION, row.standing.state),
        actions=action_rows(visit, view.may),
        notices=[
            {
                "notice_id": one.notice_id,
                "consumer": departments(visit, (one.consumer,)),
                "copies": len(one.copies),
                "issued_at": one.issued_at,
                "acknowledged_at": one.acknowledged_at,
                "mine": one.consumer == visit.department
                and one.acknowledged_at is None
                and visit.actor.role in {Role.STEWARD, Role.CORRECTOR},
            }
            for one in view.notices
        ],
    )


exchange_correction_router: Final = Router(
    path="/", route_handlers=[corrections, new, begin, correction, act], include_in_schema=False
)
