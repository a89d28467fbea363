"""The residents' pension (城乡居民基本养老保险). Pure."""

from dataclasses import dataclass

from huodang.pension import formulas
from huodang.pension.ages import LawReference
from huodang.pension.employee import TraceLine, yuan
from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import Status, parameters
from huodang.standards import Money, Month


@dataclass(frozen=True)
class ResidentsDecision:
    """The residents' pension of a month.

    Attributes:
        basic: 基础养老金 of the place.
        account: What the account holds / 139.
        total: Sum of both.
    """

    basic: Money
    account: Money
    total: Money
    trace: tuple[TraceLine, ...]
    laws: tuple[LawReference, ...]


def residents_pension(
    province: str, month: Month, account: Money, *, basic_standard: Money | None = None
) -> ResidentsDecision:
    """Compute the residents' pension: basic standard + account / 139, rounded HALF_UP to fen.

    Args:
        province: As `parameters` takes it.
        month: Month of the first payment.
        account: What the account holds.
        basic_standard: Standard of the place where it is known; else the province's parameter.

    Raises:
        ParameterMissing: no standard is given or known: the national minimum never stands in for it.
        BadFacts: the standard is below the national minimum of that month, or the account is negative.

    Source: 国发〔2014〕8号第六条; rules R-RES-01, R-RES-02.
    """
    if account.fen < 0:
        raise BadFacts("个人账户储存额不能为负", "the account can't be negative")
    rules = parameters(province)
    payout = rules.sole("residents_payout_months")
    minimum = rules.find("residents_basic_minimum", month)
    law, source, status = "本地基础养老金标准", "随案给出", Status.STATEMENT
    if basic_standard is None:
        standard = rules.value("residents_basic_standard", month)
        basic_standard, law, source, status = standard.money, standard.law, standard.source, standard.status
    if minimum is not None and basic_standard < minimum.money:
        raise BadFacts(
            f"基础养老金标准低于 {month.iso} 的全国最低标准 {minimum.text} 元",
            f"the basic standard is below the national minimum of {minimum.text} yuan in {month.iso}",
        )
    part = Money.half_up(formulas.account_part(yuan(account), payout.fraction))
    return ResidentsDecision(
        basic=basic_standard,
        account=part,
        total=basic_standard + part,
        trace=(
            TraceLine("基础养老金", "basic pension", "本地标准", f"{basic_standard.text} 元", law, source, status),
            TraceLine(
                "个人账户养老金",
                "account pension",
                f"{account.text} ÷ {payout.text}",
                f"{part.text} 元",
                payout.law,
                payout.source,
                payout.status,
            ),
        ),
        laws=(LawReference.of("account", payout),) + ((LawReference.of("basic", minimum),) if minimum else ()),
    )
