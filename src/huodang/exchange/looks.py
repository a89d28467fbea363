"""Looks (查阅): who saw what of whom, when, for which purpose, by which policy. Each stands in the ledger, too."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.calls import records as batch_records
from huodang.exchange.decisions import Actor, Decision
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Clock, Database, insert_rows, utc_text
from huodang.trust import canonical_json

_COLUMNS: Final = tuple(column.name for column in records.look.c if column is not records.look.c.number)


@dataclass(frozen=True)
class LookEntry:
    """One look to be recorded.

    Attributes:
        subject_index: blind index of the identity number of the person looked at.
        what: resource asked, or page opened.
    """

    actor: Actor
    purpose: str
    case_id: str
    subject_index: str
    elements: tuple[str, ...]
    decision: Decision
    what: str


@dataclass(frozen=True)
class Look:
    """One look as it was recorded; what the person concerned may see of it is all of it.

    Attributes:
        entry_id: its entry in the ledger, for which a receipt can be issued.
        subjects: how many persons were looked at together.
    """

    at: datetime
    user_id: str
    user_name: str
    role: str
    department: str
    purpose: str
    case_id: str
    elements: tuple[str, ...]
    policy: str
    mask_level: str
    what: str
    entry_id: str
    subjects: int = 1


class Looks:
    """Records looks in the transaction of what they are about, and tells who looked."""

    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock

    def record(
        self,
        connection: Connection,
        *,
        actor: Actor,
        purpose: str,
        case_id: str,
        subject_index: str,
        elements: Sequence[str],
        decision: Decision,
        what: str,
    ) -> str:
        """Record one look in the caller's transaction; give its ledger entry."""
        look = LookEntry(actor, purpose, case_id, subject_index, tuple(elements), decision, what)
        return self.record_all(connection, [look])[0]

    def record_all(self, connection: Connection, looks: Sequence[LookEntry]) -> list[str]:
        """Record many looks at once."""
        if not looks:
            return []
        now = self._clock.now()
        entry_ids = self._ledger.record_all(connection, [self.leaf(look, now) for look in looks])
        self.insert(connection, looks, entry_ids, now)
        return entry_ids

    def leaf(
        self, look: LookEntry, now: datetime, more: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[LedgerEntry, bytes]:
        """Make the ledger entry of a look, for a caller that records several kinds at once, with more facts if any."""
        facts = {
            **more,
            "what": look.what,
            "role": look.actor.role,
            "department": look.actor.department,
            "purpose": look.purpose,
            "case": look.case_id,
            "policy": look.decision.policy.replace(" ", ","),
        }
        content = canonical_json(
            {
                "at": utc_text(now),
                "user": look.actor.user_id,
                "subject": look.subject_index,
                "elements": list(look.elements),
                "mask": look.decision.mask_level.value,
                **facts,
            }
        )
        return LedgerEntry("look", now, facts), content

    def insert(
        self, connection: Connection, looks: Sequence[LookEntry], entry_ids: Sequence[str], now: datetime
    ) -> None:
        """Write the rows of looks whose ledger entries are recorded."""
        rows = [
            (
                now,
                look.actor.user_id,
                look.actor.name,
                look.actor.role,
                look.actor.department,
                look.purpose,
                look.case_id,
                look.subject_index,
                json.dumps(look.elements),
                look.decision.policy,
                look.decision.mask_level.value,
                look.what,
                entry_id,
            )
            for look, entry_id in zip(looks, entry_ids, strict=True)
        ]
        insert_rows(connection, records.look, _COLUMNS, rows)

    def of_subject(self, subject_index: str, *, limit: int = 200) -> list[Look]:
        """Tell who looked at a person's data, newest first; a look at many persons at once is told to each of them."""
        lines, batch = batch_records.subject, batch_records.batch
        within = batch.c.number.in_(sa.select(lines.c.batch).where(lines.c.subject_index == subject_index))
        return self._list(records.look.c.subject_index == subject_index, within, limit)

    def of_case(self, case_id: str, *, limit: int = 200) -> list[Look]:
        """Tell who looked in a case, newest first."""
        return self._list(records.look.c.case_id == case_id, batch_records.batch.c.case_id == case_id, limit)

    def latest(self, *, limit: int = 200) -> list[Look]:
        """Tell the newest looks of all, for the auditor; one at many persons at once stands once, with their number."""
        return self._list(sa.true(), sa.true(), limit)

    def _list(self, single: sa.ColumnElement[bool], batched: sa.ColumnElement[bool], limit: int) -> list[Look]:
        looks, batch = records.look, batch_records.batch
        statements = (
            sa.select(looks, sa.literal(1).label("subjects")).where(single).order_by(looks.c.number.desc()),
            sa.select(batch, batch.c.resource.label("what")).where(batched).order_by(batch.c.number.desc()),
        )
        with self._database.read() as connection:
            found = [_look(row) for statement in statements for row in connection.execute(statement.limit(limit))]
        return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def _look(row: sa.Row[Any]) -> Look:
    return Look(
        at=row.at,
        user_id=row.user_id,
        user_name=row.user_name,
        role=row.role,
        department=row.department,
        purpose=row.purpose,
        case_id=row.case_id,
        elements=tuple(json.loads(row.elements)),
        policy=row.policy,
        mask_level=row.mask_level,
        what=row.what,
        entry_id=row.entry_id,
        subjects=row.subjects,
    )
