"""The citizen's portal: an application without a database, without data, and without a connection to the hub.

Every page is a question that goes over the ferry (网闸) and an answer that comes back; meanwhile the visitor sees a
page that waits. Nothing is kept but the visit in this process's memory.
"""

import secrets
from typing import Any, Final
from urllib.parse import quote

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.status_codes import HTTP_204_NO_CONTENT, HTTP_504_GATEWAY_TIMEOUT
from litestar.stores.memory import MemoryStore

from huodang.standards import HuodangError
from huodang.web.citizen_messages import Action
from huodang.web.language_page import choose_language
from huodang.web.pages import STATIC_FOLDER, language_of, see_other
from huodang.web.portal_door import door_router, sign_out
from huodang.web.portal_line import PortalLine
from huodang.web.portal_sessions import Visits
from huodang.web.portal_talk import PORTAL_COOKIE, PortalRequest, Talk, portal_page, refusal_page
from huodang.web.portal_works import act, act_done, apply_done, apply_page, send_application
from huodang.web.problems import NotFoundError, SignInNeededError, problem_json, problem_of, shown, wants_json
from huodang.web.security import LARGEST_BODY, add_security_headers, csrf_config, no_cookie, refuse_null_bytes
from huodang.web.settings import PortalSettings

PORTAL_CSRF_COOKIE: Final = "huodang_portal_csrf"


def build_portal(settings: PortalSettings, line: PortalLine, visits: Visits | None = None) -> Litestar:
    """Build the portal over its end of the ferry."""
    rules = settings.sessions
    return Litestar(
        route_handlers=[
            create_static_files_router(path="/static", directories=[STATIC_FOLDER]),
            Router(path="/", route_handlers=[start, door_router(rules), sign_out, wait, choose_language, health]),
            Router(path="/", route_handlers=[apply_page, send_application, apply_done, act, act_done]),
            Router(path="/", route_handlers=[progress, papers, looks, notices, receipt]),
        ],
        dependencies={"talk": Provide(Talk, sync_to_thread=False)},
        csrf_config=csrf_config(secrets.token_hex(32), PORTAL_CSRF_COOKIE, rules),
        exception_handlers={HuodangError: answer_error, HTTPException: answer_error, Exception: answer_error},
        before_request=refuse_null_bytes,
        before_send=[add_security_headers],
        openapi_config=None,
        request_max_body_size=LARGEST_BODY,
        stores={"rate_limit": MemoryStore()},
        state=State(
            {
                "line": line,
                "visits": visits or Visits(rules),
                "session_rules": rules,
                "answer_within": settings.answer_within_seconds,
            }
        ),
        logging_config=None,
        debug=False,
    )


@get("/", sync_to_thread=False)
def start(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[str]:
    """The five things that one can do here."""
    return portal_page(request, talk, "portal_start.html")


@get("/health", sync_to_thread=False)
def health() -> dict[str, str]:
    """Whether the process answers; nothing about anybody."""
    return {"status": "ok"}


@get("/wait/{request_id:str}", sync_to_thread=True)
def wait(request: PortalRequest, talk: NamedDependency[Talk], request_id: FromPath[str]) -> Response[Any]:
    """The page that waits; asked by htmx it says only whether to wait on or where to go."""
    by_htmx = request.headers.get("hx-request") == "true"
    try:
        then, late = talk.look(request_id)
    except NotFoundError:
        then, late = "/", False
    if then is not None:
        return _go(then) if by_htmx else see_other(then)
    if not late:
        if by_htmx:
            return Response(content=None, status_code=HTTP_204_NO_CONTENT)
        return portal_page(request, talk, "portal_wait.html", request_id=request_id)
    if by_htmx:
        return _go(f"/wait/{request_id}")
    talk.give_up(request_id)
    return portal_page(request, talk, "portal_late.html", status=HTTP_504_GATEWAY_TIMEOUT)


@get("/progress", sync_to_thread=True)
def progress(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """How far the case is, whose turn it is, and by when."""
    return _asked_page(request, talk, Action.CASE, "/progress", "portal_progress.html")


@get("/papers", sync_to_thread=True)
def papers(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """The papers that needn't be brought, with what took their place; made to be printed."""
    return _asked_page(request, talk, Action.CASE, "/papers", "portal_papers.html")


@get("/looks", sync_to_thread=True)
def looks(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """Who looked at the visitor's data."""
    return _asked_page(request, talk, Action.LOOKS, "/looks", "portal_looks.html")


@get("/notices", sync_to_thread=True)
def notices(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """What was written to the visitor about payments, and what certifies them."""
    return _asked_page(request, talk, Action.NOTICES, "/notices", "portal_notices.html")


@get("/receipts/{entry_id:str}", sync_to_thread=True)
def receipt(request: PortalRequest, talk: NamedDependency[Talk], entry_id: FromPath[str]) -> Response[Any]:
    """One receipt as a file that can be verified without the platform."""
    visit = talk.visitor
    answer = talk.fetch(visit, Action.RECEIPT, f"/receipts/{quote(entry_id, safe='')}", {"entry_id": entry_id})
    if isinstance(answer, Redirect):
        return answer
    if answer.refusal is not None:
        return refusal_page(request, talk, answer.refusal, "/looks")
    return Response(
        content=str(answer.body["receipt"]).encode("utf-8"),
        media_type="application/json",
        headers={"content-disposition": 'attachment; filename="huodang-receipt.json"'},
    )


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer any error with a page, or with the way to sign in."""
    if wants_json(request):
        return problem_json(problem_of(error))
    if isinstance(error, SignInNeededError):
        back = quote(request.url.path, safe="") if request.method == "GET" else ""
        return see_other(f"/sign-in?next={back}" if back else "/sign-in")
    problem = problem_of(error)
    answer = portal_page(
        request,
        Talk(request),
        "portal_problem.html",
        status=problem.status,
        problem=shown(problem, language_of(request)),
        code=problem.code,
        retry="",
    )
    if isinstance(error, PermissionDeniedException):
        # The token was signed by an earlier start of this process: let the browser fetch a new one.
        answer.cookies.append(no_cookie(PORTAL_CSRF_COOKIE))
    return answer


def _asked_page(request: PortalRequest, talk: Talk, action: Action, path: str, template: str) -> Response[Any]:
    visit = talk.visitor
    answer = talk.fetch(visit, action, path)
    if isinstance(answer, Redirect):
        return answer
    if answer.refusal is None:
        return portal_page(request, talk, template, answer=answer.body)
    if answer.refusal.code == "web.citizen.ended":
        talk.visits.end(talk.token)
        gone = see_other(f"/sign-in?next={quote(path, safe='')}")
        gone.cookies.append(no_cookie(PORTAL_COOKIE))
        return gone
    return refusal_page(request, talk, answer.refusal, path)


def _go(path: str) -> Response[None]:
    """Tell htmx to open another page."""
    return Response(content=None, status_code=HTTP_204_NO_CONTENT, headers={"hx-redirect": path})
