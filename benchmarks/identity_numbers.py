"""How long a million identity numbers take: column arithmetic against loops, with equal verdicts.

Run alone with `python benchmarks/identity_numbers.py`; `run()` gives the same as lines of Markdown.
"""

import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from huodang.standards import check_character, check_identity_numbers, identity_fault

COUNT = 1_000_000
REPEATS = 3
ON = date(2026, 1, 1)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def made_up_numbers(count: int = COUNT, seed: int = 20250701) -> list[str]:
    """Make numbers with real dates; in one of a hundred a digit is wrong, one of twenty has 15 digits."""
    random = np.random.default_rng(seed)
    days = random.integers(0, 25_000, count).tolist()
    sequences = random.integers(1, 996, count).tolist()
    kinds = random.integers(0, 100, count).tolist()
    numbers = []
    for day, sequence, kind in zip(days, sequences, kinds, strict=True):
        seventeen = f"132325{date(1930, 1, 1) + timedelta(days=day):%Y%m%d}{sequence:03d}"
        if kind == 0:
            numbers.append(f"{seventeen[:16]}{9 - int(seventeen[16])}{check_character(seventeen)}")
        elif kind <= 5:
            numbers.append(seventeen[:6] + seventeen[8:])
        else:
            numbers.append(seventeen + check_character(seventeen))
    return numbers


def plain_loop(numbers: list[str]) -> int:
    """Count bad numbers as a script would: a loop with check digit and date, no normalising, 18 digits or 15."""
    bad = 0
    for number in numbers:
        try:
            if len(number) == 15:
                date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
                continue
            total = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True))
            date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
            bad += "10X98765432"[total % 11] != number[17]
        except ValueError:
            bad += 1
    return bad


def _best(work: Callable[[], object], repeats: int = REPEATS) -> tuple[float, object]:
    seconds, result = float("inf"), None
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        seconds = min(seconds, time.process_time() - start)
    return seconds, result


def run() -> list[str]:
    """Measure, and hold the verdicts of both faces against each other; CPU seconds of one thread."""
    numbers = made_up_numbers()
    columns = {
        "`U18` array": np.array(numbers),
        "`S18` array": np.array(numbers, dtype="S18"),
        "object array": np.array(numbers, dtype=object),
        "list of `str`": numbers,
    }
    expected = np.fromiter((identity_fault(number, ON) for number in numbers), dtype=np.uint8, count=COUNT)
    lines = [
        f"### Identity numbers, {COUNT:,} checked",
        "",
        f"{int((expected != 0).sum()):,} of them wrong, one of twenty with 15 digits. CPU seconds, best of {REPEATS}.",
        "",
        "| how | seconds | a second |",
        "|---|---:|---:|",
    ]
    for name, column in columns.items():
        seconds, faults = _best(lambda column=column: check_identity_numbers(column, ON))
        assert np.array_equal(faults, expected), f"{name}: verdicts differ from the scalar face"
        lines.append(f"| vectorised, {name} | {seconds:.3f} | {COUNT / seconds:,.0f} |")
    seconds, bad = _best(lambda: plain_loop(numbers), repeats=1)
    assert bad == int((expected != 0).sum()), "the plain loop counts another number of faults"
    lines.append(f"| plain Python loop (no normalising) | {seconds:.2f} | {COUNT / seconds:,.0f} |")
    seconds, _ = _best(lambda: [identity_fault(number, ON) for number in numbers], repeats=1)
    lines.append(f"| scalar face, normalising | {seconds:.2f} | {COUNT / seconds:,.0f} |")
    lines += ["", "Every verdict of the vectorised face equals that of the scalar face."]
    return lines


if __name__ == "__main__":
    print("\n".join(run()))
