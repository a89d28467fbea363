"""Everything that can go wrong in trust, as one family of errors with stable codes."""

from typing import ClassVar

from huodang.standards import HuodangError


class TrustError(HuodangError):
    """The root of all errors of this room."""

    code: ClassVar[str] = "trust"


class CipherUnavailableError(TrustError):
    """The system lacks a part that a cipher suite needs."""

    code: ClassVar[str] = "trust.cipher_unavailable"


class UnknownSuiteError(TrustError):
    """A cipher suite was named that does not exist."""

    code: ClassVar[str] = "trust.unknown_suite"


class UnusableKeyError(TrustError):
    """A key, a key file or a list of trusted keys cannot be used."""

    code: ClassVar[str] = "trust.key"


class KeyExistsError(UnusableKeyError):
    """A key file is there already: it is never overwritten."""

    code: ClassVar[str] = "trust.key_exists"


class NotCanonicalError(TrustError):
    """A value has no canonical JSON form, or a text is not the strict JSON that may be signed."""

    code: ClassVar[str] = "trust.not_canonical"


class EnvelopeError(TrustError):
    """A signed envelope is refused; each subclass says why in its code."""

    code: ClassVar[str] = "envelope"


class MalformedEnvelopeError(EnvelopeError):
    """The bytes are not an envelope: broken JSON, missing or surplus members, duplicates, floats, too deep."""

    code: ClassVar[str] = "envelope.malformed"


class EnvelopeTooLargeError(EnvelopeError):
    """The envelope exceeds the bound on its size."""

    code: ClassVar[str] = "envelope.too_large"


class WrongKindError(EnvelopeError):
    """The envelope is of another kind than the one asked for."""

    code: ClassVar[str] = "envelope.wrong_kind"


class UnknownKeyError(EnvelopeError):
    """A signature names a holder and key that are not among the trusted keys."""

    code: ClassVar[str] = "envelope.unknown_key"


class ForgedEnvelopeError(EnvelopeError):
    """A signature does not fit the payload, the kind and the key it names."""

    code: ClassVar[str] = "envelope.forged"


class RevokedKeyError(EnvelopeError):
    """A signature was made with a key that has been revoked."""

    code: ClassVar[str] = "envelope.revoked_key"


class ExpiredKeyError(EnvelopeError):
    """A signature was made with a key that is not valid yet or no longer."""

    code: ClassVar[str] = "envelope.expired_key"


class MissingSignatureError(EnvelopeError):
    """A signer whose signature is required has not signed."""

    code: ClassVar[str] = "envelope.missing_signature"


class BrokenSealError(TrustError):
    """Sealed data cannot be opened: altered, or sealed for another key, row or element."""

    code: ClassVar[str] = "trust.seal_broken"
