"""Cross-match: payments against deaths, custody, a second scheme, check digits and shared accounts; and its peers.

`HUODANG_BENCHMARK_ROWS` sets the payments (10,000,000); deaths are a fifth, custody terms a fiftieth, rows of the
second scheme three fifths of them. Planted wrongs are counted exactly by every side. `HUODANG_BENCHMARK_PEERS` names
the peers (`pandas,postgresql,numba`), `HUODANG_TEST_POSTGRESQL` the server, `HUODANG_BENCHMARK_GROWTH` further sizes in
millions (`1,50`), `HUODANG_BENCHMARK_SPARK` is `1` where pyspark is installed.
"""

# ruff: noqa: S608  (statements are made of this module's own numbers and names)

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("HUODANG_BENCHMARK_ROWS", "10000000"))
PEERS = tuple(one for one in os.environ.get("HUODANG_BENCHMARK_PEERS", "pandas,postgresql,numba").split(",") if one)
GROWTH = tuple(int(one) for one in os.environ.get("HUODANG_BENCHMARK_GROWTH", "").split(",") if one)
PACKAGES = ("pandas==3.0.*", "pyarrow>=20", "numba>=0.61", "psycopg[binary]>=3.2", "duckdb>=2.0")
RULES = ("paid_after_death", "paid_in_custody", "paid_twice", "identity_invalid", "account_shared")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
KINDS = ("payments", "deaths", "custody", "enrolments")
OURS = """
import json, resource, sys, time
from pathlib import Path
from huodang.supervision.check import CheckRequest, run_check
from huodang.supervision.rules import all_rules, rule
from huodang.supervision.tables import Kind
from huodang.standards import Month
folder, out, store, rules, engine = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
ending = sys.argv[6]
chosen = tuple(rule(code) for code in rules.split(",")) if rules else all_rules()
files = {Kind(kind): (folder / f"{kind}.{ending}",) for kind in ("payments", "deaths", "custody", "enrolments")}
began = time.perf_counter()
steps = {}
def seen(step, done, total):
    steps.setdefault(step, time.perf_counter() - began)
result = run_check(CheckRequest(files, out, (Month(2024, 5),), rules=chosen, engine=engine,
                                store=Path(store) if store else None), seen)
own = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"wall": time.perf_counter() - began, "cpu": own.ru_utime + own.ru_stime,
                  "peak_mib": own.ru_maxrss / 1024, "rules": sum(one.seconds for one in result.rules),
                  "states": {one.rule.code: one.state for one in result.rules},
                  "found": {one.rule.code: one.count for one in result.rules}}))
"""


def generate(folder: Path, rows: int) -> dict[str, int]:
    """Write the four files as Parquet of texts; give what is planted, by rule."""
    folder.mkdir(parents=True, exist_ok=True)
    planted = {
        code: max(rows // divisor, 1) for code, divisor in zip(RULES, (5000, 10000, 4000, 2000, 2500), strict=True)
    }
    total = "+".join(f"((p // {10 ** (16 - place)}) % 10) * {weight}" for place, weight in enumerate(WEIGHTS))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE MACRO check_sign(p) AS substr('10X98765432', ({total}) % 11 + 1, 1)")
        connection.execute(
            "CREATE MACRO person(i) AS 130100000000000 * 100 + (i % 180) * 100000000000 + "
            "((1935 + (i // 180) % 30) * 10000 + (1 + (i // 5400) % 12) * 100 + 1 + (i // 64800) % 28) * 1000 + "
            "1 + (i // 1814400) % 999"
        )
        connection.execute("CREATE MACRO number(i) AS person(i)::VARCHAR || check_sign(person(i))")
        dead, inside, twice, wrong, shared = (planted[code] for code in RULES)
        first_wrong, first_shared = dead + inside + twice, dead + inside + twice + wrong
        # Of a wrong number the last sign is another one; five persons share each shared account.
        connection.execute(
            f"COPY (SELECT CASE WHEN i >= {first_wrong} AND i < {first_shared} THEN person(i)::VARCHAR || "
            "CASE WHEN check_sign(person(i)) = '1' THEN '2' ELSE '1' END ELSE number(i) END AS 公民身份号码, "
            "chr(24352 + (i % 7)::INTEGER) || chr(19968 + (i * 7919 % 20000)::INTEGER) AS 姓名, '110' AS 险种, "
            "202405 AS 发放年月, 100000 + (hash(i) % 500000)::BIGINT AS 发放金额分, '6222' || lpad("
            f"(CASE WHEN i >= {first_shared} AND i < {first_shared + shared} THEN {rows} + (i - {first_shared}) // 5 "
            "ELSE i END)::VARCHAR, 15, '0') AS 银行账号, (130100 + i % 180)::VARCHAR AS 行政区划 "
            f"FROM range({rows}) t(i) ORDER BY hash(i)) TO '{folder}/payments.parquet'"
        )
        connection.execute(
            f"COPY (SELECT number(CASE WHEN i < {dead} THEN i ELSE {rows} + i END) AS 身份证号, "
            f"strftime(DATE '2012-01-01' + (hash(i) % 4400)::INTEGER, '%Y-%m-%d') AS 死亡日期 "
            f"FROM range({rows // 5}) t(i) ORDER BY hash(i)) TO '{folder}/deaths.parquet'"
        )
        connection.execute(
            f"COPY (SELECT number(CASE WHEN i < {inside} THEN {dead} + i ELSE {2 * rows} + i END) AS 证件号码, "
            "'2020-01-01' AS 羁押开始日期, NULL::VARCHAR AS 羁押结束日期 "
            f"FROM range({max(rows // 50, inside)}) t(i) ORDER BY hash(i)) TO '{folder}/custody.parquet'"
        )
        connection.execute(
            f"COPY (SELECT number(CASE WHEN i < {twice} THEN {dead + inside} ELSE {3 * rows} END + i) AS 身份证号码, "
            "'170' AS 险种, 202405 AS 发放年月, 15000 AS 发放金额分 "
            f"FROM range({rows * 6 // 10}) t(i) ORDER BY hash(i)) TO '{folder}/enrolments.parquet'"
        )
        for kind in KINDS if rows <= 10_000_000 else ():
            connection.execute(f"COPY (FROM '{folder}/{kind}.parquet') TO '{folder}/{kind}.csv'")
    return planted


def peer_python() -> Path:
    """Give the interpreter of the peers' environment, made at the first run."""
    folder = ROOT / "var" / "benchmarks" / "cross-match"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *PACKAGES], check=True)
    return python


def child(command: list[str | Path]) -> dict[str, object]:
    """Run one side in a process of its own."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures


def ours(
    folder: Path, *, store: str = "", rules: str = ",".join(RULES), engine: str = "duckdb", ending: str = "parquet"
) -> dict[str, object]:
    """Run the check in a fresh folder."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    return child([sys.executable, "-c", OURS, folder, out, store, rules, engine, ending])


def line(name: str, found: dict[str, object], planted: dict[str, int]) -> str:
    """One row of the table; a side that counts otherwise than planted is wrong."""
    counts = {code: number for code, number in dict(found["found"]).items() if code in planted}  # type: ignore[call-overload]
    assert counts == planted, (name, counts, planted)
    loading = f"{found['load']:.1f}" if "load" in found else ""
    return f"| {name} | {found['wall']:.2f} | {loading} | {found['cpu']:.1f} | {found['peak_mib']:,.0f} |"


def run() -> list[str]:
    """Measure the five rules and all rules, ours and the peers."""
    heading = ["| how | seconds | of these loading | CPU s | peak MiB |", "|---|---:|---:|---:|---:|"]
    script = ROOT / "benchmarks" / "peers" / "cross_match_peers.py"
    work = ROOT / "var" / "benchmarks"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        planted = generate(folder, ROWS)
        store = str(folder / "store")
        lines = [
            f"{ROWS:,} payments × {ROWS // 5:,} deaths × {ROWS // 50:,} custody × {ROWS * 6 // 10:,} enrolments.",
            "Every side finds exactly what is planted. Ours includes understanding the files, packing, quarantine,",
            "canaries, what couldn't be judged, digests, and writing findings, report and certificate.",
            "",
            *heading,
            line("`huodang check`, first run from raw Parquet", ours(folder), planted),
        ]
        ours(folder, store=store)
        prepared = ours(folder, store=store)
        lines.append(line("`huodang check`, prepared store", prepared, planted))
        python = peer_python() if PEERS else Path(sys.executable)
        lines.append(line("DuckDB by hand, on text", child([python, script, "duckdb", folder]), planted))
        lines += [line(f"{peer} by hand", child([python, script, peer, folder]), planted) for peer in PEERS]
        lines += ["", f"Of the run on the prepared store the rules themselves took {prepared['rules']:.2f} s."]
        every = ours(folder, store=store, rules="")
        lines += ["", f"All {len(dict(every['found']))} rules on the prepared store: {every['wall']:.1f} s."]  # type: ignore[call-overload]
        if ROWS <= 10_000_000:
            text = ours(folder, ending="csv")
            lines += ["", f"Five rules from CSV, reading and staging included: {text['wall']:.1f} s."]
        if os.environ.get("HUODANG_BENCHMARK_SPARK") == "1":
            for engine in ("spark:local[1]", "spark:local[2]"):
                found = ours(folder, store=store, engine=engine)
                lines += ["", f"Five rules on {engine}, prepared store: {found['rules']:.1f} s for the rules."]
    lines += _growth(work, heading)
    return lines


def _growth(work: Path, heading: list[str]) -> list[str]:
    lines = ["", "Growth, five rules from raw Parquet, within 4 GB:", "", *heading] if GROWTH else []
    for millions in GROWTH:
        with tempfile.TemporaryDirectory(dir=work) as name:
            planted = generate(Path(name), millions * 1_000_000)
            lines.append(line(f"{millions} million", ours(Path(name)), planted))
    return lines
