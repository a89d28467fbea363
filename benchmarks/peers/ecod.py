"""ECOD, the parameter-free detector that people reach for first, as PyOD has it: tails of each column, added up.

Source: Li et al., ECOD: Unsupervised outlier detection using empirical cumulative distribution functions (2022).
"""

import numpy as np


def ecod(figures: np.ndarray) -> np.ndarray:
    """Score rows: of each column the rarest of left tail, right tail and the tail that its skewness points to."""
    scores = np.zeros(len(figures))
    for column in figures.T:
        ascending = np.sort(column)
        left = -np.log(np.searchsorted(ascending, column, side="right") / len(column))
        right = -np.log((len(column) - np.searchsorted(ascending, column, side="left")) / len(column))
        distance = column.astype(np.float64) - column.mean(dtype=np.float64)
        skewed = left if (distance**3).mean() < 0 else right
        scores += np.maximum(np.maximum(left, right), skewed)
    return scores
