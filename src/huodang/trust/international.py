"""The international suite: Ed25519, SHA-256, AES-256-GCM and X25519.

Source: RFC 8032 (Ed25519), RFC 7748 (X25519), RFC 5869 (HKDF), NIST SP 800-38D (GCM).
"""

import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from huodang.trust.hashes import sha256
from huodang.trust.suite_parts import NONCE_BYTES, TAG_BYTES, broken_seal, hmac, split_pem, unfit_key


class InternationalPrivateKey:
    """An Ed25519 key to sign and an X25519 key to open what was sealed to the holder."""

    suite = "international"

    def __init__(self, signing: Ed25519PrivateKey, sealing: X25519PrivateKey) -> None:
        self._signing = signing
        self._sealing = sealing
        self.signing_public = signing.public_key().public_bytes_raw()
        self.sealing_public = sealing.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519."""
        return self._signing.sign(message)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Agree on the content key with the sender's one-time key."""
        try:
            shared = self._sealing.exchange(X25519PublicKey.from_public_bytes(wrapped))
        except ValueError as error:  # not 32 bytes, or a point of small order
            raise broken_seal() from error
        return _agreed_key(shared, wrapped, self.sealing_public)

    def to_pem(self) -> str:
        """Two PKCS#8 blocks."""
        return "".join(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
            for key in (self._signing, self._sealing)
        )


class InternationalSuite:
    """Ed25519, SHA-256, AES-256-GCM and X25519."""

    name = "international"
    key_bytes = 32

    digest = staticmethod(sha256)

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC with SHA-256."""
        return hmac(hashes.SHA256, key, data)

    def derive(self, secret: bytes, purpose: bytes) -> bytes:
        """HKDF with SHA-256."""
        return HKDF(hashes.SHA256(), self.key_bytes, None, purpose).derive(secret)

    def seal(self, key: bytes, data: bytes, aad: bytes) -> bytes:
        """AES-256-GCM with a random nonce."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, data, aad)

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Undo `seal`."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise broken_seal()
        try:
            return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], aad)
        except (InvalidTag, ValueError) as error:
            raise broken_seal() from error

    def generate(self) -> InternationalPrivateKey:
        """A fresh Ed25519 and a fresh X25519 key."""
        return InternationalPrivateKey(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    def load(self, pem: str) -> InternationalPrivateKey:
        """Read two PKCS#8 blocks."""
        try:
            keys = [
                serialization.load_pem_private_key(block.encode(), password=None) for block in split_pem(pem, self.name)
            ]
        except (ValueError, UnsupportedAlgorithm) as error:
            raise unfit_key(self.name) from error
        signing, sealing = keys
        if not isinstance(signing, Ed25519PrivateKey) or not isinstance(sealing, X25519PrivateKey):
            raise unfit_key(self.name)
        return InternationalPrivateKey(signing, sealing)

    def check_public(self, signing: bytes, sealing: bytes) -> None:
        """Both must be 32 bytes."""
        _ed25519(signing)
        if len(sealing) != 32:
            raise unfit_key(self.name)

    def verify(self, signing: bytes, message: bytes, signature: bytes) -> bool:
        """Verify Ed25519."""
        try:
            _ed25519(signing).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def wrap(self, sealing: bytes) -> tuple[bytes, bytes]:
        """Agree on a key with a one-time X25519 key; its public half travels along."""
        once = X25519PrivateKey.generate()
        public = once.public_key().public_bytes_raw()
        try:
            shared = once.exchange(X25519PublicKey.from_public_bytes(sealing))
        except ValueError as error:
            raise unfit_key(self.name) from error
        return _agreed_key(shared, public, sealing), public


def _agreed_key(shared: bytes, once: bytes, recipient: bytes) -> bytes:
    """Derive the content key, bound to both public keys."""
    return HKDF(hashes.SHA256(), 32, None, b"huodang-wrap-1" + once + recipient).derive(shared)


@lru_cache(maxsize=4096)
def _ed25519(signing: bytes) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(signing)
    except ValueError as error:
        raise unfit_key("international") from error
