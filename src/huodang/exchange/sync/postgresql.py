"""PostgreSQL: everything moves by COPY, so that no row is touched by Python."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import psycopg
from psycopg import pq

from huodang.exchange.sync.addresses import Address
from huodang.exchange.sync.canonical import Pair
from huodang.exchange.sync.columns import Column, Engine, column_of
from huodang.exchange.sync.side import (
    CHANGED,
    GONE,
    OPERATION,
    Changes,
    Load,
    NewColumn,
    Side,
    TableName,
    Write,
    split_name,
)
from huodang.exchange.sync.side import parts as parts_of

_FIND: Final = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = %s"""
_COLUMNS: Final = """SELECT a.attname, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),
  CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END), NOT (a.attnotnull OR t.typnotnull),
  a.attgenerated <> '' FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_WRITE: Final = 1 << 18
_BLOCK: Final = 1 << 20


class PostgresqlSide(Side):
    """One PostgreSQL connection. Openness to other products of its protocol isn't tested."""

    engine = Engine.POSTGRESQL
    takes_files = True
    lock_patience = 3

    def __init__(self, address: Address, *, timeout: int = 10) -> None:
        super().__init__(address)
        url = address.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=timeout, client_encoding="UTF8")
        for setting in ("TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'", "IntervalStyle = 'postgres'",
                        "extra_float_digits = 1", "bytea_output = 'hex'", "lc_monetary = 'C'"):  # fmt: skip
            self._connection.execute(f"SET {setting}")

    def close(self) -> None:
        self._connection.close()

    def find(self, name: str) -> TableName | None:
        visible = self._connection.execute(_FIND + " AND pg_table_is_visible(c.oid)", (name,)).fetchone()
        if visible is None and (parts := split_name(name)):
            visible = self._connection.execute(_FIND + " AND n.nspname = %s", (parts[1], parts[0])).fetchone()
        return TableName(visible[1], visible[0]) if visible else None

    def new_table(self, name: str) -> TableName:
        if parts := split_name(name):
            found = self._connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (parts[0],)).fetchone()
            if found:
                return TableName(parts[1], parts[0])
            name = parts[1]
        schema = self._connection.execute("SELECT current_schema()").fetchone()
        return TableName(name, str(schema[0]) if schema and schema[0] else "public")

    def columns(self, table: TableName) -> tuple[Column, ...]:
        rows = self._connection.execute(_COLUMNS, (table.schema, table.name)).fetchall()
        return tuple(
            column_of(Engine.POSTGRESQL, name, declared, nullable=nullable, generated=generated)
            for name, declared, nullable, generated in rows
        )

    def begin_reading(self) -> None:
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def spool(self, table: TableName, columns: Sequence[Column], write: Write) -> None:
        names = self.listed([column.name for column in columns])
        query = f"COPY (SELECT {names} FROM {self.full(table)}) TO STDOUT"
        raw = self._connection.pgconn
        self._check(raw.exec_(query.encode()), pq.ExecStatus.COPY_OUT)
        # One buffer that grows is four times as fast as the driver's own generator of lines.
        page = bytearray()
        take = raw.get_copy_data
        while True:
            length, line = take(0)
            if length <= 0:
                break
            page += line
            if len(page) > _WRITE:
                write(page)
                page = bytearray()
        result = raw.get_result()
        if length == -2 or result is None:
            raise psycopg.OperationalError("the source stopped in the middle of the table")
        self._check(result, pq.ExecStatus.COMMAND_OK)
        raw.get_result()
        write(page)

    def _check(self, result: "pq.abc.PGresult", wanted: pq.ExecStatus) -> None:
        if result.status != wanted:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")

    def estimate(self, table: TableName) -> int | None:
        row = self._connection.execute(
            "SELECT reltuples::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s",
            (table.schema, table.name),
        ).fetchone()
        return int(row[0]) if row and row[0] > 0 else None

    def lock(self, name: str) -> bool:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s::bigint)", (number,)).fetchone()
        return bool(row and row[0])

    def begin(self) -> None:
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if not self._connection.closed and self._connection.info.transaction_status != pq.TransactionStatus.IDLE:
            self._connection.execute("ROLLBACK")

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        if parameters:
            statement = statement.replace("%", "%%").replace("?", "%s")
        cursor = self._connection.execute(statement.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def create(self, table: TableName, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        self.execute(f"CREATE TABLE {self.full(table)} ({self.definition(columns, key, with_key=False)})")

    def finish(self, table: TableName, key: Sequence[str]) -> None:
        self.execute(f"ALTER TABLE {self.full(table)} ADD PRIMARY KEY ({self.listed(key)})")

    def load(self, table: TableName, load: Load, done: Callable[[int], None], *, commit_parts: bool) -> None:
        assert load.file is not None  # noqa: S101  (takes_files is true)
        if commit_parts:
            for part in parts_of(load.file):
                self.copy_in(table, load.names, [part])
                done(part.count(b"\n"))
        else:
            self.copy_in(table, load.names, parts_of(load.file, _BLOCK), done)

    def copy_in(
        self,
        table: TableName,
        names: Sequence[str],
        blocks: Iterable[bytes],
        done: Callable[[int], None] | None = None,
    ) -> None:
        """Stream whole lines into a table."""
        statement = f"COPY {self.full(table)} ({self.listed(names)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for block in blocks:
                copy.write(block)
                if done is not None:
                    done(block.count(b"\n"))

    def apply(self, table: TableName, key: Sequence[Pair], changes: Changes, done: Callable[[int], None]) -> None:
        full = self.full(table)
        keys = [pair.target.name for pair in key]
        names = [name for name in changes.changed.names if name != OPERATION]
        match = " AND ".join(f"t.{self.quote(name)} = c.{self.quote(name)}" for name in keys)
        self.execute(f"LOCK TABLE {full} IN SHARE ROW EXCLUSIVE MODE")
        if changes.gone.rows:
            self.execute(f"CREATE TEMP TABLE {GONE} ON COMMIT DROP AS SELECT {self.listed(keys)} FROM {full} LIMIT 0")
            self.load(TableName(GONE), changes.gone, done, commit_parts=False)
            self.execute(f"ANALYZE {GONE}")
            self.execute(f"DELETE FROM {full} t USING {GONE} c WHERE {match}")
        if changes.changed.rows:
            self.execute(
                f"CREATE TEMP TABLE {CHANGED} ON COMMIT DROP AS "
                f"SELECT ''::text AS {OPERATION}, {self.listed(names)} FROM {full} LIMIT 0"
            )
            self.load(TableName(CHANGED), changes.changed, done, commit_parts=False)
            self.execute(f"ANALYZE {CHANGED}")
            if others := [name for name in names if name not in keys]:
                values = ", ".join(f"{self.quote(name)} = c.{self.quote(name)}" for name in others)
                self.execute(f"UPDATE {full} t SET {values} FROM {CHANGED} c WHERE c.{OPERATION} = 'U' AND {match}")
            self.execute(
                f"INSERT INTO {full} ({self.listed(names)}) OVERRIDING SYSTEM VALUE "
                f"SELECT {self.listed(names)} FROM {CHANGED} WHERE {OPERATION} = 'I'"
            )
