"""Working days by the calendar that the State Council publishes for each year, make-up days (调休) included."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar

_DAY = timedelta(days=1)
_PUBLISHED_YEARS = frozenset(day.year for day in chinese_calendar.holidays)


@dataclass(frozen=True)
class Deadline:
    """The last day of a term of working days.

    Attributes:
        day: The day itself.
        provisional: A year on the way has no published calendar yet, so its days count Monday to Friday and the
            deadline may still move.
    """

    day: date
    provisional: bool


def is_calendar_published(year: int) -> bool:
    """Tell whether the holidays of a year are known here."""
    return year in _PUBLISHED_YEARS


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Tell whether offices work on a day; Monday to Friday where the year has no published calendar.

    Source: 全国年节及纪念日放假办法 and the State Council's notice for each year, as carried by `chinesecalendar`.
    """
    if is_calendar_published(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def add_working_days(day: date, count: int) -> Deadline:
    """Give the last day of a term of working days; the day it starts on isn't counted.

    A term of no days ends on the day itself, working day or not.

    Source: 民法典 art. 201 (the day on which a term begins isn't counted; unverified for terms inside agencies).

    Raises:
        ValueError: the count is negative.
    """
    if count < 0:
        raise ValueError("a term of working days isn't negative")
    provisional = False
    while count:
        day += _DAY
        provisional = provisional or not is_calendar_published(day.year)
        count -= is_working_day(day)
    return Deadline(day, provisional)


def working_days_between(start: date, end: date) -> int:
    """Count the working days after `start` up to and with `end`; negative if `end` comes first."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + _DAY * days) for days in range(1, (end - start).days + 1))
