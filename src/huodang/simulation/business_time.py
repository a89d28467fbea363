"""The business clock of a demonstration: real seconds, but on a day of our choosing, shared by all processes."""

from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from pathlib import Path

from huodang.standards import add_working_days
from huodang.store import SHANGHAI

_OPENS = time(9, 0)


class BusinessClock:
    """Writes the offset file that every process reads, and so moves them all to another working day at once."""

    def __init__(self, file: Path, day: date) -> None:
        self._file = file
        self.day = day
        self.open_day(day)

    def open_day(self, day: date) -> None:
        """Put the clock to the opening hour of a day."""
        wanted = datetime.combine(day, _OPENS, SHANGHAI)
        offset = ceil((wanted - datetime.now(UTC)) / timedelta(seconds=1))
        self._write(offset)
        self.day = day

    def move_on(self, seconds: int) -> None:
        """Let time pass at once, as a pause in the business would: leases end, and what waits falls due."""
        self._write(int(self._file.read_text("ascii")) + seconds)

    def _write(self, offset: int) -> None:
        # Whole and at once: another process may read at any moment.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset}\n", encoding="ascii")
        fresh.replace(self._file)

    def next_working_day(self) -> date:
        """Go on to the morning of the next working day."""
        self.open_day(add_working_days(self.day, 1).day)
        return self.day
