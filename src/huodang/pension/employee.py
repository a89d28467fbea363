"""The employee pension (职工基本养老金): its three parts, provisional payment and recomputation. Pure."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from huodang.pension import formulas
from huodang.pension.ages import payout_months
from huodang.pension.errors import BadFacts, FactMissing, ParameterMissing
from huodang.pension.parameter_files import Parameter, ProvinceParameters, Status, national, parameters
from huodang.standards import Money, Month


@dataclass(frozen=True)
class TraceLine:
    """One line of how a figure came about, with its law.

    Attributes:
        formula: The calculation with its figures.
        value: The result, with its unit.
    """

    label_chinese: str
    label_english: str
    formula: str
    value: str
    law: str
    source: str
    status: Status


@dataclass(frozen=True)
class EmployeeFacts:
    """What the pension of one employee is computed from.

    Attributes:
        province: Province that pays, as `parameters` takes it.
        retirement_month: Month of retirement.
        age_months: Age in that month; gives the payout months unless those are given.
        years: Credited years, rounded as the province rounds (see `credited_years`).
        pre_account_years: Credited years before individual accounts began: deemed years and years paid.
        average_index: 平均缴费指数; may be None if the indexed wage is given.
        indexed_wage: 指数化月平均缴费工资; goes before the index where both are given.
        account: What the individual account holds.
        payout_months: 计发月数 where already determined.
        base: Pension base where already determined, as in an issued statement.
        as_known_on: The day whose knowledge counts for bases; None: all that stands in the parameter files.
    """

    province: str
    retirement_month: Month
    age_months: int
    years: Fraction
    pre_account_years: Fraction
    average_index: Decimal | Fraction | None
    indexed_wage: Money | None
    account: Money
    payout_months: Decimal | None = None
    base: Money | None = None
    as_known_on: date | None = None


@dataclass(frozen=True)
class PensionDecision:
    """The monthly pension, part by part.

    Attributes:
        transitional: None where the province's rule isn't known: then the total isn't, either.
        provisional: Last year's base was used, as the year's own isn't published yet (预发).
        base_year: Year of the base; None where the base was given or comes from an issued statement.
        missing: What is unknown, each as `Chinese / English`.
    """

    basic: Money
    account: Money
    transitional: Money | None
    total: Money | None
    provisional: bool
    base: Money
    base_year: int | None
    missing: tuple[str, ...]
    trace: tuple[TraceLine, ...]


@dataclass(frozen=True)
class Recomputation:
    """A pension decided again on the year's own base.

    Attributes:
        decision: The new decision.
        monthly_difference: New total less the old one.
        months: Months already paid at the old rate: from the month after retirement through that of recomputation.
        back_pay: Difference times months.
    """

    decision: PensionDecision
    monthly_difference: Money
    months: int
    back_pay: Money


@dataclass(frozen=True)
class ChosenBase:
    """A pension base and how it was found."""

    amount: Money
    year: int | None
    provisional: bool
    law: str
    source: str
    status: Status


def choose_base(rules: ProvinceParameters, retirement_month: Month, as_known_on: date | None) -> ChosenBase:
    """Choose the pension base for a retirement: the year's own if published, else provisionally last year's.

    A base that only an issued statement shows serves its own month and no other.

    Raises:
        ParameterMissing: neither is known; an older base never stands in.

    Source: rule R-BEN-04 (provincial practice of provisional payment, 预发).
    """
    own = rules.find("pension_base", retirement_month)
    if own is not None and own.known_on(as_known_on):
        return _chosen(own, retirement_month.year, provisional=False)
    applied = rules.find("pension_base_applied", retirement_month)
    if applied is not None:
        return _chosen(applied, None, provisional=False)
    years_back = national().sole("recomputation").figure("years_back")
    earlier = rules.find("pension_base", retirement_month - 12 * years_back)
    if earlier is not None and earlier.known_on(as_known_on):
        return _chosen(earlier, retirement_month.year - years_back, provisional=True)
    raise rules.missing("pension_base", retirement_month)


def _chosen(parameter: Parameter, year: int | None, *, provisional: bool) -> ChosenBase:
    return ChosenBase(parameter.money, year, provisional, parameter.law, parameter.source, parameter.status)


def employee_pension(facts: EmployeeFacts) -> PensionDecision:
    """Compute the monthly pension of an employee.

    Nothing is rounded before the last step; each part is rounded HALF_UP to fen and the total is the sum of the parts.

    Raises:
        ParameterMissing: the province has no file, or no base is known for the month.
        FactMissing: neither average index nor indexed wage is given.
        BadFacts: a figure is negative, or more years lie before the accounts than there are in all.

    Source: 国发〔2005〕38号第六条 (basic and account part); the province's rule for the transitional part.
    """
    rules = parameters(facts.province)
    _check(facts)
    base = (
        ChosenBase(facts.base, None, provisional=False, law="核定时已确定", source="随案给出", status=Status.STATEMENT)
        if facts.base is not None
        else choose_base(rules, facts.retirement_month, facts.as_known_on)
    )
    base_yuan = yuan(base.amount)
    trace = [_base_line(base)]
    wage = _wage(facts, base_yuan, trace)
    rate = rules.value("basic_rate", facts.retirement_month)
    basic = Money.half_up(formulas.basic_part(base_yuan, wage, facts.years, rate.fraction))
    trace.append(
        _line(
            "基础养老金",
            "basic pension",
            f"({base.amount.text} + {formulas.plain(wage)}) ÷ 2 × {formulas.plain(facts.years)} × {rate.text}",
            f"{basic.text} 元",
            rate,
        )
    )
    months = facts.payout_months if facts.payout_months is not None else payout_months(facts.age_months)
    account = Money.half_up(formulas.account_part(yuan(facts.account), Fraction(months)))
    trace.append(
        _line(
            "个人账户养老金",
            "account pension",
            f"{facts.account.text} ÷ {months:f}",
            f"{account.text} 元",
            rules.sole("payout_months"),
        )
    )
    transitional, missing = _transitional(rules, facts, wage, trace)
    total = basic + account + transitional if transitional is not None else None
    return PensionDecision(
        basic, account, transitional, total, base.provisional, base.amount, base.year, missing, tuple(trace)
    )


def recompute(decision: PensionDecision, facts: EmployeeFacts, as_known_on: date) -> Recomputation:
    """Decide a provisional pension again on the year's own base, and count the back-pay (重核补差).

    The index is kept; where only an indexed wage was given, it is carried over to the new base in proportion. The
    pension is paid from the month after retirement, so the months paid are those since retirement. A decision that
    wasn't provisional stays as it is, with nothing to pay.

    Raises:
        ParameterMissing: the year's own base isn't published on that day.
        BadFacts: the day lies before the month of retirement, or the decision has no total.

    Source: rule R-BEN-04 (provincial practice).
    """
    months = Month.of(as_known_on) - facts.retirement_month
    if months < 0:
        raise BadFacts("重算日期早于退休年月", "the day of recomputation lies before the month of retirement")
    if not decision.provisional:
        return Recomputation(decision, Money.zero(), months, Money.zero())
    if decision.total is None:
        raise BadFacts("原核定没有合计，无法补差", "the decision has no total, so there is no difference to pay")
    index = facts.average_index
    if index is None and facts.indexed_wage is not None:
        index = yuan(facts.indexed_wage) / yuan(decision.base)
    again = employee_pension(replace(facts, base=None, average_index=index, indexed_wage=None, as_known_on=as_known_on))
    if again.provisional:
        raise parameters(facts.province).missing("pension_base", facts.retirement_month)
    if again.total is None:
        raise BadFacts("重算没有合计，无法补差", "the new decision has no total, so there is no difference to pay")
    difference = again.total - decision.total
    return Recomputation(again, difference, months, difference * months)


def yuan(amount: Money) -> Fraction:
    """Give an amount in yuan, exactly."""
    return Fraction(amount.fen, 100)


def transitional_rule(rules: ProvinceParameters, retirement_month: Month | None) -> Parameter:
    """Give the province's rule of the transitional pension; without a month, the only one it has ever had.

    Raises:
        ParameterMissing: no rule is known.
    """
    name = "transitional_pension"
    return rules.value(name, retirement_month) if retirement_month is not None else rules.sole(name)


def _check(facts: EmployeeFacts) -> None:
    # "Not above zero" or "not negative", in the order a clerk reads the form.
    broken = [
        ("缴费年限", "years", facts.years < 0),
        ("建账前年限", "pre_account_years", facts.pre_account_years < 0),
        ("平均缴费指数", "average_index", facts.average_index is not None and facts.average_index < 0),
        ("指数化月平均缴费工资", "indexed_wage", facts.indexed_wage is not None and facts.indexed_wage.fen < 0),
        ("个人账户储存额", "account", facts.account.fen < 0),
        ("计发月数", "payout_months", facts.payout_months is not None and facts.payout_months <= 0),
        ("计发基数", "base", facts.base is not None and facts.base.fen <= 0),
    ]
    for chinese, english, wrong in broken:
        if wrong:
            raise BadFacts(f"{chinese}（{english}）不能为负，计发月数和计发基数须大于零", f"{english} is out of range")
    if facts.pre_account_years > facts.years:
        raise BadFacts(
            "建账前年限多于全部缴费年限", "there are more years before the account began than credited years in all"
        )


def _wage(facts: EmployeeFacts, base_yuan: Fraction, trace: list[TraceLine]) -> Fraction:
    rule = national().sole("basic_rate")
    label = ("指数化月平均缴费工资", "indexed monthly wage")
    if facts.indexed_wage is not None:
        trace.append(_line(*label, "核定值", f"{facts.indexed_wage.text} 元", rule))
        return yuan(facts.indexed_wage)
    if facts.average_index is None:
        raise FactMissing("average_index", "平均缴费指数或指数化月平均缴费工资", "average index or indexed wage")
    index = Fraction(facts.average_index)
    wage = formulas.indexed_wage(base_yuan, index)
    trace.append(
        _line(*label, f"{formulas.plain(base_yuan)} × {formulas.plain(index)}", f"{formulas.plain(wage)} 元", rule)
    )
    return wage


def _transitional(
    rules: ProvinceParameters, facts: EmployeeFacts, wage: Fraction, trace: list[TraceLine]
) -> tuple[Money | None, tuple[str, ...]]:
    try:
        rule = transitional_rule(rules, facts.retirement_month)
    except ParameterMissing as missing:
        return None, (f"{missing.chinese} / {missing.english}",)
    coefficient = Fraction(Decimal(rule.table["coefficient"]))
    amount = Money.half_up(formulas.transitional_part(wage, facts.pre_account_years, coefficient))
    trace.append(
        _line(
            "过渡性养老金",
            "transitional pension",
            f"{formulas.plain(wage)} × {formulas.plain(facts.pre_account_years)} × {rule.table['coefficient']}",
            f"{amount.text} 元",
            rule,
        )
    )
    return amount, ()


def _base_line(base: ChosenBase) -> TraceLine:
    which = f"{base.year} 年" if base.year else "核定所用"
    formula = f"{which}计发基数（预发）" if base.provisional else f"{which}计发基数"
    return TraceLine("计发基数", "pension base", formula, f"{base.amount.text} 元", base.law, base.source, base.status)


def _line(chinese: str, english: str, formula: str, value: str, parameter: Parameter) -> TraceLine:
    return TraceLine(chinese, english, formula, value, parameter.law, parameter.source, parameter.status)
