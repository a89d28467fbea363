"""Lots, events and copies while processes are killed: nothing lost, nothing doubled (in full: benchmarks/faults.py)."""

import os
from datetime import date
from pathlib import Path

import pytest

from huodang.cli.demo import install, make_accounts
from huodang.simulation import Account, World, make_population
from huodang.simulation.endurance import effects_of, expected_effects, straight_people
from huodang.simulation.endurance_events import compare
from huodang.simulation.endurance_scene import Fire, count_lots, onslaught
from huodang.simulation.proxy import find_nginx
from huodang.web import HubSettings, assemble

TODAY = date(2026, 11, 23)
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "huodang.conf"


@pytest.mark.postgresql
@pytest.mark.slow
def test_lots_events_and_copies_come_out_whole_when_processes_are_killed(tmp_path: Path, postgresql_url: str) -> None:
    nginx = find_nginx()
    if nginx is None:
        if os.environ.get("HUODANG_SERVICES_REQUIRED") == "1":
            pytest.fail("nginx isn't installed")
        pytest.skip("nginx isn't installed")
    population = make_population(seed=17, count=400, today=TODAY)
    people = straight_people(population, 2)

    def accounts_of(world: World) -> list[Account]:
        accounts = make_accounts(population)
        install(world, accounts, population)
        return accounts

    scene = onslaught(
        tmp_path,
        population,
        people,
        Fire(kills=10, seed=7),
        hub_database=postgresql_url,
        nginx=nginx,
        configuration=CONFIGURATION,
        install=accounts_of,
    )
    with scene as (fight, agreement):
        fight.run(within=150)
        world = fight.endurance.world
        services = assemble(HubSettings.load(world.settings_file("hub")))
        try:
            lots = count_lots(world, services.lot_office, services.lots, agreement, fight.clerks.rows_changed)
            copies = [copy.count() for copy in fight.copies]
            events = compare(fight.database, fight.clerks.written)
            fight.processes.stop()
            services.ledger.seal_batch()
            assert services.ledger.verify_all().valid
        finally:
            services.close()
    assert fight.kills.done == 10
    assert effects_of(world) == expected_effects(people)
    assert events.exact
    assert events.stored == events.expected
    assert lots.equal
    assert [(copy.equal, copy.gaps, copy.miscounted) for copy in copies] == [(True, 0, 0)] * 2
