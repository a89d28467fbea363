"""Returned, withdrawn, supplemented, arbitrated, made public, appealed, died while pending: paths, not errors."""

import pytest
from kit import CLERK, OTHER_CLERK, OTHER_REVIEWER, REVIEWER, Kit, form, form_values, number

from huodang.archive import PaymentKind
from huodang.exchange import Outcome
from huodang.retirement import AnotherCaseError, Event, FormError, GuardError, IllegalEventError, State
from huodang.standards import Money, Month

HIT, CONFLICT, UNKNOWN, ALL_CLEAR = Outcome.HIT, Outcome.CONFLICT, Outcome.UNKNOWN, Outcome.CLEAR


def test_a_renamed_person_goes_on_with_the_booklet(kit: Kit) -> None:
    kit.departments.say("police.household", CONFLICT, "renamed")
    case_id = kit.submit()
    assert kit.codes(case_id) == ["household_conflict:renamed"]
    evidence = {"check": "police.household", "evidence": "户口簿曾用名页"}
    view = kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data=evidence)
    assert view.state is State.WINDOW_REVIEW
    accepted = next(check for check in view.checks if check.resource == "police.household")
    assert (accepted.accepted_evidence, accepted.accepted_by) == ("户口簿曾用名页", "clerk2")
    assert accepted.accepted_at == kit.clock.now()
    assert kit.reviewed(case_id).state is State.COMPLETED


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"check": "police.household"},
        {"check": "police.household", "evidence": ""},
        {"check": "police.household", "evidence": "户口簿 130102196501150137"},
        {"check": "police.household", "evidence": "户口\u0000簿"},
        {"check": "police.alive", "evidence": "户口簿"},
        {"check": "no.such", "evidence": "户口簿"},
        {"check": "police.household", "evidence": "纸" * 61},
        {"check": "police.household", "evidence": 7},
    ],
)
def test_evidence_is_taken_only_for_what_waits_and_only_by_the_name_of_a_paper(
    kit: Kit, data: dict[str, object]
) -> None:
    kit.departments.say("police.household", CONFLICT, "renamed")
    case_id = kit.submit()
    with pytest.raises(GuardError) as refused:
        kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data=data)
    assert refused.value.guard == "evidence_named"
    assert kit.state(case_id) == "exception"


def test_the_register_says_dead_and_the_hospital_knows_nothing_a_person_decides(kit: Kit) -> None:
    kit.departments.say("police.alive", HIT, "death_registered", death_date="2025-02-01")
    case_id = kit.submit()
    assert kit.state(case_id) == "arbitration"
    assert kit.codes(case_id) == ["conflicting_evidence:alive"]
    with pytest.raises(GuardError):
        kit.act(REVIEWER, case_id, Event.ARBITRATED, "本人到场", {"subject": "alive", "finding": "perhaps"})
    with pytest.raises(GuardError):
        kit.act(REVIEWER, case_id, Event.ARBITRATED, "", {"subject": "alive", "finding": "alive"})
    view = kit.act(REVIEWER, case_id, Event.ARBITRATED, "本人到场", {"subject": "alive", "finding": "alive"})
    assert view.state is State.WINDOW_REVIEW
    assert view.findings == {"alive": "alive"}


def test_both_departments_say_dead_and_the_family_is_told_what_it_may_claim(kit: Kit) -> None:
    kit.departments.say("police.alive", HIT, "death_registered", death_date="2025-02-01")
    kit.departments.say("health.death", HIT, "death_certified", death_date="2025-02-01")
    case_id = kit.submit()
    view = kit.view(case_id)
    assert view.state is State.ENDED_BY_DEATH
    (told,) = view.messages
    assert told.kind == "family_benefits"
    assert "丧葬补助金" in told.text.chinese
    # Hebei's income of town dwellers isn't among the parameters: named as missing, not invented.
    assert "缺少参数 urban_monthly_income" in told.text.chinese
    assert kit.payments.of_case(case_id) == []
    assert kit.departments.done() == []


def test_who_dies_while_the_case_is_pending_ends_it_and_nothing_is_paid(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.WINDOW_PASS)
    view = kit.act(CLERK, case_id, Event.DEATH_REPORTED, "家属持死亡证明", {"died_on": "2025-03-02"})
    assert view.state is State.ENDED_BY_DEATH
    with pytest.raises(IllegalEventError):
        kit.act(REVIEWER, case_id, Event.FILING_PASS)
    assert kit.payments.of_case(case_id) == []


def test_a_death_during_the_joint_items_stops_what_is_not_done_and_pays_nothing_more(kit: Kit) -> None:
    case_id = kit.submit()
    kit.departments.trouble["social_insurance"] = "dead"
    kit.reviewed(case_id)
    assert kit.state(case_id) == "joint_items"
    view = kit.act(CLERK, case_id, Event.DEATH_REPORTED, "家属报告")
    assert view.state is State.ENDED_BY_DEATH
    kit.departments.trouble.clear()
    kit.retry_until_given_up()
    assert kit.payments.of_case(case_id) == []
    assert "social_insurance.register_benefit" not in [key.partition(":")[2] for key in kit.departments.done()]


def test_a_death_after_the_benefit_is_registered_says_that_pay_is_to_be_stopped(kit: Kit) -> None:
    kit.departments.refusing["housing_fund.seal"] = "arrears"
    case_id = kit.submit()
    kit.reviewed(case_id)
    assert len(kit.payments.of_case(case_id)) == 1
    view = kit.act(CLERK, case_id, Event.DEATH_REPORTED, "家属报告")
    assert view.state is State.ENDED_BY_DEATH
    assert [reason.code for reason in view.reasons] == ["benefit_to_stop"]
    assert {item.status for item in view.items} == {"done", "stopped"}


def test_papers_are_asked_for_supplied_and_the_clock_stands_still_meanwhile(kit: Kit) -> None:
    kit.departments.say("police.household", UNKNOWN, "not_registered")
    kit.departments.say("police.alive", UNKNOWN, "not_registered")
    case_id = kit.submit()
    view = kit.act(OTHER_CLERK, case_id, Event.REQUEST_SUPPLEMENT, data={"papers": ["户口簿首页", "本人页"]})
    assert view.state is State.SUPPLEMENT
    assert view.papers_asked == ("户口簿首页", "本人页")
    assert "户口簿首页、本人页" in view.messages[0].text.chinese
    kit.working_days(4)
    view = kit.act(kit.citizen(), case_id, Event.SUPPLEMENT_RECEIVED, data={"papers": ["户口簿首页", "本人页"]})
    assert view.state is State.EXCEPTION
    days = {one.party: one.days for one in view.clock.parties}
    assert days["citizen"] == 4
    assert view.clock.counted == 0
    evidence = {"check": "police.household", "evidence": "户口簿"}
    assert kit.act(OTHER_CLERK, case_id, Event.ACCEPT_EVIDENCE, data=evidence).state is State.WINDOW_REVIEW


def test_papers_asked_for_at_the_review_lead_back_to_the_review(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.REQUEST_SUPPLEMENT, data={"papers": ["照片"]})
    view = kit.act(CLERK, case_id, Event.SUPPLEMENT_RECEIVED, data={"papers": ["照片"]})
    assert view.state is State.WINDOW_REVIEW


def test_papers_that_do_not_come_return_the_application_and_who_supplied_in_time_is_left_alone(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.REQUEST_SUPPLEMENT, data={"papers": ["照片"]})
    kit.act(CLERK, case_id, Event.SUPPLEMENT_RECEIVED, data={"papers": ["照片"]})
    kit.working_days(5)
    kit.act(OTHER_CLERK, case_id, Event.REQUEST_SUPPLEMENT, data={"papers": ["签名"]})
    kit.working_days(6)  # the first term has run out, the second hasn't
    assert kit.state(case_id) == "supplement"
    kit.working_days(5)
    view = kit.view(case_id)
    assert view.state is State.RETURNED
    assert view.messages[-1].kind == "returned"
    assert "补正逾期" in view.messages[-1].text.chinese


def test_a_returned_application_is_corrected_and_submitted_again(kit: Kit) -> None:
    case_id = kit.submit(wished_month="2025-03")
    assert kit.codes(case_id) == ["route_refused:not_the_lawful_month"]
    view = kit.act(OTHER_CLERK, case_id, Event.RETURN_APPLICATION, "退休年月应为 2025 年 2 月")
    assert view.state is State.RETURNED
    assert "退休年月应为" in view.messages[-1].text.chinese
    with pytest.raises(FormError):
        kit.act(CLERK, case_id, Event.RESUBMIT, data={"form": form_values(phone="1")})
    with pytest.raises(FormError) as other:
        kit.act(CLERK, case_id, Event.RESUBMIT, data={"form": form_values(identity_number=number("19650116"))})
    assert other.value.problems[0].code == "other_person"
    assert kit.state(case_id) == "returned"
    view = kit.act(CLERK, case_id, Event.RESUBMIT, data={"form": form_values()})
    assert view.state is State.WINDOW_REVIEW
    assert kit.reviewed(case_id).state is State.COMPLETED


def test_a_person_withdraws_and_may_apply_anew(kit: Kit) -> None:
    case_id = kit.submit(kit.citizen())
    with pytest.raises(AnotherCaseError):
        kit.submit(kit.citizen())
    view = kit.act(kit.citizen(), case_id, Event.WITHDRAW)
    assert view.state is State.WITHDRAWN
    again = kit.submit(kit.citizen())
    assert again != case_id
    assert kit.state(again) == "window_review"


def test_a_returned_case_is_not_taken_up_again_beside_a_new_one(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.RETURN_APPLICATION, "材料不符")
    kit.submit()
    with pytest.raises(GuardError) as refused:
        kit.act(CLERK, case_id, Event.RESUBMIT, data={"form": form_values()})
    assert refused.value.guard == "no_other_live_case"


def test_who_is_retired_already_does_not_apply_a_second_time(kit: Kit) -> None:
    kit.reviewed(kit.submit())
    with pytest.raises(AnotherCaseError):
        kit.submit()


def test_deemed_years_are_made_public_for_five_working_days(kit: Kit) -> None:
    kit.departments.record(deemed_months="24", pre_account_months="24")
    case_id = kit.submit()
    view = kit.view(case_id)
    assert view.state is State.PUBLIC_NOTICE
    (notice,) = view.notices
    assert (notice.starts_on.isoformat(), notice.ends_on.isoformat()) == ("2025-03-03", "2025-03-10")
    kit.working_days(5)
    assert kit.state(case_id) == "public_notice"  # the last day belongs to the notice
    kit.working_days(1)
    view = kit.view(case_id)
    assert view.state is State.WINDOW_REVIEW
    assert view.notices[0].closed
    assert view.clock.counted == 0  # the days of the notice don't count against the promise
    assert view.decision is not None
    assert view.decision["transitional"] > 0


def test_an_objection_is_judged_and_the_notice_runs_on(kit: Kit) -> None:
    kit.departments.record(deemed_months="24")
    case_id = kit.submit()
    kit.working_days(2)
    view = kit.act(OTHER_CLERK, case_id, Event.OBJECTION_RECEIVED, "职工来信称工龄不实")
    assert view.state is State.ARBITRATION
    assert [reason.code for reason in view.reasons] == ["notice_objection"]
    view = kit.act(
        REVIEWER, case_id, Event.ARBITRATED, "查阅原件无误", {"subject": "objection", "finding": "dismissed"}
    )
    assert view.state is State.PUBLIC_NOTICE
    assert view.notices[0].ends_on.isoformat() == "2025-03-10"
    assert view.notices[0].objections == 1
    kit.working_days(4)
    assert kit.state(case_id) == "window_review"


def test_an_objection_upheld_leads_to_a_return(kit: Kit) -> None:
    kit.departments.record(deemed_months="24")
    case_id = kit.submit()
    kit.act(OTHER_CLERK, case_id, Event.OBJECTION_RECEIVED, "工龄不实")
    view = kit.act(REVIEWER, case_id, Event.ARBITRATED, "原件系涂改", {"subject": "objection", "finding": "upheld"})
    assert view.state is State.EXCEPTION
    assert [reason.code for reason in view.reasons] == ["objection_upheld"]
    assert kit.act(REVIEWER, case_id, Event.RETURN_APPLICATION, "视同年限不予认定").state is State.RETURNED


def test_what_is_submitted_again_is_made_public_again(kit: Kit) -> None:
    kit.departments.record(deemed_months="24")
    case_id = kit.submit()
    kit.working_days(6)
    kit.act(OTHER_CLERK, case_id, Event.RETURN_APPLICATION, "银行账户有误")
    view = kit.act(CLERK, case_id, Event.RESUBMIT, data={"form": form_values()})
    assert view.state is State.PUBLIC_NOTICE
    assert view.notices[-1].starts_on == kit.clock.today()


def test_the_archive_and_the_number_differ_in_the_birth_date_and_a_reviewer_finds_it(kit: Kit) -> None:
    kit.departments.record(archive_birth_date="1964-11-15")
    case_id = kit.submit()
    assert kit.state(case_id) == "arbitration"
    with pytest.raises(GuardError):
        kit.act(REVIEWER, case_id, Event.ARBITRATED, "最早记载", {"subject": "birth_date", "finding": "1964-02-30"})
    finding = {"subject": "birth_date", "finding": "1964-11-15"}
    view = kit.act(REVIEWER, case_id, Event.ARBITRATED, "以档案最先记载为准", finding)
    assert view.state is State.WINDOW_REVIEW
    assert view.retirement_month == Month(2024, 11)
    assert kit.reviewed(case_id).state is State.COMPLETED
    months = {(one.month, one.kind) for one in kit.payments.of_case(case_id)}
    assert (Month(2024, 12), PaymentKind.BACK_PAY) in months


def test_a_missing_rule_is_approved_by_a_reviewer_only_and_pays_what_is_determined(kit: Kit) -> None:
    kit.departments.record(decided_as_of="2025-08-01")
    case_id = kit.submit(province="jilin", wished_month="2025-08")
    assert kit.codes(case_id) == ["parameter_missing:jilin.transitional_pension"]
    with pytest.raises(IllegalEventError):
        kit.act(OTHER_CLERK, case_id, Event.APPROVE_PROVISIONAL)
    view = kit.act(OTHER_REVIEWER, case_id, Event.APPROVE_PROVISIONAL, "先按已确定部分预发")
    assert view.state is State.WINDOW_REVIEW
    assert view.provisional
    view = kit.reviewed(case_id)
    assert view.state is State.COMPLETED
    assert view.decision is not None
    assert view.decision["total"] is None
    (payment,) = kit.payments.of_case(case_id)
    assert set(payment.parts) == {"basic", "account"}
    assert payment.amount.fen == view.decision["payable"] == view.decision["basic"] + view.decision["account"]
    assert "预发" in view.messages[0].text.chinese
    assert "过渡性养老金 待核定" in view.messages[0].text.chinese


def test_provisional_pay_is_not_for_anything_else(kit: Kit) -> None:
    kit.departments.trouble["police"] = "dead"
    case_id = kit.submit()
    kit.retry_until_given_up()
    with pytest.raises(GuardError) as refused:
        kit.act(REVIEWER, case_id, Event.APPROVE_PROVISIONAL)
    assert refused.value.guard == "only_parameter_missing"


def test_an_appeal_that_stands_decides_anew_and_pays_the_difference(kit: Kit) -> None:
    case_id = kit.submit()
    kit.reviewed(case_id)
    kit.departments.record(contribution_months="372")
    view = kit.act(kit.citizen(), case_id, Event.APPEAL, "少算一年")
    assert view.state is State.APPEAL
    with pytest.raises(GuardError) as refused:
        kit.act(REVIEWER, case_id, Event.APPEAL_UPHELD, "确有遗漏")
    assert refused.value.guard == "not_the_decider"
    kit.working_days(25)
    view = kit.act(OTHER_REVIEWER, case_id, Event.APPEAL_UPHELD, "确有遗漏")
    assert view.state is State.WINDOW_REVIEW
    with pytest.raises(GuardError) as refused:
        kit.act(REVIEWER, case_id, Event.RETURN_APPLICATION, "退回")
    assert refused.value.guard == "nothing_paid"
    view = kit.reviewed(case_id)
    assert view.state is State.COMPLETED
    payments = kit.payments.of_case(case_id)
    # Thirty-one years instead of thirty: 7265 × 0.9 × 31% = 2026.94, 65.39 a month more, for March and April.
    difference = next(one for one in payments if "appeal_difference" in one.parts)
    assert difference.amount == Money(2 * 6539)
    assert [one.kind for one in payments].count(PaymentKind.FIRST) == 1
    registered = kit.departments.done("social_insurance.register_benefit")
    assert registered == [
        f"{case_id}:social_insurance.register_benefit",
        f"{case_id}:social_insurance.register_benefit:2",
    ]
    assert len(kit.departments.done("housing_fund.withdraw")) == 1
    # What the appeal added is filed as a further part; the first volume stays as it was.
    parts = [kit.volumes.of_case(case_id, part) for part in (1, 2, 3)]
    assert parts[0] is not None
    assert parts[1] is not None
    assert parts[2] is None
    assert view.volume_id == parts[1].archival_code != parts[0].archival_code
    assert kit.volumes.verify(parts[0].archival_code).intact
    assert kit.volumes.verify(parts[1].archival_code).intact


@pytest.mark.parametrize("end", ["returned", "completed", "ended_by_death"])
def test_an_appeal_that_fails_leads_back_to_where_it_came_from(kit: Kit, end: str) -> None:
    case_id = kit.submit()
    if end == "returned":
        kit.act(OTHER_CLERK, case_id, Event.RETURN_APPLICATION, "不符")
    elif end == "completed":
        kit.reviewed(case_id)
    else:
        kit.act(CLERK, case_id, Event.DEATH_REPORTED, "误报")
    kit.act(CLERK, case_id, Event.APPEAL, "不服")
    assert kit.act(OTHER_REVIEWER, case_id, Event.APPEAL_DISMISSED, "理由不成立").state.value == end


def test_a_death_recorded_by_mistake_is_appealed_and_the_case_taken_up_again(kit: Kit) -> None:
    case_id = kit.submit()
    kit.act(CLERK, case_id, Event.DEATH_REPORTED, "误报")
    kit.act(kit.citizen(), case_id, Event.APPEAL, "本人健在")
    view = kit.act(REVIEWER, case_id, Event.APPEAL_UPHELD, "本人到场")
    assert view.state is State.WINDOW_REVIEW


def test_a_form_that_is_submitted_is_that_of_the_case(kit: Kit) -> None:
    case_id = kit.submit()
    assert kit.office.view(CLERK, case_id).person["name"] == form().name
