"""The contribution record as social insurance hands it over, parsed once and whole.

Pure. Texts come in as the standard elements write them: counts and decimals as digits, money in fen, dates as ISO.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TypeVar

from huodang.standards import HuodangError, Money, Month

Value = TypeVar("Value")
_MOST_MONTHS = 1000


class RecordFault(Exception):  # noqa: N818  (becomes a reason of the case, is never shown as it is)
    """One field of the record is missing or can't be read; carries the element's identifier."""

    def __init__(self, element: str, *, missing: bool) -> None:
        super().__init__(element)
        self.element = element
        self.missing = missing


@dataclass(frozen=True)
class WorkRecord:
    """What the agency's own record says of a working life.

    Attributes:
        contribution_months: months really paid for.
        deemed_months: months that count without payment (视同缴费), beside the paid ones.
        pre_account_months: months of both kinds before individual accounts began.
        credited_years: years as the agency itself has determined them; takes precedence over months / 12.
        credited_pre_account_years: the same for the years before accounts.
        decided_as_of: month by whose end the decision's parameters must have been published; None for today's.
    """

    contribution_months: int
    deemed_months: int
    pre_account_months: int
    credited_years: Fraction | None
    credited_pre_account_years: Fraction | None
    average_index: Decimal | None
    indexed_wage: Money | None
    account: Money
    archive_birth_date: date | None
    archive_name: str
    archive_sex: str
    work_category: str
    employment_kind: str
    employer_code: str
    special_trade: str
    special_trade_months: int
    decided_as_of: Month | None
    province: str

    @property
    def total_months(self) -> int:
        """All months that count towards the minimum: paid and deemed, or the determined years where they say more."""
        counted = self.contribution_months + self.deemed_months
        if self.credited_years is None:
            return counted
        return max(counted, int(self.credited_years * 12))

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "WorkRecord":
        """Read the fields of a verdict.

        Raises:
            RecordFault: a needed field is missing, or any field can't be read.
        """
        return cls(
            contribution_months=_needed(fields, "contribution_months", _count),
            deemed_months=_optional(fields, "deemed_months", _count) or 0,
            pre_account_months=_optional(fields, "pre_account_months", _count) or 0,
            credited_years=_optional(fields, "credited_years", _years),
            credited_pre_account_years=_optional(fields, "credited_pre_account_years", _years),
            average_index=_optional(fields, "average_index", _index),
            indexed_wage=_optional(fields, "indexed_wage", _money),
            account=_needed(fields, "account_amount", _money),
            archive_birth_date=_optional(fields, "archive_birth_date", date.fromisoformat),
            archive_name=fields.get("archive_name", ""),
            archive_sex=fields.get("archive_sex", ""),
            work_category=fields.get("work_category", ""),
            employment_kind=fields.get("employment_kind", ""),
            employer_code=fields.get("employer_code", ""),
            special_trade=fields.get("special_trade", ""),
            special_trade_months=_optional(fields, "special_trade_months", _count) or 0,
            decided_as_of=_optional(fields, "decided_as_of", _month),
            province=fields.get("province", ""),
        )


def _optional(fields: Mapping[str, str], element: str, parse: Callable[[str], Value]) -> Value | None:
    text = fields.get(element, "").strip()
    if not text:
        return None
    try:
        return parse(text)
    except (ValueError, InvalidOperation, HuodangError):
        raise RecordFault(element, missing=False) from None


def _needed(fields: Mapping[str, str], element: str, parse: Callable[[str], Value]) -> Value:
    value = _optional(fields, element, parse)
    if value is None:
        raise RecordFault(element, missing=True)
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST_MONTHS:
        raise ValueError
    return int(text)


def _years(text: str) -> Fraction:
    return Fraction(_number(text, most=100))


def _index(text: str) -> Decimal:
    return _number(text, most=10)


def _number(text: str, *, most: int) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or not 0 <= number <= most:
        raise ValueError
    return number


def _money(text: str) -> Money:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise ValueError
    return Money(int(text))


def _month(text: str) -> Month:
    """Read a month, or a day whose month it is."""
    if len(text) == len("2025-01-31"):
        return Month.of(date.fromisoformat(text))
    return Month.parse(text)
