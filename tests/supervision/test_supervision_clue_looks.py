"""Who sees what of a clue: masked in the region, whole in the hand that decides, and what waits for a department."""

from itertools import product
from pathlib import Path

import pytest
from clue_scene import ELSEWHERE, HEALTH, LI, NUMBERS, POLICE, WANG, ZHOU, Agency, signal

from huodang.exchange import Action, Actor, DecisionRequest, decide
from huodang.exchange.sharing import Light
from huodang.store import Database, FixedClock
from huodang.trust import MaskLevel

LAW = {"law": "社会保险经办条例第八条", "fact_from": "2025-02-10"}
CUSTODY = {"custody_from": "2024-11-02", "custody_to": "2026-11-01"}
EVERY_LEVEL = ("sex", "name", "death_date", "identity_number", "custody_from")


@pytest.fixture
def agency(database: Database, clock: FixedClock, tmp_path: Path) -> Agency:
    return Agency.open(database, clock, tmp_path)


def test_investigator_sees_what_is_decided_on_only_after_taking_the_clue(agency: Agency) -> None:
    clue = agency.found(signal("justice", "custody", fact=CUSTODY), rule="paid_in_custody")
    before = agency.clues.view(LI, clue)
    assert NUMBERS[0] not in str(before)
    assert "2024-11-02" not in str(before.signals)
    agency.clues.move(LI, clue, "take")
    taken = agency.clues.view(LI, clue)
    assert taken.identity == NUMBERS[0]
    assert taken.signals[0].fact == CUSTODY
    colleague = agency.clues.view(ZHOU, clue)
    assert NUMBERS[0] not in str(colleague)
    assert "2024-11-02" not in str(colleague.signals)
    looks = agency.looks.of_subject(agency.index())
    assert [(one.user_id, one.mask_level) for one in looks] == [
        ("zhou", "partial"),
        ("li", "full_view"),
        ("li", "partial"),
    ]


def test_letting_go_of_a_clue_takes_the_sight_away(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(LI, clue, "take")
    assert agency.clues.view(LI, clue).identity == NUMBERS[0]
    agency.clues.move(LI, clue, "release")
    assert NUMBERS[0] not in str(agency.clues.view(LI, clue))


def test_reviewer_sees_the_day_of_death_whole_and_number_and_custody_masked(agency: Agency) -> None:
    dead = agency.found()
    view = agency.clues.view(WANG, dead)
    assert view.signals[0].fact == {"death_date": "2025-02-10"}
    assert NUMBERS[0] not in str(view)
    jailed = agency.found(signal("justice", "custody", fact=CUSTODY), rule="paid_in_custody", number=NUMBERS[1])
    assert "2024-11-02" not in str(agency.clues.view(WANG, jailed).signals)


@pytest.mark.parametrize("role", ["investigator", "reviewer"])
def test_one_policy_alone_decides_on_every_sight_of_a_clue(role: str) -> None:
    """The mildest mask of several permits would hold: so the policies must not overlap."""
    for region, assigned, name in product(("130102", "140102"), (False, True), EVERY_LEVEL):
        actor = Actor("u", "某人", role, "social_insurance", "130000")
        request = DecisionRequest(actor, Action.VIEW_CLUE, "supervision", (name,), region=region, assigned=assigned)
        decision = decide(request)
        assert decision.permitted is (region == "130102" or assigned), request
        assert len(decision.policy.split()) == int(decision.permitted)
        if decision.permitted:
            sensitive = name in {"identity_number", "custody_from"}
            whole = assigned if role == "investigator" else not sensitive
            assert decision.mask_level is (MaskLevel.FULL_VIEW if whole else MaskLevel.PARTIAL), request


def test_what_a_department_was_asked_waits_for_its_corrector_until_it_is_answered(
    agency: Agency,
) -> None:
    clue = agency.found()
    assert agency.clues.asked(POLICE) == []
    agency.clues.move(LI, clue, "take")
    agency.clues.move(LI, clue, "ask_department", note="请核实", data={"department": "police"})
    (row,) = agency.clues.asked(POLICE)
    assert (row.clue_id, row.matter, row.light, row.days_late) == (clue, "death", Light.GREEN, 0)
    assert NUMBERS[0] not in str(row)
    assert not [one for other in (HEALTH, LI, WANG, ELSEWHERE) for one in agency.clues.asked(other)]
    nowhere = Actor("nobody", "无部门", "corrector", "")
    assert agency.clues.asked(nowhere) == []
    agency.clues.move(POLICE, clue, "answer", note="户籍已注销", data={"answer": "yes"})
    assert agency.clues.asked(POLICE) == []


def test_a_question_about_a_clue_that_was_decided_waits_no_more(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(LI, clue, "take")
    agency.clues.move(LI, clue, "ask_department", note="请核实", data={"department": "civil_affairs"})
    asked = Actor("civil-1", "民政校核员", "corrector", "civil_affairs")
    assert [one.clue_id for one in agency.clues.asked(asked)] == [clue]
    agency.clues.move(LI, clue, "confirm", note="死亡证明已核对", data=LAW)
    agency.clues.move(WANG, clue, "approve")
    assert agency.clues.asked(asked) == []
