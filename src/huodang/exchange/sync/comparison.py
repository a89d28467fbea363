"""The comparison: both sides, spooled as lines, are hashed and joined by key in DuckDB, which spills to disk.

What stays in DuckDB is the key, the bucket and the hash of every row; the rows themselves stay in the spool files and
are read again only where they changed. Memory is bounded by the limit that DuckDB is given, whatever the table's size.
"""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import duckdb

from huodang.exchange.sync.canonical import Pair, canonical, literal, row_text
from huodang.exchange.sync.columns import Engine, Kind
from huodang.exchange.sync.cursors import cursor_expression, cursor_type
from huodang.exchange.sync.errors import ApplyError
from huodang.exchange.sync.faults import LongLineError, clear_faults
from huodang.exchange.sync.outgoing import decoder, file_value, row_value
from huodang.exchange.sync.refusals import KEY_TWICE, refusal
from huodang.exchange.sync.side import OPERATION, Cells, Load

Which = Literal["source", "target"]
_BATCH: Final = 10_000
_ROWS_A_SLICE: Final = 1_000_000
_BUCKET_DIGITS: Final = 3
_DEFAULT_LINE: Final = 2_000_000


@dataclass(frozen=True)
class Spool:
    """The rows of one side on disk.

    Attributes:
        file: lines of escaped fields.
        engine: the product that they come from.
        rows: how many.
    """

    file: Path
    engine: Engine
    rows: int


@dataclass(frozen=True)
class Buckets:
    """The hashes of one side: rows compared, hash of every bucket by its first hexadecimal digits, and the root."""

    rows: int
    hashes: dict[str, str]
    root: str


class Comparison:
    """One comparison in one work folder."""

    def __init__(
        self,
        folder: Path,
        memory: str,
        pairs: Sequence[Pair],
        key: Sequence[str],
        *,
        target_engine: Engine,
        is_exact: bool,
    ) -> None:
        self._pairs = tuple(pairs)
        self._names = [pair.source.name for pair in pairs]
        self._key = [self._names.index(name) for name in key]
        self._folder = folder
        self._target_engine = target_engine
        self._is_exact = is_exact
        self._spools: dict[str, Spool] = {}
        self._line: dict[str, int] = {}
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": str(folder / "spill"),
            "threads": os.cpu_count() or 1,
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        self._database = duckdb.connect(str(folder / "comparison.duckdb"), config=settings)
        self._run("CREATE TABLE refused (k VARCHAR, number INTEGER, code VARCHAR)")
        self._run("CREATE TABLE held (k VARCHAR)")
        self._run("CREATE TABLE twice (k VARCHAR)")

    def close(self) -> None:
        """Let go of DuckDB."""
        self._database.close()

    def interrupt(self) -> None:
        """Stop what DuckDB does now."""
        self._database.interrupt()

    def _run(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with clear_faults(self._folder):
            return self._database.execute(statement, list(parameters)).fetchall()

    # --- reading ---------------------------------------------------------------------------------------------------

    def take(self, which: Which, spool: Spool, cursor: str | None = None) -> None:
        """Read a spool: key, bucket, hash of every row; for the source also what is wrong with it.

        Raises:
            ApplyError: not every line of the spool was understood.
        """
        self._spools[which] = spool
        self._run(f"DROP TABLE IF EXISTS {which}")
        try:
            self._run(self._taking(which, cursor))
        except LongLineError:
            self._line[which] = _longest_line(spool.file) + 16
            self._run(self._taking(which, cursor))
        read = self._run(f"SELECT count(*) FROM {which}")[0][0]
        if read != spool.rows:
            raise ApplyError(
                f"读到 {spool.rows} 行，却只能辨认 {read} 行",
                f"{spool.rows} rows were read and only {read} understood",
                advice_chinese="请把表结构和本消息发给维护者；目标表没有改动。",
                advice_english="Please report the table's structure; the target is unchanged.",
            )

    def _taking(self, which: Which, cursor: str | None) -> str:
        value = f"c{self._names.index(cursor)}" if cursor else ""
        comparable = cursor_expression(self._pairs[self._names.index(cursor)], value) if cursor else "NULL"
        wrong = self._refusal() if which == "source" else "NULL"
        return (
            f"CREATE TABLE {which} AS SELECT k, left(sha256(k), {_BUCKET_DIGITS}) AS b, "
            f"unhex(sha256({self._row()})) AS h, {comparable} AS c, {wrong} AS q FROM ({self._canonical(which)})"
        )

    def _canonical(self, which: Which) -> str:
        """Give the query of a spool's canonical rows: columns `c0`, `c1` … and the key `k`."""
        spool = self._spools[which]
        fields = ", ".join(
            f"{self._canonical_field(pair, which, f'f{number}')} AS c{number}"
            for number, pair in enumerate(self._pairs)
        )
        # A line of one column could be blank, and blank lines are skipped: such lines end with a tab.
        width = max(len(self._pairs), 2)
        columns = ", ".join(f"'f{number}': 'VARCHAR'" for number in range(width))
        line = self._line.get(which, 0)
        longer = f", max_line_size={line}" if line > _DEFAULT_LINE else ""
        reader = (
            f"read_csv({literal(str(spool.file))}, delim='\t', quote='', escape='', nullstr='\\N', header=false, "
            f"auto_detect=false, new_line='\\n', columns={{{columns}}}{longer})"
        )
        key = " || chr(9) || ".join(f"c{number}" for number in self._key)
        return f"SELECT *, {key} AS k FROM (SELECT {fields} FROM {reader})"

    def _canonical_field(self, pair: Pair, which: Which, field: str) -> str:
        column = pair.source if which == "source" else pair.target
        is_exact = self._is_exact and pair.source.type == pair.target.type
        return canonical(pair.kind, column, self._spools[which].engine, field, is_exact=is_exact)

    def _row(self) -> str:
        return row_text([f"c{number}" for number in range(len(self._pairs))])

    def _refusal(self) -> str:
        return refusal(self._pairs, self._key, self._target_engine, is_exact=self._is_exact)

    # --- judging ---------------------------------------------------------------------------------------------------

    def refuse(self, keys: Sequence[str | None], number: int, code: str) -> None:
        """Refuse rows by key."""
        if keys:
            self._database.executemany("INSERT INTO refused VALUES (?, ?, ?)", [(key, number, code) for key in keys])

    def settle(self) -> int:
        """Settle which rows are refused, and give their number."""
        self._run(
            "INSERT INTO refused SELECT k, try_cast(split_part(q, ':', 2) AS INTEGER), split_part(q, ':', 1) "
            "FROM source WHERE q IS NOT NULL"
        )
        self._run(
            f"INSERT INTO refused SELECT k, -1, '{KEY_TWICE}' FROM source WHERE k IS NOT NULL "
            "GROUP BY k HAVING count(*) > 1"
        )
        self._run("INSERT INTO held SELECT DISTINCT k FROM refused WHERE k IS NOT NULL")
        return int(
            self._run("SELECT count(*) FROM source WHERE k IS NULL OR q IS NOT NULL OR k IN (SELECT k FROM held)")[0][0]
        )

    def reasons(self) -> dict[str, int]:
        """Count refused rows by reason; a row has the first reason that was found."""
        rows = self._run(
            "SELECT code, count(*) FROM (SELECT coalesce(split_part(s.q, ':', 1), r.code) AS code FROM source s "
            "LEFT JOIN (SELECT k, min(code) AS code FROM refused GROUP BY k) r ON r.k = s.k "
            "WHERE s.k IS NULL OR s.q IS NOT NULL OR s.k IN (SELECT k FROM held)) GROUP BY code ORDER BY code"
        )
        return {str(code): int(count) for code, count in rows}

    def refused_rows(self) -> Iterator[list[tuple[Any, ...]]]:
        """Give refused rows in batches: code, column number, key, then the fields, still escaped."""
        fields = ", ".join(f"c{number}" for number in range(len(self._pairs)))
        query = (
            f"SELECT coalesce(split_part(s.q, ':', 1), r.code), coalesce(try_cast(split_part(s.q, ':', 2) AS INTEGER), "
            f"r.number), s.k, {fields} FROM (SELECT *, {self._refusal()} AS q FROM ({self._canonical('source')})) s "
            "LEFT JOIN (SELECT k, min(code) AS code, min_by(number, code) AS number FROM refused WHERE k IS NOT NULL "
            "GROUP BY k) r ON r.k = s.k WHERE s.k IS NULL OR s.q IS NOT NULL OR r.k IS NOT NULL"
        )
        yield from self._batches(query)

    def column_values(self, name: str) -> Iterator[list[tuple[Any, ...]]]:
        """Give key and value of one column of the source in batches, still escaped."""
        number = self._names.index(name)
        yield from self._batches(f"SELECT k, c{number} FROM ({self._canonical('source')}) WHERE k IS NOT NULL")

    def _batches(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        with clear_faults(self._folder), closing(self._database.cursor()) as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(_BATCH):
                yield rows

    def compare(self) -> dict[str, int]:
        """Join the two sides by key; count what is to be inserted (I), updated (U), replaced (R) and deleted (D)."""
        self._run("INSERT INTO twice SELECT k FROM target WHERE k IS NOT NULL GROUP BY k HAVING count(*) > 1")
        usable = "k IS NOT NULL AND k NOT IN (SELECT k FROM held)"
        single = f"{usable} AND k NOT IN (SELECT k FROM twice)"
        self._run("DROP TABLE IF EXISTS change")
        self._run(
            "CREATE TABLE change AS SELECT coalesce(s.k, t.k) AS k, "
            "CASE WHEN t.k IS NULL THEN 'I' WHEN s.k IS NULL THEN 'D' ELSE 'U' END AS op, s.c AS new, t.c AS old "
            f"FROM (SELECT k, h, c FROM source WHERE {usable}) s "
            f"FULL JOIN (SELECT k, h, c FROM target WHERE {single}) t ON s.k = t.k WHERE s.h IS DISTINCT FROM t.h"
        )
        if self._run("SELECT count(*) FROM twice")[0][0]:
            self._run("UPDATE change SET op = 'R' WHERE op = 'I' AND k IN (SELECT k FROM twice)")
            self._run(
                "INSERT INTO change SELECT k, 'D', NULL, NULL FROM twice "
                "WHERE k NOT IN (SELECT k FROM held) AND k NOT IN (SELECT k FROM change)"
            )
        return {str(op): int(count) for op, count in self._run("SELECT op, count(*) FROM change GROUP BY op")}

    def count_target(self) -> int:
        """Count the target's rows that take part."""
        return int(self._run("SELECT count(*) FROM target WHERE k IS NOT NULL")[0][0])

    def watermark(self) -> str | None:
        """Give the greatest cursor of the source."""
        usable = "q IS NULL AND k IS NOT NULL AND k NOT IN (SELECT k FROM held)"
        value = self._run(f"SELECT max(c)::VARCHAR FROM source WHERE {usable}")[0][0]
        return None if value is None else str(value)

    def late(self, cursor: str, watermark: str, overlap: float) -> tuple[int, int]:
        """Count rows that came or moved before the watermark, and updates that left the cursor where it was."""
        pair = self._pairs[self._names.index(cursor)]
        kind = cursor_type(pair)
        border = f"try_cast({literal(watermark)} AS {kind})"
        if overlap and kind == "TIMESTAMP":
            border += f" - to_milliseconds({round(overlap * 1000)})"
        elif overlap and kind != "VARCHAR":
            border += f" - {overlap}"
        moved = "(op IN ('I', 'R') OR op = 'U' AND new IS DISTINCT FROM old)"
        row = self._run(
            f"SELECT count(*) FILTER ({moved} AND new < {border}), "
            "count(*) FILTER (op = 'U' AND new IS NOT DISTINCT FROM old) FROM change"
        )[0]
        return int(row[0]), int(row[1])

    def later(self, cursor: str, one: str | None, other: str | None) -> str | None:
        """Give the later of two watermarks."""
        if one is None or other is None:
            return one or other
        kind = cursor_type(self._pairs[self._names.index(cursor)])
        row = self._run(f"SELECT try_cast(? AS {kind}) >= try_cast(? AS {kind})", (one, other))[0]
        return one if row[0] is None or row[0] else other

    def buckets(self, which: Which) -> Buckets:
        """Hash every bucket of one side over its ordered row hashes, and the root over the buckets."""
        usable = "k IS NOT NULL AND k NOT IN (SELECT k FROM held)"
        rows = int(self._run(f"SELECT count(*) FROM {which} WHERE {usable}")[0][0])
        top = 16**_BUCKET_DIGITS
        slices = min(max(math.ceil(rows / _ROWS_A_SLICE), 1), top)
        ordered = "array_to_string(list_transform(list_sort(list(h)), lambda one: lower(hex(one))), '')"
        hashes: dict[str, str] = {}
        for number in range(slices):
            low, high = top * number // slices, top * (number + 1) // slices - 1
            hashes.update(
                self._run(
                    f"SELECT b, sha256({ordered}) FROM {which} "
                    f"WHERE b BETWEEN '{low:03x}' AND '{high:03x}' AND {usable} GROUP BY b"
                )
            )
        text = "".join(f"{bucket}:{hashes[bucket]}\n" for bucket in sorted(hashes))
        root = self._run("SELECT sha256(?)", (text,))[0][0]
        return Buckets(rows, hashes, str(root))

    def held_in_target(self) -> int:
        """Count rows of the target that stay as they were."""
        return int(self._run("SELECT count(*) FROM target WHERE k IS NULL OR k IN (SELECT k FROM held)")[0][0])

    # --- handing out -----------------------------------------------------------------------------------------------

    def inserts(self, *, to_file: bool) -> Load:
        """Give all rows to insert, for a table that is being filled."""
        return self._load("op = 'I'", to_file=to_file, with_operation=False)

    def changed(self, *, to_file: bool) -> Load:
        """Give full rows to insert or update, led by the operation."""
        return self._load("op IN ('I', 'U', 'R')", to_file=to_file, with_operation=True)

    def _load(self, condition: str, *, to_file: bool, with_operation: bool) -> Load:
        pairs = [(number, pair) for number, pair in enumerate(self._pairs) if not pair.target.generated]
        rows = int(self._run(f"SELECT count(*) FROM change WHERE {condition}")[0][0])
        names = tuple(pair.target.name for _, pair in pairs)
        kinds = tuple(pair.kind for _, pair in pairs)
        if with_operation:
            names, kinds = (OPERATION, *names), (Kind.TEXT, *kinds)
        lead = "CASE op WHEN 'U' THEN 'U' ELSE 'I' END, " if with_operation else ""
        joined = f"FROM ({self._canonical('source')}) s JOIN (SELECT k, op FROM change WHERE {condition}) USING (k)"
        if to_file:
            values = ", ".join(file_value(pair, self._target_engine, f"c{number}") for number, pair in pairs)
            return Load(names, kinds, self._copy(f"SELECT {lead}{values} {joined}", rows), _nothing, rows)
        values = ", ".join(row_value(pair, self._target_engine, f"c{number}") for number, pair in pairs)
        dynamic = [pair.kind is Kind.DYNAMIC for _, pair in pairs]
        decode = decoder(([False] if with_operation else []) + dynamic)

        def batches() -> Iterator[list[Cells]]:
            for batch in self._batches(f"SELECT {lead}{values} {joined}"):
                yield decode(batch)

        return Load(names, kinds, None, batches, rows)

    def gone(self, *, to_file: bool, held: bool = False) -> Load:
        """Give the keys of rows to delete; of refused rows when `held`."""
        pairs = [self._pairs[number] for number in self._key]
        names, kinds = tuple(pair.target.name for pair in pairs), tuple(pair.kind for pair in pairs)
        origin = "SELECT k FROM held" if held else "SELECT k FROM change WHERE op IN ('D', 'R')"
        rows = int(self._run(f"SELECT count(*) FROM ({origin})")[0][0])
        parts = [f"split_part(k, chr(9), {number + 1})" for number in range(len(pairs))]
        if to_file:
            values = ", ".join(
                file_value(pair, self._target_engine, part) for pair, part in zip(pairs, parts, strict=True)
            )
            return Load(names, kinds, self._copy(f"SELECT {values} FROM ({origin})", rows), _nothing, rows)
        values = ", ".join(row_value(pair, self._target_engine, part) for pair, part in zip(pairs, parts, strict=True))
        decode = decoder([kind is Kind.DYNAMIC for kind in kinds])

        def batches() -> Iterator[list[Cells]]:
            for batch in self._batches(f"SELECT {values} FROM ({origin})"):
                yield decode(batch)

        return Load(names, kinds, None, batches, rows)

    def nothing(self, *, to_file: bool) -> Load:
        """Give no rows at all."""
        return Load((), (), self._copy("SELECT 1", 0) if to_file else None, _nothing, 0)

    def _copy(self, query: str, rows: int) -> Path:
        file = self._folder / f"outgoing{len(list(self._folder.glob('outgoing*')))}"
        if rows:
            self._run(
                f"COPY ({query}) TO {literal(str(file))} "
                "(FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\\N')"
            )
        else:
            file.touch()
        return file


def _nothing() -> Iterator[list[Cells]]:
    return iter(())


def _longest_line(file: Path) -> int:
    with file.open("rb") as lines:
        return max(map(len, lines), default=0)
