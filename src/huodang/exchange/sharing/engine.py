"""The engine: moves demands and corrections by their tables, everything in the caller's one transaction.

State, effects, history row, ledger entry and next jobs stand or fall together. What the table doesn't hold, no policy
permits or a guard forbids, raises and changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.sharing.errors import (
    IllegalSharingEventError,
    SharingGuardError,
    SharingNotPermittedError,
    UnknownMatterError,
)
from huodang.exchange.sharing.matters import CORRECTION_PURPOSE, NOTE, PURPOSE, Change, Desk, Effect, Guard, Matter
from huodang.exchange.sharing.process import Process, Side, Transition
from huodang.exchange.sharing.terms import step_deadline
from huodang.ledger import LedgerEntry
from huodang.standards import Place, working_days_between
from huodang.store import SHANGHAI, jobs
from huodang.trust import canonical_json

_LONGEST_NOTE: Final = 2000
_PERSONAL: Final = frozenset({Action.RAISE_CORRECTION, Action.ANSWER_CORRECTION, Action.VIEW_CORRECTION})


class Engine:
    """Moves the matters of one process.

    Args:
        process: its table and words.
        table: the rows of the matters.
        history: the rows of their history.
        guards: conditions by name.
        effects: what is done, by name.
        desk: ledger, sealer, clock and terms.
    """

    def __init__(  # noqa: PLR0917  (one place builds it, once a process)
        self,
        process: Process,
        table: sa.Table,
        history: sa.Table,
        guards: Mapping[str, Guard],
        effects: Mapping[str, Effect],
        desk: Desk,
    ) -> None:
        self.process = process
        self.table = table
        self.history = history
        self.key = f"{process.name}_id"
        self._guards = guards
        self._effects = effects
        self._desk = desk

    def today(self) -> date:
        """Give the present day."""
        return self._desk.clock.today()

    def load(self, connection: Connection, matter_id: str, *, lock: bool = False) -> Matter:
        """Read a matter.

        Raises:
            UnknownMatterError: there is none.
        """
        statement = sa.select(self.table).where(self.table.c[self.key] == matter_id)
        row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
        if row is None:
            raise unknown(matter_id)
        return Matter.of(row, self.key)

    def begin(
        self,
        connection: Connection,
        values: Mapping[str, Any],
        event: str,
        actor: Actor,
        decision: Decision,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
        effects: Sequence[str] = (),
    ) -> Matter:
        """Write a new matter in the first state of its way in, with history, ledger entry and deadline.

        Args:
            connection: the write transaction.
            values: of the row, but for those by which the engine moves it.
            event: the way in.
            actor: who begins it.
            decision: the policy's that permits it.
            note: what the actor says about it; kept sealed.
            data: what the effects need.
            effects: names of what is done at once.
        """
        state = dict(self.process.ways_in)[event]
        today = self._desk.clock.today()
        blank = {
            "state": "",
            "sequence": 0,
            "step_since": today,
            "due_on": None,
            "due_provisional": False,
            "days_used": 0,
            "stopped_state": "",
            "overdue": False,
        }
        connection.execute(sa.insert(self.table).values(**values, **blank))
        matter = Matter.of({**values, **blank}, self.key)
        now = self._desk.clock.now()
        change = Change(connection, matter, event, actor, note.strip()[:_LONGEST_NOTE], dict(data or {}), now, today)
        for name in effects:
            self._effects[name](change)
        self._write(change, state, decision)
        return self.load(connection, matter.matter_id)

    def apply(
        self,
        connection: Connection,
        matter_id: str,
        event: str,
        actor: Actor,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> Matter:
        """Move a matter by one event and give it as it is then.

        Raises:
            UnknownMatterError: there is no such matter, or the actor may not see it.
            IllegalSharingEventError: the table has no such event in this state.
            SharingNotPermittedError: no policy permits it to the actor.
            SharingGuardError: a condition doesn't hold.
        """
        matter = self.load(connection, matter_id, lock=True)
        if not may_see(actor, matter):
            raise unknown(matter_id)
        now = self._desk.clock.now()
        change = Change(
            connection,
            matter,
            event,
            actor,
            note.strip()[:_LONGEST_NOTE],
            dict(data or {}),
            now,
            self._desk.clock.today(),
        )
        row, decision = self._choose(change)
        for name in row.effects:
            self._effects[name](change)
        self._write(change, row.target, decision)
        return self.load(connection, matter_id)

    def open_to(self, matter: Matter, actor: Actor) -> list[str]:
        """List the events that the actor may bring about now, guards aside; those of the platform are nobody's."""
        return list(
            dict.fromkeys(
                row.event
                for row in self.process.rows_from(matter.state)
                if row.side is not Side.SYSTEM and _decide(row, matter, actor).permitted
            )
        )

    def note_of(self, row: Mapping[str, Any]) -> str:
        """Open the note of a history row."""
        return (
            self._desk.sealer.open(NOTE, row["note"], self._seat(row[self.key], row["sequence"])) if row["note"] else ""
        )

    def _choose(self, change: Change) -> tuple[Transition, Decision]:
        rows = self.process.rows(change.matter.state, change.event)
        if not rows:
            raise self._illegal(change)
        refused: list[tuple[int, SharingGuardError]] = []
        forbidden: Decision | None = None
        for row in rows:
            decision = _decide(row, change.matter, change.actor)
            if not decision.permitted:
                forbidden = decision
                continue
            for passed, name in enumerate(row.guards):
                if problem := self._guards[name](change):
                    refused.append((passed, problem))
                    break
            else:
                return row, decision
        if refused:
            # Where several rows might have been taken, the one that came furthest was meant.
            raise max(refused, key=lambda one: one[0])[1]
        raise not_permitted(change.actor, forbidden)

    def _illegal(self, change: Change) -> IllegalSharingEventError:
        state = self.process.states[change.matter.state]
        event = self.process.events.get(change.event, (change.event[:40], change.event[:40]))
        rows = self.process.rows_from(change.matter.state)
        possible = dict.fromkeys(row.event for row in rows if row.side is not Side.SYSTEM)
        words = [self.process.events[one] for one in possible] or [("无", "nothing")]
        return IllegalSharingEventError(
            f"处于“{state[0]}”，不能“{event[0]}”",
            f"what is “{state[1]}” can't “{event[1]}”",
            advice_chinese=f"现在可以：{'、'.join(word[0] for word in words)}。",
            advice_english=f"Possible now: {', '.join(word[1] for word in words)}.",
            place=Place(element=change.matter.matter_id),
        )

    def _write(self, change: Change, target: str, decision: Decision) -> None:
        matter, today = change.matter, change.today
        sequence = matter.sequence + 1
        values: dict[str, Any] = {"state": target, "sequence": sequence}
        if target != matter.state:
            term = self._desk.terms.of(self.process.name).get(target)
            due = None if term is None else step_deadline(term, change.resumed, today)
            values |= {
                "step_since": today,
                "due_on": None if due is None else due.day,
                "due_provisional": due is not None and due.provisional,
                "days_used": change.resumed,
                "stopped_state": "",
                "overdue": False,
            }
            if due is not None:
                self._watch(change, sequence, due.day)
        values |= change.updates
        connection = change.connection
        connection.execute(sa.update(self.table).where(self.table.c[self.key] == matter.matter_id).values(**values))
        connection.execute(
            sa.insert(self.history).values(
                **{self.key: matter.matter_id},
                sequence=sequence,
                at=change.now,
                from_state=matter.state,
                event=change.event,
                to_state=target,
                by=change.actor.user_id,
                role=change.actor.role,
                department=change.actor.department,
                policy=decision.policy,
                note=self._sealed(change, sequence),
                law=change.text("law"),
                entry_id=self._record(change, target, decision),
            )
        )

    def _sealed(self, change: Change, sequence: int) -> str:
        """Seal what was said: free text may name a person."""
        seat = self._seat(change.matter.matter_id, sequence)
        return self._desk.sealer.seal(NOTE, change.note, seat) if change.note else ""

    @staticmethod
    def _seat(matter_id: str, sequence: int) -> str:
        return f"{matter_id}:{sequence}"

    def _record(self, change: Change, target: str, decision: Decision) -> str:
        facts = {
            self.process.name: change.matter.matter_id,
            "event": change.event,
            "state": target,
            "provider": change.matter.provider,
            "consumer": change.matter.consumer,
            "resource": change.matter.resource,
            "role": change.actor.role,
            "department": change.actor.department,
            "policy": decision.policy.replace(" ", ","),
        }
        content = canonical_json({**facts, "by": change.actor.user_id, "note": change.note, "law": change.text("law")})
        entry = LedgerEntry(self.process.name, change.now, {name: value for name, value in facts.items() if value})
        return self._desk.ledger.record(change.connection, entry, content)

    def _watch(self, change: Change, sequence: int, due: date) -> None:
        """Look again as soon as the last day is over."""
        jobs.enqueue(
            change.connection,
            f"{self.process.name}.deadline",
            {"matter": change.matter.matter_id, "sequence": sequence},
            run_at=day_after(due),
            key=f"{self.process.name}.deadline:{change.matter.matter_id}:{sequence}",
        )


def day_after(day: date) -> datetime:
    """Give the first instant after a day, as it is in Beijing."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)


def may_see(actor: Actor, matter: Matter) -> bool:
    """Say whether somebody may know of a matter: its sides, who oversees, and of a correction who checks data."""
    ways = [(Action.VIEW_SHARING, PURPOSE)]
    if "element" in matter.row:
        ways.append((Action.VIEW_CORRECTION, CORRECTION_PURPOSE))
    return any(
        decide(DecisionRequest(actor, action, purpose, (), department=department, assigned=True)).permitted
        for department in {matter.consumer, matter.provider} - {""}
        for action, purpose in ways
    )


def _decide(row: Transition, matter: Matter, actor: Actor) -> Decision:
    departments = {
        Side.CONSUMER: matter.consumer,
        Side.PROVIDER: matter.provider,
        Side.EITHER: actor.department if actor.department in (matter.consumer, matter.provider) else "",
        Side.MEETING: "",
        Side.SYSTEM: "",
    }
    personal = row.action in _PERSONAL
    return decide(
        DecisionRequest(
            actor,
            row.action,
            CORRECTION_PURPOSE if personal else PURPOSE,
            matter.elements if personal else (),
            department=departments[row.side],
            assigned=matter.row.get("raised_by") == actor.user_id,
        )
    )


def stop_clock(change: Change) -> None:
    """Keep what was used of the step's term; the days until it goes on aren't counted."""
    change.updates["days_used"] = change.matter.days_used + working_days_between(change.matter.step_since, change.today)
    change.updates["stopped_state"] = change.matter.state


def unknown(matter_id: str) -> UnknownMatterError:
    """Make the error for what isn't there, or isn't to be known of."""
    return UnknownMatterError(
        "没有这件事项，或无权查看",
        "there is no such matter, or it isn't yours to see",
        advice_chinese="请核对编号，以及您所在的部门是否为其中一方。",
        advice_english="Check the number, and whether your department is one of its sides.",
        place=Place(element=matter_id[:128]),
    )


def not_permitted(actor: Actor, decision: Decision | None) -> SharingNotPermittedError:
    """Make the error for an act that isn't this person's."""
    policy = decision.policy if decision is not None else ""
    return SharingNotPermittedError(
        f"这一步不由“{actor.department or '平台'}”的该角色办理",
        f"this step isn't for role {actor.role} of {actor.department or 'the platform'}"
        + (f" (forbidden by {policy})" if policy else ""),
        advice_chinese="请由该方的数据管理员、校核员或联席会议办理。",
        advice_english="Have the steward or corrector of that side, or the joint meeting, do it.",
    )
