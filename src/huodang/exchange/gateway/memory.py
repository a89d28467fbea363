"""What a gateway remembers in its own small database: grants it has answered, and an append-only log for its steward.

SQLite with full synchronisation: an answer leaves the gateway only after its line is on the disk. The log holds no
personal data; a person's lines are found by a mark that only this gateway's secret can make.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from huodang.exchange.calls.limits import Spending
from huodang.exchange.errors import SourceError
from huodang.exchange.values import Grant, to_the_second
from huodang.standards import Place
from huodang.store import parse_instant, utc_text

_VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE nonces (nonce TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX ix_nonces_expires_at ON nonces (expires_at);
CREATE TABLE answers (
  number INTEGER PRIMARY KEY,
  answered_at TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  grant_digest TEXT NOT NULL,
  consumer TEXT NOT NULL,
  purpose TEXT NOT NULL,
  case_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  agreement_id TEXT NOT NULL,
  agreement_version INTEGER NOT NULL,
  elements TEXT NOT NULL,
  fields TEXT NOT NULL,
  subject_mark TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  evidence_hash TEXT NOT NULL,
  salt TEXT NOT NULL
);
CREATE INDEX ix_answers_subject_mark ON answers (subject_mark);
CREATE INDEX ix_answers_grant_id ON answers (grant_id);
CREATE TRIGGER answers_stay BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER answers_last BEFORE DELETE ON answers BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
"""
# Since version 2: the persons of each page of a batch, and what was spent under agreements that have a limit.
_SINCE_2: Final = """
CREATE TABLE batch_lines (
  subject_mark TEXT NOT NULL,
  number INTEGER NOT NULL REFERENCES answers (number),
  line INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (subject_mark, number, line)
) WITHOUT ROWID;
CREATE TRIGGER batch_lines_stay BEFORE UPDATE ON batch_lines BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER batch_lines_last BEFORE DELETE ON batch_lines BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TABLE spending (
  agreement_id TEXT NOT NULL,
  second INTEGER NOT NULL,
  subjects INTEGER NOT NULL,
  PRIMARY KEY (agreement_id, second)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class LogLine:
    """One answer or refusal, as the steward reads it.

    Attributes:
        outcome: outcome of the verdict, or `refusal`.
        reason: reason of the verdict, or code of the refusal.
        salt: with it and the rows, the evidence hash can be made again at this department only.
    """

    answered_at: datetime
    grant_id: str
    grant_digest: str
    consumer: str
    purpose: str
    case_id: str
    resource: str
    agreement_id: str
    agreement_version: int
    elements: tuple[str, ...]
    fields: tuple[str, ...]
    subject_mark: str
    outcome: str
    reason: str
    evidence_hash: str = ""
    salt: str = ""
    number: int | None = None

    @classmethod
    def of_grant(
        cls,
        grant: Grant | None,
        digest: str,
        outcome: str,
        reason: str,
        now: datetime,
        *,
        fields: tuple[str, ...] = (),
        subject_mark: str = "",
    ) -> Self:
        """Make the line of an answer to a grant; empty where no grant could be read."""
        return cls(
            answered_at=to_the_second(now),
            grant_id=grant.grant_id if grant else "",
            grant_digest=digest,
            consumer=grant.consumer if grant else "",
            purpose=grant.purpose if grant else "",
            case_id=grant.case_id if grant else "",
            resource=grant.resource if grant else "",
            agreement_id=grant.agreement_id if grant else "",
            agreement_version=grant.agreement_version if grant else 0,
            elements=grant.elements if grant else (),
            fields=fields,
            subject_mark=subject_mark,
            outcome=outcome,
            reason=reason,
        )


_COLUMNS: Final = (
    "answered_at, grant_id, grant_digest, consumer, purpose, case_id, resource, agreement_id, agreement_version, "
    "elements, fields, subject_mark, outcome, reason, evidence_hash, salt"
)
_INSERT: Final = f"INSERT INTO answers ({_COLUMNS}) VALUES ({', '.join('?' * 16)})"  # noqa: S608  (fixed names only)


# A person's lines within batches, as if each had been answered alone.
_OF_PERSON: Final = f"""
SELECT {_COLUMNS}, number FROM (
  SELECT answered_at, grant_id, grant_digest, consumer, purpose, case_id, resource, agreement_id, agreement_version,
    elements, fields, batch_lines.subject_mark, batch_lines.outcome, batch_lines.reason, evidence_hash, salt, number
  FROM batch_lines JOIN answers USING (number)
) WHERE ORDER BY number DESC LIMIT ?
"""  # noqa: S608  (fixed names only)


class GatewayMemory:
    """Opens, or makes, the database at a path. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._writing() as cursor:
            version = cursor.execute("PRAGMA user_version").fetchone()[0]
            if not 0 <= version <= _VERSION:
                raise SourceError(
                    "前置机自己的数据库由更新的版本建立",
                    "the gateway's own database was made by a newer release",
                    advice_chinese="请使用新版本程序。",
                    advice_english="Run the newer release.",
                    place=Place(file=path.name),
                )
            if version < _VERSION:
                # `executescript` would commit on its own; a trigger's body holds a semicolon, but no line end.
                for statement in ((_SCHEMA if version == 0 else "") + _SINCE_2).split(";\n"):
                    if statement.strip():
                        cursor.execute(statement)
                cursor.execute(f"PRAGMA user_version = {_VERSION}")

    def seen(self, nonces: Sequence[str]) -> set[str]:
        """Say which nonces were taken before."""
        with self._lock:
            return _known(self._connection.cursor(), nonces)

    def write(self, answered: Sequence[tuple[str | None, datetime | None, LogLine]]) -> set[int]:
        """Take the nonces and append the lines, in one transaction.

        Args:
            answered: for each, the nonce to take and when it may be forgotten (None for refusals), and the line.

        Returns:
            Positions whose nonce another request took in the meantime: nothing is written of them.
        """
        late: set[int] = set()
        taken: list[tuple[str, str]] = []
        rows: list[tuple[str | int, ...]] = []
        with self._writing() as cursor:
            known = _known(cursor, [nonce for nonce, _, _ in answered if nonce is not None])
            for position, (nonce, expires_at, line) in enumerate(answered):
                if nonce in known:
                    late.add(position)
                    continue
                if nonce is not None and expires_at is not None:
                    known.add(nonce)
                    taken.append((nonce, _stamp(expires_at)))
                rows.append(_row(line))
            cursor.executemany("INSERT INTO nonces VALUES (?, ?)", taken)
            cursor.executemany(_INSERT, rows)
        return late

    def spend(self, agreement_id: str, subjects: int, limit: int, now: datetime) -> int | None:
        """Spend so much of an agreement's limit, for good.

        Returns:
            0 if it was spent, else in how many seconds it may be; None for never, as it is more than the limit.
        """
        second = int(now.timestamp())
        with self._writing() as cursor:
            rows = cursor.execute("SELECT second, subjects FROM spending WHERE agreement_id = ?", (agreement_id,))
            spent = Spending.of(rows.fetchall())
            wait = spent.wait(second, subjects, limit)
            if wait == 0:
                cursor.execute("DELETE FROM spending WHERE agreement_id = ?", (agreement_id,))
                kept = [(agreement_id, *pair) for pair in spent.spend(second, subjects).by_second]
                cursor.executemany("INSERT INTO spending VALUES (?, ?, ?)", kept)
            return wait

    def take(self, nonce: str, until: datetime, line: LogLine) -> bool:
        """Take the nonce of a batch and append its line; False if it was taken before, and nothing is written."""
        return not self.write([(nonce, until, line)])

    def write_page(self, line: LogLine, lines: Sequence[tuple[str, int, str, str]]) -> None:
        """Append the line of a page, and each person's: mark, place in the batch, outcome and reason."""
        with self._writing() as cursor:
            number = cursor.execute(_INSERT, _row(line)).lastrowid or 0
            # In the order of the index they lie in, which spares the database most of its searching.
            cursor.executemany(
                f"INSERT INTO batch_lines VALUES (?, {number:d}, ?, ?, ?)",  # noqa: S608  (a row's number only)
                sorted(lines),
            )

    def forget(self, now: datetime) -> None:
        """Drop nonces of grants that have expired: those are refused for their age."""
        with self._writing() as cursor:
            cursor.execute("DELETE FROM nonces WHERE expires_at < ?", (_stamp(now),))

    def lines(self, *, limit: int = 100, subject_mark: str | None = None, resource: str | None = None) -> list[LogLine]:
        """Give the newest lines first."""
        conditions = [
            (text, value)
            for text, value in (("subject_mark = ?", subject_mark), ("resource = ?", resource))
            if value is not None
        ]
        where = f"WHERE {' AND '.join(text for text, _ in conditions)}" if conditions else ""
        values = [value for _, value in conditions]
        statement = f"SELECT {_COLUMNS}, number FROM answers {where} ORDER BY number DESC LIMIT ?"  # noqa: S608  (fixed texts only)
        with self._lock:
            rows = self._connection.execute(statement, [*values, limit]).fetchall()
            if subject_mark is not None:
                rows += self._connection.execute(_OF_PERSON.replace("WHERE", where, 1), [*values, limit]).fetchall()
        return sorted((_line(row) for row in rows), key=lambda one: one.number or 0, reverse=True)[:limit]

    def counts(self) -> dict[str, int]:
        """Count answers by outcome."""
        with self._lock:
            rows = self._connection.execute("SELECT outcome, count(*) FROM answers GROUP BY outcome").fetchall()
        return {outcome: count for outcome, count in rows}  # noqa: C416  (tells the types)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        with self._lock:
            cursor = self._connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
            cursor.close()


def _known(cursor: sqlite3.Cursor, nonces: Sequence[str]) -> set[str]:
    if not nonces:
        return set()
    marks = ", ".join("?" * len(nonces))
    found = cursor.execute(
        f"SELECT nonce FROM nonces WHERE nonce IN ({marks})",  # noqa: S608  (question marks only)
        list(nonces),
    )
    return {row[0] for row in found}


def _stamp(instant: datetime) -> str:
    return utc_text(instant.astimezone(UTC).replace(microsecond=0))


def _row(line: LogLine) -> tuple[str | int, ...]:
    return (
        utc_text(line.answered_at),
        line.grant_id,
        line.grant_digest,
        line.consumer,
        line.purpose,
        line.case_id,
        line.resource,
        line.agreement_id,
        line.agreement_version,
        json.dumps(line.elements),
        json.dumps(line.fields),
        line.subject_mark,
        line.outcome,
        line.reason,
        line.evidence_hash,
        line.salt,
    )


def _line(row: tuple[str, ...]) -> LogLine:
    return LogLine(
        answered_at=parse_instant(row[0]),
        grant_id=row[1],
        grant_digest=row[2],
        consumer=row[3],
        purpose=row[4],
        case_id=row[5],
        resource=row[6],
        agreement_id=row[7],
        agreement_version=int(row[8]),
        elements=tuple(json.loads(row[9])),
        fields=tuple(json.loads(row[10])),
        subject_mark=row[11],
        outcome=row[12],
        reason=row[13],
        evidence_hash=row[14],
        salt=row[15],
        number=int(row[16]),
    )
