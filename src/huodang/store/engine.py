"""How connections are made: SQLite that keeps what it acknowledged, PostgreSQL by psycopg 3."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from huodang.store.errors import DatabaseUrlError

ACCESS = "huodang_access"
"""Execution option of a connection: `read`, `write` or `schema`."""

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def read_url(text: str) -> URL:
    """Read a database URL and name the driver that the product uses for it.

    Raises:
        DatabaseUrlError: it is no URL, names another kind of database, or SQLite in memory.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it isn't repeated.
        raise _bad_url("数据库地址无法识别", "This is no database URL") from None
    if url.drivername not in _DRIVERS:
        raise _bad_url(f"不支持的数据库类型 {url.drivername}", f"A database of kind {url.drivername} is not supported")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.drivername == "sqlite" and url.database in {None, "", ":memory:"}:
        raise _bad_url(
            "SQLite 数据库必须是文件：内存库不能由多个线程和进程共用",
            "A SQLite database must be a file: one in memory can't be shared by threads and processes",
        )
    return url


def make_engine(url: URL, *, pool_size: int, busy_seconds: int, to_json: Callable[[Any], str]) -> Engine:
    """Make the engine for a URL that `read_url` has read."""
    common: dict[str, Any] = {
        "json_serializer": to_json,
        "pool_size": pool_size,
        "max_overflow": pool_size,
        # Statements' values are personal data: they never reach an error text or a log.
        "hide_parameters": True,
    }
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": busy_seconds}, **common)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, connect_args={"connect_timeout": 10}, pool_pre_ping=True, **common)
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(raw: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by its own lights, and only for some statements: we do it ourselves.
    raw.isolation_level = None
    try:
        _use_wal(raw)
        raw.execute("PRAGMA synchronous=FULL")  # an acknowledged commit survives power loss
        raw.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        raw.close()
        raise


def _use_wal(raw: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging; SQLite doesn't wait by itself when several processes do so at once."""
    for _ in range(100):
        try:
            if raw.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal":
                return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        time.sleep(0.05)
    raise sqlite3.OperationalError("write-ahead logging cannot be switched on")


def _begin_sqlite(connection: Connection) -> None:
    access = connection.get_execution_options().get(ACCESS)
    if access == "read":
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        # Take the writer's place at once: a transaction that begins as a reader can't always become one.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(ACCESS) == "read":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _bad_url(chinese: str, english: str) -> DatabaseUrlError:
    return DatabaseUrlError(
        chinese,
        english,
        advice_chinese="请写成 sqlite:///文件路径 或 postgresql://用户@主机:端口/库名。",
        advice_english="Write sqlite:///path/to/file.db or postgresql://user@host:port/name.",
    )
