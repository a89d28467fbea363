"""The interface's documentation, made from its own OpenAPI description: Markdown for `docs/api.md`, a page on a hub."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from litestar import Litestar, Request, Response, get
from litestar.di import Provide
from litestar.stores.memory import MemoryStore

from huodang.web.api import api_router
from huodang.web.api_description import API_DOCS_PATH, API_SCHEMA_PATH, describe_api, description_of
from huodang.web.api_guide import GUIDE
from huodang.web.pages import render
from huodang.web.settings import SessionRules

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_GROUPS: Final = (
    ("/api/v1/catalogue", "共享目录", "The catalogue"),
    ("/api/v1/demands", "供需对接", "Demands"),
    ("/api/v1/agreements", "共享协议", "Agreements"),
    ("/api/v1/revocations", "共享协议", "Agreements"),
    ("/api/v1/acts", "签名办理", "Signed acts"),
    ("/api/v1/corrections", "校核纠错", "Corrections"),
    ("/api/v1/notices", "校核纠错", "Corrections"),
    ("/api/v1/lots", "批次与对账", "Lots"),
    ("/api/v1/rows", "已交换数据", "Delivered rows"),
    ("/api/v1/files", "文件交换", "Files"),
    ("/api/v1/events", "事件", "Events"),
    ("/api/v1/verifications", "接口调用", "Calls"),
    ("/api/v1/gateways", "接口调用", "Calls"),
    ("/api/v1/matches", "可用不可见", "Match only"),
    ("/api/v1/cascade", "级联", "Cascade"),
    ("/api/v1/clues", "疑点", "Clues"),
    ("/api/v1/payees", "在领查询", "Who is paid"),
    ("/api/v1/paylists", "发放清单", "Monthly lists"),
    ("/api/v1/recoveries", "追回", "Recoveries"),
    ("/api/v1/lag", "时滞与多付", "Lag"),
    ("/api/v1/", "联办件与登录", "Cases and sign-in"),
    ("/", "运行", "Operation"),
)


@dataclass(frozen=True)
class Member:
    """A parameter, or a member of a body."""

    name: str
    where: str
    type: str
    needed: bool


@dataclass(frozen=True)
class Operation:
    """One thing that the interface does."""

    method: str
    path: str
    chinese: str
    english: str
    description: str
    members: Sequence[Member]
    answers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Group:
    """Operations that belong together."""

    chinese: str
    english: str
    operations: Sequence[Operation]


@get(API_DOCS_PATH, opt={"public": True}, sync_to_thread=True, include_in_schema=False)
def api_docs(request: Request[Any, Any, Any]) -> Response[str]:
    """The documentation as one page that prints, without anything from elsewhere."""
    schema = description_of(request.app)
    return render(
        request,
        "api_docs.html",
        version=schema["info"]["version"],
        introduction=schema["info"]["description"].split("\n\n"),
        schema_path=API_SCHEMA_PATH,
        groups=groups_of(schema),
        problems=_problems(schema),
    )


def write_api_docs() -> str:
    """Give `docs/api.md`: what each address takes and answers, in the words of the description itself."""
    # The description needs no service: it is the same on every hub.
    application = Litestar(
        [api_router(SessionRules())],
        dependencies={"services": Provide(lambda: None, sync_to_thread=False)},
        openapi_config=describe_api(),
        stores={"rate_limit": MemoryStore()},
    )
    schema = description_of(application)
    return "\n".join(_lines(schema)) + "\n"


def groups_of(schema: Mapping[str, Any]) -> list[Group]:
    """Put the operations of a description into groups, in the order in which people work."""
    found: dict[tuple[str, str], list[Operation]] = {}
    for _prefix, chinese, english in _GROUPS:
        found.setdefault((chinese, english), [])
    for path, item in sorted(schema["paths"].items()):
        group = next((chinese, english) for prefix, chinese, english in _GROUPS if path.startswith(prefix))
        found[group] += [_operation(schema, path, method, item[method]) for method in _METHODS if method in item]
    return [Group(*names, operations) for names, operations in found.items() if operations]


def _lines(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "# 开放接口 / The open interface"
    yield ""
    yield "本页由接口自身的 OpenAPI 3.1 描述生成（`huodang docs api`），机器可读的描述在集控端的"
    yield f"`{API_SCHEMA_PATH}`，可打印的页面在 `{API_DOCS_PATH}`。"
    yield ""
    yield "Made from the interface's own OpenAPI 3.1 description (`huodang docs api`), which a hub serves at"
    yield f"`{API_SCHEMA_PATH}`, and as a page that prints at `{API_DOCS_PATH}`."
    yield ""
    yield schema["info"]["description"]
    for group in groups_of(schema):
        yield ""
        yield f"## {group.chinese} / {group.english}"
        for one in group.operations:
            yield ""
            yield f"### {one.chinese} / {one.english}" if one.english else f"### {one.chinese}"
            yield ""
            yield f"`{one.method} {one.path}`"
            yield ""
            yield one.description
            if one.members:
                yield ""
                yield "| 名称 Name | 位置 In | 类型 Type | 必填 Needed |"
                yield "|---|---|---|---|"
                yield from (
                    f"| `{member.name}` | {member.where} | {member.type} | {'是 yes' if member.needed else ''} |"
                    for member in one.members
                )
            yield ""
            yield "答复 Answers: " + "; ".join(f"{status} {shape}".strip() for status, shape in one.answers)
    yield ""
    yield "## 形状 / Shapes"
    for name, shape in sorted(schema["components"]["schemas"].items()):
        yield ""
        yield f"### {_name(name)}"
        yield ""
        if text := str(shape.get("description", "")).partition("Attributes:")[0].strip():
            yield " ".join(text.split())
            yield ""
        members = list(_members(schema, shape))
        if not members:
            yield _type(shape)
        yield from (f"- `{one.name}`: {one.type}{'，必填 needed' if one.needed else ''}" for one in members)
    yield ""
    yield from GUIDE.splitlines()
    yield ""
    yield "## 错误 / Errors"
    yield ""
    yield "| 状态 Status | 含义 Meaning |"
    yield "|---|---|"
    yield from (f"| {status} | {text} |" for status, text in _problems(schema))


def _problems(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The errors that any operation may be answered with."""
    answers = schema["paths"]["/api/v1/queue"]["get"]["responses"]
    return [(status, answer["description"]) for status, answer in sorted(answers.items()) if status >= "400"]


def _operation(schema: Mapping[str, Any], path: str, method: str, told: Mapping[str, Any]) -> Operation:
    chinese, _, english = str(told.get("summary", "")).partition(" / ")
    members = [
        Member(one["name"], one["in"], _type(one.get("schema", {})), bool(one.get("required")))
        for one in told.get("parameters", ())
    ]
    body = _content(told.get("requestBody", {}))
    if body is not None:
        members += _members(schema, body)
    return Operation(
        method.upper(),
        path,
        chinese,
        english,
        str(told.get("description", "")).strip(),
        members,
        [
            (status, "" if (shape := _content(answer)) is None else _type(shape))
            for status, answer in sorted(told["responses"].items())
            if status < "400"
        ],
    )


def _content(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for media in told.get("content", {}).values():
        shape: Mapping[str, Any] = media.get("schema", {})
        return shape
    return None


def _members(schema: Mapping[str, Any], shape: Mapping[str, Any]) -> Iterator[Member]:
    if "$ref" in shape:
        shape = schema["components"]["schemas"][_name(shape["$ref"])]
    needed = shape.get("required", ())
    for name, one in shape.get("properties", {}).items():
        yield Member(name, "body", _type(one), name in needed)


def _type(shape: Mapping[str, Any]) -> str:
    if "$ref" in shape:
        return _name(shape["$ref"])
    for either in ("oneOf", "anyOf"):
        if either in shape:
            return " 或 or ".join(dict.fromkeys(_type(one) for one in shape[either]))
    if "enum" in shape:
        return ", ".join(f"`{one}`" for one in shape["enum"])
    kind = shape.get("type", "any")
    if kind == "array":
        return f"{_type(shape.get('items', {}))} []"
    if isinstance(kind, list):
        kind = " 或 or ".join(kind)
    return f"{kind} ({shape['format']})" if "format" in shape else str(kind)


def _name(reference: str) -> str:
    return reference.rpartition("/")[2].rpartition("_")[2]
