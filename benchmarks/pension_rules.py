"""Retirement age and full pension for a million people: ours, OpenFisca-core, and a loop over decimals for the truth.

Every side runs in a process of its own, one after the other, on the same columns, so that times and memory compare.
OpenFisca-core gets an environment of its own under `var/`, as it brings packages that the product doesn't need.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

import numpy as np

from huodang.pension import payout_months, vectorised
from huodang.standards import Month

COUNT = 1_000_000
REPEATS = 7
PEER = "openfisca-core==46.0.1"
ROOT = Path(__file__).resolve().parents[1]
COEFFICIENT = Fraction(13, 1000)
HALF = Decimal("0.01")


def made_up_people(count: int = COUNT, seed: int = 20250701) -> dict[str, np.ndarray]:
    """Draw people such as statements show: fen, average index to four decimals, years to two as Hebei carries them."""
    random = np.random.default_rng(seed)
    category = random.integers(0, 3, count).astype(np.int8)
    earliest = np.array([Month(1962, 1).ordinal, Month(1967, 1).ordinal, Month(1972, 1).ordinal])
    ages = range(40 * 12, 70 * 12 + 1)
    by_age = np.zeros(70 * 12 + 1, dtype=np.int64)
    by_age[ages.start :] = [int(payout_months(age) * 10) for age in ages]
    return {
        "category": category,
        "birth": earliest[category] + random.integers(0, 240, count),
        "base": random.integers(600_000, 1_250_000, count),
        "average_index": random.integers(4_000, 30_000, count) * 100,
        "years": random.integers(1_500, 4_500, count),
        "years_before": random.integers(0, 1_500, count),
        "account": random.integers(1_000_000, 50_000_000, count),
        "payout_tenths_by_age": by_age,
    }


def ours(columns: dict[str, np.ndarray]) -> np.ndarray:
    """The chain on the vectorised face: retirement age, payout months, then the three parts and their total."""
    ages = vectorised.retirement_ages(columns["category"], columns["birth"])
    people = vectorised.EmployeeColumns(
        base_fen=columns["base"],
        index_millionths=columns["average_index"],
        indexed_wage_fen=columns["no_wage"],
        years=columns["years"],
        pre_account_years=columns["years_before"],
        account_fen=columns["account"],
        payout_tenths=ages.payout_tenths,
        years_unit=100,
    )
    total = vectorised.employee_pensions(people, COEFFICIENT).total
    assert total is not None
    return total


def by_decimals(columns: dict[str, np.ndarray]) -> np.ndarray:
    """The chain person by person in decimals wide enough that nothing is rounded early; shares no code with ours."""
    getcontext().prec = 40
    rules = ((1965 * 12, 4, 36, 720), (1970 * 12, 4, 36, 660), (1975 * 12, 2, 60, 600))
    by_age = [Decimal(tenths) / 10 for tenths in columns["payout_tenths_by_age"].tolist()]
    names = ("category", "birth", "base", "average_index", "years", "years_before", "account")
    totals = []
    for category, birth, base_fen, index, years, before, account in zip(
        *(columns[name].tolist() for name in names), strict=True
    ):
        first, step, most, original = rules[category]
        elapsed = birth - first
        delay = 0 if elapsed < 0 else min(elapsed // step + 1, most)
        base = Decimal(base_fen) / 100
        wage = base * index / 1_000_000
        basic = ((base + wage) / 2 * years / 100 / 100).quantize(HALF, "ROUND_HALF_UP")
        from_account = (Decimal(account) / 100 / by_age[original + delay]).quantize(HALF, "ROUND_HALF_UP")
        transitional = (wage * before / 100 * Decimal("0.013")).quantize(HALF, "ROUND_HALF_UP")
        totals.append(int((basic + from_account + transitional) * 100))
    return np.array(totals, dtype=np.int64)


def measure(side: str, source: str, target: str, repeats: int) -> dict[str, float]:
    """Run one side in this process: best times and peak memory."""
    columns = dict(np.load(source))
    columns["no_wage"] = np.full(columns["base"].size, vectorised.NO_WAGE)
    work = ours if side == "ours" else by_decimals
    begun = time.perf_counter()
    if side == "ours":
        # The table of ages is made once a process: told apart, as a service makes it at its start.
        vectorised.retirement_ages(columns["category"][:1], columns["birth"][:1])
    prepared = time.perf_counter() - begun
    best = {"wall": float("inf"), "cpu": float("inf")}
    total = np.empty(0, np.int64)
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        total = work(columns)
        best["wall"] = min(best["wall"], time.perf_counter() - wall)
        best["cpu"] = min(best["cpu"], time.process_time() - cpu)
    np.save(target, total)
    return {**best, "prepared": prepared, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def peer_python() -> Path:
    """Give the interpreter of the peer's environment, made at the first run."""
    folder = ROOT / "var" / "benchmarks" / PEER.replace("==", "-")
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", PEER], check=True)
    return python


def child(command: list[str | Path]) -> dict[str, float]:
    """Run one side and read the figures it prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def run() -> list[str]:
    """Measure all sides and hold their totals against the decimals."""
    peer = peer_python()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "people.npz"
        np.savez(source, **made_up_people())
        targets = {side: Path(folder) / f"{side}.npy" for side in ("ours", "openfisca", "decimal")}
        own: list[str | Path] = [sys.executable, "-m", "benchmarks.pension_rules"]
        script = ROOT / "benchmarks" / "peers" / "openfisca_pension.py"
        found = {
            "ours": child([*own, "ours", source, targets["ours"], str(REPEATS)]),
            "openfisca": child([peer, script, source, targets["openfisca"], str(REPEATS)]),
            "decimal": child([*own, "decimal", source, targets["decimal"], "1"]),
        }
        totals = {side: np.load(target) for side, target in targets.items()}
    exact = totals["decimal"]
    wrong = {side: int(np.count_nonzero(total != exact)) for side, total in totals.items()}
    assert wrong["ours"] == 0, f"{wrong['ours']} of {COUNT} totals differ from the decimals"
    worst = int(np.abs(totals["openfisca"] - exact).max())
    return report(found, wrong, worst)


def report(found: dict[str, dict[str, float]], wrong: dict[str, int], worst: int) -> list[str]:
    """Write the figures down."""
    labels = {
        "ours": "Huodang, vectorised, int64 fen",
        "openfisca": f"{PEER.replace('==', ' ')}, {found['openfisca']['value_type']}",
        "decimal": "loop over `Decimal`",
    }
    what = (
        f"Delay, age, month, payout months, minimum months, then basic, account and transitional part and total, for"
        f" {COUNT:,} people on the same columns. Best of {REPEATS} (decimals: one run), each side in a process of its"
        f" own; peak memory counts the columns themselves."
    )
    lines = [
        what,
        "",
        "| how | seconds | CPU seconds | peak MiB | totals wrong by a fen or more |",
        "|---|---:|---:|---:|---:|",
    ]
    for side, label in labels.items():
        figures = found[side]
        lines.append(
            f"| {label} | {figures['wall']:.3f} | {figures['cpu']:.3f} | {figures['peak_mib']:.0f} | {wrong[side]:,} |"
        )
    own, peer, decimals = found["ours"], found["openfisca"], found["decimal"]
    outcome = (
        f"Huodang against OpenFisca-core, inputs set and calculated: {peer['wall'] / own['wall']:.1f} times as fast"
        f" ({peer['cpu'] / own['cpu']:.1f} times in CPU seconds); against its calculation alone"
        f" ({peer['calculation_wall']:.3f} s): {peer['calculation_wall'] / own['wall']:.1f} times; against the"
        f" decimals: {decimals['wall'] / own['wall']:,.0f} times. OpenFisca's worst total is off by {worst} fen; every"
        f" total of Huodang equals the decimals. Its table of ages takes {own['prepared']:.2f} s more, once a process."
    )
    return [*lines, "", outcome]


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))
