"""A clue as its row says, one change on its way through the table, and the desk behind both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor
from huodang.ledger import Ledger
from huodang.standards import Place
from huodang.store import Clock
from huodang.supervision.clues import records
from huodang.supervision.clues.errors import ClueGuardError, UnknownClueError
from huodang.supervision.clues.measures import Judgement
from huodang.supervision.clues.registers import Registers
from huodang.supervision.clues.terms import ClueTerms
from huodang.supervision.clues.values import ClueOutcome, Tier
from huodang.trust import FieldSealer

PURPOSE: Final = "supervision"
SYSTEM: Final = Actor("system", "平台", "system", "")
"""The hub itself: what falls due, what joins, what is withdrawn."""

IDENTITY: Final = "identity_number"
NOTE: Final = "clue_note"
FACT: Final = "clue_fact"
EVIDENCE: Final = "clue_evidence"
SIGNAL: Final = "clue_signal"
TIERS: Final = tuple(Tier)

OutcomeCallback = Callable[[Connection, ClueOutcome], None]
JudgedCallback = Callable[[Connection, str, Judgement], None]


@dataclass(frozen=True)
class ClueRecord:
    """A clue as its row says."""

    clue_id: str
    matter: str
    person_index: str
    region: str
    state: str
    sequence: int
    tier: Tier
    due_on: date | None
    assigned_to: str
    locked_by: str
    proposed_by: str
    outcome: str
    row: Mapping[str, Any]

    @classmethod
    def of(cls, row: sa.RowMapping) -> "ClueRecord":
        """Read a row."""
        return cls(
            clue_id=row["clue_id"],
            matter=row["matter"],
            person_index=row["person_index"],
            region=row["region"],
            state=row["state"],
            sequence=row["sequence"],
            tier=TIERS[row["tier"]],
            due_on=row["due_on"],
            assigned_to=row["assigned_to"],
            locked_by=row["locked_by"],
            proposed_by=row["proposed_by"],
            outcome=row["outcome"],
            row={str(name): value for name, value in row.items()},
        )


@dataclass
class Change:
    """One event on its way through the table; effects write their part of the row into `updates`."""

    connection: Connection
    clue: ClueRecord
    event: str
    actor: Actor
    note: str
    data: Mapping[str, Any]
    now: datetime
    today: date
    updates: dict[str, Any] = field(default_factory=dict)
    outcomes: list[ClueOutcome] = field(default_factory=list)
    rejudge: set[str] = field(default_factory=set)
    then: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Give a text that came with the event; empty if there is none."""
        value = self.data.get(name, "")
        return value.strip() if isinstance(value, str) else ""


Guard = Callable[[Change], ClueGuardError | None]
Effect = Callable[[Change], None]


@dataclass(frozen=True)
class Desk:
    """What engine, guards and effects work with."""

    ledger: Ledger
    sealer: FieldSealer
    clock: Clock
    registers: Registers
    terms: ClueTerms


def load(connection: Connection, clue_id: str, *, lock: bool = False) -> ClueRecord:
    """Read a clue.

    Raises:
        UnknownClueError: there is none.
    """
    statement = sa.select(records.clue).where(records.clue.c.clue_id == clue_id)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise unknown(clue_id)
    return ClueRecord.of(row)


def unknown(clue_id: str) -> UnknownClueError:
    """Make the error for what isn't there, or isn't to be known of."""
    return UnknownClueError(
        "没有这条疑点，或无权查看",
        "there is no such clue, or it isn't yours to see",
        advice_chinese="请核对编号和您的辖区；函询件只有被问的部门可见。",
        advice_english="Check the number and your region; what a department was asked only that department sees.",
        place=Place(element=clue_id[:64]),
    )


def open_identity(desk: Desk, clue: ClueRecord) -> str:
    """Open the identity number of a clue's person."""
    return desk.sealer.open(IDENTITY, clue.row["identity"], clue.clue_id)
