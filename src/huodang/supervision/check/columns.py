"""Which columns of which tables some rules read: only those are loaded from the files."""

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from huodang.supervision.rules import Rule, RuleSettings, Tables
from huodang.supervision.tables import SCHEMAS, Kind

_MONTHS = frozenset({"row", "month"})
"""Columns of the payments that the check itself asks for."""


def columns_read(rules: Iterable[Rule], settings: RuleSettings, kinds: Iterable[Kind]) -> dict[Kind, frozenset[str]]:
    """Tell the columns that rules read, by kind; all of a kind where it can't be told.

    A rule that can't even be written as SQL is passed over here: it fails by itself when it is run.
    """
    given = tuple(kinds)
    names = {kind.value: SCHEMAS[kind] for kind in given}
    tables = Tables.of({kind: ibis.table(ibis.schema(SCHEMAS[kind]), name=kind.value) for kind in given})
    read: dict[Kind, set[str]] = {kind: {"row"} for kind in given}
    if Kind.PAYMENTS in read:
        read[Kind.PAYMENTS] |= _MONTHS
    for rule in rules:
        if not rule.needs <= set(given):
            continue
        try:
            asked = [rule.find(tables, settings), rule.unknown(tables, settings)]
        except Exception:  # noqa: BLE001, S112  (it stops that rule alone, and is told when it is run)
            continue
        for expression in asked:
            if expression is not None:
                for name, columns in _columns(expression, names).items():
                    read[Kind(name)] |= columns
    return {kind: frozenset(columns) for kind, columns in read.items()}


def _columns(expression: ir.Table, names: Mapping[str, object]) -> dict[str, set[str]]:
    everything = {name: set(SCHEMAS[Kind(name)].names) for name in names}
    try:
        parsed = sqlglot.parse_one(str(ibis.to_sql(expression, dialect="duckdb")), dialect="duckdb")
        schema: dict[str, object] = {name: dict.fromkeys(columns, "BIGINT") for name, columns in everything.items()}
        plain = pushdown_projections(qualify(parsed, schema=schema, dialect="duckdb", validate_qualify_columns=False))
        found: dict[str, set[str]] = {}
        for scope in traverse_scope(plain):
            for alias, source in scope.sources.items():
                if isinstance(source, exp.Table) and source.name in everything:
                    columns = {column.name for column in scope.source_columns(alias)}
                    found.setdefault(source.name, set()).update(columns & everything[source.name])
    except (SqlglotError, ibis.IbisError):
        return everything
    return found
