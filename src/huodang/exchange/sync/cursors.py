"""Cursors: how the values of a column that grows compare. Pure."""

from huodang.exchange.sync.canonical import Pair
from huodang.exchange.sync.columns import Kind


def cursor_type(pair: Pair) -> str:
    """Say how values of a cursor compare."""
    kind = pair.kind if pair.kind is not Kind.DYNAMIC else pair.source.kind
    if pair.kind is Kind.DYNAMIC and kind in {Kind.DATE, Kind.TIMESTAMP}:
        return "VARCHAR"
    return {
        Kind.INTEGER: "HUGEINT",
        Kind.DECIMAL: "DECIMAL(38,10)",
        Kind.SINGLE: "DOUBLE",
        Kind.DOUBLE: "DOUBLE",
        Kind.DATE: "TIMESTAMP",
        Kind.TIMESTAMP: "TIMESTAMP",
        Kind.INSTANT: "TIMESTAMP",
    }.get(kind, "VARCHAR")


def cursor_expression(pair: Pair, value: str) -> str:
    """Give the expression of a cursor's comparable value."""
    plain = f"{value}[2:]" if pair.kind is Kind.DYNAMIC else value
    return f"try_cast({plain} AS {cursor_type(pair)})"
