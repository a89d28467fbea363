"""Many persons in one grant: answered as if each had been asked alone, recorded, proven, and resumed after a kill."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from exchange_hub import agree, call, question
from exchange_province import LI, STRANGER, SYSTEM, WANG, ZHAO_OLD_CARD, HubMaker, Province, serving
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import Exchange, FailureCode, Gateway, LineProof, Looks, Outcome, Roll, gateway_application
from huodang.exchange.calls import records
from huodang.exchange.calls.answering import BatchAnswering
from huodang.exchange.calls.messages import climb, tree_path, tree_root
from huodang.exchange.client import GatewayClient
from huodang.exchange.gateway.parts import build_parts
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import sm3

PERSONS = (
    (WANG, "王建国"),
    (LI, "李梅"),
    (ZHAO_OLD_CARD, "赵铁柱"),
    (STRANGER, "钱有为"),
    ("130102196503010000", "王建国"),
    (f" {WANG} ", "王建囯"),
    ("", "无"),
    (ZHAO_OLD_CARD[:6] + ZHAO_OLD_CARD[8:17], "赵铁柱"),
)


def roll(persons: Any = PERSONS, **changes: Any) -> Roll:
    parts: dict[str, Any] = {
        "resource": "police.household",
        "case_id": "matter-1",
        "subjects": [number for number, _ in persons],
        "purpose": "retirement",
        "actor": SYSTEM,
        "claims": {"name": [name for _, name in persons]},
        "parameters": {},
    }
    return Roll(**{**parts, **changes})


@pytest.fixture
def served(police: Gateway, province: Province) -> Iterator[str]:
    """The police gateway with its parts, over mutual TLS; it outlives the hub's connections."""
    with serving(gateway_application(police, build_parts(police, {})), province.tls("police")) as url:
        yield url


@pytest.fixture
def exchange(served: str, make_hub: HubMaker, database: Database, province: Province) -> Exchange:
    made = make_hub({"police": served})
    agree(made, database, province)
    return made


def test_a_batch_says_of_everybody_what_they_would_be_told_alone(exchange: Exchange, database: Database) -> None:
    together = exchange.verify_many(roll())
    alone = call(exchange, database, *(question(number, name) for number, name in PERSONS))
    said = [(one.outcome, one.reason, one.answered, one.as_of, one.fields or {}) for one in together]
    assert said == [(one.outcome, one.reason, one.answered, one.as_of, one.fields or {}) for one in alone]
    assert said[0][:2] == (Outcome.CLEAR, "matches")
    assert together.counts()[Outcome.UNKNOWN] == 3


def test_everybody_of_a_batch_finds_the_look_at_them(
    exchange: Exchange, database: Database, ledger: Ledger, province: Province
) -> None:
    exchange.verify_many(roll())
    looks = Looks(database, ledger, province.clock)
    for number in (WANG, LI, STRANGER):
        (look,) = looks.of_subject(exchange.subject_index(number))
        assert (look.what, look.purpose, look.case_id, look.subjects) == (
            "police.household",
            "retirement",
            "matter-1",
            5,
        )
    assert len(looks.of_case("matter-1")) == 1


def test_one_bad_number_in_ten_thousand_is_refused_alone(exchange: Exchange, police: Gateway) -> None:
    persons = [(WANG, f"名{serial}") for serial in range(10_001)]
    persons[7000] = ("130102196503010000", "王建国")
    found = exchange.verify_many(roll(persons))
    assert (found[7000].outcome, found[7000].reason) == (Outcome.UNKNOWN, "subject_invalid")
    assert found.counts() == {Outcome.CONFLICT: 10_000, Outcome.UNKNOWN: 1}


def test_the_same_person_asked_the_same_twice_is_asked_once_and_told_twice(exchange: Exchange, police: Gateway) -> None:
    found = exchange.verify_many(roll([(WANG, "王建国")] * 3 + [(WANG, "别名")]))
    assert [one.outcome for one in found] == [Outcome.CLEAR] * 3 + [Outcome.CONFLICT]
    lines = police.memory.lines(subject_mark=police.subject_mark(WANG))
    assert sorted(line.outcome for line in lines) == ["clear", "conflict"]


def test_a_batch_leaves_one_leaf_each_for_grant_look_and_verdict(
    exchange: Exchange, database: Database, ledger: Ledger
) -> None:
    before = ledger.pending()
    exchange.verify_many(roll())
    assert ledger.pending() == before + 3
    ledger.seal_batch()
    with database.read() as connection:
        row = connection.execute(sa.select(records.batch)).one()
    verdict = ledger.receipt(row.verdict_entry_id, row.verdict_head.encode())
    facts = json.loads(verdict.leaf)["facts"]
    assert (facts["subjects"], facts["batch"]) == ("5", row.batch_id)
    assert len(facts["root"]) == 64


def test_no_number_and_no_name_of_a_batch_stands_open_in_the_hubs_tables(
    exchange: Exchange, database: Database
) -> None:
    exchange.verify_many(roll())
    with database.read() as connection:
        for table in (records.batch, records.page, records.subject):
            for row in connection.execute(sa.select(table)):
                assert WANG not in str(row)
                assert "王建国" not in str(row)


def test_a_run_that_was_recorded_is_not_asked_again_and_another_question_is(
    exchange: Exchange, police: Gateway
) -> None:
    first = exchange.verify_many(roll(), run="2025-03")
    lines = len(police.memory.lines())
    assert list(exchange.verify_many(roll(), run="2025-03")) == list(first)
    assert len(police.memory.lines()) == lines
    exchange.verify_many(roll(PERSONS[:2]), run="2025-03")
    assert len(police.memory.lines()) > lines


def test_a_run_killed_between_grant_and_record_is_asked_anew_and_the_looks_stay(
    exchange: Exchange, database: Database, ledger: Ledger, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("huodang.exchange.calls.batches.judge_batch", die)
        with pytest.raises(KeyboardInterrupt):
            exchange.verify_many(roll(), run="2025-03")
    found = exchange.verify_many(roll(), run="2025-03")
    assert found[0].outcome is Outcome.CLEAR
    with database.read() as connection:
        assert sorted(connection.execute(sa.select(records.batch.c.state)).scalars()) == ["answered", "issued"]
    assert len(Looks(database, ledger, province.clock).of_subject(exchange.subject_index(WANG))) == 2


def test_an_agreement_that_does_not_cover_the_purpose_covers_no_batch(exchange: Exchange, police: Gateway) -> None:
    found = exchange.verify_many(roll(purpose="curiosity"))
    assert {one.reason for one in found} == {"no_agreement", "subject_invalid"}
    assert police.memory.lines() == []


Twist = Callable[[list[bytes]], Sequence[bytes]]


def _swap_persons(lines: list[bytes]) -> list[bytes]:
    page = json.loads(lines[0])
    for column in ("outcomes", "reasons", "as_of"):
        page[column][0], page[column][1] = page[column][1], page[column][0]
    return [json.dumps(page, ensure_ascii=False).encode(), *lines[1:]]


def _other_outcome(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"conflict"', b'"clear"', 1), *lines[1:]]


def _more_columns(lines: list[bytes]) -> list[bytes]:
    page = json.loads(lines[0])
    page["fields"]["birth_date"] = page["fields"]["name"]
    return [json.dumps(page, ensure_ascii=False).encode(), *lines[1:]]


@pytest.mark.parametrize(
    ("twist", "code"),
    [
        (_swap_persons, FailureCode.GARBAGE),
        (_other_outcome, FailureCode.GARBAGE),
        (_more_columns, FailureCode.NOT_ALLOWED),
        (lambda lines: lines[:1], FailureCode.GARBAGE),
        (lambda lines: lines[1:], FailureCode.GARBAGE),
        (lambda lines: [lines[0], *lines], FailureCode.GARBAGE),
        (lambda lines: [lines[0][: len(lines[0]) // 2], lines[1]], FailureCode.GARBAGE),
        (lambda _: [], FailureCode.GARBAGE),
        (lambda _: [b"{}"], FailureCode.GARBAGE),
    ],
)
def test_an_answer_altered_on_the_way_counts_for_nobody(
    exchange: Exchange, database: Database, monkeypatch: pytest.MonkeyPatch, twist: Twist, code: FailureCode
) -> None:
    real = GatewayClient.batch
    monkeypatch.setattr(GatewayClient, "batch", lambda *told: iter(twist(list(real(*told)))))
    found = exchange.verify_many(roll(PERSONS[:4]))
    assert [failure.code for failure in found.failures] == [code]
    assert {one.outcome for one in found} == {Outcome.UNKNOWN}
    with database.read() as connection:
        assert connection.execute(sa.select(records.batch.c.state)).scalar_one() == "failed"


def sent(exchange: Exchange, database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, list[bytes]]:
    """What the hub would send for a roll."""
    kept: list[tuple[bytes, list[bytes]]] = []

    def keep(_: GatewayClient, grant: str, pages: list[bytes]) -> Iterator[bytes]:
        kept.append((grant.encode(), pages))
        return iter(())

    with monkeypatch.context() as patched:
        patched.setattr(GatewayClient, "batch", keep)
        exchange.verify_many(roll(PERSONS[:4]))
    return kept[0]


def refusal(lines: list[bytes]) -> str:
    """The code of the refusal that came last."""
    payload: dict[str, str] = json.loads(json.loads(lines[-1])["payload"])
    return payload.get("code", "")


def test_a_gateway_refuses_a_batch_that_was_presented_before(
    exchange: Exchange, database: Database, police: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant, pages = sent(exchange, database, monkeypatch)
    assert refusal(list(BatchAnswering(police).answer(grant, pages))) == ""
    assert refusal(list(BatchAnswering(police).answer(grant, pages))) == "replayed"


def test_a_gateway_refuses_a_batch_whose_time_is_over_or_whose_pages_differ(
    exchange: Exchange, database: Database, police: Gateway, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant, pages = sent(exchange, database, monkeypatch)
    other = pages[0].replace(WANG.encode(), STRANGER.encode())
    answering = BatchAnswering(police)
    assert refusal(list(answering.answer(grant, [other]))) == "page_differs"
    grant, pages = sent(exchange, database, monkeypatch)
    assert refusal(list(answering.answer(grant, []))) == "page_differs"
    assert refusal(list(answering.answer(grant.replace(b"police.household", b"police.alive"), pages))) == "forged"
    assert refusal(list(answering.answer(b"[]", pages))) == "malformed"
    province.clock.advance(timedelta(minutes=10))
    assert refusal(list(answering.answer(grant, pages))) == "expired"


def test_a_gateway_that_goes_away_within_a_batch_is_asked_anew(
    exchange: Exchange, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(BatchAnswering, "_answer_page", lambda *_: 1 / 0)
        found = exchange.verify_many(roll(), run="r")
    assert found.failures
    assert {one.answered for one in found} == {False}
    assert exchange.verify_many(roll(), run="r")[0].outcome is Outcome.CLEAR


def test_one_persons_part_is_proved_alone_and_shows_nobody_else(exchange: Exchange, province: Province) -> None:
    exchange.verify_many(roll())
    (proof,) = exchange.batch_proofs(WANG)[:1]
    assert LineProof.from_json(proof.to_json()).holds(province.trusted)
    assert LI not in proof.to_json()
    assert proof.answered[:2] == ("clear", "matches")


@pytest.mark.parametrize(
    "changes",
    [
        {"answered": ("hit", "death_registered", "2025-03-01T00:00:00Z", "王建国", "1")},
        {"asked": (STRANGER, "王建国")},
        {"salt": "00" * 16},
        {"line": 1},
        {"line": 9999},
        {"grant_path": ()},
        {"verdict_path": ("00" * 32,)},
        {"grant": "{}"},
    ],
)
def test_a_proof_that_was_altered_proves_nothing(
    exchange: Exchange, province: Province, changes: dict[str, Any]
) -> None:
    exchange.verify_many(roll())
    proof = exchange.batch_proofs(WANG)[0]
    assert not msgspec.structs.replace(proof, **changes).holds(province.trusted)


@given(st.integers(1, 70), st.data())
def test_every_leaf_of_a_tree_climbs_to_its_root_and_to_no_other_place(size: int, data: st.DataObject) -> None:
    leaves = [sm3(str(place).encode()) for place in range(size)]
    place, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path = tree_path(sm3, leaves, place)
    assert climb(sm3, leaves[place], place, size, path) == tree_root(sm3, leaves)
    if other != place:
        assert climb(sm3, leaves[place], other, size, path) != tree_root(sm3, leaves)
