"""The gradual delay of the retirement age, payout months and minimum contributions."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pension_facts import rows

from huodang.pension import (
    BadFacts,
    Category,
    category_of,
    minimum_contribution_months,
    original_age_months,
    payout_months,
    retirement_age,
)
from huodang.standards import Month

CATEGORIES = st.sampled_from(Category)
BIRTHS = st.integers(Month(1900, 1).ordinal, Month(2100, 12).ordinal).map(Month.from_ordinal)


@pytest.mark.parametrize(
    "case", rows("retirement_age_cases.csv"), ids=lambda case: f"{case['category']}-{case['birth_ym']}"
)
def test_published_cases_come_out_as_published(case):
    age = retirement_age(Category(case["category"]), Month.parse(case["birth_ym"]))

    assert age.delay_months == int(case["delay"])
    assert age.age_months == int(case["age_months"])
    assert age.retirement_month == Month.parse(case["retire_ym"])
    assert age.payout_months == Decimal(case["payout_months"])
    assert age.minimum_contribution_months == int(case["min_months"])


@pytest.mark.parametrize(
    ("category", "last_without", "first_full", "most"),
    [
        (Category.MALE, Month(1964, 12), Month(1976, 9), 36),
        (Category.FEMALE55, Month(1969, 12), Month(1981, 9), 36),
        (Category.FEMALE50, Month(1974, 12), Month(1984, 11), 60),
    ],
)
def test_delay_begins_with_one_month_and_ends_at_the_limit(category, last_without, first_full, most):
    assert retirement_age(category, last_without).delay_months == 0
    assert retirement_age(category, last_without + 1).delay_months == 1
    assert retirement_age(category, first_full - 1).delay_months == most - 1
    assert retirement_age(category, first_full).delay_months == most
    assert retirement_age(category, Month(2100, 12)).delay_months == most


@settings(deadline=None)
@given(category=CATEGORIES, born=BIRTHS)
def test_younger_people_never_retire_before_older_ones(category, born):
    older = retirement_age(category, born)
    if born < Month(2100, 12):
        younger = retirement_age(category, born + 1)
        assert younger.retirement_month > older.retirement_month
        assert 0 <= younger.delay_months - older.delay_months <= 1
        assert younger.payout_months <= older.payout_months
    assert older.retirement_month == born + original_age_months(category) + older.delay_months


@pytest.mark.parametrize("row", rows("payout_months.csv"), ids=lambda row: row["age"])
def test_payout_months_of_whole_ages_are_those_of_the_table(row):
    assert payout_months(int(row["age"]) * 12) == Decimal(row["months"])


@pytest.mark.parametrize(
    ("years", "months", "expected"),
    [(60, 3, "137.3"), (55, 1, "169.5"), (45, 1, "215.7"), (60, 1, "138.4"), (50, 5, "192.9")],
)
def test_payout_months_between_birthdays_are_those_of_issued_statements(years, months, expected):
    assert payout_months(years * 12 + months) == Decimal(expected)


@settings(deadline=None)
@given(age=st.integers(40 * 12, 70 * 12 - 1))
def test_payout_months_fall_with_age_and_carry_one_decimal(age):
    assert payout_months(age) >= payout_months(age + 1)
    assert payout_months(age) * 10 == int(payout_months(age) * 10)


@pytest.mark.parametrize("age", [0, 40 * 12 - 1, 70 * 12 + 1, 1200])
def test_ages_outside_the_table_are_refused(age):
    with pytest.raises(BadFacts, match="计发月数表"):
        payout_months(age)


@pytest.mark.parametrize(
    ("month", "needed"),
    [
        (Month(1999, 1), 180),
        (Month(2029, 12), 180),
        (Month(2030, 1), 186),
        (Month(2030, 12), 186),
        (Month(2034, 6), 210),
        (Month(2038, 12), 234),
        (Month(2039, 1), 240),
        (Month(2075, 1), 240),
    ],
)
def test_minimum_contributions_rise_by_half_a_year_each_year(month, needed):
    assert minimum_contribution_months(month) == needed


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("male", Category.MALE),
        (" MALE ", Category.MALE),
        ("男", Category.MALE),
        ("女55", Category.FEMALE55),
        ("女５５", Category.FEMALE55),
        ("女干部", Category.FEMALE55),
        ("灵活就业女", Category.FEMALE55),
        ("女50", Category.FEMALE50),
        ("女工人", Category.FEMALE50),
    ],
)
def test_categories_are_read_as_people_write_them(word, category):
    assert Category.parse(word) is category


@pytest.mark.parametrize("word", ["", "女", "female", "male55", "1", "男女"])
def test_an_open_or_unknown_category_is_refused(word):
    with pytest.raises(BadFacts):
        Category.parse(word)


def test_woman_in_flexible_employment_has_the_delay_of_the_original_age_55():
    assert category_of("2", flexible_employment=True) is Category.FEMALE55
    assert retirement_age(category_of("2", flexible_employment=True), Month(1981, 9)).age_months == 58 * 12
    assert category_of("2") is Category.FEMALE50
    assert category_of("2", manager=True) is Category.FEMALE55
    assert category_of("1", manager=True, flexible_employment=True) is Category.MALE
    with pytest.raises(BadFacts):
        category_of("9")


@pytest.mark.parametrize("born", [Month(1899, 12), Month(2101, 1)])
def test_impossible_births_are_refused(born):
    with pytest.raises(BadFacts, match="出生年月"):
        retirement_age(Category.MALE, born)


def test_every_figure_cites_its_law():
    age = retirement_age(Category.MALE, Month(1965, 3))
    laws = {law.concerns: law.law for law in age.laws}

    assert laws.keys() == {"delay_months", "age_months", "payout_months", "min_contribution_months"}
    assert laws["delay_months"].endswith("第一条")
    assert laws["payout_months"] == "国发〔2005〕38号附件"
    assert laws["min_contribution_months"].endswith("第二条")
    before = retirement_age(Category.MALE, Month(1960, 3))
    assert {law.concerns: law.law for law in before.laws}["delay_months"] == "国发〔1978〕104号"
