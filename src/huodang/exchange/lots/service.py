"""Lots at the hub: opened, staged page by page, and taken whole after both sides have been held against each other."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Actor
from huodang.exchange.looks import Looks
from huodang.exchange.lots import book, records, staging
from huodang.exchange.lots.delivered import LARGEST_PAGE, DeliveredRow, DeliveredRows, RowQuestion
from huodang.exchange.lots.errors import LotBusyError, LotContentError, LotStateError
from huodang.exchange.lots.queries import LotQueries
from huodang.exchange.lots.settling import Arrival, CopyHash, Settlement, drop, reconcile, reconciliation_of, settle
from huodang.exchange.lots.values import (
    LOT_RECONCILIATION,
    LOT_STATEMENT,
    Change,
    Content,
    Lot,
    LotState,
    LotStatement,
    Mode,
    Reconciliation,
    Staged,
)
from huodang.exchange.quality import BUCKETS, BadRow
from huodang.exchange.values import Agreement, new_identifier
from huodang.ledger import Ledger
from huodang.standards import Place
from huodang.store import Clock, Database, serialise
from huodang.trust import FieldSealer, SignedEnvelope, Signer, TrustedKeys, open_envelope

LARGEST_STATEMENT: Final = 4 * 1024 * 1024
_FORGOTTEN_AT_ONCE: Final = 2_000


class Lots(LotQueries):
    """The lots of one hub. A page staged again changes nothing; a lot that isn't taken leaves no trace in the copy."""

    def __init__(  # noqa: PLR0917  (the order is that of docs/architecture.md)
        self,
        database: Database,
        ledger: Ledger,
        signer: Signer,
        trusted: TrustedKeys,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
    ) -> None:
        super().__init__(database, sealer)
        self._ledger = ledger
        self._signer = signer
        self._trusted = trusted
        self._clock = clock
        self._delivered = DeliveredRows(database, sealer, looks)

    def open(
        self,
        connection: Connection,
        agreement: Agreement,
        *,
        mode: Mode = "table",
        content: Content = "changes",
        replaces: Sequence[int] = (),
        source: str = "",
        remote: str = "",
    ) -> Lot:
        """Open a lot in the caller's transaction.

        Args:
            connection: the transaction.
            agreement: that covers the delivery.
            mode: through a gateway's table, or by file; of files the hub itself finds twins of a key.
            content: `changes`, or `full`: then rows that the lot doesn't name are ended when it is taken.
            replaces: the buckets that a lot of changes sends whole.
            source: where it comes from; no personal data.
            remote: the lot's name at the gateway.

        Raises:
            LotBusyError: another lot of this agreement is at work.
        """
        now = self._clock.now()
        serialise(connection, f"lot:{agreement.agreement_id}")
        holding = book.holding_of(connection, agreement)
        lot_id = new_identifier("l", now)
        generation = book.take_place(connection, holding.number, lot_id)
        if not generation:
            raise LotBusyError(holding.open_lot, agreement.resource)
        whole = tuple(range(BUCKETS)) if content == "full" else tuple(sorted(set(replaces)))
        book.insert_lot(
            connection,
            {
                "lot_id": lot_id,
                "holding": holding.number,
                "generation": generation,
                "agreement_version": agreement.version,
                "mode": mode,
                "content": content,
                "replaces": json.dumps(whole),
                "source": source,
                "remote": remote,
                "state": LotState.OPEN,
                "opened_at": now,
            },
        )
        return book.get_lot(connection, lot_id)

    def stage(self, lot: Lot, page_number: int, changes: Iterable[Change], *, digest: str = "") -> Staged:
        """Write one page of an open lot, durably; a page that was staged before changes nothing.

        Args:
            lot: which.
            page_number: from 0.
            changes: the page's rows, made under the agreement's salt.
            digest: of the page, to tell a page that came twice from another one with its number.

        Raises:
            LotStateError: the lot isn't open any more.
            LotContentError: another page was staged under this number, or a key stands twice in a lot of changes.
        """
        with self._database.begin() as connection:
            self._require_open(connection, lot)
            known = book.page_of(connection, lot.lot_id, page_number)
            if known is not None:
                if known[0] != digest:
                    raise _content("同一页号的内容与先前收到的不同", "a page differs from the one staged before", lot)
                return known[1]
            holds_rows = book.generation_of(connection, lot.holding) > 0
            try:
                staged = staging.stage_changes(connection, lot, changes, self._sealer, holds_rows=holds_rows)
            except sa.exc.IntegrityError:
                raise _content("批次中同一主键出现两次", "a key stands twice in the lot", lot) from None
            book.insert_page(connection, lot.lot_id, page_number, digest, staged)
            return staged

    def quarantine(self, lot: Lot, faults: Iterable[BadRow] | Mapping[str, int]) -> None:
        """Put down what was kept back, counted; the rows themselves go to their provider, not here.

        Args:
            lot: which.
            faults: the bad rows, or counts as `QualityReport.by_reason` has them. Replaces what was put down before.
        """
        counts: Counter[tuple[str, str, str]] = Counter()
        if isinstance(faults, Mapping):
            for name, number in faults.items():
                reason, _, rest = name.partition("|")
                element, _, column = rest.partition("|")
                counts[reason, element, column[:200]] += number
        else:
            for row in faults:
                counts.update((fault.reason, fault.element, fault.column[:200]) for fault in row.faults)
        with self._database.begin() as connection:
            book.write_faults(connection, lot.lot_id, counts)

    def pages(self, lot: Lot) -> frozenset[int]:
        """Give the numbers of the pages staged so far."""
        with self._database.read() as connection:
            return book.pages_staged(connection, lot.lot_id)[0]

    def close(self, lot: Lot, statement: SignedEnvelope | LotStatement) -> Reconciliation:
        """Hold both sides against each other, and take the lot whole if they agree; otherwise none of it.

        Asked again, gives the same reconciliation. The hub's side is computed from the rows that stand in its table.

        Args:
            lot: an open lot, all of whose pages are staged.
            statement: signed by the provider; of a file, whose manifest is what the provider signed, the plain value.

        Raises:
            EnvelopeError: the statement's signature is wrong.
            LotContentError: the statement is about something else, or pages are missing.
            LotStateError: the lot was abandoned.
        """
        told, envelope = self._read(lot, statement)
        with self._database.begin() as connection:
            present = book.get_lot(connection, lot.lot_id)
            if present.reconciliation:
                return reconciliation_of(present)
            self._require_open(connection, lot)
            pages, staged = book.pages_staged(connection, lot.lot_id)
            if pages != frozenset(range(told.pages)):
                raise _content(
                    f"批次应有 {told.pages} 页，收到 {len(pages)} 页",
                    f"the lot has {told.pages} pages, {len(pages)} arrived",
                    lot,
                )
            if lot.replaces:
                staging.end_unnamed(connection, lot)
                staged = replace(staged, deleted=staged.deleted + staging.count_unnamed(connection, lot))
        copy = CopyHash(*staging.hash_copy(self._database, lot.holding, lot.generation))
        made = reconcile(Arrival(present, told, envelope, staged), copy, self._clock.now())
        with self._database.begin() as connection:
            present = book.get_lot(connection, lot.lot_id)
            if present.reconciliation:
                return reconciliation_of(present)
            self._require_open(connection, lot)
            settlement = Settlement(Arrival(present, told, envelope, staged), copy, made)
            settle(connection, settlement, self._ledger, self._signer, self._clock.now())
        self.tidy(lot.holding)
        return made

    def confirm(self, lot: Lot, reconciliation: SignedEnvelope) -> None:
        """Keep the reconciliation with the provider's signature beside the hub's: the lot is closed on both sides.

        Raises:
            EnvelopeError: a signature is missing or wrong.
            LotContentError: it isn't the reconciliation of this lot.
        """
        holders = {lot.provider, self._signer.holder}
        payload = open_envelope(reconciliation, LOT_RECONCILIATION, self._trusted, signer=holders)
        with self._database.begin() as connection:
            present = book.get_lot(connection, lot.lot_id)
            if Reconciliation.from_payload(payload) != reconciliation_of(present):
                raise _content("对账单不是本批次的", "this isn't the reconciliation of the lot", lot)
            if present.state is LotState.TAKEN:
                values = {"state": LotState.CLOSED, "reconciliation": reconciliation.to_json()}
                book.update_lot(connection, lot.lot_id, **values)

    def abandon(self, lot: Lot, reason: str) -> None:
        """Give an open lot up: the copy stays as it was. A lot that isn't open any more is left alone.

        Args:
            lot: which.
            reason: a code.
        """
        with self._database.begin() as connection:
            present = book.get_lot(connection, lot.lot_id)
            if present.state is LotState.OPEN:
                drop(connection, present, reason, self._ledger, self._clock.now())

    def mark_recalled(self, connection: Connection, resource: str, key_index: str) -> int:
        """Recall a row from every copy: nobody is shown it any more until the provider sends another. Give how many."""
        rows, holding = records.delivered_row, records.holding
        of_resource = sa.select(holding.c.number).where(holding.c.resource == resource)
        changed = connection.execute(
            sa.update(rows)
            .where(
                rows.c.holding.in_(of_resource),
                rows.c.key_index == key_index,
                rows.c.until.is_(None),
                rows.c.recalled_at.is_(None),
            )
            .values(recalled_at=self._clock.now())
        )
        return changed.rowcount

    def rehash(self, agreement_id: str) -> None:
        """Take what really stands in a copy as what the hub holds, so that the next lot mends what differs."""
        with self._database.read() as connection:
            found = book.holdings_where(connection, records.holding.c.agreement_id == agreement_id)
            generation = book.generation_of(connection, found[0].number) if found else 0
        for holding in found:
            buckets, _ = staging.hash_copy(self._database, holding.number, generation)
            with self._database.begin() as connection:
                if book.generation_of(connection, holding.number) == generation:
                    book.move_holding(connection, holding.number, buckets=staging.buckets_to_text(buckets))

    def rows(
        self,
        actor: Actor,
        purpose: str,
        resource: str,
        *,
        agreements: Sequence[Agreement],
        key: str = "",
        subject_index: str = "",
        after: str = "",
        limit: int = 50,
        case_id: str = "",
        assigned: bool = False,
    ) -> list[DeliveredRow]:
        """Show rows of a copy to somebody, decided by policy and agreement, masked, each look recorded.

        Args:
            actor: who wants to see them.
            purpose: code of the purpose, which an agreement must name.
            resource: whose rows.
            agreements: those in force.
            key: only the row with this key, as canonical text.
            subject_index: only rows about this person.
            after: the key index after which the page begins.
            limit: rows of a page, 500 at most.
            case_id: the case that it is for, if any.
            assigned: the matter is given to the actor.

        Raises:
            NotPermittedError: neither policy nor agreement lets the actor see anything of these rows.
        """
        holdings = [one for one in self.holdings(resource) if one.agreement_id in {a.agreement_id for a in agreements}]
        indexes = {one.number: self.key_index(one.agreement_id, key) if key else "" for one in holdings}
        asked = RowQuestion(resource, subject_index, after, min(limit, LARGEST_PAGE), case_id, assigned=assigned)
        return self._delivered.show(actor, purpose, asked, agreements, indexes)

    def tidy(self, number: int) -> int:
        """Take the contents out of rows of a holding that no copy holds any more; give how many."""
        forgotten = 0
        while True:
            with self._database.begin() as connection:
                generation = book.generation_of(connection, number)
                done = staging.forget_ended(connection, number, generation, most=_FORGOTTEN_AT_ONCE)
            forgotten += done
            if done < _FORGOTTEN_AT_ONCE:
                return forgotten

    def _read(self, lot: Lot, statement: SignedEnvelope | LotStatement) -> tuple[LotStatement, SignedEnvelope | None]:
        if isinstance(statement, LotStatement):
            told, envelope = statement, None
        else:
            payload = open_envelope(
                statement, LOT_STATEMENT, self._trusted, signer=lot.provider, limit=LARGEST_STATEMENT
            )
            told, envelope = LotStatement.from_payload(payload), statement
        cited = (told.resource, told.agreement_id, told.agreement_version, told.provider)
        if cited != (lot.resource, lot.agreement_id, lot.agreement_version, lot.provider):
            raise _content("声明不是关于本批次的", "the statement is about another lot", lot)
        if lot.remote and told.lot != lot.remote:
            raise _content("声明不是关于本批次的", "the statement is about another lot", lot)
        return told, envelope

    def _require_open(self, connection: Connection, lot: Lot) -> None:
        state = book.get_lot(connection, lot.lot_id).state
        if state is not LotState.OPEN:
            raise LotStateError(
                f"批次处于“{state.value}”状态，不能继续",
                f"the lot is {state.value} and can't go on",
                advice_chinese="请重新开始一个批次。",
                advice_english="Open another lot.",
                place=Place(element=lot.lot_id),
            )


def _content(chinese: str, english: str, lot: Lot) -> LotContentError:
    return LotContentError(
        chinese,
        english,
        advice_chinese="整批未入库，原有副本不变；请重新拉取或请提供方重新交付。",
        advice_english="None of it was taken and the copy is as before; pull again, or have it delivered again.",
        place=Place(element=lot.lot_id),
    )
