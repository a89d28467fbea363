"""Agreements (共享协议) at the hub: one transition table, envelopes signed by both sides, files for the gateways."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.catalogue import Catalogue, check_agreement
from huodang.exchange.errors import AgreementError, TransitionError
from huodang.exchange.values import AGREEMENT, AGREEMENT_REVOCATION, Agreement, Revocation
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place
from huodang.store import Clock, write_whole
from huodang.trust import SignedEnvelope, Signer, TrustedKeys, open_envelope, sign_envelope


class AgreementState(StrEnum):
    """Where an agreement stands."""

    DRAFT = "draft"  # 起草
    CONSUMER_SIGNED = "consumer_signed"  # 使用方已签
    PROVIDER_SIGNED = "provider_signed"  # 提供方已签
    IN_FORCE = "in_force"  # 生效
    SUPERSEDED = "superseded"  # 已有新版本
    REVOKED = "revoked"  # 已撤销
    EXPIRED = "expired"  # 已到期
    WITHDRAWN = "withdrawn"  # 已撤回: never came into force


class AgreementEvent(StrEnum):
    """What happens to an agreement."""

    DRAW_UP = "draw_up"
    CONSUMER_SIGNS = "consumer_signs"
    PROVIDER_SIGNS = "provider_signs"
    NEWER_VERSION = "newer_version"
    REVOKE = "revoke"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"


_S, _E = AgreementState, AgreementEvent
AGREEMENT_TRANSITIONS: Final[dict[tuple[AgreementState, AgreementEvent], AgreementState]] = {
    (_S.DRAFT, _E.CONSUMER_SIGNS): _S.CONSUMER_SIGNED,
    (_S.DRAFT, _E.PROVIDER_SIGNS): _S.PROVIDER_SIGNED,
    (_S.CONSUMER_SIGNED, _E.PROVIDER_SIGNS): _S.IN_FORCE,
    (_S.PROVIDER_SIGNED, _E.CONSUMER_SIGNS): _S.IN_FORCE,
    (_S.DRAFT, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.CONSUMER_SIGNED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.PROVIDER_SIGNED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.IN_FORCE, _E.NEWER_VERSION): _S.SUPERSEDED,
    (_S.IN_FORCE, _E.REVOKE): _S.REVOKED,
    (_S.IN_FORCE, _E.EXPIRE): _S.EXPIRED,
}
"""(state, event) → state; whatever isn't here can't happen."""


def next_state(state: AgreementState, event: AgreementEvent) -> AgreementState:
    """Give the state that an event leads to.

    Raises:
        TransitionError: the event can't happen in this state.
    """
    try:
        return AGREEMENT_TRANSITIONS[state, event]
    except KeyError:
        raise TransitionError(
            f"协议处于“{state}”，不能“{event}”",
            f"an agreement that is {state} can't {event}",
            advice_chinese="请查看协议的当前状态和历史。",
            advice_english="Look at the agreement's state and history.",
        ) from None


@dataclass(frozen=True)
class AgreementRecord:
    """An agreement as the hub holds it."""

    agreement: Agreement
    state: AgreementState
    envelope: SignedEnvelope

    def file_name(self) -> str:
        """Name the file in a gateway's folder."""
        return f"{self.agreement.agreement_id}.v{self.agreement.version}.json"


_SELECT_IN_FORCE: Final = (
    sa.select(records.agreement)
    .where(
        records.agreement.c.state == AgreementState.IN_FORCE,
        records.agreement.c.resource.in_(sa.bindparam("resources", expanding=True)),
    )
    .order_by(records.agreement.c.version.desc())
)


class Agreements:
    """Takes agreements in, keeps their state with history and ledger, and lays the files for the gateways."""

    def __init__(self, ledger: Ledger, trusted: TrustedKeys, clock: Clock) -> None:
        self._ledger = ledger
        self._trusted = trusted
        self._clock = clock
        self._catalogue = Catalogue(clock)

    def take(self, connection: Connection, envelope: SignedEnvelope | str | bytes) -> AgreementRecord:
        """Take an agreement with one signature or both; taking the same again changes nothing.

        Whose signatures it carries decides the state. A known version may come again with the signature it lacked.

        Raises:
            EnvelopeError: a signature is wrong, of an untrusted key, or of someone who isn't a side.
            AgreementError: the catalogue doesn't hold what it names, another text stands under the same id and version,
                or the dates are the wrong way round.
        """
        opened = envelope if isinstance(envelope, SignedEnvelope) else SignedEnvelope.from_json(envelope)
        agreement = Agreement.from_payload(open_envelope(opened, AGREEMENT, self._trusted, at=self._clock.now()))
        signed = {one.holder for one in opened.signatures}
        sides = {agreement.provider, agreement.consumer}
        place = Place(element=agreement.agreement_id)
        if not signed <= sides:
            raise AgreementError("签名者不是协议的一方", "who signed isn't a side of the agreement", place=place)
        if agreement.valid_to is not None and agreement.valid_to < agreement.valid_from:
            raise AgreementError("协议的止期早于起期", "the agreement ends before it begins", place=place)
        known = self.get(connection, agreement.agreement_id, agreement.version)
        if known is None:
            check_agreement(agreement, self._catalogue.entries(connection))
            known = self._draw_up(connection, agreement, opened)
        elif known.envelope.digest != opened.digest:
            raise AgreementError(
                "同一编号和版本已有另一份协议", "another text stands under this id and version", place=place
            )
        return self._sign(connection, known, opened, signed)

    def take_folder(self, connection: Connection, folder: Path) -> list[AgreementRecord]:
        """Take every `*.json` of a folder, agreements before revocations; refuses the whole folder if one file is bad.

        Raises:
            EnvelopeError, AgreementError: as `take`; the place names the file.
        """
        opened: list[tuple[str, SignedEnvelope]] = [
            (path.name, SignedEnvelope.from_json(path.read_bytes())) for path in sorted(folder.glob("*.json"))
        ]
        taken: list[AgreementRecord] = []
        for name, envelope in opened:
            if envelope.kind == AGREEMENT:
                try:
                    taken.append(self.take(connection, envelope))
                except AgreementError as problem:
                    raise problem.at(Place(file=name)) from None
        for _name, envelope in opened:
            if envelope.kind == AGREEMENT_REVOCATION:
                self.take_revocation(connection, envelope)
        return taken

    def take_revocation(self, connection: Connection, envelope: SignedEnvelope | str | bytes) -> list[AgreementRecord]:
        """End an agreement at once, on the word of either side; all versions up to the one named.

        Raises:
            EnvelopeError: the signature is wrong.
            AgreementError: who revokes isn't a side, or there is no such agreement.
        """
        opened = envelope if isinstance(envelope, SignedEnvelope) else SignedEnvelope.from_json(envelope)
        payload = open_envelope(opened, AGREEMENT_REVOCATION, self._trusted, at=self._clock.now())
        revocation = Revocation.from_payload(payload)
        known = self.versions(connection, revocation.agreement_id)
        if not known or opened.signer not in {known[-1].agreement.provider, known[-1].agreement.consumer}:
            raise AgreementError(
                "没有这份协议，或撤销者不是协议的一方",
                "there is no such agreement, or who revokes isn't a side of it",
                place=Place(element=revocation.agreement_id),
            )
        return [
            self._move(connection, one, AgreementEvent.REVOKE, opened.signer, opened)
            for one in known
            if one.agreement.version <= revocation.version and one.state is AgreementState.IN_FORCE
        ]

    def expire(self, connection: Connection, today: date) -> int:
        """Mark agreements whose last day has passed; give how many."""
        table = records.agreement
        rows = connection.execute(
            sa.select(table).where(table.c.state == AgreementState.IN_FORCE, table.c.valid_to < today)
        )
        overdue = [_record(row) for row in rows]
        for one in overdue:
            self._move(connection, one, AgreementEvent.EXPIRE, "hub", one.envelope)
        return len(overdue)

    def withdraw(self, connection: Connection, agreement_id: str, version: int, by: str) -> None:
        """Take back a version that hasn't come into force; one that nobody has signed yet needs no taking back.

        Raises:
            TransitionError: it is in force, or has ended.
        """
        known = self.get(connection, agreement_id, version)
        if known is not None:
            self._move(connection, known, AgreementEvent.WITHDRAW, by, known.envelope)

    def get(self, connection: Connection, agreement_id: str, version: int) -> AgreementRecord | None:
        """Give one version of an agreement."""
        return next((one for one in self.versions(connection, agreement_id) if one.agreement.version == version), None)

    def all(self, connection: Connection) -> list[AgreementRecord]:
        """List all agreements."""
        table = records.agreement
        return [
            _record(row) for row in connection.execute(sa.select(table).order_by(table.c.agreement_id, table.c.version))
        ]

    def in_force(self, connection: Connection, resources: Iterable[str], day: date) -> dict[str, list[AgreementRecord]]:
        """Give by resource the agreements in force on a day, newest first."""
        rows = connection.execute(_SELECT_IN_FORCE, {"resources": sorted(set(resources))})
        found: dict[str, list[AgreementRecord]] = {}
        for one in map(_record, rows):
            if one.agreement.covers(day):
                found.setdefault(one.agreement.resource, []).append(one)
        return found

    def history(self, connection: Connection, agreement_id: str) -> list[tuple[str, str, str, str]]:
        """Give what happened to an agreement: from state, event, to state, by whom."""
        table = records.agreement_history
        rows = connection.execute(
            sa.select(table.c.from_state, table.c.event, table.c.to_state, table.c.by)
            .where(table.c.agreement_id == agreement_id)
            .order_by(table.c.number)
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def lay_files(self, connection: Connection, provider: str, folder: Path) -> list[Path]:
        """Lay the agreements in force of one provider into a folder, for its steward to carry to the gateway."""
        folder.mkdir(parents=True, exist_ok=True)
        laid: list[Path] = []
        for one in self.all(connection):
            if one.agreement.provider == provider and one.state is AgreementState.IN_FORCE:
                path = folder / one.file_name()
                write_whole(path, one.envelope.to_json().encode())
                laid.append(path)
        return laid

    def versions(self, connection: Connection, agreement_id: str) -> list[AgreementRecord]:
        """Give all versions of an agreement, the first one first."""
        table = records.agreement
        rows = connection.execute(
            sa.select(table).where(table.c.agreement_id == agreement_id).order_by(table.c.version)
        )
        return [_record(row) for row in rows]

    def _draw_up(self, connection: Connection, agreement: Agreement, envelope: SignedEnvelope) -> AgreementRecord:
        record = AgreementRecord(agreement, AgreementState.DRAFT, envelope)
        connection.execute(
            sa.insert(records.agreement).values(
                agreement_id=agreement.agreement_id,
                version=agreement.version,
                provider=agreement.provider,
                consumer=agreement.consumer,
                resource=agreement.resource,
                state=AgreementState.DRAFT,
                valid_from=agreement.valid_from,
                valid_to=agreement.valid_to,
                envelope=envelope.to_json(),
            )
        )
        self._write_history(
            connection, agreement, ("", AgreementEvent.DRAW_UP, AgreementState.DRAFT), envelope.signer, envelope
        )
        return record

    def _sign(
        self, connection: Connection, known: AgreementRecord, envelope: SignedEnvelope, signed: set[str]
    ) -> AgreementRecord:
        waiting = {
            AgreementState.DRAFT: (AgreementEvent.CONSUMER_SIGNS, AgreementEvent.PROVIDER_SIGNS),
            AgreementState.CONSUMER_SIGNED: (AgreementEvent.PROVIDER_SIGNS,),
            AgreementState.PROVIDER_SIGNED: (AgreementEvent.CONSUMER_SIGNS,),
        }
        sides = {
            AgreementEvent.CONSUMER_SIGNS: known.agreement.consumer,
            AgreementEvent.PROVIDER_SIGNS: known.agreement.provider,
        }
        for event in waiting.get(known.state, ()):
            if sides[event] in signed:
                known = self._move(connection, known, event, sides[event], envelope)
        return known

    def _move(
        self, connection: Connection, record: AgreementRecord, event: AgreementEvent, by: str, envelope: SignedEnvelope
    ) -> AgreementRecord:
        state = next_state(record.state, event)
        kept = envelope if envelope.kind == AGREEMENT else record.envelope
        table = records.agreement
        connection.execute(sa.update(table).where(*_is(record.agreement)).values(state=state, envelope=kept.to_json()))
        self._write_history(connection, record.agreement, (record.state, event, state), by, envelope)
        moved = AgreementRecord(record.agreement, state, kept)
        if state is AgreementState.IN_FORCE:
            for older in self.versions(connection, record.agreement.agreement_id):
                if older.agreement.version < record.agreement.version and older.state is AgreementState.IN_FORCE:
                    self._move(connection, older, AgreementEvent.NEWER_VERSION, by, older.envelope)
        return moved

    def _write_history(
        self,
        connection: Connection,
        agreement: Agreement,
        step: tuple[str, AgreementEvent, AgreementState],
        by: str,
        envelope: SignedEnvelope,
    ) -> None:
        now = self._clock.now()
        from_state, event, to_state = step
        facts = {
            "agreement": agreement.agreement_id,
            "version": str(agreement.version),
            "resource": agreement.resource,
            "provider": agreement.provider,
            "consumer": agreement.consumer,
            "event": event.value,
            "state": to_state.value,
            "digest": envelope.digest,
        }
        entry_id = self._ledger.record(connection, LedgerEntry("agreement", now, facts), envelope.to_json().encode())
        connection.execute(
            sa.insert(records.agreement_history).values(
                agreement_id=agreement.agreement_id,
                version=agreement.version,
                at=now,
                from_state=from_state,
                event=event,
                to_state=to_state,
                by=by,
                entry_id=entry_id,
            )
        )


def revoke_envelope(agreement: Agreement, reason: str, signer: Signer, clock: Clock) -> SignedEnvelope:
    """Make the envelope by which one side ends an agreement; laid into the gateway's folder it holds at once."""
    revocation = Revocation(
        agreement_id=agreement.agreement_id,
        version=agreement.version,
        reason=reason,
        revoked_at=clock.now().replace(microsecond=0),
    )
    return sign_envelope(AGREEMENT_REVOCATION, revocation.to_payload(), signer)


def _is(agreement: Agreement) -> Sequence[sa.ColumnElement[bool]]:
    table = records.agreement
    return (table.c.agreement_id == agreement.agreement_id, table.c.version == agreement.version)


def _record(row: sa.Row[tuple[object, ...]]) -> AgreementRecord:
    agreement, envelope = _read(row.envelope)
    return AgreementRecord(agreement, AgreementState(row.state), envelope)


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[Agreement, SignedEnvelope]:
    """Read a stored envelope; its signatures were checked when it was taken in, and the gateway checks them again."""
    envelope = SignedEnvelope.from_json(text)
    return Agreement.from_payload(envelope.payload), envelope
