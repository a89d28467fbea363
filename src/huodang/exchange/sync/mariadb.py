"""MariaDB and MySQL: the server joins each row to one line of bytes; rows go in by LOAD DATA where it is allowed."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import SSCursor

from huodang.exchange.sync.addresses import Address
from huodang.exchange.sync.canonical import ESCAPES, Pair, literal
from huodang.exchange.sync.columns import Column, Engine, Kind, column_of
from huodang.exchange.sync.side import (
    CHANGED,
    GONE,
    OPERATION,
    PART,
    Changes,
    Load,
    NewColumn,
    Side,
    TableName,
    Write,
    parts,
    split_name,
)

_PAGE: Final = 4000
_INSERT_PAGE: Final = 1000
_NOT_ALLOWED: Final = frozenset({1148, 3948, 4166, 3950})
_DEFAULT_PORT: Final = 3306


class MariadbSide(Side):
    """One MariaDB connection.

    Statements that make or rename tables commit by themselves there, so a first load is announced before it is named.
    """

    engine = Engine.MARIADB
    takes_files = True
    has_transactional_ddl = False
    lock_patience = 10

    def __init__(self, address: Address, *, timeout: int = 10) -> None:
        super().__init__(address)
        url = address.url
        self._connection = pymysql.connect(
            host=url.host or "127.0.0.1",
            port=url.port or _DEFAULT_PORT,
            user=url.username or "",
            password=url.password or "",
            database=url.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=timeout,
            local_infile=True,
            client_flag=CLIENT.FOUND_ROWS,
            unix_socket=str(url.query["unix_socket"]) if "unix_socket" in url.query else None,
        )
        self._is_mariadb = "mariadb" in str(self.execute("SELECT version()")[0][0]).lower()
        self.execute("SET time_zone = '+00:00'")
        self.execute("SET sql_mode = 'STRICT_ALL_TABLES'")

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    def quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def find(self, name: str) -> TableName | None:
        found = self._find(self.address.url.database or "", name)
        if found is None and (pair := split_name(name)):
            found = self._find(*pair)
        return found

    def _find(self, schema: str, name: str) -> TableName | None:
        rows = self.execute(
            "SELECT table_name, table_schema FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
            (schema, name),
        )
        return TableName(str(rows[0][0]), str(rows[0][1])) if rows else None

    def new_table(self, name: str) -> TableName:
        schema = self.address.url.database or ""
        if pair := split_name(name):
            known = self.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", (pair[0],))
            return TableName(pair[1], pair[0] if known else schema)
        return TableName(name, schema)

    def columns(self, table: TableName) -> tuple[Column, ...]:
        rows = self.execute(
            "SELECT column_name, column_type, is_nullable, extra FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
            (table.schema, table.name),
        )
        return tuple(
            column_of(
                Engine.MARIADB,
                str(name),
                declared.decode() if isinstance(declared, bytes) else str(declared),
                nullable=nullable == "YES",
                generated="GENERATED" in str(extra).upper(),
            )
            for name, declared, nullable, extra in rows
        )

    def begin_reading(self) -> None:
        self.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def spool(self, table: TableName, columns: Sequence[Column], write: Write) -> None:
        fields = ", ".join(self._field(column) for column in columns)
        with self._connection.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT CONCAT_WS(X'09', {fields}) FROM {self.full(table)}")
            while rows := cursor.fetchmany(_PAGE):
                write(b"\n".join([row[0] for row in rows]) + b"\n")

    def _field(self, column: Column) -> str:
        name = self.quote(column.name)
        match column.kind:
            case Kind.BYTES:
                text = f"CONCAT('{chr(92) * 2}B', HEX({name}))"
            case Kind.INTEGER if column.type.startswith("bit"):
                text = f"CAST({name} + 0 AS CHAR)"
            case Kind.SINGLE:
                # Single numbers are printed with six digits; as double numbers all of them are.
                text = f"CAST(CAST({name} AS DOUBLE) AS CHAR)"
            case Kind.TEXT | Kind.NATIVE:
                text = f"CAST(CONVERT({name} USING utf8mb4) AS BINARY)"
                for real, escape in ESCAPES:
                    text = f"REPLACE({text}, X'{real.encode().hex()}', X'{escape.encode().hex()}')"
            case _:
                text = f"CAST({name} AS CHAR)"
        return f"IFNULL(CAST({text} AS BINARY), X'5C4E')"

    def estimate(self, table: TableName) -> int | None:
        rows = self.execute(
            "SELECT table_rows FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
            (table.schema, table.name),
        )
        return int(str(rows[0][0])) if rows and rows[0][0] else None

    def lock(self, name: str) -> bool:
        held = "huodang." + hashlib.sha256(name.encode()).hexdigest()[:32]
        return self.execute("SELECT GET_LOCK(?, 0)", (held,))[0][0] == 1

    def begin(self) -> None:
        self.execute("START TRANSACTION")

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        if self._connection.open:
            self._connection.rollback()

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        if parameters:
            statement = statement.replace("%", "%%").replace("?", "%s")
        with self._connection.cursor() as cursor:
            cursor.execute(statement, tuple(parameters) or None)
            return list(cursor.fetchall()) if cursor.description else []

    def spelled(self, column: NewColumn) -> str:
        is_text = column.type.split("(")[0] in {"varchar", "longtext", "char", "text", "mediumtext", "tinytext"}
        return f"{column.type} {self._exact()}" if is_text else column.type

    def _exact(self) -> str:
        # The usual collations take 'a' for 'A' and 'a ' for 'a'; a copy must tell them apart.
        return f"CHARACTER SET utf8mb4 COLLATE {'utf8mb4_nopad_bin' if self._is_mariadb else 'utf8mb4_0900_bin'}"

    def create(self, table: TableName, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        body = self.definition(columns, key, with_key=True)
        self.execute(f"CREATE TABLE {self.full(table)} ({body}) ENGINE = InnoDB {self._exact()}")

    def finish(self, table: TableName, key: Sequence[str]) -> None:
        """The primary key stands already: adding it later would write the whole table again."""

    def rename(self, table: TableName, name: str) -> None:
        self.execute(f"RENAME TABLE {self.full(table)} TO {self.full(table.sibling(name))}")

    def load(self, table: TableName, load: Load, done: Callable[[int], None], *, commit_parts: bool) -> None:
        assert load.file is not None  # noqa: S101  (takes_files is true)
        part_file = load.file.with_suffix(".part")
        bits = self._bits(table)
        for part in parts(load.file, PART):
            part_file.write_bytes(part)
            if commit_parts:
                self.begin()
            self._load_part(table, load, part_file, bits)
            if commit_parts:
                self.commit()
            done(part.count(b"\n"))
        part_file.unlink(missing_ok=True)

    def _bits(self, table: TableName) -> frozenset[str]:
        """Name the columns that take a number as bits: a text given to them is taken for its bytes."""
        rows = self.execute(f"SHOW COLUMNS FROM {self.full(table)}")
        return frozenset(str(row[0]) for row in rows if str(row[1]).startswith("bit"))

    def _load_part(self, table: TableName, load: Load, file: Path, bits: frozenset[str]) -> None:
        columns, settings = [], []
        for number, (name, kind) in enumerate(zip(load.names, load.kinds, strict=True)):
            if kind is Kind.BYTES:
                columns.append(f"@bytes{number}")
                settings.append(f"{self.quote(name)} = UNHEX(@bytes{number})")
            elif name in bits:
                columns.append(f"@bits{number}")
                settings.append(f"{self.quote(name)} = CAST(@bits{number} AS UNSIGNED)")
            else:
                columns.append(self.quote(name))
        statement = (
            f"LOAD DATA LOCAL INFILE {literal(str(file).replace(chr(92), chr(92) * 2))} INTO TABLE {self.full(table)} "
            f"CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' "
            f"({', '.join(columns)})" + (f" SET {', '.join(settings)}" if settings else "")
        )
        try:
            self.execute(statement)
        except pymysql.MySQLError as problem:
            if not problem.args or problem.args[0] not in _NOT_ALLOWED:
                raise
            self._insert_part(table, load, file, bits)
            return
        # LOCAL makes warnings of errors: a row that was skipped or cut is told only here.
        if warnings := self.execute("SHOW WARNINGS"):
            code = int(str(warnings[0][1]))
            raise pymysql.err.DataError(code, "a row was not taken as it stands")

    def _insert_part(self, table: TableName, load: Load, file: Path, bits: frozenset[str]) -> None:
        """Insert rows one page a statement, where the server forbids LOAD DATA LOCAL."""
        values = ", ".join(
            "UNHEX(%s)" if kind is Kind.BYTES else "CAST(%s AS UNSIGNED)" if name in bits else "%s"
            for name, kind in zip(load.names, load.kinds, strict=True)
        )
        statement = f"INSERT INTO {self.full(table)} ({self.listed(load.names)}) VALUES ({values})"
        rows: list[list[str | None]] = []
        with file.open(encoding="utf-8", newline="\n") as lines, self._connection.cursor() as cursor:
            for line in lines:
                rows.append([_plain(field) for field in line.rstrip("\n").split("\t")])
                if len(rows) == _INSERT_PAGE:
                    cursor.executemany(statement, rows)
                    rows.clear()
            if rows:
                cursor.executemany(statement, rows)

    def apply(self, table: TableName, key: Sequence[Pair], changes: Changes, done: Callable[[int], None]) -> None:
        full = self.full(table)
        keys = [pair.target.name for pair in key]
        names = [name for name in changes.changed.names if name != OPERATION]
        match = " AND ".join(self._match(pair) for pair in key)
        gone, changed = table.sibling(GONE), table.sibling(CHANGED)
        if changes.gone.rows:
            self.execute(f"CREATE TEMPORARY TABLE {self.full(gone)} AS SELECT {self.listed(keys)} FROM {full} LIMIT 0")
            self.load(gone, changes.gone, done, commit_parts=False)
            self.execute(f"DELETE t FROM {full} t JOIN {self.full(gone)} c ON {match}")
            self.execute(f"DROP TEMPORARY TABLE {self.full(gone)}")
        if changes.changed.rows:
            self.execute(
                f"CREATE TEMPORARY TABLE {self.full(changed)} AS "
                f"SELECT 'U' AS {OPERATION}, {self.listed(names)} FROM {full} LIMIT 0"
            )
            self.load(changed, changes.changed, done, commit_parts=False)
            if others := [name for name in names if name not in keys]:
                values = ", ".join(f"t.{self.quote(name)} = c.{self.quote(name)}" for name in others)
                self.execute(
                    f"UPDATE {full} t JOIN {self.full(changed)} c ON {match} SET {values} WHERE c.{OPERATION} = 'U'"
                )
            self.execute(
                f"INSERT INTO {full} ({self.listed(names)}) "
                f"SELECT {self.listed(names)} FROM {self.full(changed)} WHERE {OPERATION} = 'I'"
            )
            self.execute(f"DROP TEMPORARY TABLE {self.full(changed)}")

    def _match(self, pair: Pair) -> str:
        name = self.quote(pair.target.name)
        exact = f" AND BINARY t.{name} = BINARY c.{name}" if pair.kind in {Kind.TEXT, Kind.NATIVE} else ""
        return f"t.{name} = c.{name}{exact}"


_REAL: Final = {escape[1]: real for real, escape in ESCAPES}


def _plain(field: str) -> str | None:
    if field == "\\N":
        return None
    if "\\" not in field:
        return field
    found, at = [], 0
    while at < len(field):
        if field[at] == "\\" and at + 1 < len(field):
            found.append(_REAL.get(field[at + 1], field[at + 1]))
            at += 2
        else:
            found.append(field[at])
            at += 1
    return "".join(found)
