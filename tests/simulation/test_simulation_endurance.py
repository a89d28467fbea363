import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from huodang.cli.demo import make_accounts
from huodang.simulation import BusinessClock, Line, Population, Processes, Team, Trouble, World, form_of, lay_out
from huodang.simulation.endurance import (
    Endurance,
    effects_of,
    expected_effects,
    expected_payments,
    straight_people,
)
from huodang.simulation.population import make_population
from huodang.standards import Month
from huodang.web import HubSettings, NewAccount, assemble, install_accounts

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def village() -> Population:
    return make_population(seed=11, count=400, today=TODAY)


@contextmanager
def deployment(root: Path, population: Population, **ways: dict[str, int]) -> Iterator[tuple[World, Processes, Team]]:
    """A whole deployment of real processes, with accounts."""
    world = lay_out(root, population, **ways)
    BusinessClock(world.clock_file, TODAY)
    settings = HubSettings.load(world.settings_file("hub"))
    accounts = make_accounts(population)
    install_accounts(
        settings,
        [
            NewAccount(one.user, one.password, one.name, one.role, "social_insurance", settings.region, one.employer)
            for one in accounts
        ],
    )
    with Processes(world) as processes:
        everything_but_the_portal = [name for name in world.process_names if name != "portal"]
        processes.start(everything_but_the_portal)
        processes.wait_healthy(everything_but_the_portal)
        yield world, processes, Team.of(world.address("hub"), accounts)


@pytest.mark.slow
def test_every_effect_is_there_exactly_once_when_hub_and_gateways_are_killed(
    tmp_path: Path, village: Population
) -> None:
    people = straight_people(village, 12)
    victims = ("hub", "hub", "social_insurance", "housing_fund", "police")
    with deployment(tmp_path, village) as (world, processes, team):
        endurance = Endurance(world, processes, team, people, victims, seed=5)
        counted = endurance.run(kills=5, within=300)
        effects = effects_of(world)
    assert sum(endurance.kills.values()) >= 5
    assert effects == expected_effects(people)
    assert counted["payments"] == expected_payments(people, Month.of(TODAY))
    services = assemble(HubSettings.load(world.settings_file("hub")))
    assert services.ledger.verify_all().size >= counted["ledger_leaves"] > 0


@pytest.mark.slow
def test_a_dead_and_a_frozen_department_hold_up_only_their_own_steps(tmp_path: Path, village: Population) -> None:
    (person,) = [one for one in straight_people(village, 12) if one.housing_account][:1]
    with (
        Line() as line,
        deployment(tmp_path, village, lines={"medical_insurance": line.port}) as (world, processes, team),
    ):
        line.gateway_port = world.ports["medical_insurance"]
        line.trouble(Trouble.DEAD)
        processes.signal("housing_fund", signal.SIGSTOP)
        clerk = team.clerks[0]
        case_id = clerk.post("/api/v1/cases", form_of(person))["case_id"]

        def waiting() -> set[str]:
            case = clerk.get(f"/api/v1/cases/{case_id}")
            return {check["resource"] for check in case["checks"] if check["status"] == "waiting"}

        assert_soon(lambda: waiting() == {"medical_insurance.years", "housing_fund.account"})
        line.trouble(Trouble.NONE)
        processes.signal("housing_fund", signal.SIGCONT)
        assert_soon(lambda: waiting() == set())
        assert_soon(lambda: clerk.get(f"/api/v1/cases/{case_id}")["state"] == "window_review")


def assert_soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
