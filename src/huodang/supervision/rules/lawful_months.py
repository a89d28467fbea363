"""The lawful months of retirement as a table that rules join: computed by `pension`, so the law has one source."""

from functools import cache
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from huodang.pension import Category, national, original_age_months
from huodang.pension.ages import EARLIEST_BIRTH, LATEST_BIRTH
from huodang.pension.vectorised import CATEGORY_CODES, retirement_ages
from huodang.standards import Month

# How files write the three categories; what each means is for `pension.Category` to say.
_WORDS: Final = (
    *("male", "男", "男性", "男职工", "男60", "男60岁"),
    *("female55", "女55", "女55岁", "女性55", "女职工55", "女干部", "灵活就业女", "灵活就业女性", "女灵活就业"),
    *("female50", "女50", "女50岁", "女性50", "女职工50", "女工人"),
)
MALE: Final = CATEGORY_CODES[Category.MALE]
FEMALE50: Final = CATEGORY_CODES[Category.FEMALE50]
FEMALE55: Final = CATEGORY_CODES[Category.FEMALE55]


def category_code(category: ir.StringValue) -> ir.IntegerValue:
    """Give the code of a category as files write it; NULL where it can't be told."""
    plain = category.strip().lower()
    known = [(plain == word, ibis.literal(CATEGORY_CODES[Category.parse(word)], "int8")) for word in _WORDS]
    return ibis.cases(*known, else_=ibis.null("int8"))


def lawful_months() -> ir.Table:
    """Give the lawful months of every category and month of birth.

    Columns: `category` (code of `pension.vectorised.CATEGORY_CODES`), `born` (YYYYMM00), and as YYYYMM `lawful`, the
    month of the lawful age; `flexible`, the earliest that flexible retirement (弹性提前) reaches, `lawful` itself where
    it doesn't exist; `special_month`, that of the age for special trades (特殊工种).

    Source: 《国务院关于渐进式延迟法定退休年龄的办法》第一、三条; 国发〔1978〕104号 (special trades;
        their treatment since 2025 is unverified).
    """
    return ibis.memtable(_table())


@cache
def _table() -> pa.Table:
    births = np.arange(EARLIEST_BIRTH.ordinal, LATEST_BIRTH.ordinal + 1)
    columns: dict[str, list[int]] = {name: [] for name in ("category", "born", "lawful", "flexible", "special_month")}
    special_ages = national().sole("special_early_retirement")
    for category, code in CATEGORY_CODES.items():
        ages = retirement_ages(np.full(births.shape, code), births)
        special_age = special_ages.figure("male_age" if category is Category.MALE else "female_age")
        for ordinal, retirement in zip(births.tolist(), ages.retirement_ordinals.tolist(), strict=True):
            born, lawful = Month.from_ordinal(ordinal), Month.from_ordinal(retirement)
            columns["category"].append(code)
            columns["born"].append(_code(born) * 100)
            columns["lawful"].append(_code(lawful))
            columns["flexible"].append(_code(_earliest_flexible(category, born, lawful)))
            columns["special_month"].append(_code(born + special_age))
    return pa.table({name: pa.array(values, pa.int32()) for name, values in columns.items()})


def _earliest_flexible(category: Category, born: Month, lawful: Month) -> Month:
    rule = national().find("flexible_retirement", lawful)
    if rule is None or rule.valid_from is None:
        return lawful
    reach = lawful - rule.figure("most_months_early")
    return min(lawful, max(reach, born + original_age_months(category), rule.valid_from))


def _code(month: Month) -> int:
    return int(str(month))
