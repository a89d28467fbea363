"""How an overpaid benefit is paid back: offsets first, then instalments that sum exactly to the debt. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from huodang.pension.ages import LawReference
from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import national
from huodang.standards import Money, Month


class RefundMeans(StrEnum):
    """Where the money comes from."""

    ACCOUNT_OFFSET = "account_offset"
    BENEFIT_OFFSET = "benefit_offset"
    INSTALMENT = "instalment"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {
            "account_offset": "个人账户余额抵扣",
            "benefit_offset": "后续待遇抵扣",
            "instalment": "分期退回",
        }[self.value]


@dataclass(frozen=True)
class RefundLine:
    """One amount to come back in one month."""

    month: Month
    means: RefundMeans
    amount: Money


@dataclass(frozen=True)
class RefundPlan:
    """All lines; their amounts sum exactly to the debt."""

    debt: Money
    lines: tuple[RefundLine, ...]
    laws: tuple[LawReference, ...]


def refund_plan(
    debt: Money,
    first_month: Month,
    *,
    instalments: int = 1,
    account_offset: Money | None = None,
    monthly_benefit_offset: Money | None = None,
) -> RefundPlan:
    """Plan how a debt comes back.

    What the account covers is taken in the first month. The rest is taken from later benefits month by month where an
    amount for that is agreed, or else paid in equal instalments of whole fen. The last line carries the rest, so that
    the lines sum exactly to the debt.

    Args:
        debt: What was paid without being due.
        first_month: Month of the first line.
        instalments: Number of instalments; left at 1 when benefits are offset.
        account_offset: What may be taken from the account; no more than the debt is taken.
        monthly_benefit_offset: What may be taken from each later benefit.

    Raises:
        BadFacts: the debt isn't above zero, an offset is negative, instalments and benefit offsets are both asked
            for, or there are more instalments than fen.

    Source: 社会保险经办条例第四十六条 (rule R-REC-01).
    """
    offset = account_offset or Money.zero()
    monthly = monthly_benefit_offset
    if debt.fen <= 0:
        raise BadFacts("应退金额须大于零", "the debt must be above zero")
    if offset.fen < 0 or (monthly is not None and monthly.fen <= 0) or instalments < 1:
        raise BadFacts("抵扣金额和期数须大于零", "offsets and instalments must be above zero")
    if monthly is not None and instalments != 1:
        raise BadFacts("待遇抵扣与分期退回只能选择一种", "choose benefit offsets or instalments, not both")
    taken = min(offset, debt)
    rest = debt - taken
    lines = [RefundLine(first_month, RefundMeans.ACCOUNT_OFFSET, taken)] if taken else []
    if monthly is not None:
        amounts, means = _by_amount(rest, monthly), RefundMeans.BENEFIT_OFFSET
    else:
        amounts, means = _by_number(rest, instalments), RefundMeans.INSTALMENT
    lines += [RefundLine(first_month + position, means, amount) for position, amount in enumerate(amounts)]
    return RefundPlan(debt, tuple(lines), (LawReference.of("lines", national().sole("refund")),))


def _by_amount(rest: Money, monthly: Money) -> list[Money]:
    whole, left = divmod(rest.fen, monthly.fen)
    return [monthly] * whole + ([Money(left)] if left else [])


def _by_number(rest: Money, instalments: int) -> list[Money]:
    if not rest:
        return []
    each = rest.fen // instalments
    if each == 0:
        raise BadFacts("期数多于应退的分数", "there are more instalments than fen to pay back")
    return [Money(each)] * (instalments - 1) + [Money(rest.fen - each * (instalments - 1))]
