"""From form and record to the proposed pension: which month, which parts, by which law.

Pure. The rules themselves stand in the pension room; here it is decided what they are asked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from huodang.pension import (
    Category,
    EmployeeFacts,
    ParameterMissing,
    PensionDecision,
    Route,
    RouteDecision,
    SpecialTrade,
    check_route,
    credited_years,
    employee_pension,
    retirement_age,
)
from huodang.retirement.form import ApplicationForm
from huodang.retirement.reasons import Reason
from huodang.retirement.work_record import WorkRecord
from huodang.standards import HuodangError, Money, Month

# Special trades differ in the months they ask for; months that suffice for the strictest suffice for all.
_STRICTEST_TRADE = SpecialTrade.EXTRA_HEAVY
_TOO_FEW = "too_few_contributions"


@dataclass(frozen=True)
class Proposal:
    """What is proposed to be paid, with everything a reviewer needs to follow it.

    Attributes:
        pay_from: first month paid: the one after the month of retirement.
        payable: the total; where a part isn't determined, the sum of the parts that are.
        missing: what isn't determined, as codes `province.parameter`.
        trace: lines of how each figure came about, as plain values.
    """

    province: str
    category: str
    route: str
    retirement_month: Month
    pay_from: Month
    age_months: int
    total_months: int
    deemed_months: int
    years: str
    basic: Money
    account: Money
    transitional: Money | None
    total: Money | None
    payable: Money
    provisional: bool
    base: Money
    base_year: int | None
    missing: tuple[str, ...]
    trace: tuple[dict[str, str], ...]
    laws: tuple[str, ...]

    def to_values(self) -> dict[str, Any]:
        """Give plain values that JSON can hold: money in fen, months as YYYYMM."""
        values = asdict(self)
        for name in ("basic", "account", "transitional", "total", "payable", "base"):
            amount: Money | None = getattr(self, name)
            values[name] = None if amount is None else amount.fen
        values["retirement_month"] = str(self.retirement_month)
        values["pay_from"] = str(self.pay_from)
        return values

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Proposal":
        """Read what `to_values` gave."""
        read = dict(values)
        for name in ("basic", "account", "transitional", "total", "payable", "base"):
            read[name] = None if read[name] is None else Money(read[name])
        for name in ("retirement_month", "pay_from"):
            read[name] = Month.parse(read[name])
        for name in ("missing", "trace", "laws"):
            read[name] = tuple(read[name])
        return cls(**read)


@dataclass(frozen=True)
class Entitlement:
    """What the rules say: a proposal or reasons against it, and notes."""

    proposal: Proposal | None
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]


def work_out(
    form: ApplicationForm, record: WorkRecord, born: date, today: date, *, ahead_months: int, skip: frozenset[str]
) -> Entitlement:
    """Apply the rules to one person.

    Args:
        form: the application.
        record: the agency's own record.
        born: the birth date that governs.
        today: the present day.
        ahead_months: how many months before the month of retirement a case may be decided.
        skip: kinds of reasons that a clerk has settled by evidence.

    Source: rules R-RET-01 to R-RET-05 and R-BEN-01 to R-BEN-04 by way of the pension room.
    """
    category = form.category
    birth_month = Month.of(born)
    reasons: list[Reason] = []
    notes: list[Reason] = []
    lawful = retirement_age(category, birth_month)
    month = form.wished_month or lawful.retirement_month
    laws: tuple[str, ...] = tuple(law.text for law in lawful.laws)
    if record.decided_as_of is not None and form.wished_month is not None:
        # The agency fixed this month and its knowledge in an earlier decision; only the amount is worked out anew.
        notes.append(Reason("as_decided", detail=record.decided_as_of.iso))
    else:
        route = _route(form, record, birth_month, month)
        laws = tuple(law.text for law in route.laws)
        reasons += _refusals(route, record, lawful.minimum_contribution_months)
        if month - Month.of(today) > ahead_months:
            reasons.append(Reason("age_not_reached", detail=month.iso))
        reasons += _record_against_form(form, record)
    reasons = [reason for reason in reasons if reason.kind not in skip]
    if any(reason.kind == "age_not_reached" for reason in reasons):
        # What a later month will pay can't be known yet, and needn't be.
        return Entitlement(None, tuple(reasons), tuple(notes))
    province = record.province or form.province
    known_on = today if record.decided_as_of is None else record.decided_as_of.last_day()
    try:
        years, pre_account = _years(record, province)
        decision = employee_pension(
            EmployeeFacts(
                province=province,
                retirement_month=month,
                age_months=month - birth_month,
                years=years,
                pre_account_years=min(pre_account, years),
                average_index=record.average_index,
                indexed_wage=record.indexed_wage,
                account=record.account,
                as_known_on=known_on,
            )
        )
    except ParameterMissing as missing:
        detail = f"{missing.province}.{missing.parameter}"
        return Entitlement(None, (*reasons, Reason("rules_missing", detail=detail)), tuple(notes))
    except HuodangError as error:
        return Entitlement(None, (*reasons, _broken(error)), tuple(notes))
    if decision.provisional:
        notes.append(Reason("provisional_base"))
    years_text = f"{Decimal(years.numerator) / Decimal(years.denominator):.4f}".rstrip("0").rstrip(".")
    proposal = Proposal(
        province=province,
        category=form.category.value,
        route=form.route.value,
        retirement_month=month,
        pay_from=month + 1,
        age_months=month - birth_month,
        total_months=record.total_months,
        deemed_months=record.deemed_months,
        years=years_text,
        laws=laws,
        **_figures(decision, province),
    )
    reasons += [Reason("parameter_missing", detail=code) for code in proposal.missing]
    return Entitlement(proposal, tuple(reasons), tuple(notes))


def _broken(error: HuodangError) -> Reason:
    fact = getattr(error, "fact", "")
    return Reason("record_incomplete", detail=str(fact)) if fact else Reason("record_malformed", detail=error.code)


def _route(form: ApplicationForm, record: WorkRecord, born: Month, month: Month) -> RouteDecision:
    trade = None
    if form.route is Route.SPECIAL_EARLY:
        known = {member.value: member for member in SpecialTrade}
        trade = known.get(record.special_trade, _STRICTEST_TRADE)
    return check_route(
        form.route,
        form.category,
        born,
        month,
        record.total_months,
        notice_given_on=form.notice_given_on,
        agreed_on=form.notice_given_on,
        special_trade=trade,
        special_trade_months=record.special_trade_months,
        consecutive_service_months=record.total_months,
    )


def _refusals(route: RouteDecision, record: WorkRecord, lawful_minimum: int) -> list[Reason]:
    reasons = [Reason("route_refused", detail=reason.code) for reason in route.reasons if reason.code != _TOO_FEW]
    short = lawful_minimum - record.total_months
    if short > 0 or any(reason.code == _TOO_FEW for reason in route.reasons):
        reasons.append(Reason("years_short", detail=str(max(short, 1))))
    return reasons


def _record_against_form(form: ApplicationForm, record: WorkRecord) -> list[Reason]:
    """Hold what the applicant says against what the agency has on record."""
    reasons: list[Reason] = []
    subject = "social_insurance.contributions"
    lower_age = form.category is Category.FEMALE50
    flexible = record.employment_kind == "flexible"
    # A woman on record as flexibly employed or in a managerial post has the original age 55, not 50 (R-RET-08).
    if lower_age and (flexible or record.work_category == "cadre"):
        reasons.append(Reason("category_differs", subject))
    if form.category is Category.FEMALE55 and record.work_category == "worker" and not flexible:
        reasons.append(Reason("category_differs", subject))
    if form.route is Route.SPECIAL_EARLY and form.special_trade_months > record.special_trade_months:
        reasons.append(Reason("special_trade_differs", subject))
    return reasons


def _years(record: WorkRecord, province: str) -> tuple[Fraction, Fraction]:
    """Give all years and those before accounts: as the agency determined them, else as the province rounds months."""
    months = record.contribution_months + record.deemed_months
    years = record.credited_years if record.credited_years is not None else credited_years(months, province)
    before = record.credited_pre_account_years
    if before is None:
        before = credited_years(record.pre_account_months, province)
    return years, before


def _figures(decision: PensionDecision, province: str) -> dict[str, Any]:
    """Give the amounts of a decision with their trace; what isn't determined is named."""
    determined = decision.basic + decision.account + (decision.transitional or Money.zero())
    return {
        "basic": decision.basic,
        "account": decision.account,
        "transitional": decision.transitional,
        "total": decision.total,
        "payable": decision.total if decision.total is not None else determined,
        "provisional": decision.provisional,
        "base": decision.base,
        "base_year": decision.base_year,
        "missing": () if decision.total is not None else (f"{province}.transitional_pension",),
        "trace": tuple(
            {
                "label_chinese": line.label_chinese,
                "label_english": line.label_english,
                "formula": line.formula,
                "value": line.value,
                "law": line.law,
                "source": line.source,
                "status": str(line.status),
            }
            for line in decision.trace
        ),
    }
