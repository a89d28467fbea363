"""A calendar month: the unit in which contributions are made and pensions are paid."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, overload

from huodang.standards.errors import BadValue
from huodang.standards.text import to_half_width

_FORMS = re.compile(r"([0-9]{4})(?:([0-9]{2})|[-/.]([0-9]{1,2})|年([0-9]{1,2})月)")


class MonthError(BadValue):
    """A text or a pair of numbers isn't a month."""

    code: ClassVar[str] = "month.invalid"


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, ordered in time. Written `YYYYMM` in files and tables.

    Source: GB/T 7408 (representation of dates; the clause is unverified).

    Raises:
        MonthError: the year isn't 1 to 9999 or the month isn't 1 to 12.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise MonthError(
                f"{self.year} 年 {self.month} 月不存在",
                f"there is no month {self.month} of year {self.year}",
                advice_chinese="月份应在 1 至 12 之间，年份为四位数。",
                advice_english="A month is 1 to 12 and a year has four digits.",
            )

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read `202501`, `2025-01`, `2025-1`, `2025/01`, `2025.01` or `2025年1月`, in half or full width.

        Raises:
            MonthError: the text has another form, or the month doesn't exist.
        """
        found = _FORMS.fullmatch(to_half_width(text).strip())
        if found is None:
            raise MonthError(
                "年月的写法无法识别",
                "the text isn't a month",
                advice_chinese="请写成六位年月，例如 202501。",
                advice_english="Write six digits, such as 202501.",
            )
        return cls(int(found[1]), int(found[2] or found[3] or found[4]))

    @classmethod
    def of(cls, day: date) -> "Month":
        """Give the month in which a day lies."""
        return cls(day.year, day.month)

    @classmethod
    def from_ordinal(cls, ordinal: int) -> "Month":
        """Give the month with this count of months; the inverse of `ordinal`."""
        return cls(ordinal // 12, ordinal % 12 + 1)

    @property
    def ordinal(self) -> int:
        """Count months: year times 12 plus month less 1. Differences of it are numbers of months."""
        return self.year * 12 + self.month - 1

    @property
    def iso(self) -> str:
        """Write the month as `2025-01`."""
        return f"{self.year:04d}-{self.month:02d}"

    def first_day(self) -> date:
        """Give the first day of the month."""
        return date(self.year, self.month, 1)

    def last_day(self) -> date:
        """Give the last day of the month."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def __str__(self) -> str:
        return f"{self.year:04d}{self.month:02d}"

    def __add__(self, months: int) -> "Month":
        return Month.from_ordinal(self.ordinal + months)

    @overload
    def __sub__(self, other: int) -> "Month": ...

    @overload
    def __sub__(self, other: "Month") -> int: ...

    def __sub__(self, other: "int | Month") -> "Month | int":
        if isinstance(other, Month):
            return self.ordinal - other.ordinal
        return Month.from_ordinal(self.ordinal - other)
