"""Rows of a file of any kind, streamed; and where to go on after an interruption."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol, Self

from huodang.exchange.files.dbase import DbaseRows
from huodang.exchange.files.delimited import DelimitedRows
from huodang.exchange.files.detection import detect
from huodang.exchange.files.excel import ExcelRows
from huodang.exchange.files.fixed_width import FixedRows
from huodang.exchange.files.formats import BEGINNING, FileFormat, FileKind, FileRow, Position
from huodang.exchange.files.json_lines import JsonRows
from huodang.exchange.files.parquet import ParquetRows


class _Rows(Protocol):
    position: Position

    def rows(self) -> Iterator[FileRow]: ...

    def close(self) -> None: ...


_READERS: Final[dict[FileKind, Callable[[Path, FileFormat, Position], _Rows]]] = {
    FileKind.CSV: DelimitedRows,
    FileKind.XLSX: ExcelRows,
    FileKind.XLS: ExcelRows,
    FileKind.DBF: DbaseRows,
    FileKind.FIXED: FixedRows,
    FileKind.PARQUET: ParquetRows,
    FileKind.JSON_LINES: JsonRows,
}


class RowReader(Iterator[FileRow]):
    """The rows of one file, one after the other. Use it in a `with`, or close it.

    Attributes:
        format: how the file is read, with its columns named.
    """

    def __init__(self, path: Path, file_format: FileFormat, start: Position) -> None:
        self.format = file_format
        self._reader = _READERS[file_format.kind](path, file_format, start)
        self._rows = self._reader.rows()

    @property
    def position(self) -> Position:
        """Where reading goes on behind the row given last."""
        return self._reader.position

    @property
    def skipped(self) -> int:
        """How many records marked as deleted were left out since reading began."""
        return self._reader.skipped if isinstance(self._reader, DbaseRows) else 0

    def __next__(self) -> FileRow:
        """Give the next row.

        Raises:
            FileFormatError: the file can't be read on.
        """
        return next(self._rows)

    def __enter__(self) -> Self:
        """Give this reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._reader.close()


def read_rows(path: Path, file_format: FileFormat | None = None, *, start: Position = BEGINNING) -> RowReader:
    """Read the rows of a file, in bounded memory (an Excel sheet is held whole).

    Args:
        path: the file.
        file_format: how it is read; what it leaves open, or all of it, is found out by `detect`.
        start: where to go on; the `position` of an earlier reader of the same, unchanged file.

    Raises:
        FileFormatError: the file isn't what the format says, or no format can be found.
    """
    return RowReader(path, detect(path, file_format).format, start)
