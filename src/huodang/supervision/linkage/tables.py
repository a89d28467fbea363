"""The records of a run in DuckDB: features of both files, on disk where they don't fit into memory."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from huodang.supervision.linkage.columns import Column, Role
from huodang.supervision.linkage.features import features
from huodang.supervision.linkage.reading import InputFile
from huodang.supervision.linkage.settings import LinkSettings

# DuckDB's edit distances count bytes, of which a Chinese character has three. One character is changed, lost, added or
# moved by one: what stands before and behind it is the same. A name of two characters of which one is another is no
# likeness but a shared surname.
_ONE_CHARACTER_APART: Final = """CREATE MACRO one_character_apart(one, other) AS (
    greatest(length(one), length(other)) BETWEEN 3 AND 12 AND abs(length(one) - length(other)) <= 1 AND (
        {places}))"""
_PLACES: Final = 12


def _apart_at(place: int) -> str:
    before = f"substr(one, 1, {place - 1}) = substr(other, 1, {place - 1})"
    moved = (
        f"substr(one, {place}, 2) = substr(other, {place + 1}, 1) || substr(other, {place}, 1) "
        f"AND substr(one, {place + 2}) = substr(other, {place + 2})"
    )
    return f"""(length(one) >= {place - 1} AND {before} AND CASE
        WHEN length(one) = length(other) THEN substr(one, {place + 1}) = substr(other, {place + 1}) OR ({moved})
        WHEN length(one) > length(other) THEN substr(one, {place + 1}) = substr(other, {place})
        ELSE substr(one, {place}) = substr(other, {place + 1}) END)"""


Progress = Callable[[str, int], None]
"""Told the step and how many rows it has gone through."""


@dataclass(frozen=True)
class Records:
    """Both sides of a linkage as tables.

    Attributes:
        connection: holds `left_side` and `right_side`; of a deduplication the same rows under both names.
        columns: what is compared.
        left_rows, right_rows: how many records each file has.
        same: one file is held against itself.
    """

    connection: duckdb.DuckDBPyConnection
    columns: tuple[Column, ...]
    left_rows: int
    right_rows: int
    same: bool

    @property
    def has_numbers(self) -> bool:
        """Both files hold identity numbers."""
        return any(one.role is Role.IDENTITY and one.left and one.right for one in self.columns)

    @property
    def has_names(self) -> bool:
        """Both files hold names of Chinese persons."""
        return any(one.role is Role.NAME for one in self.columns)

    def count(self, table: str) -> int:
        """Count the rows of a table of the run."""
        return int(self.connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


@contextmanager
def workspace(settings: LinkSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database of the run's own in a temporary folder, which goes with it."""
    with (
        tempfile.TemporaryDirectory(prefix="huodang-link-", dir=settings.folder) as folder,
        duckdb.connect(str(Path(folder) / "link.duckdb")) as connection,
    ):
        connection.execute(f"SET memory_limit = '{settings.memory.strip()}'")
        connection.execute(f"SET temp_directory = '{folder}/spill'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(_ONE_CHARACTER_APART.format(places=" OR ".join(map(_apart_at, range(1, _PLACES + 1)))))
        if settings.threads:
            connection.execute(f"SET threads = {settings.threads:d}")
        yield connection


def load(
    connection: duckdb.DuckDBPyConnection,
    left: InputFile,
    right: InputFile,
    columns: Sequence[Column],
    progress: Progress,
) -> Records:
    """Read both files into the tables of the run; one file held against itself is read once."""
    same = left.path.samefile(right.path)
    left_rows = _load_side(connection, "left_side", left, columns, is_left=True, progress=progress)
    if same:
        connection.execute("CREATE VIEW right_side AS SELECT * FROM left_side")
        return Records(connection, tuple(columns), left_rows, left_rows, same)
    right_rows = _load_side(connection, "right_side", right, columns, is_left=False, progress=progress)
    return Records(connection, tuple(columns), left_rows, right_rows, same)


def _load_side(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: InputFile,
    columns: Sequence[Column],
    *,
    is_left: bool,
    progress: Progress,
) -> int:
    rows = 0
    for batch in file.batches():
        part = features(batch, columns, is_left=is_left, first_row=rows)
        connection.register("part", part)
        if rows == 0:
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM part")
        else:
            connection.execute(f"INSERT INTO {table} SELECT * FROM part")
        connection.unregister("part")
        rows += batch.num_rows
        progress("read_left" if is_left else "read_right", rows)
    if rows == 0:
        empty = pa.table({name: pa.array([], pa.string()) for name in file.format.columns})
        connection.register("part", features(empty, columns, is_left=is_left, first_row=0))
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM part")
        connection.unregister("part")
    return rows
