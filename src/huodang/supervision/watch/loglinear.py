"""Three registers by log-linear models: which of them depend on which, and how many none of them saw. Pure.

Three registers give seven counts: who stands in which. Eight Poisson models say which pairs depend on one another, from
none to all three; each predicts the eighth count, of those that none saw. The model is chosen by Akaike's criterion.
The interval is a parametric bootstrap from all models by their Akaike weights, which chooses anew each time: the doubt
about the model is part of it.

A model whose missing count rests on an empty cell predicts nothing or nonsense; a quarter is added to each cell then
(Evans and Bonett 1994, for three lists), and it is said.

Source: Fienberg (1972); Bishop, Fienberg and Holland, Discrete Multivariate Analysis (1975), chapter 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huodang.supervision.watch.errors import CaptureError

Floats = NDArray[np.float64]

CELLS: Final = ("111", "110", "101", "100", "011", "010", "001")
"""Who stands in which of three registers, the first digit for the first; those in none can't be seen."""
PAIRS: Final = ((0, 1), (0, 2), (1, 2))
MODELS: Final = ((), ((0, 1),), ((0, 2),), ((1, 2),), PAIRS[:2], (PAIRS[0], PAIRS[2]), PAIRS[1:], PAIRS)
"""Which pairs depend on one another, the simplest first."""

_SMALL: Final = 0.25
_ROUNDS: Final = 60
_CLOSE: Final = 1e-9
_DRAWS: Final = 1000
_TAIL: Final = 2.5


@dataclass(frozen=True)
class Model:
    """One model's answer.

    Attributes:
        pairs: the registers that depend on one another, by their places.
        unseen: estimated number of those that no register saw.
        aic: Akaike's criterion; the lowest fits best for its size.
    """

    pairs: tuple[tuple[int, int], ...]
    unseen: float
    aic: float


@dataclass(frozen=True)
class ThreeListEstimate:
    """How many there are in all, in persons.

    Attributes:
        counts: as given, by cell.
        models: all that could be fitted, the best first.
        total: estimated number of all, by the best model.
        low, high: the interval in which it lies in 95 of 100 cases, the choice of the model included.
        smoothed: a quarter was added to each cell, as one was empty.
    """

    counts: Mapping[str, int]
    models: tuple[Model, ...]
    total: float
    low: float
    high: float
    smoothed: bool

    @property
    def best(self) -> Model:
        """The chosen model."""
        return self.models[0]

    @property
    def seen(self) -> int:
        """How many stand in one register at least."""
        return sum(self.counts.values())

    @property
    def missed(self) -> float:
        """Those that no register saw."""
        return self.total - self.seen


def three_lists(counts: Mapping[str, int], *, draws: int = _DRAWS, seed: int = 1) -> ThreeListEstimate:
    """Estimate how many there are from three registers.

    Args:
        counts: persons by cell, such as `{"111": 28, "110": 21, …}`; a cell that isn't named is empty.
        draws: of the bootstrap.
        seed: of its random numbers: the same counts give the same interval.

    Raises:
        CaptureError: a cell's name or count can't be, a register is empty, or no two have anybody in common.
    """
    observed = _counts(counts)
    smoothed = bool((observed == 0).any())
    cells = observed + _SMALL if smoothed else observed
    unseen, aics = _fit_all(cells[None, :])
    order = np.argsort(aics[0], kind="stable")
    models = tuple(Model(MODELS[place], float(unseen[0, place]), float(aics[0, place])) for place in order)
    seen = float(observed.sum())
    low, high = _interval(cells, models, draws, seed)
    return ThreeListEstimate(
        counts={name: int(value) for name, value in zip(CELLS, observed, strict=True)},
        models=models,
        total=seen + models[0].unseen,
        low=seen + max(0.0, min(low, models[0].unseen)),
        high=seen + max(high, models[0].unseen),
        smoothed=smoothed,
    )


def _counts(counts: Mapping[str, int]) -> Floats:
    strange = [name for name in counts if name not in CELLS]
    observed = np.array([counts.get(name, 0) for name in CELLS], dtype=np.float64)
    registers = np.array([[int(name[place]) for name in CELLS] for place in range(3)]) @ observed
    overlaps = [sum(observed[at] for at, name in enumerate(CELLS) if name[a] == name[b] == "1") for a, b in PAIRS]
    if strange or (observed < 0).any() or (registers <= 0).any() or not any(overlaps):
        raise CaptureError(
            "三个登记来源的人数不能成立，无法估计",
            "the counts of the three registers can't be used: nothing is estimated",
            advice_chinese="每个来源至少一人，并且至少有两个来源有共同的人。",
            advice_english="Each register needs one person at least, and two of them must have somebody in common.",
        )
    return observed


def _design(pairs: Sequence[tuple[int, int]]) -> Floats:
    rows = []
    for name in CELLS:
        stands = [float(digit) for digit in name]
        rows.append([1.0, *stands, *(stands[a] * stands[b] for a, b in pairs)])
    return np.array(rows)


def _fit_all(cells: Floats) -> tuple[Floats, Floats]:
    """Fit each model to each row of counts; give the unseen and the criterion, a column a model."""
    fitted = [_fit(cells, _design(pairs)) for pairs in MODELS]
    return np.stack([one[0] for one in fitted], axis=1), np.stack([one[1] for one in fitted], axis=1)


def _fit(cells: Floats, design: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit one Poisson model by iterated weighted least squares, many rows of counts at once.

    Give the unseen, the criterion, and the counts that the model expects.
    """
    means = cells + 0.1
    beta = np.zeros((len(cells), design.shape[1]))
    ridge = _CLOSE * np.eye(design.shape[1])
    for _ in range(_ROUNDS):
        working = np.log(means) + (cells - means) / means
        weighted = means[:, :, None] * design[None, :, :]
        left = np.einsum("ij,nik->njk", design, weighted) + ridge
        right = np.einsum("nij,ni->nj", weighted, working)
        fresh = np.linalg.solve(left, right[:, :, None])[:, :, 0]
        change = np.abs(fresh - beta).max(initial=0.0)
        beta = fresh
        means = np.exp(np.clip(beta @ design.T, -30.0, 30.0))
        if change < _CLOSE:
            break
    # Terms that no model shares differ; the factorials are the same for all and left out.
    likelihood = (cells * np.log(means) - means).sum(axis=1)
    return np.exp(np.clip(beta[:, 0], -30.0, 30.0)), 2 * design.shape[1] - 2 * likelihood, means


def _interval(cells: Floats, models: Sequence[Model], draws: int, seed: int) -> tuple[float, float]:
    """Draw whole populations as the models have them, each model as often as it is likely, and estimate each anew."""
    weights = np.exp([(models[0].aic - one.aic) / 2 for one in models])
    random = np.random.default_rng(seed)
    shares = random.multinomial(draws, weights / weights.sum())
    found: list[Floats] = []
    for model, share in zip(models, shares, strict=True):
        whole = np.append(_fit(cells[None, :], _design(model.pairs))[2][0], model.unseen)
        drawn = random.multinomial(round(float(whole.sum())), whole / whole.sum(), size=share)[:, :7].astype(np.float64)
        drawn += np.where((drawn == 0).any(axis=1, keepdims=True), _SMALL, 0.0)
        unseen, aics = _fit_all(drawn)
        estimates = unseen[np.arange(share), np.argmin(aics, axis=1)]
        # How far an estimate falls from what it was drawn from, turned around: a basic bootstrap of logarithms.
        found.append((model.unseen + 0.5) ** 2 / (estimates + 0.5) - 0.5)
    low, high = np.percentile(np.concatenate(found), [_TAIL, 100 - _TAIL])
    return float(low), float(high)
