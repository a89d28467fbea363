"""The OpenAPI 3.1 description of the JSON API, in a form that any reader of JSON Schema takes."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.status_codes import HTTP_429_TOO_MANY_REQUESTS
from msgspec.inspect import is_struct_type

from huodang import __version__
from huodang.web.idempotency_door import LONGEST_KEY, takes_key
from huodang.web.problems import API_PREFIX, PROBLEM_JSON

API_SCHEMA_PATH: Final = "/api/schema"
API_DOCS_PATH: Final = "/api/docs"

_DESCRIPTION: Final = (
    "退休一件事联办、部门间数据共享和稽核的接口。The API of the joint retirement case, of the "
    "exchange between departments and of supervision.\n\n"
    "登录得到令牌，以 `Authorization: Bearer` 发送；角色能做什么由策略决定。Sign in for a token and send it as a "
    "bearer token; what a role may do is decided by policy, every time.\n\n"
    "金额以分计，月份写作 YYYYMM，时刻为 UTC。Money is in fen, months are YYYYMM, instants are UTC.\n\n"
    "错误为 RFC 9457 problem+json，带稳定的 code、中英文说明和有关数据元，从不引用所提交的内容。Errors are RFC 9457 "
    "problems with a stable code, a sentence in both languages and the element concerned; they never quote what was "
    "sent."
)


class ProblemShape(msgspec.Struct):
    """An error (RFC 9457), with its code and its sentence in both languages. It never quotes what was sent."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    chinese: str
    english: str
    advice_chinese: str
    advice_english: str
    element: str | None
    incident: str | None


_PROBLEMS: Final = {
    400: "请求的形状不对 / not shaped as it must be",
    401: "未登录或会话已结束 / nobody is signed in, or the session has ended",
    403: "没有策略或角色允许 / neither role nor policy permits it",
    404: "没有找到，或不是您的 / not found, or not yours",
    409: "与当前状态冲突 / conflicts with the present state",
    413: "请求体过大 / the body is too large",
    415: "请求体不是 JSON / the body isn't JSON",
    422: "内容不成立，错误指明数据元 / what was said doesn't hold; the error names the element",
    429: "尝试过于频繁 / too many tries",
    503: "暂时办不到，请稍后再试 / can't be done now: try again later",
}
"""By status, what any request to the API may be answered with."""


_FIRST_PROBLEM: Final = "400"
_UNDER_WAY: Final = "409"
_KEPT_PROBLEMS: Final = frozenset({"404", "409", "422"})
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "幂等键：24 小时内同一用户、同一地址、同一键、同一内容只办一次，重发得到原来的答复；"
        "换了内容是 422，仍在办理是 409。Done once: the same user, address, key and body within 24 hours get the first "
        "answer again; another body is a 422, and while the first is under way a 409 with Retry-After."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
_WAIT: Final = {"Retry-After": {"description": "几秒后再试 / seconds to wait", "schema": {"type": "integer"}}}
_REPLAYED: Final = {
    "Idempotency-Replayed": {
        "description": "true：原答复重发 / the first answer, given again",
        "schema": {"type": "string", "const": "true"},
    },
}


class _StandardRenderer(JsonRenderPlugin):
    """Renders the description with the errors that any request may be answered with, and patterns as readers expect."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, _completed(openapi_schema, request.app))


def describe_api() -> OpenAPIConfig:
    """Say how the description is made and where it is served."""
    return OpenAPIConfig(
        title="活档 Huodang",
        version=__version__,
        description=_DESCRIPTION,
        use_handler_docstrings=True,
        render_plugins=[_StandardRenderer()],
        openapi_router=Router(path=API_SCHEMA_PATH, route_handlers=[], opt={"public": True}, include_in_schema=False),
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"bearer": []}],
    )


def description_of(application: Litestar) -> dict[str, Any]:
    """Give the description of an application, as `/api/schema` serves it."""
    schema: dict[str, Any] = _completed(application.openapi_schema.to_schema(), application)
    return schema


def _completed(schema: Mapping[str, Any], application: Litestar) -> dict[str, Any]:
    """Give bodies their exact shape, and every operation of the API the errors that it may be answered with."""
    _, shapes = msgspec.json.schema_components(
        [ProblemShape, *_bodies(application)], ref_template="#/components/schemas/{name}"
    )
    shapes["Problem"] = shapes.pop("ProblemShape")
    components = dict(schema["components"])
    components["schemas"] = {**components["schemas"], **shapes}
    made: dict[str, Any] = _standard({**schema, "components": components})
    problems = {
        str(status): {
            "description": text,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": _WAIT} if status == HTTP_429_TOO_MANY_REQUESTS else {}),
        }
        for status, text in _PROBLEMS.items()
    }
    public, once = _public(application), _once(application)
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if (path, method.upper()) in public:
                operation["security"] = []
            if path.startswith(API_PREFIX):
                operation["responses"] |= problems
            if (path, method.upper()) in once:
                _describe_key(operation)
    return made


def _describe_key(operation: dict[str, Any]) -> None:
    """Say of an operation that it is done once for a key."""
    operation["parameters"] = [*operation.get("parameters", ()), _KEY]
    for status, answer in operation["responses"].items():
        if status < _FIRST_PROBLEM or status in _KEPT_PROBLEMS:
            # A problem is the same object for every operation: what differs is written into a copy.
            headers = {**answer.get("headers", {}), **_REPLAYED, **(_WAIT if status == _UNDER_WAY else {})}
            operation["responses"][status] = {**answer, "headers": headers}


def _once(application: Litestar) -> set[tuple[str, str]]:
    """What is done once for an `Idempotency-Key`, by path and method."""
    return {
        (route.path_format, "POST")
        for route in application.routes
        if route.path.startswith(API_PREFIX)
        for handler in getattr(route, "route_handlers", ())
        if takes_key(handler)
    }


def _public(application: Litestar) -> set[tuple[str, str]]:
    """What is open to anybody, by path and method."""
    return {
        (route.path_format, method)
        for route in application.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.opt.get("public")
        for method in handler.http_methods
    }


def _bodies(application: Litestar) -> list[type[Any]]:
    """The structs that bodies are read into: their own description knows every bound that reading them keeps."""
    fields = [
        handler.parsed_data_field
        for route in application.routes
        if route.path.startswith(API_PREFIX)
        for handler in getattr(route, "route_handlers", ())
    ]
    kinds = {one.annotation for one in fields if one is not None}
    return sorted((one for one in kinds if is_struct_type(one)), key=lambda one: str(one.__name__))


def _standard(value: Any) -> Any:  # noqa: ANN401  (whatever JSON can hold)
    """Write what Python has its own way of saying as JSON Schema says it: the end of a text, a tuple of any length."""
    if isinstance(value, dict):
        if {} in value.get("oneOf", ()):
            return _standard(value["oneOf"][0])
        return {
            key: one.replace(r"\Z", "$") if key == "pattern" and isinstance(one, str) else _standard(one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_standard(one) for one in value]
    return value
