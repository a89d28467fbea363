"""Preparing lots beside the requests: one thread a lot, begun anew after a kill, its outcome written in one step."""

import json
import threading
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.lots.delivery_store import FAILED, PREPARING, READY, DeliveryStore, GatewayLot, Problem, drop_lot
from huodang.exchange.lots.errors import LotError
from huodang.exchange.lots.snapshot import ALLOW_SCHEMA, LeavingError, Order, Prepared, Snapshot
from huodang.exchange.lots.table_source import DeliveredTable, check_schema, describe, watermark_text
from huodang.exchange.lots.values import LOT_OFFER, LOT_STATEMENT, LotOffer, LotStatement
from huodang.exchange.quality import RowMarks, Standardiser, root_of
from huodang.exchange.values import Agreement, to_the_second
from huodang.standards import HuodangError, Place
from huodang.store import shanghai_date, utc_text
from huodang.trust import sign_envelope

_log = structlog.get_logger("huodang.exchange.lots")
_SALT_MARK: Final = "salt"
READ_RESUMED: Final = "read_resumed"
"""The source went away on the way: rows before that are of one moment, the others of a later one."""


class FilterError(LotError):
    """The agreement filters rows by an element that the table doesn't map."""

    code = "exchange.lot_filter"


class Preparing:
    """Prepares lots.

    Args:
        gateway: whose keys and clock count.
        source: the department's database.
        store: the gateway's store of lots.
    """

    def __init__(self, gateway: Gateway, source: DatabaseSource, store: DeliveryStore) -> None:
        self._gateway = gateway
        self._source = source
        self._store = store
        self._leaving = threading.Event()

    def leave(self) -> None:
        """Stop at the next portion."""
        self._leaving.set()

    def run(
        self, lot: GatewayLot, table: DeliveredTable, agreement: Agreement, salt: bytes, held: Mapping[int, str]
    ) -> None:
        """Prepare a lot to its end: ready, or failed with what hub and steward are told."""
        try:
            self._run(lot, table, agreement, salt, held)
        except LeavingError:
            return
        except HuodangError as problem:
            self._fail(lot, problem.code.replace(".", "_"), problem.sentence("zh"), problem.sentence("en"))
        except Exception as problem:  # noqa: BLE001  (whatever goes wrong, the hub must be told that the lot failed)
            kind = type(problem).__name__
            self._fail(lot, "lot_failed", f"批次未能生成（{kind}）", f"the lot couldn't be made ({kind})")

    def _run(
        self, lot: GatewayLot, table: DeliveredTable, agreement: Agreement, salt: bytes, held: Mapping[int, str]
    ) -> None:
        now = self._gateway.clock.now()
        with self._store.writing() as connection:
            copy = self._store.copy(connection, lot.agreement_id, lot.resource)
        columns = describe(self._source, table.spec.table)
        warnings = check_schema(table, columns, copy.schema, allowed=ALLOW_SCHEMA in copy.allowed)
        unread = sorted(agreement.rows.keys() - table.plan.offers)
        if unread:
            raise FilterError(
                f"协议按数据元 {unread[0]} 限定行，但该表没有映射它",
                f"the agreement filters rows by {unread[0]}, which the table doesn't map",
                place=Place(element=unread[0]),
            )
        standardiser = Standardiser(
            table.plan, today=shanghai_date(now), salt=salt, hand_over=agreement.fields, only=agreement.rows
        )
        salt_mark = RowMarks(salt).mark(_SALT_MARK)
        order = Order(lot, table, agreement, salt, salt_mark, held)
        snapshot = Snapshot(self._store, self._source, self._gateway.secret, standardiser, self._check_leaving)
        made = snapshot.prepare(order)
        warnings += [READ_RESUMED] if made.resumed else []
        as_of = to_the_second(now)
        handed = sorted(frozenset(agreement.fields) & table.plan.offers)
        offer = LotOffer(
            lot=lot.lot_id,
            resource=lot.resource,
            agreement_id=lot.agreement_id,
            agreement_version=lot.agreement_version,
            provider=self._gateway.department,
            pages=tuple(made.pages),
            elements=tuple(handed),
            as_of=as_of,
            replaces=made.replaces,
        )
        statement = LotStatement(
            lot=lot.lot_id,
            resource=lot.resource,
            agreement_id=lot.agreement_id,
            agreement_version=lot.agreement_version,
            provider=self._gateway.department,
            sent=made.inserted + made.updated + made.deleted,
            pages=len(made.pages),
            as_of=as_of,
            rows=made.copied,
            inserted=made.inserted,
            updated=made.updated,
            deleted=made.deleted,
            late=made.late,
            quarantined=made.quarantined,
            buckets={f"{bucket:02x}": value for bucket, value in made.buckets.items()},
            root=root_of(made.buckets),
            quality=made.quality,
            warnings=tuple(warnings),
        )
        self._ready(lot, made, offer, statement, json.dumps(columns, ensure_ascii=False))

    def _ready(self, lot: GatewayLot, made: Prepared, offer: LotOffer, statement: LotStatement, columns: str) -> None:
        signer = self._gateway.signer
        signed_offer = sign_envelope(LOT_OFFER, offer.to_payload(), signer).to_json()
        signed_statement = sign_envelope(LOT_STATEMENT, statement.to_payload(), signer).to_json()
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE lots SET state = ?, offer = ?, statement = ?, watermark = ?, schema = ?, rows = ? "
                "WHERE lot_id = ? AND state = ?",
                (
                    READY,
                    signed_offer,
                    signed_statement,
                    watermark_text(made.watermark),
                    columns,
                    made.rows,
                    lot.lot_id,
                    PREPARING,
                ),
            )

    def _fail(self, lot: GatewayLot, code: str, chinese: str, english: str) -> None:
        _log.error("lots.failed", resource=lot.resource, code=code)
        problem = msgspec.json.encode(Problem(code, chinese[:900], english[:900])).decode()
        now = utc_text(to_the_second(self._gateway.clock.now()))
        try:
            with self._store.writing() as connection:
                drop_lot(connection, lot.lot_id)
                connection.execute(
                    "UPDATE lots SET state = ?, ended_at = ?, problem = ? WHERE lot_id = ? AND state = ?",
                    (FAILED, now, problem, lot.lot_id, PREPARING),
                )
        except HuodangError:
            # The disk is full, most likely: the lot stays as it is and is prepared anew when it is next looked at.
            _log.error("lots.store", resource=lot.resource)

    def _check_leaving(self) -> None:
        if self._leaving.is_set():
            raise LeavingError("进程正在结束", "the process is about to end")
