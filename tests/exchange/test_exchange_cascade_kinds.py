"""What a hub does for a neighbour beside answering checks: acts done once, lists, and a clear no to a batch."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from exchange_cascade import BORN, CONFIRM, HOUSEHOLD, Site, ask, connect, opened, question
from exchange_province import LI, WANG

from huodang.exchange import Actor, FailureCode, Kind, Outcome, Roll, product_catalogue

FIELDS = ("identity_number", "name", "birth_date")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    """A province with a police gateway, and a city below it: each hub a process."""
    root: Path = tmp_path_factory.mktemp("kinds")
    province, city = (Site.make(name, root / name) for name in ("province", "city"))
    province.write_hub(lower=(city,))
    city.write_hub(upper=province)
    province.start("police")
    province.start("hub")
    city.start("hub")
    try:
        province.wait("police", city)
        province.wait("hub", city)
        city.wait("hub", province)
        yield province, city
    finally:
        province.stop()
        city.stop()


def done(province: Site) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(province.house / "police.db", timeout=10)
    try:
        return connection.execute("SELECT YWLSH, GMSFHM, YWRQ FROM T_YW ORDER BY 1").fetchall()
    finally:
        connection.close()


def test_an_act_asked_for_below_is_done_above_once_however_often_it_is_asked(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        terms = {"kind": Kind.ACTION, "elements": ("identity_number",), "fields": (), "purposes": ("retirement",)}
        province.agree_inside(above, resource=CONFIRM, **terms)
        name = connect(province, above, city, below, CONFIRM, **terms)
        asked = {"on_date": "2025-03-03", "idempotency_key": "city-case1"}
        acts = [question(city, name, claims={}, parameters=asked) for _ in range(2)]
        first, again = (ask(below, one)[0] for one in acts)
        assert (first.outcome, first.answered) == (Outcome.DONE, True), first.failure
        assert (again.outcome, again.reason) == (first.outcome, first.reason)
        assert done(province) == [("city-case1", WANG, "20250303")]
        assert below.cascade is not None
        proof = below.cascade.proof(first.grant_id)
        assert proof is not None
        assert (proof.origin_hub, proof.origin) == ("province", "police")
        (short,) = ask(below, question(city, name, claims={}, parameters={"idempotency_key": "city-case2"}))
        assert short.failure is not None
        assert (short.failure.code, short.failure.detail) == (FailureCode.REFUSED, "parameter_missing")
        assert len(done(province)) == 1


def test_a_list_asked_for_below_holds_who_the_department_above_has_and_no_field_more(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        entry = msgspec.structs.replace(product_catalogue()["social_insurance.due"], resource=BORN, code="")
        entry = msgspec.structs.replace(entry, elements=FIELDS)
        with above.database.begin() as connection:
            above.catalogue.publish(connection, entry)
        terms = {"kind": Kind.LIST, "purposes": ("retirement_due",), "elements": FIELDS}
        province.agree_inside(above, resource=BORN, fields=FIELDS, **terms)
        name = connect(province, above, city, below, BORN, fields=("identity_number", "name"), **terms)
        asked = {
            "identity_number": "",
            "claims": {},
            "parameters": {"birth_from": "1965-03-01", "birth_to": "1970-12-31"},
            "purpose": "retirement_due",
            "elements": FIELDS,
            "fields": ("identity_number", "name"),
        }
        subject = str(asked.pop("identity_number"))
        (answer,) = ask(below, question(city, name, subject, **asked))
        assert answer.answered, answer.failure
        assert [dict(row) for row in answer.rows] == [
            {"identity_number": WANG, "name": "王建国"},
            {"identity_number": LI.lower(), "name": "李红梅"},
        ]
        (wider,) = ask(below, question(city, name, subject, **{**asked, "fields": FIELDS}))
        assert wider.failure is not None
        assert wider.failure.code is FailureCode.NO_AGREEMENT


def test_a_batch_is_refused_before_anybody_is_asked_and_says_what_to_do(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        province.agree_inside(above)
        name = connect(province, above, city, below, HOUSEHOLD)
        assert below.cascade is not None
        roll = Roll(
            resource=name,
            case_id="matter-1",
            subjects=[WANG, LI],
            purpose="retirement",
            actor=Actor("system", "系统", "system", "city", "130000"),
            claims={"name": ["王建国", "李红梅"]},
            parameters={},
        )
        found = list(below.cascade.exchange.verify_many(roll, run="r1"))
        assert [one.answered for one in found] == [False, False]
        assert {one.failure.detail for one in found if one.failure is not None} == {"batch_not_relayed"}
        assert "逐人核验" in str(found[0].failure and found[0].failure.chinese)
        singly = ask(
            below, *(question(city, name, subject, who) for subject, who in ((WANG, "王建国"), (LI, "李红梅")))
        )
        assert [one.answered for one in singly] == [True, True]
