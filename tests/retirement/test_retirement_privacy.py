"""Who sees what: masks by the policies, a look for every reading, nothing personal in the clear."""

from datetime import timedelta

import pytest
from kit import AUDITOR, CLERK, EMPLOYER, FAR_CLERK, LEADER, OTHER_CLERK, REVIEWER, Kit, form, number

from huodang.exchange import Outcome
from huodang.retirement import Event, NotAllowedError, State, UnknownCaseError


def test_a_reviewer_sees_names_and_masked_numbers(kit: Kit) -> None:
    view = kit.view(kit.submit(), REVIEWER)
    assert view.person["name"] == "张建国"
    assert view.person["identity_number"] == "130102********" + number()[-4:]
    assert "6222020200011112222" not in str(view)
    assert view.mask_level == "partial"


def test_an_auditor_sees_that_it_happened_and_not_to_whom(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.RETURN_APPLICATION, "张建国的材料不符")
    view = kit.office.view(AUDITOR, case_id)
    text = str(view)
    assert "张建国" not in text
    assert number() not in text
    assert [row.event for row in view.history] == ["submit", "checks_settled", "return_application"]
    assert view.events == ()
    assert view.decision is not None


def test_every_reading_leaves_a_look_that_the_person_can_see(kit: Kit) -> None:
    case_id = kit.submit()
    before = len(kit.office.looks_of_citizen(number()))
    kit.office.view(REVIEWER, case_id)
    looks = kit.office.looks_of_citizen(number())
    assert len(looks) == before + 1
    assert (looks[0].user_id, looks[0].what, looks[0].purpose) == ("reviewer1", "retirement.case", "retirement")
    assert kit.office.looks_of_citizen(number("19650118")) == []
    # Nine questions to departments were looks, too, each before it was asked.
    assert {look.what for look in looks} >= {"police.alive", "social_insurance.contributions"}


def test_a_listing_leaves_one_look_and_shows_masked_names(kit: Kit) -> None:
    kit.submit()
    rows = kit.office.queue(OTHER_CLERK)
    assert [row.name for row in rows] == ["张*国"]
    assert kit.looks.latest(limit=1)[0].what == "retirement.queue"


def test_lists_end_at_ones_own_region_and_employer(kit: Kit) -> None:
    case_id = kit.submit()
    by_employer = kit.submit(EMPLOYER, identity_number=number("19650119"), name="王建军")
    assert {row.case_id for row in kit.office.queue(REVIEWER, state="window_review")} == {case_id, by_employer}
    assert [row.case_id for row in kit.office.queue(EMPLOYER, state="window_review")] == [by_employer]
    assert kit.office.queue(FAR_CLERK, state="window_review") == []
    assert kit.office.counts(REVIEWER) == {State.WINDOW_REVIEW: 2}
    assert kit.office.counts(FAR_CLERK) == {}
    with pytest.raises(NotAllowedError):
        kit.office.queue(LEADER)


def test_each_role_finds_its_own_work(kit: Kit) -> None:
    reviewed = kit.submit()
    kit.act(OTHER_CLERK, reviewed, Event.WINDOW_PASS)
    kit.departments.say("justice.custody", Outcome.HIT, "imprisonment", number("19650120"), sentence_type="prison")
    held = kit.submit(identity_number=number("19650120"), name="王建军")
    waiting = kit.submit(identity_number=number("19650121"), name="王建军")
    clerks = {row.case_id for row in kit.office.queue(OTHER_CLERK)}
    reviewers = {row.case_id for row in kit.office.queue(REVIEWER)}
    assert clerks == {held, waiting}
    assert reviewers == {held, reviewed}
    row = next(one for one in kit.office.queue(OTHER_CLERK) if one.case_id == held)
    assert row.reasons[0].code == "custody_prison"
    assert row.light == "green"
    kit.working_days(1)
    lights = {row.case_id: row.light for row in kit.office.queue(OTHER_CLERK)}
    assert lights == {held: "yellow", waiting: "yellow"}
    kit.working_days(2)
    assert {row.light for row in kit.office.queue(OTHER_CLERK)} == {"red"}


def test_a_citizen_sees_their_own_case_and_nobody_elses(kit: Kit) -> None:
    case_id = kit.submit()
    view = kit.office.of_citizen(number(), "张建国")
    assert view is not None
    assert view.case_id == case_id
    assert view.person["phone"] == "13800001111"
    assert kit.office.of_citizen(number(), "张国建") is None
    assert kit.office.of_citizen(number("19650118"), "张建国") is None
    other = kit.office.citizen(number("19650118"), "张建国")
    with pytest.raises(UnknownCaseError):
        kit.office.view(other, case_id)


def test_a_citizen_sees_the_case_that_is_alive_before_older_ones(kit: Kit) -> None:
    first = kit.submit()
    kit.act(OTHER_CLERK, first, Event.RETURN_APPLICATION, "不符")
    kit.clock.advance(timedelta(hours=1))
    second = kit.submit()
    view = kit.office.of_citizen(number(), "张建国")
    assert view is not None
    assert view.case_id == second


def test_nothing_personal_stands_in_the_clear_in_the_database(kit: Kit) -> None:
    kit.departments.record(archive_name="张建国")
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.REQUEST_SUPPLEMENT, "请张建国补照片", {"papers": ["照片"]})
    kit.act(CLERK, case_id, Event.SUPPLEMENT_RECEIVED, "张建国已补", {"papers": ["照片"]})
    kit.reviewed(case_id)
    raw = b"".join(path.read_bytes() for path in kit.folder.glob("hub.db*"))
    for secret in ("张建国", number(), number()[:17], "6222020200011112222", "13800001111", "冀中机械厂"):
        assert secret.encode() not in raw, secret
    filed = b"".join(path.read_bytes() for path in (kit.folder / "volumes").rglob("*") if path.is_file())
    for secret in ("张建国", number(), "6222020200011112222"):
        assert secret.encode() not in filed, secret


def test_prefill_gives_what_is_known_with_source_and_time(kit: Kit) -> None:
    kit.departments.record(work_category="cadre", special_trade_months="12")
    found = kit.office.prefill(CLERK, number("19700120", 14), "李秀英")
    assert found.form["category"] == "female55"
    assert found.form["employer"] == "冀中机械厂"
    assert found.form["special_trade_months"] == "12"
    known = {one.element: one for one in found.known}
    assert known["contribution_months"].value == "360"
    assert known["contribution_months"].source.chinese == "缴费与视同缴费"
    assert known["contribution_months"].as_of is not None
    assert str(found.retirement_month) == "202502"
    assert found.materials.papers_after == 3
    looks = kit.office.looks_of_citizen(number("19700120", 14))
    assert {look.purpose for look in looks} == {"retirement_prefill"}


def test_prefill_tells_nothing_to_who_does_not_know_the_name(kit: Kit) -> None:
    kit.departments.say("police.household", Outcome.CONFLICT, "name_differs")
    with pytest.raises(NotAllowedError):
        kit.office.prefill(CLERK, number(), "张国建")
    assert ("social_insurance.contributions", "") not in kit.departments.asked


def test_prefill_tells_an_employers_clerk_nothing_of_other_peoples_employees(kit: Kit) -> None:
    assert kit.office.prefill(EMPLOYER, number(), "张建国").form["employer"] == "冀中机械厂"
    kit.departments.record(employer_code="E2")
    with pytest.raises(NotAllowedError):
        kit.office.prefill(EMPLOYER, number(), "张建国")


def test_prefill_goes_on_without_a_department_and_names_the_papers_then_needed(kit: Kit) -> None:
    kit.departments.trouble["police"] = "dead"
    found = kit.office.prefill(CLERK, number(), "张建国")
    assert found.unanswered == ("police.household",)
    needed = {paper.identifier for paper in found.materials.must_bring}
    assert {"identity_card", "household_booklet", "life_certificate"} <= needed


def test_a_person_is_known_by_the_index_of_the_number_alone(kit: Kit) -> None:
    actor = kit.office.citizen(number(), form().name)
    assert actor.user_id == kit.exchange.subject_index(number())
    assert number() not in actor.user_id
