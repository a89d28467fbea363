"""The circuit breaker (熔断) of one gateway: pure. Who has failed some times in a row is left alone for a while."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

FAILURES_TO_OPEN: Final = 5
FIRST_REST_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 10.0


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"  # 正常
    OPEN = "open"  # 熔断
    HALF_OPEN = "half_open"  # 试探: one call is on its way to see whether the gateway is back


@dataclass(frozen=True)
class Breaker:
    """A breaker's state; immutable. Instants are seconds of any clock that only runs forward.

    Attributes:
        failures: in a row.
        until: when an open breaker lets one call try.
        rest: how long it rests; twice as long each time the try fails.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    until: float = 0.0
    rest: float = FIRST_REST_SECONDS

    def allows(self, now: float) -> bool:
        """Say whether a call may go: always when closed, once the rest is over when open."""
        return self.state is BreakerState.CLOSED or (self.state is BreakerState.OPEN and now >= self.until)

    def called(self, now: float) -> Self:
        """Note that a call goes; of an open breaker whose rest is over it is the one that tries."""
        if self.state is BreakerState.OPEN and now >= self.until:
            return replace(self, state=BreakerState.HALF_OPEN)
        return self

    def succeeded(self) -> Self:
        """Note that a call was answered."""
        return type(self)()

    def failed(self, now: float) -> Self:
        """Note that a call brought nothing because the gateway is away or ill."""
        failures = self.failures + 1
        if self.state is BreakerState.HALF_OPEN:
            rest = min(2 * self.rest, LONGEST_REST_SECONDS)
            return replace(self, state=BreakerState.OPEN, failures=failures, until=now + rest, rest=rest)
        if self.state is BreakerState.CLOSED and failures >= FAILURES_TO_OPEN:
            return replace(self, state=BreakerState.OPEN, failures=failures, until=now + self.rest)
        return replace(self, failures=failures)
