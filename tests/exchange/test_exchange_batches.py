"""Many persons in one grant: answered as if each had been asked alone, recorded, proven, and resumed after a kill."""

from collections.abc import Iterator
from typing import Any

import pytest
from exchange_hub import agree, call, question
from exchange_province import LI, STRANGER, SYSTEM, WANG, ZHAO_OLD_CARD, HubMaker, Province, serving

from huodang.exchange import Exchange, Gateway, Looks, Outcome, Roll, gateway_application
from huodang.exchange.gateway.parts import build_parts
from huodang.ledger import Ledger
from huodang.store import Database

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
def exchange(police: Gateway, make_hub: HubMaker, database: Database, province: Province) -> Iterator[Exchange]:
    with serving(gateway_application(police, build_parts(police, {})), province.tls("police")) as url:
        made = make_hub({"police": url})
        agree(made, database, province)
        yield made


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
        assert (look.what, look.purpose, look.case_id, look.subjects) == ("police.household", "retirement", "matter-1", 5)
    assert len(looks.of_case("matter-1")) == 1
