"""Instants are UTC inside and Beijing time for people."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.store import (
    FixedClock,
    OffsetClock,
    StoreError,
    SystemClock,
    parse_instant,
    shanghai_date,
    shanghai_text,
    to_shanghai,
    utc_text,
)


def test_the_day_in_china_begins_at_sixteen_hours_utc() -> None:
    assert shanghai_date(datetime(2025, 2, 28, 15, 59, 59, tzinfo=UTC)) == date(2025, 2, 28)
    assert shanghai_date(datetime(2025, 2, 28, 16, 0, tzinfo=UTC)) == date(2025, 3, 1)


def test_an_instant_is_shown_in_beijing_time() -> None:
    assert shanghai_text(datetime(2025, 3, 3, 0, 30, tzinfo=UTC)) == "2025-03-03 08:30:00"


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_printed_and_read_is_the_same(instant: datetime) -> None:
    assert parse_instant(utc_text(instant)) == instant


@pytest.mark.parametrize("convert", [to_shanghai, shanghai_text, shanghai_date, utc_text, FixedClock])
def test_a_naive_instant_is_refused(convert) -> None:
    with pytest.raises(ValueError, match="time zone"):
        convert(datetime(2025, 3, 3))  # noqa: DTZ001  # the naive one to refuse


def test_a_text_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        parse_instant("2025-03-03T08:30:00")


def test_a_fixed_clock_moves_only_by_hand(clock: FixedClock) -> None:
    before = clock.now()
    assert clock.now() == before
    clock.advance(timedelta(hours=15))
    assert clock.now() - before == timedelta(hours=15)
    assert clock.today() == date(2025, 3, 4)


def test_the_system_clock_tells_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_an_offset_clock_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "offset"
    clock = OffsetClock(path)
    assert abs(clock.now() - SystemClock().now()) < timedelta(seconds=5)
    path.write_text("864000\n")
    assert abs(clock.now() - SystemClock().now() - timedelta(days=10)) < timedelta(seconds=5)
    assert clock.today() == shanghai_date(clock.now())


def test_an_offset_file_with_something_else_in_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "offset"
    path.write_text("ten days")
    with pytest.raises(StoreError) as caught:
        OffsetClock(path).now()
    assert str(path) in caught.value.sentence("zh")
