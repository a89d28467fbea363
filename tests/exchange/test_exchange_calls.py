"""Calls with a purpose, hub to gateway and back: over real HTTP with mutual TLS, and everything that can go wrong."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import urllib3
from exchange_province import LI, STRANGER, SYSTEM, WANG, HubMaker, Province, serving
from litestar import Litestar, Response, get, post
from litestar.params import RawBody

from huodang.exchange import (
    VERDICT,
    Actor,
    Answer,
    AnswerRecord,
    Exchange,
    FailureCode,
    Gateway,
    Looks,
    Outcome,
    Patience,
    Question,
    Verdict,
    gateway_application,
    records,
)
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import SignedEnvelope, Signer, TlsAuthority, sign_envelope


def question(subject: str = WANG, name: str = "王建国", **changes: Any) -> Question:
    parts: dict[str, Any] = {
        "resource": "police.household",
        "case_id": "case-1",
        "identity_number": subject,
        "claims": {"name": name},
        "parameters": {},
        "purpose": "retirement",
        "actor": SYSTEM,
    }
    return Question(**{**parts, **changes})


def agree(exchange: Exchange, database: Database, province: Province, resource: str = "police.household") -> None:
    with database.begin() as connection:
        exchange.agreements.take(connection, province.signed(province.agreement(resource)))


def call(exchange: Exchange, database: Database, *questions: Question) -> list[AnswerRecord]:
    """The whole walk: prepare in one transaction, ask, record in another."""
    with database.begin() as connection:
        prepared = exchange.prepare(connection, questions or [question()])
    answers = exchange.ask("police", prepared)
    with database.begin() as connection:
        return exchange.record_all(connection, answers)


@pytest.fixture
def served(province: Province, police: Gateway) -> Iterator[str]:
    """The police gateway over mutual TLS."""
    with serving(gateway_application(police), province.tls("police")) as url:
        yield url


@pytest.fixture
def exchange(served: str, make_hub: HubMaker, database: Database, province: Province) -> Exchange:
    """A hub with an agreement in force and the police gateway behind mutual TLS."""
    made = make_hub({"police": served})
    agree(made, database, province)
    return made


def test_a_question_is_answered_over_mutual_tls(exchange: Exchange, database: Database) -> None:
    (found,) = call(exchange, database)
    assert (found.outcome, found.reason, found.answered) == (Outcome.CLEAR, "matches", True)
    assert found.fields == {"name": "王建国", "sex": "1"}
    assert found.as_of is not None
    assert found.as_of.isoformat() == "2025-03-01T00:00:00+00:00"


def test_grant_and_look_are_recorded_before_anything_is_asked(
    exchange: Exchange, database: Database, ledger: Ledger, province: Province
) -> None:
    before = ledger.pending()
    with database.begin() as connection:
        (prepared,) = exchange.prepare(connection, [question()])
    assert ledger.pending() == before + 2
    (look,) = Looks(database, ledger, province.clock).of_subject(exchange.subject_index(WANG))
    assert (look.what, look.role, look.purpose, look.case_id) == ("police.household", "system", "retirement", "case-1")
    assert look.policy == "system.automatic"
    with database.read() as connection:
        row = connection.execute(sa.select(records.grant)).one()
    assert (row.state, row.grant_id) == ("issued", prepared.grant_id)


def test_a_transaction_that_fails_leaves_neither_grant_nor_look_nor_leaf(
    exchange: Exchange, database: Database, ledger: Ledger
) -> None:
    before = ledger.pending()
    with pytest.raises(RuntimeError), database.begin() as connection:  # noqa: PT012  (the transaction is the point)
        exchange.prepare(connection, [question()])
        raise RuntimeError
    assert ledger.pending() == before


def test_grant_and_verdict_are_leaves_that_a_receipt_proves(
    exchange: Exchange, database: Database, ledger: Ledger
) -> None:
    (found,) = call(exchange, database)
    ledger.seal_batch()
    with database.read() as connection:
        grant = connection.execute(sa.select(records.grant)).one()
        (verdict,) = exchange.verdicts_of(connection, found.grant_id)
    assert ledger.receipt(grant.entry_id).tree_size == ledger.size()
    assert ledger.receipt(found.entry_id, verdict.to_json().encode()).content is not None
    assert Verdict.from_payload(verdict.payload).grant_digest == grant.digest


def test_no_number_and_no_name_stands_open_in_the_hubs_tables(exchange: Exchange, database: Database) -> None:
    call(exchange, database)
    with database.read() as connection:
        for table in (records.grant, records.verdict, records.look):
            for row in connection.execute(sa.select(table)):
                assert WANG not in str(row)
                assert "王建国" not in str(row)


def test_many_grants_go_in_one_request_and_come_back_in_order(
    exchange: Exchange, database: Database, province: Province
) -> None:
    questions = [question(), question(STRANGER, "钱有为"), question(LI, "李梅"), question("130102196503010000")] * 80
    found = call(exchange, database, *questions)
    assert [one.reason for one in found[:4]] == ["matches", "not_registered", "renamed", "subject_invalid"]
    assert [one.reason for one in found] == [one.reason for one in found[:4]] * 80


def test_an_answer_recorded_twice_counts_once(exchange: Exchange, database: Database, ledger: Ledger) -> None:
    with database.begin() as connection:
        prepared = exchange.prepare(connection, [question()])
    answers = exchange.ask("police", prepared)
    with database.begin() as connection:
        (first,) = exchange.record_all(connection, answers)
    before = ledger.pending()
    with database.begin() as connection:
        second = exchange.record(connection, answers[0])
    assert second == first
    assert ledger.pending() == before


def test_a_grant_sent_twice_is_refused_as_replayed_and_the_first_answer_stands(
    exchange: Exchange, database: Database
) -> None:
    with database.begin() as connection:
        prepared = exchange.prepare(connection, [question()])
    first, second = exchange.ask("police", prepared), exchange.ask("police", prepared)
    assert second[0].failure is not None
    assert (second[0].failure.code, second[0].failure.detail) == (FailureCode.REFUSED, "replayed")
    with database.begin() as connection:
        exchange.record_all(connection, first)
        exchange.record_all(connection, second)
    with database.read() as connection:
        assert connection.execute(sa.select(records.grant.c.state)).scalar_one() == "answered"


def test_what_was_refused_by_the_gateway_tells_its_code(
    exchange: Exchange, database: Database, province: Province
) -> None:
    province.lay(province.agreement(version=2))
    (found,) = call(exchange, database)
    assert found.failure is not None
    assert (found.answered, found.outcome, found.reason) == (False, Outcome.UNKNOWN, "refused")
    assert found.failure.detail == "agreement_superseded"
    assert "新版本" in found.failure.chinese


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"purpose": "curiosity"}, "no_agreement"),
        ({"resource": "police.alive"}, "no_agreement"),
        ({"elements": ("name", "nationality")}, "no_agreement"),
        ({"fields": ("birth_date",)}, "no_agreement"),
        ({"identity_number": "130102196503010012"}, "subject_invalid"),
        ({"actor": Actor("u", "领导", "leader", "social_insurance")}, "not_permitted"),
        (
            {"actor": Actor("u", "窗口", "window_clerk", "social_insurance", "140100"), "region": "130102"},
            "not_permitted",
        ),
    ],
)
def test_what_no_agreement_or_policy_covers_is_never_asked_and_stops_no_other(
    exchange: Exchange, database: Database, police: Gateway, changes: dict[str, Any], reason: str
) -> None:
    found = call(exchange, database, question(**changes), question())
    assert [one.reason for one in found] == [reason, "matches"]
    assert len(police.memory.lines()) == 1


def test_availability_tells_what_can_be_answered_now(
    exchange: Exchange, database: Database, province: Province, police: Gateway
) -> None:
    agree(exchange, database, province, "justice.custody")
    assert exchange.availability() == {"police.household": True, "justice.custody": False}
    for path in (province.folder("police") / "agreements").glob("*.json"):
        path.unlink()
    assert exchange.availability()["police.household"] is False


def test_a_caller_without_a_certificate_is_not_let_in(
    served: str, make_hub: HubMaker, database: Database, province: Province
) -> None:
    naked = ssl.create_default_context(cafile=str(province.tls("hub").authority))
    with urllib3.PoolManager(ssl_context=naked, retries=False) as pool, pytest.raises(urllib3.exceptions.HTTPError):
        pool.request("GET", f"{served}/health")


def test_a_gateway_with_a_certificate_of_another_authority_is_not_believed(
    province: Province, police: Gateway, make_hub: HubMaker, database: Database, tmp_path: Any
) -> None:
    other = TlsAuthority.create(tmp_path / "other").issue("police", ["127.0.0.1"])
    mixed = replace(other, authority=province.tls("police").authority)
    with serving(gateway_application(police), mixed) as url:
        exchange = make_hub({"police": url})
        agree(exchange, database, province)
        (found,) = call(exchange, database)
    assert found.reason == "unreachable"


# What a gateway may do wrong ------------------------------------------------------------------------------------------

Misbehaviour = Callable[[list[SignedEnvelope], Province], bytes]


@contextmanager
def misbehaving(province: Province, police: Gateway, how: Misbehaviour) -> Iterator[str]:
    """A gateway that answers, and whose answer is then changed on its way."""

    @post("/v1/answers", status_code=200, sync_to_thread=True)
    def answers(body: RawBody) -> Response[bytes]:
        grants = [bytes(one) for one in msgspec.json.decode(body, type=dict[str, list[msgspec.Raw]])["grants"]]
        return Response(how(police.answer(grants), province), media_type="application/json")

    @get("/v1/resources", sync_to_thread=True)
    def resources() -> dict[str, Any]:
        return police.conformance()

    with serving(Litestar([answers, resources], openapi_config=None)) as url:
        yield url


def body(*answers: str) -> bytes:
    return ('{"answers":[' + ",".join(answers) + "]}").encode()


def changed(envelope: SignedEnvelope, province: Province, **changes: Any) -> str:
    """The gateway signs something else than it found."""
    return sign_envelope(VERDICT, envelope.payload | changes, province.signer("police")).to_json()


WRONG: dict[str, tuple[str, Misbehaviour]] = {
    "says nothing": ("garbage", lambda _answers, _province: b""),
    "says garbage": ("garbage", lambda _answers, _province: b"<html>it works</html>"),
    "answers garbage in form": ("garbage", lambda _answers, _province: body("42")),
    "answers too few": ("garbage", lambda _answers, _province: body()),
    "answers too many": ("garbage", lambda answers, _: body(answers[0].to_json(), answers[0].to_json())),
    "doesn't sign": (
        "unsigned",
        lambda answers, _: body(answers[0].to_json().split('"signatures":[')[0] + '"signatures":[]}'),
    ),
    "sends the bare verdict": ("unsigned", lambda answers, _: body(answers[0].payload_text)),
    "is answered for by another department": (
        "wrongly_signed",
        lambda answers, province: body(
            sign_envelope(VERDICT, answers[0].payload, province.signer("justice")).to_json()
        ),
    ),
    "signs with a key nobody trusts": (
        "wrongly_signed",
        lambda answers, _: body(sign_envelope(VERDICT, answers[0].payload, Signer.generate("police")).to_json()),
    ),
    "is altered on the way": (
        "wrongly_signed",
        lambda answers, _: body(answers[0].to_json().replace('\\"clear\\"', '\\"unknown\\"')),
    ),
    "answers another grant": (
        "for_other_grant",
        lambda answers, province: body(changed(answers[0], province, grant_digest="0" * 64)),
    ),
    "answers about another resource": (
        "for_other_grant",
        lambda answers, province: body(changed(answers[0], province, resource="police.alive")),
    ),
    "says done to a question": (
        "not_allowed",
        lambda answers, province: body(changed(answers[0], province, outcome="done")),
    ),
    "tells more than was asked": (
        "not_allowed",
        lambda answers, province: body(changed(answers[0], province, fields={"birth_date": "1965-03-01"})),
    ),
    "answers long after": (
        "late",
        lambda answers, province: body(changed(answers[0], province, answered_at="2025-03-03T02:00:00Z")),
    ),
    "sends no verdict but another envelope": (
        "garbage",
        lambda answers, province: body(sign_envelope("hello", answers[0].payload, province.signer("police")).to_json()),
    ),
    "makes up an outcome": (
        "garbage",
        lambda answers, province: body(changed(answers[0], province, outcome="perhaps")),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_gateway_that_does_wrong_is_a_typed_failure_and_the_question_can_be_asked_again(
    province: Province, police: Gateway, make_hub: HubMaker, database: Database, name: str
) -> None:
    code, how = WRONG[name]
    well = {"behaves": False}

    def misbehave(answers: list[SignedEnvelope], where: Province) -> bytes:
        return body(*(one.to_json() for one in answers)) if well["behaves"] else how(answers, where)

    with misbehaving(province, police, misbehave) as url:
        exchange = make_hub({"police": url})
        agree(exchange, database, province)
        (found,) = call(exchange, database)
        assert (found.answered, found.outcome, found.reason) == (False, Outcome.UNKNOWN, code)
        assert found.failure is not None
        assert found.failure.chinese
        with database.read() as connection:
            row = connection.execute(sa.select(records.failure)).one()
            assert row.code == code
            assert connection.execute(sa.select(records.verdict)).all() == []
            assert connection.execute(sa.select(records.grant.c.state)).scalar_one() == "failed"
        well["behaves"] = True
        (again,) = call(exchange, database)
        assert (again.answered, again.reason) == (True, "matches")


def test_one_bad_answer_in_a_batch_spoils_no_other(
    province: Province, police: Gateway, make_hub: HubMaker, database: Database
) -> None:
    def spoil_the_second(answers: list[SignedEnvelope], _province: Province) -> bytes:
        return body(answers[0].to_json(), '"?"', answers[2].to_json())

    with misbehaving(province, police, spoil_the_second) as url:
        exchange = make_hub({"police": url})
        agree(exchange, database, province)
        found = call(exchange, database, question(), question(), question(LI, "李梅"))
    assert [one.reason for one in found] == ["matches", "garbage", "renamed"]


def test_answers_in_the_wrong_order_are_not_taken_for_one_another(
    province: Province, police: Gateway, make_hub: HubMaker, database: Database
) -> None:
    with misbehaving(province, police, lambda answers, _: body(*(one.to_json() for one in reversed(answers)))) as url:
        exchange = make_hub({"police": url})
        agree(exchange, database, province)
        found = call(exchange, database, question(), question(LI, "李梅"))
    assert [one.reason for one in found] == ["for_other_grant", "for_other_grant"]


def test_two_different_verdicts_to_one_grant_are_both_kept_and_make_a_conflict(
    exchange: Exchange, database: Database, province: Province
) -> None:
    with database.begin() as connection:
        prepared = exchange.prepare(connection, [question()])
    (honest,) = exchange.ask("police", prepared)
    assert honest.verdict is not None
    assert honest.envelope is not None
    other = replace_verdict(honest, province, outcome="hit", reason="death_registered")
    with database.begin() as connection:
        first = exchange.record(connection, honest)
        second = exchange.record(connection, other)
        third = exchange.record(connection, honest)
    assert (first.outcome, first.reason) == (Outcome.CLEAR, "matches")
    assert (second.outcome, second.reason) == (Outcome.CONFLICT, "two_different_verdicts")
    assert (third.outcome, third.reason) == (Outcome.CONFLICT, "two_different_verdicts")
    with database.read() as connection:
        kept = {envelope.digest for envelope in exchange.verdicts_of(connection, first.grant_id)}
        assert kept == {honest.envelope.digest, other.envelope.digest if other.envelope else ""}
        assert connection.execute(sa.select(records.grant.c.state)).scalar_one() == "conflict"


def test_two_different_verdicts_in_one_batch_are_a_conflict_too(
    exchange: Exchange, database: Database, province: Province
) -> None:
    with database.begin() as connection:
        prepared = exchange.prepare(connection, [question()])
    (honest,) = exchange.ask("police", prepared)
    other = replace_verdict(honest, province, outcome="hit", reason="death_registered")
    with database.begin() as connection:
        found = exchange.record_all(connection, [honest, other])
    assert found[1].outcome is Outcome.CONFLICT


def replace_verdict(answer: Answer, province: Province, **changes: Any) -> Answer:
    """The same gateway says something else to the same grant."""
    assert answer.envelope is not None
    payload = answer.envelope.payload | changes
    envelope = sign_envelope(VERDICT, payload, province.signer("police"))
    return replace(answer, verdict=Verdict.from_payload(payload), envelope=envelope)


def test_a_gateway_that_is_down_is_unreachable(make_hub: HubMaker, database: Database, province: Province) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    exchange = make_hub({"police": f"https://127.0.0.1:{port}"})
    agree(exchange, database, province)
    (found,) = call(exchange, database)
    assert (found.reason, found.failure.retryable if found.failure else None) == ("unreachable", True)
    assert exchange.availability() == {"police.household": False}


def test_a_department_without_a_gateway_is_unreachable(
    make_hub: HubMaker, database: Database, province: Province
) -> None:
    exchange = make_hub({})
    agree(exchange, database, province)
    assert call(exchange, database)[0].reason == "unreachable"


@contextmanager
def talking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says what it likes to one caller after another."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65536)
                    speak(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ending.set()
        thread.join(10)
        listener.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
IMPATIENT = Patience(connect=0.5, total=0.5, glance=0.3)


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def dripping(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"1\r\n \r\n")
        if threading.Event().wait(0.02):
            return


def flooding(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-length: 99999999\r\n\r\n")
    for _ in range(300):
        connection.sendall(b"x" * 65536)


def leading_away(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:1/v1/answers\r\ncontent-length: 0\r\n\r\n")


def breaking_off(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-length: 1000\r\n\r\n{")


def busy(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("speak", "code", "retryable"),
    [
        (silent, "timeout", True),
        (dripping, "timeout", True),
        (flooding, "too_large", False),
        (leading_away, "garbage", False),
        (breaking_off, "unreachable", True),
        (busy, "unreachable", True),
    ],
)
def test_a_gateway_that_is_slow_or_out_of_bounds_holds_nobody_up(
    make_hub: HubMaker,
    database: Database,
    province: Province,
    speak: Callable[[socket.socket], None],
    code: str,
    *,
    retryable: bool,
) -> None:
    with talking(speak) as url:
        exchange = make_hub({"police": url}, patience=IMPATIENT)
        agree(exchange, database, province)
        (found,) = call(exchange, database)
        assert found.failure is not None
        assert (found.reason, found.failure.retryable) == (code, retryable)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"grants": 1}', 400),
        (b'{"grants": [], "more": 1}', 400),
        (b'{"grants": [' + b"1," * 256 + b"1]}", 413),
        (b" " * (5 * 1024 * 1024), 413),
    ],
)
def test_a_request_out_of_form_or_bounds_is_refused_at_the_door(police: Gateway, sent: bytes, status: int) -> None:
    with serving(gateway_application(police)) as url, urllib3.PoolManager(retries=False) as pool:
        assert pool.request("POST", f"{url}/v1/answers", body=sent).status == status
        assert pool.request("GET", f"{url}/health").data == b"ok"
    assert police.memory.lines() == []
