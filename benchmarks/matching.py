"""Match only: 100,000 × 100,000 and 1,000,000 × 1,000,000 identity numbers, two processes a match on this machine.

`python -m benchmarks.matching [SIZE …]` measures other sizes. The default engine is `huodang intersect` itself; `spu`
is measured when `HUODANG_SPU_PYTHON` names an interpreter that has it. Time is the querier's, from reading its file to
its result; memory is the peak of each process with its children; bytes are counted on the line by a relay.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIZES = (100_000, 1_000_000)
SHARED = 0.5
WEIGHTS = np.array([2 ** (17 - place) % 11 for place in range(17)])
CHECK = np.array(list("10X98765432"))
SPU_WAYS = ("ecdh", "kkrt", "rr22")


@dataclass
class Measured:
    """One match."""

    seconds: float
    processor: float
    sent: int
    received: int
    holder_megabytes: float
    querier_megabytes: float


class Relay:
    """Carries one TCP port to another and counts what crosses each way."""

    def __init__(self) -> None:
        self.forward = self.back = 0
        self.target = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        with near, far:
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                for one in select.select([near, far], [], [])[0]:
                    try:
                        data = one.recv(1 << 20)
                        (far if one is near else near).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return
                    if one is near:
                        self.forward += len(data)
                    else:
                        self.back += len(data)


def write_numbers(path: Path, start: int, count: int) -> None:
    """Write made-up identity numbers, all different."""
    position = np.arange(start, start + count)
    # Sequence, day, month and year count up like the wheels of a clock.
    sequence, rest = position % 999 + 1, position // 999
    day, rest = rest % 28 + 1, rest // 28
    month, year = rest % 12 + 1, 1940 + rest // 12
    text = [f"130102{y}{m:02d}{d:02d}{s:03d}" for y, m, d, s in zip(year, month, day, sequence, strict=True)]
    digits = np.frombuffer("".join(text).encode(), dtype=np.uint8).reshape(-1, 17) - 48
    check = CHECK[(digits @ WEIGHTS) % 11]
    made = [f"{first}{last}" for first, last in zip(text, check, strict=True)]
    np.random.default_rng(start).shuffle(made)
    path.write_text("id\n" + "\n".join(made) + "\n", encoding="ascii")


class Watch:
    """The peak memory and processor time of a process and its children."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.megabytes = self.processor = 0.0
        self._process = process
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while self._process.poll() is None:
            memory, processor = 0.0, 0.0
            for identifier in self._family():
                try:
                    status = Path(f"/proc/{identifier}/status").read_text()
                    fields = Path(f"/proc/{identifier}/stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                memory += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
                processor += sum(map(int, fields[11:15])) / self._ticks
            self.megabytes = max(self.megabytes, memory)
            self.processor = max(self.processor, processor)
            time.sleep(0.05)

    def _family(self) -> list[int]:
        found = [self._process.pid]
        for one in found:
            try:
                children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
            except OSError:
                continue
            found += [int(child) for child in children]
        return found


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "huodang", "intersect", *map(str, arguments)]


def run_pair(serve: list[str], query: list[str], relays: list[Relay]) -> tuple[dict[str, object], Measured]:
    """Run both sides; the querier begins when the holder listens."""
    holder = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert holder.stdout is not None
    told = json.loads(holder.stdout.readline())
    if not relays[0].target:
        relays[0].target = int(told["listening"].rpartition(":")[2])
    holding = Watch(holder)
    began = time.perf_counter()
    querier = subprocess.Popen(query, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    querying = Watch(querier)
    out, complaint = querier.communicate()
    seconds = time.perf_counter() - began
    assert querier.returncode == 0, complaint
    holder.communicate(timeout=60)
    forward = relays[0].forward + sum(one.back for one in relays[1:])
    back = relays[0].back + sum(one.forward for one in relays[1:])
    result: dict[str, object] = json.loads(out.splitlines()[-1])
    processor = holding.processor + querying.processor
    return result, Measured(seconds, processor, forward, back, holding.megabytes, querying.megabytes)


def default_engine(folder: Path, *, size_only: bool) -> tuple[dict[str, object], Measured]:
    relay = Relay()
    serve = command("serve", folder / "held.csv", "--column", "id", "--listen", "127.0.0.1:0", "--once", "--json")
    wanted = ["--size-only"] if size_only else ["--out", folder / "out.csv"]
    query = command(
        "query", folder / "own.csv", "--column", "id", "--peer", f"127.0.0.1:{relay.port}", "--json", *wanted
    )
    try:
        return run_pair(serve, query, [relay])
    finally:
        relay.close()


def spu_engine(folder: Path, way: str) -> tuple[dict[str, object], Measured]:
    """Each side reaches the other through a relay of its own."""
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    to_holder, to_querier = Relay(), Relay()
    to_holder.target, to_querier.target = ports
    common = ["--column", "id", "--engine", "spu", "--spu-protocol", way, "--json"]
    held = ["--listen", f"127.0.0.1:{ports[0]}", "--peer", f"127.0.0.1:{to_querier.port}"]
    asked = ["--listen", f"127.0.0.1:{ports[1]}", "--peer", f"127.0.0.1:{to_holder.port}", "--out", folder / "out.csv"]
    serve, query = (
        command("serve", folder / "held.csv", *held, *common),
        command("query", folder / "own.csv", *asked, *common),
    )
    try:
        return run_pair(serve, query, [to_holder, to_querier])
    finally:
        to_holder.close()
        to_querier.close()


def row(engine: str, size: int, measured: Measured) -> str:
    return (
        f"| {engine} | {size:,} × {size:,} | {measured.seconds:.1f} | {measured.processor:.1f} | "
        f"{measured.sent / 1e6:.1f} | {measured.received / 1e6:.1f} | {measured.querier_megabytes:.0f} | "
        f"{measured.holder_megabytes:.0f} |"
    )


def run(sizes: tuple[int, ...] = SIZES) -> list[str]:
    """Measure and report."""
    lines = [
        "Querier and holder on one machine, so both share its cores; half of the values are on both sides. The time is",
        "the querier's whole command, start of the interpreter and reading the file included.",
        "",
        "| engine | sets | seconds | CPU seconds, both | MB to holder | MB to querier | querier MB | holder MB |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    engines = [("ristretto255", None), ("ristretto255, size only", None)]
    if os.environ.get("HUODANG_SPU_PYTHON"):
        engines += [(f"spu {way}", way) for way in SPU_WAYS]
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_numbers(folder / "held.csv", 0, size)
            write_numbers(folder / "own.csv", int(size * (1 - SHARED)), size)
            for engine, way in engines:
                if way is None:
                    result, measured = default_engine(folder, size_only="size" in engine)
                else:
                    result, measured = spu_engine(folder, way)
                assert result["overlap"] == size - int(size * (1 - SHARED)), (engine, result)
                lines.append(row(engine, size, measured))
    if not os.environ.get("HUODANG_SPU_PYTHON"):
        lines += ["", "`spu` was not measured: `HUODANG_SPU_PYTHON` isn't set (see docs/matching.md)."]
    return lines


if __name__ == "__main__":
    print("\n".join(run(tuple(int(one) for one in sys.argv[1:]) or SIZES)))
