"""Looking at a clue: what the policy lets the onlooker see of it, and its frozen evidence."""

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Action, Actor, Decision, DecisionRequest, Looks, decide
from huodang.standards import Place, UnknownElement, element
from huodang.store import Database
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import (
    EVIDENCE,
    IDENTITY,
    NOTE,
    PURPOSE,
    ClueRecord,
    load,
    open_identity,
    unknown,
)
from huodang.supervision.clues.engine import Engine, is_assigned
from huodang.supervision.clues.errors import EvidenceAlteredError
from huodang.supervision.clues.guards import NEEDS
from huodang.supervision.clues.lists import AUDIT, ClueLists
from huodang.supervision.clues.measures import MILLE
from huodang.supervision.clues.opening import frozen_digest
from huodang.supervision.clues.signals import judgement_of, rates_of, signals_of, stakes_of
from huodang.supervision.clues.terms import light_of
from huodang.supervision.clues.transitions import CLUES
from huodang.supervision.clues.values import Signal
from huodang.supervision.clues.views import (
    ClueView,
    EventChoice,
    Evidence,
    EvidenceLine,
    HistoryLine,
    OpinionLine,
    SignalLine,
)
from huodang.trust import HIDDEN_TEXT

_PLAIN: Final = frozenset(
    {
        *("rule", "kind", "month", "months", "fen", "row", "source", "precision", "register", "run_id"),
        *("event", "resource", "type", "digest", "paid", "monthly_fen"),
    }
)
"""What evidence may say of a payment without naming anybody."""


class ClueReader(ClueLists):
    """Shows clues.

    Args:
        database: the hub's.
        engine: of clues.
        looks: where seeing a person's clue is recorded.
    """

    def __init__(self, database: Database, engine: Engine, looks: Looks) -> None:
        super().__init__(database, engine)
        self._looks = looks

    def view(self, actor: Actor, clue_id: str) -> ClueView:
        """Show a clue; the look is recorded.

        Raises:
            UnknownClueError: there is none, or it isn't the actor's to see.
        """
        with self._database.begin() as connection:
            clue = load(connection, clue_id)
            signals = signals_of(connection, self._desk.sealer, clue_id)
            names = sorted({IDENTITY, *(name for one in signals for name in one.fact if _is_element(name))})
            decision = self._look(connection, actor, clue, names, "clue")
            judgement = judgement_of(connection, self._desk, clue_id, clue.matter)
            return ClueView(
                row=self.row(clue),
                identity=decision.show(IDENTITY, open_identity(self._desk, clue)),
                stakes=stakes_of(connection, clue_id),
                signals=tuple(self._signals(connection, signals, decision)),
                witnesses=judgement.witnesses,
                reason=judgement.reason,
                mille_wrong=judgement.mille_wrong,
                opinions=tuple(self._opinions(connection, clue)),
                evidence=tuple(_evidence_lines(connection, clue_id)),
                proposed_by=clue.proposed_by,
                decided_by=clue.row["decided_by"],
                fact_from=clue.row["fact_from"],
                law=clue.row["law"],
                merged_into=clue.row["merged_into"],
                history=tuple(self._history(connection, clue_id)),
                may=tuple(self.choices(clue, actor)),
            )

    def evidence(self, actor: Actor, clue_id: str) -> list[Evidence]:
        """Open the frozen evidence of a clue, held against its digest; the look is recorded.

        Raises:
            UnknownClueError: there is no such clue, or it isn't the actor's to see.
            EvidenceAlteredError: what is kept isn't what was frozen.
        """
        with self._database.begin() as connection:
            clue = load(connection, clue_id)
            table = records.evidence
            rows = connection.execute(
                sa.select(table).where(table.c.clue_id == clue_id).order_by(table.c.frozen_at, table.c.digest)
            ).all()
            opened = [
                bytes.fromhex(self._desk.sealer.open(EVIDENCE, row.sealed, f"{clue_id}:{row.digest}")) for row in rows
            ]
            for row, content in zip(rows, opened, strict=True):
                if frozen_digest(self._desk.sealer, content) != row.digest:
                    raise EvidenceAlteredError(
                        "封存的证据与其摘要不符",
                        "frozen evidence doesn't fit its digest",
                        advice_chinese="请立即报告安全管理员，勿据此办理。",
                        advice_english="Tell the security administrator; act on nothing of it.",
                        place=Place(element=clue_id),
                    )
            parsed = [_fields(content) for content in opened]
            names = sorted({IDENTITY, *(name for one in parsed for name in one if _is_element(name))})
            decision = self._look(connection, actor, clue, names, "clue_evidence")
        return [
            Evidence(
                digest=row.digest,
                run_id=row.run_id,
                frozen_at=row.frozen_at,
                shown={name: _show(decision, name, value) for name, value in one.items()},
            )
            for row, one in zip(rows, parsed, strict=True)
        ]

    def choices(self, clue: ClueRecord, actor: Actor) -> list[EventChoice]:
        """List what somebody may do with a clue now."""
        found: list[EventChoice] = []
        for event in self._engine.open_to(clue, actor):
            rows = [row for row in CLUES.rows(clue.state, event) if actor.role in row.roles]
            needs = dict.fromkeys(need for row in rows for guard in row.guards for need in NEEDS.get(guard, ()))
            found.append(EventChoice(event, CLUES.events[event], tuple(needs)))
        return found

    def _look(
        self, connection: Connection, actor: Actor, clue: ClueRecord, elements: Sequence[str], what: str
    ) -> Decision:
        """Decide what may be seen, and record the look."""
        found = self._decide_view(connection, actor, clue, tuple(elements))
        if found is None:
            raise unknown(clue.clue_id)
        purpose, decision = found
        self._looks.record(
            connection,
            actor=actor,
            purpose=purpose,
            case_id=clue.clue_id,
            subject_index=clue.person_index,
            elements=decision.elements or tuple(elements),
            decision=decision,
            what=what,
        )
        return decision

    @staticmethod
    def _decide_view(
        connection: Connection, actor: Actor, clue: ClueRecord, elements: tuple[str, ...]
    ) -> tuple[str, Decision] | None:
        department = ""
        if actor.role == "corrector":
            table = records.opinion
            asked = sa.select(table.c.number).where(
                table.c.clue_id == clue.clue_id, table.c.department == actor.department
            )
            if connection.execute(asked).first() is None:
                return None
            department = actor.department
        for purpose in (PURPOSE, AUDIT):
            decision = decide(
                DecisionRequest(
                    actor,
                    Action.VIEW_CLUE,
                    purpose,
                    elements,
                    region=clue.region,
                    department=department,
                    assigned=is_assigned(clue, actor),
                )
            )
            if decision.permitted:
                return purpose, decision
        return None

    def _signals(self, connection: Connection, signals: Sequence[Signal], decision: Decision) -> list[SignalLine]:
        rates = rates_of(connection, self._desk)
        return [
            SignalLine(
                register=one.register,
                kind=one.kind,
                stance=one.stance.value,
                fact={name: _show(decision, name, value) for name, value in one.fact.items()},
                digest=one.digest,
                confirmed=one.confirmed,
                fuzzy=one.fuzzy,
                copy_of=one.copy_of,
                known_at=one.known_at,
                mille_wrong=int(rates.chance_wrong(one) * MILLE),
            )
            for one in signals
        ]

    def _opinions(self, connection: Connection, clue: ClueRecord) -> list[OpinionLine]:
        table, today = records.opinion, self._desk.clock.today()
        rows = connection.execute(sa.select(table).where(table.c.clue_id == clue.clue_id).order_by(table.c.number))
        return [
            OpinionLine(
                department=row.department,
                asked_at=row.asked_at,
                due_on=row.due_on,
                light=None if row.answer else light_of(row.due_on, today, self._desk.terms.yellow_when_left),
                answer=row.answer,
                answered_at=row.answered_at,
                answered_by=row.answered_by,
                note=self._desk.sealer.open(NOTE, row.note, f"{clue.clue_id}:opinion:{row.number}") if row.note else "",
            )
            for row in rows
        ]

    def _history(self, connection: Connection, clue_id: str) -> list[HistoryLine]:
        table = records.history
        rows = connection.execute(sa.select(table).where(table.c.clue_id == clue_id).order_by(table.c.sequence))
        return [
            HistoryLine(
                sequence=row["sequence"],
                at=row["at"],
                from_state=row["from_state"],
                event=row["event"],
                event_label=CLUES.events[row["event"]],
                to_state=row["to_state"],
                by=row["by"],
                role=row["role"],
                department=row["department"],
                note=self._engine.note_of(row),
                law=row["law"],
                policy=row["policy"],
                entry_id=row["entry_id"],
            )
            for row in rows.mappings()
        ]


def _evidence_lines(connection: Connection, clue_id: str) -> list[EvidenceLine]:
    table = records.evidence
    rows = connection.execute(sa.select(table).where(table.c.clue_id == clue_id).order_by(table.c.frozen_at))
    return [EvidenceLine(row.digest, row.run_id, row.frozen_at, row.entry_id) for row in rows]


def _fields(content: bytes) -> dict[str, str]:
    """Read evidence as names and values; what isn't such an object is shown as its size only."""
    try:
        parsed: Any = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return {"bytes": str(len(content))}
    return {
        str(name): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in parsed.items()
    }


def _is_element(name: str) -> bool:
    try:
        element(name)
    except UnknownElement:
        return False
    return True


def _show(decision: Decision, name: str, value: str) -> str:
    """Show a value: plain if it says nothing of a person, masked if an element names it, else hidden."""
    if name in _PLAIN:
        return value
    return decision.show(name, value) if _is_element(name) else HIDDEN_TEXT
