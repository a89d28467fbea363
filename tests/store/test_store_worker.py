"""Workers in threads and processes: killed at any moment, each effect still happens exactly once."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from structlog.testing import capture_logs

from huodang.standards import HuodangError
from huodang.store import Database, FixedClock, Handler, Job, SystemClock, Worker, jobs


class SourceMissingError(HuodangError):
    code = "source.missing"


def completing(database: Database, seen: list[int]) -> Handler:
    def handle(batch: list[Job]) -> None:
        with database.begin() as connection:
            for job in batch:
                jobs.complete(connection, job)
                seen.append(job.payload["case"])

    return handle


def put(database: Database, clock: FixedClock, *numbers: int, kind: str = "check") -> None:
    with database.begin() as connection:
        for number in numbers:
            jobs.enqueue(connection, kind, {"case": number}, run_at=clock.now())


def test_a_handler_gets_its_kind_in_one_batch(database: Database, clock: FixedClock) -> None:
    batches: list[list[tuple[str, int]]] = []

    def handle(batch: list[Job]) -> None:
        batches.append([(job.kind, job.payload["case"]) for job in batch])
        with database.begin() as connection:
            for job in batch:
                jobs.complete(connection, job)

    put(database, clock, 1, 2, 3)
    put(database, clock, 4, kind="notice")
    worker = Worker(database, {"check": handle, "notice": handle}, clock)
    assert worker.run_once() == 4
    assert batches == [[("check", 1), ("check", 2), ("check", 3)], [("notice", 4)]]
    assert worker.run_once() == 0


def test_a_handler_that_raises_has_its_jobs_run_again_later_and_logs_no_content(
    database: Database, clock: FixedClock
) -> None:
    def broken(_batch: list[Job]) -> None:
        raise SourceMissingError("张三的数据不在", "the data of Zhang San are not there")

    put(database, clock, 110101)
    worker = Worker(database, {"check": broken}, clock)
    with capture_logs() as logs:
        assert worker.run_once() == 1
    assert [(line["event"], line["error"]) for line in logs] == [("worker.handler_failed", "source.missing")]
    assert "Zhang" not in str(logs)
    assert "110101" not in str(logs)
    assert worker.run_once() == 0
    clock.advance(timedelta(seconds=1))
    with capture_logs():
        assert worker.run_once() == 1


def test_a_handler_that_always_raises_has_its_job_buried(database: Database, clock: FixedClock) -> None:
    def broken(_batch: list[Job]) -> None:
        raise KeyError("somebody's name")

    put(database, clock, 1)
    worker = Worker(database, {"check": broken}, clock, max_attempts=3)
    with capture_logs():
        for _ in range(3):
            assert worker.run_once() == 1
            clock.advance(timedelta(minutes=10))
        assert worker.run_once() == 0
    with database.read() as connection:
        assert [(dead.attempt, dead.error) for dead in jobs.dead_letters(connection)] == [(3, "KeyError")]


def test_jobs_completed_before_the_handler_raised_stay_completed(database: Database, clock: FixedClock) -> None:
    seen: list[int] = []

    def half(batch: list[Job]) -> None:
        for job in batch:
            if job.payload["case"] == 2 and job.attempt == 1:
                raise RuntimeError
            completing(database, seen)([job])

    put(database, clock, 1, 2, 3)
    worker = Worker(database, {"check": half}, clock)
    with capture_logs():
        worker.run_once()
        clock.advance(timedelta(seconds=2))
        worker.run_once()
    assert seen == [1, 2, 3]


def test_threads_wake_at_once_for_a_job_of_their_process_and_stop_when_told(
    database: Database, clock: FixedClock
) -> None:
    seen: list[int] = []
    worker = Worker(database, {"check": completing(database, seen)}, clock, poll=timedelta(minutes=5))
    worker.start(threads=3)
    time.sleep(0.2)
    started = time.monotonic()
    put(database, clock, 1)
    while not seen and time.monotonic() - started < 10:
        time.sleep(0.005)
    assert seen == [1]
    assert time.monotonic() - started < 5
    worker.stop()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("worker")] == []
    put(database, clock, 2)
    assert seen == [1]


def test_a_worker_stopped_and_started_again_goes_on(database: Database, clock: FixedClock) -> None:
    seen: list[int] = []
    worker = Worker(database, {"check": completing(database, seen)}, clock, poll=timedelta(seconds=0.05))
    for number in (1, 2):
        worker.start(threads=1)
        put(database, clock, number)
        until = time.monotonic() + 10
        while len(seen) < number and time.monotonic() < until:
            time.sleep(0.005)
        worker.stop()
    assert seen == [1, 2]


def test_a_worker_outlives_a_database_that_is_not_ready(tmp_path: Path, clock: FixedClock) -> None:
    seen: list[int] = []
    database = Database.open(f"sqlite:///{tmp_path / 'later.db'}")
    worker = Worker(database, {"check": completing(database, seen)}, clock, poll=timedelta(seconds=0.02))
    with capture_logs() as logs:
        worker.start(threads=1)
        until = time.monotonic() + 10
        while not logs and time.monotonic() < until:
            time.sleep(0.005)
        database.migrate()
        put(database, clock, 1)
        while not seen and time.monotonic() < until:
            time.sleep(0.005)
        worker.stop()
    database.close()
    assert {(line["event"], line["error"]) for line in logs} == {("worker.cannot_claim", "store.not_migrated")}
    assert seen == [1]


def test_many_threads_do_each_job_once(any_database: Database, clock: FixedClock) -> None:
    seen: list[int] = []
    put(any_database, clock, *range(100))
    worker = Worker(any_database, {"check": completing(any_database, seen)}, clock, batch=3)
    worker.start(threads=6)
    until = time.monotonic() + 30
    while len(seen) < 100 and time.monotonic() < until:
        time.sleep(0.01)
    worker.stop()
    assert sorted(seen) == list(range(100))


VICTIM = """
import sys, time
from datetime import timedelta
from pathlib import Path
from sqlalchemy import text
from huodang.store import Database, SystemClock, Worker, jobs

database, clock = Database.open(sys.argv[1]), SystemClock()

def pay(batch):
    for job in batch:
        with database.begin() as connection:
            connection.execute(text("INSERT INTO effect (job) VALUES (:job)"), {"job": job.payload["case"]})
            time.sleep(0.004)
            jobs.complete(connection, job)
            if job.payload["case"] < 1000:
                follow = {"case": job.payload["case"] + 1000}
                jobs.enqueue(connection, "pay", follow, run_at=clock.now(), key=f"follow:{job.payload['case']}")

worker = Worker(database, {"pay": pay}, clock, batch=4, lease=timedelta(seconds=0.3), poll=timedelta(seconds=0.02))
worker.start(threads=2)
print("ready", flush=True)
time.sleep(300)
"""


def test_workers_killed_at_random_moments_pay_each_person_exactly_once(any_database: Database) -> None:
    clock = SystemClock()
    with any_database.begin() as connection:
        connection.execute(text("CREATE TABLE effect (job INTEGER)"))
        for number in range(60):
            jobs.enqueue(connection, "pay", {"case": number}, run_at=clock.now())
    url = any_database.engine.url.render_as_string(hide_password=False)
    dice = random.Random(20250303)
    kills = 0
    until = time.monotonic() + 60
    while time.monotonic() < until:
        victim = subprocess.Popen([sys.executable, "-c", VICTIM, url], stdout=subprocess.PIPE)
        assert victim.stdout is not None
        victim.stdout.readline()
        time.sleep(dice.uniform(0.01, 0.35))
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
        kills += 1
        with any_database.read() as connection:
            if jobs.pending(connection, clock.now() + timedelta(hours=1)) == 0:
                break
    with any_database.read() as connection:
        effects = Counter(connection.execute(text("SELECT job FROM effect")).scalars())
    assert effects == Counter([*range(60), *range(1000, 1060)])
    assert kills >= 2
