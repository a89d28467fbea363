"""The scene of an onslaught: two nodes of a hub behind nginx, two workers, six gateways, recorders and copies."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huodang.exchange import Actor, Agreement, GatewayDirectory, LotBusyError, LotOffice, Lots
from huodang.simulation.business_time import BusinessClock
from huodang.simulation.client import Account
from huodang.simulation.departments import DEPARTMENTS
from huodang.simulation.endurance import Endurance
from huodang.simulation.endurance_clerks import Clerks, bystanders
from huodang.simulation.endurance_copies import Copy
from huodang.simulation.endurance_events import changes_stored, make_book
from huodang.simulation.endurance_faults import Kills, Onslaught, Recorders
from huodang.simulation.endurance_forks import ForkedProcesses, Forker
from huodang.simulation.endurance_world import FIELDS, PROVIDER, TABLE, deliver_table
from huodang.simulation.journey import Team
from huodang.simulation.people import Person, Population
from huodang.simulation.proxy import proxy, through_proxy
from huodang.simulation.world import World, lay_out
from huodang.store import Database, OffsetClock
from huodang.trust import FieldSealer, TlsPair

_RECORDERS: Final = ("recorder-1", "recorder-2")
_READY_SECONDS: Final = 60.0
_PAGE: Final = 500
_TRIES: Final = 20
# Every module that the processes use: read once.
_PRELOADED: Final = ("huodang.cli", "huodang.cli.serving", "huodang.exchange.sync", "huodang.web", "uvicorn")


@dataclass(frozen=True)
class Fire:
    """How hard it is.

    Attributes:
        kills: how many there are.
        gateways, nodes, workers, recorders: seconds between two kills of such a group, at most, from the moment on
            when the process works again (for the last two: lives again).
        longest_copy: seconds after which a run of `huodang sync` is killed, on average.
        seed: of what is drawn.
    """

    kills: int
    seed: int
    gateways: float = 1.0
    nodes: float = 1.0
    workers: float = 12.0
    recorders: float = 3.0
    longest_copy: float = 2.0


@contextmanager
def onslaught(
    root: Path,
    population: Population,
    people: Sequence[Person],
    fire: Fire,
    *,
    hub_database: str,
    nginx: str,
    configuration: Path,
    install: Callable[[World], Sequence[Account]],
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[Onslaught, Agreement]]:
    """Lay it all out and start it; `run` of what is yielded begins the fire.

    Args:
        root: an empty folder.
        population: the people.
        people: who goes through the case.
        fire: how hard it is.
        hub_database: URL of a migrated PostgreSQL database of its own; one of the copies stands in it, too.
        nginx: the program.
        configuration: `deploy/nginx/huodang.conf`.
        install: makes the hub's accounts.
        progress: told how far it is.
    """
    (root / "world").mkdir()
    world = lay_out(root / "world", population, hub_database=hub_database, nodes=2, workers=2)
    clock = BusinessClock(world.clock_file, population.today)
    agreement = deliver_table(world, population.today)
    accounts = install(world)
    database = Database.open(hub_database)
    make_book(database)
    sealer = FieldSealer(world.folder("hub") / "keys")
    kills = Kills(fire.kills)
    clerks = Clerks(
        world,
        bystanders(population, people),
        population.today,
        lambda number: sealer.blind_index("identity_number", number),
        lambda resource, person: changes_stored(database, resource, person),
        fire.seed,
    )
    started = [name for name in world.process_names if name != "portal"]
    with Forker(_PRELOADED) as forker, contextlib.ExitStack() as ending:
        ending.callback(database.close)
        processes = ending.enter_context(ForkedProcesses(world, forker))
        recorders = Recorders(_RECORDERS, world.settings_file("hub"), world.logs, forker)
        ending.callback(recorders.stop)
        processes.start(started)
        processes.wait_healthy(started)
        for name in _RECORDERS:
            recorders.start(name)
        address = ending.enter_context(proxy(nginx, world, root / "nginx", configuration))
        _wait_for_watchers(world)
        elsewhere = hub_database.replace("+psycopg", "")
        copies = [
            Copy(name, source, target, root / name, forker, kills.strike, fire.seed, fire.longest_copy)
            for name, source, target in (
                ("sync to PostgreSQL", f"sqlite:///{root / 'here.db'}", elsewhere),
                ("sync to SQLite", f"sqlite:///{root / 'there.db'}", f"sqlite:///{root / 'copy.db'}"),
            )
        ]
        gateways = tuple(DEPARTMENTS)
        yield (
            Onslaught(
                Endurance(world, processes, Team.of(address, accounts, through_proxy(world)), people, (), fire.seed),
                processes,
                recorders,
                {
                    gateways[::2]: fire.gateways,
                    gateways[1::2]: fire.gateways,
                    world.nodes: fire.nodes,
                    world.workers: fire.workers,
                    _RECORDERS: fire.recorders,
                },
                clerks,
                copies,
                kills,
                database,
                OffsetClock(world.clock_file),
                clock,
                fire.seed,
                progress,
            ),
            agreement,
        )


def _wait_for_watchers(world: World) -> None:
    """Wait until every gateway has seen what its tables hold: what is written before that isn't an event."""
    urls = {name: world.address(name) for name in ("health", "police", "justice")}
    directory = GatewayDirectory.of_urls(urls, TlsPair.of(world.tls, "hub").client_context())
    deadline = time.monotonic() + _READY_SECONDS
    try:
        for name in urls:
            client = directory.client(name)
            assert client is not None  # noqa: S101  (the directory was made with it; for the type checker)
            while not all(one.get("ready", True) for one in client.conformance()["resources"]):
                if time.monotonic() > deadline:
                    raise TimeoutError(name)
                time.sleep(0.1)
    finally:
        directory.close()


@dataclass(frozen=True)
class LotCount:
    """How the delivered table stands at the end.

    Attributes:
        equal: the hub's copy holds exactly the source's rows, and its proof holds.
        closed: lots that both sides have signed.
        open: lots that were left open.
    """

    equal: bool
    rows: int
    closed: int
    open: int
    changes: int


def count_lots(world: World, office: LotOffice, lots: Lots, agreement: Agreement, changes: int) -> LotCount:
    """Pull once more, undisturbed, and compare the hub's copy with the department's table row by row."""
    for _ in range(_TRIES):
        with contextlib.suppress(LotBusyError):
            office.puller.pull(TABLE)
            break
        time.sleep(1)
    system = Actor("system", "系统", "system", agreement.consumer, "130000")
    copy: list[tuple[str, ...]] = []
    after = ""
    while page := lots.rows(system, "supervision", TABLE, agreements=[agreement], after=after, limit=_PAGE):
        copy += [tuple(row.values.get(name, "") for name in FIELDS) for row in page]
        after = page[-1].key_index
    file = world.folder(PROVIDER) / f"{PROVIDER}.db"
    with closing(sqlite3.connect(file)) as connection:
        source = connection.execute('SELECT "RYBH", "GMSFHM", "XM", "HKSZD" FROM "T_CZRK_JBXX"').fetchall()
    states = [lot.state.value for lot in lots.of_resource(TABLE)]
    return LotCount(
        equal=sorted(copy) == sorted(source) and not lots.verify(agreement.agreement_id),
        rows=len(copy),
        closed=states.count("closed"),
        open=states.count("open"),
        changes=changes,
    )
