"""What every score gives: a value for each person, how rare it is, and the words that explain it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from huodang.standards import Money
from huodang.supervision.scores.rarity import Values


@dataclass(frozen=True)
class Words:
    """One sentence in both languages."""

    chinese: str
    english: str

    def __str__(self) -> str:
        return f"{self.chinese} / {self.english}"


class Family(StrEnum):
    """What a score is about. Of one family only the strongest counts: they look at one thing from several sides."""

    AMOUNT = "amount"
    LUMP = "lump"
    LIFE = "life"
    AGE = "age"
    CONTRIBUTION = "contribution"
    APPROVAL = "approval"
    OVERRIDE = "override"
    SHARING = "sharing"


# What one score may add at most.
MOST_POINTS: Final = 7.0

Telling = Callable[[int], Words]


@dataclass(frozen=True)
class Feature:
    """One score over all people.

    Attributes:
        name: Stable code, as in `scores.json`.
        family: What it is about.
        label: What people call it.
        values: The measure, higher is more suspicious; NaN where it could not be judged.
        digits: How rare the value is (`rarity`).
        tell: Explains the value of the person at an index.
        stake: Fen that the person may have had too much by this score; None where it doesn't tell.
        most: The points it may add at most; less where it says more of others than of the person.
    """

    name: str
    family: Family
    label: Words
    values: Values
    digits: Values
    tell: Telling
    stake: Callable[[int], int] | None = None
    most: float = MOST_POINTS

    @property
    def judged(self) -> int:
        """How many people it could judge."""
        return int(np.count_nonzero(~np.isnan(self.values)))


def yuan(fen: int) -> str:
    """Write fen as yuan with thousands apart."""
    text = Money(abs(int(fen))).text
    whole, _, rest = text.partition(".")
    return f"{'-' if fen < 0 else ''}{int(whole):,}.{rest}"


def month_text(ordinal: int) -> str:
    """Write the ordinal of a month as `2024-05`."""
    return f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}"


def nothing(count: int) -> Values:
    """Give a column in which nobody is judged yet."""
    return np.full(count, np.nan, dtype=np.float32)
