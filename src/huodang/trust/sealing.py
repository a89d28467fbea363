"""Sealing: data for one recipient (the ferry), and single fields in the database.

A field's key is derived from a secret that lies in a folder outside the database, one key a data element; element and
row are authenticated, so a sealed value cannot be moved to another row or column. The blind index, by which a sealed
identity number is found again, has a key of its own for each element.
"""

import base64
import contextlib
import functools
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from huodang.standards import Place
from huodang.trust.canonical import canonical_json, parse_strict, written
from huodang.trust.errors import BrokenSealError, NotCanonicalError, UnusableKeyError
from huodang.trust.files import write_new_secret
from huodang.trust.keys import PublicKey, Signer
from huodang.trust.suite_parts import broken_seal
from huodang.trust.suites import suite

_SEALED_MAGIC = b"HDS1"
_KEY_ID_BYTES = 16
FIELD_SECRET = "field.secret"  # noqa: S105  (a file name)
_FIELD_FORMAT = "huodang-field-secret-1"
_FIELD_PREFIX = "hd1."
_SECRET_BYTES = 32
_INDEX_BYTES = 16  # 128 bits: no two of a billion people collide


def seal_for(recipient: PublicKey, data: bytes, aad: bytes = b"") -> bytes:
    """Encrypt data so that only this recipient can read them.

    Args:
        recipient: For whom.
        data: What; any length.
        aad: What the recipient must know already and what the seal is bound to, such as the name of the file.

    Returns:
        A header with the recipient's key id and the wrapped content key, then the sealed data.
    """
    cipher = suite(recipient.suite)
    key, wrapped = cipher.wrap(recipient.sealing)
    header = _SEALED_MAGIC + bytes.fromhex(recipient.key_id) + len(wrapped).to_bytes(2, "big") + wrapped
    return header + cipher.seal(key, data, header + aad)


def open_sealed(own: Signer, sealed: bytes, aad: bytes = b"") -> bytes:
    """Open what was sealed for this holder.

    Raises:
        BrokenSealError: Sealed for another key or with other `aad`, altered, or cut.
    """
    start = len(_SEALED_MAGIC) + _KEY_ID_BYTES + 2
    if not sealed.startswith(_SEALED_MAGIC + bytes.fromhex(own.key_id)) or len(sealed) < start:
        raise broken_seal()
    end = start + int.from_bytes(sealed[start - 2 : start], "big")
    header = sealed[:end]
    return suite(own.suite).open(own.key.unwrap(header[start:]), sealed[end:], header + aad)


class FieldSealer:
    """Seals single fields of the database and finds them again by blind index. Safe to share between threads.

    Args:
        secret_folder: The folder that holds `field.secret`.

    Raises:
        UnusableKeyError: The secret is missing, broken, or others may read it.
    """

    def __init__(self, secret_folder: Path | str) -> None:
        path = Path(secret_folder) / FIELD_SECRET
        place = Place(file=path.name)
        try:
            members = parse_strict(path.read_bytes())
            secret = bytes.fromhex(members["secret"])
            self._suite = suite(members["suite"])
            fits = members["format"] == _FIELD_FORMAT and len(secret) == _SECRET_BYTES
        except (OSError, NotCanonicalError, KeyError, TypeError, ValueError) as error:
            raise _no_field_secret(place) from error
        if not fits or stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _no_field_secret(place)
        self._derive = functools.lru_cache(maxsize=512)(functools.partial(self._suite.derive, secret))

    @classmethod
    def create(cls, secret_folder: Path | str, suite_name: str = "national") -> "FieldSealer":
        """Make the secret if the folder has none yet, then load it."""
        members = {
            "format": _FIELD_FORMAT,
            "suite": suite(suite_name).name,
            "secret": secrets.token_bytes(_SECRET_BYTES).hex(),
        }
        with contextlib.suppress(FileExistsError):  # made before, or by another process at this moment: that one counts
            write_new_secret(Path(secret_folder) / FIELD_SECRET, canonical_json(members))
        return cls(secret_folder)

    def seal(self, element: str, text: str, row: str) -> str:
        """Seal one field.

        Args:
            element: Identifier of the data element.
            text: The value.
            row: What names the row for good, such as its key; the same is needed to open.

        Returns:
            ASCII text for the column. Sealing the same value twice gives different text.
        """
        sealed = self._suite.seal(self._derive(_purpose(b"seal", element)), text.encode(), _binding(element, row))
        return _FIELD_PREFIX + base64.b64encode(sealed).decode()

    def open(self, element: str, sealed: str, row: str) -> str:
        """Open one field.

        Raises:
            BrokenSealError: Altered, or sealed for another element or row, or under another secret.
        """
        try:
            raw = base64.b64decode(sealed.removeprefix(_FIELD_PREFIX), validate=True)
        except ValueError as error:
            raise broken_seal().at(Place(element=element)) from error
        try:
            return self._suite.open(self._derive(_purpose(b"seal", element)), raw, _binding(element, row)).decode()
        except BrokenSealError as error:
            raise error.at(Place(element=element)) from error

    def blind_index(self, element: str, text: str) -> str:
        """Index a value so that equal values are found without opening any: 32 hexadecimal digits.

        The caller normalises first (`IdentityNumber.parse(…).text`): the index of a different spelling differs.
        """
        return self._suite.mac(self._derive(_purpose(b"index", element)), text.encode())[:_INDEX_BYTES].hex()

    def blind_indexes(self, element: str, texts: Sequence[str]) -> list[str]:
        """Index many values of one element, each as `blind_index` does."""
        key, mac = self._derive(_purpose(b"index", element)), self._suite.mac
        return [mac(key, text.encode())[:_INDEX_BYTES].hex() for text in texts]


def _purpose(use: bytes, element: str) -> bytes:
    return b"huodang-field-1\0" + use + b"\0" + element.encode()


def _binding(element: str, row: str) -> bytes:
    return written([element, row])


def _no_field_secret(place: Place) -> UnusableKeyError:
    return UnusableKeyError(
        "读不到字段加密密钥，或其内容、权限不对",
        "The secret for sealing fields cannot be read, or its content or mode is wrong",
        advice_chinese="请核对密钥目录，权限应为 600；新部署由 huodang keys issue 生成。",
        advice_english="Check the folder of keys; its mode must be 600; `huodang keys issue` makes it for a new site.",
        place=place,
    )
