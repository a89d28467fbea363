"""CSV and its kin: one broken row is named, and reading goes on with the line after its first."""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from huodang.exchange.files.cells import digits_lost, is_scientific, restore
from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.formats import CellProblem, FileFormat, FileRow, Position
from huodang.exchange.files.text_lines import Line, LineReader
from huodang.standards import Place

_MOST_UNCLOSED: Final = 1000
"""Rows whose quotation marks don't close: with more of them the whole file is quoted wrongly."""

_APOSTROPHE: Final = "'"
_LONGEST_FIELD: Final = 131_072


class DelimitedRows:
    """The rows of a CSV file."""

    def __init__(self, path: Path, file_format: FileFormat, position: Position) -> None:
        self._path = path
        self._format = file_format
        self._columns = file_format.columns
        assert file_format.encoding  # noqa: S101  (the front door sees to it)
        self._lines = LineReader(path, file_format.encoding, position)
        self._ahead: deque[Line] = deque()
        self._taken: list[Line] = []
        self._unclosed = 0
        self.position = position
        csv.field_size_limit(_LONGEST_FIELD)

    def rows(self) -> Iterator[FileRow]:
        """Give the rows that follow."""
        reader = self._reader()
        to_skip = self._format.first_data_row - 1 if self.position.offset == 0 else 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                if not self._taken:
                    return
                row, reader = self._broken(), self._reader()
            except csv.Error:
                row, reader = self._broken(), self._reader()
            else:
                first, last = self._taken[0], self._taken[-1]
                if first.number <= to_skip or not cells:
                    self._behind(last)
                    continue
                row = self._row(first, cells)
                self._behind(last)
            yield row

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._texts(), delimiter=self._format.delimiter or ",", strict=True)

    def _texts(self) -> Iterator[str]:
        ahead, taken = self._ahead, self._taken
        while True:
            line = ahead.popleft() if ahead else self._lines.next()
            if line is None:
                return
            taken.append(line)
            yield line.text

    def _behind(self, last: Line) -> None:
        self.position = Position(last.number, last.end)
        self._taken.clear()

    def _row(self, first: Line, cells: list[str]) -> FileRow:
        columns = self._columns
        problems: tuple[CellProblem, ...] = ()
        scientific = quoted = False
        for line in self._taken:
            if line.problem is not None:
                problems = (line.problem,)
            text = line.text
            scientific = scientific or "E+" in text or "e+" in text
            quoted = quoted or _APOSTROPHE in text
        if len(cells) != len(columns) and (len(cells) < len(columns) or any(cells[len(columns) :])):
            problems = (*problems, ragged(len(columns), len(cells)))
        if quoted:
            cells = [restore(cell) for cell in cells]
        if problems:
            cells = [visible(cell) for cell in cells]
        named: dict[str, object] = dict(zip(columns, cells, strict=False))
        if scientific:
            problems += tuple(digits_lost(column) for column, cell in named.items() if is_scientific(str(cell)))
        return FileRow(Place(file=self._path.name, row=first.number), named, problems)

    def _broken(self) -> FileRow:
        """Give up the first of the lines taken for one row, and put the others back."""
        first = self._taken[0]
        self._unclosed += 1
        if self._unclosed > _MOST_UNCLOSED:
            raise FileFormatError(
                "quotation",
                "引号不配对的行过多，整个文件的引号有误",
                "too many rows have quotation marks that don't close",
                advice_chinese="请重新导出为标准 CSV（含引号的内容用双引号括起，内部引号写两个）。",
                advice_english="Export it again as standard CSV (quotes inside a quoted cell are doubled).",
                place=Place(file=self._path.name, row=first.number),
            )
        self._ahead.extendleft(reversed(self._taken[1:]))
        self._behind(first)
        cells = first.text.rstrip("\r\n").split(self._format.delimiter or ",")
        shown: dict[str, object] = {
            column: visible(cell[:1000]) for column, cell in zip(self._columns, cells, strict=False)
        }
        return FileRow(Place(file=self._path.name, row=first.number), shown, (_UNCLOSED,))


def visible(text: str) -> str:
    """Show bytes that are no characters as replacement characters."""
    return "".join("\ufffd" if "\udc80" <= sign <= "\udcff" else sign for sign in text)


def ragged(wanted: int, found: int) -> CellProblem:
    """Say that a row has more or fewer cells than the heading."""
    return CellProblem(
        "",
        "ragged",
        f"该行有 {found} 个单元格，表头有 {wanted} 列",
        f"the row has {found} cells, the heading {wanted}",
    )


_UNCLOSED: Final = CellProblem(
    "",
    "quotation",
    "引号不配对，或一个单元格超过 131072 个字符",
    "quotation marks don't close, or a cell has over 131,072 characters",
)
