"""The exchange on the JSON API: what programs of several departments do with it, and what each may not."""

from datetime import date
from typing import Any

import httpx
import msgspec
import pytest
from exchange_matters import agree_on_matches, match_agreement
from web_deployment import Browser, Deployment, Program


@pytest.fixture
def steward(client: httpx.Client) -> Program:
    """A program of the social insurance department's steward."""
    return Program(client, "steward1")


def _demand(**changed: Any) -> dict[str, Any]:
    terms = {
        "consumer": "social_insurance",
        "provider": "police",
        "purposes": ["retirement"],
        "legal_basis": "政务数据共享条例（示例）",
        "kind": "check",
        "frequency": "daily",
        "valid_from": date(2025, 9, 15).isoformat(),
        "resource": "police.household",
        "elements": ["identity_number", "name"],
    }
    return {"terms": {**terms, **changed}, "note": "联办核验需要"}


def test_catalogue_is_found_by_word_and_told_whole(steward: Program) -> None:
    found = steward.get("/api/v1/catalogue?text=户籍&provider=police")["entries"]
    assert "police.household" in {one["resource"] for one in found}
    entry = steward.get("/api/v1/catalogue/police.household")
    assert entry["title"]["chinese"]
    versions = steward.get("/api/v1/catalogue/police.household/versions")["versions"]
    assert [one["version"] for one in versions] == [0]
    duties = steward.get("/api/v1/catalogue/gaps")["duties"]
    assert {"green", "yellow", "red"} >= {one["light"] for one in duties}


@pytest.mark.parametrize(("file_format", "start"), [("xlsx", b"PK"), ("xml", b"<?xml"), ("json", b"{")])
def test_catalogue_is_taken_along_as_a_file(
    client: httpx.Client, steward: Program, file_format: str, start: bytes
) -> None:
    answer = client.get(f"/api/v1/catalogue/export/{file_format}", headers=steward.headers)
    assert answer.status_code == 200
    assert answer.content.lstrip().startswith(start)


def test_demand_raised_twice_is_one_and_the_provider_answers_it(client: httpx.Client, steward: Program) -> None:
    raised = steward.post("/api/v1/demands", _demand(), 201)
    again = steward.post("/api/v1/demands", _demand(), 201)
    assert again["demand_id"] == raised["demand_id"]
    path = f"/api/v1/demands/{raised['demand_id']}"
    police = Program(client, "police1")
    accepted = police.post(f"{path}/events", {"event": "accept", "note": "材料齐全"})
    assert accepted["standing"]["state"] == "answer"
    minimal = client.post(
        f"{path}/events", json={"event": "approve"}, headers=police.headers | {"prefer": "return=minimal"}
    )
    assert minimal.json() == {"state": "signing"}
    assert steward.get(f"{path}/draft")["resource"] == "police.household"
    late = client.post(f"{path}/events", json={"event": "accept"}, headers=police.headers)
    assert (late.status_code, late.json()["code"]) == (409, "sharing.illegal_event")


def test_demand_of_others_is_as_if_it_were_not(client: httpx.Client, steward: Program) -> None:
    raised = steward.post("/api/v1/demands", _demand(elements=["name"]), 201)
    health = Program(client, "health1")
    answer = client.get(f"/api/v1/demands/{raised['demand_id']}", headers=health.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "sharing.unknown")
    assert raised["demand_id"] not in {one["demand_id"] for one in health.get("/api/v1/demands")["demands"]}
    foreign = client.post("/api/v1/demands", json=_demand(), headers=health.headers)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "sharing.not_permitted")


def test_agreement_is_shown_to_its_sides_alone(client: httpx.Client, steward: Program) -> None:
    known = steward.get("/api/v1/agreements?state=in_force")["agreements"]
    police = next(one["agreement"] for one in known if one["agreement"]["provider"] == "police")
    life = Program(client, "police1").get(f"/api/v1/agreements/{police['agreement_id']}")
    assert life["versions"][-1]["state"] == "in_force"
    answer = client.get(f"/api/v1/agreements/{police['agreement_id']}", headers=Program(client, "health1").headers)
    assert answer.status_code == 404
    forged = client.post("/api/v1/agreements", json={"envelope": "{}"}, headers=steward.headers)
    assert 400 <= forged.status_code < 500


def test_roll_is_answered_line_by_line_masked_and_resumed_under_its_name(
    deployment: Deployment, window: Program
) -> None:
    people = [deployment.person() for _ in range(3)]
    roll = {
        "resource": "police.alive",
        "purpose": "retirement",
        "case_id": "PL-2025-01",
        "subjects": [*(one.number for one in people), "130102196508090031"],
        "run": "核验-2025-09-15",
    }
    answered = window.post("/api/v1/verifications", roll)
    assert len(answered["lines"]) == 4
    assert [one["answered"] for one in answered["lines"]] == [True, True, True, False], answered
    assert answered["lines"][3]["reason"] == "subject_invalid"
    assert not any(one.number in str(answered) for one in people)
    again = window.post("/api/v1/verifications", roll)
    assert [one["batch_id"] for one in again["lines"][:3]] == [one["batch_id"] for one in answered["lines"][:3]]
    looks = deployment.services.looks.of_subject(deployment.services.subject_index(people[0].number))
    assert "police.alive" in {one.what for one in looks}


def test_roll_that_no_policy_permits_brings_nothing(deployment: Deployment, window: Program) -> None:
    roll = {
        "resource": "police.alive",
        "purpose": "curiosity",
        "case_id": "x",
        "subjects": [deployment.person().number],
    }
    answered = window.post("/api/v1/verifications", roll)
    assert [one["answered"] for one in answered["lines"]] == [False]
    assert answered["lines"][0]["fields"] == {}


def test_too_long_a_roll_and_one_with_a_short_column_are_refused(client: httpx.Client, window: Program) -> None:
    roll: dict[str, Any] = {"resource": "police.alive", "purpose": "retirement", "case_id": "x"}
    for changed in ({"subjects": ["1"] * 10_001}, {"subjects": ["1", "2"], "claims": {"name": ["王"]}}):
        answer = client.post("/api/v1/verifications", json={**roll, **changed}, headers=window.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "web.form")


def test_match_is_left_to_policy_and_names_the_place_of_a_bad_number(client: httpx.Client, window: Program) -> None:
    asked = {"resource": "health.death_match", "purpose": "retirement", "case_id": "x", "subjects": ["13"]}
    answer = client.post("/api/v1/matches", json=asked, headers=window.headers)
    assert (answer.status_code, answer.json()["element"]) == (422, "subjects[0]")


def test_events_are_read_on_from_the_cursor(steward: Program) -> None:
    first = steward.get("/api/v1/events?after=0&limit=2")
    assert first["cursor"] >= 0
    assert steward.get(f"/api/v1/events?after={2**53 - 1}") == {"events": [], "cursor": 2**53 - 1}
    assert steward.get("/api/v1/events/streams")["streams"] is not None


def test_dead_letter_is_revived_by_who_keeps_the_system_alone(client: httpx.Client) -> None:
    named = {"handler": "nobody", "number": 1}
    answers = [
        client.post("/api/v1/events/dead-letters/revivals", json=named, headers=Program(client, user).headers)
        for user in ("steward1", "system1")
    ]
    assert [one.status_code for one in answers] == [403, 404]


def test_copy_that_no_agreement_covers_is_not_pulled(client: httpx.Client, steward: Program) -> None:
    answer = client.post("/api/v1/lots/pull", json={"resource": "police.nothing"}, headers=steward.headers)
    assert answer.status_code == 404


def test_rows_are_shown_for_a_purpose_or_not_at_all(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    asked = {"resource": "health.death_table", "purpose": "curiosity", "identity_number": deployment.person().number}
    answer = client.post("/api/v1/rows", json=asked, headers=window.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "exchange.not_permitted")
    bad = client.post("/api/v1/rows", json={**asked, "identity_number": "1.30102E+17"}, headers=window.headers)
    assert (bad.status_code, bad.json()["element"]) == (422, "identity_number")


def test_correction_of_what_was_never_received_is_refused(deployment: Deployment, client: httpx.Client) -> None:
    claim = {
        "resource": "police.household",
        "identity_number": deployment.person().number,
        "element": "name",
        "believed": "王建国",
        "origin": "verdict",
        "reference": "g-nowhere",
        "note": "与本人证件不符",
    }
    answer = client.post("/api/v1/corrections", json=claim, headers=Program(client, "corrector1").headers)
    assert (answer.status_code, answer.json()["element"]) == (422, "reference")
    assert claim["identity_number"] not in answer.text


def test_two_departments_are_matched_only_as_role_and_agreements_permit(
    deployment: Deployment, client: httpx.Client, steward: Program, window: Program, browser: Browser
) -> None:
    sides = [match_agreement(department) for department in ("police", "housing_fund")]
    asked = {"first": sides[0].resource, "second": sides[1].resource, "purpose": "supervision", "case_id": "JC-1"}

    def sent(program: Program, **changes: Any) -> tuple[int, str]:
        answer = client.post("/api/v1/matches/between", json=asked | changes, headers=program.headers)
        return answer.status_code, answer.json()["code"]

    assert sent(steward) == (403, "matching.not_permitted")  # no agreement yet
    agree_on_matches(deployment, sides)
    assert sent(window, size_only=True) == (403, "matching.not_permitted")
    assert sent(steward, size_only=False) == (403, "matching.not_permitted")
    assert steward.get("/api/v1/matches")["matches"] == []
    # Permitted and asked; these departments' gateways offer no set, and say so.
    status, code = sent(steward)
    assert status >= 400
    assert code.startswith("matching.")
    (row,) = steward.get("/api/v1/matches")["matches"]
    assert (row["resource"], row["other"], row["state"]) == (sides[0].resource, sides[1].resource, "failed")
    assert Program(client, "health1").get("/api/v1/matches")["matches"] == []
    page = browser.sign_in("steward1").open("/exchange/matches").text
    assert "未完成" in page
    assert code in page
    assert browser.open("/exchange").send("/sign-out").sign_in("health1").open("/exchange/matches").status == 200
    assert code not in browser.text


def test_investigator_may_match_for_supervision_and_for_nothing_else(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    sides = [
        msgspec.structs.replace(match_agreement(department), fields=("identity_number",))
        for department in ("justice", "medical_insurance")
    ]
    agree_on_matches(deployment, sides)
    single = {"resource": sides[0].resource, "case_id": "JC-2", "subjects": [deployment.person().number]}
    between = {"first": sides[0].resource, "second": sides[1].resource, "case_id": "JC-3"}
    investigator = Program(client, "investigator1")

    def sent(program: Program, path: str, asked: dict[str, Any], **changes: Any) -> tuple[int, str]:
        body = {**asked, "purpose": "supervision", **changes}
        answer = client.post(f"/api/v1/{path}", json=body, headers=program.headers)
        return answer.status_code, answer.json()["code"]

    for path, asked in (("matches", single), ("matches/between", between)):
        for size_only in (True, False):
            # Permitted and asked; these departments' gateways offer no set, and say so.
            _status, code = sent(investigator, path, asked, size_only=size_only)
            assert code.startswith("matching."), (path, size_only)
            assert code != "matching.not_permitted", (path, size_only)
            assert sent(window, path, asked, size_only=size_only) == (403, "matching.not_permitted")
            assert sent(investigator, path, asked, size_only=size_only, purpose="retirement")[0] == 403
    asked_for = [one.resource for one in deployment.services.matches.latest(limit=50)]
    assert asked_for.count(sides[0].resource) == 4


def test_joint_meeting_decides_on_a_refused_demand_over_the_interface(client: httpx.Client, steward: Program) -> None:
    wanted = {"resource": "police.household_confirm", "kind": "action", "elements": ["identity_number"]}
    raised = steward.post("/api/v1/demands", _demand(**wanted), 201)
    path = f"/api/v1/demands/{raised['demand_id']}/events"
    police, leader = Program(client, "police1"), Program(client, "leader1")
    police.post(path, {"event": "accept"})
    police.post(path, {"event": "refuse", "note": "暂不提供", "data": {"law": "政务数据共享条例（示例）"}})
    steward.post(path, {"event": "dispute", "note": "业务必需"})
    decided = {"event": "decide_to_share", "note": "应当共享", "data": {"meeting": "联席会议纪要2025-3"}}
    assert client.post(path, json=decided, headers=police.headers).status_code == 403
    without = client.post(path, json={"event": "decide_to_share"}, headers=leader.headers)
    assert (without.status_code, without.json()["code"]) == (422, "sharing.guard")
    assert leader.post(path, decided)["standing"]["state"] == "answer"
