"""A job is claimed by one worker at a time, outlives the worker, and takes effect once."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.store import Database, FixedClock, Job, LeaseLost, jobs

LEASE = timedelta(minutes=2)


def put(database: Database, at: datetime, *, kind: str = "check", key: str | None = None, number: int = 1) -> int:
    with database.begin() as connection:
        return jobs.enqueue(connection, kind, {"case": number}, run_at=at, key=key)


def take(database: Database, at: datetime, *, kinds: tuple[str, ...] = ("check",), limit: int = 10) -> list[Job]:
    return jobs.claim(database, kinds, worker="tester", limit=limit, lease=LEASE, now=at)


def finish(database: Database, job: Job) -> None:
    with database.begin() as connection:
        jobs.complete(connection, job)


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {count.state: count.number for count in jobs.counts(connection)}


def test_a_due_job_is_claimed_with_what_it_carries(any_database: Database, clock: FixedClock) -> None:
    number = put(any_database, clock.now(), key="check:7", number=7)
    assert take(any_database, clock.now()) == [Job(number, "check", "check:7", {"case": 7}, token=1, attempt=1)]


def test_a_completed_job_is_gone(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now())
    (job,) = take(any_database, clock.now())
    finish(any_database, job)
    clock.advance(LEASE * 2)
    assert take(any_database, clock.now()) == []
    assert states(any_database) == {}


def test_a_job_enqueued_in_a_transaction_that_fails_was_never_there(any_database: Database, clock: FixedClock) -> None:
    def fail() -> None:
        with any_database.begin() as connection:
            jobs.enqueue(connection, "check", {}, run_at=clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert take(any_database, clock.now()) == []


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now())
    (first,) = take(any_database, clock.now())
    clock.advance(LEASE - timedelta(seconds=1))
    assert take(any_database, clock.now()) == []
    clock.advance(timedelta(seconds=1))
    (second,) = take(any_database, clock.now())
    assert (second.id, second.token, second.attempt) == (first.id, 2, 2)


@pytest.mark.parametrize("ending", ["complete", "retry", "bury"])
def test_a_worker_that_lost_its_lease_can_change_nothing(
    any_database: Database, clock: FixedClock, ending: str
) -> None:
    put(any_database, clock.now())
    (late,) = take(any_database, clock.now())
    clock.advance(LEASE)
    (owner,) = take(any_database, clock.now())

    def end() -> None:
        with any_database.begin() as connection:
            jobs.enqueue(connection, "effect", {}, run_at=clock.now())
            if ending == "complete":
                jobs.complete(connection, late)
            elif ending == "retry":
                jobs.retry(connection, late, clock.now(), "late")
            else:
                jobs.bury(connection, late, "late")

    with pytest.raises(LeaseLost):
        end()
    assert take(any_database, clock.now(), kinds=("effect",)) == []
    finish(any_database, owner)


def test_a_token_that_was_never_given_completes_nothing(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now())
    (job,) = take(any_database, clock.now())
    with pytest.raises(LeaseLost):
        finish(any_database, replace(job, token=job.token + 1))
    finish(any_database, job)
    with pytest.raises(LeaseLost):
        finish(any_database, job)


def test_jobs_are_claimed_oldest_first_and_only_of_the_kinds_asked_for(
    any_database: Database, clock: FixedClock
) -> None:
    for minutes, kind in ((3, "check"), (1, "check"), (2, "notice"), (0, "check")):
        put(any_database, clock.now() + timedelta(minutes=minutes), kind=kind, number=minutes)
    clock.advance(timedelta(minutes=3))
    assert [job.payload["case"] for job in take(any_database, clock.now(), limit=2)] == [0, 1]
    assert [job.payload["case"] for job in take(any_database, clock.now())] == [3]
    assert [job.payload["case"] for job in take(any_database, clock.now(), kinds=("notice",))] == [2]


def test_the_kinds_that_are_due_are_told_at_one_look(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now(), kind="check")
    put(any_database, clock.now() + timedelta(minutes=5), kind="notice")
    put(any_database, clock.now(), kind="settle")
    take(any_database, clock.now(), kinds=("settle",))  # held on a lease: nobody else's until that ends
    kinds = ("check", "notice", "settle")
    assert jobs.due_kinds(any_database, kinds, now=clock.now()) == {"check"}
    assert jobs.due_kinds(any_database, ("notice",), now=clock.now()) == frozenset()
    assert jobs.due_kinds(any_database, kinds, now=clock.now() + timedelta(minutes=5)) == {"check", "notice", "settle"}


def test_a_job_is_not_due_before_its_time(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now() + timedelta(seconds=1))
    assert take(any_database, clock.now()) == []
    clock.advance(timedelta(seconds=1))
    assert len(take(any_database, clock.now())) == 1


def test_a_job_put_back_runs_again_at_its_time_with_a_higher_token(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now())
    (job,) = take(any_database, clock.now())
    with any_database.begin() as connection:
        jobs.retry(connection, job, clock.now() + timedelta(minutes=5), "gateway.down")
    assert take(any_database, clock.now()) == []
    clock.advance(timedelta(minutes=5))
    (again,) = take(any_database, clock.now())
    assert (again.id, again.token, again.attempt) == (job.id, 2, 2)


def test_one_key_stands_for_one_live_job(any_database: Database, clock: FixedClock) -> None:
    first = put(any_database, clock.now(), key="settle:7")
    assert put(any_database, clock.now(), key="settle:7") == first
    assert put(any_database, clock.now(), key="settle:8") != first
    assert put(any_database, clock.now()) != put(any_database, clock.now())
    assert states(any_database) == {"ready": 4}


def test_a_key_asked_for_earlier_runs_earlier_and_never_later(any_database: Database, clock: FixedClock) -> None:
    for minutes in (10, 5, 20):
        put(any_database, clock.now() + timedelta(minutes=minutes), key="settle:7")
    with any_database.read() as connection:
        assert jobs.next_due(connection) == clock.now() + timedelta(minutes=5)


def test_what_is_asked_for_while_a_worker_is_at_it_runs_once_more(any_database: Database, clock: FixedClock) -> None:
    """The worker may have looked before the change that the second request announces."""
    put(any_database, clock.now(), key="settle:7")
    (job,) = take(any_database, clock.now())
    for _ in range(2):
        put(any_database, clock.now(), key="settle:7")
    assert take(any_database, clock.now()) == []
    finish(any_database, job)
    (again,) = take(any_database, clock.now())
    assert (again.token, again.attempt) == (2, 1)
    finish(any_database, again)
    assert states(any_database) == {}


def test_a_failed_job_asked_for_meanwhile_runs_at_the_earlier_time(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now(), key="settle:7")
    (job,) = take(any_database, clock.now())
    put(any_database, clock.now() + timedelta(minutes=1), key="settle:7")
    with any_database.begin() as connection:
        jobs.retry(connection, job, clock.now() + timedelta(minutes=9), "gateway.down")
    with any_database.read() as connection:
        assert jobs.next_due(connection) == clock.now() + timedelta(minutes=1)


def test_a_buried_job_is_kept_with_its_reason_and_can_be_revived(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now(), key="settle:7", number=7)
    (job,) = take(any_database, clock.now())
    with any_database.begin() as connection:
        jobs.bury(connection, job, "crosswalk.missing")
    with any_database.read() as connection:
        (dead,) = jobs.dead_letters(connection)
    assert (dead.key, dead.payload, dead.attempt, dead.error) == ("settle:7", {"case": 7}, 1, "crosswalk.missing")
    assert take(any_database, clock.now() + LEASE) == []
    with any_database.begin() as connection:
        assert jobs.revive(connection, dead.id, clock.now())
        assert not jobs.revive(connection, dead.id, clock.now())
    (again,) = take(any_database, clock.now())
    assert (again.payload, again.attempt) == ({"case": 7}, 1)
    assert states(any_database) == {"leased": 1}


def test_a_dead_letter_does_not_hold_its_key(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now(), key="settle:7")
    (job,) = take(any_database, clock.now())
    with any_database.begin() as connection:
        jobs.bury(connection, job, "broken")
    live = put(any_database, clock.now(), key="settle:7")
    assert live != job.id
    with any_database.begin() as connection:
        assert jobs.revive(connection, job.id, clock.now())
    assert [found.id for found in take(any_database, clock.now())] == [live]
    assert states(any_database) == {"leased": 1}


def test_a_job_asked_for_while_it_is_given_up_stands_anew(any_database: Database, clock: FixedClock) -> None:
    put(any_database, clock.now(), key="settle:7")
    (job,) = take(any_database, clock.now())
    put(any_database, clock.now(), key="settle:7")
    with any_database.begin() as connection:
        jobs.bury(connection, job, "broken")
    assert states(any_database) == {"dead": 1, "ready": 1}


def test_pending_counts_what_is_due_or_held(any_database: Database, clock: FixedClock) -> None:
    for minutes in (0, 0, 5):
        put(any_database, clock.now() + timedelta(minutes=minutes))
    (job,) = take(any_database, clock.now(), limit=1)

    def pending() -> int:
        with any_database.read() as connection:
            return jobs.pending(connection, clock.now())

    assert pending() == 2
    finish(any_database, job)
    assert pending() == 1
    clock.advance(timedelta(minutes=5))
    assert pending() == 2


def test_jobs_are_counted_by_kind_and_state(any_database: Database, clock: FixedClock) -> None:
    for kind in ("check", "check", "notice"):
        put(any_database, clock.now(), kind=kind)
    take(any_database, clock.now(), limit=1)
    with any_database.read() as connection:
        found = [(count.kind, count.state, count.number) for count in jobs.counts(connection)]
    assert found == [("check", "leased", 1), ("check", "ready", 1), ("notice", "ready", 1)]


def test_back_off_doubles_up_to_its_limit() -> None:
    waits = [jobs.back_off(attempt, most=timedelta(seconds=40)) for attempt in range(1, 100)]
    for attempt, wait in enumerate(waits):
        whole = timedelta(seconds=min(2**attempt, 40))
        assert whole * 0.8 <= wait <= whole


@given(st.integers(1, 10**6), st.integers(0, 2**62))
def test_back_off_is_the_same_for_the_same_job_and_never_nothing(attempt: int, salt: int) -> None:
    wait = jobs.back_off(attempt, salt=salt)
    assert wait == jobs.back_off(attempt, salt=salt)
    assert timedelta(seconds=0.8) <= wait <= timedelta(minutes=10)


def test_jobs_that_failed_together_come_back_apart() -> None:
    assert len({jobs.back_off(8, salt=number) for number in range(50)}) > 30
