"""What comes of matches, as the hub hands it out."""

from dataclasses import dataclass
from datetime import datetime

from huodang.standards import IdentityNumber


@dataclass(frozen=True)
class MatchOutcome:
    """What came of a match.

    Attributes:
        members: who of the set the department has, in the caller's order; between two departments: in the order of the
            numbers; None if only the size was asked for.
        queried: distinct numbers in the caller's set, or in the first department's.
        held: distinct numbers that the department, or the second one, has.
        entry_id: the ledger's entry of the result.
    """

    match_id: str
    overlap: int
    queried: int
    held: int
    members: tuple[IdentityNumber, ...] | None
    entry_id: str


@dataclass(frozen=True)
class MatchRow:
    """A match in a list: who asked what for, and sizes. It names nobody.

    Attributes:
        other: the second resource of a match between two departments; empty if a set of the hub's was matched.
        state: `asked`, `answered` or `failed`, then with a code.
        held, overlap: None while there is no answer.
    """

    match_id: str
    resource: str
    other: str
    provider: str
    agreement_id: str
    purpose: str
    user_id: str
    size_only: bool
    queried: int
    state: str
    code: str
    held: int | None
    overlap: int | None
    asked_at: datetime
    ended_at: datetime | None
    entry_id: str
