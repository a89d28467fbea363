"""The catch-all: an isolation forest over the plain figures, for what no score of ours looks at.

It stands beside the score and adds nothing to it: alone it finds little (see benchmarks/RESULTS.md), and it can't say
why. It needs scikit-learn; without it the scores work and say how to install it.

Source: Liu, Ting, Zhou, Isolation Forest (2008).
"""

import importlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from huodang.standards import HuodangError
from huodang.supervision.scores.people import People
from huodang.supervision.scores.rarity import Values

ForestClass = Callable[..., Any]

_TREES: Final = 100
_SEED: Final = 20080101
# Each tree takes 256 people; a spread of this many is more than all trees can see.
_LEARNT_FROM: Final = 100_000
_BATCH: Final = 250_000


class GenericMissing(HuodangError):  # noqa: N818  (says what is missing, like ParameterMissing)
    """scikit-learn isn't installed."""

    code = "scores.generic_missing"


def plain_figures(people: People) -> Values:
    """Lay the plain figures of everybody in a matrix, what isn't told as the middle of its column.

    Money goes in as logarithms; this is arithmetic of likeness, and no sum is made of it.
    """
    columns = [
        _told(people.fen > 0, np.log1p(np.maximum(people.fen, 0))),
        _told(people.expected > 0, np.log1p(np.maximum(people.fen, 0)) - np.log1p(np.maximum(people.expected, 0))),
        np.log1p(np.maximum(people.lump, 0)).astype(np.float32),
        np.log1p(np.maximum(people.highest - people.middle, 0)).astype(np.float32),
        people.age().astype(np.float32),
        _told(people.started > 0, (people.started - (people.born // 10_000 * 12 + people.born // 100 % 100)) / 12),
        _told(people.credited >= 0, people.credited),
        _told(people.found >= 0, people.found),
        _told((people.recent > 0) & (people.before > 0), np.log(_safe(people.recent) / _safe(people.before))),
        _told(people.trace > 0, people.latest - (people.trace // 10_000 * 12 + people.trace // 100 % 100)),
        people.account_people.astype(np.float32),
        people.address_people.astype(np.float32),
        _told(people.overrides >= 0, people.overrides),
    ]
    return np.column_stack(columns).astype(np.float32, copy=False)


def load_forest() -> ForestClass:
    """Give the class of the forest, so that a run that can't have one ends before it begins.

    Raises:
        GenericMissing: scikit-learn isn't there; the message holds the line that installs it.
    """
    try:
        found: ForestClass = importlib.import_module("sklearn.ensemble").IsolationForest
    except ImportError:
        raise GenericMissing(
            "通用异常检测需要 scikit-learn，尚未安装",
            "the generic detector needs scikit-learn, which isn't installed",
            advice_chinese="安装：pip install 'huodang[scores]'；或加 --no-generic，只用业务评分。",
            advice_english="Install it: pip install 'huodang[scores]'; or go without it: --no-generic.",
        ) from None
    return found


def generic_scores(people: People, forest_class: ForestClass) -> Values:
    """Score everybody by how few cuts part the person from all others; higher is odder.

    Args:
        people: Whom to score.
        forest_class: Of `load_forest`.
    """
    figures = plain_figures(people)
    forest = forest_class(n_estimators=_TREES, random_state=_SEED)
    forest.fit(figures[:: max(len(figures) // _LEARNT_FROM, 1)])
    odd = np.empty(len(figures), dtype=np.float32)
    for start in range(0, len(figures), _BATCH):
        odd[start : start + _BATCH] = -forest.score_samples(figures[start : start + _BATCH])
    return odd


def _told(told: np.ndarray, values: np.ndarray) -> Values:
    column = np.asarray(values, dtype=np.float32).copy()
    column[~told] = np.median(column[told]) if told.any() else 0
    return column


def _safe(values: np.ndarray) -> np.ndarray:
    above: np.ndarray = np.maximum(values, 1)
    return above
