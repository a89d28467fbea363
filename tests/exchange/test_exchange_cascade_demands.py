"""A demand raised below for an entry of the hub above: its department has its deadline, its answer comes back."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from exchange_cascade import HOUSEHOLD, Site, opened
from typer.testing import CliRunner

from huodang.cli import app
from huodang.exchange import Actor, Kind
from huodang.exchange.cascade import CascadeError, DemandAbove, DemandRefusedError
from huodang.exchange.cascade.demand_words import CASCADE_DEMAND
from huodang.exchange.sharing import Light
from huodang.store import SystemClock
from huodang.trust import EnvelopeError, SignedEnvelope, sign_envelope
from huodang.web import Services

POLICE = Actor("police-steward", "公安数据管理员", "steward", "police")
OUTER = "province.police__household"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    """A province whose hub is a process, and a city below it."""
    root: Path = tmp_path_factory.mktemp("demands")
    province, city = (Site.make(name, root / name) for name in ("province", "city"))
    province.write_hub(lower=(city,))
    city.write_hub(upper=province)
    province.start("hub")
    try:
        province.wait("hub", city)
        with opened(province, city) as (above, below):
            assert above.cascade is not None
            assert below.cascade is not None
            above.cascade.publish(HOUSEHOLD, by="steward")
            below.cascade.subscribe("province", [OUTER])
        yield province, city
    finally:
        province.stop()


def raise_below(below: Services, **changes: Any) -> DemandAbove:
    assert below.cascade is not None
    asked: dict[str, Any] = {
        "purposes": ("supervision",),
        "legal_basis": "社会保险经办条例第八条",
        "frequency": "realtime",
        "valid_from": SystemClock().today(),
        "elements": ("name", "death_date"),
        "note": "稽核核对",
    }
    return below.cascade.demands.ask(OUTER, Kind.CHECK, **{**asked, **changes})


def now_told(below: Services, reference: str) -> DemandAbove:
    assert below.cascade is not None
    assert below.cascade.demands.refresh() == {}
    return next(one for one in below.cascade.demands.asked() if one.reference == reference)


def test_the_department_above_sees_it_with_its_deadline_and_its_refusal_comes_back_signed(
    sites: tuple[Site, Site],
) -> None:
    with opened(*sites) as (above, below):
        asked = raise_below(below)
        assert asked.standing is not None
        (row,) = above.sharing.demands(POLICE)
        assert (row.consumer, row.provider, row.resource) == ("province", "police", HOUSEHOLD)
        assert row.standing.waits_for_departments == ("police",)
        assert row.standing.light is Light.GREEN
        assert (asked.standing.due_on, asked.standing.light) == (row.standing.due_on, "green")
        assert asked.standing.waits_for == ("police",)
        assert "city" in above.sharing.view(POLICE, row.demand_id).history[0].note
        # Asked again, it is told as it stands and raised no second time.
        assert now_told(below, asked.reference).standing is not None
        assert len(above.sharing.demands(POLICE)) == 1
        above.sharing.act(POLICE, row.demand_id, "accept")
        assert now_told(below, asked.reference).state == "answer"
        above.sharing.act(
            POLICE, row.demand_id, "ask_supplement", note="请写明核对的人员范围", data={"law": "政务数据共享条例"}
        )
        told = now_told(below, asked.reference).standing
        assert told is not None
        assert (told.state, told.note) == ("supplement", "请写明核对的人员范围")
        assert told.waits_for == ("province",)


def test_an_approved_one_becomes_the_agreement_under_which_the_hub_above_passes_on(sites: tuple[Site, Site]) -> None:
    with opened(*sites) as (above, below):
        asked = raise_below(below, elements=("name",), purposes=("retirement",))
        assert asked.standing is not None
        demand_id = asked.standing.demand_id
        above.sharing.act(POLICE, demand_id, "accept")
        above.sharing.act(POLICE, demand_id, "approve")
        assert now_told(below, asked.reference).state == "signing"
        draft = above.sharing.draft(POLICE, demand_id)
        assert (draft.provider, draft.consumer, draft.grant_signer) == ("police", "province", "province")
        assert draft.elements == ("name",)


def test_a_demand_for_what_is_not_offered_is_refused_and_not_kept(sites: tuple[Site, Site]) -> None:
    with opened(*sites) as (above, below):
        assert below.cascade is not None
        before = len(below.cascade.demands.asked()), len(above.sharing.demands(POLICE))
        with pytest.raises(CascadeError):
            below.cascade.demands.ask(
                "police.household",
                Kind.CHECK,
                purposes=("supervision",),
                legal_basis="x",
                frequency="once",
                valid_from=date(2025, 1, 1),
            )
        with pytest.raises(DemandRefusedError):
            raise_below(below, elements=("bank_account",))
        assert (len(below.cascade.demands.asked()), len(above.sharing.demands(POLICE))) == before


def test_only_a_neighbours_own_signature_raises_anything(sites: tuple[Site, Site]) -> None:
    province, city = sites
    with opened(*sites) as (above, below):
        assert above.cascade is not None
        assert below.cascade is not None
        before = len(above.sharing.demands(POLICE))
        now = SystemClock().now().replace(microsecond=0)
        payload = {
            "reference": "q-forged",
            "asker": "city",
            "resource": OUTER,
            "purposes": ["supervision"],
            "legal_basis": "x",
            "kind": "check",
            "frequency": "once",
            "valid_from": "2025-03-03",
            "elements": ["name"],
            "asked_at": now.isoformat(),
        }
        for signer in (city.signer("police"), province.signer("police")):
            with pytest.raises(EnvelopeError):
                above.cascade.demands.take(sign_envelope(CASCADE_DEMAND, payload, signer).to_json().encode())
        old = payload | {"asked_at": (now - timedelta(days=31)).isoformat()}
        with pytest.raises(CascadeError):
            above.cascade.demands.take(sign_envelope(CASCADE_DEMAND, old, city.signer("city")).to_json().encode())
        good = sign_envelope(CASCADE_DEMAND, payload, city.signer("city"))
        assert isinstance(above.cascade.demands.take(good.to_json().encode()), SignedEnvelope)
        other = sign_envelope(CASCADE_DEMAND, payload | {"legal_basis": "y"}, city.signer("city"))
        with pytest.raises(CascadeError):  # one reference, other contents
            above.cascade.demands.take(other.to_json().encode())
        assert len(above.sharing.demands(POLICE)) == before + 1


def test_a_hub_that_is_away_gets_the_demand_later_and_once(sites: tuple[Site, Site]) -> None:
    province, city = sites
    config = str(city.root / "hub" / "hub.yaml")
    asked = ["cascade", "demand", OUTER, "--purpose", "supervision", "--law", "条例第九条", "--element", "sex"]
    province.kill("hub")
    first = CliRunner().invoke(app, [*asked, "--config", config])
    assert first.exit_code == 0, first.output
    assert "尚未送达" in first.output
    province.start("hub")
    province.wait("hub", city)
    for _ in range(2):
        listed = CliRunner().invoke(app, ["cascade", "demands", "--config", config, "--json"])
        told = json.loads(listed.output)
        assert told["not_refreshed"] == {}
        assert all(one["standing"]["light"] in {"green", ""} for one in told["demands"])
    with opened(province) as (above,):
        found = [
            one
            for one in above.sharing.demands(POLICE)
            if "sex" in above.sharing.view(POLICE, one.demand_id).terms.elements
        ]
        assert len(found) == 1
    shown = CliRunner().invoke(app, ["cascade", "demands", "--config", config]).output
    assert "绿灯" in shown
