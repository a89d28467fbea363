"""The oblivious function on ristretto255 under which two sets are compared: values in, group elements out. Pure.

A querier blinds each value, the holder evaluates it under a key that never leaves the holder, and the querier takes
its blind off again. The querier then holds the function of its own values only, the holder has seen random group
elements. Two sets are compared by their tags: short hashes of that function.

Source: RFC 9497 (OPRF, ciphersuite ristretto255-SHA512, base mode), RFC 9496 (ristretto255), RFC 9380 section 5.3.1
(expand_message_xmd). The tests hold this file against the vectors of RFC 9497.
"""

import hashlib
import secrets
from typing import Final

import rbcl

from huodang.exchange.matching.errors import MalformedPointError

POINT_BYTES: Final = 32
SCALAR_BYTES: Final = 32
TAG_BYTES: Final = 12
"""96 bits: among 20 million against 20 million values a false match has a probability of about 2^-47."""

_HASH_BYTES: Final = 64
_BLOCK: Final = bytes(128)  # SHA-512 takes in 128 bytes at once: the padding that expand_message_xmd begins with
_CONTEXT: Final = b"OPRFV1-\x00-ristretto255-SHA512"
_GROUP_TAG: Final = b"HashToGroup-" + _CONTEXT
_SIZE_ONLY_TAG: Final = b"huodang size-only tag v1"
_sha512 = hashlib.sha512


def _with_length(tag: bytes) -> bytes:
    return tag + bytes([len(tag)])


_GROUP_SUFFIX: Final = _with_length(_GROUP_TAG)
_LENGTH: Final = _HASH_BYTES.to_bytes(2, "big") + b"\x00"


def hash_to_group(value: bytes) -> bytes:
    """Map a value to a group element whose logarithm nobody knows."""
    seed = _sha512(_BLOCK + value + _LENGTH + _GROUP_SUFFIX).digest()
    point: bytes = rbcl.crypto_core_ristretto255_from_hash(_sha512(seed + b"\x01" + _GROUP_SUFFIX).digest())
    return point


def random_scalar() -> bytes:
    """Make a secret: a number below the order of the group, never zero."""
    return scalar_of(secrets.token_bytes(_HASH_BYTES))


def scalar_of(material: bytes) -> bytes:
    """Turn 64 bytes of key material into a secret; the same bytes give the same secret.

    Raises:
        ValueError: there are fewer or more bytes, or they give zero, as no key material does.
    """
    if len(material) != _HASH_BYTES:
        raise ValueError("a scalar is made of 64 bytes")
    scalar: bytes = rbcl.crypto_core_ristretto255_scalar_reduce(material)
    if not any(scalar):
        raise ValueError("a scalar isn't zero")
    return scalar


def commitment(scalar: bytes) -> str:
    """Give what binds its holder to a secret without telling it: 64 hexadecimal digits."""
    point: bytes = rbcl.crypto_scalarmult_ristretto255_base(scalar)
    return point.hex()


def inverse(scalar: bytes) -> bytes:
    """Give the secret that takes a blind off again."""
    inverted: bytes = rbcl.crypto_core_ristretto255_scalar_invert(scalar)
    return inverted


def multiply(scalar: bytes, point: bytes) -> bytes:
    """Multiply a received element by a secret.

    Raises:
        MalformedPointError: the bytes encode no element of the group, or the neutral one, which would show nothing.
    """
    try:
        product: bytes = rbcl.crypto_scalarmult_ristretto255(scalar, point)
    except (RuntimeError, ValueError):
        raise MalformedPointError(
            "对方发来的数据中有无效的群元素",
            "the peer sent bytes that are no element of the group",
            advice_chinese="对方程序有误或数据被改动，请核对对方版本和线路后重新开始。",
            advice_english="The peer's program is wrong or the data were altered: compare versions, then start again.",
        ) from None
    return product


def blind(scalar: bytes, value: bytes) -> bytes:
    """Blind a value: what the holder gets to see of it."""
    return multiply(scalar, hash_to_group(value))


def output(value: bytes, element: bytes) -> bytes:
    """Finish the function for a value whose evaluated element is unblinded: 64 bytes (RFC 9497, Finalize)."""
    return _sha512(
        len(value).to_bytes(2, "big") + value + len(element).to_bytes(2, "big") + element + b"Finalize"
    ).digest()


def member_tag(value: bytes, element: bytes) -> bytes:
    """Give the tag by which a value is recognised by whoever holds the value."""
    return output(value, element)[:TAG_BYTES]


def size_tag(element: bytes) -> bytes:
    """Give the tag by which an element is recognised without its value: all that a match of sizes needs."""
    return _sha512(_SIZE_ONLY_TAG + element).digest()[:TAG_BYTES]
