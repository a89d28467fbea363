r"""Canonical text: one spelling for one value, whatever database it comes from. Pure: gives DuckDB expressions.

A reader spools each row as one line of fields between tabs, escaped as PostgreSQL's COPY escapes them (backslash, tab,
line feed, carriage return, backspace, form feed, vertical tab), NULL as `\N`, bytes that aren't text as `\B` with
their hexadecimal digits. These expressions turn a field, still escaped, into the canonical text of its kind:

- integer: digits without leading zeros; boolean: `1` or `0`;
- decimal: plain digits, no exponent, no zeros at the end of the fraction;
- double, single: the shortest digits that read back as the same number;
- date, time, timestamp: ISO 8601 with a space, no zeros at the end of the fraction; an instant in UTC;
- bytes: lower-case hexadecimal digits; text and everything else: exactly as it stands;
- dynamic (SQLite to SQLite): a letter for the storage class (`i r t b`), then the value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from huodang.exchange.sync.columns import EXACT_DIGITS, Column, Engine, Kind, bit_length

ESCAPES: Final = (
    ("\\", "\\\\"), ("\b", "\\b"), ("\f", "\\f"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\v", "\\v"),
)  # fmt: skip
NULL_FIELD: Final = "\\N"
NOT_TEXT: Final = "\\B"
_BACKSLASH: Final = "chr(92)"
_TYPED: Final = frozenset({Engine.POSTGRESQL, Engine.MARIADB})
_INTEGER: Final = "'[+-]?[0-9]+(\\.0+)?'"
_PLAIN: Final = "'-?(0|[1-9][0-9]*)(\\.[0-9]+)?'"
_NUMBER: Final = "'[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?'"
_RANGES: Final = {
    "tinyint": (-(2**7), 2**7 - 1),
    "smallint": (-(2**15), 2**15 - 1),
    "mediumint": (-(2**23), 2**23 - 1),
    "int": (-(2**31), 2**31 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "year": (0, 2155),
}
_WIDEST: Final = (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Pair:
    """A column of the source, the column of the target that takes it, and how the two compare."""

    source: Column
    target: Column
    kind: Kind


def quoted(name: str) -> str:
    """Quote a name or a column for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def canonical(kind: Kind, column: Column, engine: Engine, field: str, *, is_exact: bool = False) -> str:
    """Give the expression of a field's canonical text; NULL stays NULL, what can't be read stays as it is.

    Exact columns have one type in one database product on both sides: the product's own spelling is kept, so that
    `1.50` stays `1.50`.
    """
    if kind in {Kind.TEXT, Kind.NATIVE, Kind.DYNAMIC} or (is_exact and kind is not Kind.BYTES):
        return field
    trusted = engine in _TYPED and column.kind is kind
    match kind:
        case Kind.INTEGER | Kind.BOOLEAN:
            return _whole(column, field, trusted=trusted and kind is Kind.INTEGER)
        case Kind.DECIMAL:
            trusted = trusted or (engine in _TYPED and column.kind is Kind.INTEGER)
            return _without_zeros(field) if trusted else _decimal(field)
        case Kind.DOUBLE:
            return _floating(field, "DOUBLE")
        case Kind.SINGLE:
            return _floating(field, "FLOAT")
        case Kind.BYTES:
            return _bytes(engine, field)
        case Kind.DATE if not trusted:
            return (
                f"CASE WHEN regexp_full_match({field}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]00:00(:00(\\.0+)?)?') "
                f"THEN left({field}, 10) ELSE {field} END"
            )
        case Kind.TIME:
            return _without_zeros(field) if trusted else _time(field)
        case Kind.TIMESTAMP | Kind.INSTANT:
            return _moment(field, trusted=engine in _TYPED and column.kind in {Kind.TIMESTAMP, Kind.INSTANT})
    return field


def _floating(field: str, type_: str) -> str:
    # SQLite and MariaDB keep no sign on a zero, so across databases none is compared.
    spelled = f"try_cast(try_cast({field} AS {type_}) AS VARCHAR)"
    return f"CASE {spelled} WHEN '-0.0' THEN '0.0' ELSE coalesce({spelled}, {field}) END"


def _without_zeros(field: str) -> str:
    return f"CASE WHEN contains({field}, '.') THEN rtrim(rtrim({field}, '0'), '.') ELSE {field} END"


def _whole(column: Column, field: str, *, trusted: bool) -> str:
    if trusted:
        return field
    if column.kind is Kind.BOOLEAN:
        return (
            f"CASE lower({field}) WHEN 't' THEN '1' WHEN 'f' THEN '0' WHEN 'true' THEN '1' WHEN 'false' THEN '0' "
            f"ELSE {field} END"
        )
    number = f"try_cast(split_part({field}, '.', 1) AS HUGEINT)"
    return (
        f"CASE WHEN regexp_full_match({field}, {_INTEGER}) THEN coalesce({number}::VARCHAR, {field}) ELSE {field} END"
    )


def _decimal(field: str) -> str:
    plain = _without_zeros(field)
    # What SQLite keeps as a floating number comes with an exponent when it is very large or small.
    spelled = f"coalesce(try_cast(try_cast({field} AS DECIMAL(38,12)) AS VARCHAR), {field})"
    return (
        f"CASE WHEN regexp_full_match({field}, {_PLAIN}) THEN {plain} "
        f"WHEN regexp_full_match({field}, {_NUMBER}) THEN {_without_zeros(spelled)} ELSE {field} END"
    )


def _bytes(engine: Engine, field: str) -> str:
    if engine is Engine.POSTGRESQL:
        return f"CASE WHEN starts_with({field}, repeat({_BACKSLASH}, 2) || 'x') THEN {field}[4:] ELSE {field} END"
    return f"CASE WHEN starts_with({field}, {literal(NOT_TEXT)}) THEN lower({field}[3:]) ELSE {field} END"


def _time(field: str) -> str:
    looks = "'[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?'"
    spelled = f"coalesce(try_cast(try_cast({field} AS TIME) AS VARCHAR), {field})"
    return f"CASE WHEN regexp_full_match({field}, {looks}) THEN {_without_zeros(spelled)} ELSE {field} END"


def _moment(field: str, *, trusted: bool) -> str:
    if trusted:
        bare = f"CASE WHEN ends_with({field}, '+00') THEN left({field}, length({field}) - 3) ELSE {field} END"
        return f"({_without_zeros(bare)})"
    looks = "'[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?)?(Z|[+-][0-9:]+)?'"
    return (
        f"CASE WHEN regexp_full_match({field}, {looks}) "
        f"THEN coalesce(try_cast(try_cast({field} AS TIMESTAMP) AS VARCHAR), {field}) ELSE {field} END"
    )


def unfit(pair: Pair, target_engine: Engine, value: str, *, is_exact: bool) -> str | None:
    """Give the condition under which a canonical value can't stand in the target's column; None if it always can.

    Exact columns have one type in one database product on both sides: what stood in one stands in the other.
    """
    column = pair.target
    tests = [] if is_exact else _misfits(pair, target_engine, value)
    if pair.kind is Kind.DYNAMIC:
        tests = [f"starts_with({value}, {literal(NOT_TEXT)})"]
    conditions = [f"({value} IS NOT NULL AND ({' OR '.join(tests)}))"] if tests else []
    if not column.nullable and not column.generated:
        conditions.append(f"{value} IS NULL")
    return " OR ".join(conditions) if conditions else None


def _misfits(pair: Pair, target_engine: Engine, value: str) -> list[str]:
    column = pair.target
    tests: list[str] = []
    if pair.kind is not Kind.BYTES:
        tests.append(f"starts_with({value}, {literal(NOT_TEXT)})")
    elif target_engine is not Engine.OTHER:
        tests.append(f"NOT regexp_full_match({value}, '([0-9a-f]{{2}})*')")
    match pair.kind:
        case Kind.INTEGER:
            tests.append(_not_whole(column, target_engine, value))
        case Kind.BOOLEAN:
            tests.append(f"{value} NOT IN ('0', '1')")
        case Kind.DECIMAL:
            tests += _not_decimal(column, target_engine, value)
        case Kind.SINGLE | Kind.DOUBLE:
            tests += _not_float(pair, target_engine, value)
        case Kind.DATE | Kind.TIMESTAMP | Kind.INSTANT:
            tests += _not_moment(pair, target_engine, value)
        case Kind.TIME if target_engine in _TYPED:
            tests.append(_not_time(target_engine, value))
        case Kind.TEXT:
            tests += _too_long(column, target_engine, value)
            if target_engine is Engine.POSTGRESQL:
                tests.append(f"contains({value}, chr(0))")
    return tests


def _not_whole(column: Column, engine: Engine, value: str) -> str:
    words = column.type.lower().split("(")[0].split()
    low, high = _RANGES.get(words[0] if words else "", _WIDEST) if engine in _TYPED else _WIDEST
    if column.kind is Kind.DECIMAL:
        return f"NOT regexp_full_match({value}, '-?[0-9]+')"
    if words and words[0] == "bit":
        low, high = 0, 2 ** bit_length(column) - 1
    elif "unsigned" in column.type.lower():
        low, high = 0, 2 * high + 1
    return f"coalesce(try_cast({value} AS HUGEINT) NOT BETWEEN {low} AND {high}, true)"


def _not_decimal(column: Column, engine: Engine, value: str) -> list[str]:
    if engine is Engine.POSTGRESQL:
        tests = [f"NOT (regexp_full_match({value}, {_PLAIN}) OR {value} IN ('NaN', 'Infinity', '-Infinity'))"]
    else:
        tests = [f"NOT regexp_full_match({value}, {_PLAIN})"]
    if column.kind is Kind.INTEGER:
        return [*tests, _not_whole(column, engine, value)]
    if column.precision is None:
        if engine is Engine.SQLITE and "TEXT" not in column.type.upper():
            tests.append(f"length(ltrim(replace(replace({value}, '-', ''), '.', ''), '0')) > {EXACT_DIGITS}")
        return tests
    scale = column.scale or 0
    whole = f"length(ltrim(split_part(replace({value}, '-', ''), '.', 1), '0'))"
    fraction = f"length(split_part({value}, '.', 2))"
    if engine is Engine.SQLITE and "TEXT" not in column.type.upper():
        tests.append(f"{whole} + {fraction} > {EXACT_DIGITS}")
    if engine in _TYPED:
        tests += [f"{whole} > {max(column.precision - scale, 0)}", f"{fraction} > {max(scale, 0)}"]
    return tests


def _not_float(pair: Pair, engine: Engine, value: str) -> list[str]:
    kind = "FLOAT" if pair.kind is Kind.SINGLE else "DOUBLE"
    tests = [f"try_cast({value} AS {kind}) IS NULL"]
    if engine is Engine.SQLITE:
        tests.append(f"{value} = 'nan'")
    elif engine is not Engine.POSTGRESQL:
        tests.append(f"{value} IN ('nan', 'inf', '-inf')")
    return tests


def _not_moment(pair: Pair, engine: Engine, value: str) -> list[str]:
    tests: list[str] = []
    if engine is Engine.MARIADB:
        tests.append(f"NOT regexp_matches({value}, '^[0-9]{{4}}-') OR starts_with({value}, '0000')")
    if engine in _TYPED:
        test = f"try_cast({value} AS {'DATE' if pair.kind is Kind.DATE else 'TIMESTAMP'}) IS NULL"
        tests.append(f"({test} AND NOT ends_with({value}, ' BC') AND {value} NOT IN ('infinity', '-infinity'))")
    if pair.target.kind is Kind.DATE and pair.kind is not Kind.DATE:
        tests.append(f"length({value}) > 10 AND NOT ends_with({value}, ' 00:00:00')")
    return tests


def _not_time(engine: Engine, value: str) -> str:
    # MariaDB's times are spans of up to 838 hours; PostgreSQL's are of one day.
    hours = "[01][0-9]|2[0-3]" if engine is Engine.POSTGRESQL else "-?([0-7]?[0-9][0-9]|8[0-3][0-9])"
    looks = f"({hours}):[0-5][0-9]:[0-5][0-9](\\.[0-9]{{1,6}})?"
    return f"NOT (regexp_full_match({value}, '{looks}') OR {value} = '24:00:00')"


def _too_long(column: Column, engine: Engine, value: str) -> list[str]:
    if column.length is None or engine not in _TYPED:
        return []
    # The escaped text is never shorter than the text itself: only what seems too long is unescaped and counted.
    return [f"(length({value}) > {column.length} AND length({unescaped(value)}) > {column.length})"]


def unescaped(value: str) -> str:
    """Give the expression of the text behind an escaped field."""
    part = "part"
    for real, escape in ESCAPES[1:]:
        part = f"replace({part}, {literal(escape)}, chr({ord(real)}))"
    parts = f"string_split({value}, repeat({_BACKSLASH}, 2))"
    whole = f"array_to_string(list_transform({parts}, lambda part: {part}), {_BACKSLASH})"
    return f"(CASE WHEN contains({value}, {_BACKSLASH}) THEN {whole} ELSE {value} END)"


def escape_text(text: str) -> str:
    """Escape a text as the readers do."""
    for real, escape in ESCAPES:
        text = text.replace(real, escape)
    return text


_TOKEN: Final = re.compile(r"\\(.)", re.DOTALL)
_REAL: Final = {escape[1]: real for real, escape in ESCAPES}


def unescape_text(field: str) -> str:
    """Take the escapes off a field."""
    return _TOKEN.sub(lambda found: _REAL.get(found[1], found[0]), field) if "\\" in field else field


def row_text(values: Sequence[str]) -> str:
    r"""Give the expression of a row's text, which is hashed: canonical fields between tabs, NULL as `\N`."""
    return "concat_ws(chr(9), " + ", ".join(f"coalesce({value}, {literal(NULL_FIELD)})" for value in values) + ")"
