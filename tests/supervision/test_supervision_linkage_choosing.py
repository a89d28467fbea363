"""Among candidates the one is linked that beats all rivals; two as good as each other are nobody's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huodang.supervision.linkage.choosing import Chosen, Unlinked, choose_all, choose_one_to_one


def choose(
    pairs: list[tuple[int, int, float]],
    *,
    taken: tuple[int, ...] = (),
    barred: tuple[int, ...] = (),
    threshold: float = 0.95,
) -> Chosen:
    left, right, weights = (np.array([pair[at] for pair in pairs]) for at in range(3))
    return choose_one_to_one(
        left.astype(np.int64),
        right.astype(np.int64),
        weights.astype(np.float64),
        taken=np.isin(left, taken),
        barred=np.isin(left, barred),
        population=1000,
        kinds=np.zeros(len(pairs), dtype=np.int64),
        notices=np.array([10]),
        threshold=threshold,
    )


def test_strong_candidate_without_a_rival_is_linked() -> None:
    chosen = choose([(1, 5, 30.0), (2, 5, 3.0)])
    assert chosen.linked.tolist() == [True, False]


def test_two_equally_good_candidates_are_told_as_ambiguous() -> None:
    chosen = choose([(1, 5, 30.0), (2, 5, 30.0)])
    assert not chosen.linked.any()
    assert chosen.reasons[5][0] is Unlinked.AMBIGUOUS
    assert chosen.reasons[5][2] == 2


def test_two_notices_that_fit_one_person_are_both_left_to_people() -> None:
    chosen = choose([(1, 5, 30.0), (1, 6, 30.0)])
    assert not chosen.linked.any()
    assert {reason for reason, _, _ in chosen.reasons.values()} == {Unlinked.AMBIGUOUS}


def test_person_linked_by_number_is_not_given_to_another_notice() -> None:
    chosen = choose([(1, 5, 30.0)], taken=(1,))
    assert not chosen.linked.any()
    assert chosen.reasons[5][0] is Unlinked.TAKEN


def test_candidate_whom_only_a_number_names_is_not_linked() -> None:
    chosen = choose([(1, 5, 30.0)], barred=(1,))
    assert not chosen.linked.any()
    assert chosen.reasons[5][0] is Unlinked.NUMBER_ALONE


def test_weak_candidate_is_told_with_its_probability() -> None:
    chosen = choose([(1, 5, 9.0)])
    reason, probability, strong = chosen.reasons[5]
    assert reason is Unlinked.BELOW_THRESHOLD
    assert 0 < probability < 0.95
    assert strong == 0


candidates = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(-20, 60)),
    min_size=1,
    max_size=25,
    unique_by=lambda one: one[:2],
)


@given(candidates, st.floats(0.01, 0.99))
def test_nobody_is_linked_twice_and_nothing_below_the_threshold(
    pairs: list[tuple[int, int, float]], threshold: float
) -> None:
    chosen = choose(pairs, threshold=threshold)
    linked = [pair for pair, link in zip(pairs, chosen.linked, strict=True) if link]
    assert len({pair[0] for pair in linked}) == len({pair[1] for pair in linked}) == len(linked)
    assert all(chosen.probability[chosen.linked] >= threshold)
    assert {pair[1] for pair in linked} | set(chosen.reasons) == {pair[1] for pair in pairs}
    assert not {pair[1] for pair in linked} & set(chosen.reasons)


@given(candidates, st.randoms(use_true_random=False))
def test_order_of_candidates_changes_nothing(pairs: list[tuple[int, int, float]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = choose(pairs), choose(shuffled)
    assert {pair[:2]: probability for pair, probability in zip(pairs, one.probability, strict=True)} == {
        pair[:2]: probability for pair, probability in zip(shuffled, other.probability, strict=True)
    }


@given(candidates)
def test_probabilities_of_a_notice_never_sum_to_more_than_one(pairs: list[tuple[int, int, float]]) -> None:
    chosen = choose(pairs)
    for right in {pair[1] for pair in pairs}:
        mine = [p for pair, p in zip(pairs, chosen.probability, strict=True) if pair[1] == right]
        assert sum(mine) <= 1 + 1e-6


def test_within_one_file_a_person_may_stand_many_times() -> None:
    chosen = choose_all(np.array([40.0, 40.0, 1.0]), prior=1e-4, threshold=0.95)
    assert chosen.linked.tolist() == [True, True, False]
