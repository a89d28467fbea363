"""Events at the hub, put together: subscriptions to the gateways, handlers, and what an administrator sees and does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from huodang.exchange.agreements import Agreements
from huodang.exchange.client import GatewayDirectory
from huodang.exchange.events import records
from huodang.exchange.events.held import DEAD
from huodang.exchange.events.keeping import EventStore
from huodang.exchange.events.messages import Change
from huodang.exchange.events.subscriber import EventSubscriber
from huodang.exchange.events.subscriptions import Subscriptions
from huodang.exchange.looks import Looks
from huodang.ledger import Ledger
from huodang.store import Clock, Database
from huodang.trust import FieldSealer, Signer, TrustedKeys


@dataclass(frozen=True)
class StreamRow:
    """How far the events of a resource have been taken.

    Attributes:
        cursor: sequence number of the last event taken.
        latest: of the last that the gateway had when it answered last.
        alarm: code of what stands in the way; empty if nothing does.
    """

    resource: str
    provider: str
    epoch: str
    cursor: int
    latest: int
    answered_at: datetime | None
    alarm: str
    alarm_at: datetime | None


@dataclass(frozen=True)
class EventRow:
    """An event without what it says of the person."""

    number: int
    event_id: str
    resource: str
    provider: str
    sequence: int
    type: str
    change: Change
    person: str
    row: str
    noticed_at: datetime
    received_at: datetime
    digest: str


@dataclass(frozen=True)
class HeldRow:
    """An event that a handler couldn't take."""

    handler: str
    number: int
    event_id: str
    resource: str
    type: str
    state: str
    attempt: int
    run_at: datetime
    error: str


@dataclass(frozen=True)
class AlarmRow:
    """Something that went wrong, by code."""

    number: int
    at: datetime
    resource: str
    code: str
    detail: str


@dataclass(frozen=True)
class EventEvidence:
    """What proves an event to anyone who has the provider's public key: batch, text, and its place in the batch.

    Attributes:
        envelope: the signed batch, which holds the digest of each event.
        text: the CloudEvent; its data stay sealed.
        entry_id: the batch's entry in the ledger.
    """

    envelope: str
    text: str
    position: int
    entry_id: str


_EVENT_COLUMNS = [records.event.c[name] for name in EventRow.__dataclass_fields__]


class EventOffice:
    """Events at the hub.

    Args:
        database: the hub's.
        agreements: decide what is subscribed to.
        ledger: gets a leaf for each batch.
        signers: the hub's keys, one a suite; the first signs grants.
        trusted: public keys of all departments.
        directory: the gateways.
        sealer: seals the events' keys and makes blind indexes.
        clock: the time.
        consumer: department in whose name is asked.
        max_attempts: after so many failures of a handler an event is a dead letter.
    """

    def __init__(
        self,
        database: Database,
        agreements: Agreements,
        ledger: Ledger,
        signers: Sequence[Signer],
        trusted: TrustedKeys,
        *,
        directory: GatewayDirectory,
        sealer: FieldSealer,
        clock: Clock,
        consumer: str = "social_insurance",
        max_attempts: int = 8,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = EventStore(database, ledger, Looks(database, ledger, clock), sealer, clock)
        self.subscriptions = Subscriptions(database, sealer, clock, max_attempts=max_attempts)
        self.subscriber = EventSubscriber(
            database,
            agreements,
            self._store,
            signers,
            trusted,
            directory=directory,
            clock=clock,
            consumer=consumer,
            on_events=self.subscriptions.wake,
        )

    def start(self) -> None:
        """Subscribe and hand on, until `stop`."""
        self.subscriptions.start()
        self.subscriber.start()

    def stop(self) -> None:
        """End both; what is under way is finished or left as if it hadn't begun."""
        self.subscriber.stop()
        self.subscriptions.stop()

    def streams(self) -> list[StreamRow]:
        """Say how far each resource has been taken."""
        return self._list(StreamRow, sa.select(records.stream).order_by(records.stream.c.resource))

    def events(self, *, resource: str | None = None, person: str | None = None, limit: int = 50) -> list[EventRow]:
        """List the newest events first, of one resource or person (blind index) if asked."""
        table = records.event
        statement = sa.select(*_EVENT_COLUMNS).order_by(table.c.number.desc()).limit(limit)
        if resource is not None:
            statement = statement.where(table.c.resource == resource)
        if person is not None:
            statement = statement.where(table.c.person == person)
        return self._list(EventRow, statement)

    def after(self, number: int, *, resource: str | None = None, limit: int = 50) -> list[EventRow]:
        """List events in the order in which they came, from behind a number on; of one resource if asked."""
        table = records.event
        statement = sa.select(*_EVENT_COLUMNS).where(table.c.number > number).order_by(table.c.number).limit(limit)
        if resource is not None:
            statement = statement.where(table.c.resource == resource)
        return self._list(EventRow, statement)

    def event(self, number: int) -> EventRow | None:
        """Give one event without its data."""
        found = self._list(EventRow, sa.select(*_EVENT_COLUMNS).where(records.event.c.number == number))
        return found[0] if found else None

    def evidence(self, number: int) -> EventEvidence | None:
        """Give what proves an event."""
        events, batches = records.event, records.batch
        statement = (
            sa.select(events.c.text, events.c.sequence, events.c.batch_first, batches.c.envelope, batches.c.entry_id)
            .join(
                batches,
                sa.and_(
                    batches.c.resource == events.c.resource,
                    batches.c.epoch == events.c.epoch,
                    batches.c.first == events.c.batch_first,
                ),
            )
            .where(events.c.number == number)
        )
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        return EventEvidence(row.envelope, row.text, row.sequence - row.batch_first, row.entry_id)

    def dead_letters(self, *, limit: int = 100) -> list[HeldRow]:
        """List what handlers gave up, oldest first."""
        return self._held(records.held.c.state == DEAD, limit)

    def held(self, *, limit: int = 100) -> list[HeldRow]:
        """List all that handlers couldn't take yet, and what waits behind it."""
        return self._held(sa.true(), limit)

    def alarms(self, *, limit: int = 100) -> list[AlarmRow]:
        """List what went wrong, newest first."""
        return self._list(AlarmRow, sa.select(records.alarm).order_by(records.alarm.c.number.desc()).limit(limit))

    def revive(self, handler: str, number: int) -> bool:
        """Try a dead letter again; false if it is none."""
        with self._database.begin() as connection:
            done = self.subscriptions.revive(connection, handler, number)
        self.subscriptions.wake()
        return done

    def dismiss(self, handler: str, number: int) -> bool:
        """Give a dead letter up for good; false if it is none."""
        with self._database.begin() as connection:
            done = self.subscriptions.dismiss(connection, handler, number)
        self.subscriptions.wake()
        return done

    def replay(self, handler: str, resource: str, from_sequence: int) -> int:
        """Have a handler take the events of a resource again; give how many."""
        with self._database.begin() as connection:
            number = self.subscriptions.replay(connection, handler, resource, from_sequence)
        self.subscriptions.wake()
        return number

    def rewind(self, resource: str, sequence: int) -> bool:
        """Ask the gateway again for what follows a sequence number; what is here already counts once.

        A number ahead of the stream's skips what can't be read; false if nothing was ever taken of the resource.
        """
        with self._database.begin() as connection:
            return self._store.rewind(connection, resource, sequence)

    def handlers(self) -> dict[str, int]:
        """Give by handler the number up to which it was handed events."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(records.handler.c.name, records.handler.c.position))
            return {row.name: row.position for row in rows}

    def _held(self, condition: sa.ColumnElement[bool], limit: int) -> list[HeldRow]:
        held, events = records.held, records.event
        statement = (
            sa.select(
                held.c.handler,
                held.c.number,
                events.c.event_id,
                events.c.resource,
                events.c.type,
                held.c.state,
                held.c.attempt,
                held.c.run_at,
                held.c.error,
            )
            .join(events, events.c.number == held.c.number)
            .where(condition)
            .order_by(held.c.handler, held.c.number)
            .limit(limit)
        )
        return self._list(HeldRow, statement)

    def _list(self, shape: Callable[..., Any], statement: sa.Select[Any]) -> list[Any]:
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(statement).mappings()]
        for row in rows:
            if "change" in row:
                row["change"] = Change(row["change"])
        return [shape(**row) for row in rows]
