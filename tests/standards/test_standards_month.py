from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import HuodangError, Month, MonthError

MONTHS = st.builds(Month, st.integers(1600, 2400), st.integers(1, 12))


@pytest.mark.parametrize(
    "text",
    [
        "202501",
        "2025-01",
        "2025-1",
        "2025/01",
        "2025/1",
        "2025.01",
        "2025年1月",
        "2025年01月",
        "２０２５０１",
        " 202501\n",
    ],
)
def test_every_usual_way_of_writing_a_month_is_read(text):
    assert Month.parse(text) == Month(2025, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "20251",
        "202513",
        "202500",
        "2025-13",
        "20250101",
        "2025-01-01",
        "25-01",
        "2025年",
        "②⓪②⑤01",
        "000001",
    ],
)
def test_what_is_not_a_month_is_refused(text):
    with pytest.raises(MonthError) as caught:
        Month.parse(text)
    assert caught.value.code == "month.invalid"
    assert caught.value.advice_chinese


def test_a_month_that_does_not_exist_cannot_be_made():
    with pytest.raises(HuodangError):
        Month(2025, 0)


@given(MONTHS)
def test_parse_is_the_inverse_of_print(month):
    assert Month.parse(str(month)) == Month.parse(month.iso) == month


@given(MONTHS, st.integers(-2000, 2000))
def test_adding_months_and_subtracting_them_again_changes_nothing(month, months):
    later = month + months
    assert later - months == month
    assert later - month == months
    assert (later > month) == (months > 0)


@given(MONTHS)
def test_ordinal_counts_months_one_by_one(month):
    assert Month.from_ordinal(month.ordinal) == month
    assert (month + 1).ordinal == month.ordinal + 1


@given(st.dates(date(1600, 1, 1), date(2400, 12, 31)))
def test_every_day_lies_between_first_and_last_day_of_its_month(day):
    month = Month.of(day)
    assert month.first_day() <= day <= month.last_day()


def test_last_day_of_february_follows_the_leap_years():
    assert Month(2024, 2).last_day() == date(2024, 2, 29)
    assert Month(1900, 2).last_day() == date(1900, 2, 28)
