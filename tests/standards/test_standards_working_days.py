from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import (
    Deadline,
    add_working_days,
    is_calendar_published,
    is_working_day,
    working_days_between,
)

DAYS = st.dates(date(2003, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 1, 26), True),  # Sunday, made up for the Spring Festival
        (date(2025, 1, 28), False),
        (date(2025, 2, 8), True),  # Saturday, made up
        (date(2025, 9, 28), True),  # Sunday, made up for the National Day
        (date(2025, 10, 8), False),  # Wednesday, off in exchange
        (date(2025, 10, 9), True),
        (date(2025, 10, 11), True),  # Saturday, made up
        (date(2025, 10, 12), False),
        (date(2024, 2, 4), True),  # Sunday, made up
    ],
)
def test_holidays_and_make_up_days_are_those_of_the_published_calendar(day, works):
    assert is_working_day(day) is works


def test_a_term_begins_on_the_day_after():
    assert add_working_days(date(2025, 6, 9), 1) == Deadline(date(2025, 6, 10), provisional=False)
    assert add_working_days(date(2025, 6, 13), 1) == Deadline(date(2025, 6, 16), provisional=False)


def test_a_term_over_the_national_day_counts_the_make_up_saturday():
    assert add_working_days(date(2025, 9, 30), 3).day == date(2025, 10, 11)


def test_a_term_of_no_days_ends_where_it_starts():
    assert add_working_days(date(2025, 10, 1), 0) == Deadline(date(2025, 10, 1), provisional=False)


def test_a_negative_term_is_refused():
    with pytest.raises(ValueError, match="negative"):
        add_working_days(date(2025, 1, 1), -1)


def test_years_without_a_published_calendar_count_monday_to_friday_and_say_so():
    assert not is_calendar_published(2099)
    assert is_working_day(date(2099, 10, 1))  # a Thursday
    assert not is_working_day(date(2099, 10, 3))
    assert add_working_days(date(2099, 9, 30), 3) == Deadline(date(2099, 10, 5), provisional=True)
    assert add_working_days(date(1990, 1, 1), 1).provisional


def test_a_term_that_runs_into_such_a_year_is_provisional():
    last = max(year for year in range(2020, 2100) if is_calendar_published(year))
    assert add_working_days(date(last, 12, 31), 1).provisional
    assert not add_working_days(date(last, 6, 1), 5).provisional


@given(DAYS, st.integers(1, 40))
def test_a_deadline_is_a_working_day_and_counts_back_to_its_term(day, count):
    deadline = add_working_days(day, count).day
    assert is_working_day(deadline)
    assert working_days_between(day, deadline) == count
    assert working_days_between(deadline, day) == -count


@given(DAYS, st.integers(0, 60), st.integers(0, 60))
def test_counts_add_up(day, first, second):
    middle = day + timedelta(days=first)
    end = middle + timedelta(days=second)
    assert working_days_between(day, middle) + working_days_between(middle, end) == working_days_between(day, end)
