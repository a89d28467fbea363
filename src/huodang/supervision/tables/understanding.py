"""What a check understood of its files, before it runs: formats, columns, units, with masked samples."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from huodang.exchange.files import Detected, FileFormat, FileKind, cell_text, detect, read_rows
from huodang.standards import HuodangError, Place
from huodang.supervision.tables.column_map import Mapped, read_column_map
from huodang.supervision.tables.errors import NotUnderstoodError
from huodang.supervision.tables.headers import Match, name_of, recognise, unit_of
from huodang.supervision.tables.kinds import SOURCES, Kind, Source
from huodang.supervision.tables.text_files import head_in_utf8
from huodang.trust import MaskLevel, mask

_SAMPLED_BYTES: Final = 20 * 1024 * 1024
"""A workbook is held in memory whole: of a larger one no samples are read beforehand."""


@dataclass(frozen=True)
class UnderstoodColumn:
    """One column.

    Attributes:
        header: as in the file; None where the mapping gives a value for all rows.
        canonical: what it is.
        how: `name`, `code`, `hint` (knowledge of names) or `map`.
        unit: of money, `yuan` or `fen`; else empty.
        sample: the first value, masked.
    """

    header: str | None
    canonical: str
    how: str
    unit: str = ""
    value: str | None = None
    sample: str = ""


@dataclass(frozen=True)
class UnderstoodTable:
    """One file.

    Attributes:
        format: how it is read, as `exchange.files` found it.
        encoding: of text; `utf-16` too.
        rows: how many, where the file says so itself.
        unused: headers that no rule asks for.
    """

    kind: Kind
    path: Path
    format: FileFormat
    encoding: str
    rows: int | None
    columns: tuple[UnderstoodColumn, ...]
    unused: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.name

    def column(self, canonical: str) -> UnderstoodColumn | None:
        """Give a column by its canonical name."""
        return next((one for one in self.columns if one.canonical == canonical), None)


@dataclass(frozen=True)
class Understanding:
    """All files of a check. With `problems` nothing is prepared."""

    tables: tuple[UnderstoodTable, ...]
    problems: tuple[HuodangError, ...] = ()

    def of(self, kind: Kind) -> tuple[UnderstoodTable, ...]:
        """Give the files of a kind, in the order they were named."""
        return tuple(table for table in self.tables if table.kind is kind)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that files were given for."""
        return tuple(kind for kind in Kind if self.of(kind))


@dataclass
class _Found:
    columns: list[UnderstoodColumn] = field(default_factory=list)
    problems: list[HuodangError] = field(default_factory=list)


def understand(paths: Mapping[Kind, Sequence[Path]], mapping: Path | None = None) -> Understanding:
    """Find out what files hold.

    Args:
        paths: the files by kind.
        mapping: a mapping file; what it names goes before what is recognised.

    Raises:
        FileFormatError: a file can't be read at all.
        ColumnMapError: the mapping file can't be used.
    """
    told = read_column_map(mapping)
    tables: list[UnderstoodTable] = []
    problems: list[HuodangError] = []
    for kind in Kind:
        seen: set[Path] = set()
        for path in paths.get(kind, ()):
            if path.resolve() in seen:
                problems.append(_named_twice(kind, path))
            seen.add(path.resolve())
            found, encoding = _detect(path)
            headers = found.format.columns
            columns = _columns(kind, path, headers, told.get(kind, {}))
            problems += columns.problems
            samples, rows = _samples(path, found.format, encoding)
            used = {one.header for one in columns.columns}
            tables.append(
                UnderstoodTable(
                    kind,
                    path,
                    found.format,
                    encoding,
                    rows,
                    tuple(_with_sample(kind, one, samples) for one in columns.columns),
                    tuple(header for header in headers if header not in used),
                )
            )
    return Understanding(tuple(tables), tuple(problems))


def _detect(path: Path) -> tuple[Detected, str]:
    with head_in_utf8(path) as head:
        if head is not None:
            return detect(head), "utf-16"
    found = detect(path)
    return found, found.format.encoding


def _columns(kind: Kind, path: Path, headers: Sequence[str], told: Mapping[str, Mapped]) -> _Found:
    found = _Found()
    for name, line in told.items():
        if line.column is not None and line.column not in headers:
            found.problems.append(
                NotUnderstoodError(
                    f"对照文件所指的列“{line.column}”不在文件中",
                    f"the column “{line.column}” of the mapping isn't in the file",
                    advice_chinese=f"文件中的列：{'、'.join(headers)}。",
                    advice_english=f"The file has: {', '.join(headers)}.",
                    place=Place(file=path.name, column=line.column, element=name),
                )
            )
    mapped = {line.column for line in told.values() if line.column}
    missing: list[Source] = []
    recognised = recognise(kind, [header for header in headers if header not in mapped])
    for source in SOURCES[kind]:
        if source.name in told:
            line = told[source.name]
            unit = line.unit or (unit_of(line.column) if line.column else "yuan")
            found.columns.append(
                UnderstoodColumn(line.column, source.name, "map", _unit(source, unit), line.value, line.value or "")
            )
        elif source.name in recognised.torn:
            found.problems.append(_torn(kind, path, source, recognised.torn[source.name]))
        elif source.name in recognised.matches:
            match: Match = recognised.matches[source.name]
            unit = _unit(source, unit_of(match.header))
            found.columns.append(UnderstoodColumn(match.header, source.name, match.how, unit))
        elif source.required:
            missing.append(source)
    used = {column.header for column in found.columns}
    free = [header for header in headers if header not in used]
    found.problems += [_missing(kind, path, source, headers, free) for source in missing]
    return found


def _named_twice(kind: Kind, path: Path) -> NotUnderstoodError:
    return NotUnderstoodError(
        f"{kind.chinese}给了两次同一个文件，每一笔都会算成重复",
        f"one file is given twice as {kind}: every row of it would count double",
        advice_chinese="请每个文件只给一次。",
        advice_english="Give each file once.",
        place=Place(file=path.name),
    )


def _unit(source: Source, unit: str) -> str:
    return unit if source.meaning == "money" else ""


def _torn(kind: Kind, path: Path, source: Source, headers: Sequence[str]) -> NotUnderstoodError:
    line = f"{kind}:\n  {source.name}: {headers[0]}"
    return NotUnderstoodError(
        f"有 {len(headers)} 列都可能是“{name_of(source.name)}”（{source.name}）：{'、'.join(headers)}",
        f"{len(headers)} columns could be {source.name}: {', '.join(headers)}",
        advice_chinese=f"请写一个对照文件，用 --map 指明是哪一列，例如：\n{line}",
        advice_english=f"Say which in a mapping file given by --map, such as:\n{line}",
        place=Place(file=path.name, element=source.name),
    )


def _missing(kind: Kind, path: Path, source: Source, headers: Sequence[str], free: Sequence[str]) -> NotUnderstoodError:
    line = f"{kind}:\n  {source.name}: {free[0] if free else '列名'}"
    return NotUnderstoodError(
        f"没有找到“{name_of(source.name)}”（{source.name}）列；文件中的列：{'、'.join(headers)}",
        f"no column was recognised as {source.name}; the file has: {', '.join(headers)}",
        advice_chinese=f"请写一个对照文件，用 --map 指明，例如：\n{line}",
        advice_english=f"Say which it is in a mapping file given by --map, such as:\n{line}",
        place=Place(file=path.name, element=source.name),
    )


def _samples(path: Path, found: FileFormat, encoding: str) -> tuple[Mapping[str, str], int | None]:
    if found.kind is FileKind.PARQUET:
        with closing(duckdb.connect(":memory:", config={"threads": "1"})) as connection:
            found_row = connection.execute("SELECT * FROM read_parquet([?]) LIMIT 1", [str(path)]).fetchone()
            rows: int = pq.read_metadata(path).num_rows
            return dict(zip(found.columns, map(cell_text, found_row or ()), strict=False)), rows
    if found.kind in (FileKind.XLSX, FileKind.XLS) and path.stat().st_size > _SAMPLED_BYTES:
        return {}, None
    with (
        head_in_utf8(path) as head,
        read_rows(head if head is not None and encoding == "utf-16" else path, found) as rows_,
    ):
        row = next(rows_, None)
        return ({name: cell_text(value) for name, value in row.cells.items()} if row else {}), None


def _with_sample(kind: Kind, column: UnderstoodColumn, samples: Mapping[str, str]) -> UnderstoodColumn:
    if column.header is None:
        return column
    source = next(one for one in SOURCES[kind] if one.name == column.canonical)
    text = samples.get(column.header, "").strip()
    if source.meaning == "money":
        text = mask("benefit_amount", text, MaskLevel.PARTIAL) if text else ""
    elif source.element and text:
        text = mask(source.element, text, MaskLevel.PARTIAL)
    return UnderstoodColumn(column.header, column.canonical, column.how, column.unit, column.value, text[:24])
