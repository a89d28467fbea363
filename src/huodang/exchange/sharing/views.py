"""What the services of sharing hand out: plain values with their words, for pages, the command line and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Actor
from huodang.exchange.sharing.engine import Engine, may_see
from huodang.exchange.sharing.matters import Matter
from huodang.exchange.sharing.process import SIDE_LABELS, Label, Side
from huodang.exchange.sharing.terms import LIGHT_LABELS, Due, Light, SharingTerms, stands

NEEDS: dict[str, tuple[str, ...]] = {
    "note_given": ("note",),
    "reason_and_law_given": ("note", "law"),
    "decision_recorded": ("meeting", "note"),
    "later_end_named": ("valid_to",),
    "named_resource_offered": ("resource",),
    "terms_hold": ("terms",),
    "corrected_value_given": ("corrected", "in_force_from"),
}
"""What an event needs, by the guard that asks for it."""


@dataclass(frozen=True)
class EventChoice:
    """Something that the one who looks may do now.

    Attributes:
        needs: names of what has to come with it.
    """

    event: str
    label: Label
    needs: tuple[str, ...]


@dataclass(frozen=True)
class HistoryLine:
    """One event in the life of a matter.

    Attributes:
        policy: id of the policy that permitted it.
        entry_id: its entry in the ledger, for which a receipt can be issued.
    """

    sequence: int
    at: datetime
    from_state: str
    event: str
    event_label: Label
    to_state: str
    by: str
    role: str
    department: str
    note: str
    law: str
    policy: str
    entry_id: str


@dataclass(frozen=True)
class Standing:
    """Where a matter stands: its state in words, whose turn it is, when that is due.

    Attributes:
        waits_for: whose turn it is: `consumer`, `provider`, `either`, `meeting`; empty at an end.
        waits_for_departments: the departments behind that.
        due_on: the last day in time; None where nothing is due.
        due_provisional: a year on the way has no published calendar yet.
        light: 红黄灯; None where nothing is due.
        days_late: working days past the due day.
        escalated: it was reported as overdue.
    """

    state: str
    state_label: Label
    waits_for: str
    waits_for_label: Label
    waits_for_departments: tuple[str, ...]
    due_on: date | None
    due_provisional: bool
    light: Light | None
    light_label: Label
    days_late: int
    escalated: bool


@dataclass(frozen=True)
class OverdueLine:
    """What is late, and by whom.

    Attributes:
        process: `demand` or `correction`.
    """

    process: str
    matter_id: str
    resource: str
    consumer: str
    provider: str
    standing: Standing


def standing_of(engine: Engine, matter: Matter, today: date, terms: SharingTerms) -> Standing:
    """Say where a matter stands today."""
    process = engine.process
    side = process.waits_for(matter.state) if process.rows_from(matter.state) else None
    if process.name == "demand" and matter.sequence == 1:
        side = Side.PROVIDER
    departments = {
        Side.CONSUMER: (matter.consumer,),
        Side.PROVIDER: (matter.provider,),
        Side.EITHER: (matter.consumer, matter.provider),
    }
    due: Due | None = stands(matter.deadline, today, terms)
    return Standing(
        state=matter.state,
        state_label=process.states[matter.state],
        waits_for="" if side is None else side.value,
        waits_for_label=("", "") if side is None else SIDE_LABELS[side],
        waits_for_departments=() if side is None else tuple(one for one in departments.get(side, ()) if one),
        due_on=None if due is None else due.deadline.day,
        due_provisional=due is not None and due.deadline.provisional,
        light=None if due is None else due.light,
        light_label=("", "") if due is None else LIGHT_LABELS[due.light],
        days_late=0 if due is None else due.days_late,
        escalated=matter.overdue,
    )


def history_of(engine: Engine, connection: Connection, matter_id: str) -> list[HistoryLine]:
    """Give the whole history of a matter, the first event first."""
    table = engine.history
    rows = connection.execute(
        sa.select(table).where(table.c[engine.key] == matter_id).order_by(table.c.sequence)
    ).mappings()
    return [_line(engine, {str(name): value for name, value in row.items()}) for row in rows]


def _line(engine: Engine, row: Mapping[str, Any]) -> HistoryLine:
    return HistoryLine(
        sequence=row["sequence"],
        at=row["at"],
        from_state=row["from_state"],
        event=row["event"],
        event_label=engine.process.events[row["event"]],
        to_state=row["to_state"],
        by=row["by"],
        role=row["role"],
        department=row["department"],
        note=engine.note_of(row),
        law=row["law"],
        policy=row["policy"],
        entry_id=row["entry_id"],
    )


def choices(engine: Engine, matter: Matter, actor: Actor) -> Sequence[EventChoice]:
    """List what somebody may do with a matter now."""
    found: list[EventChoice] = []
    for event in engine.open_to(matter, actor):
        rows = engine.process.rows(matter.state, event)
        needs = dict.fromkeys(need for row in rows for guard in row.guards for need in NEEDS.get(guard, ()))
        found.append(EventChoice(event, engine.process.events[event], tuple(needs)))
    return found


def matters_seen_by(
    engine: Engine, connection: Connection, actor: Actor, *, state: str | None, limit: int
) -> list[Matter]:
    """List the matters of a process that an actor may see, the newest first."""
    table = engine.table
    statement = sa.select(table).order_by(table.c.raised_at.desc(), table.c[engine.key].desc())
    if state is not None:
        statement = statement.where(table.c.state == state)
    found: list[Matter] = []
    for row in connection.execute(statement).mappings():
        matter = Matter.of(row, engine.key)
        if may_see(actor, matter):
            found.append(matter)
        if len(found) >= limit:
            break
    return found


def overdue_lines(
    engine: Engine, connection: Connection, actor: Actor, today: date, terms: SharingTerms
) -> list[OverdueLine]:
    """List the matters of a process that an actor may see and whose due day is past, the latest first."""
    table = engine.table
    rows = connection.execute(
        sa.select(table).where(table.c.due_on < today).order_by(table.c.due_on, table.c[engine.key])
    ).mappings()
    lines: list[OverdueLine] = []
    for row in rows:
        matter = Matter.of(row, engine.key)
        if not may_see(actor, matter):
            continue
        standing = standing_of(engine, matter, today, terms)
        lines.append(
            OverdueLine(
                engine.process.name, matter.matter_id, matter.resource, matter.consumer, matter.provider, standing
            )
        )
    return lines
