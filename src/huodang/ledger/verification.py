"""Verifying a receipt offline: every check has a name and a sentence, and all are told, not just the first failing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from huodang.ledger.entries import LEAF_FORMAT, LedgerEntry, check_entry, commitment
from huodang.ledger.errors import DamagedReceiptError, UnfitEntryError
from huodang.ledger.merkle import TREES, leaf_hash, root_from_inclusion
from huodang.ledger.notes import NoteText, is_signed_by, read_note, tree_origin
from huodang.ledger.receipts import Receipt, TreeProof
from huodang.store import parse_instant, utc_text
from huodang.trust import NotCanonicalError, PublicKey, TrustedKeys, TrustError, canonical_json, parse_strict

_TREE_NAMES = {"sha256": "SHA-256", "sm3": "SM3"}
_LEAF_MEMBERS = frozenset({"format", "entry_id", "kind", "at", "facts", "commitment"})


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        code: Stable name, such as `inclusion.sm3`.
        passed: Whether it holds.
        chinese: What was checked, and how it came out.
        english: The same in English.
    """

    code: str
    passed: bool
    chinese: str
    english: str


@dataclass(frozen=True)
class ReceiptReport:
    """The outcome of `verify_receipt`.

    Attributes:
        checks: Every check made, in order.
        key_source: `trust` if the signing keys were found among the trusted keys, `receipt` if they were taken from the
            receipt itself: then the receipt agrees with itself, but who made it remains to be shown.
        entry: What the leaf says; None if it is no leaf.
        content: The content revealed, if any; to be believed only if `valid`.
    """

    checks: tuple[Check, ...]
    key_source: str
    entry: LedgerEntry | None
    content: bytes | None

    @property
    def valid(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)


class _Report:
    def __init__(self) -> None:
        self.checks: list[Check] = []

    def check(self, code: str, good: bool, chinese: str, english: str) -> None:  # noqa: FBT001  (the outcome itself)
        ending = ("：通过", ": holds") if good else ("：不通过", ": FAILS")
        self.checks.append(Check(code, good, chinese + ending[0], english + ending[1]))


def verify_receipt(
    receipt: Receipt | str | bytes, trusted: TrustedKeys | None, *, operator: str = "hub"
) -> ReceiptReport:
    """Check a receipt. Needs no database and no network.

    Args:
        receipt: The receipt, or its JSON.
        trusted: Whose keys count; None to check only that the receipt agrees with itself.
        operator: The holder whose keys sign this ledger; other trusted holders may not.

    Returns:
        All checks; the receipt is valid if every one of them holds.

    Raises:
        NotAReceiptError: The text is no receipt at all.
    """
    report = _Report()
    source = "receipt" if trusted is None else "trust"
    if not isinstance(receipt, Receipt):
        try:
            receipt = Receipt.from_json(receipt)
        except DamagedReceiptError as error:
            report.checks.append(Check("form", passed=False, chinese=error.chinese, english=error.english))
            return ReceiptReport(tuple(report.checks), source, None, None)
    entry = _check_leaf(report, receipt)
    for name in TREES:
        _check_tree(report, receipt, name)
        if trusted is not None:
            at = None if entry is None else entry.at
            _check_key(report, receipt.trees[name], name, trusted.of_holder(operator), at)
    return ReceiptReport(tuple(report.checks), source, entry, receipt.content)


def _check_leaf(report: _Report, receipt: Receipt) -> LedgerEntry | None:
    entry = None
    stated: object = None
    try:
        members = parse_strict(receipt.leaf)
        entry = LedgerEntry(members["kind"], parse_instant(members["at"]), members["facts"])
        check_entry(entry)
        stated = members["commitment"]
        good = (
            set(members) == _LEAF_MEMBERS
            and members["format"] == LEAF_FORMAT
            and members["entry_id"] == receipt.entry_id
            and members["at"] == utc_text(entry.at)
            and canonical_json(members) == receipt.leaf.encode()
        )
    except (NotCanonicalError, UnfitEntryError, KeyError, TypeError, ValueError, AttributeError):
        good = False
    report.check(
        "leaf", good, "叶子是本条目的规范记录，只含代码和摘要", "the leaf is the entry's record: codes and digests only"
    )
    if receipt.content is not None and receipt.salt is not None:
        report.check(
            "content",
            stated == commitment(receipt.salt, receipt.content),
            "出示的内容与叶子中的承诺一致",
            "the content shown is what the leaf commits to",
        )
    return entry if good else None


def _check_tree(report: _Report, receipt: Receipt, name: str) -> None:
    tree = receipt.trees[name]
    label = _TREE_NAMES[name]
    hashed = leaf_hash(TREES[name], receipt.leaf.encode())
    root = root_from_inclusion(TREES[name], hashed, receipt.index, receipt.tree_size, tree.proof)
    report.check(
        f"checkpoint.{name}",
        _holds(lambda: _states(tree.note, tree_origin(receipt.origin, name), receipt.tree_size)),
        f"{label} 检查点属于本账本，且大小一致",
        f"the {label} checkpoint is of this ledger and of the size stated",
    )
    report.check(
        f"inclusion.{name}",
        root is not None and _holds(lambda: read_note(tree.note).root == root),
        f"叶子在 {label} 树中，位置与树根相符",
        f"the leaf is in the {label} tree, at its place and under the root",
    )
    report.check(
        f"signature.{name}",
        _holds(lambda: is_signed_by(tree.note, tree.suite, tree.signing)),
        f"{label} 检查点签名有效",
        f"the {label} checkpoint's signature is valid",
    )


def _states(note: str, origin: str, size: int) -> bool:
    text: NoteText = read_note(note)
    return (text.origin, text.size) == (origin, size)


def _holds(test: Callable[[], bool]) -> bool:
    """Run a test over unchecked text; text that is no note or no key fails it."""
    try:
        return test()
    except (DamagedReceiptError, TrustError):
        return False


def _check_key(report: _Report, tree: TreeProof, name: str, keys: tuple[PublicKey, ...], at: datetime | None) -> None:
    """The key must be the operator's, never revoked, and valid at the entry's time; it may be replaced since."""
    key = next((one for one in keys if (one.suite, one.signing) == (tree.suite, tree.signing)), None)
    good = (
        key is not None
        and at is not None
        and key.revoked_at is None
        and (key.valid_from is None or key.valid_from <= at)
        and (key.valid_to is None or at <= key.valid_to)
    )
    report.check(
        f"key.{name}",
        good,
        f"{_TREE_NAMES[name]} 检查点的签名密钥属于账本运营方，受信任且有效",
        f"the key of the {_TREE_NAMES[name]} checkpoint is the operator's, trusted and in force",
    )
