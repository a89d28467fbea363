"""What a monthly list is made of: what stands against it, what it hits, what it sums up to. Values only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from huodang.standards import Month
from huodang.store import utc_text
from huodang.trust import canonical_json, sha256


@dataclass(frozen=True)
class Against:
    """What stands against one payment in the list's month.

    Attributes:
        person: the first 17 digits of the number as one integer; in memory only.
        why: `hold`, `stop` or `proposed`.
    """

    person: int
    person_index: str
    scheme: str
    clue_id: str
    why: str
    judged: bool


@dataclass(frozen=True)
class Hit:
    """One row of the list that something stands against."""

    row: int
    file_row: int
    fen: int
    month: str
    against: Against


@dataclass(frozen=True)
class Totals:
    """What a list holds, to the fen; what is clean and what is withheld sum up to the whole.

    Attributes:
        not_compared: rows paid on whose number can't be compared: without one, or with a wrong check digit.
        other_months: rows of another month than the list's, such as back pay.
    """

    rows: int
    fen: int
    clean_rows: int
    clean_fen: int
    held_rows: int
    held_fen: int
    stopped_rows: int
    stopped_fen: int
    not_compared: int
    other_months: int


@dataclass(frozen=True)
class Paylist:
    """A list as it was checked, and released if it was.

    Attributes:
        unjudged: clues that hold or stop a payment on it, or are proposed, and wait for a person.
        clean, withheld: SHA-256 of the two files made of it.
    """

    list_id: str
    month: Month
    state: str
    digest: str
    totals: Totals
    unjudged: tuple[str, ...]
    clean: str
    withheld: str
    checked_by: str
    checked_at: datetime
    released_by: str
    released_at: datetime | None
    entry_id: str


def controls_digest(against: Sequence[Against]) -> str:
    """Digest what stands against payments; whether it was judged doesn't change the lists made of it."""
    lines = [[one.person_index, one.scheme, one.clue_id, one.why] for one in against if one.why != "proposed"]
    return sha256(canonical_json(lines)).hex()


def unjudged_of(hits: Sequence[Hit]) -> tuple[str, ...]:
    """List the clues behind hits that nobody has judged."""
    return tuple(sorted({hit.against.clue_id for hit in hits if not hit.against.judged}))


def paylist_of(row: Mapping[str, Any], unjudged: tuple[str, ...]) -> Paylist:
    """Read a list from its row."""
    return Paylist(
        list_id=row["list_id"],
        month=row["month"],
        state=row["state"],
        digest=row["digest"],
        totals=Totals(**json.loads(row["totals"])),
        unjudged=unjudged,
        clean=row["clean_digest"],
        withheld=row["withheld_digest"],
        checked_by=row["checked_by"],
        checked_at=row["checked_at"],
        released_by=row["released_by"],
        released_at=row["released_at"],
        entry_id=row["entry_id"],
    )


def told_of(paylist: Paylist) -> dict[str, Any]:
    """Give a list as plain values for JSON; it names nobody."""
    return {
        **asdict(paylist),
        "month": str(paylist.month),
        "checked_at": utc_text(paylist.checked_at),
        "released_at": "" if paylist.released_at is None else utc_text(paylist.released_at),
    }
