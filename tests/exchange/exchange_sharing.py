"""The hub's side of sharing in tests: stewards, leaders, a desk over real keys, an office day that moves."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from exchange_province import Province

from huodang.exchange import Actor, Agreements, Catalogue, Kind
from huodang.exchange.sharing import DemandTerms, DemandView, Desk, SharingDesk, product_terms
from huodang.ledger import Ledger
from huodang.store import Database, Worker
from huodang.trust import FieldSealer, cosign_envelope, sign_envelope

CONSUMER = Actor("ss-steward", "社保数据管理员", "steward", "social_insurance")
PROVIDER = Actor("police-steward", "公安数据管理员", "steward", "police")
STRANGER = Actor("housing-steward", "公积金数据管理员", "steward", "housing_fund")
LEADER = Actor("leader", "领导小组", "leader", "office")


def wanted(**changes: Any) -> DemandTerms:
    """What the social insurance asks the police for."""
    terms: dict[str, Any] = {
        "consumer": "social_insurance",
        "provider": "police",
        "purposes": ("retirement",),
        "legal_basis": "社会保险经办条例第八条",
        "kind": Kind.CHECK,
        "frequency": "realtime",
        "resource": "police.household",
        "elements": ("name", "sex", "birth_date"),
        "fields": ("name",),
        "valid_from": date(2025, 3, 3),
        "valid_to": date(2026, 3, 2),
    }
    return DemandTerms(**{**terms, **changes})


@dataclass
class Office:
    """A hub's desk of sharing, and a clock that walks through days."""

    province: Province
    database: Database
    ledger: Ledger
    agreements: Agreements
    desk: Desk
    sharing: SharingDesk

    @classmethod
    def open(cls, province: Province, database: Database, ledger: Ledger) -> "Office":
        sealer = FieldSealer.create(province.keys.keys_folder("hub"))
        desk = Desk(ledger, sealer, province.clock, product_terms())
        agreements = Agreements(ledger, province.trusted, province.clock)
        sharing = SharingDesk(database, agreements, Catalogue(province.clock), desk)
        return cls(province, database, ledger, agreements, desk, sharing)

    def on(self, day: str) -> None:
        """Make it nine in the morning of a day, and let the platform do what fell due."""
        year, month, number = map(int, day.split("-"))
        self.province.clock.set(datetime(year, month, number, 1, 0, tzinfo=UTC))
        self.work()

    def work(self) -> None:
        worker = Worker(self.database, self.sharing.handlers(), self.province.clock)
        while worker.run_once():
            pass

    def act(self, actor: Actor, demand: DemandView | str, event: str, **more: Any) -> DemandView:
        demand_id = demand if isinstance(demand, str) else demand.demand_id
        note = more.pop("note", "")
        return self.sharing.act(actor, demand_id, event, note=note, data=more)

    def approved(self, **changes: Any) -> DemandView:
        """A demand that waits for signatures."""
        demand = self.sharing.raise_demand(CONSUMER, wanted(**changes))
        self.act(PROVIDER, demand, "accept")
        return self.act(PROVIDER, demand, "approve")

    def sign(self, demand: DemandView, *holders: str) -> Any:
        """Have departments sign the draft, each with its own key, and take it in."""
        agreement = self.sharing.draft(CONSUMER, demand.demand_id)
        first, *others = holders or (agreement.consumer, agreement.provider)
        envelope = sign_envelope("agreement", agreement.to_payload(), self.province.signer(first))
        for holder in others:
            envelope = cosign_envelope(envelope, self.province.signer(holder))
        return self.sharing.take_agreement(envelope)

    def in_use(self, **changes: Any) -> DemandView:
        demand = self.approved(**changes)
        self.sign(demand)
        return self.sharing.view(CONSUMER, demand.demand_id)
