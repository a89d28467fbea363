"""The two cipher suites behind one face, and the seam where a certified module can be put in.

A `CipherSuite` does what needs no secret of ours; a `PrivateKey` does what needs one. A hardware module or a certified
library takes part by offering the same two protocols (`provide_suite`); nothing above this file knows the difference.

| suite | signature | digest, MAC, derivation | sealing | to a recipient |
|---|---|---|---|---|
| `national` | SM2 with SM3 | SM3, HMAC-SM3, HKDF-SM3 | SM4-GCM | SM2 encryption of a fresh SM4 key |
| `international` | Ed25519 | SHA-256, HMAC, HKDF | AES-256-GCM | X25519 and HKDF |
"""

from functools import cache
from typing import Protocol

from huodang.trust.errors import UnknownSuiteError
from huodang.trust.international import InternationalSuite
from huodang.trust.national import NationalSuite


class PrivateKey(Protocol):
    """What a holder of secrets can do. A hardware module implements this without ever handing out the secret."""

    @property
    def suite(self) -> str:
        """Name of the cipher suite."""
        ...

    @property
    def signing_public(self) -> bytes:
        """The public key that verifies this key's signatures."""
        ...

    @property
    def sealing_public(self) -> bytes:
        """The public key that others seal to."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Recover the content key that `CipherSuite.wrap` made for this key; raises BrokenSealError."""
        ...

    def to_pem(self) -> str:
        """Write the secret, unencrypted; raises UnusableKeyError if the key may not leave its module."""
        ...


class CipherSuite(Protocol):
    """One set of algorithms that belong together."""

    @property
    def name(self) -> str:
        """`national` or `international`."""
        ...

    @property
    def key_bytes(self) -> int:
        """Length of a symmetric key."""
        ...

    def digest(self, data: bytes) -> bytes:
        """Digest of 32 bytes."""
        ...

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC of 32 bytes."""
        ...

    def derive(self, secret: bytes, purpose: bytes) -> bytes:
        """Derive one symmetric key for one purpose from a secret."""
        ...

    def seal(self, key: bytes, data: bytes, aad: bytes) -> bytes:
        """Encrypt and authenticate: nonce, ciphertext, tag."""
        ...

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Undo `seal`; raises BrokenSealError."""
        ...

    def generate(self) -> PrivateKey:
        """Make a signing and a sealing key."""
        ...

    def load(self, pem: str) -> PrivateKey:
        """Read what `PrivateKey.to_pem` wrote; raises UnusableKeyError."""
        ...

    def check_public(self, signing: bytes, sealing: bytes) -> None:
        """Raise UnusableKeyError unless these are well-formed public keys of this suite."""
        ...

    def verify(self, signing: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether the signature fits message and public key."""
        ...

    def wrap(self, sealing: bytes) -> tuple[bytes, bytes]:
        """Make a fresh content key; return it and its form that only the recipient can unwrap."""
        ...


@cache
def _providers() -> dict[str, CipherSuite]:
    return {"national": NationalSuite(), "international": InternationalSuite()}


def suite(name: str) -> CipherSuite:
    """Return the cipher suite of this name.

    Raises:
        UnknownSuiteError: There is none.
    """
    found = _providers().get(name)
    if found is None:
        raise UnknownSuiteError(
            "没有这个密码套件",
            "There is no such cipher suite",
            advice_chinese="可选：national（国密 SM2/SM3/SM4）或 international(Ed25519/SHA-256/AES)。",
            advice_english="Choose `national` (SM2/SM3/SM4) or `international` (Ed25519/SHA-256/AES).",
        )
    return found


def provide_suite(provider: CipherSuite) -> CipherSuite:
    """Put another implementation behind a suite's name, such as one that calls a certified module.

    To be called once when a process starts, before any key is loaded.

    Returns:
        The implementation that stood there before.
    """
    previous = suite(provider.name)
    _providers()[provider.name] = provider
    return previous
