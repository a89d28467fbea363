"""Retirement ages for a CSV file of categories and months of birth."""

import re

from huodang.pension.ages import Category, RetirementAge, retirement_age
from huodang.pension.tables import Cells, ComputedTable, Table, write_table
from huodang.standards import HuodangError, Month, Place, to_half_width

ADDED = ("delay_months", "age_months", "retire_month", "payout_months", "min_contribution_months")


def retirement_age_table(table: Table) -> ComputedTable:
    """Add the lawful retirement age to every row.

    Takes columns `category` and `birth_ym` among any others. The month of retirement is written as the row writes its
    birth. A row that can't be computed says why in `problem`.

    Raises:
        TableError: `category` or `birth_ym` is absent.
    """
    table.require(("category", "birth_ym"))
    return write_table(table, ADDED, _compute)


def read_retirement_age(cells: Cells) -> RetirementAge | None:
    """Compute the lawful retirement age from a row's `category` and `birth_ym`; None with a problem if it can't be."""
    category, born = cells.read("category", Category.parse), cells.read("birth_ym", Month.parse)
    if category is None:
        cells.miss("category", "人员类别", "the category")
    if born is None:
        cells.miss("birth_ym", "出生年月", "the month of birth")
    if category is None or born is None:
        return None
    try:
        return retirement_age(category, born)
    except HuodangError as error:
        cells.add(error.at(Place(column="birth_ym")))
        return None


def month_like(month: Month, example: str) -> str:
    """Write a month as another is written: `2025-02`, `202502`, `2025/02`, `2025.02` or `2025年2月`.

    Months are always padded to two digits, but for the Chinese form; full-width examples get ordinary digits.
    """
    plain = to_half_width(example)
    if "年" in plain:
        return f"{month.year}年{month.month}月"
    mark = re.search(r"[-/.]", plain)
    return f"{month.year:04d}{mark[0] if mark else ''}{month.month:02d}"


def _compute(cells: Cells) -> dict[str, str]:
    found = read_retirement_age(cells)
    if found is None:
        return {}
    return {
        "delay_months": str(found.delay_months),
        "age_months": str(found.age_months),
        "retire_month": month_like(found.retirement_month, cells.text("birth_ym")),
        "payout_months": f"{found.payout_months:f}",
        "min_contribution_months": str(found.minimum_contribution_months),
    }
