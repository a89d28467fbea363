"""The platform's own steps as jobs: what is over its term, what comes near its end, what has ended."""

from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy import Connection

from huodang.exchange.sharing.engine import Engine
from huodang.exchange.sharing.errors import IllegalSharingEventError, SharingGuardError
from huodang.exchange.sharing.matters import SYSTEM
from huodang.store import Database, Handler, Job, LeaseLost, jobs

Before = Callable[[Connection, date], None]


def each_matter(database: Database, engine: Engine, events: Sequence[str], *, before: Before | None = None) -> Handler:
    """Make a handler that applies the first event that the matter's state knows; a matter that moved on is left alone.

    Each job is one transaction with its effect, so that one bad matter doesn't hold up the others.

    Args:
        database: the hub's.
        engine: of the process.
        events: tried in order.
        before: done first in each transaction.
    """

    def run(job: Job) -> None:
        with database.begin() as connection:
            jobs.complete(connection, job)
            if before is not None:
                before(connection, engine.today())
            matter = engine.load(connection, job.payload["matter"], lock=True)
            expected = job.payload.get("sequence")
            if expected is not None and expected != matter.sequence:
                return
            for event in events:
                try:
                    engine.apply(connection, matter.matter_id, event, SYSTEM)
                except (IllegalSharingEventError, SharingGuardError):
                    continue
                return

    def handler(batch: list[Job]) -> None:
        faults: list[Exception] = []
        for job in batch:
            try:
                run(job)
            except LeaseLost:
                continue
            except Exception as error:  # noqa: BLE001  (the others must go on; the last one is raised below)
                faults.append(error)
        if faults:
            raise faults[-1]

    return handler
