"""Rules and `pension` agree: person by person and month by month, whatever the dates."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from rule_tables import Sheets, codes, person

from huodang.pension import (
    BadFacts,
    Category,
    Custody,
    Route,
    check_route,
    payment_effect_of_custody,
    payment_effect_of_death,
    retirement_age,
)
from huodang.standards import Month
from huodang.supervision.rules.custody import SENTENCES
from huodang.supervision.rules.lawful_months import _WORDS
from huodang.supervision.tables import Kind

MONTHS = tuple(Month(2024, 11) + count for count in range(6))
days = st.dates(date(2024, 9, 1), date(2025, 6, 30))
few = settings(max_examples=12, deadline=None)


def number(day):
    return int(day.strftime("%Y%m%d"))


def pay_every_month(sheets, who):
    return {sheets.pay(who, month): month for month in codes(MONTHS)}


@few
@given(st.lists(days, min_size=1, max_size=20))
def test_rule_and_pension_agree_on_every_month_after_a_death(deaths):
    sheets, undue = Sheets(), set()
    for sequence, died in enumerate(deaths):
        sheets.die(person(sequence), number(died))
        months = set(codes(payment_effect_of_death(died, MONTHS).unduly_paid))
        undue |= {row for row, month in pay_every_month(sheets, person(sequence)).items() if month in months}
    assert set(sheets.found("paid_after_death", month=MONTHS[-1], months=MONTHS)) == undue


terms = st.tuples(st.sampled_from(sorted(SENTENCES)), days, st.none() | st.integers(0, 250))


@few
@given(st.lists(st.lists(terms, min_size=1, max_size=3), min_size=1, max_size=10))
def test_rule_and_pension_agree_on_every_month_of_custody_however_terms_overlap(people):
    sheets, undue = Sheets(), set()
    for sequence, served in enumerate(people):
        months = set()
        for kind, began, length in served:
            ended = None if length is None else began + timedelta(days=length)
            sheets.add(
                Kind.CUSTODY,
                person(sequence),
                custody_from=number(began),
                custody_to=None if ended is None else number(ended),
                sentence_type=kind,
            )
            months |= set(codes(payment_effect_of_custody(SENTENCES[kind], began, ended, MONTHS).unduly_paid))
        undue |= {row for row, month in pay_every_month(sheets, person(sequence)).items() if month in months}
    assert set(sheets.found("paid_in_custody", month=MONTHS[-1], months=MONTHS)) == undue


def test_every_kind_of_custody_has_a_code():
    assert set(SENTENCES.values()) == set(Custody)


births = st.builds(Month, st.integers(1930, 1990), st.integers(1, 12))


def route_is_open(category, born, wished):
    """Whether flexible retirement reaches this month; notice and contributions are beyond what the tables tell."""
    told_by_tables = {"not_in_force", "not_early", "too_early", "below_original_age"}
    decision = check_route(Route.FLEXIBLE_EARLY, category, born, wished, 480, notice_given_on=date(1900, 1, 1))
    return not told_by_tables & {each.code for each in decision.reasons}


@few
@given(st.lists(st.tuples(st.sampled_from(list(Category)), births, st.integers(-80, 30)), min_size=1, max_size=40))
def test_rule_and_pension_agree_on_who_retired_before_the_lawful_month(people):
    sheets, early, flexible = Sheets(), {}, set()
    for sequence, (category, born, months) in enumerate(people):
        lawful = retirement_age(category, born).retirement_month
        wished = lawful + months
        row = sheets.pay(
            person(sequence),
            birth=int(str(born)) * 100 + 1,
            sex=1 if category is Category.MALE else 2,
            category=category.value,
            benefit_from=int(str(wished)),
        )
        if wished < lawful and route_is_open(category, born, wished):
            flexible.add(row)
        elif wished < lawful:
            early[row] = int(str(lawful))
    found = sheets.found("retired_early")
    assert {row: each["lawful_month"] for row, each in found.items()} == early
    assert {row for row, why in sheets.unknown("retired_early").items() if why == "may_be_flexible"} == flexible


def test_every_word_for_a_category_is_one_that_pension_knows():
    for word in _WORDS:
        assert isinstance(Category.parse(word), Category)
    try:
        Category.parse("女")
    except BadFacts:
        assert "女" not in _WORDS
