"""What a gateway keeps of its lots, in a SQLite file of its own: what it delivered last, lots at work, rows kept back.

Of what was delivered only salted marks and digests stand here; pages and quarantined rows are sealed.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from huodang.exchange.errors import SourceError
from huodang.standards import Place

_VERSION: Final = 1
_PATIENCE_SECONDS: Final = 30
_SCHEMA: Final = """
CREATE TABLE copies (
  agreement_id TEXT PRIMARY KEY, number INTEGER NOT NULL, resource TEXT NOT NULL, salt_mark TEXT NOT NULL,
  watermark TEXT NOT NULL, schema TEXT NOT NULL, allowed TEXT NOT NULL, delivered INTEGER NOT NULL,
  lot_id TEXT NOT NULL, as_of TEXT NOT NULL);
CREATE TABLE lots (
  lot_id TEXT PRIMARY KEY, agreement_id TEXT NOT NULL, agreement_version INTEGER NOT NULL, resource TEXT NOT NULL,
  state TEXT NOT NULL, opened_at TEXT NOT NULL, ended_at TEXT NOT NULL, sealed TEXT NOT NULL,
  offer TEXT NOT NULL, statement TEXT NOT NULL, reconciliation TEXT NOT NULL, watermark TEXT NOT NULL,
  schema TEXT NOT NULL, problem TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE INDEX ix_lots_agreement ON lots (agreement_id, state);
CREATE TABLE pages (
  lot_id TEXT NOT NULL, number INTEGER NOT NULL, sealed TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (lot_id, number)) WITHOUT ROWID;
CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY, lot_id TEXT NOT NULL, resource TEXT NOT NULL, sealed TEXT NOT NULL);
CREATE INDEX ix_quarantine_lot ON quarantine (lot_id);
"""

PREPARING: Final = "preparing"  # 正在取数
READY: Final = "ready"  # 待拉取
CLOSED: Final = "closed"  # 双方已确认
REFUSED: Final = "refused"  # 对账不一致
FAILED: Final = "failed"  # 未能生成
GIVEN_UP: Final = "given_up"  # 已被新批次代替
AT_WORK: Final = (PREPARING, READY)


class Problem(msgspec.Struct, frozen=True):
    """Why a lot couldn't be made, as steward and hub are told."""

    code: str
    chinese: str
    english: str


@dataclass(frozen=True)
class Copy:
    """What was delivered last under an agreement.

    Attributes:
        number: names its two tables.
        salt_mark: tells whether marks were made under the present salt.
        watermark: of the newest row delivered; empty if the table has no cursor.
        schema: columns and kinds at that time, as JSON.
        allowed: what the steward lets pass once: `schema`, `deletes`, parted by blanks.
        delivered: rows.
    """

    number: int
    salt_mark: str
    watermark: str
    schema: str
    allowed: frozenset[str]
    delivered: int


@dataclass(frozen=True)
class GatewayLot:
    """A lot as the gateway keeps it.

    Attributes:
        sealed: salt and buckets that the hub named, sealed.
        offer, statement, reconciliation: signed envelopes, empty as long as there are none.
        rows: read so far.
    """

    lot_id: str
    agreement_id: str
    agreement_version: int
    resource: str
    state: str
    opened_at: str
    ended_at: str
    sealed: str
    offer: str
    statement: str
    reconciliation: str
    watermark: str
    schema: str
    problem: str
    rows: int


class DeliveryStore:
    """Opens, or makes, the file. Each use has a connection of its own, so threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise SourceError(
                    "批次数据库由更新的版本建立",
                    "the database of lots was made by a newer release",
                    advice_chinese="请使用新版本程序。",
                    advice_english="Run the newer release.",
                    place=Place(file=path.name),
                )
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.execute("COMMIT")
        path.chmod(0o600)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection without a transaction.

        Raises:
            SourceError: the file can't be used, most often as the disk is full.
        """
        try:
            connection = sqlite3.connect(self._path, timeout=_PATIENCE_SECONDS, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA cache_size = -65536")
                yield connection
            finally:
                connection.close()
        except sqlite3.OperationalError as problem:
            raise SourceError(
                "前置机的批次数据库无法写入，可能是磁盘已满",
                "the gateway's database of lots can't be written; the disk may be full",
                advice_chinese="请检查磁盘空间和权限；已交付的内容不受影响，恢复后会从头准备本批次。",
                advice_english="See to disk and permissions; what was delivered stands, and the lot is prepared again.",
                place=Place(file=self._path.name),
            ) from problem

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open one write transaction: it commits whole or not at all."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def copy(self, connection: sqlite3.Connection, agreement_id: str, resource: str) -> Copy:
        """Give what was delivered last; makes an empty one if there is none. Needs a write transaction."""
        found = connection.execute("SELECT number FROM copies WHERE agreement_id = ?", (agreement_id,)).fetchone()
        if found is None:
            number = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM copies").fetchone()[0]
            connection.execute(
                "INSERT INTO copies VALUES (?, ?, ?, '', '', '', '', 0, '', '')", (agreement_id, number, resource)
            )
            make_copy_table(connection, f"delivered_{number}")
        row = connection.execute(
            "SELECT number, salt_mark, watermark, schema, allowed, delivered FROM copies WHERE agreement_id = ?",
            (agreement_id,),
        ).fetchone()
        return Copy(row[0], row[1], row[2], row[3], frozenset(row[4].split()), row[5])

    def lot(self, lot_id: str) -> GatewayLot | None:
        """Give a lot."""
        return next(iter(self._lots("WHERE lot_id = ?", (lot_id,))), None)

    def at_work(self, agreement_id: str) -> GatewayLot | None:
        """Give the lot that is at work under an agreement."""
        where = "WHERE agreement_id = ? AND state IN ('preparing', 'ready') ORDER BY lot_id DESC LIMIT 1"
        return next(iter(self._lots(where, (agreement_id,))), None)

    def lots(self, *, limit: int = 100) -> list[GatewayLot]:
        """List lots, newest first."""
        return self._lots("ORDER BY lot_id DESC LIMIT ?", (limit,))

    def page(self, lot_id: str, number: int) -> tuple[str, str] | None:
        """Give a page, sealed, and its digest."""
        with self.connection() as connection:
            found: tuple[str, str] | None = connection.execute(
                "SELECT sealed, digest FROM pages WHERE lot_id = ? AND number = ?", (lot_id, number)
            ).fetchone()
        return found

    def quarantined(self, *, lot_id: str | None = None, resource: str | None = None) -> Iterator[tuple[int, str, str]]:
        """Give quarantined rows: number, lot and sealed row; of a lot, or of the newest lot of a resource."""
        with self.connection() as connection:
            if lot_id is None and resource is not None:
                newest = connection.execute(
                    "SELECT lot_id FROM quarantine WHERE resource = ? ORDER BY number DESC LIMIT 1", (resource,)
                ).fetchone()
                lot_id = newest[0] if newest else ""
            yield from connection.execute(
                "SELECT number, lot_id, sealed FROM quarantine WHERE lot_id = ? ORDER BY number", (lot_id or "",)
            )

    def allow(self, resource: str, what: str) -> int:
        """Let something pass in the next lot of a resource; give how many copies that concerns."""
        with self.writing() as connection:
            return connection.execute(
                "UPDATE copies SET allowed = trim(allowed || ' ' || ?) WHERE resource = ?", (what, resource)
            ).rowcount

    def _lots(self, where: str, parameters: Sequence[Any]) -> list[GatewayLot]:
        columns = ", ".join(GatewayLot.__dataclass_fields__)
        with self.connection() as connection:
            rows = connection.execute(f"SELECT {columns} FROM lots {where}", parameters).fetchall()  # noqa: S608  (fixed names only)
        return [GatewayLot(*row) for row in rows]


def make_copy_table(connection: sqlite3.Connection, name: str) -> None:
    """Make a table of marks: `digest` is NULL for a row that is kept back, `page` is where its content stands."""
    connection.execute(
        f"CREATE TABLE {name} (mark BLOB PRIMARY KEY, digest BLOB, page INTEGER, line INTEGER) WITHOUT ROWID"
    )


def snapshot_table(lot_id: str) -> str:
    """Name the table of marks that a lot prepares; a lot's name is letters only."""
    return f"snapshot_{lot_id}"


def drop_lot(connection: sqlite3.Connection, lot_id: str) -> None:
    """Take away what a lot has prepared, but not its entry."""
    connection.execute("DELETE FROM pages WHERE lot_id = ?", (lot_id,))
    connection.execute("DELETE FROM quarantine WHERE lot_id = ?", (lot_id,))
    connection.execute(f"DROP TABLE IF EXISTS {snapshot_table(lot_id)}")


def in_marks(connection: sqlite3.Connection, table: str, marks: Sequence[bytes]) -> Iterable[tuple[Any, ...]]:
    """Find marks in a table of marks: mark, digest, page, line."""
    questions = ", ".join("?" * len(marks))
    return connection.execute(
        f"SELECT mark, digest, page, line FROM {table} WHERE mark IN ({questions})",  # noqa: S608  (fixed names only)
        marks,
    )
