"""The API holds to its own description, whatever is sent: examples of every operation, sound ones and broken ones."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from web_deployment import KEEPERS, STAFF, Deployment, Program, deploy

from huodang.web import write_api_docs
from huodang.web.api_description import description_of

Headers = Callable[[Case], dict[str, str]]

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)
REFUSING = negative_data_rejection
_TOO_LARGE = 413
ROLES = STAFF | {user: role for user, (role, _department) in KEEPERS.items()}
EXAMPLES = int(os.environ.get("HUODANG_API_EXAMPLES", "4"))
ASKED_FIRST = ("steward1", "window1", "system1", "corrector1")
SUPERVISING = ("investigator1", "reviewer1", "auditor1", "leader1", "corrector2")
SUPERVISION = tuple(f"/api/v1/{part}" for part in ("clues", "payees", "paylists", "recoveries", "lag"))


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment of its own: what is sent here changes whatever it may."""
    yield from deploy(tmp_path_factory.mktemp("fuzzed"))


@pytest.fixture(scope="module")
def api(fuzzed: Deployment) -> BaseSchema:
    """The description, as the hub serves it."""
    return schemathesis.openapi.from_dict(description_of(fuzzed.hub))


@pytest.fixture(scope="module")
def headers(fuzzed: Deployment) -> Iterator[Headers]:
    """By operation, the sign-in of somebody whose role opens it."""
    roles = {
        (route.path_format, method): handler.opt.get("roles", frozenset())
        for route in fuzzed.hub.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
    }
    with httpx.Client(base_url=fuzzed.hub_address) as client:
        signed_in: dict[str, Program] = {}

        def of(case: Case) -> dict[str, str]:
            wanted = roles[case.operation.path, case.operation.method.upper()]
            users = [one for one in (*ASKED_FIRST, *ROLES) if ROLES[one] in wanted]
            if not users:
                return {}
            if case.operation.path.endswith("/sign-out"):
                return Program(client, users[0]).headers
            return signed_in.setdefault(users[0], Program(client, users[0])).headers

        yield of


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["sound", "broken"])
def test_whatever_is_sent_is_answered_as_described(
    api: BaseSchema, fuzzed: Deployment, headers: Headers, mode: GenerationMode
) -> None:
    problems = {
        operation.label: found
        for operation in (one.ok() for one in api.get_all_operations())
        if (found := _problem_of(operation, fuzzed, headers, mode))
    }
    assert problems == {}, "\n".join(f"{name}: {text}" for name, text in problems.items())


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["sound", "broken"])
def test_supervision_answers_each_role_that_it_opens_to_as_described(
    api: BaseSchema, fuzzed: Deployment, mode: GenerationMode
) -> None:
    problems: dict[str, str] = {}
    with httpx.Client(base_url=fuzzed.hub_address) as client:
        for user in SUPERVISING:
            signed_in = Program(client, user).headers
            for operation in (one.ok() for one in api.get_all_operations()):
                if operation.path.startswith(SUPERVISION) and (
                    found := _problem_of(operation, fuzzed, lambda _, own=signed_in: own, mode)
                ):
                    problems[f"{user} {operation.label}"] = found
    assert problems == {}, "\n".join(f"{name}: {text}" for name, text in problems.items())


def _problem_of(operation: APIOperation, fuzzed: Deployment, headers: Headers, mode: GenerationMode) -> str:
    """Send examples of one operation; tell in words what went wrong first."""

    @seed(3)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        answer = case.call(base_url=fuzzed.hub_address, headers=headers(case))
        # Too large is a refusal, too; the library's list of refusals doesn't know it.
        refused = answer.status_code == _TOO_LARGE
        case.validate_response(answer, checks=[one for one in CHECKS if not refused or one is not REFUSING])

    try:
        send()
    except Unsatisfiable:
        return ""  # nothing can be broken where nothing is sent
    except FailureGroup as group:
        return "; ".join(f"{one.title}: {one.message[:300]}" for one in group.exceptions)
    return ""


def test_without_a_token_no_operation_says_more_than_sign_in_first(fuzzed: Deployment, api: BaseSchema) -> None:
    shut = [one.ok() for one in api.get_all_operations() if one.ok().definition.raw.get("security") != []]
    assert len(shut) > 40
    with httpx.Client(base_url=fuzzed.hub_address) as client:
        for operation in shut:
            answer = client.request(operation.method, operation.path.replace("{number}", "1"), json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "web.sign_in.needed"), operation.label


STRANGE_BODIES = [
    (b'{"user": "a", "user": "b", "password": "c"}', "application/json", 400),
    (b'{"user": "a\\u0000", "password": "c"}', "application/json", 400),
    (b'{"user": "\\ud800", "password": "c"}', "application/json", 400),
    (b'{"user": "\xff", "password": "c"}', "application/json", 400),
    (b'{"user": "a", "password": 1e400}', "application/json", 400),
    (b'{"user": "a", "password": NaN}', "application/json", 400),
    (b'{"user": "a", "password": ' + b"9" * 5000 + b"}", "application/json", 400),
    (b'{"user": ' + b"[" * 100_000, "application/json", 400),
    (b'\xef\xbb\xbf{"user": "a", "password": "c"}', "application/json", 400),
    (b'{"user": "a", "password": "c"}', "text/plain", 415),
    (b"user=a&password=c", "application/x-www-form-urlencoded", 415),
    (b"<user>a</user>", "application/xml", 415),
    (b'{"user": "a", "password": "' + b"c" * 300_000 + b'"}', "application/json", 413),
]


@pytest.mark.parametrize(("body", "media", "status"), STRANGE_BODIES)
def test_body_that_two_readers_could_understand_differently_is_refused(
    fuzzed: Deployment, body: bytes, media: str, status: int
) -> None:
    with httpx.Client(base_url=fuzzed.hub_address) as client:
        answer = client.post("/api/v1/sign-in", content=body, headers={"content-type": media})
    assert answer.status_code == status, answer.text
    assert answer.json()["incident"] is None


@pytest.mark.parametrize(
    "query", ["stat=review", "limit=0", "limit=501", "limit=x", "state=%00", "state=nowhere", "%00=1"]
)
def test_filter_that_is_unknown_or_out_of_bounds_is_refused(fuzzed: Deployment, query: str) -> None:
    with httpx.Client(base_url=fuzzed.hub_address) as client:
        answer = client.get(f"/api/v1/demands?{query}", headers=Program(client, "steward1").headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "web.form")


def test_documentation_in_the_repository_is_that_of_the_interface() -> None:
    committed = Path(__file__).parents[2] / "docs" / "api.md"
    assert committed.read_text(encoding="utf-8") == write_api_docs(), "run: huodang docs api --out docs/api.md"


def test_documentation_page_is_open_to_all_and_takes_nothing_from_elsewhere(fuzzed: Deployment) -> None:
    with httpx.Client(base_url=fuzzed.hub_address) as client:
        answer = client.get("/api/docs")
    assert answer.status_code == 200
    assert "/api/v1/demands/{demand_id}/events" in answer.text
    assert "https://" not in answer.text
    assert "http://" not in answer.text
