"""The desk: the services that every part of the joint case works with, and the settings of this agency."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from huodang.archive import PaymentRecords, Volumes
from huodang.exchange import Actor, CallDesk, Exchange, Looks
from huodang.ledger import Ledger
from huodang.store import Clock, Database
from huodang.trust import FieldSealer

SYSTEM_USER: Final = "system"


@dataclass(frozen=True)
class RetirementSettings:
    """What an agency sets for itself.

    Attributes:
        province: whose parameters are applied unless form or record say another.
        region: region code of the agency; stands in every case and bounds who sees it.
        consumer: the department in whose name is asked.
        purpose: code of the purpose under which cases ask; prefill and listing have their own.
        notice_days: working days of public notice (公示).
        supplement_days: working days for supplying papers (补正).
        ahead_months: how many months before the month of retirement a case may be decided.
        medical_months: months of medical insurance after which it is free in retirement, by sex (GB/T 2261.1);
            a rule of the pooling area, unverified for any one place.
        check_attempts: how often a department is asked before a check is `unknown`.
        item_attempts: how often an action is tried before a person is needed.
        first_wait: wait before the second attempt; doubled each time up to `longest_wait`.
    """

    province: str = "hebei"
    region: str = "130000"
    consumer: str = "social_insurance"
    purpose: str = "retirement"
    prefill_purpose: str = "retirement_prefill"
    due_purpose: str = "retirement_due"
    notice_days: int = 5
    supplement_days: int = 10
    ahead_months: int = 1
    medical_months: dict[str, int] = field(default_factory=lambda: {"1": 300, "2": 240})
    check_attempts: int = 6
    item_attempts: int = 8
    first_wait: timedelta = timedelta(seconds=2)
    longest_wait: timedelta = timedelta(minutes=5)

    def medical_months_of(self, sex: str | None) -> int:
        """Give the months of medical insurance asked for; without a known sex, the most that is asked of anybody."""
        return self.medical_months.get(sex or "", max(self.medical_months.values()))


@dataclass(frozen=True)
class Desk:
    """Everything a case needs, handed on as one."""

    database: Database
    exchange: Exchange
    calls: CallDesk
    ledger: Ledger
    volumes: Volumes
    payments: PaymentRecords
    sealer: FieldSealer
    looks: Looks
    clock: Clock
    settings: RetirementSettings

    @property
    def system(self) -> Actor:
        """The platform itself, as the actor of its own jobs."""
        return Actor(
            user_id=SYSTEM_USER,
            name="系统",
            role="system",
            department=self.settings.consumer,
            region=self.settings.region,
        )
