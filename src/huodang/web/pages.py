"""Pages: templates, the language of a request, and the formats in which things are shown."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from litestar.template.base import csrf_token

from huodang import __version__
from huodang.standards import Money, Month
from huodang.store import SystemClock, to_shanghai
from huodang.web.language import known_language, translate
from huodang.web.menu import exchange_menu_of, menu_of, supervision_menu_of
from huodang.web.roles import ROLE_NAMES

STATIC_FOLDER: Final = Path(__file__).parent / "static"
HTMX_FILE: Final = "vendor/htmx-2.0.11.min.js"
LANGUAGE_COOKIE: Final = "huodang_language"
_A_YEAR: Final = 365 * 24 * 3600


def language_of(request: Request[Any, Any, Any]) -> str:
    """The language that the browser's cookie asks for; Chinese unless told otherwise."""
    return known_language(request.cookies.get(LANGUAGE_COOKIE))


def translator(request: Request[Any, Any, Any]) -> Callable[..., str]:
    """A `_` for one request's language."""
    language = language_of(request)
    return lambda chinese, **values: translate(chinese, language, **values)


def render(
    request: Request[Any, Any, Any],
    template: str,
    *,
    status: int = HTTP_200_OK,
    headers: dict[str, str] | None = None,
    **values: object,
) -> Response[str]:
    """Render one template for a request; every value is escaped by the template engine."""
    language = language_of(request)
    user = request.scope.get("user")
    text = (
        environment()
        .get_template(template)
        .render(
            {
                "language": language,
                "user": user,
                "password_is_old": user is not None and user.password_is_old(SystemClock().now()),
                "path": request.url.path,
                "here": here(request),
                "csrf": csrf_token({"request": request}),
                "htmx_file": HTMX_FILE,
                "version": __version__,
                **values,
            }
        )
    )
    return Response(content=text, status_code=status, media_type=MediaType.HTML, headers=headers)


def see_other(path: str) -> Redirect:
    """Send the browser on after a form was taken, so that a reload doesn't send the form again."""
    return Redirect(path=path, status_code=HTTP_303_SEE_OTHER)


def here(request: Request[Any, Any, Any]) -> str:
    """The page's own address, quoted, to come back to; only for pages that can be fetched again."""
    if request.method != "GET":
        return ""
    query = request.url.query
    return quote(request.url.path + (f"?{query}" if query else ""), safe="")


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """The wanted address when it is a path of this site, else the other one: no page sends people elsewhere."""
    if (
        not wanted
        or not wanted.startswith("/")
        or wanted.startswith("//")
        or "\\" in wanted
        or not wanted.isprintable()
    ):
        return otherwise
    return wanted


def language_cookie(language: str, *, secure: bool) -> Cookie:
    """The cookie that keeps the language."""
    return Cookie(
        key=LANGUAGE_COOKIE,
        value=known_language(language),
        max_age=_A_YEAR,
        httponly=True,
        samesite="lax",
        secure=secure,
    )


@cache
def environment() -> Environment:
    """The template engine: everything is escaped, an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("huodang.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["_"] = _say
    made.globals["pick"] = _pick
    made.globals["menu"] = menu_of
    made.globals["exchange_menu"] = exchange_menu_of
    made.globals["supervision_menu"] = supervision_menu_of
    made.globals["role_names"] = ROLE_NAMES
    made.filters.update({"day": _day, "moment": _moment, "yuan": _yuan, "month": _month})
    return made


@pass_context
def _say(context: Context, chinese: str, **values: object) -> str:
    return translate(chinese, str(context["language"]), **values)


@pass_context
def _pick(context: Context, chinese: str, english: str) -> str:
    """Of a label that a room hands out in both languages, the one to show."""
    return english if context["language"] == "en" and english else chinese


def _day(value: date | None) -> str:
    if value is None:
        return "—"
    return (to_shanghai(value).date() if isinstance(value, datetime) else value).isoformat()


def _moment(value: datetime | None) -> str:
    return "—" if value is None else to_shanghai(value).strftime("%Y-%m-%d %H:%M")


def _yuan(value: Money | int | None) -> str:
    """Money in yuan with two decimals and groups of three digits; `None` is a dash."""
    if value is None:
        return "—"
    fen = value.fen if isinstance(value, Money) else value
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _month(value: Month | None) -> str:
    return "—" if value is None else value.iso
