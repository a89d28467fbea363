"""Pulling lots from gateways: asked for by a signed grant, fetched page by page, resumed wherever it was cut off."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.agreements import AgreementRecord, Agreements
from huodang.exchange.answers import FailureCode
from huodang.exchange.client import GatewayDirectory
from huodang.exchange.decisions import Action, Actor, DecisionRequest, decide
from huodang.exchange.errors import NoAgreementError, NotPermittedError
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.lots.errors import LotBusyError, LotContentError, PullError
from huodang.exchange.lots.gateway_line import GONE, GatewayLine, envelope_of, text_of, unreachable, wrong
from huodang.exchange.lots.service import Lots
from huodang.exchange.lots.values import Lot, LotOffer, LotState
from huodang.exchange.quality import RowMarks
from huodang.exchange.values import GRANT, GRANT_LIFE, Agreement, Grant, Kind, new_identifier, new_nonce, to_the_second
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place
from huodang.store import Clock, Database, insert_rows, shanghai_date
from huodang.trust import FieldSealer, SignedEnvelope, Signer, TrustedKeys, sign_envelope

SYSTEM_USER: Final = "system"
_GRANT_COLUMNS: Final = tuple(column.name for column in records.grant.c)
_LOOK_AGAIN: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_ATTEMPTS: Final = 2


def _tell_nobody(_done: int, _all: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True)
class Hub:
    """What a puller works with: the hub's services, as `web/assembly.py` wires them."""

    database: Database
    ledger: Ledger
    signer: Signer
    trusted: TrustedKeys
    sealer: FieldSealer
    looks: Looks
    directory: GatewayDirectory
    agreements: Agreements
    clock: Clock


class LotPuller:
    """Pulls lots for one consumer.

    Args:
        hub: the hub's services.
        lots: where they land.
        consumer: the department in whose name is asked.
        patience: seconds to wait for a gateway to prepare a lot before it is left to the next attempt.
        sleep: waits; tests give their own.
    """

    def __init__(
        self,
        hub: Hub,
        lots: Lots,
        *,
        consumer: str = "social_insurance",
        patience: float = 3600.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hub = hub
        self._lots = lots
        self._consumer = consumer
        self._patience = patience
        self._sleep = sleep

    def pull(
        self,
        resource: str,
        *,
        purpose: str = "",
        progress: Callable[[int, int], None] = _tell_nobody,
        seconds: float | None = None,
    ) -> Lot:
        """Bring the copy of a resource up to date with one lot, and prove it.

        Goes on with a lot that was cut off. If the two sides differ afterwards, the next lot, pulled at once, sends
        the differing buckets whole.

        Args:
            resource: which.
            purpose: code of the purpose; empty for the first of the agreement that policy permits.
            progress: told how many pages are there of how many.
            seconds: after so long the lot is left open, for the next pull to go on with; None for never.

        Raises:
            NoAgreementError: no agreement of the kind `table` is in force.
            NotPermittedError: policy doesn't permit it.
            PullError: the gateway can't be reached or refuses; what is staged stays, and the next pull goes on.
            LotContentError: the two sides still differ after the repair.
        """
        agreement = self._agreement(resource)
        until = None if seconds is None else time.monotonic() + seconds
        for _ in range(_ATTEMPTS):
            lot = self._pull(agreement, purpose, progress, until)
            if lot.state is not LotState.REFUSED:
                return lot
            self._lots.rehash(agreement.agreement_id)
        raise LotContentError(
            "补发差异后双方仍不一致，批次未入库",
            "the two sides still differ after the repair; nothing was taken",
            advice_chinese="请联系提供部门的数据管理员核对，批次页列有不一致的分桶。",
            advice_english="Ask the provider's steward; the lot's page names the buckets that differ.",
            place=Place(element=resource),
        )

    def resources(self) -> list[str]:
        """Name the resources that agreements let this consumer pull."""
        with self._hub.database.read() as connection:
            found = self._hub.agreements.all(connection)
        today = shanghai_date(self._hub.clock.now())
        return sorted({one.agreement.resource for one in found if self._fits(one, today)})

    def _agreement(self, resource: str) -> Agreement:
        today = shanghai_date(self._hub.clock.now())
        with self._hub.database.read() as connection:
            found = self._hub.agreements.in_force(connection, [resource], today).get(resource, [])
        for one in found:
            if one.agreement.kind is Kind.TABLE and one.agreement.consumer == self._consumer:
                return one.agreement
        raise NoAgreementError(
            "没有有效的库表协议",
            "no agreement on a table is in force",
            advice_chinese="请先与提供部门签署种类为 table 的协议。",
            advice_english="Have an agreement of the kind `table` signed with the provider first.",
            place=Place(element=resource),
        )

    def _fits(self, one: AgreementRecord, today: date) -> bool:
        agreement = one.agreement
        return (
            one.state == "in_force"
            and agreement.kind is Kind.TABLE
            and agreement.consumer == self._consumer
            and agreement.covers(today)
        )

    def _pull(
        self, agreement: Agreement, purpose: str, progress: Callable[[int, int], None], until: float | None
    ) -> Lot:
        client = self._hub.directory.client(agreement.provider)
        if client is None:
            raise unreachable()
        line = GatewayLine(client, agreement, self._hub.signer, self._hub.trusted, self._hub.clock)
        taken = self._lots.unconfirmed(agreement.agreement_id)
        if taken is not None:
            self._confirm(line, taken)
        lot, offer = self._resumed(line) or self._opened(line, purpose)
        marks = RowMarks(self._lots.salt(agreement.agreement_id))
        staged, fetched = self._lots.pages(lot), False
        for number in range(len(offer.pages)):
            if number in staged:
                continue
            # At least one page a time, or a slow lot would never end.
            if until is not None and time.monotonic() > until and fetched:
                return lot
            try:
                changes = line.page(offer, number, marks)
            except PullError as problem:
                self._after(lot, problem)
                raise
            self._lots.stage(lot, number, changes, digest=offer.pages[number])
            fetched = True
            progress(number + 1, len(offer.pages))
        return self._closed(line, lot)

    def _resumed(self, line: GatewayLine) -> tuple[Lot, LotOffer] | None:
        """Go on with a lot that was cut off, if the gateway still has it."""
        lot = self._lots.open_lot(line.agreement.agreement_id)
        if lot is None:
            return None
        if lot.mode != "table":
            raise LotBusyError(lot.lot_id, lot.resource)
        if lot.agreement_version != line.agreement.version:
            self._lots.abandon(lot, "agreement_superseded")
            return None
        try:
            told = line.look(lot.remote)
            if text_of(told, "state") == "ready":
                return lot, line.offer(told, lot.remote)
        except PullError as problem:
            if problem.reason not in GONE:
                self._after(lot, problem)
                raise
        self._lots.abandon(lot, "gone_at_gateway")
        return None

    def _opened(self, line: GatewayLine, purpose: str) -> tuple[Lot, LotOffer]:
        agreement = line.agreement
        held = self._lots.holding_of(agreement.agreement_id)
        buckets = held.buckets if held else {}
        try:
            told = line.open(self._granted(agreement, purpose), self._lots.salt(agreement.agreement_id), buckets)
        except PullError as problem:
            if problem.reason != FailureCode.UNREACHABLE:
                raise
            # The kept connection may have been closed meanwhile; a grant is good for one try only.
            told = line.open(self._granted(agreement, purpose), self._lots.salt(agreement.agreement_id), buckets)
        remote = text_of(told, "lot")
        if not remote.isalnum():
            raise wrong("answer_wrong")
        waited, turn = 0.0, 0
        while text_of(told, "state") == "preparing":
            pause = _LOOK_AGAIN[min(turn, len(_LOOK_AGAIN) - 1)]
            if waited + pause > self._patience:
                raise PullError(
                    "lot_not_ready",
                    "前置机仍在准备批次",
                    "the gateway is still preparing the lot",
                    retryable=True,
                )
            self._sleep(pause)
            waited, turn = waited + pause, turn + 1
            told = line.look(remote)
        offer = line.offer(told, remote)
        with self._hub.database.begin() as connection:
            lot = self._lots.open(
                connection,
                agreement,
                replaces=offer.replaces,
                source=f"gateway:{agreement.provider}",
                remote=remote,
            )
        return lot, offer

    def _closed(self, line: GatewayLine, lot: Lot) -> Lot:
        told = line.close(lot.remote)
        if text_of(told, "state") not in ("ready", "closed"):
            raise wrong("answer_wrong")
        statement = envelope_of(told.get("statement"))
        self._lots.close(lot, statement)
        reasons: Mapping[str, int] = statement.payload.get("quality", {}).get("by_reason", {})
        self._lots.quarantine(lot, reasons)
        settled = self._lots.lot(lot.lot_id)
        self._confirm(line, settled)
        return self._lots.lot(lot.lot_id)

    def _confirm(self, line: GatewayLine, lot: Lot) -> None:
        """Tell the gateway how the lot ended; it counts as delivered there from then on."""
        try:
            told = line.close(lot.remote, lot.reconciliation)
        except PullError as problem:
            if problem.reason in GONE or not problem.retryable:
                # The next lot begins with what the hub holds, whatever the gateway remembers.
                return
            raise
        if lot.state is LotState.TAKEN:
            self._lots.confirm(lot, envelope_of(told.get("reconciliation")))

    def _after(self, lot: Lot, problem: PullError) -> None:
        """Give up what can't go on: the copy stays as it was."""
        if not problem.retryable or problem.reason in GONE:
            self._lots.abandon(lot, problem.reason)

    def _granted(self, agreement: Agreement, purpose: str) -> SignedEnvelope:
        """Decide, sign a grant, and record grant and look in the ledger before anything is asked."""
        now = self._hub.clock.now()
        actor = Actor(SYSTEM_USER, "系统", "system", self._consumer)
        for one in (purpose,) if purpose else agreement.purposes:
            decision = decide(DecisionRequest(actor, Action.PULL_LOTS, one, agreement.fields))
            if one in agreement.purposes and set(decision.elements) == set(agreement.fields):
                grant = self._grant(agreement, one, now)
                envelope = sign_envelope(GRANT, grant.to_payload(), self._hub.signer)
                look = LookEntry(actor, one, "", "", agreement.fields, decision, agreement.resource)
                with self._hub.database.begin() as connection:
                    self._record(connection, grant, envelope, now)
                    self._hub.looks.record_all(connection, [look])
                return envelope
        raise NotPermittedError(
            "访问策略不允许以协议的用途拉取该资源",
            "no policy permits this resource to be pulled for the agreement's purposes",
            advice_chinese="请核对协议的用途与访问策略。",
            advice_english="Compare the agreement's purposes with the policies.",
            place=Place(element=agreement.resource),
        )

    def _grant(self, agreement: Agreement, purpose: str, now: datetime) -> Grant:
        issued = to_the_second(now)
        return Grant(
            grant_id=new_identifier("g", now),
            kind=Kind.TABLE,
            resource=agreement.resource,
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            provider=agreement.provider,
            consumer=agreement.consumer,
            purpose=purpose,
            legal_basis=agreement.legal_basis,
            case_id="",
            subject="",
            fields=agreement.fields,
            issued_at=issued,
            expires_at=issued + GRANT_LIFE,
            nonce=new_nonce(),
        )

    def _record(self, connection: Connection, grant: Grant, envelope: SignedEnvelope, now: datetime) -> None:
        facts = {
            "grant": grant.grant_id,
            "resource": grant.resource,
            "provider": grant.provider,
            "consumer": grant.consumer,
            "agreement": f"{grant.agreement_id}/{grant.agreement_version}",
            "purpose": grant.purpose,
            "digest": envelope.digest,
        }
        text = envelope.to_json()
        entry_id = self._hub.ledger.record(connection, LedgerEntry(GRANT, now, facts), text.encode())
        values = {
            "grant_id": grant.grant_id,
            "resource": grant.resource,
            "provider": grant.provider,
            "agreement_id": grant.agreement_id,
            "agreement_version": grant.agreement_version,
            "purpose": grant.purpose,
            "case_id": "",
            "subject_index": "",
            "digest": envelope.digest,
            "envelope": self._hub.sealer.seal(GRANT, text, grant.grant_id),
            "issued_at": grant.issued_at,
            "expires_at": grant.expires_at,
            "state": "issued",
            "entry_id": entry_id,
        }
        insert_rows(connection, records.grant, _GRANT_COLUMNS, [tuple(values[name] for name in _GRANT_COLUMNS)])
