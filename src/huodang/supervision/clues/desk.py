"""The clue desk (疑点台): findings in, what people do with clues, what others do about outcomes. The front door."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor, Looks
from huodang.ledger import Ledger
from huodang.standards import Place
from huodang.store import Clock, Database, Handler, Job, LeaseLost, jobs
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import (
    SYSTEM,
    ClueRecord,
    Desk,
    JudgedCallback,
    OutcomeCallback,
    load,
    open_identity,
)
from huodang.supervision.clues.effects import ClueEffects
from huodang.supervision.clues.engine import DEADLINE_JOB, Engine
from huodang.supervision.clues.errors import FindingError
from huodang.supervision.clues.guards import ClueGuards
from huodang.supervision.clues.measures import Judgement, Rates
from huodang.supervision.clues.opening import Opening, check_finding
from huodang.supervision.clues.reading import ClueReader
from huodang.supervision.clues.registers import Registers, product_registers
from huodang.supervision.clues.signals import judgement_of, keyed, rates_of, signals_of, stakes_of, withdraw_signals
from huodang.supervision.clues.states import ClueEvent
from huodang.supervision.clues.terms import ClueTerms, product_clue_terms
from huodang.supervision.clues.values import Finding, Signal, Stake
from huodang.supervision.clues.views import ClueView
from huodang.trust import FieldSealer


class ClueDesk(ClueReader):
    """Clues of one agency. Safe to share between threads.

    Args:
        database: the hub's.
        ledger: where every step leaves an entry.
        sealer: seals numbers, facts, evidence and notes at rest.
        looks: where seeing a person's clue is recorded.
        clock: business time.
        registers: what is believed of registers beforehand; None for the product's.
        terms: how long steps may take; None for the product's.
        region: six digits, of findings that name none.
    """

    def __init__(  # noqa: PLR0917  (the order is that of docs/architecture.md)
        self,
        database: Database,
        ledger: Ledger,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
        registers: Registers | None = None,
        terms: ClueTerms | None = None,
        *,
        region: str = "",
    ) -> None:
        desk = Desk(ledger, sealer, clock, registers or product_registers(), terms or product_clue_terms())
        engine = Engine(desk, ClueGuards(desk).all(), ClueEffects(desk).all())
        super().__init__(database, engine, looks)
        self._opening = Opening(engine, region)

    def open(self, connection: Connection, finding: Finding) -> str:
        """Open a clue for a finding, in the caller's transaction, or let it join the open one of its person and matter.

        Evidence that was refuted before raises nothing: the refuted clue's id comes back.

        Raises:
            FindingError: the finding can't be taken as it stands.
        """
        return self._opening.open(connection, finding)

    def take_run(self, actor: Actor, run_id: str, findings: Sequence[Finding]) -> tuple[int, int]:
        """Take the findings of one run, whole or not at all; the same run again changes nothing.

        Returns:
            How many findings were taken, and how many clues they stand in.

        Raises:
            FindingError: one of them can't be taken; its number (from 1) is the place's row.
        """
        for number, finding in enumerate(findings, start=1):
            try:
                check_finding(finding)
            except FindingError as problem:
                raise problem.at(Place(row=number)) from None
        table = records.run
        with self._database.begin() as connection:
            had = connection.execute(sa.select(table).where(table.c.run_id == run_id)).one_or_none()
            if had is not None:
                return had.findings, had.clues
            clues = {self.open(connection, finding) for finding in findings}
            connection.execute(
                sa.insert(table).values(
                    run_id=run_id,
                    taken_at=self._desk.clock.now(),
                    taken_by=actor.user_id,
                    findings=len(findings),
                    clues=len(clues),
                )
            )
        return len(findings), len(clues)

    def act(
        self, actor: Actor, clue_id: str, event: str, *, note: str = "", data: Mapping[str, Any] | None = None
    ) -> ClueView:
        """Do what a person does with a clue, and show it as it is then; see `move`."""
        self.move(actor, clue_id, event, note=note, data=data)
        return self.view(actor, clue_id)

    def move(
        self, actor: Actor, clue_id: str, event: str, *, note: str = "", data: Mapping[str, Any] | None = None
    ) -> ClueRecord:
        """Do what a person does with a clue: any event of the table that is open to the actor.

        Args:
            actor: who does it.
            clue_id: which clue.
            event: what; `view(…).may` lists what is open.
            note: what the actor says about it; kept sealed.
            data: what the event needs, as `may` says: `investigator`, `department`, `answer`, `letter`, `law`,
                `fact_from`, `meeting`, `into`, `seen_in_person`.

        Raises:
            UnknownClueError: there is no such clue, or it isn't the actor's to see.
            IllegalClueEventError: the table has no such event in this state.
            ClueNotPermittedError: no policy permits it to the actor.
            ClueGuardError: a condition doesn't hold; it says which.
        """
        with self._database.begin() as connection:
            return self._engine.apply(connection, clue_id, event, actor, note=note, data=data)

    def withdraw(self, connection: Connection, digest: str) -> list[str]:
        """Take a register's record back wherever it stands; give the clues that were judged anew.

        A clue that nothing is left to stand on is refuted, and what was done on it is undone by those who did it.
        """
        table, kept = records.signal, keyed(self._desk.sealer, digest)
        rows = connection.execute(
            sa.select(table.c.clue_id).where(table.c.digest == kept, table.c.withdrawn_at.is_(None)).distinct()
        )
        clues = sorted(row.clue_id for row in rows)
        for clue_id in clues:
            withdraw_signals(connection, clue_id, table.c.digest == kept, self._desk.clock.now())
            self._engine.judge(connection, clue_id)
            self._engine.try_system(connection, clue_id, ClueEvent.WITHDRAWN)
        return clues

    def escalate_lapsed(self, connection: Connection, clue_id: str) -> None:
        """Say that a hold on this clue is over and nobody has decided: it is reported, and payment goes on."""
        self._engine.try_system(connection, clue_id, ClueEvent.HOLD_LAPSED)

    def load(self, connection: Connection, clue_id: str) -> ClueRecord:
        """Read a clue, for those who act on it.

        Raises:
            UnknownClueError: there is none.
        """
        return load(connection, clue_id)

    def identity_number(self, connection: Connection, clue_id: str) -> str:
        """Open the number of a clue's person, for those who must pay or write to the person; never to be shown."""
        return open_identity(self._desk, load(connection, clue_id))

    def signals(self, connection: Connection, clue_id: str) -> tuple[Signal, ...]:
        """Give the signals that stand."""
        return signals_of(connection, self._desk.sealer, clue_id)

    def stakes(self, connection: Connection, clue_id: str) -> tuple[Stake, ...]:
        """Give what is at stake by scheme."""
        return stakes_of(connection, clue_id)

    def judgement(self, connection: Connection, clue_id: str) -> Judgement:
        """Judge a clue by the signals that stand and by what is believed of their registers now."""
        return judgement_of(connection, self._desk, clue_id, load(connection, clue_id).matter)

    def rates(self, connection: Connection) -> Rates:
        """Give what is believed of every register, learned from how clues ended."""
        return rates_of(connection, self._desk)

    def on_outcome(self, name: str, callback: OutcomeCallback) -> None:
        """Let somebody act on outcomes, in their transaction; also when one is taken back."""
        self._engine.outcome_callbacks[name] = callback

    def on_judged(self, name: str, callback: JudgedCallback) -> None:
        """Let somebody act whenever a clue was judged anew, in that transaction."""
        self._engine.judged_callbacks[name] = callback

    def handlers(self) -> dict[str, Handler]:
        """Give the jobs: what is over its term is reported. It never touches a payment."""
        return {DEADLINE_JOB: self._deadlines}

    def _deadlines(self, batch: list[Job]) -> None:
        with self._database.begin() as connection:
            for job in batch:
                try:
                    jobs.complete(connection, job)
                except LeaseLost:
                    continue
                clue = load(connection, job.payload["clue"], lock=True)
                due = clue.due_on.isoformat() if clue.due_on else ""
                if (clue.state, due) == (job.payload["state"], job.payload["due"]) and not clue.row["overdue"]:
                    self._engine.apply(connection, clue.clue_id, ClueEvent.OVERDUE, SYSTEM)
