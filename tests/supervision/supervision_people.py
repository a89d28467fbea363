"""Made-up people, keys and services for the tests of timeline, recovery and certification."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from huodang.exchange import Actor, Looks
from huodang.ledger import Ledger
from huodang.standards import IdentityNumber, check_character
from huodang.store import Database, FixedClock
from huodang.trust import FieldSealer, Signer, TrustedKeys

REGION = "130100"
INVESTIGATOR = Actor("inv-1", "稽核员甲", "investigator", "social_insurance", REGION)
OTHER_INVESTIGATOR = Actor("inv-2", "稽核员乙", "investigator", "social_insurance", REGION)
FAR_INVESTIGATOR = Actor("inv-9", "外市稽核", "investigator", "social_insurance", "140100")
REVIEWER = Actor("rev-1", "复核员", "reviewer", "social_insurance", REGION)
CLERK = Actor("win-1", "窗口", "window_clerk", "social_insurance", REGION)
LEADER = Actor("lead-1", "领导", "leader", "social_insurance", REGION)
AUDITOR = Actor("aud-1", "审计", "auditor", "audit", REGION)


def person(order: int, born: date = date(1955, 6, 1)) -> IdentityNumber:
    """A valid identity number, made up; one an order."""
    region = 130102 + order // 1000
    first = f"{region}{born:%Y%m%d}{order % 1000:03d}"
    return IdentityNumber.parse(first + check_character(first))


def instant(day: str, hour: int = 1) -> datetime:
    """An hour of a day, UTC."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


@dataclass(frozen=True)
class Keys:
    """What the services of a hub are made with."""

    database: Database
    clock: FixedClock
    signer: Signer
    trusted: TrustedKeys
    sealer: FieldSealer
    ledger: Ledger
    looks: Looks

    @classmethod
    def of(cls, database: Database, clock: FixedClock, folder: Path, signers: tuple[Signer, ...]) -> "Keys":
        ledger = Ledger(database, signers, "test.example/huodang", clock)
        trusted = TrustedKeys()
        for signer in signers:
            trusted.add(signer.public)
        sealer = FieldSealer.create(folder / "keys")
        return cls(database, clock, signers[0], trusted, sealer, ledger, Looks(database, ledger, clock))

    def index(self, identity: IdentityNumber) -> str:
        return self.sealer.blind_index("identity_number", identity.text)


SIGNERS = (Signer.generate("hub", "national"), Signer.generate("hub", "international"))
