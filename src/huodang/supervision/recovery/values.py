"""What recovery takes and hands out: debts, their months, rows and views with history. Values only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from huodang.pension import refund_plan
from huodang.standards import IdentityNumber, Money, Month
from huodang.supervision.clues.process import Label
from huodang.supervision.timeline import RecomputedMonth

PURPOSE: Final = "supervision"

CODES: Final = {"death": "1401", "custody": "1202", "double_benefit": "1407"}
"""Cause → 待遇变更原因 AAE160; what isn't here has the code of the rule that found it (facts/code_sets.csv)."""


class Debtor(StrEnum):
    """Who is asked."""

    PERSON = "person"  # 本人
    HEIRS = "heirs"  # 遗产继承人


class Means(StrEnum):
    """How money moved."""

    REPAYMENT = "repayment"
    BENEFIT_OFFSET = "benefit_offset"
    ACCOUNT_OFFSET = "account_offset"
    CLAW_BACK = "claw_back"
    COURT = "court"
    WRITE_OFF = "write_off"
    REFUND = "refund"

    @property
    def label(self) -> Label:
        """Say it for users."""
        return {
            "repayment": ("本人或家属退回", "repaid"),
            "benefit_offset": ("后续待遇抵扣", "taken from later benefits"),
            "account_offset": ("个人账户余额抵扣", "taken from the individual account"),
            "claw_back": ("银行扣回", "taken back by the bank"),
            "court": ("法院执行", "enforced by the court"),
            "write_off": ("核销", "written off"),
            "refund": ("多收退还", "returned to the payer"),
        }[self.value]


RECEIVED: Final = (Means.REPAYMENT, Means.BENEFIT_OFFSET, Means.ACCOUNT_OFFSET, Means.CLAW_BACK, Means.COURT)
"""What can come in; write-off and refund follow from events of their own."""


@dataclass(frozen=True)
class OverpaidMonth:
    """One month that was overpaid.

    Attributes:
        code: 待遇变更原因 AAE160, such as 1401 (death).
        law: law and clause, one a line, with a mark where it isn't verified.
    """

    month: Month
    paid: Money
    due: Money
    code: str
    law: str

    @property
    def overpaid(self) -> Money:
        """What was paid too much."""
        return self.paid - self.due


@dataclass(frozen=True)
class Debt:
    """What is to be recovered.

    Attributes:
        matter: what it comes from, such as a clue and scheme; one recovery a matter.
        months: every one overpaid, each once.
        cause: `death`, `custody`, `double_benefit`, ….
        bank: name of the bank the payments went to; empty if not known.
        account: number of the account; empty if not known.
        statement: digest of the signed recomputation behind it; empty if there is none.
    """

    matter: str
    identity_number: IdentityNumber = field(repr=False)
    scheme: str
    region: str
    cause: str
    months: tuple[OverpaidMonth, ...]
    bank: str = ""
    account: str = field(default="", repr=False)
    statement: str = ""

    @property
    def total(self) -> Money:
        """The debt: the sum of its months."""
        return sum((one.overpaid for one in self.months), Money.zero())

    @property
    def debtor(self) -> Debtor:
        """Of a dead person, the estate and heirs are asked; else the person."""
        return Debtor.HEIRS if self.cause == "death" else Debtor.PERSON


def months_of(lines: Iterable[RecomputedMonth], cause: str) -> tuple[OverpaidMonth, ...]:
    """Make the months of a debt out of a recomputation: those that were overpaid, each with code and law."""
    refund = refund_law()
    return tuple(
        OverpaidMonth(
            month=line.month,
            paid=line.paid,
            due=line.due_now,
            code=CODES.get(cause, ""),
            law="\n".join((*line.laws, refund)),
        )
        for line in lines
        if line.difference > Money.zero()
    )


def refund_law() -> str:
    """Cite the law by which an overpaid benefit comes back."""
    return refund_plan(Money(1), Month(2025, 1)).laws[0].text


@dataclass(frozen=True)
class RecoveryRow:
    """One recovery in a list; no personal value.

    Attributes:
        due_on: last day of the present step in time; None where nothing is due.
        overdue: it was reported as overdue.
    """

    recovery_id: str
    matter: str
    scheme: str
    region: str
    cause: str
    debtor: Debtor
    state: str
    state_label: Label
    debt: Money
    recovered: Money
    written_off: Money
    outstanding: Money
    opened_at: datetime
    due_on: date | None
    overdue: bool


@dataclass(frozen=True)
class MovementLine:
    """One movement of money; its ledger entry is the receipt."""

    moved_on: date
    means: Means
    amount: Money
    reference: str
    by: str
    entry_id: str


@dataclass(frozen=True)
class PlanLine:
    """What was agreed to come in one month."""

    month: Month
    means: str
    amount: Money


@dataclass(frozen=True)
class RecoveryHistoryLine:
    """One event in the life of a recovery."""

    sequence: int
    at: datetime
    from_state: str
    event: str
    event_label: Label
    to_state: str
    by: str
    role: str
    policy: str
    note: str
    entry_id: str


@dataclass(frozen=True)
class RecoveryChoice:
    """Something that the one who looks may do now; `needs` names what has to come with it."""

    event: str
    label: Label
    needs: tuple[str, ...]


@dataclass(frozen=True)
class RecoveryView:
    """All of one recovery; identity and account number as the policy shows them."""

    row: RecoveryRow
    identity_number: str
    bank: str
    account: str
    statement: str
    months: tuple[OverpaidMonth, ...]
    movements: tuple[MovementLine, ...]
    plan: tuple[PlanLine, ...]
    history: tuple[RecoveryHistoryLine, ...]
    may: tuple[RecoveryChoice, ...]


@dataclass(frozen=True)
class RecoveryFigures:
    """Sums over recoveries, for a page and a monthly report.

    Attributes:
        days_to_settle: days from opening to settlement, on average over those settled; None before there is one.
    """

    by_state: dict[str, int]
    debt: Money
    recovered: Money
    written_off: Money
    outstanding: Money
    settled: int
    days_to_settle: float | None
