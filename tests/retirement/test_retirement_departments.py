"""Departments that are late, dead, talk garbage or sign wrongly: the case stays whole, the step waits."""

import pytest
from kit import OTHER_CLERK, REVIEWER, Kit, form, number

from huodang.exchange import Outcome
from huodang.retirement import Event, GuardError, RetirementSettings, State
from huodang.store import Database, FixedClock, jobs

TROUBLES = [
    ("dead", "unreachable"),
    ("late", "timeout"),
    ("garbage", "garbage"),
    ("unsigned", "unsigned"),
    ("forged", "wrongly_signed"),
]


@pytest.mark.parametrize(("trouble", "code"), TROUBLES)
def test_a_department_in_trouble_stops_its_own_step_only_and_is_asked_again(kit: Kit, trouble: str, code: str) -> None:
    kit.departments.trouble["police"] = trouble
    case_id = kit.submit()
    view = kit.view(case_id)
    assert view.state is State.CHECKING  # the others have answered, police is asked again later
    statuses = {check.resource: check.status for check in view.checks}
    assert statuses["police.alive"] == statuses["police.household"] == "waiting"
    assert set(statuses.values()) == {"waiting", "answered"}
    kit.retry_until_given_up()
    view = kit.view(case_id)
    assert view.state is State.EXCEPTION
    assert [reason.code for reason in view.reasons] == [f"police.household:{code}", f"police.alive:{code}"]
    silent = next(check for check in view.checks if check.resource == "police.alive")
    assert (silent.status, silent.outcome, silent.attempts) == ("unanswered", "unknown", 3)
    assert kit.payments.of_case(case_id) == []
    kit.departments.trouble.clear()
    kit.act(OTHER_CLERK, case_id, Event.RECHECK)
    assert kit.reviewed(case_id).state is State.COMPLETED


def test_a_department_that_recovers_in_time_is_never_an_exception(kit: Kit) -> None:
    kit.departments.trouble["justice"] = "late"
    case_id = kit.submit()
    kit.departments.trouble.clear()
    kit.wait(minutes=1)
    view = kit.view(case_id)
    assert view.state is State.WINDOW_REVIEW
    assert next(check for check in view.checks if check.resource == "justice.custody").attempts == 2


def test_an_answer_lost_on_the_way_is_asked_for_again_and_the_action_is_done_once(kit: Kit) -> None:
    case_id = kit.submit()
    kit.departments.trouble["social_insurance"] = "half"  # it acts, and the answer never arrives
    kit.reviewed(case_id)
    assert kit.state(case_id) == "joint_items"
    assert kit.payments.of_case(case_id) == []
    kit.departments.trouble.clear()
    kit.retry_until_given_up()
    assert kit.state(case_id) == "completed"
    assert len(kit.departments.done("social_insurance.register_benefit")) == 1
    assert len(kit.payments.of_case(case_id)) == 1


def test_a_recheck_asks_only_what_is_not_clear(kit: Kit) -> None:
    kit.departments.say("justice.custody", Outcome.HIT, "imprisonment", sentence_type="prison")
    case_id = kit.submit()
    assert kit.codes(case_id) == ["custody_prison"]
    asked_before = len(kit.departments.asked)
    kit.departments.said.clear()
    view = kit.act(OTHER_CLERK, case_id, Event.RECHECK)
    assert kit.departments.asked[asked_before:] == [("justice.custody", case_id)]
    assert view.state is State.WINDOW_REVIEW


def test_a_recheck_at_the_review_asks_everything_anew(kit: Kit) -> None:
    case_id = kit.submit()
    kit.departments.say("health.death", Outcome.HIT, "death_certified")
    kit.departments.say("police.alive", Outcome.HIT, "death_registered")
    assert kit.act(OTHER_CLERK, case_id, Event.RECHECK).state is State.ENDED_BY_DEATH


def test_without_an_agreement_nothing_is_asked_and_nobody_waits_for_retries(
    database: Database, tmp_path: object, clock: FixedClock
) -> None:
    kit = Kit(database, tmp_path, clock)  # type: ignore[arg-type]  # pytest's own path
    case_id = kit.submit()
    view = kit.view(case_id)
    assert view.state is State.EXCEPTION
    assert "police.alive:no_agreement" in [reason.code for reason in view.reasons]
    assert kit.departments.calls == 0
    kit.sign_agreements()
    assert kit.act(OTHER_CLERK, case_id, Event.RECHECK).state is State.WINDOW_REVIEW


def test_a_source_that_is_away_is_worth_another_try_and_its_word_is_not(kit: Kit) -> None:
    kit.departments.say("police.alive", Outcome.UNKNOWN, "source_unreachable")
    kit.departments.say("justice.custody", Outcome.UNKNOWN, "source_row_quarantined")
    case_id = kit.submit()
    attempts = {check.resource: (check.status, check.attempts) for check in kit.view(case_id).checks}
    assert attempts["police.alive"] == ("waiting", 1)
    assert attempts["justice.custody"] == ("answered", 1)
    kit.retry_until_given_up()
    assert kit.codes(case_id) == ["police.alive:source_unreachable", "justice.custody:source_row_quarantined"]


def test_one_persons_trouble_is_not_anothers(kit: Kit) -> None:
    other = number("19650117")
    kit.departments.say("justice.custody", Outcome.HIT, "imprisonment", other, sentence_type="prison")
    ordinary, imprisoned = kit.submit(), kit.submit(identity_number=other, name="王建军")
    assert kit.state(ordinary) == "window_review"
    assert kit.codes(imprisoned) == ["custody_prison"]


def test_many_cases_are_asked_of_a_department_in_one_call(kit: Kit) -> None:

    for order in range(11, 31, 2):
        kit.office.submit(OTHER_CLERK, form(identity_number=number(order=order), name="王建军"))
    kit.run()
    assert kit.departments.calls == 6
    rows = kit.office.queue(OTHER_CLERK, state=State.WINDOW_REVIEW)
    assert len(rows) == 10


def test_a_refused_item_stops_only_itself_and_the_money_does_not_wait_for_it(kit: Kit) -> None:
    kit.departments.refusing["housing_fund.seal"] = "arrears"
    case_id = kit.submit()
    view = kit.reviewed(case_id)
    assert view.state is State.JOINT_ITEMS
    items = {item.resource: (item.status, item.reason) for item in view.items}
    assert items["housing_fund.seal"] == ("needs_person", "arrears")
    assert items["housing_fund.withdraw"][0] == "blocked"
    assert len(kit.payments.of_case(case_id)) == 1
    # The employer has paid the arrears: another try, and the withdrawal follows.
    kit.departments.refusing.clear()
    view = kit.act(OTHER_CLERK, case_id, Event.RECHECK)
    assert view.state is State.COMPLETED
    assert len(kit.departments.done("housing_fund.withdraw")) == 1
    assert len(kit.payments.of_case(case_id)) == 1


def test_an_item_settled_outside_is_taken_by_its_paper(kit: Kit) -> None:
    kit.departments.refusing["health.one_child_award"] = "already_awarded"
    case_id = kit.submit(one_child=True)
    kit.reviewed(case_id)
    evidence = {"item": "health.one_child_award", "evidence": "奖励发放凭证"}
    view = kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data=evidence)
    assert view.state is State.COMPLETED
    settled = next(item for item in view.items if item.resource == "health.one_child_award")
    assert (settled.status, settled.settled_by, settled.evidence) == ("waived", "clerk2", "奖励发放凭证")


def test_only_an_item_that_waits_for_a_person_is_settled_by_hand(kit: Kit) -> None:

    kit.departments.refusing["housing_fund.seal"] = "arrears"
    case_id = kit.submit()
    kit.reviewed(case_id)
    for item in ("housing_fund.withdraw", "social_insurance.register_benefit", "no.such"):
        with pytest.raises(GuardError):
            kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data={"item": item, "evidence": "凭证"})
    evidence = {"item": "housing_fund.seal", "evidence": "销户凭证"}
    view = kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data=evidence)
    # The item behind the one settled by hand is carried out.
    assert view.state is State.COMPLETED


def test_a_benefit_registered_by_hand_is_paid_as_well(kit: Kit) -> None:
    kit.departments.refusing["social_insurance.register_benefit"] = "not_enrolled"
    case_id = kit.submit()
    kit.reviewed(case_id)
    assert kit.payments.of_case(case_id) == []
    evidence = {"item": "social_insurance.register_benefit", "evidence": "待遇登记表"}
    assert kit.act(REVIEWER, case_id, Event.ACCEPT_EVIDENCE, data=evidence).state is State.COMPLETED
    assert len(kit.payments.of_case(case_id)) == 1


def test_an_item_that_is_never_answered_needs_a_person_in_the_end(kit: Kit) -> None:
    case_id = kit.submit()
    kit.departments.trouble["medical_insurance"] = "dead"
    kit.reviewed(case_id)
    kit.retry_until_given_up()
    item = next(one for one in kit.view(case_id).items if one.resource == "medical_insurance.to_retired")
    assert (item.status, item.reason, item.attempts) == ("needs_person", "unreachable", 3)


def test_nothing_is_left_to_do_when_a_case_has_ended(kit: Kit) -> None:
    kit.reviewed(kit.submit())
    with kit.database.read() as connection:
        assert jobs.counts(connection) == []


def test_a_settings_change_of_attempts_is_followed(database: Database, tmp_path: object, clock: FixedClock) -> None:
    kit = Kit(database, tmp_path, clock, RetirementSettings(region="130100", check_attempts=1))  # type: ignore[arg-type]  # pytest's own path
    kit.sign_agreements()
    kit.departments.trouble["health"] = "dead"
    assert kit.codes(kit.submit()) == ["health.death:unreachable"]
