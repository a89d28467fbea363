"""What a gateway may do wrong on the wire: each a typed failure, recorded, and the question can be asked again."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from exchange_hub import agree, call, question
from exchange_province import LI, HubMaker, Province, serving
from litestar import Litestar, Response, get, post
from litestar.params import RawBody

from huodang.exchange import (
    VERDICT,
    Gateway,
    Outcome,
    Patience,
    records,
)
from huodang.store import Database
from huodang.trust import SignedEnvelope, Signer, sign_envelope

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
