"""The folders of deliveries at a hub: what waits, what is at work, what was taken, refused and sent back."""

import fcntl
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from huodang.exchange.files.archives import ArchiveLimits, cannot_write
from huodang.exchange.files.errors import ManifestError
from huodang.exchange.files.manifest import (
    MANIFEST_NAME,
    FileState,
    Manifest,
    manifest_bytes,
    quick_state,
    read_manifest,
)
from huodang.store import sync_folder
from huodang.trust import MAX_ENVELOPE_BYTES

FILES: Final = "files"
ARCHIVE: Final = "delivery.zip"
_LOCK: Final = ".lock"
_LONGEST_NAME: Final = 60
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload", ".swp")


@dataclass(frozen=True)
class DropSettings:
    """Where deliveries come in and go to; one folder a department in each.

    Attributes:
        drop: departments write here, by SFTP or a share; it and `work` lie on one file system.
        work: what is being taken; nobody but the hub writes here.
        taken: what was taken, for `keep_taken`.
        refused: what was refused, each with its reason.
        returned: receipts, reasons and quarantine files for the departments to fetch.
        mappings: one YAML file a resource.
        settle: a file that was changed less than this ago may still be growing.
        patience: an incomplete delivery is refused after it.
        keep_taken: how long the data files of taken deliveries are kept.
        limits: of compressed deliveries.
    """

    drop: Path
    work: Path
    taken: Path
    refused: Path
    returned: Path
    mappings: Path
    settle: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(hours=24)
    keep_taken: timedelta = timedelta(days=30)
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)

    @classmethod
    def under(cls, root: Path, mappings: Path) -> "DropSettings":
        """Lay all folders into one."""
        return cls(root / "drop", root / "work", root / "taken", root / "refused", root / "returned", mappings=mappings)


class Readiness(StrEnum):
    """Whether a delivery can be taken up."""

    READY = "ready"
    WAITING = "waiting"  # 未传完
    GIVEN_UP = "given_up"  # 等候超时


@dataclass(frozen=True)
class Candidate:
    """Something in a drop folder that may be a delivery.

    Attributes:
        path: a folder with a manifest, a zip file, or the department's own folder if the manifest lies there.
        name: of the delivery, for people.
    """

    department: str
    path: Path
    name: str
    readiness: Readiness

    @property
    def is_archive(self) -> bool:
        """Say whether it is a zip file."""
        return self.path.suffix.lower() == ".zip" and self.path.is_file()


def candidates(settings: DropSettings, department: str) -> list[Candidate]:
    """Look into the drop folder of a department."""
    folder = settings.drop / department
    if not folder.is_dir() or folder.is_symlink():
        return []
    found: list[Candidate] = []
    if (folder / MANIFEST_NAME).is_file():
        found.append(Candidate(department, folder, department, _readiness(folder, settings, flat=True)))
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            found.append(Candidate(department, path, path.name, _readiness(path, settings, flat=False)))
        elif path.suffix.lower() == ".zip":
            readiness = Readiness.READY if _age(path) >= settings.settle else Readiness.WAITING
            found.append(Candidate(department, path, path.stem, readiness))
    return found


def claim(candidate: Candidate, settings: DropSettings, identifier: str) -> Path:
    """Move a delivery out of reach of its department; give its folder at work.

    A rename is one step: after a crash the delivery is here or there. Of files that lie loose, the manifest goes last,
    and `put_back_unfinished` undoes what was cut short.

    Raises:
        FileWriteError: it can't be moved.
    """
    home = settings.work / candidate.department / f"{identifier}-{candidate.name[:_LONGEST_NAME]}"
    try:
        home.mkdir(parents=True, mode=0o700)
        if candidate.is_archive:
            candidate.path.rename(home / ARCHIVE)
        elif candidate.path.parent == settings.drop:
            (home / FILES).mkdir()
            for name in _named(candidate.path):
                (candidate.path / name).rename(home / FILES / name)
            (candidate.path / MANIFEST_NAME).rename(home / FILES / MANIFEST_NAME)
        else:
            candidate.path.rename(home / FILES)
        sync_folder(home)
    except OSError as problem:
        raise cannot_write(home) from problem
    return home


def at_work(settings: DropSettings, department: str) -> list[Path]:
    """List a department's deliveries at work in the order of their numbers: what came together isn't overtaken."""
    found = [home for home in settings.work.glob(f"{department}/*") if home.is_dir() and not home.is_symlink()]
    return sorted(found, key=lambda one: (_number_of(one), one.name))


def put_back_unfinished(home: Path, department: str, settings: DropSettings) -> bool:
    """Put files back whose claiming was cut short; say whether there was anything to put back."""
    files = home / FILES
    if (home / ARCHIVE).exists() or (files / MANIFEST_NAME).exists():
        return False
    if files.is_dir():
        back = settings.drop / department
        back.mkdir(parents=True, exist_ok=True)
        for path in files.iterdir():
            path.rename(back / path.name)
    shutil.rmtree(home)
    return True


@contextmanager
def only_one(home: Path, name: str = _LOCK) -> Iterator[bool]:
    """Hold a folder at work for this process; gives False if another process holds it. A killed one lets go."""
    try:
        handle = os.open(home / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # Another process may have finished it and moved the folder between our look and our lock.
        yield home.is_dir()
    finally:
        os.close(handle)


def put_away(home: Path, target: Path) -> Path:
    """Move a finished delivery to where it is kept; give its folder there. Done again, it changes nothing."""
    place = target / home.parent.name / home.name
    if not home.exists():
        return place
    for name in (_LOCK, "inspection.db", "inspection.db-wal", "inspection.db-shm"):
        (home / name).unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    home.rename(place)
    sync_folder(place.parent)
    return place


def forget_taken(settings: DropSettings) -> int:
    """Delete the data files of taken deliveries after their time; manifest and receipt stay. Give how many."""
    forgotten = 0
    for home in settings.taken.glob("*/*"):
        if _age(home) < settings.keep_taken:
            continue
        for path in [home / ARCHIVE, *(home / FILES).glob("*")]:
            if path.is_file() and path.name != MANIFEST_NAME:
                path.unlink()
                forgotten += 1
    return forgotten


def _readiness(folder: Path, settings: DropSettings, *, flat: bool) -> Readiness:
    try:
        entries = [path for path in folder.iterdir() if path.is_file()]
        newest = min((_age(path) for path in [folder, *entries]), default=timedelta())
    except FileNotFoundError:
        return Readiness.WAITING  # somebody is moving it
    late = Readiness.GIVEN_UP if newest > settings.patience else Readiness.WAITING
    manifest = _readable(folder)
    if manifest is None:
        # Not there, or only half of it yet; what stays unreadable is refused by name when it is taken up.
        there = (folder / MANIFEST_NAME).exists()
        return Readiness.READY if there and newest >= settings.settle else (Readiness.WAITING if flat else late)
    states = [quick_state(folder, line) for line in manifest.files]
    if any(state in (FileState.MISSING, FileState.SHORT) for state in states):
        return late
    if not flat and any(path.name.lower().endswith(_UNFINISHED) for path in entries):
        return late
    return Readiness.READY if newest >= settings.settle else Readiness.WAITING


def _number_of(home: Path) -> int:
    """The number that a delivery at work says it has; 0 if that can't be read."""
    manifest = _readable(home / FILES)
    if manifest is None and (home / ARCHIVE).is_file():
        try:
            with zipfile.ZipFile(home / ARCHIVE) as archive, archive.open(MANIFEST_NAME) as file:
                manifest = read_manifest(file.read(MAX_ENVELOPE_BYTES + 1), None).manifest
        except (OSError, KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile, ManifestError):
            return 0
    return manifest.sequence if manifest else 0


def _readable(folder: Path) -> Manifest | None:
    try:
        return read_manifest(manifest_bytes(folder), None).manifest
    except ManifestError:
        return None


def _named(folder: Path) -> list[str]:
    manifest = _readable(folder)
    names = [line.name for line in manifest.files] if manifest else []
    return [name for name in names if (folder / name).is_file() and not (folder / name).is_symlink()]


def _age(path: Path) -> timedelta:
    """How long ago a file was changed, by the clock of this machine, which also stamped it."""
    status = path.lstat()
    return timedelta(seconds=max(0.0, time.time() - max(status.st_mtime, status.st_ctime)))
