"""Who may do what, and what a refused event leaves behind: nothing."""

from dataclasses import replace
from typing import Any

import pytest
from kit import AUDITOR, CLERK, EMPLOYER, FAR_CLERK, LEADER, OTHER_CLERK, OTHER_REVIEWER, REVIEWER, Kit, form
from sqlalchemy import select

from huodang.exchange import Actor
from huodang.retirement import (
    Event,
    FormError,
    GuardError,
    IllegalEventError,
    NotAllowedError,
    State,
    UnknownCaseError,
    records,
)
from huodang.store import jobs


def everything(kit: Kit) -> list[Any]:
    """All rows of the room, but the looks: those are written for a refused look, too."""
    tables = [
        records.case,
        records.history,
        records.clock_entry,
        records.check,
        records.decision,
        records.item,
        records.message,
        records.public_notice,
    ]
    with kit.database.read() as connection:
        rows = [connection.execute(select(table)).all() for table in tables]
        return [rows, jobs.counts(connection)]


def test_the_two_reviews_are_never_by_one_person(kit: Kit) -> None:
    case_id = kit.submit()
    both = Actor("both", "孙两审", "window_clerk", "social_insurance", "130100")
    kit.act(both, case_id, Event.WINDOW_PASS)
    before = everything(kit)
    same = Actor("both", "孙两审", "reviewer", "social_insurance", "130100")
    with pytest.raises(GuardError) as refused:
        kit.act(same, case_id, Event.FILING_PASS)
    assert refused.value.guard == "not_the_window_reviewer"
    assert "同一人" in refused.value.sentence("zh")
    assert everything(kit) == before
    assert kit.act(REVIEWER, case_id, Event.FILING_PASS).state is State.COMPLETED


def test_nobody_reviews_an_application_that_they_filed(kit: Kit) -> None:
    case_id = kit.submit(CLERK)
    with pytest.raises(GuardError) as refused:
        kit.act(CLERK, case_id, Event.WINDOW_PASS)
    assert refused.value.guard == "not_own_application"
    kit.act(OTHER_CLERK, case_id, Event.WINDOW_PASS)
    as_reviewer = Actor(CLERK.user_id, CLERK.name, "reviewer", "social_insurance", "130100")
    with pytest.raises(GuardError) as refused:
        kit.act(as_reviewer, case_id, Event.FILING_PASS)
    assert refused.value.guard == "not_own_application"


def test_what_is_sent_back_is_reviewed_at_the_window_again(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.WINDOW_PASS)
    with pytest.raises(GuardError):
        kit.act(REVIEWER, case_id, Event.FILING_SEND_BACK)
    assert kit.act(REVIEWER, case_id, Event.FILING_SEND_BACK, "请核对银行户名").state is State.WINDOW_REVIEW
    assert kit.reviewed(case_id).state is State.COMPLETED


def test_an_event_that_is_not_open_is_refused_and_changes_nothing(kit: Kit) -> None:
    """At the window review, for a clerk who hands in nothing with it: only what needs nothing may happen."""
    case_id = kit.submit()
    before = everything(kit)
    open_as_it_is = {Event.WINDOW_PASS, Event.WITHDRAW, Event.RECHECK}
    for event in sorted(set(Event) - open_as_it_is):
        with pytest.raises((IllegalEventError, GuardError)) as refused:
            kit.office.act(OTHER_CLERK, case_id, event)
        assert refused.value.sentence("zh")
        assert refused.value.sentence("en")
        assert everything(kit) == before, event


def test_nothing_from_outside_is_taken_for_the_platforms_own_word(kit: Kit) -> None:
    case_id = kit.submit()
    smuggled = {"determination": "all clear", "reasons": ["nothing"], "volume_id": "A001", "papers": ["照片"]}
    view = kit.act(OTHER_CLERK, case_id, Event.REQUEST_SUPPLEMENT, data=smuggled)
    assert view.papers_asked == ("照片",)
    assert view.history[-1].codes == ()


def test_an_event_that_does_not_exist_is_refused(kit: Kit) -> None:
    case_id = kit.submit()
    with pytest.raises(IllegalEventError):
        kit.office.act(OTHER_CLERK, case_id, "approve_at_once")


def test_the_error_says_what_is_open_instead(kit: Kit) -> None:
    case_id = kit.submit()
    with pytest.raises(IllegalEventError) as refused:
        kit.office.act(OTHER_CLERK, case_id, Event.FILING_PASS)
    assert "窗口初审" in refused.value.sentence("zh")
    assert "window_pass" in refused.value.sentence("zh")


def test_nobody_from_outside_plays_the_platform(kit: Kit) -> None:
    case_id = kit.submit()
    system = Actor("system", "系统", "system", "social_insurance", "130000")
    with pytest.raises(UnknownCaseError):
        kit.office.act(system, case_id, Event.VOLUME_FILED)


@pytest.mark.parametrize(
    "who", [LEADER, FAR_CLERK, EMPLOYER], ids=["leader", "another city's clerk", "another employer"]
)
def test_a_case_that_one_may_not_see_does_not_exist(kit: Kit, who: Actor) -> None:
    case_id = kit.submit()
    for attempt in (
        lambda: kit.office.view(who, case_id),
        lambda: kit.office.act(who, case_id, Event.WINDOW_PASS),
        lambda: kit.office.events_for(who, case_id),
        lambda: kit.office.receipts(who, case_id),
    ):
        with pytest.raises(UnknownCaseError):
            attempt()
    with pytest.raises(UnknownCaseError):
        kit.office.view(CLERK, "TX-20250303-AAAA-AAAA")


@pytest.mark.parametrize("who", [REVIEWER, AUDITOR, LEADER], ids=["reviewer", "auditor", "leader"])
def test_intake_is_not_for_everybody(kit: Kit, who: Actor) -> None:
    with pytest.raises(NotAllowedError):
        kit.office.submit(who, form())
    with pytest.raises(NotAllowedError):
        kit.office.prefill(who, form().identity_number, form().name)


def test_a_person_files_for_themselves_only(kit: Kit) -> None:
    somebody_else = Actor("0" * 32, "别人", "citizen", "")
    with pytest.raises(NotAllowedError):
        kit.office.submit(somebody_else, form())


def test_a_form_that_is_not_whole_leaves_nothing_behind(kit: Kit) -> None:
    before = everything(kit)
    with pytest.raises(FormError):
        kit.office.submit(CLERK, replace(form(), declaration=False))
    assert everything(kit) == before


def test_events_on_offer_are_those_that_may_happen_with_what_they_need(kit: Kit) -> None:
    case_id = kit.submit()
    offered = {choice.event: choice.needs for choice in kit.office.events_for(OTHER_CLERK, case_id)}
    assert offered[Event.WINDOW_PASS] == ()
    assert offered[Event.REQUEST_SUPPLEMENT] == ("papers",)
    assert offered[Event.RETURN_APPLICATION] == ("note",)
    assert Event.FILING_PASS not in offered
    assert {choice.event for choice in kit.office.events_for(REVIEWER, case_id)}.isdisjoint({Event.WINDOW_PASS})
    assert kit.office.events_for(AUDITOR, case_id) == ()


@pytest.mark.parametrize("note", ["长" * 501, "有\0空"], ids=["too long", "null byte"])
def test_a_note_that_can_not_be_kept_is_refused(kit: Kit, note: str) -> None:
    case_id = kit.submit()
    with pytest.raises(GuardError):
        kit.office.act(OTHER_REVIEWER, case_id, Event.REFER_TO_ARBITRATION, note=note)
    assert kit.state(case_id) == "window_review"
