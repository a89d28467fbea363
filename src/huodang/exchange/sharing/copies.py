"""Where a value was delivered to (副本): verdicts, batches, lots, events. Each delivery mode has its keeper.

A keeper reads the tables of its mode and opens no more than the one value that is in doubt. Tables are taken from the
one register of tables, as the modes themselves stand on this folder's filters.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.values import GRANT, VERDICT, Grant, Kind, Verdict
from huodang.store import metadata
from huodang.trust import FieldSealer, SignedEnvelope

_ENDED_UNUSED: Final = ("draft", "consumer_signed", "provider_signed", "withdrawn")
_LOT_CONTENT: Final = "lot"


@dataclass(frozen=True)
class Copy:
    """One copy that was delivered.

    Attributes:
        consumer: department that got it.
        origin: `verdict`, `batch`, `lot` or `event`.
        reference: grant, batch, lot or event id.
    """

    consumer: str
    origin: str
    reference: str


@dataclass(frozen=True)
class Received:
    """What a delivery held about a person.

    Attributes:
        value: as it was delivered; None where the delivery doesn't tell it any more.
    """

    resource: str
    provider: str
    consumer: str
    value: str | None


class CopyKeeper(Protocol):
    """Knows the copies of one delivery mode."""

    origin: str

    def received(self, connection: Connection, reference: str, subject_index: str, element: str) -> Received | None:
        """Tell what one delivery held about a person; None if it held nothing of the kind."""

    def copies(self, connection: Connection, resource: str, subject_index: str, element: str) -> list[Copy]:
        """List every copy of an element of a person that was delivered from a resource."""

    def of_delivery(self, connection: Connection, resource: str, reference: str) -> list[Copy]:
        """List the copies of a whole delivery."""

    def recall(self, connection: Connection, reference: str, now: datetime) -> int:
        """Take a whole delivery out of use where the hub itself keeps it; give how many rows that were."""


class VerdictCopies:
    """Verdicts of single grants."""

    origin = "verdict"

    def __init__(self, sealer: FieldSealer) -> None:
        self._sealer = sealer

    def received(self, connection: Connection, reference: str, subject_index: str, element: str) -> Received | None:
        """Tell what a verdict said: the value if it was handed over raw, else outcome and reason."""
        grants, verdicts = records.grant, records.verdict
        row = connection.execute(
            sa.select(grants, verdicts.c.envelope.label("answer"))
            .join(verdicts, verdicts.c.grant_id == grants.c.grant_id)
            .where(grants.c.grant_id == reference, grants.c.subject_index == subject_index)
            .order_by(verdicts.c.recorded_at)
        ).first()
        if row is None:
            return None
        grant = Grant.from_payload(self._opened(GRANT, row.envelope, reference).payload)
        if element not in {*grant.elements, *grant.fields}:
            return None
        verdict = Verdict.from_payload(self._opened(VERDICT, row.answer, reference).payload)
        told = verdict.fields.get(element, f"{verdict.outcome.value}:{verdict.reason}")
        return Received(row.resource, row.provider, grant.consumer, told)

    def copies(self, connection: Connection, resource: str, subject_index: str, element: str) -> list[Copy]:
        """List the verdicts about a person; which elements each looked at stands sealed in its grant."""
        grants = records.grant
        rows = connection.execute(
            sa.select(grants.c.grant_id, grants.c.envelope).where(
                grants.c.resource == resource,
                grants.c.subject_index == subject_index,
                grants.c.state.in_(("answered", "conflict")),
            )
        )
        found: list[Copy] = []
        for grant_id, sealed in rows:
            grant = Grant.from_payload(self._opened(GRANT, sealed, grant_id).payload)
            if element in {*grant.elements, *grant.fields}:
                found.append(Copy(grant.consumer, self.origin, grant_id))
        return found

    def of_delivery(self, connection: Connection, resource: str, reference: str) -> list[Copy]:
        """Give the one consumer of a verdict."""
        grants = records.grant
        sealed = connection.execute(
            sa.select(grants.c.envelope).where(grants.c.grant_id == reference, grants.c.resource == resource)
        ).scalar()
        if sealed is None:
            return []
        grant = Grant.from_payload(self._opened(GRANT, sealed, reference).payload)
        return [Copy(grant.consumer, self.origin, reference)]

    def recall(self, connection: Connection, reference: str, now: datetime) -> int:
        """Leave the verdict as evidence: the notice tells that it counts no longer."""
        _ = connection, reference, now
        return 0

    def _opened(self, kind: str, sealed: str, seat: str) -> SignedEnvelope:
        return SignedEnvelope.from_json(self._sealer.open(kind, sealed, seat))


class BatchCopies:
    """Batches of ten thousand persons in one grant; the value itself isn't opened again."""

    origin = "batch"

    def received(self, connection: Connection, reference: str, subject_index: str, element: str) -> Received | None:
        """Tell that a batch asked about the person."""
        _ = element
        batch, lines = _table("exchange_batch"), _table("exchange_batch_subject")
        row = connection.execute(
            sa.select(batch)
            .join(lines, lines.c.batch == batch.c.number)
            .where(batch.c.batch_id == reference, lines.c.subject_index == subject_index)
        ).first()
        if row is None:
            return None
        consumer = _consumer(connection, row.agreement_id)
        return Received(row.resource, row.provider, consumer, None) if consumer else None

    def copies(self, connection: Connection, resource: str, subject_index: str, element: str) -> list[Copy]:
        """List the answered batches that a person stood in."""
        _ = element
        batch, lines = _table("exchange_batch"), _table("exchange_batch_subject")
        rows = connection.execute(
            sa.select(batch.c.batch_id, batch.c.agreement_id)
            .join(lines, lines.c.batch == batch.c.number)
            .where(
                batch.c.resource == resource,
                lines.c.subject_index == subject_index,
                batch.c.verdict_head.is_not(None),
            )
            .distinct()
        ).all()
        return [Copy(_consumer(connection, row.agreement_id), self.origin, row.batch_id) for row in rows]

    def of_delivery(self, connection: Connection, resource: str, reference: str) -> list[Copy]:
        """Give the one consumer of a batch."""
        batch = _table("exchange_batch")
        found = connection.execute(
            sa.select(batch.c.agreement_id).where(batch.c.batch_id == reference, batch.c.resource == resource)
        ).scalar()
        return [] if found is None else [Copy(_consumer(connection, found), self.origin, reference)]

    def recall(self, connection: Connection, reference: str, now: datetime) -> int:
        """Leave the batch as evidence."""
        _ = connection, reference, now
        return 0


class LotCopies:
    """Rows that were delivered by table or file."""

    origin = "lot"

    def __init__(self, sealer: FieldSealer) -> None:
        self._sealer = sealer

    def received(self, connection: Connection, reference: str, subject_index: str, element: str) -> Received | None:
        """Tell what the copy holds about the person in the rows that came with, or stood at, a lot."""
        rows, holding, lot = _table("exchange_delivered_row"), _table("exchange_holding"), _table("exchange_lot")
        row = connection.execute(
            sa.select(rows, holding.c.resource, holding.c.provider, holding.c.agreement_id)
            .join(holding, holding.c.number == rows.c.holding)
            .join(lot, lot.c.holding == holding.c.number)
            .where(
                lot.c.lot_id == reference,
                rows.c.subject_index == subject_index,
                rows.c.since <= lot.c.generation,
                sa.or_(rows.c.until.is_(None), rows.c.until > lot.c.generation),
            )
        ).first()
        if row is None:
            return None
        value: str | None = None
        if row.content:
            opened = self._sealer.open(_LOT_CONTENT, row.content, f"{row.holding}:{row.key_index}")
            values: dict[str, str] = json.loads(opened)
            if element not in values:
                return None
            value = values[element]
        return Received(row.resource, row.provider, _consumer(connection, row.agreement_id), value)

    def copies(self, connection: Connection, resource: str, subject_index: str, element: str) -> list[Copy]:
        """List the lots by which rows about a person came."""
        _ = element
        rows, holding, lot = _table("exchange_delivered_row"), _table("exchange_holding"), _table("exchange_lot")
        found = connection.execute(
            sa.select(lot.c.lot_id, holding.c.agreement_id)
            .join(holding, holding.c.number == lot.c.holding)
            .join(rows, sa.and_(rows.c.holding == lot.c.holding, rows.c.since == lot.c.generation))
            .where(holding.c.resource == resource, rows.c.subject_index == subject_index)
            .distinct()
        ).all()
        return [Copy(_consumer(connection, row.agreement_id), self.origin, row.lot_id) for row in found]

    def of_delivery(self, connection: Connection, resource: str, reference: str) -> list[Copy]:
        """Give the one consumer of a lot."""
        holding, lot = _table("exchange_holding"), _table("exchange_lot")
        found = connection.execute(
            sa.select(holding.c.agreement_id)
            .join(lot, lot.c.holding == holding.c.number)
            .where(lot.c.lot_id == reference, holding.c.resource == resource)
        ).scalar()
        return [] if found is None else [Copy(_consumer(connection, found), self.origin, reference)]

    def recall(self, connection: Connection, reference: str, now: datetime) -> int:
        """Show nobody the rows that a lot brought until the provider sends others."""
        rows, lot = _table("exchange_delivered_row"), _table("exchange_lot")
        found = connection.execute(sa.select(lot.c.holding, lot.c.generation).where(lot.c.lot_id == reference)).first()
        if found is None:
            return 0
        return connection.execute(
            sa.update(rows)
            .where(
                rows.c.holding == found.holding,
                rows.c.since == found.generation,
                rows.c.until.is_(None),
                rows.c.recalled_at.is_(None),
            )
            .values(recalled_at=now)
        ).rowcount


class EventCopies:
    """Events; told of are all departments that have subscribed to the resource."""

    origin = "event"

    def received(self, connection: Connection, reference: str, subject_index: str, element: str) -> Received | None:
        """Tell that an event was about the person; its data aren't opened again."""
        _ = element
        event = _table("exchange_event")
        row = connection.execute(
            sa.select(event.c.resource, event.c.provider).where(
                event.c.event_id == reference, event.c.person == subject_index
            )
        ).first()
        if row is None:
            return None
        consumers = _subscribers(connection, row.resource)
        return Received(row.resource, row.provider, consumers[0], None) if consumers else None

    def copies(self, connection: Connection, resource: str, subject_index: str, element: str) -> list[Copy]:
        """List the events about a person, once for each department that is handed them."""
        _ = element
        event = _table("exchange_event")
        found = connection.execute(
            sa.select(event.c.event_id).where(event.c.resource == resource, event.c.person == subject_index)
        ).scalars()
        consumers = _subscribers(connection, resource)
        return [Copy(consumer, self.origin, event_id) for event_id in found for consumer in consumers]

    def of_delivery(self, connection: Connection, resource: str, reference: str) -> list[Copy]:
        """Give the departments that were handed an event."""
        event = _table("exchange_event")
        found = connection.execute(
            sa.select(event.c.event_id).where(event.c.event_id == reference, event.c.resource == resource)
        ).scalar()
        if found is None:
            return []
        return [Copy(consumer, self.origin, reference) for consumer in _subscribers(connection, resource)]

    def recall(self, connection: Connection, reference: str, now: datetime) -> int:
        """Leave the event as evidence."""
        _ = connection, reference, now
        return 0


def _table(name: str) -> sa.Table:
    return metadata.tables[name]


def _consumer(connection: Connection, agreement_id: str) -> str:
    table = records.agreement
    found = (
        connection.execute(sa.select(table.c.consumer).where(table.c.agreement_id == agreement_id)).scalars().first()
    )
    return str(found or "")


def _subscribers(connection: Connection, resource: str) -> list[str]:
    table = records.agreement
    rows = connection.execute(
        sa.select(table.c.consumer, table.c.envelope)
        .where(table.c.resource == resource, table.c.state.not_in(_ENDED_UNUSED))
        .order_by(table.c.consumer)
    )
    return list(
        dict.fromkeys(
            row.consumer
            for row in rows
            if SignedEnvelope.from_json(row.envelope).payload.get("kind") == Kind.EVENT.value
        )
    )
