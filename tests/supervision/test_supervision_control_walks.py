"""Whatever happens in whatever order: one hold a matter, one cycle, back pay to the fen, no stop without grounds.

And a worker that is killed in the midst of ending a hold pays back once.
"""

import os
import shutil
import signal as signals
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from clue_scene import LI, NUMBERS, SCHEME, WANG, WINDOW, ZHAO, Agency, signal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from huodang.standards import HuodangError, IdentityNumber, Month
from huodang.store import Database, FixedClock, jobs
from huodang.supervision.clues import Stance
from huodang.supervision.control import records

REGISTERS = ("health", "police", "civil_affairs")


@cache
def _migrated() -> Path:
    """A migrated SQLite file, made once; a walk gets a copy of it."""
    path = Path(tempfile.mkdtemp(prefix="huodang-walks-")) / "template.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


class Walk(RuleBasedStateMachine):
    """One person's payment while registers, people and months do what they may."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        shutil.copyfile(_migrated(), path / "walk.db")
        database = Database.open(f"sqlite:///{path / 'walk.db'}")
        self.clock = FixedClock(datetime(2025, 3, 3, 1, 0, tzinfo=UTC))
        self.agency = Agency.open(database, self.clock, path)
        self.marks = 0
        self.paid_months: dict[str, int] = {}

    @initialize()
    def begin(self) -> None:
        self.agency.found()

    @rule(register=st.sampled_from(REGISTERS), stance=st.sampled_from(Stance), fuzzy=st.booleans())
    def register_speaks(self, register: str, stance: Stance, fuzzy: bool) -> None:
        self.marks += 1
        self.agency.found(
            signal(register, stance=stance, fuzzy=fuzzy, mark=str(self.marks)), run_id=f"run-{self.marks}"
        )

    @rule(mark=st.integers(0, 6), register=st.sampled_from(REGISTERS))
    def register_takes_back(self, mark: int, register: str) -> None:
        with self.agency.database.begin() as connection:
            self.agency.clues.withdraw(connection, signal(register, mark=str(mark or "")).digest)

    @rule(event=st.sampled_from(["take", "confirm", "refute", "approve", "send_back", "reopen", "object", "close"]))
    def person_acts(self, event: str) -> None:
        data = {"law": "条例第八条", "fact_from": "2025-02-10", "seen_in_person": "yes"}
        for row in self.agency.clues.queue(WANG, limit=3) + self.agency.clues.queue(WANG, state="confirmed", limit=3):
            for actor in (LI, WANG, ZHAO, WINDOW):
                try:
                    self.agency.clues.move(actor, row.clue_id, event, note="核对过", data=data)
                except HuodangError:
                    continue
                break

    @rule(uphold=st.booleans())
    def person_judges(self, uphold: bool) -> None:
        for ground in self.grounds():
            if not ground.ended_at:
                try:
                    (self.agency.control.uphold if uphold else self.agency.control.let_go)(LI, ground.clue_id, "核对过")
                except HuodangError:
                    continue

    @rule()
    def month_is_paid(self) -> None:
        """The next month comes, and its list is released by what stands then."""
        today = self.clock.today()
        month = Month.of(today) + 1
        covered = any(
            not one.ended_at and one.from_month <= month and (one.until_month is None or month <= one.until_month)
            for one in self.grounds()
        )
        self.clock.set(datetime(month.year, month.month, 1, 1, 0, tzinfo=UTC))
        self.agency.work()
        if covered and self.agency.state() != "paying":
            self.withhold(month)

    def withhold(self, month: Month) -> None:
        self.paid_months[str(month)] = fen = 100_000 + month.ordinal
        with self.agency.database.begin() as connection:
            connection.execute(
                sa.insert(records.withheld).values(
                    list_id=f"p{month}",
                    row=0,
                    person_index=self.agency.index(),
                    scheme=SCHEME,
                    month=month,
                    fen=fen,
                    clue_id=self.grounds()[-1].clue_id,
                    withheld_at=self.clock.now(),
                )
            )

    def grounds(self) -> list[sa.Row[tuple[object, ...]]]:
        with self.agency.database.read() as connection:
            return list(connection.execute(sa.select(records.ground).order_by(records.ground.c.number)))

    @invariant()
    def a_matter_holds_once_and_for_one_month(self) -> None:
        holds = [one for one in self.grounds() if one.kind == "hold"]
        assert len({one.clue_id for one in holds}) == len(holds)
        for one in holds:
            assert one.from_month == one.until_month
            over = Month.of(self.clock.today()) > one.until_month
            assert one.ended_at is not None or not over

    @invariant()
    def a_stop_that_stands_has_two_witnesses_or_two_people(self) -> None:
        with self.agency.database.read() as connection:
            for one in self.grounds():
                if one.kind == "stop" and one.ended_at is None:
                    clue = self.agency.clues.load(connection, one.clue_id)
                    if one.basis == "decision":
                        assert clue.outcome == "confirmed"
                        assert clue.proposed_by != clue.row["decided_by"]
                    else:
                        assert len(self.agency.clues.judgement(connection, one.clue_id).witnesses) > 1

    @invariant()
    def the_state_is_what_stands(self) -> None:
        standing = {one.kind for one in self.grounds() if one.ended_at is None}
        expected = "stopped" if "stop" in standing else "held" if "hold" in standing else "paying"
        assert self.agency.state() == expected

    @invariant()
    def who_is_paid_has_got_back_every_fen_and_none_twice(self) -> None:
        paid = self.agency.payments.of_person(IdentityNumber.parse(NUMBERS[0]))
        got = {str(one.month): one.amount.fen for one in paid}
        assert len(got) == len(paid)
        assert all(self.paid_months[month] == fen for month, fen in got.items())
        if self.agency.state() == "paying":
            assert got == self.paid_months

    def teardown(self) -> None:
        self.agency.database.close()
        self.folder.cleanup()


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)

_WORKER = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from clue_scene import Agency
from huodang.archive import PaymentRecords
from huodang.store import Database, FixedClock
folder = Path(sys.argv[1])
record = PaymentRecords.record
def slow(*arguments, **more):
    made = record(*arguments, **more)
    (folder / "in_the_midst").touch()
    time.sleep(60)
    return made
if sys.argv[3] == "slow":
    PaymentRecords.record = slow
clock = FixedClock(datetime.fromisoformat(sys.argv[4]))
Agency.open(Database.open(f"sqlite:///{folder / 'test.db'}"), clock, folder).work()
"""


def test_a_worker_killed_while_a_hold_ends_pays_back_once(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    agency = Agency.open(database, clock, tmp_path)
    clue = agency.found()
    with database.begin() as connection:
        connection.execute(
            sa.insert(records.withheld).values(
                list_id="p1",
                row=0,
                person_index=agency.index(),
                scheme=SCHEME,
                month=Month(2025, 4),
                fen=123_456,
                clue_id=clue,
                withheld_at=clock.now(),
            )
        )

    def start(mode: str, at: datetime) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(tmp_path), str(Path(__file__).parent), mode, at.isoformat()]
        )

    first = datetime(2025, 5, 1, 1, 0, tzinfo=UTC)
    killed = start("slow", first)
    for _ in range(600):
        if (tmp_path / "in_the_midst").exists():
            break
        time.sleep(0.1)
    os.kill(killed.pid, signals.SIGKILL)
    killed.wait()
    assert agency.payments.count() == 0
    assert agency.state() == "held"
    assert start("plain", first + timedelta(hours=1)).wait(60) == 0
    clock.set(first + timedelta(hours=2))
    agency.work()
    (paid,) = agency.payments.of_person(IdentityNumber.parse(NUMBERS[0]))
    assert paid.amount.fen == 123_456
    assert agency.state() == "paying"
    assert agency.notices() == ["held", "lapsed"]
    with database.read() as connection:
        assert jobs.dead_letters(connection) == []


@pytest.mark.postgresql
def test_the_same_holds_on_postgresql(postgresql_database: Database, clock: FixedClock, tmp_path: Path) -> None:
    agency = Agency.open(postgresql_database, clock, tmp_path)
    clue = agency.found(signal(), signal("police"))
    assert agency.state() == "stopped"
    agency.control.let_go(WANG, clue, "本人来电")
    assert agency.state() == "paying"
    agency.found(number=NUMBERS[1])
    agency.on("2025-05-01")
    assert agency.state(NUMBERS[1]) == "paying"
