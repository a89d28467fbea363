"""Real hubs, each with a gateway of its own: what one level knows is used on the other."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from exchange_cascade import DEATHS, HOUSEHOLD, Site, ask, connect, opened, question, wait_until
from exchange_events import number
from exchange_province import WANG

from huodang.exchange import FailureCode, Outcome, revoke_envelope
from huodang.exchange.cascade import CascadeError, NeighbourError, records, verify_chain_receipt
from huodang.store import SystemClock
from huodang.trust import TrustedKeys


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site, Site]]:
    """A province, a city and a town below it, each a hub and a gateway; province and city may ask each other."""
    root: Path = tmp_path_factory.mktemp("cascade")
    province, city, town = (Site.make(name, root / name) for name in ("province", "city", "town"))
    province.write_hub(lower=(city, town))
    for below in (city, town):
        below.write_hub(upper=province)
    for site in (province, city, town):
        site.start("police")
        site.start("hub")
    try:
        for site, other in ((province, city), (city, province), (town, province)):
            site.wait("police", other)
            site.wait("hub", other)
        with opened(province, city) as (above, below):
            for site, services in ((province, above), (city, below)):
                site.agree_inside(services)
            connect(province, above, city, below, HOUSEHOLD)
            connect(city, below, province, above, HOUSEHOLD)
        yield province, city, town
    finally:
        for site in (province, city, town):
            site.stop()


@pytest.fixture
def sites(three: tuple[Site, Site, Site]) -> tuple[Site, Site]:
    """The province and the city."""
    return three[:2]


def test_a_city_is_answered_by_a_department_of_the_province(sites: tuple[Site, Site]) -> None:
    _, city = sites
    with opened(city) as (below,):
        (answer,) = ask(below, question(city, "province.police__household"))
        assert (answer.outcome, answer.reason, answer.answered) == (Outcome.CLEAR, "matches", True)
        assert answer.fields == {"name": "王建国", "sex": "1"}


def test_a_province_is_answered_by_a_department_of_the_city(sites: tuple[Site, Site]) -> None:
    province, _ = sites
    with opened(province) as (above,):
        (answer,) = ask(above, question(province, "city.police__household"))
        assert (answer.outcome, answer.reason) == (Outcome.CLEAR, "matches")


def test_what_was_agreed_between_the_hubs_is_all_that_may_be_asked(sites: tuple[Site, Site]) -> None:
    _, city = sites
    with opened(city) as (below,):
        foreign = question(city, "province.police__household", purpose="retirement_prefill")
        wider = question(city, "province.police__household", fields=("name", "birth_date"))
        told = ask(below, foreign, wider)
        assert [one.failure and one.failure.code for one in told] == [FailureCode.NO_AGREEMENT] * 2


def test_every_hub_on_the_way_leaves_look_and_ledger_entry_and_names_nobody(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        (answer,) = ask(below, question(city, "province.police__household", case_id="case-looked"))
        (look,) = above.looks.of_case("case-looked")
        assert (look.user_id, look.department, look.policy) == ("hub:city", "city", "neighbour.pass_on")
        assert len(below.looks.of_case("case-looked")) == 1
        with above.database.read() as connection:
            row = connection.execute(sa.select(records.relayed).order_by(records.relayed.c.at.desc()).limit(1)).one()
        assert (row.neighbour, row.path, row.outcome) == ("city", "city", "clear")
        assert WANG not in str(row)
        assert below.cascade is not None
        proof = below.cascade.proof(answer.grant_id)
        assert proof is not None
        assert (proof.neighbour, proof.origin_hub, proof.origin) == ("province", "province", "police")
        with below.database.read() as connection:
            kept = connection.execute(sa.select(records.proof)).all()
        assert WANG not in str(kept)


def test_the_chain_behind_an_answer_is_proved_offline(sites: tuple[Site, Site]) -> None:
    _, city = sites
    with opened(city) as (below,):
        assert below.cascade is not None
        (answer,) = ask(below, question(city, "province.police__household"))
        below.ledger.seal_batch()
        text = below.cascade.receipt(answer.grant_id)
        neighbours = TrustedKeys.load(city.root / "neighbours" / "province.json")
        report = verify_chain_receipt(text, city.trusted(), neighbours)
        assert (report.valid, report.origin and report.origin.department) == (True, "police")
        changed = text.replace('\\"outcome\\":\\"clear\\"', '\\"outcome\\":\\"hit\\"')
        assert changed != text
        assert not verify_chain_receipt(changed, city.trusted(), neighbours).valid
        assert not verify_chain_receipt(text, city.trusted(), city.trusted()).valid


def test_revoked_at_the_origin_nothing_goes_through_from_the_next_question_on(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        agreement = province.agree_inside(above, version=2)
        assert ask(below, question(city, "province.police__household"))[0].answered
        revocation = revoke_envelope(agreement, "测试", province.signer("police"), SystemClock())
        path = province.house / "agreements" / f"{agreement.agreement_id}.v2.revoked.json"
        path.write_text(revocation.to_json(), encoding="utf-8")
        (answer,) = ask(below, question(city, "province.police__household"))
        assert not answer.answered
        assert answer.failure is not None
        assert (answer.failure.code, answer.failure.detail) == (FailureCode.REFUSED, "agreement_revoked")
        province.agree_inside(above, version=3)
        assert ask(below, question(city, "province.police__household"))[0].answered


def test_revoked_between_the_hubs_nothing_goes_through_either(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        assert above.cascade is not None
        assert below.cascade is not None
        above.cascade.compacts.revoke("XY-province-police__household-city", 1, "测试")
        (answer,) = ask(below, question(city, "province.police__household"))
        assert answer.failure is not None
        assert answer.failure.code is FailureCode.NO_AGREEMENT  # the revocation was carried down at once
        connect(province, above, city, below, HOUSEHOLD, version=2)
        assert ask(below, question(city, "province.police__household"))[0].answered


def test_withdrawn_above_an_entry_goes_below_by_itself_and_comes_back(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(province, city) as (above, below):
        assert above.cascade is not None
        assert below.cascade is not None
        name = above.cascade.publish("police.alive", by="steward").resource
        below.cascade.subscribe("province", [name])
        above.cascade.withdraw("police.alive", by="steward")
        # The running hub below looks again by itself.
        wait_until(lambda: {one.resource: one.state for one in below.cascade.entries()}[name] == "withdrawn")
        with below.database.read() as connection:
            assert below.catalogue.entry(connection, name) is None
        above.cascade.publish("police.alive", by="steward")
        assert below.cascade.subscribe("province", [name]).added == (name,)


def test_a_death_registered_below_arrives_above_once_though_the_hub_below_is_killed(sites: tuple[Site, Site]) -> None:
    province, city = sites
    name = f"city.{DEATHS.replace('.', '__')}"
    with opened(province, city) as (above, below):
        for consumer in ("social_insurance", "city"):
            city.agree_inside(below, resource=DEATHS, consumer=consumer)
        connect(city, below, province, above, DEATHS)
        for serial in range(2):
            city.died(serial)
            time.sleep(0.25 * serial)  # before, and about when the hub takes it
            city.kill("hub")
            city.died(serial + 10)
            city.start("hub")
            city.wait("hub", province)
        wait_until(lambda: len(above.events.events(resource=name)) >= 4, 30)
        time.sleep(1.5)
        rows = sorted(above.events.events(resource=name), key=lambda one: one.number)
        assert [one.sequence for one in rows] == [1, 2, 3, 4]
        taken: list[str] = []
        above.events.subscriptions.on(
            "*", lambda _, event: taken.append(event.data["identity_number"]), name="test-effect"
        )
        above.events.subscriptions.run_once()
        assert sorted(taken) == sorted(number(serial) for serial in (0, 10, 1, 11))


def test_a_hub_that_is_away_is_a_clear_failure_and_nothing_is_lost(sites: tuple[Site, Site]) -> None:
    province, city = sites
    province.kill("hub")
    with opened(city) as (below,):
        (answer,) = ask(below, question(city, "province.police__household"))
        assert answer.failure is not None
        assert answer.failure.code is FailureCode.UNREACHABLE
        assert answer.failure.retryable
        assert below.cascade is not None
        with pytest.raises(NeighbourError):
            below.cascade.look("province")
        assert below.cascade.entries()
        province.start("hub")
        province.wait("hub", city)
        time.sleep(1.1)  # the hub below leaves one alone for a moment that was away
        assert ask(below, question(city, "province.police__household"))[0].answered


def test_a_department_that_is_away_is_a_clear_failure_too(sites: tuple[Site, Site]) -> None:
    province, city = sites
    province.kill("police")
    with opened(city) as (below,):
        (answer,) = ask(below, question(city, "province.police__household"))
        assert answer.failure is not None
        assert (answer.failure.code, answer.failure.detail) == (FailureCode.UNREACHABLE, "origin_unreachable")
    province.start("police")
    province.wait("police", province)


def test_a_question_over_three_hubs_is_answered_by_the_one_who_knows(three: tuple[Site, Site, Site]) -> None:
    province, city, town = three
    with opened(province, city, town) as (above, below, beside):
        town.agree_inside(beside)
        name = connect(town, beside, province, above, HOUSEHOLD)
        name = connect(province, above, city, below, name)
        assert name == "province.town__police__household"
        (answer,) = ask(below, question(city, name))
        assert (answer.outcome, answer.fields) == (Outcome.CLEAR, {"name": "王建国", "sex": "1"})
        assert below.cascade is not None
        proof = below.cascade.proof(answer.grant_id)
        assert proof is not None
        assert (proof.neighbour, proof.origin_hub, proof.origin, len(proof.chain)) == ("province", "town", "police", 2)
        assert beside.cascade is not None
        with pytest.raises(CascadeError):  # what comes from a neighbour isn't offered back to it
            beside.cascade.subscribe("province", [name])


def test_who_retired_in_one_city_and_dies_in_another_is_told_to_the_first(three: tuple[Site, Site, Site]) -> None:
    province, city, town = three
    with opened(province, city, town) as (above, below, beside):
        for consumer in ("social_insurance", "town"):
            town.agree_inside(beside, resource=DEATHS, consumer=consumer)
        name = connect(town, beside, province, above, DEATHS)
        name = connect(province, above, city, below, name)
        town.died(7)
        time.sleep(0.3)
        town.kill("hub")
        province.kill("hub")
        town.start("hub")
        province.start("hub")
        town.wait("hub", province)
        province.wait("hub", city)
        wait_until(lambda: below.events.events(resource=name), 30)
        time.sleep(1)
        (event,) = below.events.events(resource=name)
        assert event.person == below.subject_index(number(7))
        for site, services, neighbour in ((town, beside, "province"), (province, above, "city")):
            looks = services.looks.of_subject(services.subject_index(number(7)))
            assert [one.policy for one in looks if one.department == neighbour] == ["neighbour.pass_on"], site.name
