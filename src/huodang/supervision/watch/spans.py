"""Whose lag cost how much: from a death to its record, to the platform, to the hold, by paydays. Pure.

Every month that was paid after the month of death is overpaid whole (`pension.payment_effect_of_death`). It counts for
the span in which its payday fell: before the department's record, before the record reached the platform, before the
payment was held, or after that, where a hold had ended. So the spans sum up to what was overpaid, to the fen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from huodang.pension import payment_effect_of_death
from huodang.standards import Month
from huodang.supervision.watch.payees import PaidSpan
from huodang.supervision.watch.terms import Payday


class Span(StrEnum):
    """The parts of the way, in their order."""

    RECORD = "record"
    PLATFORM = "platform"
    HOLD = "hold"
    AFTER = "after"


SPAN_LABELS = {
    Span.RECORD: ("死亡→部门登记", "death → the department's record"),
    Span.PLATFORM: ("部门登记→平台", "record → the platform"),
    Span.HOLD: ("平台→暂停", "the platform → the hold"),
    Span.AFTER: ("暂停期满后", "after a hold had ended"),
}
"""What people call them."""


@dataclass(frozen=True)
class Way:
    """What became of one death in one department.

    Attributes:
        died: day of death; if not known to the day, the last on which it can have been.
        recorded: when the department recorded it.
        received: when the platform knew.
        held: when the payment was held; None if it isn't.
    """

    died: date
    recorded: date
    received: date
    held: date | None

    def days(self, span: Span) -> int | None:
        """Give how long a part took, in days; None if it hasn't ended. A record dated before the death took none."""
        if span is Span.RECORD:
            return max(0, (self.recorded - self.died).days)
        if span is Span.PLATFORM:
            return max(0, (self.received - max(self.recorded, self.died)).days)
        if span is Span.HOLD and self.held is not None:
            return max(0, (self.held - max(self.received, self.died)).days)
        return None

    def span_of(self, day: date) -> Span:
        """Say into which part a payday fell; what is paid on the very day was ordered before."""
        if day <= self.recorded:
            return Span.RECORD
        if day <= self.received:
            return Span.PLATFORM
        return Span.HOLD if self.held is None or day <= self.held else Span.AFTER


def overpaid_months(died: date, paid: Sequence[PaidSpan]) -> dict[Month, int]:
    """Give what was paid for months after the month of death, in fen by month."""
    if not paid:
        return {}
    first, last = min(one.first for one in paid), max(one.last for one in paid)
    months = [first + ahead for ahead in range((last - first) + 1)]
    undue = payment_effect_of_death(died, months).unduly_paid
    fen = {month: sum(one.paid_in(month) for one in paid) for month in undue}
    return {month: each for month, each in fen.items() if each}


def shares(way: Way, paid: Sequence[PaidSpan], payday: Payday) -> dict[Span, int]:
    """Give what each part of the way cost, in fen; they sum up to all that was overpaid."""
    found = dict.fromkeys(Span, 0)
    for month, fen in overpaid_months(way.died, paid).items():
        found[way.span_of(payday.of(month))] += fen
    return found


@dataclass(frozen=True)
class Days:
    """How long a part took, of those for which it has ended.

    Attributes:
        count: how many.
        mean: on average, in days.
        median: half took no longer.
        longest: the longest.
    """

    count: int
    mean: float
    median: float
    longest: int

    @classmethod
    def of(cls, days: Iterable[int | None]) -> "Days":
        """Sum up; parts that haven't ended are left out."""
        known = sorted(one for one in days if one is not None)
        if not known:
            return cls(0, 0.0, 0.0, 0)
        half = len(known) // 2
        median = float(known[half]) if len(known) % 2 else (known[half - 1] + known[half]) / 2
        return cls(len(known), sum(known) / len(known), median, known[-1])


@dataclass(frozen=True)
class LagLine:
    """What one department's lag took and cost in one month.

    Attributes:
        department: its code; empty for all together, each death counted once, by who told first.
        month: in which the deaths reached the platform.
        deaths: how many of them.
        paid: how many of those who died were being paid.
        unheld: how many payments after death are neither held nor stopped yet.
        days: how long each part of the way took; of `after`, nothing.
        fen: what each part cost.
    """

    department: str
    month: Month
    deaths: int
    paid: int
    unheld: int
    days: Mapping[Span, Days]
    fen: Mapping[Span, int]

    @property
    def overpaid(self) -> int:
        """All that was overpaid, in fen."""
        return sum(self.fen.values())
