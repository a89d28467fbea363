"""Views of recoveries, out of their rows: what pages, the command line and JSON show."""

from collections import Counter

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor
from huodang.standards import Money
from huodang.store import shanghai_date
from huodang.supervision.recovery import records
from huodang.supervision.recovery.engine import RecoveryEngine
from huodang.supervision.recovery.matters import DebtMatter
from huodang.supervision.recovery.states import RECOVERY, RecoveryState
from huodang.supervision.recovery.values import (
    Debtor,
    Means,
    MovementLine,
    OverpaidMonth,
    PlanLine,
    RecoveryChoice,
    RecoveryFigures,
    RecoveryHistoryLine,
    RecoveryRow,
    RecoveryView,
)

NEEDS: dict[str, tuple[str, ...]] = {
    "note_given": ("note",),
    "service_told": ("served_on", "note"),
    "plan_adds_up": ("first_month",),
    "offset_lawful": ("account_offset", "monthly_benefit_offset"),
    "money_fits": ("means", "amount", "moved_on", "reference"),
    "revision_given": ("months",),
}
"""What an event needs, by the guard that asks for it."""


def row_of(matter: DebtMatter) -> RecoveryRow:
    """Give the row of a list."""
    row = matter.row
    return RecoveryRow(
        recovery_id=matter.recovery_id,
        matter=row["matter"],
        scheme=row["scheme"],
        region=matter.region,
        cause=row["cause"],
        debtor=Debtor(matter.debtor),
        state=matter.state,
        state_label=RECOVERY.states[matter.state],
        debt=matter.debt,
        recovered=matter.recovered,
        written_off=matter.written_off,
        outstanding=matter.outstanding,
        opened_at=row["opened_at"],
        due_on=row["due_on"],
        overdue=row["overdue"],
    )


def months_of_recovery(connection: Connection, matter: DebtMatter) -> tuple[OverpaidMonth, ...]:
    """Give the months of the debt as last revised; none where it fell away."""
    table = records.overpaid_month
    rows = connection.execute(
        sa.select(table).where(table.c.recovery_id == matter.recovery_id).order_by(table.c.revision, table.c.month)
    ).all()
    latest = max((row.revision for row in rows), default=0)
    if not matter.debt:
        return ()
    return tuple(
        OverpaidMonth(row.month, row.paid, row.due, row.code, row.law) for row in rows if row.revision == latest
    )


def view_of(  # noqa: PLR0917  (one view has so many sides)
    connection: Connection, engine: RecoveryEngine, matter: DebtMatter, actor: Actor, identity: str, account: str
) -> RecoveryView:
    """Give all of one recovery; identity and account number come as they may be shown."""
    moved, planned, told = records.movement, records.plan_line, records.recovery_history
    movements = connection.execute(
        sa.select(moved).where(moved.c.recovery_id == matter.recovery_id).order_by(moved.c.number)
    )
    lines = connection.execute(
        sa.select(planned)
        .where(planned.c.recovery_id == matter.recovery_id)
        .order_by(planned.c.revision.desc(), planned.c.line)
    ).all()
    latest = lines[0].revision if lines else 0
    history = connection.execute(
        sa.select(told).where(told.c.recovery_id == matter.recovery_id).order_by(told.c.sequence)
    ).mappings()
    return RecoveryView(
        row=row_of(matter),
        identity_number=identity,
        bank=matter.row["bank"],
        account=account,
        statement=matter.row["statement"],
        months=months_of_recovery(connection, matter),
        movements=tuple(
            MovementLine(row.moved_on, Means(row.means), row.amount, row.reference, row.by, row.entry_id)
            for row in movements
        ),
        plan=tuple(PlanLine(row.month, row.means, row.amount) for row in lines if row.revision == latest),
        history=tuple(
            RecoveryHistoryLine(
                sequence=row["sequence"],
                at=row["at"],
                from_state=row["from_state"],
                event=row["event"],
                event_label=RECOVERY.events[row["event"]],
                to_state=row["to_state"],
                by=row["by"],
                role=row["role"],
                policy=row["policy"],
                note=engine.note_of(row),
                entry_id=row["entry_id"],
            )
            for row in history
        ),
        may=tuple(
            RecoveryChoice(
                event,
                RECOVERY.events[event],
                tuple(dict.fromkeys(need for guard in guards for need in NEEDS.get(guard, ()))),
            )
            for event, guards in engine.open_to(matter, actor)
        ),
    )


def figures(connection: Connection) -> RecoveryFigures:
    """Sum up all recoveries."""
    table = records.recovery
    states: Counter[str] = Counter()
    sums = dict.fromkeys(("debt", "recovered", "written_off", "outstanding"), 0)
    fen = {name: sa.func.sum(sa.type_coerce(table.c[name], sa.BigInteger)).label(name) for name in sums}
    for row in connection.execute(
        sa.select(table.c.state, sa.func.count().label("number"), *fen.values()).group_by(table.c.state)
    ).mappings():
        states[row["state"]] += row["number"]
        for name in sums:
            sums[name] += int(row[name])
    settled = connection.execute(
        sa.select(table.c.opened_at, table.c.closed_on).where(table.c.state == RecoveryState.SETTLED)
    ).all()
    days = [(row.closed_on - shanghai_date(row.opened_at)).days for row in settled]
    return RecoveryFigures(
        by_state=dict(states),
        debt=Money(sums["debt"]),
        recovered=Money(sums["recovered"]),
        written_off=Money(sums["written_off"]),
        outstanding=Money(sums["outstanding"]),
        settled=len(days),
        days_to_settle=round(sum(days) / len(days), 1) if days else None,
    )
