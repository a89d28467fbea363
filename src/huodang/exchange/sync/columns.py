"""Columns and the kinds of their values: what a database calls a type, and how its values compare across databases.

Pure: no database is touched here.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Engine(StrEnum):
    """The database products that have a reader and a writer of their own; the rest pass through SQLAlchemy."""

    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"
    SQLITE = "sqlite"
    OTHER = "other"


class Kind(StrEnum):
    """How the values of a column are written as canonical text."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    SINGLE = "single"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INSTANT = "instant"
    BYTES = "bytes"
    TEXT = "text"
    NATIVE = "native"
    DYNAMIC = "dynamic"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: as the database spells it.
        type: as the database declares it, such as `numeric(12,2)`.
        kind: how its values compare.
        nullable: NULL is allowed.
        length: the most characters of a text; None is any.
        precision: digits of a decimal number; None is any.
        scale: digits after the point.
        generated: the database computes it, nobody writes it.
    """

    name: str
    type: str
    kind: Kind
    nullable: bool = True
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    generated: bool = False


_ARGUMENTS: Final = re.compile(r"\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)")
_POSTGRESQL: Final = {
    "smallint": Kind.INTEGER,
    "integer": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "numeric": Kind.DECIMAL,
    "real": Kind.SINGLE,
    "double precision": Kind.DOUBLE,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "time without time zone": Kind.TIME,
    "timestamp without time zone": Kind.TIMESTAMP,
    "timestamp with time zone": Kind.INSTANT,
    "bytea": Kind.BYTES,
    "text": Kind.TEXT,
    "character varying": Kind.TEXT,
    "character": Kind.TEXT,
    "name": Kind.TEXT,
}
_MARIADB: Final = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"), Kind.INTEGER),
    "decimal": Kind.DECIMAL,
    "float": Kind.SINGLE,
    "double": Kind.DOUBLE,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "datetime": Kind.TIMESTAMP,
    "timestamp": Kind.INSTANT,
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), Kind.BYTES),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"), Kind.TEXT),
}
_SQLITE: Final = (
    ("DECIMAL_TEXT", Kind.DECIMAL),
    ("INT", Kind.INTEGER),
    ("BOOL", Kind.BOOLEAN),
    ("DATETIME", Kind.TIMESTAMP),
    ("TIMESTAMP", Kind.TIMESTAMP),
    ("DATE", Kind.DATE),
    ("TIME", Kind.TIME),
    ("CHAR", Kind.TEXT),
    ("CLOB", Kind.TEXT),
    ("TEXT", Kind.TEXT),
    ("BLOB", Kind.BYTES),
    ("REAL", Kind.DOUBLE),
    ("FLOA", Kind.DOUBLE),
    ("DOUB", Kind.DOUBLE),
    ("NUMERIC", Kind.DECIMAL),
    ("DECIMAL", Kind.DECIMAL),
)
# A double keeps 15 decimal digits whatever they are; a longer decimal number needs text in SQLite.
EXACT_DIGITS: Final = 15
_MARIADB_DIGITS, _MARIADB_SCALE = 65, 30
_KEY_LENGTH, _SHORT_TEXT = 255, 255
_WIDEST: Final = 64
_BUILT_IN: Final = re.compile(
    r"(smallint|integer|bigint|numeric|real|double precision|boolean|date|time|timestamp|interval|bytea|text|character|"
    r"uuid|jsonb?|inet|cidr|macaddr8?|bit|money|xml|name|oid|point|line|lseg|box|path|polygon|circle|tsvector|tsquery|"
    r"(int4|int8|num|ts|tstz|date)(multi)?range|\"char\")\b"
)


def column_of(engine: Engine, name: str, declared: str, *, nullable: bool = True, generated: bool = False) -> Column:
    """Understand a column from the type that its database declares."""
    bare = _ARGUMENTS.sub("", declared, count=1).strip()
    found = _ARGUMENTS.search(declared)
    first = int(found[1]) if found else None
    second = int(found[2]) if found and found[2] else None
    match engine:
        case Engine.POSTGRESQL:
            kind = _POSTGRESQL.get(bare.lower(), Kind.NATIVE)
        case Engine.MARIADB:
            word = bare.lower().split()[0] if bare else ""
            kind = _MARIADB.get(word.split("(")[0], Kind.NATIVE)
        case _:
            upper = bare.upper()
            kind = next((kind for word, kind in _SQLITE if word in upper), Kind.TEXT)
    is_measured = kind is Kind.TEXT and engine is not Engine.SQLITE and not bare.lower().startswith(("enum", "set"))
    return Column(
        name=name,
        type=declared,
        kind=kind,
        nullable=nullable,
        length=first if is_measured else None,
        precision=first if kind is Kind.DECIMAL else None,
        scale=(second or 0) if kind is Kind.DECIMAL and first is not None else None,
        generated=generated,
    )


_NUMBERS: Final = (Kind.INTEGER, Kind.DECIMAL, Kind.SINGLE, Kind.DOUBLE)
_MOMENTS: Final = (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)


def common_kind(source: Column, target: Column, *, both_sqlite: bool = False) -> Kind | None:
    """Say how two columns compare; None if one can't hold what the other holds."""
    if both_sqlite:
        return Kind.DYNAMIC
    one, other = source.kind, target.kind
    if one is other:
        return one
    pair = {one, other}
    if Kind.BYTES in pair:
        return None
    if pair <= {Kind.TEXT, Kind.NATIVE}:
        return Kind.TEXT
    if Kind.TEXT in pair or Kind.NATIVE in pair:
        return other if one in {Kind.TEXT, Kind.NATIVE} else one
    if pair <= set(_NUMBERS):
        return max(pair, key=_NUMBERS.index) if Kind.SINGLE not in pair else Kind.SINGLE
    if Kind.BOOLEAN in pair and Kind.INTEGER in pair:
        return Kind.INTEGER
    if pair <= set(_MOMENTS):
        return Kind.INSTANT if Kind.INSTANT in pair else Kind.TIMESTAMP
    return None


def bit_length(column: Column) -> int:
    """Give how many bits MariaDB's `bit(n)` holds."""
    found = _ARGUMENTS.search(column.type)
    return int(found[1]) if found else 1


def _is_over_signed(column: Column) -> bool:
    """Tell whether an integer of MariaDB can be larger than a signed one of 64 bits."""
    words = column.type.lower()
    return ("bigint" in words and "unsigned" in words) or (words.startswith("bit(") and bit_length(column) == _WIDEST)


def type_for(engine: Engine, source: Column, source_engine: Engine, *, is_key: bool) -> str:
    """Choose the type of a new column that holds every value of the source's column exactly."""
    match engine:
        case Engine.POSTGRESQL:
            return _postgresql_type(source, source_engine)
        case Engine.MARIADB:
            return _mariadb_type(source, source_engine, is_key=is_key)
        case _:
            return _sqlite_type(source, source_engine)


def _postgresql_type(source: Column, source_engine: Engine) -> str:
    if source_engine is Engine.POSTGRESQL:
        return source.type if _BUILT_IN.match(source.type) else "text"
    match source.kind:
        case Kind.INTEGER:
            return "numeric(20,0)" if _is_over_signed(source) else "bigint"
        case Kind.DECIMAL:
            return f"numeric({source.precision},{source.scale})" if source.precision else "numeric"
        case Kind.TEXT:
            return f"character varying({source.length})" if source.length else "text"
    plain = {
        Kind.SINGLE: "real",
        Kind.DOUBLE: "double precision",
        Kind.BOOLEAN: "boolean",
        Kind.DATE: "date",
        Kind.TIME: "time without time zone",
        Kind.TIMESTAMP: "timestamp without time zone",
        Kind.INSTANT: "timestamp with time zone",
        Kind.BYTES: "bytea",
    }
    return plain.get(source.kind, "text")


def _mariadb_type(source: Column, source_engine: Engine, *, is_key: bool) -> str:
    if source_engine is Engine.MARIADB and not (is_key and source.kind is Kind.TEXT):
        return source.type
    match source.kind:
        case Kind.DECIMAL:
            precision = min(source.precision or _MARIADB_DIGITS, _MARIADB_DIGITS)
            scale = source.scale if source.scale is not None and source.scale >= 0 else _MARIADB_SCALE
            return f"decimal({precision},{min(scale, _MARIADB_SCALE)})"
        case Kind.BYTES:
            return f"varbinary({_KEY_LENGTH})" if is_key else "longblob"
        case Kind.TEXT | Kind.NATIVE:
            if is_key or (source.length and source.length <= _SHORT_TEXT):
                return f"varchar({min(source.length or _KEY_LENGTH, _KEY_LENGTH)})"
            return "longtext"
    plain = {
        Kind.INTEGER: "bigint",
        Kind.SINGLE: "float",
        Kind.DOUBLE: "double",
        Kind.BOOLEAN: "tinyint(1)",
        Kind.DATE: "date",
        Kind.TIME: "time(6)",
    }
    return plain.get(source.kind, "datetime(6)")


def _sqlite_type(source: Column, source_engine: Engine) -> str:
    if source_engine is Engine.SQLITE:
        return source.type
    match source.kind:
        case Kind.INTEGER if _is_over_signed(source):
            return "DECIMAL_TEXT(20,0)"
        case Kind.DECIMAL if source.precision and source.precision <= EXACT_DIGITS and (source.scale or 0) >= 0:
            return f"NUMERIC({source.precision},{source.scale})"
        case Kind.DECIMAL:
            return f"DECIMAL_TEXT({source.precision},{source.scale})" if source.precision else "DECIMAL_TEXT"
        case Kind.TEXT if source.length:
            return f"VARCHAR({source.length})"
    plain = {
        Kind.INTEGER: "INTEGER",
        Kind.SINGLE: "REAL",
        Kind.DOUBLE: "REAL",
        Kind.BOOLEAN: "BOOLEAN",
        Kind.DATE: "DATE",
        Kind.TIME: "TIME",
        Kind.TIMESTAMP: "DATETIME",
        Kind.INSTANT: "DATETIME",
        Kind.BYTES: "BLOB",
    }
    return plain.get(source.kind, "TEXT")
