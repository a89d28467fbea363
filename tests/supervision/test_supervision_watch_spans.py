"""Whose lag cost how much: every payday after the month of death falls into exactly one part of the way."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import Month
from huodang.supervision.watch import Days, PaidSpan, Payday, Span, Way, overpaid_months, shares

JANUARY = Month(2025, 1)
PAYDAY = Payday(15)
PAID = [PaidSpan("110", "", Month(2020, 1), Month(2025, 12), 300_000)]


def test_the_month_of_death_is_due_whole() -> None:
    assert overpaid_months(date(2025, 1, 1), [PaidSpan("110", "", JANUARY, JANUARY, 300_000)]) == {}


def test_each_payday_counts_for_the_part_of_the_way_in_which_it_fell() -> None:
    way = Way(date(2025, 1, 20), recorded=date(2025, 2, 20), received=date(2025, 4, 1), held=date(2025, 4, 20))
    paid = [PaidSpan("110", "", Month(2020, 1), Month(2025, 4), 300_000)]
    assert shares(way, paid, PAYDAY) == {
        Span.RECORD: 300_000,  # 15 February
        Span.PLATFORM: 300_000,  # 15 March
        Span.HOLD: 300_000,  # 15 April
        Span.AFTER: 0,
    }


def test_a_record_on_the_payday_itself_comes_too_late_for_it() -> None:
    way = Way(date(2025, 1, 20), recorded=date(2025, 2, 15), received=date(2025, 2, 15), held=date(2025, 2, 15))
    paid = [PaidSpan("110", "", Month(2020, 1), Month(2025, 2), 100)]
    assert shares(way, paid, PAYDAY)[Span.RECORD] == 100


def test_what_is_paid_after_a_hold_has_ended_is_nobodys_lag() -> None:
    way = Way(date(2025, 1, 20), date(2025, 1, 21), date(2025, 1, 21), date(2025, 1, 21))
    assert shares(way, PAID, PAYDAY) == {Span.RECORD: 0, Span.PLATFORM: 0, Span.HOLD: 0, Span.AFTER: 11 * 300_000}


def test_two_schemes_are_both_overpaid() -> None:
    paid = [PaidSpan("110", "", JANUARY, Month(2025, 3), 300_000), PaidSpan("170", "", JANUARY, Month(2025, 2), 20_000)]
    assert overpaid_months(date(2025, 1, 5), paid) == {Month(2025, 2): 320_000, Month(2025, 3): 300_000}


def test_a_record_dated_before_the_death_took_no_time() -> None:
    way = Way(date(2025, 1, 20), date(2025, 1, 10), date(2025, 1, 25), None)
    assert [way.days(span) for span in Span] == [0, 5, None, None]


def test_days_are_summed_up_over_what_has_ended() -> None:
    assert Days.of([3, None, 1, 8]) == Days(3, 4.0, 3.0, 8)
    assert Days.of([None]) == Days(0, 0.0, 0.0, 0)


days = st.dates(date(2024, 1, 1), date(2025, 12, 31))
months = st.integers(0, 30).map(lambda ahead: Month(2023, 6) + ahead)


@st.composite
def spans(draw: st.DrawFn) -> PaidSpan:
    first = draw(months)
    return PaidSpan(draw(st.sampled_from(["110", "170"])), "", first, first + draw(st.integers(0, 24)), draw(fens))


fens = st.integers(1, 1_000_000)


@given(
    died=days,
    lags=st.tuples(*[st.integers(0, 200)] * 3),
    held=st.booleans(),
    paid=st.lists(spans(), max_size=5),
    payday=st.integers(1, 31),
)
def test_the_parts_sum_up_to_all_that_was_overpaid(
    died: date, lags: tuple[int, int, int], *, held: bool, paid: list[PaidSpan], payday: int
) -> None:
    recorded = died + timedelta(days=lags[0])
    received = recorded + timedelta(days=lags[1])
    way = Way(died, recorded, received, received + timedelta(days=lags[2]) if held else None)
    found = shares(way, paid, Payday(payday))
    first = Month.of(died) + 1
    owed = sum(
        one.fen * max(0, (one.last - max(one.first, first)) + 1)  # month by month, without the rule's own loop
        for one in paid
    )
    assert sum(found.values()) == owed
    assert min(found.values()) >= 0


@given(died=days, lag=st.integers(0, 100), earlier=st.integers(0, 100), paid=st.lists(spans(), max_size=4))
def test_an_earlier_hold_never_costs_more_before_it(died: date, lag: int, earlier: int, paid: list[PaidSpan]) -> None:
    late = Way(died, died, died, died + timedelta(days=lag + earlier))
    soon = Way(died, died, died, died + timedelta(days=lag))
    assert shares(soon, paid, PAYDAY)[Span.HOLD] <= shares(late, paid, PAYDAY)[Span.HOLD]
