"""The hub's web application: the JSON API for programs and the workbench for the staff, in one Litestar application."""

import secrets
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.middleware import DefineMiddleware
from litestar.static_files import create_static_files_router
from litestar.stores.memory import MemoryStore

from huodang.exchange.measures import request_metrics
from huodang.exchange.traces import trace_middleware
from huodang.standards import HuodangError
from huodang.store import jobs
from huodang.web.account_pages import account_router
from huodang.web.api import api_router
from huodang.web.api_description import API_SCHEMA_PATH, describe_api
from huodang.web.api_docs import api_docs
from huodang.web.code_pages import code_router
from huodang.web.due_pages import due_router
from huodang.web.entry_pages import entry_router
from huodang.web.exchange_pages import exchange_routers
from huodang.web.intake_pages import intake_router
from huodang.web.measures import metrics, ready
from huodang.web.oversight_pages import oversight_router
from huodang.web.pages import STATIC_FOLDER, here, language_of, render, see_other
from huodang.web.problems import SignInNeededError, problem_json, problem_of, shown, wants_json
from huodang.web.security import (
    CSRF_COOKIE,
    LARGEST_BODY,
    SignedIn,
    add_security_headers,
    csrf_config,
    guard_by_role,
    no_cookie,
    refuse_null_bytes,
)
from huodang.web.services import Services
from huodang.web.supervision_pages import supervision_routers
from huodang.web.workbench import workbench_router


def build_hub(services: Services, *, csrf_secret: str | None = None) -> Litestar:
    """Build the application over the services of one deployment.

    Args:
        services: what the handlers work with.
        csrf_secret: signs the tokens of forms; a fresh one makes open pages stale once.
    """
    rules = services.settings.sessions
    return Litestar(
        route_handlers=[
            create_static_files_router(
                path="/static", directories=[STATIC_FOLDER], opt={"public": True}, include_in_schema=False
            ),
            entry_router(rules),
            workbench_router,
            intake_router,
            due_router,
            code_router,
            oversight_router,
            account_router,
            *exchange_routers,
            *supervision_routers,
            api_router(rules),
            api_docs,
            health,
            metrics,
            ready,
        ],
        dependencies={"services": Provide(_services, sync_to_thread=False)},
        middleware=[
            request_metrics("hub"),
            *trace_middleware("hub"),
            DefineMiddleware(
                SignedIn, exclude=["^/static/", "^/health$", "^/metrics$", "^/ready$", f"^{API_SCHEMA_PATH}"]
            ),
        ],
        guards=[guard_by_role],
        csrf_config=csrf_config(csrf_secret or secrets.token_hex(32), CSRF_COOKIE, rules),
        exception_handlers={
            HuodangError: answer_error,
            HTTPException: answer_error,
            Exception: answer_error,
        },
        before_request=refuse_null_bytes,
        before_send=[add_security_headers],
        openapi_config=describe_api(),
        request_max_body_size=LARGEST_BODY,
        stores={"rate_limit": MemoryStore()},
        state=State({"services": services, "session_rules": rules}),
        logging_config=None,
        debug=False,
    )


@get("/health", opt={"public": True}, sync_to_thread=True, summary="健康检查 / Whether the hub works")
def health(services: NamedDependency[Services]) -> dict[str, Any]:
    """Whether the hub works, and what it still has to do; nothing about anybody."""
    with services.database.read() as connection:
        due = jobs.pending(connection, services.clock.now())
    checkpoint = services.ledger.latest_checkpoint()
    return {
        "status": "ok",
        "jobs_due": due,
        "ledger_size": checkpoint.size if checkpoint else 0,
        "ledger_pending": services.ledger.pending(),
    }


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer any error: as problem+json on the API, else as a page, or with the way to sign in."""
    if wants_json(request):
        return problem_json(problem_of(error))
    if isinstance(error, SignInNeededError):
        back = here(request)
        return see_other(f"/sign-in?next={back}" if back else "/sign-in")
    problem = problem_of(error)
    words = shown(problem, language_of(request))
    answer = render(request, "problem.html", status=problem.status, code=problem.code, problem=words)
    if isinstance(error, PermissionDeniedException):
        # A token that another start of this process signed would stay wrong for ever: let the browser fetch a new one.
        answer.cookies.append(no_cookie(CSRF_COOKIE))
    return answer


def _services(state: State) -> Services:
    services: Services = state.services
    return services
