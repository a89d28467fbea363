"""The workbench's main pages: the queue, one case with its buttons, its papers, and receipts."""

from typing import Annotated, Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath, QueryParameter

from huodang.exchange import VERDICT, evidence_of_case
from huodang.retirement import STATE_LABELS, CaseView, State
from huodang.standards import HuodangError
from huodang.web.case_page import case_page, papers, queue_rows
from huodang.web.forms import Form, FormData
from huodang.web.pages import language_of, render, see_other
from huodang.web.problems import NotFoundError, problem_of, shown
from huodang.web.roles import AUDIT_ROLES, CASE_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_CASES: Final = {"roles": CASE_ROLES}
_LISTED: Final = 200


@get("/queue", opt={"roles": CASE_ROLES}, sync_to_thread=True)
def queue(
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[str | None, QueryParameter(name="state")] = None,  # Litestar keeps `state` for itself
) -> Response[str]:
    """The cases that wait for this role, or those of one state."""
    language = language_of(request)
    if wanted is not None and wanted not in set(State):
        raise NotFoundError
    actor = request.user.actor
    rows = services.office.queue(actor, state=wanted, limit=_LISTED)
    counts = services.office.counts(actor)
    part = request.headers.get("hx-request") == "true"
    return render(
        request,
        "queue_body.html" if part else "queue.html",
        rows=queue_rows(rows, language),
        state=wanted,
        states=[
            {"code": one.value, "label": STATE_LABELS[one][1 if language == "en" else 0], "count": counts[one]}
            for one in State
            if counts.get(one)
        ],
        full=len(rows) >= _LISTED,
    )


@get("/cases/{case_id:str}", opt=_CASES, sync_to_thread=True)
def view(request: StaffRequest, services: NamedDependency[Services], case_id: FromPath[str]) -> Response[str]:
    """One case."""
    return _case(request, services, services.office.view(request.user.actor, case_id))


@post("/cases/{case_id:str}/events", opt=_CASES, sync_to_thread=True)
def act(
    request: StaffRequest, services: NamedDependency[Services], case_id: FromPath[str], data: FormData
) -> Response[Any]:
    """Move a case by one event: with htmx the case is shown in place, without it the page is opened anew."""
    form = Form(data)
    part = request.headers.get("hx-request") == "true"
    try:
        moved = services.office.act(
            request.user.actor, case_id, form.text("event"), note=form.text("note"), data=event_data(form)
        )
    except HuodangError as error:
        stands = services.office.view(request.user.actor, case_id)
        return _case(request, services, stands, error=error, part=part)
    return _case(request, services, moved, part=True) if part else see_other(f"/cases/{case_id}")


@get("/cases/{case_id:str}/papers", opt=_CASES, sync_to_thread=True)
def papers_page(request: StaffRequest, services: NamedDependency[Services], case_id: FromPath[str]) -> Response[str]:
    """The papers that the applicant did not bring, to be printed and handed over."""
    seen = services.office.view(request.user.actor, case_id)
    if seen.materials is None:
        raise NotFoundError
    return render(
        request,
        "papers.html",
        papers=papers(seen.materials),
        name=seen.person.get("name", ""),
        case_id=case_id,
        printed_at=services.clock.now(),
    )


@get("/receipts/{entry_id:str}", opt={"roles": CASE_ROLES | AUDIT_ROLES}, sync_to_thread=True)
def receipt(services: NamedDependency[Services], entry_id: FromPath[str]) -> Response[bytes]:
    """One receipt as a file. It holds codes and digests, no personal data."""
    return Response(
        content=services.ledger.receipt(entry_id).to_json().encode("utf-8"),
        media_type=MediaType.JSON,
        headers={"content-disposition": 'attachment; filename="huodang-receipt.json"'},
    )


def event_data(form: Form) -> dict[str, Any]:
    """What an event needs, out of the fields of its form."""
    data: dict[str, Any] = {}
    if form.text("evidence"):
        data["evidence"] = form.text("evidence")
    papers_named = [line.strip() for line in form.text("papers").splitlines() if line.strip()]
    if papers_named:
        data["papers"] = papers_named
    # The list's choices are `check:police.alive`, `item:housing_fund.seal`, or `alive:dead` for a finding.
    subject, _, finding = form.text("target").partition(":")
    if subject in {"check", "item"}:
        data[subject] = finding
    elif subject:
        data |= {"subject": subject, "finding": finding or form.text("finding_date")}
    return data


def _case(
    request: StaffRequest,
    services: Services,
    seen: CaseView,
    *,
    error: HuodangError | None = None,
    part: bool = False,
) -> Response[str]:
    language = language_of(request)
    problem = problem_of(error) if error else None
    evidence = evidence_of_case(services.database, seen.case_id)
    verdicts = {key: one.entry_id for one in evidence if one.kind == VERDICT for key in (one.grant_id, one.resource)}
    page = case_page(
        seen,
        verdicts,
        services.looks.of_case(seen.case_id),
        language,
    )
    # htmx leaves the page as it is on an error status, and the sentence must be seen.
    status = problem.status if problem and not part else 200
    return render(
        request,
        "case_body.html" if part else "case.html",
        status=status,
        page=page,
        problem=shown(problem, language) if problem else None,
    )


workbench_router: Final = Router(
    path="/",
    route_handlers=[queue, view, act, papers_page, receipt],
    include_in_schema=False,
)
