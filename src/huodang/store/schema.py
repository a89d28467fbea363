"""Which tables a database has, and how they are brought to another revision."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from huodang.store.errors import DatabaseInconsistentError, DatabaseNotMigratedError, DatabaseTooNewError

_LOCK = 0x48756F64  # "Huod": one process alters the tables at a time


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # Named by package, so that it is found in an installed wheel as in the source tree.
    config.set_main_option("script_location", "huodang.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _revisions() -> tuple[str, ...]:
    """Every revision that this release knows, newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current(connection: Connection) -> str | None:
    """Tell the revision of the tables, or None when there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def require_current(connection: Connection) -> None:
    """Check that the tables are those of this release.

    Raises:
        DatabaseTooNewError: they were made by a newer release.
        DatabaseNotMigratedError: they are older, or not there.
    """
    revision = current(connection)
    head = _revisions()[0]
    if revision == head:
        return
    if revision is not None and revision not in _revisions():
        raise _too_new(revision, head)
    raise DatabaseNotMigratedError(
        f"数据库表结构版本为 {revision or '空'}，本程序需要 {head}",
        f"The tables are at revision {revision or 'none'}; this release needs {head}",
        advice_chinese="请先备份，再用本版本的程序升级数据库（Database.migrate；服务启动时自动执行）。",
        advice_english="Back up, then migrate with this release (Database.migrate; a service does so when it starts).",
    )


def upgrade(connection: Connection) -> None:
    """Bring the tables up to what this release needs.

    Raises:
        DatabaseTooNewError: the tables were made by a newer release.
        DatabaseInconsistentError: rows would be left that point at nothing.
    """
    with _altering(connection):
        present = current(connection)
        if present is not None and present not in _revisions():
            raise _too_new(present, _revisions()[0])
        command.upgrade(_config(connection), "head")


def downgrade(connection: Connection, revision: str) -> None:
    """Take the tables back to an earlier revision, or to `base`: none at all."""
    with _altering(connection):
        command.downgrade(_config(connection), revision)


@contextmanager
def _altering(connection: Connection) -> Iterator[None]:
    """Alter the tables in one transaction, all of it or nothing, one process at a time."""
    sqlite = connection.dialect.name == "sqlite"
    # SQLite alters a table by copying and dropping it, which would delete the rows that point at it. The switch works
    # only outside a transaction, so it goes to the driver; what it lets through is checked before the commit.
    if sqlite:
        _switch_foreign_keys(connection, on=False)
    try:
        with connection.begin():
            if not sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield
            if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise DatabaseInconsistentError(
                    "升级后有数据行指向不存在的记录，已整体回滚",
                    "The migration would leave rows that point at nothing; it was rolled back whole",
                    advice_chinese="请保留数据库文件并联系维护人员。",
                    advice_english="Keep the database file and ask the maintainers.",
                )
    finally:
        if sqlite:
            _switch_foreign_keys(connection, on=True)


def _switch_foreign_keys(connection: Connection, *, on: bool) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
    cursor.close()


def _too_new(revision: str, head: str) -> DatabaseTooNewError:
    return DatabaseTooNewError(
        f"数据库表结构版本为 {revision}，比本程序（{head}）新",
        f"The tables are at revision {revision}, which is newer than this release ({head})",
        advice_chinese="请使用升级该数据库的新版本程序，或从备份恢复旧库。",
        advice_english="Run the newer release that made them, or restore the older database from the backup.",
    )
