"""Passing events on to neighbours: each gets a stream of its own, sealed to it, with order and cursor kept.

An event is passed on in the very transaction in which the hub's handlers take it, so it is passed on once however often
the process is killed; the neighbour takes it under its own cursor, and what comes twice counts once. It is passed on
only while two agreements are in force: the neighbour's with this hub, and this hub's own with the department (or hub)
behind it. Only elements that both name go on.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import AgreementRecord, Agreements
from huodang.exchange.cascade import records
from huodang.exchange.cascade.door import Door
from huodang.exchange.cascade.offers import Offers
from huodang.exchange.decisions import Action, Actor, DecisionRequest, decide
from huodang.exchange.events.delivery import EventDesk
from huodang.exchange.events.event_log import StoredBatch
from huodang.exchange.events.messages import EVENT_BATCH, EventBatch, EventHead, event_id, write_event
from huodang.exchange.events.publishing import NoRecipientKeyError, Terms, seal_key
from huodang.exchange.events.subscriptions import ReceivedEvent
from huodang.exchange.looks import Looks
from huodang.exchange.values import Agreement, Kind, to_the_second
from huodang.store import Clock, Database, shanghai_date, utc_text
from huodang.trust import FieldSealer, PublicKey, sign_envelope, sm3, suite

_PAGE_BYTES: Final = 1024 * 1024
_LONGEST_WAIT: Final = 25.0
_KEPT_DAYS: Final = 90
_WAITING_AT_ONCE: Final = 8
_SUBJECT: Final = "identity_number"
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")


class EventRelay:
    """The events that a hub passes on.

    Args:
        database: the hub's.
        agreements: the hub's.
        offers: what is passed on.
        door: checks who asks.
        sealer: makes the pseudonyms that each neighbour sees.
        looks: records what was passed on of whom, to which hub.
        clock: the time.
    """

    def __init__(
        self,
        database: Database,
        agreements: Agreements,
        offers: Offers,
        door: Door,
        *,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
    ) -> None:
        self._database = database
        self._agreements = agreements
        self._offers = offers
        self._door = door
        self._sealer = sealer
        self._looks = looks
        self._clock = clock
        self._log = _RelayLog(database)

    def pass_on(self, connection: Connection, event: ReceivedEvent) -> None:
        """Take an event in the transaction of the handler, once for each neighbour that may have it."""
        names = [outer for outer, inner in self._offers.inner_names(connection).items() if inner == event.resource]
        if not names:
            return
        now = self._clock.now()
        in_force = self._agreements.in_force(connection, [event.resource, *names], shanghai_date(now))
        own = self._own(in_force.get(event.resource, []))
        if own is None:
            return
        for name in names:
            for agreement in _by_consumer(in_force.get(name, []), self._door.department).values():
                # Nothing of an agreement limited to rows goes on: what a row holds beyond `fields` isn't known here.
                if not agreement.rows and not own.rows:
                    fields = self._decided(connection, agreement, own, event)
                    if fields:
                        self._append(connection, agreement, fields, event, now)

    def answer(self, grants: Sequence[bytes], wait: float) -> list[dict[str, Any]]:
        """Hand events over to neighbours, one page for each grant; hold the request if there is nothing new."""
        with self._database.read() as connection:
            names = list(self._offers.inner_names(connection))
        desk = EventDesk(self._door, self._log, names, page_bytes=_PAGE_BYTES, longest_wait=_LONGEST_WAIT)
        with self._log.held(desk) as others:
            return desk.answer(grants, wait if others < _WAITING_AT_ONCE else 0.0)

    def leave(self) -> None:
        """Answer the requests that are being held: the process is about to end."""
        self._log.leave()

    def prune(self) -> int:
        """Take out what was made more than 90 days ago; give how many batches."""
        before = self._clock.now() - timedelta(days=_KEPT_DAYS)
        with self._database.begin() as connection:
            return connection.execute(sa.delete(records.batch).where(records.batch.c.made_at < before)).rowcount

    def _decided(
        self, connection: Connection, agreement: Agreement, own: Agreement, event: ReceivedEvent
    ) -> tuple[str, ...]:
        """Decide what of an event a neighbour may have, and record the look; empty if nothing."""
        wanted = tuple(name for name in agreement.fields if name in own.fields)
        neighbour = Actor(f"hub:{agreement.consumer}", agreement.consumer, "neighbour", agreement.consumer)
        for purpose in agreement.purposes:
            if purpose not in own.purposes:
                continue
            decision = decide(DecisionRequest(neighbour, Action.SUBSCRIBE_EVENTS, purpose, wanted))
            if decision.permitted and set(wanted) <= set(decision.elements):
                self._looks.record(
                    connection,
                    actor=neighbour,
                    purpose=purpose,
                    case_id="",
                    subject_index=event.person,
                    elements=wanted,
                    decision=decision,
                    what=agreement.resource,
                )
                return wanted
        return ()

    def _own(self, in_force: Sequence[AgreementRecord]) -> Agreement | None:
        """Find this hub's own agreement for passing events of a resource on."""
        for one in in_force:
            if (one.agreement.consumer, one.agreement.kind) == (self._door.department, Kind.EVENT):
                return one.agreement
        return None

    def _append(
        self, connection: Connection, agreement: Agreement, fields: tuple[str, ...], event: ReceivedEvent, now: datetime
    ) -> None:
        resource, consumer = agreement.resource, agreement.consumer
        recipient = self._recipient(agreement.grant_signer, now)
        epoch, last = self._log.open_stream(connection, resource, consumer)
        sequence = last + 1
        head = EventHead(
            event_id=event_id(epoch, sequence),
            provider=agreement.provider,
            resource=resource,
            type=event.type,
            change=event.change,
            subject=self._pseudonym(consumer, _SUBJECT, event.person),
            time=utc_text(to_the_second(event.noticed_at)),
            sequence=sequence,
            row=self._pseudonym(consumer, "event_row", event.row),
        )
        data = {name: value for name, value in event.data.items() if name in fields}
        content_key = secrets.token_bytes(suite(recipient.suite).key_bytes)
        text = write_event(head, data, content_key, recipient.suite)
        made = EventBatch(
            provider=agreement.provider,
            consumer=consumer,
            resource=resource,
            epoch=epoch,
            first=sequence,
            digests=(sm3(text.encode()).hex(),),
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            made_at=to_the_second(now),
            key=seal_key(content_key, recipient, epoch, sequence),
        )
        envelope = sign_envelope(EVENT_BATCH, made.to_payload(), self._door.signer)
        self._log.append(
            connection,
            resource,
            consumer,
            StoredBatch(
                first=sequence,
                last=sequence,
                agreement_id=agreement.agreement_id,
                agreement_version=agreement.version,
                terms=Terms(agreement.fields, agreement.rows).write(),
                envelope=envelope.to_json(),
                events=json.dumps([text]),
            ),
            now,
        )

    def _pseudonym(self, consumer: str, what: str, text: str) -> str:
        """Name a person or row for one neighbour: two neighbours can't find out that they speak of the same."""
        return self._sealer.blind_index(f"cascade:{consumer}:{what}", text)

    def _recipient(self, holder: str, now: datetime) -> PublicKey:
        usable = [
            key
            for key in self._door.trusted.of_holder(holder)
            if (key.revoked_at is None or key.revoked_at > now) and (key.valid_to is None or key.valid_to >= now)
        ]
        if not usable:
            raise NoRecipientKeyError(holder)
        return max(usable, key=lambda key: (key.suite == self._door.signer.suite, str(key.valid_from)))


class _RelayLog:
    """The streams to neighbours, as the desk that hands events over reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._desks: set[EventDesk] = set()

    def held(self, desk: EventDesk) -> "_Held":
        """Know a desk for as long as it answers, so that it can be told to end."""
        return _Held(self._desks, desk)

    def leave(self) -> None:
        """Tell all desks to answer what they hold."""
        for desk in list(self._desks):
            desk.leave()

    def open_stream(self, connection: Connection, resource: str, consumer: str) -> tuple[str, int]:
        """Give a stream's epoch and last number, in the caller's transaction."""
        table = records.stream
        row = connection.execute(sa.select(table).where(*_is(resource, consumer))).one_or_none()
        if row is not None:
            return row.epoch, row.last
        epoch = "e" + secrets.token_hex(8).translate(_LETTERS)
        connection.execute(sa.insert(table).values(resource=resource, consumer=consumer, epoch=epoch, last=0, taken=0))
        return epoch, 0

    def append(
        self, connection: Connection, resource: str, consumer: str, batch: StoredBatch, made_at: datetime
    ) -> None:
        """Append a batch and move the stream on."""
        connection.execute(
            sa.insert(records.batch).values(
                resource=resource,
                consumer=consumer,
                first=batch.first,
                last=batch.last,
                agreement_id=batch.agreement_id,
                agreement_version=batch.agreement_version,
                terms=batch.terms,
                envelope=batch.envelope,
                events=batch.events,
                made_at=made_at,
            )
        )
        connection.execute(sa.update(records.stream).where(*_is(resource, consumer)).values(last=batch.last))

    def epochs(self, resource: str, consumer: str) -> list[tuple[str, int]]:
        """Give the stream's one epoch with its last number."""
        table = records.stream
        with self._database.read() as connection:
            rows = connection.execute(sa.select(table.c.epoch, table.c.last).where(*_is(resource, consumer))).all()
        return [(row.epoch, row.last) for row in rows]

    def after(self, resource: str, consumer: str, epoch: str, cursor: int, size: int) -> list[StoredBatch]:
        """Give the batches after a place, in order: one at least if there is any, about `size` characters.

        An epoch that isn't known here is of a stream that was lost: then everything is given.
        """
        known = [name for name, _ in self.epochs(resource, consumer)]
        table = records.batch
        statement = (
            sa.select(table)
            .where(
                table.c.resource == resource,
                table.c.consumer == consumer,
                table.c.last > (cursor if epoch in known else 0),
            )
            .order_by(table.c.first)
        )
        found: list[StoredBatch] = []
        with self._database.read() as connection:
            for row in connection.execute(statement.limit(500)):
                found.append(
                    StoredBatch(
                        row.first,
                        row.last,
                        row.agreement_id,
                        row.agreement_version,
                        row.terms,
                        row.envelope,
                        row.events,
                    )
                )
                size -= len(row.events) + len(row.envelope)
                if size <= 0:
                    break
        return found

    def oldest(self, resource: str, consumer: str, epoch: str) -> int:
        """Give the first sequence number that is still kept; 0 if none is."""
        if epoch not in [name for name, _ in self.epochs(resource, consumer)]:
            return 0
        table = records.batch
        with self._database.read() as connection:
            first = connection.execute(
                sa.select(sa.func.min(table.c.first)).where(table.c.resource == resource, table.c.consumer == consumer)
            ).scalar()
        return int(first or 0)

    def note_taken(self, resource: str, consumer: str, epoch: str, through: int, at: datetime) -> None:
        """Note how far a neighbour says it has taken its events."""
        table = records.stream
        with self._database.begin() as connection:
            connection.execute(
                sa.update(table)
                .where(*_is(resource, consumer), table.c.epoch == epoch)
                .values(taken=through, taken_at=at)
            )


class _Held:
    def __init__(self, desks: set[EventDesk], desk: EventDesk) -> None:
        self._desks = desks
        self._desk = desk

    def __enter__(self) -> int:
        """Give how many others are being held."""
        others = len(self._desks)
        self._desks.add(self._desk)
        return others

    def __exit__(self, *_: object) -> None:
        self._desks.discard(self._desk)


def _is(resource: str, consumer: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return records.stream.c.resource == resource, records.stream.c.consumer == consumer


def _by_consumer(in_force: Sequence[AgreementRecord], provider: str) -> dict[str, Agreement]:
    """Give for each neighbour the agreement that counts: of several in force the one that began last."""
    found: dict[str, Agreement] = {}
    for record in in_force:
        one = record.agreement
        other = found.get(one.consumer)
        if (one.provider, one.kind) == (provider, Kind.EVENT) and (
            other is None or (one.valid_from, one.agreement_id) > (other.valid_from, other.agreement_id)
        ):
            found[one.consumer] = one
    return found
