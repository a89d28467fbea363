"""Whose day it was: working days by party, pauses, due days and lights."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from kit import OTHER_CLERK, Kit

from huodang.retirement import Event, State, terms
from huodang.retirement.clocks import ClockEntry, Light, case_clock, elapsed, light, paused_days, step_deadline
from huodang.standards import Deadline, working_days_between
from huodang.store import SHANGHAI

MONDAY = date(2025, 3, 3)


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), SHANGHAI).astimezone(UTC)


def entry(party: str, step: str, start: date, end: date | None) -> ClockEntry:
    return ClockEntry(party, step, at(start), None if end is None else at(end))


def test_the_promise_is_ten_days_instead_of_forty_three() -> None:
    assert (terms().whole_case, terms().was) == (10, 43)


def test_a_day_is_the_partys_who_holds_the_case_when_it_begins() -> None:
    entries = [
        entry("system", "checking", MONDAY, MONDAY),
        entry("agency", "window_review", MONDAY, date(2025, 3, 5)),
        entry("citizen", "supplement", date(2025, 3, 5), date(2025, 3, 10)),
        entry("agency", "window_review", date(2025, 3, 10), None),
    ]
    # Wednesday to Monday are three working days: Thursday, Friday, Monday.
    assert elapsed(entries, date(2025, 3, 11)) == {"system": 0, "agency": 3, "citizen": 3}


def test_questions_side_by_side_to_one_department_count_once() -> None:
    entries = [
        entry("department:police", "checking", MONDAY, date(2025, 3, 5)),
        entry("department:police", "checking", MONDAY, date(2025, 3, 6)),
        entry("department:health", "checking", MONDAY, date(2025, 3, 4)),
    ]
    assert elapsed(entries, date(2025, 3, 20)) == {"department:police": 3, "department:health": 1}


def test_weekends_and_holidays_are_nobodys() -> None:
    # The National Day of 2024 with its make-up days: 30 September to 8 October is one working day.
    entries = [entry("agency", "window_review", date(2024, 9, 30), date(2024, 10, 8))]
    assert elapsed(entries, date(2024, 10, 8)) == {"agency": 1}


def test_pauses_move_the_due_day_and_are_not_counted() -> None:
    entries = [
        entry("agency", "exception", MONDAY, date(2025, 3, 4)),
        entry("citizen", "supplement", date(2025, 3, 4), date(2025, 3, 11)),
        entry("agency", "window_review", date(2025, 3, 11), None),
    ]
    clock = case_clock(entries, at(MONDAY), None, date(2025, 3, 12))
    assert paused_days(entries, date(2025, 3, 12)) == 5
    assert clock.counted == 2
    assert clock.due is not None
    assert clock.due.day == date(2025, 3, 24)  # ten days and the five that were the applicant's
    assert clock.step_due is not None
    assert clock.step_due.day == date(2025, 3, 13)


@pytest.mark.parametrize(
    ("today", "shown"),
    [
        (date(2025, 3, 10), Light.GREEN),
        (date(2025, 3, 12), Light.GREEN),
        (date(2025, 3, 13), Light.YELLOW),
        (date(2025, 3, 14), Light.YELLOW),
        (date(2025, 3, 15), Light.RED),
        (date(2025, 3, 17), Light.RED),
    ],
)
def test_lights_turn_yellow_a_day_before_and_red_after_the_due_day(today: date, shown: Light) -> None:
    assert light(Deadline(date(2025, 3, 14), provisional=False), today) is shown


def test_a_case_that_has_ended_ages_no_more() -> None:
    entries = [entry("agency", "window_review", MONDAY, date(2025, 3, 5))]
    ended = case_clock(entries, at(MONDAY), at(date(2025, 3, 5)), date(2025, 6, 1))
    assert ended.counted == 2
    assert ended.light is Light.GREEN
    assert ended.step_due is None


def test_before_anything_is_submitted_nothing_counts() -> None:
    clock = case_clock([entry("citizen", "draft", MONDAY, None)], None, None, date(2025, 4, 1))
    assert (clock.counted, clock.due) == (0, None)
    assert clock.by_party["citizen"] > 0


def test_a_step_without_a_term_has_no_due_day() -> None:
    assert step_deadline(entry("citizen", "draft", MONDAY, None)) is None


@given(
    lengths=some.lists(
        some.tuples(some.sampled_from(["agency", "citizen", "system"]), some.integers(0, 9)), max_size=12
    )
)
def test_every_working_day_of_the_case_is_exactly_one_partys(lengths: list[tuple[str, int]]) -> None:
    entries, day = [], MONDAY
    for party, days in lengths:
        entries.append(entry(party, "window_review", day, day + timedelta(days=days)))
        day += timedelta(days=days)
    assert sum(elapsed(entries, day).values()) == working_days_between(MONDAY, day)


def test_the_real_case_keeps_its_own_ledger_of_days(kit: Kit) -> None:
    kit.departments.trouble["police"] = "dead"
    case_id = kit.submit()
    kit.clock.set(at(date(2025, 3, 6)))
    kit.run()
    kit.departments.trouble.clear()
    kit.wait(minutes=10)
    kit.working_days(1)
    kit.act(OTHER_CLERK, case_id, Event.WINDOW_PASS)
    clock = kit.view(case_id).clock
    days = {one.party: one.days for one in clock.parties}
    assert days["department:police"] == 3
    assert days["department:health"] == 0
    assert days["agency"] == 1
    assert clock.counted == 4
    assert (clock.promised, clock.was) == (10, 43)
    assert kit.view(case_id).state is State.FILING_REVIEW
    kit.working_days(4)
    late = kit.view(case_id).clock
    assert (late.step_light, late.light) == ("red", "green")
