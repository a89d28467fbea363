"""The whole exchange under fire: cases, lots, events and copies at once, while processes are killed (kill -9).

What must come out is what comes out without the kills: every effect once, every payment once, the ledger whole, every
event once and in order, every copy equal to its source.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from huodang.simulation.business_time import BusinessClock
from huodang.simulation.endurance import Endurance
from huodang.simulation.endurance_clerks import Clerks
from huodang.simulation.endurance_copies import Copy
from huodang.simulation.endurance_events import is_quiet
from huodang.simulation.endurance_forks import Forked, Forker
from huodang.simulation.endurance_world import TABLE
from huodang.simulation.processes import Processes
from huodang.simulation.root import DemoError
from huodang.store import Clock, Database, jobs

_ROUND_SECONDS: Final = 0.5
_ASK_FOR_LOTS_SECONDS: Final = 2.0
# Waiting for leases (45 s) and pauses to end takes long; moved on more often, leases would end under the workers.
_MOVE_ON_SECONDS, _MOVE_ON_EVERY_SECONDS = 60, 6.0
PULL: Final = "lots.pull"


class Kills:
    """Counts kills, from several threads, up to how many there are to be."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.by_name: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def done(self) -> int:
        """How many there were."""
        return self.by_name.total()

    @property
    def over(self) -> bool:
        """Whether there were enough."""
        return self.done >= self.wanted

    def strike(self, name: str) -> bool:
        """Count one kill; false if there were enough, and whoever asks is to be spared."""
        with self._lock:
            if self.over:
                return False
            self.by_name[name] += 1
            return True


@dataclass
class Killer:
    """Kills one of a group at a time at random moments, and has it started again, until there were enough kills.

    Args:
        names: the group.
        kills: counts.
        restart: ends a process the hard way, and starts it.
        healthy: waits until it works again; not always waited for, so that some die while they start.
        linger: seconds between two kills, at most.
    """

    names: Sequence[str]
    kills: Kills
    restart: Callable[[str], None]
    healthy: Callable[[str], None]
    linger: float
    seed: int
    failure: BaseException | None = None
    starts: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Go on until there were enough kills."""
        chance = random.Random(self.seed)
        try:
            while not self.kills.over:
                time.sleep(chance.uniform(0, self.linger))
                victim = chance.choice(self.names)
                if not self.kills.strike(victim):
                    return
                began = time.perf_counter()
                self.restart(victim)
                if chance.random() < 0.8:
                    self.healthy(victim)
                    self.starts.append(time.perf_counter() - began)
        except (DemoError, OSError, RuntimeError) as problem:
            self.failure = problem
        finally:
            for name in self.names:
                if self.failure is None:
                    self.healthy(name)


class Recorders:
    """The processes that are handed events; see `endurance_events`."""

    def __init__(self, names: Sequence[str], settings: Path, logs: Path, forker: Forker) -> None:
        self._settings, self._logs, self._forker = settings, logs, forker
        self._running: dict[str, Forked] = {}
        self.names = names

    def start(self, name: str) -> None:
        """Start one."""
        self._running[name] = self._forker.start(
            "huodang.simulation.endurance_events",
            [str(self._settings)],
            log=self._logs / f"{name}.log",
            folder=self._logs,
        )

    def restart(self, name: str) -> None:
        """Kill one, and start it again."""
        self._running[name].kill()
        self._running[name].wait()
        self.start(name)

    def stop(self) -> None:
        """End all."""
        for one in self._running.values():
            one.kill()
            one.wait()


@dataclass
class Onslaught:
    """Everything at once.

    Args:
        endurance: takes people through their cases; its victims aren't used.
        processes: of its world, running.
        groups: names of processes that are killed, one of a group at a time, and the longest pause between its kills.
        database: the hub's.
        clock: the hub's, and `time` that can be moved on at the end.
        progress: told kills, cases and the seconds since the beginning, now and then.
    """

    endurance: Endurance
    processes: Processes
    recorders: Recorders
    groups: Mapping[tuple[str, ...], float]
    clerks: Clerks
    copies: Sequence[Copy]
    kills: Kills
    database: Database
    clock: Clock
    time: BusinessClock
    seed: int
    progress: Callable[[str], None] = lambda _: None
    seconds_under_fire: float = 0.0
    completed_under_fire: int = 0
    starts: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def run(self, *, within: float) -> None:
        """Kill, then let everything come to rest.

        Args:
            within: seconds after which it has failed.

        Raises:
            DemoError: it doesn't come to rest in time, or a process didn't come back.
        """
        began, deadline = time.monotonic(), time.monotonic() + within
        killers = [
            Killer(names, self.kills, self._restart_of(names), self._healthy_of(names), linger, self.seed + at)
            for at, (names, linger) in enumerate(self.groups.items())
        ]
        ending = threading.Event()
        work = [
            threading.Thread(target=one, daemon=True)
            for one in (
                *(killer.run for killer in killers),
                lambda: self._apply(deadline),
                lambda: self._review(ending),
                lambda: self._ask_for_lots(ending),
            )
        ]
        self.clerks.start()
        for copy in self.copies:
            copy.start()
        for thread in work:
            thread.start()
        try:
            while not self.kills.over or any(thread.is_alive() for thread in work[: len(killers)]):
                self._tell(began, deadline, killers)
            self.seconds_under_fire = time.monotonic() - began
            self.completed_under_fire = self.endurance.completed()
            self.clerks.stop()
            for copy in self.copies:
                copy.stop()
            self.starts = {tuple(killer.names): killer.starts for killer in killers}
            moved = time.monotonic()
            while not self._at_rest():
                self._tell(began, deadline, killers)
                if time.monotonic() - moved > _MOVE_ON_EVERY_SECONDS:
                    moved = time.monotonic()
                    self.time.move_on(_MOVE_ON_SECONDS)
        finally:
            ending.set()
            self.kills.wanted = 0
        for thread in work:
            thread.join()

    def _tell(self, began: float, deadline: float, killers: Sequence[Killer]) -> None:
        for problem in (*(one.failure for one in killers), self.clerks.failure, *(one.failure for one in self.copies)):
            if problem is not None:
                raise problem
        now = time.monotonic()
        if now > deadline:
            raise DemoError("未在时限内平静下来", "It didn't come to rest in time")
        self.progress(
            f"{now - began:4.0f} s  kills {self.kills.done}/{self.kills.wanted}  "
            f"cases {self.endurance.completed()}/{len(self.endurance.people)}  changes {len(self.clerks.written)}  "
            f"copies {sum(one.finished for one in self.copies)}"
        )
        time.sleep(_ROUND_SECONDS)

    def _at_rest(self) -> bool:
        return self.endurance.completed() >= len(self.endurance.people) and is_quiet(
            self.database, len(self.clerks.written)
        )

    def _restart_of(self, names: Sequence[str]) -> Callable[[str], None]:
        if names[0] in self.recorders.names:
            return self.recorders.restart

        def restart(name: str) -> None:
            self.processes.kill(name)
            self.processes.start([name])

        return restart

    def _healthy_of(self, names: Sequence[str]) -> Callable[[str], None]:
        if names[0] in self.recorders.names:
            return lambda _: None
        return lambda name: self.processes.wait_healthy([name])

    def _apply(self, deadline: float) -> None:
        """Spread the applications over the kills, so that the load lasts as long as they do."""
        people = self.endurance.people
        for position, person in enumerate(people):
            while self.kills.done < position * self.kills.wanted // len(people) and time.monotonic() < deadline:
                time.sleep(_ROUND_SECONDS / 5)
            self.endurance.apply(person, deadline)

    def _review(self, ending: threading.Event) -> None:
        while not ending.wait(_ROUND_SECONDS):
            self.endurance.review()

    def _ask_for_lots(self, ending: threading.Event) -> None:
        while not ending.wait(_ASK_FOR_LOTS_SECONDS):
            with self.database.begin() as connection:
                jobs.enqueue(connection, PULL, {"resource": TABLE}, run_at=self.clock.now(), key=f"{PULL}:{TABLE}")
