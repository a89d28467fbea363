"""Run benchmarks and write each one's section into `benchmarks/RESULTS.md`.

`python -m benchmarks` runs all, `python -m benchmarks pension_rules …` some. A benchmark is a module of this folder
with `run() -> list[str]`, which measures and gives lines of Markdown. Only the sections of what was run are replaced.
"""

import importlib
import os
import pkgutil
import platform
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import benchmarks
from huodang.trust import Signer

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = """# What was measured

Written by `make benchmarks` (`python -m benchmarks [NAME …]`), a section a benchmark; run it to measure your machine.
SM2 signatures a CPU-second tell how fast the machine was that day: 2,800 where the first sections were measured.
"""


def available() -> list[str]:
    """Name the modules of this folder that can be run, without importing what they measure."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.ispkg]
    folder = Path(__file__).parent
    return [name for name in sorted(names) if "\ndef run(" in (folder / f"{name}.py").read_text(encoding="utf-8")]


def machine() -> str:
    """Tell what it was measured on."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"model name\s*:\s*(.+)", information.read_text(encoding="utf-8"))
        model = found[1] if found else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def yardstick() -> str:
    """Tell how fast the machine is today (machines of one name differ by half): SM2 signatures a CPU-second."""
    signer, signed, start = Signer.generate("hub"), 0, time.process_time()
    while (spent := time.process_time() - start) < 1:
        signer.sign(b"%d" % signed)
        signed += 1
    return f"{round(signed / spent, -1):,.0f} SM2 signatures a CPU-second"


def section(name: str, lines: list[str]) -> str:
    """Frame what a benchmark gave with where, when and how it was measured."""
    head = f"{machine()}, {yardstick()}; {datetime.now(UTC):%Y-%m-%d}; `python -m benchmarks {name}`"
    return "\n".join([f"<!-- {name} -->", f"## {name}", "", head, "", *lines, f"<!-- /{name} -->"])


def replace_section(text: str, name: str, new: str) -> str:
    """Put a section in the place of its former self, or at the end."""
    former = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
    if former.search(text):
        return former.sub(lambda _: new, text)
    return f"{text.rstrip()}\n\n{new}\n"


def main(names: list[str]) -> int:
    """Run the benchmarks named, or all."""
    known = available()
    if unknown := [name for name in names if name not in known]:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        print(f"{name} …", file=sys.stderr, flush=True)
        lines = importlib.import_module(f"benchmarks.{name}").run()
        print("\n".join(lines))
        text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEADING
        RESULTS.write_text(replace_section(text, name, section(name, lines)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
