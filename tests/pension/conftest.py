"""Fixtures of this room."""

from decimal import Decimal
from fractions import Fraction

import pytest

from huodang.pension import EmployeeFacts
from huodang.standards import Money, Month


@pytest.fixture
def hebei_2023() -> EmployeeFacts:
    """The person of the statement Hebei 2023-02: retired at 50, the base of 2023 not yet published."""
    return EmployeeFacts(
        province="hebei",
        retirement_month=Month(2023, 2),
        age_months=600,
        years=Fraction("30.67"),
        pre_account_years=Fraction("3.5"),
        average_index=Decimal("0.7737"),
        indexed_wage=None,
        account=Money.yuan("89850.24"),
    )
