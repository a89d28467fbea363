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
            f"SELECT {names} FROM {self._full} WHERE target_table = ? AND state = ? ORDER BY lot DESC",
            (self._table, DONE),
        )
        if not rows:
            return None
        found = dict(zip((name for name, _ in _COLUMNS[1:]), rows[0], strict=True))

        def count(name: str) -> int:
            return int(str(found[name]))

        def text(name: str) -> str | None:
            return None if found[name] is None else str(found[name])

        return Lot(
            number=count("lot"),
            at=str(found["applied_at"]),
            rows=count("source_rows"),
            inserted=count("inserted"),
            updated=count("updated"),
            deleted=count("deleted"),
            late=count("late"),
            quarantined=count("quarantined"),
            watermark=text("watermark"),
            cursor=text("cursor_column"),
            source_root=str(found["source_root"]),
            target_root=str(found["target_root"]),
            columns=tuple((str(name), str(declared)) for name, declared in json.loads(str(found["source_columns"]))),
        )

    def record(self, lot: Lot, state: str = DONE) -> None:
        """Write a lot, in the transaction that applies it."""
        names = ", ".join(self._side.quote(name) for name, _ in _COLUMNS)
        values: Sequence[object] = (
            self._table, lot.number, state, lot.at, lot.rows, lot.inserted, lot.updated, lot.deleted, lot.late,
            lot.quarantined, lot.watermark, lot.cursor, lot.source_root, lot.target_root,
            json.dumps(lot.columns, ensure_ascii=False),
        )  # fmt: skip
        marks = ", ".join("?" * len(_COLUMNS))
        self._side.execute(f"INSERT INTO {self._full} ({names}) VALUES ({marks})", values)

    def confirm(self) -> None:
        """Say that the announced first load has become the target."""
        self._side.execute(
            f"UPDATE {self._full} SET state = ? WHERE target_table = ? AND state = ?",
            (DONE, self._table, ANNOUNCED),
        )

    def withdraw(self) -> None:
        """Forget an announced first load that never became the target."""
        self._side.execute(
            f"DELETE FROM {self._full} WHERE target_table = ? AND state = ?",
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
