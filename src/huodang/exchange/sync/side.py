"""One side of a sync: what every database can do for us, whichever product it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huodang.exchange.sync.addresses import Address
from huodang.exchange.sync.canonical import Pair
from huodang.exchange.sync.columns import Column, Engine, Kind

Write = Callable[[bytes | bytearray], None]
"""Takes whole lines of the spool format, each ended by a line feed."""

Cells = Sequence[object]
"""One row as a driver takes it."""

# A load is committed in parts of this size: what a kill costs, against what a commit costs.
PART: Final = 64 << 20


@dataclass(frozen=True)
class TableName:
    """A table, with its schema where the product has schemas."""

    name: str
    schema: str | None = None

    def sibling(self, name: str) -> "TableName":
        """Name another table beside this one."""
        return TableName(name, self.schema)


@dataclass(frozen=True)
class NewColumn:
    """A column to be made."""

    name: str
    type: str
    nullable: bool
    kind: Kind


@dataclass(frozen=True)
class Load:
    """Rows on their way into a table: as a file where the product can take one, otherwise as batches.

    Attributes:
        names: the columns that are filled.
        kinds: how the value of each is written.
        file: the file, lines ended by a line feed; None where `batches` are used.
        batches: rows as the driver takes them.
        rows: how many rows there are.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    file: Path | None
    batches: Callable[[], Iterator[list[Cells]]]
    rows: int


@dataclass(frozen=True)
class Changes:
    """What a lot changes.

    Attributes:
        gone: keys of rows to delete.
        changed: full rows, led by a column `huodang_operation`: `U` to update, `I` to insert.
    """

    gone: Load
    changed: Load


OPERATION: Final = "huodang_operation"
GONE, CHANGED = "huodang_sync_gone", "huodang_sync_changed"


class Side(ABC):
    """A connection to one database. Not for several threads at once."""

    engine: Engine
    takes_files: bool = False
    # A table can be made, filled and renamed in one transaction with its bookkeeping.
    has_transactional_ddl: bool = True
    # A server may need this many seconds to notice that the process that held a lock is dead.
    lock_patience: float = 0

    def __init__(self, address: Address) -> None:
        self.address = address

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection; what wasn't committed is gone."""

    @abstractmethod
    def find(self, name: str) -> TableName | None:
        """Find a table or view by name, or by schema and name."""

    @abstractmethod
    def new_table(self, name: str) -> TableName:
        """Name a table that doesn't exist yet."""

    @abstractmethod
    def columns(self, table: TableName) -> tuple[Column, ...]:
        """Give the columns of a table, in their order."""

    @abstractmethod
    def begin_reading(self) -> None:
        """From here on see one consistent state of the database, until `rollback`."""

    @abstractmethod
    def spool(self, table: TableName, columns: Sequence[Column], write: Write) -> None:
        """Write every row as a line of escaped fields."""

    @abstractmethod
    def estimate(self, table: TableName) -> int | None:
        """Guess how many rows a table has, without counting."""

    @abstractmethod
    def lock(self, name: str) -> bool:
        """Take the lock of this name until the connection closes; false if another holds it."""

    @abstractmethod
    def begin(self) -> None:
        """Begin a writing transaction."""

    @abstractmethod
    def commit(self) -> None:
        """Make what was written stay."""

    @abstractmethod
    def rollback(self) -> None:
        """Take back what was written."""

    @abstractmethod
    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run one statement with `?` for each parameter, and give its rows."""

    @abstractmethod
    def create(self, table: TableName, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        """Make a table; its primary key too, where it can't be added later at a fair price."""

    @abstractmethod
    def finish(self, table: TableName, key: Sequence[str]) -> None:
        """Add the primary key where `create` didn't."""

    @abstractmethod
    def load(self, table: TableName, load: Load, done: Callable[[int], None], *, commit_parts: bool) -> None:
        """Append rows."""

    @abstractmethod
    def apply(self, table: TableName, key: Sequence[Pair], changes: Changes, done: Callable[[int], None]) -> None:
        """Apply changes within the transaction that was begun."""

    def rename(self, table: TableName, name: str) -> None:
        """Give a table another name."""
        self.execute(f"ALTER TABLE {self.full(table)} RENAME TO {self.quote(name)}")

    def drop(self, table: TableName) -> None:
        """Remove a table if it is there."""
        self.execute(f"DROP TABLE IF EXISTS {self.full(table)}")

    def add_column(self, table: TableName, column: NewColumn) -> None:
        """Add a column at the end."""
        self.execute(f"ALTER TABLE {self.full(table)} ADD COLUMN {self.quote(column.name)} {self.spelled(column)}")

    def spelled(self, column: NewColumn) -> str:
        """Spell a new column's type."""
        return column.type

    def quote(self, name: str) -> str:
        """Quote a name."""
        return '"' + name.replace('"', '""') + '"'

    def full(self, table: TableName) -> str:
        """Quote a table's full name."""
        own = self.quote(table.name)
        return f"{self.quote(table.schema)}.{own}" if table.schema else own

    def listed(self, names: Sequence[str], prefix: str = "") -> str:
        """Quote names between commas."""
        return ", ".join(prefix + self.quote(name) for name in names)

    def definition(self, columns: Sequence[NewColumn], key: Sequence[str], *, with_key: bool) -> str:
        """Spell what stands between the brackets of CREATE TABLE."""
        parts = [
            f"{self.quote(column.name)} {self.spelled(column)}"
            + (" NOT NULL" if not column.nullable or (with_key and column.name in key) else "")
            for column in columns
        ]
        if with_key:
            parts.append(f"PRIMARY KEY ({self.listed(key)})")
        return ", ".join(parts)


@dataclass(frozen=True)
class Sides:
    """The two databases."""

    source: Side
    target: Side


@dataclass(frozen=True)
class Tables:
    """The two tables; the target may have to be made."""

    source: TableName
    target: TableName
    is_new: bool


def parts(path: Path, size: int = PART) -> Iterator[bytes]:
    """Read a file in parts that end with a line."""
    with path.open("rb") as file:
        while block := file.read(size):
            yield block + (b"" if block.endswith(b"\n") else file.readline())


def split_name(name: str) -> tuple[str, str] | None:
    """Split `schema.table` at its first dot; either part may be quoted."""
    schema, dot, table = name.partition(".")
    return (schema.strip('"`'), table.strip('"`')) if dot and schema and table else None
