"""The whole exchange under 1,000 × kill -9: two hub nodes behind nginx, two workers, six gateways, two syncs.

`HUODANG_BENCHMARK_KILLS` sets another number of kills. Cases go through, a delivered table, registers with events and
two copied tables change all the while; afterwards every effect, payment, event, lot and row is counted.
"""

import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from huodang.cli.demo import SEED, install, make_accounts
from huodang.simulation import Account, World, make_population
from huodang.simulation.endurance import effects_of, expected_effects, expected_payments, straight_people
from huodang.simulation.endurance_events import compare
from huodang.simulation.endurance_scene import Fire, count_lots, onslaught
from huodang.simulation.proxy import find_nginx
from huodang.standards import Month
from huodang.store import Database
from huodang.web import HubSettings, assemble

TODAY = date(2026, 11, 23)
KILLS = int(os.environ.get("HUODANG_BENCHMARK_KILLS", "1000"))
POPULATION = 3000
CASES = min(120, max(4, KILLS // 5))
SECONDS = 660.0
POSTGRESQL = os.environ.get("HUODANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx" / "huodang.conf"


@contextmanager
def fresh_database() -> Iterator[str]:
    """Make a database on the PostgreSQL server, and drop it afterwards."""
    url = make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"huodang_faults_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    made = url.set(database=name).render_as_string(hide_password=False)
    database = Database.open(made)
    database.migrate()
    database.close()
    try:
        yield made
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def show(line: str) -> None:
    """Show how far it is, in one line that is written over."""
    sys.stderr.write(f"\r{line}" if sys.stderr.isatty() else f"{line}\n")
    sys.stderr.flush()


def run() -> list[str]:
    """Measure."""
    nginx = find_nginx()
    if nginx is None:
        raise FileNotFoundError("nginx")
    population = make_population(seed=SEED, count=POPULATION, today=TODAY)
    people = straight_people(population, CASES)
    fire = Fire(KILLS, random.SystemRandom().randrange(10**6))

    def accounts_of(world: World) -> list[Account]:
        accounts = make_accounts(population)
        install(world, accounts, population)
        return accounts

    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="huodang-faults-") as folder,
        fresh_database() as url,
        onslaught(
            Path(folder),
            population,
            people,
            fire,
            hub_database=url,
            nginx=nginx,
            configuration=CONFIGURATION,
            install=accounts_of,
            progress=show,
        ) as (fight, agreement),
    ):
        fight.run(within=SECONDS)
        world = fight.endurance.world
        services = assemble(HubSettings.load(world.settings_file("hub")))
        try:
            lots = count_lots(world, services.lot_office, services.lots, agreement, fight.clerks.rows_changed)
            events = compare(fight.database, fight.clerks.written)
            copies = [copy.count() for copy in fight.copies]
            payments = int(services.payments.count())
            fight.processes.stop()
            services.ledger.seal_batch()
            audit = services.ledger.verify_all()
        finally:
            services.close()
        effects = effects_of(world)
    expected = expected_effects(people)
    wanted = sum(counter.total() for counter in expected.values())
    twice = sum(count > 1 for counter in effects.values() for count in counter.values())
    missing = sum((expected[name] - effects[name]).total() for name in expected)
    paid = expected_payments(people, Month.of(TODAY))
    assert effects == expected, f"effects: {missing} missing, {twice} twice"
    assert payments == paid, f"payments: {payments} of {paid}"
    assert audit.valid, audit.faults
    assert lots.equal, lots
    assert events.exact, events
    assert all(copy.equal and not copy.gaps and not copy.miscounted for copy in copies), copies
    by_name = fight.kills.by_name
    killed = ", ".join(f"{name} {by_name[name]}" for name in sorted(by_name))
    starts = "; ".join(
        f"{', '.join(names)}: {statistics.median(times):.1f} s" for names, times in fight.starts.items() if times
    )
    said = (
        f"**{fight.kills.done:,} × kill -9** in {fight.seconds_under_fire:.0f} s (random seed {fire.seed}), "
        f"{time.monotonic() - began:.0f} s with set-up, rest and counting. Processes are forked from one that has read "
        "the modules; all else of a start is done anew."
    )
    rows = {
        "cases": f"{CASES} of {CASES} completed, {fight.completed_under_fire} of them under fire",
        "effects at departments": f"{wanted - missing} of {wanted}, {missing} missing, {twice} twice",
        "payments": f"{payments} of {paid}, each once",
        "ledger": f"{audit.size:,} leaves, valid",
        "events": f"{events.stored} of {events.expected} stored, {events.handled} handled; "
        f"{events.lost} lost, {events.doubled} doubled, {events.out_of_order} people out of order",
        "lots": f"{lots.closed} signed by both sides; the copy equals its source: {lots.rows:,} rows after "
        f"{lots.changes} changes",
    } | {
        copy.name: f"{count.lots} lots, {count.gaps} gaps; the copy equals its source: {count.rows:,} rows after "
        f"{count.changes:,} changes, {count.miscounted} miscounted"
        for copy, count in zip(fight.copies, copies, strict=True)
    }
    table = [f"| {what} | {came_out} |" for what, came_out in rows.items()]
    ends = f"Kills: {killed}. Median from kill to working again: {starts}."
    return [said, "", "| what | came out |", "|---|---|", *table, "", ends]
