"""Group arithmetic for many values at once, on all cores: the library lets other threads run while it multiplies."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from huodang.exchange.matching import oblivious
from huodang.exchange.matching.oblivious import POINT_BYTES, TAG_BYTES

DIGEST_BYTES: Final = 32
PIECE: Final = 2048
"""Values that one thread works on at a time; about 0.1 seconds."""


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def slices(data: bytes | memoryview, width: int) -> Iterator[bytes]:
    """Cut a run of equal parts."""
    for start in range(0, len(data), width):
        yield bytes(data[start : start + width])


def blinded(scalar: bytes, values: bytes) -> bytes:
    """Blind a run of values."""
    return b"".join(oblivious.blind(scalar, one) for one in slices(values, DIGEST_BYTES))


def multiplied(scalar: bytes, points: bytes) -> bytes:
    """Multiply a run of elements.

    Raises:
        MalformedPointError: one isn't an element.
    """
    return b"".join(oblivious.multiply(scalar, one) for one in slices(points, POINT_BYTES))


def holder_tags(scalar: bytes, values: bytes, *, size_only: bool) -> bytes:
    """Make the tags of a holder's own values."""
    if size_only:
        return b"".join(oblivious.size_tag(oblivious.blind(scalar, one)) for one in slices(values, DIGEST_BYTES))
    return b"".join(oblivious.member_tag(one, oblivious.blind(scalar, one)) for one in slices(values, DIGEST_BYTES))


def member_tags(unblind: bytes, values: bytes, points: bytes) -> bytes:
    """Take the blind off evaluated elements and make the tags of the values they belong to."""
    return b"".join(
        oblivious.member_tag(value, oblivious.multiply(unblind, point))
        for value, point in zip(slices(values, DIGEST_BYTES), slices(points, POINT_BYTES), strict=True)
    )


def size_tags(unblind: bytes, points: bytes) -> bytes:
    """Take the blind off evaluated elements and make their tags, not knowing which value is whose."""
    return b"".join(oblivious.size_tag(oblivious.multiply(unblind, one)) for one in slices(points, POINT_BYTES))


class Lanes:
    """As many threads as cores, for one process.

    Args:
        threads: None for one a core.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or cores()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="match")

    def start(self, work: Callable[..., bytes], *runs: tuple[bytes | memoryview, int]) -> "Running":
        """Begin to work on runs of equal length, cut into pieces at the same places.

        Args:
            work: takes one piece of each run and gives its result.
            runs: the data, and how many bytes of it belong to one value.
        """
        count = len(runs[0][0]) // runs[0][1] if runs else 0
        futures = [
            self._pool.submit(
                work,
                *(bytes(data[start * width : (start + PIECE) * width]) for data, width in runs),
            )
            for start in range(0, count, PIECE)
        ]
        return Running(futures)

    def run(self, work: Callable[..., bytes], *runs: tuple[bytes | memoryview, int]) -> bytes:
        """Do the work and wait for it."""
        return self.start(work, *runs).result()

    def close(self) -> None:
        """Let the threads end; work not yet begun is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Running:
    """Work that was begun."""

    def __init__(self, futures: Sequence["Future[bytes]"]) -> None:
        self._futures = futures

    def result(self) -> bytes:
        """Wait and give the whole result in order; what went wrong in a piece is raised here."""
        return b"".join(one.result() for one in self._futures)

    @property
    def share_done(self) -> tuple[int, int]:
        """Tell how many pieces are done, and of how many."""
        return sum(one.done() for one in self._futures), len(self._futures)

    def cancel(self) -> None:
        """Drop what hasn't begun."""
        for one in self._futures:
            one.cancel()


__all__ = [
    "DIGEST_BYTES",
    "PIECE",
    "TAG_BYTES",
    "Lanes",
    "Running",
    "blinded",
    "cores",
    "holder_tags",
    "member_tags",
    "multiplied",
    "size_tags",
]
