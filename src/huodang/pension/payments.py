"""What a death or custody does to the monthly payment. Pure: it says what the rule says; people decide to apply it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from huodang.pension.ages import LawReference
from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import national
from huodang.standards import Month


class PaymentAction(StrEnum):
    """What happens to the payment."""

    PAY = "pay"
    PAUSE = "pause"
    STOP = "stop"


class Custody(StrEnum):
    """Kinds of custody and sentence, as far as the pension differs."""

    PRISON = "prison"
    DETENTION = "detention"
    PROBATION = "probation"
    CONTROL = "control"
    OUTSIDE = "outside"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {
            "prison": "服刑",
            "detention": "羁押",
            "probation": "缓刑",
            "control": "管制",
            "outside": "监外执行",
        }[self.value]


@dataclass(frozen=True)
class PaymentEffect:
    """What the rule says about a payment.

    Attributes:
        action: Pay on, pause or stop.
        from_month: First month without pay; None if it is paid on.
        until_month: Last month without pay; None if open or not paused.
        unduly_paid: Months already paid that were not due, in order.
        repay_if_acquitted: Months held back are paid if the person is found not guilty.
        increases_withheld: The pension goes on at its old rate, without the yearly increases.
        laws: The law applied.
    """

    action: PaymentAction
    from_month: Month | None
    until_month: Month | None
    unduly_paid: tuple[Month, ...]
    repay_if_acquitted: bool
    increases_withheld: bool
    laws: tuple[LawReference, ...]


def payment_effect_of_death(died_on: date, paid_months: Iterable[Month] = ()) -> PaymentEffect:
    """Stop the pension from the month after death; the month of death itself is due whole.

    Args:
        died_on: Day of death.
        paid_months: Months paid so far, in any order.

    Source: rule R-DTH-01 (general practice, unverified); death data are shared under 社会保险经办条例第八条.
    """
    rule = national().sole("death_stop")
    stop = Month.of(died_on) + rule.figure("months_after_death")
    return PaymentEffect(
        action=PaymentAction.STOP,
        from_month=stop,
        until_month=None,
        unduly_paid=tuple(sorted({month for month in paid_months if month >= stop})),
        repay_if_acquitted=False,
        increases_withheld=False,
        laws=(LawReference.of("from_month", rule),),
    )


def payment_effect_of_custody(
    kind: Custody, began_on: date, ended_on: date | None = None, paid_months: Iterable[Month] = ()
) -> PaymentEffect:
    """Tell what custody does to the pension.

    Prison: no pay from the month after it begins through the month of release, then the old rate again. Detention
    before judgment: held back the same way, and repaid if acquitted. Probation, control and serving outside prison:
    paid on, without increases.

    Args:
        kind: What the justice department reports.
        began_on: Day it began.
        ended_on: Day of release, if known.
        paid_months: Months paid so far, in any order.

    Raises:
        BadFacts: it ends before it begins.

    Source: 劳社厅函〔2001〕44号 (rule R-PRI-01, unverified; the months of beginning and end are practice).
    """
    if ended_on is not None and ended_on < began_on:
        raise BadFacts("结束日期早于开始日期", "custody ends before it begins")
    rule = national().sole("custody_pause")
    laws = (LawReference.of("from_month", rule),)
    if kind not in {Custody.PRISON, Custody.DETENTION}:
        return PaymentEffect(PaymentAction.PAY, None, None, (), False, True, laws)  # noqa: FBT003  (fields of the record, in order)
    first = Month.of(began_on) + rule.figure("months_after_start")
    last = Month.of(ended_on) + rule.figure("months_after_end") - 1 if ended_on is not None else None
    if last is not None and last < first:
        # In and out within one calendar month: no month goes unpaid.
        return PaymentEffect(PaymentAction.PAY, None, None, (), False, kind is Custody.PRISON, laws)  # noqa: FBT003  (as above)
    return PaymentEffect(
        action=PaymentAction.PAUSE,
        from_month=first,
        until_month=last,
        unduly_paid=tuple(
            sorted({month for month in paid_months if first <= month and (last is None or month <= last)})
        ),
        repay_if_acquitted=kind is Custody.DETENTION,
        increases_withheld=kind is Custody.PRISON,
        laws=laws,
    )
