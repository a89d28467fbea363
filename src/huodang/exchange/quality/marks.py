"""Salted marks of keys and digests of rows, and the hash tree of their buckets: how both sides prove that they agree.

Without the salt of the agreement nobody can try out values against a mark or digest, however few values there are.
Pure.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

BUCKETS: Final = 256
"""Rows are spread by the first byte of their mark, which is even whatever the keys are."""
MARK_BYTES: Final = 16
EMPTY_BUCKET: Final = hashlib.sha256(b"").hexdigest()

_BLOCK: Final = 64


class RowMarks:
    """Names keys and digests rows under one salt.

    Args:
        salt: of the agreement, equal on both sides; empty only where nothing leaves the process.
    """

    def __init__(self, salt: bytes = b"") -> None:
        # The salt fills one block of its own, so that it is hashed once and not with every row.
        self._key = hashlib.sha256(hashlib.sha256(b"huodang-lot-key\0" + salt).digest().ljust(_BLOCK, b"\0"))
        self._row = hashlib.sha256(hashlib.sha256(b"huodang-lot-row\0" + salt).digest().ljust(_BLOCK, b"\0"))

    def mark(self, key: str) -> str:
        """Name a key: 32 hexadecimal digits."""
        hashed = self._key.copy()
        hashed.update(key.encode())
        return hashed.hexdigest()[: 2 * MARK_BYTES]

    def digest(self, content: bytes) -> bytes:
        """Digest the canonical content of a row."""
        hashed = self._row.copy()
        hashed.update(content)
        return hashed.digest()


def bucket_of(mark: str) -> int:
    """Say in which bucket a row lies."""
    return int(mark[:2], 16)


def bucket_bounds(bucket: int) -> tuple[str, str]:
    """Give the marks between which a bucket lies: from the first, below the second."""
    upper = f"{bucket + 1:02x}" if bucket + 1 < BUCKETS else "g"
    return f"{bucket:02x}", upper


def bucket_hashes(rows: Iterable[tuple[str, bytes]]) -> dict[int, str]:
    """Hash rows by bucket; buckets without rows are left out.

    Args:
        rows: mark and digest, in the order of the marks.
    """
    found: dict[int, str] = {}
    current, hashed = "", hashlib.sha256()
    for mark, digest in rows:
        if mark[:2] != current:
            if current:
                found[int(current, 16)] = hashed.hexdigest()
            current, hashed = mark[:2], hashlib.sha256()
        hashed.update(mark.encode() + digest)
    if current:
        found[int(current, 16)] = hashed.hexdigest()
    return found


def root_of(buckets: Mapping[int, str]) -> str:
    """Hash all buckets to one root; equal roots mean equal rows."""
    hashed = hashlib.sha256(b"huodang-lot-root-1\0")
    for bucket in range(BUCKETS):
        hashed.update(bytes.fromhex(buckets.get(bucket, EMPTY_BUCKET)))
    return hashed.hexdigest()


def differing_buckets(one: Mapping[int, str], other: Mapping[int, str]) -> tuple[int, ...]:
    """Name the buckets in which two sides differ."""
    return tuple(
        bucket for bucket in range(BUCKETS) if one.get(bucket, EMPTY_BUCKET) != other.get(bucket, EMPTY_BUCKET)
    )
