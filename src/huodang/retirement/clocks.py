"""Working-day clocks: a ledger of whose day it was, due days and lights.

Pure: entries and today's date in, days out. A working day belongs to the party that holds the case when the day begins;
what moves within one day costs nobody a day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import yaml

from huodang.retirement.errors import RegisterError
from huodang.retirement.states import CITIZEN, State
from huodang.standards import Deadline, Place, add_working_days, working_days_between
from huodang.store import shanghai_date

PARTY_LABELS = {
    "citizen": ("申请人", "Applicant"),
    "agency": ("社保经办机构", "Social-insurance agency"),
    "system": ("平台与法定期间", "Platform and statutory terms"),
    "department:police": ("公安", "Police"),
    "department:health": ("卫生健康", "Health"),
    "department:justice": ("司法行政", "Justice"),
    "department:housing_fund": ("住房公积金", "Housing fund"),
    "department:medical_insurance": ("医疗保障", "Medical insurance"),
    "department:social_insurance": ("社会保险", "Social insurance"),
}


class Light(StrEnum):
    """How a step stands against its due day; always shown with its word, never by colour alone."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


LIGHT_LABELS = {
    Light.GREEN: ("绿灯·期限内", "Green: in time"),
    Light.YELLOW: ("黄灯·临近期限", "Yellow: due soon"),
    Light.RED: ("红灯·已超期", "Red: overdue"),
}


@dataclass(frozen=True)
class StepTerm:
    """How many working days a step may take, and whether they count against the promise of the whole case."""

    days: int
    counts: bool


@dataclass(frozen=True)
class Terms:
    """The terms of `data/clocks.yaml`."""

    whole_case: int
    was: int
    department: int
    yellow_when_left: int
    steps: dict[str, StepTerm]


@dataclass(frozen=True)
class ClockEntry:
    """One stretch of time: whose it was, in which step. `until` is None while it runs."""

    party: str
    step: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class CaseClock:
    """How a case stands in time.

    Attributes:
        by_party: working days by party; parties that hold the case side by side each have their own.
        counted: working days that count against the promise; paused while papers are supplied and during public notice.
        due: the day by which the whole case is due; moves on with every paused day.
        step_due: the day by which the present step is due; None at an end.
    """

    by_party: dict[str, int]
    counted: int
    due: Deadline | None
    light: Light
    step_due: Deadline | None
    step_light: Light


@cache
def terms() -> Terms:
    """Read the terms.

    Raises:
        RegisterError: the file doesn't hold together.
    """
    place = Place(file="retirement/data/clocks.yaml")
    raw: Any = yaml.safe_load(resources.files("huodang.retirement").joinpath("data/clocks.yaml").read_text("utf-8"))
    try:
        steps = {name: StepTerm(int(term["days"]), bool(term["counts"])) for name, term in raw["steps"].items()}
        read = Terms(
            whole_case=int(raw["whole_case"]["days"]),
            was=int(raw["whole_case"]["was"]),
            department=int(raw["department"]["days"]),
            yellow_when_left=int(raw["yellow_when_left"]),
            steps=steps,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RegisterError("时限数据不完整", "the terms are incomplete", place=place) from error
    unknown = set(steps) - {state.value for state in State}
    if unknown:
        raise RegisterError(f"未知环节 {sorted(unknown)}", f"unknown steps {sorted(unknown)}", place=place)
    return read


def elapsed(entries: Iterable[ClockEntry], today: date) -> dict[str, int]:
    """Count each party's working days; stretches of one party that overlap are counted once."""
    spans: dict[str, list[tuple[date, date]]] = {}
    for entry in entries:
        end = today if entry.until is None else shanghai_date(entry.until)
        spans.setdefault(entry.party, []).append((shanghai_date(entry.since), end))
    return {party: _days_of(stretches) for party, stretches in spans.items()}


def _days_of(spans: Sequence[tuple[date, date]]) -> int:
    days = 0
    reached = date.min
    for start, end in sorted(spans):
        begin = max(start, reached)
        if end > begin:
            days += working_days_between(begin, end)
            reached = end
    return days


def paused_days(entries: Iterable[ClockEntry], today: date) -> int:
    """Count the working days that don't count against the promise: papers being supplied, public notice."""
    stopped = [entry for entry in entries if entry.step in terms().steps and not terms().steps[entry.step].counts]
    return _days_of([(shanghai_date(e.since), today if e.until is None else shanghai_date(e.until)) for e in stopped])


def light(due: Deadline | None, today: date) -> Light:
    """Say how today stands against a due day."""
    if due is None:
        return Light.GREEN
    if today > due.day:
        return Light.RED
    return Light.YELLOW if working_days_between(today, due.day) <= terms().yellow_when_left else Light.GREEN


def step_deadline(entry: ClockEntry) -> Deadline | None:
    """Say by which day the step that an entry began is due."""
    term = terms().steps.get(entry.step)
    return None if term is None else add_working_days(shanghai_date(entry.since), term.days)


def case_clock(
    entries: Sequence[ClockEntry], submitted: datetime | None, ended: datetime | None, today: date
) -> CaseClock:
    """Work out how a case stands.

    Args:
        entries: the ledger of whose day it was: the case's own track and the departments' tracks beside it.
        submitted: when the application came in; before that nothing counts.
        ended: when the case reached an end; None while it runs.
        today: the present day.
    """
    day = today if ended is None else shanghai_date(ended)
    main = [entry for entry in entries if not entry.party.startswith("department:")]
    running = next((entry for entry in reversed(main) if entry.until is None), None)
    step_due = None if running is None else step_deadline(running)
    if submitted is None:
        return CaseClock(elapsed(entries, day), 0, None, Light.GREEN, step_due, Light.GREEN)
    paused = paused_days(main, day)
    start = shanghai_date(submitted)
    due = add_working_days(start, terms().whole_case + paused)
    # While the applicant holds the case, nobody in the agency is late.
    held_by_citizen = running is not None and running.party == CITIZEN
    return CaseClock(
        by_party=elapsed(entries, day),
        counted=max(0, working_days_between(start, day) - paused),
        due=due,
        light=Light.GREEN if held_by_citizen else light(due, day),
        step_due=step_due,
        step_light=light(step_due, day) if ended is None else Light.GREEN,
    )
