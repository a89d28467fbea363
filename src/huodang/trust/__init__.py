"""Trust: cipher suites (national and international), keys, signed and sealed envelopes, masking, TLS.

The room knows no database and no network. Everything that other rooms may use is exported here; what is proved by what,
and what is not claimed, stands in `docs/trust.md`.
"""

from huodang.trust.authority import TlsAuthority, TlsPair
from huodang.trust.canonical import JsonObject, canonical_json, parse_strict
from huodang.trust.envelopes import (
    MAX_ENVELOPE_BYTES,
    EnvelopeSignature,
    SignedEnvelope,
    cosign_envelope,
    open_envelope,
    sign_envelope,
    sign_envelopes,
)
from huodang.trust.errors import (
    BrokenSealError,
    CipherUnavailableError,
    EnvelopeError,
    EnvelopeTooLargeError,
    ExpiredKeyError,
    ForgedEnvelopeError,
    KeyExistsError,
    MalformedEnvelopeError,
    MissingSignatureError,
    NotCanonicalError,
    RevokedKeyError,
    TrustError,
    UnknownKeyError,
    UnknownSuiteError,
    UnusableKeyError,
    WrongKindError,
)
from huodang.trust.hashes import sha256, sm3
from huodang.trust.keys import PublicKey, Signer, TrustedKeys
from huodang.trust.masking import HIDDEN_TEXT, MaskLevel, mask
from huodang.trust.provisioning import LOOPBACK, Issued, Provisioner
from huodang.trust.sealing import FieldSealer, open_sealed, seal_for
from huodang.trust.suites import CipherSuite, PrivateKey, provide_suite, suite

__all__ = [
    "HIDDEN_TEXT",
    "LOOPBACK",
    "MAX_ENVELOPE_BYTES",
    "BrokenSealError",
    "CipherSuite",
    "CipherUnavailableError",
    "EnvelopeError",
    "EnvelopeSignature",
    "EnvelopeTooLargeError",
    "ExpiredKeyError",
    "FieldSealer",
    "ForgedEnvelopeError",
    "Issued",
    "JsonObject",
    "KeyExistsError",
    "MalformedEnvelopeError",
    "MaskLevel",
    "MissingSignatureError",
    "NotCanonicalError",
    "PrivateKey",
    "Provisioner",
    "PublicKey",
    "RevokedKeyError",
    "SignedEnvelope",
    "Signer",
    "TlsAuthority",
    "TlsPair",
    "TrustError",
    "TrustedKeys",
    "UnknownKeyError",
    "UnknownSuiteError",
    "UnusableKeyError",
    "WrongKindError",
    "canonical_json",
    "cosign_envelope",
    "mask",
    "open_envelope",
    "open_sealed",
    "parse_strict",
    "provide_suite",
    "seal_for",
    "sha256",
    "sign_envelope",
    "sign_envelopes",
    "sm3",
    "suite",
]
