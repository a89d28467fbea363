"""Keeping what came: events, evidence, looks, ledger leaf and cursor in one transaction; alarms for administrators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from huodang.exchange.decisions import Actor, Decision
from huodang.exchange.events import records
from huodang.exchange.events.intake import Alarm, AlarmCode, Judged, OpenedBatch, StreamPosition
from huodang.exchange.events.messages import EVENT_BATCH, OpenedEvent
from huodang.exchange.events.metrics import ALARMS, RECEIVED
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.questions import SUBJECT
from huodang.exchange.values import Agreement, Grant
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Clock, Database, insert_rows, parse_instant, serialise
from huodang.trust import FieldSealer

_log = structlog.get_logger("huodang.exchange.events")

_LOCK: Final = "huodang.events"
EVENT_KEY: Final = "event_key"
"""Under which the key of an event's data is sealed."""


@dataclass(frozen=True)
class Asked:
    """On which grant and decision a page was asked for."""

    grant: Grant
    digest: str
    agreement: Agreement
    decision: Decision
    actor: Actor


class EventStore:
    """The hub's record of events.

    Args:
        database: the hub's.
        ledger: where each batch becomes a leaf.
        looks: where each person may read that an event was handed over.
        sealer: seals the events' keys and makes blind indexes.
        clock: the time.
    """

    def __init__(self, database: Database, ledger: Ledger, looks: Looks, sealer: FieldSealer, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._looks = looks
        self._sealer = sealer
        self._clock = clock

    def position(self, connection: Connection, resource: str) -> StreamPosition:
        """Say how far the events of a resource have been taken."""
        table = records.stream
        row = connection.execute(sa.select(table).where(table.c.resource == resource)).one_or_none()
        return StreamPosition(resource, row.epoch, row.cursor) if row is not None else StreamPosition(resource)

    def keep(self, asked: Asked, before: StreamPosition, judged: Judged) -> int:
        """Keep what was judged; give the number of new events.

        Nothing is kept if another node of the hub has moved the stream on meanwhile: it has kept the same.
        """
        now = self._clock.now()
        with self._database.begin() as connection:
            # One at a time: handlers follow the numbers, so a lower one must never come to light after a higher.
            serialise(connection, _LOCK)
            if self.position(connection, before.resource) != before:
                return 0
            kept = 0
            for batch in judged.batches:
                kept += self._keep_batch(connection, asked, batch, now)
            self._move(connection, asked.agreement.provider, judged, now)
        if kept:
            RECEIVED.labels(before.resource).inc(kept)
        return kept

    def unreachable(self, provider: str, resources: Iterable[str], detail: str) -> None:
        """Note that a gateway gave nothing that could be judged."""
        now = self._clock.now()
        with self._database.begin() as connection:
            serialise(connection, _LOCK)
            for resource in resources:
                position = self.position(connection, resource)
                alarm = Alarm(AlarmCode.UNREACHABLE, detail)
                self._move(connection, provider, Judged(position, alarms=(alarm,)), now, answered=False)

    def rewind(self, connection: Connection, resource: str, sequence: int) -> bool:
        """Set a stream's cursor, so that the gateway is asked for what follows; what is here already counts once."""
        table = records.stream
        serialise(connection, _LOCK)
        changed = connection.execute(
            sa.update(table).where(table.c.resource == resource).values(cursor=sequence, alarm="")
        )
        return changed.rowcount > 0

    def _keep_batch(self, connection: Connection, asked: Asked, opened: OpenedBatch, now: datetime) -> int:
        batch = opened.batch
        known = self._known(connection, opened)
        fresh = [one for one in opened.events if one.head.event_id not in known]
        conflicts = [one for one in opened.events if known.get(one.head.event_id, one.digest) != one.digest]
        for one in conflicts:
            raise_alarm(connection, batch.resource, Alarm(AlarmCode.CONFLICT, str(one.head.sequence)), now)
        content = opened.envelope.to_json()
        entry_id = self._ledger.record(connection, LedgerEntry("event", now, _facts(asked, opened)), content.encode())
        table = records.batch
        if not connection.execute(
            sa.select(table.c.first).where(
                table.c.resource == batch.resource, table.c.epoch == batch.epoch, table.c.first == batch.first
            )
        ).first():
            connection.execute(
                sa.insert(table).values(
                    resource=batch.resource,
                    epoch=batch.epoch,
                    first=batch.first,
                    last=batch.last,
                    envelope=content,
                    grant_id=asked.grant.grant_id,
                    received_at=now,
                    entry_id=entry_id,
                )
            )
        if fresh:
            self._insert(connection, asked, opened, fresh, entry_id=entry_id, now=now)
        return len(fresh)

    def _insert(
        self,
        connection: Connection,
        asked: Asked,
        opened: OpenedBatch,
        fresh: Sequence[OpenedEvent],
        *,
        entry_id: str,
        now: datetime,
    ) -> None:
        last = connection.execute(sa.select(sa.func.max(records.event.c.number))).scalar() or 0
        persons = [self._person(one) for one in fresh]
        rows = [
            {
                "number": last + 1 + at,
                "event_id": one.head.event_id,
                "resource": one.head.resource,
                "provider": one.head.provider,
                "epoch": opened.batch.epoch,
                "sequence": one.head.sequence,
                "type": one.head.type,
                "change": one.head.change.value,
                "person": person,
                "row": one.head.row,
                "noticed_at": parse_instant(one.head.time),
                "received_at": now,
                "digest": one.digest,
                "text": one.text,
                "suite": opened.suite,
                "key": self._sealer.seal(EVENT_KEY, opened.key_of(one), one.head.event_id),
                "batch_first": opened.batch.first,
            }
            for at, (one, person) in enumerate(zip(fresh, persons, strict=True))
        ]
        insert_rows(connection, records.event, tuple(rows[0]), [tuple(row.values()) for row in rows])
        looks = [
            LookEntry(
                actor=asked.actor,
                purpose=asked.grant.purpose,
                case_id="",
                subject_index=person if SUBJECT in one.data else "",
                elements=tuple(sorted(one.data)),
                decision=asked.decision,
                what=one.head.resource,
            )
            for one, person in zip(fresh, persons, strict=True)
        ]
        # One leaf proves the whole batch, so every look of it names that one.
        self._looks.insert(connection, looks, [entry_id] * len(looks), now)

    def _person(self, one: OpenedEvent) -> str:
        number = one.data.get(SUBJECT)
        return self._sealer.blind_index(SUBJECT, number) if number else one.head.subject[:32]

    def _known(self, connection: Connection, opened: OpenedBatch) -> Mapping[str, str]:
        table = records.event
        rows = connection.execute(
            sa.select(table.c.event_id, table.c.digest).where(
                table.c.resource == opened.batch.resource,
                table.c.epoch == opened.batch.epoch,
                table.c.sequence.between(opened.batch.first, opened.batch.last),
            )
        )
        return {row.event_id: row.digest for row in rows}

    def _move(
        self, connection: Connection, provider: str, judged: Judged, now: datetime, *, answered: bool = True
    ) -> None:
        """Move the stream on, and raise what is wrong; once only as long as the same stands."""
        table, resource = records.stream, judged.position.resource
        standing = connection.execute(sa.select(table.c.alarm).where(table.c.resource == resource)).scalar()
        for one in judged.alarms:
            if one.code.value != standing or one.code in _PASSING:
                raise_alarm(connection, resource, one, now)
        code = next((one.code.value for one in reversed(judged.alarms) if one.code not in _PASSING), "")
        values: dict[str, Any] = {"epoch": judged.position.epoch, "cursor": judged.position.cursor, "alarm": code}
        if answered:
            values |= {"answered_at": now, "latest": max(judged.latest, judged.position.cursor)}
        if code and code != standing:
            values["alarm_at"] = now
        if standing is None:
            first = {"latest": 0, "answered_at": None, "alarm_at": None}
            connection.execute(sa.insert(table).values(resource=resource, provider=provider, **{**first, **values}))
        else:
            connection.execute(sa.update(table).where(table.c.resource == resource).values(**values))


def raise_alarm(connection: Connection, resource: str, alarm: Alarm, now: datetime) -> None:
    """Write an alarm down, count it and log it."""
    connection.execute(
        sa.insert(records.alarm).values(at=now, resource=resource, code=alarm.code.value, detail=alarm.detail[:128])
    )
    ALARMS.labels(alarm.code.value).inc()
    _log.error("events.alarm", resource=resource, code=alarm.code.value, detail=alarm.detail)


_PASSING: Final = frozenset({AlarmCode.LOG_RESTARTED, AlarmCode.HISTORY_LOST, AlarmCode.WITHHELD})


def _facts(asked: Asked, opened: OpenedBatch) -> dict[str, str]:
    batch = opened.batch
    return {
        "what": EVENT_BATCH,
        "resource": batch.resource,
        "provider": batch.provider,
        "consumer": batch.consumer,
        "agreement": f"{batch.agreement_id}/{batch.agreement_version}",
        "purpose": asked.grant.purpose,
        "policy": asked.decision.policy.replace(" ", ","),
        "grant": asked.grant.grant_id,
        "asked": asked.digest,
        "epoch": batch.epoch,
        "events": f"{batch.first}-{batch.last}",
        "digest": opened.envelope.digest,
    }
