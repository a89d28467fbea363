"""The engine: moves a clue by its table, everything in the caller's one transaction.

State, effects, history row, ledger entry, next jobs, and what others do about an outcome or a judgement stand or fall
together. What the table doesn't hold, no policy permits or a guard forbids, raises and changes nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor, Decision, DecisionRequest, decide
from huodang.ledger import LedgerEntry
from huodang.standards import Place, add_working_days
from huodang.store import SHANGHAI, jobs
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import (
    NOTE,
    PURPOSE,
    SYSTEM,
    TIERS,
    Change,
    ClueRecord,
    Desk,
    Effect,
    Guard,
    JudgedCallback,
    OutcomeCallback,
    load,
    unknown,
)
from huodang.supervision.clues.errors import ClueGuardError, ClueNotPermittedError, IllegalClueEventError
from huodang.supervision.clues.measures import Judgement, Measure, tier_of
from huodang.supervision.clues.process import SYSTEM_ROLE, Transition
from huodang.supervision.clues.signals import judgement_of, signals_of, stakes_of
from huodang.supervision.clues.states import ClueEvent, ClueState
from huodang.supervision.clues.transitions import CLUES, UNDECIDED
from huodang.trust import canonical_json

DEADLINE_JOB: Final = "clue.deadline"
_LONGEST_NOTE: Final = 2000


class Engine:
    """Moves clues. One for a desk; callbacks are registered before anything runs."""

    def __init__(self, desk: Desk, guards: Mapping[str, Guard], effects: Mapping[str, Effect]) -> None:
        self.desk = desk
        self._guards = guards
        self._effects = effects
        self.outcome_callbacks: dict[str, OutcomeCallback] = {}
        self.judged_callbacks: dict[str, JudgedCallback] = {}

    def apply(
        self,
        connection: Connection,
        clue_id: str,
        event: str,
        actor: Actor,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> ClueRecord:
        """Move a clue by one event and give it as it is then.

        Raises:
            UnknownClueError: there is no such clue, or the actor may not see it.
            IllegalClueEventError: the table has no such event in this state for this role.
            ClueNotPermittedError: no policy permits it to the actor.
            ClueGuardError: a condition doesn't hold.
        """
        clue = load(connection, clue_id, lock=True)
        change = Change(
            connection,
            clue,
            event,
            actor,
            note.strip()[:_LONGEST_NOTE],
            dict(data or {}),
            self.desk.clock.now(),
            self.desk.clock.today(),
        )
        row, decision = self._choose(change)
        for name in row.effects:
            self._effects[name](change)
        self._write(change, row.target, decision)
        for outcome in change.outcomes:
            for callback in self.outcome_callbacks.values():
                callback(connection, outcome)
        for judged in sorted(change.rejudge):
            self.judge(connection, judged)
        for follows in change.then:
            self.try_system(connection, clue_id, follows)
        return load(connection, clue_id)

    def try_system(self, connection: Connection, clue_id: str, event: str) -> bool:
        """Let the platform do a step of its own if the clue is where it belongs; say whether it was done."""
        try:
            self.apply(connection, clue_id, event, SYSTEM)
        except (IllegalClueEventError, ClueGuardError):
            return False
        return True

    def judge(self, connection: Connection, clue_id: str) -> Judgement:
        """Judge a clue anew after its signals changed: tier, deadline, arbitration, and what others do about it."""
        clue = load(connection, clue_id, lock=True)
        judgement = judgement_of(connection, self.desk, clue_id, clue.matter)
        signals = signals_of(connection, self.desk.sealer, clue_id)
        stakes = stakes_of(connection, clue_id)
        tier = TIERS.index(tier_of(judgement))
        values: dict[str, Any] = {
            "measure": judgement.measure.value,
            "reason": judgement.reason,
            "tier": tier,
            "fen": sum(stake.fen for stake in stakes),
            "candidate": bool(signals) and all(one.fuzzy for one in signals),
        }
        if tier < clue.row["tier"] and clue.state in self.desk.terms.terms:
            values |= self._due(connection, clue, clue.state, tier, clue.row["step_since"])
        connection.execute(sa.update(records.clue).where(records.clue.c.clue_id == clue_id).values(**values))
        if judgement.measure is Measure.ARBITRATE and clue.state in UNDECIDED - {ClueState.ARBITRATION}:
            self.apply(connection, clue_id, ClueEvent.CONFLICT, SYSTEM)
        for callback in self.judged_callbacks.values():
            callback(connection, clue_id, judgement)
        return judgement

    def begin(self, connection: Connection, clue_id: str) -> None:
        """Give a clue that was just written its first deadline."""
        clue = load(connection, clue_id)
        values = self._due(connection, clue, clue.state, clue.row["tier"], clue.row["step_since"])
        connection.execute(sa.update(records.clue).where(records.clue.c.clue_id == clue_id).values(**values))

    def open_to(self, clue: ClueRecord, actor: Actor) -> list[str]:
        """List the events that the actor may bring about now, guards aside; those of the platform are nobody's."""
        return list(
            dict.fromkeys(
                row.event
                for row in CLUES.rows_from(clue.state)
                if row.roles != (SYSTEM_ROLE,) and actor.role in row.roles and ask(row, clue, actor).permitted
            )
        )

    def note_of(self, row: sa.RowMapping) -> str:
        """Open the note of a history row."""
        seat = f"{row['clue_id']}:{row['sequence']}"
        return self.desk.sealer.open(NOTE, row["note"], seat) if row["note"] else ""

    def _choose(self, change: Change) -> tuple[Transition, Decision]:
        clue, actor = change.clue, change.actor
        rows = CLUES.rows(clue.state, change.event)
        mine = [(row, ask(row, clue, actor)) for row in rows if actor.role in row.roles]
        permitted = [(row, decision) for row, decision in mine if decision.permitted]
        if not permitted and not may_see(clue, actor):
            raise unknown(clue.clue_id)
        if not rows:
            raise self._illegal(change)
        if not permitted:
            raise ClueNotPermittedError(
                "这一步不由您的岗位办理，或疑点不在您的辖区",
                f"this step isn't for role {actor.role}, or the clue lies outside your region",
                advice_chinese="请由有权限的稽核员、复核员、部门校核员或联席会议办理。",
                advice_english="Have an investigator, reviewer, corrector or the joint meeting do it.",
                place=Place(element=clue.clue_id),
            )
        refused: list[tuple[int, ClueGuardError]] = []
        for row, decision in permitted:
            for passed, name in enumerate(row.guards):
                if problem := self._guards[name](change):
                    refused.append((passed, problem))
                    break
            else:
                return row, decision
        raise max(refused, key=lambda one: one[0])[1]

    @staticmethod
    def _illegal(change: Change) -> IllegalClueEventError:
        state = CLUES.states[change.clue.state]
        event = CLUES.events.get(change.event, (change.event[:40], change.event[:40]))
        possible = dict.fromkeys(row.event for row in CLUES.rows_from(change.clue.state) if row.roles != (SYSTEM_ROLE,))
        words = [CLUES.events[one] for one in possible] or [("无", "nothing")]
        return IllegalClueEventError(
            f"处于“{state[0]}”的疑点，不能“{event[0]}”",
            f"a clue that is “{state[1]}” can't “{event[1]}”",
            advice_chinese=f"现在可以：{'、'.join(word[0] for word in words)}。",
            advice_english=f"Possible now: {', '.join(word[1] for word in words)}.",
            place=Place(element=change.clue.clue_id),
        )

    def _write(self, change: Change, target: str, decision: Decision) -> None:
        clue, connection = change.clue, change.connection
        sequence = clue.sequence + 1
        values: dict[str, Any] = {"state": target, "sequence": sequence}
        if target != clue.state:
            values |= {"step_since": change.today, "overdue": False}
            values |= self._due(connection, clue, target, clue.row["tier"], change.today)
            values["live_key"] = live_key(clue.person_index, clue.matter) if target in UNDECIDED else None
        values |= change.updates
        connection.execute(sa.update(records.clue).where(records.clue.c.clue_id == clue.clue_id).values(**values))
        seat = f"{clue.clue_id}:{sequence}"
        connection.execute(
            sa.insert(records.history).values(
                clue_id=clue.clue_id,
                sequence=sequence,
                at=change.now,
                from_state=clue.state,
                event=change.event,
                to_state=target,
                by=change.actor.user_id,
                role=change.actor.role,
                department=change.actor.department,
                policy=decision.policy,
                note=self.desk.sealer.seal(NOTE, change.note, seat) if change.note else "",
                law=change.text("law"),
                entry_id=self._record(change, target, decision),
            )
        )

    def _record(self, change: Change, target: str, decision: Decision) -> str:
        facts = {
            "clue": change.clue.clue_id,
            "matter": change.clue.matter,
            "event": change.event,
            "state": target,
            "role": change.actor.role,
            "department": change.actor.department,
            "policy": decision.policy.replace(" ", ","),
        }
        content = canonical_json({**facts, "by": change.actor.user_id, "note": change.note, "law": change.text("law")})
        entry = LedgerEntry("clue", change.now, {name: value for name, value in facts.items() if value})
        return self.desk.ledger.record(change.connection, entry, content)

    def _due(self, connection: Connection, clue: ClueRecord, state: str, tier: int, since: date) -> dict[str, Any]:
        """Say when a step is due, and look again as soon as that day is over."""
        term = self.desk.terms.terms.get(state)
        if term is None:
            return {"due_on": None, "due_provisional": False}
        due = add_working_days(since, term.days(TIERS[tier]))
        jobs.enqueue(
            connection,
            DEADLINE_JOB,
            {"clue": clue.clue_id, "state": state, "due": due.day.isoformat()},
            run_at=day_after(due.day),
            key=f"{DEADLINE_JOB}:{clue.clue_id}:{state}:{due.day.isoformat()}",
        )
        return {"due_on": due.day, "due_provisional": due.provisional}


def ask(row: Transition, clue: ClueRecord, actor: Actor) -> Decision:
    """Ask the policies whether an actor may bring about a row of the table."""
    return decide(
        DecisionRequest(
            actor,
            row.action,
            PURPOSE,
            region=clue.region,
            # A corrector speaks for the own department only; that it was asked is a guard.
            department=actor.department if actor.role == "corrector" else "",
            assigned=is_assigned(clue, actor),
        )
    )


def is_assigned(clue: ClueRecord, actor: Actor) -> bool:
    """Say whether a clue is given to somebody."""
    return actor.user_id != "" and actor.user_id in {clue.assigned_to, clue.locked_by}


def may_see(clue: ClueRecord, actor: Actor) -> bool:
    """Say whether somebody may know of a clue at all."""
    return any(
        decide(DecisionRequest(actor, action, purpose, region=clue.region, assigned=is_assigned(clue, actor))).permitted
        for action, purpose in (("list_clues", PURPOSE), ("list_clues", "audit"), ("object_clue", PURPOSE))
    )


def live_key(person_index: str, matter: str) -> str:
    """Name what may be open but once: a person's matter."""
    return f"{person_index}:{matter}"


def day_after(day: date) -> datetime:
    """Give the first instant after a day, as it is in Beijing."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)
