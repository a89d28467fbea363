"""The hub's lots as a whole: what is due is pulled by leased jobs, and the standing of every copy is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from huodang.exchange.catalogue import Catalogue
from huodang.exchange.lots import book, records
from huodang.exchange.lots.errors import LotBusyError, PullError
from huodang.exchange.lots.freshness import Freshness, freshness_of, is_due
from huodang.exchange.lots.puller import Hub, LotPuller
from huodang.exchange.lots.service import Lots
from huodang.exchange.lots.values import LotState
from huodang.standards import HuodangError
from huodang.store import jobs, shanghai_date, to_shanghai
from huodang.store.jobs import Job
from huodang.store.worker import Handler

PULL: Final = "lots.pull"
_ENDED: Final = (LotState.TAKEN, LotState.CLOSED, LotState.REFUSED, LotState.ABANDONED)
_GO_ON_AFTER: Final = timedelta(seconds=2)
_REFUSED_AFTER: Final = timedelta(hours=1)
_log = structlog.get_logger("huodang.exchange.lots")


@dataclass(frozen=True)
class LotRules:
    """When lots are pulled.

    Attributes:
        pull: this hub pulls by itself.
        from_hour: hour of the day, Beijing time, from which daily and rarer lots are pulled.
        realtime_minutes: how often a resource that changes at once is brought up to date.
        seconds_at_once: how long one job works before it makes room and goes on later; less than a job's lease.
    """

    pull: bool = True
    from_hour: int = 1
    realtime_minutes: int = 15
    seconds_at_once: int = 20


class LotOffice:
    """Plans and does the pulling, and tells the standing of every copy.

    Args:
        hub: the hub's services.
        lots: where lots land.
        rules: when they are pulled.
        consumer: the department in whose name is asked.
    """

    def __init__(
        self, hub: Hub, lots: Lots, rules: LotRules | None = None, *, consumer: str = "social_insurance"
    ) -> None:
        self._hub = hub
        self._rules = rules or LotRules()
        self.lots = lots
        self.puller = LotPuller(hub, lots, consumer=consumer)
        # A job doesn't wait for a gateway that prepares a large lot: it looks again later.
        self._by_job = LotPuller(hub, lots, consumer=consumer, patience=self._rules.seconds_at_once / 2)
        self._asked: dict[str, datetime] = {}

    def ask(self, connection: Connection, resource: str) -> int:
        """Have a lot pulled as soon as a worker is free; asked for twice, it is pulled once. Give the job."""
        now = self._hub.clock.now()
        return jobs.enqueue(connection, PULL, {"resource": resource}, run_at=now, key=f"{PULL}:{resource}")

    def plan(self) -> list[str]:
        """Have every lot pulled that is due; give their resources."""
        now = self._hub.clock.now()
        if not self._rules.pull:
            return []
        with self._hub.database.read() as connection:
            entries = Catalogue(self._hub.clock).entries(connection)
            held = {one.resource: one for one in book.holdings_where(connection, sa.true())}
        early = to_shanghai(now).hour < self._rules.from_hour
        due: list[str] = []
        for resource in self.puller.resources():
            cycle = entries[resource].update_cycle if resource in entries else ""
            waits = early and cycle != "realtime"
            asked = self._asked.get(resource)
            # Asked for again too soon, a job that failed would lose its pause.
            soon = asked is not None and timedelta(0) <= now - asked < self._pause(cycle)
            if waits or soon:
                continue
            if is_due(held.get(resource), cycle, now, realtime_minutes=self._rules.realtime_minutes):
                due.append(resource)
        if due:
            with self._hub.database.begin() as connection:
                for resource in due:
                    self.ask(connection, resource)
        self._asked |= dict.fromkeys(due, now)
        return due

    def _pause(self, cycle: str) -> timedelta:
        return timedelta(minutes=self._rules.realtime_minutes) if cycle == "realtime" else _REFUSED_AFTER

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers of the hub's worker."""
        return {PULL: self._pull}

    def freshness(self) -> list[Freshness]:
        """Tell the standing of every copy against its declared update cycle."""
        today = shanghai_date(self._hub.clock.now())
        with self._hub.database.read() as connection:
            entries = Catalogue(self._hub.clock).entries(connection)
            told: list[Freshness] = []
            for holding in book.holdings_where(connection, sa.true()):
                ended = sa.and_(records.lot.c.holding == holding.number, records.lot.c.state.in_(_ENDED))
                newest = next(iter(book.lots_where(connection, ended, limit=1)), None)
                cycle = entries[holding.resource].update_cycle if holding.resource in entries else ""
                told.append(freshness_of(holding, newest, cycle, today))
        return told

    def _pull(self, batch: Sequence[Job]) -> None:
        for job in batch:
            self._pull_one(job)

    def _pull_one(self, job: Job) -> None:
        """Pull until the lot is done or the time of one job is over; then go on with a job of its own."""
        resource = str(job.payload["resource"])
        now = self._hub.clock.now()
        try:
            lot = self._by_job.pull(resource, seconds=self._rules.seconds_at_once)
        except (PullError, LotBusyError) as problem:
            reason = problem.reason if isinstance(problem, PullError) else problem.code
            passing = isinstance(problem, LotBusyError) or problem.retryable
            _log.warning("lots.pull", resource=resource, reason=reason)
            later = now + (jobs.back_off(job.attempt, salt=job.id) if passing else _REFUSED_AFTER)
            with self._hub.database.begin() as connection:
                if reason == "lot_not_ready":
                    self._go_on(connection, job, now + _GO_ON_AFTER)
                else:
                    jobs.retry(connection, job, later, reason)
            return
        except HuodangError as problem:
            _log.error("lots.pull", resource=resource, reason=problem.code)
            with self._hub.database.begin() as connection:
                jobs.retry(connection, job, now + _REFUSED_AFTER, problem.code)
            return
        with self._hub.database.begin() as connection:
            if lot.state is LotState.OPEN:
                self._go_on(connection, job, now)
            else:
                jobs.complete(connection, job)

    def _go_on(self, connection: Connection, job: Job, at: datetime) -> None:
        """Let the same lot go on with a fresh job: going on is no failure, however often."""
        jobs.enqueue(connection, PULL, job.payload, run_at=at, key=job.key)
        jobs.complete(connection, job)
