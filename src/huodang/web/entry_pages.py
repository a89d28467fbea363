"""The way in and out of the workbench: sign in, sign out, change the password, choose the language."""

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from huodang.web.accounts import SignInRefusedError, User
from huodang.web.forms import Form, FormData
from huodang.web.language_page import choose_language
from huodang.web.lockout import LockedOutError
from huodang.web.menu import menu_of
from huodang.web.pages import language_of, own_path, render, see_other
from huodang.web.passwords import WeakPasswordError
from huodang.web.problems import problem_of, shown
from huodang.web.roles import STAFF_ROLES
from huodang.web.security import SESSION_COOKIE, StaffRequest, no_cookie, session_cookie, sign_in_limit
from huodang.web.services import Services
from huodang.web.sessions import SessionKind
from huodang.web.settings import SessionRules


@get("/", opt={"roles": STAFF_ROLES}, sync_to_thread=False)
def home(request: StaffRequest) -> Redirect:
    """Send a person to the first page of their menu."""
    return see_other(menu_of(request.user.role)[0].path)


@get("/sign-in", opt={"public": True}, sync_to_thread=True)
def sign_in_page(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the form."""
    return _sign_in_form(
        request,
        next_path=own_path(request.query_params.get("next")),
        changed=request.query_params.get("changed") == "yes",
    )


@post("/sign-in", opt={"public": True}, sync_to_thread=True)
def sign_in(request: Request[Any, Any, Any], data: FormData, services: NamedDependency[Services]) -> Response[Any]:
    """Check account and password and open a session."""
    form = Form(data)
    next_path = own_path(form.text("next"))
    try:
        token, user = services.accounts.sign_in(form.text("user"), form.secret("password"), SessionKind.PAGE)
    except (SignInRefusedError, LockedOutError) as error:
        return _sign_in_form(request, next_path=next_path, error=error, typed_user=form.text("user"))
    target = menu_of(user.role)[0].path if next_path == "/" else next_path
    answer = see_other(target)
    answer.cookies.append(session_cookie(SESSION_COOKIE, token, services.settings.sessions))
    return answer


@post("/sign-out", opt={"roles": STAFF_ROLES}, sync_to_thread=True)
def sign_out(request: StaffRequest, services: NamedDependency[Services]) -> Redirect:
    """End the session, here and on the server."""
    services.accounts.sign_out(request.auth)
    answer = see_other("/sign-in")
    answer.cookies.append(no_cookie(SESSION_COOKIE))
    return answer


@get("/password", opt={"roles": STAFF_ROLES}, sync_to_thread=True)
def password_page(request: StaffRequest) -> Response[str]:
    """Show the form for a new password."""
    return render(request, "password.html", problem=None)


@post("/password", opt={"roles": STAFF_ROLES}, sync_to_thread=True)
def change_password(request: StaffRequest, data: FormData, services: NamedDependency[Services]) -> Response[Any]:
    """Take a new password; all sessions of the account end."""
    form = Form(data)
    user: User = request.user
    try:
        services.accounts.change_password(user, form.secret("old"), form.secret("new"))
    except (SignInRefusedError, LockedOutError, WeakPasswordError) as error:
        problem = problem_of(error)
        return render(request, "password.html", status=problem.status, problem=shown(problem, language_of(request)))
    answer = see_other("/sign-in?changed=yes")
    answer.cookies.append(no_cookie(SESSION_COOKIE))
    return answer


def _sign_in_form(
    request: Request[Any, Any, Any],
    *,
    next_path: str,
    error: Exception | None = None,
    typed_user: str = "",
    changed: bool = False,
) -> Response[str]:
    problem = problem_of(error) if error else None
    return render(
        request,
        "sign_in.html",
        status=problem.status if problem else 200,
        next=next_path,
        typed_user=typed_user,
        changed=changed,
        problem=shown(problem, language_of(request)) if problem else None,
    )


def entry_router(rules: SessionRules) -> Router:
    """The routes of this module; signing in is limited to so many tries a minute."""
    limited = Router(path="/", route_handlers=[sign_in_page, sign_in], middleware=[sign_in_limit(rules).middleware])
    return Router(
        path="/",
        route_handlers=[home, limited, sign_out, password_page, change_password, choose_language],
        include_in_schema=False,
    )
