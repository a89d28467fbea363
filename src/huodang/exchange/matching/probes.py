"""What a gateway remembers of the matches it took part in: how many, of which size, how alike. No value of any set."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from huodang.exchange.matching.errors import BudgetError, MalformedMessageError, NearIdenticalError
from huodang.exchange.matching.sketches import Sketch, nearly_identical
from huodang.store import parse_instant, shanghai_date, utc_text

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS probes (
  match_id TEXT PRIMARY KEY,
  agreement_id TEXT NOT NULL,
  agreement_version INTEGER NOT NULL,
  resource TEXT NOT NULL,
  at TEXT NOT NULL,
  queried INTEGER NOT NULL,
  size_only INTEGER NOT NULL,
  blinding TEXT NOT NULL,
  received TEXT NOT NULL,
  sketch BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_probes_agreement ON probes (agreement_id, at);
"""


@dataclass(frozen=True)
class Probe:
    """One match that is about to be answered.

    Attributes:
        match_id: the same when an interrupted match is taken up again.
        blinding: commitment to the consumer's secret under the agreement.
        received: digest of all blinded values.
    """

    match_id: str
    agreement_id: str
    agreement_version: int
    resource: str
    at: datetime
    queried: int
    size_only: bool
    blinding: str
    received: str
    sketch: Sketch


@dataclass(frozen=True)
class Budget:
    """What a provider allows.

    Attributes:
        per_day: matches under one agreement in a day, Beijing time.
        percent, days: see `MatchSpec`.
    """

    per_day: int
    percent: int
    days: int


class ProbeMemory:
    """Opens, or makes, the database at a path. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def check(self, agreement_id: str, match_id: str, now: datetime, budget: Budget) -> None:
        """Refuse at once what would be refused at the end, before anybody has worked for it.

        Raises:
            BudgetError: today's matches are used up, and this is none of them.
        """
        with self._lock:
            if self._known(match_id) is None:
                self._within(agreement_id, now, budget)

    def admit(self, probe: Probe, budget: Budget) -> bool:
        """Count a match and keep its sketch, or refuse it; nothing is answered before this is on the disk.

        Returns:
            True if it is new, False if it is an earlier one taken up again.

        Raises:
            BudgetError: today's matches are used up.
            NearIdenticalError: the set is nearly one that was matched a short while ago.
            MalformedMessageError: an earlier match is taken up with other values, or under another secret.
        """
        with self._writing():
            known = self._known(probe.match_id)
            if known is not None:
                if known != (probe.agreement_id, probe.resource, probe.received, int(probe.size_only)):
                    raise _other_values()
                return False
            self._within(probe.agreement_id, probe.at, budget)
            self._same_secret(probe)
            self._unlike(probe, budget)
            self._keep(probe)
            return True

    def admit_pair(self, probe: Probe, budget: Budget) -> bool:
        """Count a match with another gateway, or refuse it; nothing is answered before this is on the disk.

        Its secrets are fresh, so there is no sketch to compare. It goes on uncounted with the same set only.

        Args:
            probe: `received` marks the gateway's own set and the other side's resource; `blinding` is empty.
            budget: what the provider allows.

        Returns:
            True if it is new, False if it was begun before and tells nothing more.

        Raises:
            BudgetError: today's matches are used up.
            MalformedMessageError: the own set, or the question, has changed since it was begun.
        """
        with self._writing():
            known = self._known(probe.match_id)
            if known is not None:
                if known != (probe.agreement_id, probe.resource, probe.received, int(probe.size_only)):
                    raise _other_values()
                return False
            self._within(probe.agreement_id, probe.at, budget)
            self._keep(probe)
            return True

    def _keep(self, probe: Probe) -> None:
        self._connection.execute(
            "INSERT INTO probes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                probe.match_id,
                probe.agreement_id,
                probe.agreement_version,
                probe.resource,
                _stamp(probe.at),
                probe.queried,
                int(probe.size_only),
                probe.blinding,
                probe.received,
                probe.sketch.astype("<u8").tobytes(),
            ),
        )

    def count(self, agreement_id: str, now: datetime) -> int:
        """Count the matches of an agreement on the day of an instant."""
        with self._lock:
            return self._today(agreement_id, now)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def _known(self, match_id: str) -> tuple[str, str, str, int] | None:
        found: tuple[str, str, str, int] | None = self._connection.execute(
            "SELECT agreement_id, resource, received, size_only FROM probes WHERE match_id = ?", (match_id,)
        ).fetchone()
        return found

    def _today(self, agreement_id: str, now: datetime) -> int:
        rows = self._connection.execute(
            "SELECT at FROM probes WHERE agreement_id = ? AND at >= ?",
            (agreement_id, _stamp(now - timedelta(days=2))),
        )
        day = shanghai_date(now)
        return sum(shanghai_date(parse_instant(row[0])) == day for row in rows)

    def _within(self, agreement_id: str, now: datetime, budget: Budget) -> None:
        if self._today(agreement_id, now) >= budget.per_day:
            raise BudgetError(
                f"该协议今天的 {budget.per_day} 次比对已用完",
                f"the agreement's {budget.per_day} matches of today are used up",
                advice_chinese="请明天再比对；中断的比对可用原编号继续，不另计次。",
                advice_english="Match again tomorrow; an interrupted match goes on under its own id, uncounted.",
            )

    def _same_secret(self, probe: Probe) -> None:
        row = self._connection.execute(
            "SELECT blinding FROM probes WHERE agreement_id = ? AND agreement_version = ? AND blinding != '' LIMIT 1",
            (probe.agreement_id, probe.agreement_version),
        ).fetchone()
        if row is not None and row[0] != probe.blinding:
            raise _other_values()

    def _unlike(self, probe: Probe, budget: Budget) -> None:
        if not budget.days:
            return
        rows = self._connection.execute(
            "SELECT sketch FROM probes WHERE agreement_id = ? AND agreement_version = ? AND resource = ? AND at >= ? "
            "AND blinding != ''",
            (
                probe.agreement_id,
                probe.agreement_version,
                probe.resource,
                _stamp(probe.at - timedelta(days=budget.days)),
            ),
        )
        for row in rows:
            if nearly_identical(probe.sketch, np.frombuffer(row[0], dtype="<u8").astype(np.uint64), budget.percent):
                raise NearIdenticalError(
                    f"该集合与 {budget.days} 天内比对过的一个集合有 {budget.percent}% 以上相同",
                    f"{budget.percent}% or more of the set stood in one that was matched within {budget.days} days",
                    advice_chinese="两次结果之差会暴露个别人，因此不予比对；请合并到下一期再比对。",
                    advice_english="The difference of two results would tell about single persons: match later.",
                )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _stamp(instant: datetime) -> str:
    return utc_text(instant.astimezone(UTC).replace(microsecond=0))


def _other_values() -> MalformedMessageError:
    return MalformedMessageError(
        "与该协议或该次比对先前使用的密钥或集合不同",
        "the secret or the set differs from what the agreement, or this match, used before",
        advice_chinese="同一协议版本内盲化密钥须保持不变；中断的比对须用原来的集合继续。",
        advice_english="The blinding secret stays the same for an agreement version; go on with the same set.",
    )
