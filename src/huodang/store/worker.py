"""The worker: threads that claim jobs and hand them to the handlers of their kind."""

import os
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import structlog

from huodang.standards import HuodangError
from huodang.store import jobs
from huodang.store.clock import Clock
from huodang.store.database import Database
from huodang.store.errors import LeaseLost
from huodang.store.jobs import Job

Handler = Callable[[list[Job]], None]
"""Takes a batch of jobs of one kind, and completes, retries or buries each in the transaction of its effect."""

_log = structlog.get_logger("huodang.store.worker")


class Worker:
    """Claims due jobs and runs their handlers, in the caller's thread or in threads of its own.

    What a handler raises makes the jobs of its batch that it had not completed yet run again later; after
    `max_attempts` they are buried. Logged are the code and the line, never a payload or a message.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        name: str = "worker",
        batch: int = 20,
        lease: timedelta = timedelta(minutes=2),
        max_attempts: int = 25,
        poll: timedelta = timedelta(seconds=0.5),
    ) -> None:
        """Set the worker up.

        Args:
            database: where the jobs stand.
            handlers: kind of job → handler.
            clock: tells which jobs are due.
            name: shown in the job's row while it is held.
            batch: how many jobs of one kind a handler gets at most.
            lease: how long a batch may take before another worker takes it over.
            max_attempts: after so many claims a failing job is buried.
            poll: how long an idle thread waits before it looks for jobs of other processes and for jobs that fall due.
        """
        self._database = database
        self._handlers = dict(handlers)
        self._clock = clock
        self._name = f"{name}-{os.getpid()}"
        self._batch = batch
        self._lease = lease
        self._max_attempts = max_attempts
        self._poll = poll
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def run_once(self) -> int:
        """Claim one batch of each kind, run it, and tell how many jobs that were."""
        done = 0
        due = jobs.due_kinds(self._database, self._handlers, now=self._clock.now())
        for kind, handler in self._handlers.items():
            if self._stopping.is_set():
                break
            if kind not in due:
                continue
            batch = jobs.claim(
                self._database,
                [kind],
                worker=self._name,
                limit=self._batch,
                lease=self._lease,
                now=self._clock.now(),
            )
            if batch:
                self._run(handler, batch)
                done += len(batch)
        return done

    def start(self, threads: int = 2) -> None:
        """Start threads that run until `stop()`; they wake up at once for a job that this process enqueues."""
        self._stopping.clear()
        for number in range(threads):
            thread = threading.Thread(target=self._loop, name=f"{self._name}-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout: float = 30) -> None:
        """Let the threads finish the batch at hand, and wait; a job still held comes back when its lease ends."""
        self._stopping.set()
        self._database.wake_workers()
        for thread in self._threads:
            thread.join(timeout)
        self._threads.clear()

    def _loop(self) -> None:
        seen = -1
        while not self._stopping.is_set():
            seen = self._database.wait_for_jobs(seen, 0)
            try:
                done = self.run_once()
            except Exception as error:  # noqa: BLE001  # the database may be away for a while; the thread must outlive that
                _log.error("worker.cannot_claim", **_trace(error))
                self._stopping.wait(self._poll.total_seconds())
                continue
            if not done and not self._stopping.is_set():
                self._database.wait_for_jobs(seen, self._poll.total_seconds())

    def _run(self, handler: Handler, batch: list[Job]) -> None:
        try:
            handler(batch)
        except LeaseLost:
            _log.warning("worker.lease_lost", kind=batch[0].kind)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises, its jobs must run again and the others go on
            trace = _trace(error)
            _log.error("worker.handler_failed", kind=batch[0].kind, jobs=len(batch), **trace)
            for job in batch:
                self._put_back(job, trace["error"])

    def _put_back(self, job: Job, error: str) -> None:
        try:
            with self._database.begin() as connection:
                if job.attempt >= self._max_attempts:
                    jobs.bury(connection, job, error)
                    _log.error("worker.buried", kind=job.kind, job=job.id, attempt=job.attempt, error=error)
                else:
                    jobs.retry(connection, job, self._clock.now() + jobs.back_off(job.attempt, salt=job.id), error)
        except LeaseLost:
            # The handler had completed this one before it failed on another, or another worker has it.
            return


def _trace(error: BaseException) -> dict[str, str]:
    """Name an error by its code and line only: its message could hold personal data."""
    code = error.code if isinstance(error, HuodangError) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": code, "at": f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""}
