"""SM3 and SHA-256 on whatever offers them fastest."""

import hashlib

from cryptography.hazmat.primitives.hashes import SM3, Hash


def sha256(data: bytes) -> bytes:
    """Digest with SHA-256 (32 bytes)."""
    return hashlib.sha256(data).digest()


def _sm3_of_hashlib(data: bytes) -> bytes:
    """Digest with SM3 (32 bytes). Source: GB/T 32905."""
    digest = _BEGUN.copy()  # looking the algorithm up costs as much as digesting a line
    digest.update(data)
    return digest.digest()


def _sm3_of_cryptography(data: bytes) -> bytes:
    """Digest with SM3 (32 bytes). Source: GB/T 32905."""
    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize()


# An interpreter may be linked to an OpenSSL without SM3; `cryptography` brings its own.
_IN_HASHLIB = "sm3" in hashlib.algorithms_available
_BEGUN = hashlib.new("sm3" if _IN_HASHLIB else "sha256")
sm3 = _sm3_of_hashlib if _IN_HASHLIB else _sm3_of_cryptography
