"""Events that a handler couldn't take yet: held, waiting behind another of the same person, or dead letters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.events.records import held

HELD: Final = "held"
"""It is to be tried when its time has come; the first of its person."""
WAITING: Final = "waiting"
"""It waits behind another of the same person."""
DEAD: Final = "dead"
"""It failed too often: an administrator decides."""


def aside(name: str, row: Any, state: str, now: datetime, error: str) -> dict[str, Any]:  # noqa: ANN401  (a row of the table of events)
    """Make the row that puts an event aside for a handler."""
    return {
        "handler": name,
        "number": row.number,
        "person": row.person,
        "state": state,
        "attempt": 0,
        "run_at": now,
        "error": error[:100],
        "changed_at": now,
    }


def is_held(name: str, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Name one event of one handler in a condition."""
    return held.c.handler == name, held.c.number == number


def persons_held(connection: Connection, name: str, persons: set[str]) -> set[str]:
    """Say for which of some persons anything is put aside."""
    if connection.execute(sa.select(held.c.number).where(held.c.handler == name).limit(1)).first() is None:
        return set()
    found = sa.select(held.c.person).where(held.c.handler == name, held.c.person.in_(persons)).distinct()
    return set(connection.execute(found).scalars())


def promote(connection: Connection, name: str, person: str, now: datetime) -> None:
    """Let the first that waits of a person be tried, if nothing stands before it."""
    first = connection.execute(
        sa.select(held.c.number, held.c.state)
        .where(held.c.handler == name, held.c.person == person)
        .order_by(held.c.number)
        .limit(1)
    ).one_or_none()
    if first is not None and first.state == WAITING:
        connection.execute(
            sa.update(held).where(*is_held(name, first.number)).values(state=HELD, run_at=now, changed_at=now)
        )


def put_before(connection: Connection, name: str, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Put events aside that may stand before others of the same persons, and let the first of each be tried."""
    connection.execute(sa.insert(held), list(rows))
    connection.execute(sa.update(held).where(held.c.handler == name, held.c.state == HELD).values(state=WAITING))
    firsts = sa.select(sa.func.min(held.c.number)).where(held.c.handler == name).group_by(held.c.person)
    connection.execute(
        sa.update(held)
        .where(held.c.handler == name, held.c.state == WAITING, held.c.number.in_(firsts))
        .values(state=HELD, run_at=now, changed_at=now)
    )


def revive(connection: Connection, name: str, number: int, now: datetime) -> bool:
    """Try a dead letter again, its failures counted anew; false if it is none."""
    changed = connection.execute(
        sa.update(held)
        .where(*is_held(name, number), held.c.state == DEAD)
        .values(state=HELD, attempt=0, run_at=now, changed_at=now)
    )
    return changed.rowcount > 0


def dismiss(connection: Connection, name: str, number: int, now: datetime) -> bool:
    """Give a dead letter up for good, so that the person's later events go on; false if it is none."""
    row = connection.execute(sa.select(held).where(*is_held(name, number), held.c.state == DEAD)).one_or_none()
    if row is None:
        return False
    connection.execute(sa.delete(held).where(*is_held(name, number)))
    promote(connection, name, row.person, now)
    return True
