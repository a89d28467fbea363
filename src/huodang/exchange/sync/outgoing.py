"""Canonical text back to what a target takes: fields of a file, or values for a driver."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from huodang.exchange.sync.canonical import Pair, literal, unescape_text, unescaped
from huodang.exchange.sync.columns import Engine, Kind
from huodang.exchange.sync.side import Cells

_BACKSLASH: Final = "chr(92)"


def file_value(pair: Pair, engine: Engine, value: str) -> str:
    """Give the field of a file for COPY (PostgreSQL) or LOAD DATA (MariaDB)."""
    if pair.kind is Kind.BYTES and engine is Engine.POSTGRESQL:
        return f"repeat({_BACKSLASH}, 2) || 'x' || {value}"
    if pair.kind in {Kind.TEXT, Kind.NATIVE} and engine is Engine.MARIADB:
        # MariaDB knows no escape for form feed and vertical tab: those two characters stand as themselves.
        plain = unescaped(value)
        for real, escape in (("chr(92)", "\\\\"), ("chr(8)", "\\b"), ("chr(10)", "\\n"), ("chr(13)", "\\r"),
                             ("chr(9)", "\\t"), ("chr(0)", "\\0")):  # fmt: skip
            plain = f"replace({plain}, {real}, {literal(escape)})"
        return f"CASE WHEN contains({value}, '\\f') OR contains({value}, '\\v') THEN {plain} ELSE {value} END"
    return value


def row_value(pair: Pair, engine: Engine, value: str) -> str:
    """Give the value as a driver takes it."""
    match pair.kind:
        case Kind.INTEGER | Kind.BOOLEAN:
            return f"coalesce(try_cast({value} AS BIGINT)::VARCHAR, {value})" if _is_text(pair) else _whole(value)
        case Kind.DECIMAL if engine is Engine.SQLITE and not _is_text(pair):
            return f"CAST({value} AS DOUBLE)"
        case Kind.SINGLE | Kind.DOUBLE:
            return f"CAST({value} AS DOUBLE)"
        case Kind.BYTES:
            return f"unhex({value})"
        case Kind.TEXT | Kind.NATIVE:
            return unescaped(value)
        case Kind.DATE if engine is Engine.OTHER and pair.target.kind is Kind.DATE:
            return f"CAST({value} AS DATE)"
        case Kind.TIMESTAMP | Kind.INSTANT if engine is Engine.OTHER and pair.target.kind in {
            Kind.TIMESTAMP,
            Kind.INSTANT,
        }:
            return f"CAST({value} AS TIMESTAMP)"
    return value


def _is_text(pair: Pair) -> bool:
    return pair.target.kind is Kind.TEXT or "TEXT" in pair.target.type.upper()


def _whole(value: str) -> str:
    return f"CAST({value} AS BIGINT)"


_STORAGE: Final[dict[str, Callable[[str], object]]] = {
    "t": unescape_text,
    "i": int,
    "r": float,
    "b": bytes.fromhex,
}


def _value(field: str | None) -> object:
    return None if field is None else _STORAGE[field[0]](field[1:])


def decoder(dynamic: Sequence[bool]) -> Callable[[list[tuple[Any, ...]]], list[Cells]]:
    """Give what turns a batch's dynamic fields, led by their storage class, into values."""
    if not any(dynamic):
        return list
    if all(dynamic):
        return lambda batch: [tuple(map(_value, row)) for row in batch]

    def decode(batch: list[tuple[Any, ...]]) -> list[Cells]:
        return [
            tuple(_value(field) if is_dynamic else field for field, is_dynamic in zip(row, dynamic, strict=True))
            for row in batch
        ]

    return decode
