"""Objects: bytes kept in a folder under the digest of their content."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from huodang.store.errors import ObjectAlteredError, ObjectMissingError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FolderObjects:
    """A folder of objects, each named by the SHA-256 of its bytes: one object is kept once, and any change shows.

    An object is written under a temporary name, brought to the disk, and renamed: it is there whole or not at all, also
    when the power goes. Several threads and processes may share the folder.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._path.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        """Keep the bytes and give their digest (SHA-256, hexadecimal); keeping the same bytes again changes nothing.

        Raises:
            ObjectAlteredError: an object of this digest is there, but its bytes were altered.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self._place(digest)
        if target.exists():
            self.get(digest)
            return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, data)
        return digest

    def get(self, digest: str) -> bytes:
        """Read an object, and check it against its digest.

        Raises:
            ObjectMissingError: there is none.
            ObjectAlteredError: its bytes were altered.
        """
        try:
            data = self._place(digest).read_bytes()
        except FileNotFoundError:
            raise ObjectMissingError(digest) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise ObjectAlteredError(digest)
        return data

    def has(self, digest: str) -> bool:
        """Tell whether there is an object of this digest; its bytes are not checked."""
        return self._place(digest).exists()

    def _place(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ObjectMissingError(digest[:64])
        return self._path / digest[:2] / digest


def write_whole(target: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all: temporary name, fsync, rename, fsync of the folder."""
    temporary = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Bring a folder's entries to the disk, so that a rename survives power loss."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
