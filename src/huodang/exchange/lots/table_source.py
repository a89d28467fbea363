"""One table of a department's database, read whole: in pages along a unique key if it has one, else in one statement.

Either way it is one snapshot and memory is bounded. Without a unique key nothing is asked of the order of keys, which
differs from collation to collation, and a key that stands twice is seen.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from huodang.exchange.gateway.config import GatewayFile, config_error
from huodang.exchange.gateway.conversion import plain
from huodang.exchange.gateway.database_source import DatabaseSource, typed
from huodang.exchange.gateway.formats import ISO_INSTANT, FormatFault, MomentFormat
from huodang.exchange.gateway.mapping import moment_format
from huodang.exchange.lots.config import CursorSpec, TableSpec
from huodang.exchange.lots.errors import SchemaDriftError
from huodang.exchange.lots.paging import FETCHED_AT_ONCE, Reading, in_pages, page_key
from huodang.exchange.quality import RowPlan, SourceRow, compile_plan
from huodang.standards import BadValue, Place
from huodang.store import SHANGHAI

_SHOWN: Final = 20


@dataclass(frozen=True)
class Cursor:
    """How the column is read that tells when a row was last written."""

    column: str
    format: MomentFormat | None
    overlap: timedelta

    def read(self, raw: object) -> datetime | Decimal | None:
        """Read a cell; None if it says nothing."""
        if isinstance(raw, datetime):
            return (raw if raw.tzinfo else raw.replace(tzinfo=SHANGHAI)).astimezone(UTC)
        if isinstance(raw, date):
            return datetime(raw.year, raw.month, raw.day, tzinfo=SHANGHAI).astimezone(UTC)
        try:
            text = plain(raw)
        except (BadValue, ValueError):
            return None
        if text is None:
            return None
        try:
            if self.format is None and isinstance(raw, int | float | Decimal):
                return Decimal(text)
            return (self.format or ISO_INSTANT).instant(text)
        except (FormatFault, InvalidOperation):
            return None

    def is_late(self, value: datetime | Decimal, watermark: datetime | Decimal) -> bool:
        """Say whether a changed row had been due with an earlier lot."""
        if isinstance(value, datetime) and isinstance(watermark, datetime):
            return value < watermark - self.overlap
        return isinstance(value, Decimal) and isinstance(watermark, Decimal) and value < watermark


@dataclass(frozen=True)
class DeliveredTable:
    """One entry of `tables.deliver`, understood."""

    spec: TableSpec
    plan: RowPlan
    cursor: Cursor | None
    only: Mapping[str, tuple[str, ...]]

    @property
    def resource(self) -> str:
        """Give the resource's name."""
        return self.plan.resource

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns that are read."""
        cursor = (self.cursor.column,) if self.cursor is not None else ()
        return tuple(dict.fromkeys((*self.plan.columns, *cursor)))


def compile_table(spec: TableSpec, file: GatewayFile) -> DeliveredTable:
    """Understand one entry of `tables.deliver`.

    Raises:
        GatewayConfigError: an element, format, crosswalk or rule doesn't fit.
    """
    place = Place(file=str(file.path), element=spec.resource)
    if not spec.resource.startswith(f"{file.spec.department}."):
        raise config_error("资源名应以部门代码开头", "a resource's name starts with the department", place)
    key = (spec.key,) if isinstance(spec.key, str) else spec.key
    plan = compile_plan(
        spec.resource, key, spec.elements, beside=file, place=place, required=spec.required, rules=spec.rules
    )
    only = {column: (value,) if isinstance(value, str) else value for column, value in spec.only.items()}
    return DeliveredTable(spec, plan, _cursor(spec.cursor, place), only)


def _cursor(spec: CursorSpec | None, place: Place) -> Cursor | None:
    if spec is None:
        return None
    pattern = moment_format(spec.format, place) if spec.format else None
    return Cursor(spec.column, pattern, timedelta(minutes=spec.overlap_minutes))


def describe(source: DatabaseSource, table: str) -> dict[str, str]:
    """Give the columns of a table and their kinds, as they are at this moment; empty if there is no such table.

    Raises:
        SourceError: the source can't be read.
    """
    schema, _, name = table.rpartition(".")
    with source.reading() as connection:
        try:
            described = sa.inspect(connection).get_columns(name, schema=schema or None)
        except NoSuchTableError:
            return {}
        return {one["name"]: _kind(one["type"], connection.dialect) for one in described}


def check_schema(table: DeliveredTable, now: Mapping[str, str], before: str, *, allowed: bool) -> list[str]:
    """Hold a table's columns against what the mapping needs and what they were with the last lot.

    Args:
        table: what is delivered.
        now: columns and kinds at this moment.
        before: those of the last lot as JSON; empty if there was none.
        allowed: the steward has looked at changed kinds.

    Returns:
        Warnings: columns that were added.

    Raises:
        SchemaDriftError: a column that is needed is gone, or is of another kind than before.
    """
    name = table.spec.table
    known: dict[str, str] = json.loads(before) if before else {}
    added = [column for column in now if column not in known] if known else []
    if not now:
        raise _drift(table, None, f"来源中没有表 {name}", f"the source has no table {name}")
    for column in (*table.columns, *table.only):
        if column not in now:
            new = f"；新出现的列：{'、'.join(added[:_SHOWN])}" if added else ""
            new_english = f"; new columns: {', '.join(added[:_SHOWN])}" if added else ""
            raise _drift(
                table,
                column,
                f"表 {name} 中已没有列 {column}（可能被删除或改名）{new}",
                f"the table {name} has no column {column} any more: dropped or renamed{new_english}",
            )
        if not allowed and column in known and known[column] != now[column]:
            raise _drift(
                table,
                column,
                f"表 {name} 的列 {column} 类型由 {known[column]} 变为 {now[column]}",
                f"the column {column} of {name} was {known[column]} and is now {now[column]}",
            )
    return [f"column_added:{column}" for column in added[:_SHOWN]]


def stream(
    table: DeliveredTable, source: DatabaseSource, pause: Callable[[float], None], resumed: Callable[[], None]
) -> Iterator[list[tuple[SourceRow, object]]]:
    """Read a table; gives portions of rows with the cell of the cursor.

    Args:
        table: what is delivered.
        source: the department's database.
        pause: waits until a source that went away is tried again; may raise to end the reading.
        resumed: called when a source that went away goes on after the last key.

    Raises:
        SourceError: the source can't be read; or went away, and stayed away or has no key to go on after.
        PagingError: the table's key isn't what it says.
    """
    columns = table.columns
    name = table.spec.table
    kinds = source.table(name)
    key = page_key(source, name, tuple(table.plan.columns)) if table.spec.in_pages else None
    # The key is read beside the columns, also where it is one of them.
    wanted = [kinds.c[column] for column in (*columns, *((key,) if key is not None else ()))]
    statement = sa.select(*wanted)
    for column, values in table.only.items():
        statement = statement.where(kinds.c[column].in_([typed(value, kinds.c[column].type) for value in values]))
    if key is None:
        portions = _in_one(source, statement)
    else:
        portions = in_pages(source, Reading(statement, kinds.c[key]), Place(name), pause, resumed)
    cursor_at = columns.index(table.cursor.column) if table.cursor is not None else None
    line = 0
    for records in portions:
        portion: list[tuple[SourceRow, object]] = []
        for record in records:
            line += 1
            row = SourceRow(Place(name, line), dict(zip(columns, record, strict=False)))
            portion.append((row, None if cursor_at is None else record[cursor_at]))
        yield portion


def _in_one(source: DatabaseSource, statement: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    with source.reading() as connection:
        options: dict[str, Any] = {"stream_results": True, "yield_per": FETCHED_AT_ONCE}
        yield from connection.execution_options(**options).execute(statement).partitions()


def watermark_text(value: datetime | Decimal | None) -> str:
    """Write a watermark for the database."""
    if value is None:
        return ""
    return f"t{value.isoformat()}" if isinstance(value, datetime) else f"n{value}"


def watermark_of(text: str) -> datetime | Decimal | None:
    """Read what `watermark_text` wrote."""
    if not text:
        return None
    return datetime.fromisoformat(text[1:]) if text.startswith("t") else Decimal(text[1:])


def later(one: datetime | Decimal | None, other: datetime | Decimal | None) -> datetime | Decimal | None:
    """Give the later of two cursors; one that isn't comparable with what was there before takes its place."""
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, datetime) and isinstance(other, datetime):
        return max(one, other)
    return max(one, other) if isinstance(one, Decimal) and isinstance(other, Decimal) else other


def _kind(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    try:
        return kind.compile(dialect=dialect)
    except sa.exc.CompileError:
        return type(kind).__name__


def _drift(table: DeliveredTable, column: str | None, chinese: str, english: str) -> SchemaDriftError:
    element = table.plan.columns.get(column or "", table.resource)
    return SchemaDriftError(
        chinese,
        english,
        advice_chinese="未交付任何内容。请更正前置机的对照；类型变化无误的，用 huodang steward lots allow 放行。",
        advice_english="Nothing was delivered. Correct the mapping, or pass it with `huodang steward lots allow`.",
        place=Place(column=column, element=element),
    )
