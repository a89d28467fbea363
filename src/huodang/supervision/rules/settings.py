"""What a check asks of the rules: the months, and the thresholds that no law fixes."""

from dataclasses import dataclass, fields

from huodang.standards import Month
from huodang.supervision.rules.errors import SettingsError


@dataclass(frozen=True)
class RuleSettings:
    """What a check asks for, and the thresholds that no law fixes.

    Attributes:
        month: The month of the payday at hand, the last one under check.
        months: All months under check; `month` is always one of them.
        account_persons: Persons who may share a bank account; one more is a finding.
        jump_percent: A pension may rise by so much from one month to the next without a decision.
        jump_fen: Rises below this are no jump, whatever their share, in fen.
        tolerance_fen: How far a payment may lie off the amount that the rules give, in fen.
        certification_months: How long a certification lasts, where the record doesn't tell when the next is due.
        unsettled_months: How long after death a balance may stand before it counts as unsettled.

    Raises:
        SettingsError: a threshold is negative.
    """

    month: Month
    months: tuple[Month, ...] = ()
    account_persons: int = 3
    jump_percent: int = 30
    jump_fen: int = 20_000
    tolerance_fen: int = 0
    certification_months: int = 12
    unsettled_months: int = 12

    def __post_init__(self) -> None:
        object.__setattr__(self, "months", tuple(sorted({*self.months, self.month})))
        wrong = [field.name for field in fields(self) if field.type is int and getattr(self, field.name) < 0]
        if wrong:
            raise SettingsError(
                f"设置 {wrong[0]} 不能为负", f"setting {wrong[0]} can't be negative", advice_chinese="请改为零或正数。"
            )
