"""Parquet, through DuckDB: streamed row by row in bounded memory; it opens this one file and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from huodang.exchange.files.cells import digits_lost, is_inexact, is_scientific
from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.formats import CellProblem, FileFormat, FileRow, Position
from huodang.standards import Place

_AT_ONCE: Final = 2048
_MEMORY: Final = "1GB"
_NESTED: Final = ("STRUCT", "MAP", "UNION")


def connect() -> duckdb.DuckDBPyConnection:
    """Open a database in memory that loads no extension and uses one core."""
    return duckdb.connect(
        ":memory:",
        config={
            "memory_limit": _MEMORY,
            "threads": "1",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
        },
    )


def literal(path: Path) -> str:
    """Write a path as a literal of SQL in which no sign is a pattern."""
    return quoted(str(path).translate({ord(sign): f"[{sign}]" for sign in "*?["}))


def quoted(path: Path | str) -> str:
    """Write a path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def columns_of(path: Path) -> tuple[str, ...]:
    """Name the columns of a file.

    Raises:
        FileFormatError: it is damaged, or a column holds lists or structures.
    """
    with connect() as connection:
        try:
            described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(path)})").fetchall()  # noqa: S608  (a quoted path)
        except duckdb.Error as problem:
            raise _damaged(path) from problem
    for name, kind, *_ in described:
        if kind.endswith("]") or kind.startswith(_NESTED):
            raise FileFormatError(
                "nested",
                "列中是列表或结构，不是单个值",
                "a column holds lists or structures",
                place=Place(file=path.name, column=name),
            )
    return tuple(name for name, *_ in described)


class ParquetRows:
    """The rows of a Parquet file; a row's number is its place in the file."""

    def __init__(self, path: Path, file_format: FileFormat, position: Position) -> None:
        self._path = path
        self._columns = file_format.columns
        self._connection = connect()
        self.position = position

    def rows(self) -> Iterator[FileRow]:
        """Give the rows that follow."""
        start = self.position.offset
        sql = (
            f"SELECT * EXCLUDE (file_row_number) FROM read_parquet({literal(self._path)}, file_row_number = true) "  # noqa: S608  (a quoted path)
            f"WHERE file_row_number >= {int(start)}"
        )
        number, name = start, self._path.name
        try:
            self._connection.execute(sql)
            while found := self._connection.fetchmany(_AT_ONCE):
                for values in found:
                    number += 1
                    self.position = Position(number, number)
                    cells: dict[str, object] = dict(zip(self._columns, values, strict=True))
                    yield FileRow(Place(file=name, row=number), cells, _problems(cells))
        except duckdb.Error as problem:
            raise _damaged(self._path) from problem

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _problems(cells: dict[str, object]) -> tuple[CellProblem, ...]:
    return tuple(
        digits_lost(column)
        for column, value in cells.items()
        if is_inexact(value) or (isinstance(value, str) and is_scientific(value))
    )


def _damaged(path: Path) -> FileFormatError:
    return FileFormatError(
        "damaged",
        "Parquet 文件损坏、不完整或过于庞大",
        "the Parquet file is damaged, cut, or too large to read",
        advice_chinese="请重新导出。",
        advice_english="Export it again.",
        place=Place(file=path.name),
    )
