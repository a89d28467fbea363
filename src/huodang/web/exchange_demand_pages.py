"""Demands (供需对接) on pages: raise one, review and answer, see where each stands and what may come next."""

from datetime import date
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from huodang.exchange import CatalogueEntry
from huodang.exchange.sharing import DEMAND, FREQUENCY_LABELS, SIDE_LABELS, DemandTerms, DemandView, EventChoice
from huodang.standards import BadValue, HuodangError, Place
from huodang.trust import canonical_json
from huodang.web.exchange_access import Visit
from huodang.web.exchange_words import AGREEMENT_STATES, chip, departments, kind_name, standing_row
from huodang.web.forms import Form, FormData
from huodang.web.labels import DEPARTMENT_NAMES, PURPOSE_NAMES, department_name, element_names, role_name
from huodang.web.pages import render, see_other
from huodang.web.problems import NotFoundError, problem_of, shown
from huodang.web.roles import DEMAND_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_ROLES: Final = {"roles": DEMAND_ROLES}
_STEWARDS: Final = {"roles": frozenset({Role.STEWARD})}
_LISTED: Final = 200
_PURPOSES: Final = ("retirement", "retirement_prefill", "retirement_due", "supervision", "archive")
_DANGER: Final = frozenset({"refuse", "revoke", "withdraw", "decide_not_to_share", "reject", "dismiss"})
_UNBOUNDED: Final = frozenset({"terms"})


@get("/exchange/demands", opt=_ROLES, sync_to_thread=True)
def demands(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The demands of both sides, those that wait for this department first."""
    visit = Visit(request, services)
    state = request.query_params.get("state", "")
    if state and state not in DEMAND.states:
        raise NotFoundError
    everything = services.sharing.demands(visit.actor, limit=_LISTED)
    rows: list[dict[str, Any]] = [
        {
            "demand_id": one.demand_id,
            "title": visit.title(one.resource) if one.resource else one.wished,
            "consumer": department_name(one.consumer, visit.language),
            "provider": department_name(one.provider, visit.language),
            "raised_at": one.raised_at,
            "standing": standing_row(visit, one.standing),
        }
        for one in everything
        if state in {"", one.standing.state}
    ]
    counts = {code: sum(one.standing.state == code for one in everything) for code in DEMAND.states}
    return render(
        request,
        "exchange_demands.html",
        rows=sorted(rows, key=lambda row: not row["standing"]["mine"]),
        state=state,
        states=[(code, visit.pick(label), counts[code]) for code, label in DEMAND.states.items() if counts[code]],
        steward=visit.actor.role == Role.STEWARD,
        full=len(everything) >= _LISTED,
    )


@get("/exchange/demands/new", opt=_STEWARDS, sync_to_thread=True)
def new(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The form of a new demand; first the resource, then what it holds."""
    visit = Visit(request, services)
    return _form(visit, {"resource": request.query_params.get("resource", "")[:129]})


@post("/exchange/demands", opt=_STEWARDS, sync_to_thread=True)
def raise_demand(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[Any]:
    """Raise a demand for the steward's own department."""
    visit, form = Visit(request, services), Form(data)
    try:
        raised = services.sharing.raise_demand(visit.actor, _terms(visit, form), note=form.text("note"))
    except HuodangError as error:
        return _form(visit, form.fields(), error)
    return see_other(f"/exchange/demands/{raised.demand_id}")


@get("/exchange/demands/{demand_id:str}", opt=_ROLES, sync_to_thread=True)
def demand(request: StaffRequest, services: NamedDependency[Services], demand_id: FromPath[str]) -> Response[str]:
    """One demand with its steps."""
    visit = Visit(request, services)
    return _page(visit, services.sharing.view(visit.actor, demand_id))


@post("/exchange/demands/{demand_id:str}", opt=_ROLES, sync_to_thread=True)
def act(
    request: StaffRequest, services: NamedDependency[Services], demand_id: FromPath[str], data: FormData
) -> Response[Any]:
    """Move a demand by one event."""
    visit, form = Visit(request, services), Form(data)
    try:
        services.sharing.act(visit.actor, demand_id, form.text("event"), note=form.text("note"), data=event_data(form))
    except HuodangError as error:
        return _page(visit, services.sharing.view(visit.actor, demand_id), error)
    return see_other(f"/exchange/demands/{demand_id}")


@get("/exchange/demands/{demand_id:str}/agreement.json", opt=_ROLES, sync_to_thread=True)
def draft(request: StaffRequest, services: NamedDependency[Services], demand_id: FromPath[str]) -> Response[bytes]:
    """The text that both sides are to sign, each with its own key at its own gateway."""
    agreement = services.sharing.draft(request.user.actor, demand_id)
    return Response(
        canonical_json(agreement.to_payload()),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{agreement.agreement_id}.v{agreement.version}.json"'},
    )


def event_data(form: Form) -> dict[str, Any]:
    """What an event needs, out of the fields of its form; terms are those that the form changes.

    Raises:
        BadValue: a number or a day can't be read.
    """
    wanted = ("law", "meeting", "resource", "valid_to", "corrected", "in_force_from")
    data: dict[str, Any] = {name: form.text(name) for name in wanted if form.text(name)}
    changed: dict[str, Any] = {}
    for name in ("calls_per_minute", "cache_seconds"):
        if form.text(f"terms_{name}"):
            changed[name] = _number(form, f"terms_{name}")
    if (until := _day(form, "terms_valid_to")) is not None:
        changed["valid_to"] = until.isoformat()
    for name in ("legal_basis", "wished"):
        if form.text(f"terms_{name}"):
            changed[name] = form.text(f"terms_{name}")
    kept = _ticked(form, "terms_element"), _ticked(form, "terms_field")
    if any(kept):
        changed |= {"elements": list(kept[0]), "fields": list(kept[1])}
    return data | ({"terms": changed} if changed else {})


def action_rows(visit: Visit, may: tuple[EventChoice, ...], *, without: frozenset[str] = frozenset()) -> list[Any]:
    """The buttons of what may be done, each with the fields that it needs."""
    return [
        {
            "event": one.event,
            "label": visit.pick(one.label),
            "needs": [need for need in one.needs if need not in _UNBOUNDED],
            "terms": "terms" in one.needs,
            "kind": "danger" if one.event in _DANGER else "",
        }
        for one in may
        if one.event not in without
    ]


def history_rows(visit: Visit, history: Any, states: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (of either process)
    """What happened so far, the first event first."""
    return [
        {
            "at": one.at,
            "label": visit.pick(one.event_label),
            "to": visit.pick(states[one.to_state]),
            "by": _by(visit, one),
            "note": one.note,
            "law": one.law,
            "policy": one.policy,
            "entry_id": one.entry_id,
        }
        for one in history
    ]


def next_steps(visit: Visit, process: Any, state: str) -> list[tuple[str, str, str]]:  # noqa: ANN401  (either process)
    """What the transition table lets come next: event, whose act it is, state it leads to. Each stands once."""
    rows = [
        (
            visit.pick(process.events[row.event]),
            visit.pick(SIDE_LABELS[row.side]),
            visit.pick(process.states[row.target]),
        )
        for row in process.rows_from(state)
    ]
    return list(dict.fromkeys(rows))


def _by(visit: Visit, line: Any) -> str:  # noqa: ANN401  (a line of either process)
    who = [
        department_name(line.department, visit.language) if line.department else "",
        role_name(line.role, visit.language),
    ]
    return " · ".join(one for one in who if one)


def _terms(visit: Visit, form: Form) -> DemandTerms:
    resource = form.text("resource")
    entry = visit.entries.get(resource)
    days = {name: _day(form, name) for name in ("valid_from", "valid_to")}
    rows: dict[str, list[str]] = {}
    if form.text("row_element"):
        values = [
            one for one in form.text("row_values").replace("，", ",").replace("、", ",").split(",") if one.strip()
        ]
        rows[form.text("row_element")] = [one.strip() for one in values]
    payload: dict[str, Any] = {
        "consumer": visit.department,
        "provider": entry.provider if entry is not None else form.text("provider"),
        "purposes": list(_ticked(form, "purpose")),
        "legal_basis": form.text("legal_basis"),
        "kind": entry.kind.value if entry is not None else form.text("kind", "check"),
        "frequency": form.text("frequency"),
        "valid_from": (days["valid_from"] or visit.services.clock.today()).isoformat(),
        "valid_to": days["valid_to"].isoformat() if days["valid_to"] else None,
        "resource": resource,
        "wished": form.text("wished"),
        "elements": list(_ticked(form, "element")),
        "fields": list(_ticked(form, "field")),
        "rows": rows,
        "calls_per_minute": _number(form, "calls_per_minute"),
        "cache_seconds": _number(form, "cache_seconds") or 0,
    }
    for name, missing in (("purposes", "请至少选一项用途"), ("legal_basis", "请写明依据")):
        if not payload[name]:
            english = "Choose a purpose" if name == "purposes" else "Say which law it rests on"
            raise BadValue(missing, english, place=Place(element=name))
    return DemandTerms.from_payload(payload)


def _ticked(form: Form, group: str) -> tuple[str, ...]:
    return tuple(name.partition(":")[2] for name in form.fields() if name.startswith(f"{group}:"))


def _number(form: Form, name: str) -> int | None:
    text = form.text(name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadValue("须是整数", "A whole number is wanted", place=Place(element=name))
    return int(text)


def _day(form: Form, name: str) -> date | None:
    text = form.text(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValue("日期写法如 2026-12-31", "A day is written as 2026-12-31", place=Place(element=name)) from None


def _form(visit: Visit, typed: dict[str, str], error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    entry = visit.entries.get(typed.get("resource", ""))
    others = [one for one in visit.entries.values() if one.provider != visit.department and one.sharing != "none"]
    return render(
        visit.request,
        "exchange_demand_new.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        typed=typed,
        entry=entry,
        title=visit.title(entry.resource) if entry else "",
        kind=kind_name(visit, entry.kind) if entry else "",
        resources=_grouped(visit, others),
        elements=[(one, element_names([one], visit.language)) for one in (entry.elements if entry else ())],
        purposes=[(one, visit.say(PURPOSE_NAMES[one])) for one in _PURPOSES],
        frequencies=[(code, visit.pick(label)) for code, label in FREQUENCY_LABELS.items()],
        providers=[
            (code, visit.say(DEPARTMENT_NAMES[code]))
            for code in dict.fromkeys(one.provider for one in others)
            if code in DEPARTMENT_NAMES
        ],
        today=visit.services.clock.today(),
    )


def _grouped(visit: Visit, entries: list[CatalogueEntry]) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in entries:
        title = f"{visit.title(one.resource)}（{kind_name(visit, one.kind)}）"
        groups.setdefault(department_name(one.provider, visit.language), []).append((one.resource, title))
    return list(groups.items())


def _page(visit: Visit, view: DemandView, error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    terms = view.terms
    return render(
        visit.request,
        "exchange_demand.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        view=view,
        terms=terms,
        title=visit.title(terms.resource) if terms.resource else terms.wished,
        standing=standing_row(visit, view.standing),
        sides=(departments(visit, (terms.consumer,)), departments(visit, (terms.provider,))),
        kind=kind_name(visit, terms.kind),
        frequency=visit.pick(FREQUENCY_LABELS[terms.frequency]),
        purposes=visit.say("、").join(visit.say(PURPOSE_NAMES.get(one, one)) for one in terms.purposes),
        elements=[(one, element_names([one], visit.language)) for one in terms.elements],
        fields=[(one, element_names([one], visit.language)) for one in terms.fields],
        rows=[
            (element_names([name], visit.language), visit.say("、").join(values)) for name, values in terms.rows.items()
        ],
        agreement_state=chip(visit, AGREEMENT_STATES, view.agreement_state) if view.agreement_state else None,
        history=history_rows(visit, view.history, DEMAND.states),
        coming=next_steps(visit, DEMAND, view.standing.state),
        actions=action_rows(visit, view.may, without=frozenset({"revoke"})),
        may_revoke=any(one.event == "revoke" for one in view.may),
    )


exchange_demand_router: Final = Router(
    path="/", route_handlers=[demands, new, raise_demand, demand, act, draft], include_in_schema=False
)
