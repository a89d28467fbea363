"""SM2 signatures and public-key encryption on the system's libcrypto, with keys parsed once.

Signing takes SM3 over Z and the message, where Z binds the standard user identifier and the public key; Z is computed
once a key. Contexts of libcrypto are not thread-safe, so each key keeps a pool of them: a thread takes one, uses it and
lays it back.

Source: GB/T 32918.2 (signature), GB/T 32918.4 (encryption), GB/T 32918.5 (curve); default user identifier
1234567812345678 after GM/T 0009. The clause numbers are unverified.
"""

import base64
import ctypes
import secrets
import weakref
from collections import deque
from functools import lru_cache

from huodang.trust.errors import BrokenSealError, UnusableKeyError
from huodang.trust.hashes import sm3
from huodang.trust.libcrypto import library

USER_IDENTIFIER = b"1234567812345678"
POINT_BYTES = 65
_SIGNATURE_BYTES = 80  # DER of two 256-bit integers takes at most 72
_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_CURVE = bytes.fromhex(
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"  # a
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"  # b
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"  # x of G
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"  # y of G
)
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")  # id-ecPublicKey, curve sm2p256v1
_PUBLIC_PREFIX = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("034200")
PEM_BEGIN = "-----BEGIN PRIVATE KEY-----"
PEM_END = "-----END PRIVATE KEY-----"


class _Handle:
    """One key inside libcrypto with its pools of contexts; freed when Python lets go of it."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        self.pools: dict[str, deque[int]] = {name: deque() for name in ("sign", "verify", "encrypt", "decrypt")}
        weakref.finalize(self, _release, pointer, self.pools)

    def run(self, operation: str, *arguments: object) -> int:
        """Run one EVP operation on a pooled context and return what libcrypto returned."""
        lib = library()
        pool = self.pools[operation]
        try:
            context = pool.pop()
        except IndexError:
            context = lib.EVP_PKEY_CTX_new_from_pkey(None, self.pointer, None)
            if not context or getattr(lib, f"EVP_PKEY_{operation}_init")(context) != 1:
                lib.EVP_PKEY_CTX_free(context)
                lib.ERR_clear_error()
                raise _unusable_key() from None
        outcome = int(getattr(lib, f"EVP_PKEY_{operation}")(context, *arguments))
        pool.append(context)
        if outcome != 1:
            lib.ERR_clear_error()  # else the next user of this thread, such as ssl, would find our error
        return outcome


def _release(pointer: int, pools: dict[str, deque[int]]) -> None:
    lib = library()
    for pool in pools.values():
        while pool:
            lib.EVP_PKEY_CTX_free(pool.pop())
    lib.EVP_PKEY_free(pointer)


def _unusable_key() -> UnusableKeyError:
    return UnusableKeyError(
        "不是可用的 SM2 密钥",
        "This is not a usable SM2 key",
        advice_chinese="请核对密钥文件和密码套件。",
        advice_english="Check the key file and the cipher suite.",
    )


def _decode(function: str, der: bytes) -> int:
    lib = library()
    buffer = ctypes.create_string_buffer(der, len(der))
    cursor = ctypes.c_void_p(ctypes.addressof(buffer))
    pointer = getattr(lib, function)(None, ctypes.byref(cursor), len(der))
    if not pointer:
        lib.ERR_clear_error()
        raise _unusable_key()
    return int(pointer)


def _public_point(pointer: int) -> bytes:
    lib = library()
    out = ctypes.c_void_p()
    length = lib.i2d_PUBKEY(pointer, ctypes.byref(out))
    der = ctypes.string_at(out, length) if length > 0 and out.value else b""
    lib.CRYPTO_free(out, b"", 0)
    if len(der) != len(_PUBLIC_PREFIX) + POINT_BYTES or not der.startswith(_PUBLIC_PREFIX):
        raise _unusable_key()
    return der[-POINT_BYTES:]


class Sm2PublicKey:
    """The public half of an SM2 key: verifies signatures and encrypts short secrets.

    Args:
        point: The uncompressed point, 65 bytes beginning with 04.

    Raises:
        UnusableKeyError: The bytes are no point of the curve.
    """

    def __init__(self, point: bytes) -> None:
        if len(point) != POINT_BYTES or point[0] != 4:
            raise _unusable_key()
        self.point = point
        self._handle = _Handle(_decode("d2i_PUBKEY", _PUBLIC_PREFIX + point))
        self._z = user_digest(point)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Say whether this DER signature over the message was made with this key."""
        digest = sm3(self._z + message)
        return self._handle.run("verify", signature, len(signature), digest, len(digest)) == 1

    def encrypt(self, secret: bytes) -> bytes:
        """Encrypt a short secret; the result is DER of C1, C3, C2."""
        return _sized(self._handle, "encrypt", secret)


class Sm2PrivateKey:
    """The private half of an SM2 key.

    Args:
        der: PKCS#8 or SEC1 DER.

    Raises:
        UnusableKeyError: The bytes are no SM2 private key.
    """

    def __init__(self, der: bytes) -> None:
        self._der = der
        self._handle = _Handle(_decode("d2i_AutoPrivateKey", der))
        self.point = _public_point(self._handle.pointer)
        self._z = user_digest(self.point)

    def __repr__(self) -> str:
        return "Sm2PrivateKey(…)"

    @classmethod
    def generate(cls) -> "Sm2PrivateKey":
        """Make a key from the system's randomness."""
        scalar = (secrets.randbelow(_ORDER - 2) + 1).to_bytes(32, "big")  # 1 … n-2, as GB/T 32918.1 asks
        return cls(_pkcs8(scalar, cls(_pkcs8(scalar, None)).point))

    @classmethod
    def from_pem(cls, pem: str) -> "Sm2PrivateKey":
        """Read an unencrypted PKCS#8 PEM block."""
        body = pem.strip().removeprefix(PEM_BEGIN).removesuffix(PEM_END)
        try:
            return cls(base64.b64decode("".join(body.split()), validate=True))
        except ValueError as error:
            raise _unusable_key() from error

    def to_pem(self) -> str:
        """Write the key as an unencrypted PEM block."""
        text = base64.b64encode(self._der).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return "\n".join([PEM_BEGIN, *lines, PEM_END, ""])

    def sign(self, message: bytes) -> bytes:
        """Sign the message; the result is a DER signature."""
        digest = sm3(self._z + message)
        out = ctypes.create_string_buffer(_SIGNATURE_BYTES)
        length = ctypes.c_size_t(_SIGNATURE_BYTES)
        if self._handle.run("sign", out, ctypes.byref(length), digest, len(digest)) != 1:
            raise _unusable_key()
        return out.raw[: length.value]

    def decrypt(self, sealed: bytes) -> bytes:
        """Decrypt what `Sm2PublicKey.encrypt` made.

        Raises:
            BrokenSealError: It was made for another key, or was altered.
        """
        return _sized(self._handle, "decrypt", sealed)


def _sized(handle: _Handle, operation: str, data: bytes) -> bytes:
    """Run an operation whose output length libcrypto tells on a first call."""
    length = ctypes.c_size_t(0)
    if handle.run(operation, None, ctypes.byref(length), data, len(data)) == 1:
        out = ctypes.create_string_buffer(length.value)
        if handle.run(operation, out, ctypes.byref(length), data, len(data)) == 1:
            return out.raw[: length.value]
    raise BrokenSealError(
        "SM2 密文无法解开：不是加密给本密钥的，或已被改动",
        "This SM2 ciphertext does not open: it was made for another key, or was altered",
    )


def _tagged(tag: int, body: bytes) -> bytes:
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def _pkcs8(scalar: bytes, point: bytes | None) -> bytes:
    """Encode a private scalar, with its public point if known, as PKCS#8 DER."""
    public = _tagged(0xA1, _tagged(0x03, b"\x00" + point)) if point else b""
    inner = _tagged(0x30, _tagged(0x02, b"\x01") + _tagged(0x04, scalar) + public)
    return _tagged(0x30, _tagged(0x02, b"\x00") + _ALGORITHM + _tagged(0x04, inner))


def user_digest(point: bytes) -> bytes:
    """Compute Z: the SM3 digest that binds user identifier, curve and public key."""
    bits = (len(USER_IDENTIFIER) * 8).to_bytes(2, "big")
    return sm3(bits + USER_IDENTIFIER + _CURVE + point[1:])


@lru_cache(maxsize=4096)
def public_key(point: bytes) -> Sm2PublicKey:
    """Parse a public key once and keep it: parsing costs more than a third of a verification."""
    return Sm2PublicKey(point)
