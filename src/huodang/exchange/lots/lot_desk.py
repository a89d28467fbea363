"""The gateway's side of a lot: who may ask, one lot at a time, what it holds, and when it counts as delivered.

A lot is opened by a signed grant, once; each further step by a small signed request, and the agreement is looked up
anew at every one, so that a revocation holds from the next page on.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog

from huodang.exchange.gateway.admission import admit_delivery, read_grant
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.lots.delivery_store import (
    AT_WORK,
    CLOSED,
    FAILED,
    PREPARING,
    READY,
    REFUSED,
    DeliveryStore,
    GatewayLot,
    Problem,
    drop_lot,
    snapshot_table,
)
from huodang.exchange.lots.pages import PAGE, page_binding
from huodang.exchange.lots.preparing import Preparing
from huodang.exchange.lots.table_source import DeliveredTable
from huodang.exchange.lots.values import LOT_RECONCILIATION, LOT_REQUEST, LotRequest, LotStatement, Reconciliation
from huodang.exchange.values import REFUSAL, Agreement, Grant, Kind, Refusal, new_identifier, to_the_second
from huodang.standards import HuodangError
from huodang.store import shanghai_date, utc_text
from huodang.trust import EnvelopeError, SignedEnvelope, cosign_envelope, open_envelope, sign_envelope

ORDERED: Final = "lot_order"
LARGEST_REQUEST: Final = 1024 * 1024
_REQUEST_LIFE: Final = timedelta(minutes=15)
_log = structlog.get_logger("huodang.exchange.lots")

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "lot_unknown": ("没有这个批次，或它属于另一份协议", "there is no such lot, or it is another agreement's"),
    "lot_not_ready": ("批次尚未准备好", "the lot isn't ready yet"),
    "lot_over": ("批次已经结束", "the lot is over"),
    "page_unknown": ("批次没有这一页", "the lot has no such page"),
    "request_forged": ("请求的签名无效或已过期", "the request's signature is wrong, or it is too old"),
    "reconciliation_wrong": ("对账单与本批次的声明不符", "the reconciliation isn't of this lot's statement"),
}


@dataclass(eq=False)
class Refusing(Exception):  # noqa: N818  (becomes a signed refusal)
    """A request is refused."""

    code: str
    chinese: str
    english: str
    grant_id: str = ""
    grant_digest: str = ""


class LotDesk:
    """Answers the hub.

    Args:
        gateway: whose keys, agreements and memory count.
        source: the department's database.
        store: the gateway's store of lots.
        tables: what is delivered, by resource.
    """

    def __init__(
        self, gateway: Gateway, source: DatabaseSource, store: DeliveryStore, tables: Mapping[str, DeliveredTable]
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._tables = tables
        self._preparing = Preparing(gateway, source, store)
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def open(self, grant: bytes, request: bytes) -> dict[str, Any]:
        """Open a lot, or join the one that is at work under the agreement."""
        return self._answering(lambda: self._open(grant, request))

    def look(self, lot_id: str, request: bytes) -> dict[str, Any]:
        """Tell how far a lot is; once it is ready, what it holds."""
        return self._answering(lambda: self._told(self._lot(lot_id, request, "look")[0]))

    def page(self, lot_id: str, number: int, request: bytes) -> bytes | dict[str, Any]:
        """Hand over one page; the same page as often as it is asked for."""
        try:
            lot, _, asked = self._lot(lot_id, request, "page")
            if lot.state == PREPARING:
                raise _refusing("lot_not_ready")
            if lot.state != READY:
                raise _refusing("lot_over")
            found = self._store.page(lot_id, number) if asked.page == number else None
            if found is None:
                raise _refusing("page_unknown")
        except Refusing as refused:
            return self._refusal(refused)
        return self._gateway.secret.open(PAGE, found[0], page_binding(lot_id, number)).encode()

    def close(self, lot_id: str, request: bytes, reconciliation: bytes) -> dict[str, Any]:
        """Give the signed statement; with the hub's reconciliation, let the lot count as delivered and cosign it."""
        return self._answering(lambda: self._close(lot_id, request, reconciliation))

    def resume(self) -> None:
        """Go on with lots whose preparation was cut off."""
        for lot in self._store.lots():
            if lot.state == PREPARING:
                self._prepare(lot)

    def wait(self, seconds: float) -> None:
        """Wait for preparations to end."""
        for thread in list(self._threads.values()):
            thread.join(seconds)

    def stop(self) -> None:
        """Let preparations end where they are; they begin anew with the next start."""
        self._preparing.leave()
        self.wait(10)

    def _open(self, raw_grant: bytes, raw_request: bytes) -> dict[str, Any]:
        now = self._gateway.clock.now()
        try:
            envelope = SignedEnvelope.from_json(raw_grant)
        except EnvelopeError:
            raise _refusing("request_forged") from None
        grant = read_grant(envelope, self._gateway.trusted, now)
        if isinstance(grant, Refused):
            raise _of(grant, None, envelope)
        agreement = admit_delivery(
            envelope,
            grant,
            department=self._gateway.department,
            kind=Kind.TABLE,
            resources=self._tables.keys(),
            shelf=self._gateway.shelf.contents(),
            now=now,
            skew=self._gateway.skew,
        )
        if isinstance(agreement, Refused):
            raise _of(agreement, grant, envelope)
        request = self._request(raw_request, "open", agreement)
        if not request.salt:
            raise _refusing("request_forged")
        if self._gateway.memory.write(
            [(grant.nonce, grant.expires_at + 2 * self._gateway.skew, _line(grant, envelope))]
        ):
            raise _of(Refused("replayed"), grant, envelope)
        with self._lock:
            lot = self._store.at_work(agreement.agreement_id)
            if lot is not None and lot.agreement_version != agreement.version:
                self._end(lot, FAILED)
                lot = None
            if lot is not None and self._ordered(lot) != (request.salt, dict(request.buckets)):
                # The hub holds something else than when this lot was ordered, so it wouldn't fit any more.
                self._end(lot, FAILED)
                lot = None
            if lot is None:
                lot = self._new(agreement, request)
        if lot.state == PREPARING:
            self._prepare(lot)
        return {"lot": lot.lot_id, **self._told(lot)}

    def _new(self, agreement: Agreement, request: LotRequest) -> GatewayLot:
        now = self._gateway.clock.now()
        lot_id = new_identifier("t", now)
        ordered = msgspec.json.encode({"salt": request.salt, "buckets": request.buckets}).decode()
        sealed = self._gateway.secret.seal(ORDERED, ordered, lot_id)
        with self._store.writing() as connection:
            self._store.copy(connection, agreement.agreement_id, agreement.resource)
            connection.execute(
                "INSERT INTO lots VALUES (?, ?, ?, ?, ?, ?, '', ?, '', '', '', '', '', '', 0)",
                (
                    lot_id,
                    agreement.agreement_id,
                    agreement.version,
                    agreement.resource,
                    PREPARING,
                    utc_text(to_the_second(now)),
                    sealed,
                ),
            )
        lot = self._store.lot(lot_id)
        assert lot is not None  # noqa: S101  (written above)
        return lot

    def _ordered(self, lot: GatewayLot) -> tuple[str, dict[str, str]]:
        told = msgspec.json.decode(self._gateway.secret.open(ORDERED, lot.sealed, lot.lot_id))
        return told["salt"], told["buckets"]

    def _prepare(self, lot: GatewayLot) -> None:
        """Begin to prepare a lot, unless that is being done already."""
        with self._lock:
            thread = self._threads.get(lot.lot_id)
            if thread is not None and thread.is_alive():
                return
            table = self._tables.get(lot.resource)
            agreement = self._agreement(lot)
            if table is None or isinstance(agreement, Refused):
                self._end(lot, FAILED)
                return
            salt, buckets = self._ordered(lot)
            held = {int(bucket, 16): value for bucket, value in buckets.items()}
            thread = threading.Thread(
                target=self._preparing.run,
                args=(lot, table, agreement, bytes.fromhex(salt), held),
                name=f"lot-{lot.resource}",
                daemon=True,
            )
            self._threads = {name: one for name, one in self._threads.items() if one.is_alive()}
            self._threads[lot.lot_id] = thread
            thread.start()

    def _told(self, lot: GatewayLot) -> dict[str, Any]:
        if lot.state == PREPARING:
            self._prepare(lot)
            return {"state": PREPARING, "rows": lot.rows}
        if lot.state == READY:
            return {"state": READY, "offer": msgspec.Raw(lot.offer.encode())}
        if lot.problem:
            problem = msgspec.json.decode(lot.problem, type=Problem)
            raise Refusing(problem.code, problem.chinese, problem.english)
        return {"state": lot.state}

    def _close(self, lot_id: str, request: bytes, raw: bytes) -> dict[str, Any]:
        lot, agreement, _ = self._lot(lot_id, request, "close")
        if lot.state == CLOSED:
            return {"state": CLOSED, "reconciliation": msgspec.Raw(lot.reconciliation.encode())}
        if lot.state == PREPARING:
            raise _refusing("lot_not_ready")
        if lot.state != READY:
            raise _refusing("lot_over")
        if not raw or raw == b"null":
            return {"state": READY, "statement": msgspec.Raw(lot.statement.encode())}
        try:
            envelope = SignedEnvelope.from_json(raw)
            payload = open_envelope(envelope, LOT_RECONCILIATION, self._gateway.trusted, signer=agreement.grant_signer)
            made = Reconciliation.from_payload(payload)
        except HuodangError:
            raise _refusing("reconciliation_wrong") from None
        statement = SignedEnvelope.from_json(lot.statement)
        told = LotStatement.from_payload(statement.payload)
        if made.statement != statement.digest or made.agreement_id != lot.agreement_id:
            raise _refusing("reconciliation_wrong")
        if not made.equal:
            self._end(lot, REFUSED)
            return {"state": REFUSED}
        if (made.hub_root, made.hub_rows) != (told.root, told.rows):
            raise _refusing("reconciliation_wrong")
        cosigned = cosign_envelope(envelope, self._gateway.signer).to_json()
        self._count_as_delivered(lot, told, cosigned)
        return {"state": CLOSED, "reconciliation": msgspec.Raw(cosigned.encode())}

    def _count_as_delivered(self, lot: GatewayLot, told: LotStatement, cosigned: str) -> None:
        """From now on the snapshot is what was delivered last: one step."""
        now = utc_text(to_the_second(self._gateway.clock.now()))
        with self._store.writing() as connection:
            state = connection.execute("SELECT state FROM lots WHERE lot_id = ?", (lot.lot_id,)).fetchone()[0]
            if state != READY:
                return
            copy = self._store.copy(connection, lot.agreement_id, lot.resource)
            connection.execute(f"DROP TABLE delivered_{copy.number}")
            connection.execute(f"ALTER TABLE {snapshot_table(lot.lot_id)} RENAME TO delivered_{copy.number}")
            connection.execute(
                "UPDATE copies SET watermark = ?, schema = ?, allowed = '', delivered = ?, lot_id = ?, as_of = ? "
                "WHERE number = ?",
                (lot.watermark, lot.schema, told.rows, lot.lot_id, utc_text(told.as_of), copy.number),
            )
            connection.execute("DELETE FROM pages WHERE lot_id = ?", (lot.lot_id,))
            # What an earlier lot had kept back is in this lot, or kept back again.
            connection.execute("DELETE FROM quarantine WHERE resource = ? AND lot_id <> ?", (lot.resource, lot.lot_id))
            connection.execute(
                "UPDATE lots SET state = ?, ended_at = ?, reconciliation = ? WHERE lot_id = ?",
                (CLOSED, now, cosigned, lot.lot_id),
            )

    def _end(self, lot: GatewayLot, state: str) -> None:
        now = utc_text(to_the_second(self._gateway.clock.now()))
        with self._store.writing() as connection:
            drop_lot(connection, lot.lot_id)
            connection.execute(
                "UPDATE lots SET state = ?, ended_at = ? WHERE lot_id = ? AND state IN (?, ?)",
                (state, now, lot.lot_id, *AT_WORK),
            )

    def _lot(self, lot_id: str, raw: bytes, step: str) -> tuple[GatewayLot, Agreement, LotRequest]:
        lot = self._store.lot(lot_id)
        if lot is None:
            raise _refusing("lot_unknown")
        agreement = self._agreement(lot)
        if isinstance(agreement, Refused):
            raise _of(agreement, None, None)
        request = self._request(raw, step, agreement)
        if request.lot != lot_id:
            raise _refusing("request_forged")
        return lot, agreement, request

    def _agreement(self, lot: GatewayLot) -> Agreement | Refused:
        today = shanghai_date(self._gateway.clock.now())
        return self._gateway.shelf.contents().find(lot.agreement_id, lot.agreement_version, today)

    def _request(self, raw: bytes, step: str, agreement: Agreement) -> LotRequest:
        now = self._gateway.clock.now()
        try:
            payload = open_envelope(
                SignedEnvelope.from_json(raw),
                LOT_REQUEST,
                self._gateway.trusted,
                signer=agreement.grant_signer,
                at=now,
                limit=LARGEST_REQUEST,
            )
            request = LotRequest.from_payload(payload)
        except HuodangError:
            raise _refusing("request_forged") from None
        age = now - request.issued_at
        if request.step != step or request.agreement_id != agreement.agreement_id:
            raise _refusing("request_forged")
        if not -self._gateway.skew <= age <= _REQUEST_LIFE + self._gateway.skew:
            raise _refusing("request_forged")
        return request

    def _answering(self, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return answer()
        except Refusing as refused:
            return self._refusal(refused)

    def _refusal(self, refused: Refusing) -> dict[str, Any]:
        refusal = Refusal(
            grant_id=refused.grant_id,
            grant_digest=refused.grant_digest,
            provider=self._gateway.department,
            code=refused.code,
            chinese=refused.chinese,
            english=refused.english,
            answered_at=to_the_second(self._gateway.clock.now()),
        )
        _log.warning("lots.refused", code=refused.code)
        return {
            "refusal": msgspec.Raw(
                sign_envelope(REFUSAL, refusal.to_payload(), self._gateway.signer).to_json().encode()
            )
        }


def _refusing(code: str) -> Refusing:
    return Refusing(code, *_SENTENCES[code])


def _of(refused: Refused, grant: Grant | None, envelope: SignedEnvelope | None) -> Refusing:
    return Refusing(
        refused.code,
        *refused.sentences(),
        grant_id=grant.grant_id if grant else "",
        grant_digest=envelope.digest if envelope else "",
    )


def _line(grant: Grant, envelope: SignedEnvelope) -> LogLine:
    return LogLine(
        answered_at=grant.issued_at,
        grant_id=grant.grant_id,
        grant_digest=envelope.digest,
        consumer=grant.consumer,
        purpose=grant.purpose,
        case_id=grant.case_id,
        resource=grant.resource,
        agreement_id=grant.agreement_id,
        agreement_version=grant.agreement_version,
        elements=grant.elements,
        fields=grant.fields,
        subject_mark="",
        outcome="lot",
        reason="opened",
        salt=secrets.token_hex(16),
    )
