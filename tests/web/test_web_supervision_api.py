"""Supervision on the JSON API: a clue from hand to hand, who is paid, what is recovered, and what each may not."""

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from schemathesis import BaseSchema
from schemathesis.specs.openapi.checks import response_schema_conformance
from supervision_matters import dead_payee, pay
from web_deployment import Deployment, Program

from huodang.standards import Month
from huodang.web.api_description import description_of

LAW = {"fact_from": "2025-07-03", "law": "社会保险经办条例"}


@pytest.fixture
def investigator(client: httpx.Client) -> Program:
    return Program(client, "investigator1")


@pytest.fixture
def reviewer(client: httpx.Client) -> Program:
    return Program(client, "reviewer1")


@pytest.fixture(scope="module")
def api(deployment: Deployment) -> BaseSchema:
    return schemathesis.openapi.from_dict(description_of(deployment.hub))


def _confirmed(deployment: Deployment, investigator: Program, reviewer: Program) -> tuple[str, str]:
    clue, number = dead_payee(deployment)
    pay(deployment, number, (Month(2025, 7), Month(2025, 8), Month(2025, 9)))
    events = f"/api/v1/clues/{clue}/events"
    investigator.post(events, {"event": "take"})
    investigator.post(events, {"event": "confirm", "note": "死亡证明已核对", "data": LAW})
    reviewer.post(events, {"event": "approve"})
    return clue, number


def test_clue_is_listed_taken_and_confirmed_by_two_programs(
    deployment: Deployment, client: httpx.Client, investigator: Program, reviewer: Program
) -> None:
    clue, number = dead_payee(deployment)
    before = investigator.get("/api/v1/clues/counts")
    rows = investigator.get("/api/v1/clues?matter=death&limit=500")["clues"]
    assert clue in {one["clue_id"] for one in rows}
    assert number not in str(rows)
    assert sum(before["by_state"].values()) >= len(rows)
    path = f"/api/v1/clues/{clue}"
    taken = investigator.post(f"{path}/events", {"event": "take"})
    assert taken["row"]["state"] == "verifying"
    assert clue in {one["clue_id"] for one in investigator.get("/api/v1/clues?mine=true")["clues"]}
    confirm = next(one for one in taken["may"] if one["event"] == "confirm")
    assert set(LAW) <= set(confirm["needs"])
    lacking = client.post(f"{path}/events", json={"event": "confirm", "note": "已核对"}, headers=investigator.headers)
    assert (lacking.status_code, lacking.json()["code"]) == (422, "clue.guard")
    minimal = client.post(
        f"{path}/events",
        json={"event": "confirm", "note": "死亡证明已核对", "data": LAW},
        headers=investigator.headers | {"prefer": "return=minimal"},
    )
    assert minimal.json() == {"state": "proposed"}
    assert reviewer.post(f"{path}/events", {"event": "approve"})["row"]["outcome"] == "confirmed"
    again = client.post(f"{path}/events", json={"event": "approve"}, headers=reviewer.headers)
    assert (again.status_code, again.json()["code"]) == (409, "clue.illegal_event")


def test_evidence_is_opened_masked_and_the_person_finds_the_looks(
    deployment: Deployment, investigator: Program
) -> None:
    clue, number = dead_payee(deployment)
    before = len(_looks(deployment, number))
    (opened,) = investigator.get(f"/api/v1/clues/{clue}/evidence")["evidence"]
    assert opened["shown"]["month"] == "202508"
    assert number not in str(opened)
    assert "赵建国" not in str(opened)
    assert len(_looks(deployment, number)) == before + 1


def test_what_the_person_was_told_of_a_confirmed_death_can_be_read(
    deployment: Deployment, investigator: Program, reviewer: Program
) -> None:
    clue, _ = _confirmed(deployment, investigator, reviewer)
    notices = investigator.get(f"/api/v1/clues/{clue}/notices")["notices"]
    assert notices
    assert all({"title", "what", "why", "next", "object"} == set(one["parts"]) for one in notices)
    assert all(len(words) == 2 and all(words) for one in notices for words in one["parts"].values())


def test_clue_of_nobody_is_not_found_and_closed_roles_are_refused(
    deployment: Deployment, client: httpx.Client, investigator: Program
) -> None:
    clue, _ = dead_payee(deployment)
    absent = client.get("/api/v1/clues/nonesuch", headers=investigator.headers)
    assert (absent.status_code, absent.json()["code"]) == (404, "clue.unknown")
    for user, status in (("window1", 403), ("steward1", 403), ("corrector2", 404), ("leader1", 404)):
        answer = client.get(f"/api/v1/clues/{clue}", headers=Program(client, user).headers)
        assert answer.status_code == status, user


def test_department_that_was_asked_answers_over_the_interface(
    deployment: Deployment, client: httpx.Client, investigator: Program
) -> None:
    clue, number = dead_payee(deployment)
    events = f"/api/v1/clues/{clue}/events"
    investigator.post(events, {"event": "take"})
    investigator.post(events, {"event": "ask_department", "note": "请核实", "data": {"department": "police"}})
    police = Program(client, "corrector2")
    answered = police.post(events, {"event": "answer", "note": "户籍未注销", "data": {"answer": "no"}})
    assert "no" in {one["answer"] for one in answered["opinions"] if one["department"] == "police"}
    assert number in str(answered)  # to answer, a department has to know about whom


def test_who_is_paid_is_asked_in_a_body_and_leaves_a_look_either_way(
    deployment: Deployment, client: httpx.Client, investigator: Program
) -> None:
    _, number = dead_payee(deployment)
    before = len(_looks(deployment, number))
    asked = {"identity_number": number, "purpose": "supervision"}
    assert not investigator.post("/api/v1/payees", asked)["paid"]
    pay(deployment, number, (Month(2025, 8), Month(2025, 9)))
    found = investigator.post("/api/v1/payees", asked)
    assert found["paid"]
    assert [one["since"] for one in found["rows"]] == ["2025-08"]
    assert number not in str(found)
    assert len(_looks(deployment, number)) == before + 2
    refused = client.post("/api/v1/payees", json={**asked, "purpose": "audit"}, headers=investigator.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "watch.not_permitted")
    wrong = {"identity_number": number[:-1] + ("1" if number[-1] != "1" else "2"), "purpose": "supervision"}
    assert client.post("/api/v1/payees", json=wrong, headers=investigator.headers).status_code == 422


def test_recovery_is_served_and_paid_off_in_fen(
    deployment: Deployment, client: httpx.Client, investigator: Program, reviewer: Program
) -> None:
    clue, number = _confirmed(deployment, investigator, reviewer)
    rows = investigator.get("/api/v1/recoveries?state=opened&limit=500")["recoveries"]
    (row,) = [one for one in rows if clue in one["matter"]]
    path = f"/api/v1/recoveries/{row['recovery_id']}"
    view = investigator.get(path)
    assert view["row"]["debt"] == sum(one["paid"] - one["due"] for one in view["months"])
    assert number not in str(view)
    served = {"event": "serve_notice", "note": "邮寄送达", "data": {"served_on": "2025-09-15"}}
    assert investigator.post(f"{path}/events", served)["row"]["state"] == "noticed"
    money = {"means": "repayment", "amount": row["debt"], "moved_on": "2025-09-15", "reference": "V1"}
    paid = investigator.post(f"{path}/events", {"event": "receive", "data": money})
    assert (paid["row"]["state"], paid["row"]["outstanding"]) == ("settled", 0)
    assert [one["amount"] for one in paid["movements"]] == [row["debt"]]
    twice = investigator.post(f"{path}/events", {"event": "receive", "data": money})
    assert twice["row"]["recovered"] == row["debt"]
    by_command = client.post(f"{path}/events", json={"event": "revise"}, headers=investigator.headers)
    assert (by_command.status_code, by_command.json()["element"]) == (400, "event")


def test_lag_is_told_for_a_span_of_months_and_no_other(client: httpx.Client, investigator: Program) -> None:
    assert investigator.get("/api/v1/lag?from=202501&to=202509")["lines"] == []
    for query in ("from=2025-01", "from=202509&to=202501", "from=190001&to=202501", "until=202501"):
        answer = client.get(f"/api/v1/lag?{query}", headers=investigator.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "web.form"), query


def test_list_that_there_is_not_is_not_found(client: httpx.Client, investigator: Program) -> None:
    assert isinstance(investigator.get("/api/v1/paylists")["paylists"], list)
    answer = client.get("/api/v1/paylists/pnone", headers=investigator.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "control.unknown")


def test_full_answers_are_shaped_as_described(
    deployment: Deployment, api: BaseSchema, client: httpx.Client, investigator: Program, reviewer: Program
) -> None:
    clue, _ = _confirmed(deployment, investigator, reviewer)
    rows = investigator.get("/api/v1/recoveries?limit=500")["recoveries"]
    recovery = next(one["recovery_id"] for one in rows if clue in one["matter"])
    for path, given in _addresses(clue, recovery):
        case = api[path]["GET"].Case(path_parameters=given)
        answer = case.call(base_url=deployment.hub_address, headers=investigator.headers)
        assert answer.status_code == 200, path
        case.validate_response(answer, checks=[response_schema_conformance])


def _addresses(clue: str, recovery: str) -> Iterator[tuple[str, dict[str, str]]]:
    yield "/api/v1/clues", {}
    yield "/api/v1/clues/counts", {}
    for part in ("", "/evidence", "/notices"):
        yield "/api/v1/clues/{clue_id}" + part, {"clue_id": clue}
    yield "/api/v1/recoveries", {}
    yield "/api/v1/recoveries/{recovery_id}", {"recovery_id": recovery}


def _looks(deployment: Deployment, number: str) -> list[object]:
    services = deployment.services
    return list(services.looks.of_subject(services.sealer.blind_index("identity_number", number)))
