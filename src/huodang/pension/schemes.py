"""Between the employee scheme (职保) and the residents' (居保): switching, and what was paid twice. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from huodang.pension.ages import LawReference
from huodang.pension.employee import yuan
from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import national
from huodang.standards import Money, Month


class Scheme(StrEnum):
    """The two schemes between which people move."""

    EMPLOYEE = "employee"
    RESIDENTS = "residents"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {"employee": "职工基本养老保险", "residents": "城乡居民基本养老保险"}[self.value]


@dataclass(frozen=True)
class SchemeSwitch:
    """Where a person who paid into both schemes ends up.

    Attributes:
        into: The scheme that pays.
        account: Both accounts, merged.
        counted_months: Months that count in the paying scheme.
        laws: The law applied.
    """

    into: Scheme
    account: Money
    counted_months: int
    laws: tuple[LawReference, ...]


def switch_scheme(
    employee_months: int, residents_months: int, employee_account: Money, residents_account: Money
) -> SchemeSwitch:
    """Decide which scheme pays someone of retirement age who paid into both.

    With 15 years in the employee scheme the residents' account is merged into it and residents' years don't convert;
    with fewer, the employee account moves to the residents' scheme and the years add up.

    Raises:
        BadFacts: months or accounts are negative.

    Source: 人社部发〔2014〕17号第三、五、六条 (rule R-TRF-01, unverified; whether the 15 years follow the minimum
        years that rise from 2030 is unverified, too).
    """
    if min(employee_months, residents_months, employee_account.fen, residents_account.fen) < 0:
        raise BadFacts("月数和储存额不能为负", "months and accounts can't be negative")
    rule = national().sole("scheme_switch")
    laws = (LawReference.of("into", rule),)
    account = employee_account + residents_account
    if employee_months >= rule.figure("employee_months"):
        return SchemeSwitch(Scheme.EMPLOYEE, account, employee_months, laws)
    return SchemeSwitch(Scheme.RESIDENTS, account, employee_months + residents_months, laws)


@dataclass(frozen=True)
class ResidentsPayment:
    """One payment into the residents' scheme, for the months from first to last.

    Attributes:
        personal: 个人缴费.
        collective: 集体补助.
        subsidy: 政府补贴, never refunded to the person.
    """

    first: Month
    last: Month
    personal: Money
    collective: Money
    subsidy: Money

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadFacts("缴费所属期的止月早于起月", "the payment's last month lies before its first")
        if min(self.personal.fen, self.collective.fen, self.subsidy.fen) < 0:
            raise BadFacts("缴费金额不能为负", "a payment can't be negative")


@dataclass(frozen=True)
class DuplicateRefund:
    """What goes back for months paid in both schemes.

    Attributes:
        months: The months concerned, in order.
        refund: Personal and collective payments of those months.
        laws: The law applied.
    """

    months: tuple[Month, ...]
    refund: Money
    laws: tuple[LawReference, ...]


def duplicate_contributions(
    employee_months: Collection[Month], residents_payments: Iterable[ResidentsPayment]
) -> DuplicateRefund:
    """Refund residents' contributions for months that were paid in the employee scheme, too.

    A payment for several months is refunded in proportion to the months concerned, HALF_UP to fen. The employee
    contribution stands.

    Source: 人社部发〔2014〕17号第七条 (rule R-TRF-02, unverified; the proportion of a yearly payment is practice).
    """
    paid = frozenset(month.ordinal for month in employee_months)
    twice: set[int] = set()
    refund = Money.zero()
    for payment in residents_payments:
        covered = range(payment.first.ordinal, payment.last.ordinal + 1)
        overlap = paid.intersection(covered)
        twice |= overlap
        share = Fraction(len(overlap), len(covered))
        refund += Money.half_up(yuan(payment.personal) * share) + Money.half_up(yuan(payment.collective) * share)
    rule = national().sole("duplicate_contributions")
    return DuplicateRefund(
        tuple(Month.from_ordinal(month) for month in sorted(twice)), refund, (LawReference.of("refund", rule),)
    )


@dataclass(frozen=True)
class DuplicateBenefits:
    """How residents' benefits received beside an employee pension are settled.

    Attributes:
        to_return: Residents' basic pension received in those months.
        taken_from_account: Part of it that the residents' account covers.
        still_owed: The rest, to be repaid or taken from the employee pension.
        refunded: What remains of the account, government subsidy left out.
        laws: The law applied.
    """

    to_return: Money
    taken_from_account: Money
    still_owed: Money
    refunded: Money
    laws: tuple[LawReference, ...]


def duplicate_benefits(account: Money, subsidy_in_account: Money, basic_received: Money) -> DuplicateBenefits:
    """Settle a residents' pension that was received beside an employee pension.

    The residents' relation ends; its account, less the government subsidy, belongs to the person; the residents' basic
    pension received is owed and may be taken from that account first.

    Raises:
        BadFacts: an amount is negative, or the subsidy exceeds the account.

    Source: 人社部发〔2014〕17号第八条 (rule R-TRF-03, unverified).
    """
    if min(account.fen, subsidy_in_account.fen, basic_received.fen) < 0 or subsidy_in_account > account:
        raise BadFacts(
            "金额不能为负，政府补贴不能多于账户余额", "amounts can't be negative, nor subsidy exceed the account"
        )
    own = account - subsidy_in_account
    taken = min(own, basic_received)
    rule = national().sole("duplicate_benefits")
    return DuplicateBenefits(
        basic_received, taken, basic_received - taken, own - taken, (LawReference.of("into", rule),)
    )


@dataclass(frozen=True)
class EmployeeDuplicates:
    """How several employee pensions of one person are settled.

    Attributes:
        kept: Identifier of the one kept.
        ended: Identifiers of the others.
        refunded: Account balances of those, paid out once.
        laws: The law applied.
    """

    kept: str
    ended: tuple[str, ...]
    refunded: Money
    laws: tuple[LawReference, ...]


def duplicate_employee_benefits(balances: dict[str, Money], kept: str) -> EmployeeDuplicates:
    """Keep the one employee pension that was agreed on; end the others and pay out their account balances once.

    Raises:
        BadFacts: the one to keep isn't among them, or a balance is negative.

    Source: 人社部规〔2016〕5号 (rule R-TRF-04, unverified).
    """
    if kept not in balances:
        raise BadFacts("拟保留的养老保险关系不在其中", "the relation to keep isn't among them")
    if any(balance.fen < 0 for balance in balances.values()):
        raise BadFacts("账户余额不能为负", "a balance can't be negative")
    ended = tuple(name for name in balances if name != kept)
    refunded = sum((balances[name] for name in ended), Money.zero())
    return EmployeeDuplicates(
        kept, ended, refunded, (LawReference.of("kept", national().sole("duplicate_employee_benefits")),)
    )
