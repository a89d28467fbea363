"""A fact with two clocks: when it holds in the world, and when the platform knew. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from huodang.standards import IdentityNumber


@dataclass(frozen=True)
class Fact:
    """A fact to be recorded.

    Attributes:
        identity_number: of whom.
        element: data element, such as `death_date` or `sentence_type`.
        value: as the source says it; a date may be known to the month or year only (`2025-03`, `2025`). Empty where
            the source takes back what it said (annulled, 撤销).
        valid_from: first day on which it holds; of a death, the day of death where that is known.
        valid_to: last day on which it holds; None while it still does.
        known_at: instant at which it reached the platform, as event, lot or file say.
        source: department and resource, such as `health.death_registered`.
        digest: of the evidence, such as the signed message it came in.
        replaces: number of the fact that this one corrects or takes back; 0 for none.
    """

    identity_number: IdentityNumber
    element: str
    value: str
    valid_from: date | None
    valid_to: date | None
    known_at: datetime
    source: str
    digest: str
    replaces: int = 0


@dataclass(frozen=True)
class KnownFact:
    """A fact as it stands recorded.

    Attributes:
        number: its own, by which a correction names it.
        recorded_at: instant at which it was written down; what was known when goes by this and can't be changed later.
        entry_id: its entry in the ledger, which proves that instant.
    """

    number: int
    person_index: str
    element: str
    value: str
    valid_from: date | None
    valid_to: date | None
    known_at: datetime
    recorded_at: datetime
    source: str
    digest: str
    replaces: int
    entry_id: str

    def holds_on(self, day: date) -> bool:
        """Tell whether the fact holds on a day; where it has no first day, it holds on all up to its last."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def known_at(history: Iterable[KnownFact], at: datetime) -> list[KnownFact]:
    """Tell what was known at an instant: what was recorded by then, less what was corrected or taken back by then.

    Args:
        history: every row of a person, in any order.
        at: the instant, itself included.
    """
    recorded: Sequence[KnownFact] = [one for one in history if one.recorded_at <= at]
    replaced = {one.replaces for one in recorded}
    standing = [one for one in recorded if one.value and one.number not in replaced]
    return sorted(standing, key=lambda one: (one.recorded_at, one.number))
