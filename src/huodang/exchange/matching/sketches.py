"""Sketches: how alike two blinded sets are, from a few thousand marks of each. Pure.

A consumer blinds with the same secret for as long as an agreement version lasts. Its blinded values are then the same
for the same person, so their provider can tell how alike two probes are, and still not who is in them.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huodang.exchange.matching.oblivious import POINT_BYTES

MARKS: Final = 4096
"""Marks kept of a set; a smaller set is kept whole, and compared exactly."""
_MARK_BYTES: Final = 8
_DEVIATIONS: Final = 2.33
"""The estimate errs on the side of refusing: a set at the threshold is recognised 99 times of 100."""

Sketch = NDArray[np.uint64]


def sketch(points: bytes, key: bytes) -> Sketch:
    """Keep the smallest marks of a set.

    Args:
        points: blinded values, 32 bytes each.
        key: secret of whoever keeps sketches, so that nobody can aim at marks.
    """
    hasher = hashlib.blake2b
    marks = np.frombuffer(
        b"".join(
            hasher(points[start : start + POINT_BYTES], digest_size=_MARK_BYTES, key=key).digest()
            for start in range(0, len(points), POINT_BYTES)
        ),
        dtype="<u8",
    )
    return np.unique(marks)[:MARKS].astype(np.uint64)


def likeness(one: Sketch, other: Sketch) -> float:
    """Estimate how many of the values of both sets together stand in both (Jaccard), from 0 to 1."""
    together = np.union1d(one, other)[:MARKS]
    if not len(together):
        return 1.0
    shared = np.intersect1d(one, other, assume_unique=True)
    return float(np.count_nonzero(np.isin(together, shared)) / len(together))


def nearly_identical(one: Sketch, other: Sketch, percent: int) -> bool:
    """Say whether two sets are so alike, or may be as far as sketches can tell.

    Args:
        one: sketch of a set.
        other: sketch of another, under the same key.
        percent: values of both together that stand in both.
    """
    threshold = percent / 100
    # Sets below MARKS values are compared exactly: there is nothing to err about.
    exact = len(one) < MARKS and len(other) < MARKS
    error = 0.0 if exact else _DEVIATIONS * float(np.sqrt(threshold * (1 - threshold) / MARKS))
    return likeness(one, other) >= threshold - error
