"""The hub's side of the exchange holds on both of its databases."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from exchange_province import LI, SYSTEM, WANG, Province, serving

from huodang.exchange import (
    VERDICT,
    Exchange,
    Gateway,
    GatewayDirectory,
    Looks,
    Outcome,
    Question,
    Verdict,
    gateway_application,
    records,
)
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import FieldSealer, sign_envelope


def ask_about(subject: str, name: str) -> Question:
    return Question("police.household", "case-1", subject, {"name": name}, {}, "retirement", SYSTEM)


def test_agreements_calls_looks_and_conflicts_on_either_database(
    any_database: Database, province: Province, police: Gateway, request: pytest.FixtureRequest
) -> None:
    signers = (province.signer("hub", "national"), province.signer("hub", "international"))
    ledger = Ledger(any_database, signers, "test.example/huodang", province.clock)
    sealer = FieldSealer.create(province.keys.keys_folder("hub"))
    with serving(gateway_application(police)) as url:
        directory = GatewayDirectory.of_urls({"police": url}, None)
        request.addfinalizer(directory.close)
        exchange = Exchange(any_database, ledger, signers[0], province.trusted, directory, sealer, province.clock)
        with any_database.begin() as connection:
            exchange.agreements.take(connection, province.signed(province.agreement()))
        with any_database.begin() as connection:
            prepared = exchange.prepare(connection, [ask_about(WANG, "王建国"), ask_about(LI, "李梅")])
        answers = exchange.ask("police", prepared)
    with any_database.begin() as connection:
        found = exchange.record_all(connection, answers)
    assert [one.reason for one in found] == ["matches", "renamed"]
    first = answers[0]
    assert first.envelope is not None
    payload = first.envelope.payload | {"outcome": "hit", "reason": "death_registered"}
    other = replace(
        first,
        verdict=Verdict.from_payload(payload),
        envelope=sign_envelope(VERDICT, payload, province.signer("police")),
    )
    with any_database.begin() as connection:
        assert exchange.record(connection, other).outcome is Outcome.CONFLICT
    with any_database.read() as connection:
        assert len(exchange.verdicts_of(connection, found[0].grant_id)) == 2
        states = sorted(connection.execute(sa.select(records.grant.c.state)).scalars())
    assert states == ["answered", "conflict"]
    assert len(Looks(any_database, ledger, province.clock).of_case("case-1")) == 2
    assert ledger.seal_batch() is not None
    assert ledger.verify_all().valid
