"""What the departments' modules share: rows as tuples by table, and how such systems write dates and yuan."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import Table

from huodang.standards import Money

Row = tuple[object, ...]
Rows = Mapping[Table, list[Row]]
"""By table, in the order in which they are inserted; a row has a value for every column, in the table's order."""


def compact(day: date | None) -> str | None:
    """Write a date as `yyyymmdd`."""
    return None if day is None else f"{day:%Y%m%d}"


def stamp(today: date, *, days_ago: int = 1) -> str:
    """Write when a row was last changed, as `yyyymmddhhmmss`."""
    return f"{today - timedelta(days=days_ago):%Y%m%d}213000"


def yuan(money: Money) -> str:
    """Give an amount in yuan as text; each database turns it into its own NUMERIC."""
    return money.text
