"""A volume's folder on the disk: written aside, brought to the disk, moved into place whole, and held to its manifest.

volumes/
.staging/<token>/            being written; of no volume yet
.set-aside/<code>.<token>/   a folder that stood in the way of a volume being filed: kept for inspection
<archival code>/
metadata.json              what the volume is and which items it holds; nothing personal in the clear
manifest.json              length, SHA-256 and SM3 of every file
items/001.sealed           the items, sealed
"""

import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from huodang.store import sync_folder
from huodang.trust import canonical_json, parse_strict, sha256, sm3

MANIFEST = "manifest.json"
METADATA = "metadata.json"
ITEMS = "items"
_STAGING = ".staging"
_SET_ASIDE = ".set-aside"

_log = structlog.get_logger("huodang.archive")


@dataclass(frozen=True, order=True)
class VolumeFault:
    """What is wrong with one file of a volume.

    Attributes:
        path: Within the volume's folder.
        fault: `missing`, `altered`, `extra`, or `unreadable` (whole, but its seal can't be opened).
    """

    path: str
    fault: str


@dataclass(frozen=True)
class StagedFolder:
    """A folder aside whose items are on the disk, and how the manifest will describe them."""

    path: Path
    files: tuple[dict[str, Any], ...]


class VolumeFolders:
    """The folder that holds all volumes; several threads and processes may share it."""

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root)
        for folder in (self._root, self._root / _STAGING, self._root / _SET_ASIDE):
            folder.mkdir(parents=True, exist_ok=True)

    def of(self, code: str) -> Path:
        """Give the folder of a volume."""
        return self._root / code

    def stage(self, files: Mapping[str, bytes]) -> StagedFolder:
        """Write the items into a folder aside, and bring them to the disk."""
        staged = self._root / _STAGING / secrets.token_hex(12)
        (staged / ITEMS).mkdir(parents=True)
        for name, data in files.items():
            _write(staged / ITEMS / name, data)
        sync_folder(staged / ITEMS)
        return StagedFolder(staged, tuple(_row(f"{ITEMS}/{name}", data) for name, data in sorted(files.items())))

    def place(self, staged: StagedFolder, code: str, metadata: Mapping[str, Any]) -> bytes:
        """Complete a staged folder and move it to where its volume stands; give the manifest.

        The caller holds the number: no other transaction files under this code. A folder that stands there all the same
        was left by one that didn't commit, or by a database since restored to an earlier state; it is set aside.
        """
        description = canonical_json(metadata)
        manifest = canonical_json({"archival_code": code, "files": [*staged.files, _row(METADATA, description)]})
        _write(staged.path / METADATA, description)
        _write(staged.path / MANIFEST, manifest)
        sync_folder(staged.path)
        target = self.of(code)
        if target.exists():
            target.rename(self._root / _SET_ASIDE / f"{code}.{secrets.token_hex(4)}")
            _log.warning("archive.set_aside", archival_code=code)
        staged.path.rename(target)
        sync_folder(self._root)
        return manifest

    def discard(self, staged: StagedFolder) -> None:
        """Take a staged folder away again."""
        shutil.rmtree(staged.path, ignore_errors=True)

    def clean(self, older_than: timedelta) -> int:
        """Take away what killed processes left in staging, and tell how many; younger ones may still be in use."""
        oldest = time.time() - older_than.total_seconds()
        left = [folder for folder in (self._root / _STAGING).iterdir() if folder.stat().st_mtime < oldest]
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def read(self, code: str, path: str) -> bytes | None:
        """Read a file of a volume, or None when it isn't there or is no plain file."""
        place = self.of(code) / path
        return place.read_bytes() if place.is_file() and not place.is_symlink() else None

    def faults(self, code: str, manifest_sha256: str, manifest_sm3: str) -> list[VolumeFault]:
        """Hold every file of a volume to its manifest, and the manifest to the digests of the filed record."""
        manifest = self.read(code, MANIFEST)
        if manifest is None:
            return [VolumeFault(MANIFEST, "missing")]
        if (sha256(manifest).hex(), sm3(manifest).hex()) != (manifest_sha256, manifest_sm3):
            return [VolumeFault(MANIFEST, "altered")]
        described = {row["path"]: row for row in parse_strict(manifest)["files"]}
        found = []
        for path, row in described.items():
            data = self.read(code, path)
            if data is None:
                found.append(VolumeFault(path, "missing"))
            elif _row(path, data) != row:
                found.append(VolumeFault(path, "altered"))
        root = self.of(code)
        there = {
            entry.relative_to(root).as_posix() for entry in root.rglob("*") if entry.is_symlink() or not entry.is_dir()
        }
        found += [VolumeFault(path, "extra") for path in there - described.keys() - {MANIFEST}]
        return sorted(found)

    def checked(self, code: str, path: str, manifest_sha256: str) -> bytes | None:
        """Read one file of a volume if it is what was filed, else None."""
        manifest = self.read(code, MANIFEST)
        data = self.read(code, path)
        if manifest is None or data is None or sha256(manifest).hex() != manifest_sha256:
            return None
        rows = parse_strict(manifest)["files"]
        return data if _row(path, data) in rows else None


def _row(path: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "length": len(data), "sha256": sha256(data).hex(), "sm3": sm3(data).hex()}


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
