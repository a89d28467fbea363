import itertools
from collections import Counter
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.pension import Category, Route, check_route, retirement_age
from huodang.simulation.identity_numbers import NumberMaker, fifteen_digits
from huodang.simulation.names import make_name, renamed
from huodang.simulation.people import Career, Population, Quirk, Spell, Standing
from huodang.simulation.population import make_population
from huodang.standards import IdentityNumber, Money, Month, PersonName, is_region_known, region

TODAY = date(2026, 11, 23)


def test_everyone_has_a_valid_number_and_name_of_their_own(province: Population) -> None:
    numbers = {IdentityNumber.parse(person.number).text for person in province.people}
    assert len(numbers) == len(province.people) == 2000
    for person in province.people:
        number = IdentityNumber.parse(person.number)
        assert number.sex == person.sex
        assert number.birth_date == person.registered_birth
        assert is_region_known(number)
        assert PersonName.parse(person.name).text == person.name


def test_the_same_seed_gives_the_same_people_and_another_seed_gives_others() -> None:
    first = make_population(seed=1, count=80, today=TODAY)
    assert make_population(seed=1, count=80, today=TODAY) == first
    assert make_population(seed=2, count=80, today=TODAY).people != first.people


def test_about_a_tenth_is_due_and_reaches_the_month_by_next_month(province: Population) -> None:
    assert 150 <= len(province.due) <= 220
    next_month = Month.of(TODAY) + 1
    assert all(person.wished <= next_month for person in province.due)
    assert Counter(person.wished for person in province.due)[next_month] >= 30
    working = [person for person in province.people if person.standing is Standing.WORKING]
    assert min(person.lawful for person in working) >= next_month


def test_ages_are_those_of_an_archive_of_retirement(province: Population) -> None:
    ages = [TODAY.year - person.born.year for person in province.people]
    assert min(ages) >= 35
    assert 50 <= sorted(ages)[len(ages) // 2] <= 65
    assert max(ages) <= 90


def test_six_per_cent_are_awkward_and_every_kind_is_among_the_due(province: Population) -> None:
    awkward = [person for person in province.people if person.quirks]
    assert len(awkward) == round(0.06 * 2000)
    kinds = Counter(quirk for person in province.due for quirk in person.quirks)
    assert set(kinds) == set(Quirk)
    assert sum(kinds.values()) == round(0.06 * len(province.due))


def test_the_awkward_are_awkward_in_the_way_they_are_named(province: Population) -> None:
    by_kind = {quirk: person for person in province.due for quirk in person.quirks}
    renamed_person = by_kind[Quirk.RENAMED]
    assert renamed_person.former_name not in {None, renamed_person.name}
    differs = by_kind[Quirk.BIRTH_DATE_DIFFERS]
    assert differs.born < differs.registered_birth
    short = by_kind[Quirk.YEARS_SHORT].career
    assert short.contribution_months + short.deemed_months < 180
    assert region(by_kind[Quirk.ABOLISHED_REGION].household_region).valid_to is not None


def test_everyone_due_and_not_short_may_go_by_the_route_they_ask_for(province: Population) -> None:
    routes = Counter[Route]()
    for person in province.due:
        if person.statement is not None or Quirk.YEARS_SHORT in person.quirks:
            continue
        career = person.career
        decision = check_route(
            person.route,
            person.category,
            Month.of(person.born),
            person.wished,
            career.contribution_months + career.deemed_months,
            notice_given_on=person.notice_given_on,
            agreed_on=person.notice_given_on,
            special_trade_months=career.special_trade_months,
            consecutive_service_months=career.contribution_months,
        )
        assert not [reason.code for reason in decision.reasons if reason.code != "trade_unknown"], person.route
        routes[person.route] += 1
    assert set(routes) == set(Route)


def test_names_hold_minority_dots_and_characters_beyond_the_basic_plane(province: Population) -> None:
    names = [person.name for person in province.people]
    assert any("·" in name for name in names)
    assert any(ord(character) > 0xFFFF for name in names for character in name)


@pytest.mark.parametrize("count", [1, 20, 50, 100])
def test_a_small_province_works_too(count: int) -> None:
    population = make_population(seed=3, count=count, today=TODAY)
    assert len(population.people) == (count if count >= 50 else count + 36)
    assert len([person for person in population.due if person.statement is not None]) == 36
    assert len(population.due) > 36
    assert any(person.quirks for person in population.due) or count == 1


def test_careers_end_before_the_pension_begins_and_spells_do_not_overlap(province: Population) -> None:
    for person in province.people:
        spells = sorted((*person.career.deemed, *person.career.spells), key=lambda spell: spell.first)
        assert all(spell.first <= spell.last for spell in spells)
        assert all(one.last < other.first for one, other in itertools.pairwise(spells))
        if spells:
            assert spells[-1].last < person.wished
            # A real statement counts years from the age of fifteen; made-up careers begin at eighteen.
            youngest = 15 if person.statement else 18
            assert spells[0].first - Month.of(person.born) >= youngest * 12


def test_months_before_accounts_count_each_month_once() -> None:
    career = Career(
        spells=(Spell(Month(1995, 11), Month(1996, 2)),),
        deemed=(Spell(Month(1990, 1), Month(1990, 12)),),
        average_index=Decimal("0.8"),
        account=Money(1),
    )
    assert career.pre_account_months == 12 + 2
    assert career.contribution_months == 4


@given(seed=st.integers(0, 10_000), sex=st.sampled_from(["1", "2"]))
@settings(max_examples=60, deadline=None)
def test_any_name_can_be_read_and_a_renamed_person_keeps_the_surname(seed: int, sex: str) -> None:
    generator = np.random.default_rng(seed)
    name, nationality = make_name(generator, sex)
    assert PersonName.parse(name).text == name
    assert len(nationality) == 2
    other = renamed(generator, name)
    assert other != name
    assert other[0] == name[0] or other.partition("·")[2] == name.partition("·")[2]


@given(born=st.dates(date(1931, 1, 1), date(1999, 12, 31)), sex=st.sampled_from(["1", "2"]), seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_fifteen_digits_read_back_to_the_eighteen(born: date, sex: str, seed: int) -> None:
    number = NumberMaker(np.random.default_rng(seed)).make("130103", born, sex)
    assert IdentityNumber.parse(number).text == number
    assert IdentityNumber.parse(fifteen_digits(number)).text == number


def test_lawful_months_are_the_law_s(province: Population) -> None:
    for person in province.people:
        assert person.lawful == retirement_age(person.category, Month.of(person.born)).retirement_month
        assert (person.category is Category.MALE) == (person.sex == "1")
