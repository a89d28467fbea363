"""Proofs judged and applied, set by set: no loop over persons. Each function works in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from huodang.supervision.certification import records
from huodang.supervision.certification.ladder import Ladder
from huodang.supervision.certification.states import CertificationEvent, CertificationState
from huodang.supervision.timeline import DEATH
from huodang.supervision.timeline.records import fact

NEW, COUNTED, WAITING, STALE = "new", "counted", "waiting", "stale"
CONTRADICTED, STRANGER = "contradicted", "stranger"
STANDINGS: Final = (COUNTED, WAITING, STALE, CONTRADICTED, STRANGER)


@dataclass(frozen=True)
class Batch:
    """Proofs that are judged together: a part of a run."""

    run_id: str
    part: int
    by: str
    now: datetime
    today: date


ProofRow = tuple[str, date, str, str, str]
"""Person's index, day, means, source, digest."""


def insert_proofs(connection: Connection, batch: Batch, ladder: Ladder, rows: Sequence[ProofRow]) -> None:
    """Write proofs that weren't said before; what is too old is marked at once."""
    if not rows:
        return
    values = [
        {
            "person_index": person,
            "proved_on": on,
            "day": on.toordinal(),
            "means": means,
            "source": source,
            "digest": digest,
            "standing": STALE if (batch.today - on).days > ladder.means[means].fresh_days else NEW,
            "recorded_at": batch.now,
            "run_id": batch.run_id,
            "part": batch.part,
        }
        for person, on, means, source, digest in rows
    ]
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(records.proof).on_conflict_do_nothing(), values)


def judge(connection: Connection, batch: Batch, ladder: Ladder) -> None:
    """Judge the proofs of a run that are new, and apply those that count."""
    proof, certification = records.proof, records.certification
    new = _of(batch, NEW)
    paid = (
        sa.select(sa.literal(1))
        .where(certification.c.person_index == proof.c.person_index, certification.c.state != CertificationState.ENDED)
        .exists()
    )
    later = fact.alias()
    dead = (
        sa.select(sa.literal(1))
        .where(
            fact.c.person_index == proof.c.person_index,
            fact.c.element == DEATH,
            fact.c.value != "",
            fact.c.valid_from < proof.c.proved_on,
            ~sa.select(sa.literal(1)).where(later.c.replaces == fact.c.number).exists(),
        )
        .exists()
    )
    weak = proof.c.means.in_(ladder.weak())
    for condition, standing in ((~paid, STRANGER), (dead, CONTRADICTED), (weak, WAITING)):
        connection.execute(sa.update(proof).where(new, condition).values(standing=standing))
    connection.execute(sa.update(proof).where(new).values(standing=COUNTED))
    _join_weak(connection, batch, ladder)
    _apply(connection, batch, ladder)


def _join_weak(connection: Connection, batch: Batch, ladder: Ladder) -> None:
    """Count weak proofs of this run that another means stands beside."""
    proof = records.proof
    other = proof.alias()
    span = ladder.weak_together_days.value
    beside = (
        sa.select(sa.literal(1))
        .where(
            other.c.person_index == proof.c.person_index,
            other.c.means != proof.c.means,
            other.c.means.in_(ladder.weak()),
            other.c.standing.in_((WAITING, COUNTED)),
            other.c.day.between(proof.c.day - span, proof.c.day + span),
        )
        .exists()
    )
    mine = _of(batch, WAITING)
    connection.execute(sa.update(proof).where(mine, beside).values(standing=COUNTED))


def _apply(connection: Connection, batch: Batch, ladder: Ladder) -> None:
    """Renew what the counted proofs prove: one statement a day that they speak of, the earliest first."""
    proof, certification = records.proof, records.certification
    mine = _of(batch, COUNTED)
    days = connection.execute(
        sa.select(proof.c.proved_on, proof.c.means).where(mine).distinct().order_by(proof.c.proved_on, proof.c.means)
    ).all()
    for day, means in days:
        due_on = ladder.due_on(day)
        proved = sa.select(proof.c.person_index).where(mine, proof.c.proved_on == day, proof.c.means == means)
        newer = sa.and_(
            certification.c.person_index.in_(proved),
            certification.c.proved_on < day,
            certification.c.state != CertificationState.ENDED,
        )
        # Who was valid all along was never asked: the proof itself says it, the history tells changes of state.
        changed = sa.and_(newer, certification.c.state != CertificationState.VALID)
        write_history(connection, batch, CertificationEvent.PROVE, CertificationState.VALID, changed)
        connection.execute(
            sa.update(certification)
            .where(newer)
            .values(
                sequence=certification.c.sequence
                + sa.case((certification.c.state != CertificationState.VALID, 1), else_=0),
                since=sa.case(
                    (certification.c.state != CertificationState.VALID, batch.today), else_=certification.c.since
                ),
                state=CertificationState.VALID.value,
                proved_on=day,
                proved_by=means,
                due_on=due_on,
                next_step_on=first_reminder(ladder, due_on),
                reminders=0,
            )
        )


def first_reminder(ladder: Ladder, due_on: date) -> date:
    """Say on which day a person is first reminded."""
    return due_on - timedelta(days=ladder.first_reminder_days.value)


def write_history(
    connection: Connection, batch: Batch, event: str, target: str, condition: sa.ColumnElement[bool]
) -> int:
    """Write an event into the history of everybody who fulfils a condition, and give how many they are."""
    table, history = records.certification, records.certification_history
    chosen = sa.select(
        table.c.person_index,
        table.c.sequence + 1,
        sa.literal(batch.now, history.c.at.type),
        table.c.state,
        sa.literal(str(event)),
        sa.literal(str(target)),
        sa.literal(batch.by),
        sa.literal(batch.run_id),
    ).where(condition)
    columns = ["person_index", "sequence", "at", "from_state", "event", "to_state", "by", "run_id"]
    # Without the option an INSERT tells no number on PostgreSQL, and the walk would never end.
    counted = sa.insert(history).from_select(columns, chosen).execution_options(preserve_rowcount=True)
    return connection.execute(counted).rowcount


def standings(connection: Connection, run_id: str) -> dict[str, int]:
    """Count the proofs of a run by how they stand."""
    proof = records.proof
    rows = connection.execute(
        sa.select(proof.c.standing, sa.func.count()).where(proof.c.run_id == run_id).group_by(proof.c.standing)
    )
    found: dict[str, int] = {standing: int(number) for standing, number in rows}
    return found


def contradicted(connection: Connection, batch: Batch) -> list[sa.Row[Any]]:
    """List what data say of persons whose death stands recorded, with what is needed to tell it."""
    proof, certification = records.proof, records.certification
    statement = (
        sa.select(proof, certification.c.identity, certification.c.region)
        .join(certification, certification.c.person_index == proof.c.person_index)
        .where(_of(batch, CONTRADICTED))
        .order_by(proof.c.number)
    )
    return list(connection.execute(statement))


def _of(batch: Batch, standing: str) -> sa.ColumnElement[bool]:
    proof = records.proof
    return sa.and_(proof.c.run_id == batch.run_id, proof.c.part == batch.part, proof.c.standing == standing)
