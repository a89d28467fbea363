"""Receipts: one JSON file that proves an entry of the ledger to anyone, with no access to the platform.

A receipt holds the leaf, optionally the content it commits to, the inclusion proofs in both trees and the signed
checkpoints. Every value has one written form; a receipt in which anything was changed is not valid.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huodang.ledger.errors import DamagedReceiptError, NotAReceiptError
from huodang.ledger.merkle import TREES
from huodang.trust import NotCanonicalError, parse_strict

RECEIPT_FORMAT = "huodang-receipt-1"
MAX_RECEIPT_BYTES = 16 * 1024 * 1024
_MEMBERS = frozenset({"format", "origin", "entry_id", "index", "tree_size", "leaf", "revealed", "trees"})
_TREE_MEMBERS = frozenset({"proof", "note", "suite", "key"})
_ENTRY_ID = re.compile(r"[0-9a-f]{32}")
_HASH_BYTES = 32


@dataclass(frozen=True)
class TreeProof:
    """The proof in one of the twin trees.

    Attributes:
        proof: The inclusion proof, nearest sibling first.
        note: The signed checkpoint.
        suite: Cipher suite of the key that signed it.
        signing: That public key.
    """

    proof: tuple[bytes, ...]
    note: str
    suite: str
    signing: bytes


@dataclass(frozen=True)
class Receipt:
    """The proof of one entry. Nothing in it may be believed before `verify_receipt` has checked it.

    Attributes:
        origin: The log's name.
        entry_id: The entry's identifier.
        index: Its place in the log, counted from 0.
        tree_size: The size of the log that the checkpoints state.
        leaf: The leaf, exactly as it was hashed.
        content: The content that the leaf commits to, if it is revealed.
        salt: Its salt, if it is revealed.
        trees: The proof in each tree: `sha256` and `sm3`.
    """

    origin: str
    entry_id: str
    index: int
    tree_size: int
    leaf: str
    content: bytes | None
    salt: bytes | None
    trees: Mapping[str, TreeProof]

    def to_json(self) -> str:
        """Write the receipt, indented for people to read."""
        revealed = None
        if self.content is not None and self.salt is not None:
            revealed = {"content": _to_base64(self.content), "salt": _to_base64(self.salt)}
        members = {
            "format": RECEIPT_FORMAT,
            "origin": self.origin,
            "entry_id": self.entry_id,
            "index": self.index,
            "tree_size": self.tree_size,
            "leaf": self.leaf,
            "revealed": revealed,
            "trees": {
                name: {
                    "proof": [_to_base64(one) for one in tree.proof],
                    "note": tree.note,
                    "suite": tree.suite,
                    "key": _to_base64(tree.signing),
                }
                for name, tree in self.trees.items()
            },
        }
        return json.dumps(members, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, data: bytes | str) -> "Receipt":
        """Read a receipt without checking what it proves.

        Raises:
            NotAReceiptError: Too large, no JSON, or no receipt of a form known here.
            DamagedReceiptError: A member is missing, surplus or malformed.
        """
        members = _read(data)
        try:
            return _from_members(members)
        except (AttributeError, TypeError, ValueError) as error:
            raise _damaged() from error


def _read(data: bytes | str) -> dict[str, Any]:
    try:
        members = parse_strict(data) if len(data) <= MAX_RECEIPT_BYTES else {}
    except NotCanonicalError as error:
        raise _not_a_receipt() from error
    if members.get("format") != RECEIPT_FORMAT:
        raise _not_a_receipt()
    return members


def _from_members(members: dict[str, Any]) -> Receipt:
    trees = members.get("trees")
    revealed = members.get("revealed")
    if set(members) != _MEMBERS or not isinstance(trees, dict) or set(trees) != set(TREES):
        raise _damaged()
    if revealed is not None and set(revealed) != {"content", "salt"}:
        raise _damaged()
    numbers = (members["index"], members["tree_size"])
    texts = (members["origin"], members["entry_id"], members["leaf"])
    if any(type(one) is not int for one in numbers) or any(type(one) is not str for one in texts):
        raise _damaged()
    if not _ENTRY_ID.fullmatch(members["entry_id"]):
        raise _damaged()
    return Receipt(
        origin=members["origin"],
        entry_id=members["entry_id"],
        index=members["index"],
        tree_size=members["tree_size"],
        leaf=members["leaf"],
        content=None if revealed is None else _from_base64(revealed["content"]),
        salt=None if revealed is None else _from_base64(revealed["salt"]),
        trees={name: _tree_proof(trees[name]) for name in TREES},
    )


def _tree_proof(members: dict[str, Any]) -> TreeProof:
    if set(members) != _TREE_MEMBERS or not isinstance(members["proof"], list) or len(members["proof"]) > 64:
        raise _damaged()
    proof = tuple(_from_base64(one) for one in members["proof"])
    if any(len(one) != _HASH_BYTES for one in proof) or not isinstance(members["note"], str):
        raise _damaged()
    if members["suite"] not in {"national", "international"}:
        raise _damaged()
    return TreeProof(proof, members["note"], members["suite"], _from_base64(members["key"]))


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if _to_base64(data) != text:  # one value, one spelling
        raise _damaged()
    return data


def _not_a_receipt() -> NotAReceiptError:
    return NotAReceiptError(
        "这不是活档凭证文件",
        "This is no Huodang receipt",
        advice_chinese="请使用平台导出的凭证 JSON 文件。",
        advice_english="Use the JSON file that the platform exported.",
    )


def _damaged() -> DamagedReceiptError:
    return DamagedReceiptError(
        "凭证有成员缺失、多余或格式有误",
        "A member of the receipt is missing, surplus or malformed",
        advice_chinese="请向出具方重新索取凭证。",
        advice_english="Ask its issuer for the receipt again.",
    )
