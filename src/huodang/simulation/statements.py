"""The real statements: pensions that provinces really issued, with everything personal left out.

Their figures stand in `data/statements.csv` (36 cases from public sources). Each becomes a person with a made-up name
and number, whose birth month is the one that gives the statement's payout months at its retirement month.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from huodang.pension import Category, Route, payout_months, retirement_age
from huodang.simulation.data_files import data_text
from huodang.standards import Money, Month

_MALE = {"男", "male"}
_YOUNGEST, _OLDEST = 40 * 12, 70 * 12  # the span of the published table of payout months


@dataclass(frozen=True, slots=True)
class Statement:
    """One issued pension.

    The years are the statement's own decimal text, as the rounding of years differs from province to province.
    """

    case: str
    province: str
    retired: Month
    sex: str
    base: Money
    average_index: Decimal
    indexed_wage: Money | None
    total_years: str
    deemed_years: str
    pre_account_years: str
    account: Money
    payout_months: Decimal
    issued_basic: Money
    issued_account: Money
    source: str

    @property
    def age_months(self) -> int:
        """The age at retirement, in months, that the payout months stand for."""
        for age in range(_YOUNGEST, _OLDEST + 1):
            if payout_months(age) == self.payout_months:
                return age
        message = f"{self.source}: no age has {self.payout_months} payout months"
        raise ValueError(message)

    @property
    def birth_month(self) -> Month:
        """The month of birth that gives this age in this month."""
        return self.retired - self.age_months

    @property
    def category_and_route(self) -> tuple[Category, Route]:
        """The category of the person and the way in which this month was reached."""
        if self.sex == "1":
            category = Category.MALE
        else:
            category = Category.FEMALE55 if self.age_months >= 55 * 12 else Category.FEMALE50
        lawful = retirement_age(category, self.birth_month).retirement_month
        if lawful == self.retired:
            return category, Route.NORMAL
        original_age = {Category.MALE: 60, Category.FEMALE55: 55, Category.FEMALE50: 50}[category] * 12
        return category, Route.FLEXIBLE_EARLY if self.age_months >= original_age else Route.SPECIAL_EARLY


@cache
def statements() -> tuple[Statement, ...]:
    """Read the statements, in the order of the file."""
    lines = data_text("statements.csv").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return tuple(
        Statement(
            case=f"{row['province']}-{row['retire']}-{position}",
            province=row["province"],
            retired=Month.parse(row["retire"]),
            sex="1" if row["gender"] in _MALE else "2",
            base=Money.yuan(row["base"]),
            average_index=Decimal(row["avg_index"]),
            indexed_wage=Money.yuan(row["indexed_wage"]) if row["indexed_wage"] else None,
            total_years=row["total_years"],
            deemed_years=row["deemed_years"],
            pre_account_years=row["pre_account_years"],
            account=Money.yuan(row["account"]),
            payout_months=Decimal(row["payout_months"]),
            issued_basic=Money.yuan(row["exp_basic"]),
            issued_account=Money.yuan(row["exp_account"]),
            source=row["source"],
        )
        for position, row in enumerate(rows, start=1)
    )
