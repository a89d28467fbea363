"""Demands (供需对接) carried to a neighbouring hub: its department answers within its deadlines, and that comes back.

The hub that asks signs the demand and hands it over; the hub above raises it for its department in its own name, as it
would be the one to pass the data on. Handed over again, the same demand is told as it stands: the answer, the due day
and the light (红黄灯) come back signed. No person is named in any of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from huodang.exchange.cascade import records
from huodang.exchange.cascade.compacts import away
from huodang.exchange.cascade.demand_words import CASCADE_DEMAND, CASCADE_STANDING, CarriedDemand, DemandStanding
from huodang.exchange.cascade.errors import CascadeError, DemandRefusedError, NeighbourError
from huodang.exchange.cascade.offers import Offers
from huodang.exchange.client import CallFailure, GatewayClient
from huodang.exchange.decisions import Actor
from huodang.exchange.sharing import DemandTerms, SharingDesk
from huodang.exchange.sharing.demand_terms import Frequency
from huodang.exchange.values import Kind, new_identifier, to_the_second
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import HuodangError, Place
from huodang.store import Clock, Database
from huodang.trust import SignedEnvelope, Signer, TrustedKeys, open_envelope, sign_envelope

_log = structlog.get_logger("huodang.exchange.cascade")
ROUTE: Final = "/v1/hub/demands"
UNSENT: Final = "unsent"
_ENDED: Final = ("refused", "withdrawn", "revoked", "expired")
_LONGEST_ON_THE_WAY: Final = timedelta(days=30)
_AHEAD: Final = timedelta(minutes=5)
_SECONDS: Final = 5.0
_OUT: Final = "out"
_IN: Final = "in"


@dataclass(frozen=True)
class DemandAbove:
    """A demand of this hub at a neighbour; `standing` is None until it was handed over."""

    reference: str
    neighbour: str
    resource: str
    state: str
    asked_at: datetime
    standing: DemandStanding | None


class Demands:
    """The demands between a hub and its neighbours, both ways.

    Args:
        database: the hub's.
        ledger: gets a leaf for each demand handed over or taken.
        sharing: raises demands for this hub's departments.
        offers: what is passed on.
        signer: the hub's key.
        neighbours: public keys of the neighbours.
        clients: the ways to them.
        clock: the time.
    """

    def __init__(  # noqa: PLR0917  (the order is that of `Compacts`)
        self,
        database: Database,
        ledger: Ledger,
        sharing: SharingDesk,
        offers: Offers,
        signer: Signer,
        neighbours: TrustedKeys,
        clients: Mapping[str, GatewayClient],
        clock: Clock,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._sharing = sharing
        self._offers = offers
        self._signer = signer
        self._neighbours = neighbours
        self._clients = clients
        self._clock = clock

    def ask(
        self,
        resource: str,
        kind: Kind,
        *,
        purposes: tuple[str, ...],
        legal_basis: str,
        frequency: Frequency,
        valid_from: date,
        valid_to: date | None = None,
        elements: tuple[str, ...] = (),
        fields: tuple[str, ...] = (),
        note: str = "",
    ) -> DemandAbove:
        """Ask a department behind a neighbour for data: kept first, then handed over; if that fails, `refresh` tries.

        Raises:
            CascadeError: the resource isn't a neighbour's.
            MessageError: what is asked isn't shaped as a demand.
            DemandRefusedError: the neighbour refused it: nothing is kept but the ledger's entry.
        """
        neighbour = resource.partition(".")[0]
        if neighbour not in self._clients:
            raise CascadeError(
                "该资源不是相邻平台的", "the resource isn't a neighbour's", place=Place(element=resource)
            )
        now = to_the_second(self._clock.now())
        demand = CarriedDemand.from_payload(
            {
                "reference": new_identifier("q", now),
                "asker": self._signer.holder,
                "resource": resource,
                "purposes": list(purposes),
                "legal_basis": legal_basis,
                "kind": kind.value,
                "frequency": frequency,
                "valid_from": valid_from.isoformat(),
                "valid_to": None if valid_to is None else valid_to.isoformat(),
                "elements": list(elements),
                "fields": list(fields),
                "note": note,
                "asked_at": now.isoformat(),
            }
        )
        envelope = sign_envelope(CASCADE_DEMAND, demand.to_payload(), self._signer)
        with self._database.begin() as connection:
            self._keep(connection, demand, envelope, _OUT, neighbour, demand_id="", now=now)
        try:
            self._hand(demand.reference, neighbour, envelope.to_json())
        except DemandRefusedError:
            with self._database.begin() as connection:
                table = records.demand
                connection.execute(sa.delete(table).where(table.c.reference == demand.reference))
            raise
        except NeighbourError:
            _log.warning("cascade.demand_waits", neighbour=neighbour, reference=demand.reference)
        return next(one for one in self.asked() if one.reference == demand.reference)

    def asked(self) -> list[DemandAbove]:
        """List what this hub asked of neighbours, the newest first, as it was told last."""
        table = records.demand
        statement = (
            sa.select(table).where(table.c.direction == _OUT).order_by(table.c.asked_at.desc(), table.c.reference)
        )
        with self._database.read() as connection:
            rows = list(connection.execute(statement))
        return [
            DemandAbove(
                row.reference,
                row.neighbour,
                row.resource,
                row.state,
                row.asked_at,
                msgspec.json.decode(row.standing, type=DemandStanding) if row.standing else None,
            )
            for row in rows
        ]

    def refresh(self) -> dict[str, str]:
        """Hand over what wasn't, and ask how the others stand; give by reference the code of what went wrong."""
        table = records.demand
        with self._database.read() as connection:
            rows = list(
                connection.execute(sa.select(table).where(table.c.direction == _OUT, table.c.state.not_in(_ENDED)))
            )
        failed: dict[str, str] = {}
        for row in rows:
            try:
                self._hand(row.reference, row.neighbour, row.envelope)
            except HuodangError as problem:
                failed[row.reference] = problem.code
        return failed

    def take(self, raw: bytes) -> SignedEnvelope:
        """Take a neighbour's demand, or the same again; give where it stands, signed.

        Raises:
            EnvelopeError: it isn't signed by the neighbour that it names.
            CascadeError: it isn't offered, is another hub's, or was signed too long ago.
            SharingError: the catalogue doesn't hold what it asks for.
        """
        envelope = SignedEnvelope.from_json(raw)
        now = self._clock.now()
        demand = CarriedDemand.from_payload(envelope.payload)
        open_envelope(envelope, CASCADE_DEMAND, self._neighbours, signer=demand.asker, at=now)
        actor = Actor(f"hub:{demand.asker}", demand.asker, "steward", self._signer.holder)
        table = records.demand
        with self._database.begin() as connection:
            known = connection.execute(
                sa.select(table.c.demand_id, table.c.digest).where(
                    table.c.direction == _IN, table.c.neighbour == demand.asker, table.c.reference == demand.reference
                )
            ).one_or_none()
            if known is not None and known.digest != envelope.digest:
                raise _refused("同一编号，内容不同", "the same reference with other contents", demand.reference)
            if known is None and not now - _LONGEST_ON_THE_WAY <= demand.asked_at <= now + _AHEAD:
                raise _refused(
                    "需求签署已超过 30 天，或早于签署时间", "signed more than 30 days ago, or in the future", ""
                )
            if known is None:
                terms = self._terms(connection, demand)
                note = f"{demand.asker}: {demand.note}"
                demand_id = self._sharing.raise_in(connection, actor, terms, note=note).matter_id
                self._keep(connection, demand, envelope, _IN, demand.asker, demand_id=demand_id, now=now)
            else:
                demand_id = known.demand_id
        return self._standing(actor, demand, demand_id, now)

    def _terms(self, connection: Connection, demand: CarriedDemand) -> DemandTerms:
        inner = self._offers.inner_names(connection).get(demand.resource)
        if inner is None:
            raise _refused("没有向相邻平台提供这项资源", "the resource isn't passed on", demand.resource)
        provider = inner.partition(".")[0]
        if provider in self._clients:
            raise _refused(
                "该资源来自另一个平台，需求请向那个平台提出",
                "the resource comes from another hub: raise the demand there",
                demand.resource,
            )
        return DemandTerms(
            consumer=self._signer.holder,
            provider=provider,
            purposes=demand.purposes,
            legal_basis=demand.legal_basis,
            kind=demand.kind,
            frequency=demand.frequency,
            valid_from=demand.valid_from,
            valid_to=demand.valid_to,
            resource=inner,
            elements=demand.elements,
            fields=demand.fields,
        )

    def _standing(self, actor: Actor, demand: CarriedDemand, demand_id: str, now: datetime) -> SignedEnvelope:
        view = self._sharing.view(actor, demand_id)
        stands = view.standing
        words = [one for one in view.history if one.department == view.terms.provider]
        told = DemandStanding(
            reference=demand.reference,
            demand_id=demand_id,
            hub=self._signer.holder,
            state=stands.state,
            chinese=stands.state_label[0],
            english=stands.state_label[1],
            waits_for=stands.waits_for_departments,
            due_on=stands.due_on,
            light="" if stands.light is None else stands.light.value,
            days_late=stands.days_late,
            note=words[-1].note if words else "",
            law=words[-1].law if words else "",
            told_at=to_the_second(now),
        )
        return sign_envelope(CASCADE_STANDING, told.to_payload(), self._signer)

    def _hand(self, reference: str, neighbour: str, envelope: str) -> None:
        """Hand a demand over, or ask how it stands, and keep what was told.

        Raises:
            NeighbourError: it can't be reached, refuses, or tells what it didn't sign.
        """
        try:
            raw = self._clients[neighbour].call("POST", ROUTE, envelope.encode(), seconds=_SECONDS)
        except CallFailure as problem:
            if problem.failure.detail == "http_403":
                raise DemandRefusedError(
                    "相邻平台不受理这项需求",
                    "the neighbouring hub doesn't take this demand",
                    advice_chinese="请核对它提供的资源、数据元和起止日期。",
                    advice_english="Compare what it offers: resource, elements, days.",
                    place=Place(element=neighbour),
                ) from None
            raise away(neighbour, problem) from None
        now = self._clock.now()
        told = DemandStanding.from_payload(
            open_envelope(raw, CASCADE_STANDING, self._neighbours, signer=neighbour, at=now)
        )
        if (told.reference, told.hub) != (reference, neighbour):
            raise NeighbourError(
                "答复的不是这项需求", "the answer is to another demand", place=Place(element=reference)
            )
        table = records.demand
        with self._database.begin() as connection:
            connection.execute(
                sa.update(table)
                .where(table.c.direction == _OUT, table.c.neighbour == neighbour, table.c.reference == reference)
                .values(
                    demand_id=told.demand_id,
                    state=told.state,
                    standing=msgspec.json.encode(told).decode(),
                    told_at=now,
                )
            )

    def _keep(
        self,
        connection: Connection,
        demand: CarriedDemand,
        envelope: SignedEnvelope,
        direction: str,
        neighbour: str,
        *,
        demand_id: str,
        now: datetime,
    ) -> None:
        facts = {
            "reference": demand.reference,
            "direction": direction,
            "neighbour": neighbour,
            "resource": demand.resource,
            "demand": demand_id or "none",
            "digest": envelope.digest,
        }
        entry_id = self._ledger.record(
            connection, LedgerEntry("carried_demand", now, facts), envelope.to_json().encode()
        )
        connection.execute(
            sa.insert(records.demand).values(
                direction=direction,
                neighbour=neighbour,
                reference=demand.reference,
                resource=demand.resource,
                demand_id=demand_id,
                digest=envelope.digest,
                envelope=envelope.to_json(),
                state=UNSENT if direction == _OUT else "taken",
                standing="",
                asked_at=demand.asked_at,
                told_at=None,
                entry_id=entry_id,
            )
        )


def _refused(chinese: str, english: str, where: str) -> CascadeError:
    return CascadeError(chinese, english, place=Place(element=where or None))
