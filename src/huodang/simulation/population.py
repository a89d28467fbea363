"""Makes the synthetic people from a seed: ages, careers, employers and what is awkward about them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np

from huodang.pension import Category, Route, retirement_age
from huodang.simulation.careers import career_of_statement, make_career
from huodang.simulation.identity_numbers import NumberMaker, counties, county_of
from huodang.simulation.names import make_name, renamed
from huodang.simulation.people import Employer, Person, Population, Quirk, Standing
from huodang.simulation.statements import Statement, statements
from huodang.standards import Money, Month

AWKWARD_SHARE = 0.06
_DUE_SHARE = 0.09  # besides the people of the statements
_WORKING_SHARE = 0.42
_EMPLOYERS = tuple(
    Employer(f"13{position:06d}", name)
    for position, name in enumerate(
        (
            "燕北机床厂(演示)",
            "滹沱河纺织有限公司(演示)",
            "太行水泥股份公司(演示)",
            "白洋淀食品厂(演示)",
            "渤海湾港务公司(演示)",
            "正定公共交通公司(演示)",
            "井陉矿业集团(演示)",
            "冀中制药有限公司(演示)",
            "燕赵百货大楼(演示)",
            "滦河钢铁公司(演示)",
        ),
        start=1,
    )
)
# So many of those who work reach the age next month, but take their time: they apply when the pages open.
_NEXT_TO_APPLY = 7
# Ages of mind: how far back the due people's month lies. The next month is where nobody need apply by themselves.
_DUE_MONTHS_BACK = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 6, 8, 11)
_CATEGORIES = (Category.MALE, Category.FEMALE55, Category.FEMALE50)
_CATEGORY_SHARES = (0.52, 0.14, 0.34)
# What can be awkward about somebody who isn't applying: the rows lie in the departments' databases all the same.
_STANDING_QUIRKS = (
    Quirk.DEAD_ON_PAPER,
    Quirk.IN_PRISON,
    Quirk.TWO_SCHEMES,
    Quirk.BIRTH_DATE_DIFFERS,
    Quirk.FIFTEEN_DIGITS,
    Quirk.RENAMED,
    Quirk.ABOLISHED_REGION,
    Quirk.ON_PROBATION,
)


@cache
def _births_by_lawful_month(category: Category) -> dict[Month, tuple[Month, ...]]:
    """For each lawful retirement month the birth months that lead to it; some months have none."""
    found: dict[Month, list[Month]] = {}
    for ordinal in range(Month(1930, 1).ordinal, Month(1995, 1).ordinal):
        born = Month(1930, 1) + (ordinal - Month(1930, 1).ordinal)
        found.setdefault(retirement_age(category, born).retirement_month, []).append(born)
    return {month: tuple(births) for month, births in found.items()}


def make_population(*, seed: int, count: int, today: date) -> Population:
    """Make the people.

    Args:
        seed: the same seed, count and date give the same people, byte for byte.
        count: how many people; the 36 people of the statements are among them (below 50, they come on top).
        today: the business date.

    Returns:
        The population; about a tenth of it is due, 6 % of it is awkward.
    """
    maker = _Maker(seed, today)
    people = [maker.of_statement(statement) for statement in statements()]
    others = count - len(people) if count >= 50 else count
    due = max(min(others, 13), round(count * _DUE_SHARE))
    working = round((others - due) * _WORKING_SHARE)
    plan = [Standing.DUE] * due + [Standing.WORKING] * working + [Standing.RETIRED] * (others - due - working)
    people.extend(maker.ordinary(standing) for standing in plan)
    people = maker.with_quirks(people)
    order = maker.generator.permutation(len(people))
    return Population(
        seed, today, tuple(replace(people[int(index)], serial=serial) for serial, index in enumerate(order, start=1))
    )


def _notice_day(route: Route, lawful: Month, wished: Month) -> date | None:
    """Give the day of the notice: three months ahead to go early, one month before the lawful age to stay on."""
    if route is Route.FLEXIBLE_EARLY:
        return (wished - 4).first_day()
    return (lawful - 2).first_day() if route is Route.FLEXIBLE_LATE else None


class _Maker:
    """Holds the one source of chance, so that every draw stands in one order."""

    def __init__(self, seed: int, today: date) -> None:
        self.generator = np.random.default_rng(seed)
        self._numbers = NumberMaker(self.generator)
        self._today = today
        self._next_month = Month.of(today) + 1
        self._still_next = _NEXT_TO_APPLY

    def _chance(self, share: float) -> bool:
        return bool(self.generator.random() < share)

    def _between(self, low: int, high: int) -> int:
        return int(self.generator.integers(low, high + 1))

    def _choose(self, choices: Sequence[str]) -> str:
        return choices[self._between(0, len(choices) - 1)]

    def of_statement(self, statement: Statement) -> Person:
        """Give the figures of a statement a person."""
        category, route = statement.category_and_route
        return self._person(
            born=self._day_in(statement.birth_month),
            sex=statement.sex,
            category=category,
            standing=Standing.DUE,
            route=route,
            wished=statement.retired,
            province=statement.province,
            county=county_of(statement.province),
            statement=statement,
        )

    def ordinary(self, standing: Standing) -> Person:
        """Make one person of Hebei who stands where asked."""
        category = _CATEGORIES[int(self.generator.choice(3, p=_CATEGORY_SHARES))]
        route = Route.NORMAL
        if standing is Standing.DUE:
            draw = self.generator.random()
            if draw < 0.06:
                route = Route.FLEXIBLE_EARLY
            elif draw < 0.08:
                route = Route.FLEXIBLE_LATE
            elif draw < 0.10:
                route, category = Route.SPECIAL_EARLY, Category.MALE
        born, wished = self._birth_and_month(standing, category, route)
        county = self._choose(counties(abolished=self._chance(0.15)))
        sex = "1" if category is Category.MALE else "2"
        return self._person(
            born=self._day_in(born),
            sex=sex,
            category=category,
            standing=standing,
            route=route,
            wished=wished,
            province="hebei",
            county=county,
        )

    def _birth_and_month(self, standing: Standing, category: Category, route: Route) -> tuple[Month, Month]:
        """Choose the month of birth, and the month in which the person retires."""
        next_month = self._next_month
        if route is Route.SPECIAL_EARLY:
            return next_month - 55 * 12, next_month
        if route is Route.FLEXIBLE_EARLY:
            # Between the original age and the lawful age: the only span in which the law lets one go early.
            original_age = {Category.MALE: 60, Category.FEMALE55: 55, Category.FEMALE50: 50}[category] * 12
            return next_month - original_age - self._between(0, 1), next_month
        if standing is Standing.DUE:
            back = _DUE_MONTHS_BACK[self._between(0, len(_DUE_MONTHS_BACK) - 1)]
            lawful = next_month - (back if route is Route.NORMAL else 3 + back)
        elif standing is Standing.WORKING:
            lawful = next_month + self._between(3, 170)
            if self._still_next and next_month in _births_by_lawful_month(category):
                self._still_next -= 1
                lawful = next_month
        else:
            lawful = Month.of(self._today) - 12 - int(230 * self.generator.random() ** 1.3)
        births = _births_by_lawful_month(category)
        while lawful not in births:
            lawful = lawful - 1
        candidates = births[lawful]
        born = candidates[self._between(0, len(candidates) - 1)]
        return born, next_month if route is Route.FLEXIBLE_LATE else lawful

    def _day_in(self, month: Month) -> date:
        return date(month.year, month.month, self._between(1, month.last_day().day))

    def _person(
        self,
        *,
        born: date,
        sex: str,
        category: Category,
        standing: Standing,
        route: Route,
        wished: Month,
        province: str,
        county: str,
        statement: Statement | None = None,
    ) -> Person:
        name, nationality = make_name(self.generator, sex)
        number = self._numbers.make(county, born, sex)
        if statement is None:
            career = make_career(
                self.generator,
                born=Month.of(born),
                ends=min(wished, Month.of(self._today)) - 1,
                special=route is Route.SPECIAL_EARLY,
            )
        else:
            career = career_of_statement(statement)
        # A woman who pays as flexibly employed has the original age 55, so none of the other category is one.
        flexible_employment = statement is None and category is not Category.FEMALE50 and self._chance(0.2)
        months = career.contribution_months + career.deemed_months
        died = None
        if standing is Standing.RETIRED and self._chance(0.002 * max(0, self._today.year - born.year - 50)):
            died = self._today - timedelta(days=self._between(40, 3000))
        lawful = retirement_age(category, Month.of(born)).retirement_month
        tail = f"{self._between(0, 9999_9999_9999):012d}"
        return Person(
            serial=0,
            number=number,
            name=name,
            sex=sex,
            born=born,
            nationality=nationality,
            household_region=county,
            province=province,
            phone=f"1990{self._between(0, 9_999_999):07d}",
            bank_account=f"621700{tail}",
            category=category,
            standing=standing,
            route=route,
            wished=wished,
            lawful=lawful,
            career=career,
            employer=None if flexible_employment else _EMPLOYERS[self._between(0, len(_EMPLOYERS) - 1)],
            housing_account=not flexible_employment and self._chance(0.82),
            housing_balance=Money(self._between(200_000, 18_000_000)),
            medical_months=min(480, max(months, 190 + self._between(0, 200))),
            one_child=self._chance(0.35),
            died=died,
            notice_given_on=_notice_day(route, lawful, wished),
            statement=statement,
        )

    def with_quirks(self, people: list[Person]) -> list[Person]:
        """Make 6 % of the people awkward; among those who are due each kind in turn, so that none is left out."""
        due = [
            index
            for index, person in enumerate(people)
            if person.standing is Standing.DUE and person.statement is None and person.route is Route.NORMAL
        ]
        all_due = sum(person.standing is Standing.DUE for person in people)
        rest = [
            index for index, person in enumerate(people) if person.standing is not Standing.DUE and person.died is None
        ]
        awkward = round(AWKWARD_SHARE * len(people))
        due_awkward = min(len(due), max(1, round(AWKWARD_SHARE * all_due)))
        chosen = list(people)
        for position, index in enumerate(self._some(due, due_awkward)):
            quirk = tuple(Quirk)[position % len(Quirk)]
            chosen[index] = self._made_awkward(chosen[index], quirk)
        for position, index in enumerate(self._some(rest, max(0, min(len(rest), awkward - due_awkward)))):
            chosen[index] = self._made_awkward(chosen[index], _STANDING_QUIRKS[position % len(_STANDING_QUIRKS)])
        return chosen

    def _some(self, indices: list[int], count: int) -> Iterable[int]:
        return (int(index) for index in self.generator.permutation(np.array(indices, dtype=np.int64))[:count])

    def _made_awkward(self, person: Person, quirk: Quirk) -> Person:
        person = replace(person, quirks=person.quirks | {quirk})
        if quirk is Quirk.RENAMED:
            return replace(person, former_name=person.name, name=renamed(self.generator, person.name))
        if quirk is Quirk.BIRTH_DATE_DIFFERS:
            # The number, and so the register, makes the person a little younger than the archive's earliest record.
            registered = self._day_in(Month.of(person.born) + self._between(1, 3))
            return replace(person, number=self._numbers.make(person.number[:6], registered, person.sex))
        if quirk is Quirk.ABOLISHED_REGION:
            county = self._choose(counties(abolished=True))
            number = self._numbers.make(county, person.born, person.sex)
            return replace(person, number=number, household_region=county)
        if quirk is Quirk.HOUSING_ARREARS:
            return replace(person, housing_account=True)
        if quirk is Quirk.YEARS_SHORT:
            short = person.career.spells[-1]
            spells = (replace(short, first=max(short.first, short.last - 119)),)
            career = replace(person.career, spells=spells, deemed=(), account=Money(2_480_000))
            return replace(person, career=career, medical_months=spells[0].months)
        return person
