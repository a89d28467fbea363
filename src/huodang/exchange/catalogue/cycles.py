"""Update cycles (更新周期): until when data may be as old as they are."""

import calendar
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from huodang.standards import add_working_days


def due_by(cycle: str, as_of: date) -> date | None:
    """Give the last day on which data as of a day are still within their cycle; None if the cycle sets no day.

    The cycle runs in calendar days or months; the grace after it in working days.

    Raises:
        KeyError: there is no such cycle.
    """
    told = _cycles()[cycle]
    if "days" in told:
        turn = as_of + timedelta(days=told["days"])
    elif "months" in told:
        turn = _months_later(as_of, told["months"])
    else:
        return None
    return add_working_days(turn, told["grace_working_days"]).day


def cycle_names() -> dict[str, tuple[str, str]]:
    """Give the cycles' names, Chinese and English."""
    return {cycle: (told["chinese"], told["english"]) for cycle, told in _cycles().items()}


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@cache
def _cycles() -> dict[str, Any]:
    text = files("huodang.exchange").joinpath("data", "update_cycles.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)["cycles"]
    return data
