"""The straight way: one application, the departments' answers, two reviews, the money and the volume."""

import json
from pathlib import Path

import pytest
from kit import CLERK, EMPLOYER, OTHER_CLERK, REVIEWER, Kit, form, number

from huodang.archive import PaymentKind
from huodang.exchange import Outcome
from huodang.retirement import AnotherCaseError, Event, State
from huodang.standards import IdentityNumber, Money, Month
from huodang.store import Database, FixedClock


def test_an_ordinary_case_goes_from_the_form_to_the_first_payment(kit: Kit) -> None:
    case_id = kit.submit()
    assert kit.state(case_id) == "window_review"
    view = kit.act(OTHER_CLERK, case_id, Event.WINDOW_PASS)
    assert view.state is State.FILING_REVIEW
    view = kit.act(REVIEWER, case_id, Event.FILING_PASS)
    assert view.state is State.COMPLETED
    assert view.ended_at is not None
    assert {item.status for item in view.items} == {"done"}
    assert [row.event for row in view.history] == [
        "submit",
        "checks_settled",
        "window_pass",
        "filing_pass",
        "joint_items_settled",
        "volume_filed",
    ]


def test_a_case_goes_its_way_on_either_database(any_database: Database, tmp_path: Path, clock: FixedClock) -> None:
    kit = Kit(any_database, tmp_path, clock)
    kit.sign_agreements()
    kit.departments.record(deemed_months="24", pre_account_months="24")
    kit.departments.say("police.household", Outcome.CONFLICT, "renamed")
    case_id = kit.submit()
    with pytest.raises(AnotherCaseError):
        kit.submit()
    evidence = {"check": "police.household", "evidence": "户口簿"}
    kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data=evidence)
    kit.working_days(6)
    assert kit.reviewed(case_id).state is State.COMPLETED
    assert len(kit.payments.of_case(case_id)) == 1
    assert len(kit.departments.done()) == 6
    assert kit.office.counts(REVIEWER) == {State.COMPLETED: 1}


def test_the_pension_is_right_to_the_fen(kit: Kit) -> None:
    # Base of 2024 (7265 yuan), as that of 2025 wasn't published in March: (7265 + 7265 × 0.8) / 2 × 30 × 1% = 1961.55.
    # Sixty years and one month: 138.4 payout months; 80000 / 138.4 = 578.03.
    view = kit.view(kit.submit())
    assert view.decision is not None
    assert (view.decision_stage, view.decision["basic"], view.decision["account"]) == ("proposed", 196155, 57803)
    assert view.decision["total"] == 196155 + 57803
    assert view.provisional is True
    assert "provisional_base" in [note.code for note in view.notes]
    assert view.decision["trace"][0]["label_chinese"] == "计发基数"
    assert all(line["law"] for line in view.decision["trace"])


def test_the_first_payment_stands_once_for_the_month_after_retirement(kit: Kit) -> None:
    case_id = kit.submit()
    kit.reviewed(case_id)
    (payment,) = kit.payments.of_case(case_id)
    assert (payment.month, payment.kind, payment.scheme) == (Month(2025, 3), PaymentKind.FIRST, "110")
    assert payment.amount == Money(196155 + 57803)
    assert dict(payment.parts)["basic"] == Money(196155)
    assert kit.payments.of_person(IdentityNumber.parse(number())) == [payment]


def test_months_that_are_late_are_paid_back_line_by_line(kit: Kit) -> None:
    kit.working_days(60)  # the person comes in late May for a retirement of February
    assert Month.of(kit.clock.today()) == Month(2025, 5)
    case_id = kit.submit()
    kit.reviewed(case_id)
    paid = {(one.month, one.kind): one.amount for one in kit.payments.of_case(case_id)}
    monthly = Money(196155 + 57803)
    assert paid == {
        (Month(2025, 5), PaymentKind.FIRST): monthly,
        (Month(2025, 3), PaymentKind.BACK_PAY): monthly,
        (Month(2025, 4), PaymentKind.BACK_PAY): monthly,
    }


def test_a_retirement_of_next_month_is_paid_from_the_month_after_it(kit: Kit) -> None:
    case_id = kit.submit(identity_number=number("19650315"))
    kit.reviewed(case_id)
    assert [one.month for one in kit.payments.of_case(case_id)] == [Month(2025, 5)]


def test_every_department_does_its_part_once_under_a_stable_key(kit: Kit) -> None:
    case_id = kit.submit(one_child=True)
    kit.reviewed(case_id)
    keys = kit.departments.done()
    assert len(keys) == len(set(keys)) == 7
    assert all(key.startswith(f"{case_id}:") for key in keys)
    assert keys.index(f"{case_id}:housing_fund.seal") < keys.index(f"{case_id}:housing_fund.withdraw")
    registered = kit.departments.parameters_of(f"{case_id}:social_insurance.register_benefit")
    assert "'benefit_from': '202503'" in registered
    assert "'benefit_amount': '253958'" in registered


def test_the_award_is_asked_for_only_by_who_wants_it_and_housing_only_with_an_account(kit: Kit) -> None:
    kit.departments.say("housing_fund.account", Outcome.CLEAR, "no_account")
    case_id = kit.submit()
    view = kit.reviewed(case_id)
    assert view.state is State.COMPLETED
    resources = [item.resource for item in view.items]
    assert "health.one_child_award" not in resources
    assert not [one for one in resources if one.startswith("housing_fund.")]


def test_the_volume_holds_form_verdicts_decision_trace_reviews_and_results(kit: Kit) -> None:
    case_id = kit.submit()
    view = kit.reviewed(case_id)
    record = kit.volumes.of_case(case_id)
    assert record is not None
    assert record.archival_code == view.volume_id
    assert kit.volumes.verify(record.archival_code).intact
    items = kit.volumes.items(record.archival_code)
    kinds = [item.kind for item in items]
    assert kinds.count("verdict") == 9
    assert {"application", "decision", "trace", "review", "joint_item", "materials", "work_record"} <= set(kinds)
    application = next(item for item in items if item.kind == "application")
    kept = json.loads(kit.volumes.read_item(record.archival_code, application.number))
    assert kept == form(applicant_kind="window_clerk").to_values()
    decision = next(item for item in items if item.kind == "decision")
    assert json.loads(kit.volumes.read_item(record.archival_code, decision.number))["total"] == 253958


def test_the_person_and_the_employer_are_told_in_both_languages(kit: Kit) -> None:
    case_id = kit.submit()
    view = kit.reviewed(case_id)
    told = {(one.recipient, one.kind): one.text for one in view.messages}
    assert set(told) == {("person", "completed"), ("employer", "employer_completed")}
    person = told["person", "completed"]
    assert "2539.58 元" in person.chinese
    assert "2539.58 yuan" in person.english
    assert "预发" in person.chinese
    assert "2539.58" not in told["employer", "employer_completed"].chinese  # the amount is not the employer's business


def test_every_grant_verdict_look_and_step_stands_in_the_ledger(kit: Kit) -> None:
    case_id = kit.submit()
    kit.reviewed(case_id)
    kit.ledger.seal_batch()
    assert kit.ledger.verify_all().valid
    receipts = kit.office.receipts(REVIEWER, case_id)
    kinds = [one.kind for one in receipts]
    assert kinds.count("grant") == kinds.count("verdict") == 9 + 6
    assert kinds.count("case") == 6
    for one in receipts:
        assert kit.ledger.receipt(one.entry_id)


def test_the_employers_clerk_and_the_person_may_file_too(kit: Kit) -> None:
    by_clerk = kit.submit(EMPLOYER)
    assert kit.view(by_clerk).applicant_kind == "employer_clerk"
    assert kit.state(by_clerk) == "window_review"
    other = {"identity_number": number("19650116"), "name": "王建军"}
    by_person = kit.submit(kit.citizen(**other), **other)
    assert kit.view(by_person).applicant_kind == "person"
    assert kit.state(by_person) == "window_review"


@pytest.mark.parametrize(("born", "order", "category"), [("19651225", 13, "male"), ("19700120", 14, "female55")])
def test_categories_have_their_own_age(kit: Kit, born: str, order: int, category: str) -> None:
    view = kit.view(kit.submit(identity_number=number(born, order), category=category, name="李秀英"))
    codes = [reason.code for reason in view.reasons]
    # A man of December 1965 has three months of delay: March 2026. A woman of January 1970, one month: February 2025.
    assert codes == (["age_not_reached:2026-03"] if category == "male" else [])


def test_materials_are_three_papers_instead_of_thirty_three(kit: Kit) -> None:
    case_id = kit.submit(CLERK)
    listed = kit.office.materials(case_id)
    assert listed.papers_before == 33
    assert [paper.identifier for paper in listed.must_bring] == [
        "application_form",
        "photographs",
        "bank_account_proof",
    ]
    assert all(one.as_of is not None for one in listed.not_brought if one.paper.replaced_by in {"police.household"})
