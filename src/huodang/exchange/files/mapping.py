"""Which column of a delivered file becomes which element: one YAML file a resource (字段映射)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from huodang.exchange.errors import GatewayConfigError
from huodang.exchange.files.errors import FileFormatError, FileMappingError
from huodang.exchange.files.formats import FileFormat, Remark
from huodang.exchange.gateway.shapes import ElementSpec, Filled, Shape
from huodang.exchange.quality import RowPlan, RuleSpec, compile_plan
from huodang.exchange.values import Identifier, ResourceName
from huodang.standards import Place

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class RemovedSpec(Shape, frozen=True, kw_only=True):
    """How a file of changes says that a row is gone: the column, and its values that mean so."""

    column: Filled
    values: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=50)]


class FileMapping(Shape, frozen=True, kw_only=True):
    """The mapping of one resource's files.

    Attributes:
        key: elements that name a row.
        elements: by element its column, as in a gateway's `resources`.
        removed: how changes mark a row as gone; without it a file of changes removes nothing.
        format: how the files are read, where it can't be found from them (fixed width, no heading).
        most_quarantined_percent: with more rows quarantined than this, the delivery is refused whole.
        most_removed_percent: with more of the present rows removed than this, the delivery is refused whole.
    """

    resource: ResourceName
    key: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=16)]
    elements: dict[Identifier, str | ElementSpec]
    required: tuple[Identifier, ...] = ()
    rules: tuple[RuleSpec, ...] = ()
    removed: RemovedSpec | None = None
    format: FileFormat | None = None
    most_quarantined_percent: Percent = 10
    most_removed_percent: Percent = 20


@dataclass(frozen=True)
class ReadMapping:
    """A mapping, understood.

    Attributes:
        columns: every column that is looked at.
    """

    spec: FileMapping
    plan: RowPlan
    columns: frozenset[str]

    def hold_against(self, file_format: FileFormat, place: Place) -> tuple[Remark, ...]:
        """Hold the columns of a file against the mapping; what is new is told.

        Raises:
            FileFormatError: a mapped column isn't there.
        """
        for column, element in self.plan.columns.items():
            if column not in file_format.columns:
                raise _no_column(column, element, file_format, place)
        removed = self.spec.removed
        if removed is not None and removed.column not in file_format.columns:
            raise _no_column(removed.column, None, file_format, place)
        unknown = [column for column in file_format.columns if column not in self.columns]
        if not unknown:
            return ()
        named = "、".join(unknown[:10])
        return (
            Remark(
                "unmapped_columns",
                f"{len(unknown)} 列没有映射，不读取：{named}",
                f"{len(unknown)} columns aren't mapped and aren't read: {named}",
            ),
        )


@dataclass(frozen=True)
class _Beside:
    folder: Path

    def beside(self, relative: str) -> Path:
        return self.folder / relative


def understand_mapping(spec: FileMapping, folder: Path, place: Place) -> ReadMapping:
    """Hold a mapping against the standard.

    Args:
        spec: the mapping.
        folder: where crosswalk files stand that it names.
        place: file and resource, for errors.

    Raises:
        GatewayConfigError: an element, crosswalk, format or rule isn't known or doesn't fit.
    """
    plan = compile_plan(
        spec.resource,
        spec.key,
        spec.elements,
        beside=_Beside(folder),
        place=place,
        required=spec.required,
        rules=spec.rules,
    )
    removed = {spec.removed.column} if spec.removed else set()
    return ReadMapping(spec, plan, frozenset(plan.columns) | removed)


def read_mapping(path: Path) -> ReadMapping:
    """Read a mapping file.

    Raises:
        FileMappingError: it can't be read or isn't shaped as `docs/files.md` says, or something in it isn't known.
    """
    place = Place(file=path.name)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        spec = msgspec.convert(raw, FileMapping)
        return understand_mapping(spec, path.parent, Place(element=spec.resource).within(place))
    except OSError as problem:
        raise _wrong("unreadable", "映射文件无法读取", "the mapping can't be read", place) from problem
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as problem:
        raise _wrong("not_yaml", "映射文件不是 UTF-8 的 YAML", "the mapping isn't YAML in UTF-8", place) from problem
    except msgspec.ValidationError as problem:
        raise _wrong(
            "shape", f"映射不符合格式：{problem}", f"the mapping isn't shaped as it must be: {problem}", place
        ) from None
    except GatewayConfigError as problem:
        raise _wrong("meaning", problem.chinese, problem.english, problem.place.within(place)) from problem


def mapping_of(folder: Path, resource: str) -> ReadMapping:
    """Read the mapping of a resource from the folder of mappings.

    Raises:
        FileMappingError: there is none, it is broken, or it is of another resource.
    """
    path = folder / f"{resource}.yaml"
    if not path.is_file():
        raise _wrong(
            "no_mapping", f"没有资源 {resource} 的映射", f"there is no mapping of {resource}", Place(file=path.name)
        )
    mapping = read_mapping(path)
    if mapping.spec.resource != resource:
        raise _wrong(
            "other_resource", "映射写的是另一资源", "the mapping is of another resource", Place(file=path.name)
        )
    return mapping


def _no_column(column: str, element: str | None, file_format: FileFormat, place: Place) -> FileFormatError:
    there = "、".join(file_format.columns[:30])
    return FileFormatError(
        "missing_column",
        f"文件中没有映射所用的列；现有列：{there}",
        f"a mapped column isn't in the file; it has: {there}",
        advice_chinese="列改名或删除时，请先更新映射；没有任何一行被采用。",
        advice_english="Where a column was renamed or dropped, change the mapping first; no row was taken.",
        place=Place(column=column, element=element).within(place),
    )


def _wrong(reason: str, chinese: str, english: str, place: Place) -> FileMappingError:
    return FileMappingError(
        reason,
        chinese,
        english,
        advice_chinese="写法见 docs/files.md。",
        advice_english="See docs/files.md for the format.",
        place=place,
    )
