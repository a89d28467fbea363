"""All gateways of one department: the least busy is asked, who fails is left alone, a slow check is asked twice.

The gateways share nothing but source and agreements, unless the department lets them share their memory
(`docs/calls.md`). A check may be put to several, as it changes nothing; an action never is, unless it certainly did not
arrive: the department's own table sees to it that it is done once, however often it is asked.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from huodang.exchange.answers import CallFailure, Failure, FailureCode
from huodang.exchange.calls.balancing import Latencies, order
from huodang.exchange.calls.breaker import Breaker, BreakerState

_AWAY: Final = frozenset({FailureCode.UNREACHABLE, FailureCode.TIMEOUT})
_NEVER_ARRIVED: Final = frozenset({"NewConnectionError", "ConnectTimeoutError"})
_HEDGES_AT_ONCE: Final = 32


class AnsweringClient(Protocol):
    """One gateway, as the group needs it."""

    def answers(self, grants: Sequence[str]) -> list[bytes]:
        """Send grants and give what came back; raises CallFailure."""
        ...

    def batch(self, grant: str, pages: Sequence[bytes]) -> Iterator[bytes]:
        """Send a batch and give what comes back line by line; raises CallFailure."""
        ...


Good = Callable[[Sequence[bytes]], bool]


@dataclass(frozen=True)
class Standing:
    """How one gateway does, for the overview and for metrics.

    Attributes:
        hedges: calls that came here because another gateway was slow.
        spare: good answers that another gateway's had overtaken.
    """

    state: BreakerState
    in_flight: int
    calls: int
    failures: int
    hedges: int
    spare: int


@dataclass(eq=False)
class _Member:
    client: AnsweringClient
    breaker: Breaker = field(default_factory=Breaker)
    in_flight: int = 0
    calls: int = 0
    failures: int = 0
    hedges: int = 0
    spare: int = 0


class GatewayGroup:
    """The gateways of one department. Safe to share between threads.

    Args:
        clients: one or more.
        hedge_seconds: after how long a second gateway is asked; None for what nineteen of twenty calls stay below.
        clock: seconds that only run forward.
    """

    def __init__(
        self,
        clients: Sequence[AnsweringClient],
        *,
        hedge_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._members = [_Member(client) for client in clients]
        self._hedge_seconds = hedge_seconds
        self._clock = clock
        self._turn = 0
        self._latencies = Latencies()
        self._lock = threading.Lock()
        self._together: ThreadPoolExecutor | None = None

    def answers(self, grants: Sequence[str], *, good: Good | None = None) -> list[bytes]:
        """Send grants to one gateway, and to another if the first is away or, for checks, slow.

        Args:
            grants: as they are sent.
            good: tells an answer that can be used; None if the grants are not to be put twice, as actions.

        Raises:
            CallFailure: no gateway brought anything usable; the first one's reason.
        """
        if good is None or len(self._members) == 1:
            return self._in_turn(grants, twice=good is not None)
        return self._hedged(grants, good)

    def batch(self, grant: str, pages: Sequence[bytes]) -> Iterator[bytes]:
        """Send a batch to the least busy gateway. If it dies on the way the batch fails whole, and is asked anew.

        Raises:
            CallFailure: as GatewayClient.batch; also while lines are read.
        """
        member = self._next()
        began = self._clock()
        try:
            yield from member.client.batch(grant, pages)
        except CallFailure as problem:
            self._ended(member, began, problem.failure)
            raise
        except BaseException:  # who reads has given up: that says nothing of the gateway
            self._left(member)
            raise
        self._ended(member, began, None)

    def standing(self) -> list[Standing]:
        """Tell how each gateway does."""
        with self._lock:
            return [
                Standing(one.breaker.state, one.in_flight, one.calls, one.failures, one.hedges, one.spare)
                for one in self._members
            ]

    def close(self) -> None:
        """End the threads that ask twice."""
        if self._together is not None:
            self._together.shutdown(wait=False, cancel_futures=True)

    def _in_turn(self, grants: Sequence[str], *, twice: bool) -> list[bytes]:
        """Ask one after the other for as long as the one before is away, and certainly wasn't reached if so asked."""
        first: CallFailure | None = None
        for _ in self._members:
            try:
                return self._ask(self._next(), grants)
            except CallFailure as problem:
                first = first or problem
                failure = problem.failure
                if failure.code not in _AWAY or not (twice or failure.detail in _NEVER_ARRIVED):
                    break
        raise first or CallFailure(Failure.of(FailureCode.UNREACHABLE, "no_gateway"))

    def _hedged(self, grants: Sequence[str], good: Good) -> list[bytes]:
        """Ask one, and another once the first has failed or is slow; the first good answer counts."""
        tried: list[_Member] = []
        asked: dict[Future[list[bytes]], _Member] = {}
        usable: list[bytes] | None = None
        failed: CallFailure | None = None
        patience: float | None = 0.0
        while True:
            if patience is not None and (member := self._another(tried)) is not None:
                asked[self._pool().submit(self._ask, member, grants)] = member
                member.hedges += bool(tried)
                tried.append(member)
                patience = self._patience() if len(tried) == 1 else None
            elif not asked:
                break
            else:
                patience = None
            done, _ = wait(asked, timeout=patience, return_when=FIRST_COMPLETED)
            for future in done:
                del asked[future]
                try:
                    found = future.result()
                except CallFailure as problem:
                    failed = failed or problem
                    continue
                if good(found):
                    for late, member in asked.items():
                        late.add_done_callback(partial(self._overtaken, member=member))
                    return found
                usable = found
            if done:
                patience = 0.0  # what came is of no use: another is asked at once
        if usable is not None:
            return usable
        raise failed or CallFailure(Failure.of(FailureCode.UNREACHABLE, "circuit_open"))

    def _patience(self) -> float | None:
        return self._hedge_seconds if self._hedge_seconds is not None else self._latencies.slow()

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._together is None:
                self._together = ThreadPoolExecutor(_HEDGES_AT_ONCE, thread_name_prefix="gateways")
            return self._together

    def _overtaken(self, late: "Future[list[bytes]]", member: _Member) -> None:
        if not late.cancelled() and late.exception() is None:
            with self._lock:
                member.spare += 1

    def _ask(self, member: _Member, grants: Sequence[str]) -> list[bytes]:
        began = self._clock()
        try:
            found = member.client.answers(grants)
        except CallFailure as problem:
            self._ended(member, began, problem.failure)
            raise
        except BaseException:
            self._left(member)
            raise
        self._ended(member, began, None)
        return found

    def _next(self) -> _Member:
        """Take the least busy gateway that may be asked.

        Raises:
            CallFailure: all are being left alone.
        """
        member = self._another(())
        if member is None:
            raise CallFailure(Failure.of(FailureCode.UNREACHABLE, "circuit_open"))
        return member

    def _another(self, tried: Sequence[_Member]) -> _Member | None:
        """Take the least busy gateway that wasn't tried and may be asked; it counts as asked from now on."""
        with self._lock:
            now = self._clock()
            self._turn += 1
            members = self._members
            allowed = [one not in tried and one.breaker.allows(now) for one in members]
            places = order([one.in_flight for one in members], allowed, self._turn)
            if not places:
                return None
            member = members[places[0]]
            member.breaker = member.breaker.called(now)
            member.in_flight += 1
            member.calls += 1
            return member

    def _ended(self, member: _Member, began: float, failure: Failure | None) -> None:
        with self._lock:
            now = self._clock()
            member.in_flight -= 1
            if failure is not None and failure.code in _AWAY:
                member.failures += 1
                member.breaker = member.breaker.failed(now)
            else:
                member.breaker = member.breaker.succeeded()
                self._latencies = self._latencies.took(now - began)

    def _left(self, member: _Member) -> None:
        with self._lock:
            member.in_flight -= 1
            member.breaker = member.breaker.failed(self._clock()) if _tries(member) else member.breaker


def _tries(member: _Member) -> bool:
    return member.breaker.state is BreakerState.HALF_OPEN
