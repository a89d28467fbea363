"""How rare a value is: the calibrated upper tail that every score is made of. Pure.

A value's rarity is counted in digits: 3 digits say that one of a thousand is as high or higher. Below the 95th
percentile a value counts for nothing. In the upper tail the share of those as high is counted; in its topmost fifth it
is read from a generalised Pareto tail laid through three quantiles of the body. So a few planted or wrong values can't
hide each other, and the honest top of a long tail isn't taken for a wonder.

Raising one person's value never lowers that person's digits, and no other order of rows changes any.

Source: Pickands, Statistical inference using extreme order statistics (1975), the estimator through three quantiles.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]

# One of twenty is nothing to speak of.
COMMON: Final = 0.05
COMMON_DIGITS: Final = float(-np.log10(COMMON))
# Beyond one of 10^9 nothing that data say can be told apart.
MOST_DIGITS: Final = 9.0

# Where the Pareto tail is laid: shares of the candidates, each half of the one before.
_QUANTILES: Final = (0.8, 0.4, 0.2)
_FEWEST_FOR_A_TAIL: Final = 40
# A tail index before anything is seen, and how many candidates it weighs.
_USUAL_INDEX: Final = 0.25
_USUAL_WEIGHT: Final = 100
_LARGEST_INDEX: Final = 1.0


def rarity(values: Values, groups: Codes | None = None) -> Values:
    """Tell for each value how many digits of rarity it has among those of its group.

    Args:
        values: Any measure where higher is more suspicious; NaN where it could not be judged.
        groups: Whom to compare with whom (age bands, special trades …), 0 and up; all with all if not given.

    Returns:
        Digits, 0 for what is common or could not be judged, at most `MOST_DIGITS`.
    """
    digits = np.zeros(len(values), dtype=np.float32)
    judged = np.flatnonzero(~np.isnan(values))
    if groups is None:
        digits[judged] = _of_one_group(values[judged])
        return digits
    for group in np.unique(groups[judged]):
        members = judged[groups[judged] == group]
        digits[members] = _of_one_group(values[members])
    return digits


def _of_one_group(values: Values) -> Values:
    count = len(values)
    digits = np.zeros(count, dtype=np.float32)
    rank = max(int(np.ceil(count * COMMON)), 1)
    if count < 2 or rank >= count:
        return digits
    border = np.partition(values, count - rank)[count - rank]
    found = np.flatnonzero(values > border)
    if not len(found):
        return digits
    candidates = values[found].astype(np.float64)
    ascending = np.sort(candidates)
    as_high = len(ascending) - np.searchsorted(ascending, candidates, side="left")
    logarithms = -np.log10(as_high / count)
    tail = _pareto_tail(ascending)
    if tail is not None:
        border_rank, start, scale, index = tail
        beyond = candidates > start
        excess = (candidates[beyond] - start) / scale
        logarithms[beyond] = -np.log10(border_rank / count) + np.log1p(index * excess) / (index * np.log(10))
    digits[found] = np.minimum(logarithms, MOST_DIGITS)
    return digits


def _pareto_tail(ascending: npt.NDArray[np.float64]) -> tuple[int, float, float, float] | None:
    """Lay a tail through three quantiles; None where there are too few values or they are all alike."""
    count = len(ascending)
    if count < _FEWEST_FOR_A_TAIL:
        return None
    ranks = [int(np.ceil(count * share)) for share in _QUANTILES]
    low, middle, high = (float(ascending[count - rank]) for rank in ranks)
    if high <= middle:
        return None
    index = _LARGEST_INDEX if middle <= low else float(np.log2((high - middle) / (middle - low)))
    weight = ranks[2] / (ranks[2] + _USUAL_WEIGHT)
    index = weight * min(max(index, 0.0), _LARGEST_INDEX) + (1 - weight) * _USUAL_INDEX
    index = max(index, 1e-3)
    scale = (high - middle) * index * 2**index / (2**index - 1)
    return ranks[2], high, scale, index


def points(digits: Values, most: float) -> Values:
    """Turn digits into what they add to a score: what is beyond the common, up to a limit."""
    found: Values = np.clip(digits - np.float32(COMMON_DIGITS), 0, most).astype(np.float32)
    return found
