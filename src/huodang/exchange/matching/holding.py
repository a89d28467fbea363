"""The holder's side of a match: takes blinded values, gives evaluated ones and the tags of its own set.

Nothing is released before the whole set is in and was looked at: what a querier gets depends on all that it sent.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from huodang.exchange.matching import lanes, oblivious
from huodang.exchange.matching.errors import BudgetError, PeerLostError
from huodang.exchange.matching.lanes import DIGEST_BYTES, Lanes, Running
from huodang.exchange.matching.messages import (
    CHUNK,
    Terms,
    check_length,
    chunk_length,
    chunks_of,
    malformed,
)
from huodang.exchange.matching.oblivious import POINT_BYTES, TAG_BYTES

IDLE_SECONDS: Final = 900.0
"""A session that nobody speaks in for so long is dropped."""


class HoldingSession:
    """One match as the holder sees it.

    Args:
        terms: what the querier asks for, checked.
        values: digests of the holder's own distinct values.
        workers: does the arithmetic.
        key: the secret of this session; None for a fresh one.
    """

    def __init__(self, terms: Terms, values: bytes, workers: Lanes, *, key: bytes | None = None) -> None:
        self.terms = terms
        self.held = len(values) // DIGEST_BYTES
        self.touched = time.monotonic()
        self.fetched_tags: set[int] = set()
        self._key = key or oblivious.random_scalar()
        self._workers = workers
        self._received: dict[int, bytes] = {}
        self._evaluating: dict[int, Running] = {}
        self._answers: bytes | None = None
        self._closed = False
        self._digest = ""
        self._lock = threading.Lock()
        self._tagging = workers.start(self._tags_of, (values, DIGEST_BYTES))
        self._tags: bytes | None = None

    def take(self, index: int, data: bytes) -> None:
        """Take one message of blinded values; the same again changes nothing.

        Raises:
            MalformedMessageError: it has a wrong length, comes too late, or differs from one taken before.
        """
        check_length(data, self.terms.size, index)
        with self._lock:
            if self._closed:
                raise malformed("会话已结束接收", "the session takes no more values")
            if index in self._received:
                if self._received[index] != data:
                    raise malformed("同一序号的报文内容不同", "a message came twice with different contents")
                return
            self._received[index] = data
            self._evaluating[index] = self._workers.start(self._evaluate, (data, POINT_BYTES))

    def close(self, release: Callable[[bytes], None] = lambda _: None) -> str:
        """End the taking; from here on answers are given. Again, it changes nothing.

        Args:
            release: is given all blinded values, and raises if nothing may be answered.

        Returns:
            Digest of what was received, hex.

        Raises:
            MalformedMessageError: a message is missing, or a value came twice.
            MatchingError: what `release` raises.
        """
        with self._lock:
            if self._closed:
                return self._digest
            if len(self._received) != chunks_of(self.terms.size):
                raise malformed("报文不全", "messages are missing")
            points = b"".join(self._received[index] for index in range(len(self._received)))
            refuse_repeated(points)
            release(points)
            self._digest = hashlib.sha256(points).hexdigest()
            self._received.clear()
            self._closed = True
            return self._digest

    def answers(self, index: int) -> bytes | None:
        """Give one message of evaluated values; None while they are being worked on.

        For a match of sizes they come in random order, so that nobody can tell which is whose.

        Raises:
            MalformedMessageError: the session isn't closed, or there is no such message.
            MalformedPointError: a value received was no element of the group.
        """
        chunk_length(self.terms.size, index, POINT_BYTES)
        with self._lock:
            if not self._closed:
                raise malformed("会话尚未结束接收", "the session still takes values")
            if not self.terms.size_only:
                running = self._evaluating[index]
                done, pieces = running.share_done
                return running.result() if done == pieces else None
            if self._answers is None:
                if any(one.share_done[0] < one.share_done[1] for one in self._evaluating.values()):
                    return None
                whole = b"".join(self._evaluating[number].result() for number in range(len(self._evaluating)))
                self._answers = shuffled(whole)
                self._evaluating.clear()
            return self._answers[index * CHUNK * POINT_BYTES : (index + 1) * CHUNK * POINT_BYTES]

    def tags(self, index: int) -> bytes | None:
        """Give one message of the tags of the holder's set, sorted; None while they are being made.

        Raises:
            MalformedMessageError: the session isn't closed, or there is no such message.
        """
        chunk_length(self.held, index, TAG_BYTES)
        with self._lock:
            if not self._closed:
                raise malformed("会话尚未结束接收", "the session still takes values")
            if self._tags is None:
                done, pieces = self._tagging.share_done
                if done < pieces:
                    return None
                # Under a fresh secret the order of tags says nothing about the order of the values.
                self._tags = np.sort(np.frombuffer(self._tagging.result(), dtype=f"S{TAG_BYTES}")).tobytes()
            self.fetched_tags.add(index)
            return self._tags[index * CHUNK * TAG_BYTES : (index + 1) * CHUNK * TAG_BYTES]

    @property
    def size(self) -> int:
        """Count the values that it is asked about."""
        return self.terms.size

    @property
    def share_done(self) -> tuple[int, int]:
        """Tell how much of the arithmetic is done, and how much there is in all."""
        running = [self._tagging, *self._evaluating.values()]
        shares = [one.share_done for one in running]
        return sum(done for done, _ in shares), sum(pieces for _, pieces in shares)

    def drop(self) -> None:
        """Stop working."""
        self._tagging.cancel()
        for one in list(self._evaluating.values()):
            one.cancel()

    def _evaluate(self, points: bytes) -> bytes:
        return lanes.multiplied(self._key, points)

    def _tags_of(self, values: bytes) -> bytes:
        return lanes.holder_tags(self._key, values, size_only=self.terms.size_only)


class Session(Protocol):
    """What is kept under a name while two sides speak."""

    touched: float

    @property
    def size(self) -> int:
        """Count the values that it is asked about."""
        ...

    @property
    def share_done(self) -> tuple[int, int]:
        """Tell how much of the arithmetic is done, and how much there is in all."""
        ...

    def drop(self) -> None:
        """Stop working."""
        ...


_Session = TypeVar("_Session", bound=Session)


class Sessions(Generic[_Session]):
    """The open sessions of one holder, each under a name that only its querier knows.

    Args:
        most: open at once.
        idle: seconds of silence after which a session is dropped.
    """

    def __init__(self, *, most: int = 4, idle: float = IDLE_SECONDS) -> None:
        self._most = most
        self._idle = idle
        self._open: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def add(self, session: _Session) -> str:
        """Name a session.

        Raises:
            BudgetError: too many are open.
        """
        with self._lock:
            self._drop_idle()
            if len(self._open) >= self._most:
                session.drop()
                raise BudgetError(
                    f"同时进行的比对已达上限 {self._most}",
                    f"{self._most} matches are open already",
                    advice_chinese="请稍后再试；无人应答的会话会自动结束。",
                    advice_english="Try again later; a session that falls silent is dropped.",
                )
            name = secrets.token_hex(16)
            self._open[name] = session
            return name

    def get(self, name: str) -> _Session:
        """Give an open session.

        Raises:
            PeerLostError: there is none of this name.
        """
        with self._lock:
            session = self._open.get(name)
            if session is None:
                raise PeerLostError(
                    "会话不存在或已超时",
                    "there is no such session, or it has timed out",
                    advice_chinese="请重新开始比对。",
                    advice_english="Start the match again.",
                )
            session.touched = time.monotonic()
            return session

    def end(self, name: str) -> _Session | None:
        """Forget a session; hand it back if there was one."""
        with self._lock:
            session = self._open.pop(name, None)
        if session is not None:
            session.drop()
        return session

    def shares(self) -> list[tuple[int, int, int]]:
        """Tell of each open session how many values it is asked about, and its work done and in all."""
        with self._lock:
            return [(one.size, *one.share_done) for one in self._open.values()]

    def names(self) -> frozenset[str]:
        """Name the open sessions."""
        with self._lock:
            return frozenset(self._open)

    def close(self) -> None:
        """Forget all sessions."""
        for name in list(self._open):
            self.end(name)

    def _drop_idle(self) -> None:
        now = time.monotonic()
        for name, session in list(self._open.items()):
            if now - session.touched > self._idle:
                session.drop()
                del self._open[name]


def refuse_repeated(points: bytes) -> None:
    """Refuse values of which one was sent twice.

    Raises:
        MalformedMessageError: one was.
    """
    # A value sent twice comes back twice: in a match of sizes that would mark it.
    if len(np.unique(np.frombuffer(points, dtype=f"S{POINT_BYTES}"))) * POINT_BYTES != len(points):
        raise malformed("有重复的值", "a value was sent twice")


def shuffled(points: bytes) -> bytes:
    """Bring values into an order that nobody can work out."""
    matrix = np.frombuffer(points, dtype=np.uint8).reshape(-1, POINT_BYTES)
    # Sorted by a keyed hash: a permutation that nobody can work out without the key, which is forgotten here.
    salt = secrets.token_bytes(16)
    keys = b"".join(hashlib.blake2b(one, digest_size=8, key=salt).digest() for one in lanes.slices(points, POINT_BYTES))
    return matrix[np.argsort(np.frombuffer(keys, dtype=np.uint64), kind="stable")].tobytes()
