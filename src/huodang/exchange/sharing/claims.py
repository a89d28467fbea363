"""What somebody says about a value that was delivered: the claim of a correction, a provider's own, a recall. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from huodang.exchange.sharing.errors import CorrectionError
from huodang.standards import IdentityNumber, Place, element

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = 500
_LONGEST_REFERENCE: Final = 256


@dataclass(frozen=True)
class CorrectionClaim:
    """A consumer's word that a value it received is wrong.

    Attributes:
        resource: where the value came from.
        identity_number: whose value it is.
        element: which.
        believed: what the value should be.
        origin: `verdict`, `batch`, `lot` or `event`.
        reference: id of the grant, batch, lot or event by which it came.
        received: what was received; empty to have it read from the delivery.
        evidence: SHA-256 of the evidence kept by the consumer, hex; empty if the note says it all.
    """

    resource: str
    identity_number: str
    element: str
    believed: str
    origin: str
    reference: str
    received: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Announcement:
    """A provider's own word that a value it delivered was wrong, and what is right."""

    resource: str
    identity_number: str
    element: str
    received: str
    corrected: str
    in_force_from: str
    evidence: str = ""


def check_claim(claim: CorrectionClaim | Announcement, note: str) -> IdentityNumber:
    """Hold a claim against what any claim needs; give the number of the person, parsed.

    Raises:
        IdentityError: the number fails.
        UnknownElement: there is no such element.
        CorrectionError: something is missing, or too long to be a value.
    """
    identity = IdentityNumber.parse(claim.identity_number)
    element(claim.element)
    wanted = claim.believed if isinstance(claim, CorrectionClaim) else claim.corrected
    if not wanted.strip():
        raise refused("请写明正确的值", "say what the right value is", "believed")
    for name in ("received", "believed", "corrected"):
        if len(getattr(claim, name, "")) > _LONGEST:
            raise refused("值过长", "the value is too long", name)
    if claim.evidence and not _DIGEST.fullmatch(claim.evidence):
        raise refused(
            "证据应为附件的 SHA-256 摘要（64 位十六进制）",
            "evidence is the attachment's SHA-256, 64 hex digits",
            "evidence",
        )
    if not claim.evidence and not note.strip():
        raise refused(
            "请附证据摘要，或在说明中写明依据", "give the digest of evidence, or say what it rests on", "evidence"
        )
    if isinstance(claim, CorrectionClaim) and not 0 < len(claim.reference) <= _LONGEST_REFERENCE:
        raise refused("请写明数据是哪一次收到的", "name the delivery by which it came", "reference")
    return identity


def refused(chinese: str, english: str, where: str) -> CorrectionError:
    """Make the error of a claim."""
    return CorrectionError(
        chinese,
        english,
        advice_chinese="写法见 docs/sharing.md。",
        advice_english="See docs/sharing.md for the form.",
        place=Place(element=where),
    )
