"""The engine: moves recoveries by their table; state, effects, history, ledger and next job stand or fall together."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor, Decision, DecisionRequest, decide
from huodang.exchange.sharing import SYSTEM
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place, add_working_days, working_days_between
from huodang.store import SHANGHAI, Clock, jobs
from huodang.supervision.clues.process import Transition
from huodang.supervision.recovery import records
from huodang.supervision.recovery.errors import (
    IllegalRecoveryEventError,
    RecoveryGuardError,
    RecoveryNotPermittedError,
    UnknownRecoveryError,
)
from huodang.supervision.recovery.matters import NOTE, DebtChange, DebtMatter, Effect, Guard, seat
from huodang.supervision.recovery.states import CLOSED, RECOVERY, RecoveryEvent
from huodang.supervision.recovery.terms import Terms
from huodang.supervision.recovery.values import PURPOSE
from huodang.trust import FieldSealer, canonical_json

DEADLINE: Final = "recovery.deadline"
_LONGEST_NOTE: Final = 2000


class RecoveryEngine:
    """Moves recoveries.

    Args:
        ledger: where every step leaves an entry.
        sealer: seals notes, which may name a person.
        clock: business time.
        terms: of each state, in working days.
        guards: conditions by name.
        effects: what is done, by name.
    """

    def __init__(  # noqa: PLR0917  (one place builds it)
        self,
        ledger: Ledger,
        sealer: FieldSealer,
        clock: Clock,
        terms: Terms,
        guards: Mapping[str, Guard],
        effects: Mapping[str, Effect],
    ) -> None:
        self._ledger = ledger
        self._sealer = sealer
        self._clock = clock
        self._terms = terms
        self._guards = guards
        self._effects = effects

    def load(self, connection: Connection, recovery_id: str, *, lock: bool = False) -> DebtMatter:
        """Read a recovery.

        Raises:
            UnknownRecoveryError: there is none.
        """
        table = records.recovery
        statement = sa.select(table).where(table.c.recovery_id == recovery_id)
        row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
        if row is None:
            raise unknown(recovery_id)
        return DebtMatter.of(row)

    def begin(self, connection: Connection, matter: DebtMatter, actor: Actor, note: str) -> DebtMatter:
        """Write the first line of a recovery's history, whose row the caller has inserted."""
        now, today = self._clock.now(), self._clock.today()
        change = DebtChange(connection, matter, RecoveryEvent.OPEN, actor, note[:_LONGEST_NOTE], {}, now, today)
        self._write(change, RECOVERY.first, "")
        return self.load(connection, matter.recovery_id)

    def apply(
        self,
        connection: Connection,
        recovery_id: str,
        event: str,
        actor: Actor,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> DebtMatter:
        """Move a recovery by one event, settle it when nothing is left, and give it as it is then.

        Raises:
            UnknownRecoveryError: there is none, or the actor may not see it.
            IllegalRecoveryEventError: the table has no such event in this state.
            RecoveryNotPermittedError: no policy permits it to the actor.
            RecoveryGuardError: a condition doesn't hold.
        """
        matter = self.load(connection, recovery_id, lock=True)
        if not may_see(actor, matter):
            raise unknown(recovery_id)
        now, today = self._clock.now(), self._clock.today()
        change = DebtChange(
            connection, matter, event, actor, note.strip()[:_LONGEST_NOTE], dict(data or {}), now, today
        )
        row, decision = self._choose(change)
        for name in row.effects:
            self._effects[name](change)
        self._write(change, row.target, decision.policy)
        after = self.load(connection, recovery_id)
        if not after.outstanding and after.state not in CLOSED:
            return self.apply(connection, recovery_id, RecoveryEvent.SETTLE, SYSTEM)
        return after

    def open_to(self, matter: DebtMatter, actor: Actor) -> list[tuple[str, tuple[str, ...]]]:
        """List the events that the actor may bring about now, each with the guards it has to pass."""
        found: dict[str, tuple[str, ...]] = {}
        for row in RECOVERY.rows_from(matter.state):
            if actor.role in row.roles and _decide(row, matter, actor).permitted:
                found[row.event] = (*found.get(row.event, ()), *row.guards)
        return [(event, tuple(dict.fromkeys(guards))) for event, guards in found.items()]

    def note_of(self, row: sa.RowMapping) -> str:
        """Open the note of a history row."""
        if not row["note"]:
            return ""
        return self._sealer.open(NOTE, row["note"], seat(row["recovery_id"], str(row["sequence"])))

    def today(self) -> date:
        """Give the present day."""
        return self._clock.today()

    def _choose(self, change: DebtChange) -> tuple[Transition, Decision]:
        rows = RECOVERY.rows(change.matter.state, change.event)
        if not rows:
            raise _illegal(change)
        refused: list[tuple[int, RecoveryGuardError]] = []
        for row in rows:
            decision = _decide(row, change.matter, change.actor)
            if change.actor.role not in row.roles or not decision.permitted:
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
        raise RecoveryNotPermittedError(
            "这一步不由该角色办理",
            f"this step isn't for role {change.actor.role}",
            advice_chinese="请由流程表中的角色办理；核销和异议由另一人审批。",
            advice_english="Have it done by a role of the table; another person decides write-offs and objections.",
            place=Place(element=change.event[:40]),
        )

    def _write(self, change: DebtChange, target: str, policy: str) -> None:
        matter, today, table = change.matter, change.today, records.recovery
        sequence = matter.sequence + 1
        values: dict[str, Any] = {"state": target, "sequence": sequence}
        if target != matter.state or change.event == RecoveryEvent.OPEN:
            term = self._terms.get(target)
            due = None if term is None else add_working_days(today, max(0, term.days - change.used))
            values |= {
                "step_since": today,
                "due_on": None if due is None else due.day,
                "due_provisional": due is not None and due.provisional,
                "days_used": change.used,
                "overdue": False,
                "closed_on": today if target in CLOSED else None,
            }
            if due is not None:
                self._watch(change, sequence, due.day)
        values |= change.updates
        connection = change.connection
        connection.execute(sa.update(table).where(table.c.recovery_id == matter.recovery_id).values(**values))
        sealed = seat(matter.recovery_id, str(sequence))
        connection.execute(
            sa.insert(records.recovery_history).values(
                recovery_id=matter.recovery_id,
                sequence=sequence,
                at=change.now,
                from_state=matter.state if sequence > 1 else "",
                event=change.event,
                to_state=target,
                by=change.actor.user_id,
                role=change.actor.role,
                policy=policy,
                note=self._sealer.seal(NOTE, change.note, sealed) if change.note else "",
                entry_id=self._record(change, target, policy, {**matter.row, **values}),
            )
        )

    def _record(self, change: DebtChange, target: str, policy: str, row: Mapping[str, Any]) -> str:
        sums = {name: str(row[name].fen) for name in ("debt", "recovered", "written_off", "outstanding")}
        facts = {
            "recovery": change.matter.recovery_id,
            "event": change.event,
            "state": target,
            "role": change.actor.role,
            "policy": policy.replace(" ", ","),
        }
        content = canonical_json({**facts, **sums, "by": change.actor.user_id, "note": change.note})
        entry = LedgerEntry("recovery", change.now, {name: value for name, value in facts.items() if value})
        return self._ledger.record(change.connection, entry, content)

    @staticmethod
    def _watch(change: DebtChange, sequence: int, due: date) -> None:
        """Look again as soon as the last day is over."""
        recovery_id = change.matter.recovery_id
        jobs.enqueue(
            change.connection,
            DEADLINE,
            {"recovery": recovery_id},
            run_at=day_after(due),
            key=f"{DEADLINE}:{recovery_id}:{sequence}",
        )


def day_after(day: date) -> datetime:
    """Give the first instant after a day, as it is in Beijing."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)


def used_days(matter: DebtMatter, today: date) -> int:
    """Count the working days of the present step that are used up."""
    used: int = matter.row["days_used"]
    return used + working_days_between(matter.row["step_since"], today)


def view_decision(actor: Actor, matter: DebtMatter, elements: Sequence[str] = ()) -> Decision:
    """Ask the policies what somebody may see of a recovery; auditors look with the purpose of an audit."""
    return decide(
        DecisionRequest(
            actor,
            "view_recovery",
            "audit" if actor.role == "auditor" else PURPOSE,
            tuple(elements),
            case_id=matter.recovery_id,
            owner=matter.person_index,
            region=matter.region,
        )
    )


def may_see(actor: Actor, matter: DebtMatter) -> bool:
    """Say whether somebody may know of a recovery."""
    return view_decision(actor, matter).permitted


def unknown(recovery_id: str) -> UnknownRecoveryError:
    """Make the error for what isn't there, or isn't to be known of."""
    return UnknownRecoveryError(
        "没有这笔追回，或无权查看",
        "there is no such recovery, or it isn't yours to see",
        advice_chinese="请核对编号，以及它是否属于您的地区。",
        advice_english="Check the number, and whether it belongs to your region.",
        place=Place(element=recovery_id[:64]),
    )


def _decide(row: Transition, matter: DebtMatter, actor: Actor) -> Decision:
    return decide(
        DecisionRequest(
            actor,
            row.action,
            PURPOSE,
            (),
            case_id=matter.recovery_id,
            owner=matter.person_index,
            region=matter.region,
        )
    )


def _illegal(change: DebtChange) -> IllegalRecoveryEventError:
    state = RECOVERY.states[change.matter.state]
    event = RECOVERY.events.get(change.event, (change.event[:40], change.event[:40]))
    possible = dict.fromkeys(row.event for row in RECOVERY.rows_from(change.matter.state) if row.roles != ("system",))
    words = [RECOVERY.events[one] for one in possible] or [("无", "nothing")]
    return IllegalRecoveryEventError(
        f"处于“{state[0]}”，不能“{event[0]}”",
        f"what is “{state[1]}” can't “{event[1]}”",
        advice_chinese=f"现在可以：{'、'.join(word[0] for word in words)}。",
        advice_english=f"Possible now: {', '.join(word[1] for word in words)}.",
        place=Place(element=change.matter.recovery_id),
    )
