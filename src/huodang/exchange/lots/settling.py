"""The end of a lot: both sides held against each other, and what follows, in one transaction."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from huodang.exchange.lots import book, staging
from huodang.exchange.lots.values import (
    LOT_RECONCILIATION,
    Lot,
    LotState,
    LotStatement,
    Reconciliation,
    Staged,
)
from huodang.exchange.quality import QualityReport, differing_buckets, root_of
from huodang.exchange.values import to_the_second
from huodang.ledger import Ledger, LedgerEntry
from huodang.trust import SignedEnvelope, Signer, sign_envelope

LOT: Final = "lot"


@dataclass(frozen=True)
class CopyHash:
    """What the hub's table holds: hash of every bucket that isn't empty, and the number of rows."""

    buckets: Mapping[int, str]
    rows: int


@dataclass(frozen=True)
class Arrival:
    """A lot all of whose pages have come.

    Attributes:
        told: the provider's statement; `envelope` as it was signed, None for a file.
        staged: what the pages changed together.
    """

    lot: Lot
    told: LotStatement
    envelope: SignedEnvelope | None
    staged: Staged


@dataclass(frozen=True)
class Settlement:
    """All that a lot ends with."""

    arrival: Arrival
    copy: CopyHash
    made: Reconciliation


def reconcile(arrival: Arrival, copy: CopyHash, now: datetime) -> Reconciliation:
    """Hold what the provider says against what stands in the hub's table. Pure."""
    lot, told, envelope, staged = arrival.lot, arrival.told, arrival.envelope, arrival.staged
    theirs = {int(bucket, 16): value for bucket, value in told.buckets.items()}
    differing = differing_buckets(theirs, copy.buckets) if told.root else ()
    root = root_of(copy.buckets)
    return Reconciliation(
        lot=lot.lot_id,
        statement=envelope.digest if envelope is not None else "",
        resource=lot.resource,
        agreement_id=lot.agreement_id,
        agreement_version=lot.agreement_version,
        provider=lot.provider,
        equal=not differing and told.root in ("", root) and told.rows in (None, copy.rows),
        provider_rows=told.rows,
        hub_rows=copy.rows,
        provider_root=told.root,
        hub_root=root,
        inserted=staged.inserted,
        updated=staged.updated,
        deleted=staged.deleted,
        late=told.late,
        quarantined=told.quarantined,
        as_of=told.as_of,
        made_at=to_the_second(now),
        differing=differing,
    )


def settle(connection: Connection, end: Settlement, ledger: Ledger, signer: Signer, now: datetime) -> None:
    """Take the lot or drop it, with reconciliation and ledger entry, in one step."""
    lot, told, envelope, made = end.arrival.lot, end.arrival.told, end.arrival.envelope, end.made
    signed = sign_envelope(LOT_RECONCILIATION, made.to_payload(), signer)
    event = LotState.TAKEN if made.equal else LotState.REFUSED
    entry_id = ledger.record(connection, LedgerEntry(LOT, now, _facts(lot, made, event)), signed.to_json().encode())
    if made.equal:
        book.move_holding(
            connection,
            lot.holding,
            generation=lot.generation,
            open_lot="",
            rows=made.hub_rows,
            buckets=staging.buckets_to_text(end.copy.buckets),
            root=made.hub_root,
            lot_id=lot.lot_id,
            as_of=told.as_of,
            taken_at=now,
        )
    else:
        staging.undo(connection, lot)
        book.give_up_place(connection, lot)
    staging.drop_marks(connection, lot)
    quality = told.quality or QualityReport(rows=told.sent, taken=told.sent).to_payload()
    book.update_lot(
        connection,
        lot.lot_id,
        # Of a file, whose provider has signed its manifest, there is nothing more to be confirmed.
        state=LotState.CLOSED if made.equal and envelope is None else event,
        ended_at=now,
        as_of=told.as_of,
        rows=made.hub_rows,
        inserted=made.inserted,
        updated=made.updated,
        deleted=made.deleted,
        late=made.late,
        quarantined=made.quarantined,
        root=made.hub_root,
        reason="" if made.equal else "unequal",
        quality=json.dumps(quality, ensure_ascii=False),
        statement=envelope.to_json() if envelope is not None else "",
        reconciliation=signed.to_json(),
        entry_id=entry_id,
    )


def drop(connection: Connection, lot: Lot, reason: str, ledger: Ledger, now: datetime) -> None:
    """Give a lot up: the copy is as it was."""
    staging.undo(connection, lot)
    staging.drop_marks(connection, lot)
    book.give_up_place(connection, lot)
    facts = {
        "lot": lot.lot_id,
        "resource": lot.resource,
        "agreement": f"{lot.agreement_id}/{lot.agreement_version}",
        "event": LotState.ABANDONED.value,
        "reason": reason,
    }
    entry_id = ledger.record(connection, LedgerEntry(LOT, now, facts), b"")
    book.update_lot(connection, lot.lot_id, state=LotState.ABANDONED, ended_at=now, reason=reason, entry_id=entry_id)


def reconciliation_of(lot: Lot) -> Reconciliation:
    """Read the reconciliation that a lot ended with; its signatures were checked when it was kept."""
    return Reconciliation.from_payload(SignedEnvelope.from_json(lot.reconciliation).payload)


def _facts(lot: Lot, made: Reconciliation, event: LotState) -> dict[str, str]:
    counts = ("hub_rows", "inserted", "updated", "deleted", "late", "quarantined")
    return {
        "lot": lot.lot_id,
        "resource": lot.resource,
        "agreement": f"{lot.agreement_id}/{lot.agreement_version}",
        "mode": lot.mode,
        "event": event.value,
        "root": made.hub_root,
        "provider_root": made.provider_root,
        "statement": made.statement,
        **{name.removeprefix("hub_"): str(getattr(made, name)) for name in counts},
    }
