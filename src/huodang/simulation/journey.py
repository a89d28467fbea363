"""Takes every due person through the joint case over HTTP, as applicants and staff would, day by working day.

Applications come in over several days, some through the citizens' portal. Staff work their queues each day; cases that
wait for a person are handled as `handling.py` says, and some stay open, as they would in life. The journey ends when
nothing moves any more.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import urllib3

from huodang.simulation.business_time import BusinessClock
from huodang.simulation.citizens import Visitor
from huodang.simulation.client import Account, Desk, connections
from huodang.simulation.faults import PoliceTrouble, certify_death
from huodang.simulation.handling import Step, item_step, next_step
from huodang.simulation.people import Person, Population, Quirk
from huodang.simulation.processes import Processes
from huodang.simulation.root import DemoError
from huodang.simulation.world import World
from huodang.standards import Month

_INTAKE_DAYS = 4
_MOST_DAYS = 45
_AT_ONCE = 8
_QUIET_SECONDS = 120.0
_MOST_LISTED = 500
_LOOK_EVERY_SECONDS = 0.1
_WAITING_STATES = ("exception", "arbitration", "supplement", "joint_items")
ENDED = frozenset({"completed", "returned", "withdrawn", "ended_by_death"})


@dataclass(frozen=True)
class Obstacle:
    """Why a person had to act on a case, and what was done; holds codes and sentences, nothing personal."""

    code: str
    chinese: str
    english: str
    done: str  # the event, or "" while the case is left open


@dataclass
class Followed:
    """One application on its way, as those outside see it."""

    person: Person
    case_id: str = ""
    came_by: str = "window"  # window, employer, portal
    waits_until: int = 0
    papers_here: bool = False
    obstacles: list[Obstacle] = field(default_factory=list)
    state: str = ""
    left_open: bool = False

    def note(self, obstacle: Obstacle) -> None:
        """Remember an obstacle once; what was done about it last counts."""
        self.obstacles = [one for one in self.obstacles if one.code != obstacle.code] + [obstacle]


@dataclass(frozen=True)
class Team:
    """Who works: two clerks and two reviewers, so that nobody reviews what they did themselves; employers' clerks."""

    clerks: Sequence[Desk]
    reviewers: Sequence[Desk]
    employer_clerks: Mapping[str, Desk]

    @classmethod
    def of(cls, address: str, accounts: Sequence[Account], http: urllib3.PoolManager | None = None) -> "Team":
        """Seat everybody at a desk; `http` where the hub's certificate isn't one that everybody trusts."""
        http = http or connections()
        desks = [Desk(http, address, account) for account in accounts]
        return cls(
            clerks=[desk for desk in desks if desk.account.role == "window_clerk"],
            reviewers=[desk for desk in desks if desk.account.role == "reviewer"],
            employer_clerks={desk.account.employer: desk for desk in desks if desk.account.role == "employer_clerk"},
        )


def form_of(person: Person) -> dict[str, Any]:
    """Fill in the form for a person, in the words of the API."""
    explicit_month = person.statement is not None or person.route.value != "normal"
    return {
        "identity_number": person.number,
        # Whoever files for the person writes the name that the archive has.
        "name": person.former_name or person.name,
        "phone": person.phone,
        "bank_account": person.bank_account,
        "bank_name": "演示银行",
        "category": person.category.value,
        "route": person.route.value,
        "wished_month": str(person.wished) if explicit_month else "",
        "employer": person.employer.name if person.employer else "",
        "one_child": person.one_child,
        "special_trade_months": person.career.special_trade_months if person.route.value == "special_early" else 0,
        "notice_given_on": person.notice_given_on.isoformat() if person.notice_given_on else "",
        "declaration": True,
        "province": person.province,
    }


class Journey:
    """The whole way of all due people, from the first application to the day on which nothing moves any more."""

    def __init__(
        self,
        world: World,
        population: Population,
        processes: Processes,
        clock: BusinessClock,
        *,
        team: Team,
        access_codes: Mapping[str, str],
        progress: Callable[[int, int, str], None] = lambda _ended, _all, _what: None,
    ) -> None:
        """Prepare.

        Args:
            world: where everything stands.
            population: the people; those who are due go.
            processes: running.
            clock: moved on by working days.
            team: who works.
            access_codes: who applies at the portal, by identity number, with the code handed out to them.
            progress: told how many cases have ended, how many there are, and what day it is.
        """
        self._world = world
        self._processes = processes
        self._clock = clock
        self._team = team
        self._codes = access_codes
        self._progress = progress
        self._day = 0
        self.prepared = 0  # forms that stood ready before anybody applied
        self.cases = [Followed(person) for person in population.due]
        self._by_id: dict[str, Followed] = {}
        self._http = connections()

    def run(self) -> list[Followed]:
        """Go on day by day until nothing moves.

        Raises:
            DemoError: the hub refuses what it should take, a process ends, or the cases don't come to rest.
        """
        waiting = self._intake_plan()
        self.prepared = self._prepare_next_month()
        while self._day < _MOST_DAYS:
            self.wait_until_quiet()  # terms that ran out overnight
            self._work_the_queues()
            self._take_in(waiting.pop(self._day, []))
            self.wait_until_quiet()
            ended = self._count_ended()
            self._progress(ended, len(self.cases), f"{self._clock.day:%Y-%m-%d}")
            if not waiting and ended + self._count_left_open() >= len(self.cases):
                return self.cases
            self._clock.next_working_day()
            self._day += 1
        raise DemoError(
            f"{_MOST_DAYS} 个工作日后仍有联办件在动",
            f"Cases still move after {_MOST_DAYS} working days",
            advice_chinese="请查看 logs/ 与工作台。",
            advice_english="See logs/ and the workbench.",
        )

    def open_a_new_morning(self, applicants: Sequence[Person]) -> int:
        """Take in new applications and leave them to whoever looks at the pages; not part of the figures.

        Every other one has passed the window review already, so that clerks and reviewers both find work.

        Returns:
            How many applications now wait for a person.
        """
        clerk, other_clerk = self._team.clerks[0], self._team.clerks[-1]
        for person in applicants:
            clerk.post("/api/v1/cases", form_of(person))
        self.wait_until_quiet()
        waiting = other_clerk.get(f"/api/v1/queue?state=window_review&limit={_MOST_LISTED}")["cases"]
        for row in waiting[::2]:
            other_clerk.post(f"/api/v1/cases/{row['case_id']}/events", {"event": "window_pass", "note": "", "data": {}})
        return len(applicants)

    def _prepare_next_month(self) -> int:
        """Have the forms of those who reach the age next month prepared before anybody applies (免申即享)."""
        answer = self._team.clerks[0].post(f"/api/v1/due/{Month.of(self._clock.day) + 1}/prepare", {})
        return int(answer["prepared"])

    @property
    def days(self) -> int:
        """Working days walked through so far."""
        return self._day

    def _intake_plan(self) -> dict[int, list[tuple[Followed, str]]]:
        """Say who applies on which day and how: with a code at the portal, else by the employer or at the window."""
        plan: dict[int, list[tuple[Followed, str]]] = {}
        for position, one in enumerate(self.cases):
            employer = one.person.employer
            if one.person.number in self._codes:
                way = "portal"
            elif employer is not None and employer.number in self._team.employer_clerks:
                way = "employer"
            else:
                way = "window"
            plan.setdefault(position * _INTAKE_DAYS // len(self.cases), []).append((one, way))
        return plan

    def _take_in(self, arriving: Sequence[tuple[Followed, str]]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as together:
            for _ in together.map(lambda pair: self._apply(*pair), arriving):
                self._processes.check_alive()
        self._by_id |= {one.case_id: one for one, _ in arriving}

    def _apply(self, one: Followed, way: str) -> None:
        person = one.person
        one.came_by = way
        form = form_of(person)
        if way == "portal":
            answers = {name: str(value) for name, value in form.items() if isinstance(value, str | int) and value}
            answers |= {name: "yes" for name in ("declaration", "one_child") if form[name]}
            visitor = Visitor(self._world.address("portal"), person)
            one.case_id = visitor.apply(self._codes[person.number], answers)
            return
        clerk = self._team.clerks[0]
        if way == "employer" and person.employer is not None:
            clerk = self._team.employer_clerks[person.employer.number]
        one.case_id = str(clerk.post("/api/v1/cases", form)["case_id"])

    def _work_the_queues(self) -> None:
        """Do a day's work, last step first, so that nothing passes two reviews on one day."""
        for one in self.cases:
            one.left_open = False  # said anew each day: what was open may have ended by a term that ran out
        self._report_deaths()
        clerk, reviewer = self._team.clerks[-1], self._team.reviewers[0]
        to_file = self._queue(reviewer, "filing_review")
        to_review = self._queue(clerk, "window_review")
        waiting = [row for state in _WAITING_STATES[:3] for row in self._queue(clerk, state)]
        with ThreadPoolExecutor(_AT_ONCE) as together:
            for _ in together.map(lambda row: self._event(reviewer, row, "filing_pass"), to_file):
                self._processes.check_alive()
            for _ in together.map(lambda row: self._event(clerk, row, "window_pass"), to_review):
                self._processes.check_alive()
        for row in waiting:
            self._handle(row)
        self.wait_until_quiet()
        self._look_at_items(clerk)

    def _queue(self, desk: Desk, state: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = desk.get(f"/api/v1/queue?state={state}&limit={_MOST_LISTED}")["cases"]
        for row in rows:
            self._by_id[row["case_id"]].state = state
        return rows

    def _event(
        self, desk: Desk, row: Mapping[str, Any], event: str, note: str = "", data: Mapping[str, Any] | None = None
    ) -> None:
        body = {"event": event, "note": note, "data": dict(data or {})}
        answer = desk.post(f"/api/v1/cases/{row['case_id']}/events", body)
        self._by_id[row["case_id"]].state = str(answer["state"])

    def _handle(self, row: Mapping[str, Any]) -> None:
        one = self._by_id[row["case_id"]]
        reasons = [{"kind": kind_of(reason), "subject": str(reason["subject"])} for reason in row["reasons"]]
        step = next_step(str(row["state"]), reasons, one.person, papers_here=one.papers_here)
        one.left_open = step is None
        for reason in row["reasons"]:
            sentence = reason["sentence"]
            done = step.event if step is not None else ""
            one.note(Obstacle(str(reason["code"]), sentence["chinese"], sentence["english"], done))
        if step is None or self._too_early(one, step):
            return
        desk = self._team.reviewers[-1] if step.role == "reviewer" else self._team.clerks[-1]
        self._event(desk, row, step.event, step.note, step.data)
        one.papers_here = step.event == "supplement_received"

    def _too_early(self, one: Followed, step: Step) -> bool:
        """Whether a step that takes days has still to wait; its days begin when it is first looked at."""
        if step.days == 0:
            return False
        if not one.waits_until:
            one.waits_until = self._day + step.days
        if self._day < one.waits_until:
            return True
        one.waits_until = 0
        return False

    def _report_deaths(self) -> None:
        """Whoever dies while the case is pending: hospital and police register it, and the family tells the window."""
        for one in self._by_id.values():
            if Quirk.DIED_WHILE_PENDING not in one.person.quirks or one.state in ENDED:
                continue
            yesterday = self._clock.day - timedelta(days=1)
            certify_death(self._world.source_url("health"), one.person, yesterday)
            PoliceTrouble(self._world.source_url("police")).died(one.person, yesterday)
            one.note(
                Obstacle("died_while_pending", "办理期间死亡", "died while the case was pending", "death_reported")
            )
            note = "家属持死亡医学证明到窗口报告"
            self._event(self._team.clerks[-1], {"case_id": one.case_id}, "death_reported", note)

    def _look_at_items(self, clerk: Desk) -> None:
        """Look after joint items that a department refused."""
        for row in self._queue(clerk, "joint_items"):
            one = self._by_id[row["case_id"]]
            for item in clerk.get(f"/api/v1/cases/{one.case_id}")["items"]:
                if item["status"] != "needs_person":
                    continue
                step = item_step(str(item["resource"]), str(item["reason"]))
                one.left_open = step is None
                label, reason = item["label"], item["reason"]
                done = step.event if step is not None else ""
                chinese, english = f"{label['chinese']}未办成({reason})", f"{label['english']} refused ({reason})"
                one.note(Obstacle(f"{item['resource']}:{reason}", chinese, english, done))
                if step is None or self._too_early(one, step):
                    continue
                if step.event == "recheck":
                    PoliceTrouble(self._world.source_url("police")).put_right(one.person, self._clock.day)
                self._event(clerk, row, step.event, step.note, step.data)

    def wait_until_quiet(self) -> None:
        """Wait until the hub has no job left that is due now.

        Raises:
            DemoError: it takes too long, or a process ended.
        """
        deadline = time.monotonic() + _QUIET_SECONDS
        while self._jobs_due() or self._jobs_due():  # twice: a job may lay the next one between two looks
            self._processes.check_alive()
            if time.monotonic() > deadline:
                raise DemoError(
                    "枢纽的作业迟迟没有做完",
                    "The hub's jobs don't come to an end",
                    advice_chinese="请看 logs/hub.log。",
                    advice_english="See logs/hub.log.",
                )
            time.sleep(_LOOK_EVERY_SECONDS)

    def _jobs_due(self) -> int:
        answer = self._http.request("GET", f"{self._world.address('hub')}/health")
        return int(answer.json()["jobs_due"])

    def _count_left_open(self) -> int:
        """Count the cases that wait for a person and on which nobody will act; one whose term ran out is none."""
        clerk = self._team.clerks[-1]
        waiting = [row["case_id"] for state in _WAITING_STATES for row in self._queue(clerk, state)]
        return sum(self._by_id[case_id].left_open for case_id in waiting)

    def _count_ended(self) -> int:
        counts = self._team.reviewers[0].get("/api/v1/summary")["cases"]
        return sum(count for state, count in counts.items() if state in ENDED)


def kind_of(reason: Mapping[str, Any]) -> str:
    """Give the kind of a reason from its code, such as `years_short:12` or `police.alive:timeout`."""
    kind = str(reason["code"]).partition(":")[0]
    return "not_answered" if kind == reason["subject"] else kind
