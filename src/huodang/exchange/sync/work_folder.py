"""The private folder a sync works in: readable by its owner only, gone afterwards, also after a kill."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from huodang.exchange.sync.errors import SpaceError

_PREFIX: Final = "huodang-sync-"
_LOCK: Final = "lock"


@contextmanager
def work_folder(parent: Path | None) -> Iterator[Path]:
    """Make a folder of our own and remove it at the end.

    What a killed sync left behind holds people's data: it is removed first. A folder in use is held by a lock of the
    operating system, which ends with its process.

    Raises:
        SpaceError: the folder can't be made.
    """
    base = parent or Path(tempfile.gettempdir())
    try:
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))  # made with mode 0700
    except OSError as problem:
        raise SpaceError(
            f"工作目录不能用：{base}（{os.strerror(problem.errno or 0)}）",
            f"the work folder can't be used: {base} ({os.strerror(problem.errno or 0)})",
            advice_chinese="请用 --work-folder 指定一个可写且有足够空间的目录。",
            advice_english="Name a writable folder with enough room by --work-folder.",
        ) from None
    with (folder / _LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        # A folder just being made has no lock yet, and one of another user can't be opened: both are left alone.
        with suppress(OSError), lock.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
