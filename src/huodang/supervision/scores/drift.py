"""Drift (漂移): whether the data still look like those of the run before, feature by feature. Pure.

The population stability index compares the shares of people in ten bins, with one bin more for "not told". A feature
that has drifted may find other people for reasons of data alone; it is said in words and judged by a person.

Source: the thresholds 0.1 and 0.25 are the customary ones of credit scoring, not of a law.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from huodang.supervision.scores.features import Feature, Words
from huodang.supervision.scores.rarity import Values

WATCH: Final = 0.1
DRIFTED: Final = 0.25
_BINS: Final = 10
# A bin that is empty in one run counts as if it held half a person in a million.
_EMPTY: Final = 5e-7


@dataclass(frozen=True)
class Shares:
    """How values are spread: edges between bins, and the share of people in each; the last is who isn't told."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"edges": list(self.edges), "shares": list(self.shares)}


@dataclass(frozen=True)
class Drift:
    """What has drifted since the run before."""

    feature: str
    index: float
    words: Words

    @property
    def grade(self) -> str:
        """`stable`, `watch` or `drifted`."""
        return "drifted" if self.index >= DRIFTED else "watch" if self.index >= WATCH else "stable"


def spread(values: Values, edges: Sequence[float] | None = None) -> Shares:
    """Measure the spread of a feature, over its own deciles or over the edges of an earlier run."""
    told = values[~np.isnan(values)]
    if edges is None:
        cuts = np.quantile(told, np.linspace(0, 1, _BINS + 1)[1:-1]) if len(told) else np.zeros(0)
        # Above the deciles the last bin is cut once more: what matters stands in the tail.
        tail = [float(np.quantile(told, 0.99))] if len(told) else []
        edges = sorted({float(np.float32(one)) for one in [*cuts.tolist(), *tail]})
    counts = np.bincount(
        np.searchsorted(np.asarray(edges, dtype=np.float64), told, side="left"), minlength=len(edges) + 1
    )
    whole = max(len(values), 1)
    return Shares(tuple(edges), (*(counts / whole).tolist(), (len(values) - len(told)) / whole))


def stability(before: Sequence[float], now: Sequence[float]) -> float:
    """Give the population stability index of two spreads over the same bins; 0 says that they are alike."""
    old, new = (np.maximum(np.asarray(one, dtype=np.float64), _EMPTY) for one in (before, now))
    return float(np.sum((new - old) * np.log(new / old)))


def compare_runs(features: Sequence[Feature], previous: Mapping[str, Shares]) -> list[Drift]:
    """Hold each feature's spread against that of the run before; features that it hadn't are left out."""
    found = []
    for feature in features:
        before = previous.get(feature.name)
        if before is None:
            continue
        now = spread(feature.values, before.edges)
        found.append(Drift(feature.name, stability(before.shares, now.shares), _words(feature, before, now)))
    return found


def _words(feature: Feature, before: Shares, now: Shares) -> Words:
    index = stability(before.shares, now.shares)
    label = feature.label
    missing = f"{before.shares[-1]:.1%} → {now.shares[-1]:.1%}"
    if index < WATCH:
        return Words(
            f"“{label.chinese}”与上次相近（PSI {index:.3f}）", f"{label.english}: as in the run before ({index:.3f})"
        )
    if abs(now.shares[-1] - before.shares[-1]) >= WATCH / 2:
        return Words(
            f"“{label.chinese}”与上次不同（PSI {index:.3f}）：无法判断的比例 {missing}，请先核对数据来源",
            f"{label.english} has drifted (PSI {index:.3f}): {missing} couldn't be judged; look at the data first",
        )
    high = f"{before.shares[-2]:.1%} → {now.shares[-2]:.1%}"
    return Words(
        f"“{label.chinese}”与上次不同（PSI {index:.3f}）：最高一档的比例 {high}，请核对口径或政策是否有变",
        f"{label.english} has drifted (PSI {index:.3f}): the highest bin holds {high}; did data or rules change?",
    )
