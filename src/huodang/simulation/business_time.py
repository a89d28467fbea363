"""The business clock of a demonstration: real seconds, but on a day of our choosing, shared by all processes."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from pathlib import Path

from huodang.standards import add_working_days
from huodang.store import SHANGHAI, OffsetClock

_OPENS = time(9, 0)


class BusinessClock:
    """Writes the offset file that every process reads, and so moves them all to another working day at once."""

    def __init__(self, file: Path, day: date) -> None:
        self._file = file
        self._clock = OffsetClock(file)
        self.day = day
        self.open_day(day)

    def open_day(self, day: date) -> None:
        """Put the clock to the opening hour of a day."""
        wanted = datetime.combine(day, _OPENS, SHANGHAI)
        offset = ceil((wanted - datetime.now(UTC)) / timedelta(seconds=1))
        # Whole and at once: another process may read at any moment.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset}\n", encoding="ascii")
        fresh.replace(self._file)
        self.day = day

    def next_working_day(self) -> date:
        """Go on to the morning of the next working day."""
        self.open_day(add_working_days(self.day, 1).day)
        return self.day

    def now(self) -> datetime:
        """Tell the business instant."""
        return self._clock.now()

    def remove(self) -> None:
        """Take the file away: the processes are back in real time."""
        with contextlib.suppress(FileNotFoundError):
            self._file.unlink()
