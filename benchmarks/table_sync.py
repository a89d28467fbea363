"""Table sync: a first load and a lot of changes, against `dlt` on the same tables in the same run.

`HUODANG_BENCHMARK_ROWS` sets the number of rows (5,000,000), `HUODANG_TEST_POSTGRESQL` the server. The server's own CPU
time is told from /proc where it runs on this machine under a user that we may read.
"""

# ruff: noqa: S608  (statements are made of this module's own numbers and names)

import json
import os
import subprocess
import sys
import tempfile
import uuid
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

ROOT = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("HUODANG_BENCHMARK_ROWS", "5000000"))
SERVER = os.environ.get("HUODANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
PEERS = ("dlt[postgres,sqlalchemy]==1.31.0", "connectorx==0.4.6", "pyarrow==26.0.1", "sqlalchemy<2.1")
DELETED, LATE = 500, 50
PERSON = """CREATE TABLE person AS SELECT 'P' || lpad(g::text, 9, '0') AS person_id,
  '1301' || lpad((g::bigint * 7919 % 99999999999999)::text, 14, '0') AS sfzh,
  '张' || chr(19968 + (g % 2000)::int) || chr(20968 + (g % 1700)::int) AS name, (g % 2 + 1)::text AS sex,
  date '1950-01-01' + (g % 20000)::int AS birth_date, (g % 1000000)::numeric(12,2) / 100 AS amount,
  (g % 480)::int AS months,
  random() AS score, g % 3 = 0 AS active, CASE WHEN g % 10 <> 0 THEN '河北省石家庄市长安区' || g END AS address,
  timestamp '2024-01-01' + g * interval '3 seconds' AS updated_at, 100000 + g AS unit_no
  FROM generate_series(1, {rows}) g"""
OURS = """
import json, resource, sys, time
from pathlib import Path
from huodang.exchange.sync import SyncRequest, sync_table
began = time.perf_counter()
report = sync_table(SyncRequest(sys.argv[1], "person", ("person_id",), sys.argv[2], cursor="updated_at",
                                target_table=sys.argv[3], work_folder=Path(sys.argv[4])))
own = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"wall": time.perf_counter() - began, "cpu": own.ru_utime + own.ru_stime,
                  "peak_mib": own.ru_maxrss / 1024, "report": {**report.to_json(), "columns": []}}))
"""


def peer_python() -> Path:
    """Give the interpreter of the peer's environment, made at the first run."""
    folder = ROOT / "var" / "benchmarks" / "dlt-1.31.0"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *PEERS], check=True)
    return python


@contextmanager
def two_databases() -> Iterator[tuple[str, str]]:
    """Make a source and a target database, dropped afterwards."""
    url = make_url(SERVER).set(drivername="postgresql")
    url = url.set(password=url.password or "unused")  # dlt wants one, also where the server asks for none
    names = [f"huodang_benchmark_{uuid.uuid4().hex[:8]}" for _ in range(2)]
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}".encode())
        try:
            source, target = (url.set(database=name).render_as_string(hide_password=False) for name in names)
            yield source, target
        finally:
            for name in names:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def child(command: list[str | Path]) -> dict[str, float]:
    """Run one side in a process of its own; the server's CPU time is added where it can be read."""
    before = server_cpu()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    after = server_cpu()
    figures["server"] = after - before if before and after else 0
    return figures


def server_cpu() -> float:
    """CPU seconds of PostgreSQL so far, its ended backends among them."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")[0]
            parts = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if words.endswith(b"/postgres") and b"bin/" in words:
            return sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0


def change(source: str) -> dict[str, int]:
    """Change one row in a hundred, delete 500, add 50 late ones and 1,000 new ones; give what there is to be found."""
    moved = ROWS // 200
    with psycopg.connect(source) as connection:
        connection.execute(
            "UPDATE person SET name = name || '改', updated_at = timestamp '2030-01-01' + unit_no * interval '1 s' "
            "WHERE unit_no %% 200 = 7 AND unit_no > 100000 + %s" % (DELETED * 2)
        )
        connection.execute(
            f"UPDATE person SET name = name || '改' WHERE unit_no % 200 = 9 AND unit_no > 100000 + {DELETED * 2}"
        )
        connection.execute(f"DELETE FROM person WHERE unit_no <= 100000 + {DELETED}")
        add = (
            "INSERT INTO person (person_id, sfzh, name, sex, birth_date, amount, months, score, active, "
            "updated_at, unit_no) "
            "SELECT '{0}' || g, '新', '新', '1', date '1950-01-01', 1, 1, 0, true, timestamp '{1}', g "
            "FROM generate_series(1, {2}) g"
        )
        connection.execute(add.format("L", "2024-01-01", LATE).encode())
        connection.execute(add.format("N", "2031-01-01", 1000).encode())
        updated = connection.execute("SELECT count(*) FROM person WHERE name LIKE '%改'").fetchone()
    return {"inserted": 1000 + LATE, "updated": int(updated[0]) if updated else moved, "deleted": DELETED, "late": LATE}


def missed(source: str, target: str, table: str) -> dict[str, int]:
    """Count what a target lacks or holds too much, through keys and names."""
    with psycopg.connect(source) as one, psycopg.connect(target) as other:
        wanted = dict(one.execute("SELECT person_id, name FROM person").fetchall())
        held = dict(other.execute(f"SELECT person_id, name FROM {table}".encode()).fetchall())
    return {
        "deletes": len(held.keys() - wanted.keys()),
        "late": sum(key.startswith("L") for key in wanted.keys() - held.keys()),
        "inserts": sum(not key.startswith("L") for key in wanted.keys() - held.keys()),
        "updates": sum(held[key] != name for key, name in wanted.items() if key in held),
    }


def line(name: str, found: dict[str, float], rows: int) -> str:
    """One row of the table of speeds."""
    return (
        f"| {name} | {found['wall']:.1f} | {rows / found['wall']:,.0f} | {found['cpu']:.1f} | {found['server']:.1f} | "
        f"{found['peak_mib']:,.0f} |"
    )


def run() -> list[str]:
    """Measure first loads and a lot of changes."""
    peer, script = peer_python(), ROOT / "benchmarks" / "peers" / "dlt_table.py"
    heading = [
        "| how | seconds | rows/s | CPU s, client | CPU s, server | peak MiB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines = [f"{ROWS:,} rows of 12 columns; every process on the same two cores as the server. dlt 1.31.0.", ""]
    with two_databases() as (source, target), tempfile.TemporaryDirectory(dir=ROOT / "var") as folder:
        with psycopg.connect(source, autocommit=True) as connection:
            connection.execute(PERSON.format(rows=ROWS).encode())
            connection.execute("ALTER TABLE person ADD PRIMARY KEY (person_id)")
            connection.execute("VACUUM ANALYZE person")
        own: list[str | Path] = [sys.executable, "-c", OURS]
        lines += ["First load, PostgreSQL → PostgreSQL (ours with primary key and proof):", "", *heading]
        first = child([*own, source, target, "person", folder])
        lines.append(line("`huodang sync`", first, ROWS))
        for backend in ("connectorx", "pyarrow"):
            found = child([peer, script, source, target, backend, Path(folder) / backend, "incremental_first"])
            lines.append(line(f"dlt, {backend}", found, ROWS))
        lines += ["", "First load, PostgreSQL → SQLite:", "", *heading]
        lines.append(line("`huodang sync`", child([*own, source, f"{folder}/ours.db", "person", folder]), ROWS))
        for backend in ("connectorx", "pyarrow"):
            file = f"sqlite:///{folder}/{backend}.db"
            found = child([peer, script, source, file, backend, Path(folder) / f"file_{backend}", "full"])
            lines.append(line(f"dlt, {backend}", found, ROWS))
        planted = change(source)
        lines += [
            "",
            f"Then 1% changed (half without moving the cursor), {DELETED} deleted, {LATE} late, 1,000 new; PostgreSQL:",
            "",
        ]
        lines += [*heading]
        lot = child([*own, source, target, "person", folder])
        report: dict[str, object] = lot["report"]  # type: ignore[assignment]
        assert {name: report[name] for name in planted} == planted, (planted, report)
        lines.append(line("`huodang sync`", lot, ROWS))
        misses = [("`huodang sync`", missed(source, target, "person"))]
        for backend in ("connectorx", "pyarrow"):
            found = child([peer, script, source, target, backend, Path(folder) / backend, "incremental"])
            lines.append(line(f"dlt, {backend}, by cursor", found, ROWS))
            misses.append((f"dlt, {backend}, by cursor", missed(source, target, "peer.person")))
    lines += ["", "| missed after that lot | deletes | late | inserts | updates |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {name} | {one['deletes']} | {one['late']} | {one['inserts']} | {one['updates']} |" for name, one in misses
    ]
    proof: dict[str, float] = report["proof"]  # type: ignore[assignment]
    before = first["report"]["proof"]  # type: ignore[index]
    told = ", ".join(f"{name} {number:,}" for name, number in planted.items())
    lines += [
        "",
        f"Planted and reported alike: {told}. Reconciliation (reading and hashing the target, hashing buckets on both",
        f"sides) took {before['seconds']:.1f} s of the first load and {proof['seconds']:.1f} s of the lot,",
        f"roots equal: {proof['equal']}.",
    ]
    return lines
