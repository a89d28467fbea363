"""Reading what is there in a database: tables, columns, keys, comments, counts and a sample, in bounded time."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql import sqltypes

from huodang.exchange.connect.errors import ConnectError
from huodang.exchange.connect.facts import ColumnFacts, ColumnKind, SourceFacts, TableFacts
from huodang.exchange.connect.opening import OpenSource, is_gone, unreachable
from huodang.exchange.connect.said import Said

Progress = Callable[[str, int, int], None]
"""Told the table looked at, how many were done, and how many there are."""

SAMPLE_ROWS: Final = 2_000
_LONGEST_CELL: Final = 400
_COUNTED_UP_TO: Final = 500_000
_EXACT_BELOW: Final = 100_000
_BLOCKS: Final = 20
_SYSTEM: Final = ("sqlite_", "pg_", "sql_")


def read_database(
    source: OpenSource, *, tables: Sequence[str] = (), schema: str | None = None, progress: Progress
) -> SourceFacts:
    """Look at the tables and views of a database.

    Args:
        source: the open database.
        tables: only these; empty for all.
        schema: another schema than the account's own.
        progress: told at each table.

    Raises:
        ConnectError: it can't be reached or goes away, or a named table isn't there.
    """
    began = time.monotonic()
    found: list[TableFacts] = []
    remarks: list[Said] = []
    if not source.tested:
        remarks.append(
            Said(
                f"{source.kind} 经 SQLAlchemy 接入，本项目没有在真实的该类数据库上测试",
                f"{source.kind} is reached through SQLAlchemy and was never tested on a real database of the kind",
            )
        )
    try:
        with source.reading() as connection:
            skew = _clock_skew(source, connection)
            names = _names(connection, schema, tables)
            described = _described(connection, [name for name, _ in names], schema)
            for number, (name, is_view) in enumerate(names):
                progress(name, number, len(names))
                if time.monotonic() - began > source.limits.total_seconds:
                    found.append(_unread(name, is_view, schema, "已到总时限，未查看", "not looked at: out of time"))
                    continue
                found.append(_table(source, connection, name, schema, is_view=is_view, columns=described.get(name)))
            progress("", len(names), len(names))
    except (DBAPIError, UnicodeError) as problem:
        raise unreachable(problem) from None
    return SourceFacts(source.shown, source.kind, tuple(found), skew, tuple(remarks))


def _names(connection: sa.Connection, schema: str | None, wanted: Sequence[str]) -> list[tuple[str, bool]]:
    inspector = sa.inspect(connection)
    try:
        present = [(name, False) for name in sorted(inspector.get_table_names(schema=schema))]
        present += [(name, True) for name in sorted(inspector.get_view_names(schema=schema))]
    except SQLAlchemyError as problem:
        raise unreachable(problem) from None
    present = [one for one in present if not one[0].startswith(_SYSTEM)]
    if not wanted:
        return present
    folded = {name.lower(): (name, is_view) for name, is_view in present}
    missing = [name for name in wanted if name.lower() not in folded]
    if missing:
        there = "、".join(name for name, _ in present[:20]) or "（没有任何表）"
        raise ConnectError(
            f"没有表 {'、'.join(missing)}；现有：{there}",
            f"there is no table {', '.join(missing)}; there are: {there}",
            advice_chinese="请核对表名、模式（--schema）与账号权限。",
            advice_english="Check the name, the schema (--schema) and what the account may see.",
        )
    return [folded[name.lower()] for name in wanted]


def _described(connection: sa.Connection, names: list[str], schema: str | None) -> dict[str, list[dict[str, Any]]]:
    """Describe all columns at once where the database can: five hundred tables are one question then."""
    if connection.dialect.name == "sqlite":
        return {}
    try:
        multi = sa.inspect(connection).get_multi_columns(
            schema=schema, filter_names=names, kind=sa.engine.reflection.ObjectKind.ANY
        )
    except (SQLAlchemyError, UnicodeError) as problem:
        if is_gone(problem):
            raise
        connection.rollback()
        return {}
    return {name: [dict(one) for one in columns] for (_, name), columns in multi.items()}


def _table(  # one table after the other, each within its own bound
    source: OpenSource,
    connection: sa.Connection,
    name: str,
    schema: str | None,
    *,
    is_view: bool,
    columns: list[dict[str, Any]] | None,
) -> TableFacts:
    inspector = sa.inspect(connection)
    try:
        raw = columns if columns is not None else [dict(one) for one in inspector.get_columns(name, schema=schema)]
        facts = tuple(_column(one) for one in raw)
        primary, unique = _keys(inspector, name, schema, is_view=is_view)
        comment = _comment(inspector, name, schema)
    except (SQLAlchemyError, UnicodeError, TypeError) as problem:
        if is_gone(problem):
            raise
        connection.rollback()
        return _unread(name, is_view, schema, "结构读不到（视图失效或没有权限）", "its structure can't be read")
    if not facts:
        return _unread(name, is_view, schema, "没有列，或没有权限", "it has no columns, or they may not be seen")
    rows, exact = _count(source, connection, name, schema)
    sample, remark = _sample(source, connection, name, schema, facts, primary=primary, rows=rows)
    if sample is None:
        return TableFacts(_full(name, schema), facts, is_view, comment, rows, exact, primary, unique, problem=remark)
    whole = exact and rows is not None and rows <= len(sample)
    return TableFacts(
        _full(name, schema), facts, is_view, comment, rows, exact, primary, unique, sample, whole,
        remarks=(remark,) if remark else (),
    )  # fmt: skip


def _column(described: Mapping[str, Any]) -> ColumnFacts:
    kind_of = described["type"]
    if type(kind_of).__name__ == "DOMAIN":
        kind_of = kind_of.data_type
    kind = ColumnKind.OTHER
    for sqltype, one in (
        (sqltypes._Binary, ColumnKind.BINARY),  # noqa: SLF001  (the base of every dialect's binary types)
        (sqltypes.JSON, ColumnKind.OTHER),
        (sqltypes.ARRAY, ColumnKind.OTHER),
        (sqltypes.DateTime, ColumnKind.INSTANT),
        (sqltypes.Date, ColumnKind.DATE),
        (sqltypes.Boolean, ColumnKind.NUMBER),
        (sqltypes.Numeric, ColumnKind.NUMBER),
        (sqltypes.Float, ColumnKind.NUMBER),
        (sqltypes.Integer, ColumnKind.NUMBER),
        (sqltypes.String, ColumnKind.TEXT),
    ):
        if isinstance(kind_of, sqltype):
            kind = one
            break
    try:
        declared = str(kind_of)
    except Exception:  # noqa: BLE001  (a vendor's type may not print itself)
        declared = type(kind_of).__name__
    if isinstance(kind_of, sqltypes.NullType):
        kind = ColumnKind.TEXT if declared in ("", "NULL") else ColumnKind.OTHER
        declared = ""
    return ColumnFacts(
        name=described["name"],
        kind=kind,
        declared=declared,
        length=getattr(kind_of, "length", None),
        scale=getattr(kind_of, "scale", None),
        nullable=bool(described.get("nullable", True)),
        comment=(described.get("comment") or "").strip(),
    )


def _keys(
    inspector: sa.Inspector, name: str, schema: str | None, *, is_view: bool
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    if is_view:
        return (), ()
    primary = tuple(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or ())
    unique = [tuple(one["column_names"]) for one in inspector.get_unique_constraints(name, schema=schema)]
    for index in inspector.get_indexes(name, schema=schema):
        columns = index.get("column_names") or []
        if index.get("unique") and all(columns):
            unique.append(tuple(str(one) for one in columns))
    return primary, tuple(dict.fromkeys(one for one in ((primary, *unique)) if one))


def _comment(inspector: sa.Inspector, name: str, schema: str | None) -> str:
    try:
        return (inspector.get_table_comment(name, schema=schema).get("text") or "").strip()
    except (NotImplementedError, SQLAlchemyError):
        return ""


def _count(source: OpenSource, connection: sa.Connection, name: str, schema: str | None) -> tuple[int | None, bool]:
    """Count the rows; of a big table on a server the estimate of the database itself is taken."""
    estimate = None
    if source.kind == "postgresql":
        statement = sa.text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name) AND relkind = 'r'")
        estimate = source.scalar(connection, statement.bindparams(name=_quoted(connection, name, schema)))
    elif source.kind == "mysql":
        statement = sa.text(
            "SELECT table_rows FROM information_schema.tables WHERE table_name = :name "
            "AND table_schema = COALESCE(:place, DATABASE())"
        )
        estimate = source.scalar(connection, statement.bindparams(name=name, place=schema))
    if estimate is not None and int(estimate) > _EXACT_BELOW:
        return int(estimate), False
    inner: sa.Select[Any] = (
        sa.select(sa.literal_column("1")).select_from(sa.table(name, schema=schema)).limit(_COUNTED_UP_TO + 1)
    )
    if source.kind == "sqlite":
        inner = sa.select(sa.literal_column("1")).select_from(sa.table(name, schema=schema))
    counted = source.scalar(connection, sa.select(sa.func.count()).select_from(inner.subquery()))
    if counted is None:
        return (int(estimate), False) if estimate is not None else (None, False)
    return int(counted), source.kind == "sqlite" or int(counted) <= _COUNTED_UP_TO


def _sample(
    source: OpenSource,
    connection: sa.Connection,
    name: str,
    schema: str | None,
    columns: tuple[ColumnFacts, ...],
    *,
    primary: tuple[str, ...],
    rows: int | None,
) -> tuple[list[dict[str, object]] | None, Said | None]:
    """Read a sample; where dates can't be read by the driver they are read as text."""
    wanted = [one for one in columns if one.sampled]
    if not wanted:
        return None, Said("没有可查看的列（全是二进制等）", "it has no column that can be looked at")
    problem: BaseException | None = None
    for dates_as_text in (False, True):
        try:
            with source.bounded():
                return _pick(
                    source, connection, name, schema, wanted, primary=primary, rows=rows, dates_as_text=dates_as_text
                ), None
        except (DBAPIError, UnicodeError, ValueError, OverflowError) as error:
            if is_gone(error):
                raise
            connection.rollback()
            problem = error
    kind = type(getattr(problem, "orig", None) or problem).__name__
    return None, Said(
        f"读不到数据：没有权限、超时或编码损坏（{kind}）", f"no row can be read: permission, time or encoding ({kind})"
    )


def _pick(
    source: OpenSource,
    connection: sa.Connection,
    name: str,
    schema: str | None,
    wanted: list[ColumnFacts],
    *,
    primary: tuple[str, ...],
    rows: int | None,
    dates_as_text: bool,
) -> list[dict[str, object]]:
    table = sa.table(name, *(sa.column(one.name) for one in wanted), schema=schema)
    # Labels of our own: two columns of a view may differ in case only.
    cells = [_cell(source.kind, table.c[one.name], one, dates_as_text).label(f"c{at}") for at, one in enumerate(wanted)]
    statement = sa.select(*cells)
    big = rows is None or rows > SAMPLE_ROWS
    if not big:
        picked = list(connection.execute(statement.limit(SAMPLE_ROWS)))
    elif source.kind == "sqlite" and (bounds := _row_bounds(source, connection, name)):
        picked = []
        lowest, highest = bounds
        step = max(1, (highest - lowest) // _BLOCKS)
        row_id: sa.ColumnElement[Any] = sa.literal_column("rowid")
        for block in range(_BLOCKS):
            begin = lowest + block * step
            chosen = statement.where(row_id >= begin, row_id < begin + step).order_by(row_id)
            picked += list(connection.execute(chosen.limit(SAMPLE_ROWS // _BLOCKS)))
    elif source.kind == "postgresql" and rows and not _is_view(connection, name, schema):
        percent = min(100.0, 100.0 * 3 * SAMPLE_ROWS / rows)
        spread = sa.tablesample(table, sa.func.system(sa.literal_column(f"{percent:.6f}")))
        cells = [
            _cell(source.kind, spread.c[one.name], one, dates_as_text).label(f"c{at}") for at, one in enumerate(wanted)
        ]
        picked = list(connection.execute(sa.select(*cells).limit(SAMPLE_ROWS)))
        if len(picked) < SAMPLE_ROWS // 4:
            picked = list(connection.execute(statement.limit(SAMPLE_ROWS)))
    elif primary:
        keys: list[sa.ColumnElement[Any]] = [sa.column(one) for one in primary]
        half = SAMPLE_ROWS // 2
        picked = list(connection.execute(statement.order_by(*keys).limit(half)))
        picked += list(connection.execute(statement.order_by(*(key.desc() for key in keys)).limit(half)))
    else:
        picked = list(connection.execute(statement.limit(SAMPLE_ROWS)))
    names = [one.name for one in wanted]
    return [dict(zip(names, row, strict=True)) for row in picked]


def _cell(
    kind: str,
    column: sa.ColumnElement[Any],
    facts: ColumnFacts,
    dates_as_text: bool,  # noqa: FBT001  (internal)
) -> sa.ColumnElement[Any]:
    """Read a cell, but no more than the beginning of a long text."""
    if kind == "sqlite":
        is_text = sa.func.typeof(column) == "text"
        return sa.case(
            (sa.func.typeof(column) == "blob", sa.null()),
            (sa.and_(is_text, sa.func.length(column) > _LONGEST_CELL), sa.func.substr(column, 1, _LONGEST_CELL)),
            else_=column,
        )
    if dates_as_text and facts.kind in (ColumnKind.DATE, ColumnKind.INSTANT):
        return sa.cast(column, sa.String(40))
    is_enumeration = facts.declared.upper().startswith(("ENUM", "UUID"))
    if facts.kind is ColumnKind.TEXT and (facts.length is None or facts.length > _LONGEST_CELL) and not is_enumeration:
        return sa.func.substr(column, 1, _LONGEST_CELL)
    return column


def _row_bounds(source: OpenSource, connection: sa.Connection, name: str) -> tuple[int, int] | None:
    """Give the lowest and highest rowid of a SQLite table; None for views and tables without."""
    row_id: sa.ColumnElement[Any] = sa.literal_column("rowid")
    table = sa.table(name)
    lowest = source.scalar(connection, sa.select(sa.func.min(row_id)).select_from(table))
    highest = source.scalar(connection, sa.select(sa.func.max(row_id)).select_from(table))
    return (lowest, highest) if isinstance(lowest, int) and isinstance(highest, int) else None


def _is_view(connection: sa.Connection, name: str, schema: str | None) -> bool:
    statement = sa.text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:name)")
    found = connection.execute(statement, {"name": _quoted(connection, name, schema)}).scalar()
    return found not in ("r", "m", b"r", b"m")


def _clock_skew(source: OpenSource, connection: sa.Connection) -> float | None:
    """Compare the server's clock with this machine's; SQLite has none of its own."""
    if source.kind not in ("postgresql", "mysql"):
        return None
    asked = sa.text("SELECT now()") if source.kind == "postgresql" else sa.text("SELECT utc_timestamp()")
    told = source.scalar(connection, asked)
    if not isinstance(told, datetime):
        return None
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return (told - datetime.now(UTC)).total_seconds()


def _quoted(connection: sa.Connection, name: str, schema: str | None) -> str:
    preparer = connection.dialect.identifier_preparer
    return ".".join(preparer.quote_identifier(one) for one in (schema, name) if one)


def _full(name: str, schema: str | None) -> str:
    return f"{schema}.{name}" if schema else name


def _unread(name: str, is_view: bool, schema: str | None, chinese: str, english: str) -> TableFacts:  # noqa: FBT001
    return TableFacts(_full(name, schema), (), is_view, problem=Said(chinese, english))
