"""The ledger: an append-only Merkle log in the database, in twin trees, with signed checkpoints and offline receipts.

`Ledger.record` writes evidence in the transaction of its effect, `seal_batch` sequences and signs, `receipt` proves,
`verify_receipt` checks anywhere. The ledger holds codes, digests and salted commitments: no personal data.
"""

from huodang.ledger import merkle
from huodang.ledger.audit import LedgerAudit, LedgerFault
from huodang.ledger.entries import LedgerEntry
from huodang.ledger.errors import (
    DamagedReceiptError,
    LedgerDamagedError,
    LedgerError,
    NotAReceiptError,
    NotSealedYetError,
    UnfitContentError,
    UnfitEntryError,
    UnfitLedgerError,
    UnknownEntryError,
)
from huodang.ledger.receipts import Receipt, TreeProof
from huodang.ledger.service import Checkpoint, Ledger
from huodang.ledger.verification import Check, ReceiptReport, verify_receipt

__all__ = [
    "Check",
    "Checkpoint",
    "DamagedReceiptError",
    "Ledger",
    "LedgerAudit",
    "LedgerDamagedError",
    "LedgerEntry",
    "LedgerError",
    "LedgerFault",
    "NotAReceiptError",
    "NotSealedYetError",
    "Receipt",
    "ReceiptReport",
    "TreeProof",
    "UnfitContentError",
    "UnfitEntryError",
    "UnfitLedgerError",
    "UnknownEntryError",
    "merkle",
    "verify_receipt",
]
