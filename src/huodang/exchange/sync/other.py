"""Every other database that SQLAlchemy has a dialect for: row by row, slower, by the same rules.

Oracle, SQL Server, Dameng, Kingbase and openGauss pass here when their drivers are installed. None of them could be
tried where this was written; the seam itself is tested by sending SQLite through it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from huodang.exchange.sync.addresses import Address
from huodang.exchange.sync.canonical import Pair, escape_text
from huodang.exchange.sync.columns import Column, Engine, Kind
from huodang.exchange.sync.side import OPERATION, Changes, Load, NewColumn, Side, TableName, Write, split_name

_PAGE: Final = 2000


class OtherSide(Side):
    """One connection of a database that only SQLAlchemy knows."""

    engine = Engine.OTHER

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._engine = sa.create_engine(address.url)
        self._connection = self._engine.connect()

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def quote(self, name: str) -> str:
        return str(self._engine.dialect.identifier_preparer.quote(name))

    def find(self, name: str) -> TableName | None:
        inspector = sa.inspect(self._connection)
        found = None
        if inspector.has_table(name):
            found = TableName(name)
        elif (parts := split_name(name)) and inspector.has_table(parts[1], schema=parts[0]):
            found = TableName(parts[1], parts[0])
        self._connection.rollback()
        return found

    def new_table(self, name: str) -> TableName:
        parts = split_name(name)
        return TableName(parts[1], parts[0]) if parts else TableName(name)

    def columns(self, table: TableName) -> tuple[Column, ...]:
        described = sa.inspect(self._connection).get_columns(table.name, schema=table.schema)
        self._connection.rollback()
        return tuple(
            Column(
                name=str(one["name"]),
                type=str(one["type"]),
                kind=_kind(one["type"]),
                nullable=bool(one.get("nullable", True)),
                length=getattr(one["type"], "length", None) if isinstance(one["type"], sa.String) else None,
                precision=one["type"].precision if isinstance(one["type"], sa.Numeric) else None,
                scale=one["type"].scale if isinstance(one["type"], sa.Numeric) else None,
                generated=bool(one.get("computed")),
            )
            for one in described
        )

    def _table(self, table: TableName) -> sa.Table:
        return sa.Table(table.name, sa.MetaData(), schema=table.schema, autoload_with=self._connection)

    def begin_reading(self) -> None:
        """The first statement opens a transaction; how firm its snapshot is depends on the product."""

    def spool(self, table: TableName, columns: Sequence[Column], write: Write) -> None:
        known = self._table(table)
        query = sa.select(*(known.c[column.name] for column in columns))
        with self._connection.execution_options(yield_per=_PAGE).execute(query) as result:
            for page in result.partitions(_PAGE):
                write("".join("\t".join(map(_field, row)) + "\n" for row in page).encode())

    def estimate(self, table: TableName) -> int | None:  # noqa: ARG002  (no product-independent way to guess)
        return None

    def lock(self, name: str) -> bool:  # noqa: ARG002  (no product-independent lock; the docs say so)
        return True

    def begin(self) -> None:
        self._connection.rollback()

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        pieces = statement.split("?") if parameters else [statement]
        text = pieces[0] + "".join(f":p{number}{piece}" for number, piece in enumerate(pieces[1:]))
        named = {f"p{number}": value for number, value in enumerate(parameters)}
        result = self._connection.execute(sa.text(text), named)
        return [tuple(row) for row in result] if result.returns_rows else []

    def create(self, table: TableName, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        made = sa.Table(
            table.name,
            sa.MetaData(),
            *(sa.Column(one.name, _TYPES[one.kind](), primary_key=one.name in key, nullable=one.nullable,
                        autoincrement=False) for one in columns),
            schema=table.schema,
        )  # fmt: skip
        made.create(self._connection)

    def finish(self, table: TableName, key: Sequence[str]) -> None:
        """The primary key stands already."""

    def load(self, table: TableName, load: Load, done: Callable[[int], None], *, commit_parts: bool) -> None:
        known = self._table(table)
        for batch in load.batches():
            self._connection.execute(sa.insert(known), [dict(zip(load.names, row, strict=True)) for row in batch])
            if commit_parts:
                self._connection.commit()
            done(len(batch))

    def apply(self, table: TableName, key: Sequence[Pair], changes: Changes, done: Callable[[int], None]) -> None:
        known = self._table(table)
        keys = [pair.target.name for pair in key]
        match = sa.and_(*(known.c[name] == sa.bindparam(f"key_{number}") for number, name in enumerate(keys)))
        for batch in changes.gone.batches():
            rows = [{f"key_{number}": value for number, value in enumerate(row)} for row in batch]
            self._connection.execute(sa.delete(known).where(match), rows)
            done(len(rows))
        for rows in _named(changes.changed):
            updated = [{**row, **{f"key_{n}": row[name] for n, name in enumerate(keys)}}
                       for row in rows if row[OPERATION] == "U"]  # fmt: skip
            inserted = [row for row in rows if row[OPERATION] == "I"]
            others = [name for name in changes.changed.names if name not in {OPERATION, *keys}]
            if updated and others:
                values: dict[str, Any] = {name: sa.bindparam(f"new_{number}") for number, name in enumerate(others)}
                given = [{**{f"key_{n}": row[f"key_{n}"] for n in range(len(keys))},
                          **{f"new_{n}": row[name] for n, name in enumerate(others)}} for row in updated]  # fmt: skip
                self._connection.execute(sa.update(known).where(match).values(values), given)
            if inserted:
                for row in inserted:
                    del row[OPERATION]
                self._connection.execute(sa.insert(known), inserted)
            done(len(rows))


def _named(load: Load) -> Iterator[list[dict[str, object]]]:
    for batch in load.batches():
        yield [dict(zip(load.names, row, strict=True)) for row in batch]


_TYPES: Final[dict[Kind, type[sa.types.TypeEngine[Any]]]] = {
    Kind.INTEGER: sa.BigInteger,
    Kind.DECIMAL: sa.Numeric,
    Kind.SINGLE: sa.Float,
    Kind.DOUBLE: sa.Double,
    Kind.BOOLEAN: sa.Boolean,
    Kind.DATE: sa.Date,
    Kind.TIME: sa.Text,
    Kind.TIMESTAMP: sa.DateTime,
    Kind.INSTANT: sa.DateTime,
    Kind.BYTES: sa.LargeBinary,
    Kind.TEXT: sa.Text,
    Kind.NATIVE: sa.Text,
    Kind.DYNAMIC: sa.Text,
}


def _kind(declared: object) -> Kind:
    pairs: tuple[tuple[type, Kind], ...] = (
        (sa.Boolean, Kind.BOOLEAN),
        (sa.Integer, Kind.INTEGER),
        (sa.Double, Kind.DOUBLE),
        (sa.Float, Kind.DOUBLE),
        (sa.Numeric, Kind.DECIMAL),
        (sa.DateTime, Kind.TIMESTAMP),
        (sa.Date, Kind.DATE),
        (sa.Time, Kind.TIME),
        (sa.LargeBinary, Kind.BYTES),
        (sa.String, Kind.TEXT),
    )
    return next((kind for type_, kind in pairs if isinstance(declared, type_)), Kind.NATIVE)


def _field(value: object) -> str:
    match value:
        case None:
            return "\\N"
        case bool():
            return "1" if value else "0"
        case Decimal():
            return format(value, "f")
        case float():
            return repr(value)
        case bytes() | memoryview():
            return "\\B" + bytes(value).hex()
        case datetime():
            plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return plain.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case _:
            return escape_text(str(value))
