"""What was asked under an agreement and of a department, counted from the grants: codes and counts only."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil

import sqlalchemy as sa

from huodang.exchange import records
from huodang.exchange.calls import records as batch_records
from huodang.store import Database, shanghai_date

_LATEST = 5_000
"""How many of the newest answers of a span are timed."""


@dataclass(frozen=True)
class AgreementUsage:
    """How an agreement was used in a span of days.

    Attributes:
        calls: single questions by day, in Shanghai.
        batched: people asked about in batches, by day.
        failures: questions that brought no verdict.
        purposes: questions and people of batches, by purpose.
        people: different people who were asked about one by one.
    """

    calls: Mapping[date, int]
    batched: Mapping[date, int]
    failures: int
    purposes: Mapping[str, int]
    people: int

    @property
    def total(self) -> int:
        """Everything asked, one by one or in batches."""
        return sum(self.calls.values()) + sum(self.batched.values())


@dataclass(frozen=True)
class CallFigures:
    """How the calls to one department went in a span of time.

    Attributes:
        calls: single questions asked.
        answered: verdicts that came.
        failures: by code.
        half_below: seconds from signing the grant to recording the verdict that half of the answers stay below.
        most_below: seconds that nineteen of twenty stay below; None where nothing was answered.
    """

    department: str
    calls: int
    answered: int
    failures: Mapping[str, int]
    half_below: float | None
    most_below: float | None


def agreement_usage(database: Database, agreement_id: str, since: datetime) -> AgreementUsage:
    """Count what was asked under an agreement since an instant."""
    grant, failure, batch = records.grant, records.failure, batch_records.batch
    asked = sa.and_(grant.c.agreement_id == agreement_id, grant.c.issued_at >= since)
    batched = sa.and_(batch.c.agreement_id == agreement_id, batch.c.at >= since)
    calls: Counter[date] = Counter()
    in_batches: Counter[date] = Counter()
    purposes: Counter[str] = Counter()
    with database.read() as connection:
        for row in connection.execute(sa.select(grant.c.issued_at, grant.c.purpose).where(asked)):
            calls[shanghai_date(row.issued_at)] += 1
            purposes[row.purpose] += 1
        for one in connection.execute(sa.select(batch.c.at, batch.c.purpose, batch.c.subjects).where(batched)):
            in_batches[shanghai_date(one.at)] += one.subjects
            purposes[one.purpose] += one.subjects
        people: int = connection.execute(
            sa.select(sa.func.count(sa.distinct(grant.c.subject_index))).where(asked, grant.c.subject_index != "")
        ).scalar_one()
        failed: int = connection.execute(
            sa.select(sa.func.count())
            .select_from(failure.join(grant, grant.c.grant_id == failure.c.grant_id))
            .where(grant.c.agreement_id == agreement_id, failure.c.at >= since)
        ).scalar_one()
    return AgreementUsage(dict(calls), dict(in_batches), failed, dict(purposes), people)


def call_figures(database: Database, since: datetime) -> dict[str, CallFigures]:
    """Count the calls of every department since an instant; departments that weren't asked don't stand in it."""
    grant, verdict, failure = records.grant, records.verdict, records.failure
    count = sa.func.count()
    asked = sa.select(grant.c.provider, count).where(grant.c.issued_at >= since).group_by(grant.c.provider)
    failed = (
        sa.select(grant.c.provider, failure.c.code, count)
        .select_from(failure.join(grant, grant.c.grant_id == failure.c.grant_id))
        .where(failure.c.at >= since)
        .group_by(grant.c.provider, failure.c.code)
    )
    timed = (
        sa.select(grant.c.provider, grant.c.issued_at, verdict.c.recorded_at)
        .select_from(verdict.join(grant, grant.c.grant_id == verdict.c.grant_id))
        .where(verdict.c.recorded_at >= since)
        .order_by(verdict.c.recorded_at.desc())
        .limit(_LATEST)
    )
    answered = (
        sa.select(grant.c.provider, count)
        .select_from(verdict.join(grant, grant.c.grant_id == verdict.c.grant_id))
        .where(verdict.c.recorded_at >= since)
        .group_by(grant.c.provider)
    )
    seconds: dict[str, list[float]] = {}
    failures: dict[str, dict[str, int]] = {}
    with database.read() as connection:
        calls: dict[str, int] = {row[0]: row[1] for row in connection.execute(asked)}
        answers: dict[str, int] = {row[0]: row[1] for row in connection.execute(answered)}
        for provider, code, number in connection.execute(failed):
            failures.setdefault(provider, {})[code] = number
        for provider, issued_at, recorded_at in connection.execute(timed):
            seconds.setdefault(provider, []).append(max(0.0, (recorded_at - issued_at).total_seconds()))
    return {
        one: CallFigures(
            department=one,
            calls=calls.get(one, 0),
            answered=answers.get(one, 0),
            failures=failures.get(one, {}),
            half_below=_below(seconds.get(one, []), 0.5),
            most_below=_below(seconds.get(one, []), 0.95),
        )
        for one in sorted({*calls, *answers, *failures})
    }


def _below(values: list[float], share: float) -> float | None:
    """Give the value that a share of all stays below or at; None of no values."""
    return sorted(values)[ceil(share * len(values)) - 1] if values else None
