"""What a leaf holds, and the guard that keeps personal data out of it.

A leaf is canonical JSON: kind, instant, a few facts, and a commitment to the content that is evidence. The commitment
is salted, so that nobody can guess the content from it; once the salt is destroyed not even its owner can, and the leaf
stays provable all the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from huodang.ledger.errors import UnfitEntryError
from huodang.ledger.merkle import TREES
from huodang.standards import IdentityFault, Place, identity_fault
from huodang.store import utc_text
from huodang.trust import JsonObject, canonical_json

LEAF_FORMAT = "huodang-leaf-1"
SALT_BYTES = 32
MAX_FACTS = 24
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FACT_VALUE = re.compile(r"[A-Za-z0-9._:/+=,-]{0,256}")
# A word of digits in the form of a resident's number (15 or 18, with a month and day where they belong) or a bank card.
_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_PERSONAL = re.compile(
    rf"(?<![A-Za-z0-9])(?:[1-9][0-9]{{7}}{_MONTH_DAY}[0-9]{{3}}|[1-9][0-9]{{9}}{_MONTH_DAY}[0-9]{{3}}[0-9Xx]"
    r"|62[0-9]{14,17})(?![A-Za-z0-9])"
)
_SHORTEST_NUMBER = 15
# Within a longer word only a number with a right check digit counts, and none within a digest: those hold long runs of
# digits by chance.
_DIGEST = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{64})\b")
_WITHIN = re.compile(r"(?=([1-9][0-9]{16}[0-9Xx]))")


@dataclass(frozen=True)
class LedgerEntry:
    """One thing that happened.

    Attributes:
        kind: What: `grant`, `verdict`, `look`, `agreement`, `decision`, `payment`, `volume` …
        at: When, with its time zone.
        facts: Codes and digests by name, at most 24. What looks like an identity number or a bank card, and anything
            but letters, digits and `._:/+=,-`, is refused.
    """

    kind: str
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)


def make_leaf(entry: LedgerEntry, entry_id: str, salt: bytes, content: bytes) -> bytes:
    """Write the leaf of an entry.

    Raises:
        UnfitEntryError: Kind, instant or a fact may not stand in the ledger.
    """
    check_entry(entry)
    return canonical_json(
        {
            "format": LEAF_FORMAT,
            "entry_id": entry_id,
            "kind": entry.kind,
            "at": utc_text(entry.at),
            "facts": dict(entry.facts),
            "commitment": commitment(salt, content),
        }
    )


def commitment(salt: bytes, content: bytes) -> JsonObject:
    """Commit to content under both hash functions, so that the failure of one leaves the other."""
    return {name: digest(b"huodang-commitment-1\0" + salt + content).hex() for name, digest in TREES.items()}


def check_entry(entry: LedgerEntry) -> None:
    """Refuse an entry that holds more than codes and digests.

    Raises:
        UnfitEntryError: Naming the fact, not its value.
    """
    if not _KIND.fullmatch(entry.kind) or entry.at.tzinfo is None or len(entry.facts) > MAX_FACTS:
        raise UnfitEntryError(
            "账本条目的种类、时间或事实数量不合规",
            "Kind, time or number of facts of a ledger entry does not fit",
            advice_chinese=f"种类用小写代码，时间须带时区，事实不超过 {MAX_FACTS} 项。",
            advice_english=f"The kind is a lower-case code, the time has its zone, {MAX_FACTS} facts at most.",
        )
    for name, value in entry.facts.items():
        if not _is_name(name):
            raise _unfit(Place())
        if not isinstance(value, str) or not (_is_fit_code(value) if len(value) < _SHORTEST_NUMBER else _is_fit(value)):
            raise _unfit(Place(element=name))


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return bool(_FACT_NAME.fullmatch(name))


def _is_fit(value: str) -> bool:
    return bool(_FACT_VALUE.fullmatch(value)) and not _is_personal(value)


# Short codes come again and again; what is longer, a digest or an identifier, comes once.
_is_fit_code = lru_cache(maxsize=4096)(_is_fit)


def _is_personal(value: str) -> bool:
    if len(value) < _SHORTEST_NUMBER:
        return False
    if _PERSONAL.search(value):
        return True
    within = _WITHIN.finditer(_DIGEST.sub("", value))
    return any(identity_fault(found.group(1)) is IdentityFault.VALID for found in within)


def _unfit(place: Place) -> UnfitEntryError:
    return UnfitEntryError(
        "账本只记代码和摘要：此事实不是短代码，或可能是个人信息",
        "The ledger holds codes and digests only: this fact is no short code, or could be personal data",
        advice_chinese="请改记代码、摘要或盲索引；内容本身作为 content 传入，只留其加盐承诺。",
        advice_english="Record a code, digest or blind index; pass the content itself as `content`.",
        place=place,
    )
