"""The walk of the ladder, set by set: who nears the day is reminded, who lets it pass is visited; nobody is cut."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.standards import add_working_days
from huodang.supervision.certification import records
from huodang.supervision.certification.judging import Batch, write_history
from huodang.supervision.certification.ladder import Ladder
from huodang.supervision.certification.states import CERTIFICATION

CHUNK: Final = 50_000
"""So many persons are moved in one transaction."""


@dataclass(frozen=True)
class Step:
    """One row of the table as the walk takes it."""

    state: str
    event: str
    target: str
    condition: sa.ColumnElement[bool]
    values: dict[str, Any]


def steps(ladder: Ladder, today: date) -> list[Step]:
    """Give the platform's own steps as they stand on a day, in the order of the table."""
    table = records.certification
    step_reached, due_over = table.c.next_step_on <= today, table.c.due_on < today
    visit_by = add_working_days(today, ladder.visit_working_days.value).day
    self_service_until = today + timedelta(days=ladder.self_service_days.value)
    again = today + timedelta(days=ladder.reminder_every_days.value)
    reminded = {"reminders": table.c.reminders + 1, "next_step_on": again}
    meaning: dict[str, tuple[sa.ColumnElement[bool], dict[str, Any]]] = {
        "first_reminder_reached": (step_reached, reminded),
        "next_reminder_reached": (sa.and_(step_reached, ~due_over), reminded),
        # Also the last reminder has had its time: nobody lapses on the day of being told.
        "due_day_over": (sa.and_(step_reached, due_over), {"next_step_on": self_service_until}),
        "self_service_over": (step_reached, {"next_step_on": visit_by}),
        "visit_term_over": (step_reached, {"next_step_on": visit_by}),
    }
    return [
        Step(row.state, row.event, row.target, *meaning[guard])
        for row in CERTIFICATION.table
        for guard in row.guards
        if guard in meaning
    ]


def take(connection: Connection, batch: Batch, step: Step, *, limit: int = CHUNK) -> int:
    """Move up to so many persons by one step, with their history, and give how many they were."""
    table = records.certification
    chosen = (
        sa.select(table.c.person_index)
        .where(table.c.state == step.state, step.condition)
        .order_by(table.c.next_step_on, table.c.person_index)
        .limit(limit)
    )
    who = table.c.person_index.in_(chosen)
    moved = write_history(connection, batch, step.event, step.target, who)
    if moved:
        since = {} if step.target == step.state else {"since": batch.today}
        connection.execute(
            sa.update(table).where(who).values(state=step.target, sequence=table.c.sequence + 1, **since, **step.values)
        )
    return moved
