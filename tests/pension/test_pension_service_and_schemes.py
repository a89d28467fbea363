"""Deemed years, residents' pension, switching schemes, and what was paid or received twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.pension import (
    BadFacts,
    ParameterMissing,
    ResidentsPayment,
    Scheme,
    duplicate_benefits,
    duplicate_contributions,
    duplicate_employee_benefits,
    residents_pension,
    split_service,
    switch_scheme,
)
from huodang.standards import Money, Month

FEN = st.integers(0, 10**9).map(Money)
MONTHS = st.integers(Month(1990, 1).ordinal, Month(2030, 12).ordinal).map(Month.from_ordinal)


def test_service_before_the_first_contribution_is_deemed_and_what_was_paid_before_1996_counts_too():
    # The statement Hebei 2024-11: at work from 1981-12, paying from 1992-01: 4 years paid before the accounts.
    split = split_service("hebei", Month(1981, 12), Month(1992, 1))

    assert split.deemed_months == 10 * 12 + 1
    assert split.paid_before_account_months == 4 * 12
    assert split.pre_account_months == 169
    assert split.needs_public_notice


def test_without_deemed_years_no_public_notice_is_needed():
    # The statement Hebei 2025-12: at work and paying from 1994-03: 1.83 years.
    split = split_service("hebei", Month(1994, 3), Month(1994, 3))

    assert (split.deemed_months, split.paid_before_account_months) == (0, 22)
    assert not split.needs_public_notice


def test_interruptions_count_once_however_often_they_are_told():
    gap, overlapping = (Month(1985, 1), Month(1985, 12)), (Month(1985, 6), Month(1986, 6))
    split = split_service("hebei", Month(1981, 12), Month(1992, 1), [gap, overlapping])

    assert split.deemed_months == 121 - 18
    with pytest.raises(BadFacts):
        split_service("hebei", Month(1981, 12), Month(1992, 1), [(Month(1985, 2), Month(1985, 1))])


def test_first_contribution_after_the_accounts_began_leaves_nothing_paid_before_them():
    split = split_service("hebei", Month(1990, 1), Month(1998, 1))

    assert (split.deemed_months, split.paid_before_account_months) == (72, 0)


def test_service_cannot_be_split_where_the_start_of_accounts_is_unknown():
    with pytest.raises(ParameterMissing, match="account_start"):
        split_service("anhui", Month(1981, 12), Month(1992, 1))
    with pytest.raises(BadFacts):
        split_service("hebei", Month(1992, 2), Month(1992, 1))


@settings(deadline=None)
@given(start=MONTHS, work=st.integers(0, 200))
def test_split_never_counts_a_month_twice(start, work):
    split = split_service("hebei", start, start + work)

    assert split.pre_account_months == max(0, Month(1996, 1) - start)


def test_residents_pension_is_the_standard_plus_a_139th_of_the_account():
    decision = residents_pension("hebei", Month(2025, 8), Money.yuan(60000), basic_standard=Money.yuan("153.00"))

    assert (decision.basic.text, decision.account.text, decision.total.text) == ("153.00", "431.65", "584.65")


def test_residents_standard_is_missing_for_hebei_and_the_national_minimum_never_stands_in():
    with pytest.raises(ParameterMissing, match=r"residents_basic_standard.*2025-08"):
        residents_pension("hebei", Month(2025, 8), Money.yuan(60000))


@pytest.mark.parametrize(
    ("month", "below", "enough"), [(Month(2024, 6), "122.99", "123.00"), (Month(2025, 7), "142.99", "143.00")]
)
def test_a_standard_below_the_national_minimum_of_the_month_is_refused(month, below, enough):
    with pytest.raises(BadFacts, match="最低标准"):
        residents_pension("hebei", month, Money.zero(), basic_standard=Money.yuan(below))
    assert residents_pension("hebei", month, Money.zero(), basic_standard=Money.yuan(enough)).total.text == enough
    with pytest.raises(BadFacts):
        residents_pension("hebei", month, Money(-1), basic_standard=Money.yuan(enough))


def test_fifteen_years_in_the_employee_scheme_draw_the_residents_account_in_without_its_years():
    switch = switch_scheme(180, 60, Money.yuan(50000), Money.yuan(3000))

    assert (switch.into, switch.account, switch.counted_months) == (Scheme.EMPLOYEE, Money.yuan(53000), 180)


def test_fewer_move_to_the_residents_scheme_and_years_add_up():
    switch = switch_scheme(179, 60, Money.yuan(50000), Money.yuan(3000))

    assert (switch.into, switch.account, switch.counted_months) == (Scheme.RESIDENTS, Money.yuan(53000), 239)
    with pytest.raises(BadFacts):
        switch_scheme(-1, 0, Money.zero(), Money.zero())


def test_months_paid_in_both_schemes_are_refunded_without_the_subsidy():
    year = ResidentsPayment(Month(2020, 1), Month(2020, 12), Money.yuan(200), Money.yuan(10), Money.yuan(30))
    worked = [Month(2019, 12), Month(2020, 11), Month(2020, 12), Month(2021, 1), Month(2020, 12)]

    refund = duplicate_contributions(worked, [year])

    # Two months of twelve: 33.33 of 200 and 1.67 of 10.
    assert refund.months == (Month(2020, 11), Month(2020, 12))
    assert refund.refund == Money.yuan("35.00")


@settings(deadline=None)
@given(first=MONTHS, length=st.integers(0, 24), personal=FEN, collective=FEN, worked=st.sets(MONTHS, max_size=40))
def test_refund_is_never_more_than_was_paid_and_whole_if_every_month_is_double(
    first, length, personal, collective, worked
):
    payment = ResidentsPayment(first, first + length, personal, collective, Money(500))
    every = {first + step for step in range(length + 1)}

    assert Money.zero() <= duplicate_contributions(worked, [payment]).refund <= personal + collective
    assert duplicate_contributions(every | worked, [payment]).refund == personal + collective
    assert duplicate_contributions(worked - every, [payment]).refund == Money.zero()


def test_payments_that_cannot_be_are_refused():
    with pytest.raises(BadFacts):
        ResidentsPayment(Month(2020, 2), Month(2020, 1), Money.zero(), Money.zero(), Money.zero())
    with pytest.raises(BadFacts):
        ResidentsPayment(Month(2020, 1), Month(2020, 1), Money(-1), Money.zero(), Money.zero())


@settings(deadline=None)
@given(account=FEN, subsidy=FEN, received=FEN)
def test_settling_double_benefits_loses_no_fen(account, subsidy, received):
    if subsidy > account:
        with pytest.raises(BadFacts):
            duplicate_benefits(account, subsidy, received)
        return
    settled = duplicate_benefits(account, subsidy, received)

    assert settled.taken_from_account + settled.still_owed == received
    assert settled.taken_from_account + settled.refunded == account - subsidy
    assert not (settled.still_owed and settled.refunded)


def test_of_several_employee_pensions_one_is_kept_and_the_accounts_of_the_others_are_paid_out():
    settled = duplicate_employee_benefits({"a": Money(100), "b": Money(20), "c": Money(3)}, kept="b")

    assert (settled.kept, settled.ended, settled.refunded) == ("b", ("a", "c"), Money(103))
    with pytest.raises(BadFacts):
        duplicate_employee_benefits({"a": Money(1)}, kept="x")
    with pytest.raises(BadFacts):
        duplicate_employee_benefits({"a": Money(1), "b": Money(-1)}, kept="a")
