"""Excel workbooks, .xlsx and .xls: cells by their kind, so that a date is a date only where the cell is one."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError

from huodang.exchange.files.archives import ArchiveLimits, check_archive
from huodang.exchange.files.cells import digits_lost, is_inexact, is_scientific, restore
from huodang.exchange.files.delimited import ragged
from huodang.exchange.files.errors import ArchiveError, FileFormatError
from huodang.exchange.files.formats import CellProblem, FileFormat, FileKind, FileRow, Position
from huodang.exchange.files.text_lines import unreadable
from huodang.standards import Place

Merged = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell of a merged range, row and column counted from 0."""

_LARGEST_WORKBOOK: Final = ArchiveLimits(total_bytes=2 * 1024**3, members=5000, ratio=400)
_LARGEST_OLD_WORKBOOK: Final = 512 * 1024 * 1024


def open_workbook(path: Path, kind: FileKind) -> CalamineWorkbook:
    """Open a workbook after looking at how large it becomes.

    Raises:
        FileFormatError: it is damaged, encrypted or too large.
    """
    place = Place(file=path.name)
    try:
        if kind is FileKind.XLSX:
            check_archive(path, _LARGEST_WORKBOOK, plain_names=False)
        elif path.stat().st_size > _LARGEST_OLD_WORKBOOK:
            raise FileFormatError(
                "too_large", "文件过大，不是 .xls 工作簿", "too large for an .xls workbook", place=place
            )
    except ArchiveError as problem:
        raise FileFormatError(
            problem.reason,
            problem.chinese,
            problem.english,
            advice_chinese=problem.advice_chinese,
            advice_english=problem.advice_english,
            place=place,
        ) from problem
    except OSError as problem:
        raise unreadable(path) from problem
    try:
        return CalamineWorkbook.from_path(str(path), load_tables=False)
    except PasswordError as problem:
        raise FileFormatError(
            "encrypted",
            "工作簿有打开密码",
            "the workbook is encrypted",
            advice_chinese="请去掉密码后重新交付。",
            advice_english="Deliver it without a password.",
            place=place,
        ) from problem
    except Exception as problem:
        raise damaged(path) from problem


def sheet_of(workbook: CalamineWorkbook, name: str, path: Path) -> CalamineSheet:
    """Give a sheet by its name.

    Raises:
        FileFormatError: there is none, or it can't be read.
    """
    if name not in workbook.sheet_names:
        raise FileFormatError(
            "no_sheet",
            f"工作簿中没有工作表“{name}”",
            f"the workbook has no sheet “{name}”",
            place=Place(file=path.name),
        )
    try:
        return workbook.get_sheet_by_name(name)
    except Exception as problem:
        raise damaged(path) from problem


def merged_ranges(sheet: CalamineSheet) -> tuple[Merged, ...]:
    """Give the merged ranges of a sheet."""
    return tuple(sheet.merged_cell_ranges or ())


def cell_name(row: int, column: int) -> str:
    """Name a cell as Excel does; both are counted from 0."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"


def damaged(path: Path) -> FileFormatError:
    """Make the error of a workbook that can't be read."""
    return FileFormatError(
        "damaged",
        "工作簿损坏、不完整，或其实不是 Excel 文件",
        "the workbook is damaged, cut, or no Excel file at all",
        advice_chinese="请用 Excel 打开后另存为 .xlsx，再重新交付。",
        advice_english="Open it in Excel, save it as .xlsx and deliver it again.",
        place=Place(file=path.name),
    )


class ExcelRows:
    """The rows of one sheet. A sheet is held in memory: Excel bounds it at 1,048,576 rows."""

    def __init__(self, path: Path, file_format: FileFormat, position: Position) -> None:
        self._path = path
        self._format = file_format
        self._workbook = open_workbook(path, file_format.kind)
        self._sheet = sheet_of(self._workbook, file_format.sheet, path)
        self._first = max(position.offset, file_format.first_data_row - 1)
        self._covered = _covered_cells(merged_ranges(self._sheet), self._first)
        self.position = position

    def rows(self) -> Iterator[FileRow]:
        """Give the rows that follow; rows without any content are none."""
        columns = self._format.columns
        for index, values in enumerate(islice(self._sheet.iter_rows(), self._first, None), start=self._first):
            self.position = Position(index + 1, index + 1)
            covered = self._covered.get(index, frozenset())
            if not any(value != "" for value in values) and not covered:
                continue
            place = Place(file=self._path.name, row=index + 1)
            problems: list[CellProblem] = []
            if any(value != "" for value in values[len(columns) :]):
                problems.append(ragged(len(columns), len(values)))
            cells: dict[str, object] = {}
            for number, column in enumerate(columns):
                value = values[number] if number < len(values) else ""
                cells[column] = self._cell(value, column, problems)
                if number in covered:
                    problems.append(_merged(column))
            yield FileRow(place, cells, tuple(problems))

    def close(self) -> None:
        """Let go of the workbook."""
        self._workbook.close()

    @staticmethod
    def _cell(value: object, column: str, problems: list[CellProblem]) -> object:
        if isinstance(value, str):
            if is_scientific(value):
                problems.append(digits_lost(column))
            return restore(value)
        if is_inexact(value):
            problems.append(digits_lost(column))
            return f"{value:E}"
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value


def _covered_cells(ranges: tuple[Merged, ...], first: int) -> dict[int, frozenset[int]]:
    """The cells of the data that a merge covers: they look filled, and hold nothing."""
    covered: dict[int, set[int]] = {}
    for (top, left), (bottom, right) in ranges:
        for row in range(max(top, first), bottom + 1):
            columns = covered.setdefault(row, set())
            columns.update(column for column in range(left, right + 1) if (row, column) != (top, left))
    return {row: frozenset(columns) for row, columns in covered.items() if columns}


def _merged(column: str) -> CellProblem:
    return CellProblem(
        column,
        "merged_cell",
        "数据区有合并单元格，该行此列没有自己的值",
        "the cell is covered by a merged one and has no value of its own",
    )
