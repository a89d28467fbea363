"""One gateway's arithmetic in a match with another gateway: blinds its own set, raises the other's, finds the overlap.

Each value crosses once under the own secret and comes back under both. Own values cross in an order of chance, so a
position tells nothing about a row; what is raised comes back in another order of chance where positions aren't needed.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from huodang.exchange.matching import lanes, oblivious
from huodang.exchange.matching.holding import refuse_repeated, shuffled
from huodang.exchange.matching.lanes import DIGEST_BYTES, Lanes, Running
from huodang.exchange.matching.messages import CHUNK, check_length, chunk_length, chunks_of, malformed
from huodang.exchange.matching.oblivious import POINT_BYTES
from huodang.exchange.matching.pair_words import altered


class PairSession:
    """One match as one of the two gateways sees it, under a secret that is made here and forgotten with it.

    Args:
        values: digests of the own distinct values.
        workers: does the arithmetic.
        keeps_order: the other side's values are raised in the order in which they came: the other side reveals.
    """

    def __init__(self, values: bytes, workers: Lanes, *, keeps_order: bool) -> None:
        self.touched = time.monotonic()
        self._secret = oblivious.random_scalar()
        self._workers = workers
        self._keeps_order = keeps_order
        matrix = np.frombuffer(values, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
        # Ordered by draws from the system's generator; which came first in the table shows nowhere.
        draws = np.frombuffer(secrets.token_bytes(8 * len(matrix)), dtype=np.uint64)
        self.order: NDArray[np.int64] = np.argsort(draws, kind="stable").astype(np.int64)
        self._blinding = workers.start(self._blind, (matrix[self.order].tobytes(), DIGEST_BYTES))
        self._raising: Running | None = None
        self._blinded: bytes | None = None
        self._raised: bytes | None = None
        self.theirs = 0
        self._received: dict[int, bytes] = {}
        self._returned: dict[int, bytes] = {}
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Count the own values."""
        return len(self.order)

    @property
    def share_done(self) -> tuple[int, int]:
        """Tell how much of the arithmetic is done, and how much there is in all."""
        shares = [one.share_done for one in (self._blinding, self._raising) if one is not None]
        return sum(done for done, _ in shares), sum(pieces for _, pieces in shares)

    def meet(self, theirs: int) -> None:
        """Learn how many values the other side will send."""
        self.theirs = theirs

    def blinded(self, index: int) -> bytes | None:
        """Give one message of the own values, blinded; None while they are worked on.

        Raises:
            MalformedMessageError: there is no such message.
        """
        chunk_length(self.size, index, POINT_BYTES)
        whole = self._blinded_whole()
        return None if whole is None else _part(whole, index)

    def blinded_digest(self) -> str | None:
        """Give the digest of the whole list; None while it is worked on."""
        return _digest(self._blinded_whole())

    def take(self, index: int, data: bytes) -> None:
        """Take one message of the other side's blinded values; the same again changes nothing.

        Raises:
            MalformedMessageError: it has a wrong length, comes too late, or differs from one taken before.
        """
        check_length(data, self.theirs, index)
        with self._lock:
            if self._raising is not None:
                raise malformed("会话已结束接收", "the session takes no more values")
            _keep(self._received, index, data)

    def close(self, digest: str, size: int, release: Callable[[], None]) -> None:
        """Hold what was received against what the other side signed, then begin to raise it. Again, it changes nothing.

        Args:
            digest: of the list that the other side signed.
            size: of the same.
            release: raises if nothing may be answered.

        Raises:
            MalformedMessageError: a message is missing, or a value came twice.
            MatchRefusedError: it isn't the list that the other side signed.
        """
        with self._lock:
            if self._raising is not None:
                return
            points = _whole(self._received, self.theirs)
            if size != self.theirs or hashlib.sha256(points).hexdigest() != digest:
                raise altered()
            refuse_repeated(points)
            release()
            self._received.clear()
            self._raising = self._workers.start(self._raise, (points, POINT_BYTES))

    def raised(self, index: int) -> bytes | None:
        """Give one message of the other side's values under both secrets; None while they are worked on.

        Raises:
            MalformedMessageError: the session isn't closed, or there is no such message.
            MalformedPointError: a value received was no element of the group.
        """
        chunk_length(self.theirs, index, POINT_BYTES)
        whole = self._raised_whole()
        return None if whole is None else _part(whole, index)

    def raised_digest(self) -> str | None:
        """Give the digest of the whole list as it is given; None while it is worked on."""
        return _digest(self._raised_whole())

    def take_back(self, index: int, data: bytes) -> None:
        """Take one message of the own values as the other side raised them.

        Raises:
            MalformedMessageError: it has a wrong length, or differs from one taken before.
        """
        check_length(data, self.size, index)
        with self._lock:
            _keep(self._returned, index, data)

    def overlap(self, digest: str, size: int) -> NDArray[np.int64]:
        """Find which own values the other side has.

        Args:
            digest: of the raised list that the other side signed.
            size: of the same.

        Returns:
            Positions in the own list as it crossed, ascending; `order` tells the values they stand for.

        Raises:
            MalformedMessageError: a message is missing, or the other side's values aren't raised yet.
            MatchRefusedError: what came back isn't what the other side signed.
        """
        theirs = self._raised_whole()
        if theirs is None:
            raise malformed("对方的值尚未处理完", "the other side's values aren't worked on yet")
        with self._lock:
            own = _whole(self._returned, self.size)
        if size != self.size or hashlib.sha256(own).hexdigest() != digest:
            raise altered()
        refuse_repeated(own)
        return common(own, theirs)

    def drop(self) -> None:
        """Stop working."""
        self._blinding.cancel()
        if self._raising is not None:
            self._raising.cancel()

    def _blinded_whole(self) -> bytes | None:
        with self._lock:
            if self._blinded is None and _ready(self._blinding):
                self._blinded = self._blinding.result()
            return self._blinded

    def _raised_whole(self) -> bytes | None:
        with self._lock:
            if self._raising is None:
                raise malformed("会话尚未结束接收", "the session still takes values")
            if self._raised is None and _ready(self._raising):
                whole = self._raising.result()
                self._raised = whole if self._keeps_order else shuffled(whole)
            return self._raised

    def _blind(self, values: bytes) -> bytes:
        return lanes.blinded(self._secret, values)

    def _raise(self, points: bytes) -> bytes:
        return lanes.multiplied(self._secret, points)


def common(own: bytes, theirs: bytes) -> NDArray[np.int64]:
    """Give the positions, in one list of elements, of those that stand in the other too."""
    width = f"S{POINT_BYTES}"
    found = np.isin(np.frombuffer(own, dtype=width), np.frombuffer(theirs, dtype=width))
    return np.flatnonzero(found).astype(np.int64)


def positions_digest(positions: NDArray[np.int64]) -> str:
    """Give the digest of positions, hex."""
    return hashlib.sha256(positions.astype("<u8").tobytes()).hexdigest()


def _ready(running: Running) -> bool:
    done, pieces = running.share_done
    return done == pieces


def _part(whole: bytes, index: int) -> bytes:
    return whole[index * CHUNK * POINT_BYTES : (index + 1) * CHUNK * POINT_BYTES]


def _digest(whole: bytes | None) -> str | None:
    return None if whole is None else hashlib.sha256(whole).hexdigest()


def _keep(kept: dict[int, bytes], index: int, data: bytes) -> None:
    if kept.setdefault(index, data) != data:
        raise malformed("同一序号的报文内容不同", "a message came twice with different contents")


def _whole(kept: dict[int, bytes], size: int) -> bytes:
    if len(kept) != chunks_of(size):
        raise malformed("报文不全", "messages are missing")
    return b"".join(kept[index] for index in range(len(kept)))
