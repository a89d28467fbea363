"""Death, custody, the family's grants, and paying back."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.pension import (
    BadFacts,
    Custody,
    ParameterMissing,
    PaymentAction,
    RefundMeans,
    funeral_and_survivor,
    payment_effect_of_custody,
    payment_effect_of_death,
    refund_plan,
    survivor_grant_months,
)
from huodang.standards import Money, Month

DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))
PAID = [Month(2025, 1) + step for step in range(12)]


@pytest.mark.parametrize("day", [1, 15, 31])
def test_person_who_dies_mid_month_is_paid_for_that_month_and_no_other(day):
    effect = payment_effect_of_death(date(2025, 10, day), [*reversed(PAID), Month(2025, 11)])

    assert effect.action is PaymentAction.STOP
    assert effect.from_month == Month(2025, 11)
    assert effect.unduly_paid == (Month(2025, 11), Month(2025, 12))


@settings(deadline=None)
@given(died=DAYS)
def test_no_month_up_to_that_of_death_is_ever_called_undue(died):
    month = Month.of(died)
    effect = payment_effect_of_death(died, [month - 1, month, month + 1, month + 2])

    assert effect.unduly_paid == (month + 1, month + 2)


def test_prison_pauses_from_the_following_month_through_the_month_of_release():
    effect = payment_effect_of_custody(Custody.PRISON, date(2025, 3, 20), date(2025, 6, 5), PAID)

    assert effect.action is PaymentAction.PAUSE
    assert (effect.from_month, effect.until_month) == (Month(2025, 4), Month(2025, 6))
    assert effect.unduly_paid == (Month(2025, 4), Month(2025, 5), Month(2025, 6))
    assert effect.repay_if_acquitted is False
    assert effect.increases_withheld is True


def test_detention_is_held_back_and_repaid_on_acquittal():
    effect = payment_effect_of_custody(Custody.DETENTION, date(2025, 10, 20), None, PAID)

    assert effect.action is PaymentAction.PAUSE
    assert effect.until_month is None
    assert effect.unduly_paid == (Month(2025, 11), Month(2025, 12))
    assert effect.repay_if_acquitted is True


@pytest.mark.parametrize("kind", [Custody.PROBATION, Custody.CONTROL, Custody.OUTSIDE])
def test_probation_control_and_serving_outside_are_paid_without_increases(kind):
    effect = payment_effect_of_custody(kind, date(2025, 3, 20), date(2027, 3, 19), PAID)

    assert effect.action is PaymentAction.PAY
    assert effect.unduly_paid == ()
    assert effect.from_month is None
    assert effect.increases_withheld is True


@settings(deadline=None)
@given(kind=st.sampled_from(Custody), began=DAYS, days=st.integers(0, 4000))
def test_what_is_paused_begins_after_it_began_and_ends_with_its_end(kind, began, days):
    ended = date.fromordinal(began.toordinal() + days)
    effect = payment_effect_of_custody(kind, began, ended)

    if effect.action is PaymentAction.PAUSE:
        assert Month.of(began) < effect.from_month <= effect.until_month <= Month.of(ended)
    else:
        assert kind not in {Custody.PRISON, Custody.DETENTION} or Month.of(began) == Month.of(ended)


def test_custody_that_ends_before_it_begins_is_refused():
    with pytest.raises(BadFacts):
        payment_effect_of_custody(Custody.PRISON, date(2025, 3, 20), date(2025, 3, 19))


@pytest.mark.parametrize(
    ("years", "months"), [(0, 3), (4, 3), (5, 6), (9, 6), (10, 9), (15, 9), (16, 10), (29, 23), (30, 24), (45, 24)]
)
def test_survivor_grant_grows_with_contributions_to_24_months(years, months):
    assert survivor_grant_months(years * 12, retired=False) == months
    assert survivor_grant_months(years * 12 + 11, retired=False) == months


@pytest.mark.parametrize(
    ("contributed", "received", "months"),
    [(30, 0, 24), (30, 11, 24), (30, 12, 23), (30, 15 * 12, 9), (30, 40 * 12, 9), (15, 12, 9)],
)
def test_survivor_grant_of_the_retired_shrinks_each_year_to_nine_months(contributed, received, months):
    assert survivor_grant_months(contributed * 12, retired=True, months_received=received) == months


@settings(deadline=None)
@given(contributed=st.integers(180, 700), received=st.integers(0, 600))
def test_survivor_grant_of_the_retired_is_nine_to_24_months(contributed, received):
    assert 9 <= survivor_grant_months(contributed, retired=True, months_received=received) <= 24


def test_family_is_due_two_months_income_and_the_survivor_grant():
    grants = funeral_and_survivor(
        "hebei", Month(2025, 10), 30 * 12, retired=True, months_received=24, monthly_income=Money.yuan("3800.50")
    )

    assert (grants.funeral.text, grants.survivor_months, grants.survivor.text) == ("7601.00", 22, "83611.00")
    assert grants.total == grants.funeral + grants.survivor


def test_family_grants_need_the_provinces_income():
    with pytest.raises(ParameterMissing, match=r"urban_monthly_income.*2025-10"):
        funeral_and_survivor("hebei", Month(2025, 10), 360, retired=False)
    for income, months, received in ((0, 360, 0), (100, -1, 0), (100, 360, 12)):
        with pytest.raises(BadFacts):
            funeral_and_survivor(
                "hebei", Month(2025, 10), months, retired=False, months_received=received, monthly_income=Money(income)
            )


def test_account_is_offset_first_and_the_last_instalment_carries_the_rest():
    plan = refund_plan(Money.yuan("1000.00"), Month(2025, 11), instalments=3, account_offset=Money.yuan("99.99"))

    assert [(line.month.iso, line.means, line.amount.text) for line in plan.lines] == [
        ("2025-11", RefundMeans.ACCOUNT_OFFSET, "99.99"),
        ("2025-11", RefundMeans.INSTALMENT, "300.00"),
        ("2025-12", RefundMeans.INSTALMENT, "300.00"),
        ("2026-01", RefundMeans.INSTALMENT, "300.01"),
    ]


@settings(deadline=None)
@given(
    debt=st.integers(1, 10**8).map(Money),
    instalments=st.integers(1, 120),
    offset=st.integers(0, 10**8).map(Money),
)
def test_instalments_and_offset_sum_exactly_to_the_debt(debt, instalments, offset):
    rest = max(debt.fen - offset.fen, 0)
    if 0 < rest < instalments:
        with pytest.raises(BadFacts):
            refund_plan(debt, Month(2025, 11), instalments=instalments, account_offset=offset)
        return
    plan = refund_plan(debt, Month(2025, 11), instalments=instalments, account_offset=offset)
    paid = [line for line in plan.lines if line.means is RefundMeans.INSTALMENT]

    assert sum(line.amount.fen for line in plan.lines) == debt.fen
    assert all(line.amount.fen > 0 for line in plan.lines)
    assert len(paid) == (instalments if rest else 0)
    assert len({line.amount for line in paid[:-1]}) <= 1
    if paid:
        assert 0 <= paid[-1].amount.fen - paid[0].amount.fen < instalments


@settings(deadline=None)
@given(debt=st.integers(1, 10**6).map(Money), monthly=st.integers(5_000, 10**6).map(Money))
def test_offsets_from_later_benefits_never_exceed_what_was_agreed(debt, monthly):
    plan = refund_plan(debt, Month(2025, 11), monthly_benefit_offset=monthly)

    assert sum(line.amount.fen for line in plan.lines) == debt.fen
    assert all(Money.zero() < line.amount <= monthly for line in plan.lines)
    assert [line.month for line in plan.lines] == [Month(2025, 11) + step for step in range(len(plan.lines))]


@pytest.mark.parametrize(
    "terms",
    [
        {"debt": Money.zero()},
        {"instalments": 0},
        {"account_offset": Money(-1)},
        {"monthly_benefit_offset": Money.zero()},
        {"monthly_benefit_offset": Money(5), "instalments": 2},
        {"instalments": 1001},
    ],
)
def test_terms_that_cannot_be_are_refused(terms):
    with pytest.raises(BadFacts):
        refund_plan(**{"debt": Money(1000), "first_month": Month(2025, 11), **terms})
