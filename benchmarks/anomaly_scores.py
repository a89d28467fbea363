"""Anomaly scores: precision at k on injected fraud, beside the generic detectors in the same run; time and memory.

`HUODANG_BENCHMARK_PEOPLE` (1,000,000) people in each of three provinces that seeds make, one of a thousand a fraud;
`HUODANG_BENCHMARK_LARGE` (10,000,000) in the one that time and memory are taken on. The kinds of fraud stand in
`injected_fraud.py`; which of them a province has, and how strong they are, its seed decides. The generic detectors get
the plain figures of the same people, and once more the values of our own features.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.injected_fraud import Tables, Truth, make
from benchmarks.peers.ecod import ecod
from huodang.supervision.scores import Scores, ScoreSettings, network, plain_figures, score

SEEDS = (11, 12, 13)
PEOPLE = int(os.environ.get("HUODANG_BENCHMARK_PEOPLE", "1000000"))
LARGE = int(os.environ.get("HUODANG_BENCHMARK_LARGE", "10000000"))
WAYS = ("our scores", "isolation forest", "ECOD", "isolation forest on our features", "ECOD on our features")


def highest(scores: np.ndarray, count: int) -> np.ndarray:
    """Give the positions of the highest scores."""
    return np.argsort(-scores, kind="stable")[:count]


def forest(figures: np.ndarray) -> np.ndarray:
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415  (an extra)

    return -IsolationForest(random_state=1).fit(figures).score_samples(figures)


def feature_matrix(found: Scores) -> np.ndarray:
    """Lay the values of our features side by side, what wasn't judged as nothing rare."""
    return np.nan_to_num(np.column_stack([feature.values for feature in found.features]))


def of_province(seed: int) -> tuple[Truth, np.ndarray, dict[str, np.ndarray], dict[str, float]]:
    """Score one province in every way; truth in the order of the scores, and the seconds of each way."""
    with tempfile.TemporaryDirectory() as name:
        truth = make(Path(name), PEOPLE, seed)
        began = time.perf_counter()
        found = score(Tables(Path(name)), ScoreSettings(generic=False))
        seconds = {WAYS[0]: time.perf_counter() - began}
    kind = truth.kind[np.argsort(truth.person)]
    assert np.array_equal(found.people.person, np.sort(truth.person)), "somebody was lost"
    scores = {WAYS[0]: found.scores}
    plain, ours = plain_figures(found.people), feature_matrix(found)
    for way, detector, figures in zip(WAYS[1:], (forest, ecod) * 2, (plain, plain, ours, ours), strict=True):
        began = time.perf_counter()
        scores[way] = detector(figures)
        seconds[way] = time.perf_counter() - began
    return truth, kind, scores, seconds


def run() -> list[str]:
    """Measure and report."""
    precision: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, list[float]] = defaultdict(list)
    recalled: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in SEEDS:
        truth, kind, scores, seconds = of_province(seed)
        planted = int((kind >= 0).sum())
        for way in WAYS:
            top = highest(scores[way], planted)
            precision[way].append(float((kind[top] >= 0).mean()))
            spent[way].append(seconds[way])
            for number, name in enumerate(truth.kinds):
                recalled[name][way].append(float((kind[top] == number).sum() / (kind == number).sum()))
    lines = [
        f"{PEOPLE:,} people in each of {len(SEEDS)} provinces, {planted:,} of them frauds of nine kinds out of",
        "thirteen that the seed picks; k is the number of frauds. Seconds include reading Parquet for our scores only.",
        "",
        "| way | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " | mean precision at k | seconds |",
        "|---|" + "---:|" * (len(SEEDS) + 2),
    ]
    for way in WAYS:
        each = " | ".join(f"{one:.3f}" for one in precision[way])
        lines.append(f"| {way} | {each} | {np.mean(precision[way]):.3f} | {np.mean(spent[way]):.1f} |")
    lines += [
        "",
        "Share of each kind among the first k, where a province had it (no score of ours looks at `round_amounts` and",
        "`far_from_home`):",
        "",
        "| kind | provinces | " + " | ".join(WAYS[:3]) + " |",
        "|---|---:|" + "---:|" * 3,
    ]
    for name in sorted(recalled):
        each = " | ".join(f"{np.mean(recalled[name][way]):.2f}" for way in WAYS[:3])
        lines.append(f"| {name} | {len(recalled[name][WAYS[0]])} | {each} |")
    return lines + growth()


def growth() -> list[str]:
    """Take time and peak memory of a whole run in a process of its own."""
    lines = [
        "",
        "Whole runs, forest and network included, DuckDB held to 4 GB:",
        "",
        "| people | scores s | forest s | network s | peak MB |",
        "|---:|---:|---:|---:|---:|",
    ]
    for people in (LARGE // 10, LARGE):
        with tempfile.TemporaryDirectory() as name:
            subprocess.run([sys.executable, "-m", "benchmarks.anomaly_scores", "make", name, str(people)], check=True)
            command = [sys.executable, "-m", "benchmarks.anomaly_scores", "measure", name]
            done = json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
            )
        each = " | ".join(f"{done[step]:.1f}" for step in ("scores", "generic", "network"))
        lines.append(f"| {people:,} | {each} | {done['megabytes']:,.0f} |")
    return lines


def measure(folder: Path) -> dict[str, float]:
    """Run everything on prepared tables and tell how long each part took."""
    marks: list[tuple[str, float]] = []
    found = score(
        Tables(folder),
        ScoreSettings(generic=True, work=folder),
        lambda step, *_: marks.append((step, time.perf_counter())),
    )
    began = time.perf_counter()
    network(found)
    ended = time.perf_counter()
    at = dict(reversed(marks))
    generic = at["explain"] - at["generic"]
    return {
        "scores": marks[-1][1] - marks[0][1] - generic,
        "generic": generic,
        "network": ended - began,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(Path(sys.argv[2]), int(sys.argv[3]), SEEDS[0])
    elif sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        print("\n".join(run()))
