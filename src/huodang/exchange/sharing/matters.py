"""What the engine of sharing works on: a matter as its row says, one change on its way, the desk behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Actor
from huodang.exchange.sharing.errors import SharingGuardError
from huodang.exchange.sharing.terms import SharingTerms
from huodang.ledger import Ledger
from huodang.standards import Deadline
from huodang.store import Clock
from huodang.trust import FieldSealer

NOTE: Final = "sharing_note"
PURPOSE: Final = "sharing"
CORRECTION_PURPOSE: Final = "correction"
SYSTEM: Final = Actor("system", "平台", "system", "")
"""The hub itself: what falls due, what both sides have signed."""


@dataclass(frozen=True)
class Matter:
    """A demand or correction as its row says."""

    matter_id: str
    consumer: str
    provider: str
    resource: str
    state: str
    sequence: int
    step_since: date
    deadline: Deadline | None
    days_used: int
    stopped_state: str
    overdue: bool
    row: Mapping[str, Any]

    @classmethod
    def of(cls, row: sa.RowMapping | Mapping[str, Any], key: str) -> "Matter":
        """Read a row."""
        due = row["due_on"]
        return cls(
            matter_id=row[key],
            consumer=row["consumer"],
            provider=row["provider"],
            resource=row["resource"],
            state=row["state"],
            sequence=row["sequence"],
            step_since=row["step_since"],
            deadline=None if due is None else Deadline(due, row["due_provisional"]),
            days_used=row["days_used"],
            stopped_state=row["stopped_state"],
            overdue=row["overdue"],
            row={str(name): value for name, value in row.items()},
        )

    @property
    def elements(self) -> tuple[str, ...]:
        """The element whose value is in doubt, of a correction."""
        element = self.row.get("element", "")
        return (element,) if element else ()


@dataclass
class Change:
    """One event on its way through the table; effects write their part of the row into `updates`."""

    connection: Connection
    matter: Matter
    event: str
    actor: Actor
    note: str
    data: Mapping[str, Any]
    now: datetime
    today: date
    updates: dict[str, Any] = field(default_factory=dict)
    resumed: int = 0

    def text(self, name: str) -> str:
        """Give a text that came with the event; empty if there is none."""
        value = self.data.get(name, "")
        return value.strip() if isinstance(value, str) else ""


Guard = Callable[[Change], SharingGuardError | None]
Effect = Callable[[Change], None]


@dataclass(frozen=True)
class Desk:
    """What the engine and the services of sharing work with."""

    ledger: Ledger
    sealer: FieldSealer
    clock: Clock
    terms: SharingTerms
