"""Certification (资格认证) on pages: who is due, one person's standing, proof at the window or at a visit.

A person is looked up in a body, never in an address; who is listed or opened, finds the look recorded.
"""

from datetime import date
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency

from huodang.exchange.sharing import SYSTEM
from huodang.standards import HuodangError, IdentityNumber
from huodang.supervision.certification import (
    CERTIFICATION,
    CertificationEvent,
    CertificationState,
    CertificationView,
    DueRow,
    Proof,
)
from huodang.web.exchange_access import Visit
from huodang.web.forms import Form, FormData
from huodang.web.labels import Chip, role_name
from huodang.web.pages import render
from huodang.web.problems import BadFormError, NotFoundError, problem_of, shown
from huodang.web.roles import CERTIFICATION_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_ROLES: Final = {"roles": CERTIFICATION_ROLES}
_LISTED: Final = 50
_STATES: Final = {
    CertificationState.VALID: ("✓", "good"),
    CertificationState.REMINDING: ("…", "blue"),
    CertificationState.OVERDUE: ("▲", "warn"),
    CertificationState.VISITING: ("▲", "warn"),
    CertificationState.REFERRED: ("!", "bad"),
    CertificationState.ENDED: ("–", ""),
}
_STANDINGS: Final = {
    "counted": ("✓", "good"),
    "waiting": ("…", "blue"),
    "stale": ("–", ""),
    "contradicted": ("≠", "bad"),
    "stranger": ("–", ""),
}


@get("/supervision/certifications", opt=_ROLES, sync_to_thread=True)
def certifications(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """Who is due, longest first; each person listed is a look that is recorded."""
    visit = Visit(request, services)
    state = request.query_params.get("state", "")
    if state and state not in CERTIFICATION.states:
        raise NotFoundError
    desk = services.supervision.certifications
    counts = desk.counts()
    rows = desk.due(visit.actor, services.clock.today(), state=state or None, limit=_LISTED)
    return render(
        request,
        "supervision_certifications.html",
        problem=None,
        rows=[_row(visit, one) for one in rows],
        most=_LISTED,
        state=state,
        states=[(code, visit.pick(label), counts[code]) for code, label in CERTIFICATION.states.items()],
    )


@post("/supervision/certifications", opt=_ROLES, sync_to_thread=True)
def find(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[str]:
    """One person's standing, by number or out of the list; the look is recorded."""
    visit, form = Visit(request, services), Form(data)
    desk = services.supervision.certifications
    try:
        if person := form.text("person"):
            view = desk.of_index(visit.actor, person)
        else:
            view = desk.of_person(visit.actor, IdentityNumber.parse(form.text("identity_number")))
    except HuodangError as error:
        return _refused(visit, error)
    return _page(visit, view)


@post("/supervision/certifications/acts", opt=_ROLES, sync_to_thread=True)
def act(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[str]:
    """Certify somebody, or say that a visit could not confirm; the pension goes on either way."""
    visit, form = Visit(request, services), Form(data)
    desk, person = services.supervision.certifications, form.text("person")
    try:
        _act(visit, form, person)
    except HuodangError as error:
        try:
            return _page(visit, desk.of_index(visit.actor, person), error)
        except HuodangError as unknown:
            return _refused(visit, unknown)
    return _page(visit, desk.of_index(visit.actor, person))


def _act(visit: Visit, form: Form, person: str) -> None:
    """Do what the form says, whole or not at all.

    Raises:
        BadFormError: the event or the day isn't one.
        CertificationError: it can't be done, or isn't for this role.
    """
    services, event = visit.services, form.text("event")
    desk = services.supervision.certifications
    with services.database.begin() as connection:
        identity = desk.person_to_certify(connection, visit.actor, person)
        if event == CertificationEvent.PROVE:
            proof = Proof(identity, _day(form), form.text("means"), f"by.{visit.actor.role}")
            desk.prove(connection, proof, visit.actor)
        elif event == CertificationEvent.NOT_FOUND:
            desk.not_found(connection, visit.actor, identity, form.text("note"))
        else:
            raise BadFormError("event")


def _day(form: Form) -> date:
    try:
        return date.fromisoformat(form.text("on"))
    except ValueError as error:
        raise BadFormError("on") from error


def _row(visit: Visit, row: DueRow) -> dict[str, Any]:
    shape, kind = _STATES[CertificationState(row.state)]
    return {
        "person": row.person_index,
        "identity_number": row.identity_number,
        "region": row.region,
        "state": Chip(shape, visit.pick(row.state_label), kind),
        "due_on": row.due_on,
        "proved_on": row.proved_on,
        "reminders": row.reminders,
    }


def _refused(visit: Visit, error: HuodangError) -> Response[str]:
    problem = problem_of(error)
    return render(
        visit.request,
        "supervision_certification.html",
        status=problem.status,
        problem=shown(problem, visit.language),
        row=None,
    )


def _page(visit: Visit, view: CertificationView, error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    desk = visit.services.supervision.certifications
    return render(
        visit.request,
        "supervision_certification.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        row=_row(visit, view.row),
        words=visit.pick(view.words),
        proofs=[
            {
                "on": one.on,
                "means": visit.pick(one.means_label),
                "standing": Chip(
                    _STANDINGS[one.standing][0], visit.pick(one.standing_label), _STANDINGS[one.standing][1]
                ),
                "recorded_at": one.recorded_at,
            }
            for one in view.proofs
        ],
        history=[
            {
                "at": one.at,
                "label": visit.pick(one.event_label),
                "to": visit.pick(CERTIFICATION.states[one.to_state]),
                "by": role_name(one.by, visit.language) if one.by == SYSTEM.user_id else one.by,
            }
            for one in view.history
        ],
        may={one.event: visit.pick(one.label) for one in view.may},
        means=[
            (code, visit.pick((one.chinese, one.english)))
            for code, one in desk.ladder.means.items()
            if visit.actor.role in one.roles
        ],
        today=visit.services.clock.today(),
    )


supervision_certification_router: Final = Router(
    path="/", route_handlers=[certifications, find, act], include_in_schema=False
)
