"""May this person retire when and how they wish? Pure, with a reason and law for every refusal."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from huodang.pension.ages import (
    Category,
    LawReference,
    RetirementAge,
    minimum_contribution_months,
    original_age_months,
    retirement_age,
)
from huodang.pension.parameter_files import Parameter, national
from huodang.standards import Month


class Route(StrEnum):
    """The ways into retirement."""

    NORMAL = "normal"
    FLEXIBLE_EARLY = "flexible_early"
    FLEXIBLE_LATE = "flexible_late"
    SPECIAL_EARLY = "special_early"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {
            "normal": "正常退休",
            "flexible_early": "弹性提前退休",
            "flexible_late": "弹性延迟退休",
            "special_early": "特殊工种提前退休",
        }[self.value]


class SpecialTrade(StrEnum):
    """Kinds of special trades (特殊工种)."""

    UNDERGROUND = "underground"
    HIGH_TEMPERATURE = "high_temperature"
    HIGH_ALTITUDE = "high_altitude"
    EXTRA_HEAVY = "extra_heavy"
    OTHER_HARMFUL = "other_harmful"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {
            "underground": "井下",
            "high_temperature": "高温",
            "high_altitude": "高空",
            "extra_heavy": "特别繁重体力劳动",
            "other_harmful": "其他有害身体健康工作",
        }[self.value]


@dataclass(frozen=True)
class Reason:
    """One condition that isn't met, or can't be judged.

    Attributes:
        code: Stable, such as `below_original_age`.
        unknown: The condition can't be judged, as a fact is missing: that is not a refusal on the merits.
    """

    code: str
    chinese: str
    english: str
    law: str
    unknown: bool = False


@dataclass(frozen=True)
class RouteDecision:
    """The outcome for one wish.

    Attributes:
        allowed: Every condition is known to be met.
        retirement_month: The month wished for.
        age_months: Age in that month.
        reasons: What stands against it; empty if allowed.
        laws: The laws applied.
        needs_public_notice: It takes a public notice (公示) before approval.
    """

    allowed: bool
    retirement_month: Month
    age_months: int
    reasons: tuple[Reason, ...]
    laws: tuple[LawReference, ...]
    needs_public_notice: bool


def check_route(
    route: Route,
    category: Category,
    born: Month,
    wished: Month,
    contribution_months: int | None,
    *,
    notice_given_on: date | None = None,
    agreed_on: date | None = None,
    special_trade: SpecialTrade | None = None,
    special_trade_months: int | None = None,
    consecutive_service_months: int | None = None,
) -> RouteDecision:
    """Check every condition of a way into retirement.

    Args:
        route: The way wished for.
        category: Category of the retirement age.
        born: Month of birth.
        wished: Month in which to retire.
        contribution_months: Months of contributions, deemed ones included; None if unknown.
        notice_given_on: Flexible early: day of the written notice to the employer.
        agreed_on: Flexible late: day of the agreement with the employer.
        special_trade: Special early: kind of trade.
        special_trade_months: Special early: months worked in it.
        consecutive_service_months: Special early: consecutive service (连续工龄) in months.

    Raises:
        BadFacts: the month of birth can't be.

    Source: 《国务院关于渐进式延迟法定退休年龄的办法》第二、三条; 人社部发〔2024〕94号 (notice, unverified);
        国发〔1978〕104号, 劳人护〔1985〕6号 (special trades; their treatment since 2025 is unverified).
    """
    lawful = retirement_age(category, born)
    match route:
        case Route.NORMAL:
            reasons, laws = _normal(lawful, wished)
        case Route.FLEXIBLE_EARLY:
            reasons, laws = _flexible_early(category, born, lawful, wished, notice_given_on)
        case Route.FLEXIBLE_LATE:
            reasons, laws = _flexible_late(lawful, wished, agreed_on)
        case Route.SPECIAL_EARLY:
            work = _SpecialWork(special_trade, special_trade_months, consecutive_service_months)
            reasons, laws = _special_early(category, born, lawful, wished, work)
    if route is not Route.FLEXIBLE_LATE:
        reasons += _contributions(wished, contribution_months)
        laws += (LawReference.of("min_contribution_months", national().value("minimum_contribution_months", wished)),)
    return RouteDecision(
        allowed=not reasons,
        retirement_month=wished,
        age_months=wished - born,
        reasons=reasons,
        laws=laws,
        needs_public_notice=route is Route.SPECIAL_EARLY,
    )


@dataclass(frozen=True)
class _SpecialWork:
    trade: SpecialTrade | None
    trade_months: int | None
    service_months: int | None


_Checked = tuple[tuple[Reason, ...], tuple[LawReference, ...]]


def _contributions(wished: Month, contribution_months: int | None) -> tuple[Reason, ...]:
    rule = national().value("minimum_contribution_months", wished)
    needed = minimum_contribution_months(wished)
    if contribution_months is None:
        return (
            Reason(
                "contributions_unknown",
                "缴费月数不详",
                "the months of contributions are unknown",
                rule.law,
                unknown=True,
            ),
        )
    if contribution_months < needed:
        return (
            Reason(
                "too_few_contributions",
                f"{wished.year} 年退休须缴费满 {needed} 个月，现为 {contribution_months} 个月",
                f"retiring in {wished.year} takes {needed} months of contributions, there are {contribution_months}",
                rule.law,
            ),
        )
    return ()


def _normal(lawful: RetirementAge, wished: Month) -> _Checked:
    reference = lawful.laws[0]
    if wished == lawful.retirement_month:
        return (), (reference,)
    return (
        Reason(
            "not_the_lawful_month",
            f"法定退休年月为 {lawful.retirement_month.iso}；提前或延迟须按弹性或特殊工种办理",
            f"the lawful month is {lawful.retirement_month.iso}; earlier or later takes a flexible or special route",
            reference.law,
        ),
    ), (reference,)


def _flexible_early(
    category: Category, born: Month, lawful: RetirementAge, wished: Month, notice_given_on: date | None
) -> _Checked:
    reach, notice, reasons = _flexible_rules(wished)
    laws = tuple(LawReference.of("retirement_month", rule) for rule in (reach, notice) if rule)
    if reach is None or notice is None:
        return reasons, laws
    most = reach.figure("most_months_early")
    if wished >= lawful.retirement_month:
        reasons += (
            Reason("not_early", "所选年月不早于法定退休年月", "the month isn't earlier than the lawful one", reach.law),
        )
    elif lawful.retirement_month - wished > most:
        reasons += (
            Reason("too_early", f"提前不得超过 {most} 个月", f"at most {most} months earlier are allowed", reach.law),
        )
    original = original_age_months(category)
    if wished - born < original:
        reasons += (
            Reason(
                "below_original_age",
                f"不得低于原法定退休年龄 {original // 12} 周岁",
                f"the age may not be below the original {original // 12} years",
                reach.law,
            ),
        )
    ahead = notice.figure("notice_months")
    if notice_given_on is None:
        reasons += (
            Reason(
                "notice_unknown",
                "书面告知用人单位的日期不详",
                "the day of the written notice is unknown",
                notice.law,
                unknown=True,
            ),
        )
    elif Month.of(notice_given_on) + ahead > wished:
        reasons += (
            Reason(
                "notice_too_late",
                f"须至少提前 {ahead} 个月书面告知用人单位",
                f"the employer is to be told in writing at least {ahead} months before",
                notice.law,
            ),
        )
    return reasons, laws


def _flexible_late(lawful: RetirementAge, wished: Month, agreed_on: date | None) -> _Checked:
    reach, notice, reasons = _flexible_rules(wished)
    laws = tuple(LawReference.of("retirement_month", rule) for rule in (reach, notice) if rule)
    if reach is None or notice is None:
        return reasons, laws
    most = reach.figure("most_months_late")
    if wished <= lawful.retirement_month:
        reasons += (
            Reason("not_late", "所选年月不晚于法定退休年月", "the month isn't later than the lawful one", reach.law),
        )
    elif wished - lawful.retirement_month > most:
        reasons += (
            Reason("too_late", f"延迟不得超过 {most} 个月", f"at most {most} months later are allowed", reach.law),
        )
    ahead = notice.figure("agreement_months")
    if agreed_on is None:
        reasons += (
            Reason(
                "agreement_unknown",
                "与用人单位协商一致的日期不详",
                "the day of the agreement is unknown",
                notice.law,
                unknown=True,
            ),
        )
    elif Month.of(agreed_on) + ahead > lawful.retirement_month:
        reasons += (
            Reason(
                "agreed_too_late",
                f"须在达到法定退休年龄前至少 {ahead} 个月与用人单位协商一致",
                f"the employer is to agree at least {ahead} month before the lawful age",
                notice.law,
            ),
        )
    return reasons, laws


def _flexible_rules(wished: Month) -> tuple[Parameter | None, Parameter | None, tuple[Reason, ...]]:
    rules = national()
    reach, notice = rules.find("flexible_retirement", wished), rules.find("flexible_notice", wished)
    if reach is not None and notice is not None:
        return reach, notice, ()
    begins = rules.sole("flexible_retirement")
    reason = Reason(
        "not_in_force",
        f"弹性退休自 {begins.valid_from.iso if begins.valid_from else ''} 起施行",
        f"flexible retirement exists from {begins.valid_from.iso if begins.valid_from else ''}",
        begins.law,
    )
    return None, None, (reason,)


def _special_early(
    category: Category, born: Month, lawful: RetirementAge, wished: Month, work: "_SpecialWork"
) -> _Checked:
    conditions, trades = national().sole("special_early_retirement"), national().sole("special_trade_months")
    reasons: tuple[Reason, ...] = ()
    age = conditions.figure("male_age" if category is Category.MALE else "female_age")
    if wished - born < age:
        reasons += (
            Reason(
                "below_special_age", f"须年满 {age // 12} 周岁", f"the age is to be {age // 12} years", conditions.law
            ),
        )
    if wished >= lawful.retirement_month:
        reasons += (
            Reason(
                "not_early", "所选年月不早于法定退休年月", "the month isn't earlier than the lawful one", conditions.law
            ),
        )
    service = conditions.figure("consecutive_service")
    if work.service_months is None:
        reasons += (
            Reason(
                "service_unknown", "连续工龄不详", "the consecutive service is unknown", conditions.law, unknown=True
            ),
        )
    elif work.service_months < service:
        reasons += (
            Reason(
                "service_too_short",
                f"连续工龄须满 {service} 个月",
                f"it takes {service} months of consecutive service",
                conditions.law,
            ),
        )
    if work.trade is None or work.trade_months is None:
        reasons += (
            Reason(
                "trade_unknown", "特殊工种的类别或年限不详", "trade or time in it is unknown", trades.law, unknown=True
            ),
        )
    elif work.trade_months < (needed := trades.figure(work.trade.value)):
        reasons += (
            Reason(
                "trade_too_short",
                f"{work.trade.chinese}工作须累计满 {needed} 个月",
                f"it takes {needed} months in this trade",
                trades.law,
            ),
        )
    return reasons, (LawReference.of("retirement_month", conditions), LawReference.of("retirement_month", trades))
