"""Everything that can go wrong in the ledger, as one family of errors with stable codes."""

from typing import ClassVar

from huodang.standards import HuodangError


class LedgerError(HuodangError):
    """The root of all errors of this room."""

    code: ClassVar[str] = "ledger"


class UnfitEntryError(LedgerError):
    """An entry may not stand in the ledger: a fact is no short code, or could be personal data."""

    code: ClassVar[str] = "ledger.unfit_entry"


class UnfitLedgerError(LedgerError):
    """The ledger is set up wrongly: no signer, or an origin that is none."""

    code: ClassVar[str] = "ledger.unfit"


class UnknownEntryError(LedgerError):
    """No entry has this identifier."""

    code: ClassVar[str] = "ledger.unknown_entry"


class NotSealedYetError(LedgerError):
    """The entry is recorded but no checkpoint covers it yet."""

    code: ClassVar[str] = "ledger.not_sealed_yet"


class UnfitContentError(LedgerError):
    """The content to be revealed is not what was recorded, or its salt has been destroyed."""

    code: ClassVar[str] = "ledger.unfit_content"


class LedgerDamagedError(LedgerError):
    """The stored log does not fit its last checkpoint: nothing is signed on top of it."""

    code: ClassVar[str] = "ledger.damaged"


class NotAReceiptError(LedgerError):
    """The file is no receipt at all."""

    code: ClassVar[str] = "receipt.not_a_receipt"


class DamagedReceiptError(LedgerError):
    """The file is a receipt, but a member of it is missing, surplus or not in its one form."""

    code: ClassVar[str] = "receipt.damaged"
