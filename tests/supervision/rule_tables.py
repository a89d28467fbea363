"""Small prepared tables for the tests of rules, and what the rules make of them on DuckDB."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import pyarrow as pa

from huodang.standards import Month
from huodang.supervision.rules import Rule, RuleSettings, Tables, rule
from huodang.supervision.tables import SCHEMAS, Kind

MONTH = Month(2025, 6)


@functools.cache
def duckdb() -> Any:
    return ibis.duckdb.connect(threads=1)


def person(sequence: int, born: int = 19550615, region: int = 130102) -> int:
    """The first 17 digits of a number, as prepared tables hold it; odd sequences are men."""
    return (region * 10**8 + born) * 1000 + sequence


class Sheets:
    """Rows of several kinds; each gets the next row number of its kind."""

    def __init__(self) -> None:
        self.rows: dict[Kind, list[dict[str, Any]]] = {}

    def add(self, table: Kind, who: int | None, /, **cells: Any) -> int:
        rows = self.rows.setdefault(table, [])
        cells = {"row": len(rows), "person": who, "fault": 0, "name": "王秀英", **cells}
        assert set(cells) <= set(SCHEMAS[table].names), set(cells) - set(SCHEMAS[table].names)
        rows.append({name: cells.get(name) for name in SCHEMAS[table].names})
        return int(cells["row"])

    def pay(self, who: int | None, month: int = 202506, fen: int = 300_000, **cells: Any) -> int:
        return self.add(Kind.PAYMENTS, who, month=month, fen=fen, **cells)

    def die(self, who: int | None, first: int | None, last: int | None = None, **cells: Any) -> int:
        return self.add(Kind.DEATHS, who, died_from=first, died_to=last or first, **cells)

    def arrow(self) -> dict[Kind, pa.Table]:
        return {kind: pa.Table.from_pylist(rows, schema=SCHEMAS[kind]) for kind, rows in self.rows.items()}

    def tables(self) -> Tables:
        return tables_of(self.arrow())

    def found(self, code: str, **settings: Any) -> dict[int, dict[str, Any]]:
        """Findings of a rule by row."""
        return findings(rule(code), self.tables(), asked(**settings))

    def unknown(self, code: str, **settings: Any) -> dict[int, str]:
        """Reasons by row of what a rule couldn't judge."""
        return reasons(rule(code), self.tables(), asked(**settings))


def asked(month: Month = MONTH, **settings: Any) -> RuleSettings:
    return RuleSettings(month, **settings)


def tables_of(arrow: Mapping[Kind, pa.Table]) -> Tables:
    return Tables.of({kind: ibis.memtable(table) for kind, table in arrow.items()})


def findings(one: Rule, tables: Tables, settings: RuleSettings) -> dict[int, dict[str, Any]]:
    found = duckdb().to_pyarrow(one.find(tables, settings))
    assert found.column_names == ["row", "fen", *one.evidence]
    assert found.schema.field("row").type == pa.int64()
    assert found.schema.field("fen").type == pa.int64()
    rows = found.to_pylist()
    by_row = {row["row"]: row for row in rows}
    assert len(by_row) == len(rows), "a row is found once"
    return by_row


def reasons(one: Rule, tables: Tables, settings: RuleSettings) -> dict[int, str]:
    expression = one.unknown(tables, settings)
    if expression is None:
        return {}
    table = duckdb().to_pyarrow(expression)
    assert table.column_names == ["row", "reason"]
    rows = table.to_pylist()
    by_row = {row["row"]: row["reason"] for row in rows}
    assert len(by_row) == len(rows), "a row has one reason"
    return by_row


def value(expression: Any) -> Any:
    """What a scalar expression comes to."""
    return duckdb().to_pyarrow(expression).as_py()


def codes(months: Sequence[Month]) -> tuple[int, ...]:
    return tuple(int(str(month)) for month in months)
