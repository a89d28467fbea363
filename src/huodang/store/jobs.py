"""Jobs: rows that are claimed with a lease and a fencing token, done at least once, with effects that happen once.

Whoever changes a record enqueues the next job in the same transaction. A worker claims it, and completes it in the same
transaction as its effect and history. A worker that dies leaves a lease that runs out, and another takes the job with a
higher token; the first, should it still live, finds its token outdated: `LeaseLost`, and its transaction rolls back.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from huodang.store.columns import Instant
from huodang.store.database import Database, note_enqueued
from huodang.store.errors import LeaseLost
from huodang.store.records import LIVE
from huodang.store.records import job as _job

_READY, _LEASED, _DEAD = "ready", "leased", "dead"


@dataclass(frozen=True)
class Job:
    """One claimed job: what is to be done, and the token that proves whose it is."""

    id: int
    kind: str
    key: str | None
    payload: Mapping[str, Any]
    token: int
    attempt: int  # 1 on the first claim


@dataclass(frozen=True)
class DeadJob:
    """A job that was given up, with the code of the reason; kept until somebody revives it."""

    id: int
    kind: str
    key: str | None
    payload: Mapping[str, Any]
    attempt: int
    error: str


@dataclass(frozen=True)
class JobCount:
    """How many jobs of a kind are in a state (`ready`, `leased`, `dead`); for the health page."""

    kind: str
    state: str
    number: int


def enqueue(
    connection: Connection, kind: str, payload: Mapping[str, Any], *, run_at: datetime, key: str | None = None
) -> int:
    """Enqueue a job in the caller's transaction and give its number.

    At most one live job has a given key. When one is ready already, it is kept and runs at the earlier of the two
    instants; when a worker holds it, it will run once more after that, as the worker may have looked before this
    transaction's change.

    Args:
        connection: the write transaction that also makes the change which calls for the job.
        kind: what is to be done; the worker's handlers are named by it.
        payload: codes and row numbers as JSON, never personal data.
        run_at: not before this instant.
        key: what must not be enqueued twice, such as `settle:42`.
    """
    values = {"kind": kind, "key": key, "payload": dict(payload), "run_at": run_at}
    statement = _enqueue(connection.dialect.name)
    number = connection.execute(statement, {**values, "state": _READY, "token": 0, "attempt": 0}).scalar_one()
    note_enqueued(connection)
    return int(number)


def due_kinds(database: Database, kinds: Collection[str], *, now: datetime) -> frozenset[str]:
    """Tell which of some kinds have a job that is due: one look instead of one a kind."""
    statement = select(_job.c.kind).where(_due(kinds, now)).distinct()
    with database.read() as connection:
        return frozenset(connection.execute(statement).scalars())


def claim(
    database: Database, kinds: Collection[str], *, worker: str, limit: int, lease: timedelta, now: datetime
) -> list[Job]:
    """Claim up to `limit` due jobs for a worker, oldest first, in a transaction of its own.

    Due is what is ready at `now`, and what another worker holds on a lease that has run out. Each claim raises the
    token.
    """
    due = _due(kinds, now)
    # A look first: an idle worker must not take the writer's place on SQLite at every poll.
    with database.read() as connection:
        if connection.execute(select(_job.c.id).where(due).limit(1)).first() is None:
            return []
    chosen = select(_job).where(due).order_by(_job.c.run_at, _job.c.id).limit(limit).with_for_update(skip_locked=True)
    with database.begin() as connection:
        rows = connection.execute(chosen).all()
        if rows:
            connection.execute(
                update(_job)
                .where(_job.c.id.in_([row.id for row in rows]))
                .values(
                    state=_LEASED,
                    worker=worker,
                    leased_until=now + lease,
                    token=_job.c.token + 1,
                    attempt=_job.c.attempt + 1,
                )
            )
    return [Job(row.id, row.kind, row.key, row.payload, row.token + 1, row.attempt + 1) for row in rows]


def _due(kinds: Collection[str], now: datetime) -> ColumnElement[bool]:
    return and_(
        _job.c.kind.in_(list(kinds)),
        or_(
            and_(_job.c.state == _READY, _job.c.run_at <= now),
            and_(_job.c.state == _LEASED, _job.c.leased_until <= now),
        ),
    )


def complete(connection: Connection, job: Job) -> None:
    """Take a done job off the queue, in the transaction of its effect.

    Raises:
        LeaseLost: another worker has the job; the transaction must roll back.
    """
    gone = connection.execute(_COMPLETE, {"held": job.id, "under": job.token})
    if gone.rowcount == 0:
        # Asked for again meanwhile: a fresh run with its attempts counted anew.
        again = update(_job).where(_held(job), _job.c.again_at.is_not(None))
        _require(
            connection, job, again.values(**_RELEASED, state=_READY, run_at=_job.c.again_at, attempt=0, error=None)
        )


def retry(connection: Connection, job: Job, run_at: datetime, error: str) -> None:
    """Put a job back to run again at an instant.

    Args:
        connection: the caller's transaction.
        job: the claimed job.
        run_at: when to try again; see `back_off`.
        error: the code of what went wrong; no text that could hold personal data.

    Raises:
        LeaseLost: another worker has the job; the transaction must roll back.
    """
    earliest = case((_job.c.again_at < run_at, _job.c.again_at), else_=literal(run_at, Instant()))
    _require(
        connection,
        job,
        update(_job).where(_held(job)).values(**_RELEASED, state=_READY, run_at=earliest, error=error[:100]),
    )


def bury(connection: Connection, job: Job, error: str) -> None:
    """Give a job up: it is kept as a dead letter with the code of the reason, and its key is free again.

    When it was asked for again meanwhile, that request stands as a new job.

    Raises:
        LeaseLost: another worker has the job; the transaction must roll back.
    """
    again_at = connection.execute(select(_job.c.again_at).where(_held(job)).with_for_update()).scalar_one_or_none()
    _require(connection, job, update(_job).where(_held(job)).values(**_RELEASED, state=_DEAD, error=error[:100]))
    if again_at is not None:
        enqueue(connection, job.kind, job.payload, run_at=again_at, key=job.key)


def revive(connection: Connection, job_id: int, run_at: datetime) -> bool:
    """Make a dead letter ready again, its attempts counted anew; False when it is none (any more).

    When a live job has taken its key since, that one does the work, and the dead letter is taken away.
    """
    dead = connection.execute(
        select(_job.c.kind, _job.c.key, _job.c.payload)
        .where(_job.c.id == job_id, _job.c.state == _DEAD)
        .with_for_update()
    ).one_or_none()
    if dead is None:
        return False
    connection.execute(delete(_job).where(_job.c.id == job_id))
    enqueue(connection, dead.kind, dead.payload, run_at=run_at, key=dead.key)
    return True


def dead_letters(connection: Connection, *, limit: int = 100) -> list[DeadJob]:
    """List the jobs that were given up, oldest first."""
    rows = connection.execute(select(_job).where(_job.c.state == _DEAD).order_by(_job.c.id).limit(limit))
    return [DeadJob(row.id, row.kind, row.key, row.payload, row.attempt, row.error) for row in rows]


def counts(connection: Connection) -> list[JobCount]:
    """Count the jobs by kind and state, for the health page."""
    rows = connection.execute(
        select(_job.c.kind, _job.c.state, func.count().label("number"))
        .group_by(_job.c.kind, _job.c.state)
        .order_by(_job.c.kind, _job.c.state)
    )
    return [JobCount(row.kind, row.state, row.number) for row in rows]


def pending(connection: Connection, now: datetime) -> int:
    """Count what is still to be done at this instant: jobs that are due, and jobs that a worker holds."""
    still = or_(_job.c.state == _LEASED, and_(_job.c.state == _READY, _job.c.run_at <= now))
    return connection.execute(select(func.count()).select_from(_job).where(still)).scalar_one()


def next_due(connection: Connection) -> datetime | None:
    """Tell when the earliest ready job is due, or None when none waits."""
    earliest: datetime | None = connection.execute(
        select(_job.c.run_at).where(_job.c.state == _READY).order_by(_job.c.run_at).limit(1)
    ).scalar_one_or_none()
    return earliest


def back_off(
    attempt: int,
    *,
    salt: int = 0,
    first: timedelta = timedelta(seconds=1),
    most: timedelta = timedelta(minutes=10),
) -> timedelta:
    """Say how long to wait after the given attempt: twice as long each time, up to `most`.

    A fifth of it is spread by `salt` (the job's number), so that jobs which failed together don't come back together.
    """
    whole: timedelta = min(first * 2 ** min(max(attempt, 1) - 1, 32), most)
    share = hashlib.sha256(f"{salt}:{attempt}".encode()).digest()[0]
    return whole - whole * share // (255 * 5)


@cache
def _enqueue(dialect: str) -> ReturningInsert[int]:
    """Insert a job, or wake the live one of the same key. Made once: that is dearer than running it."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(_job)
    new = statement.excluded.run_at
    earlier = and_(_job.c.state == _READY, new < _job.c.run_at)
    again = and_(_job.c.state == _LEASED, or_(_job.c.again_at.is_(None), new < _job.c.again_at))
    woken = statement.on_conflict_do_update(
        index_elements=[_job.c.key],
        # Spelled out: PostgreSQL can't match a prepared statement's parameter with the index's own condition.
        index_where=text(LIVE),
        set_={
            "run_at": case((earlier, new), else_=_job.c.run_at),
            "again_at": case((again, new), else_=_job.c.again_at),
        },
    )
    made: ReturningInsert[int] = woken.returning(_job.c.id)
    return made


_COMPLETE = delete(_job).where(
    _job.c.id == bindparam("held"),
    _job.c.token == bindparam("under"),
    _job.c.state == _LEASED,
    _job.c.again_at.is_(None),
)
_RELEASED: dict[str, Any] = {"worker": None, "leased_until": None, "again_at": None}


def _held(job: Job) -> ColumnElement[bool]:
    return and_(_job.c.id == job.id, _job.c.token == job.token, _job.c.state == _LEASED)


def _require(connection: Connection, job: Job, statement: Update) -> None:
    if connection.execute(statement).rowcount == 0:
        raise LeaseLost(job.id, job.token)
