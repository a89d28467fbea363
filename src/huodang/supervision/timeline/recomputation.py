"""The month-by-month recomputation: paid, due as known on payday, due as known now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from huodang.standards import Money, Month
from huodang.supervision.timeline.dues import PaidMonth, due
from huodang.supervision.timeline.facts import KnownFact, known_at


@dataclass(frozen=True)
class RecomputedMonth:
    """One line.

    Attributes:
        due_then: what was due as far as was known on payday.
        due_now: what was due as far as is known now.
        difference: paid less due now; above zero is overpaid, below zero is owed to the person.
        known_then: of an overpayment, the part that stood against what was already known on payday: an error of the
            agency's own, not of late data.
        reasons: why, as codes; see `Due`.
    """

    month: Month
    paid: Money
    due_then: Money
    due_now: Money
    difference: Money
    known_then: Money
    reasons: tuple[str, ...]
    laws: tuple[str, ...]


@dataclass(frozen=True)
class Totals:
    """Sums of all lines, in fen: paid = due_now + overpaid − owed."""

    paid: Money
    due_then: Money
    due_now: Money
    overpaid: Money
    owed: Money
    known_then: Money


def recompute(
    months: Sequence[PaidMonth], history: Sequence[KnownFact], at: datetime
) -> tuple[tuple[RecomputedMonth, ...], Totals]:
    """Recompute months, in their order, and sum them up.

    Args:
        months: as they were paid; each month once.
        history: every fact recorded of the person, corrections and annulments among them.
        at: the instant whose knowledge counts as "now".
    """
    now = known_at(history, at)
    lines: list[RecomputedMonth] = []
    for paid in sorted(months, key=lambda one: one.month):
        # The knowledge of payday, but never more than is known at the instant asked for.
        then = due(paid, known_at(history, min(paid.payday, at)))
        right = due(paid, now)
        difference = paid.paid - right.amount
        over = max(difference, Money.zero())
        early = max(paid.paid - then.amount, Money.zero())
        lines.append(
            RecomputedMonth(
                month=paid.month,
                paid=paid.paid,
                due_then=then.amount,
                due_now=right.amount,
                difference=difference,
                known_then=min(over, early),
                reasons=right.reasons,
                laws=right.laws,
            )
        )
    return tuple(lines), _sum_up(lines)


def _sum_up(lines: Sequence[RecomputedMonth]) -> Totals:
    zero = Money.zero()
    return Totals(
        paid=sum((one.paid for one in lines), zero),
        due_then=sum((one.due_then for one in lines), zero),
        due_now=sum((one.due_now for one in lines), zero),
        overpaid=sum((max(one.difference, zero) for one in lines), zero),
        owed=sum((max(zero - one.difference, zero) for one in lines), zero),
        known_then=sum((one.known_then for one in lines), zero),
    )
