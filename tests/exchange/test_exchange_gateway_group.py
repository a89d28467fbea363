"""Several gateways of one department: who is asked, who is left alone, and when two are asked."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange.answers import CallFailure, Failure, FailureCode
from huodang.exchange.calls.balancing import Latencies, order
from huodang.exchange.calls.breaker import FAILURES_TO_OPEN, LONGEST_REST_SECONDS, Breaker, BreakerState
from huodang.exchange.calls.gateway_group import GatewayGroup


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=60))
def test_a_breaker_lets_one_try_at_a_time_once_its_rest_is_over(story: list[tuple[bool, float]]) -> None:
    breaker, now, row = Breaker(), 0.0, 0
    for good, later in story:
        now += later
        if breaker.allows(now):
            breaker = breaker.called(now)
            if breaker.state is BreakerState.HALF_OPEN:
                assert not breaker.allows(now + 1000)
            breaker = breaker.succeeded() if good else breaker.failed(now)
            row = 0 if good else row + 1
        assert (breaker.state is BreakerState.CLOSED) is (row < FAILURES_TO_OPEN)
        assert breaker.allows(now + LONGEST_REST_SECONDS)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=8), st.integers(0, 99))
def test_the_least_busy_of_those_who_may_be_asked_comes_first(members: list[tuple[int, bool]], turn: int) -> None:
    in_flight, allowed = [busy for busy, _ in members], [may for _, may in members]
    places = order(in_flight, allowed, turn)
    assert sorted(places) == [place for place, may in enumerate(allowed) if may]
    assert [in_flight[place] for place in places] == sorted(in_flight[place] for place in places)


@given(st.integers(1, 6), st.integers(0, 50))
def test_those_equally_busy_take_turns(count: int, turn: int) -> None:
    firsts = {order([0] * count, [True] * count, turn + step)[0] for step in range(count)}
    assert firsts == set(range(count))


@given(st.lists(st.floats(0, 9), min_size=20, max_size=300))
def test_about_nineteen_of_twenty_calls_are_no_slower_than_what_counts_as_slow(seconds: list[float]) -> None:
    latencies = Latencies()
    for one in seconds:
        latencies = latencies.took(one)
    slow = latencies.slow()
    assert slow is not None
    assert sum(one <= slow for one in latencies.seconds) >= 0.95 * len(latencies.seconds)


class Scripted:
    """A gateway that does what it is told."""

    def __init__(self, name: bytes, acts: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.acts = acts
        self.asked = 0

    def answers(self, grants: Sequence[str]) -> list[bytes]:
        self.asked += 1
        self.acts()
        return [self.name] * len(grants)

    def batch(self, grant: str, pages: Sequence[bytes]) -> Iterator[bytes]:  # noqa: ARG002  (as a gateway has it)
        self.asked += 1
        yield self.name
        self.acts()


def away(detail: str = "ProtocolError") -> Callable[[], None]:
    def fail() -> None:
        raise CallFailure(Failure.of(FailureCode.UNREACHABLE, detail))

    return fail


def usable(came: Sequence[bytes]) -> bool:
    return b"replayed" not in came


def test_a_check_goes_to_another_gateway_when_one_is_away() -> None:
    group = GatewayGroup([Scripted(b"a", away()), Scripted(b"b")])
    assert {group.answers(["g"], good=usable)[0] for _ in range(6)} == {b"b"}


def test_an_action_goes_to_another_gateway_only_if_it_never_arrived() -> None:
    lost = GatewayGroup([Scripted(b"a", away()), Scripted(b"b", away())])
    with pytest.raises(CallFailure):
        lost.answers(["g"])
    assert sum(one.calls for one in lost.standing()) == 1
    refused = GatewayGroup([Scripted(b"a", away("NewConnectionError")), Scripted(b"b")])
    assert {refused.answers(["g"])[0] for _ in range(4)} == {b"b"}


def test_a_slow_check_is_put_to_a_second_gateway_and_the_late_answer_is_noted() -> None:
    go = threading.Event()
    slow = Scripted(b"slow", lambda: go.wait(10) and None)
    group = GatewayGroup([slow, Scripted(b"quick")], hedge_seconds=0.01)
    for _ in range(2):
        assert group.answers(["g"], good=usable) == [b"quick"]
    go.set()
    group.close()
    deadline = time.monotonic() + 5
    while sum(one.spare for one in group.standing()) < slow.asked and time.monotonic() < deadline:
        time.sleep(0.005)
    assert group.standing()[0].spare == slow.asked == 1
    assert group.standing()[1].hedges == 1


def test_a_refusal_as_replayed_by_the_second_gateway_does_not_overtake_the_first_answer() -> None:
    first, replayed = Scripted(b"first", lambda: time.sleep(0.1)), Scripted(b"replayed")
    group = GatewayGroup([replayed, first], hedge_seconds=0.01)
    assert group.answers(["g"], good=usable) == [b"first"]


def test_a_slow_action_is_never_put_twice() -> None:
    group = GatewayGroup(
        [Scripted(b"a", lambda: time.sleep(0.05)), Scripted(b"b", lambda: time.sleep(0.05))], hedge_seconds=0.0
    )
    group.answers(["g"])
    assert sum(one.calls for one in group.standing()) == 1


def test_a_gateway_that_fails_again_and_again_is_left_alone_and_tried_later() -> None:
    now = [0.0]
    ill = Scripted(b"ill", away())
    group = GatewayGroup([ill], clock=lambda: now[0])
    for _ in range(FAILURES_TO_OPEN + 3):
        with pytest.raises(CallFailure):
            group.answers(["g"])
    assert ill.asked == FAILURES_TO_OPEN
    assert group.standing()[0].state is BreakerState.OPEN
    now[0] += 2.0
    ill.acts = lambda: None
    assert group.answers(["g"]) == [b"ill"]
    assert group.standing()[0].state is BreakerState.CLOSED


def test_a_batch_whose_gateway_dies_fails_whole_and_its_place_is_free_again() -> None:
    group = GatewayGroup([Scripted(b"a", away())])
    with pytest.raises(CallFailure):
        list(group.batch("g", []))
    (standing,) = group.standing()
    assert (standing.in_flight, standing.failures) == (0, 1)
