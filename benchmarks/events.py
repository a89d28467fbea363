"""Events: from the commit in a provider's database to the hub's handler, over a real gateway process and mutual TLS.

The hub's side runs in this process as it does in a hub: judged, kept with looks, ledger leaf and cursor in one durable
transaction (SQLite, synchronous=FULL), handed to a handler in another. The gateway watches, seals, signs and logs
durably in a process of its own. Latency is measured at rest, one row at a time; the backlog is written while no gateway
runs, and then noticed, published and taken from a cold start.
"""

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import sqlalchemy as sa
import yaml

from benchmarks.calls import COMMAND, cpu_seconds, free_port, people
from huodang.exchange import (
    AGREEMENT,
    Agreement,
    EventOffice,
    GatewayDirectory,
    Kind,
    ReceivedEvent,
)
from huodang.exchange.agreements import Agreements
from huodang.ledger import Ledger
from huodang.store import Database, SystemClock
from huodang.trust import FieldSealer, Provisioner, Signer, TlsPair, cosign_envelope, sign_envelope

BACKLOG = int(os.environ.get("HUODANG_BENCHMARK_EVENTS", "100000"))
SAMPLES = 200
RESOURCE = "health.death_registered"
POSTGRESQL = os.environ.get("HUODANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
TABLE = (
    "CREATE TABLE death_cert (cert_no VARCHAR(20) PRIMARY KEY, id_no VARCHAR(18), person VARCHAR(50), died VARCHAR(10))"
)
INSERT = "INSERT INTO death_cert (cert_no, id_no, person, died) VALUES (:cert, :number, :name, '2025-03-01')"


@dataclass
class Handler:
    """Takes events and remembers when."""

    at: dict[str, float] = field(default_factory=dict)

    def __call__(self, _connection: object, event: ReceivedEvent) -> None:
        """Take one."""
        self.at[event.data["certificate_number"]] = time.perf_counter()


def lay_out(root: Path, url: str, extra: dict[str, object]) -> Path:
    """Make keys, certificates, agreement and the gateway's file."""
    keys = Provisioner(root)
    keys.init()
    for party in ("hub", "health", "social_insurance"):
        keys.issue(party)
    folder = root / "departments" / "health"
    agreement = Agreement(
        agreement_id="XY-events",
        provider="health",
        consumer="social_insurance",
        resource=RESOURCE,
        kind=Kind.EVENT,
        purposes=("supervision",),
        legal_basis="社会保险经办条例第八条",
        elements=(),
        fields=("identity_number", "name", "death_date", "certificate_number"),
        valid_from=date(2025, 1, 1),
    )
    signers = [Signer.load(keys.keys_folder(one), one) for one in ("social_insurance", "health")]
    envelope = cosign_envelope(sign_envelope(AGREEMENT, agreement.to_payload(), signers[0]), signers[1])
    (folder / "agreements").mkdir()
    (folder / "agreements" / "events.json").write_text(envelope.to_json(), encoding="utf-8")
    tls = {one: f"../../tls/{name}" for one, name in (("certificate", "health.crt"), ("key", "health.key"))}
    config = {
        "department": "health",
        "name": {"chinese": "卫生健康", "english": "Health"},
        "database": "gateway.db",
        "keys": "keys",
        "trust": "../../trust.json",
        "agreements": "agreements",
        "tls": {**tls, "authority": "../../tls/authority.crt"},
        "listen": {"port": free_port()},
        "source": {"url": url},
        "events": {
            "publish": [
                {
                    "resource": RESOURCE,
                    "type": "cn.huodang.death.registered",
                    "table": "death_cert",
                    "key": "cert_no",
                    "subject": "id_no",
                    "elements": {"name": "person", "death_date": "died", "certificate_number": "cert_no"},
                    **extra,
                }
            ]
        },
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return file


@contextmanager
def gateway(file: Path) -> Iterator[int]:
    """Run the gateway's process."""
    process = subprocess.Popen([*COMMAND, "--config", str(file)])
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def hub(root: Path, file: Path) -> Iterator[tuple[EventOffice, Handler, GatewayDirectory]]:
    """Open the hub's side, sealing its ledger beside it as a hub does."""
    keys, clock = Provisioner(root), SystemClock()
    database = Database.open(f"sqlite:///{root / 'hub' / 'hub.db'}")
    database.migrate()
    signers = tuple(Signer.load(keys.keys_folder("hub"), "hub", one) for one in ("national", "international"))
    ledger = Ledger(database, signers, "benchmark.example/huodang", clock)
    agreements = Agreements(ledger, keys.trusted(), clock)
    with database.begin() as connection:
        agreements.take_folder(connection, file.parent / "agreements")
    port = yaml.safe_load(file.read_text(encoding="utf-8"))["listen"]["port"]
    directory = GatewayDirectory.of_urls(
        {"health": f"https://127.0.0.1:{port}"}, TlsPair.of(root / "tls", "hub").client_context()
    )
    office = EventOffice(
        database,
        agreements,
        ledger,
        signers,
        keys.trusted(),
        directory=directory,
        sealer=FieldSealer.create(keys.keys_folder("hub")),
        clock=clock,
    )
    handler = Handler()
    office.subscriptions.on("cn.huodang.*", handler, name="benchmark")
    done = threading.Event()

    def seal() -> None:
        while not done.wait(0.2):
            ledger.seal_batch()

    sealing = threading.Thread(target=seal)
    sealing.start()
    office.start()
    try:
        yield office, handler, directory
    finally:
        done.set()
        sealing.join()
        office.stop()
        directory.close()
        database.close()


def ready(directory: GatewayDirectory) -> None:
    """Wait until the gateway watches."""
    client = directory.client("health")
    assert client is not None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            if all(one["ready"] for one in client.conformance()["resources"]):
                return
        time.sleep(0.1)
    raise TimeoutError


def latency(source: sa.Engine, url: str, extra: dict[str, object]) -> tuple[float, float, float]:
    """Give p50, p99 and the longest in milliseconds, from commit to handler, one row at a time at random moments."""
    draw, register = random.Random(3), people(SAMPLES)
    with tempfile.TemporaryDirectory(prefix="huodang-events-") as folder:
        root = Path(folder)
        file = lay_out(root, url, extra)
        with gateway(file), hub(root, file) as (_office, handler, directory):
            ready(directory)
            time.sleep(1.0)
            times = []
            for serial, person in enumerate(register):
                with source.begin() as connection:
                    connection.execute(
                        sa.text(INSERT), {"cert": f"L{serial}", "number": person.number, "name": person.name}
                    )
                committed = time.perf_counter()
                while f"L{serial}" not in handler.at:
                    time.sleep(0.0005)
                times.append(1000 * (handler.at[f"L{serial}"] - committed))
                time.sleep(draw.uniform(0.02, 0.12))
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100], times[-1]


def backlog() -> list[str]:
    """Drain a backlog, from the gateway's start to the last handled event."""
    register = people(5_000)
    with tempfile.TemporaryDirectory(prefix="huodang-events-") as folder:
        root = Path(folder)
        path = root / "source.db"
        file = lay_out(root, f"sqlite:///{path}", {"existing": True})
        with sqlite3.connect(path) as connection:
            connection.execute(TABLE)
            connection.executemany(
                "INSERT INTO death_cert VALUES (?, ?, ?, '2025-03-01')",
                [
                    (f"B{serial:06d}", register[serial % 5_000].number, register[serial % 5_000].name)
                    for serial in range(BACKLOG)
                ],
            )
        connection.close()
        began, cpu = time.perf_counter(), time.process_time()
        with gateway(file) as process, hub(root, file) as (office, handler, _directory):
            first = 0.0
            while len(handler.at) < BACKLOG:
                time.sleep(0.02)
                first = first or (time.perf_counter() if handler.at else 0.0)
            ended = max(handler.at.values())
            published = cpu_seconds(process)
            taken = time.process_time() - cpu
            numbers = [one.sequence for one in office.events(limit=BACKLOG + 1)]
            assert sorted(numbers) == list(range(1, BACKLOG + 1))
    rate, whole = BACKLOG / (ended - first), ended - began
    per_thousand = 1000 * 1000 / BACKLOG
    return [
        f"- {BACKLOG:,} events noticed, signed, sent, judged, kept and handled: {whole:.1f} s from a cold start.",
        f"- {rate:,.0f} events/s from the first to the last at the handler; every sequence number came once.",
        f"- CPU a thousand: gateway {per_thousand * published:.0f} ms, hub {per_thousand * taken:.0f} ms.",
    ]


def run() -> list[str]:
    """Measure; give the lines of a report."""
    lines = [
        "From the commit in the provider's database to the hub's handler; see the module for what lies in between.",
        "",
        f"| source | {SAMPLES} changes at rest: p50 ms | p99 ms | longest |",
        "|---|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory(prefix="huodang-source-") as folder:
        url = f"sqlite:///{Path(folder) / 'source.db'}"
        source = sa.create_engine(url)
        with source.begin() as connection:
            connection.execute(sa.text(TABLE))
        found = latency(source, url, {})
        source.dispose()
    lines.append("| SQLite, no cursor (change counter) | {:.0f} | {:.0f} | {:.0f} |".format(*found))
    lines += on_postgresql()
    return [*lines, "", *backlog()]


def on_postgresql() -> list[str]:
    """Measure on PostgreSQL, by polling and by NOTIFY; tell so if no server is there."""
    url = sa.make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    name = f"huodang_events_{os.getpid()}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    lines = []
    try:
        for told, extra in (("polled every 200 ms", {}), ("with NOTIFY", {"notify": "deaths"})):
            with admin.connect() as connection:
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
            source = sa.create_engine(url.set(database=name))
            with source.begin() as connection:
                connection.execute(sa.text(TABLE))
                connection.execute(sa.text("ALTER TABLE death_cert ADD COLUMN serial BIGSERIAL UNIQUE"))
                if extra:
                    connection.execute(
                        sa.text(
                            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS "
                            "$$ BEGIN NOTIFY deaths; RETURN NULL; END $$"
                        )
                    )
                    connection.execute(
                        sa.text("CREATE TRIGGER told AFTER INSERT ON death_cert EXECUTE FUNCTION tell()")
                    )
            address = url.set(database=name).render_as_string(hide_password=False)
            found = latency(source, address, {"cursor": "serial", **extra})
            lines.append("| PostgreSQL, cursor, {} | {:.0f} | {:.0f} | {:.0f} |".format(told, *found))
            source.dispose()
            with admin.connect() as connection:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    except sa.exc.OperationalError:
        return ["| PostgreSQL | no server | | |"]
    finally:
        admin.dispose()
    return lines


if __name__ == "__main__":
    print("\n".join(run()))
    sys.exit(0)
