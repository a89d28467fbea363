"""Who is asking, what they may open, and the headers that every answer carries.

Deny by default: a handler says in its `opt` either `public` or the `roles` that may open it; one that says neither
is shut.
"""

from typing import Any, Final

import anyio.to_thread
from litestar import Request
from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders, State
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.types import Message, Scope

from huodang.web.accounts import User
from huodang.web.problems import API_PREFIX, ForbiddenError, NotFoundError, SignInNeededError
from huodang.web.sessions import SessionKind
from huodang.web.settings import SessionRules

SESSION_COOKIE: Final = "huodang_hub_session"
CSRF_COOKIE: Final = "huodang_hub_csrf"
LARGEST_BODY: Final = 256 * 1024

StaffRequest = Request[User, str, State]

_HEADERS: Final = {
    # No inline script or style anywhere, nothing from elsewhere, and nobody may frame a page.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Put the security headers on every answer, errors too, and keep everything but static files out of caches."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers[name] = value
    static = scope["path"].startswith("/static/")
    headers["cache-control"] = "public, max-age=86400" if static else "no-store"


async def refuse_null_bytes(request: Request[Any, Any, Any]) -> None:
    """No address here holds a null byte; looking for a file of such a name would be an error of the system's.

    Raises:
        NotFoundError: there is one in the path.
    """
    if "\0" in request.scope["path"]:
        raise NotFoundError


class SignedIn(AbstractAuthenticationMiddleware):
    """Finds out whose session a request carries: a cookie on pages, a bearer token on the API, never crosswise."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Look the token up; no or a dead token leaves the user empty, and the guard decides."""
        if connection.url.path.startswith(API_PREFIX):
            scheme, _, token = connection.headers.get("authorization", "").partition(" ")
            kind = SessionKind.API
            token = token.strip() if scheme.lower() == "bearer" else ""
        else:
            kind = SessionKind.PAGE
            token = connection.cookies.get(SESSION_COOKIE, "")
        user: User | None = None
        if token:
            user = await anyio.to_thread.run_sync(connection.app.state.services.accounts.user_of, token, kind)
        return AuthenticationResult(user=user, auth=token)


def guard_by_role(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request through to a handler.

    Raises:
        SignInNeededError: nobody is signed in.
        ForbiddenError: the role isn't among those that the handler names, or it names none.
    """
    if handler.opt.get("public"):
        return
    user: User | None = connection.scope.get("user")
    if user is None:
        raise SignInNeededError
    if user.role not in handler.opt.get("roles", frozenset()):
        raise ForbiddenError


def csrf_config(secret: str, cookie: str, rules: SessionRules) -> CSRFConfig:
    """Double-submit tokens for every form. The API is exempt: it takes no cookie, so no page elsewhere can use it."""
    return CSRFConfig(
        secret=secret,
        cookie_name=cookie,
        cookie_httponly=True,
        cookie_samesite="strict",
        cookie_secure=rules.secure_cookies,
        exclude=[f"^{API_PREFIX}"],
    )


def sign_in_limit(rules: SessionRules) -> RateLimitConfig:
    """So many sign-ins a minute from one address; looking at the page is free."""
    return RateLimitConfig(
        rate_limit=("minute", rules.sign_in_per_minute),
        check_throttle_handler=lambda request: request.method == "POST",
        set_rate_limit_headers=False,
    )


def user_limit(rules: SessionRules) -> list[DefineMiddleware]:
    """So many requests a minute from one user, over all addresses of the API together; none where the rule is 0.

    Counted in the memory of this process: a hub of several nodes lets through as many times more.
    """
    if not rules.requests_per_minute:
        return []
    limit = RateLimitConfig(
        rate_limit=("minute", rules.requests_per_minute),
        identifier_for_request=lambda request: f"user {request.user.user_id}",
        check_throttle_handler=_is_signed_in,
    )
    return [limit.middleware]


async def _is_signed_in(request: Request[Any, Any, Any]) -> bool:
    return request.scope.get("user") is not None


def session_cookie(name: str, token: str, rules: SessionRules) -> Cookie:
    """The cookie that carries a session's token until the browser is closed."""
    return Cookie(key=name, value=token, httponly=True, samesite="lax", secure=rules.secure_cookies)


def no_cookie(name: str) -> Cookie:
    """What takes a cookie away again."""
    return Cookie(key=name, value="", max_age=0, httponly=True, samesite="lax")
