"""What is done about payments, on pages: who is paid, the monthly lists, what is recovered, and what the lag costs.

Lists of matters name nobody; who looks a person up or opens a recovery leaves a look, as the policy says.
"""

from collections.abc import Callable
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from huodang.standards import BadValue, HuodangError, Money, Month, code_table
from huodang.supervision.recovery import RECOVERY, Debtor, Means, RecoveryRow, RecoveryView
from huodang.supervision.watch import SPAN_LABELS, LagLine, Span, department_label, lag
from huodang.web.exchange_access import Visit
from huodang.web.forms import Form, FormData
from huodang.web.labels import Chip, role_name
from huodang.web.language import mark
from huodang.web.pages import render, see_other
from huodang.web.problems import BadFormError, NotFoundError, problem_of, shown
from huodang.web.roles import PAYMENT_ROLES, SUPERVISION_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services
from huodang.web.supervision_words import choice_rows, coming_rows

_ROLES: Final = {"roles": PAYMENT_ROLES}
_LISTED: Final = 200
_MONTHS: Final = 12
_STATES: Final = {
    "opened": ("…", "warn"),
    "noticed": ("▲", "warn"),
    "objected": ("≠", "bad"),
    "write_off": ("▲", "warn"),
    "court": ("!", "bad"),
    "settled": ("✓", "good"),
}
_DEBTORS: Final[dict[str, str]] = {Debtor.PERSON: mark("本人"), Debtor.HEIRS: mark("遗产继承人")}
_LIST_STATES: Final[dict[str, Chip]] = {
    "checked": Chip("…", mark("已检查，待放行"), "warn"),
    "released": Chip("✓", mark("已放行"), "good"),
}
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "served_on": str,
    "moved_on": str,
    "means": str,
    "reference": str,
    "instalments": int,
    "first_month": Month.parse,
    "account_offset": Money.yuan,
    "monthly_benefit_offset": Money.yuan,
    "amount": Money.yuan,
}
"""How what an event needs is read off a form; money is typed in yuan."""
_DANGER: Final = frozenset({"refer_to_court", "propose_write_off", "approve_write_off"})
_BY_HAND: Final = (Means.REPAYMENT, Means.BENEFIT_OFFSET, Means.ACCOUNT_OFFSET, Means.COURT)
_ON_FILES: Final = frozenset({"revise", "issue_claw_back"})
"""Events that come with a file or a recomputation: by command, not by form."""


@get("/supervision/payees", opt=_ROLES, sync_to_thread=True)
def payees(request: StaffRequest) -> Response[str]:
    """The form by which somebody asks whether a person is paid anywhere."""
    return render(request, "supervision_payees.html", answer=None, problem=None)


@post("/supervision/payees", opt=_ROLES, sync_to_thread=True)
def find_payee(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[str]:
    """Answer it; the look is recorded, also for the answer “no”."""
    visit, form = Visit(request, services), Form(data)
    purpose = "audit" if visit.actor.role == Role.AUDITOR else "supervision"
    try:
        answer = services.supervision.payee_desk.find(visit.actor, form.text("identity_number"), purpose)
    except HuodangError as error:
        problem = problem_of(error)
        return render(
            request,
            "supervision_payees.html",
            status=problem.status,
            answer=None,
            problem=shown(problem, visit.language),
        )
    return render(request, "supervision_payees.html", answer=answer, problem=None)


@get("/supervision/lists", opt={"roles": PAYMENT_ROLES - {Role.AUDITOR}}, sync_to_thread=True)
def lists(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The monthly lists that were checked, and whether they may be released."""
    visit = Visit(request, services)
    rows = [
        {
            "list_id": one.list_id,
            "month": one.month,
            "state": Chip(
                _LIST_STATES[one.state].shape, visit.say(_LIST_STATES[one.state].word), _LIST_STATES[one.state].kind
            ),
            "totals": one.totals,
            "unjudged": one.unjudged,
            "checked_by": one.checked_by,
            "checked_at": one.checked_at,
            "released_by": one.released_by,
            "released_at": one.released_at,
        }
        for one in services.supervision.paylists.lists(visit.actor)
    ]
    return render(request, "supervision_lists.html", rows=rows)


@get("/supervision/recoveries", opt=_ROLES, sync_to_thread=True)
def recoveries(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The recoveries that the onlooker may know of, and their sums."""
    visit = Visit(request, services)
    state = request.query_params.get("state", "")
    if state and state not in RECOVERY.states:
        raise NotFoundError
    with services.database.read() as connection:
        figures = services.supervision.recoveries.figures(connection)
    found = services.supervision.recoveries.recoveries(visit.actor, state=state or None, limit=_LISTED)
    return render(
        request,
        "supervision_recoveries.html",
        rows=[_row(visit, one) for one in found],
        figures=figures,
        state=state,
        states=[
            (code, visit.pick(label), figures.by_state[code])
            for code, label in RECOVERY.states.items()
            if figures.by_state.get(code)
        ],
    )


@get("/supervision/recoveries/{recovery_id:str}", opt=_ROLES, sync_to_thread=True)
def recovery(request: StaffRequest, services: NamedDependency[Services], recovery_id: FromPath[str]) -> Response[str]:
    """One recovery; the look is recorded."""
    visit = Visit(request, services)
    return _page(visit, services.supervision.recoveries.view(visit.actor, recovery_id))


@post("/supervision/recoveries/{recovery_id:str}", opt=_ROLES, sync_to_thread=True)
def act(
    request: StaffRequest, services: NamedDependency[Services], recovery_id: FromPath[str], data: FormData
) -> Response[Any]:
    """Move a recovery by one event."""
    visit, form = Visit(request, services), Form(data)
    desk = services.supervision.recoveries
    try:
        given = _given(form)
        if form.text("event") in _ON_FILES:
            raise BadFormError("event")
        desk.act(visit.actor, recovery_id, form.text("event"), note=form.text("note"), data=given)
    except HuodangError as error:
        return _page(visit, desk.view(visit.actor, recovery_id), error)
    return see_other(f"/supervision/recoveries/{recovery_id}")


@get("/supervision/recoveries/{recovery_id:str}/notice", opt=_ROLES, sync_to_thread=True)
def notice(request: StaffRequest, services: NamedDependency[Services], recovery_id: FromPath[str]) -> Response[str]:
    """The notice to the person or the heirs, to be printed; the look is recorded."""
    text = services.supervision.recoveries.notice(Visit(request, services).actor, recovery_id)
    return Response(content=text, media_type="text/html; charset=utf-8")


@get("/supervision/lag", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True)
def lags(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """How long the way from death to hold took in each department, and what it cost; it names nobody."""
    visit = Visit(request, services)
    now = Month.of(services.clock.today())
    last, first = _month(request, "to", now), _month(request, "from", now - (_MONTHS - 1))
    if not 0 <= last - first < 10 * _MONTHS:
        raise BadFormError("from")
    lines = lag(services.database, services.supervision.payees, [first + ahead for ahead in range(last - first + 1)])
    return render(
        request,
        "supervision_lag.html",
        first=first,
        last=last,
        spans=[(span, visit.pick(SPAN_LABELS[span])) for span in Span],
        rows=[_lag_row(visit, one) for one in lines if one.deaths],
    )


def _month(request: StaffRequest, name: str, otherwise: Month) -> Month:
    text = request.query_params.get(name, "")
    try:
        return Month.parse(text) if text else otherwise
    except BadValue as error:
        raise BadFormError(name) from error


def _given(form: Form) -> dict[str, Any]:
    """Read what came with an event.

    Raises:
        BadFormError: it isn't a number, a month or an amount in yuan; naming the field.
    """
    given: dict[str, Any] = {}
    for name, read in _READ.items():
        if text := form.text(name):
            try:
                given[name] = read(text)
            except (BadValue, ValueError) as error:
                raise BadFormError(name) from error
    return given


def _lag_row(visit: Visit, line: LagLine) -> dict[str, Any]:
    return {
        "month": line.month,
        "department": visit.pick(department_label(line.department)) if line.department else visit.say("全部"),
        "deaths": line.deaths,
        "paid": line.paid,
        "unheld": line.unheld,
        "days": {span: line.days[span] for span in line.days},
        "fen": {span: line.fen[span] for span in Span},
        "overpaid": line.overpaid,
    }


def _row(visit: Visit, row: RecoveryRow) -> dict[str, Any]:
    shape, kind = _STATES.get(row.state, ("…", "blue"))
    scheme = code_table("scheme").meaning(row.scheme) if visit.language == "zh" else row.scheme
    return {
        "row": row,
        "recovery_id": row.recovery_id,
        "scheme": scheme,
        "debtor": visit.say(_DEBTORS[row.debtor]),
        "state": Chip(shape, visit.pick(row.state_label), kind),
    }


def _page(visit: Visit, view: RecoveryView, error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    return render(
        visit.request,
        "supervision_recovery.html",
        status=problem.status if problem else 200,
        problem=shown(problem, visit.language) if problem else None,
        view=view,
        one=_row(visit, view.row),
        movements=[(line, visit.pick(line.means.label)) for line in view.movements],
        plan=[{"month": line.month, "means": line.means, "amount": line.amount} for line in view.plan],
        history=[
            {
                "at": line.at,
                "label": visit.pick(line.event_label),
                "to": visit.pick(RECOVERY.states[line.to_state]),
                "by": role_name(line.role, visit.language),
                "note": line.note,
                "law": "",
                "policy": line.policy,
            }
            for line in view.history
        ],
        coming=coming_rows(visit, RECOVERY, view.row.state),
        actions=choice_rows(visit, (one for one in view.may if one.event not in _ON_FILES), _DANGER),
        means=[(one.value, visit.pick(one.label)) for one in _BY_HAND],
    )


supervision_payment_router: Final = Router(
    path="/",
    route_handlers=[payees, find_payee, lists, recoveries, recovery, act, notice, lags],
    include_in_schema=False,
)
