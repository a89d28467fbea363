"""A table read in pages along a unique key: the source may go away mid-page, and no row is lost or read twice."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from exchange_lots import TABLE, Walk, register_row, walking
from exchange_province import Province
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.exchange import LotSteward
from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.lots import paging
from huodang.exchange.lots.errors import PullError
from huodang.exchange.lots.paging import PagingError, Reading, in_pages, page_key
from huodang.ledger import Ledger
from huodang.standards import Place
from huodang.store import Database

PLACE = Place(file="T")


class Away(Exception):  # noqa: N818  (what a test raises in the place of a pause)
    """The reader would have waited."""


def source_of(path: Path, *statements: str) -> DatabaseSource:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return DatabaseSource(sa.make_url(f"sqlite:///{path}"))


def reading(source: DatabaseSource, key: str = "K", *columns: str) -> Reading:
    table = source.table("T")
    return Reading(sa.select(*(table.c[name] for name in (*columns, key))), table.c[key])


def read(source: DatabaseSource, key: str = "K") -> list[Any]:
    def never(_: float) -> None:
        raise Away

    portions = in_pages(source, reading(source, key), PLACE, never, lambda: None)
    return [row[-1] for portion in portions for row in portion]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("CREATE TABLE T (K INTEGER PRIMARY KEY, N TEXT)", "K"),
        ("CREATE TABLE T (K TEXT PRIMARY KEY NOT NULL, N TEXT)", "K"),
        ("CREATE TABLE T (K TEXT PRIMARY KEY, N TEXT)", "K"),
        ("CREATE TABLE T (K INTEGER PRIMARY KEY, N TEXT NOT NULL UNIQUE)", "N"),
        ("CREATE TABLE T (K TEXT, N TEXT)", None),
        ("CREATE TABLE T (K TEXT, N TEXT, PRIMARY KEY (K, N))", None),
    ],
)
def test_pages_are_cut_along_a_column_that_is_unique_by_itself(tmp_path: Path, table: str, key: str | None) -> None:
    source = source_of(tmp_path / "a.db", table, "INSERT INTO T VALUES (1, 'a')")
    assert page_key(source, "T", ("N",)) == key
    source.close()


def test_key_that_is_absent_somewhere_is_none(tmp_path: Path) -> None:
    source = source_of(tmp_path / "a.db", "CREATE TABLE T (K TEXT PRIMARY KEY)", "INSERT INTO T VALUES (NULL), ('a')")
    assert page_key(source, "T", ()) is None
    assert page_key(source, "NOWHERE", ()) is None
    source.close()


@settings(max_examples=40, deadline=None)
@given(
    keys=st.sets(st.one_of(st.integers(-(2**40), 2**40), st.text(max_size=4), st.binary(max_size=3)), max_size=60),
    rows=st.integers(1, 9),
)
def test_pages_bring_every_row_once_whatever_kinds_of_key_stand_in_a_column(
    tmp_path_factory: pytest.TempPathFactory, keys: set[Any], rows: int
) -> None:
    path = tmp_path_factory.mktemp("keys") / "a.db"
    source = source_of(path, "CREATE TABLE T (K BLOB PRIMARY KEY NOT NULL)")
    kept = [one for one in keys if not isinstance(one, str) or ("\0" not in one and one.isprintable())]
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO T VALUES (?)", [(one,) for one in kept])
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "PAGE_ROWS", rows)
        found = read(source)
    assert len(found) == len(kept)
    assert set(found) == set(kept)
    source.close()


def test_pages_are_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_ROWS", 2)
    path = tmp_path / "a.db"
    source = source_of(
        path,
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE T (K INTEGER PRIMARY KEY)",
        "INSERT INTO T VALUES (1), (2), (3), (4), (5)",
    )
    found: list[int] = []
    for portion in in_pages(source, reading(source), PLACE, lambda _: None, lambda: None):
        if not found:
            with sqlite3.connect(path) as other:
                other.execute("DELETE FROM T WHERE K = 4")
                other.execute("INSERT INTO T VALUES (9)")
            other.close()
        found += [row[0] for row in portion]
    assert found == [1, 2, 3, 4, 5]
    source.close()


def test_key_that_is_not_what_it_says_is_refused_and_nothing_is_lost_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a corrupt index would have it: two rows of one key at a page's edge."""
    monkeypatch.setattr(paging, "PAGE_ROWS", 2)
    source = source_of(tmp_path / "a.db", "CREATE TABLE T (K INTEGER)", "INSERT INTO T VALUES (1), (2), (2), (3)")
    with pytest.raises(PagingError) as told:
        read(source)
    assert "in_pages" in told.value.sentence("zh")
    source.close()


def test_source_that_stays_away_is_tried_a_bounded_number_of_times(tmp_path: Path) -> None:
    source = source_of(tmp_path / "a.db", "CREATE TABLE T (K INTEGER PRIMARY KEY)")
    wanted = reading(source)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("DROP TABLE T")
    connection.close()
    waited: list[float] = []
    resumed: list[int] = []
    with pytest.raises(SourceError):
        list(in_pages(source, wanted, PLACE, waited.append, lambda: resumed.append(1)))
    assert waited == list(paging.PAUSES)
    assert resumed == []
    source.close()


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def server_walk(
    request: pytest.FixtureRequest, province: Province, database: Database, ledger: Ledger
) -> Iterator[Walk]:
    url = request.getfixturevalue(f"{request.param}_url").replace("postgresql://", "postgresql+psycopg://")
    with walking(province, database, ledger, url) as made:
        key = "ALTER TABLE {} ADD PRIMARY KEY (GMSFHM)"
        name, column = ("`T_CZRK_JBXX`", "GMSFHM") if request.param == "mariadb" else ('"T_CZRK_JBXX"', '"GMSFHM"')
        made.register.run(key.format(name).replace("GMSFHM", column))
        yield made


def sessions_ended(walk: Walk) -> int:
    """End every other session of the department's database, as a restart of the server does."""
    with walk.register.engine.connect() as connection:
        if walk.register.engine.dialect.name == "postgresql":
            ended = connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).all()
            return len(ended)
        others = connection.exec_driver_sql(
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
        ).scalars()
        named = list(others)
        for one in named:
            connection.exec_driver_sql(f"KILL {one}")
        return len(named)


def test_source_that_goes_away_mid_page_is_gone_on_with_after_the_last_key(
    server_walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sessions are ended while a page is being read; rows before and after come once each."""
    monkeypatch.setattr(paging, "PAGE_ROWS", 40)
    monkeypatch.setattr(paging, "FETCHED_AT_ONCE", 10)
    server_walk.register.add(*[register_row(serial) for serial in range(200)])
    snapshot_rows = paging._snapshot
    ended: list[int] = []

    def interrupted(*words: Any, **named: Any) -> Iterator[Any]:
        for number, portion in enumerate(snapshot_rows(*words, **named)):
            yield portion
            if number == 6 and not ended:
                ended.append(sessions_ended(server_walk))

    monkeypatch.setattr(paging, "_snapshot", interrupted)
    lot = server_walk.pull()
    assert ended[0] > 0
    assert (lot.inserted, lot.rows, lot.quarantined) == (200, 200, 0)
    (told,) = LotSteward(server_walk.gateway.file).lots(limit=1)
    assert told.rows == 200
    assert server_walk.lots.verify("XY-table") == ()
    again = server_walk.pull()
    assert (again.inserted, again.updated, again.deleted, again.rows) == (0, 0, 0, 200)


def test_lot_that_was_read_at_two_moments_says_so(server_walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_ROWS", 20)
    server_walk.register.add(*[register_row(serial) for serial in range(60)])
    server_walk.pull()
    assert warnings_of(server_walk) == ()
    snapshot_rows = paging._snapshot
    ended: list[int] = []

    def interrupted(*words: Any, **named: Any) -> Iterator[Any]:
        for portion in snapshot_rows(*words, **named):
            yield portion
            if not ended:
                ended.append(sessions_ended(server_walk))

    monkeypatch.setattr(paging, "_snapshot", interrupted)
    assert server_walk.pull().rows == 60
    assert warnings_of(server_walk) == ("read_resumed",)


def warnings_of(walk: Walk) -> tuple[str, ...]:
    from huodang.exchange.lots.values import LotStatement  # noqa: PLC0415  (only here)
    from huodang.trust import SignedEnvelope  # noqa: PLC0415

    lot = walk.lots.latest()[0]
    with walk.part.store.writing() as connection:
        (text,) = connection.execute("SELECT statement FROM lots WHERE lot_id = ?", (lot.remote,)).fetchone()
    return tuple(LotStatement.from_payload(SignedEnvelope.from_json(text).payload).warnings)


def test_table_without_unique_key_is_read_in_one_statement_and_fails_whole(
    province: Province, database: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    province.folder("police").mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{province.folder('police') / 'police.db'}"
    with walking(province, database, ledger, url) as walk:
        walk.register.add(*[register_row(serial) for serial in range(12)])
        monkeypatch.setattr(paging, "_snapshot", None)  # would be called if pages were cut
        assert walk.pull().rows == 12
        walk.register.run("ALTER TABLE T_CZRK_JBXX RENAME TO AWAY")
        with pytest.raises(PullError):
            walk.pull()
        assert walk.lots.of_resource(TABLE)[0].rows == 12


@pytest.mark.parametrize("pages", [True, False])
def test_file_of_the_gateway_may_ask_for_one_statement(
    province: Province, database: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, pages: bool
) -> None:
    province.folder("police").mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{province.folder('police') / 'police.db'}"
    with walking(province, database, ledger, url, in_pages=pages) as walk:
        walk.register.run("CREATE UNIQUE INDEX U ON T_CZRK_JBXX (GMSFHM)")  # an index alone may be a partial one
        walk.register.add(register_row(1))
        snapshot_rows, used = paging._snapshot, []

        def noted(*words: Any, **named: Any) -> Iterator[Any]:
            used.append(1)
            return snapshot_rows(*words, **named)

        monkeypatch.setattr(paging, "_snapshot", noted)
        assert walk.pull().rows == 1
        assert used == []
        walk.register.run("DROP TABLE T_CZRK_JBXX")
        walk.register.run(
            "CREATE TABLE T_CZRK_JBXX (GMSFHM VARCHAR(60) NOT NULL PRIMARY KEY, XM VARCHAR(60), XB VARCHAR(60), "
            "CSRQ VARCHAR(60), SWRQ VARCHAR(60), HKSZD VARCHAR(60), SFZX VARCHAR(60), GXSJ VARCHAR(60))"
        )
        columns = list(register_row(2))
        walk.register.run(sa.insert(sa.table("T_CZRK_JBXX", *map(sa.column, columns))).values(**register_row(2)))
        assert walk.pull().rows == 1
        assert used == [1] * pages
