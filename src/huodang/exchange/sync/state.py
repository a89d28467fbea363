"""What the target remembers of its lots: one row each in `huodang_sync_lot`, written in the lot's own transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from huodang.exchange.sync.columns import Engine, Kind
from huodang.exchange.sync.side import NewColumn, Side, TableName

LOT_TABLE: Final = "huodang_sync_lot"
_COLUMNS: Final = (
    ("target_table", Kind.TEXT),
    ("lot", Kind.INTEGER),
    ("state", Kind.TEXT),
    ("applied_at", Kind.TEXT),
    ("source_rows", Kind.INTEGER),
    ("inserted", Kind.INTEGER),
    ("updated", Kind.INTEGER),
    ("deleted", Kind.INTEGER),
    ("late", Kind.INTEGER),
    ("quarantined", Kind.INTEGER),
    ("watermark", Kind.TEXT),
    ("cursor_column", Kind.TEXT),
    ("source_root", Kind.TEXT),
    ("target_root", Kind.TEXT),
    ("source_columns", Kind.TEXT),
)
_KEY: Final = ("target_table", "lot")
DONE, ANNOUNCED = "done", "announced"


@dataclass(frozen=True)
class Lot:
    """One lot as the target remembers it.

    Attributes:
        number: counted from 1 for each target table.
        columns: name and type of the source's columns at that time.
    """

    number: int
    at: str
    rows: int
    inserted: int
    updated: int
    deleted: int
    late: int
    quarantined: int
    watermark: str | None
    cursor: str | None
    source_root: str
    target_root: str
    columns: tuple[tuple[str, str], ...]


class Lots:
    """The lots of one target table."""

    def __init__(self, side: Side, table: TableName) -> None:
        self._side = side
        self._table = table.name
        self._home = table.sibling(LOT_TABLE)
        self._full = side.full(self._home)

    def prepare(self) -> None:
        """Make the table of lots if it isn't there."""
        if self._exists():
            return
        side = self._side
        made = [NewColumn(name, _type(side.engine, name, kind), name not in _KEY, kind) for name, kind in _COLUMNS]
        side.create(self._home, made, _KEY)
        side.finish(self._home, _KEY)

    def _exists(self) -> bool:
        found = self._side.find(f"{self._home.schema}.{LOT_TABLE}" if self._home.schema else LOT_TABLE)
        return found is not None

    def last(self) -> Lot | None:
        """Give the last lot that was applied."""
        if not self._exists():
            return None
        names = ", ".join(self._side.quote(name) for name, _ in _COLUMNS[1:])
        rows = self._side.execute(
            f"SELECT {names} FROM {self._full} WHERE target_table = ? AND state = ? ORDER BY lot DESC",  # noqa: S608
            (self._table, DONE),
        )
        if not rows:
            return None
        number, _, at, source_rows, inserted, updated, deleted, late, quarantined, *rest = rows[0]
        watermark, cursor, source_root, target_root, columns = rest
        counts = [int(str(count)) for count in (source_rows, inserted, updated, deleted, late, quarantined)]
        return Lot(
            int(str(number)), str(at), *counts,
            watermark=None if watermark is None else str(watermark),
            cursor=None if cursor is None else str(cursor),
            source_root=str(source_root), target_root=str(target_root),
            columns=tuple((str(name), str(declared)) for name, declared in json.loads(str(columns))),
        )  # fmt: skip

    def record(self, lot: Lot, state: str = DONE) -> None:
        """Write a lot, in the transaction that applies it."""
        names = ", ".join(self._side.quote(name) for name, _ in _COLUMNS)
        values: Sequence[object] = (
            self._table, lot.number, state, lot.at, lot.rows, lot.inserted, lot.updated, lot.deleted, lot.late,
            lot.quarantined, lot.watermark, lot.cursor, lot.source_root, lot.target_root,
            json.dumps(lot.columns, ensure_ascii=False),
        )  # fmt: skip
        marks = ", ".join("?" * len(_COLUMNS))
        self._side.execute(f"INSERT INTO {self._full} ({names}) VALUES ({marks})", values)  # noqa: S608

    def confirm(self) -> None:
        """Say that the announced first load has become the target."""
        self._side.execute(
            f"UPDATE {self._full} SET state = ? WHERE target_table = ? AND state = ?",  # noqa: S608
            (DONE, self._table, ANNOUNCED),
        )

    def withdraw(self) -> None:
        """Forget an announced first load that never became the target."""
        self._side.execute(
            f"DELETE FROM {self._full} WHERE target_table = ? AND state = ?",  # noqa: S608
            (self._table, ANNOUNCED),
        )

    def recover(self, *, target_exists: bool) -> None:
        """After a kill between announcing and renaming, or between renaming and confirming: tell which it was."""
        if not self._exists():
            return
        if target_exists:
            self.confirm()
        else:
            self.withdraw()


def _type(engine: Engine, name: str, kind: Kind) -> str:
    if kind is Kind.INTEGER:
        return "INTEGER" if engine is Engine.SQLITE else "bigint"
    if engine is Engine.MARIADB:
        return "varchar(191)" if name in _KEY or name == "state" else "longtext"
    return "TEXT" if engine is Engine.SQLITE else "text"
