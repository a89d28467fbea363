"""What a department's data steward does about lots: see them, get the rows kept back, let one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from huodang.exchange.gateway.config import GatewayFile, config_error
from huodang.exchange.lots.delivery_store import DeliveryStore, GatewayLot, Problem
from huodang.exchange.lots.errors import LotError, UnknownLotError
from huodang.exchange.lots.pages import QUARANTINED, bad_row_from_text
from huodang.exchange.lots.snapshot import ALLOW_DELETES, ALLOW_SCHEMA
from huodang.exchange.lots.values import LotStatement
from huodang.exchange.quality import BadRow, QualityReport, write_quarantine
from huodang.standards import Place
from huodang.trust import FieldSealer, SignedEnvelope


@dataclass(frozen=True)
class StewardLot:
    """A lot as its provider's steward sees it.

    Attributes:
        rows: read from the source.
        problem: why it couldn't be made; empty if it could.
    """

    lot_id: str
    resource: str
    agreement_id: str
    state: str
    opened_at: str
    ended_at: str
    rows: int
    inserted: int
    updated: int
    deleted: int
    late: int
    quarantined: int
    problem: str


class LotSteward:
    """Works on the gateway's own store; the gateway may run meanwhile.

    Raises:
        GatewayConfigError: the file delivers no tables.
    """

    def __init__(self, file: GatewayFile) -> None:
        section = file.spec.tables
        if section is None:
            place = Place(file=str(file.path), element="tables")
            raise config_error("前置机文件没有 tables", "the gateway's file has no `tables`", place)
        self._resources = frozenset(one.resource for one in section.deliver)
        self._store = DeliveryStore(file.beside(section.database))
        self._sealer = FieldSealer.create(file.beside(file.spec.keys))

    def lots(self, *, limit: int = 100) -> list[StewardLot]:
        """List lots, newest first."""
        return [_seen(one) for one in self._store.lots(limit=limit)]

    def quality(self, lot_id: str) -> QualityReport:
        """Give the quality of a lot.

        Raises:
            UnknownLotError: there is no such lot, or it was never made.
        """
        lot = self._store.lot(lot_id)
        if lot is None or not lot.statement:
            raise UnknownLotError(
                "没有这个批次，或它未能生成",
                "there is no such lot, or it couldn't be made",
                advice_chinese="用 huodang steward lots list 查看批次。",
                advice_english="See the lots with `huodang steward lots list`.",
                place=Place(element=lot_id[:64]),
            )
        return QualityReport.from_payload(_statement(lot).quality)

    def quarantined(self, resource: str, *, lot: str = "") -> Iterator[BadRow]:
        """Give the rows kept back, of the newest lot unless another is named.

        Raises:
            LotError: the resource isn't delivered here.
        """
        self._require(resource)
        for _, lot_id, sealed in self._store.quarantined(lot_id=lot or None, resource=resource):
            yield bad_row_from_text(self._sealer.open(QUARANTINED, sealed, lot_id))

    def export_quarantine(self, resource: str, path: Path, *, lot: str = "") -> int:
        """Write the rows kept back as a file that can be worked with; give how many.

        Raises:
            LotError: the resource isn't delivered here.
            ExchangeError: the file can't be written.
        """
        return write_quarantine(path, self.quarantined(resource, lot=lot))

    def allow(self, resource: str, what: str) -> None:
        """Let the next lot of a resource pass, once.

        Args:
            resource: which.
            what: `schema`, columns are of another kind than before; `deletes`, an unusual share of rows ends.

        Raises:
            LotError: there is nothing of that name to be let pass, or nothing was delivered yet.
        """
        self._require(resource)
        if what not in (ALLOW_SCHEMA, ALLOW_DELETES) or not self._store.allow(resource, what):
            raise LotError(
                "只能放行 schema 或 deletes，且该资源须已交付过",
                "only `schema` or `deletes` can be let pass, of a resource that was delivered before",
                place=Place(element=resource),
            )

    def _require(self, resource: str) -> None:
        if resource not in self._resources:
            raise LotError(
                f"本前置机不以库表交付该资源；有：{'、'.join(sorted(self._resources))}",
                f"this gateway doesn't deliver it; it delivers: {', '.join(sorted(self._resources))}",
                place=Place(element=resource[:129]),
            )


def _statement(lot: GatewayLot) -> LotStatement:
    return LotStatement.from_payload(SignedEnvelope.from_json(lot.statement).payload)


def _seen(lot: GatewayLot) -> StewardLot:
    told = _statement(lot) if lot.statement else None
    return StewardLot(
        lot_id=lot.lot_id,
        resource=lot.resource,
        agreement_id=lot.agreement_id,
        state=lot.state,
        opened_at=lot.opened_at,
        ended_at=lot.ended_at,
        rows=lot.rows,
        inserted=told.inserted if told else 0,
        updated=told.updated if told else 0,
        deleted=told.deleted if told else 0,
        late=told.late if told else 0,
        quarantined=told.quarantined if told else 0,
        problem=msgspec.json.decode(lot.problem, type=Problem).chinese if lot.problem else "",
    )
