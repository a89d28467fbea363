"""Time: where a service gets the moment from, and how a moment is shown.

Rules take dates; services take a `Clock`. Stored instants are UTC; people see Beijing time.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from huodang.standards import Place
from huodang.store.errors import StoreError

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Beijing time. China has kept one offset without summer time since 1992, so no time-zone data are needed."""


def to_shanghai(instant: datetime) -> datetime:
    """Turn an aware instant into Beijing time.

    Raises:
        ValueError: the datetime is naive, so nobody can say which moment it means.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone: a naive datetime was given")
    return instant.astimezone(SHANGHAI)


def shanghai_date(instant: datetime) -> date:
    """Say which calendar day it is in China at this instant."""
    return to_shanghai(instant).date()


def shanghai_text(instant: datetime) -> str:
    """Print an instant for people: `2025-03-01 08:30:00` in Beijing time."""
    return to_shanghai(instant).strftime("%Y-%m-%d %H:%M:%S")


def utc_text(instant: datetime) -> str:
    """Print an instant for machines, in GB/T 7408 form: `2025-03-01T00:30:00Z`, microseconds if any."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone: a naive datetime was given")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_instant(text: str) -> datetime:
    """Read what `utc_text` printed, or any ISO 8601 instant that says its offset, as aware UTC.

    Raises:
        ValueError: no instant, or one without an offset.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return instant.astimezone(UTC)


class Clock(Protocol):
    """What a service asks for the time."""

    def now(self) -> datetime:
        """Tell the present instant, aware, in UTC."""
        ...

    def today(self) -> date:
        """Tell the present day in China."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the present instant, aware, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Tell the present day in China."""
        return shanghai_date(self.now())


class FixedClock:
    """A clock that stands until it is moved by hand; for tests and for computing as of a past moment."""

    def __init__(self, instant: datetime) -> None:
        self._instant = to_shanghai(instant).astimezone(UTC)

    def now(self) -> datetime:
        """Tell the instant at which the clock stands, aware, in UTC."""
        return self._instant

    def today(self) -> date:
        """Tell the day in China at which the clock stands."""
        return shanghai_date(self._instant)

    def advance(self, by: timedelta) -> None:
        """Move the clock on."""
        self._instant += by

    def set(self, instant: datetime) -> None:
        """Put the clock to another instant."""
        self._instant = to_shanghai(instant).astimezone(UTC)


class OffsetClock:
    """The machine's clock plus the whole seconds that a file holds; for demonstrations that walk through working days.

    The file is read anew on every look, so that all processes of a demonstration move together. A missing or empty
    file means no offset.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def now(self) -> datetime:
        """Tell the present instant plus the offset, aware, in UTC.

        Raises:
            StoreError: the file holds something other than a whole number of seconds.
        """
        try:
            text = self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            text = ""
        try:
            seconds = int(text or "0")
        except ValueError:
            raise StoreError(
                "时钟偏移文件的内容不是整数秒",
                "The clock offset file holds no whole number of seconds",
                advice_chinese="请在文件中只写一个整数，例如 86400。",
                advice_english="Write one whole number into it, such as 86400.",
                place=Place(file=str(self._path)),
            ) from None
        return datetime.now(UTC) + timedelta(seconds=seconds)

    def today(self) -> date:
        """Tell the day in China at `now()`."""
        return shanghai_date(self.now())
