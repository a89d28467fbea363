"""Working lives as the contribution records of an archive hold them: spells, gaps, deemed years, index and account."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from huodang.simulation.people import ACCOUNTS_BEGAN, Career, Spell
from huodang.simulation.statements import Statement
from huodang.standards import Money, Month

_CONTRIBUTIONS_BEGAN = Month(1992, 1)  # before it, work for the state counts as deemed years
_LEAST_MONTHS = 186  # fifteen years and a little: who is short of them is made so on purpose
_DEEMED_SHARE = 0.22  # of those who worked before contributions began


def make_career(generator: np.random.Generator, *, born: Month, ends: Month, special: bool) -> Career:
    """Make the working life of a person.

    Args:
        generator: the one source of chance.
        born: month of birth.
        ends: the last month paid for.
        special: the person worked underground, in heat or the like (特殊工种), long enough to leave early.
    """
    begins = born + int(generator.integers(18 * 12, 30 * 12))
    deemed: tuple[Spell, ...] = ()
    first_paid = max(begins, _CONTRIBUTIONS_BEGAN)
    if begins < _CONTRIBUTIONS_BEGAN and generator.random() < _DEEMED_SHARE:
        deemed = (Spell(begins, _CONTRIBUTIONS_BEGAN - 1),)
    elif generator.random() < 0.8:
        # Most people entered the scheme with, or after, the individual accounts.
        first_paid = max(first_paid, ACCOUNTS_BEGAN + int(generator.integers(0, 60)))
    if not deemed:
        first_paid = min(first_paid, ends - _LEAST_MONTHS)
    spells = [Spell(first_paid, ends)]
    room = spells[0].months - _LEAST_MONTHS
    if room > 24 and generator.random() < 0.5:
        gap = int(generator.integers(3, min(room, 60)))
        cut = first_paid + int(generator.integers(6, spells[0].months - gap - 6))
        spells = [Spell(first_paid, cut - 1), Spell(cut + gap, ends)]
    index = float(np.clip(generator.lognormal(-0.30, 0.35), 0.4, 2.6))
    average_index = Decimal(index).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    months_with_account = sum(spell.months for spell in spells)
    # 8 % of a wage that has grown to today's (about 2,900 yuan on average) times the index, with interest.
    account = Money(int(months_with_account * 2900 * 8 * float(average_index) * float(generator.uniform(1.15, 1.45))))
    return Career(
        spells=tuple(spells),
        deemed=deemed,
        average_index=average_index,
        account=account,
        special_trade_months=int(generator.integers(122, 200)) if special else 0,
    )


def career_of_statement(statement: Statement) -> Career:
    """Lay the years of a statement out as months, so that the contribution table agrees with what was issued.

    The statement's own decimal text is what counts: the months only approach it, as provinces round years differently.
    """
    total = _months(statement.total_years)
    deemed_months = min(_months(statement.deemed_years), total)
    last = statement.retired - 1
    first_paid = last - (total - deemed_months) + 1
    deemed = (Spell(first_paid - deemed_months, first_paid - 1),) if deemed_months else ()
    spells = (Spell(first_paid, last),) if first_paid <= last else ()
    return Career(
        spells=spells,
        deemed=deemed,
        average_index=statement.average_index,
        account=statement.account,
        special_trade_months=132 if statement.age_months in {55 * 12, 45 * 12} else 0,
    )


def _months(years: str) -> int:
    return int((Decimal(years or "0") * 12).to_integral_value(ROUND_HALF_UP))
