"""The migrations make the tables that the rooms' records describe, and take them away again."""

import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import huodang
from huodang.store import Database, metadata

REVISIONS = [
    "0001_store",
    "0002_ledger",
    "0003_exchange",
    "0004_archive",
    "0005_retirement",
    "0006_web",
    "0007_catalogue",
    "0008_lots",
    "0009_events",
    "0010_calls",
    "0011_matching",
    "0012_files",
    "0013_cascade",
    "0014_sharing",
    "0015_clues",
    "0016_timeline",
    "0017_watch",
    "0018_exchange_more",
    "0019_web_idempotency",
]


def register_the_tables_of_every_room() -> list[str]:
    found = []
    for room in pkgutil.iter_modules(huodang.__path__):
        name = f"huodang.{room.name}.records"
        if room.ispkg and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
            found.append(room.name)
    return found


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_migrated_tables_are_those_of_the_records(any_database: Database) -> None:
    assert "store" in register_the_tables_of_every_room()
    with any_database.begin() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "render_as_batch": True}
        )
        assert compare_metadata(context, metadata) == []
    assert tables(any_database) == set(metadata.tables)


def test_every_constraint_has_the_name_that_the_records_give_it(any_database: Database) -> None:
    """Alembic compares neither checks nor primary keys: their names are held side by side here."""
    register_the_tables_of_every_room()
    found = inspect(any_database.engine)
    for name, table in metadata.tables.items():
        expected = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
        assert {c["name"] for c in found.get_check_constraints(name)} == expected, name
        assert found.get_pk_constraint(name)["name"] == str(table.primary_key.name), name
        nullable = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert nullable == {column.name: bool(column.nullable) for column in table.columns}, name


def test_migrations_go_down_and_up_again(any_database: Database) -> None:
    before = tables(any_database)
    any_database.downgrade()
    assert tables(any_database) == set()
    assert any_database.version() is None
    any_database.migrate()
    assert tables(any_database) == before
    assert any_database.version() == REVISIONS[-1]


def test_each_migration_can_be_taken_back_alone(any_database: Database) -> None:
    for revision in [*reversed(REVISIONS[:-1]), "base"]:
        any_database.downgrade(revision)
    any_database.migrate()
    assert any_database.version() == REVISIONS[-1]


def test_migrating_twice_changes_nothing(any_database: Database) -> None:
    before = tables(any_database)
    any_database.migrate()
    assert tables(any_database) == before


def test_a_migration_that_fails_leaves_the_tables_as_they_were(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_database.downgrade()
    with any_database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE job (in_the_way INTEGER)"))
    with pytest.raises(Exception, match="job"):
        any_database.migrate()
    assert tables(any_database) == {"job"}
    assert any_database.version() is None


def test_several_processes_may_migrate_the_same_new_database_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    program = "import sys; from huodang.store import Database; Database.open(sys.argv[1]).migrate()"
    running = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    database = Database.open(url)
    assert database.version() == REVISIONS[-1]
    database.close()


def test_migrating_imports_no_room_above_the_store() -> None:
    program = """
import sys, tempfile, pathlib
from huodang.store import Database
with tempfile.TemporaryDirectory() as folder:
    database = Database.open(f"sqlite:///{folder}/x.db")
    database.migrate()
    database.close()
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("huodang.")}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["standards", "store"]
