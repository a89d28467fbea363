"""The employee pension: 36 pensions as issued, provisional payment, recomputation, missing parameters."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pension_facts import STATEMENTS, facts_of

from huodang.pension import (
    BadFacts,
    FactMissing,
    ParameterMissing,
    Status,
    credited_years,
    employee_pension,
    parameters,
    recompute,
)
from huodang.standards import Money, Month

FIVE_FEN = 5


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: f"{row['province']}-{row['retire']}")
def test_issued_statements_come_out_as_issued(row):
    decision = employee_pension(facts_of(row))

    assert abs((decision.basic - Money.yuan(row["exp_basic"])).fen) <= FIVE_FEN
    assert abs((decision.account - Money.yuan(row["exp_account"])).fen) <= FIVE_FEN
    if row["province"] == "hebei":
        assert decision.transitional == Money.yuan(row["exp_transition"])
        assert decision.total == Money.yuan(row["exp_total"])
        assert decision.missing == ()
    else:
        assert decision.transitional is None
        assert decision.total is None
        assert "transitional_pension" in decision.missing[0]
        assert row["province"] in decision.missing[0]


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: f"{row['province']}-{row['retire']}")
def test_base_of_each_statement_stands_in_the_parameters_of_its_month(row):
    known_on = Month.parse(row["retire"]).last_day()
    decision = employee_pension(replace(facts_of(row), base=None, as_known_on=known_on))

    assert decision.base == Money.yuan(row["base"])


@pytest.mark.parametrize(
    ("retired", "known_on", "expected"),
    [
        (Month(2023, 2), date(2023, 2, 28), ("6849.00", 2022, True)),
        (Month(2024, 11), date(2024, 11, 30), ("7122.00", 2023, True)),
        (Month(2025, 6), date(2025, 6, 30), ("7265.00", 2024, True)),
        (Month(2025, 12), date(2025, 12, 31), ("7410.00", 2025, False)),
        (Month(2025, 6), None, ("7410.00", 2025, False)),
        (Month(2026, 3), None, ("7410.00", 2025, True)),
    ],
)
def test_the_base_is_the_years_own_or_provisionally_last_years(hebei_2023, retired, known_on, expected):
    decision = employee_pension(replace(hebei_2023, retirement_month=retired, as_known_on=known_on))

    assert (decision.base.text, decision.base_year, decision.provisional) == expected


@pytest.mark.parametrize(
    ("province", "retired", "known_on"),
    [
        ("hebei", Month(2027, 1), None),
        ("hebei", Month(2021, 6), date(2021, 6, 30)),
        ("hebei", Month(2020, 12), None),
        ("anhui", Month(2025, 8), None),
        ("anhui", Month(2026, 7), None),
        ("jilin", Month(2025, 7), date(2025, 7, 31)),
    ],
)
def test_an_unknown_base_is_an_error_that_names_it(hebei_2023, province, retired, known_on):
    facts = replace(hebei_2023, province=province, retirement_month=retired, as_known_on=known_on)

    with pytest.raises(ParameterMissing) as caught:
        employee_pension(facts)

    assert (caught.value.province, caught.value.parameter, caught.value.month) == (province, "pension_base", retired)
    for language in ("zh", "en"):
        sentence = caught.value.sentence(language)
        assert province in sentence
        assert "pension_base" in sentence
        assert retired.iso in sentence


def test_a_province_without_a_file_is_an_error_that_names_it(hebei_2023):
    with pytest.raises(ParameterMissing, match="shandong"):
        employee_pension(replace(hebei_2023, province="shandong"))


def test_recomputation_pays_the_difference_for_every_month_since_retirement(hebei_2023):
    facts = replace(hebei_2023, as_known_on=date(2023, 2, 28))
    first = employee_pension(facts)
    assert first.total == Money.yuan("2564.79")

    again = recompute(first, facts, date(2023, 12, 15))

    # 7122 in place of 6849: basic 1937.16, transitional 250.72, account unchanged 460.77.
    assert (again.decision.basic.text, again.decision.transitional.text) == ("1937.16", "250.72")
    assert again.decision.account == first.account
    assert again.decision.provisional is False
    assert again.monthly_difference == Money.yuan("83.86")
    assert again.months == 10
    assert again.back_pay == Money.yuan("838.60")


def test_recomputation_carries_a_given_indexed_wage_over_in_proportion(hebei_2023):
    facts = replace(hebei_2023, average_index=None, indexed_wage=Money.yuan("5299.07"), as_known_on=date(2023, 2, 28))
    again = recompute(employee_pension(facts), facts, date(2023, 12, 31))

    assert again.decision.transitional == Money.half_up(
        Fraction("5299.07") / 6849 * 7122 * Fraction("3.5") * Fraction("0.013")
    )


def test_recomputation_before_publication_is_refused_and_of_a_final_decision_changes_nothing(hebei_2023):
    facts = replace(hebei_2023, as_known_on=date(2023, 2, 28))
    first = employee_pension(facts)
    with pytest.raises(ParameterMissing, match="2023-02"):
        recompute(first, facts, date(2023, 11, 30))
    with pytest.raises(BadFacts):
        recompute(first, facts, date(2023, 1, 31))

    final = recompute(first, facts, date(2023, 12, 31)).decision
    nothing = recompute(final, facts, date(2024, 6, 30))
    assert nothing.decision == final
    assert nothing.back_pay == Money.zero()


def test_payout_months_follow_from_the_age_where_not_given(hebei_2023):
    assert employee_pension(replace(hebei_2023, age_months=721)).account == Money.half_up(
        Fraction("89850.24") / Fraction("138.4")
    )


def test_trace_shows_every_part_with_formula_law_and_status(hebei_2023):
    decision = employee_pension(hebei_2023)
    lines = {line.label_chinese: line for line in decision.trace}

    assert list(lines) == ["计发基数", "指数化月平均缴费工资", "基础养老金", "个人账户养老金", "过渡性养老金"]
    assert lines["基础养老金"].value == f"{decision.basic.text} 元"
    assert "30.67" in lines["基础养老金"].formula
    assert lines["过渡性养老金"].status is Status.UNVERIFIED
    assert all(line.law and line.source for line in decision.trace)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"average_index": None}, FactMissing),
        ({"average_index": Decimal("-0.1")}, BadFacts),
        ({"years": Fraction(-1)}, BadFacts),
        ({"pre_account_years": Fraction(31)}, BadFacts),
        ({"account": Money(-1)}, BadFacts),
        ({"payout_months": Decimal(0)}, BadFacts),
        ({"base": Money.zero()}, BadFacts),
        ({"indexed_wage": Money(-1)}, BadFacts),
        ({"age_months": 12}, BadFacts),
    ],
)
def test_facts_that_cannot_be_are_refused(hebei_2023, change, error):
    with pytest.raises(error):
        employee_pension(replace(hebei_2023, **change))


@settings(deadline=None)
@given(months=st.integers(0, 720))
def test_the_total_is_the_sum_of_rounded_parts_and_grows_with_years(months):
    facts = replace(facts_of(STATEMENTS[0]), years=credited_years(months + 60, "hebei"), pre_account_years=Fraction(5))
    shorter, longer = employee_pension(facts), employee_pension(replace(facts, years=facts.years + Fraction(1, 12)))

    assert shorter.total == shorter.basic + shorter.account + shorter.transitional
    assert longer.total > shorter.total


@pytest.mark.parametrize(
    ("months", "province", "years"),
    [
        (368, "hebei", Fraction("30.67")),
        (269, "hebei", Fraction("22.42")),
        (22, "hebei", Fraction("1.83")),
        (Fraction("515.5"), "hebei", Fraction("42.96")),
        (368, "anhui", Fraction(92, 3)),
        (42, "河北省", Fraction("3.5")),
    ],
)
def test_credited_years_are_rounded_as_the_provinces_statements_do(months, province, years):
    assert credited_years(months, province) == years


def test_hebei_bases_before_2021_are_not_in_the_parameters():
    versions = parameters("hebei").versions("pension_base")

    assert [(version.valid_from.iso, version.value) for version in versions] == [
        ("2021-01", "6575.00"),
        ("2022-01", "6849.00"),
        ("2023-01", "7122.00"),
        ("2024-01", "7265.00"),
        ("2025-01", "7410.00"),
    ]
    assert [version.status for version in versions] == [Status.UNVERIFIED] + [Status.PROVINCIAL] * 4
