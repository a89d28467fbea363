"""The joint case end to end over HTTP, in real processes: cases a minute, CPU seconds, memory; then under kill -9.

The first run takes everyone who is due in the demonstration's province through the case, as `huodang demo` does. The
second takes 200 people whose cases go straight through, and kills hub and gateways at random moments all the while;
afterwards every effect is counted at its department.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from huodang.cli.demo import SEED, install, make_accounts
from huodang.simulation import (
    DEPARTMENTS,
    BusinessClock,
    Journey,
    Population,
    Processes,
    Team,
    World,
    gather,
    lay_out,
    make_population,
)
from huodang.simulation.endurance import Endurance, effects_of, expected_effects, expected_payments, straight_people
from huodang.standards import Month
from huodang.web import HubSettings, assemble

TODAY = date(2026, 11, 23)
PEOPLE = 2000
CASES_UNDER_FIRE = 200
KILLS = 40
SECONDS_UNDER_FIRE = 1800.0


@contextmanager
def deployment(population: Population) -> Iterator[tuple[World, Processes, BusinessClock, Team, dict[str, str]]]:
    """Lay out a deployment in a temporary folder and run its eight processes."""
    with tempfile.TemporaryDirectory(prefix="huodang-benchmark-") as folder:
        world = lay_out(Path(folder), population)
        clock = BusinessClock(world.clock_file, TODAY)
        accounts = make_accounts(population)
        codes = install(world, accounts, population)
        with Processes(world) as processes:
            processes.start()
            processes.wait_healthy()
            yield world, processes, clock, Team.of(world.address("hub"), accounts), codes


def undisturbed() -> list[str]:
    """Measure the whole demonstration."""
    population = make_population(seed=SEED, count=PEOPLE, today=TODAY)
    with deployment(population) as (world, processes, clock, team, codes):
        before = {name: processes.usage(name).cpu_seconds for name in world.process_names}
        started = time.perf_counter()
        journey = Journey(world, population, processes, clock, team=team, access_codes=codes)
        cases = journey.run()
        seconds = time.perf_counter() - started
        used = {name: processes.usage(name) for name in world.process_names}
        figures = gather(
            cases, team.reviewers[0], people=PEOPLE, prepared=journey.prepared, days=journey.days, seconds=seconds
        )
    answers = sum(count for counts in figures.verdicts.values() for count in counts.values())
    cpu = {name: used[name].cpu_seconds - before[name] for name in used}
    gateways = list(DEPARTMENTS)
    measured = (
        f"{figures.cases} cases of {PEOPLE:,} people, {figures.days} working days walked through, {answers:,} signed "
        f"verdicts, {figures.ledger_leaves:,} ledger leaves, in {seconds:.0f} s: "
        f"**{60 * figures.cases / seconds:.0f} cases a minute**, "
        f"**{sum(cpu.values()) / figures.cases:.2f} CPU seconds a case** over all processes."
    )
    lines = [
        measured,
        "",
        "| process | CPU seconds | CPU seconds a case | peak MiB |",
        "|---|---:|---:|---:|",
    ]
    for name, spent, peak in (
        ("hub", cpu["hub"], used["hub"].peak_mebibytes),
        ("six gateways, together", sum(cpu[name] for name in gateways), sum(used[n].peak_mebibytes for n in gateways)),
        ("portal", cpu["portal"], used["portal"].peak_mebibytes),
    ):
        lines.append(f"| {name} | {spent:.1f} | {spent / figures.cases:.3f} | {peak} |")
    return lines


def under_fire() -> list[str]:
    """Kill hub and gateways at random moments of 200 cases and count every effect."""
    # About one in twelve goes straight through without public notice.
    population = make_population(seed=SEED, count=2 * PEOPLE, today=TODAY)
    people = straight_people(population, CASES_UNDER_FIRE)
    seed = random.SystemRandom().randrange(10**6)
    with deployment(population) as (world, processes, _, team, _):
        victims = (*["hub"] * len(DEPARTMENTS), *DEPARTMENTS)  # the hub as often as all gateways together
        endurance = Endurance(world, processes, team, people, victims, seed)
        started = time.perf_counter()
        counted = endurance.run(kills=KILLS, within=SECONDS_UNDER_FIRE)
        seconds = time.perf_counter() - started
        processes.stop()
        effects = effects_of(world)
        services = assemble(HubSettings.load(world.settings_file("hub")))
        leaves = services.ledger.verify_all().size
    expected = expected_effects(people)
    wanted = sum(sum(counter.values()) for counter in expected.values())
    found = sum(sum(counter.values()) for counter in effects.values())
    twice = sum(count > 1 for counter in effects.values() for count in counter.values())
    missing = sum((expected[name] - effects[name]).total() for name in expected)
    payments = expected_payments(people, Month.of(TODAY))
    assert effects == expected, "an effect is missing or was done twice"
    assert counted["payments"] == payments, "a payment is missing or stands twice"
    kills = endurance.kills
    said = (
        f"{CASES_UNDER_FIRE} cases under {kills.total()} × kill -9 (hub {kills['hub']}, gateways "
        f"{kills.total() - kills['hub']}; random seed {seed}), in {seconds:.0f} s with all restarts: all completed; "
        f"**{found:,} of {wanted:,} effects at the departments there, {twice} twice, {missing} missing**; "
        f"{counted['payments']:,} of {payments:,} payments, each once; a ledger of {leaves:,} leaves verifies whole."
    )
    return [said]


def run() -> list[str]:
    """Measure."""
    return [*undisturbed(), "", *under_fire()]
