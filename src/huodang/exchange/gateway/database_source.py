"""A department's database as a source: SQLite, MariaDB/MySQL or PostgreSQL.

Checks read through a session that the database itself holds read-only; actions write through another, in one
transaction.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError

from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.conversion import Row, plain
from huodang.exchange.gateway.sources import DISTINCT_LIMIT, Found, Selection, Wanted, forms_of

_PATIENCE: Final[dict[str, dict[str, Any]]] = {
    "sqlite": {"timeout": 10},
    "mysql": {"connect_timeout": 5, "read_timeout": 15, "write_timeout": 15},
    "postgresql": {"connect_timeout": 5, "options": "-c statement_timeout=15000"},
}
_READ_ONLY: Final = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
}
SUPPORTED: Final = frozenset(_READ_ONLY)
_POOL: Final = 8


class DatabaseSource:
    """One database, reached with the account that the department gives the gateway."""

    def __init__(self, url: sa.URL) -> None:
        self._kind = url.get_backend_name()
        self._url = url
        self._reading = self._engine(url, read_only=True)
        self._writing = self._engine(url, read_only=False)
        self._tables: dict[str, sa.TableClause] = {}

    def _engine(self, url: sa.URL, *, read_only: bool) -> sa.Engine:
        engine = sa.create_engine(
            url,
            connect_args=_PATIENCE[self._kind],
            pool_pre_ping=self._kind != "sqlite",
            pool_size=_POOL,
            hide_parameters=True,  # values are personal data: none in errors or logs
        )

        @sa.event.listens_for(engine, "connect")
        def greet(raw: Any, _record: object) -> None:  # noqa: ANN401  (each driver has its own kind of connection)
            if self._kind == "sqlite":
                raw.isolation_level = None  # transactions begin where we say, see `begin`
            if read_only:
                cursor = raw.cursor()
                cursor.execute(_READ_ONLY[self._kind])
                cursor.close()
                raw.commit()

        if self._kind == "sqlite":

            @sa.event.listens_for(engine, "begin")
            def begin(connection: sa.Connection) -> None:
                # A transaction that begins as a reader can't always become a writer: take the place at once.
                connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

        return engine

    @property
    def kind(self) -> str:
        """Give the kind of database: `sqlite`, `mysql` or `postgresql`."""
        return self._kind

    @property
    def url(self) -> sa.URL:
        """Give the address, with the password: never to be logged."""
        return self._url

    def columns(self, table: str) -> tuple[str, ...]:
        """List the columns of a table or view; empty if there is none of that name."""
        schema, name = _split(table)
        with self.reading() as connection:
            try:
                return tuple(column["name"] for column in sa.inspect(connection).get_columns(name, schema=schema))
            except NoSuchTableError:
                return ()

    def table(self, name: str) -> sa.TableClause:
        """Name a table with all its columns for statements; every name is quoted where it needs to be.

        Server databases convert by a column's type, so it is looked up there; SQLite decides value by value.
        """
        if name not in self._tables:
            schema, bare = _split(name)
            with self.reading() as connection:
                described = sa.inspect(connection).get_columns(bare, schema=schema)
            columns = [
                sa.column(one["name"]) if self._kind == "sqlite" else sa.column(one["name"], one["type"])
                for one in described
            ]
            self._tables[name] = sa.table(bare, *columns, schema=schema)
        return self._tables[name]

    def unique_columns(self, table: str) -> frozenset[str]:
        """List the columns of a table that are unique by themselves: primary key, unique constraint or unique index."""
        schema, name = _split(table)
        with self.reading() as connection:
            inspector = sa.inspect(connection)
            keys = [inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]]
            keys += [item["column_names"] for item in inspector.get_unique_constraints(name, schema=schema)]
            for item in inspector.get_indexes(name, schema=schema):
                if item["unique"]:
                    keys.append([column or "" for column in item["column_names"]])
        return frozenset(key[0] for key in keys if len(key) == 1)

    def lookup(self, selection: Selection) -> "DatabaseLookup":
        """Prepare the statement of one resource."""
        return DatabaseLookup(self, selection)

    def distinct(self, table: str, column: str) -> list[str]:
        """List the different values of a column, up to a bound."""
        source = self.table(table)
        statement = sa.select(source.c[column]).distinct().limit(DISTINCT_LIMIT)
        with self.reading() as connection:
            values = [plain(value) for value in connection.scalars(statement)]
        return sorted(value for value in values if value is not None)

    def reachable(self) -> bool:
        """Say whether the database answers at this moment."""
        try:
            with self._reading.connect() as connection:
                connection.execute(sa.select(sa.literal(1)))
        except SQLAlchemyError:
            return False
        return True

    def quarantine(self) -> tuple[str, ...]:
        """Name no rows: a database holds none that can't be told apart as rows."""
        return ()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection on which the database refuses to write."""
        with _telling(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open one write transaction: commits whole, or rolls back whole."""
        with _telling(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of connections."""
        self._reading.dispose()
        self._writing.dispose()


class DatabaseLookup:
    """The statement of one resource, built once."""

    def __init__(self, source: DatabaseSource, selection: Selection) -> None:
        self._source = source
        self._columns = tuple(dict.fromkeys((selection.subject, *selection.columns)))
        table = source.table(selection.table)
        statement = sa.select(*(table.c[name] for name in self._columns)).where(self._among(table.c[selection.subject]))
        for column, values in selection.only.items():
            statement = statement.where(table.c[column].in_([typed(value, table.c[column].type) for value in values]))
        if selection.order:
            order = table.c[selection.order]
            statement = statement.order_by(order.desc() if selection.descending else order)
        self._statement = statement

    def _among(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[bool]:
        """Compare with many numbers, handed over as one value where the database can read a list from one."""
        if self._source.kind == "sqlite":
            listed = sa.func.json_each(sa.bindparam("forms")).table_valued("value")
            return column.in_(sa.select(listed.c.value))
        if self._source.kind == "postgresql":
            return column == sa.any_(sa.bindparam("forms", type_=sa.ARRAY(column.type)))
        return column.in_(sa.bindparam("forms", expanding=True))

    def find(self, wanted: Sequence[Wanted]) -> list[Found]:
        """Find the rows of many persons with one statement, in their order."""
        persons = {one.identity.text: one.identity for one in wanted}
        holders: dict[str, str] = {}
        forms: list[str] = []
        # In the order of the index: the database then walks it instead of jumping about in it.
        for text in sorted(persons):
            for form in forms_of(persons[text]):
                forms.append(form)
                holders[form] = text
        rows: dict[str, list[Row]] = {}
        listed = json.dumps(forms) if self._source.kind == "sqlite" else forms
        columns = self._columns
        with self._source.reading() as connection:
            for record in connection.execute(self._statement, {"forms": listed}).all():
                number = record[0]
                # A column that pays no heed to case or blanks holds a number in forms that weren't asked for.
                holder = holders.get(number) if type(number) is str else None
                holder = holder or holders.get((plain(number) or "").upper())
                if holder is not None:
                    rows.setdefault(holder, []).append(dict(zip(columns, record, strict=True)))
        return [Found(tuple(rows.get(one.identity.text, ()))) for one in wanted]


def typed(text: str, kind: sa.types.TypeEngine[Any]) -> object:
    """Give a text the Python type that a column binds: whole number, decimal, date or instant; else the text itself.

    Raises:
        ValueError: the text isn't of the column's type.
    """
    try:
        wanted = kind.python_type
    except NotImplementedError:
        return text
    if wanted is Decimal:
        try:
            return Decimal(text)
        except InvalidOperation:
            raise ValueError(wanted) from None
    if wanted is int:
        return int(text)
    if wanted in (date, datetime):
        return wanted.fromisoformat(text)
    return text


def _split(table: str) -> tuple[str | None, str]:
    schema, _, name = table.rpartition(".")
    return schema or None, name


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except DBAPIError as problem:
        # Only the kind of problem: the driver's text may carry values of the row.
        kind = type(problem.orig).__name__
        raise SourceError(
            f"部门数据库暂时无法读写（{kind}）",
            f"the department's database can't be used at this moment ({kind})",
            advice_chinese="请检查数据库是否运行、账号是否可用，然后重试。",
            advice_english="See whether the database runs and the account may use it, then try again.",
        ) from problem
