"""The JSON API of the hub: the same services as the workbench, for programs. OpenAPI 3.1 at `/api/schema`.

Sign in for a token, then send it as a bearer token. No cookie is taken, so no page elsewhere can use somebody's
session. Money is in fen, months are YYYYMM, instants are UTC.
"""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from huodang.retirement import ApplicationForm, State
from huodang.standards import Month
from huodang.web.api_border import check_body
from huodang.web.exchange_api_calls import CALL_HANDLERS
from huodang.web.exchange_api_catalogue import CATALOGUE_HANDLERS
from huodang.web.exchange_api_deliveries import DELIVERY_HANDLERS
from huodang.web.exchange_api_sharing import SHARING_HANDLERS
from huodang.web.idempotency_door import OnceByKey
from huodang.web.plain import plain
from huodang.web.roles import AUDIT_ROLES, CASE_ROLES, DUE_ROLES, INTAKE_ROLES, STAFF_ROLES, SUMMARY_ROLES
from huodang.web.security import StaffRequest, sign_in_limit, user_limit
from huodang.web.services import Services
from huodang.web.sessions import SessionKind
from huodang.web.settings import SessionRules
from huodang.web.summary import summary_of
from huodang.web.supervision_api import SUPERVISION_HANDLERS

Text = Annotated[str, msgspec.Meta(max_length=200)]
_MOST_ROWS: Final = 500


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Account and password."""

    user: Text
    password: Text


class SignedInAs(msgspec.Struct):
    """The token to send as `Authorization: Bearer …`, and who one is."""

    token: str
    role: str
    name: str


class Person(msgspec.Struct, forbid_unknown_fields=True):
    """Whom a prefilled form is wanted for."""

    identity_number: Text
    name: Text


class CaseOpened(msgspec.Struct):
    """The number of a new case."""

    case_id: str


class CaseEvent(msgspec.Struct, forbid_unknown_fields=True):
    """One event of the transition table, with a note and what the event needs."""

    event: Text
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    data: dict[str, Any] = {}


class Prepared(msgspec.Struct):
    """How many forms were prepared."""

    prepared: int


@post(
    "/sign-in",
    opt={"public": True},
    summary="登录 / Sign in",
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    security=[],
)
def sign_in(data: JSONBody[SignIn], services: NamedDependency[Services]) -> SignedInAs:
    """Open a session."""
    token, user = services.accounts.sign_in(data.user, data.password, SessionKind.API)
    return SignedInAs(token=token, role=user.role.value, name=user.name)


@post("/sign-out", opt={"roles": STAFF_ROLES, "takes_key": False}, summary="退出 / Sign out", sync_to_thread=True)
def sign_out(request: StaffRequest, services: NamedDependency[Services]) -> None:
    """End the session."""
    services.accounts.sign_out(request.auth)


@post(
    "/prefill",
    opt={"roles": INTAKE_ROLES, "takes_key": False},
    summary="预填申请 / Prefill a form",
    sync_to_thread=True,
    status_code=HTTP_200_OK,
)
def prefill(request: StaffRequest, data: JSONBody[Person], services: NamedDependency[Services]) -> dict[str, Any]:
    """A form filled from what the departments know, each value with source and time."""
    found: dict[str, Any] = plain(services.office.prefill(request.user.actor, data.identity_number, data.name))
    return found


@post("/cases", opt={"roles": INTAKE_ROLES}, summary="提交申请 / Open a case", sync_to_thread=True)
def open_case(request: StaffRequest, data: JSONBody[dict[str, Any]], services: NamedDependency[Services]) -> CaseOpened:
    """Hand in one application, whole or refused whole."""
    form = ApplicationForm.parse({**data, "applicant_kind": request.user.role.value})
    return CaseOpened(case_id=services.office.submit(request.user.actor, form))


@get("/cases/{case_id:str}", opt={"roles": CASE_ROLES}, summary="查看一件 / View a case", sync_to_thread=True)
def view_case(request: StaffRequest, case_id: FromPath[str], services: NamedDependency[Services]) -> dict[str, Any]:
    """One case, as far as the policies let this user see it."""
    found: dict[str, Any] = plain(services.office.view(request.user.actor, case_id))
    return found


@get("/queue", opt={"roles": CASE_ROLES}, summary="办件清单 / List cases", sync_to_thread=True)
def queue(
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[State | None, QueryParameter(name="state")] = None,  # Litestar keeps `state` for itself
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST_ROWS)] = 100,
) -> dict[str, Any]:
    """Cases that this user may list, most urgent first."""
    rows = services.office.queue(request.user.actor, state=wanted, limit=limit)
    return {"cases": plain(rows)}


@post(
    "/cases/{case_id:str}/events",
    opt={"roles": CASE_ROLES},
    summary="办理一件 / Move a case",
    sync_to_thread=True,
    status_code=HTTP_200_OK,
)
def act(
    request: StaffRequest, case_id: FromPath[str], data: JSONBody[CaseEvent], services: NamedDependency[Services]
) -> dict[str, Any]:
    """Move a case by one event; hands back the case as it is then.

    With the header `Prefer: return=minimal` (RFC 7240) only its number and state: nothing of the person is looked at.
    """
    move = services.office.move if "return=minimal" in request.headers.get("prefer", "") else services.office.act
    moved = move(request.user.actor, case_id, data.event, note=data.note, data=data.data)
    found: dict[str, Any] = {"case_id": case_id, "state": moved} if isinstance(moved, State) else plain(moved)
    return found


@get("/due", opt={"roles": DUE_ROLES}, summary="到龄名单 / Who is due", sync_to_thread=True)
def due(request: StaffRequest, services: NamedDependency[Services], month: FromQuery[str]) -> dict[str, Any]:
    """Who reaches the age in a month (免申即享)."""
    return {"due": plain(services.office.find_due(request.user.actor, Month.parse(month)))}


@post(
    "/due/{month:str}/prepare",
    opt={"roles": DUE_ROLES},
    summary="预备到龄申请 / Prepare forms",
    sync_to_thread=True,
    status_code=HTTP_200_OK,
)
def prepare(request: StaffRequest, month: FromPath[str], services: NamedDependency[Services]) -> Prepared:
    """Prepare the forms of those who reach the age in a month."""
    return Prepared(prepared=services.office.prepare_due(request.user.actor, Month.parse(month)))


@get(
    "/cases/{case_id:str}/receipts",
    opt={"roles": CASE_ROLES},
    summary="一件的回执清单 / Receipts of a case",
    sync_to_thread=True,
)
def receipts(request: StaffRequest, case_id: FromPath[str], services: NamedDependency[Services]) -> dict[str, Any]:
    """The ledger's entries that belong to a case, for which receipts can be had."""
    found = plain(services.office.receipts(request.user.actor, case_id))
    found += [
        {"kind": "look", "what": one.what, "at": plain(one.at), "entry_id": one.entry_id}
        for one in services.looks.of_case(case_id)
    ]
    return {"receipts": plain(sorted(found, key=lambda one: str(one["at"])))}


@get(
    "/receipts/{entry_id:str}",
    opt={"roles": CASE_ROLES | AUDIT_ROLES},
    summary="取回执 / One receipt",
    sync_to_thread=True,
)
def receipt(entry_id: FromPath[str], services: NamedDependency[Services]) -> Response[bytes]:
    """One receipt, as `huodang receipt verify` takes it. It holds codes and digests, no personal data."""
    return Response(content=services.ledger.receipt(entry_id).to_json().encode("utf-8"), media_type=MediaType.JSON)


@get("/summary", opt={"roles": SUMMARY_ROLES}, summary="统计 / Figures", sync_to_thread=True)
def summary(request: StaffRequest, services: NamedDependency[Services]) -> dict[str, Any]:
    """Figures without personal data."""
    found: dict[str, Any] = plain(summary_of(services, request.user.actor))
    return found


def api_router(rules: SessionRules) -> Router:
    """The routes of the API; signing in is limited to so many tries a minute, and each user to so many requests."""
    door = Router(path="/", route_handlers=[sign_in], middleware=[sign_in_limit(rules).middleware])
    works = [sign_out, prefill, open_case, view_case, queue, act, due, prepare, receipts, receipt, summary]
    exchange = [*CATALOGUE_HANDLERS, *SHARING_HANDLERS, *DELIVERY_HANDLERS, *CALL_HANDLERS]
    return Router(
        path="/api/v1",
        route_handlers=[door, *works, *exchange, *SUPERVISION_HANDLERS],
        before_request=check_body,
        middleware=[*user_limit(rules), OnceByKey()],
    )
