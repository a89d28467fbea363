"""A gateway's own record of events: what was known of each row, how far each watch has come, and what was published.

One SQLite file with full synchronisation. State, events and position move in one transaction, so a change becomes one
event however often the process is killed. What is known of a row is sealed with the gateway's own secret; what was
published is sealed to its subscriber.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from huodang.exchange.errors import SourceError
from huodang.standards import Place
from huodang.store import parse_instant, utc_text

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE known (
  resource TEXT NOT NULL, mark TEXT NOT NULL, digest TEXT NOT NULL, sealed TEXT NOT NULL,
  PRIMARY KEY (resource, mark)
) WITHOUT ROWID;
CREATE TABLE position (resource TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream (
  number INTEGER PRIMARY KEY,
  resource TEXT NOT NULL, consumer TEXT NOT NULL, epoch TEXT NOT NULL, previous TEXT NOT NULL, last INTEGER NOT NULL
);
CREATE UNIQUE INDEX ix_stream ON stream (resource, consumer, epoch);
CREATE TABLE batch (
  number INTEGER PRIMARY KEY,
  resource TEXT NOT NULL, consumer TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  agreement_id TEXT NOT NULL, agreement_version INTEGER NOT NULL, terms TEXT NOT NULL, made_at TEXT NOT NULL,
  envelope TEXT NOT NULL, events TEXT NOT NULL
);
CREATE UNIQUE INDEX ix_batch ON batch (resource, consumer, epoch, last);
CREATE INDEX ix_batch_made_at ON batch (made_at);
CREATE TABLE quarantined (
  number INTEGER PRIMARY KEY,
  resource TEXT NOT NULL, mark TEXT NOT NULL, reason TEXT NOT NULL, element TEXT NOT NULL, "column" TEXT NOT NULL,
  noticed_at TEXT NOT NULL, mended_at TEXT
);
CREATE INDEX ix_quarantined ON quarantined (resource, mark);
CREATE TABLE taken (
  resource TEXT NOT NULL, consumer TEXT NOT NULL, epoch TEXT NOT NULL, through INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (resource, consumer)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class StoredBatch:
    """A batch as it is handed over.

    Attributes:
        terms: fields and rows of the agreement that it was made under, as JSON.
        events: the texts of its events, as a JSON list.
    """

    first: int
    last: int
    agreement_id: str
    agreement_version: int
    terms: str
    envelope: str
    events: str


@dataclass(frozen=True)
class QuarantinedChange:
    """A changed row that couldn't be read, without any value of it."""

    number: int
    resource: str
    reason: str
    element: str
    column: str
    noticed_at: datetime
    mended_at: datetime | None


@dataclass(frozen=True)
class StreamState:
    """How far a subscriber's events have come, and how far it has taken them."""

    resource: str
    consumer: str
    epoch: str
    last: int
    taken: int
    taken_at: datetime | None


class EventLog:
    """Opens, or makes, the file. Safe to share between threads: one writes at a time, readers don't wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _connect(path)
        self._reader = _connect(path)
        self._turn = threading.RLock()
        self._own_epochs: dict[tuple[str, str], str] = {}
        self._reading = threading.Lock()
        with self.writing():
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise SourceError(
                    "前置机的事件库由更新的版本建立",
                    "the gateway's event log was made by a newer release",
                    advice_chinese="请使用新版本程序。",
                    advice_english="Run the newer release.",
                    place=Place(file=path.name),
                )
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    self._writer.execute(statement)
                self._writer.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold one write transaction; it commits whole or not at all."""
        with self._turn:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def digests(self, resource: str, marks: Sequence[str]) -> dict[str, str]:
        """Give the remembered digests of some rows."""
        found: dict[str, str] = {}
        for start in range(0, len(marks), 500):
            some = marks[start : start + 500]
            places = ", ".join("?" * len(some))
            statement = f"SELECT mark, digest FROM known WHERE resource = ? AND mark IN ({places})"  # noqa: S608  (question marks only)
            found.update(self._read(statement, [resource, *some]))
        return found

    def known(self, resource: str, mark: str) -> tuple[str, str] | None:
        """Give digest and sealed values of one row."""
        for digest, sealed in self._read(
            "SELECT digest, sealed FROM known WHERE resource = ? AND mark = ?", [resource, mark]
        ):
            return digest, sealed
        return None

    def count_known(self, resource: str) -> int:
        """Count the rows remembered."""
        return int(self._read("SELECT count(*) FROM known WHERE resource = ?", [resource])[0][0])

    def missing(self, resource: str, present: set[str], limit: int) -> list[str]:
        """List remembered rows that aren't among those present, up to a bound."""
        missing: list[str] = []
        after = ""
        while len(missing) < limit:
            rows = self._read(
                "SELECT mark FROM known WHERE resource = ? AND mark > ? ORDER BY mark LIMIT 5000", [resource, after]
            )
            if not rows:
                break
            missing += [mark for (mark,) in rows if mark not in present]
            after = rows[-1][0]
        return missing[:limit]

    def remember(self, resource: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Remember rows: mark, digest, sealed values. Within `writing`."""
        self._writer.executemany(
            "INSERT INTO known VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET digest = excluded.digest, sealed = excluded.sealed",
            [(resource, *row) for row in rows],
        )

    def forget(self, resource: str, marks: Iterable[str]) -> None:
        """Forget rows. Within `writing`."""
        self._writer.executemany(
            "DELETE FROM known WHERE resource = ? AND mark = ?", [(resource, mark) for mark in marks]
        )

    def position(self, resource: str) -> dict[str, Any] | None:
        """Give how far a watch has come; None if it never began."""
        for (state,) in self._read("SELECT state FROM position WHERE resource = ?", [resource]):
            found: dict[str, Any] = json.loads(state)
            return found
        return None

    def set_position(self, resource: str, state: dict[str, Any]) -> None:
        """Move a watch on. Within `writing`."""
        self._writer.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", (resource, json.dumps(state)))

    def epochs(self, resource: str, consumer: str) -> list[tuple[str, int]]:
        """List a subscriber's epochs in their order, each with its last sequence number."""
        return [
            (epoch, last)
            for epoch, last in self._read(
                "SELECT epoch, last FROM stream WHERE resource = ? AND consumer = ? ORDER BY number",
                [resource, consumer],
            )
        ]

    def open_stream(self, resource: str, consumer: str) -> tuple[str, int, str]:
        """Give epoch, last number, and where the epoch before it ended. Within `writing`.

        Every run of the gateway begins an epoch of its own: should the file have been restored from a copy, the numbers
        that were given out since aren't given out again for something else.
        """
        epoch = self._own_epochs.setdefault((resource, consumer), _new_epoch())
        before = self._writer.execute(
            "SELECT epoch || ':' || last FROM stream WHERE resource = ? AND consumer = ? ORDER BY number DESC LIMIT 1",
            (resource, consumer),
        ).fetchone()
        self._writer.execute(
            "INSERT OR IGNORE INTO stream VALUES (NULL, ?, ?, ?, ?, 0)",
            (resource, consumer, epoch, before[0] if before else ""),
        )
        row = self._writer.execute(
            "SELECT last, previous FROM stream WHERE resource = ? AND consumer = ? AND epoch = ?",
            (resource, consumer, epoch),
        ).fetchone()
        return epoch, row[0], row[1]

    def append(
        self, resource: str, consumer: str, epoch: str, batches: Sequence[StoredBatch], made_at: datetime
    ) -> None:
        """Append batches and move the stream on. Within `writing`."""
        self._writer.executemany(
            "INSERT INTO batch VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    resource,
                    consumer,
                    epoch,
                    one.first,
                    one.last,
                    one.agreement_id,
                    one.agreement_version,
                    one.terms,
                    utc_text(made_at),
                    one.envelope,
                    one.events,
                )
                for one in batches
            ],
        )
        self._writer.execute(
            "UPDATE stream SET last = ? WHERE resource = ? AND consumer = ? AND epoch = ?",
            (batches[-1].last, resource, consumer, epoch),
        )

    def after(self, resource: str, consumer: str, epoch: str, cursor: int, size: int) -> list[StoredBatch]:
        """Give the batches after a place, in order: one at least if there is any, about `size` characters.

        An epoch that isn't known here is of a log that was lost: then everything is given, and the subscriber knows
        what it has.
        """
        epochs = self.epochs(resource, consumer)
        names = [one for one, _ in epochs]
        at = names.index(epoch) if epoch in names else 0
        cursor = cursor if epoch in names else 0
        found: list[StoredBatch] = []
        statement = (
            "SELECT first, last, agreement_id, agreement_version, terms, envelope, events FROM batch "
            "WHERE resource = ? AND consumer = ? AND epoch = ? AND last > ? ORDER BY last LIMIT 1"
        )
        while size > 0 and at < len(epochs):
            rows = self._read(statement, [resource, consumer, names[at], cursor])
            if not rows:
                at, cursor = at + 1, 0
                continue
            batch = StoredBatch(*rows[0])
            found.append(batch)
            cursor = batch.last
            size -= len(batch.events) + len(batch.envelope)
        return found

    def oldest(self, resource: str, consumer: str, epoch: str) -> int:
        """Give the first sequence number that is still kept; 0 if none is."""
        rows = self._read(
            "SELECT min(first) FROM batch WHERE resource = ? AND consumer = ? AND epoch = ?",
            [resource, consumer, epoch],
        )
        return int(rows[0][0] or 0)

    def prune(self, before: datetime) -> int:
        """Take batches out that were made before an instant; give how many."""
        with self.writing():
            return self._writer.execute("DELETE FROM batch WHERE made_at < ?", (utc_text(before),)).rowcount

    def quarantine(self, resource: str, faults: Iterable[tuple[str, str, str, str]], at: datetime) -> None:
        """Note rows that can't be read: mark, reason, element, column. Within `writing`."""
        self._writer.executemany(
            "INSERT INTO quarantined VALUES (NULL, ?, ?, ?, ?, ?, ?, NULL)",
            [(resource, *fault, utc_text(at)) for fault in faults],
        )

    def mend(self, resource: str, marks: Iterable[str], at: datetime) -> None:
        """Note that rows can be read again, or are gone. Within `writing`."""
        self._writer.executemany(
            "UPDATE quarantined SET mended_at = ? WHERE resource = ? AND mark = ? AND mended_at IS NULL",
            [(utc_text(at), resource, mark) for mark in marks],
        )

    def quarantined(self, *, open_only: bool = True, limit: int = 100) -> list[QuarantinedChange]:
        """List changed rows that couldn't be read, newest first."""
        condition = "WHERE mended_at IS NULL" if open_only else ""
        rows = self._read(
            'SELECT number, resource, reason, element, "column", noticed_at, mended_at '  # noqa: S608  (fixed texts only)
            f"FROM quarantined {condition} ORDER BY number DESC LIMIT ?",
            [limit],
        )
        return [
            QuarantinedChange(number, resource, reason, element, column, parse_instant(noticed), _instant(mended))
            for number, resource, reason, element, column, noticed, mended in rows
        ]

    def note_taken(self, resource: str, consumer: str, epoch: str, through: int, at: datetime) -> None:
        """Note how far a subscriber says it has taken its events."""
        with self.writing():
            self._writer.execute(
                "INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?, ?)",
                (resource, consumer, epoch, through, utc_text(at)),
            )

    def streams(self) -> list[StreamState]:
        """List all subscribers' streams."""
        rows = self._read(
            "SELECT s.resource, s.consumer, s.epoch, s.last, CASE WHEN t.epoch = s.epoch THEN t.through ELSE 0 END, "
            "t.at FROM stream s LEFT JOIN taken t ON t.resource = s.resource AND t.consumer = s.consumer "
            "WHERE s.number IN (SELECT max(number) FROM stream GROUP BY resource, consumer) "
            "ORDER BY s.resource, s.consumer",
            [],
        )
        return [
            StreamState(resource, consumer, epoch, last, taken, _instant(at))
            for resource, consumer, epoch, last, taken, at in rows
        ]

    def close(self) -> None:
        """Close the file."""
        with self._turn, self._reading:
            self._writer.close()
            self._reader.close()

    def _read(self, statement: str, values: Sequence[object]) -> list[Any]:
        with self._reading:
            return self._reader.execute(statement, values).fetchall()


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


def _new_epoch() -> str:
    """Name an epoch by letters only: a run of digits could pass for somebody's number."""
    return "e" + secrets.token_hex(8).translate(str.maketrans("0123456789", "ghijklmnop"))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
