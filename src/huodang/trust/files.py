"""Writing files whole: secrets that only their owner may read, and lists that are replaced in one step."""

import os
import secrets
from pathlib import Path


def write_new_secret(path: Path, data: bytes) -> None:
    """Write a secret with mode 0600; the file must not exist, and appears only when complete.

    Raises:
        FileExistsError: It exists.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = _write_beside(path, data, 0o600)
    try:
        os.link(temporary, path)  # unlike a rename, a link never replaces what is there
    finally:
        temporary.unlink()


def write_whole(path: Path, data: bytes) -> None:
    """Write or replace a file in one step: a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_beside(path, data, 0o644).replace(path)


def _write_beside(path: Path, data: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return temporary
