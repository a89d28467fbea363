"""Residuals against peers (同类人群): how far an amount lies above the middle of those alike. Pure.

Each person has a cell at several levels, finest first. The place of a cell is its median, taken from the finest level
with enough people; its width is the median absolute deviation, shrunken towards the coarser level by how few it holds.
Widths are of residuals, so a constant added to all amounts of a peer group moves no residual of theirs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

# A median of fewer is no middle of anything.
FEWEST_PEERS: Final = 30
# The standard deviation of a normal distribution in median absolute deviations.
_NORMAL: Final = 1.4826
_NARROWEST: Final = 100.0


@dataclass(frozen=True)
class Residuals:
    """What comparing with peers gives, a row a person.

    Attributes:
        middle: The median of the peers, in the unit of the amounts.
        excess: The amount less the middle.
        widths: The excess in robust standard deviations.
        peers: How many people the middle is of.
        level: Which level it was taken from; 0 is the finest.
    """

    middle: Integers
    excess: Integers
    widths: npt.NDArray[np.float32]
    peers: Integers
    level: npt.NDArray[np.int8]


def compare(amounts: Integers, levels: tuple[Codes, ...], narrowest: float = _NARROWEST) -> Residuals:
    """Hold each amount against those of its peers.

    Args:
        amounts: Whole numbers; at most 2^38 either way.
        levels: The cells of each level as dense codes, finest first; the last takes everyone it can.
        narrowest: A width is never taken for smaller than this.
    """
    count = len(amounts)
    middle = np.zeros(count, dtype=np.int64)
    peers = np.zeros(count, dtype=np.int64)
    level = np.full(count, -1, dtype=np.int8)
    for number, cells in enumerate(levels):
        open_ = level < 0
        if not open_.any():
            break
        medians, sizes = _medians(amounts, cells)
        enough = open_ & ((sizes >= FEWEST_PEERS)[cells] | (number == len(levels) - 1))
        middle[enough] = medians[cells[enough]]
        peers[enough] = sizes[cells[enough]]
        level[enough] = number
    excess = amounts - middle
    widths = _widths(np.abs(excess), levels)
    return Residuals(
        middle, excess, (excess / np.maximum(widths * _NORMAL, narrowest)).astype(np.float32), peers, level
    )


def _widths(distances: Integers, levels: tuple[Codes, ...]) -> npt.NDArray[np.float64]:
    """Blend each level's median distance into the next finer one, by how many people stand behind it."""
    blended = np.zeros(len(distances))
    for number, cells in enumerate(reversed(levels)):
        medians, sizes = _medians(distances, cells)
        weight = sizes / (sizes + FEWEST_PEERS) if number else np.ones(len(sizes))
        blended = weight[cells] * medians[cells] + (1 - weight[cells]) * blended
    return blended


def _medians(amounts: Integers, cells: Codes) -> tuple[Integers, Integers]:
    """Give the lower median and the size of each cell, by one sort of cell and amount packed together."""
    sizes = np.bincount(cells).astype(np.int64)
    packed = np.sort((cells.astype(np.int64) << 40) + (amounts + (1 << 39)))
    ends = np.cumsum(sizes)
    at = np.maximum(ends - sizes + (sizes - 1) // 2, 0)
    medians = (packed[np.minimum(at, len(packed) - 1)] & ((1 << 40) - 1)) - (1 << 39)
    return np.where(sizes > 0, medians, 0), sizes


def cells_of(*columns: Codes) -> Codes:
    """Number the cells that columns of small codes make together; a code of -1 (not told) is a cell of its own."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code = code * (int(column.max(initial=0)) + 2) + (column + 1)
    _, dense = np.unique(code, return_inverse=True)
    return dense.astype(np.int32)
