"""Where the table of a sheet begins: below its title, under a heading of one row or of several merged ones."""

from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from huodang.exchange.files.cells import cell_text
from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.excel import Merged, cell_name, merged_ranges, sheet_of
from huodang.exchange.files.formats import FileFormat, Remark, numbered_columns
from huodang.exchange.files.text_detection import looks_like_heading
from huodang.standards import Place

_LOOKED_AT: Final = 50
_MOST_COLUMNS: Final = 2000


def find_heading(workbook: CalamineWorkbook, path: Path, declared: FileFormat, remarks: list[Remark]) -> FileFormat:
    """Choose the sheet and find the heading in it.

    Raises:
        FileFormatError: there is no sheet with content, or the heading's columns can't be told apart.
    """
    name = declared.sheet or _choose_sheet(workbook, path, remarks)
    sheet = sheet_of(workbook, name, path)
    ranges = merged_ranges(sheet)
    rows: list[list[object]] = [list(row) for row in islice(sheet.iter_rows(), _LOOKED_AT)]
    width = max((len(row) for row in rows), default=0)
    if not width or width > _MOST_COLUMNS:
        raise FileFormatError(
            "empty",
            "工作表是空的，或列数过多",
            "the sheet is empty, or has too many columns",
            place=Place(file=path.name),
        )
    filled = _fill_merged(rows, ranges)
    place = Place(file=path.name)
    top = _top_row(filled, ranges) if declared.header_row == 1 else declared.header_row - 1
    if top >= len(filled):
        raise FileFormatError("empty", "找不到表头", "there is no heading", place=place)
    found = msgspec.structs.replace(declared, sheet=name, header_row=top + 1)
    if not declared.header or (not declared.columns and not looks_like_heading([_shown(c) for c in filled[top]])):
        names = declared.columns or numbered_columns(_used_width(filled[top:]))
        return msgspec.structs.replace(found, header=False, columns=names)
    depth = declared.header_rows if declared.header_rows > 1 else _depth(ranges, top)
    names = _names(filled[top : top + depth], ranges, top, place)
    if top:
        remarks.append(Remark("title_rows", f"表头在第 {top + 1} 行", f"the heading is row {top + 1}"))
    return msgspec.structs.replace(found, header_rows=depth, columns=names)


def _choose_sheet(workbook: CalamineWorkbook, path: Path, remarks: list[Remark]) -> str:
    visible = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    ]
    filled = [name for name in visible if (sheet_of(workbook, name, path)).height]
    if not filled:
        raise FileFormatError("empty", "工作簿中没有内容", "the workbook is empty", place=Place(file=path.name))
    if len(filled) > 1:
        remarks.append(
            Remark(
                "several_sheets",
                f"有 {len(filled)} 个工作表，只读取“{filled[0]}”",
                f"there are {len(filled)} sheets; only “{filled[0]}” is read",
            )
        )
    return filled[0]


def _fill_merged(rows: list[list[object]], ranges: tuple[Merged, ...]) -> list[list[object]]:
    filled = [list(row) for row in rows]
    for (top, left), (bottom, right) in ranges:
        if top >= len(filled) or left >= len(filled[top]):
            continue
        for row in range(top, min(bottom + 1, len(filled))):
            for column in range(left, min(right + 1, len(filled[row]))):
                filled[row][column] = rows[top][left]
    return filled


def _top_row(filled: list[list[object]], ranges: tuple[Merged, ...]) -> int:
    """The first row as full as any: titles and remarks above a table fill fewer cells, or one merged cell."""

    def weight(row: list[object], index: int) -> int:
        texts = [_shown(cell) for cell in row]
        spread = any(
            top <= index <= bottom and right - left + 1 >= _used_width([row]) for (top, left), (bottom, right) in ranges
        )
        return 1 if spread else sum(bool(text) for text in texts)

    weights = [weight(row, index) for index, row in enumerate(filled)]
    most = max(weights)
    return weights.index(most)


def _depth(ranges: tuple[Merged, ...], top: int) -> int:
    """How many rows the heading takes: as many as the tallest merged cell in its first row."""
    return max((bottom - first + 1 for (first, _), (bottom, _) in ranges if first == top), default=1)


def _names(rows: list[list[object]], ranges: tuple[Merged, ...], top: int, place: Place) -> tuple[str, ...]:
    width = _used_width(rows)
    names: list[str] = []
    for column in range(width):
        parts = [_shown(row[column]) if column < len(row) else "" for row in rows]
        names.append("/".join(dict.fromkeys(part for part in parts if part)))
    if "" in names:
        raise FileFormatError(
            "unnamed_column",
            f"表头单元格 {cell_name(top, names.index(''))} 没有名称",
            f"the heading's cell {cell_name(top, names.index(''))} has no name",
            advice_chinese="请补全列名。",
            advice_english="Name every column.",
            place=Place(row=top + 1).within(place),
        )
    for (first, left), (last, right) in ranges:
        if first <= top + len(rows) - 1 and last >= top and len(set(names[left : right + 1])) < right - left + 1:
            where = f"{cell_name(first, left)}:{cell_name(last, right)}"
            raise FileFormatError(
                "merged_heading",
                f"表头有合并单元格 {where}，其下各列没有各自的名称",
                f"the heading's cells {where} are merged, and the columns below have no names of their own",
                advice_chinese="请取消合并，给每一列单独的名称。",
                advice_english="Unmerge them and give each column its own name.",
                place=Place(row=top + 1).within(place),
            )
    return tuple(names)


def _used_width(rows: list[list[object]]) -> int:
    return max((index + 1 for row in rows for index, cell in enumerate(row) if _shown(cell)), default=0)


def _shown(cell: object) -> str:
    return cell_text(cell).strip(" \t\r\n\u3000")
