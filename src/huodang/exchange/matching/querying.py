"""The querier's side of a match: blinds its values, takes the blind off what comes back, compares tags."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from huodang.exchange.matching import lanes, oblivious
from huodang.exchange.matching.lanes import DIGEST_BYTES, Lanes
from huodang.exchange.matching.messages import (
    CHUNK,
    PROTOCOL,
    SUITE,
    Terms,
    Welcome,
    check_length,
    check_size,
    chunks_of,
    malformed,
)
from huodang.exchange.matching.oblivious import POINT_BYTES, TAG_BYTES
from huodang.exchange.matching.values import ValueSet


class Holder(Protocol):
    """The way to the other side, however it is reached. Each method may raise MatchingError."""

    def open(self, terms: Terms) -> Welcome:
        """Begin a session."""
        ...

    def send(self, index: int, points: bytes) -> None:
        """Send one message of blinded values."""
        ...

    def close(self) -> str:
        """End the sending; give the digest of what the holder received."""
        ...

    def answers(self, index: int) -> bytes:
        """Fetch one message of evaluated values; waits while they are worked on."""
        ...

    def tags(self, index: int) -> bytes:
        """Fetch one message of the holder's tags; waits while they are made."""
        ...

    def end(self) -> None:
        """Let the holder forget the session; doesn't raise."""
        ...


@dataclass(frozen=True)
class MatchResult:
    """What a querier has learnt.

    Attributes:
        overlap: how many of its values the holder has.
        queried: how many distinct values it sent.
        held: how many distinct values the holder has.
        members: positions, in its set, of the values that the holder has; None if only the size was asked for.
        seconds: how long it took.
    """

    overlap: int
    queried: int
    held: int
    members: NDArray[np.int64] | None
    seconds: float


Stage = Callable[[str, int, int], None]
"""Is told the stage (`send`, `answers`, `tags`), how many values of it are done, and of how many."""


def _silent(_stage: str, _done: int, _of: int) -> None:
    return


def match(
    values: ValueSet,
    holder: Holder,
    workers: Lanes,
    *,
    size_only: bool = False,
    blind: bytes | None = None,
    smallest_held: int = 1,
    stage: Stage = _silent,
) -> MatchResult:
    """Find which of the own values the holder has, or only how many.

    Args:
        values: the own set.
        holder: the other side.
        workers: does the arithmetic.
        size_only: learn the size of the overlap only.
        blind: the secret that blinds; None for a fresh one, as is right unless an agreement asks for the same again.
        smallest_held: values that the holder must have at least.
        stage: is told how far it is.

    Raises:
        MatchingError: the other side refuses, goes away, or sends what it shouldn't. Nothing was learnt then.
    """
    began = time.monotonic()
    terms = Terms(
        version=PROTOCOL,
        suite=SUITE,
        normalisation=values.normalisation.value,
        size=values.size,
        size_only=size_only,
        nonce=secrets.token_hex(16),
    )
    scalar = blind or oblivious.random_scalar()
    welcome = holder.open(terms)
    try:
        check_size(welcome.held, smallest=smallest_held, largest=10**9)
        _send(values, holder, workers, scalar, stage)
        own = _own_tags(values, holder, workers, oblivious.inverse(scalar), size_only=size_only, stage=stage)
        theirs = _their_tags(holder, welcome.held, stage)
    finally:
        holder.end()
    found = _contained(own, theirs)
    members = None if size_only else np.flatnonzero(found).astype(np.int64)
    overlap = int(np.count_nonzero(found))
    return MatchResult(overlap, values.size, welcome.held, members, time.monotonic() - began)


def _send(values: ValueSet, holder: Holder, workers: Lanes, scalar: bytes, stage: Stage) -> None:

    digest = hashlib.sha256()

    def work(piece: bytes) -> bytes:
        return lanes.blinded(scalar, piece)

    step = CHUNK * DIGEST_BYTES
    waiting = workers.start(work, (values.digests[:step], DIGEST_BYTES))
    for index in range(chunks_of(values.size)):
        points = waiting.result()
        # The next is blinded while this one crosses.
        start = (index + 1) * step
        waiting = workers.start(work, (values.digests[start : start + step], DIGEST_BYTES))
        digest.update(points)
        holder.send(index, points)
        stage("send", min((index + 1) * CHUNK, values.size), values.size)
    if holder.close() != digest.hexdigest():
        raise malformed("对方收到的数据与发出的不同", "the holder received other data than were sent")


def _own_tags(
    values: ValueSet, holder: Holder, workers: Lanes, unblind: bytes, *, size_only: bool, stage: Stage
) -> bytes:
    def of_members(digests: bytes, points: bytes) -> bytes:
        return lanes.member_tags(unblind, digests, points)

    def of_sizes(points: bytes) -> bytes:
        return lanes.size_tags(unblind, points)

    made: list[bytes] = []
    waiting = None
    for index in range(chunks_of(values.size)):
        points = check_length(holder.answers(index), values.size, index)
        if waiting is not None:
            made.append(waiting.result())
        digests = values.digests[index * CHUNK * DIGEST_BYTES : (index + 1) * CHUNK * DIGEST_BYTES]
        waiting = (
            workers.start(of_sizes, (points, POINT_BYTES))
            if size_only
            else workers.start(of_members, (digests, DIGEST_BYTES), (points, POINT_BYTES))
        )
        stage("answers", min((index + 1) * CHUNK, values.size), values.size)
    if waiting is not None:
        made.append(waiting.result())
    return b"".join(made)


def _their_tags(holder: Holder, held: int, stage: Stage) -> bytes:
    made: list[bytes] = []
    for index in range(chunks_of(held)):
        made.append(check_length(holder.tags(index), held, index, TAG_BYTES))
        stage("tags", min((index + 1) * CHUNK, held), held)
    return b"".join(made)


def _contained(own: bytes, theirs: bytes) -> NDArray[np.bool_]:
    """Say for each own tag whether the other side has it."""
    mine = np.frombuffer(own, dtype=f"S{TAG_BYTES}")
    return np.isin(mine, np.frombuffer(theirs, dtype=f"S{TAG_BYTES}"))
