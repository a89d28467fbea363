"""Passwords and access codes: made, judged, hashed with Argon2id and verified in even time."""

import os
import secrets
from functools import cache
from typing import ClassVar, Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from huodang.standards import HuodangError

# OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB: Final = 19456
_PASSES: Final = 2

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 200
# No 0, 1, I, L, O: an access code is read from paper by people over sixty.
_CODE_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE_GROUPS: Final = 3
_CODE_GROUP_LENGTH: Final = 4


class WeakPasswordError(HuodangError):
    """A new password is too simple."""

    code: ClassVar[str] = "web.password.weak"


def hash_secret(secret: str) -> str:
    """The Argon2id hash of a password or code, with its parameters, as a PHC string."""
    kdf = Argon2id(salt=os.urandom(16), length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(secret.encode("utf-8"))


def secret_matches(secret: str, hashed: str | None) -> bool:
    """Whether the secret belongs to the hash. No hash costs the same time, so that nobody learns of it."""
    try:
        Argon2id.verify_phc_encoded(secret.encode("utf-8"), hashed or _nobody())
    except InvalidKey:
        return False
    return hashed is not None


def check_new_password(password: str, user_id: str) -> None:
    """Refuse a password that is too simple.

    Raises:
        WeakPasswordError: under 10 characters, fewer than three kinds of character, or holding the account's name.
    """
    kinds = sum(
        (
            any(letter.islower() for letter in password),
            any(letter.isupper() for letter in password),
            any(letter.isdigit() for letter in password),
            any(not letter.isalnum() for letter in password),
        )
    )
    if (
        not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD
        or kinds < 3
        or user_id.casefold() in password.casefold()
    ):
        raise WeakPasswordError(
            "密码太简单",
            "The password is too simple",
            advice_chinese="至少 10 个字符，含大写、小写、数字、符号中的三种，且不含账号",
            advice_english="At least 10 characters of three kinds (a A 1 !), without the account's name",
        )


def new_access_code() -> str:
    """A fresh access code such as `7KQ4-M2XA-9RTW`: 59 bits of chance, easy to read aloud."""
    groups = ("".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_GROUP_LENGTH)) for _ in range(_CODE_GROUPS))
    return "-".join(groups)


def normal_access_code(typed: str) -> str:
    """An access code as it was issued, however its letters, spaces and hyphens were typed."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return "-".join(letters[start : start + _CODE_GROUP_LENGTH] for start in range(0, len(letters), _CODE_GROUP_LENGTH))


@cache
def _nobody() -> str:
    return hash_secret(secrets.token_hex(16))
