"""Credited years: from months to years, and which months before the individual accounts count. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from huodang.pension import formulas
from huodang.pension.ages import LawReference
from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import national, parameters
from huodang.standards import Month

Interval = tuple[Month, Month]


def credited_years(contribution_months: int | Fraction, province: str) -> Fraction:
    """Turn months of contributions into years as the province's statements do.

    Hebei carries two decimals, HALF_UP (368 months are 30.67 years); where nothing else is known, months / 12 exactly.

    Args:
        contribution_months: Whole or half months.
        province: As `parameters` takes it.

    Raises:
        ParameterMissing: the province has no parameter file.
        BadFacts: the months are negative.

    Source: parameter `credited_years` (statements).
    """
    if contribution_months < 0:
        raise BadFacts("缴费月数不能为负", "months of contributions can't be negative")
    decimals = parameters(province).sole("credited_years").table["decimals"]
    return formulas.rounded_years(Fraction(contribution_months), None if decimals == "none" else int(decimals))


@dataclass(frozen=True)
class ServiceSplit:
    """What service counts for what.

    Attributes:
        deemed_months: 视同缴费月数: recognised service before the first contribution.
        paid_before_account_months: Contributions paid before individual accounts began (建账前实际缴费).
        laws: The laws applied.
        needs_public_notice: Deemed years take a file review with public notice (公示).
    """

    deemed_months: int
    paid_before_account_months: int
    laws: tuple[LawReference, ...]
    needs_public_notice: bool

    @property
    def pre_account_months(self) -> int:
        """All months before individual accounts began."""
        return self.deemed_months + self.paid_before_account_months


def split_service(
    province: str, started_work: Month, first_contribution: Month, interruptions: Iterable[Interval] = ()
) -> ServiceSplit:
    """Split service before the individual accounts into deemed months and months paid.

    Service from the start of work to the month before the first contribution is deemed paid where the archive proves
    it; contributions from then to the month before the accounts began are the paid part. Interruptions (both ends
    included, they may overlap) count for neither. Whether the archive proves the service is the reviewer's finding.

    Raises:
        ParameterMissing: the province's start of individual accounts isn't known.
        BadFacts: work begins after the first contribution, or an interruption ends before it begins.

    Source: 《社会保险法》第十三条, 国发〔1995〕6号 (unverified); start of accounts by province.
    """
    if started_work > first_contribution:
        raise BadFacts("参加工作年月晚于首次缴费年月", "work begins after the first contribution")
    account_start = parameters(province).sole("account_start")
    accounts = Month.parse(account_start.text)
    idle = _months_of(interruptions)
    until = min(first_contribution, accounts)
    deemed = _count(started_work, until, idle)
    paid = _count(first_contribution, accounts, idle)
    rule = national().sole("deemed_years_recognition")
    return ServiceSplit(
        deemed_months=deemed,
        paid_before_account_months=paid,
        laws=(LawReference.of("deemed_months", rule), LawReference.of("pre_account_months", account_start)),
        needs_public_notice=deemed > 0,
    )


def _months_of(intervals: Iterable[Interval]) -> frozenset[int]:
    months: set[int] = set()
    for first, last in intervals:
        if last < first:
            raise BadFacts("中断期间的止月早于起月", "an interruption ends before it begins")
        months.update(range(first.ordinal, last.ordinal + 1))
    return frozenset(months)


def _count(first: Month, end: Month, idle: frozenset[int]) -> int:
    return sum(1 for month in range(first.ordinal, end.ordinal) if month not in idle)
