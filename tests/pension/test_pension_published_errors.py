"""Errors that published calculators make: each is made again here, and ours must differ from it and be exact."""

from decimal import Decimal

import numpy as np

from huodang.pension import Category, retirement_age, vectorised
from huodang.standards import Month

# First birth month concerned, months to a step, most months of delay: 办法第一条.
RULES = {
    Category.MALE: (Month(1965, 1), 4, 36),
    Category.FEMALE55: (Month(1970, 1), 4, 36),
    Category.FEMALE50: (Month(1975, 1), 2, 60),
}


def births_in_transition():
    return [(category, first + k) for category, (first, step, most) in RULES.items() for k in range(step * most)]


def test_floor_without_the_first_month_is_one_month_short_for_all_408_birth_months():
    births = births_in_transition()
    assert len(births) == 408
    for category, born in births:
        first, step, most = RULES[category]
        without_the_first = min((born - first) // step, most)
        assert retirement_age(category, born).delay_months == without_the_first + 1


def test_flexibly_employed_women_by_the_steps_of_the_original_age_50_come_out_wrong():
    wrong = 0
    for k in range(240):
        born = Month(1970, 1) + k
        ours = retirement_age(Category.FEMALE55, born)
        since = born - Month(1975, 1)
        published = 0 if since < 0 else min(since // 2 + 1, 60)
        wrong += published != ours.delay_months
        assert 55 * 12 < ours.age_months <= 58 * 12
    assert wrong > 200


def people(count=60_000):
    """Figures such as statements show, drawn with a seed: fen, index to four decimals, years to two."""
    random = np.random.default_rng(20250701)
    return vectorised.EmployeeColumns(
        base_fen=random.integers(600_000, 1_250_000, count),
        index_millionths=random.integers(4_000, 30_000, count) * 100,
        indexed_wage_fen=np.full(count, vectorised.NO_WAGE),
        years=random.integers(1_500, 4_500, count),
        pre_account_years=random.integers(0, 1_500, count),
        account_fen=random.integers(1_000_000, 50_000_000, count),
        payout_tenths=random.integers(1_010, 2_330, count),
        years_unit=100,
    )


def exact_total(columns, row):
    """The total in fen by decimals wide enough that nothing is rounded early."""
    base = Decimal(int(columns.base_fen[row])) / 100
    wage = base * int(columns.index_millionths[row]) / 1_000_000
    years, before = Decimal(int(columns.years[row])) / 100, Decimal(int(columns.pre_account_years[row])) / 100
    parts = (
        (base + wage) / 2 * years / 100,
        (Decimal(int(columns.account_fen[row])) / 100) / (Decimal(int(columns.payout_tenths[row])) / 10),
        wage * before * Decimal("0.013"),
    )
    return sum(int(part.quantize(Decimal("0.01"), "ROUND_HALF_UP") * 100) for part in parts)


def totals_by_floats(columns, kind):
    """The same chain in floating point, each part rounded half up to fen: as rules engines do it."""
    base = (columns.base_fen / 100).astype(kind)
    wage = base * (columns.index_millionths / 1_000_000).astype(kind)
    years, before = (columns.years / 100).astype(kind), (columns.pre_account_years / 100).astype(kind)
    parts = (
        (base + wage) / kind(2) * years * kind(0.01),
        (columns.account_fen / 100).astype(kind) / (columns.payout_tenths / 10).astype(kind),
        wage * before * kind(0.013),
    )
    return sum(np.floor(part * kind(100) + kind(0.5)).astype(np.int64) for part in parts)


def test_floats_miss_fen_where_whole_fen_do_not():
    columns = people()
    ours = vectorised.employee_pensions(columns, vectorised.Fraction(13, 1000)).total
    exact = np.array([exact_total(columns, row) for row in range(ours.size)])

    assert np.array_equal(ours, exact)
    single = totals_by_floats(columns, np.float32)
    double = totals_by_floats(columns, np.float64)
    assert np.count_nonzero(single != exact) > 500
    assert np.count_nonzero(double != exact) > 5
    # By no more than a few fen, so that the errors are those of floats and not of another formula.
    assert np.abs(single - exact).max() <= 5
    assert np.abs(double - exact).max() <= 2
