"""Recovery (追回): overpaid months to the last fen, by the book.

Front door: `Recoveries` opens, moves and shows debts by the table `RECOVERY`; `ClawBacks` writes a bank's file and
reads its answer; `RecoveryOpener` acts on the outcome of a clue; `render_notice` prints what person or heirs are told.
"""

from huodang.supervision.recovery.claw_back import ClawBackAnswer, ClawBackFile, ClawBacks
from huodang.supervision.recovery.errors import (
    BankFileError,
    DebtError,
    IllegalRecoveryEventError,
    RecoveryError,
    RecoveryGuardError,
    RecoveryNotPermittedError,
    RecoveryTermsError,
    UnknownRecoveryError,
)
from huodang.supervision.recovery.notice import render_notice
from huodang.supervision.recovery.outcomes import RecoveryOpener, recorded_payments
from huodang.supervision.recovery.service import Recoveries
from huodang.supervision.recovery.states import RECOVERY, RecoveryEvent, RecoveryState
from huodang.supervision.recovery.terms import product_recovery_terms, read_recovery_terms
from huodang.supervision.recovery.values import (
    Debt,
    Debtor,
    Means,
    MovementLine,
    OverpaidMonth,
    PlanLine,
    RecoveryChoice,
    RecoveryFigures,
    RecoveryHistoryLine,
    RecoveryRow,
    RecoveryView,
    months_of,
)

__all__ = [
    "RECOVERY",
    "BankFileError",
    "ClawBackAnswer",
    "ClawBackFile",
    "ClawBacks",
    "Debt",
    "DebtError",
    "Debtor",
    "IllegalRecoveryEventError",
    "Means",
    "MovementLine",
    "OverpaidMonth",
    "PlanLine",
    "Recoveries",
    "RecoveryChoice",
    "RecoveryError",
    "RecoveryEvent",
    "RecoveryFigures",
    "RecoveryGuardError",
    "RecoveryHistoryLine",
    "RecoveryNotPermittedError",
    "RecoveryOpener",
    "RecoveryRow",
    "RecoveryState",
    "RecoveryTermsError",
    "RecoveryView",
    "UnknownRecoveryError",
    "months_of",
    "product_recovery_terms",
    "read_recovery_terms",
    "recorded_payments",
    "render_notice",
]
