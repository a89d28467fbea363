"""What the effects in the table of clues do, each in the transaction of its event."""

from collections.abc import Mapping

import sqlalchemy as sa

from huodang.standards import add_working_days
from huodang.store import utc_text
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import EVIDENCE, NOTE, Change, Desk, Effect, open_identity
from huodang.supervision.clues.engine import live_key
from huodang.supervision.clues.guards import answering
from huodang.supervision.clues.signals import (
    add_signals,
    learn,
    signals_of,
    stakes_of,
    unlearn,
    with_keys,
    withdraw_signals,
)
from huodang.supervision.clues.states import ClueEvent
from huodang.supervision.clues.values import ClueOutcome, Outcome, Signal, Stance
from huodang.trust import canonical_json, sha256

WINDOW = "window"
_SEEN_COUNTS = frozenset({"death", "custody"})


class ClueEffects:
    """The effects of the table by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def all(self) -> Mapping[str, Effect]:
        """Give the effects by name."""
        return {
            "assign": _assign,
            "lock": _lock,
            "unlock": _unlock,
            "ask": self._ask,
            "ask_sides": self._ask_sides,
            "record_answer": self._record_answer,
            "propose": _propose,
            "drop_proposal": _drop_proposal,
            "confirm": self._confirm,
            "refute": self._refute,
            "take_back": self._take_back,
            "hear": self._hear,
            "move_signals": self._move_signals,
            "escalate": _escalate,
        }

    def _ask(self, change: Change) -> None:
        self._put_question(change, change.text("department"))

    def _ask_sides(self, change: Change) -> None:
        """Ask every register that has spoken; those that name only doubts have nothing to answer."""
        signals = signals_of(change.connection, self._desk.sealer, change.clue.clue_id)
        silent = {*self._desk.registers.not_witnesses, WINDOW}
        for department in sorted({one.register for one in signals} - silent):
            self._put_question(change, department)

    def _put_question(self, change: Change, department: str) -> None:
        table = records.opinion
        still_open = sa.select(table.c.number).where(
            table.c.clue_id == change.clue.clue_id, table.c.department == department, table.c.answered_at.is_(None)
        )
        if change.connection.execute(still_open).first() is not None:
            return
        change.connection.execute(
            sa.insert(table).values(
                clue_id=change.clue.clue_id,
                department=department,
                asked_by=change.actor.user_id,
                asked_at=change.now,
                due_on=add_working_days(change.today, self._desk.terms.answer_days).day,
                answer="",
                answered_by="",
                evidence="",
                note="",
            )
        )

    def _record_answer(self, change: Change) -> None:
        """Keep an answer: a yes makes the register's record surer, a no takes it back and speaks against."""
        clue, connection, department = change.clue, change.connection, answering(change)
        table, answer = records.opinion, change.text("answer")
        number = connection.execute(
            sa.select(sa.func.min(table.c.number)).where(
                table.c.clue_id == clue.clue_id, table.c.department == department, table.c.answered_at.is_(None)
            )
        ).scalar_one()
        told = f"{change.text('letter')} {change.note}".strip()
        connection.execute(
            sa.update(table)
            .where(table.c.number == number)
            .values(
                answer=answer,
                answered_by=change.actor.user_id,
                answered_at=change.now,
                evidence=sha256(told.encode()).hex() if told else "",
                note=self._desk.sealer.seal(NOTE, told, f"{clue.clue_id}:opinion:{number}") if told else "",
            )
        )
        signal, stance = records.signal, {"yes": Stance.FOR, "no": Stance.AGAINST}.get(answer)
        if stance is None:
            change.then.append(ClueEvent.AGREE)
            return
        whose = signal.c.register == department
        withdraw_signals(connection, clue.clue_id, whose & (signal.c.stance != stance.value), change.now)
        surer = (
            sa.update(signal)
            .where(signal.c.clue_id == clue.clue_id, whose, signal.c.stance == stance.value, signal.c.fuzzy.is_(False))
            .where(signal.c.withdrawn_at.is_(None))
            .values(confirmed=True)
        )
        if connection.execute(surer).rowcount == 0:
            self._witness(change, department, clue.matter, stance, f"opinion:{number}")
        change.rejudge.add(clue.clue_id)
        change.then += [ClueEvent.WITHDRAWN, ClueEvent.AGREE]

    def _confirm(self, change: Change) -> None:
        change.updates["fact_from"] = change.text("fact_from") or change.clue.row["fact_from"]
        self._decide(change, Outcome.CONFIRMED)

    def _refute(self, change: Change) -> None:
        self._decide(change, Outcome.REFUTED)

    def _decide(self, change: Change, outcome: Outcome) -> None:
        change.updates |= {"outcome": outcome.value, "decided_by": change.actor.user_id, "decided_at": change.now}
        learn(change.connection, change.clue.clue_id, right=outcome is Outcome.CONFIRMED)
        change.outcomes.append(self._outcome(change, outcome, reopened=False))

    def _take_back(self, change: Change) -> None:
        """Take an outcome back: what it taught and what was done on it no longer stands."""
        clue = change.clue
        before = Outcome(clue.outcome)
        unlearn(change.connection, clue.clue_id)
        change.outcomes.append(self._outcome(change, before, reopened=True))
        change.updates |= {"outcome": "", "decided_by": "", "decided_at": None, "proposed_by": "", "locked_by": ""}
        table, key = records.clue, live_key(clue.person_index, clue.matter)
        taken = change.connection.execute(sa.select(table.c.clue_id).where(table.c.live_key == key)).first()
        if taken is not None:  # another clue of the same matter is open: that one takes what joins
            change.updates["live_key"] = None
        change.rejudge.add(clue.clue_id)

    def _outcome(self, change: Change, outcome: Outcome, *, reopened: bool) -> ClueOutcome:
        clue = change.clue
        return ClueOutcome(
            clue_id=clue.clue_id,
            matter=clue.matter,
            person_index=clue.person_index,
            identity_number=open_identity(self._desk, clue),
            region=clue.region,
            stakes=stakes_of(change.connection, clue.clue_id),
            outcome=outcome,
            reopened=reopened,
            proposed_by=change.updates.get("proposed_by", clue.proposed_by),
            decided_by=change.actor.user_id,
            decided_at=change.now,
            signals=signals_of(change.connection, self._desk.sealer, clue.clue_id),
            fact_from=change.updates.get("fact_from", clue.row["fact_from"]),
        )

    def _hear(self, change: Change) -> None:
        """Hear the person; who was seen in person is neither dead nor in prison."""
        if change.text("seen_in_person") == "yes" and change.clue.matter in _SEEN_COUNTS:
            self._witness(change, WINDOW, "alive", Stance.AGAINST, f"seen:{change.clue.sequence + 1}")
            change.rejudge.add(change.clue.clue_id)

    def _witness(self, change: Change, register: str, kind: str, stance: Stance, what: str) -> None:
        clue = change.clue
        fact = {"told": what, "on": change.today.isoformat()}
        digest = sha256(canonical_json({"clue": clue.clue_id, "at": utc_text(change.now), **fact})).hex()
        signal = Signal(register, kind, fact, digest, True, False, change.now, stance)  # noqa: FBT003  (confirmed, not fuzzy)
        kept = with_keys(self._desk.sealer, [signal])
        add_signals(change.connection, self._desk.sealer, clue.clue_id, kept, change.now)

    def _move_signals(self, change: Change) -> None:
        """Hand everything to the clue that this one is merged into; nothing is lost, both keep their history."""
        clue, into, connection = change.clue, change.text("into"), change.connection
        signals = signals_of(connection, self._desk.sealer, clue.clue_id)
        add_signals(connection, self._desk.sealer, into, signals, change.now)
        withdraw_signals(connection, clue.clue_id, sa.true(), change.now)
        for table in (records.finding, records.evidence):
            for row in connection.execute(sa.select(table).where(table.c.clue_id == clue.clue_id)).mappings():
                values = {name: value for name, value in row.items() if name != "number"} | {"clue_id": into}
                if table is records.evidence:
                    had = sa.select(table.c.digest).where(table.c.clue_id == into, table.c.digest == row["digest"])
                    if connection.execute(had).first() is not None:
                        continue
                    text = self._desk.sealer.open(EVIDENCE, row["sealed"], f"{clue.clue_id}:{row['digest']}")
                    values["sealed"] = self._desk.sealer.seal(EVIDENCE, text, f"{into}:{row['digest']}")
                connection.execute(sa.insert(table).values(**values))
        change.updates |= {"merged_into": into, "live_key": None, "locked_by": ""}
        change.rejudge |= {clue.clue_id, into}


def _assign(change: Change) -> None:
    change.updates |= {"assigned_to": change.text("investigator"), "locked_by": ""}


def _lock(change: Change) -> None:
    change.updates["locked_by"] = change.actor.user_id


def _unlock(change: Change) -> None:
    change.updates["locked_by"] = ""


def _propose(change: Change) -> None:
    change.updates |= {
        "proposed_by": change.actor.user_id,
        "fact_from": change.text("fact_from"),
        "law": change.text("law"),
    }


def _drop_proposal(change: Change) -> None:
    change.updates |= {"proposed_by": "", "fact_from": "", "law": ""}


def _escalate(change: Change) -> None:
    change.updates["overdue"] = change.clue.row["overdue"] or change.event == ClueEvent.OVERDUE
