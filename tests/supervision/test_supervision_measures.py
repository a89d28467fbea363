"""What signals justify: pure, exact, and never more than they bear."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import Action, Actor, DecisionRequest, check_policies, decide
from huodang.supervision.clues import (
    ClueDataError,
    Harm,
    Measure,
    Rate,
    Signal,
    Stance,
    judge,
    may_hold,
    measure,
    product_clue_terms,
    product_registers,
    read_clue_terms,
    read_registers,
)
from huodang.trust import MaskLevel

REGISTERS = product_registers()
RATES = REGISTERS.rates({})
HARM = REGISTERS.weighed()
ORDER = [Measure.VERIFY, Measure.HOLD, Measure.STOP]
FACTS = ("health", "police", "civil_affairs", "justice")
DATA = Path("src/huodang/supervision/clues/data")


def says(register: str, **more: object) -> Signal:
    told = {"confirmed": False, "fuzzy": False, "stance": Stance.FOR, "copy_of": "", **more}
    known_at = datetime(2025, 3, 3, tzinfo=UTC)
    return Signal(register, "death", {}, "0" * 64, known_at=known_at, **told)  # type: ignore[arg-type]


signals = st.builds(
    says,
    st.sampled_from([*FACTS, "social_insurance", "scores", "linkage"]),
    confirmed=st.booleans(),
    fuzzy=st.booleans(),
    stance=st.sampled_from(Stance),
    copy_of=st.sampled_from(["", "health", "police"]),
)
supporting = st.builds(says, st.sampled_from(FACTS), confirmed=st.booleans(), fuzzy=st.booleans())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], Measure.VERIFY),
        ([says("health")], Measure.HOLD),
        ([says("health", confirmed=True)], Measure.HOLD),
        ([says("health"), says("health")], Measure.HOLD),
        ([says("health"), says("police", copy_of="health")], Measure.HOLD),
        ([says("health"), says("police")], Measure.STOP),
        ([says("health"), says("police", fuzzy=True)], Measure.HOLD),
        ([says("health", fuzzy=True), says("police", fuzzy=True)], Measure.VERIFY),
        ([says("social_insurance"), says("scores"), says("linkage")], Measure.VERIFY),
        ([says("health"), says("social_insurance")], Measure.HOLD),
        ([says("health"), says("police", stance=Stance.AGAINST)], Measure.ARBITRATE),
        ([says("health"), says("police"), says("civil_affairs", stance=Stance.AGAINST)], Measure.ARBITRATE),
    ],
)
def test_each_kind_of_evidence_justifies_so_much(told: list[Signal], expected: Measure) -> None:
    assert measure(told, RATES, HARM) is expected


@given(st.lists(supporting, max_size=6), st.sampled_from(FACTS), st.booleans())
def test_more_independent_evidence_never_lowers_the_measure(told: list[Signal], more: str, confirmed: bool) -> None:
    before, after = measure(told, RATES, HARM), measure([*told, says(more, confirmed=confirmed)], RATES, HARM)
    assert ORDER.index(after) >= ORDER.index(before)


@given(st.lists(signals, max_size=6), st.randoms())
def test_the_order_of_signals_does_not_count(told: list[Signal], random: object) -> None:
    mixed = list(told)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert judge(mixed, RATES, HARM) == judge(told, RATES, HARM)


@given(st.lists(signals, max_size=6))
def test_a_stop_has_two_witnesses_and_a_hold_has_one(told: list[Signal]) -> None:
    found = judge(told, RATES, HARM)
    exact = {one.copy_of or one.register for one in told if not one.fuzzy and one.stance is Stance.FOR}
    if found.measure is Measure.STOP:
        assert len(found.witnesses) >= 2
        assert len(exact & set(FACTS)) >= 2
    if found.measure in {Measure.HOLD, Measure.STOP}:
        assert found.witnesses
        assert all(one.stance is Stance.FOR or one.fuzzy or one.register not in FACTS for one in told)


@given(st.lists(signals, max_size=6), st.lists(signals.filter(lambda one: one.fuzzy), max_size=4))
def test_likeness_adds_nothing_to_a_measure(told: list[Signal], likenesses: list[Signal]) -> None:
    assert measure([*told, *likenesses], RATES, HARM) is measure(told, RATES, HARM)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 50))
def test_a_register_that_was_wrong_more_often_justifies_no_more(right: int, wrong: int, worse: int) -> None:
    better = REGISTERS.rates({("health", "death"): (right, wrong)})
    lesser = REGISTERS.rates({("health", "death"): (right, wrong + worse)})
    told = [says("health")]
    assert ORDER.index(measure(told, lesser, HARM)) <= ORDER.index(measure(told, better, HARM))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_dearer_mistake_justifies_no_more(hold: int, stop: int) -> None:
    told = [says("health"), says("police")]
    cheap, dear = Harm(hold, stop), Harm(hold * 2, stop * 2)
    assert ORDER.index(measure(told, RATES, dear)) <= ORDER.index(measure(told, RATES, cheap))


def test_the_prior_is_what_the_source_counted() -> None:
    assert RATES.of("health", "death").chance_wrong == Fraction(43, 77)
    assert judge([says("health"), says("police")], RATES, HARM).chance_wrong == Fraction(43, 77) ** 2
    assert Rate(Fraction(1), Fraction(1)).after(3, 1) == Rate(Fraction(4), Fraction(2))


def test_registers_that_copy_one_another_by_whatever_way_are_one_witness(tmp_path: Path) -> None:
    text = (DATA / "registers.yaml").read_text(encoding="utf-8")
    file = tmp_path / "registers.yaml"
    file.write_text(
        text.replace("copies: {}", "copies: {police: civil_affairs, civil_affairs: health}"), encoding="utf-8"
    )
    rates = read_registers(file).rates({})
    assert measure([says("health"), says("police"), says("civil_affairs")], rates, HARM) is Measure.HOLD
    assert measure([says("health"), says("justice")], rates, HARM) is Measure.STOP


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("registers.yaml", "wrong_hold: 500", "wrong_hold: 0"),
        ("registers.yaml", "wrong_hold: 500", "wrong_hold: half"),
        ("registers.yaml", "  default:", "  usual:"),
        ("registers.yaml", "    right: 34", "    right: 0"),
        ("terms.yaml", "  new:  ", "  old:  "),
        ("terms.yaml", "urgent: 1,", "urgent: -1,"),
        ("terms.yaml", "answer_days: 3", "answer_days: [3"),
    ],
)
def test_a_broken_data_file_is_refused_by_name(tmp_path: Path, name: str, before: str, after: str) -> None:
    file = tmp_path / name
    text = (DATA / name).read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ClueDataError) as caught:
        (read_registers if name == "registers.yaml" else read_clue_terms)(file)
    assert caught.value.place.file == str(file)


def test_only_matters_of_fact_may_hold_a_payment() -> None:
    assert {
        code
        for code in ("death", "custody", "double_benefit", "amount", "account", "score", "own_rule")
        if may_hold(code)
    } == {
        "death",
        "custody",
        "double_benefit",
    }
    assert product_clue_terms().terms["verifying"].status == "target"


@pytest.mark.parametrize(
    ("role", "action", "permitted"),
    [
        ("investigator", Action.WORK_CLUE, True),
        ("investigator", Action.REVIEW_CLUE, False),
        ("reviewer", Action.REVIEW_CLUE, True),
        ("reviewer", Action.WORK_CLUE, False),
        ("reviewer", Action.RELEASE_PAYLIST, True),
        ("investigator", Action.RELEASE_PAYLIST, False),
        ("window_clerk", Action.OBJECT_CLUE, True),
        ("window_clerk", Action.VIEW_CLUE, False),
        ("leader", Action.SETTLE_CLUE, True),
        ("leader", Action.VIEW_CLUE, False),
        ("auditor", Action.WORK_CLUE, False),
        ("steward", Action.VIEW_CLUE, False),
        ("system_administrator", Action.JUDGE_HOLD, False),
        ("system", Action.KEEP_PAYMENTS, True),
        ("system", Action.REVIEW_CLUE, False),
        ("citizen", Action.VIEW_CLUE, False),
    ],
)
def test_policies_part_the_roles(role: str, action: Action, permitted: bool) -> None:
    assert check_policies() == ()
    actor = Actor("u", "某人", role, "social_insurance", "130000")
    assert decide(DecisionRequest(actor, action, "supervision", region="130102")).permitted is permitted
    assert not decide(DecisionRequest(actor, action, "retirement", region="130102")).permitted
    if role not in {"leader", "system", "citizen"}:
        away = DecisionRequest(actor, action, "supervision", region="140102")
        assert not decide(away).permitted


def test_investigators_see_numbers_masked_and_a_citizen_the_own_letters_only() -> None:
    actor = Actor("li", "李", "investigator", "social_insurance", "130000")
    request = DecisionRequest(actor, Action.VIEW_CLUE, "supervision", ("identity_number", "name"), region="130102")
    assert decide(request).mask_level is MaskLevel.PARTIAL
    citizen = Actor("me", "我", "citizen", "")
    for owner, permitted in (("me", True), ("other", False), ("", False)):
        asked = DecisionRequest(citizen, Action.VIEW_NOTICES, "supervision", owner=owner)
        assert decide(asked).permitted is permitted
