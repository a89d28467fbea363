"""Learning how dirty the records are, from the records themselves; the same files teach the same, in any order of rows.

Three sources, each where it serves. Pairs linked by number tell how often names, birth dates and regions of one person
differ, with no guess at all. Where there are none, expectation–maximisation finds the shares under which the candidates
are likeliest. What any two records have in common by chance is counted on a sample of random pairs, less the true pairs
among them. First guesses weigh as much as a score of pairs: they hold where data say nothing, and vanish where they
speak.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huodang.supervision.linkage.comparisons import Comparison
from huodang.supervision.linkage.model import Model, Weights, guessed, normal, shipped_model
from huodang.supervision.linkage.tables import Records

_SAMPLED: Final = 20_000
_OFFSETS: Final = 50
_TAUGHT_FROM: Final = 50_000
_LEARNT_FROM: Final = 300_000
"""So many candidates are enough for expectation–maximisation."""
_FEWEST: Final = 30
"""Fewer true pairs than this teach nothing that a first guess doesn't know better."""
_GUESS_WEIGHT: Final = 20.0
_ROUNDS: Final = 40
_SETTLED: Final = 1e-7
_STEP: Final = 7919  # any prime: which random pairs are looked at

Shares = NDArray[np.float64]


def train(records: Records, comparisons: Sequence[Comparison]) -> Model:
    """Learn from the records. It needs `left_pool`, `right_rest`, `candidate_pair` and `by_number`.

    Returns:
        What was learned; for a file that is too small, the shipped model or first guesses, with `learned` saying so.
    """
    left, right = records.count("left_pool"), records.count("right_rest")
    all_pairs = max(left * (left - 1) / 2 if records.same else float(left) * right, 1.0)
    weights = {one.name: guessed(one) for one in comparisons}
    chance = _by_chance(records, comparisons, weights)
    weights = {name: Weights(one.likely, chance[name]) for name, one in weights.items()}
    taught, anchors = _by_number(records, comparisons, weights)
    prior = _first_prior(left, right, all_pairs)
    start = Model({**weights, **taught}, prior, "number", anchors)
    model = _maximise(records, comparisons, start, frozenset(taught), all_pairs)
    if taught or model.pairs >= _FEWEST:
        return model
    shipped = shipped_model()
    known = {one.name: shipped.weights[one.name] for one in comparisons if shipped.fits([one])}
    return Model({**weights, **known}, prior, "shipped", 0.0)


def _first_prior(left: int, right: int, all_pairs: float) -> float:
    return min(0.5 * min(left, right) / all_pairs, 0.5) if left and right else 0.5


def paired(pairs: str, comparisons: Sequence[Comparison], *, left: str, right: str, without: str = "") -> str:
    """Give the SQL that lays both records of a pair side by side, columns ending in `_l` and `_r`.

    Args:
        pairs: a table or query with `left_row` and `right_row`.
        comparisons: whose columns are laid out.
        left: table of the left records.
        right: table of the right records.
        without: a column whose right value is left out.
    """
    names = sorted({name for one in comparisons for name in (*one.columns, *([one.told] if one.told else []))})
    told = [f"l.{name} AS {name}_l, {'NULL' if name in without.split() else f'r.{name}'} AS {name}_r" for name in names]
    return (
        f"SELECT left_row, right_row, {', '.join(told)} FROM ({pairs}) p "
        f"JOIN {left} l ON l.row = p.left_row JOIN {right} r ON r.row = p.right_row"
    )


def _patterns(records: Records, query: str, comparisons: Sequence[Comparison]) -> tuple[NDArray[np.int64], Shares]:
    """Count the pairs by the levels they reach; in a fixed order."""
    cases = ", ".join(f"{one.case()} AS level_{at}" for at, one in enumerate(comparisons))
    found: dict[str, Any] = records.connection.sql(
        f"SELECT {cases}, count(*) AS pairs FROM ({query}) GROUP BY ALL ORDER BY ALL"
    ).fetchnumpy()
    if not len(found["pairs"]):
        return np.zeros((0, len(comparisons)), np.int64), np.zeros(0)
    levels = np.stack([found[f"level_{at}"].astype(np.int64) for at in range(len(comparisons))], axis=1)
    return levels, found["pairs"].astype(np.float64)


def _counts(levels: NDArray[np.int64], pairs: Shares, comparison: Comparison, at: int) -> Shares:
    """Count by level, best first; what is missing counts nowhere."""
    last = len(comparison.levels) - 1
    seen = levels[:, at] >= 0
    return np.asarray(np.bincount(last - levels[seen, at], weights=pairs[seen], minlength=last + 1), dtype=np.float64)


def _content(records: Records) -> list[str]:
    """Name what a record holds on either side, by which records are drawn whatever their order."""
    names = [name for name, *_ in records.connection.execute("DESCRIBE left_side").fetchall() if name != "row"]
    other = {name for name, *_ in records.connection.execute("DESCRIBE right_side").fetchall()}
    return [name for name in names if name in other]


def _by_chance(
    records: Records, comparisons: Sequence[Comparison], weights: dict[str, Weights]
) -> dict[str, tuple[float, ...]]:
    """Tell what any two records have in common: on random pairs, and for single values by how frequent they are."""
    content = ", ".join(_content(records))
    for side, table in (("l", "left_pool"), ("r", "right_rest")):
        records.connection.execute(f"""CREATE OR REPLACE TEMP TABLE sampled_{side} AS
            SELECT row, row_number() OVER (ORDER BY drawn) - 1 AS place FROM (
                SELECT row, hash({content}, '{side}') AS drawn FROM {table} ORDER BY drawn LIMIT {_SAMPLED})""")
    size = max(records.count("sampled_l"), 1)
    unlike = "WHERE sl.row <> sr.row" if records.same else ""
    records.connection.execute(f"""CREATE OR REPLACE TEMP TABLE random_pair AS
        SELECT sl.row AS left_row, sr.row AS right_row
        FROM (SELECT row, (place + step * {_STEP}) % {size} AS place FROM sampled_r, range({_OFFSETS}) AS o(step)) sr
        JOIN sampled_l sl USING (place) {unlike}""")
    query = paired("SELECT * FROM random_pair", comparisons, left="left_side", right="right_side")
    levels, pairs = _patterns(records, query, comparisons)
    found = {}
    for at, one in enumerate(comparisons):
        counted = _counts(levels, pairs, one, at)
        # A level that no pair of the sample reached is rare, and not impossible: one more pair is put on each, after as
        # many as the first guess says it takes.
        shares = (counted + 1) / (counted.sum() + 1 / np.array(weights[one.name].chance))
        better = 0.0
        for level, described in enumerate(one.levels):
            together = _same_by_chance(records, described.same) if described.same else 0.0
            if together:
                shares[level] = max(together - better, 0.1 * together)
                better = max(together, better)
        shares[-1] = max(1 - shares[:-1].sum(), shares[-1])
        found[one.name] = normal(shares.tolist())
    return found


def _same_by_chance(records: Records, name: str) -> float:
    """Give the share of all pairs with the very same value, from how often each value stands on either side."""
    counted = f"SELECT {name} AS value, count(*) AS n FROM {{}} WHERE {name} IS NOT NULL GROUP BY 1"
    one, other = counted.format("left_pool"), counted.format("right_rest")
    found = records.connection.execute(f"""WITH l AS ({one}), r AS ({other})
        SELECT (SELECT sum(l.n::DOUBLE * {"(l.n - 1)" if records.same else "r.n"}) FROM l JOIN r USING (value)),
            (SELECT sum(n) FROM l), (SELECT sum(n) FROM r)""").fetchall()
    together, left, right = found[0]
    if not left or not right:
        return 0.0
    # Half a pair stands for what wasn't seen.
    return min((float(together or 0) + 0.5) / (float(left) * max(float(right) - int(records.same), 1)), 0.999)


def _by_number(
    records: Records, comparisons: Sequence[Comparison], weights: dict[str, Weights]
) -> tuple[dict[str, Weights], float]:
    """Learn from pairs of one number, which say nothing about numbers but all about the rest."""
    apart = [one for one in comparisons if one.name != "sequence"]
    if records.same or not records.has_numbers or not apart:
        return {}, 0.0
    query = paired(
        f"""SELECT p.left_row, p.right_row FROM same_number p JOIN right_side c ON c.row = p.right_row
            ORDER BY hash({", ".join(f"c.{name}" for name in _content(records))}) LIMIT {_TAUGHT_FROM}""",
        apart,
        left="left_side",
        right="right_side",
        without="birth_number sex_number region_number",
    )
    taught: dict[str, Weights] = {}
    most = 0.0
    for one in apart:
        told = f"WHERE {one.told}_r" if one.told else ""
        levels, pairs = _patterns(records, f"SELECT * FROM ({query}) {told}", [one])
        counted = _counts(levels, pairs, one, 0)
        if counted.sum() >= _FEWEST:
            taught[one.name] = Weights(_with_guess(counted, weights[one.name].likely), weights[one.name].chance)
            most = max(most, float(counted.sum()))
    return taught, most


def _with_guess(counted: Shares, guess: Sequence[float]) -> tuple[float, ...]:
    return normal(((counted + _GUESS_WEIGHT * np.array(guess)) / (counted.sum() + _GUESS_WEIGHT)).tolist())


def _drawn_candidates(records: Records, all_pairs: float) -> tuple[str, float]:
    """Give a query of all candidates of so many right records as are enough, and how many pairs these records make."""
    parts = max(round(records.count("candidate_pair") / _LEARNT_FROM), 1)
    if parts == 1 or records.same:
        return "SELECT left_row, right_row FROM candidate_pair", all_pairs
    content = ", ".join(_content(records))
    records.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE drawn_right AS SELECT row FROM right_rest WHERE hash({content}) % {parts} = 0"
    )
    share = records.count("drawn_right") / records.count("right_rest")
    return (
        "SELECT left_row, right_row FROM candidate_pair WHERE right_row IN (SELECT row FROM drawn_right)",
        max(all_pairs * share, 1.0),
    )


def _maximise(
    records: Records,
    comparisons: Sequence[Comparison],
    start: Model,
    fixed: frozenset[str],
    all_pairs: float,
) -> Model:
    """Find the shares under which what the candidates show is likeliest, those of `fixed` comparisons held.

    Pairs that aren't candidates are taken for two persons; so the prior is told of all pairs.
    """
    drawn, all_pairs = _drawn_candidates(records, all_pairs)
    levels, pairs = _patterns(records, paired(drawn, comparisons, left="left_side", right="right_side"), comparisons)
    likely = [np.array(start.weights[one.name].likely) for one in comparisons]
    chance = [np.array(start.weights[one.name].chance) for one in comparisons]
    overall = [shares.copy() for shares in chance]
    prior, true_pairs = start.prior, 0.0
    for _ in range(_ROUNDS):
        log_odds = np.full(len(pairs), np.log(prior) - np.log1p(-prior))
        for at, one in enumerate(comparisons):
            seen = levels[:, at] >= 0
            place = len(one.levels) - 1 - levels[seen, at]
            log_odds[seen] += np.log(likely[at][place]) - np.log(chance[at][place])
        held = pairs / (1 + np.exp(-np.clip(log_odds, -700, 700)))
        true_pairs = float(held.sum())
        before, prior = prior, min(max(true_pairs / all_pairs, 1e-12), 0.5)
        for at, one in enumerate(comparisons):
            counted = _counts(levels, held, one, at)
            if one.name not in fixed:
                likely[at] = np.array(_with_guess(counted, start.weights[one.name].likely))
            # What any two records share, less what true pairs among them do; never less than a tenth of it.
            rest = np.maximum(overall[at] * all_pairs - counted, 0.1 * overall[at] * all_pairs)
            chance[at] = np.array(normal((rest / rest.sum()).tolist()))
        if abs(prior - before) <= _SETTLED * before:
            break
    for m, u in zip(likely, chance, strict=True):
        # What agrees in nothing never speaks for one person, however rare it is in these files.
        m[-1] = min(m[-1], u[-1])
    weights = {
        one.name: Weights(normal(m.tolist()), normal(u.tolist()))
        for one, m, u in zip(comparisons, likely, chance, strict=True)
    }
    learned = "number" if fixed else "weighing"
    return Model(weights, prior, learned, max(start.pairs, true_pairs))
