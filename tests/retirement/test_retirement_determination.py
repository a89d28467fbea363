"""What follows from the checks, branch by branch: a pure function over form, verdicts and findings."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from kit import form, number

from huodang.exchange import Outcome
from huodang.retirement import Branch, CheckResult, CheckStatus, Circumstances, Determination, determine
from huodang.standards import Month

TODAY = date(2025, 3, 3)
AS_OF = datetime(2025, 3, 1, tzinfo=UTC)
RECORD = {
    "contribution_months": "360",
    "deemed_months": "0",
    "pre_account_months": "0",
    "average_index": "0.8",
    "account_amount": "8000000",
}
CLEAR: dict[str, tuple[Outcome, str, dict[str, str]]] = {
    "police.household": (Outcome.CLEAR, "matches", {}),
    "police.alive": (Outcome.CLEAR, "alive", {}),
    "health.death": (Outcome.CLEAR, "no_record", {}),
    "justice.custody": (Outcome.CLEAR, "no_record", {}),
    "social_insurance.enrolment": (Outcome.CLEAR, "no_record", {}),
    "social_insurance.benefits": (Outcome.CLEAR, "no_record", {}),
    "social_insurance.contributions": (Outcome.CLEAR, "matches", RECORD),
    "medical_insurance.years": (Outcome.CLEAR, "matches", {}),
    "housing_fund.account": (Outcome.CLEAR, "matches", {}),
}
CONTRIBUTIONS = "social_insurance.contributions"


def result(resource: str, outcome: Outcome, reason: str, **fields: str) -> CheckResult:
    return CheckResult(resource, CheckStatus.ANSWERED, outcome, reason, AS_OF, fields)


def silent(resource: str, why: str = "unreachable") -> CheckResult:
    return CheckResult(resource, CheckStatus.UNANSWERED, reason=why)


def accepted(resource: str, outcome: Outcome = Outcome.UNKNOWN, reason: str = "", **fields: str) -> CheckResult:
    return CheckResult(
        resource, CheckStatus.ANSWERED, outcome, reason, AS_OF, fields, accepted_evidence="原件", accepted_by="clerk1"
    )


def record(**fields: str) -> CheckResult:
    return result(CONTRIBUTIONS, Outcome.CLEAR, "matches", **{**RECORD, **fields})


def weigh(
    *changed: CheckResult, case: Circumstances | None = None, today: date = TODAY, **fields: Any
) -> Determination:
    results = {name: result(name, outcome, reason, **more) for name, (outcome, reason, more) in CLEAR.items()}
    results |= {one.resource: one for one in changed}
    return determine(form(**fields), results, today, case or Circumstances(findings={}))


@dataclass
class Scenario:
    """One line of the table: what differs from an ordinary case, and what follows."""

    name: str
    branch: Branch
    reasons: list[str]
    changed: list[CheckResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)


HIT, CONFLICT, UNKNOWN = Outcome.HIT, Outcome.CONFLICT, Outcome.UNKNOWN
BORN_OTHER = record(archive_birth_date="1964-11-15")

SCENARIOS = [
    Scenario("all clear", Branch.CLEAR, []),
    Scenario(
        "both say dead",
        Branch.DEAD,
        ["died"],
        [
            result("police.alive", HIT, "death_registered", death_date="2025-02-01"),
            result("health.death", HIT, "death_certified", death_date="2025-02-01"),
        ],
    ),
    Scenario(
        "the household register and health say dead",
        Branch.DEAD,
        ["died"],
        [result("police.household", HIT, "death_registered"), result("health.death", HIT, "death_certified")],
    ),
    Scenario(
        "police say dead and health knows nothing of it",
        Branch.CONFLICTING,
        ["conflicting_evidence:alive"],
        [result("police.alive", HIT, "death_registered")],
    ),
    Scenario(
        "health says dead and police say alive",
        Branch.CONFLICTING,
        ["conflicting_evidence:alive"],
        [result("health.death", HIT, "death_certified")],
    ),
    Scenario(
        "police say dead and health is silent",
        Branch.EXCEPTION,
        ["death_unconfirmed", "health.death:timeout"],
        [result("police.alive", HIT, "death_registered"), silent("health.death", "timeout")],
    ),
    Scenario(
        "found alive in arbitration",
        Branch.CLEAR,
        [],
        [result("police.alive", HIT, "death_registered")],
        findings={"alive": "alive"},
    ),
    Scenario(
        "found dead in arbitration",
        Branch.DEAD,
        ["died"],
        [result("health.death", HIT, "death_certified")],
        findings={"alive": "dead"},
    ),
    Scenario(
        "in prison",
        Branch.EXCEPTION,
        ["custody_prison"],
        [result("justice.custody", HIT, "imprisonment", sentence_type="prison")],
    ),
    Scenario(
        "detained before judgment",
        Branch.EXCEPTION,
        ["custody_detained"],
        [result("justice.custody", HIT, "detained", sentence_type="detention")],
    ),
    Scenario(
        "on probation",
        Branch.CLEAR,
        [],
        [result("justice.custody", HIT, "probation", sentence_type="probation")],
        ["custody_paid:probation"],
    ),
    Scenario(
        "a sentence of an unknown kind",
        Branch.EXCEPTION,
        ["custody_unclear"],
        [result("justice.custody", HIT, "something")],
    ),
    Scenario(
        "serving outside, by the court's papers",
        Branch.CLEAR,
        [],
        [accepted("justice.custody", HIT, "imprisonment", sentence_type="prison")],
        ["evidence_accepted:原件"],
    ),
    Scenario(
        "enrolled in the residents' scheme too",
        Branch.EXCEPTION,
        ["duplicate_enrolment:170"],
        [result("social_insurance.enrolment", HIT, "enrolled_residents", scheme="170")],
    ),
    Scenario(
        "draws a residents' pension already",
        Branch.EXCEPTION,
        ["duplicate_benefits:170"],
        [result("social_insurance.benefits", HIT, "benefit_in_payment", scheme="170")],
    ),
    Scenario(
        "renamed",
        Branch.EXCEPTION,
        ["household_conflict:renamed"],
        [result("police.household", CONFLICT, "renamed")],
    ),
    Scenario(
        "renamed, with the booklet",
        Branch.CLEAR,
        [],
        [accepted("police.household", CONFLICT, "renamed")],
        ["evidence_accepted:原件"],
    ),
    Scenario(
        "the register has another birth date",
        Branch.CONFLICTING,
        ["birth_date_conflict"],
        [result("police.household", CONFLICT, "birth_date_differs")],
    ),
    Scenario("the archive has another birth date", Branch.CONFLICTING, ["birth_date_conflict"], [BORN_OTHER]),
    Scenario(
        "two birth dates and two opinions on life at once",
        Branch.CONFLICTING,
        ["conflicting_evidence:alive", "birth_date_conflict"],
        [BORN_OTHER, result("health.death", HIT, "death_certified")],
    ),
    Scenario(
        "the birth date as found",
        Branch.CLEAR,
        [],
        [BORN_OTHER],
        ["birth_date_as_found"],
        findings={"birth_date": "1964-11-15"},
    ),
    Scenario(
        "not registered",
        Branch.EXCEPTION,
        ["household_unknown"],
        [
            result("police.household", UNKNOWN, "not_registered"),
            result("police.alive", UNKNOWN, "not_registered"),
        ],
    ),
    Scenario(
        "not registered, with the booklet",
        Branch.CLEAR,
        [],
        [accepted("police.household", UNKNOWN, "not_registered"), result("police.alive", UNKNOWN, "not_registered")],
        ["evidence_accepted:原件"],
    ),
    Scenario("police unreachable", Branch.EXCEPTION, ["police.alive:unreachable"], [silent("police.alive")]),
    Scenario(
        "several departments silent: all are named",
        Branch.EXCEPTION,
        ["police.household:unreachable", "police.alive:unreachable", "justice.custody:garbage"],
        [silent("police.household"), silent("police.alive"), silent("justice.custody", "garbage")],
    ),
    Scenario(
        "no contribution record",
        Branch.EXCEPTION,
        ["social_insurance.contributions:timeout"],
        [silent(CONTRIBUTIONS, "timeout")],
    ),
    Scenario(
        "the record lacks the account",
        Branch.EXCEPTION,
        ["record_incomplete:account_amount"],
        [record(account_amount="")],
    ),
    Scenario(
        "the record holds nonsense",
        Branch.EXCEPTION,
        ["record_malformed:average_index"],
        [record(average_index="NaN")],
    ),
    Scenario(
        "the record has neither index nor wage",
        Branch.EXCEPTION,
        ["record_incomplete:average_index"],
        [record(average_index="")],
    ),
    Scenario(
        "another name in the archive",
        Branch.EXCEPTION,
        ["archive_name_differs"],
        [record(archive_name="张国建")],
    ),
    Scenario("another sex in the archive", Branch.EXCEPTION, ["archive_sex_differs"], [record(archive_sex="2")]),
    Scenario("years short", Branch.EXCEPTION, ["years_short:20"], [record(contribution_months="160")]),
    Scenario(
        "deemed years count, and need a notice",
        Branch.NOTICE,
        [],
        [record(contribution_months="160", deemed_months="30")],
        ["notice_deemed_years"],
    ),
    Scenario(
        "still far from the age",
        Branch.EXCEPTION,
        ["age_not_reached:2027-01"],
        form={"identity_number": number("19660815")},
    ),
    Scenario(
        "next month's age is near enough",
        Branch.CLEAR,
        [],
        form={"identity_number": number("19650315")},
    ),
    Scenario(
        "another month than the lawful one, by the normal route",
        Branch.EXCEPTION,
        ["route_refused:not_the_lawful_month"],
        form={"wished_month": "2025-03"},
    ),
    Scenario(
        "flexible early with notice in time",
        Branch.CLEAR,
        [],
        form={
            "identity_number": number("19650415"),
            "route": "flexible_early",
            "wished_month": "2025-04",
            "notice_given_on": "2025-01-10",
        },
    ),
    Scenario(
        "flexible early with notice too late",
        Branch.EXCEPTION,
        ["route_refused:notice_too_late"],
        form={
            "identity_number": number("19650415"),
            "route": "flexible_early",
            "wished_month": "2025-04",
            "notice_given_on": "2025-03-01",
        },
    ),
    Scenario(
        "special early retirement needs a notice",
        Branch.NOTICE,
        [],
        [record(special_trade_months="130")],
        ["notice_special_early"],
        form={
            "identity_number": number("19700115"),
            "route": "special_early",
            "wished_month": "2025-03",
            "special_trade_months": "130",
        },
    ),
    Scenario(
        "more months in a special trade than on record",
        Branch.EXCEPTION,
        ["special_trade_differs"],
        [record(special_trade_months="125")],
        form={
            "identity_number": number("19700115"),
            "route": "special_early",
            "wished_month": "2025-03",
            "special_trade_months": "130",
        },
    ),
    Scenario(
        "too few months in a special trade of an unknown kind",
        Branch.EXCEPTION,
        ["route_refused:trade_too_short"],
        [record(special_trade_months="110")],
        form={
            "identity_number": number("19700115"),
            "route": "special_early",
            "wished_month": "2025-03",
            "special_trade_months": "110",
        },
    ),
    Scenario(
        "a worker's post applied for by a manager",
        Branch.EXCEPTION,
        ["category_differs"],
        [record(work_category="cadre")],
        form={"identity_number": number("19750115", order=14), "category": "female50", "name": "李秀英"},
    ),
    Scenario(
        "medical years short is a note only",
        Branch.CLEAR,
        [],
        [result("medical_insurance.years", HIT, "years_short", medical_months="280")],
        ["medical_years_short:280"],
    ),
    Scenario(
        "medical insurance and housing fund silent hold nobody up",
        Branch.CLEAR,
        [],
        [silent("medical_insurance.years"), silent("housing_fund.account", "timeout")],
        ["medical_not_answered:unreachable", "housing_not_answered:timeout"],
    ),
    Scenario(
        "no housing-fund account",
        Branch.CLEAR,
        [],
        [result("housing_fund.account", Outcome.CLEAR, "no_account")],
        ["no_housing_account"],
    ),
    Scenario(
        "housing-fund arrears are a note",
        Branch.CLEAR,
        [],
        [result("housing_fund.account", HIT, "arrears")],
        ["housing_arrears"],
    ),
    Scenario(
        "a check refused in arbitration",
        Branch.EXCEPTION,
        ["finding_against"],
        [result("police.household", CONFLICT, "name_differs")],
        findings={"police.household": "refused"},
    ),
    Scenario(
        "an objection upheld",
        Branch.EXCEPTION,
        ["objection_upheld"],
        findings={"objection": "upheld"},
    ),
    Scenario(
        "a province whose transitional rule isn't known",
        Branch.EXCEPTION,
        ["parameter_missing:jilin.transitional_pension"],
        [record(decided_as_of="2025-08")],
        ["as_decided:2025-08"],
        form={"province": "jilin", "wished_month": "2025-08"},
    ),
    Scenario(
        "a province without parameters",
        Branch.EXCEPTION,
        ["rules_missing:atlantis.*"],
        form={"province": "atlantis"},
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_what_follows_from_the_checks(scenario: Scenario) -> None:
    found = weigh(*scenario.changed, case=Circumstances(findings=scenario.findings), **scenario.form)
    told = [reason.code for reason in found.reasons]
    assert (found.branch, told) == (scenario.branch, scenario.reasons), [note.code for note in found.notes]
    for note in scenario.notes:
        assert note in [one.code for one in found.notes]
    for reason in (*found.reasons, *found.notes):
        assert reason.sentence("zh")
        assert reason.sentence("en")
        assert "{" not in reason.sentence("zh") + reason.sentence("en") + reason.advice("zh") + reason.advice("en")
    for reason in found.reasons:
        assert reason.ways or reason.kind == "died"


def test_the_day_of_death_is_the_departments_own() -> None:
    found = weigh(
        result("police.alive", HIT, "death_registered", death_date="2025-02-03"),
        result("health.death", HIT, "death_certified", death_date="2025-02-01"),
    )
    assert found.died_on == date(2025, 2, 1)
    assert found.proposal is None


def test_no_single_silence_or_hit_ever_ends_a_case() -> None:
    for resource in CLEAR:
        for outcome in (HIT, CONFLICT, UNKNOWN):
            assert weigh(result(resource, outcome, "whatever")).branch is not Branch.DEAD
        assert weigh(silent(resource)).branch is not Branch.DEAD


def test_a_check_that_was_never_asked_is_not_clear() -> None:
    found = determine(form(), {}, TODAY, Circumstances(findings={}))
    assert found.branch is Branch.EXCEPTION
    assert "police.alive:not_asked" in [reason.code for reason in found.reasons]


def test_the_archives_birth_date_governs_once_it_is_found() -> None:
    found = weigh(BORN_OTHER, case=Circumstances(findings={"birth_date": "1964-11-15"}))
    assert found.proposal is not None
    # Born before 1965 a man has no delay: sixty years to the month.
    assert found.proposal.retirement_month == Month(2024, 11)
    assert found.proposal.age_months == 720


def test_a_notice_that_has_run_its_term_leads_on_to_the_review() -> None:
    deemed = record(deemed_months="24")
    assert weigh(deemed).branch is Branch.NOTICE
    assert weigh(deemed, case=Circumstances(findings={}, notice_over=True)).branch is Branch.CLEAR


def test_an_approval_of_provisional_pay_covers_the_missing_parameter_and_nothing_else() -> None:
    case = Circumstances(findings={}, provisional_approved=True)
    jilin = {"province": "jilin", "wished_month": "2025-08"}
    found = weigh(record(decided_as_of="2025-08"), case=case, **jilin)
    assert found.branch is Branch.CLEAR
    assert found.proposal is not None
    assert found.proposal.total is None
    assert found.proposal.payable == found.proposal.basic + found.proposal.account
    assert "provisional_parts" in [note.code for note in found.notes]
    also_dead = weigh(record(decided_as_of="2025-08"), silent("police.alive"), case=case, **jilin)
    assert also_dead.branch is Branch.EXCEPTION


def test_the_clerk_of_another_employer_is_noticed() -> None:
    found = weigh(record(employer_code="E2"), case=Circumstances(findings={}, employer="E1"))
    assert [reason.code for reason in found.reasons] == ["employer_differs"]
    assert weigh(record(employer_code="E1"), case=Circumstances(findings={}, employer="E1")).branch is Branch.CLEAR


def test_the_benefit_that_this_case_registered_is_no_duplicate() -> None:
    drawn = result("social_insurance.benefits", HIT, "benefit_in_payment", scheme="110")
    assert weigh(drawn).branch is Branch.EXCEPTION
    assert weigh(drawn, case=Circumstances(findings={}, own_benefit=True)).branch is Branch.CLEAR


# Two statements that Hebei really issued (cases hebei/2 and hebei/7 of the public collection), figures in yuan.
# Both retired at fifty (195 payout months), so they were born in the month fifty years before.
STATEMENTS = [
    ("2023-02", "19730215", "female50", "30.67", "3.5", "0.7737", "529907", "8985024", "1862.91", "460.77", "241.11"),
    ("2025-12", "19751215", "female50", "22.42", "1.83", "0.6667", "", "5207755", "1384.46", "267.06", "117.53"),
]


@pytest.mark.parametrize("statement", STATEMENTS, ids=["hebei/2", "hebei/7"])
def test_a_statement_that_was_really_issued_comes_out_again(statement: tuple[Any, ...]) -> None:
    month, born, category, years, before, index, wage, account, basic, account_part, transitional = statement
    found = weigh(
        record(
            credited_years=years,
            credited_pre_account_years=before,
            average_index=index,
            indexed_wage=wage,
            account_amount=account,
            decided_as_of=month,
        ),
        today=date(2026, 3, 2),
        identity_number=number(born, order=22),
        name="刘玉兰",
        category=category,
        wished_month=month,
    )
    assert found.proposal is not None
    assert found.proposal.basic.text == basic
    assert found.proposal.transitional is not None
    assert found.proposal.transitional.text == transitional
    assert found.proposal.account.text == account_part
    assert found.proposal.total == found.proposal.basic + found.proposal.account + found.proposal.transitional
    assert found.branch is Branch.CLEAR
