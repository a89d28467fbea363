"""What can go wrong in a recovery, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError, Place


class RecoveryError(HuodangError):
    """Base of every error of recovery."""

    code: ClassVar[str] = "recovery"


class UnknownRecoveryError(RecoveryError):
    """There is no such recovery, or who asks may not see it."""

    code: ClassVar[str] = "recovery.unknown"


class RecoveryNotPermittedError(RecoveryError):
    """No policy permits the act to this person."""

    code: ClassVar[str] = "recovery.not_permitted"


class IllegalRecoveryEventError(RecoveryError):
    """The transition table has no such event in this state."""

    code: ClassVar[str] = "recovery.illegal_event"


class RecoveryGuardError(RecoveryError):
    """A condition of the transition doesn't hold; nothing was changed.

    Attributes:
        guard: name of the condition in the transition table.
    """

    code: ClassVar[str] = "recovery.guard"

    def __init__(self, guard: str, chinese: str, english: str) -> None:
        super().__init__(chinese, english, place=Place(element=guard))
        self.guard = guard


class DebtError(RecoveryError):
    """A debt can't be opened as it stands."""

    code: ClassVar[str] = "recovery.debt"


class BankFileError(RecoveryError):
    """A bank's answer is refused whole; the place names file, row and column."""

    code: ClassVar[str] = "recovery.bank_file"


class RecoveryTermsError(RecoveryError):
    """The file of terms doesn't hold together; the place names file and element."""

    code: ClassVar[str] = "recovery.terms"
