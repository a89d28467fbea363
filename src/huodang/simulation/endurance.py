"""Cases under fire: hub and gateways are killed (kill -9) at random moments while cases are on their way.

What must come out is what comes out without the kills: every case ends, every effect at a department is there exactly
once, every month is paid once, and the ledger is whole.
"""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from huodang.simulation.client import Desk, HubRefusedError, HubSilentError
from huodang.simulation.journey import Team, form_of
from huodang.simulation.people import Person, Population
from huodang.simulation.processes import Processes
from huodang.simulation.root import DemoError
from huodang.simulation.world import World
from huodang.standards import Month

_ROUND_SECONDS: Final = 0.3
_AT_ONCE: Final = 4
_LISTED: Final = 200

# Where an effect leaves a row: department, the row's person and kind. A second effect would be a second row.
_TRACES: Final = {
    "social_insurance.register_benefit": (
        "social_insurance",
        'SELECT p."AAC147" FROM "IC11" r JOIN "AC01" p ON p."AAC001" = r."AAC001"',
    ),
    "social_insurance.community_management": (
        "social_insurance",
        'SELECT p."AAC147" FROM "SH01" r JOIN "AC01" p ON p."AAC001" = r."AAC001"',
    ),
    "medical_insurance.to_retired": ("medical_insurance", "SELECT certno FROM psn_stas_chg_d"),
    "police.household_confirm": ("police", "SELECT GMSFHM FROM T_YW_HJHS"),
    "housing_fund.seal": ("housing_fund", "SELECT ZJHM FROM GR_YWLS WHERE YWLX = 'FC'"),
    "housing_fund.withdraw": ("housing_fund", "SELECT ZJHM FROM GR_YWLS WHERE YWLX = 'TQXH'"),
    "health.one_child_award": ("health", "SELECT PARENT_ID_NO FROM ONE_CHILD_AWARD"),
}


def straight_people(population: Population, count: int) -> list[Person]:
    """Choose people whose cases need nobody to decide anything but the two reviews, and no public notice."""
    chosen = [
        person
        for person in population.due
        if not person.quirks
        and person.statement is None
        and not person.career.deemed
        and person.route.value != "special_early"
    ]
    if len(chosen) < count:
        message = f"only {len(chosen)} people go straight through; make a larger population"
        raise ValueError(message)
    return chosen[:count]


def effects_of(world: World) -> dict[str, Counter[str]]:
    """Count, for each joint item, the rows that it left at its department, by identity number."""
    counted: dict[str, Counter[str]] = {}
    for resource, (department, query) in _TRACES.items():
        connection = sqlite3.connect(world.folder(department) / f"{department}.db")
        try:
            counted[resource] = Counter(str(row[0]) for row in connection.execute(query))
        finally:
            connection.close()
    return counted


def expected_effects(people: Sequence[Person]) -> dict[str, Counter[str]]:
    """Say what must be there once all these people's cases are completed."""
    by_resource: dict[str, Callable[[Person], bool]] = dict.fromkeys(_TRACES, lambda _: True)
    by_resource |= dict.fromkeys(("housing_fund.seal", "housing_fund.withdraw"), lambda person: person.housing_account)
    by_resource["health.one_child_award"] = lambda person: person.one_child
    return {
        resource: Counter(person.number for person in people if applies(person))
        for resource, applies in by_resource.items()
    }


@dataclass
class Endurance:
    """Takes people through the case while processes are killed.

    Attributes:
        kills: how often each process was killed.
    """

    world: World
    processes: Processes
    team: Team
    people: Sequence[Person]
    victims: Sequence[str]
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    _ids: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, *, kills: int, within: float) -> Mapping[str, int]:
        """Go on until every case is completed.

        Args:
            kills: how many kills there are at least; they begin with the first application.
            within: seconds after which it has failed.

        Returns:
            The hub's own count of payments and ledger leaves.

        Raises:
            DemoError: the cases aren't completed in time.
        """
        deadline = time.monotonic() + within
        killer = threading.Thread(target=self._kill_at_random, args=(kills,), name="killer")
        killer.start()
        try:
            with ThreadPoolExecutor(_AT_ONCE) as together:
                list(together.map(lambda person: self.apply(person, deadline), self.people))
            while self.completed() < len(self.people) or killer.is_alive():
                self.review()
                if time.monotonic() > deadline:
                    raise DemoError("联办件未在时限内全部办结", "Not all cases were completed in time")
                time.sleep(_ROUND_SECONDS)
        finally:
            self._stop.set()
            killer.join()
        summary = self.team.reviewers[0].get("/api/v1/summary")
        return {name: int(summary[name]) for name in ("payments", "payments_fen", "ledger_leaves")}

    def _kill_at_random(self, kills: int) -> None:
        chance = random.Random(self.seed)
        while sum(self.kills.values()) < kills and not self._stop.is_set():
            if self._stop.wait(chance.uniform(0.2, 2.0)):
                return
            victim = chance.choice(self.victims)
            self.processes.kill(victim)
            self.kills[victim] += 1
            time.sleep(chance.uniform(0.0, 0.5))
            self.processes.start([victim])
            self.processes.wait_healthy([victim])

    def apply(self, person: Person, deadline: float) -> None:
        """Apply again and again until the hub has the case: a lost answer doesn't tell whether it has."""
        while time.monotonic() < deadline:
            try:
                self.team.clerks[0].post("/api/v1/cases", form_of(person))
            except HubSilentError:
                time.sleep(_ROUND_SECONDS)
            except HubRefusedError as refused:
                if "another_case" in refused.reason:
                    return
                if refused.status < 500:
                    raise
                time.sleep(_ROUND_SECONDS)
            else:
                return

    def review(self) -> None:
        """Pass every case that waits for a review."""
        self._review("window_review", "window_pass", self.team.clerks[-1])
        self._review("filing_review", "filing_pass", self.team.reviewers[0])

    def _review(self, state: str, event: str, desk: Desk) -> None:
        rows = self._ask(desk, f"/api/v1/queue?state={state}&limit={_LISTED}") or {"cases": []}

        def act(row: Mapping[str, Any]) -> None:
            try:
                desk.post(f"/api/v1/cases/{row['case_id']}/events", {"event": event, "note": "", "data": {}})
            except (HubSilentError, HubRefusedError):
                return  # killed in between, or done already: the next look at the queue tells

        with ThreadPoolExecutor(_AT_ONCE) as together:
            list(together.map(act, rows["cases"]))

    def completed(self) -> int:
        """Count the cases that are completed; 0 while the hub doesn't answer."""
        summary = self._ask(self.team.reviewers[0], "/api/v1/summary")
        return int(summary["cases"].get("completed", 0)) if summary else 0

    @staticmethod
    def _ask(desk: Desk, path: str) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = desk.get(path)
        except HubSilentError:
            return None
        except HubRefusedError as refused:
            if refused.status < 500:
                raise  # no kill explains that
            return None
        return answer


def expected_payments(people: Sequence[Person], month: Month) -> int:
    """Say how many payments must stand in the records: each month from the one after retirement up to now, once."""
    return sum(max(person.wished + 1, month) - (person.wished + 1) + 1 for person in people)
