"""An agreement's limit for a minute, and answers that it lets be used again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from exchange_hub import call, question
from exchange_province import LI, STRANGER, WANG, HubMaker, Province, serving
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import Exchange, FailureCode, Gateway, Looks, Outcome, gateway_application, read_gateway_file
from huodang.exchange.calls.limits import Spending
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9)), max_size=40), st.integers(1, 20))
def test_in_no_minute_more_is_spent_than_the_limit(wishes: list[tuple[int, int]], limit: int) -> None:
    spending, second, spent = Spending(), 1000, list[tuple[int, int]]()
    for later, cost in wishes:
        second += later
        if spending.wait(second, cost, limit) == 0:
            spending = spending.spend(second, cost)
            spent.append((second, cost))
    for end, _ in spent:
        assert sum(cost for at, cost in spent if end - 60 <= at <= end) <= limit


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=40), st.integers(9, 30), st.integers(1, 9))
def test_who_waits_as_long_as_told_may_spend_and_no_sooner(spent: list[tuple[int, int]], limit: int, cost: int) -> None:
    spending, second = Spending(), 1000
    for later, number in spent:
        second += later
        if spending.wait(second, number, limit) == 0:
            spending = spending.spend(second, number)
    wait = spending.wait(second, cost, limit)
    assert wait is not None
    assert spending.wait(second + wait, cost, limit) == 0
    assert wait == 0 or spending.wait(second + wait - 1, cost, limit) != 0


def test_what_was_spent_ahead_of_a_clock_set_back_holds_up_nobody_for_longer_than_a_minute() -> None:
    spending = Spending().spend(90_000, 5)
    assert spending.wait(1000, 1, 5) == 61
    assert spending.wait(1000, 6, 5) is None


@pytest.fixture
def terms() -> dict[str, Any]:
    return {"calls_per_minute": 2}


@pytest.fixture
def served(police: Gateway, province: Province, terms: dict[str, Any]) -> Iterator[str]:
    """The police gateway under an agreement with more terms."""
    province.lay(province.agreement(**terms))
    with serving(gateway_application(police), province.tls("police")) as url:
        yield url


@pytest.fixture
def exchange(
    served: str, make_hub: HubMaker, database: Database, province: Province, terms: dict[str, Any]
) -> Exchange:
    made = make_hub({"police": served})
    with database.begin() as connection:
        made.agreements.take(connection, province.signed(province.agreement(**terms)))
    return made


def test_the_hub_stops_at_the_limit_and_says_when_to_try_again(
    exchange: Exchange, database: Database, police: Gateway, province: Province
) -> None:
    found = call(exchange, database, question(), question(), question())
    assert [one.reason for one in found] == ["matches", "matches", "rate_limited"]
    assert found[2].failure is not None
    assert found[2].failure.retryable
    assert found[2].failure.detail.endswith("Z")
    assert len(police.memory.lines()) == 2
    province.clock.advance(timedelta(seconds=62))
    assert call(exchange, database, question())[0].reason == "matches"


def test_the_gateway_keeps_to_the_limit_whatever_the_hub_counts_and_after_a_restart(
    exchange: Exchange, police: Gateway, province: Province
) -> None:
    codes = [province.ask(police, province.grant()) for _ in range(2)]
    assert [getattr(one, "outcome", None) for one in codes] == [Outcome.CLEAR] * 2
    again = Gateway.open(read_gateway_file(police.file.path), environment={}, clock=province.clock)
    province.opened.append(again)
    refused = province.ask(again, province.grant())
    assert (getattr(refused, "code", ""), getattr(refused, "detail", "")[-1:]) == ("rate_limited", "Z")


def test_a_gateways_limit_passes_by_itself_for_the_hub(
    exchange: Exchange, database: Database, police: Gateway, province: Province
) -> None:
    for _ in range(2):
        province.ask(police, province.grant())
    (found,) = call(exchange, database, question())
    assert found.failure is not None
    assert (found.failure.code, found.failure.retryable) == (FailureCode.RATE_LIMITED, True)


class TestReuse:
    """`cache_seconds` of an agreement."""

    @pytest.fixture
    def terms(self) -> dict[str, Any]:
        return {"cache_seconds": 60}

    def test_the_same_question_is_answered_again_without_a_call_but_with_a_look(
        self, exchange: Exchange, database: Database, ledger: Ledger, police: Gateway, province: Province
    ) -> None:
        (first,) = call(exchange, database, question())
        (again,) = call(exchange, database, question(case_id="case-2"))
        assert (again.outcome, again.as_of, again.fields, again.grant_id) == (
            first.outcome,
            first.as_of,
            first.fields,
            first.grant_id,
        )
        assert (first.reused, again.reused) == (False, True)
        assert len(police.memory.lines()) == 1
        looks = Looks(database, ledger, province.clock).of_subject(exchange.subject_index(WANG))
        assert {look.case_id for look in looks} == {"case-1", "case-2"}

    def test_another_purpose_claim_or_person_is_asked(self, exchange: Exchange, database: Database) -> None:
        call(exchange, database, question())
        others = [question(purpose="retirement_prefill"), question(name="别名"), question(LI, "李梅")]
        assert [one.reused for one in call(exchange, database, *others)] == [False] * 3

    def test_an_unknown_is_never_used_again(self, exchange: Exchange, database: Database) -> None:
        for _ in range(2):
            (found,) = call(exchange, database, question(STRANGER, "钱有为"))
            assert (found.outcome, found.reused) == (Outcome.UNKNOWN, False)

    def test_an_answer_grows_old(self, exchange: Exchange, database: Database, clock: FixedClock) -> None:
        call(exchange, database, question())
        clock.advance(timedelta(seconds=61))
        assert call(exchange, database, question())[0].reused is False

    def test_what_was_corrected_is_asked_anew(self, exchange: Exchange, database: Database) -> None:
        call(exchange, database, question(), question(LI, "李梅"))
        with database.begin() as connection:
            assert exchange.forget_answers(connection, resource="police.household", identity_number=WANG) == 1
        found = call(exchange, database, question(), question(LI, "李梅"))
        assert [one.reused for one in found] == [False, True]

    def test_nothing_is_used_again_once_the_agreement_is_revoked(
        self, exchange: Exchange, database: Database, province: Province, terms: dict[str, Any]
    ) -> None:
        from huodang.exchange import revoke_envelope  # noqa: PLC0415  (only here)

        call(exchange, database, question())
        agreement = province.agreement(**terms)
        with database.begin() as connection:
            exchange.agreements.take_revocation(
                connection, revoke_envelope(agreement, "停止", province.signer("police"), province.clock)
            )
        assert call(exchange, database, question())[0].reason == "no_agreement"
