"""Payment control (发放控制): follows what clues justify and people decide; nobody's pension is cut by silence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.archive import PaymentRecords
from huodang.exchange import Action, Actor, DecisionRequest, Looks, decide
from huodang.ledger import Ledger
from huodang.standards import Month
from huodang.store import Clock, Database, Handler, Job, LeaseLost, jobs
from huodang.supervision.clues import ClueDesk, ClueOutcome, ClueRecord, Judgement, Outcome
from huodang.supervision.control import records
from huodang.supervision.control.engine import PURPOSE, SYSTEM, ControlDesk, ControlEngine
from huodang.supervision.control.errors import ControlNotPermittedError, UnknownControlError
from huodang.supervision.control.grounds import (
    HOLD,
    STOP,
    Basis,
    Ended,
    Ground,
    grounds_of_clue,
    lawful_stop,
    standing,
)
from huodang.supervision.control.notices import Notice, Notices
from huodang.supervision.control.states import CONTROL, ControlEvent
from huodang.supervision.control.steps import HOLD_END_JOB, desired, effects, guards
from huodang.trust import FieldSealer

NAME = "control"
"""Under this name it hears of judgements and outcomes."""


@dataclass(frozen=True)
class HistoryLine:
    """One event in the life of a payment."""

    sequence: int
    at: datetime
    from_state: str
    event: str
    event_label: tuple[str, str]
    to_state: str
    clue_id: str
    by: str
    role: str
    notice_id: str
    entry_id: str


@dataclass(frozen=True)
class PaymentView:
    """A controlled payment as one who works on its clue sees it.

    Attributes:
        withheld, paid_back: fen that released lists left out, and of these what was paid back.
        may: events that the one who looks may bring about.
    """

    scheme: str
    state: str
    state_label: tuple[str, str]
    grounds: tuple[Ground, ...]
    history: tuple[HistoryLine, ...]
    withheld: int
    paid_back: int
    may: tuple[str, ...]


class PaymentControl:
    """Holds, stops and pays on. Registers itself with the clue desk: whoever opens a clue needs no more.

    Args:
        database: the hub's.
        ledger: where every transition leaves an entry.
        sealer: seals numbers and letters at rest.
        clock: business time.
        payments: where back pay is recorded.
        clues: the desk whose judgements and outcomes it follows.
        looks: where seeing a person's payment is recorded.
    """

    def __init__(  # noqa: PLR0917  (the order is that of docs/architecture.md)
        self,
        database: Database,
        ledger: Ledger,
        sealer: FieldSealer,
        clock: Clock,
        payments: PaymentRecords,
        clues: ClueDesk,
        looks: Looks,
    ) -> None:
        self._database = database
        self._clock = clock
        self._clues = clues
        self._looks = looks
        self.notices = Notices(ledger, sealer, clock)
        desk = ControlDesk(ledger, sealer, clock, payments, clues, self.notices)
        self._engine = ControlEngine(desk, guards(), effects())
        clues.on_judged(NAME, self._on_judged)
        clues.on_outcome(NAME, self._on_outcome)

    def follow(self, connection: Connection, clue_id: str) -> None:
        """Bring the payments of a clue to what it justifies now; does nothing when they are there already."""
        clue = self._clues.load(connection, clue_id)
        self._follow(connection, clue, self._clues.judgement(connection, clue_id))

    def state(self, connection: Connection, person_index: str, scheme: str) -> str:
        """Say how a payment stands: `paying`, `held` or `stopped`."""
        return self._engine.standing(connection, person_index, scheme)[0]

    def held_since(self, connection: Connection, clue_id: str) -> datetime | None:
        """Say when a clue first held or stopped a payment; None if it never did."""
        return min((one.begun_at for one in grounds_of_clue(connection, clue_id)), default=None)

    def uphold(self, actor: Actor, clue_id: str, note: str) -> list[str]:
        """Uphold what the platform held or stopped because of a clue: a person has judged it; give the schemes.

        Raises:
            UnknownControlError: the clue holds and stops nothing.
            ControlNotPermittedError: no policy permits it to the actor.
            ControlGuardError: the reason is missing.
        """
        return self._each(actor, clue_id, note, {HOLD: ControlEvent.UPHOLD, STOP: ControlEvent.UPHOLD})

    def let_go(self, actor: Actor, clue_id: str, note: str) -> list[str]:
        """Let go what the platform held or stopped because of a clue, and pay back; give the schemes.

        What two people decided is undone by reopening the clue, not here.

        Raises:
            UnknownControlError: the clue holds and stops nothing.
            ControlNotPermittedError: no policy permits it to the actor.
            ControlGuardError: the reason is missing, or the stop was decided.
        """
        return self._each(actor, clue_id, note, {HOLD: ControlEvent.RELEASE, STOP: ControlEvent.RESTORE})

    def resume(self, actor: Actor, clue_id: str, month: Month, note: str) -> list[str]:
        """Pay again from a month on, as the reason of the stop is over; what was withheld before isn't due.

        Raises:
            UnknownControlError: the clue stops nothing.
            ControlNotPermittedError: no policy permits it to the actor.
            ControlGuardError: the reason is missing.
        """
        return self._each(actor, clue_id, note, {STOP: ControlEvent.RESUME}, {"month": month})

    def payments(self, actor: Actor, clue_id: str) -> list[PaymentView]:
        """Show the payments that a clue touches; the look is recorded.

        Raises:
            UnknownClueError: there is no such clue.
            UnknownControlError: it isn't the actor's to see.
        """
        with self._database.begin() as connection:
            clue = self._clues.load(connection, clue_id)
            self._look(connection, actor, clue)
            schemes = sorted({one.scheme for one in grounds_of_clue(connection, clue_id)})
            return [self._view(connection, actor, clue, scheme) for scheme in schemes]

    def letters(self, actor: Actor, clue_id: str) -> list[Notice]:
        """Give what the person was told because of a clue; the look is recorded.

        Raises:
            UnknownClueError: there is no such clue.
            UnknownControlError: it isn't the actor's to see.
        """
        with self._database.begin() as connection:
            clue = self._clues.load(connection, clue_id)
            self._look(connection, actor, clue)
            return self.notices.of_clue(connection, clue_id)

    def letters_to(self, actor: Actor) -> list[Notice]:
        """Give a citizen what was written to them, the newest first; the look is recorded, as every other.

        Raises:
            ControlNotPermittedError: no policy permits it: only the person reads the own letters here.
        """
        asked = DecisionRequest(actor, Action.VIEW_NOTICES, PURPOSE, owner=actor.user_id)
        decision = decide(asked)
        if actor.role != "citizen" or not decision.permitted:
            raise ControlNotPermittedError("只有本人可以这样查看告知书", "only the person reads the own letters here")
        with self._database.begin() as connection:
            self._looks.record(
                connection,
                actor=actor,
                purpose=PURPOSE,
                case_id="",
                subject_index=actor.user_id,
                elements=("benefit_status",),
                decision=decision,
                what="notices",
            )
            return self.notices.of_person(connection, actor.user_id)

    def handlers(self) -> dict[str, Handler]:
        """Give the jobs: a hold ends by itself, is paid back, and its clue is reported."""
        return {HOLD_END_JOB: self._end_holds}

    def _on_judged(self, connection: Connection, clue_id: str, judgement: Judgement) -> None:
        self._follow(connection, self._clues.load(connection, clue_id), judgement)

    def _on_outcome(self, connection: Connection, outcome: ClueOutcome) -> None:
        self.follow(connection, outcome.clue_id)

    def _follow(self, connection: Connection, clue: ClueRecord, judgement: Judgement) -> None:
        want = desired(clue, judgement)
        data: dict[str, Any] = {}
        if want == STOP and clue.outcome == Outcome.CONFIRMED:
            signals = self._clues.signals(connection, clue.clue_id)
            month = lawful_stop(clue.matter, clue.row["fact_from"], signals, self._clock.today())
            want, data = (STOP, {"basis": Basis.DECISION, "from_month": month}) if month else ("", {})
        grounds = grounds_of_clue(connection, clue.clue_id)
        schemes = {stake.scheme for stake in self._clues.stakes(connection, clue.clue_id) if stake.scheme}
        for scheme in sorted(schemes | {one.scheme for one in grounds if one.stands}):
            own = [one for one in grounds if one.scheme == scheme]
            self._bring(connection, clue, scheme, own, want, data)

    def _bring(  # noqa: PLR0917  (one payment, what it has, what it shall have)
        self,
        connection: Connection,
        clue: ClueRecord,
        scheme: str,
        own: list[Ground],
        want: str,
        data: Mapping[str, Any],
    ) -> None:
        """Bring one payment to what its clue justifies."""
        hold = next(iter(standing(own, HOLD)), None)
        stop = next(iter(standing(own, STOP)), None)
        if want == STOP:
            following = Month.of(self._clock.today()) + 1
            # What a hold withheld stays withheld until it is decided, then it is settled to the month.
            first = hold.from_month if hold else stop.from_month if stop else following
            told = dict(data) or {"basis": Basis.SIGNALS, "from_month": first}
            same = stop is not None and (stop.basis, stop.from_month) == (told["basis"], told["from_month"])
            let_go = told["basis"] is Basis.SIGNALS and any(one.ended_why == Ended.LET_GO for one in own)
            resumed = any(one.ended_why == Ended.RESUMED for one in own)
            if not (same or let_go or (resumed and stop is None)):
                self._engine.apply(connection, clue, scheme, ControlEvent.STOP, SYSTEM, data=told)
            return
        if stop is not None:
            self._engine.apply(connection, clue, scheme, ControlEvent.RESTORE, SYSTEM)
        if want == HOLD:
            stopped = self.state(connection, clue.person_index, scheme) == "stopped"
            if not stopped and not any(one.kind == HOLD for one in own):
                self._engine.apply(connection, clue, scheme, ControlEvent.HOLD, SYSTEM)
        elif hold is not None:
            self._engine.apply(connection, clue, scheme, ControlEvent.RELEASE, SYSTEM)

    def _each(
        self,
        actor: Actor,
        clue_id: str,
        note: str,
        events: Mapping[str, str],
        data: Mapping[str, Any] | None = None,
    ) -> list[str]:
        with self._database.begin() as connection:
            clue = self._clues.load(connection, clue_id)
            grounds = [one for one in grounds_of_clue(connection, clue_id) if one.stands and one.kind in events]
            if not grounds:
                raise UnknownControlError(
                    "该疑点没有暂停或终止任何待遇", "this clue neither holds nor stops any payment"
                )
            for one in grounds:
                self._engine.apply(connection, clue, one.scheme, events[one.kind], actor, note=note, data=data)
            return [one.scheme for one in grounds]

    def _end_holds(self, batch: list[Job]) -> None:
        faults: list[Exception] = []
        for job in batch:
            try:
                self._end_hold(job)
            except LeaseLost:
                continue
            except Exception as error:  # noqa: BLE001  (the others must go on; the last one is raised below)
                faults.append(error)
        if faults:
            raise faults[-1]

    def _end_hold(self, job: Job) -> None:
        """End one hold; effect, letter, back pay and the job's end stand or fall together."""
        with self._database.begin() as connection:
            jobs.complete(connection, job)
            table = records.ground
            row = connection.execute(
                sa.select(table).where(table.c.number == job.payload["ground"], table.c.ended_at.is_(None))
            ).one_or_none()
            if row is not None:
                clue = self._clues.load(connection, row.clue_id)
                self._engine.apply(connection, clue, row.scheme, ControlEvent.LAPSE, SYSTEM)

    def _look(self, connection: Connection, actor: Actor, clue: ClueRecord) -> None:
        assigned = actor.user_id != "" and actor.user_id in {clue.assigned_to, clue.locked_by}
        for purpose in (PURPOSE, "audit"):
            decision = decide(
                DecisionRequest(actor, Action.VIEW_NOTICES, purpose, region=clue.region, assigned=assigned)
            )
            if decision.permitted:
                self._looks.record(
                    connection,
                    actor=actor,
                    purpose=purpose,
                    case_id=clue.clue_id,
                    subject_index=clue.person_index,
                    elements=("benefit_status",),
                    decision=decision,
                    what="payment_control",
                )
                return
        raise UnknownControlError("没有这条疑点，或无权查看", "there is no such clue, or it isn't yours to see")

    def _view(self, connection: Connection, actor: Actor, clue: ClueRecord, scheme: str) -> PaymentView:
        state = self.state(connection, clue.person_index, scheme)
        table, left = records.history, records.withheld
        rows = connection.execute(
            sa.select(table)
            .where(table.c.person_index == clue.person_index, table.c.scheme == scheme)
            .order_by(table.c.sequence)
        )
        sums = connection.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(left.c.fen), 0),
                sa.func.coalesce(sa.func.sum(sa.case((left.c.paid_back_at.is_not(None), left.c.fen), else_=0)), 0),
            ).where(left.c.person_index == clue.person_index, left.c.scheme == scheme)
        ).one()
        return PaymentView(
            scheme=scheme,
            state=state,
            state_label=CONTROL.states[state],
            grounds=tuple(one for one in grounds_of_clue(connection, clue.clue_id) if one.scheme == scheme),
            history=tuple(
                HistoryLine(
                    sequence=row.sequence,
                    at=row.at,
                    from_state=row.from_state,
                    event=row.event,
                    event_label=CONTROL.events[row.event],
                    to_state=row.to_state,
                    clue_id=row.clue_id,
                    by=row.by,
                    role=row.role,
                    notice_id=row.notice_id,
                    entry_id=row.entry_id,
                )
                for row in rows
            ),
            withheld=int(sums[0]),
            paid_back=int(sums[1]),
            may=tuple(self._engine.open_to(state, clue, actor)),
        )
