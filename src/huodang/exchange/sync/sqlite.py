"""SQLite: pages of rows through the driver; a page without a character to escape is joined and written as it is."""

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

from huodang.exchange.sync.addresses import Address
from huodang.exchange.sync.canonical import ESCAPES, Pair
from huodang.exchange.sync.columns import Column, Engine, Kind, column_of
from huodang.exchange.sync.errors import ConnectError
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

_PAGE: Final = 4000
_COMMIT: Final = 250_000
_BUSY: Final = 30.0
# Bytes that no UTF-8 text holds mark NULL and hexadecimal digits until the page is escaped.
_NULL, _HEX = b"\xff", b"\xfe"
_REAL_ESCAPES: Final = tuple((real.encode(), escape.encode()) for real, escape in ESCAPES)
_TEXTUAL: Final = frozenset({Kind.TEXT, Kind.NATIVE, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT})
_ORDER: Final = {
    Kind.INTEGER: ("integer", "text", "real", "blob"),
    Kind.BOOLEAN: ("integer", "text", "real", "blob"),
    Kind.SINGLE: ("real", "integer", "text", "blob"),
    Kind.DOUBLE: ("real", "integer", "text", "blob"),
}
_LETTERS: Final = {"integer": "i", "real": "r", "text": "t", "blob": "b"}


class SqliteSide(Side):
    """One SQLite file, in write-ahead mode or not."""

    engine = Engine.SQLITE

    def __init__(self, address: Address, *, reading: bool, dynamic: bool) -> None:
        super().__init__(address)
        self.dynamic = dynamic
        mode = "ro" if reading else "rwc"
        path = address.path.absolute()
        quoted = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        self._connection = sqlite3.connect(
            f"file:{quoted}?mode={mode}", uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        self._connection.create_function("huodang_exact", 1, repr, deterministic=True)
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._lock: IO[str] | None = None

    def close(self) -> None:
        self._connection.close()
        if self._lock is not None:
            Path(self._lock.name).unlink(missing_ok=True)
            self._lock.close()

    def find(self, name: str) -> TableName | None:
        found = self._find(name)
        if found is None and (parts := split_name(name)):
            found = self._find(parts[1]) if parts[0] in {"main", ""} else None
        return found

    def _find(self, name: str) -> TableName | None:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE"
        row = self._connection.execute(query, (name,)).fetchone()
        return TableName(row[0]) if row else None

    def new_table(self, name: str) -> TableName:
        parts = split_name(name)
        return TableName(parts[1] if parts else name)

    def columns(self, table: TableName) -> tuple[Column, ...]:
        rows = self._connection.execute(f"PRAGMA table_xinfo({self.quote(table.name)})").fetchall()
        return tuple(
            column_of(Engine.SQLITE, row[1], row[2] or "", nullable=not row[3], generated=row[6] in {2, 3})
            for row in rows
            if row[6] != 1
        )

    def begin_reading(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def spool(self, table: TableName, columns: Sequence[Column], write: Write) -> None:
        fields = ", ".join(self._field(column) for column in columns)
        cursor = self._connection.cursor()
        self._connection.text_factory = bytes
        try:
            cursor.execute(f"SELECT {fields} FROM {self.full(table)}")
            while rows := cursor.fetchmany(_PAGE):
                write(_lines(rows))
        finally:
            self._connection.text_factory = str

    def _field(self, column: Column) -> str:
        name = self.quote(column.name)
        if not self.dynamic and column.kind in _TEXTUAL:
            # Nearly all values are text: they are taken as they stand, and `_lines` minds the rest.
            return f"coalesce({name}, x'{_NULL.hex()}')"
        texts = {
            "integer": f"CAST({name} AS TEXT)",
            "real": f"huodang_exact({name})",
            "text": name,
            "blob": f"hex({name})",
        }
        if self.dynamic:
            texts = {found: f"'{letter}' || {texts[found]}" for found, letter in _LETTERS.items()}
        else:
            texts["blob"] = f"CAST(x'{_HEX.hex()}' AS TEXT) || {texts['blob']}"
            if column.kind is Kind.BYTES:
                texts["text"] = f"CAST(x'{_HEX.hex()}' AS TEXT) || hex({name})"
        order = _ORDER.get(column.kind, ("text", "integer", "real", "blob"))
        cases = " ".join(f"WHEN '{found}' THEN {texts[found]}" for found in order)
        return f"CASE typeof({name}) {cases} ELSE x'{_NULL.hex()}' END"

    def estimate(self, table: TableName) -> int | None:
        try:
            row = self._connection.execute(f"SELECT max(rowid) FROM {self.full(table)}").fetchone()
        except sqlite3.OperationalError:  # a view, or a table without row ids
            return None
        return int(row[0]) if row and isinstance(row[0], int) and row[0] > 0 else None

    def lock(self, name: str) -> bool:
        path = self.address.path.absolute()
        beside = path.with_name(f"{path.name}.{hashlib.sha256(name.encode()).hexdigest()[:12]}.lock")
        try:
            file = beside.open("a")
        except OSError as problem:
            raise ConnectError(
                f"目标文件所在文件夹不可写：{path.parent}",
                f"the folder of the target file can't be written: {path.parent}",
                advice_chinese="请换一个可写的文件夹，或请管理员放开写权限；目标表没有改动。",
                advice_english="Use a folder that can be written, or ask for the permission; the target is unchanged.",
            ) from problem
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        # Its last holder may have removed the file after we opened it: then the lock is on nothing.
        if not beside.exists() or beside.stat().st_ino != os.fstat(file.fileno()).st_ino:
            file.close()
            return self.lock(name)
        self._lock = file
        return True

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        return self._connection.execute(statement, tuple(parameters)).fetchall()

    def create(self, table: TableName, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        self.execute(f"CREATE TABLE {self.full(table)} ({self.definition(columns, key, with_key=True)})")

    def finish(self, table: TableName, key: Sequence[str]) -> None:
        """The primary key stands already: SQLite can't add one later."""

    def load(self, table: TableName, load: Load, done: Callable[[int], None], *, commit_parts: bool) -> None:
        marks = ", ".join("?" * len(load.names))
        statement = f"INSERT INTO {self.full(table)} ({self.listed(load.names)}) VALUES ({marks})"
        waiting = 0
        if commit_parts:
            self.begin()
        for batch in load.batches():
            self._connection.executemany(statement, batch)
            done(len(batch))
            waiting += len(batch)
            if commit_parts and waiting >= _COMMIT:
                self.commit()
                self.begin()
                waiting = 0
        if commit_parts:
            self.commit()

    def apply(self, table: TableName, key: Sequence[Pair], changes: Changes, done: Callable[[int], None]) -> None:
        full = self.full(table)
        keys = [pair.target.name for pair in key]
        names = [name for name in changes.changed.names if name != OPERATION]
        if changes.gone.rows:
            self._temporary(table, GONE, keys, "")
            self.load(TableName(GONE, "temp"), changes.gone, done, commit_parts=False)
            listed = self.listed(keys)
            self.execute(f"DELETE FROM {full} WHERE ({listed}) IN (SELECT {listed} FROM temp.{GONE})")
        if changes.changed.rows:
            self._temporary(table, CHANGED, names, f"'' AS {OPERATION}, ")
            self.load(TableName(CHANGED, "temp"), changes.changed, done, commit_parts=False)
            match = " AND ".join(
                f"{full}.{self.quote(name)} = c.{self.quote(name)} "
                f"AND CAST({full}.{self.quote(name)} AS BLOB) = CAST(c.{self.quote(name)} AS BLOB)"
                for name in keys
            )
            if others := [name for name in names if name not in keys]:
                values = ", ".join(f"{self.quote(name)} = c.{self.quote(name)}" for name in others)
                self.execute(
                    f"UPDATE {full} SET {values} FROM temp.{CHANGED} AS c WHERE c.{OPERATION} = 'U' AND {match}"
                )
            self.execute(
                f"INSERT INTO {full} ({self.listed(names)}) "
                f"SELECT {self.listed(names)} FROM temp.{CHANGED} WHERE {OPERATION} = 'I'"
            )

    def _temporary(self, table: TableName, name: str, columns: Sequence[str], lead: str) -> None:
        self.execute(f"DROP TABLE IF EXISTS temp.{name}")
        self.execute(f"CREATE TEMP TABLE {name} AS SELECT {lead}{self.listed(columns)} FROM {self.full(table)} LIMIT 0")


def _lines(rows: list[tuple[bytes, ...]]) -> bytes:
    try:
        page = b"\n".join(map(b"\t".join, rows)) + b"\n"
    except TypeError:  # numbers in a column of text
        return _lines([tuple(map(_spelled, row)) for row in rows])
    width = len(rows[0])
    is_plain = (
        b"\\" not in page
        and b"\r" not in page
        and page.count(b"\n") == len(rows)
        and page.count(b"\t") == len(rows) * (width - 1)
        and b"\b" not in page
        and b"\f" not in page
        and b"\v" not in page
    )
    if not is_plain:
        page = b"".join(b"\t".join(map(_escaped, row)) + b"\n" for row in rows)
    page = page.replace(_NULL, b"\\N").replace(_HEX, b"\\B")
    try:
        page.decode()
    except UnicodeDecodeError:
        return b"".join(b"\t".join(map(_checked, row)) + b"\n" for row in rows)
    return page


def _spelled(value: bytes | float) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


def _escaped(field: bytes) -> bytes:
    for real, escape in _REAL_ESCAPES:
        field = field.replace(real, escape)
    return field


def _checked(field: bytes) -> bytes:
    if field == _NULL:
        return b"\\N"
    if field.startswith(_HEX):
        return b"\\B" + field[1:]
    try:
        field.decode()
    except UnicodeDecodeError:
        return b"\\B" + field.hex().encode()
    return _escaped(field)
