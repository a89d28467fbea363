"""Several nodes of a hub and several workers on PostgreSQL behind nginx, as deploy/ lays them out; nodes are killed."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import urllib3

from huodang.cli.demo import make_accounts
from huodang.simulation import BusinessClock, Population, Processes, Team, World, lay_out
from huodang.simulation.client import HubRefusedError, HubSilentError
from huodang.simulation.endurance import (
    Endurance,
    effects_of,
    expected_effects,
    expected_payments,
    straight_people,
)
from huodang.simulation.population import make_population
from huodang.simulation.proxy import find_nginx, proxy, through_proxy
from huodang.standards import Month
from huodang.web import HubSettings, NewAccount, assemble, install_accounts

TODAY = date(2026, 11, 23)
PROXY_CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "huodang.conf"

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]


@pytest.fixture(scope="module")
def village() -> Population:
    return make_population(seed=13, count=400, today=TODAY)


@dataclass
class Province:
    """A deployment of two nodes and two workers, and how it is reached."""

    world: World
    processes: Processes
    address: str
    http: urllib3.PoolManager
    team: Team


@pytest.fixture
def nginx() -> str:
    found = find_nginx()
    if found is None:
        if os.environ.get("HUODANG_SERVICES_REQUIRED") == "1":
            pytest.fail("nginx isn't installed")
        pytest.skip("nginx isn't installed")
    return found


@pytest.fixture
def province(tmp_path: Path, village: Population, postgresql_url: str, nginx: str) -> Iterator[Province]:
    root = tmp_path / "province"
    root.mkdir()
    world = lay_out(root, village, hub_database=postgresql_url, nodes=2, workers=2)
    BusinessClock(world.clock_file, TODAY)
    settings = HubSettings.load(world.settings_file("hub"))
    accounts = make_accounts(village)
    install_accounts(
        settings,
        [
            NewAccount(one.user, one.password, one.name, one.role, "social_insurance", settings.region, one.employer)
            for one in accounts
        ],
    )
    started = [name for name in world.process_names if name != "portal"]
    http = through_proxy(world)
    with Processes(world) as processes:
        processes.start(started)
        processes.wait_healthy(started)
        with proxy(nginx, world, tmp_path / "nginx", PROXY_CONFIGURATION) as address:
            yield Province(world, processes, address, http, Team.of(address, accounts, http))


def answers(province: Province) -> bool:
    try:
        province.team.clerks[0].get("/api/v1/summary")
    except (HubSilentError, HubRefusedError):
        return False
    return True


def test_a_session_outlives_the_node_on_which_it_began(province: Province) -> None:
    clerk = province.team.clerks[0]
    clerk.get("/api/v1/summary")
    token = clerk._token
    for victim in province.world.nodes:
        province.processes.kill(victim)
        assert all(answers(province) for _ in range(10))
        province.processes.start([victim])
        province.processes.wait_healthy([victim])
        time.sleep(5.5)  # the proxy leaves a failed node alone for five seconds
    assert clerk._token == token, "nobody had to sign in again"


def test_nobody_sees_a_node_die_but_through_its_log(province: Province) -> None:
    """Reading goes on through the proxy while a node is killed under it: no request fails."""
    failed: list[int] = []
    ending = threading.Event()

    def read_on() -> None:
        while not ending.is_set():
            failed.append(0 if answers(province) else 1)

    readers = [threading.Thread(target=read_on) for _ in range(4)]
    for reader in readers:
        reader.start()
    time.sleep(1)
    province.processes.kill("hub-2")
    time.sleep(3)
    ending.set()
    for reader in readers:
        reader.join()
    assert len(failed) > 50
    assert sum(failed) == 0
    for kept_inside in ("/metrics", "/ready"):
        assert province.http.request("GET", f"{province.address}{kept_inside}").status == 404


def test_nothing_is_lost_or_doubled_when_nodes_workers_and_gateways_are_killed(
    province: Province, village: Population
) -> None:
    people = straight_people(village, 8)
    victims = (*province.world.nodes, *province.world.workers, "social_insurance", "housing_fund")
    endurance = Endurance(province.world, province.processes, province.team, people, victims, seed=9)
    counted = endurance.run(kills=8, within=240)
    assert sum(endurance.kills.values()) >= 8
    assert effects_of(province.world) == expected_effects(people)
    assert counted["payments"] == expected_payments(people, Month.of(TODAY))
    services = assemble(HubSettings.load(province.world.settings_file("hub")))
    try:
        assert services.ledger.verify_all().valid
        assert services.ledger.size() >= counted["ledger_leaves"] > 0
    finally:
        services.close()
