"""Two departments' sets matched as people do it: by command beside a hub, as their roles permit, within budgets."""

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import yaml
from exchange_province import Province, serving
from matching_sides import numbers
from test_exchange_matching_pairs import BOTH, FUND, SECOND, agreement, config, fill
from typer.testing import CliRunner

from huodang.cli import app
from huodang.exchange import (
    Action,
    Actor,
    DecisionRequest,
    GatewayDirectory,
    decide,
    gateway_application,
    product_catalogue,
)
from huodang.exchange.gateway.parts import build_parts
from huodang.exchange.matching import BetweenQuestion, MatchQuestion, NotPermittedToMatchError, check_out
from huodang.exchange.matching.booking import permit
from huodang.exchange.matching.offers import offers_of
from huodang.trust import FieldSealer
from huodang.web import HubSettings, assemble

SETS = {"housing_fund": (0, 60), "police": (45, 50)}
RESOURCES = {"housing_fund": FUND, "police": SECOND}


@pytest.fixture
def hub_yaml(province: Province) -> Iterator[Path]:
    """A hub's folder with two departments' gateways behind mutual TLS, agreements signed and taken."""
    FieldSealer.create(province.keys.keys_folder("hub"))
    with ExitStack() as stack:
        urls, envelopes = {}, []
        for department in RESOURCES:
            fill(province, department, *SETS[department])
            terms = agreement(province, department)
            province.lay(terms)
            envelopes.append(province.signed(terms))
            gateway = province.gateway(config(department))
            parts = build_parts(gateway, {})
            for part in parts:
                stack.callback(part.stop)
            urls[department] = stack.enter_context(
                serving(gateway_application(gateway, parts), province.tls(department))
            )
        folder = province.root / "matching"
        folder.mkdir()
        (folder / "offset").write_text(str(int((province.clock.now() - datetime.now(UTC)).total_seconds())))
        tls = province.tls("hub")
        settings = {
            "province": "hebei",
            "region": "130000",
            "database": "sqlite:///hub.db",
            "keys": str(province.keys.keys_folder("hub")),
            "secrets": str(province.keys.keys_folder("hub")),
            "trust": str(province.root / "trust.json"),
            "tls": {"certificate": str(tls.certificate), "key": str(tls.key), "authority": str(tls.authority)},
            "volumes": "volumes",
            "agreements": "agreements",
            "ferry": {one: f"ferry/{one}" for one in ("inward", "outward", "refused")},
            "gateways": urls,
            "clock_offset_file": "offset",
        }
        for one in ("inward", "outward", "refused"):
            (folder / "ferry" / one).mkdir(parents=True)
        path = folder / "hub.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        services = assemble(HubSettings.load(path))
        with services.database.begin() as connection:
            entry = msgspec.structs.replace(product_catalogue()[FUND], resource=SECOND, code="")
            services.catalogue.publish(connection, entry)
            for envelope in envelopes:
                services.exchange.agreements.take(connection, envelope)
        services.close()
        yield path


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["match", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_command_writes_who_is_in_both_for_its_owner_alone_and_lists_sizes(hub_yaml: Path, tmp_path: Path) -> None:
    out, asked = tmp_path / "both.csv", ("between", FUND, SECOND, "--config", str(hub_yaml), "--purpose", "supervision")
    foreseen = json.loads(run(*asked, "--dry-run", "--json"))
    assert foreseen["reveals"] == FUND
    assert [sum(one["used_today"].values()) for one in foreseen["offers"]] == [0, 0]
    told = json.loads(run(*asked, "--case", "JC-1", "--by", "chen", "--out", str(out), "--json"))
    assert (told["overlap"], told[FUND], told[SECOND]) == (BOTH, 60, 50)
    with out.open(newline="") as file:
        written = {row["identity_number"] for row in csv.DictReader(file)}
    assert written == {one.text for one in numbers(45, BOTH)}
    assert out.stat().st_mode & 0o077 == 0
    (row,) = json.loads(run("list", "--config", str(hub_yaml), "--json"))
    assert (row["resource"], row["other"], row["user_id"], row["overlap"]) == (FUND, SECOND, "chen", BOTH)
    shown = run("list", "--config", str(hub_yaml)) + run("offers", "--config", str(hub_yaml))
    assert "1/3" in shown
    assert not any(one in shown for one in written)


def test_size_alone_is_counted_against_both_budgets_until_they_are_used_up(hub_yaml: Path) -> None:
    asked = ("between", FUND, SECOND, "--config", str(hub_yaml), "--purpose", "supervision", "--size-only", "--json")
    sizes = [json.loads(run(*asked))["overlap"] for _ in range(3)]
    assert sizes == [BOTH] * 3
    offers = json.loads(run("offers", "--config", str(hub_yaml), "--json"))
    assert {one["resource"]: list(one["used_today"].values()) for one in offers} == {FUND: [3], SECOND: [3]}
    with pytest.raises(Exception, match="用完"):
        run(*asked)
    latest = json.loads(run("list", "--config", str(hub_yaml), "--json"))[0]
    assert (latest["state"], latest["code"]) == ("failed", "matching.budget")


def test_command_says_what_is_missing_before_anybody_is_asked(hub_yaml: Path, tmp_path: Path) -> None:
    asked = ("between", FUND, SECOND, "--config", str(hub_yaml), "--purpose", "supervision")
    run(*asked, code=2)
    run(*asked, "--size-only", "--out", str(tmp_path / "x.csv"), code=2)
    with pytest.raises(NotPermittedToMatchError):
        run("between", FUND, SECOND, "--config", str(hub_yaml), "--purpose", "curiosity", "--size-only")
    with pytest.raises(NotPermittedToMatchError):
        run("between", FUND, "health.unknown", "--config", str(hub_yaml), "--purpose", "supervision", "--dry-run")
    with pytest.raises(Exception, match="无法写入"):
        check_out(tmp_path / "nowhere" / "x.csv")
    assert json.loads(run("list", "--config", str(hub_yaml), "--json")) == []


def test_department_that_is_away_offers_nothing_and_breaks_no_list() -> None:
    directory = GatewayDirectory.of_urls({"police": "http://127.0.0.1:9"}, None)
    assert offers_of(directory, "police") == []
    assert offers_of(directory, "health") == []
    directory.close()


def between(role: str, *, size_only: bool, department: str = "social_insurance", purpose: str = "supervision") -> bool:
    actor = Actor("u", "某人", role, department, "130000")
    question = BetweenQuestion(FUND, SECOND, purpose, actor, "", size_only, region="130100")
    try:
        return permit(question, "social_insurance").permitted
    except NotPermittedToMatchError:
        return False


@pytest.mark.parametrize(
    ("role", "sizes", "persons"),
    [
        ("system", True, True),
        ("investigator", True, True),
        ("steward", True, False),
        ("leader", False, False),
        ("window_clerk", False, False),
        ("system_administrator", False, False),
        ("citizen", False, False),
    ],
)
def test_roles_learn_sizes_or_persons_of_two_departments_as_policies_say(role: str, sizes: bool, persons: bool) -> None:
    assert between(role, size_only=True) is sizes
    assert between(role, size_only=False) is persons


@pytest.mark.parametrize("role", ["steward", "investigator"])
def test_only_the_consumers_own_people_ask_and_for_supervision_only(role: str) -> None:
    assert not between(role, size_only=True, department="police")
    assert not between(role, size_only=True, department="")
    assert not between(role, size_only=True, purpose="retirement")


def test_size_of_a_set_that_the_asker_picks_is_no_mere_number() -> None:
    """A steward may count two departments' overlap, but not send a list: one person's answer is a difference of two."""
    steward = Actor("u", "某人", "steward", "social_insurance", "130000")
    with pytest.raises(NotPermittedToMatchError):
        permit(MatchQuestion(FUND, "supervision", steward, size_only=True), "social_insurance")


def test_investigator_sees_the_overlap_masked_and_never_outside_the_own_region() -> None:
    investigator = Actor("u", "某人", "investigator", "social_insurance", "130100")
    asked = DecisionRequest(
        investigator,
        Action.MATCH_SETS,
        "supervision",
        ("identity_number",),
        department="social_insurance",
        region="130102",
    )
    number = numbers(0, 1)[0].text
    assert number != decide(asked).show("identity_number", number)
    assert number[:3] == decide(asked).show("identity_number", number)[:3]
    elsewhere = DecisionRequest(
        investigator,
        Action.MATCH_SETS,
        "supervision",
        ("identity_number",),
        department="social_insurance",
        region="140100",
    )
    assert not decide(elsewhere).permitted
