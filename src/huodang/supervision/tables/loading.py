"""Files loaded into tables of one DuckDB connection: packed, with what is unfit set aside in quarantine files."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from huodang.exchange.files import neutralise
from huodang.supervision.tables.errors import TablesError
from huodang.supervision.tables.kinds import Kind
from huodang.supervision.tables.raw_files import Opened, Progress, quiet, write_refused
from huodang.supervision.tables.reasons import SAID, Reason
from huodang.supervision.tables.schema import COMMON, SCHEMAS
from huodang.supervision.tables.selecting import RawFile, select

_OTHER_MONTH: Final = 100
_MEMORY: Final = re.compile(r"[1-9][0-9]*(\.[0-9]+)?\s*[KMGT]i?B", re.IGNORECASE)
_HEADING: Final = ("file", "row", "column", "reason", "chinese", "english")


@dataclass(frozen=True)
class Loaded:
    """What became of the rows of one kind.

    Attributes:
        rows: taken.
        quarantined: set aside, by the code of the reason.
        other_months: payments left aside because only some months were asked for.
    """

    rows: int
    quarantined: Mapping[str, int]
    other_months: int = 0


def connect(memory: str, threads: int | None, spill: Path) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that stays within bounds and writes what is too much to a folder.

    Raises:
        TablesError: the bound isn't an amount of memory.
    """
    if not _MEMORY.fullmatch(memory.strip()):
        raise TablesError(
            f"内存上限的写法无法识别：{memory}",
            f"not an amount of memory: {memory}",
            advice_chinese="请写成如 4GB、800MB。",
            advice_english="Write it as 4GB or 800MB.",
        )
    spill.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory.strip(),
        "temp_directory": str(spill),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "true",
    }
    if threads:
        config["threads"] = str(threads)
    return duckdb.connect(":memory:", config=config)


def load(
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    opened: Opened,
    quarantine: Path,
    *,
    columns: Sequence[str] = (),
    months: Sequence[int] = (),
    on: date | None = None,
    progress: Progress = quiet,
) -> Loaded:
    """Load the files of a kind into the table of its name.

    Args:
        connection: of `connect`.
        kind: which.
        opened: its files.
        quarantine: the folder of quarantine files; `KIND.csv` is written when there is something in it.
        columns: which columns of the schema, besides those that every table has; none: all.
        months: payments of other months are left aside; none: all are taken.
        on: the day of the check; a birth date after it is a fault.
        progress: told before and after.
    """
    wanted = [name for name in SCHEMAS[kind].names if not columns or name in columns or name == "row"]
    total = sum(file.rows for file in opened.files)
    step = f"整理 / preparing {kind}"
    progress(step, 0, total)
    if months and kind is Kind.PAYMENTS and "month" not in wanted:
        wanted.append("month")
    parts = " UNION ALL ".join(select(file, wanted, on) for file in opened.files)
    connection.execute(f"CREATE OR REPLACE TABLE {kind} AS {parts}")
    if months and kind is Kind.PAYMENTS:
        listed = ", ".join(str(int(month)) for month in months)
        connection.execute(f"UPDATE {kind} SET reason_ = {_OTHER_MONTH} WHERE reason_ = 0 AND month NOT IN ({listed})")
    counted = dict(connection.execute(f"SELECT reason_, count(*) FROM {kind} GROUP BY reason_").fetchall())
    reasons = Counter({Reason(number).code: n for number, n in counted.items() if number not in (0, _OTHER_MONTH)})
    reasons.update(one.reason.code for broken in opened.refused for one in broken)
    if reasons:
        write_refused(quarantine / f"{kind}.csv", _HEADING, _lines(connection, kind, opened))
    if set(counted) - {0}:
        connection.execute(f"DELETE FROM {kind} WHERE reason_ <> 0")
    connection.execute(f"ALTER TABLE {kind} DROP COLUMN reason_")
    progress(step, total, total)
    return Loaded(counted.get(0, 0), dict(reasons), counted.get(_OTHER_MONTH, 0))


def common_columns() -> tuple[str, ...]:
    """Name the columns that every table begins with."""
    return tuple(name for name, _ in COMMON)


def _lines(connection: duckdb.DuckDBPyConnection, kind: Kind, opened: Opened) -> Iterator[dict[str, object]]:
    for file, broken in zip(opened.files, opened.refused, strict=True):
        for one in broken:
            yield _line(file, one.row, one.reason)
        found = connection.execute(
            f"SELECT place_, reason_ FROM (SELECT {file.place} AS place_, file_row_number + {file.offset} AS row_in_ "
            f"FROM {file.scan}) JOIN {kind} ON {kind}.row = row_in_ WHERE reason_ NOT IN (0, {_OTHER_MONTH}) "
            "ORDER BY place_"
        )
        while rows := found.fetchmany(10_000):
            for place, reason in rows:
                yield _line(file, place, Reason(reason))


def _line(file: RawFile, place: int, reason: Reason) -> dict[str, object]:
    said = SAID[reason]
    column = file.table.column(said.column) if said.column else None
    header = (column.header if column else None) or said.column
    return {
        "file": neutralise(file.table.file),
        "row": place,
        "column": neutralise(header),
        "reason": reason.code,
        "chinese": said.chinese,
        "english": said.english,
    }
