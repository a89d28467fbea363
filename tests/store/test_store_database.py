"""A transaction is whole, a read is a snapshot, and many threads write without losing anything."""

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from huodang.standards import Money, Month
from huodang.store import (
    Database,
    DatabaseNotMigratedError,
    DatabaseTooNewError,
    DatabaseUnreachableError,
    DatabaseUrlError,
    Instant,
    MoneyType,
    MonthType,
    NestedTransactionError,
    RowNumber,
    serialise,
)

scratch = MetaData()
note = Table(
    "note",
    scratch,
    Column("id", RowNumber, primary_key=True),
    Column("at", Instant),
    Column("month", MonthType),
    Column("money", MoneyType),
)


@pytest.fixture
def notes(any_database: Database) -> Database:
    with any_database.begin() as connection:
        scratch.create_all(connection)
    return any_database


def number_of_notes(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(note)).scalar_one()


def test_values_of_the_field_come_back_as_they_went_in(notes: Database) -> None:
    at = datetime.fromisoformat("2025-03-03T08:30:00.000001+08:00")
    with notes.begin() as connection:
        connection.execute(insert(note).values(at=at, month=Month(2025, 3), money=Money(-12345678901)))
    with notes.read() as connection:
        row = connection.execute(select(note)).one()
    assert (row.at, row.month, row.money) == (at, Month(2025, 3), Money(-12345678901))
    assert row.at.tzinfo is UTC


def test_nothing_comes_back_as_nothing(notes: Database) -> None:
    with notes.begin() as connection:
        connection.execute(insert(note).values(at=None, month=None, money=None))
    with notes.read() as connection:
        assert connection.execute(select(note.c.at, note.c.month, note.c.money)).one() == (None, None, None)


def test_an_instant_without_a_time_zone_is_refused(notes: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), notes.begin() as connection:
        connection.execute(insert(note).values(at=datetime(2025, 3, 3)))  # noqa: DTZ001  # the naive one to refuse


def test_instants_sort_by_time_whatever_their_offset(notes: Database) -> None:
    early, late = "2025-03-03T08:00:00+08:00", "2025-03-03T00:30:00+00:00"
    with notes.begin() as connection:
        for text_ in (late, early):
            connection.execute(insert(note).values(at=datetime.fromisoformat(text_)))
    with notes.read() as connection:
        found = connection.execute(select(note.c.at).order_by(note.c.at)).scalars().all()
        after = connection.execute(
            select(func.count()).select_from(note).where(note.c.at > datetime.fromisoformat(early))
        ).scalar_one()
    assert found == [datetime.fromisoformat(early), datetime.fromisoformat(late)]
    assert after == 1


def test_months_sort_by_time(notes: Database) -> None:
    months = [Month(2024, 12), Month(2025, 1), Month(2025, 10)]
    with notes.begin() as connection:
        connection.execute(insert(note), [{"month": month} for month in reversed(months)])
    with notes.read() as connection:
        assert connection.execute(select(note.c.month).order_by(note.c.month)).scalars().all() == months


def test_a_transaction_that_fails_leaves_nothing(notes: Database) -> None:
    def fail() -> None:
        with notes.begin() as connection:
            connection.execute(insert(note).values(money=Money(1)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert number_of_notes(notes) == 0


def test_tables_made_in_a_transaction_that_fails_are_gone(any_database: Database) -> None:
    def fail() -> None:
        with any_database.begin() as connection:
            scratch.create_all(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with any_database.begin() as connection:
        scratch.create_all(connection, checkfirst=False)


def test_a_read_refuses_to_write(notes: Database) -> None:
    with pytest.raises(DBAPIError), notes.read() as connection:
        connection.execute(insert(note).values(money=Money(1)))
    with notes.begin() as connection:
        connection.execute(insert(note).values(money=Money(1)))
    assert number_of_notes(notes) == 1


def test_a_read_sees_one_moment_while_others_write(notes: Database) -> None:
    count = select(func.count()).select_from(note)
    with notes.read() as reader:
        assert reader.execute(count).scalar_one() == 0
        with notes.begin() as writer:
            writer.execute(insert(note).values(money=Money(1)))
        assert reader.execute(count).scalar_one() == 0
    assert number_of_notes(notes) == 1


def test_a_transaction_within_a_transaction_is_refused_and_the_outer_stays_usable(notes: Database) -> None:
    with notes.begin() as connection:
        with pytest.raises(NestedTransactionError), notes.begin():
            pass
        connection.execute(insert(note).values(money=Money(1)))
    assert number_of_notes(notes) == 1


def test_threads_that_read_and_write_lose_no_update(notes: Database) -> None:
    with notes.begin() as connection:
        connection.execute(insert(note).values(id=1, money=Money(0)))

    def add() -> None:
        for _ in range(10):
            with notes.begin() as connection:
                serialise(connection, "note:1")
                old = connection.execute(select(note.c.money).where(note.c.id == 1)).scalar_one()
                connection.execute(note.update().where(note.c.id == 1).values(money=old + Money(1)))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with notes.read() as connection:
        assert connection.execute(select(note.c.money)).scalar_one() == Money(80)


def test_two_processes_write_to_one_sqlite_file_and_lose_nothing(database: Database, tmp_path: Path) -> None:
    with database.begin() as connection:
        scratch.create_all(connection)
    program = """
import sys
from sqlalchemy import text
from huodang.store import Database
database = Database.open(sys.argv[1])
for _ in range(30):
    with database.begin() as connection:
        connection.execute(text("INSERT INTO note (money) VALUES ((SELECT count(*) FROM note))"))
"""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    running = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    with database.read() as connection:
        found = connection.execute(text("SELECT money FROM note ORDER BY money")).scalars().all()
    assert found == list(range(60))


def test_foreign_keys_hold_on_every_connection(any_database: Database) -> None:
    with any_database.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (parent INTEGER REFERENCES parent (id))"))
    with pytest.raises(IntegrityError), any_database.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (7)"))


def test_an_acknowledged_commit_on_sqlite_is_on_the_disk(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_values_never_stand_in_an_error(notes: Database) -> None:
    twice = [{"id": 1, "month": Month(2031, 7)}] * 2
    with pytest.raises(IntegrityError) as caught, notes.begin() as connection:
        connection.execute(insert(note), twice)
    assert "203107" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://root@localhost/x", "oracle://a:secret@b/c", "sqlite://", "sqlite:///:memory:", "sqlite:///"],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        Database.open(url)
    assert "secret" not in str(caught.value)
    assert "sqlite:///" in caught.value.sentence("zh")


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    absent = Database.open("postgresql://someone:secret@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnreachableError) as caught, absent.read():
        pass
    assert "127.0.0.1:1" in caught.value.sentence("en")
    assert "secret" not in caught.value.sentence("en")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, this is not a database at all. " * 100)
    broken = Database.open(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnreachableError) as caught, broken.read():
        pass
    assert "letter.db" in caught.value.sentence("zh")
    broken.close()


def test_an_empty_database_asks_to_be_migrated(tmp_path: Path) -> None:
    empty = Database.open(f"sqlite:///{tmp_path / 'new' / 'empty.db'}")
    with pytest.raises(DatabaseNotMigratedError), empty.begin():
        pass
    empty.migrate()
    with empty.read():
        pass
    empty.close()


def test_a_database_of_a_newer_release_is_left_alone(new_sqlite: Callable[[str], str]) -> None:
    url = new_sqlite("newer.db")
    older = Database.open(url)
    with older.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999_later'"))
    older.close()
    newer = Database.open(url)
    for use in (newer.begin, newer.read):
        with pytest.raises(DatabaseTooNewError), use():
            pass
    with pytest.raises(DatabaseTooNewError):
        newer.migrate()
    assert newer.version() == "0999_later"
    newer.close()
