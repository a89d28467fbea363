"""Fixtures that every room's tests may use: databases, a clock, servers that may be absent."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from huodang.store import Database, FixedClock

POSTGRESQL = os.environ.get("HUODANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("HUODANG_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/test")

# A property is true or false however loaded the machine is; speed is measured in benchmarks/.
settings.register_profile("huodang", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("huodang")


def server_absent(name: str, error: Exception) -> None:
    """Skip for want of a server; where the servers are promised, their absence is a failure."""
    reason = f"no {name} server answers: {type(error).__name__}"
    if os.environ.get("HUODANG_SERVICES_REQUIRED") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def administrator(url: URL) -> Engine:
    """Connect as the one who makes and drops databases."""
    return create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})


@pytest.fixture
def clock() -> FixedClock:
    """A clock at nine o'clock in the morning, Beijing time, of a Monday."""
    return FixedClock(datetime(2025, 3, 3, 1, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def migrated_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once; a test gets a copy of it."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def new_sqlite(migrated_template: Path, tmp_path: Path) -> Callable[[str], str]:
    """Make a fresh migrated SQLite file of the given name and give its URL."""

    def make(name: str) -> str:
        path = tmp_path / name
        shutil.copyfile(migrated_template, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def database(new_sqlite: Callable[[str], str]) -> Iterator[Database]:
    """A fresh migrated database in a file of its own."""
    opened = Database.open(new_sqlite("test.db"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    """The name of a migrated PostgreSQL database, made once; a test gets a copy of it."""
    url = make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    admin = administrator(url)
    name = f"huodang_template_{uuid.uuid4().hex[:12]}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        server_absent("PostgreSQL", error)
    migrated = Database.open(url.set(database=name).render_as_string(hide_password=False))
    migrated.migrate()
    migrated.close()
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    admin.dispose()


@pytest.fixture
def postgresql_url(postgresql_template: str) -> Iterator[str]:
    """The URL of a fresh migrated PostgreSQL database, dropped afterwards."""
    url = make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    admin = administrator(url)
    name = f"huodang_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {postgresql_template}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[Database]:
    """A fresh migrated PostgreSQL database."""
    opened = Database.open(postgresql_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def any_database(request: pytest.FixtureRequest) -> Database:
    """For contracts that hold on both databases."""
    fixture = "database" if request.param == "sqlite" else "postgresql_database"
    chosen: Database = request.getfixturevalue(fixture)
    return chosen


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """The URL of a fresh MariaDB database, dropped afterwards; for sources of departments, not for our own tables."""
    url = make_url(MARIADB)
    admin = administrator(url)
    name = f"huodang_{uuid.uuid4().hex[:12]}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    except OperationalError as error:
        server_absent("MariaDB", error)
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    admin.dispose()
