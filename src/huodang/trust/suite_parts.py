"""What both cipher suites share: the errors, HMAC, and the two-block form of a key file."""

from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from huodang.trust.errors import BrokenSealError, UnusableKeyError

NONCE_BYTES = 12
TAG_BYTES = 16
PEM_END = "-----END PRIVATE KEY-----"


def broken_seal() -> BrokenSealError:
    """Say that sealed data do not open, without saying why: the reason would help only an attacker."""
    return BrokenSealError(
        "密封数据无法解开：已被改动，或不是为此用途、此记录密封的",
        "The sealed data do not open: they were altered, or sealed for another use or record",
    )


def unfit_key(suite_name: str) -> UnusableKeyError:
    """Say that a key does not belong to this suite."""
    return UnusableKeyError(
        f"密钥内容与密码套件 {suite_name} 不符",
        f"The key does not fit the cipher suite `{suite_name}`",
        advice_chinese="请核对密钥文件和密码套件，必要时用 huodang keys issue 重新签发。",
        advice_english="Check key file and suite; if need be issue anew with `huodang keys issue`.",
    )


def split_pem(pem: str, suite_name: str) -> tuple[str, str]:
    """Split a key file into its signing and its sealing block."""
    blocks = [block + PEM_END for block in pem.split(PEM_END)[:-1]]
    if len(blocks) != 2:
        raise unfit_key(suite_name)
    return blocks[0].strip(), blocks[1].strip()


def hmac(algorithm: type[hashes.HashAlgorithm], key: bytes, data: bytes) -> bytes:
    """HMAC over this hash."""
    mac = _begun(algorithm, key).copy()
    mac.update(data)
    return mac.finalize()


@lru_cache(maxsize=64)
def _begun(algorithm: type[hashes.HashAlgorithm], key: bytes) -> HMAC:
    """Begin with a key once: a few keys make all indexes, and beginning costs more than a short text."""
    return HMAC(key, algorithm())
