"""The vectorised face gives the same months and the same fen as the scalar one, or refuses."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.pension import (
    BadFacts,
    Category,
    EmployeeFacts,
    FiguresTooLarge,
    employee_pension,
    retirement_age,
    vectorised,
)
from huodang.standards import Money, Month

HEBEI = Fraction(13, 1000)
PEOPLE = st.lists(
    st.tuples(
        st.integers(1, 5_000_000),  # base in fen
        st.integers(0, 20_000_000),  # index in millionths
        st.one_of(st.just(vectorised.NO_WAGE), st.integers(0, 20_000_000)),  # indexed wage in fen
        st.integers(0, 6_000),  # years
        st.integers(0, 6_000),  # years before the account
        st.integers(0, 10_000_000_000),  # account in fen
        st.integers(560, 2_330),  # payout months in tenths
    ),
    min_size=1,
    max_size=12,
)


def columns_of(people, unit):
    arrays = [np.array(column, dtype=np.int64) for column in zip(*people, strict=True)]
    return vectorised.EmployeeColumns(*arrays, years_unit=unit)


@settings(deadline=None)
@given(people=PEOPLE, unit=st.sampled_from([12, 100, 1200]))
def test_every_row_has_the_fen_of_the_scalar_face(people, unit):
    people = [(*person[:4], min(person[4], person[3]), *person[5:]) for person in people]
    found = vectorised.employee_pensions(columns_of(people, unit), HEBEI)

    for row, (base, index, wage, years, before, account, tenths) in enumerate(people):
        decision = employee_pension(
            EmployeeFacts(
                province="hebei",
                retirement_month=Month(2025, 12),
                age_months=720,
                years=Fraction(years, unit),
                pre_account_years=Fraction(before, unit),
                average_index=Fraction(index, vectorised.INDEX_SCALE),
                indexed_wage=None if wage == vectorised.NO_WAGE else Money(wage),
                account=Money(account),
                payout_months=Decimal(tenths) / 10,
                base=Money(base),
            )
        )
        assert decision.basic.fen == found.basic[row]
        assert decision.account.fen == found.account[row]
        assert decision.transitional.fen == found.transitional[row]
        assert decision.total.fen == found.total[row]


@settings(deadline=None)
@given(
    people=st.lists(
        st.tuples(st.sampled_from(Category), st.integers(Month(1900, 1).ordinal, Month(2100, 12).ordinal)), max_size=30
    )
)
def test_every_row_has_the_retirement_age_of_the_scalar_face(people):
    categories = np.array([vectorised.CATEGORY_CODES[category] for category, _ in people], dtype=np.int8)
    found = vectorised.retirement_ages(categories, np.array([born for _, born in people], dtype=np.int64))

    for row, (category, born) in enumerate(people):
        age = retirement_age(category, Month.from_ordinal(born))
        assert age.delay_months == found.delay_months[row]
        assert age.age_months == found.age_months[row]
        assert age.retirement_month.ordinal == found.retirement_ordinals[row]
        assert int(age.payout_months * 10) == found.payout_tenths[row]
        assert age.minimum_contribution_months == found.minimum_contribution_months[row]


PERSON = (685_700, 773_700, vectorised.NO_WAGE, 3_067, 350, 8_985_024, 1_950)


def test_without_a_provincial_rule_the_transitional_part_and_the_total_are_unknown():
    found = vectorised.employee_pensions(columns_of([PERSON], 100), None)

    assert found.transitional is None
    assert found.total is None
    assert found.basic[0] > 0


def test_blocks_join_without_a_seam():
    people = columns_of([PERSON], 100)
    many = replace(
        people,
        **{
            name: np.repeat(getattr(people, name), 40_000)
            for name in ("base_fen", "index_millionths", "indexed_wage_fen", "years", "pre_account_years")
        },
        account_fen=np.arange(40_000, dtype=np.int64),
        payout_tenths=np.full(40_000, 1_950, dtype=np.int64),
    )
    found = vectorised.employee_pensions(many, HEBEI)

    assert set(found.basic.tolist()) == set(vectorised.employee_pensions(people, HEBEI).basic.tolist())
    assert found.account.tolist() == [(2 * 10 * fen + 1_950) // (2 * 1_950) for fen in range(40_000)]


def test_figures_beyond_64_bits_are_refused_and_not_wrapped():
    huge = (10**13, 20_000_000, vectorised.NO_WAGE, 6_000, 6_000, 1, 1_950)
    with pytest.raises(FiguresTooLarge):
        vectorised.employee_pensions(columns_of([PERSON, huge], 100), HEBEI)
    rich = (*PERSON[:5], 9 * 10**18, 1_950)
    with pytest.raises(FiguresTooLarge):
        vectorised.employee_pensions(columns_of([rich], 100), HEBEI)


@pytest.mark.parametrize(("position", "value"), [(0, 0), (1, -1), (2, -2), (3, -1), (4, -1), (5, -1), (6, 0), (6, -1)])
def test_an_impossible_figure_is_refused_by_its_row(position, value):
    wrong = (*PERSON[:position], value, *PERSON[position + 1 :])
    with pytest.raises(BadFacts) as caught:
        vectorised.employee_pensions(columns_of([PERSON, wrong], 100), HEBEI)
    assert caught.value.place.row == 2


def test_columns_of_another_kind_or_length_are_refused():
    people = columns_of([PERSON, PERSON], 100)
    for odd in (people.years.astype(np.float64), people.years[:1], people.years.astype(np.int32)):
        with pytest.raises(BadFacts):
            vectorised.employee_pensions(replace(people, years=odd), HEBEI)
    with pytest.raises(BadFacts):
        vectorised.employee_pensions(replace(people, years_unit=0), HEBEI)
    with pytest.raises(BadFacts):
        vectorised.retirement_ages(np.array([0]), np.array([23_000, 23_001]))
    with pytest.raises(BadFacts):
        vectorised.retirement_ages(np.array([0, 3]), np.array([23_500, 23_501]))
    with pytest.raises(BadFacts):
        vectorised.retirement_ages(np.array([0]), np.array([Month(1899, 12).ordinal]))


def test_no_rows_give_no_pensions():
    empty = vectorised.EmployeeColumns(*(np.empty(0, np.int64) for _ in range(7)), years_unit=100)

    assert vectorised.employee_pensions(empty, HEBEI).total.size == 0
