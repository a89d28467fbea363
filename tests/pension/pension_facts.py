"""Issued statements and published cases, read from `data/`, for the tests of this room."""

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from huodang.pension import EmployeeFacts
from huodang.standards import Money, Month

DATA = Path(__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


STATEMENTS = rows("pension_cases.csv")


def facts_of(row: dict[str, str]) -> EmployeeFacts:
    """The facts of a statement as the pension office had them."""
    return EmployeeFacts(
        province=row["province"],
        retirement_month=Month.parse(row["retire"]),
        age_months=720,
        years=Fraction(row["total_years"]),
        pre_account_years=Fraction(row["deemed_years"] or 0) + Fraction(row["pre_account_years"] or 0),
        average_index=Decimal(row["avg_index"]) if row["avg_index"] else None,
        indexed_wage=Money.yuan(row["indexed_wage"]) if row["indexed_wage"] else None,
        account=Money.yuan(row["account"]),
        payout_months=Decimal(row["payout_months"]),
        base=Money.yuan(row["base"]),
    )
