"""The engine of payment control: moves one payment by the table, everything in the caller's one transaction.

State, ground, back pay, the notice to the person, history row, ledger entry and the next job stand or fall together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.archive import PaymentRecords
from huodang.exchange import Actor, Decision, DecisionRequest, decide
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place
from huodang.store import Clock, serialise
from huodang.supervision.clues import ClueDesk, ClueRecord, Transition
from huodang.supervision.control import records
from huodang.supervision.control.errors import (
    ControlGuardError,
    ControlNotPermittedError,
    IllegalControlEventError,
)
from huodang.supervision.control.grounds import Ground, grounds_of
from huodang.supervision.control.notices import Notices
from huodang.supervision.control.states import CONTROL, ControlState
from huodang.trust import FieldSealer, canonical_json

PURPOSE: Final = "supervision"
SYSTEM: Final = Actor("system", "平台", "system", "")
IDENTITY: Final = "identity_number"
NOTE: Final = "control_note"


@dataclass(frozen=True)
class ControlDesk:
    """What payment control works with."""

    ledger: Ledger
    sealer: FieldSealer
    clock: Clock
    payments: PaymentRecords
    clues: ClueDesk
    notices: Notices


@dataclass
class Change:
    """One event on its way through the table.

    Attributes:
        grounds: every ground that the payment ever had, as they are before the event.
        data: what the event needs: `basis`, `from_month`, `until_month`, `month`.
        paid_back: months and fen that the event pays back.
        notice_id: what the person is told of it.
    """

    connection: Connection
    desk: ControlDesk
    clue: ClueRecord
    scheme: str
    state: str
    sequence: int
    event: str
    actor: Actor
    note: str
    data: Mapping[str, Any]
    now: datetime
    today: date
    grounds: list[Ground]
    paid_back: dict[str, int] = field(default_factory=dict)
    notice_id: str = ""

    @property
    def person_index(self) -> str:
        """Whose payment it is."""
        return self.clue.person_index


Guard = Callable[[Change], ControlGuardError | None]
Effect = Callable[[Change], None]


class ControlEngine:
    """Moves payments."""

    def __init__(self, desk: ControlDesk, guards: Mapping[str, Guard], effects: Mapping[str, Effect]) -> None:
        self.desk = desk
        self._guards = guards
        self._effects = effects

    def apply(
        self,
        connection: Connection,
        clue: ClueRecord,
        scheme: str,
        event: str,
        actor: Actor,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """Move a payment by one event of a clue; give the state it is in then.

        Raises:
            IllegalControlEventError: the table has no such event in this state for this role.
            ControlNotPermittedError: no policy permits it to the actor.
            ControlGuardError: a condition doesn't hold.
        """
        serialise(connection, f"control:{clue.person_index}")
        state, sequence = self.standing(connection, clue.person_index, scheme)
        now = self.desk.clock.now()
        change = Change(
            connection,
            self.desk,
            clue,
            scheme,
            state,
            sequence,
            event,
            actor,
            note.strip()[:2000],
            dict(data or {}),
            now,
            self.desk.clock.today(),
            grounds_of(connection, clue.person_index, scheme),
        )
        row, decision = self._choose(change)
        for name in row.effects:
            self._effects[name](change)
        self._write(change, row.target, decision)
        return row.target

    @staticmethod
    def standing(connection: Connection, person_index: str, scheme: str) -> tuple[str, int]:
        """Give state and sequence of a payment; one that nothing was ever done to is paid."""
        table = records.payment
        row = connection.execute(
            sa.select(table.c.state, table.c.sequence).where(
                table.c.person_index == person_index, table.c.scheme == scheme
            )
        ).one_or_none()
        return (ControlState.PAYING.value, 0) if row is None else (row.state, row.sequence)

    def open_to(self, state: str, clue: ClueRecord, actor: Actor) -> list[str]:
        """List the events that an actor may bring about now, guards aside."""
        rows = [row for row in CONTROL.rows_from(state) if actor.role in row.roles and actor.role != SYSTEM.role]
        return list(dict.fromkeys(row.event for row in rows if ask(row, clue, actor).permitted))

    def _choose(self, change: Change) -> tuple[Transition, Decision]:
        rows = CONTROL.rows(change.state, change.event)
        mine = [(row, ask(row, change.clue, change.actor)) for row in rows if change.actor.role in row.roles]
        if not rows:
            raise _illegal(change)
        permitted = [(row, decision) for row, decision in mine if decision.permitted]
        if not permitted:
            raise ControlNotPermittedError(
                "这一步不由您的岗位办理，或不在您的辖区",
                f"this step isn't for role {change.actor.role}, or lies outside your region",
                place=Place(element=change.clue.clue_id),
            )
        refused: list[tuple[int, ControlGuardError]] = []
        for row, decision in permitted:
            for passed, name in enumerate(row.guards):
                if problem := self._guards[name](change):
                    refused.append((passed, problem))
                    break
            else:
                return row, decision
        # Where several rows might have been taken, the general one is last and says what is lacking.
        raise refused[-1][1]

    def _write(self, change: Change, target: str, decision: Decision) -> None:
        connection, clue = change.connection, change.clue
        sequence, table = change.sequence + 1, records.payment
        whose = {"person_index": clue.person_index, "scheme": change.scheme}
        moved = {"state": target, "sequence": sequence}
        if target != change.state:
            moved["since"] = change.now
        if change.sequence == 0:
            number = self.desk.clues.identity_number(connection, clue.clue_id)
            seat = f"{clue.person_index}:{change.scheme}"
            first = {"identity": self.desk.sealer.seal(IDENTITY, number, seat), "region": clue.region}
            connection.execute(sa.insert(table).values(**whose, **first, **{"since": change.now, **moved}))
        else:
            here = (table.c.person_index == clue.person_index) & (table.c.scheme == change.scheme)
            connection.execute(sa.update(table).where(here).values(**moved))
        seat = f"{clue.person_index}:{change.scheme}:{sequence}"
        connection.execute(
            sa.insert(records.history).values(
                **whose,
                sequence=sequence,
                at=change.now,
                from_state=change.state,
                event=change.event,
                to_state=target,
                clue_id=clue.clue_id,
                by=change.actor.user_id,
                role=change.actor.role,
                policy=decision.policy,
                note=self.desk.sealer.seal(NOTE, change.note, seat) if change.note else "",
                notice_id=change.notice_id,
                entry_id=self._record(change, target, decision),
            )
        )

    def _record(self, change: Change, target: str, decision: Decision) -> str:
        facts = {
            "clue": change.clue.clue_id,
            "scheme": change.scheme,
            "event": change.event,
            "from": change.state,
            "state": target,
            "role": change.actor.role,
            "policy": decision.policy.replace(" ", ","),
            "notice": change.notice_id,
            "paid_back": str(sum(change.paid_back.values())) if change.paid_back else "",
        }
        content = canonical_json(
            {**facts, "person": change.person_index, "by": change.actor.user_id, "note": change.note}
        )
        entry = LedgerEntry("control", change.now, {name: value for name, value in facts.items() if value})
        return self.desk.ledger.record(change.connection, entry, content)


def ask(row: Transition, clue: ClueRecord, actor: Actor) -> Decision:
    """Ask the policies whether an actor may bring about a row of the table."""
    assigned = actor.user_id != "" and actor.user_id in {clue.assigned_to, clue.locked_by}
    return decide(DecisionRequest(actor, row.action, PURPOSE, region=clue.region, assigned=assigned))


def _illegal(change: Change) -> IllegalControlEventError:
    state = CONTROL.states[change.state]
    event = CONTROL.events.get(change.event, (change.event[:40], change.event[:40]))
    return IllegalControlEventError(
        f"待遇处于“{state[0]}”，不能“{event[0]}”",
        f"a payment that is “{state[1]}” can't “{event[1]}”",
        place=Place(element=change.clue.clue_id),
    )
