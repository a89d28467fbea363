"""What is found in a source before anybody asks what it means: tables, columns, keys, a sample of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from huodang.exchange.connect.said import Said
from huodang.exchange.files import FileFormat


class ColumnKind(StrEnum):
    """What a column can hold, by its declared type."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    BINARY = "binary"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes:
        declared: the type as the database names it.
        length: characters at most, if declared.
        scale: digits after the decimal point, if declared.
        comment: what the database's own documentation says of it.
    """

    name: str
    kind: ColumnKind
    declared: str = ""
    length: int | None = None
    scale: int | None = None
    nullable: bool = True
    comment: str = ""

    @property
    def sampled(self) -> bool:
        """Whether its values are looked at."""
        return self.kind not in (ColumnKind.BINARY, ColumnKind.OTHER)


@dataclass(frozen=True)
class TableFacts:
    """One table, view or kind of file.

    Attributes:
        name: as a gateway's file names it: `table`, `schema.table`, or a pattern of file names.
        rows: how many there are; None if that couldn't be told in time.
        exact: whether `rows` was counted rather than estimated.
        unique: the sets of columns that the database keeps unique, the primary key first.
        sample: rows by column name, as the driver gives them; personal data, so never shown as they are.
        whole: the sample is the whole table.
        problem: why it couldn't be read; None if it could.
        file_format: of files.
    """

    name: str
    columns: tuple[ColumnFacts, ...]
    is_view: bool = False
    comment: str = ""
    rows: int | None = None
    exact: bool = True
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    sample: Sequence[Mapping[str, object]] = field(default=(), repr=False)
    whole: bool = False
    problem: Said | None = None
    remarks: tuple[Said, ...] = ()
    file_format: FileFormat | None = None


@dataclass(frozen=True)
class SourceFacts:
    """A source as a whole.

    Attributes:
        shown: its address without password.
        kind: `sqlite`, `postgresql`, `mysql`, another dialect's name, or `files`.
        clock_skew_seconds: how far its clock is ahead of this machine's; None if it has none.
        remarks: what the steward should know of the source as a whole.
    """

    shown: str
    kind: str
    tables: tuple[TableFacts, ...]
    clock_skew_seconds: float | None = None
    remarks: tuple[Said, ...] = ()
