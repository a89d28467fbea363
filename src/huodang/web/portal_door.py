"""The way into and out of the portal. The hub checks number, name and access code; the portal only carries them."""

from typing import Any, Final
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.response import Redirect

from huodang.web.citizen_messages import Action
from huodang.web.forms import Form, FormData
from huodang.web.pages import own_path, see_other
from huodang.web.portal_sessions import Visit
from huodang.web.portal_talk import PORTAL_COOKIE, PortalRequest, Talk, portal_page, refusal_shown
from huodang.web.problems import BadFormError
from huodang.web.security import no_cookie, session_cookie
from huodang.web.settings import SessionRules

_LONGEST: Final = 60
_DONE: Final = "/sign-in/done"


@get("/sign-in", sync_to_thread=False)
def sign_in_page(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[str]:
    """Show the form."""
    wanted = own_path(request.query_params.get("next"), "/progress")
    return portal_page(request, talk, "portal_sign_in.html", next=wanted, problem=None)


@post("/sign-in", sync_to_thread=True)
def sign_in(request: PortalRequest, talk: NamedDependency[Talk], data: FormData) -> Redirect:
    """Send number, name and code to the hub, and begin a visit that isn't let in yet."""
    form = Form(data)
    visit = Visit(identity_number=form.text("identity_number"), name=form.text("name"))
    code = form.text("code")
    if max(len(visit.identity_number), len(visit.name), len(code)) > _LONGEST:
        raise BadFormError
    talk.visits.end(talk.token)
    token = talk.visits.begin(visit)
    then = f"{_DONE}?next={quote(own_path(form.text('next'), '/progress'), safe='')}"
    answer = talk.settle(visit, Action.SIGN_IN, then, {"code": code})
    answer.cookies.append(session_cookie(PORTAL_COOKIE, token, request.app.state.session_rules))
    return answer


@get(_DONE, sync_to_thread=False)
def sign_in_done(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """Let the visitor in, or show the form again with what the hub said."""
    wanted = own_path(request.query_params.get("next"), "/progress")
    then = f"{_DONE}?next={quote(wanted, safe='')}"
    visit = talk.visit
    answer = visit.answers.pop(then, None) if visit is not None else None
    if visit is None or answer is None:
        return see_other("/sign-in")
    talk.visits.end(talk.token)
    if answer.refusal is not None:
        page = portal_page(
            request,
            talk,
            "portal_sign_in.html",
            status=401,
            next=wanted,
            problem=refusal_shown(request, answer.refusal),
        )
        page.cookies.append(no_cookie(PORTAL_COOKIE))
        return page
    visit.ticket = str(answer.body["ticket"])
    # A fresh token from here on: one that was known before the visitor was let in is worth nothing.
    token = talk.visits.begin(visit)
    gone = see_other(wanted)
    gone.cookies.append(session_cookie(PORTAL_COOKIE, token, request.app.state.session_rules))
    return gone


@post("/sign-out", sync_to_thread=True)
def sign_out(talk: NamedDependency[Talk]) -> Redirect:
    """End the visit here and at the hub."""
    if talk.visit is not None and talk.visit.signed_in:
        talk.tell(talk.visit, Action.SIGN_OUT)
    talk.visits.end(talk.token)
    answer = see_other("/")
    answer.cookies.append(no_cookie(PORTAL_COOKIE))
    return answer


def door_router(rules: SessionRules) -> Router:
    """The routes of signing in, limited to so many tries a minute."""
    limit = RateLimitConfig(
        rate_limit=("minute", rules.sign_in_per_minute),
        check_throttle_handler=lambda request: request.method == "POST",
        set_rate_limit_headers=False,
    )
    return Router(path="/", route_handlers=[sign_in_page, sign_in, sign_in_done], middleware=[limit.middleware])
