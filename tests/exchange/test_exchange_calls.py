"""Calls with a purpose, hub to gateway and back: over real HTTP with mutual TLS, and everything that can go wrong."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
import urllib3
from exchange_hub import agree, call, question
from exchange_province import LI, STRANGER, WANG, HubMaker, Province, serving

from huodang.exchange import (
    VERDICT,
    Actor,
    Answer,
    Exchange,
    FailureCode,
    Gateway,
    Looks,
    Outcome,
    Verdict,
    gateway_application,
    records,
)
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import TlsAuthority, sign_envelope


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


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"grants": 1}', 400),
        (b'{"grants": [' + b"[" * 200_000, 400),
        (b'{"grants": [' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"]}", 400),
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
