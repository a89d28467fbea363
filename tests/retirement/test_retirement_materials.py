"""The register of papers, and what a person must still bring: computed, never listed."""

from datetime import UTC, datetime

import pytest
from kit import OTHER_CLERK, Kit, form, number

from huodang.exchange import Outcome
from huodang.retirement import CHECKS, CheckResult, CheckStatus, Event, register
from huodang.retirement.materials import after_answers, before_submission

NOW = datetime(2025, 3, 3, 1, tzinfo=UTC)
ALL = {check.resource: True for check in CHECKS}
KEPT = ["application_form", "photographs", "bank_account_proof"]


def clear(resource: str, **fields: str) -> CheckResult:
    return CheckResult(resource, CheckStatus.ANSWERED, Outcome.CLEAR, "matches", NOW, fields)


def all_clear(**changed: CheckResult) -> dict[str, CheckResult]:
    return {check.resource: clear(check.resource) for check in CHECKS} | {one.resource: one for one in changed.values()}


def brought(results: dict[str, CheckResult], **fields: object) -> list[str]:
    return [paper.identifier for paper in after_answers(form(**fields), results).must_bring]


def test_the_register_has_thirty_three_papers_each_with_law_item_and_status() -> None:
    assert len(register()) == 33
    for paper in register():
        assert paper.chinese
        assert paper.english
        assert paper.law
        assert paper.law_status in {"official", "unverified"}
        assert all(paper.item)
    assert len({paper.chinese for paper in register()}) == 33


def test_every_check_but_deemed_side_questions_replaces_a_paper() -> None:
    replaced = {paper.replaced_by for paper in register()}
    assert {check.resource for check in CHECKS} <= replaced


def test_an_ordinary_person_brings_three_papers() -> None:
    assert brought(all_clear()) == KEPT


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"one_child": True}, ["one_child_certificate"]),
        ({"route": "flexible_early", "wished_month": "2025-03", "notice_given_on": "2024-11-01"}, ["flexible_notice"]),
    ],
)
def test_what_no_department_knows_is_still_brought(fields: dict[str, object], more: list[str]) -> None:
    assert brought(all_clear(), **fields) == [*KEPT, *more]


def test_a_silent_department_brings_its_papers_back() -> None:
    silent = CheckResult("police.household", CheckStatus.UNANSWERED, reason="timeout")
    assert set(brought(all_clear(it=silent))) == {*KEPT, "identity_card", "household_booklet", "household_proof"}


def test_a_conflict_brings_the_papers_back_too() -> None:
    conflict = CheckResult("police.household", CheckStatus.ANSWERED, Outcome.CONFLICT, "renamed", NOW)
    assert "household_booklet" in brought(all_clear(it=conflict))


def test_a_hit_that_only_tells_replaces_the_paper_as_well() -> None:
    short = CheckResult("medical_insurance.years", CheckStatus.ANSWERED, Outcome.HIT, "years_short", NOW)
    assert brought(all_clear(it=short)) == KEPT
    duplicate = CheckResult("social_insurance.benefits", CheckStatus.ANSWERED, Outcome.HIT, "benefit_in_payment", NOW)
    assert "no_other_benefit" in brought(all_clear(it=duplicate))


def test_papers_on_deemed_years_apply_only_to_who_has_them() -> None:
    ordinary = after_answers(form(), all_clear())
    assert "personnel_archive" in [paper.identifier for paper in ordinary.not_applicable]
    deemed = after_answers(form(), all_clear(it=clear("social_insurance.contributions", deemed_months="24")))
    archive = next(one for one in deemed.not_brought if one.paper.identifier == "personnel_archive")
    assert archive.source_chinese == "缴费与视同缴费"
    assert archive.as_of == NOW


def test_housing_papers_fall_away_without_an_account() -> None:
    without = CheckResult("housing_fund.account", CheckStatus.ANSWERED, Outcome.CLEAR, "no_account", NOW)
    idle = [paper.identifier for paper in after_answers(form(), all_clear(it=without)).not_applicable]
    assert {"housing_form", "housing_seal_proof", "retirement_certificate"} <= set(idle)


def test_every_paper_is_accounted_for_exactly_once() -> None:
    waiting = CheckResult("justice.custody", CheckStatus.WAITING)
    listed = after_answers(form(), all_clear(it=waiting))
    assert [paper.identifier for paper in listed.awaiting] == ["no_custody"]
    accounted = [
        *(paper.identifier for paper in listed.must_bring),
        *(one.paper.identifier for one in listed.not_brought),
        *(paper.identifier for paper in listed.awaiting),
        *(paper.identifier for paper in listed.not_applicable),
    ]
    assert sorted(accounted) == sorted(paper.identifier for paper in register())


def test_before_submission_it_follows_from_what_departments_can_answer_now() -> None:
    listed = before_submission(form(), ALL, NOW)
    assert [paper.identifier for paper in listed.must_bring] == KEPT
    down = before_submission(form(), {**ALL, "medical_insurance.years": False}, NOW)
    more = {paper.identifier for paper in down.must_bring} - set(KEPT)
    assert more == {"medical_years_proof", "medical_card"}
    nobody = before_submission(form(), {}, NOW)
    assert nobody.papers_after > 15


def test_the_real_case_tells_sources_and_times_and_files_the_list(kit: Kit) -> None:
    case_id = kit.submit()
    listed = kit.office.materials(case_id)
    alive = next(one for one in listed.not_brought if one.paper.identifier == "life_certificate")
    assert (alive.source_chinese, alive.source_english) == ("公安生存状态", "Alive by the police register")
    assert alive.as_of == datetime(2025, 3, 1, tzinfo=UTC)
    kit.departments.say("police.household", Outcome.CONFLICT, "renamed", number("19650122"))
    renamed = kit.submit(identity_number=number("19650122"), name="王建军")
    evidence = {"check": "police.household", "evidence": "户口簿曾用名页"}
    kit.act(OTHER_CLERK, renamed, Event.ACCEPT_EVIDENCE, data=evidence)
    assert kit.office.materials(renamed).papers_after == 6
