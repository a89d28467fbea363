"""The watch's figures, as data: on which day of the month benefits are paid."""

import calendar
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

from huodang.standards import Month

_LAST_DAY: Final = 31


@dataclass(frozen=True)
class Payday:
    """On which day of a month its benefits are paid (发放日); in a shorter month on its last day.

    Raises:
        ValueError: there is no such day.
    """

    of_month: int

    def __post_init__(self) -> None:
        if not 1 <= self.of_month <= _LAST_DAY:
            raise ValueError(self.of_month)

    def of(self, month: Month) -> date:
        """Give the day on which a month is paid."""
        return date(month.year, month.month, min(self.of_month, calendar.monthrange(month.year, month.month)[1]))


@cache
def default_payday() -> Payday:
    """Give the product's own; a deployment tells what is true for it."""
    text = files("huodang.supervision.watch").joinpath("terms.yaml").read_text(encoding="utf-8")
    return Payday(int(yaml.safe_load(text)["payday_of_month"]["value"]))
