"""Where the nodes of a drawing go: springs along edges, repulsion between nodes, from a fixed start. Pure.

Source: Fruchterman, Reingold, Graph drawing by force-directed placement (1991).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.float64]

_ROUNDS: Final = 200
_GOLDEN: Final = np.pi * (3 - np.sqrt(5))
_MARGIN: Final = 0.06


def lay_out(count: int, edges: Sequence[tuple[int, int]]) -> Places:
    """Place nodes in the unit square; the same graph always looks the same.

    Args:
        count: How many nodes; a few hundred at most, as each is held against each.
        edges: Pairs of nodes.
    """
    turn = np.arange(count) * _GOLDEN
    places: Places = (
        np.column_stack([np.cos(turn), np.sin(turn)]) * np.sqrt((np.arange(count) + 0.5) / max(count, 1))[:, None]
    )
    ends = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    rest = np.sqrt(4 / max(count, 1))
    for step in range(_ROUNDS):
        between = places[:, None, :] - places[None, :, :]
        distance = np.maximum(np.linalg.norm(between, axis=2), 1e-3)
        push = (between / distance[:, :, None] ** 2 * rest**2).sum(axis=1)
        along = places[ends[:, 0]] - places[ends[:, 1]]
        pull = along * np.linalg.norm(along, axis=1, keepdims=True) / rest
        np.add.at(push, ends[:, 0], -pull)
        np.add.at(push, ends[:, 1], pull)
        length = np.maximum(np.linalg.norm(push, axis=1, keepdims=True), 1e-9)
        places = places + push / length * np.minimum(length, 0.2 * (1 - step / _ROUNDS))
    span = np.maximum(np.ptp(places, axis=0), 1e-9) if count else 1.0
    return (places - places.min(axis=0, initial=np.inf)) / span * (1 - 2 * _MARGIN) + _MARGIN if count else places
