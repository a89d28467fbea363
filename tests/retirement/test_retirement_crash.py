"""Killed at any moment, every effect of the joint case is there exactly once."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kit import CLERK, OTHER_CLERK, REVIEWER, Kit, form, number
from sqlalchemy import select

from huodang.retirement import Event, RetirementSettings, State, records
from huodang.store import Database, FixedClock

CASES = 6
SETTINGS = RetirementSettings(
    region="130100",
    check_attempts=50,
    item_attempts=50,
    first_wait=timedelta(milliseconds=10),
    longest_wait=timedelta(milliseconds=50),
)


class RunningClock(FixedClock):
    """The morning of 3 March 2025, from which real time goes on; the same in every process."""

    def __init__(self, began: float) -> None:
        super().__init__(datetime(2025, 3, 3, 1, tzinfo=UTC))
        self._began = began

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=time.time() - self._began)


def make(url: str, folder: Path, began: float) -> Kit:
    return Kit(
        Database.open(url),
        folder,
        RunningClock(began),
        SETTINGS,
        batch=4,
        lease=timedelta(seconds=0.25),
        poll=timedelta(seconds=0.01),
    )


def work_and_be_killed(url: str, folder: Path, began: float, after: float) -> None:
    """Let a process work, and kill it without warning."""
    child = os.fork()
    if child == 0:
        kit = make(url, folder, began)
        while True:
            kit.worker.run_once()
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_killed_at_random_moments_every_case_is_done_once(new_sqlite: Callable[[str], str], tmp_path: Path) -> None:
    url, began = new_sqlite("hub.db"), time.time()
    kit = make(url, tmp_path, began)
    kit.sign_agreements()
    orders = range(11, 11 + 2 * CASES, 2)
    cases = []
    for order in orders:
        applied = form(identity_number=number(order=order), name="王建军", one_child=order % 4 == 1)
        cases.append(kit.office.submit(OTHER_CLERK, applied))
    dice = random.Random(8)
    kills = 0

    def kill_until(state: State) -> None:
        nonlocal kills
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            kit.database.close()  # a child must not inherit an open connection
            # Longer lives as time goes by: on a busy machine the shortest ones would never get anything done.
            work_and_be_killed(url, tmp_path, began, dice.uniform(0.04, 0.25) * (0.5 + kills / 6))
            kills += 1
            with kit.database.read() as connection:
                states = Counter(connection.execute(select(records.case.c.state)).scalars())
            if states == {state.value: CASES}:
                return
        raise AssertionError(f"the cases don't get on: {states}")

    kill_until(State.WINDOW_REVIEW)
    for case_id in cases:
        kit.office.act(CLERK, case_id, Event.WINDOW_PASS)
        kit.office.act(REVIEWER, case_id, Event.FILING_PASS)
    kill_until(State.COMPLETED)
    assert kills >= 6

    wanted = ["submit", "checks_settled", "window_pass", "filing_pass", "joint_items_settled", "volume_filed"]
    for case_id in cases:
        view = kit.view(case_id)
        assert [row.event for row in view.history] == wanted
        assert {item.status for item in view.items} == {"done"}
        assert len(kit.payments.of_case(case_id)) == 1
        assert Counter((one.recipient, one.kind) for one in view.messages) == {
            ("person", "completed"): 1,
            ("employer", "employer_completed"): 1,
        }
        volume = kit.volumes.of_case(case_id)
        assert volume is not None
        assert kit.volumes.verify(volume.archival_code).intact
    done = Counter(kit.departments.done())
    assert set(done.values()) == {1}
    assert len(done) == sum(7 if order % 4 == 1 else 6 for order in orders)
    with kit.database.read() as connection:
        open_still = connection.execute(
            select(records.clock_entry.c.track).where(records.clock_entry.c.until.is_(None))
        ).all()
    assert open_still == []
    kit.ledger.seal_batch()
    assert kit.ledger.verify_all().valid
    kit.database.close()
