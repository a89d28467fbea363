"""A request with a key is done once: by whom, for how long, after a crash, and on which node."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from web_deployment import Deployment, Program, application_of, serve_in_thread

from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import BrokenSealError, FieldSealer, Signer
from huodang.web import build_hub
from huodang.web.accounts import User
from huodang.web.api_description import description_of
from huodang.web.idempotency import (
    CLAIM,
    KEPT_FOR,
    Claim,
    KeptAnswer,
    KeptAnswers,
    KeyReusedError,
    UnderWayError,
)
from huodang.web.records import kept_answers
from huodang.web.roles import Role
from huodang.web.sessions import SessionKind

PATH = "/api/v1/cases"
BODY = b'{"identity_number": "130102196508150014"}'
OPENED = KeptAnswer(201, "application/json", '{"case_id": "TX-2025-000001", "name": "王建国"}')
WINDOW = User(
    user_id="window1",
    name="窗口甲",
    role=Role.WINDOW_CLERK,
    department="social_insurance",
    region="130000",
    employer="",
    state="active",
    password_changed_at=datetime(2025, 9, 1, tzinfo=UTC),
)
OTHERS = [
    replace(WINDOW, user_id="window2"),
    replace(WINDOW, role=Role.REVIEWER),
    replace(WINDOW, department="police"),
    replace(WINDOW, region="130100"),
]
# What only reads, signs out, or is named and resumed by itself.
WITHOUT_KEY = {"/api/v1/sign-in", "/api/v1/sign-out", "/api/v1/prefill", "/api/v1/rows", "/api/v1/verifications"}


def answers_of(database: Database, folder: Path, clock: FixedClock) -> KeptAnswers:
    signers = (Signer.generate("hub", "national"), Signer.generate("hub", "international"))
    ledger = Ledger(database, signers, "test.example/huodang", clock)
    return KeptAnswers(database, FieldSealer.create(folder), ledger, clock)


@pytest.fixture
def answers(any_database: Database, tmp_path: Path, clock: FixedClock) -> KeptAnswers:
    return answers_of(any_database, tmp_path, clock)


def claimed(answers: KeptAnswers, key: str = "k-1", body: bytes = BODY) -> Claim:
    found = answers.claim(WINDOW, PATH, key, body)
    assert isinstance(found, Claim)
    return found


def stored(database: Database) -> list[dict[str, object]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(kept_answers)).mappings()]


def test_key_is_held_until_answered_and_then_gives_the_answer(answers: KeptAnswers) -> None:
    claim = claimed(answers)
    with pytest.raises(UnderWayError) as refused:
        answers.claim(WINDOW, PATH, "k-1", BODY)
    assert 1 <= refused.value.retry_after <= CLAIM.total_seconds()
    answers.keep(claim, OPENED)
    assert answers.claim(WINDOW, PATH, "k-1", BODY) == OPENED


@pytest.mark.parametrize("is_answered", [False, True], ids=["under way", "answered"])
def test_key_with_another_body_is_refused(answers: KeptAnswers, is_answered: bool) -> None:
    claim = claimed(answers)
    if is_answered:
        answers.keep(claim, OPENED)
    with pytest.raises(KeyReusedError):
        answers.claim(WINDOW, PATH, "k-1", BODY + b" ")


@pytest.mark.parametrize("other", OTHERS, ids=["other user", "other role", "other department", "other region"])
def test_answer_is_given_to_nobody_else(answers: KeptAnswers, other: User) -> None:
    answers.keep(claimed(answers), OPENED)
    assert isinstance(answers.claim(other, PATH, "k-1", BODY), Claim)


def test_same_key_at_another_address_is_another_request(answers: KeptAnswers) -> None:
    answers.keep(claimed(answers), OPENED)
    assert isinstance(answers.claim(WINDOW, "/api/v1/cases/TX-1/events", "k-1", BODY), Claim)


def test_one_of_many_at_once_takes_hold_of_the_key(answers: KeptAnswers) -> None:
    def try_it(_number: int) -> str:
        try:
            return type(answers.claim(WINDOW, PATH, "k-1", BODY)).__name__
        except UnderWayError:
            return "under way"

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(try_it, range(8)))
    assert found == ["Claim", *["under way"] * 7]


def test_after_a_crash_the_key_is_free_when_the_claim_ends_and_who_was_late_changes_nothing(
    answers: KeptAnswers, clock: FixedClock
) -> None:
    crashed = claimed(answers)
    clock.advance(CLAIM)
    with pytest.raises(KeyReusedError):
        answers.claim(WINDOW, PATH, "k-1", b"{}")
    second = claimed(answers)
    answers.keep(crashed, KeptAnswer(201, "application/json", "{}"))
    answers.release(crashed)
    with pytest.raises(UnderWayError):
        answers.claim(WINDOW, PATH, "k-1", BODY)
    answers.keep(second, OPENED)
    assert answers.claim(WINDOW, PATH, "k-1", BODY) == OPENED


def test_released_key_may_be_used_for_another_body(answers: KeptAnswers) -> None:
    answers.release(claimed(answers))
    assert claimed(answers, body=b"{}").name


def test_answer_lives_for_a_day_and_is_then_deleted(
    answers: KeptAnswers, any_database: Database, clock: FixedClock
) -> None:
    answers.keep(claimed(answers), OPENED)
    clock.advance(KEPT_FOR - timedelta(seconds=1))
    claimed(answers, "k-2")
    assert answers.purge() == 0
    assert answers.claim(WINDOW, PATH, "k-1", BODY) == OPENED
    clock.advance(timedelta(seconds=1))
    assert isinstance(answers.claim(WINDOW, PATH, "k-1", b"{}"), Claim)  # over, also where nobody purged yet
    clock.advance(KEPT_FOR)
    assert answers.purge() == 2
    assert stored(any_database) == []


def test_what_is_kept_is_sealed_and_bound_to_its_row(answers: KeptAnswers, any_database: Database) -> None:
    answers.keep(claimed(answers), OPENED)
    (row,) = stored(any_database)
    held = " ".join(str(value) for value in row.values())
    assert all(secret not in held for secret in ("王建国", "TX-2025", "130102196508150014", "window1", "k-1"))
    answers.keep(claimed(answers, "k-2"), KeptAnswer(204, "", ""))
    with any_database.begin() as connection:
        connection.execute(kept_answers.update().values(answer=row["answer"]))
    assert answers.claim(WINDOW, PATH, "k-1", BODY) == OPENED
    with pytest.raises(BrokenSealError):
        answers.claim(WINDOW, PATH, "k-2", BODY)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128),
    body=st.binary(max_size=200),
    answer=st.builds(KeptAnswer, st.sampled_from([200, 204, 404, 409]), st.just("application/json"), st.text()),
)
def test_whatever_was_answered_is_given_again_as_it_was(
    answers: KeptAnswers, key: str, body: bytes, answer: KeptAnswer
) -> None:
    path = f"{PATH}/{uuid4().hex}"  # an address of its own for each example, as keys may be drawn twice
    claim = answers.claim(WINDOW, path, key, body)
    assert isinstance(claim, Claim)
    answers.keep(claim, answer)
    assert answers.claim(WINDOW, path, key, body) == answer


@pytest.fixture
def second_node(deployment: Deployment) -> Iterator[httpx.Client]:
    """Another node of the same hub: it shares the database and nothing else."""
    with (
        serve_in_thread(build_hub(deployment.services)) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


def send(client: httpx.Client, program: Program, key: str, body: object, path: str = PATH) -> httpx.Response:
    return client.post(path, json=body, headers={**program.headers, "Idempotency-Key": key})


def test_case_sent_twice_is_opened_once_and_answered_the_same_on_every_node(
    deployment: Deployment, client: httpx.Client, window: Program, second_node: httpx.Client
) -> None:
    form = application_of(deployment.person())
    first = send(client, window, "case-1", form)
    assert (first.status_code, "idempotency-replayed" in first.headers) == (201, False)
    for again in (send(client, window, "case-1", form), send(second_node, window, "case-1", form)):
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["cache-control"] == "no-store"
    without = client.post(PATH, json=form, headers=window.headers)
    assert (without.status_code, without.json()["code"]) == (409, "retirement.another_case")


def test_another_body_is_a_422_and_a_request_under_way_a_409_that_says_when(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    form = application_of(deployment.person())
    assert send(client, window, "case-2", form).status_code == 201
    other = send(client, window, "case-2", application_of(deployment.person()))
    assert (other.status_code, other.json()["code"]) == (422, "web.idempotency.reused")
    assert other.json()["element"] == "idempotency-key"

    user = deployment.services.accounts.user_of(window.headers["authorization"].split()[1], SessionKind.API)
    assert user is not None
    request = client.build_request("POST", PATH, json=form)
    held = deployment.services.kept_answers.claim(user, PATH, "case-3", request.read())
    assert isinstance(held, Claim)
    waiting = send(client, window, "case-3", form)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "web.idempotency.under_way")
    assert int(waiting.headers["retry-after"]) >= 1
    deployment.services.kept_answers.release(held)


def test_refusal_by_the_operation_is_kept_and_one_before_it_began_is_not(client: httpx.Client, window: Program) -> None:
    path = "/api/v1/cases/TX-nowhere/events"
    answers = [send(client, window, "move-1", {"event": "accept"}, path) for _ in range(2)]
    assert [one.status_code for one in answers] == [409, 409]
    assert [one.headers.get("idempotency-replayed") for one in answers] == [None, "true"]
    assert answers[0].json() == answers[1].json()
    auditor = Program(client, "auditor1")
    for form in ({}, {"name": "王建国"}):  # the key is free again, also for another body
        refused = send(client, auditor, "case-4", form)
        assert (refused.status_code, "idempotency-replayed" in refused.headers) == (403, False)
    unread = [send(client, window, "case-5", body) for body in ([1], [2])]
    assert [one.status_code for one in unread] == [400, 400]


@pytest.mark.parametrize("keys", [[""], ["k" * 129], ["a", "b"]], ids=["empty", "too long", "two"])
def test_key_that_names_nothing_clearly_is_refused(client: httpx.Client, window: Program, keys: list[str]) -> None:
    headers = [*window.headers.items(), *(("Idempotency-Key", key) for key in keys)]
    answer = client.post(PATH, json={}, headers=headers)
    assert (answer.status_code, answer.json()["element"]) == (400, "idempotency-key")


def test_answer_given_again_stands_in_the_ledger_without_anybody_in_it(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    path = "/api/v1/cases/TX-nowhere-else/events"
    deployment.settle()
    before = deployment.services.ledger.latest_checkpoint()
    for _ in range(3):
        send(client, window, "move-2", {"event": "accept"}, path)
    deployment.settle()
    after = deployment.services.ledger.latest_checkpoint()
    assert before is not None
    assert after is not None
    assert after.size - before.size == 2


def test_reading_is_not_kept(deployment: Deployment, client: httpx.Client, window: Program) -> None:
    asked = {"resource": "health.death_table", "purpose": "curiosity", "identity_number": deployment.person().number}
    answers = [send(client, window, "rows-1", asked, "/api/v1/rows") for _ in range(2)]
    assert all("idempotency-replayed" not in one.headers for one in answers)


def test_every_operation_that_creates_or_moves_describes_the_key(deployment: Deployment) -> None:
    paths = description_of(deployment.hub)["paths"]
    posts = {path: item["post"] for path, item in paths.items() if path.startswith("/api/") and "post" in item}
    described = {
        path
        for path, told in posts.items()
        if any(one["name"] == "Idempotency-Key" and one["in"] == "header" for one in told.get("parameters", ()))
    }
    assert {path for path in posts if path not in described} >= WITHOUT_KEY
    assert {PATH, "/api/v1/demands", "/api/v1/cases/{case_id}/events", "/api/v1/matches"} <= described
    assert "Idempotency-Replayed" in posts[PATH]["responses"]["201"]["headers"]
    assert "Idempotency-Replayed" in posts[PATH]["responses"]["409"]["headers"]
    assert all("headers" not in told["responses"]["503"] for told in posts.values())
