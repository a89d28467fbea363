"""How many subjects were asked about in the last minute: pure. The bound of an agreement (`calls_per_minute`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

WINDOW_SECONDS: Final = 61
"""A second counts for as long as any moment in it lies less than a minute back."""


@dataclass(frozen=True)
class Spending:
    """What was spent under one agreement, by second; immutable.

    In no span of sixty seconds is more admitted than the limit, however the spending is spread.
    """

    by_second: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Make it from pairs of second and number."""
        return cls(tuple(sorted(pairs)))

    def wait(self, second: int, cost: int, limit: int) -> int | None:
        """Say in how many seconds so much may be spent: 0 for now, None for never, as it is more than the limit."""
        if cost > limit:
            return None
        counting = self._counting(second)
        over = sum(number for _, number in counting) + cost - limit
        free_at = second
        for began, number in counting:
            if over <= 0:
                break
            over -= number
            free_at = began + WINDOW_SECONDS
        return free_at - second

    def spend(self, second: int, cost: int) -> Self:
        """Give the spending with so much more of it; what no longer counts is forgotten."""
        together: dict[int, int] = {}
        for began, number in (*self._counting(second), (second, cost)):
            together[began] = together.get(began, 0) + number
        return self.of(together.items())

    def _counting(self, second: int) -> list[tuple[int, int]]:
        """Give what counts now. A second that lies ahead, since a clock was set back, counts as this one."""
        return [(min(began, second), number) for began, number in self.by_second if began + WINDOW_SECONDS > second]
