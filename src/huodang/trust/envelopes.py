"""Signed envelopes: what crosses between departments, signed over exactly the bytes that travel.

An envelope is a JSON object whose `payload` is a string: the canonical JSON of what is said. The signature covers the
format, the kind, the signer and that string, so a grant can never pass as a verdict, nor one holder's words as
another's. Nothing is re-serialised on the way, so there is nothing to differ about.
"""

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from huodang.trust.batches import LARGEST_BATCH, BatchPath, batch_input, batch_paths, climb, verify_remembering
from huodang.trust.canonical import JsonObject, canonical_json, parse_strict, written
from huodang.trust.errors import (
    EnvelopeTooLargeError,
    ExpiredKeyError,
    ForgedEnvelopeError,
    MalformedEnvelopeError,
    MissingSignatureError,
    NotCanonicalError,
    RevokedKeyError,
    TrustError,
    UnknownKeyError,
    WrongKindError,
)
from huodang.trust.hashes import sm3
from huodang.trust.keys import PublicKey, Signer, TrustedKeys

ENVELOPE_FORMAT = "huodang-envelope-1"
MAX_ENVELOPE_BYTES = 1024 * 1024
MAX_SIGNATURES = 8
_KIND = re.compile(r"[a-z][a-z0-9_.\-]{0,63}")
_ENVELOPE_MEMBERS = frozenset({"format", "kind", "payload", "signatures"})
_SIGNATURE_MEMBERS = frozenset({"holder", "suite", "key_id", "signature"})
_BATCH_MEMBERS = frozenset({"index", "size", "path"})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DEEPEST_PATH = 12  # of the largest batch


@dataclass(frozen=True)
class EnvelopeSignature:
    """One signature of an envelope: who, with which key, and the signature itself.

    Attributes:
        batch: set if the signature is over the root of a batch: the envelope's way to that root.
    """

    holder: str
    suite: str
    key_id: str
    signature: bytes
    batch: BatchPath | None = None


@dataclass(frozen=True)
class SignedEnvelope:
    """An envelope as it travels. Until `open_envelope` has checked it, nothing in it may be believed.

    Attributes:
        kind: What the payload is: `grant`, `verdict`, `agreement` …
        payload_text: The signed text, canonical JSON.
        signatures: One or more signatures, the author's first.
    """

    kind: str
    payload_text: str
    signatures: tuple[EnvelopeSignature, ...]

    @cached_property
    def payload(self) -> JsonObject:
        """What the envelope says, unchecked unless it was made here."""
        try:
            return parse_strict(self.payload_text)
        except NotCanonicalError as error:
            raise _malformed() from error

    @property
    def signer(self) -> str:
        """Holder of the first signature."""
        return self.signatures[0].holder

    @property
    def key_id(self) -> str:
        """Key of the first signature."""
        return self.signatures[0].key_id

    @property
    def suite(self) -> str:
        """Cipher suite of the first signature."""
        return self.signatures[0].suite

    @cached_property
    def digest(self) -> str:
        """SM3 of kind and payload, 64 hexadecimal digits; the same however many have signed."""
        return sm3(f"{ENVELOPE_FORMAT}\0{self.kind}\0{self.payload_text}".encode()).hex()

    def to_json(self) -> str:
        """Write the envelope."""
        return written(
            {
                "format": ENVELOPE_FORMAT,
                "kind": self.kind,
                "payload": self.payload_text,
                "signatures": [_members(one) for one in self.signatures],
            }
        ).decode()

    @classmethod
    def from_json(cls, data: bytes | str, *, limit: int = MAX_ENVELOPE_BYTES) -> "SignedEnvelope":
        """Read an envelope without checking its signatures.

        Raises:
            EnvelopeTooLargeError: More than `limit` bytes.
            MalformedEnvelopeError: Anything but an envelope.
        """
        if len(data) > limit:
            raise _too_large()
        try:
            members = parse_strict(data)
            if set(members) != _ENVELOPE_MEMBERS or members["format"] != ENVELOPE_FORMAT:
                raise _malformed()
            signatures = tuple(_signature(entry) for entry in members["signatures"])
        except (NotCanonicalError, TypeError, ValueError) as error:
            raise _malformed() from error
        kind, text = members["kind"], members["payload"]
        if not isinstance(text, str) or not isinstance(kind, str) or not _KIND.fullmatch(kind):
            raise _malformed()
        holders = {one.holder for one in signatures}
        if not 1 <= len(signatures) <= MAX_SIGNATURES or len(holders) != len(signatures):
            raise _malformed()
        return cls(kind, text, signatures)


def sign_envelope(kind: str, payload: Mapping[str, Any], signer: Signer) -> SignedEnvelope:
    """Put a payload into an envelope and sign it.

    Args:
        kind: What the payload is; lower-case letters, digits, `_`, `.`, `-`.
        payload: What to say; see `canonical_json` for what it may hold.
        signer: Who says it.

    Raises:
        NotCanonicalError: The payload has no canonical form.
        MalformedEnvelopeError: The kind is none.
        EnvelopeTooLargeError: The payload exceeds the bound on envelopes.
    """
    text = _text_of(kind, payload)
    return SignedEnvelope(kind, text, (_sign(kind, text, signer),))


def sign_envelopes(kind: str, payloads: Sequence[Mapping[str, Any]], signer: Signer) -> list[SignedEnvelope]:
    """Put many payloads into envelopes and sign them all with one signature; see `batches.py`.

    Each envelope is proved by itself, as if it had been signed alone. Payloads should hold a nonce or a salted hash, so
    that nobody can guess a neighbour's from the digests beside one's own.

    Raises:
        NotCanonicalError, MalformedEnvelopeError, EnvelopeTooLargeError: as `sign_envelope`; nothing is signed.
    """
    if len(payloads) == 1:
        return [sign_envelope(kind, payloads[0], signer)]
    signed: list[SignedEnvelope] = []
    for start in range(0, len(payloads), LARGEST_BATCH):
        texts = [_text_of(kind, payload) for payload in payloads[start : start + LARGEST_BATCH]]
        if len(texts) == 1:
            signed.append(sign_envelope(kind, payloads[start], signer))
            continue
        root, paths = batch_paths(signer.suite, [_signing_input(kind, text, signer.holder) for text in texts])
        signature = signer.sign(batch_input(signer.holder, len(texts), root))
        signed += [
            SignedEnvelope(
                kind, text, (EnvelopeSignature(signer.holder, signer.suite, signer.key_id, signature, where),)
            )
            for text, where in zip(texts, paths, strict=True)
        ]
    return signed


def cosign_envelope(envelope: SignedEnvelope, signer: Signer) -> SignedEnvelope:
    """Add a signature to an envelope, as the second party of an agreement does.

    Raises:
        MalformedEnvelopeError: This holder has signed already, or there are eight signatures.
    """
    if len(envelope.signatures) >= MAX_SIGNATURES or signer.holder in {one.holder for one in envelope.signatures}:
        raise _malformed()
    added = _sign(envelope.kind, envelope.payload_text, signer)
    return SignedEnvelope(envelope.kind, envelope.payload_text, (*envelope.signatures, added))


def open_envelope(
    envelope: SignedEnvelope | str | bytes,
    kind: str,
    trusted: TrustedKeys,
    *,
    signer: str | Collection[str] | None = None,
    at: datetime | None = None,
    limit: int = MAX_ENVELOPE_BYTES,
) -> JsonObject:
    """Check an envelope and hand out what it says. Every signature it carries must be good.

    Args:
        envelope: The envelope, or its bytes.
        kind: The kind expected.
        trusted: Whose keys count.
        signer: Holder or holders that must have signed; None if any trusted holder will do.
        at: The instant for which keys must be valid; None for now by the system's clock.
        limit: The bound on the size in bytes.

    Returns:
        The payload.

    Raises:
        EnvelopeTooLargeError: Larger than `limit`.
        MalformedEnvelopeError: Not an envelope, or its payload is no strict JSON object.
        WrongKindError: Of another kind.
        MissingSignatureError: A required holder has not signed.
        UnknownKeyError: A key is not trusted.
        ForgedEnvelopeError: A signature does not fit.
        RevokedKeyError: A key was revoked by then.
        ExpiredKeyError: A key was not valid then.
    """
    if not isinstance(envelope, SignedEnvelope):
        envelope = SignedEnvelope.from_json(envelope, limit=limit)
    if envelope.kind != kind:
        raise WrongKindError(
            f"信封种类不符：需要 {kind}",
            f"The envelope is of another kind than {kind}",
            advice_chinese="请核对发送方的接口和版本。",
            advice_english="Check interface and version of the sender.",
        )
    required = {signer} if isinstance(signer, str) else set(signer or ())
    if not required <= {one.holder for one in envelope.signatures} or not envelope.signatures:
        raise MissingSignatureError(
            "缺少必需的签名",
            "A required signature is missing",
            advice_chinese="请由应签名的各方签名后重新提交。",
            advice_english="Have all parties sign, then submit again.",
        )
    instant = at or datetime.now(UTC)
    for one in envelope.signatures:
        _check_signature(envelope, one, trusted, instant)
    return envelope.payload


def _check_signature(
    envelope: SignedEnvelope, one: EnvelopeSignature, trusted: TrustedKeys, instant: datetime
) -> PublicKey:
    key = trusted.get(one.holder, one.key_id)
    if key is None or key.suite != one.suite:
        raise UnknownKeyError(
            "签名所用密钥不在受信任清单中",
            "The signing key is not among the trusted keys",
            advice_chinese="请核对 trust.json 是否包含该部门的现行公钥。",
            advice_english="Check that trust.json holds the present public key of that department.",
        )
    if not _fits(envelope, one, key):
        raise ForgedEnvelopeError(
            "签名无效：内容被改动，或不是该密钥所签",
            "The signature is not valid: the content was altered, or another key signed",
            advice_chinese="请保留原文并报告安全管理员。",
            advice_english="Keep the original and tell the security administrator.",
        )
    if key.revoked_at is not None and key.revoked_at <= instant:
        raise RevokedKeyError("签名所用密钥已作废", "The signing key has been revoked")
    if (key.valid_from is not None and instant < key.valid_from) or (
        key.valid_to is not None and instant > key.valid_to
    ):
        raise ExpiredKeyError("签名所用密钥不在有效期内", "The signing key is outside its validity")
    return key


def _fits(envelope: SignedEnvelope, one: EnvelopeSignature, key: PublicKey) -> bool:
    signed = _signing_input(envelope.kind, envelope.payload_text, one.holder)
    if one.batch is None:
        return key.verify(signed, one.signature)
    root = climb(key.suite, signed, one.batch)
    if root is None:
        return False
    message = batch_input(one.holder, one.batch.size, root)
    return verify_remembering(key.suite, key.signing, message, one.signature)


def _text_of(kind: str, payload: Mapping[str, Any]) -> str:
    if not _KIND.fullmatch(kind):
        raise _malformed()
    text = canonical_json(dict(payload)).decode()
    if len(text) > MAX_ENVELOPE_BYTES:
        raise _too_large()
    return text


def _members(one: EnvelopeSignature) -> JsonObject:
    members: JsonObject = {
        "holder": one.holder,
        "suite": one.suite,
        "key_id": one.key_id,
        "signature": base64.b64encode(one.signature).decode(),
    }
    if one.batch is not None:
        members["batch"] = {
            "index": one.batch.index,
            "size": one.batch.size,
            "path": [digest.hex() for digest in one.batch.path],
        }
    return members


def _signing_input(kind: str, text: str, holder: str) -> bytes:
    """The bytes that are signed; no part but the last can hold the separator, so no two envelopes share them."""
    try:
        return f"{ENVELOPE_FORMAT}\0{kind}\0{holder}\0{text}".encode()
    except UnicodeEncodeError as error:
        raise _malformed() from error


def _sign(kind: str, text: str, signer: Signer) -> EnvelopeSignature:
    signature = signer.sign(_signing_input(kind, text, signer.holder))
    return EnvelopeSignature(signer.holder, signer.suite, signer.key_id, signature)


def _signature(entry: object) -> EnvelopeSignature:
    if not isinstance(entry, dict) or set(entry) - {"batch"} != _SIGNATURE_MEMBERS:
        raise _malformed()
    texts = [entry[name] for name in _SIGNATURE_MEMBERS]
    if not all(isinstance(value, str) and len(value) <= 1024 and "\0" not in value for value in texts):
        raise _malformed()
    signature = base64.b64decode(entry["signature"], validate=True)
    if base64.b64encode(signature).decode() != entry["signature"]:  # one signature, one spelling
        raise _malformed()
    batch = _batch(entry["batch"]) if "batch" in entry else None
    return EnvelopeSignature(entry["holder"], entry["suite"], entry["key_id"], signature, batch)


def _batch(members: object) -> BatchPath:
    if not isinstance(members, dict) or set(members) != _BATCH_MEMBERS:
        raise _malformed()
    index, size, path = members["index"], members["size"], members["path"]
    if type(index) is not int or type(size) is not int or not isinstance(path, list) or len(path) > _DEEPEST_PATH:
        raise _malformed()
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in path):
        raise _malformed()
    return BatchPath(index, size, tuple(bytes.fromhex(digest) for digest in path))


def _malformed() -> TrustError:
    return MalformedEnvelopeError(
        "信封格式有误，整封拒收",
        "The envelope is malformed and refused whole",
        advice_chinese="请核对发送方的接口和版本。",
        advice_english="Check interface and version of the sender.",
    )


def _too_large() -> TrustError:
    return EnvelopeTooLargeError(
        "信封超过允许的大小",
        "The envelope exceeds the size allowed",
        advice_chinese="请分批发送。",
        advice_english="Send it in parts.",
    )
