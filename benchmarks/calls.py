"""Signed, masked, ledgered verification calls a second: hub plus one real gateway process, mutual TLS on loopback.

Every call is whole. Agreement and policy are looked up, the grant is signed, grant and look are recorded and committed
durably. The gateway process verifies, reads its register, writes its log durably and signs. The hub verifies, records
the verdict and commits, and what a clerk would see is masked. Checkpoints are signed beside it, every 200 ms, as the
hub does. CPU time a call is told for both, as it depends less on what else the machine does. Where the machine
has two cores and `taskset`, hub and gateway get one each.
"""

import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import yaml

from huodang.exchange import (
    AGREEMENT,
    Actor,
    Agreement,
    CallDesk,
    DecisionRequest,
    Exchange,
    GatewayDirectory,
    Outcome,
    Question,
    Roll,
    decide,
)
from huodang.ledger import Ledger
from huodang.store import Database, SystemClock
from huodang.trust import FieldSealer, Provisioner, Signer, TlsPair, cosign_envelope, sign_envelope

PEOPLE = 20_000
PUBLIC_FIGURES = (
    ("X-Road, reported by a user for a 32-core installation (issue 1321)", 110),
    ("GovStack Information Mediator, example minimum", 100),
)
SYSTEM = Actor("system", "系统", "system", "social_insurance", "130000")
CLERK = Actor("clerk", "窗口", "window_clerk", "social_insurance", "130000")
SEAL_EVERY_SECONDS = 0.2
COMMAND = [sys.executable, "-c", "from huodang.cli import main; main()", "serve", "gateway", "--exit-with-parent"]


@dataclass(frozen=True)
class Person:
    """A made-up person of the register."""

    number: str
    name: str
    born: date


@dataclass(frozen=True)
class Deployment:
    """A hub's side and the gateway process it asks."""

    exchange: Exchange
    desk: CallDesk
    database: Database
    register: list[Person]
    gateway: int


@dataclass(frozen=True)
class Measured:
    """What was measured of one plan: calls a second, milliseconds a request, CPU milliseconds a call."""

    rate: float
    p50: float
    p99: float
    hub_cpu: float
    gateway_cpu: float


def cpu_seconds(process: int) -> float:
    """Tell the CPU time that another process has used, on Linux."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def people(count: int) -> list[Person]:
    """Make people with valid numbers."""
    made = []
    for serial in range(count):
        born = date(1963, 1, 1) + timedelta(days=serial % 2999)
        first = f"130102{born:%Y%m%d}{serial % 1000:03d}"
        weights = [2 ** (17 - place) % 11 for place in range(17)]
        check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first, weights, strict=True)) % 11]
        made.append(Person(first + check, "王" + chr(0x4E00 + serial), born))
    return made


def lay_out(root: Path, suite: str, register: list[Person]) -> None:
    """Make keys, certificates, the register, the agreement and the gateway's file."""
    keys = Provisioner(root)
    keys.init()
    for party in ("hub", "police", "social_insurance"):
        keys.issue(party, suites=(suite,))
    folder = root / "departments" / "police"
    with sqlite3.connect(folder / "police.db") as connection:
        connection.execute(
            "CREATE TABLE T_CZRK_JBXX (GMSFHM TEXT PRIMARY KEY, XM TEXT, CSRQ TEXT, SWRQ TEXT, GXSJ TEXT)"
        )
        rows = [(one.number, one.name, f"{one.born:%Y%m%d}", None, "20250301080000") for one in register]
        connection.executemany("INSERT INTO T_CZRK_JBXX VALUES (?, ?, ?, ?, ?)", rows)
    agreement = Agreement(
        agreement_id="XY-police-household",
        provider="police",
        consumer="social_insurance",
        resource="police.household",
        purposes=("retirement",),
        legal_basis="社会保险经办条例第八条",
        elements=("name", "birth_date", "death_date"),
        fields=("name", "birth_date"),
        valid_from=date(2025, 1, 1),
    )
    signers = [Signer.load(keys.keys_folder(one), one, suite) for one in ("social_insurance", "police")]
    envelope = cosign_envelope(sign_envelope(AGREEMENT, agreement.to_payload(), signers[0]), signers[1])
    (folder / "agreements").mkdir()
    (folder / "agreements" / "household.json").write_text(envelope.to_json(), encoding="utf-8")
    config = {
        "department": "police",
        "name": {"chinese": "公安厅", "english": "Public Security"},
        "database": "gateway.db",
        "keys": "keys",
        "trust": "../../trust.json",
        "agreements": "agreements",
        "tls": {
            "certificate": "../../tls/police.crt",
            "key": "../../tls/police.key",
            "authority": "../../tls/authority.crt",
        },
        "listen": {"port": free_port()},
        "source": {"url": "sqlite:///police.db"},
        "resources": [
            {
                "resource": "police.household",
                "table": "T_CZRK_JBXX",
                "subject": "GMSFHM",
                "as_of": {"column": "GXSJ", "format": "yyyymmddhhmmss"},
                "elements": {
                    "name": "XM",
                    "birth_date": {"column": "CSRQ", "format": "yyyymmdd"},
                    "death_date": {"column": "SWRQ", "format": "yyyymmdd"},
                },
                "no_row": {"outcome": "unknown", "reason": "not_registered"},
                "outcomes": [
                    {"outcome": "hit", "reason": "death_registered", "when": {"death_date": "present"}},
                    {"outcome": "conflict", "reason": "name_differs", "when": {"name": "differs_from_claim"}},
                ],
                "otherwise": {"outcome": "clear", "reason": "matches"},
            }
        ],
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def free_port() -> int:
    """Find a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def deployment(suite: str) -> Iterator["Deployment"]:
    """Start the gateway process and open the hub's side; end both."""
    register = people(PEOPLE)
    with tempfile.TemporaryDirectory(prefix="huodang-calls-") as folder:
        root = Path(folder)
        lay_out(root, suite, register)
        file = root / "departments" / "police" / "gateway.yaml"
        port = yaml.safe_load(file.read_text(encoding="utf-8"))["listen"]["port"]
        process = subprocess.Popen([*on_core(1), *COMMAND, "--config", str(file)])
        keys = Provisioner(root)
        database = Database.open(f"sqlite:///{root / 'hub' / 'hub.db'}")
        database.migrate()
        clock = SystemClock()
        signers = tuple(Signer.load(keys.keys_folder("hub"), "hub", one) for one in ("national", "international"))
        ledger = Ledger(database, signers, "benchmark.example/huodang", clock)
        directory = GatewayDirectory.of_urls(
            {"police": f"https://127.0.0.1:{port}"}, TlsPair.of(root / "tls", "hub").client_context()
        )
        signer = signers[0] if suite == "national" else signers[1]
        sealer = FieldSealer.create(keys.keys_folder("hub"), suite)
        exchange = Exchange(database, ledger, signer, keys.trusted(), directory, sealer, clock)
        with database.begin() as connection:
            exchange.agreements.take_folder(connection, file.parent / "agreements")
        wait_until(lambda: exchange.availability().get("police.household", False))
        done = threading.Event()

        def seal() -> None:
            while not done.wait(SEAL_EVERY_SECONDS):
                ledger.seal_batch()

        sealing = threading.Thread(target=seal)
        sealing.start()
        try:
            yield Deployment(exchange, CallDesk(exchange), database, register, process.pid)
        finally:
            done.set()
            sealing.join()
            directory.close()
            database.close()
            process.terminate()
            process.wait(15)


def on_core(core: int) -> list[str]:
    """Begin a command that keeps to one core, where that can be."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return ["taskset", "-c", str(cores[core])] if len(cores) > core and shutil.which("taskset") else []


@contextmanager
def own_core() -> Iterator[None]:
    """Keep this process to the first core for a while."""
    if not on_core(1):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def measure_batches(made: Deployment, subjects: int, seconds: float) -> Measured:
    """Ask about everybody of a roll again and again; times are of a whole roll."""
    register = made.register
    times: list[float] = []
    start, hub, gateway = time.perf_counter(), time.process_time(), cpu_seconds(made.gateway)
    while not times or time.perf_counter() - start < seconds:
        persons = [register[place % len(register)] for place in range(subjects)]
        roll = Roll(
            resource="police.household",
            case_id=f"matter-{secrets.token_hex(4)}",
            subjects=[one.number for one in persons],
            purpose="retirement",
            actor=SYSTEM,
            claims={"name": [one.name for one in persons]},
            parameters={},
        )
        begun = time.perf_counter()
        found = made.exchange.verify_many(roll)
        if found.counts() != {Outcome.CLEAR: subjects}:
            raise AssertionError(found.counts())
        times.append(time.perf_counter() - begun)
    total, elapsed = subjects * len(times), time.perf_counter() - start
    times.sort()
    return Measured(
        rate=total / elapsed,
        p50=1000 * times[len(times) // 2],
        p99=1000 * times[-1],
        hub_cpu=1000 * (time.process_time() - hub) / total,
        gateway_cpu=1000 * (cpu_seconds(made.gateway) - gateway) / total,
    )


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, twenty seconds at most."""
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway doesn't answer")
        time.sleep(0.05)


def call(made: Deployment, persons: list[Person]) -> None:
    """Ask about one person as a page does, or about some in one request as a job does; mask what a clerk would see."""
    questions = [
        Question(
            resource="police.household",
            case_id=f"case-{secrets.token_hex(4)}",
            identity_number=one.number,
            claims={"name": one.name},
            parameters={},
            purpose="retirement",
            actor=SYSTEM,
        )
        for one in persons
    ]
    if len(questions) == 1:
        results = [made.desk.ask(questions[0])]
    else:
        with made.database.begin() as connection:
            prepared = made.exchange.prepare(connection, questions)
        answers = made.exchange.ask("police", prepared)
        with made.database.begin() as connection:
            results = made.exchange.record_all(connection, answers)
    for result in results:
        if result.outcome is not Outcome.CLEAR:
            raise AssertionError(result.reason)
        fields = result.fields or {}
        decision = decide(DecisionRequest(CLERK, "view_case", "retirement", tuple(fields), region="130100"))
        for name, value in fields.items():
            decision.show(name, value)


def measure(made: Deployment, *, batch: int, in_flight: int, seconds: float) -> Measured:
    """Ask for some seconds, from several threads at once."""
    times: list[float] = []
    register = made.register
    start, hub, gateway = time.perf_counter(), time.process_time(), cpu_seconds(made.gateway)

    def work(offset: int) -> int:
        count, position = 0, offset * 997
        while time.perf_counter() - start < seconds:
            persons = [register[(position + step) % len(register)] for step in range(batch)]
            position += batch
            begun = time.perf_counter()
            call(made, persons)
            times.append(time.perf_counter() - begun)
            count += batch
        return count

    with ThreadPoolExecutor(in_flight) as together:
        total = sum(together.map(work, range(in_flight)))
    elapsed = time.perf_counter() - start
    times.sort()
    return Measured(
        rate=total / elapsed,
        p50=1000 * times[len(times) // 2],
        p99=1000 * times[min(len(times) - 1, len(times) * 99 // 100)],
        hub_cpu=1000 * (time.process_time() - hub) / total,
        gateway_cpu=1000 * (cpu_seconds(made.gateway) - gateway) / total,
    )


PLANS = ((1, 1), (1, 4), (1, 16), (1, 64), (1, 256), (64, 1), (64, 2), (256, 1), (256, 2))
ROLLS = (10_000, 40_000)


SECONDS = 4.0


def run() -> list[str]:
    """Measure both suites; give the lines of a report."""
    lines = [
        "Whole calls: decided, signed, recorded in the ledger, asked over mutual TLS, answered from the register,",
        "verified, recorded, masked; every step durable (SQLite, synchronous=FULL) on both sides.",
        "",
        "Single questions come from as many threads as are in flight; those that wait travel together.",
        "",
        "| suite | questions a caller | in flight | calls/s | p50 ms a request | p99 | hub CPU ms a call | gateway's |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    batches: list[str] = []
    for suite in ("national", "international"):
        with own_core(), deployment(suite) as made:
            measure(made, batch=1, in_flight=1, seconds=0.5)
            for batch, in_flight in PLANS:
                found = measure(made, batch=batch, in_flight=in_flight, seconds=SECONDS)
                lines.append(
                    f"| {suite} | {batch} | {in_flight} | {found.rate:,.0f} | {found.p50:.1f} | {found.p99:.1f} "
                    f"| {found.hub_cpu:.2f} | {found.gateway_cpu:.2f} |"
                )
            batches.extend(
                f"| {suite} | {subjects:,} | {found.rate:,.0f} | {found.p50:,.0f} | {1000 * found.hub_cpu:.1f} "
                f"| {1000 * found.gateway_cpu:.1f} |"
                for subjects in ROLLS
                for found in [measure_batches(made, subjects, SECONDS)]
            )
    lines += [
        "",
        "Batches: whole rolls by `Exchange.verify_many`, ten thousand persons to a grant, two grants on their way.",
        "",
        "| suite | persons in a roll | persons/s | p50 ms a roll | hub CPU µs a person | gateway's |",
        "|---|---:|---:|---:|---:|---:|",
        *batches,
    ]
    lines += ["", "Public figures, requests a second:", ""]
    lines += [f"- {name}: {figure}" for name, figure in PUBLIC_FIGURES]
    return lines


if __name__ == "__main__":
    print("\n".join(run()))
