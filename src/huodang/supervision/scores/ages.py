"""The score of early retirement: months before the lawful month that nothing told explains."""

from typing import Final

import numpy as np

from huodang.pension import Category
from huodang.pension.vectorised import CATEGORY_CODES, RetirementAges, retirement_ages
from huodang.standards import Month
from huodang.supervision.scores.features import Family, Feature, Words, month_text, nothing
from huodang.supervision.scores.people import Codes, People
from huodang.supervision.scores.rarity import rarity

# From this month people may choose to go up to so many months early. Source: 办法第三条 (R-RET-03).
_FLEXIBLE_FROM: Final = Month(2025, 1).ordinal
_FLEXIBLE_MONTHS: Final = 36
# Special trades: men at 55, women at 45, at the least five years early. Source: 国发〔1978〕104号 (R-RET-05).
_SPECIAL_MONTHS: Final = 60
_FIRST_BIRTH: Final = 19000101
_LAST_BIRTH: Final = 21001231
_ANY_BIRTH: Final = Month(1960, 1).ordinal


def below_minimum(people: People, contributed: Codes) -> Feature:
    """Score the months that a person's contributions lack of the lawful minimum at retirement.

    Where an agency's column leaves deemed years out, many lack some and it counts for little; a rare gap counts.
    """
    told, ages = _lawful(people)
    told &= contributed >= 0
    lacks = ages.minimum_contribution_months - contributed
    values = nothing(len(people))
    values[told] = np.maximum(lacks[told], 0)

    def tell(at: int) -> Words:
        has, least = int(contributed[at]), int(ages.minimum_contribution_months[at])
        return Words(
            f"缴费 {has} 个月，按出生年月应至少 {least} 个月，仍缺 {int(lacks[at])} 个月",
            f"{has} months of contributions, where {least} are the least by month of birth: {int(lacks[at])} short",
        )

    label = Words("缴费年限低于最低年限", "contributions below the lawful minimum")
    return Feature("below_minimum", Family.AMOUNT, label, values, rarity(values), tell, lambda at: int(people.fen[at]))


def early(people: People) -> Feature:
    """Score the months between the month of retirement and the earliest that the law allows as far as told.

    A woman whose category isn't told counts as one who may go at 50: nobody is suspected for a gap in the data.
    """
    told, ages = _lawful(people)
    told &= people.started > 0
    lawful = ages.retirement_ordinals
    values = nothing(len(people))
    allowed = np.where(people.special == 1, _SPECIAL_MONTHS, 0)
    allowed = np.where((people.started >= _FLEXIBLE_FROM) & (allowed == 0), _FLEXIBLE_MONTHS, allowed)
    months = lawful - people.started - allowed
    values[told] = np.maximum(months[told], 0)

    def tell(at: int) -> Words:
        went, due, by = month_text(int(people.started[at])), month_text(int(lawful[at])), int(months[at])
        trade = ("（特殊工种）", " (special trade)") if people.special[at] == 1 else ("", "")
        return Words(
            f"{went} 退休{trade[0]}，法定为 {due}，计入可提前的月数后仍早 {by} 个月",
            f"retired in {went}{trade[1]}; the lawful month is {due}, and {by} months remain beyond what may go early",
        )

    label = Words("早于法定退休年龄", "retired before the lawful age")
    digits = rarity(values, np.maximum(people.special, 0))
    return Feature("early", Family.AGE, label, values, digits, tell, lambda at: int(people.fen[at]))


def is_early(people: People, feature: Feature) -> np.ndarray:
    """Tell who retired early at all: by a special trade, or before the lawful month."""
    found: np.ndarray = (people.special == 1) | (np.nan_to_num(feature.values) > 0)
    return found


def _lawful(people: People) -> tuple[np.ndarray, RetirementAges]:
    """Tell whose date of birth can be read, and the lawful age of everybody (of the others it means nothing)."""
    month = people.born // 100 % 100
    told = (people.born >= _FIRST_BIRTH) & (people.born <= _LAST_BIRTH) & (month >= 1) & (month <= 12)
    born = np.where(told, people.born // 10_000 * 12 + month - 1, _ANY_BIRTH)
    by_sex = np.where(people.sex == 1, CATEGORY_CODES[Category.MALE], CATEGORY_CODES[Category.FEMALE50])
    return told, retirement_ages(np.where(people.category >= 0, people.category, by_sex), born)
