"""Pensions for a CSV file of issued statements or cases: what can be computed is, and the rest is named."""

import re
from collections.abc import Callable
from fractions import Fraction

from huodang.pension import formulas
from huodang.pension.employee import transitional_rule
from huodang.pension.errors import BadFacts, ParameterMissing
from huodang.pension.parameter_files import Parameter, national, parameters
from huodang.pension.retirement_age_table import read_retirement_age
from huodang.pension.tables import Cells, ComputedTable, Table, TableError, write_table
from huodang.standards import Money, Month, Place

ADDED = ("basic", "account_pension", "transition", "total")
READ = (
    "province",
    "retire",
    "base",
    "avg_index",
    "indexed_wage",
    "total_years",
    "deemed_years",
    "pre_account_years",
    "account",
    "payout_months",
    "category",
    "birth_ym",
)

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,18})?")

# Above these a figure was put into the wrong column or counted in another unit (months as years, an index as percent).
_MOST_YEARS = 100
_MOST_INDEX = 20
_MOST_PAYOUT_MONTHS = 400


def pension_table(table: Table) -> ComputedTable:
    """Add basic, account and transitional part and their total to every row, in yuan.

    Every part follows from the row's own cells: the basic part from base, index or indexed wage, and years; the account
    part from account and payout months (given, or those of the lawful age by `category` and `birth_ym`). The
    transitional part also takes the province's rule in force in the month of retirement; without one, it and the total
    stay blank. A part whose cells are blank or broken stays blank, and `problem` names them.

    Raises:
        TableError: the heading has none of the columns.
    """
    if not any(column in table.columns for column in READ):
        raise TableError(
            "表头中没有一个可用的列",
            "the heading has none of the columns",
            advice_chinese=f"可用的列：{'、'.join(READ)}。",
            advice_english=f"The columns are {', '.join(READ)}.",
            place=Place(file=table.file, row=1),
        )
    return write_table(table, ADDED, _compute)


def _compute(cells: Cells) -> dict[str, str]:
    base = cells.read("base", _number(above_zero=True))
    years = cells.read("total_years", _number(most=_MOST_YEARS))
    wage = _wage(cells, base)
    basic = _basic(cells, base, wage, years)
    account = _account(cells)
    transition = _transition(cells, wage, years)
    parts = {"basic": basic, "account_pension": account, "transition": transition}
    values = {name: part.text for name, part in parts.items() if part is not None}
    # A total stands for the whole row: none is given while anything in the row is in doubt, even a cell not needed.
    if basic is not None and account is not None and transition is not None and not cells.problems:
        values["total"] = (basic + account + transition).text
    return values


def _wage(cells: Cells, base: Fraction | None) -> Fraction | None:
    """The indexed wage: the one given, else base × index."""
    index = cells.read("avg_index", _number(most=_MOST_INDEX))
    wage = cells.read("indexed_wage", _number())
    if wage is not None or not cells.blank("indexed_wage"):
        return wage
    if index is None:
        cells.miss("avg_index", "平均缴费指数或指数化月平均缴费工资", "average index or indexed wage")
        return None
    return formulas.indexed_wage(base, index) if base is not None else None


def _basic(cells: Cells, base: Fraction | None, wage: Fraction | None, years: Fraction | None) -> Money | None:
    if base is None:
        cells.miss("base", "计发基数", "the pension base")
    if years is None:
        cells.miss("total_years", "缴费年限", "credited years")
    if base is None or wage is None or years is None:
        return None
    return Money.half_up(formulas.basic_part(base, wage, years, national().sole("basic_rate").fraction))


def _account(cells: Cells) -> Money | None:
    account = cells.read("account", _number(decimals=2))
    if account is None:
        cells.miss("account", "个人账户储存额", "the account")
    months = cells.read("payout_months", _number(above_zero=True, most=_MOST_PAYOUT_MONTHS))
    if cells.blank("payout_months"):
        months = _lawful_payout_months(cells)
    if account is None or months is None:
        return None
    return Money.half_up(formulas.account_part(account, months))


def _lawful_payout_months(cells: Cells) -> Fraction | None:
    if cells.blank("category") and cells.blank("birth_ym"):
        cells.miss("payout_months", "计发月数，或人员类别和出生年月", "payout months, or category and month of birth")
        return None
    lawful = read_retirement_age(cells)
    return Fraction(lawful.payout_months) if lawful else None


def _transition(cells: Cells, wage: Fraction | None, years: Fraction | None) -> Money | None:
    rule = _rule(cells)
    deemed = cells.read("deemed_years", _number(most=_MOST_YEARS))
    paid = cells.read("pre_account_years", _number(most=_MOST_YEARS))
    if rule is None:
        return None
    if cells.blank("deemed_years") and cells.blank("pre_account_years"):
        cells.miss("deemed_years", "视同缴费年限和建账前实际缴费年限", "deemed years and years paid before the account")
        return None
    # One of the two blank means none of that kind; a broken one means nothing can be said.
    if (deemed is None and not cells.blank("deemed_years")) or (paid is None and not cells.blank("pre_account_years")):
        return None
    before = (deemed or Fraction(0)) + (paid or Fraction(0))
    if years is not None and before > years:
        cells.add(
            BadFacts(
                "视同缴费年限与建账前实际缴费年限之和多于缴费年限",
                "deemed years and years paid before the account are more than the credited years",
                place=Place(column="pre_account_years"),
            )
        )
        return None
    if wage is None:
        return None
    return Money.half_up(formulas.transitional_part(wage, before, Fraction(rule.table["coefficient"])))


def _rule(cells: Cells) -> Parameter | None:
    """The province's transitional rule; None with a problem that names what is missing."""
    retired = cells.read("retire", Month.parse)
    if cells.blank("province"):
        cells.miss("province", "省份，无法确定过渡性养老金规则", "the province, so the transitional rule is unknown")
        return None
    try:
        rules = parameters(cells.text("province"))
    except ParameterMissing as missing:
        cells.add(
            ParameterMissing(
                missing.province,
                "transitional_pension",
                retired,
                label="过渡性养老金规则",
                reason=("该省没有参数文件", "the province has no parameter file"),
            ).at(Place(column="province"))
        )
        return None
    if retired is None and not cells.blank("retire"):
        return None
    try:
        return transitional_rule(rules, retired)
    except ParameterMissing as missing:
        cells.add(missing)
        return None


def _number(*, above_zero: bool = False, most: int | None = None, decimals: int = 18) -> Callable[[str], Fraction]:
    """Make a reader of plain decimal figures that says what is wrong with any other."""

    def read(text: str) -> Fraction:
        if _NUMBER.fullmatch(text) is None:
            raise _not_a_number(text)
        if len(text.partition(".")[2]) > decimals:
            raise BadFacts(f"小数不能超过 {decimals} 位", f"at most {decimals} decimals are possible")
        value = Fraction(text)
        if above_zero and value == 0:
            raise BadFacts("须大于零", "must be above zero")
        if most is not None and value > most:
            raise BadFacts(f"大于 {most}，可能写错了列或单位", f"above {most}: perhaps in the wrong column or unit")
        return value

    return read


def _not_a_number(text: str) -> BadFacts:
    if _NUMBER.fullmatch(text.removeprefix("-")):
        return BadFacts("不能为负数", "can't be negative")
    if _NUMBER.fullmatch(text.replace(",", "").replace("，", "")):
        return BadFacts("请去掉千位分隔符", "has thousands separators: leave them out")
    return BadFacts("不是以半角数字写成的数", "isn't a plain number in ASCII digits")
