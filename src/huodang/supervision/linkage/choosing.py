"""From weights to links: what is the probability, given all rivals, and is it enough? Pure.

A notice is of one person, and a person has one: so a candidate's odds are held against those of every rival on either
side and against that of no candidate at all. Two equally good candidates get at most a half each, and none is linked.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

_ROUNDS: Final = 30
_LARGEST: Final = 500.0  # beyond 2 to this no odds can be told apart
_DIGITS: Final = 9
_RAREST: Final = 1e-6


class Unlinked(StrEnum):
    """Why a record of the right file is linked to nobody."""

    NO_CANDIDATE = "no_candidate"
    BELOW_THRESHOLD = "below_threshold"
    AMBIGUOUS = "ambiguous"
    TAKEN = "taken"
    NUMBER_ALONE = "number_alone"


@dataclass(frozen=True)
class Chosen:
    """What became of the candidates.

    Attributes:
        probability: of each candidate, all rivals considered.
        linked: which candidates are links.
        reasons: of right rows that have candidates and no link, why.
    """

    probability: Numbers
    linked: NDArray[np.bool_]
    reasons: dict[int, tuple[Unlinked, float, int]]


def choose_one_to_one(
    left: Rows,
    right: Rows,
    weights: Numbers,
    *,
    taken: NDArray[np.bool_],
    barred: NDArray[np.bool_],
    population: int,
    kinds: Rows,
    notices: Rows,
    threshold: float,
) -> Chosen:
    """Choose at most one left record for each right one, and the other way round.

    Args:
        left: row of the left record of each candidate.
        right: row of the right record.
        weights: base 2, without any prior.
        taken: the left record is linked already by its number.
        barred: nothing but the number speaks for it: it is a rival to others and never a link.
        population: how many left records there are.
        kinds: what kind of right record it is, such as with or without a number, from 0: how many are of anyone at all
            is another share for each.
        notices: how many right records of each kind are sought.
        threshold: least probability of a link.
    """
    if not len(left):
        return Chosen(np.zeros(0), np.zeros(0, dtype=bool), {})
    _, of_left = np.unique(left, return_inverse=True)
    rights, of_right = np.unique(right, return_inverse=True)
    evidence = np.exp2(np.clip(weights, -_LARGEST, _LARGEST))
    shares = np.full(len(notices), 0.5)
    for _ in range(_ROUNDS):
        # The odds that a notice is of this very person, before any evidence: so many notices are of anyone here at all.
        odds = evidence * (shares / ((1 - shares) * population))[kinds]
        by_right, by_left = np.bincount(of_right, odds), np.bincount(of_left, odds)
        probability = odds / (1 + by_right[of_right] + by_left[of_left] - odds)
        probability = np.where(taken, 0.0, probability)
        found = np.clip((np.bincount(kinds, probability, len(notices)) + 1) / (notices + 2), _RAREST, 1 - _RAREST)
        if np.all(np.abs(found - shares) < _RAREST * shares):
            break
        shares = found
    probability = np.round(probability, _DIGITS)
    linked = (probability >= threshold) & ~barred
    linked &= _first_of_each(of_right, probability) & _first_of_each(of_left, probability)
    alone = odds / (1 + odds)
    reasons: dict[int, tuple[Unlinked, float, int]] = {}
    done = np.zeros(len(rights), dtype=bool)
    done[of_right[linked]] = True
    best = np.zeros(len(rights))
    np.maximum.at(best, of_right, probability)
    strong = np.bincount(of_right, alone >= threshold)
    strong_taken = np.bincount(of_right, (alone >= threshold) & taken)
    only_number = np.bincount(of_right, (probability >= threshold) & barred)
    for at in np.flatnonzero(~done):
        reason = Unlinked.BELOW_THRESHOLD
        if strong_taken[at]:
            reason = Unlinked.TAKEN
        elif only_number[at]:
            reason = Unlinked.NUMBER_ALONE
        elif strong[at]:
            reason = Unlinked.AMBIGUOUS
        reasons[int(rights[at])] = (reason, float(best[at]), int(strong[at]))
    return Chosen(probability, linked, reasons)


def choose_all(weights: Numbers, *, prior: float, threshold: float) -> Chosen:
    """Choose every pair of one file that is likely enough: a person may stand there any number of times."""
    odds = np.exp2(np.clip(weights, -_LARGEST, _LARGEST)) * prior / (1 - prior)
    probability = np.round(odds / (1 + odds), _DIGITS)
    return Chosen(probability, probability >= threshold, {})


def _first_of_each(groups: Rows, probability: Numbers) -> NDArray[np.bool_]:
    """Tell which candidate is the only best of its group."""
    best = np.zeros(int(groups.max()) + 1)
    np.maximum.at(best, groups, probability)
    is_best = probability >= best[groups]
    return np.asarray(is_best & (np.bincount(groups, is_best)[groups] == 1))
