"""What every request to the API has to be before a handler sees it.

A body is one JSON value that no two readers could understand differently: a repeated key, half a character, a null
character or a number beyond all measure is refused here, so that no room behind has to think of it.
"""

import json
import math
from functools import cache
from typing import Any, ClassVar, Final

from litestar import Request
from litestar.handlers.base import BaseRouteHandler

from huodang.standards import HuodangError, Place
from huodang.web.problems import BadFormError
from huodang.web.security import refuse_null_bytes

_JSON: Final = "application/json"
_NULL: Final = "\0"


class WrongMediaTypeError(HuodangError):
    """A body came that isn't declared as JSON."""

    code: ClassVar[str] = "web.media_type"

    def __init__(self) -> None:
        super().__init__(
            "请求体必须是 JSON",
            "The body has to be JSON",
            advice_chinese="请在请求头写明 Content-Type: application/json",
            advice_english="Say Content-Type: application/json in the header",
            place=Place(element="content-type"),
        )


async def check_body(request: Request[Any, Any, Any]) -> None:
    """Refuse what isn't one unambiguous JSON value, and null characters anywhere; handlers may take it from there.

    Raises:
        NotFoundError: the address holds a null character.
        WrongMediaTypeError: there is a body that isn't declared as JSON.
        BadFormError: the body isn't strict JSON, or a parameter is unknown or holds a null character.
    """
    await refuse_null_bytes(request)
    known = _parameters(request.route_handler)
    if any(_NULL in value or key not in known for key, value in request.query_params.multi_items()):
        raise BadFormError  # a filter that was misspelt must not show more than was asked for
    if request.method not in {"POST", "PUT", "PATCH"}:
        return
    body = await request.body()
    if not body:
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise WrongMediaTypeError
    read_strict(body)


@cache
def _parameters(handler: BaseRouteHandler) -> frozenset[str]:
    """The names that a handler reads from the query, and those of its path."""
    fields = handler.parsed_fn_signature.parameters
    named = (getattr(field.kwarg_definition, "name", None) or name for name, field in fields.items())
    return frozenset(named)


def read_strict(body: bytes) -> Any:  # noqa: ANN401  (whatever JSON can hold)
    """Read a body as JSON that has one meaning only.

    Raises:
        BadFormError: it isn't UTF-8 or JSON, repeats a key, nests beyond reading, or holds half a character, a null
            character or a number that no reader would take as it stands.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)
        if "\\u" in text:  # an escape may spell what text itself can't
            written = json.dumps(value, ensure_ascii=False)
            written.encode("utf-8")
            if "\\u0000" in written.replace("\\\\", ""):
                raise BadFormError
    except (UnicodeError, RecursionError, ValueError):
        raise BadFormError from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadFormError
    return made


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadFormError
    return value


def _refuse(_text: str) -> Any:  # noqa: ANN401  (never returns)
    raise BadFormError
