"""Dates as sources write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange.gateway.formats import FormatFault, MomentFormat

PATTERNS = ("yyyymmdd", "yyyy-mm-dd", "yyyy/mm/dd", "yyyy.mm.dd", "yyyy年mm月dd日", "dd-mm-yyyy")


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)), st.sampled_from(PATTERNS))
def test_a_date_written_by_a_pattern_is_read_back(day: date, pattern: str) -> None:
    compiled = MomentFormat.compile(pattern)
    assert compiled.date(compiled.write(day)) == day


def test_an_instant_is_beijing_time_and_minutes_stand_after_hours() -> None:
    compiled = MomentFormat.compile("yyyymmddhhmmss")
    assert compiled.instant("20250301080509") == datetime(2025, 3, 1, 0, 5, 9, tzinfo=UTC)
    assert compiled.write(datetime(2025, 3, 1, 0, 5, 9, tzinfo=UTC)) == "20250301080509"


def test_a_month_is_read_without_a_day() -> None:
    assert MomentFormat.compile("yyyy-mm").month("2025-03") == "202503"
    with pytest.raises(FormatFault):
        MomentFormat.compile("yyyy-mm").date("2025-03")


@pytest.mark.parametrize("text", ["20250230", "2025-3-1", "", "00000000", "202503011", "２０２５０３０１"])
def test_a_text_that_is_no_date_by_its_pattern_is_a_fault(text: str) -> None:
    with pytest.raises(FormatFault):
        MomentFormat.compile("yyyymmdd").date(text)


@pytest.mark.parametrize("pattern", ["", "dd", "yyyy", "yyyymmyyyy", "yyyy-dd", "yyyymmdd ss", "yyyymmdd at hh"])
def test_a_pattern_that_names_no_moment_is_a_fault(pattern: str) -> None:
    with pytest.raises(FormatFault):
        MomentFormat.compile(pattern)
