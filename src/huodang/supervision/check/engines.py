"""Where the rules run: DuckDB in this process, or Spark by address; the same expressions on both.

Planted rows are united with the tables here, so that no rule can tell them from real ones.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from huodang.supervision.check.errors import EngineError
from huodang.supervision.rules import Planted, Tables
from huodang.supervision.tables import (
    SCHEMAS,
    Kind,
    Loaded,
    Prepared,
    Progress,
    Understanding,
    connect,
    load,
    open_files,
    originals,
    path_literal,
)
from huodang.supervision.tables.raw_files import Opened
from huodang.supervision.tables.schema import sql_type

_SPARK: Final = re.compile(r"spark(?::(local(?:\[(?:\d+|\*)\])?)|(://.+))?")
_REASONS: Final = pa.schema([("row", pa.int64()), ("reason", pa.string())])
_PARTITION_ROWS: Final = 500_000
"""Rows of all tables a partition of a shuffle, about."""
_FEW: Final = 100_000
"""Rows below which Spark walks its plans: compiling them takes longer."""


class Engine(Protocol):
    """One engine with the tables of one check."""

    def tables(self) -> Tables:
        """Give the tables, planted rows among them."""

    def rows(self, expression: ir.Table) -> pa.Table:
        """Run an expression; columns as it names them."""

    def reasons(self, expression: ir.Table, most: int) -> tuple[dict[str, int], pa.Table]:
        """Count the real rows of `row` and `reason` by reason, and list the first of them."""

    def versions(self) -> dict[str, str]:
        """Name the engine and what it runs on, with versions."""

    def close(self) -> None:
        """Let go of it."""


class DuckEngine:
    """DuckDB in this process, within a bound of memory; what is too much goes to a folder."""

    def __init__(self, memory: str, threads: int | None, work: Path) -> None:
        self._work = work
        self._connection = connect(memory, threads, work / "spill")
        self._kinds: list[Kind] = []
        self._opened: dict[Kind, Opened] = {}

    def open(self, understanding: Understanding, progress: Progress) -> None:
        """Make the files queryable."""
        self._opened = open_files(understanding, self._work / "staging", self._connection, progress)

    @property
    def row_count(self) -> int:
        """How many rows the files have."""
        return sum(file.rows for opened in self._opened.values() for file in opened.files)

    def months(self) -> list[int]:
        """Give the months of the payments loaded."""
        rows = self._connection.execute("SELECT DISTINCT month FROM payments WHERE month IS NOT NULL ORDER BY 1")
        return [int(month) for (month,) in rows.fetchall()]

    def load(
        self,
        columns: Mapping[Kind, frozenset[str]],
        quarantine: Path,
        months: tuple[int, ...],
        today: date | None,
        progress: Progress,
    ) -> dict[Kind, Loaded]:
        """Load the files directly, only the columns asked for."""
        loaded = {}
        for kind, opened in self._opened.items():
            loaded[kind] = load(
                self._connection,
                kind,
                opened,
                quarantine,
                columns=tuple(columns.get(kind, ())),
                months=months,
                on=today,
                progress=progress,
            )
            self._show_whole(kind)
            self._kinds.append(kind)
        return loaded

    def _show_whole(self, kind: Kind) -> None:
        """Give a loaded table all its columns; those that nobody reads weren't loaded, and are NULL."""
        self._connection.execute(f"ALTER TABLE {kind} RENAME TO {kind}_loaded")
        held = {one[0] for one in self._connection.execute(f"DESCRIBE {kind}_loaded").fetchall()}
        columns = [
            f'"{name}"' if name in held else f'CAST(NULL AS {sql_type(kind, name)}) AS "{name}"'
            for name in SCHEMAS[kind].names
        ]
        self._connection.execute(f"CREATE VIEW {kind} AS SELECT {', '.join(columns)} FROM {kind}_loaded")

    def view(self, prepared: Prepared) -> None:
        """Take the tables of a prepared store."""
        for kind in prepared.counts:
            path = prepared.path(kind)
            assert path is not None  # noqa: S101  (every kind counted has its file)
            self._connection.execute(f"CREATE VIEW {kind}_real AS SELECT * FROM read_parquet({path_literal(path)})")
            self._connection.execute(f"CREATE TABLE {kind}_planted AS SELECT * FROM {kind}_real LIMIT 0")
            self._connection.execute(
                f"CREATE VIEW {kind} AS SELECT * FROM {kind}_real UNION ALL SELECT * FROM {kind}_planted"
            )
            self._kinds.append(kind)

    def plant(self, planted: Planted, *, prepared: bool) -> None:
        """Unite planted rows with the tables that there are."""
        for kind, table in planted.tables.items():
            if kind in self._kinds:
                target = f"{kind}_planted" if prepared else f"{kind}_loaded"
                columns = self._connection.execute(f"DESCRIBE {target}").fetchall()
                names = ", ".join(f'"{one[0]}"' for one in columns)
                self._connection.register("planted_rows_", table)
                self._connection.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM planted_rows_")
                self._connection.unregister("planted_rows_")

    def originals(self, kind: Kind, rows: pa.Array) -> pa.Table:
        """Read what findings show of some rows."""
        return originals(self._connection, self._opened[kind], rows)

    def tables(self) -> Tables:
        """Give the tables, planted rows among them."""
        return Tables.of({kind: ibis.table(ibis.schema(SCHEMAS[kind]), name=kind.value) for kind in self._kinds})

    def rows(self, expression: ir.Table) -> pa.Table:
        """Run an expression; columns as it names them."""
        found: pa.Table = self._connection.sql(compiled(expression, self._connection)).to_arrow_table()
        return found

    def reasons(self, expression: ir.Table, most: int) -> tuple[dict[str, int], pa.Table]:
        """Count the real rows of `row` and `reason` by reason, and list the first of them."""
        sql = compiled(expression, self._connection)
        self._connection.execute(
            f'CREATE OR REPLACE TEMP TABLE reasons_ AS SELECT DISTINCT "row", reason FROM ({sql}) WHERE "row" >= 0'
        )
        counted = self._connection.execute("SELECT reason, count(*) FROM reasons_ GROUP BY ALL ORDER BY ALL").fetchall()
        listed: pa.Table = self._connection.sql(
            f'SELECT "row", reason FROM reasons_ ORDER BY ALL LIMIT {int(most)}'
        ).to_arrow_table()
        return {str(reason): int(rows) for reason, rows in counted}, listed

    def versions(self) -> dict[str, str]:
        """Name the engine and its version."""
        return {"engine": "duckdb", "duckdb": _version("duckdb"), "ibis": ibis.__version__}

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


class SparkEngine:
    """Spark by address; it reads the prepared store, which must stand where its workers can read it."""

    def __init__(self, address: str, memory: str) -> None:
        found = _SPARK.fullmatch(address)
        if found is None:
            raise _unknown(address)
        try:
            from pyspark.sql import SparkSession  # noqa: PLC0415  (an extra: only where Spark is asked for)
        except ImportError as problem:
            raise EngineError(
                "没有安装 Spark 组件",
                "Spark isn't installed",
                advice_chinese="运行：pip install 'huodang[spark]'（另需 Java 17）。",
                advice_english="Run: pip install 'huodang[spark]' (it needs Java 17).",
            ) from problem
        master = f"spark{found[2]}" if found[2] else (found[1] or "local[*]")
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder: Any = SparkSession.builder.appName("huodang check").master(master)
        for key, value in {
            "spark.driver.memory": memory.lower().replace("gb", "g").replace("mb", "m"),
            "spark.ui.enabled": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.adaptive.enabled": "true",
            "spark.sql.join.preferSortMergeJoin": "false",
        }.items():
            builder = builder.config(key, value)
        self._session = builder.getOrCreate()
        self._session.sparkContext.setLogLevel("ERROR")
        self._backend = ibis.pyspark.connect(self._session)
        self._kinds: list[Kind] = []

    def load(self, prepared: Prepared, planted: Planted) -> None:
        """Take the tables of a prepared store, and planted rows with them."""
        for kind in prepared.counts:
            frame = self._session.read.parquet(str(prepared.path(kind)))
            rows = planted.tables.get(kind)
            if rows is not None:
                file = prepared.folder / f"planted-{kind}.parquet"
                pq.write_table(rows.cast(SCHEMAS[kind]), file)
                frame = frame.unionByName(self._session.read.parquet(str(file)))
            frame.createOrReplaceTempView(kind.value)
            self._kinds.append(kind)
        rows = sum(prepared.counts.values())
        self._session.conf.set("spark.sql.shuffle.partitions", str(min(max(rows // _PARTITION_ROWS, 2), 400)))
        if rows < _FEW:
            self._session.conf.set("spark.sql.codegen.wholeStage", "false")
            self._session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")

    def tables(self) -> Tables:
        """Give the tables, planted rows among them."""
        return Tables.of({kind: self._backend.table(kind.value) for kind in self._kinds})

    def rows(self, expression: ir.Table) -> pa.Table:
        """Run an expression; columns as it names them."""
        found: pa.Table = self._backend.to_pyarrow(expression)
        return found

    def reasons(self, expression: ir.Table, most: int) -> tuple[dict[str, int], pa.Table]:
        """Count the real rows of `row` and `reason` by reason, and list the first of them."""
        real = expression.filter(expression.row >= 0).select("row", "reason").distinct()
        listed = self.rows(real.order_by("row", "reason").limit(most)).cast(_REASONS)
        if listed.num_rows < most:
            counts = Counter(listed["reason"].to_pylist())
        else:
            counted = self.rows(real.group_by("reason").agg(rows=real.count()))
            counts = Counter(dict(zip(*counted.to_pydict().values(), strict=True)))
        return dict(sorted(counts.items())), listed

    def versions(self) -> dict[str, str]:
        """Name the engine and its version."""
        return {"engine": "spark", "spark": str(self._session.version), "ibis": ibis.__version__}

    def close(self) -> None:
        """End the session."""
        self._session.stop()


def compiled(expression: ir.Table, connection: duckdb.DuckDBPyConnection) -> str:
    """Write an expression as SQL of DuckDB, and register the small tables that it brings itself."""
    for memory in expression.op().find(ops.InMemoryTable):
        connection.register(memory.name, memory.data.to_pyarrow(memory.schema))
    return str(ibis.to_sql(expression, dialect="duckdb"))


def is_spark(address: str) -> bool:
    """Tell which engine an address means.

    Raises:
        EngineError: neither.
    """
    if address == "duckdb":
        return False
    if _SPARK.fullmatch(address):
        return True
    raise _unknown(address)


def _unknown(address: str) -> EngineError:
    return EngineError(
        f"不认识的引擎：{address}",
        f"no such engine: {address}",
        advice_chinese="可用：duckdb、spark、spark:local[2]、spark://主机:7077。",
        advice_english="There are: duckdb, spark, spark:local[2], spark://HOST:7077.",
    )


def _version(name: str) -> str:
    from importlib.metadata import version  # noqa: PLC0415  (asked once a run)

    return version(name)
