"""Many rows into a table at the driver's own speed: the statement is written once, values go to it as they are."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, LargeBinary, Table
from sqlalchemy.engine import default

Turn = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows of values in the order of the columns; give how many.

    The same as `connection.execute(insert(table), rows)`, at a third of its cost: no statement is built, and only
    columns whose type needs it (an instant, a month) are converted. Defaults of the table don't apply.
    """
    if not rows:
        return 0
    dialect = connection.dialect
    turns = [(place, turn) for place, one in enumerate(columns) if (turn := _turn(table, one, dialect)) is not None]
    if turns:
        rows = list(_turned(rows, turns))
    statement = _statement(table, columns, "?" if dialect.paramstyle == "qmark" else "%s")
    connection.exec_driver_sql(statement, rows if len(rows) > 1 else rows[0])
    return len(rows)


_NAMES = default.DefaultDialect().identifier_preparer


@lru_cache(maxsize=256)
def _statement(table: Table, columns: tuple[str, ...], mark: str) -> str:
    named = ", ".join(_NAMES.format_column(table.c[one]) for one in columns)
    marks = ", ".join([mark] * len(columns))
    return f"INSERT INTO {_NAMES.format_table(table)} ({named}) VALUES ({marks})"  # noqa: S608  (names of our tables only)


def _turn(table: Table, column: str, dialect: Dialect) -> Turn | None:
    kind = table.c[column].type
    if isinstance(kind, LargeBinary):
        return None  # both drivers take bytes as they are
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _turned(rows: Iterable[tuple[Any, ...]], turns: Sequence[tuple[int, Turn]]) -> Iterable[tuple[Any, ...]]:
    # Rows of one batch mostly share their instants: what was converted for the last row is looked at first.
    before: dict[int, tuple[object, object]] = {}
    for row in rows:
        values = list(row)
        for place, turn in turns:
            value = values[place]
            known = before.get(place)
            if known is None or known[0] is not value:
                known = before[place] = (value, turn(value))
            values[place] = known[1]
        yield tuple(values)
