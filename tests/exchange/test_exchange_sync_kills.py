"""A sync killed anywhere: the target never shows half a lot, and the next run makes it whole, no row twice."""

# ruff: noqa: S608  (statements are made of the test's own names)

import multiprocessing
import random
import signal
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from huodang.exchange.sync import SourceLostError, SyncRequest, mariadb, postgresql, side, sqlite, sync_table
from huodang.exchange.sync.sqlite import SqliteSide

ROWS = 12_000
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["huodang.exchange.sync.service"])


def sync_in_small_parts(source: str, target: str, folder: str) -> None:
    """Sync as anyone would, but in parts so small that a kill falls between them."""
    sqlite._COMMIT = 1000
    postgresql.parts_of = lambda path, _=0: side.parts(path, 1 << 14)
    mariadb.PART = 1 << 14
    sync_table(SyncRequest(source, "t", ("k",), target, work_folder=Path(folder), memory="200MB"))


def fill(url: str, rows: int) -> sa.Engine:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (k bigint, v varchar(60), n bigint)"))
        for start in range(0, rows, 5000):
            values = ", ".join(f"({n}, '值{n}', {n * 7 % 1000})" for n in range(start, min(start + 5000, rows)))
            connection.execute(sa.text(f"INSERT INTO t VALUES {values}"))
    return engine


def content(engine: sa.Engine) -> list[tuple[object, ...]] | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("t"):
            return None
        return [tuple(row) for row in connection.execute(sa.text("SELECT k, v, n FROM t ORDER BY k"))]


def killed_until_done(arguments: list[str], target: sa.Engine, old: object, new: object, seed: int) -> int:
    """Run again and again, each run killed a little later, until one ends by itself; give the number of kills."""
    choice = random.Random(seed)
    kills, patience = 0, 0.1
    while True:
        process = FORKS.Process(target=sync_in_small_parts, args=arguments)
        process.start()
        process.join(choice.uniform(0, patience))
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        shown = content(target)
        assert shown in (old, new), "half a lot is seen"
        if process.exitcode == 0:
            assert shown == new
            return kills
        assert process.exitcode == -signal.SIGKILL
        patience *= 1.6


@pytest.mark.parametrize(
    "product",
    [
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_sync_killed_anywhere_is_resumed_and_no_half_lot_is_ever_seen(
    product: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = fill(f"sqlite:///{tmp_path}/source.db", ROWS)
    url = f"sqlite:///{tmp_path}/target.db" if product == "sqlite" else request.getfixturevalue(f"{product}_url")
    target = sa.create_engine(url)
    arguments = [f"sqlite:///{tmp_path}/source.db", url, str(tmp_path / "work")]
    first = content(source)
    kills = killed_until_done(arguments, target, None, first, seed=3)
    with source.begin() as connection:
        connection.execute(sa.text("UPDATE t SET v = 'neu' WHERE k % 10 = 0"))
        connection.execute(sa.text("DELETE FROM t WHERE k % 10 = 1"))
        connection.execute(sa.text("INSERT INTO t SELECT k + 1000000, v, n FROM t WHERE k % 10 = 2"))
    kills += killed_until_done(arguments, target, first, content(source), seed=4)
    assert kills > 2
    with target.connect() as connection:
        # A run killed between its commit and its end is followed by one that finds nothing to do.
        sums = "SELECT sum(inserted), sum(updated), sum(deleted), max(state), min(state) FROM huodang_sync_lot"
        assert tuple(connection.execute(sa.text(sums)).one()) == (
            ROWS * 11 // 10,
            ROWS // 10,
            ROWS // 10,
            "done",
            "done",
        )
        names = sa.inspect(connection).get_table_names()
    assert not [name for name in names if name.startswith("huodang_sync_") and name != "huodang_sync_lot"]
    assert not list((tmp_path / "work").glob("huodang-sync-*")), "a killed run's folder is removed by the next"
    source.dispose()
    target.dispose()


def test_killed_first_load_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(f"sqlite:///{tmp_path}/source.db", 5000).dispose()
    monkeypatch.setattr("huodang.exchange.sync.sqlite._COMMIT", 1000)
    monkeypatch.setattr("huodang.exchange.sync.comparison._BATCH", 500)
    request = SyncRequest(f"{tmp_path}/source.db", "t", ("k",), f"{tmp_path}/target.db", work_folder=tmp_path)
    load = SqliteSide.load

    def broken(self: SqliteSide, *arguments: object, **named: object) -> None:
        def stop(_: int) -> None:
            if self.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'huodang_sync_stage%'")[0][0]:
                name = self.execute("SELECT name FROM sqlite_master WHERE name LIKE 'huodang_sync_stage%'")[0][0]
                if self.execute(f'SELECT count(*) FROM "{name}"')[0][0] >= 3000:  # type: ignore[operator]
                    raise KeyboardInterrupt

        load(self, arguments[0], arguments[1], stop, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteSide, "load", broken)
    with pytest.raises(KeyboardInterrupt):
        sync_table(request)
    monkeypatch.setattr(SqliteSide, "load", load)
    report = sync_table(request)
    assert 1000 <= report.resumed_rows < 5000
    assert report.inserted == 5000
    with sqlite3.connect(tmp_path / "target.db") as opened:
        assert opened.execute("SELECT count(*), count(DISTINCT k) FROM t").fetchone() == (5000, 5000)


@pytest.mark.postgresql
def test_source_that_goes_away_in_the_middle_leaves_the_target_alone(postgresql_url: str, tmp_path: Path) -> None:
    source = fill(postgresql_url, 200_000)
    request = SyncRequest(postgresql_url, "t", ("k",), f"{tmp_path}/target.db", work_folder=tmp_path)
    with source.begin() as connection:
        connection.execute(sa.text("DELETE FROM t WHERE k >= 100"))
    sync_table(request)
    with source.begin() as connection:
        connection.execute(sa.text("INSERT INTO t SELECT k, 'x', 1 FROM generate_series(100, 400000) k"))
    ended = []

    def cut(step: object) -> None:
        if getattr(step, "name", "") == "read_source" and not ended:
            with source.connect() as connection:
                connection.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND query LIKE 'COPY%' AND pid <> pg_backend_pid()"
                    )
                )
            ended.append(True)

    with pytest.raises(SourceLostError):
        sync_table(request, cut)
    with sqlite3.connect(tmp_path / "target.db") as opened:
        assert opened.execute("SELECT count(*) FROM t").fetchone() == (100,)
    assert sync_table(request).inserted == 399_901
    source.dispose()
