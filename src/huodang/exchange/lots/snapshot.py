"""Preparing a lot at the gateway: read the table once, hold every row against what was delivered last, cut pages.

Everything goes through the store portion by portion, so memory is bounded. Nothing of it counts until the lot is
closed: what is killed on the way is prepared again from the beginning.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.lots.delivery_store import (
    Copy,
    DeliveryStore,
    GatewayLot,
    drop_lot,
    in_marks,
    make_copy_table,
    snapshot_table,
)
from huodang.exchange.lots.errors import LotError
from huodang.exchange.lots.pages import PAGE, QUARANTINED, Page, bad_row_to_text, in_order, page_binding, write_page
from huodang.exchange.lots.table_source import DeliveredTable, later, stream, watermark_of
from huodang.exchange.quality import (
    KEY_DUPLICATE,
    BadRow,
    Fault,
    SourceRow,
    Standardiser,
    StandardRow,
    bucket_hashes,
    differing_buckets,
)
from huodang.exchange.values import Agreement
from huodang.standards import Place
from huodang.trust import FieldSealer

_LARGEST_PAGE: Final = 4 * 1024 * 1024
_FEW: Final = 100
_LAST_BYTE: Final = 255
_BEYOND_MARKS: Final = 17
_ASKED_AT_ONCE: Final = 500
_GLANCE: Final = 0.2
ALLOW_DELETES: Final = "deletes"
ALLOW_SCHEMA: Final = "schema"
_REMOVALS_OF_A_PAGE: Final = 50_000


class MassDeleteError(LotError):
    """The lot would end an unusual share of all rows; most often the source was emptied or half restored."""

    code = "exchange.lot_mass_delete"


class LeavingError(LotError):
    """The lot isn't prepared to its end: the process ends, or another lot has taken its place."""

    code = "exchange.lot_leaving"


@dataclass
class Prepared:
    """What preparing a lot has come to.

    Attributes:
        rows: read from the table.
        held: of the copy before the lot; `copied`: after it.
        resumed: the source went away: rows before and after that are of two moments.
    """

    pages: list[str] = field(default_factory=list)
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    late: int = 0
    rows: int = 0
    copied: int = 0
    held: int = 0
    buckets: dict[int, str] = field(default_factory=dict)
    replaces: tuple[int, ...] = ()
    watermark: datetime | Decimal | None = None
    quality: dict[str, Any] = field(default_factory=dict)
    quarantined: int = 0
    resumed: bool = False


@dataclass(frozen=True)
class Order:
    """What a lot is prepared from."""

    lot: GatewayLot
    table: DeliveredTable
    agreement: Agreement
    salt: bytes
    salt_mark: str
    hub: Mapping[int, str]


class Snapshot:
    """Prepares one lot.

    Args:
        store: the gateway's store of lots.
        source: the department's database.
        sealer: seals pages and quarantined rows.
        standardiser: of the table, under the agreement's salt.
        go_on: raises if the process is about to end.
    """

    def __init__(
        self,
        store: DeliveryStore,
        source: DatabaseSource,
        sealer: FieldSealer,
        standardiser: Standardiser,
        go_on: Callable[[], None],
    ) -> None:
        self._go_on = go_on
        self._store = store
        self._source = source
        self._sealer = sealer
        self._standardiser = standardiser
        self._made = Prepared()
        self._marks: list[str] = []
        self._contents: list[bytes] = []
        self._bytes = 0
        self._pages = 0
        self._twins: set[bytes] = set()
        self._replaced: frozenset[int] = frozenset()
        self._before: datetime | Decimal | None = None

    def prepare(self, order: Order) -> Prepared:
        """Read the table and cut the pages.

        Raises:
            SourceError: the source or the store can't be used.
            MassDeleteError: an unusual share of the rows would end.
        """
        lot, made = order.lot, self._made
        with self._store.writing() as connection:
            copy = self._store.copy(connection, lot.agreement_id, lot.resource)
            drop_lot(connection, lot.lot_id)
            if copy.salt_mark != order.salt_mark:
                # Marks under another salt tell nothing: as if nothing had been delivered.
                connection.execute(f"DROP TABLE delivered_{copy.number}")
                make_copy_table(connection, f"delivered_{copy.number}")
                connection.execute(
                    "UPDATE copies SET salt_mark = ?, delivered = 0 WHERE number = ?", (order.salt_mark, copy.number)
                )
            make_copy_table(connection, snapshot_table(lot.lot_id))
        with self._store.connection() as connection:
            before = bucket_hashes(in_order(connection, f"delivered_{copy.number}"))
            made.replaces = differing_buckets(before, order.hub)
            self._replaced = frozenset(made.replaces)
            self._before = made.watermark = watermark_of(copy.watermark)
            for portion in stream(order.table, self._source, self._pause, self._resume):
                self._go_on()
                connection.execute("BEGIN IMMEDIATE")
                made.rows += len(portion)
                self._take(connection, order, copy, portion)
                self._still_wanted(connection, lot)
                connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            self._finish(connection, order, copy)
            self._still_wanted(connection, lot)
            connection.execute("COMMIT")
        return made

    def _pause(self, seconds: float) -> None:
        """Wait for a source that went away, unless the process is about to end."""
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            self._go_on()
            time.sleep(min(rest, _GLANCE))

    def _resume(self) -> None:
        """Remember that the rows are of two moments."""
        self._made.resumed = True

    def _still_wanted(self, connection: sqlite3.Connection, lot: GatewayLot) -> None:
        """Write how far the lot is; raises if another has taken its place."""
        changed = connection.execute(
            "UPDATE lots SET rows = ? WHERE lot_id = ? AND state = 'preparing'", (self._made.rows, lot.lot_id)
        )
        if not changed.rowcount:
            raise LeavingError("批次已被新的批次代替", "another lot has taken the place of this one")

    def _take(
        self, connection: sqlite3.Connection, order: Order, copy: Copy, portion: Sequence[tuple[SourceRow, object]]
    ) -> None:
        """Standardise a portion, see which keys stand twice and which rows changed, and keep the contents of those."""
        snapshot = snapshot_table(order.lot.lot_id)
        made: list[tuple[bytes, StandardRow | BadRow, SourceRow, object]] = []
        back: list[BadRow] = []
        self._standardiser.look_ahead([row for row, _ in portion])
        for row, cursor in portion:
            one = self._standardiser.row(row)
            if isinstance(one, BadRow):
                back.append(one)
            if isinstance(one, StandardRow):
                made.append((bytes.fromhex(one.mark), one, row, cursor))
            elif one is not None and one.key is not None:
                made.append((bytes.fromhex(self._standardiser.marks.mark(one.key)), one, row, cursor))
        marks = list({mark for mark, *_ in made})
        seen = {mark for mark, *_ in in_marks(connection, snapshot, marks)}
        held = {mark: digest for mark, digest, *_ in in_marks(connection, f"delivered_{copy.number}", marks)}
        fresh: list[tuple[bytes, bytes | None, int | None, int]] = []
        for mark, one, row, cursor in made:
            line = row.place.row or 0
            if mark in seen:
                self._twins.add(mark)
                if isinstance(one, StandardRow):
                    back.append(self._as_twin(one.place, one.key, row.cells, one.values))
                continue
            seen.add(mark)
            if isinstance(one, BadRow):
                fresh.append((mark, None, None, line))
                continue
            changed = held.get(mark) != one.digest
            self._note(order, cursor, changed=changed)
            if changed or int(one.mark[:2], 16) in self._replaced:
                fresh.append((mark, one.digest, self._add(connection, order, one), line))
            else:
                fresh.append((mark, one.digest, None, line))
        connection.executemany(f"INSERT INTO {snapshot} VALUES (?, ?, ?, ?)", fresh)  # noqa: S608  (letters)
        self._quarantine(connection, order, back)

    def _note(self, order: Order, cursor: object, *, changed: bool) -> None:
        """Look at the cursor of a row: is it late, is it the newest?"""
        reader = order.table.cursor
        value = reader.read(cursor) if reader is not None else None
        if reader is None or value is None:
            return
        if changed and self._before is not None and reader.is_late(value, self._before):
            self._made.late += 1
        self._made.watermark = later(self._made.watermark, value)

    def _add(self, connection: sqlite3.Connection, order: Order, row: StandardRow) -> int:
        """Put a row on the page at hand; give the page's number."""
        if len(self._marks) >= order.table.spec.page_rows or self._bytes >= _LARGEST_PAGE:
            self._cut(connection, order)
        self._marks.append(row.mark)
        self._contents.append(row.content)
        self._bytes += len(row.content)
        return self._pages

    def _cut(self, connection: sqlite3.Connection, order: Order, removed: Sequence[str] = ()) -> None:
        """Write the page at hand, if there is anything on it."""
        if self._marks or removed:
            page = Page(self._marks, [msgspec.Raw(one) for one in self._contents], list(removed))
            write_page(connection, self._sealer, order.lot.lot_id, self._pages, page)
            self._pages += 1
        self._marks, self._contents, self._bytes = [], [], 0

    def _as_twin(self, place: Place, key: str | None, cells: Mapping[str, object], values: Iterable[str]) -> BadRow:
        plan = self._standardiser.plan
        columns = {element: column for column, element in plan.columns.items()}
        faults = tuple(Fault(columns.get(name, ""), name, KEY_DUPLICATE) for name in plan.key)
        bad = BadRow(place, key, faults, cells)
        self._standardiser.count.bad(bad, counted=values)
        return bad

    def _quarantine(self, connection: sqlite3.Connection, order: Order, rows: Sequence[BadRow]) -> None:
        """Keep rows back, sealed, for the steward."""
        connection.executemany(
            "INSERT INTO quarantine (lot_id, resource, sealed) VALUES (?, ?, ?)",
            [
                (
                    order.lot.lot_id,
                    order.lot.resource,
                    self._sealer.seal(QUARANTINED, bad_row_to_text(row), order.lot.lot_id),
                )
                for row in rows
            ],
        )

    def _finish(self, connection: sqlite3.Connection, order: Order, copy: Copy) -> None:
        """Take the first of twins back, find what is gone, and count."""
        made, snapshot, delivered = self._made, snapshot_table(order.lot.lot_id), f"delivered_{copy.number}"
        self._cut(connection, order)
        self._withdraw_twins(connection, order, snapshot)
        for bucket in made.replaces:
            bounds = (bytes([bucket]), bytes([bucket + 1]) if bucket < _LAST_BYTE else b"\xff" * _BEYOND_MARKS)
            # What is kept back and can't be compared with the hub leaves the copy until it is mended.
            connection.execute(f"DELETE FROM {snapshot} WHERE digest IS NULL AND mark >= ? AND mark < ?", bounds)  # noqa: S608  (a number)
        # What is kept back stays at the hub as it was delivered last.
        connection.execute(
            f"UPDATE {snapshot} SET digest = (SELECT d.digest FROM {delivered} d WHERE d.mark = {snapshot}.mark) "  # noqa: S608  (numbers)
            "WHERE digest IS NULL"
        )
        connection.execute(f"DELETE FROM {snapshot} WHERE digest IS NULL")  # noqa: S608  (a number)
        self._count(connection, snapshot, delivered)
        gone = f"SELECT mark FROM {delivered} EXCEPT SELECT mark FROM {snapshot}"  # noqa: S608  (numbers)
        self._check_deletes(order, copy)
        portion: list[str] = []
        for (mark,) in connection.execute(gone).fetchall():
            if mark[0] not in self._replaced:
                portion.append(mark.hex())
            if len(portion) == _REMOVALS_OF_A_PAGE:
                self._cut(connection, order, portion)
                portion = []
        self._cut(connection, order, portion)
        made.pages = [
            row[0]
            for row in connection.execute(
                "SELECT digest FROM pages WHERE lot_id = ? ORDER BY number", (order.lot.lot_id,)
            )
        ]
        made.buckets = bucket_hashes(in_order(connection, snapshot))
        changed = made.inserted + made.updated
        report = self._standardiser.report(late=made.late, changed=changed)
        made.quarantined, made.quality = report.quarantined, report.to_payload()

    def _count(self, connection: sqlite3.Connection, snapshot: str, delivered: str) -> None:
        made = self._made
        joined = f"FROM {snapshot} s LEFT JOIN {delivered} d ON d.mark = s.mark"
        made.copied, made.inserted, made.updated = connection.execute(
            f"SELECT count(*), coalesce(sum(d.mark IS NULL), 0), coalesce(sum(d.digest <> s.digest), 0) {joined}"
        ).fetchone()
        held = connection.execute(f"SELECT count(*) FROM {delivered}").fetchone()[0]  # noqa: S608  (a number)
        made.held = held
        made.deleted = held - (made.copied - made.inserted)

    def _check_deletes(self, order: Order, copy: Copy) -> None:
        made, most = self._made, order.table.spec.largest_delete_percent
        if made.held > _FEW and made.deleted * 100 > made.held * most and ALLOW_DELETES not in copy.allowed:
            raise MassDeleteError(
                f"本批次将删除 {made.held} 行中的 {made.deleted} 行，超过 {most}%",
                f"the lot would end {made.deleted} of {made.held} rows, more than {most}%",
                advice_chinese="请确认来源表没有被清空；确认无误的，用 huodang steward lots allow 放行。",
                advice_english="See whether the table was emptied; if it is right, `huodang steward lots allow` it.",
                place=Place(file=order.table.spec.table, element=order.lot.resource),
            )

    def _withdraw_twins(self, connection: sqlite3.Connection, order: Order, snapshot: str) -> None:
        """Keep the first row of a key back, too: nobody can say which of them is right."""
        by_page: dict[int | None, list[tuple[bytes, int]]] = {}
        twins = sorted(self._twins)
        for start in range(0, len(twins), _ASKED_AT_ONCE):
            chunk = twins[start : start + _ASKED_AT_ONCE]
            for mark, digest, page, line in in_marks(connection, snapshot, chunk):
                if digest is not None:
                    by_page.setdefault(page, []).append((mark, line))
        back: list[BadRow] = []
        for page, found in by_page.items():
            contents = self._take_off(connection, order, page, {mark.hex() for mark, _ in found})
            for mark, line in found:
                values = contents.get(mark.hex(), {})
                columns = {one.element.identifier: one.column for one in self._standardiser.plan.elements}
                cells = {columns[name]: value for name, value in values.items()}
                # Of a row that hadn't changed only its place is known.
                place = Place(order.table.spec.table, line)
                back.append(self._as_twin(place, None, cells, values or self._standardiser.plan.key))
        marks = [(mark,) for found in by_page.values() for mark, _ in found]
        connection.executemany(f"UPDATE {snapshot} SET digest = NULL WHERE mark = ?", marks)  # noqa: S608  (a number)
        self._quarantine(connection, order, back)

    def _take_off(
        self, connection: sqlite3.Connection, order: Order, number: int | None, marks: set[str]
    ) -> dict[str, dict[str, str]]:
        """Take rows off a page that is written already; give their values."""
        if number is None:
            return {}
        lot_id = order.lot.lot_id
        sealed = connection.execute(
            "SELECT sealed FROM pages WHERE lot_id = ? AND number = ?", (lot_id, number)
        ).fetchone()[0]
        page = msgspec.json.decode(self._sealer.open(PAGE, sealed, page_binding(lot_id, number)), type=Page)
        pairs = list(zip(page.marks, page.rows, strict=True))
        kept = [(mark, row) for mark, row in pairs if mark not in marks]
        rest = Page([mark for mark, _ in kept], [row for _, row in kept], page.removed)
        write_page(connection, self._sealer, lot_id, number, rest)
        return {mark: msgspec.json.decode(row, type=dict[str, str]) for mark, row in pairs if mark in marks}
