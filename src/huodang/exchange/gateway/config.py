"""The one YAML file of a gateway, read strictly: shape and types here, meaning in `mapping.py` and `actions.py`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml

from huodang.exchange.errors import GatewayConfigError
from huodang.exchange.events.config import EventsSection
from huodang.exchange.gateway.shapes import ElementSpec, Filled, Shape, Title
from huodang.exchange.lots.config import TablesSection
from huodang.exchange.matching.config import MatchesSection
from huodang.exchange.values import Identifier, ResourceName
from huodang.standards import Place


class TlsFiles(Shape, frozen=True, kw_only=True):
    """Certificate and key of this process, and the authority whose certificates it accepts."""

    certificate: Filled
    key: Filled
    authority: Filled


class Listen(Shape, frozen=True, kw_only=True):
    """Where the gateway is reached."""

    host: Filled = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Limits(Shape, frozen=True, kw_only=True):
    """Bounds on what one request may ask."""

    batch: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 256
    body_bytes: Annotated[int, msgspec.Meta(ge=4096, le=64 * 1024 * 1024)] = 4 * 1024 * 1024
    batch_subjects: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10_000
    clock_skew_seconds: Annotated[int, msgspec.Meta(ge=0, le=300)] = 60


class FilesSpec(Shape, frozen=True, kw_only=True):
    """A folder of CSV files."""

    folder: Filled
    encoding: Filled = "auto"
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","


class SourceSpec(Shape, frozen=True, kw_only=True):
    """A database by URL, or files."""

    url: Filled | None = None
    files: FilesSpec | None = None


class AsOfSpec(Shape, frozen=True, kw_only=True):
    """How fresh an answer is."""

    column: Filled | None = None
    format: Filled | None = None
    file_time: bool = False
    now: bool = False


class OrderSpec(Shape, frozen=True, kw_only=True):
    """Which of several rows comes first."""

    column: Filled
    descending: bool = False


class AnswerSpec(Shape, frozen=True, kw_only=True):
    """An outcome with its reason code."""

    outcome: Filled
    reason: Identifier


class OutcomeSpec(Shape, frozen=True, kw_only=True):
    """An answer and its condition."""

    outcome: Filled
    reason: Identifier
    when: Any


class ResourceSpec(Shape, frozen=True, kw_only=True):
    """A check that the gateway offers."""

    resource: ResourceName
    subject: Filled
    elements: dict[Identifier, str | ElementSpec]
    no_row: AnswerSpec
    otherwise: AnswerSpec
    title: Title | None = None
    table: Filled | None = None
    file: Filled | None = None
    take: Filled | None = None
    only: dict[str, str | tuple[str, ...]] = {}
    order: OrderSpec | None = None
    as_of: AsOfSpec | None = None
    required: tuple[Identifier, ...] = ()
    required_claims: tuple[Identifier, ...] = ()
    several_rows: AnswerSpec | None = None
    outcomes: tuple[OutcomeSpec, ...] = ()


class InsertSpec(Shape, frozen=True, kw_only=True):
    """One row that an action writes; `key` names the column of the idempotency key."""

    table: Filled
    values: dict[Filled, str]
    key: Filled | None = None


class ActionSpec(Shape, frozen=True, kw_only=True):
    """Something the gateway can do."""

    resource: ResourceName
    insert: InsertSpec | tuple[InsertSpec, ...]
    title: Title | None = None
    table: Filled | None = None
    subject: Filled | None = None
    require: dict[str, str | tuple[str, ...]] = {}
    not_in_state: Identifier = "not_in_state"
    no_row: Identifier = "no_row"
    rows: Filled = "one"
    set: dict[str, str] = {}
    fields: dict[Identifier, str | ElementSpec] = {}
    required_claims: tuple[Identifier, ...] = ()


class WithinSpec(Shape, frozen=True, kw_only=True):
    """The column of a day, and the parameters with the first and last day of a list."""

    column: Filled
    lower: Identifier
    upper: Identifier
    format: Filled | None = None


class ListSpec(Shape, frozen=True, kw_only=True):
    """Persons that the gateway can list."""

    resource: ResourceName
    table: Filled
    within: WithinSpec
    elements: dict[Identifier, str | ElementSpec]
    title: Title | None = None
    only: dict[str, str | tuple[str, ...]] = {}
    most: Annotated[int, msgspec.Meta(ge=1, le=500)] = 500


class GatewaySpec(Shape, frozen=True, kw_only=True):
    """The whole file."""

    department: Identifier
    name: Title
    database: Filled
    keys: Filled
    trust: Filled
    agreements: Filled
    listen: Listen
    source: SourceSpec
    tls: TlsFiles | None = None
    clock_offset_file: Filled | None = None
    limits: Limits = Limits()
    resources: tuple[ResourceSpec, ...] = ()
    actions: tuple[ActionSpec, ...] = ()
    lists: tuple[ListSpec, ...] = ()
    tables: TablesSection | None = None
    files: dict[str, Any] | None = None  # understood by `huodang.exchange.files`, which builds on this file
    events: EventsSection | None = None
    matches: MatchesSection | None = None


class GatewayFile(Shape, frozen=True, kw_only=True):
    """A gateway's file and where it stands: paths in it are relative to its folder."""

    path: Path
    spec: GatewaySpec

    def beside(self, relative: str) -> Path:
        """Give a path of the file as seen from here."""
        return self.path.parent / relative


_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_gateway_file(path: Path) -> GatewayFile:
    """Read a gateway's file.

    Raises:
        GatewayConfigError: it can't be read, isn't YAML, or isn't shaped as `docs/gateway.md` says.
    """
    place = Place(file=str(path))
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise config_error("文件无法读取", "the file can't be read", place) from problem
    except UnicodeDecodeError as problem:
        raise config_error("文件不是 UTF-8", "the file isn't UTF-8", place) from problem
    except (yaml.YAMLError, RecursionError) as problem:  # the latter: nested deeper than any file of ours
        mark = getattr(problem, "problem_mark", None)
        row = mark.line + 1 if mark is not None else None
        raise config_error("不是有效的 YAML", "this isn't valid YAML", Place(file=str(path), row=row)) from problem
    try:
        return GatewayFile(path=path, spec=msgspec.convert(raw, GatewaySpec))
    except msgspec.ValidationError as problem:
        quoting = '；代码和数字请加引号，例如 "01"' if "got `int`" in str(problem) else ""
        raise config_error(
            f"配置不符合格式：{problem}{quoting}", f"the file isn't shaped as it must be: {problem}", place
        ) from None


def fill_variables(text: str, environment: Mapping[str, str], place: Place) -> str:
    """Put environment variables in the place of `${NAME}`, so that no password stands in a file.

    Raises:
        GatewayConfigError: a variable isn't set.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise config_error(f"环境变量 {match[1]} 没有设置", f"the environment variable {match[1]} isn't set", place)
        return environment[match[1]]

    return _VARIABLE.sub(value, text)


def process_environment() -> Mapping[str, str]:
    """Give the environment of this process."""
    return os.environ


def config_error(chinese: str, english: str, place: Place) -> GatewayConfigError:
    """Make the error of a gateway's file, with where to read on."""
    return GatewayConfigError(
        chinese,
        english,
        advice_chinese="写法见 docs/gateway.md。",
        advice_english="See docs/gateway.md for the format.",
        place=place,
    )
