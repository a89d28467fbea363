"""Lists of clues: what is pressing, overdue, or waits for a department's answer; none of them names anybody."""

from typing import Final

import sqlalchemy as sa

from huodang.exchange import Action, Actor, DecisionRequest, decide
from huodang.exchange.sharing import LIGHT_LABELS
from huodang.standards import working_days_between
from huodang.store import Database
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import PURPOSE, ClueRecord
from huodang.supervision.clues.engine import Engine, is_assigned
from huodang.supervision.clues.matters import matter_label
from huodang.supervision.clues.measures import MEASURE_LABELS, Measure
from huodang.supervision.clues.states import ClueEvent
from huodang.supervision.clues.terms import light_of
from huodang.supervision.clues.transitions import CLUES, UNDECIDED
from huodang.supervision.clues.views import TIER_LABELS, AskedRow, ClueRow, Counts

AUDIT: Final = "audit"
_PORTION: Final = 500
_ANSWERABLE: Final = sorted({row.state for row in CLUES.table if row.event == ClueEvent.ANSWER})
"""States in which a department's answer is still taken."""


class ClueLists:
    """Lists clues.

    Args:
        database: the hub's.
        engine: of clues.
    """

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        self._desk = engine.desk

    def queue(
        self,
        actor: Actor,
        *,
        state: str | None = None,
        matter: str | None = None,
        mine: bool = False,
        limit: int = 100,
    ) -> list[ClueRow]:
        """List clues, the most pressing first: by tier, by money, by deadline. Without a state: the undecided."""
        table = records.clue
        statement = sa.select(table).order_by(table.c.tier, table.c.fen.desc(), table.c.due_on, table.c.clue_id)
        statement = statement.where(table.c.state.in_(sorted(UNDECIDED)) if state is None else table.c.state == state)
        if matter is not None:
            statement = statement.where(table.c.matter == matter)
        if mine:
            statement = statement.where(
                sa.or_(table.c.assigned_to == actor.user_id, table.c.locked_by == actor.user_id)
            )
        found: list[ClueRow] = []
        # Read in portions: the undecided may be many, and a list shows some dozens.
        portions = statement.execution_options(yield_per=_PORTION)
        with self._database.read() as connection, connection.execute(portions) as rows:
            for row in rows.mappings():
                clue = ClueRecord.of(row)
                if _may(actor, Action.LIST_CLUES, clue) is not None:
                    found.append(self.row(clue))
                if len(found) >= limit:
                    break
        return found

    def overdue(self, actor: Actor) -> list[ClueRow]:
        """List what is past its due day, the latest first."""
        table, today = records.clue, self._desk.clock.today()
        statement = sa.select(table).where(table.c.due_on < today).order_by(table.c.due_on, table.c.clue_id)
        with self._database.read() as connection:
            clues = [ClueRecord.of(row) for row in connection.execute(statement).mappings()]
        return [self.row(clue) for clue in clues if _may(actor, Action.LIST_CLUES, clue) is not None]

    def asked(self, actor: Actor) -> list[AskedRow]:
        """List the questions that wait for the answer of a corrector's department, the earliest due first."""
        if not decide(DecisionRequest(actor, Action.ANSWER_CLUE, PURPOSE, department=actor.department)).permitted:
            return []
        table, clue, today = records.opinion, records.clue, self._desk.clock.today()
        statement = (
            sa.select(clue.c.clue_id, clue.c.matter, clue.c.region, table.c.asked_at, table.c.due_on)
            .join(clue, clue.c.clue_id == table.c.clue_id)
            .where(table.c.department == actor.department, table.c.answered_at.is_(None))
            .where(clue.c.state.in_(_ANSWERABLE))
            .order_by(table.c.due_on, table.c.number)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        lights = [light_of(row.due_on, today, self._desk.terms.yellow_when_left) for row in rows]
        return [
            AskedRow(
                clue_id=row.clue_id,
                matter=row.matter,
                matter_label=matter_label(row.matter),
                region=row.region,
                asked_at=row.asked_at,
                due_on=row.due_on,
                light=light,
                light_label=LIGHT_LABELS[light],
                days_late=max(0, working_days_between(row.due_on, today)),
            )
            for row, light in zip(rows, lights, strict=True)
        ]

    def counts(self, actor: Actor) -> Counts:
        """Count the clues that an actor may know of; set-based, by region."""
        table, today = records.clue, self._desk.clock.today()
        late = sa.func.sum(sa.case((table.c.due_on < today, 1), else_=0))
        statement = sa.select(
            table.c.region, table.c.state, table.c.tier, sa.func.count(), late, sa.func.sum(table.c.fen)
        ).group_by(table.c.region, table.c.state, table.c.tier)
        states: dict[str, int] = {}
        tiers: dict[str, int] = {}
        overdue = fen = 0
        with self._database.read() as connection:
            for region, state, tier, number, past, sum_fen in connection.execute(statement):
                if not _permitted(actor, Action.LIST_CLUES, region, assigned=False):
                    continue
                states[state] = states.get(state, 0) + number
                if state in UNDECIDED:
                    name = list(TIER_LABELS)[tier].value
                    tiers[name] = tiers.get(name, 0) + number
                    fen += int(sum_fen)
                overdue += int(past)
        return Counts(states, tiers, overdue, fen)

    def row(self, clue: ClueRecord) -> ClueRow:
        """Make the line of a clue in a list."""
        row, today = clue.row, self._desk.clock.today()
        light = None
        if clue.due_on is not None:
            light = light_of(clue.due_on, today, self._desk.terms.yellow_when_left)
        return ClueRow(
            clue_id=clue.clue_id,
            matter=clue.matter,
            matter_label=matter_label(clue.matter),
            rule=row["rule"],
            region=clue.region,
            state=clue.state,
            state_label=CLUES.states[clue.state],
            tier=clue.tier,
            tier_label=TIER_LABELS[clue.tier],
            measure=row["measure"],
            measure_label=MEASURE_LABELS[Measure(row["measure"])],
            fen=row["fen"],
            candidate=row["candidate"],
            opened_at=row["opened_at"],
            due_on=clue.due_on,
            due_provisional=row["due_provisional"],
            light=light,
            light_label=("", "") if light is None else LIGHT_LABELS[light],
            days_late=0 if clue.due_on is None else max(0, working_days_between(clue.due_on, today)),
            overdue=row["overdue"],
            assigned_to=clue.assigned_to,
            locked_by=clue.locked_by,
            outcome=clue.outcome,
        )


def _may(actor: Actor, action: str, clue: ClueRecord) -> str | None:
    """Give the purpose for which an action is permitted, or None."""
    return _permitted(actor, action, clue.region, assigned=is_assigned(clue, actor))


def _permitted(actor: Actor, action: str, region: str, *, assigned: bool) -> str | None:
    for purpose in (PURPOSE, AUDIT):
        if decide(DecisionRequest(actor, action, purpose, region=region, assigned=assigned)).permitted:
            return purpose
    return None
