"""Keys with an owner: signers with their files, public keys, and the list of those that are trusted."""

import base64
import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from huodang.standards import Place
from huodang.trust.canonical import canonical_json, parse_strict
from huodang.trust.errors import KeyExistsError, NotCanonicalError, TrustError, UnusableKeyError
from huodang.trust.files import write_new_secret, write_whole
from huodang.trust.suites import PrivateKey, suite

TRUST_FORMAT = "huodang-trust-1"
KEY_FORMAT = "huodang-key-1"
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
_MEMBERS = frozenset({"holder", "suite", "key_id", "signing", "sealing", "valid_from", "valid_to", "revoked_at"})


def check_holder(holder: str) -> str:
    """Return the holder's name if it may be one: lower-case letters, digits, `_`, `-` and `.`, at most 64.

    Raises:
        UnusableKeyError: It may not; a holder's name becomes part of file names.
    """
    if not holder or len(holder) > 64 or holder[0] in ".-" or not set(holder) <= _NAME_LETTERS:
        raise UnusableKeyError(
            "持有者名称不合规",
            "This is not a holder's name",
            advice_chinese="请用小写字母、数字、下划线、连字符，最多 64 个字符。",
            advice_english="Use lower-case letters, digits, underscores and hyphens, 64 at most.",
        )
    return holder


@dataclass(frozen=True)
class PublicKey:
    """The public half of one holder's key: one key to verify with and one to seal to.

    Attributes:
        holder: Who holds the private half: `hub`, `portal` or a department's code.
        suite: Name of the cipher suite.
        signing: The key that verifies.
        sealing: The key that others seal to.
        valid_from: From when signatures count; None for always.
        valid_to: Until when; None for no end.
        revoked_at: From when it counts no longer, whatever its validity; None if it was never revoked.
    """

    holder: str
    suite: str
    signing: bytes
    sealing: bytes
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    revoked_at: datetime | None = None

    @cached_property
    def key_id(self) -> str:
        """Digest of suite and public keys, 32 hexadecimal digits."""
        name = self.suite.encode()
        parts = b"".join(len(part).to_bytes(2, "big") + part for part in (name, self.signing, self.sealing))
        return suite(self.suite).digest(b"huodang-key-id-1" + parts).hex()[:32]

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Say whether the signature over these bytes was made with this key."""
        return suite(self.suite).verify(self.signing, message, signature)

    def to_members(self) -> dict[str, str | None]:
        """The members of this key's entry in `trust.json`."""
        return {
            "holder": self.holder,
            "suite": self.suite,
            "key_id": self.key_id,
            "signing": base64.b64encode(self.signing).decode(),
            "sealing": base64.b64encode(self.sealing).decode(),
            "valid_from": _text(self.valid_from),
            "valid_to": _text(self.valid_to),
            "revoked_at": _text(self.revoked_at),
        }

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> "PublicKey":
        """Read what `to_members` wrote.

        Raises:
            UnusableKeyError: A member is missing, surplus or wrong, or the key id is not the digest of the keys.
        """
        if not isinstance(members, Mapping) or set(members) != _MEMBERS:
            raise _bad_entry()
        try:
            key = cls(
                holder=check_holder(members["holder"]),
                suite=members["suite"],
                signing=base64.b64decode(members["signing"], validate=True),
                sealing=base64.b64decode(members["sealing"], validate=True),
                valid_from=_instant(members["valid_from"]),
                valid_to=_instant(members["valid_to"]),
                revoked_at=_instant(members["revoked_at"]),
            )
            suite(key.suite).check_public(key.signing, key.sealing)
        except (TypeError, ValueError) as error:
            raise _bad_entry() from error
        if key.key_id != members["key_id"]:
            raise _bad_entry()
        return key


class Signer:
    """A holder with a private key: signs, and opens what was sealed to the holder.

    Args:
        holder: The holder's name.
        key: The private key, in software or behind a module.
    """

    def __init__(self, holder: str, key: PrivateKey) -> None:
        self.holder = check_holder(holder)
        self.key = key
        self.public = PublicKey(holder, key.suite, key.signing_public, key.sealing_public)
        self.suite = key.suite
        self.key_id = self.public.key_id

    def __repr__(self) -> str:
        return f"Signer({self.holder!r}, {self.suite!r}, {self.key_id!r})"

    @classmethod
    def generate(cls, holder: str, suite_name: str = "national") -> "Signer":
        """Make a new key."""
        return cls(holder, suite(suite_name).generate())

    def sign(self, message: bytes) -> bytes:
        """Sign these bytes."""
        return self.key.sign(message)

    def save(self, folder: Path | str) -> Path:
        """Write `<holder>.<suite>.key` (mode 0600) and beside it `<holder>.<suite>.json` with the public half.

        Returns:
            The path of the private key.

        Raises:
            KeyExistsError: The file is there already.
        """
        private, public = _key_paths(Path(folder), self.holder, self.suite)
        if private.exists() or public.exists():
            raise KeyExistsError(
                "密钥文件已存在，不会覆盖",
                "The key file exists already and is not overwritten",
                advice_chinese="确要更换时，请先用 huodang keys revoke 停用旧密钥并把文件移走。",
                advice_english="To replace it, end it with `huodang keys revoke` and move its file away first.",
                place=Place(file=private.name),
            )
        write_new_secret(private, self.key.to_pem().encode())
        write_whole(public, canonical_json({"format": KEY_FORMAT, **self.public.to_members()}) + b"\n")
        return private

    @classmethod
    def load(cls, path: Path | str, holder: str, suite_name: str = "national") -> "Signer":
        """Read a signer from a folder of keys.

        Args:
            path: The folder that holds `<holder>.<suite>.key`.
            holder: Whose key.
            suite_name: Of which suite.

        Raises:
            UnusableKeyError: The file is missing or broken, does not fit its public half, or others may read it.
        """
        private, public = _key_paths(Path(path), check_holder(holder), suite_name)
        place = Place(file=private.name)
        try:
            pem = private.read_text(encoding="ascii")
            members = parse_strict(public.read_bytes())
        except (OSError, UnicodeError, NotCanonicalError) as error:
            raise UnusableKeyError(
                "读不到密钥文件",
                "The key file cannot be read",
                advice_chinese="请核对密钥目录，或用 huodang keys issue 签发。",
                advice_english="Check the folder of keys, or issue with `huodang keys issue`.",
                place=place,
            ) from error
        if os.name == "posix" and private.stat().st_mode & 0o077:
            raise UnusableKeyError(
                "私钥文件对他人可读",
                "Others may read the private key",
                advice_chinese="请执行 chmod 600 后重试；若已外泄请更换密钥。",
                advice_english="Set its mode to 600; if it may have leaked, replace it.",
                place=place,
            )
        signer = cls(holder, suite(suite_name).load(pem))
        if members.pop("format", None) != KEY_FORMAT or PublicKey.from_members(members).key_id != signer.key_id:
            raise UnusableKeyError("私钥与公钥文件不成对", "The private key does not fit its public half", place=place)
        return signer


class TrustedKeys:
    """The public keys that this deployment trusts, by holder and key id. Safe to share between threads."""

    def __init__(self, keys: tuple[PublicKey, ...] = ()) -> None:
        self._keys: dict[tuple[str, str], PublicKey] = {}
        self._lock = threading.Lock()
        for key in keys:
            self.add(key)

    def __iter__(self) -> Iterator[PublicKey]:
        """All keys, by holder and key id."""
        with self._lock:
            return iter([self._keys[name] for name in sorted(self._keys)])

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, holder: str, key_id: str) -> PublicKey | None:
        """Return the trusted key, or None if it is not trusted. Its validity is the caller's to judge."""
        return self._keys.get((holder, key_id))

    def of_holder(self, holder: str) -> tuple[PublicKey, ...]:
        """Return all keys of one holder."""
        return tuple(key for key in self if key.holder == holder)

    def add(self, key: PublicKey) -> None:
        """Trust this key.

        Raises:
            UnusableKeyError: It is no key of its suite.
        """
        suite(key.suite).check_public(key.signing, key.sealing)
        check_holder(key.holder)
        with self._lock:
            self._keys[key.holder, key.key_id] = key

    def revoke(self, holder: str, key_id: str, at: datetime) -> PublicKey:
        """Revoke a key that may have leaked: no signature opened from then on counts, whenever it was made.

        Raises:
            UnusableKeyError: The key is not among the trusted ones.
        """
        return self._change(holder, key_id, lambda key: replace(key, revoked_at=at))

    def retire(self, holder: str, key_id: str, at: datetime) -> PublicKey:
        """End the validity of a key that was replaced: what it signed until then still counts.

        Raises:
            UnusableKeyError: The key is not among the trusted ones.
        """
        return self._change(holder, key_id, lambda key: replace(key, valid_to=at))

    def _change(self, holder: str, key_id: str, change: Callable[[PublicKey], PublicKey]) -> PublicKey:
        with self._lock:
            key = self._keys.get((holder, key_id))
            if key is None:
                raise UnusableKeyError(
                    "没有这把受信任的密钥",
                    "There is no such trusted key",
                    advice_chinese="请用 huodang keys list 查看持有者和密钥编号。",
                    advice_english="See holders and key ids with `huodang keys list`.",
                )
            changed = self._keys[holder, key_id] = change(key)
            return changed

    def to_json(self) -> str:
        """Write the list, one key a line, so that changes are easy to review."""
        lines = ",\n".join(canonical_json(key.to_members()).decode() for key in self)
        return f'{{"format":"{TRUST_FORMAT}","keys":[\n{lines}\n]}}\n'

    @classmethod
    def from_json(cls, data: bytes | str) -> "TrustedKeys":
        """Read what `to_json` wrote.

        Raises:
            UnusableKeyError: The text is no list of trusted keys; it is refused whole.
        """
        try:
            members = parse_strict(data)
        except NotCanonicalError as error:
            raise _bad_entry() from error
        entries = members.get("keys")
        if set(members) != {"format", "keys"} or members["format"] != TRUST_FORMAT or not isinstance(entries, list):
            raise _bad_entry()
        return cls(tuple(PublicKey.from_members(entry) for entry in entries))

    @classmethod
    def load(cls, path: Path | str) -> "TrustedKeys":
        """Read `trust.json`.

        Raises:
            UnusableKeyError: The file is missing or broken.
        """
        file = Path(path)
        try:
            return cls.from_json(file.read_bytes())
        except OSError as error:
            raise UnusableKeyError(
                "读不到受信任公钥清单",
                "The list of trusted keys cannot be read",
                advice_chinese="请核对路径，或用 huodang keys init 建立。",
                advice_english="Check the path, or make one with `huodang keys init`.",
                place=Place(file=file.name),
            ) from error
        except TrustError as error:
            raise error.at(Place(file=file.name)) from error

    def save(self, path: Path | str) -> None:
        """Write `trust.json` whole."""
        write_whole(Path(path), self.to_json().encode())


@contextmanager
def editing_trust(path: Path) -> Iterator[TrustedKeys]:
    """Read the list, let the caller change it, and save it, while other processes wait for their turn."""
    with path.with_suffix(".lock").open("a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        trusted = TrustedKeys.load(path) if path.exists() else TrustedKeys()
        yield trusted
        trusted.save(path)


def _key_paths(folder: Path, holder: str, suite_name: str) -> tuple[Path, Path]:
    return folder / f"{holder}.{suite_name}.key", folder / f"{holder}.{suite_name}.json"


def _bad_entry() -> UnusableKeyError:
    return UnusableKeyError(
        "受信任公钥清单格式有误",
        "The list of trusted keys is malformed",
        advice_chinese="请用 huodang keys 命令维护它，不要手工改动。",
        advice_english="Keep it with `huodang keys`, not by hand.",
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
