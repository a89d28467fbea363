"""What a delivered file is: its kind, how its bytes are text, where its columns are."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from huodang.standards import Place

ColumnName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2_000_000)]

DELIMITERS: Final = (",", "\t", ";", "|")


class FileKind(StrEnum):
    """The formats that are read; all but xls, dbf and fixed are written, too."""

    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"
    DBF = "dbf"
    FIXED = "fixed"  # 定长文本
    PARQUET = "parquet"
    JSON_LINES = "jsonl"


class FixedField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a fixed-width file (定长文本).

    Attributes:
        start: position of its first byte or character, counted from 1.
        length: how many bytes or characters it has.
    """

    name: ColumnName
    start: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    length: Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class FileFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one file is read. What `detect` finds, what a manifest declares, and what a mapping may lay down.

    Attributes:
        encoding: of text; empty for kinds that say it themselves. Of DBF: what its memos and texts are in.
        delimiter: between the cells of a CSV file.
        header: the first row of the table names the columns.
        columns: names in the order of the file.
        sheet: the sheet of an Excel file.
        header_row: the row of the heading (its first one), counted from 1; without a heading the first row of data.
        header_rows: how many rows the heading takes; more than one where cells are merged.
        fields: where the columns of a fixed-width file stand.
        unit: what `fields` counts.
    """

    kind: FileKind
    encoding: Literal["", "utf-8", "gb18030"] = ""
    delimiter: Literal["", ",", "\t", ";", "|"] = ""
    header: bool = True
    columns: Annotated[tuple[ColumnName, ...], msgspec.Meta(max_length=2000)] = ()
    sheet: Annotated[str, msgspec.Meta(max_length=100)] = ""
    header_row: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    header_rows: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    fields: Annotated[tuple[FixedField, ...], msgspec.Meta(max_length=2000)] = ()
    unit: Literal["byte", "character"] = "byte"

    @property
    def first_data_row(self) -> int:
        """The row at which data begin, counted from 1."""
        return self.header_row + (self.header_rows if self.header else 0)


@dataclass(frozen=True)
class Position:
    """Where reading may go on after an interruption.

    Attributes:
        row: the row read last, as places count it.
        offset: bytes of text, or rows of other kinds, that lie behind; 0 is the beginning of the data.
    """

    row: int = 0
    offset: int = 0


BEGINNING: Final = Position()


@dataclass(frozen=True)
class CellProblem:
    """Why a cell, or with an empty column the whole row, can't be taken. Holds no value."""

    column: str
    reason: str
    chinese: str
    english: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file as it stands there: texts as text, dates as dates where the format knows dates.

    Attributes:
        cells: by column name. What can't be shown faithfully is shown as near as can be, and named in `problems`.
        problems: what is wrong with the row before anybody asks what it means.
    """

    place: Place
    cells: dict[str, object]
    problems: tuple[CellProblem, ...] = ()


@dataclass(frozen=True)
class Remark:
    """Something worth telling about a file that doesn't stop it."""

    code: str
    chinese: str
    english: str


def with_columns(file_format: FileFormat, columns: tuple[str, ...]) -> FileFormat:
    """Give the same format with its columns named."""
    return msgspec.structs.replace(file_format, columns=columns)


def numbered_columns(count: int) -> tuple[str, ...]:
    """Name the columns of a file that has no heading."""
    return tuple(f"第{number}列" for number in range(1, count + 1))


def at_row(place: Place, row: int) -> Place:
    """Give the place of a row."""
    return replace(place, row=row)
