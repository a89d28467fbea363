"""What holds of rarity, peers, heaps and drift for any data at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from huodang.supervision.scores.combine import combine, ranked
from huodang.supervision.scores.concentration import concentrate
from huodang.supervision.scores.drift import WATCH, Shares, compare_runs, spread, stability
from huodang.supervision.scores.features import Family, Feature, Words
from huodang.supervision.scores.peers import FEWEST_PEERS, compare
from huodang.supervision.scores.rarity import COMMON, MOST_DIGITS, points, rarity

QUICK = settings(max_examples=40, deadline=None)
VALUES = st.one_of(
    arrays.arrays(np.float32, st.integers(1, 400), elements=st.floats(0, 1_000_000, width=32)),
    arrays.arrays(np.float32, st.integers(1, 400), elements=st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, 9.0])),
    st.integers(0, 10**6).map(lambda seed: np.random.default_rng(seed).lognormal(0, 1, 900).astype(np.float32)),
)


@QUICK
@given(VALUES, st.data())
def test_raising_a_persons_value_never_lowers_that_persons_digits(values: np.ndarray, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    raised = values.copy()
    raised[at] += np.float32(data.draw(st.floats(0, 2_000_000, width=32)))
    assert rarity(raised)[at] >= rarity(values)[at] - 1e-5


@QUICK
@given(VALUES)
def test_who_is_higher_is_at_least_as_rare_and_the_common_are_not_rare(values: np.ndarray) -> None:
    digits = rarity(values)
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(digits[order]) >= -1e-5)
    assert np.all((digits >= 0) & (digits <= MOST_DIGITS))
    assert np.count_nonzero(points(digits, 9.0)) <= np.ceil(COMMON * len(values))


@QUICK
@given(VALUES, st.integers(0, 1000))
def test_digits_go_with_the_value_and_not_with_its_place(values: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(values))
    assert np.array_equal(rarity(values)[order], rarity(values[order]))


@QUICK
@given(VALUES, st.integers(1, 50))
def test_who_is_not_judged_has_no_digits_and_changes_nobodys(values: np.ndarray, more: int) -> None:
    digits = rarity(np.concatenate([values, np.full(more, np.nan, dtype=np.float32)]))
    assert np.array_equal(digits[: len(values)], rarity(values))
    assert not digits[len(values) :].any()


@QUICK
@given(VALUES, VALUES)
def test_groups_are_compared_among_themselves_alone(one: np.ndarray, other: np.ndarray) -> None:
    groups = np.concatenate([np.zeros(len(one), dtype=np.int32), np.ones(len(other), dtype=np.int32)])
    together = rarity(np.concatenate([one, other]), groups)
    assert np.array_equal(together, np.concatenate([rarity(one), rarity(other)]))


def test_the_honest_top_of_a_long_tail_is_as_rare_as_it_is_and_no_rarer() -> None:
    digits = np.array(
        [rarity(np.random.default_rng(seed).exponential(1, 100_000).astype(np.float32)) for seed in range(5)]
    )
    for wanted in (2, 3, 4):
        found = np.count_nonzero(digits >= wanted) / digits.size
        assert found == pytest.approx(10.0**-wanted, rel=0.75)


def test_a_value_far_beyond_the_tail_is_rarer_than_its_rank_can_say() -> None:
    values = np.abs(np.random.default_rng(3).normal(0, 1, 10_000)).astype(np.float32)
    values[:20] = 40
    assert rarity(values)[:20].min() > 4


PEOPLE = st.integers(FEWEST_PEERS, 120).flatmap(
    lambda count: st.tuples(
        arrays.arrays(np.int64, count, elements=st.integers(0, 2_000_000)), st.integers(-500_000, 5_000_000)
    )
)


@QUICK
@given(PEOPLE, PEOPLE)
def test_a_constant_added_to_all_of_a_peer_group_moves_no_residual_of_theirs(
    one: tuple[np.ndarray, int], other: tuple[np.ndarray, int]
) -> None:
    (amounts, constant), (others, _) = one, other
    everybody = np.concatenate([amounts, others])
    cells = np.concatenate([np.zeros(len(amounts)), np.ones(len(others))]).astype(np.int32)
    levels = (cells, np.zeros(len(cells), dtype=np.int32))
    moved = np.concatenate([amounts + constant, others])
    before, after = compare(everybody, levels), compare(moved, levels)
    assert np.array_equal(before.excess, after.excess)
    assert np.array_equal(before.widths, after.widths)


@QUICK
@given(PEOPLE, st.data())
def test_a_larger_amount_never_lies_closer_to_the_peers(one: tuple[np.ndarray, int], data: st.DataObject) -> None:
    amounts, _ = one
    cells = (np.zeros(len(amounts), dtype=np.int32),)
    at = data.draw(st.integers(0, len(amounts) - 1))
    raised = amounts.copy()
    raised[at] += data.draw(st.integers(0, 10_000_000))
    before, after = compare(amounts, cells), compare(raised, cells)
    assert after.excess[at] >= before.excess[at]
    assert max(after.widths[at], 0) >= max(before.widths[at], 0) - 1e-5


@QUICK
@given(arrays.arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 10**9)), st.integers(0, 1000))
def test_the_middle_of_a_group_is_its_lower_median(amounts: np.ndarray, seed: int) -> None:
    cells = np.random.default_rng(seed).integers(0, 3, len(amounts)).astype(np.int32)
    found = compare(amounts, (cells,))
    for cell in np.unique(cells):
        own = np.sort(amounts[cells == cell])
        assert set(found.middle[cells == cell].tolist()) == {int(own[(len(own) - 1) // 2])}


def test_a_cell_of_too_few_is_compared_with_the_coarser_one() -> None:
    cells = np.array([0] * 5 + [1] * 60, dtype=np.int32)
    amounts = np.array([900] * 5 + [300] * 60)
    found = compare(amounts, (cells, np.zeros(65, dtype=np.int32)))
    assert set(found.middle.tolist()) == {300}
    assert found.level[:5].tolist() == [1] * 5
    assert found.peers[0] == 65


@QUICK
@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=5, max_size=60), st.floats(0.01, 0.5))
def test_the_bound_never_calls_a_heap_rarer_than_the_binomial_does(
    groups: list[tuple[int, float]], usual: float
) -> None:
    total = np.array([count for count, _ in groups], dtype=np.float64)
    early = np.floor(total * np.array([share for _, share in groups]))
    found = concentrate(total, early, total * usual)
    for n, k, digits in zip(total.astype(int), early.astype(int), found.digits, strict=True):
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
        successes = np.arange(k, n + 1)
        terms = logs[n] - logs[successes] - logs[n - successes]
        terms = terms + successes * np.log(usual) + (n - successes) * np.log(1 - usual)
        exact = -(terms.max() + np.log(np.exp(terms - terms.max()).sum())) / np.log(10)
        assert digits <= exact + 1e-6


def test_one_clerk_who_approves_far_too_many_stands_out_of_forty() -> None:
    random = np.random.default_rng(1)
    total = np.full(40, 200.0)
    early = random.binomial(200, 0.05, 40).astype(np.float64)
    early[7] = 70
    found = concentrate(total, early, total * 0.05)
    assert np.flatnonzero(found.digits > 2).tolist() == [7]
    assert found.expected[7] < found.shrunken[7] < 70 / 200


def feature(name: str, family: Family, digits: np.ndarray, most: float = 7.0) -> Feature:
    return Feature(name, family, Words(name, name), digits, digits, lambda _: Words(name, name), most=most)


DIGITS = arrays.arrays(np.float32, 40, elements=st.floats(0, 9, width=32))


@QUICK
@given(DIGITS, DIGITS, DIGITS)
def test_of_a_family_the_strongest_counts_and_families_add_up(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    found = combine(
        [feature("a", Family.AMOUNT, a), feature("b", Family.AMOUNT, b), feature("c", Family.SHARING, c, 5.0)], 40
    )
    wanted = np.maximum(points(a, 7.0), points(b, 7.0)) + points(c, 5.0)
    assert np.allclose(found.scores, wanted)


@QUICK
@given(DIGITS, st.integers(1, 50))
def test_the_list_holds_the_highest_and_nobody_without_a_score(scores: np.ndarray, top: int) -> None:
    listed = ranked(scores, np.arange(len(scores)), top)
    assert sorted(scores[listed].tolist(), reverse=True) == sorted(scores[scores > 0].tolist(), reverse=True)[:top]
    assert np.all(np.diff(scores[listed]) <= 0)


@QUICK
@given(VALUES)
def test_a_run_held_against_itself_has_not_drifted(values: np.ndarray) -> None:
    one = feature("a", Family.AMOUNT, values)
    [drift] = compare_runs([one], {"a": spread(values)})
    assert drift.index == pytest.approx(0, abs=1e-12)
    assert drift.grade == "stable"


SHARES = st.lists(st.floats(0.001, 1), min_size=4, max_size=4).map(lambda one: [x / sum(one) for x in one])


@QUICK
@given(SHARES, SHARES)
def test_drift_is_never_negative_and_the_same_both_ways(one: list[float], other: list[float]) -> None:
    assert stability(one, other) >= 0
    assert stability(one, other) == pytest.approx(stability(other, one))


def test_the_index_is_what_the_formula_gives_by_hand() -> None:
    # 0.5→0.25 and 0.5→0.75: (−0.25)·ln 0.5 + 0.25·ln 1.5 = 0.1733 + 0.1014
    assert stability([0.5, 0.5], [0.25, 0.75]) == pytest.approx(0.2747, abs=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_a_shift_is_told_in_words_and_a_source_gone_silent_is_told_as_that(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 1, 2000).astype(np.float32)
    before = {"a": spread(values)}
    [shifted] = compare_runs([feature("a", Family.AMOUNT, values + 1)], before)
    assert shifted.index > WATCH
    assert "最高一档" in shifted.words.chinese
    silent = values.copy()
    silent[:1000] = np.nan
    [gone] = compare_runs([feature("a", Family.AMOUNT, silent)], before)
    assert gone.grade == "drifted"
    assert "无法判断的比例 0.0% → 50.0%" in gone.words.chinese


def test_shares_add_up_to_one_with_those_who_could_not_be_judged() -> None:
    values = np.array([1, 2, 3, np.nan], dtype=np.float32)
    found = spread(values)
    assert sum(found.shares) == pytest.approx(1)
    assert found.shares[-1] == 0.25
    assert isinstance(found, Shares)
