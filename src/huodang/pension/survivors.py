"""Funeral and survivor grants (遗属待遇) of the employee scheme. Pure."""

from dataclasses import dataclass

from huodang.pension.ages import LawReference
from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import parameters
from huodang.standards import Money, Month


@dataclass(frozen=True)
class SurvivorGrants:
    """What the family is due once.

    Attributes:
        funeral: 丧葬补助金.
        survivor_months: Months of the survivor grant.
        survivor: 抚恤金.
        total: Sum of both.
        laws: The laws applied.
    """

    funeral: Money
    survivor_months: int
    survivor: Money
    total: Money
    laws: tuple[LawReference, ...]


def survivor_grant_months(contribution_months: int, *, retired: bool, months_received: int = 0) -> int:
    """Give the months of the survivor grant (抚恤金).

    Fewer than 5 years of contributions: 3 months; fewer than 10: 6; to 15: 9; each further full year one more, at most
    24. For a retired person every full year of pension received takes one off, down to 9 at least.

    Raises:
        BadFacts: months are negative, or pension was received without retirement.

    Source: 人社部发〔2021〕18号, 《社会保险法》第十七条; rule R-DTH-02 (3 and 6 months, and that only full years count,
        are unverified).
    """
    if contribution_months < 0 or months_received < 0:
        raise BadFacts("月数不能为负", "months can't be negative")
    if months_received and not retired:
        raise BadFacts("未退休人员不应已领取养老金", "pension was received without retirement")
    rule = parameters("national").sole("survivor_grant")
    if contribution_months < rule.figure("first_band_below"):
        months = rule.figure("first_band")
    elif contribution_months < rule.figure("second_band_below"):
        months = rule.figure("second_band")
    else:
        further = max(0, contribution_months // 12 - rule.figure("third_band_years"))
        months = min(rule.figure("third_band") + further * rule.figure("each_further_year"), rule.figure("most"))
    if retired:
        less = months_received // 12 * rule.figure("less_each_year_received")
        months = max(months - less, rule.figure("least_when_retired"))
    return months


def funeral_and_survivor(
    province: str,
    died_in: Month,
    contribution_months: int,
    *,
    retired: bool,
    months_received: int = 0,
    monthly_income: Money | None = None,
) -> SurvivorGrants:
    """Compute funeral grant (two months' income) and survivor grant.

    Args:
        province: As `parameters` takes it.
        died_in: Month of death.
        contribution_months: Months of contributions, deemed ones included.
        retired: The deceased was receiving a pension.
        months_received: Months of pension received.
        monthly_income: 上年度本省城镇居民月人均可支配收入 where it is known; else the province's parameter.

    Raises:
        ParameterMissing: the income is neither given nor known.
        BadFacts: a figure can't be.

    Source: 人社部发〔2021〕18号; 《社会保险法》第十七条; where several insurances pay for the funeral, the family takes
        one (第四十九条).
    """
    rules = parameters(province)
    months = survivor_grant_months(contribution_months, retired=retired, months_received=months_received)
    income = monthly_income if monthly_income is not None else rules.value("urban_monthly_income", died_in).money
    if income.fen <= 0:
        raise BadFacts("月人均可支配收入须大于零", "the monthly income must be above zero")
    funeral_rule = rules.sole("funeral_grant_months")
    funeral, survivor = income * funeral_rule.number, income * months
    return SurvivorGrants(
        funeral,
        months,
        survivor,
        funeral + survivor,
        (LawReference.of("funeral", funeral_rule), LawReference.of("survivor", rules.sole("survivor_grant"))),
    )
