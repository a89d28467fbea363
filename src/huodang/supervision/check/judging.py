"""One rule judged: its findings without the planted rows, what it couldn't judge, a digest alike on every engine."""

import hashlib
import time
from typing import Final

import duckdb
import ibis
import pyarrow as pa
import pyarrow.compute as pc

from huodang.standards import HuodangError
from huodang.supervision.check.engines import Engine, compiled
from huodang.supervision.check.request import RuleResult
from huodang.supervision.rules import Planted, Rule, RuleSettings, Tables
from huodang.supervision.tables import SCHEMAS, Kind

MOST_UNKNOWN_ROWS: Final = 100_000
"""Rows that couldn't be judged are counted all, and listed up to so many a rule."""

_EMPTY: Final = pa.table({"row": pa.array([], pa.int64()), "fen": pa.array([], pa.int64())})


def judge(rule: Rule, engine: Engine, settings: RuleSettings, planted: Planted) -> RuleResult:
    """Run one rule. Whatever it does, it stops itself alone: its result says that it failed, and why."""
    began = time.monotonic()
    tables = engine.tables()
    missing = sorted(kind.value for kind in rule.needs if tables.get(kind) is None)
    if missing:
        return RuleResult(rule, "not_judged", _EMPTY, reason=f"没有提供 / not given: {', '.join(missing)}")
    try:
        found = _ordered(engine.rows(rule.find(tables, settings)), rule)
        reason = _canaries_missed(rule, found, planted, tables, settings)
        real = found.filter(pc.greater_equal(found["row"], 0))
        unknown, listed = _unknown(rule, engine, tables, settings)
    except HuodangError as error:
        return RuleResult(rule, "failed", _EMPTY, reason=error.sentence("zh"))
    except Exception as error:  # noqa: BLE001  (a rule that fails stops itself alone, loudly)
        # What an engine says of a failure may quote values: only its kind is told.
        return RuleResult(rule, "failed", _EMPTY, reason=f"运行出错 / raised {type(error).__name__}")
    if reason:
        return RuleResult(rule, "failed", _EMPTY, reason=reason)
    return RuleResult(
        rule,
        "judged",
        real,
        unknown,
        listed,
        digest_of_findings(real),
        canaries=len(planted.expected.get(rule.code, ())),
        seconds=time.monotonic() - began,
    )


def digest_of_findings(found: pa.Table) -> str:
    """Give the SHA-256 over findings as text, ordered by row: the same findings, the same digest on every engine."""
    lines = hashlib.sha256("|".join(found.column_names).encode())
    for batch in found.sort_by("row").to_batches(max_chunksize=50_000):
        texts = [_text(column) for column in batch.columns]
        joined = pc.binary_join_element_wise(*texts, "|", null_handling="replace", null_replacement="")
        lines.update("\n".join(joined.to_pylist()).encode() + b"\n")
    return lines.hexdigest()


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return column.cast(pa.string())


def _ordered(found: pa.Table, rule: Rule) -> pa.Table:
    wanted = ["row", "fen", *rule.evidence]
    return found.select(wanted).sort_by("row").combine_chunks()


def _canaries_missed(rule: Rule, found: pa.Table, planted: Planted, tables: Tables, settings: RuleSettings) -> str:
    rows = set(found.filter(pc.less(found["row"], 0))["row"].to_pylist())
    expected, spared = set(planted.expected.get(rule.code, ())), set(planted.spared.get(rule.code, ()))
    if (expected - rows or spared & rows) and any(tables.get(kind) is None for kind in planted.tables):
        # Some cases speak of tables that weren't given. What the rule makes of the planted rows that are left, alone,
        # is what it must make of them among all rows.
        alone = _found_alone(rule, planted, tables, settings)
        expected, spared = expected & alone, spared - alone
    if expected - rows:
        missed = len(expected - rows)
        return (
            f"植入的 {len(expected)} 个案例有 {missed} 个没有找到 / {missed} of {len(expected)} planted cases not found"
        )
    if spared & rows:
        wrong = len(spared & rows)
        return f"误报了 {wrong} 个不该找到的植入案例 / {wrong} planted near misses were found"
    return ""


def _found_alone(rule: Rule, planted: Planted, tables: Tables, settings: RuleSettings) -> set[int]:
    """Run a rule on planted rows alone, of the tables that were given."""
    given = [kind for kind in Kind if getattr(tables, kind.value, None) is not None]
    rows = {kind: planted.tables.get(kind, SCHEMAS[kind].empty_table()) for kind in given}
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
        for kind, table in rows.items():
            connection.register(kind.value, table)
        alone = Tables.of({kind: ibis.table(ibis.schema(SCHEMAS[kind]), name=kind.value) for kind in given})
        found: pa.Table = connection.sql(compiled(rule.find(alone, settings), connection)).to_arrow_table()
    return set(found["row"].to_pylist())


def _unknown(
    rule: Rule, engine: Engine, tables: Tables, settings: RuleSettings
) -> tuple[dict[str, int], pa.Table | None]:
    expression = rule.unknown(tables, settings)
    if expression is None:
        return {}, None
    counts, listed = engine.reasons(expression, MOST_UNKNOWN_ROWS)
    return (counts, listed) if counts else ({}, None)
