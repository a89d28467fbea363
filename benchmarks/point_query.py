"""Is this person paid anywhere: the online store at ten million people, on SQLite and on PostgreSQL.

The product's own store is loaded by its own loader (identity numbers to blind indexes, sorted, written in slices,
shown at once), then a month in which one person in a hundred differs; then persons are asked for at random, half of
them paid, through the product's own front door. `HUODANG_BENCHMARK_ROWS` sets the number of people (10,000,000),
`HUODANG_TEST_POSTGRESQL` the server.
"""

import os
import random
import resource
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from huodang.standards import Month
from huodang.store import Database, SystemClock
from huodang.supervision.watch import Payees, PayLine
from huodang.trust import FieldSealer

ROWS = int(os.environ.get("HUODANG_BENCHMARK_ROWS", "10000000"))
SERVER = os.environ.get("HUODANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
ASKED = 20_000
JANUARY = Month(2025, 1)
_WEIGHTS = np.array([2 ** (17 - place) % 11 for place in range(17)], dtype=np.int64)
_CHECK = np.array(list("10X98765432"))
_CHUNK = 200_000


def numbers(first: int, count: int) -> list[str]:
    """Make valid made-up identity numbers, another for each serial number."""
    serial = np.arange(first, first + count, dtype=np.int64)
    day = serial // 1000 % 28 + 1
    month = serial // 28_000 % 12 + 1
    year = 1930 + serial // 336_000 % 30
    region = 130_100 + serial // 10_080_000
    seventeen = (region * 100_000_000 + year * 10_000 + month * 100 + day) * 1000 + serial % 1000
    digits = (seventeen[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)) % 10
    checks = _CHECK[(digits @ _WEIGHTS) % 11]
    return [f"{number}{check}" for number, check in zip(seventeen.tolist(), checks.tolist(), strict=True)]


def lines(rows: int, month: int) -> Iterator[PayLine]:
    """Give a month's list; in the second one person in a hundred is gone, new, or paid another sum."""
    for first in range(0, rows, _CHUNK):
        made = numbers(first, min(_CHUNK, rows - first))
        for place, number in enumerate(made, start=first):
            if month and place % 300 == 0:
                continue
            raised = 5_000 if month and place % 300 == 1 else 0
            yield PayLine(number, "110", 250_000 + place % 100_000 + raised, "130100")
    if month:
        for number in numbers(rows * 2, rows // 300):
            yield PayLine(number, "110", 250_000, "130100")


@contextmanager
def on_sqlite() -> Iterator[tuple[str, Path]]:
    """Give a URL of a new SQLite file."""
    with tempfile.TemporaryDirectory(prefix="huodang-payees-") as folder:
        yield f"sqlite:///{folder}/hub.db", Path(folder)


@contextmanager
def on_postgresql() -> Iterator[tuple[str, Path]]:
    """Give a URL of a new database on the server."""
    url = sa.make_url(SERVER).set(drivername="postgresql+psycopg")
    name = f"huodang_payees_{uuid.uuid4().hex[:8]}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        with tempfile.TemporaryDirectory(prefix="huodang-payees-") as folder:
            target = url.set(drivername="postgresql", database=name)
            yield target.render_as_string(hide_password=False), Path(folder)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def measure(url: str, folder: Path) -> tuple[list[float], list[float], float]:
    """Load two months and ask; give seconds of loading, and microseconds of each question, sorted, and GiB."""
    database = Database.open(url)
    database.migrate()
    payees = Payees(database, FieldSealer.create(folder), SystemClock())
    loaded = []
    for month in (0, 1):
        began = time.perf_counter()
        done = payees.load(lines(ROWS, month), JANUARY + month, folder=folder)
        loaded.append(time.perf_counter() - began)
        assert done.rows >= ROWS - ROWS // 300 - 1
    draw = random.Random(7)
    asked = [
        (number, paid)
        for paid, start in ((True, 0), (False, ROWS * 3))
        for number in (numbers(start + draw.randrange(ROWS), 1)[0] for _ in range(ASKED // 2))
    ]
    draw.shuffle(asked)
    times = []
    found = 0
    with database.read() as connection:
        for number, paid in asked:
            began = time.perf_counter()
            answer = payees.paid(connection, payees.person_index(number))
            times.append(1e6 * (time.perf_counter() - began))
            assert paid or not answer
            found += bool(answer)
        if database.dialect == "sqlite":
            size = (folder / "hub.db").stat().st_size
        else:
            size = connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
    assert found >= 0.99 * ASKED / 2
    database.close()
    return loaded, sorted(times), size / 2**30


def run() -> list[str]:
    """Measure both databases; give the lines of a report."""
    out = [
        f"{ROWS:,} people, then a month in which one in a hundred differs; {ASKED:,} questions at random, half of them",
        "for people who aren't paid, one after the other, from the identity number to the answer.",
        "",
        "| database | first month s | next month s | GiB | p50 µs | p99 µs | longest ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, place in (("SQLite", on_sqlite), ("PostgreSQL", on_postgresql)):
        try:
            with place() as (url, folder):
                loaded, times, size = measure(url, folder)
        except sa.exc.OperationalError:
            out.append(f"| {name} | no server | | | | | |")
            continue
        half, most, longest = times[len(times) // 2], times[len(times) * 99 // 100], times[-1] / 1000
        out.append(
            f"| {name} | {loaded[0]:.0f} | {loaded[1]:.0f} | {size:.2f} | {half:.0f} | {most:.0f} | {longest:.1f} |"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [*out, "", f"Peak memory of this process: {peak:.2f} GiB."]


if __name__ == "__main__":
    print("\n".join(run()))
