"""Retirement ages and employee pensions for columns of people: int64 fixed point, the same fen as the scalar face.

Products are held against the 64-bit limit before they are made: figures too large are refused, never wrapped around.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt

from huodang.pension.ages import (
    EARLIEST_BIRTH,
    LATEST_BIRTH,
    Category,
    minimum_contribution_months,
    original_age_months,
    payout_months,
)
from huodang.pension.errors import BadFacts, FiguresTooLarge
from huodang.pension.parameter_files import national
from huodang.standards import Month, Place

Integers = npt.NDArray[np.int64]

# How categories are coded in a column.
CATEGORY_CODES = {Category.MALE: 0, Category.FEMALE55: 1, Category.FEMALE50: 2}
# An average index is carried in millionths: statements show four decimals, some records six.
INDEX_SCALE = 1_000_000
# A row that has an index and no indexed wage.
NO_WAGE = -1

# Rows worked on at a time, so that what stands between two steps stays in the processor's cache.
_BLOCK = 16_384
_LARGEST = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class RetirementAges:
    """The columns of `RetirementAge`; months of retirement as `Month.ordinal`, payout months in tenths."""

    delay_months: Integers
    age_months: Integers
    retirement_ordinals: Integers
    payout_tenths: Integers
    minimum_contribution_months: Integers


@dataclass(frozen=True)
class EmployeeColumns:
    """What employee pensions are computed from, a row a person.

    Attributes:
        base_fen: Pension base.
        index_millionths: Average index in millionths; passed over where an indexed wage stands.
        indexed_wage_fen: Indexed monthly wage, `NO_WAGE` where it follows from the index.
        years: Credited years in units of 1 / `years_unit`.
        pre_account_years: Years before the accounts began, in the same unit.
        account_fen: What the individual account holds.
        payout_tenths: Payout months in tenths.
        years_unit: Parts of a year: 100 where a province carries two decimals, 12 where months count exactly.
    """

    base_fen: Integers
    index_millionths: Integers
    indexed_wage_fen: Integers
    years: Integers
    pre_account_years: Integers
    account_fen: Integers
    payout_tenths: Integers
    years_unit: int


@dataclass(frozen=True)
class PensionColumns:
    """Monthly pensions in fen, a row a person; transitional part and total are None without a provincial rule."""

    basic: Integers
    account: Integers
    transitional: Integers | None
    total: Integers | None


def retirement_ages(categories: npt.NDArray[np.integer], births: npt.NDArray[np.integer]) -> RetirementAges:
    """Compute the lawful retirement age of many people.

    The rule's outcome for every category and month of birth is laid in a table once, and looked up here.

    Args:
        categories: Codes of `CATEGORY_CODES`.
        births: Months of birth as `Month.ordinal`.

    Raises:
        BadFacts: a category or birth is out of range; the place names the first such row, counted from 1.

    Source: as `retirement_age`.
    """
    span = LATEST_BIRTH.ordinal - EARLIEST_BIRTH.ordinal + 1
    since = births.astype(np.int64) - EARLIEST_BIRTH.ordinal
    if births.shape != categories.shape:
        raise BadFacts("各列的行数不同", "the columns differ in length")
    _refuse(
        (categories < 0) | (categories >= len(CATEGORY_CODES)), "人员类别代码超出范围", "the category is out of range"
    )
    _refuse((since < 0) | (since >= span), "出生年月超出范围", "the month of birth is out of range")
    table = _age_table()
    positions = categories.astype(np.int64) * span + since
    ages = table.age_months.take(positions)
    return RetirementAges(
        delay_months=table.delay_months.take(positions),
        age_months=ages,
        retirement_ordinals=ages + births,
        payout_tenths=table.payout_tenths.take(positions),
        minimum_contribution_months=table.minimum_contribution_months.take(positions),
    )


def employee_pensions(columns: EmployeeColumns, coefficient: Fraction | None) -> PensionColumns:
    """Compute the monthly pension of many employees of one province.

    Args:
        columns: Their figures.
        coefficient: The province's transitional coefficient, or None where its rule isn't known.

    Raises:
        BadFacts: a figure is negative, or base or payout months are zero; the place names the first such row.
        FiguresTooLarge: a product would exceed 64 bits.

    Source: as `employee_pension`.
    """
    limits = _limits(columns)
    rate = national().sole("basic_rate").fraction
    # Denominators are even (the index is in millionths), so half of one is whole and rounds half up.
    basic_divisor = 2 * INDEX_SCALE * columns.years_unit * rate.denominator
    wage_limit = max(limits["base_fen"] * limits["index_millionths"], limits["indexed_wage_fen"] * INDEX_SCALE)
    _fits((limits["base_fen"] * INDEX_SCALE + wage_limit) * limits["years"] * rate.numerator + basic_divisor // 2)
    _fits(2 * 10 * limits["account_fen"] + limits["payout_tenths"])
    share = coefficient if coefficient is not None else Fraction(0)
    transitional_divisor = INDEX_SCALE * columns.years_unit * share.denominator
    _fits(wage_limit * limits["pre_account_years"] * share.numerator + transitional_divisor // 2)
    _fits(max(basic_divisor, transitional_divisor))

    count = columns.base_fen.size
    basic, account = np.empty(count, np.int64), np.empty(count, np.int64)
    transitional = np.empty(count, np.int64) if coefficient is not None else None
    total = np.empty(count, np.int64) if coefficient is not None else None
    any_wage = limits["indexed_wage_fen"] >= 0
    for start in range(0, count, _BLOCK):
        rows = slice(start, start + _BLOCK)
        base = columns.base_fen[rows]
        wage = base * columns.index_millionths[rows]
        if any_wage:
            given = columns.indexed_wage_fen[rows]
            np.copyto(wage, given * INDEX_SCALE, where=given != NO_WAGE)
        work = base * INDEX_SCALE
        work += wage
        work *= columns.years[rows]
        work *= rate.numerator
        work += basic_divisor // 2
        np.floor_divide(work, basic_divisor, out=basic[rows])

        tenths = columns.payout_tenths[rows]
        np.multiply(columns.account_fen[rows], 2 * 10, out=work)
        work += tenths
        np.floor_divide(work, tenths * 2, out=account[rows])

        if transitional is None or total is None:
            continue
        wage *= columns.pre_account_years[rows]
        wage *= share.numerator
        wage += transitional_divisor // 2
        np.floor_divide(wage, transitional_divisor, out=transitional[rows])
        np.add(basic[rows], account[rows], out=total[rows])
        total[rows] += transitional[rows]
    return PensionColumns(basic, account, transitional, total)


def _limits(columns: EmployeeColumns) -> dict[str, int]:
    """Check the figures and give the largest of every column."""
    names = (
        "base_fen",
        "index_millionths",
        "indexed_wage_fen",
        "years",
        "pre_account_years",
        "account_fen",
        "payout_tenths",
    )
    above_zero = {"base_fen", "payout_tenths"}
    limits: dict[str, int] = {}
    for name in names:
        values: Integers = getattr(columns, name)
        if values.dtype != np.int64 or values.shape != columns.base_fen.shape or values.ndim != 1:
            raise BadFacts(f"列 {name} 不是等长的 int64 列", f"column {name} isn't an int64 column of the same length")
        least = NO_WAGE if name == "indexed_wage_fen" else int(name in above_zero)
        if values.size and int(values.min()) < least:
            _refuse(values < least, f"{name} 小于允许的最小值", f"{name} is below the least possible", name)
        limits[name] = int(values.max()) if values.size else 0
    if columns.years_unit < 1:
        raise BadFacts("年限单位须大于零", "the unit of years must be above zero")
    return limits


def _refuse(wrong: npt.NDArray[np.bool_], chinese: str, english: str, column: str | None = None) -> None:
    if wrong.any():
        raise BadFacts(chinese, english, place=Place(row=int(wrong.argmax()) + 1, column=column))


def _fits(product: int) -> None:
    if product > _LARGEST:
        raise FiguresTooLarge(
            "数值过大，超出 64 位整数",
            "the figures are too large for 64 bits",
            advice_chinese="请核对金额和年限的单位，或用逐人计算。",
            advice_english="Check the units of amounts and years, or compute person by person.",
        )


@cache
def _age_table() -> RetirementAges:
    """The outcome of the rule for every category and month of birth, category by category; made once."""
    births = np.arange(EARLIEST_BIRTH.ordinal, LATEST_BIRTH.ordinal + 1)
    delays, ages = [], []
    for category in CATEGORY_CODES:
        steps = national().sole("retirement_delay").table[category.value]
        elapsed = births - Month.parse(steps["first_birth_month"]).ordinal
        started = elapsed // int(steps["months_per_step"]) + 1
        delays.append(np.where(elapsed < 0, 0, np.minimum(started, int(steps["most_months"]))))
        ages.append(original_age_months(category) + delays[-1])
    delay, age = np.concatenate(delays), np.concatenate(ages)
    retirement = age + np.tile(births, len(CATEGORY_CODES))
    return RetirementAges(
        delay_months=delay,
        age_months=age,
        retirement_ordinals=retirement,
        payout_tenths=_each(age, lambda months: int(payout_months(months) * Decimal(10))),
        minimum_contribution_months=_each(
            retirement, lambda ordinal: minimum_contribution_months(Month.from_ordinal(ordinal))
        ),
    )


def _each(values: Integers, rule: Callable[[int], int]) -> Integers:
    """Apply a scalar rule once to each distinct value of a column."""
    distinct, positions = np.unique(values, return_inverse=True)
    return np.array([rule(int(value)) for value in distinct], dtype=np.int64)[positions]
