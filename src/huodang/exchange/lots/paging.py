"""A department's table read in pages along a unique key: what was read before the source went away isn't read again.

All pages are of one snapshot, as a single statement would be. When the source goes away, what follows the last key is
read from a new one: rows before it are as they were then, rows after it as they are now, and the lot says so.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.lots.errors import LotError
from huodang.standards import Place

PAGE_ROWS: Final = 10_000
FETCHED_AT_ONCE: Final = 2_000
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before the source is tried again; begun anew whenever it has brought rows."""
_ORDERED: Final = (sa.Integer, sa.Numeric, sa.String, sa.Date)
_UNORDERED: Final = (sa.Float, sa.Enum)
_ISOLATION: Final = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ"}


class PagingError(LotError):
    """The pages brought another number of rows than the table holds: its key isn't what it says."""

    code = "exchange.lot_paging"


class Reading(NamedTuple):
    """How a table is read.

    Attributes:
        statement: the columns and conditions, with the key as its last column.
        key: the column along which pages are cut.
    """

    statement: sa.Select[Any]
    key: sa.ColumnClause[Any]


def page_key(source: DatabaseSource, table: str, preferred: Sequence[str]) -> str | None:
    """Name a column along which a table can be read in pages: unique by a constraint, and of a kind that has an order.

    Args:
        source: the database.
        table: with its schema, if it has one.
        preferred: columns to be taken first, if they serve.

    Returns:
        None if there is none, or it may be absent somewhere: then the table is read in one statement.

    Raises:
        SourceError: the source can't be read.
    """
    schema, _, name = table.rpartition(".")
    with source.reading() as connection:
        inspector = sa.inspect(connection)
        try:
            described = {one["name"]: one for one in inspector.get_columns(name, schema=schema or None)}
            keys = [inspector.get_pk_constraint(name, schema=schema or None)["constrained_columns"]]
            keys += [one["column_names"] for one in inspector.get_unique_constraints(name, schema=schema or None)]
        except NoSuchTableError:
            return None
        single = [key[0] for key in keys if len(key) == 1 and key[0] in described]
        usable = [one for one in single if source.kind == "sqlite" or _has_order(described[one]["type"])]
        for column in sorted(usable, key=lambda one: one not in preferred):
            if not described[column]["nullable"] or not _absent_somewhere(connection, source, table, column):
                return column
    return None


def in_pages(
    source: DatabaseSource, reading: Reading, place: Place, pause: Callable[[float], None], resumed: Callable[[], None]
) -> Iterator[Sequence[sa.Row[Any]]]:
    """Read a table in pages; gives portions of rows, the key as their last column.

    Args:
        source: the database.
        reading: what is read, and along which column.
        place: the table, for errors.
        pause: waits; may raise to end the reading.
        resumed: called whenever the source had gone away and reading goes on in a new snapshot.

    Raises:
        SourceError: the source went away and stayed away.
        PagingError: the pages don't bring what the table holds.
    """
    last: list[object] = []
    tried, whole = 0, True
    while True:
        try:
            for portion in _snapshot(source, reading, last, place, counted=whole):
                tried = 0
                last[:] = [portion[-1][-1]]
                yield portion
        except SourceError:
            if tried == len(PAUSES):
                raise
            pause(PAUSES[tried])
            tried += 1
            if last and whole:
                whole = False
                resumed()
        else:
            return


def _snapshot(
    source: DatabaseSource, reading: Reading, after: Sequence[object], place: Place, *, counted: bool
) -> Iterator[Sequence[sa.Row[Any]]]:
    """Read what follows a key, page by page in one snapshot; see at the end that nothing was missed."""
    rows = 0
    isolation = _ISOLATION.get(source.kind)
    # The size stands in the statement: a database that plans for any size may sort the whole table for each page.
    ordered = reading.statement.order_by(reading.key).limit(sa.literal_column(str(PAGE_ROWS)))
    last = list(after)
    with source.reading() as connection:
        if isolation is not None:
            connection.execution_options(isolation_level=isolation)
        while True:
            statement = ordered.where(reading.key > last[0]) if last else ordered
            before = rows
            # A page is small enough to be fetched whole: no cursor stays open at the source while rows are worked on.
            for portion in connection.execute(statement).partitions(FETCHED_AT_ONCE):
                rows += len(portion)
                last = [portion[-1][-1]]
                yield portion
            if rows - before < PAGE_ROWS:
                break
        held = rows
        if counted:
            held = connection.execute(sa.select(sa.func.count()).select_from(reading.statement.subquery())).scalar_one()
    if held != rows:
        raise PagingError(
            f"按列 {reading.key.name} 分页读到 {rows} 行，表中有 {held} 行",
            f"pages along {reading.key.name} brought {rows} rows, the table holds {held}",
            advice_chinese="该列的唯一约束或排序不可靠；请在前置机文件中写 in_pages: false，改为一条语句读完。",
            advice_english="The column isn't unique or has no order: write `in_pages: false` to read in one statement.",
            place=place,
        )


def _has_order(kind: sa.types.TypeEngine[Any]) -> bool:
    return isinstance(kind, _ORDERED) and not isinstance(kind, _UNORDERED)


def _absent_somewhere(connection: sa.Connection, source: DatabaseSource, table: str, column: str) -> bool:
    named = source.table(table)
    statement = sa.select(sa.literal(1)).select_from(named).where(named.c[column].is_(None)).limit(1)
    return connection.execute(statement).first() is not None
