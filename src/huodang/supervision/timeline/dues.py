"""What was due for a month, as certain facts say it: death and custody by the rules of `pension`. Pure."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from huodang.pension import Custody, LawReference, PaymentAction, payment_effect_of_custody, payment_effect_of_death
from huodang.standards import Money, Month
from huodang.supervision.timeline.facts import KnownFact

DEATH: Final = "death_date"
CUSTODY: Final = "sentence_type"

KINDS: Final = {
    "prison": Custody.PRISON,
    "imprisonment": Custody.PRISON,
    "detention": Custody.DETENTION,
    "probation": Custody.PROBATION,
    "control": Custody.CONTROL,
    "outside": Custody.OUTSIDE,
    "parole": Custody.OUTSIDE,
}
"""Kinds of custody as sources say them; parole is served outside."""


@dataclass(frozen=True)
class Due:
    """What was due for a month.

    Attributes:
        amount: in fen.
        reasons: codes of what decided: `death`, `death_disputed` (sources differ: the later day counts), `death_bound`
            (day not known: the last possible one counts), `custody`, `old_rate`, `old_rate_not_told`,
            `custody_unclear` (nothing is cut on a kind or a beginning that isn't known).
        laws: the law applied, in words.
    """

    amount: Money
    reasons: tuple[str, ...]
    laws: tuple[str, ...]


@dataclass(frozen=True)
class PaidMonth:
    """One month of one scheme as it was paid.

    Attributes:
        month: which.
        entitled: what is due where nothing stands against it.
        paid: what was paid for it.
        payday: the instant by which the payment was decided.
        old_rate: what is due without the increases since custody began; None where that isn't told.
    """

    month: Month
    entitled: Money
    paid: Money
    payday: datetime
    old_rate: Money | None = None


def latest_day(text: str) -> date | None:
    """Give the last day that a date can mean, which may be known to the month or year only; None if it is no date."""
    parts = text.strip().split("-")
    if not all(part.isdigit() for part in parts):
        return None
    try:
        match [int(part) for part in parts]:
            case [year]:
                return date(year, 12, 31)
            case [year, month]:
                return date(year, month, monthrange(year, month)[1])
            case [year, month, day]:
                return date(year, month, day)
    except ValueError:
        return None
    return None


def due(paid: PaidMonth, known: Sequence[KnownFact]) -> Due:
    """Say what was due for a month, given what is known.

    Several sources that differ about a death are judged by the latest day, so that nobody is cut by the error of one;
    such a month is marked.

    Source: `payment_effect_of_death` (R-DTH-01), `payment_effect_of_custody` (R-PRI-01).
    """
    deaths = [fact for fact in known if fact.element == DEATH]
    days = sorted({day for fact in deaths if (day := latest_day(fact.value)) is not None})
    if days:
        effect = payment_effect_of_death(days[-1])
        if effect.from_month is not None and paid.month >= effect.from_month:
            reasons = ["death"]
            if len(days) > 1:
                reasons.append("death_disputed")
            if any(len(fact.value.strip()) < 10 for fact in deaths):
                reasons.append("death_bound")
            return Due(Money.zero(), tuple(reasons), _texts(effect.laws))
    return _under_custody(paid, [fact for fact in known if fact.element == CUSTODY])


def _under_custody(paid: PaidMonth, terms: Sequence[KnownFact]) -> Due:
    amount = paid.entitled
    reasons: list[str] = []
    laws: list[str] = []
    for fact in terms:
        kind = KINDS.get(fact.value.strip())
        if kind is None or fact.valid_from is None:
            reasons.append("custody_unclear")
            continue
        effect = payment_effect_of_custody(kind, fact.valid_from, fact.valid_to)
        began, ended = Month.of(fact.valid_from), None if fact.valid_to is None else Month.of(fact.valid_to)
        if effect.action is PaymentAction.PAUSE and effect.from_month is not None:
            if paid.month >= effect.from_month and (effect.until_month is None or paid.month <= effect.until_month):
                return Due(Money.zero(), ("custody",), _texts(effect.laws))
            # Released, the pension goes on at its old rate; before, the month is due as it was.
            withheld = effect.increases_withheld and paid.month >= effect.from_month
        else:
            withheld = effect.increases_withheld and paid.month >= began and (ended is None or paid.month <= ended)
        if withheld:
            reasons.append("old_rate" if paid.old_rate is not None else "old_rate_not_told")
            laws += _texts(effect.laws)
            amount = min(amount, paid.old_rate) if paid.old_rate is not None else amount
    return Due(amount, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(laws)))


def _texts(laws: Sequence[LawReference]) -> tuple[str, ...]:
    return tuple(law.text for law in laws)
