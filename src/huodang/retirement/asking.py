"""Asking one department for many cases at once, as a job: what checks and joint items have in common.

First transaction: grants are made and recorded. Then one call, outside any transaction. Second transaction: answers,
jobs and what follows. A crash in between asks again under new grants; the effect of an answer is written once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from huodang.exchange import Answer, AnswerRecord, FailureCode, PreparedGrant, Question
from huodang.retirement.cases import CaseRecord, form_of, load_many
from huodang.retirement.desk import Desk
from huodang.retirement.form import ApplicationForm
from huodang.retirement.states import State
from huodang.store import Job, LeaseLost, jobs

# What asking again can't mend: somebody must sign an agreement, change a policy or correct the form first.
_LASTING = frozenset({FailureCode.NOT_PERMITTED, FailureCode.NO_AGREEMENT, FailureCode.SUBJECT_INVALID})
# Refusals of a gateway that a fresh grant doesn't meet again.
_PASSING_REFUSALS = frozenset({"expired", "replayed"})


@dataclass(frozen=True)
class Asked:
    """One question that was put in this batch, with the row that waits for its answer."""

    job: Job
    row: Row[Any]
    prepared: PreparedGrant


class DepartmentHandler(ABC):
    """Puts to one department what the cases of a batch want of it."""

    table: Table
    state: State
    waiting_status: str

    def __init__(self, desk: Desk, provider: str) -> None:
        self.desk = desk
        self.provider = provider

    def __call__(self, batch: list[Job]) -> None:
        """Ask, record, and settle or put back every job of the batch."""
        with self.desk.database.begin() as connection:
            asked = self._prepare(connection, batch)
        if not asked:
            return
        answers = self.desk.exchange.ask(self.provider, [one.prepared for one in asked])
        with self.desk.database.begin() as connection:
            self._record(connection, list(zip(asked, answers, strict=True)))

    @abstractmethod
    def question(self, connection: Connection, case: CaseRecord, form: ApplicationForm, row: Row[Any]) -> Question:
        """Make the question for a waiting row."""

    @abstractmethod
    def most_attempts(self) -> int:
        """Say how often a question is put before it is given up."""

    @abstractmethod
    def worth_another_try(self, answer: Answer) -> bool:
        """Say whether a verdict is none that helps, and asking again may bring a better one."""

    @abstractmethod
    def settle(
        self, connection: Connection, case: CaseRecord, one: Asked, found: AnswerRecord, *, waits: bool, now: datetime
    ) -> None:
        """Write what follows from the answer to one question; `waits` says that it is put again."""

    @abstractmethod
    def after_batch(self, connection: Connection, cases: Mapping[str, CaseRecord], now: datetime) -> None:
        """Do what follows once all answers of the batch are written."""

    def must_wait(self, one: Asked, answer: Answer) -> bool:
        """Say whether a question is to be put again."""
        if one.row.attempts + 1 >= self.most_attempts():
            return False
        failure = answer.failure
        if failure is None:
            return self.worth_another_try(answer)
        if failure.code is FailureCode.REFUSED:
            return failure.detail in _PASSING_REFUSALS
        return failure.code not in _LASTING

    def _prepare(self, connection: Connection, batch: Sequence[Job]) -> list[Asked]:
        cases = load_many(connection, [job.payload["case"] for job in batch])
        waiting = self._waiting(connection, [one.case_id for one in cases.values() if one.state is self.state])
        wanted: list[tuple[Job, Row[Any], Question]] = []
        for job in batch:
            rows = waiting.get(job.payload["case"], [])
            if rows:
                case = cases[job.payload["case"]]
                form = form_of(self.desk.sealer, case)
                wanted += [(job, row, self.question(connection, case, form, row)) for row in rows]
            else:
                _complete(connection, job)  # answered before, or the case has moved on
        if not wanted:
            return []
        prepared = self.desk.exchange.prepare(connection, [question for _, _, question in wanted])
        return [Asked(job, row, grant) for (job, row, _), grant in zip(wanted, prepared, strict=True)]

    def _waiting(self, connection: Connection, case_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
        columns = self.table.c
        rows = connection.execute(
            select(self.table)
            .where(
                columns.case_id.in_(case_ids),
                columns.provider == self.provider,
                columns.status == self.waiting_status,
            )
            .order_by(columns.case_id, columns.resource)
        )
        waiting: dict[str, list[Row[Any]]] = {}
        for row in rows:
            waiting.setdefault(row.case_id, []).append(row)
        return waiting

    def _record(self, connection: Connection, answered: Sequence[tuple[Asked, Answer]]) -> None:
        now = self.desk.clock.now()
        # Locked first and read then: two departments that answer at once see each other's answers.
        cases = load_many(connection, [one.row.case_id for one, _ in answered], lock=True)
        by_job: dict[int, list[tuple[Asked, Answer]]] = {}
        for one, answer in answered:
            by_job.setdefault(one.job.id, []).append((one, answer))
        # A job whose lease was lost is another worker's: the answers that count are the ones it gets.
        ours = [pair for group in by_job.values() if self._settle_job(connection, group, now) for pair in group]
        found = self.desk.exchange.record_all(connection, [answer for _, answer in ours])
        for (one, answer), record in zip(ours, found, strict=True):
            waits = self.must_wait(one, answer)
            self.settle(connection, cases[one.row.case_id], one, record, waits=waits, now=now)
        self.after_batch(connection, cases, now)

    def _settle_job(self, connection: Connection, group: Sequence[tuple[Asked, Answer]], now: datetime) -> bool:
        """Complete the job or put it back; False when its lease was lost."""
        job = group[0][0].job
        settings = self.desk.settings
        failing = next(((one, answer) for one, answer in group if self.must_wait(one, answer)), None)
        try:
            if failing is None:
                jobs.complete(connection, job)
                return True
            one, answer = failing
            wait = jobs.back_off(
                one.row.attempts + 1, salt=job.id, first=settings.first_wait, most=settings.longest_wait
            )
            jobs.retry(connection, job, now + wait, answer.failure.code if answer.failure is not None else "unknown")
        except LeaseLost:
            return False
        return True


def reason_of(found: AnswerRecord) -> str:
    """Name what an answer said, or why there is none, as a code."""
    failure = found.failure
    if failure is not None and failure.code is FailureCode.REFUSED:
        return f"{failure.code.value}.{failure.detail}"[:64]
    return found.reason


def _complete(connection: Connection, job: Job) -> None:
    try:
        jobs.complete(connection, job)
    except LeaseLost:
        return
