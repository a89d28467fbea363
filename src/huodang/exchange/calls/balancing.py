"""Which of a department's gateways is asked next, and when a second one is asked as well: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

KEPT: Final = 256
FEWEST: Final = 20
"""Below this many calls nobody can say what is slow."""
SOONEST_SECONDS: Final = 0.05


def order(in_flight: Sequence[int], allowed: Sequence[bool], turn: int) -> list[int]:
    """Give the places of the allowed gateways, the least busy first; those equally busy take turns.

    Args:
        in_flight: calls on their way to each.
        allowed: what the breakers say.
        turn: counts up from call to call.
    """
    places = [place for place, permitted in enumerate(allowed) if permitted]
    return sorted(places, key=lambda place: (in_flight[place], (place - turn) % len(in_flight)))


@dataclass(frozen=True)
class Latencies:
    """How long the last calls took, in seconds; immutable."""

    seconds: tuple[float, ...] = ()

    def took(self, seconds: float) -> Self:
        """Note one call more; the oldest is forgotten."""
        return type(self)((*self.seconds[-KEPT + 1 :], seconds))

    def slow(self) -> float | None:
        """Give the time that nineteen of twenty calls stay below; None as long as too few are known."""
        if len(self.seconds) < FEWEST:
            return None
        return max(SOONEST_SECONDS, sorted(self.seconds)[len(self.seconds) * 95 // 100])
