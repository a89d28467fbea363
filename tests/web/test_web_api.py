"""The JSON API: a case from form to payment, roles, refusals as problems, receipts that verify offline."""

import json
from typing import Any

import httpx
import pytest
from web_deployment import PASSWORD, STAFF, Deployment, Program, application_of

from huodang.ledger import verify_receipt
from huodang.trust import TrustedKeys


def test_case_goes_from_form_to_payment_by_two_people(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    person = deployment.person()
    payments = deployment.services.payments.count()
    case_id = window.post("/api/v1/cases", application_of(person), 201)["case_id"]
    deployment.settle()
    assert window.get(f"/api/v1/cases/{case_id}")["state"] == "window_review"
    own = client.post(f"/api/v1/cases/{case_id}/events", json={"event": "window_pass"}, headers=window.headers)
    assert (own.status_code, own.json()["code"]) == (422, "retirement.guard")
    second, reviewer = Program(client, "window2"), Program(client, "reviewer1")
    assert second.post(f"/api/v1/cases/{case_id}/events", {"event": "window_pass"})["state"] == "filing_review"
    listed = reviewer.get("/api/v1/queue?state=filing_review&limit=500")["cases"]
    assert case_id in {row["case_id"] for row in listed}
    assert person.name not in json.dumps(listed, ensure_ascii=False)
    reviewer.post(f"/api/v1/cases/{case_id}/events", {"event": "filing_pass", "note": "同意"})
    deployment.settle()
    deployment.settle()
    shown = reviewer.get(f"/api/v1/cases/{case_id}")
    assert shown["state"] == "completed"
    assert shown["decision"]["total"] == sum(shown["decision"][part] for part in ("basic", "account", "transitional"))
    assert deployment.services.payments.count() > payments


def test_who_moves_a_case_may_ask_for_no_more_than_its_state(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    case_id = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    deployment.settle()
    headers = Program(client, "window2").headers | {"prefer": "return=minimal"}
    moved = client.post(f"/api/v1/cases/{case_id}/events", json={"event": "window_pass"}, headers=headers)
    assert moved.json() == {"case_id": case_id, "state": "filing_review"}


def test_receipts_of_a_case_verify_offline_and_not_after_a_change(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    case_id = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    deployment.settle()
    listed = window.get(f"/api/v1/cases/{case_id}/receipts")["receipts"]
    deployment.settle()
    assert {"grant", "verdict", "case", "look"} <= {one["kind"] for one in listed}
    trusted = TrustedKeys.load(deployment.services.settings.trust)
    for kind in ("grant", "verdict", "look"):
        entry = next(one["entry_id"] for one in listed if one["kind"] == kind)
        receipt = client.get(f"/api/v1/receipts/{entry}", headers=window.headers)
        assert verify_receipt(receipt.content, trusted).valid
        altered = receipt.text.replace(f'\\"kind\\":\\"{kind}\\"', '\\"kind\\":\\"kiosk\\"')
        assert altered != receipt.text
        assert not verify_receipt(altered.encode(), trusted).valid


def test_prefill_tells_what_departments_know(deployment: Deployment, window: Program) -> None:
    person = deployment.person()
    found = window.post("/api/v1/prefill", {"identity_number": person.number, "name": person.name})
    assert person.employer is not None
    assert found["form"]["employer"] == person.employer.name
    assert "contribution_months" in {one["element"] for one in found["known"]}
    assert found["materials"]["must_bring"]


@pytest.mark.parametrize("token", ["", "Bearer nonsense", "Basic d2luZG93MTp4", "Bearer"])
def test_without_a_live_token_nothing_is_told(client: httpx.Client, token: str) -> None:
    answer = client.get("/api/v1/queue", headers={"authorization": token} if token else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "web.sign_in.needed")
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_pages_cookie_opens_no_api_and_a_token_no_page(client: httpx.Client, window: Program) -> None:
    token = window.headers["authorization"].removeprefix("Bearer ")
    cookie = {"cookie": f"huodang_hub_session={token}"}
    answer = client.get("/queue", headers=cookie, follow_redirects=False)
    assert answer.headers["location"].startswith("/sign-in")


DENIED = [
    ("auditor1", "POST", "/api/v1/prefill", {"identity_number": "x", "name": "y"}),
    ("reviewer1", "POST", "/api/v1/cases", {}),
    ("leader1", "GET", "/api/v1/queue", None),
    ("system1", "GET", "/api/v1/summary", None),
    ("security1", "GET", "/api/v1/cases/TX-20250915-AAAA-AAAA", None),
    ("audit1", "GET", "/api/v1/queue", None),
    ("archivist1", "GET", "/api/v1/due?month=202510", None),
]


@pytest.mark.parametrize(("user", "method", "path", "body"), DENIED)
def test_role_that_has_no_part_in_it_is_refused(
    client: httpx.Client, user: str, method: str, path: str, body: object
) -> None:
    answer = client.request(method, path, json=body, headers=Program(client, user).headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "web.forbidden")


def test_every_route_that_is_not_public_names_its_roles(deployment: Deployment) -> None:
    unnamed = [
        route.path
        for route in deployment.hub.routes
        for handler in getattr(route, "route_handlers", ())
        if "OPTIONS" not in handler.http_methods and not handler.opt.get("public") and not handler.opt.get("roles")
    ]
    assert unnamed == []


BAD_FORMS: list[tuple[dict[str, Any], str]] = [
    ({"identity_number": "130102196508090031"}, "identity_number"),
    ({"name": "王" * 60}, "name"),
    ({"name": "王\u0007"}, "name"),
    ({"notice_given_on": "2025-02-30"}, "notice_given_on"),
    ({"declaration": False}, "declaration"),
    ({"surprise": "x"}, "surprise"),
]


@pytest.mark.parametrize(("changed", "element"), BAD_FORMS)
def test_bad_form_is_refused_whole_with_the_field_and_without_the_value(
    deployment: Deployment, client: httpx.Client, window: Program, changed: dict[str, Any], element: str
) -> None:
    person = deployment.population.due[0]
    before = sum(deployment.services.office.counts(_actor(deployment)).values())
    answer = client.post("/api/v1/cases", json={**application_of(person), **changed}, headers=window.headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["element"]) == (422, "retirement.form", element)
    assert problem["type"] == "urn:huodang:problem:retirement.form"
    assert problem["status"] == 422
    for value in (person.number, person.name, person.bank_account, person.phone, *map(str, changed.values())):
        if len(value) > 5:
            assert value not in answer.text
    assert sum(deployment.services.office.counts(_actor(deployment)).values()) == before


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b'{"user": 1, "password": "x"}', b'{"user": "a", "password": "b", "c": "d"}', b""]
)
def test_body_of_another_shape_is_a_problem_and_no_incident(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/v1/sign-in", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "web.form")


@pytest.mark.parametrize("body", [b'{"user":' * 9000, b"[" * 200_000])
def test_body_nested_beyond_reading_is_a_problem_and_no_incident(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/v1/sign-in", content=body, headers={"content-type": "application/json"})
    assert (answer.json()["code"], answer.json()["incident"]) == ("web.form", None)
    assert answer.status_code in {400, 422}


def test_queue_of_a_state_that_there_is_not_is_refused(client: httpx.Client, window: Program) -> None:
    answer = client.get("/api/v1/queue?state=no_such_state", headers=window.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "web.form")


def test_too_large_a_body_is_refused(client: httpx.Client) -> None:
    answer = client.post("/api/v1/sign-in", json={"user": "a" * 400_000, "password": "b"})
    assert (answer.status_code, answer.json()["code"]) == (413, "web.too_large")


def test_unknown_things_are_not_found_in_the_same_way(client: httpx.Client, window: Program) -> None:
    case = client.get("/api/v1/cases/TX-20250101-AAAA-AAAA", headers=window.headers)
    assert (case.status_code, case.json()["code"]) == (404, "retirement.unknown_case")
    assert client.get("/api/v1/nothing", headers=window.headers).status_code == 404
    receipt = client.get("/api/v1/receipts/" + "0" * 32, headers=window.headers)
    assert receipt.status_code == 404


@pytest.mark.parametrize("form", ["x", 1, [], None])
def test_form_in_an_event_that_is_no_form_is_refused(
    deployment: Deployment, client: httpx.Client, window: Program, form: object
) -> None:
    case_id = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    body = {"event": "withdraw", "data": {"form": form}}
    answer = client.post(f"/api/v1/cases/{case_id}/events", json=body, headers=window.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "retirement.guard")


def test_illegal_event_is_a_conflict_and_changes_nothing(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    case_id = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    deployment.settle()
    for event in ("filing_pass", "volume_filed", "no_such_event"):
        answer = client.post(f"/api/v1/cases/{case_id}/events", json={"event": event}, headers=window.headers)
        assert answer.status_code == 409, answer.text
    assert window.get(f"/api/v1/cases/{case_id}")["state"] == "window_review"


def test_second_application_of_the_same_person_is_a_conflict(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    form = application_of(deployment.person())
    window.post("/api/v1/cases", form, 201)
    again = client.post("/api/v1/cases", json=form, headers=window.headers)
    assert (again.status_code, again.json()["code"]) == (409, "retirement.another_case")


def test_signed_out_token_is_dead(client: httpx.Client) -> None:
    program = Program(client, "reviewer1")
    assert client.post("/api/v1/sign-out", headers=program.headers).status_code == 201
    assert client.get("/api/v1/queue", headers=program.headers).status_code == 401


def test_summary_holds_figures_and_no_person(client: httpx.Client) -> None:
    figures = Program(client, "leader1").get("/api/v1/summary")
    assert set(figures) == {
        "cases",
        "verdicts",
        "first_payments",
        "payments",
        "payments_fen",
        "ledger_leaves",
        "ledger_pending",
        "jobs_due",
    }


def test_health_tells_nothing_of_anybody(client: httpx.Client) -> None:
    assert set(client.get("/health").json()) == {"status", "jobs_due", "ledger_size", "ledger_pending"}


def test_schema_is_openapi_and_lists_the_api_alone(client: httpx.Client) -> None:
    schema = client.get("/api/schema").json()
    assert schema["openapi"] == "3.1.0"
    assert "/api/v1/cases/{case_id}/events" in schema["paths"]
    assert all(path.startswith("/api/v1/") or path == "/health" for path in schema["paths"])


def test_staff_of_every_role_sign_in(client: httpx.Client) -> None:
    for user, role in STAFF.items():
        answer = client.post("/api/v1/sign-in", json={"user": user, "password": PASSWORD})
        assert answer.json()["role"] == role


def _actor(deployment: Deployment) -> Any:
    return next(user.actor for user in deployment.services.accounts.all_users() if user.user_id == "window1")
