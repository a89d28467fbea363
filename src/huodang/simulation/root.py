"""The folder of a demonstration: made, wiped only if it is one, and held by one run at a time."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from huodang.standards import HuodangError, Place

_MARKER = ".huodang-demo"
_MARKER_TEXT = "This folder belongs to `huodang demo`, which empties it at each run.\n"
_SPACE_NEEDED = 400 * 1024 * 1024


class DemoError(HuodangError):
    """The demonstration can't start or go on."""

    code: ClassVar[str] = "demo.failed"


class RootUnusableError(DemoError):
    """The folder may not be used for a demonstration."""

    code: ClassVar[str] = "demo.root"


@contextmanager
def demonstration_root(root: Path) -> Iterator[Path]:
    """Give an empty folder that is this run's alone.

    A folder left by an earlier demonstration is emptied. Any other folder that holds something is left untouched.

    Raises:
        RootUnusableError: the folder holds something else, another demonstration runs in it, or there is no room.
    """
    marker = root / _MARKER
    if root.exists() and not root.is_dir():
        raise _not_ours(root)
    if root.is_dir() and any(root.iterdir()) and not marker.is_file():
        raise _not_ours(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = marker.open("a+", encoding="utf-8")
    except OSError as error:
        raise RootUnusableError(
            f"演示目录无法建立:{error.strerror}",
            f"The demonstration's folder can't be made: {error.strerror}",
            advice_chinese="请用 --root 另选目录。",
            advice_english="Choose another with --root.",
            place=Place(file=str(root)),
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RootUnusableError(
                "另一个演示正在使用该目录",
                "Another demonstration is running in this folder",
                advice_chinese="请先结束它(Ctrl-C),或用 --root 另选目录。",
                advice_english="End it first (Ctrl-C), or choose another folder with --root.",
                place=Place(file=str(root)),
            ) from error
        _empty(root, marker)
        lock.seek(0)
        lock.truncate()
        lock.write(_MARKER_TEXT)
        lock.flush()
        free = shutil.disk_usage(root).free
        if free < _SPACE_NEEDED:
            raise RootUnusableError(
                f"磁盘空间不足:需要约 {_SPACE_NEEDED >> 20} MiB,只剩 {free >> 20} MiB",
                f"Too little disk space: about {_SPACE_NEEDED >> 20} MiB are needed, {free >> 20} MiB are left",
                advice_chinese="请腾出空间,或用 --root 另选磁盘。",
                advice_english="Make room, or choose another disk with --root.",
                place=Place(file=str(root)),
            )
        yield root


def _empty(root: Path, marker: Path) -> None:
    for entry in root.iterdir():
        if entry == marker:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            os.unlink(entry)  # noqa: PTH108  (a link itself, whatever it points to)


def _not_ours(root: Path) -> RootUnusableError:
    return RootUnusableError(
        "该目录已有其他内容,演示不会清空它",
        "The folder holds something that isn't a demonstration; it won't be emptied",
        advice_chinese="请用 --root 指定一个空目录。",
        advice_english="Name an empty folder with --root.",
        place=Place(file=str(root)),
    )
