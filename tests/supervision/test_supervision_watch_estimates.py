"""How many did no register see: worked examples of the literature, closed forms, and coverage by simulation."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.supervision.watch import CaptureError, Captures, TwoLists, chapman, estimate, three_lists
from huodang.supervision.watch.loglinear import CELLS, MODELS

# Hepatitis A in northern Taiwan, 1995, by serum tests, hospitals and questionnaires; 271 were found in all.
# Chao, Tsay, Lin, Shau and Chao (2001), Statistics in Medicine 20.
HEPATITIS = {"111": 28, "110": 21, "101": 17, "100": 69, "011": 18, "010": 55, "001": 63}


def test_ten_marked_fifteen_caught_five_of_them_marked() -> None:
    """The textbook example: 11 · 16 / 6 − 1 = 28⅓; the transformed logit interval is 22 to 65."""
    found = chapman(TwoLists(first=10, second=15, both=5))
    assert found.total == pytest.approx(float(Fraction(11 * 16, 6) - 1))
    assert (round(found.low), round(found.high)) == (22, 65)


def test_two_registers_without_anybody_in_common_still_give_a_number_and_a_wide_interval() -> None:
    found = chapman(TwoLists(first=20, second=20, both=0))
    assert found.total == 21 * 21 - 1
    assert found.high > 5 * found.total


def test_registers_that_hold_the_same_people_miss_hardly_anybody() -> None:
    found = chapman(TwoLists(first=1000, second=1000, both=1000))
    assert found.missed == 0
    assert found.high < 1002


@pytest.mark.parametrize("lists", [TwoLists(0, 5, 0), TwoLists(5, 5, 6), TwoLists(5, 5, -1)])
def test_counts_that_can_not_be_are_refused(lists: TwoLists) -> None:
    with pytest.raises(CaptureError):
        chapman(lists)


def unseen(pairs: tuple[tuple[int, int], ...], counts: dict[str, int]) -> float:
    found = three_lists(counts, draws=20)
    return next(model.unseen for model in found.models if model.pairs == pairs)


def test_models_give_the_closed_forms_of_the_hepatitis_example() -> None:
    n = HEPATITIS
    saturated = n["111"] * n["100"] * n["010"] * n["001"] / (n["110"] * n["101"] * n["011"])
    assert unseen(MODELS[7], n) == pytest.approx(saturated, rel=1e-6)
    assert round(271 + saturated) == 1313  # as published for the model with all three pairs
    for pairs, inside, left, right in (
        (MODELS[4], "011", "010", "001"),  # the second and third are independent, given the first
        (MODELS[5], "101", "100", "001"),
        (MODELS[6], "110", "100", "010"),
    ):
        assert unseen(pairs, n) == pytest.approx(n[left] * n[right] / n[inside], rel=1e-6)
    together = n["101"] + n["011"] + n["111"]
    apart = n["100"] + n["010"] + n["110"]
    assert unseen(MODELS[1], n) == pytest.approx(n["001"] * apart / together, rel=1e-6)
    assert round(271 + unseen((), n)) == 388  # as published for three independent registers


def test_the_chosen_model_has_the_lowest_criterion_and_its_estimate_lies_in_the_interval() -> None:
    found = three_lists(HEPATITIS)
    assert [model.aic for model in found.models] == sorted(model.aic for model in found.models)
    assert found.best.pairs == MODELS[7]
    assert found.seen == 271 <= found.low <= found.total <= found.high


def test_the_same_counts_give_the_same_interval() -> None:
    assert three_lists(HEPATITIS, draws=50, seed=3) == three_lists(HEPATITIS, draws=50, seed=3)


def test_an_empty_cell_is_smoothed_and_said() -> None:
    found = estimate(Captures(("health", "police", "civil_affairs"), {**HEPATITIS, "110": 0}))
    assert math.isfinite(found.missed)
    assert any("四分之一" in chinese for chinese, _ in found.remarks)


def test_dependence_is_said_in_words() -> None:
    found = estimate(Captures(("health", "police", "civil_affairs"), HEPATITIS), draws=50)
    assert found.depend == (("health", "police"), ("health", "civil_affairs"), ("police", "civil_affairs"))
    assert any("卫健与公安" in chinese for chinese, _ in found.remarks)


def population(size: int, chances: tuple[float, float, float], copied: float, seed: int) -> dict[str, int]:
    """Draw who stands where; of those in the first register the second copies some."""
    draw = np.random.default_rng(seed)
    stands = draw.random((size, 3)) < np.array(chances)
    stands[:, 1] |= stands[:, 0] & (draw.random(size) < copied)
    return {cell: int((stands == [digit == "1" for digit in cell]).all(axis=1).sum()) for cell in CELLS}


@pytest.mark.parametrize("copied", [0.0, 0.5])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(copied: float) -> None:
    """Of 30 populations with a nominal interval of 95%, at least 25: what is left is the choice of the model."""
    held = 0
    for seed in range(30):
        found = three_lists(population(1000, (0.8, 0.6, 0.5), copied, seed), draws=60, seed=seed)
        held += found.low <= 1000 <= found.high
    assert held >= 25


def test_taking_dependent_registers_as_independent_misleads_and_the_model_does_not() -> None:
    counts = population(20_000, (0.8, 0.4, 0.5), 0.6, 5)
    found = estimate(Captures(("health", "police", "civil_affairs"), counts), draws=100)
    truth = 20_000 - found.seen
    naive = next(one for one in found.pairs if one.registers == ("health", "police"))
    assert naive.high + naive_seen(counts) < 20_000
    assert found.low <= truth <= found.high
    assert ("health", "police") in found.depend


def naive_seen(counts: dict[str, int]) -> int:
    return sum(number for cell, number in counts.items() if cell[:2] != "00")


sets = st.dictionaries(
    st.sampled_from(["health", "police", "civil_affairs"]), st.sets(st.integers(0, 60), min_size=1), min_size=2
)


@given(sets)
def test_captures_count_everybody_once(persons: dict[str, set[int]]) -> None:
    captures = Captures.of(persons)
    assert captures.seen == len(set().union(*persons.values()))
    for place, name in enumerate(captures.registers):
        assert sum(n for cell, n in captures.counts.items() if cell[place] == "1") == len(persons[name])


def test_one_register_alone_tells_nothing() -> None:
    with pytest.raises(CaptureError):
        Captures.of({"health": {1, 2}, "police": set()})


@settings(max_examples=40)
@given(st.tuples(st.integers(1, 500), st.integers(1, 500), st.integers(0, 500)))
def test_an_estimate_is_never_below_what_was_seen(counts: tuple[int, int, int]) -> None:
    only_first, only_second, both = counts
    found = chapman(TwoLists(only_first + both, only_second + both, both))
    assert found.lists.seen <= found.low <= found.high
    assert found.missed >= 0
