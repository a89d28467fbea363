"""Many rows into a table at the driver's own speed: the statement is written once, values go to it as they are."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, LargeBinary, Table

Turn = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows of values in the order of the columns; give how many.

    The same as `connection.execute(insert(table), rows)`, at a third of its cost: no statement is built, and only
    columns whose type needs it (an instant, a month) are converted. Defaults of the table don't apply.
    """
    if not rows:
        return 0
    statement, turns = _prepared(table, columns, connection.dialect)
    if turns:
        rows = list(_turned(rows, turns))
    connection.exec_driver_sql(statement, rows if len(rows) > 1 else rows[0])
    return len(rows)


@lru_cache(maxsize=256)
def _prepared(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[tuple[int, Turn], ...]]:
    """Write the statement, and find the columns whose values the driver doesn't take as they are."""
    names = dialect.identifier_preparer
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    statement = (
        f"INSERT INTO {names.format_table(table)} ({', '.join(names.format_column(table.c[one]) for one in columns)}) "  # noqa: S608  (names of our own tables only)
        f"VALUES ({', '.join([mark] * len(columns))})"
    )
    turns = [(place, _turn(table, one, dialect)) for place, one in enumerate(columns)]
    return statement, tuple((place, turn) for place, turn in turns if turn is not None)


def _turn(table: Table, column: str, dialect: Dialect) -> Turn | None:
    kind = table.c[column].type
    if isinstance(kind, LargeBinary):
        return None  # both drivers take bytes as they are
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _turned(rows: Iterable[tuple[Any, ...]], turns: tuple[tuple[int, Turn], ...]) -> Iterable[tuple[Any, ...]]:
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
