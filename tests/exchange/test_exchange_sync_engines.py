"""The table sync between every pair of SQLite, PostgreSQL and MariaDB, with values that they spell differently."""

# ruff: noqa: S608, DTZ001  (statements are made of the test's own names; columns without a time zone get such times)

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from huodang.exchange.sync import ApplyError, BusyError, SyncReport, SyncRequest, sync_table, verify_table

MARKS = {"postgresql": pytest.mark.postgresql, "mariadb": pytest.mark.mariadb}
ENGINES = ("sqlite", "postgresql", "mariadb")
PAIRS = [
    pytest.param((one, other), id=f"{one}-{other}", marks=[MARKS[name] for name in {one, other} if name in MARKS])
    for one in ENGINES
    for other in ENGINES
    if (one, other) != ("sqlite", "sqlite")
]
TEXTS = [
    "",
    " ",
    "a",
    "A",
    "a ",
    "张三",
    "𠮷野家",
    "\\N",
    "\\",
    "tab\there",
    "line\nfeed",
    "\r\n",
    "'\";--",
    "\v\f\b",
    "é",
    "é",
]
DEFINITIONS = {
    "sqlite": 'CREATE TABLE "人员表" (region INTEGER, "号码" TEXT, "select" TEXT, amount NUMERIC(12,2), score DOUBLE, '
    "active BOOLEAN, born DATE, updated_at DATETIME, photo BLOB, PRIMARY KEY (region, \"号码\"))",
    "postgresql": 'CREATE TABLE "人员表" (region integer, "号码" varchar(40), "select" text, amount numeric(12,2), '
    'score double precision, active boolean, born date, updated_at timestamp, photo bytea, '
    'PRIMARY KEY (region, "号码"))',
    "mariadb": "CREATE TABLE `人员表` (region int, `号码` varchar(40) COLLATE utf8mb4_nopad_bin, `select` longtext, "
    "amount decimal(12,2), score double, active boolean, born date, updated_at datetime(6), photo longblob, "
    "PRIMARY KEY (region, `号码`))",
}  # fmt: skip
NAMES = ["region", "号码", "select", "amount", "score", "active", "born", "updated_at", "photo"]


def rows(count: int) -> list[dict[str, object]]:
    """Rows whose texts, numbers and moments are spelled differently by every product."""
    return [
        {
            "region": n % 7,
            "号码": f"{TEXTS[n % len(TEXTS)]}{n // len(TEXTS)}"
            if n >= len(TEXTS)
            else TEXTS[n].strip("\r\n\t ") + f"#{n}",
            "select": None if n % 11 == 0 else TEXTS[n % len(TEXTS)],
            "amount": None if n % 13 == 0 else Decimal(n * 37 % 100_000) / 100 - 50,
            "score": [0.1, 1e20, -1e-7, 1 / 3, 100.0, 5e-324, None][n % 7],
            "active": n % 3 == 0 if n % 5 else None,
            "born": date(1950 + n % 60, 1 + n % 12, 1 + n % 28),
            "updated_at": datetime(2024, 1, 1 + n % 28, n % 24, n % 60, n % 60, (n % 4) * 250_000),
            "photo": None if n % 4 == 0 else bytes([n % 256, 0, 92, 10, 9]),
        }
        for n in range(count)
    ]


class Side:
    """A database of the test, written and read through SQLAlchemy."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        self.name = {"mysql": "mariadb"}.get(self.engine.dialect.name, self.engine.dialect.name)

    def run(self, statement: str, values: object = None) -> None:
        if self.name == "mariadb":
            statement = statement.replace('"', "`")
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def fill(self, made: list[dict[str, object]]) -> None:
        names = ", ".join(f'"{name}"' for name in NAMES)
        marks = ", ".join(f":p{number}" for number in range(len(NAMES)))
        given = [
            {
                f"p{number}": float(value) if self.name == "sqlite" and isinstance(value, Decimal)
                else str(value) if self.name == "sqlite" and isinstance(value, date) else value
                for number, value in enumerate(row.values())
            }
            for row in made
        ]  # fmt: skip
        self.run(f'INSERT INTO "人员表" ({names}) VALUES ({marks})', given)

    def content(self) -> list[tuple[object, ...]]:
        """Every row, in one spelling for all products."""
        names = ", ".join(f"`{name}`" if self.name == "mariadb" else f'"{name}"' for name in NAMES)
        with self.engine.connect() as connection:
            found = connection.execute(
                sa.text(f"SELECT {names} FROM {'`人员表`' if self.name == 'mariadb' else '人员表'}")
            )
            return sorted((spelled(row) for row in found), key=repr)


def spelled(row: sa.Row[tuple[object, ...]]) -> tuple[object, ...]:
    region, number, text, amount, score, active, born, updated_at, photo = row
    moment = (
        updated_at
        if updated_at is None or isinstance(updated_at, datetime)
        else datetime.fromisoformat(str(updated_at))
    )
    return (
        region, number, text, None if amount is None else Decimal(str(amount)).normalize(), score,
        None if active is None else bool(active), str(born)[:10], moment, None if photo is None else bytes(photo),
    )  # fmt: skip


@pytest.fixture
def sides(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    made = []
    for place, name in zip(("source", "target"), request.param, strict=True):
        if name == "sqlite":
            url = f"sqlite:///{tmp_path}/{place}.db"
        elif request.param[0] == request.param[1]:
            url = request.getfixturevalue(f"two_{name}")[place == "target"]
        else:
            url = request.getfixturevalue(f"{name}_url")
        made.append(Side(url))
    yield made[0], made[1]
    for side in made:
        side.engine.dispose()


@pytest.fixture
def two_postgresql(postgresql_url: str) -> tuple[str, str]:
    """One server, two schemas by search path."""
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA other"))
    engine.dispose()
    return postgresql_url, f"{postgresql_url}?options=-csearch_path%3Dother"


@pytest.fixture
def two_mariadb(mariadb_url: str) -> Iterator[tuple[str, str]]:
    """One server, two databases."""
    engine = sa.create_engine(mariadb_url)
    other = sa.make_url(mariadb_url)
    other = other.set(database=f"{other.database}_b")
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {other.database} CHARACTER SET utf8mb4"))
    yield mariadb_url, other.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP DATABASE {other.database}"))
    engine.dispose()


def sync(sides: tuple[Side, Side], tmp_path: Path, **more: object) -> SyncReport:
    given: dict[str, object] = {
        "source": sides[0].url, "table": "人员表", "key": ("region", "号码"), "cursor": "updated_at",
        "target": sides[1].url, "quarantine_file": tmp_path / "q.csv", "memory": "200MB", "work_folder": tmp_path,
        **more,
    }  # fmt: skip
    return sync_table(SyncRequest(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize("sides", PAIRS, indirect=True)
def test_every_pair_of_databases_finds_and_proves_every_change(sides: tuple[Side, Side], tmp_path: Path) -> None:
    source, target = sides
    source.run(DEFINITIONS[source.name])
    source.fill(rows(400))
    report = sync(sides, tmp_path)
    assert (report.rows, report.inserted, report.quarantined, report.created) == (400, 400, 0, True), report
    assert target.content() == source.content()
    source.run('UPDATE "人员表" SET "select" = :text WHERE region = 3', {"text": "改\t了\\"})
    changed = sum(row["region"] == 3 for row in rows(400))
    source.run('DELETE FROM "人员表" WHERE region = 5')
    gone = sum(row["region"] == 5 for row in rows(400))
    late = {**rows(1)[0], "号码": "迟到", "updated_at": datetime(2020, 1, 1)}
    new = {**rows(1)[0], "号码": "新到", "updated_at": datetime(2030, 1, 1)}
    source.fill([late, new])
    report = sync(sides, tmp_path)
    assert (report.inserted, report.updated, report.deleted, report.late) == (2, changed, gone, 1)
    assert report.proof is not None
    assert report.proof.equal
    assert target.content() == source.content()
    again = sync(sides, tmp_path)
    assert (again.inserted, again.updated, again.deleted, again.lot) == (0, 0, 0, 3)
    request = SyncRequest(source.url, "人员表", ("region", "号码"), target.url, work_folder=tmp_path)
    assert verify_table(request).equal


@pytest.mark.parametrize("sides", [PAIRS[0]], indirect=True)
def test_value_that_does_not_fit_a_strict_target_is_quarantined(sides: tuple[Side, Side], tmp_path: Path) -> None:
    source, target = sides
    source.run(DEFINITIONS["sqlite"])
    source.fill(rows(20))
    opened = sqlite3.connect(str(source.engine.url.database))
    opened.execute("UPDATE \"人员表\" SET born = '去年' WHERE rowid = 1")
    opened.execute('UPDATE "人员表" SET amount = 12345678901.5 WHERE rowid = 2')
    opened.execute('UPDATE "人员表" SET "号码" = \'n\' || char(0) WHERE rowid = 3')
    opened.execute("UPDATE \"人员表\" SET photo = 'text' WHERE rowid = 4")
    opened.commit()
    opened.close()
    report = sync(sides, tmp_path)
    assert report.quarantine_reasons["unfit"] >= 2
    assert len(target.content()) == 20 - report.quarantined


@pytest.mark.mariadb
def test_target_whose_collation_ignores_case_is_refused_and_left_alone(mariadb_url: str, tmp_path: Path) -> None:
    target = Side(mariadb_url)
    target.run("CREATE TABLE t (k varchar(10) COLLATE utf8mb4_general_ci PRIMARY KEY)")
    source = sqlite3.connect(tmp_path / "source.db")
    source.execute("CREATE TABLE t (k TEXT)")
    source.execute("INSERT INTO t VALUES ('a'), ('A'), ('b')")
    source.commit()
    request = SyncRequest(str(tmp_path / "source.db"), "t", ("k",), mariadb_url, work_folder=tmp_path)
    with pytest.raises(ApplyError) as refused:
        sync_table(request)
    assert "大小写" in refused.value.advice_chinese
    with target.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM t")).scalar() == 0
    target.engine.dispose()


@pytest.mark.postgresql
def test_types_that_only_postgresql_has_cross_between_two_of_it(
    two_postgresql: tuple[str, str], tmp_path: Path
) -> None:
    source = Side(two_postgresql[0])
    source.run("CREATE SCHEMA hr")
    source.run(
        "CREATE TABLE hr.odd (id uuid PRIMARY KEY, tags text[], facts jsonb, span interval, at timestamptz, "
        "big numeric, net inet, twice int GENERATED ALWAYS AS (1 + 1) STORED, small real)"
    )
    source.run(
        "INSERT INTO hr.odd (id, tags, facts, span, at, big, net, small) "
        "SELECT gen_random_uuid(), ARRAY['a', 'b\\c', NULL], "
        "'{\"k\": [1, null]}', '1 day 2 hours', '2024-05-01 12:00+08', 1e30 + 0.10, '10.0.0.1', 0.1 "
        "FROM generate_series(1, 50)"
    )
    request = SyncRequest(
        two_postgresql[0], "hr.odd", ("id",), two_postgresql[1], work_folder=tmp_path, target_table="odd"
    )
    assert sync_table(request).inserted == 50
    source.run("UPDATE hr.odd SET tags = '{}' WHERE id IN (SELECT id FROM hr.odd LIMIT 3)")
    report = sync_table(request)
    assert (report.updated, report.proof and report.proof.equal) == (3, True)
    with source.engine.connect() as connection:
        query = "SELECT count(*) FROM hr.odd a JOIN other.odd b ON a::text = b::text"
        assert connection.execute(sa.text(query)).scalar() == 50
    source.engine.dispose()


@pytest.mark.postgresql
def test_lock_of_a_running_sync_is_seen_and_ends_with_its_connection(postgresql_url: str, tmp_path: Path) -> None:
    source = sqlite3.connect(tmp_path / "source.db")
    source.execute("CREATE TABLE t (k TEXT)")
    source.commit()
    request = SyncRequest(str(tmp_path / "source.db"), "t", ("k",), postgresql_url, work_folder=tmp_path)
    name = f"huodang sync {sa.make_url(postgresql_url).database} t"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    holder = sa.create_engine(postgresql_url)
    with holder.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:number)"), {"number": number})
        with pytest.raises(BusyError):
            sync_table(request)
    holder.dispose()
    assert sync_table(request).lot == 1
