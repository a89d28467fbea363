"""The engine: moves a case by the transition table, everything in the caller's one transaction.

State, effects, history row, clock entry, ledger record and next jobs stand or fall together. An event that the table
doesn't hold, or whose guard doesn't, raises and changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from huodang.exchange import Actor
from huodang.ledger import LedgerEntry
from huodang.retirement import records
from huodang.retirement.cases import NOTE_ELEMENT, CaseRecord, load
from huodang.retirement.desk import Desk
from huodang.retirement.errors import AnotherCaseError, GuardError, IllegalEventError
from huodang.retirement.reasons import codes
from huodang.retirement.states import STATE_LABELS, Event, State
from huodang.retirement.transitions import Transition, events_open_to, transitions_from
from huodang.standards import Place
from huodang.trust import canonical_json

CASE_TRACK = "case"
_LETS_GO = frozenset({State.RETURNED, State.WITHDRAWN, State.ENDED_BY_DEATH})
_ENDS = _LETS_GO | {State.COMPLETED}
_LONGEST_NOTE = 500


@dataclass
class Change:
    """One event on its way through the table; guards read it, effects write their part of the case into `updates`."""

    desk: Desk
    connection: Connection
    case: CaseRecord
    event: Event
    actor: Actor
    note: str
    data: Mapping[str, Any]
    now: datetime
    updates: dict[str, Any] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """The number of the history row that this change writes."""
        return self.case.sequence + 1


Guard = Callable[[Change], GuardError | None]
Effect = Callable[[Change], None]


class Engine:
    """Applies transitions with the guards and effects it is given."""

    def __init__(self, desk: Desk, guards: Mapping[str, Guard], effects: Mapping[str, Effect]) -> None:
        self._desk = desk
        self._guards = guards
        self._effects = effects

    def apply(
        self,
        connection: Connection,
        case_id: str,
        event: Event,
        actor: Actor,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
        case: CaseRecord | None = None,
    ) -> Transition:
        """Move a case by one event.

        Args:
            connection: the write transaction.
            case_id: which case.
            event: what happens.
            actor: who does it.
            note: what the actor says about it; kept sealed.
            data: what the event needs, as its guards say.
            case: the case's row where the caller has locked and read it in this transaction.

        Returns:
            The row of the table that was taken.

        Raises:
            IllegalEventError: no row for this event in this state and role.
            GuardError: a condition doesn't hold.
            AnotherCaseError: the person has another live case.
        """
        case = case or load(connection, case_id, lock=True)
        now = self._desk.clock.now()
        change = Change(self._desk, connection, case, event, actor, note.strip(), dict(data or {}), now)
        row = self._choose(change)
        for name in row.effects:
            self._effects[name](change)
        self._write(change, row)
        return row

    def _choose(self, change: Change) -> Transition:
        """Take the first row whose guards all hold; the last row is the general one, and says what is lacking."""
        state, event, role = change.case.state, change.event, change.actor.role
        rows = transitions_from(state, event)
        allowed = [row for row in rows if role in row.roles]
        if not allowed:
            raise _illegal(state, event, role, known=bool(rows))
        if len(change.note) > _LONGEST_NOTE:
            raise GuardError("note", f"说明不得超过 {_LONGEST_NOTE} 字", f"the note is longer than {_LONGEST_NOTE}")
        if "\0" in change.note:  # PostgreSQL's texts can't hold one
            raise GuardError("note", "说明含有不能保存的字符", "the note holds a character that can't be kept")
        refusals: list[GuardError] = []
        for row in allowed:
            refusal = next((found for name in row.guards if (found := self._guards[name](change)) is not None), None)
            if refusal is None:
                return row
            refusals.append(refusal)
        raise refusals[-1]

    def _write(self, change: Change, row: Transition) -> None:
        case, now = change.case, change.now
        updates: dict[str, Any] = {
            "state": row.target.value,
            "state_since": now,
            "sequence": change.sequence,
            "ended_at": now if row.target in _ENDS else None,
            **change.updates,
        }
        if row.target in _LETS_GO:
            updates["live_index"] = None
        elif row.target is not State.APPEAL and case.live_index is None:
            updates["live_index"] = case.person_index
        table = records.case
        try:
            moved = change.connection.execute(
                update(table)
                .where(table.c.case_id == case.case_id, table.c.sequence == case.sequence)
                .values(**updates)
            )
        except IntegrityError:
            raise AnotherCaseError from None
        if moved.rowcount != 1:  # the caller's row was not locked: refuse rather than overwrite
            raise _illegal(case.state, change.event, change.actor.role, known=True)
        move_clock(change.connection, case.case_id, row.day_of, row.target.value, now)
        _write_history(change, row)


def move_clock(connection: Connection, case_id: str, party: str, step: str, now: datetime) -> None:
    """End the stretch that runs on the case's own track, and begin the next one unless the case has ended."""
    table = records.clock_entry
    connection.execute(
        update(table)
        .where(table.c.case_id == case_id, table.c.track == CASE_TRACK, table.c.until.is_(None))
        .values(until=now)
    )
    if party:
        connection.execute(insert(table).values(case_id=case_id, track=CASE_TRACK, party=party, step=step, since=now))


def start_department_clock(connection: Connection, case_id: str, resource: str, step: str, now: datetime) -> None:
    """Begin a department's stretch beside the case's own track, unless one runs for this question."""
    table = records.clock_entry
    running = select(table.c.id).where(table.c.case_id == case_id, table.c.track == resource, table.c.until.is_(None))
    if connection.execute(running).first() is None:
        party = f"department:{resource.partition('.')[0]}"
        connection.execute(insert(table).values(case_id=case_id, track=resource, party=party, step=step, since=now))


def stop_department_clocks(connection: Connection, case_id: str, now: datetime, resource: str | None = None) -> None:
    """End a department's stretch for one question, or all of them."""
    table = records.clock_entry
    which = table.c.track != CASE_TRACK if resource is None else table.c.track == resource
    connection.execute(
        update(table).where(table.c.case_id == case_id, which, table.c.until.is_(None)).values(until=now)
    )


def _write_history(change: Change, row: Transition) -> None:
    """Add the history row and its leaf of the ledger."""
    case, now = change.case, change.now
    reason_codes = codes(change.data.get("reasons", ()))
    facts = {
        "case": case.case_id,
        "sequence": str(change.sequence),
        "event": change.event.value,
        "from": case.state.value,
        "to": row.target.value,
        "actor": change.actor.user_id,
        "role": change.actor.role,
    }
    content = canonical_json({**facts, "note": change.note, "reasons": reason_codes})
    entry = change.desk.ledger.record(change.connection, LedgerEntry("case", now, facts), content)
    note = change.note
    sealed = change.desk.sealer.seal(NOTE_ELEMENT, note, f"{case.case_id}:{change.sequence}")
    change.connection.execute(
        insert(records.history).values(
            case_id=case.case_id,
            sequence=change.sequence,
            event=change.event.value,
            from_state=case.state.value,
            to_state=row.target.value,
            actor_id=change.actor.user_id,
            actor_role=change.actor.role,
            at=now,
            note_sealed=sealed if note else None,
            codes=reason_codes,
            ledger_entry=str(entry),
        )
    )


def _illegal(state: State, event: Event, role: str, *, known: bool) -> IllegalEventError:
    chinese, english = STATE_LABELS[state]
    possible = "、".join(one.value for one in events_open_to(state, role)) or "—"
    why = ("该角色不能在此环节执行", "isn't open to this role at") if known else ("不能在此环节执行", "can't happen at")
    return IllegalEventError(
        f"事件 {event.value} {why[0]}：当前环节为“{chinese}”",
        f"the event {event.value} {why[1]} the step “{english}”",
        advice_chinese=f"当前可执行：{possible}。",
        advice_english=f"Open now: {possible}.",
        place=Place(element="event"),
    )
