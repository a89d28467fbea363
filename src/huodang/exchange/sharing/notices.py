"""Correction notices (更正通知, 召回通知): what consumers of a copy are told, signed and sealed."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Actor, Decision
from huodang.exchange.sharing import records
from huodang.exchange.sharing.copies import Copy
from huodang.exchange.sharing.matters import Matter
from huodang.exchange.values import (
    Identifier,
    Instant,
    Message,
    ResourceName,
    Text,
    Token,
    new_identifier,
    to_the_second,
)
from huodang.ledger import Ledger, LedgerEntry
from huodang.trust import (
    PublicKey,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    canonical_json,
    open_sealed,
    parse_strict,
    seal_for,
    sign_envelope,
)

CORRECTION_NOTICE: Final = "correction_notice"
_MOST_COPIES: Final = 2000
_SEALED: Final = b"correction_notice:"


class NamedCopy(Message, frozen=True, kw_only=True):
    """A copy as the consumer finds it in its own records."""

    origin: Identifier
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class CorrectionNotice(Message, frozen=True, kw_only=True):
    """What a consumer is told.

    Attributes:
        kind: `correction`, or `recall` of a whole delivery.
        element: which is corrected; empty for a recall.
        copies: those that this consumer got; cut at 2,000, `copy_count` tells how many there are.
        sealed: whose value it was, what it was and what it is now, for the consumer's key only; empty for a recall.
        reason: the provider's, in words.
    """

    notice_id: Token
    correction_id: Token
    kind: Identifier
    resource: ResourceName
    provider: Identifier
    consumer: Identifier
    element: Annotated[str, msgspec.Meta(max_length=64)]
    copies: tuple[NamedCopy, ...]
    copy_count: int
    sealed: str
    reason: Text
    issued_at: Instant


@dataclass(frozen=True)
class NoticeRow:
    """A notice in a list.

    Attributes:
        copies: what this consumer got, origin and reference.
        acknowledged_at: None while the consumer hasn't said that it acted on it.
    """

    notice_id: str
    correction_id: str
    kind: str
    resource: str
    element: str
    consumer: str
    copies: tuple[tuple[str, str], ...]
    reason: str
    issued_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str


class NoticeBook:
    """Writes notices, and remembers who acknowledged them."""

    def __init__(self, ledger: Ledger, signer: Signer, trusted: TrustedKeys) -> None:
        self._ledger = ledger
        self._signer = signer
        self._trusted = trusted

    def tell(  # noqa: PLR0917  (one place calls it)
        self,
        connection: Connection,
        matter: Matter,
        copies: Iterable[Copy],
        told: Mapping[str, str],
        reason: str,
        now: datetime,
    ) -> int:
        """Write one notice for each consumer that got a copy; give how many.

        Args:
            connection: the write transaction of the correction.
            matter: the correction.
            copies: every copy delivered.
            told: identity number, what was received, what is right, and from when; empty for a recall.
            reason: in words.
            now: the present instant.
        """
        by_consumer: dict[str, list[Copy]] = {}
        for one in copies:
            if one.consumer:
                by_consumer.setdefault(one.consumer, []).append(one)
        for number, (consumer, got) in enumerate(sorted(by_consumer.items())):
            self._write(connection, matter, consumer, got, told, reason, now, number)
        return len(by_consumer)

    def acknowledge(
        self, connection: Connection, notice_id: str, actor: Actor, decision: Decision, now: datetime
    ) -> None:
        """Remember that a consumer acted on a notice; the first time counts."""
        table = records.notice
        row = connection.execute(sa.select(table).where(table.c.notice_id == notice_id)).one()
        if row.acknowledged_at is not None:
            return
        facts = {
            "notice": notice_id,
            "correction": row.correction_id,
            "event": "acknowledged",
            "consumer": row.consumer,
            "policy": decision.policy.replace(" ", ","),
        }
        content = canonical_json({**facts, "by": actor.user_id})
        self._ledger.record(connection, LedgerEntry(CORRECTION_NOTICE, now, facts), content)
        connection.execute(
            sa.update(table)
            .where(table.c.notice_id == notice_id)
            .values(acknowledged_at=now, acknowledged_by=actor.user_id)
        )

    def _write(  # noqa: PLR0917  (one place calls it)
        self,
        connection: Connection,
        matter: Matter,
        consumer: str,
        copies: list[Copy],
        told: Mapping[str, str],
        reason: str,
        now: datetime,
        number: int,
    ) -> None:
        notice = CorrectionNotice(
            notice_id=new_identifier("n", now, number),
            correction_id=matter.matter_id,
            kind="recall" if matter.row["kind"] == "recall" else "correction",
            resource=matter.resource,
            provider=matter.provider,
            consumer=consumer,
            element=matter.row["element"],
            copies=tuple(NamedCopy(origin=one.origin, reference=one.reference) for one in copies[:_MOST_COPIES]),
            copy_count=len(copies),
            sealed=self._sealed(consumer, matter.matter_id, told),
            reason=reason[:1000],
            issued_at=to_the_second(now),
        )
        envelope = sign_envelope(CORRECTION_NOTICE, notice.to_payload(), self._signer)
        facts = {
            "notice": notice.notice_id,
            "correction": notice.correction_id,
            "kind": notice.kind,
            "event": "issued",
            "resource": notice.resource,
            "consumer": consumer,
            "copies": str(len(copies)),
            "digest": envelope.digest,
        }
        text = envelope.to_json()
        entry_id = self._ledger.record(connection, LedgerEntry(CORRECTION_NOTICE, now, facts), text.encode())
        connection.execute(
            sa.insert(records.notice).values(
                notice_id=notice.notice_id,
                correction_id=matter.matter_id,
                consumer=consumer,
                copies=json.dumps([[one.origin, one.reference] for one in copies]),
                envelope=text,
                issued_at=now,
                acknowledged_at=None,
                acknowledged_by="",
                entry_id=entry_id,
            )
        )

    def _sealed(self, consumer: str, correction_id: str, told: Mapping[str, str]) -> str:
        key = self._key(consumer)
        if not told or key is None:
            return ""
        sealed = seal_for(key, canonical_json(dict(told)), _SEALED + correction_id.encode())
        return base64.b64encode(sealed).decode("ascii")

    def _key(self, consumer: str) -> PublicKey | None:
        """Find the key to seal for; a department without one reads the values at the hub, as far as policy lets it."""
        keys = [one for one in self._trusted.of_holder(consumer) if one.revoked_at is None]
        return keys[-1] if keys else None


def open_notice(notice: CorrectionNotice, own: Signer) -> dict[str, str]:
    """Open what a notice says about a person, at the consumer and with its key; empty for a recall.

    Raises:
        BrokenSealError: it was sealed for another key.
    """
    if not notice.sealed:
        return {}
    opened = open_sealed(own, base64.b64decode(notice.sealed), _SEALED + notice.correction_id.encode())
    return {name: str(value) for name, value in parse_strict(opened).items()}


def read_notice(text: str) -> tuple[CorrectionNotice, SignedEnvelope]:
    """Read a stored notice."""
    envelope = SignedEnvelope.from_json(text)
    return CorrectionNotice.from_payload(envelope.payload), envelope
