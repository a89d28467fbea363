"""A clue from finding to outcome: who may do what, what joins, what is refused, what is learned."""

from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa
from clue_scene import (
    ELSEWHERE,
    HEALTH,
    LEADER,
    LI,
    NUMBERS,
    POLICE,
    WANG,
    WINDOW,
    ZHAO,
    ZHOU,
    Agency,
    finding,
    signal,
)

from huodang.exchange import Actor
from huodang.exchange.sharing import Light
from huodang.standards import Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import (
    CLUES,
    ClueGuardError,
    ClueNotPermittedError,
    ClueOutcome,
    EvidenceAlteredError,
    FindingError,
    IllegalClueEventError,
    Measure,
    Outcome,
    Stance,
    Tier,
    UnknownClueError,
    records,
)

AUDITOR = Actor("auditor", "审计", "auditor", "audit")
LAW = {"law": "社会保险经办条例第八条", "fact_from": "2025-02-10"}


@pytest.fixture
def agency(database: Database, clock: FixedClock, tmp_path: Path) -> Agency:
    return Agency.open(database, clock, tmp_path)


def test_a_clue_is_confirmed_by_two_people_and_its_outcome_is_told(agency: Agency) -> None:
    heard: list[ClueOutcome] = []
    agency.clues.on_outcome("test", lambda _connection, outcome: heard.append(outcome))
    clue = agency.found()
    agency.clues.move(WANG, clue, "assign", data={"investigator": "li"})
    agency.clues.move(LI, clue, "take")
    agency.clues.move(LI, clue, "confirm", note="死亡证明已核对", data=LAW)
    view = agency.clues.act(WANG, clue, "approve")
    assert (view.row.state, view.row.outcome) == ("confirmed", "confirmed")
    assert (view.proposed_by, view.decided_by, view.fact_from) == ("li", "wang", "2025-02-10")
    (outcome,) = heard
    assert (outcome.outcome, outcome.matter, outcome.identity_number) == (Outcome.CONFIRMED, "death", NUMBERS[0])
    assert outcome.stakes[0].months == (Month(2025, 3),)
    assert outcome.stakes[0].fen == 300_000
    assert NUMBERS[0] not in repr(outcome)
    assert [line.event for line in view.history] == ["assign", "take", "confirm", "approve"]
    assert all(line.policy and line.entry_id for line in view.history)
    assert view.history[2].note == "死亡证明已核对"


def test_nobody_approves_what_they_proposed(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(LI, clue, "take")
    agency.clues.move(LI, clue, "confirm", note="已核对", data=LAW)
    both = Actor("li", "稽核员李", "reviewer", "social_insurance", "130000")
    with pytest.raises(ClueGuardError) as caught:
        agency.clues.move(both, clue, "approve")
    assert caught.value.guard == "not_the_proposer"
    with pytest.raises(ClueNotPermittedError):
        agency.clues.move(LI, clue, "approve")
    assert agency.clues.view(WANG, clue).row.state == "proposed"


def test_whoever_takes_a_clue_locks_it(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(LI, clue, "take")
    for event, data in (("take", {}), ("refute", {}), ("confirm", LAW), ("release", {})):
        with pytest.raises(ClueGuardError):
            agency.clues.move(ZHOU, clue, event, note="不是我的", data=data)
    agency.clues.move(LI, clue, "release")
    agency.clues.move(ZHOU, clue, "take")
    assert agency.clues.view(ZHOU, clue).row.locked_by == "zhou"


def test_an_assigned_clue_is_taken_by_the_one_it_is_assigned_to(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(WANG, clue, "assign", data={"investigator": "zhou"})
    with pytest.raises(ClueGuardError):
        agency.clues.move(LI, clue, "take")
    agency.clues.move(ZHOU, clue, "take")


def test_what_the_table_does_not_hold_is_refused_and_changes_nothing(agency: Agency) -> None:
    clue = agency.found()
    before = agency.clues.view(WANG, clue)
    with pytest.raises(IllegalClueEventError):
        agency.clues.move(WANG, clue, "approve")
    with pytest.raises(IllegalClueEventError):
        agency.clues.move(WANG, clue, "no_such_event")
    after = agency.clues.view(WANG, clue)
    assert (after.row, after.history) == (before.row, before.history)


def test_people_of_another_region_and_administrators_learn_nothing_of_a_clue(agency: Agency) -> None:
    clue = agency.found()
    for actor in (ELSEWHERE, Actor("root", "管理员", "system_administrator", "office", "130000"), POLICE):
        assert agency.clues.queue(actor) == []
        with pytest.raises(UnknownClueError):
            agency.clues.view(actor, clue)
        with pytest.raises((UnknownClueError, ClueNotPermittedError)):
            agency.clues.move(actor, clue, "take")
    assert [row.clue_id for row in agency.clues.queue(LEADER)] == [clue]
    with pytest.raises(UnknownClueError):
        agency.clues.view(LEADER, clue)


def test_a_look_at_a_clue_is_masked_and_recorded(agency: Agency) -> None:
    clue = agency.found()
    shown = agency.clues.view(LI, clue).identity
    assert shown == f"{NUMBERS[0][:6]}********{NUMBERS[0][-4:]}"
    agency.clues.view(AUDITOR, clue)
    looks = agency.looks.of_subject(agency.index())
    assert [(look.user_id, look.purpose) for look in looks] == [("auditor", "audit"), ("li", "supervision")]


def test_findings_of_one_person_and_matter_join_in_one_clue(agency: Agency) -> None:
    clue = agency.found()
    police = signal("police", mark="other")
    assert agency.found(police, rule="dead_contributing", months=(Month(2025, 4),), fen=500, run_id="run-2") == clue
    view = agency.clues.view(LI, clue)
    assert {one.register for one in view.signals} == {"health", "police"}
    assert view.stakes[0].months == (Month(2025, 3), Month(2025, 4))
    assert view.row.tier is Tier.URGENT
    assert agency.found(rule="account_shared") != clue
    assert agency.found(number=NUMBERS[1]) != clue


def test_the_same_finding_again_changes_nothing(agency: Agency) -> None:
    clue = agency.found()
    before = agency.clues.view(LI, clue)
    assert agency.found() == clue
    after = agency.clues.view(LI, clue)
    assert (after.signals, after.stakes, after.evidence, after.history) == (
        before.signals,
        before.stakes,
        before.evidence,
        before.history,
    )


def test_evidence_that_was_refuted_raises_no_new_clue(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(LI, clue, "take")
    agency.clues.move(LI, clue, "refute", note="本人健在")
    assert agency.found(run_id="next-month", months=(Month(2025, 4),)) == clue
    assert agency.clues.queue(LI) == []
    again = agency.found(signal("police", mark="new"), run_id="later")
    assert again != clue
    assert [row.clue_id for row in agency.clues.queue(LI)] == [again]


def test_conflicting_evidence_goes_to_arbitration_and_both_departments_are_asked(agency: Agency) -> None:
    clue = agency.found()
    agency.found(signal("police", "alive", stance=Stance.AGAINST), run_id="run-2")
    view = agency.clues.view(WANG, clue)
    assert view.row.state == "arbitration"
    assert view.row.measure == Measure.ARBITRATE
    assert {one.department for one in view.opinions} == {"health", "police"}
    assert all(one.due_on.isoformat() == "2025-03-06" for one in view.opinions)
    with pytest.raises(ClueNotPermittedError):
        agency.clues.move(WINDOW, clue, "answer", data={"answer": "no"})
    with pytest.raises(ClueGuardError) as caught:
        agency.clues.move(Actor("x", "x", "corrector", "justice"), clue, "answer", data={"answer": "no"})
    assert caught.value.guard == "was_asked"


def test_a_register_that_takes_its_word_back_refutes_what_nothing_else_says(agency: Agency) -> None:
    clue = agency.found(signal(), signal("police", "alive", stance=Stance.AGAINST))
    agency.clues.move(HEALTH, clue, "answer", note="录入错误", data={"answer": "no"})
    view = agency.clues.view(WANG, clue)
    assert (view.row.state, view.row.outcome) == ("refuted", "refuted")


def test_when_all_departments_say_no_the_clue_is_refuted_without_a_meeting(agency: Agency) -> None:
    own = signal("social_insurance", "death")
    clue = agency.found(own, signal(), signal("police", "alive", stance=Stance.AGAINST))
    agency.clues.move(HEALTH, clue, "answer", note="录入错误", data={"answer": "no"})
    assert agency.clues.view(WANG, clue).row.state == "arbitration"
    agency.clues.move(POLICE, clue, "answer", data={"answer": "no"})
    view = agency.clues.view(WANG, clue)
    assert (view.row.state, view.row.outcome) == ("refuted", "refuted")


def test_when_both_departments_say_yes_a_person_goes_on_verifying(agency: Agency) -> None:
    clue = agency.found(signal(), signal("police", "alive", stance=Stance.AGAINST))
    agency.clues.move(HEALTH, clue, "answer", data={"answer": "yes"})
    agency.clues.move(POLICE, clue, "answer", note="户籍未及时注销", data={"answer": "yes"})
    view = agency.clues.view(WANG, clue)
    assert view.row.state == "verifying"
    assert view.row.outcome == ""
    assert view.row.measure == Measure.STOP
    assert all(one.confirmed for one in view.signals)


def test_the_joint_meeting_settles_what_the_departments_do_not(agency: Agency) -> None:
    clue = agency.found(signal(), signal("police", "alive", stance=Stance.AGAINST))
    with pytest.raises(ClueGuardError):
        agency.clues.move(LEADER, clue, "decide_against", note="公安核实健在")
    state = agency.clues.move(LEADER, clue, "decide_against", note="公安核实健在", data={"meeting": "联席2025-3"}).state
    assert state == "refuted"


def test_a_likeness_alone_names_a_candidate_and_is_never_confirmed(agency: Agency) -> None:
    clue = agency.found(signal(fuzzy=True))
    view = agency.clues.view(LI, clue)
    assert view.row.candidate
    assert (view.row.tier, view.row.measure) == (Tier.LOOK, Measure.VERIFY)
    agency.clues.move(LI, clue, "take")
    with pytest.raises(ClueGuardError) as caught:
        agency.clues.move(LI, clue, "confirm", note="看起来是同一个人", data=LAW)
    assert caught.value.guard == "a_register_says_so"
    agency.clues.move(LI, clue, "ask_department", data={"department": "health"})
    agency.clues.move(
        LI, clue, "answer", note="确为本人", data={"answer": "yes", "department": "health", "letter": "卫函1号"}
    )
    agency.clues.move(LI, clue, "confirm", note="卫健部门复函确认", data=LAW)


def test_a_record_taken_back_by_its_register_refutes_the_clue_and_counts_against_the_register(agency: Agency) -> None:
    clue = agency.found()
    with agency.database.begin() as connection:
        before = agency.clues.rates(connection).of("health", "death")
        assert agency.clues.withdraw(connection, signal().digest) == [clue]
        after = agency.clues.rates(connection).of("health", "death")
    assert agency.clues.view(LI, clue).row.state == "refuted"
    assert (after.right, after.wrong) == (before.right, before.wrong + 1)


def test_registers_are_believed_as_their_records_turned_out(agency: Agency) -> None:
    for number in NUMBERS[:20]:
        clue = agency.found(signal(mark=number), number=number)
        agency.clues.move(LI, clue, "take")
        agency.clues.move(LI, clue, "refute", note="本人健在")
    with agency.database.read() as connection:
        rate = agency.clues.rates(connection).of("health", "death")
    assert rate.chance_wrong == (Fraction(12 * 43, 77) + 20) / 32
    clue = agency.found(number=NUMBERS[30])
    assert agency.clues.view(LI, clue).row.measure == Measure.VERIFY


def test_an_outcome_taken_back_teaches_nothing(agency: Agency) -> None:
    heard: list[tuple[str, bool]] = []
    agency.clues.on_outcome("test", lambda _connection, one: heard.append((one.outcome.value, one.reopened)))
    clue = agency.found()
    with agency.database.read() as connection:
        before = agency.clues.rates(connection).of("health", "death")
    agency.confirm(clue)
    agency.clues.move(ZHAO, clue, "reopen", note="新材料")
    with agency.database.read() as connection:
        assert agency.clues.rates(connection).of("health", "death") == before
        counted = connection.execute(sa.select(records.register_record)).one()
    assert (counted.right, counted.wrong) == (0, 0)
    assert heard == [("confirmed", False), ("confirmed", True)]


def test_an_objection_is_looked_into_and_one_who_appears_reopens_the_clue(agency: Agency) -> None:
    clue = agency.found()
    agency.confirm(clue)
    agency.clues.move(WINDOW, clue, "object", note="家属来电不同意")
    assert agency.clues.view(WANG, clue).row.state == "objection"
    agency.clues.move(WANG, clue, "uphold", note="无新证据", data={"law": "条例第八条"})
    agency.clues.move(WINDOW, clue, "object", note="本人持身份证到场", data={"seen_in_person": "yes"})
    view = agency.clues.view(WANG, clue)
    assert view.row.state == "arbitration"
    assert view.row.outcome == ""


def test_overdue_is_reported_once_by_tier_and_lights_red(agency: Agency) -> None:
    clue = agency.found()
    (row,) = agency.clues.queue(LI)
    assert (row.tier, row.light, row.due_on.isoformat() if row.due_on else "") == (Tier.HIGH, Light.GREEN, "2025-03-05")
    agency.on("2025-03-05")
    assert agency.clues.queue(LI)[0].light is Light.YELLOW
    agency.on("2025-03-07")
    agency.work()
    (row,) = agency.clues.overdue(LI)
    assert (row.light, row.days_late, row.overdue) == (Light.RED, 2, True)
    assert [line.event for line in agency.clues.view(LI, clue).history] == ["overdue"]
    assert agency.clues.counts(LI).overdue == 1


def test_the_queue_is_ordered_by_tier_then_money_then_deadline(agency: Agency) -> None:
    small = agency.found(number=NUMBERS[1], fen=100)
    big = agency.found(number=NUMBERS[2], fen=900)
    look = agency.found(signal(fuzzy=True), number=NUMBERS[3], fen=99_999)
    urgent = agency.found(signal(), signal("police"), number=NUMBERS[4], fen=1)
    assert [row.clue_id for row in agency.clues.queue(LI)] == [urgent, big, small, look]
    agency.clues.move(LI, small, "take")
    assert [row.clue_id for row in agency.clues.queue(LI, mine=True)] == [small]
    counts = agency.clues.counts(LI)
    assert counts.by_state == {"new": 3, "verifying": 1}
    assert counts.by_tier == {"urgent": 1, "high": 2, "look": 1}
    assert counts.fen == 100 + 900 + 99_999 + 1


def test_frozen_evidence_is_shown_masked_and_altered_evidence_is_refused(agency: Agency) -> None:
    clue = agency.found()
    (opened,) = agency.clues.evidence(LI, clue)
    assert opened.shown == {"rule": "paid_after_death", "name": "李*国", "secret": "***"}
    with agency.database.begin() as connection:
        forged = agency.sealer.seal("clue_evidence", b"{}".hex(), f"{clue}:{opened.digest}")
        connection.execute(sa.update(records.evidence).values(sealed=forged))
    with pytest.raises(EvidenceAlteredError):
        agency.clues.evidence(LI, clue)


def test_no_clear_number_and_no_clear_evidence_stand_in_the_database(agency: Agency, tmp_path: Path) -> None:
    clue = agency.found()
    agency.confirm(clue)
    agency.database.close()
    for file in tmp_path.glob("test.db*"):
        content = file.read_bytes()
        assert NUMBERS[0].encode() not in content
        assert "李建国".encode() not in content


def test_two_clues_of_one_person_can_be_merged_and_nothing_is_lost(agency: Agency) -> None:
    clue = agency.found()
    other = agency.found(signal("justice", "custody"), rule="paid_in_custody", evidence=b'{"rule":"x"}')
    agency.clues.move(WANG, other, "merge", data={"into": clue})
    view = agency.clues.view(WANG, clue)
    assert {one.register for one in view.signals} == {"health", "justice"}
    assert len(view.evidence) == 2
    assert len(agency.clues.evidence(LI, clue)) == 2
    merged = agency.clues.view(WANG, other)
    assert (merged.row.state, merged.merged_into, merged.signals) == ("merged", clue, ())
    with pytest.raises(ClueGuardError):
        agency.clues.move(WANG, clue, "merge", data={"into": agency.found(number=NUMBERS[1])})


@pytest.mark.parametrize(
    ("changed", "element"),
    [
        ({"number": "130102195001010019"}, "identity_number"),
        ({"scheme": "999"}, "scheme"),
        ({"rule": "Not a rule"}, "rule"),
        ({"run_id": ""}, "run_id"),
        ({"fen": -1}, "fen"),
    ],
)
def test_a_finding_that_is_misshapen_is_refused_by_name(
    agency: Agency, changed: dict[str, object], element: str
) -> None:
    with pytest.raises(FindingError) as caught, agency.database.begin() as connection:
        agency.clues.open(connection, finding(**changed))  # type: ignore[arg-type]
    assert caught.value.place.element == element
    assert "19500101" not in str(caught.value)


def test_a_run_is_taken_whole_or_not_at_all_and_only_once(agency: Agency) -> None:
    good = [finding(number=number) for number in NUMBERS[:3]]
    with pytest.raises(FindingError) as caught:
        agency.clues.take_run(LI, "run-1", [*good, finding(scheme="999")])
    assert caught.value.place.row == 4
    assert agency.clues.queue(LI) == []
    assert agency.clues.take_run(LI, "run-1", good) == (3, 3)
    assert agency.clues.take_run(LI, "run-1", good) == (3, 3)
    assert len(agency.clues.queue(LI)) == 3


def test_every_state_can_be_reached_and_every_name_in_the_table_has_a_meaning(agency: Agency) -> None:
    reached = {CLUES.first}
    while more := {row.target for row in CLUES.table if row.state in reached} - reached:
        reached |= more
    assert reached == set(CLUES.states)
    assert {row.event for row in CLUES.table} == set(CLUES.events)
    engine = agency.clues._engine
    assert {name for row in CLUES.table for name in row.guards} == set(engine._guards)
    assert {name for row in CLUES.table for name in row.effects} == set(engine._effects)


def test_what_one_may_do_names_what_it_needs(agency: Agency) -> None:
    clue = agency.found()
    agency.clues.move(LI, clue, "take")
    may = {one.event: one.needs for one in agency.clues.view(LI, clue).may}
    assert may["confirm"] == ("note", "law", "fact_from")
    assert may["ask_department"] == ("department",)
    assert "overdue" not in may
    assert {one.event for one in agency.clues.view(WANG, clue).may} == {"assign", "release", "merge"}
