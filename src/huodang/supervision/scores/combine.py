"""One score out of all: of each family the strongest, each up to its limit, added up. Pure.

The score is the sum of its reasons' points and of nothing else, so the reasons explain the whole of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from huodang.supervision.scores.features import Family, Feature
from huodang.supervision.scores.rarity import Values, points


@dataclass(frozen=True)
class Combined:
    """What everybody's score is made of.

    Attributes:
        scores: The sum over families, an element a person.
        by_family: Points by family.
        strongest: By family, the position of the feature that gave the points.
    """

    scores: Values
    by_family: dict[Family, Values]
    strongest: dict[Family, np.ndarray]


def combine(features: Sequence[Feature], count: int) -> Combined:
    """Add up what is rare about each person."""
    by_family: dict[Family, Values] = {}
    strongest: dict[Family, np.ndarray] = {}
    for position, feature in enumerate(features):
        given = points(feature.digits, feature.most)
        best = by_family.get(feature.family)
        if best is None:
            by_family[feature.family] = given
            strongest[feature.family] = np.full(count, position, dtype=np.int16)
            continue
        higher = given > best
        best[higher] = given[higher]
        strongest[feature.family][higher] = position
    scores = np.zeros(count, dtype=np.float32)
    for given in by_family.values():
        scores += given
    return Combined(scores, by_family, strongest)


def reasons(combined: Combined, features: Sequence[Feature], at: int) -> list[tuple[Feature, float]]:
    """Give the features that made a person's score with their points, the weightiest first."""
    found = [
        (features[int(combined.strongest[family][at])], float(given[at]))
        for family, given in combined.by_family.items()
        if given[at] > 0
    ]
    return sorted(found, key=lambda one: (-one[1], one[0].name))


def stake(found: Sequence[tuple[Feature, float]], at: int) -> int:
    """Tell the most fen that any of the reasons speaks of."""
    return max((feature.stake(at) for feature, _ in found if feature.stake is not None), default=0)


def ranked(scores: Values, person: np.ndarray, top: int) -> np.ndarray:
    """Give the positions of the highest scores above 0; equal ones in the order of person."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > top:
        border = np.partition(scores[positive], len(positive) - top)[len(positive) - top]
        positive = positive[scores[positive] >= border]
    order = np.lexsort((person[positive], -scores[positive]))
    return positive[order][:top]
