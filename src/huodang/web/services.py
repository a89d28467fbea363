"""What the handlers of the hub work with: every service of one deployment, wired once by `assembly.py`."""

from dataclasses import dataclass

from huodang.archive import PaymentRecords, Volumes
from huodang.exchange import Catalogue, DropDesk, EventOffice, Exchange, GatewayDirectory, Looks, LotOffice, Lots
from huodang.exchange.cascade import Cascade
from huodang.exchange.matching import Matches
from huodang.exchange.sharing import ActDesk, Corrections, SharingDesk
from huodang.ledger import Ledger
from huodang.retirement import RetirementOffice
from huodang.store import Clock, Database, Worker
from huodang.supervision.services import SupervisionServices
from huodang.trust import FieldSealer, Signer, TrustedKeys
from huodang.web.accounts import Accounts
from huodang.web.citizens import CitizenDoor
from huodang.web.idempotency import KeptAnswers
from huodang.web.settings import HubSettings


@dataclass(frozen=True)
class Services:
    """The services of one hub.

    Attributes:
        clock: business time, which a demonstration may move; accounts and sessions keep to the machine's own.
        lots: the copies that departments deliver; `lot_office` pulls them and tells their standing.
        files: takes deliveries of files; None where the settings name no folder for them.
        cascade: asks and answers hubs above and below; None where the settings name none.
        signer: the hub's key, with which it signs grants and opens what comes over the ferry.
    """

    settings: HubSettings
    database: Database
    clock: Clock
    signer: Signer
    trusted: TrustedKeys
    sealer: FieldSealer
    ledger: Ledger
    directory: GatewayDirectory
    exchange: Exchange
    catalogue: Catalogue
    sharing: SharingDesk
    corrections: Corrections
    sharing_acts: ActDesk
    looks: Looks
    events: EventOffice
    matches: Matches
    cascade: Cascade | None
    lots: Lots
    lot_office: LotOffice
    files: DropDesk | None
    volumes: Volumes
    payments: PaymentRecords
    office: RetirementOffice
    supervision: SupervisionServices
    worker: Worker
    accounts: Accounts
    citizen_door: CitizenDoor
    kept_answers: KeptAnswers

    def close(self) -> None:
        """Sequence what is pending, and close every connection to gateways and database."""
        self.ledger.seal_batch()
        self.directory.close()
        if self.cascade is not None:
            self.cascade.close()
        self.database.close()

    def subject_index(self, identity_number: str) -> str:
        """The blind index under which a person stands in looks, grants and access codes."""
        return self.exchange.subject_index(identity_number)
