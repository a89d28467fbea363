"""Normal, flexible and special ways into retirement: every condition, with its reason and law."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.pension import Category, Route, SpecialTrade, check_route, retirement_age
from huodang.standards import Month

BORN = Month(1970, 6)  # a man: original age 2030-06, lawful 2031-11 at 61 years and 5 months
LAWFUL = Month(2031, 11)


def early(wished, months=240, notice=date(2030, 1, 15), category=Category.MALE, born=BORN):
    return check_route(Route.FLEXIBLE_EARLY, category, born, wished, months, notice_given_on=notice)


def codes(decision):
    return [reason.code for reason in decision.reasons]


def test_the_man_of_these_tests_retires_at_61_years_and_5_months():
    assert retirement_age(Category.MALE, BORN).retirement_month == LAWFUL


def test_normal_retirement_is_in_the_lawful_month_with_the_minimum_contributions():
    assert check_route(Route.NORMAL, Category.MALE, BORN, LAWFUL, 192).allowed
    assert codes(check_route(Route.NORMAL, Category.MALE, BORN, LAWFUL, 191)) == ["too_few_contributions"]
    assert codes(check_route(Route.NORMAL, Category.MALE, BORN, LAWFUL - 1, 192)) == ["not_the_lawful_month"]
    assert codes(check_route(Route.NORMAL, Category.MALE, BORN, LAWFUL + 1, 192)) == ["not_the_lawful_month"]


def test_unknown_contributions_are_unknown_and_not_too_few():
    decision = check_route(Route.NORMAL, Category.MALE, BORN, LAWFUL, None)

    assert decision.allowed is False
    assert codes(decision) == ["contributions_unknown"]
    assert decision.reasons[0].unknown is True


def test_flexible_early_is_allowed_down_to_the_original_age():
    decision = early(Month(2030, 6))

    assert decision.allowed
    assert decision.age_months == 60 * 12
    assert decision.needs_public_notice is False
    assert any("第三条" in law.law for law in decision.laws)


@pytest.mark.parametrize(
    ("wished", "months", "notice", "expected"),
    [
        (Month(2030, 5), 240, date(2029, 12, 1), ["below_original_age"]),
        (LAWFUL, 240, date(2030, 1, 1), ["not_early"]),
        (LAWFUL + 5, 240, date(2030, 1, 1), ["not_early"]),
        (Month(2030, 6), 185, date(2030, 1, 1), ["too_few_contributions"]),
        (Month(2030, 6), 186, date(2030, 3, 31), []),
        (Month(2030, 6), 186, date(2030, 4, 1), ["notice_too_late"]),
        (Month(2030, 6), 186, None, ["notice_unknown"]),
        (Month(2030, 5), 100, None, ["below_original_age", "notice_unknown", "too_few_contributions"]),
        (Month(2024, 12), 240, date(2024, 1, 1), ["not_in_force"]),
    ],
)
def test_each_condition_of_flexible_early_has_its_reason(wished, months, notice, expected):
    decision = early(wished, months, notice)

    assert codes(decision) == expected
    assert decision.allowed is not bool(expected)
    assert all(reason.law and reason.chinese and reason.english for reason in decision.reasons)


def test_flexible_early_is_at_most_three_years_before_the_lawful_month():
    # A woman of 50 with the full delay of 60 months: the original age lies further back than three years.
    born = Month(1985, 1)
    lawful = retirement_age(Category.FEMALE50, born).retirement_month
    notice = date(2036, 1, 1)

    assert early(lawful - 36, 240, notice, Category.FEMALE50, born).allowed
    assert codes(early(lawful - 37, 240, notice, Category.FEMALE50, born)) == ["too_early"]


def test_flexible_early_needs_the_minimum_years_of_the_year_chosen():
    assert early(Month(2031, 1), 192, date(2030, 1, 1)).allowed
    assert codes(early(Month(2031, 1), 191, date(2030, 1, 1))) == ["too_few_contributions"]
    assert early(Month(2030, 12), 186, date(2030, 1, 1)).allowed


@pytest.mark.parametrize(
    ("wished", "agreed", "expected"),
    [
        (LAWFUL + 1, date(2031, 10, 31), []),
        (LAWFUL + 36, date(2031, 10, 1), []),
        (LAWFUL + 37, date(2031, 10, 1), ["too_late"]),
        (LAWFUL, date(2031, 10, 1), ["not_late"]),
        (LAWFUL + 1, date(2031, 11, 1), ["agreed_too_late"]),
        (LAWFUL + 1, None, ["agreement_unknown"]),
    ],
)
def test_each_condition_of_flexible_late_has_its_reason(wished, agreed, expected):
    assert codes(check_route(Route.FLEXIBLE_LATE, Category.MALE, BORN, wished, 240, agreed_on=agreed)) == expected


def special(wished, *, category=Category.MALE, trade=SpecialTrade.UNDERGROUND, months=108, service=120):
    return check_route(
        Route.SPECIAL_EARLY,
        category,
        BORN,
        wished,
        240,
        special_trade=trade,
        special_trade_months=months,
        consecutive_service_months=service,
    )


@pytest.mark.parametrize(
    ("trade", "needed"),
    [
        (SpecialTrade.UNDERGROUND, 108),
        (SpecialTrade.HIGH_TEMPERATURE, 108),
        (SpecialTrade.HIGH_ALTITUDE, 120),
        (SpecialTrade.EXTRA_HEAVY, 120),
        (SpecialTrade.OTHER_HARMFUL, 96),
    ],
)
def test_special_trades_take_eight_to_ten_years_and_a_public_notice(trade, needed):
    allowed = special(Month(2025, 6), trade=trade, months=needed)

    assert allowed.allowed
    assert allowed.needs_public_notice
    assert codes(special(Month(2025, 6), trade=trade, months=needed - 1)) == ["trade_too_short"]


def test_special_trades_retire_men_at_55_and_women_at_45_with_ten_years_of_service():
    assert codes(special(Month(2025, 5))) == ["below_special_age"]
    assert codes(special(Month(2025, 6), service=119)) == ["service_too_short"]
    assert codes(special(Month(2025, 6), service=None, trade=None)) == ["service_unknown", "trade_unknown"]
    assert codes(special(LAWFUL)) == ["not_early"]
    assert special(Month(2015, 6), category=Category.FEMALE50).allowed
    assert codes(special(Month(2015, 5), category=Category.FEMALE50)) == ["below_special_age"]


def test_treatment_of_special_trades_is_marked_unverified():
    assert all(law.status == "unverified" for law in special(Month(2025, 6)).laws if law.concerns == "retirement_month")


@settings(deadline=None)
@given(
    category=st.sampled_from(Category),
    born=st.integers(Month(1965, 1).ordinal, Month(1995, 12).ordinal).map(Month.from_ordinal),
    months=st.integers(-60, 60),
)
def test_no_month_is_both_flexibly_early_and_late_and_the_lawful_one_is_neither(category, born, months):
    lawful = retirement_age(category, born).retirement_month
    wished = lawful + months
    notice = date(1990, 1, 1)
    is_early = check_route(Route.FLEXIBLE_EARLY, category, born, wished, 600, notice_given_on=notice).allowed
    is_late = check_route(Route.FLEXIBLE_LATE, category, born, wished, 600, agreed_on=notice).allowed
    is_normal = check_route(Route.NORMAL, category, born, wished, 600).allowed

    assert is_early + is_late + is_normal <= 1
    assert is_normal == (months == 0)
    if is_early:
        assert -36 <= months < 0
        assert wished >= Month(2025, 1)
