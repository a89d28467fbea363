"""Dates, months and instants as a source writes them, read by a pattern such as `yyyymmdd` or `yyyy-mm-dd hh:mm:ss`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as calendar_date
from typing import Final, Self

from huodang.store import SHANGHAI

_PIECE: Final = re.compile(r"yyyy|mm|dd|hh|ss")
_NAMES: Final = {"yyyy": "year", "mm": "month", "dd": "day", "hh": "hour", "ss": "second"}


class FormatFault(ValueError):  # noqa: N818  (it never leaves the gateway's reading of one cell)
    """A pattern can't be understood, or a text doesn't follow its pattern. Holds no value."""


@dataclass(frozen=True)
class MomentFormat:
    """One pattern of `yyyy`, `mm`, `dd`, `hh`, `mm` (after `hh`: minutes), `ss` and separators."""

    pattern: str
    expression: re.Pattern[str]
    parts: frozenset[str]

    @classmethod
    def compile(cls, pattern: str) -> Self:
        """Understand a pattern.

        Raises:
            FormatFault: it has no year and month, a part stands twice, or a part needs another that is missing.
        """
        expression, parts, position = "", list[str](), 0
        for piece in _PIECE.finditer(pattern.lower()):
            name = _NAMES[piece.group()]
            if name == "month" and "hour" in parts:
                name = "minute"
            if name in parts:
                raise FormatFault(pattern)
            expression += re.escape(pattern[position : piece.start()]) + f"(?P<{name}>[0-9]{{{len(piece.group())}}})"
            parts.append(name)
            position = piece.end()
        rest = pattern[position:]
        found = frozenset(parts)
        wanted = [{"year", "month"}, {"day"}, {"hour"}, {"minute"}, {"second"}]
        depth = 0
        while depth < len(wanted) and wanted[depth] <= found:
            depth += 1
        if (
            depth == 0
            or found - set[str]().union(*wanted[:depth])
            or re.search(r"[A-SU-Za-z]", _PIECE.sub("", pattern))
        ):
            raise FormatFault(pattern)
        return cls(pattern, re.compile(expression + re.escape(rest)), found)

    def _numbers(self, text: str) -> dict[str, int]:
        match = self.expression.fullmatch(text)
        if match is None:
            raise FormatFault(self.pattern)
        return {name: int(digits) for name, digits in match.groupdict().items()}

    def instant(self, text: str) -> datetime:
        """Read an instant; parts the pattern leaves out are the first of their kind. Gives UTC."""
        numbers = {"day": 1, **self._numbers(text)}
        try:
            return datetime(**numbers, tzinfo=SHANGHAI).astimezone(UTC)
        except ValueError:
            raise FormatFault(self.pattern) from None

    def date(self, text: str) -> calendar_date:
        """Read a date."""
        if "day" not in self.parts:
            raise FormatFault(self.pattern)
        return self.instant(text).astimezone(SHANGHAI).date()

    def month(self, text: str) -> str:
        """Read a month, as `YYYYMM`."""
        return f"{self.instant(text).astimezone(SHANGHAI):%Y%m}"

    def write(self, day: calendar_date) -> str:
        """Write a date (or a date with time, in Beijing time) by this pattern."""
        moment = day.astimezone(SHANGHAI) if isinstance(day, datetime) else datetime(day.year, day.month, day.day)  # noqa: DTZ001  (a calendar day has no zone)
        seen_hour = False

        def piece(match: re.Match[str]) -> str:
            nonlocal seen_hour
            name = match.group()
            seen_hour = seen_hour or name == "hh"
            values = {
                "yyyy": f"{moment.year:04d}",
                "mm": f"{moment.minute if seen_hour else moment.month:02d}",
                "dd": f"{moment.day:02d}",
                "hh": f"{moment.hour:02d}",
                "ss": f"{moment.second:02d}",
            }
            return values[name]

        return _PIECE.sub(piece, self.pattern.lower())


ISO_DATE: Final = MomentFormat.compile("yyyy-mm-dd")
ISO_MONTH: Final = MomentFormat.compile("yyyy-mm")
COMPACT_MONTH: Final = MomentFormat.compile("yyyymm")
ISO_INSTANT: Final = MomentFormat.compile("yyyy-mm-dd hh:mm:ss")
