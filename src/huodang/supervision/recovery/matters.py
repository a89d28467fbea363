"""What the engine of recovery works on: a debt as its row says, and one change on its way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor
from huodang.standards import Money
from huodang.supervision.recovery.errors import RecoveryGuardError
from huodang.supervision.recovery.values import OverpaidMonth

IDENTITY: Final = "identity_number"
ACCOUNT: Final = "bank_account"
NOTE: Final = "remark"


@dataclass(frozen=True)
class DebtMatter:
    """A recovery as its row says."""

    recovery_id: str
    state: str
    sequence: int
    region: str
    person_index: str
    debtor: str
    debt: Money
    recovered: Money
    written_off: Money
    outstanding: Money
    row: Mapping[str, Any]

    @classmethod
    def of(cls, row: sa.RowMapping) -> "DebtMatter":
        """Read a row."""
        return cls(
            recovery_id=row["recovery_id"],
            state=row["state"],
            sequence=row["sequence"],
            region=row["region"],
            person_index=row["person_index"],
            debtor=row["debtor"],
            debt=row["debt"],
            recovered=row["recovered"],
            written_off=row["written_off"],
            outstanding=row["outstanding"],
            row={str(name): value for name, value in row.items()},
        )


@dataclass
class DebtChange:
    """One event on its way through the table; effects write their part of the row into `updates`.

    Attributes:
        used: working days of the next step that were used before an objection halted it.
    """

    connection: Connection
    matter: DebtMatter
    event: str
    actor: Actor
    note: str
    data: Mapping[str, Any]
    now: datetime
    today: date
    updates: dict[str, Any] = field(default_factory=dict)
    used: int = 0

    def text(self, name: str) -> str:
        """Give a text that came with the event; empty if there is none."""
        value = self.data.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def money(self, name: str) -> Money | None:
        """Give an amount that came with the event; None if there is none."""
        value = self.data.get(name)
        return value if isinstance(value, Money) else None

    def day(self, name: str) -> date | None:
        """Give a day that came with the event; None if there is none, or it is no day."""
        value = self.data.get(name)
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            return None

    def months(self) -> tuple[OverpaidMonth, ...] | None:
        """Give the months as revised; None if none came with the event."""
        value = self.data.get("months")
        if isinstance(value, list | tuple) and all(isinstance(one, OverpaidMonth) for one in value):
            return tuple(value)
        return None


Guard = Callable[[DebtChange], RecoveryGuardError | None]
Effect = Callable[[DebtChange], None]


def seat(recovery_id: str, name: str) -> str:
    """Name the place that a sealed value is bound to."""
    return f"recovery:{recovery_id}:{name}"
