"""Rows of a side onto disk, and from there, while they still arrive, into a new table of the target."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from huodang.exchange.sync.columns import Column
from huodang.exchange.sync.comparison import Spool
from huodang.exchange.sync.side import PART, Side, TableName
from huodang.exchange.sync.values import Progress, Step

_PAUSE: Final = 0.02


class Stopped(Exception):  # noqa: N818  (no error: the other half of the work has failed, its error is told)
    """Work was stopped because the sync ends."""


class Spooler:
    """Writes the rows of a side to a file and counts them."""

    def __init__(self, side: Side, file: Path, stop: threading.Event, progress: Progress, name: str) -> None:
        self._side = side
        self._file = file
        self._stop = stop
        self._progress = progress
        self._name = name
        self.finished = threading.Event()

    def run(self, table: TableName, columns: Sequence[Column]) -> Spool:
        """Read the table to its end.

        Raises:
            Stopped: the sync ends.
        """
        rows = 0
        total = self._side.estimate(table)
        # A line of one column could be blank, and the comparison skips blank lines.
        pad = len(columns) == 1
        try:
            with self._file.open("wb", buffering=1 << 20) as out:

                def write(lines: bytes | bytearray) -> None:
                    nonlocal rows
                    if self._stop.is_set():
                        raise Stopped
                    out.write(lines.replace(b"\n", b"\t\n") if pad else lines)
                    rows += lines.count(b"\n")
                    self._progress(Step(self._name, rows, total))

                self._side.spool(table, columns, write)
        finally:
            self.finished.set()
        return Spool(self._file, self._side.engine, rows)


def follow(file: Path, finished: threading.Event, stop: threading.Event, size: int = PART) -> Iterator[bytes]:
    """Read a file that still grows, in parts that end with a line, until its writer has finished.

    Raises:
        Stopped: the sync ends.
    """
    while not file.exists() and not finished.is_set():
        time.sleep(_PAUSE)
    rest = b""
    with file.open("rb") as incoming:
        while True:
            ended = finished.is_set()
            block = incoming.read(size - len(rest))
            if stop.is_set():
                raise Stopped
            rest += block
            if ended and not block:
                if rest:
                    yield rest
                return
            if len(rest) >= size:
                end = rest.rfind(b"\n") + 1
                if end:
                    yield rest[:end]
                rest = rest[end:]
                size = PART if end else size + PART  # one line may be longer than a part
            elif not block:
                time.sleep(_PAUSE)
