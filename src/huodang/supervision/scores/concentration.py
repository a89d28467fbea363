"""Early approvals heaped on one employer, doctor or clerk: a shrunken rate against the expected one. Pure.

The tail is Chernoff's bound on the binomial: it never says that a rate is rarer than it is. Groups differ honestly
among each other by more than chance; that is measured robustly over all groups, and lessens every group's weight.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A group's own rate counts fully against the expected one only with this many approvals behind it.
SHRINKAGE: Final = 10.0
_NORMAL: Final = 1.4826
_FEWEST: Final = 5


@dataclass(frozen=True)
class Concentration:
    """What is found, an element a group.

    Attributes:
        total: Approvals of the group.
        early: How many of them are early.
        expected: The rate that the same people would have elsewhere.
        shrunken: The group's own rate, drawn towards the expected one where it has few.
        digits: How rare such a heap is among all groups, at least 0.
    """

    total: Floats
    early: Floats
    expected: Floats
    shrunken: Floats
    digits: Floats


def concentrate(total: Floats, early: Floats, expected_early: Floats) -> Concentration:
    """Judge all groups of one kind (all employers, all doctors, all clerks).

    Args:
        total: Approvals of each group.
        early: Those of them that are early (or overridden).
        expected_early: How many there would be at the rates that hold elsewhere.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.clip(np.where(total > 0, expected_early / total, 0.0), 1e-9, 1 - 1e-9)
        rate = np.where(total > 0, early / total, 0.0)
    shrunken = (early + SHRINKAGE * expected) / (total + SHRINKAGE)
    effective = total / _overdispersion(total, rate, expected)
    digits = effective * _divergence(rate, expected) / np.log(10)
    digits = np.where((rate > expected) & (early > 1), digits - np.log10(max(len(total), 1)), 0.0)
    return Concentration(total, early, expected, shrunken, np.maximum(digits, 0.0))


def _overdispersion(total: Floats, rate: Floats, expected: Floats) -> Floats:
    """Tell by how much the rates of honest groups vary beyond chance, at least 1; robust to a few heaps."""
    told = total >= _FEWEST
    if told.sum() < _FEWEST:
        return np.ones(len(total))
    residual = (rate - expected) / np.sqrt(expected * (1 - expected) / np.maximum(total, 1))
    spread = _NORMAL * np.median(np.abs(residual[told] - np.median(residual[told])))
    middle = float(np.median(total[told]))
    within = max(spread**2 - 1, 0.0) / max(middle - 1, 1.0)
    factors: Floats = 1 + np.maximum(total - 1, 0) * min(within, 1.0)
    return factors


def _divergence(rate: Floats, expected: Floats) -> Floats:
    """Kullback and Leibler's divergence of two rates, in nats."""
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(rate > 0, rate * np.log(rate / expected), 0.0)
        no = np.where(rate < 1, (1 - rate) * np.log((1 - rate) / (1 - expected)), 0.0)
    return np.asarray(yes + no)
