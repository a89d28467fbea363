"""The file of quarantined rows that a provider can work with: its own cells, where they stand, and what is wrong."""

import csv
import os
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import xlsxwriter

from huodang.exchange.errors import ExchangeError
from huodang.exchange.gateway.conversion import plain
from huodang.exchange.quality.values import BadRow
from huodang.standards import BadValue, Place

_HEAD: Final = ("文件 file", "行 row", "列 column", "数据元 element", "原因代码 reason", "原因", "explanation")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_CELL: Final = 32_767
_LARGEST_SHEET: Final = 1_048_575


def neutralised(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def write_quarantine(path: Path, bad_rows: Iterable[BadRow]) -> int:
    """Write quarantined rows for their provider; give how many.

    One line a row, with the original cells; several faults of a row stand in one cell, parted by line breaks. The
    file is made under a temporary name and appears whole; only its owner may read it.

    Args:
        path: `.csv` (UTF-8 with byte order mark, as Excel wants it) or `.xlsx`.
        bad_rows: the rows; all of one table or file, so that they share their columns.

    Raises:
        ExchangeError: the ending is neither, or the file can't be written.
    """
    if path.suffix not in (".csv", ".xlsx"):
        raise ExchangeError(
            "隔离文件应为 .csv 或 .xlsx",
            "a quarantine file is .csv or .xlsx",
            advice_chinese="请更改文件名的后缀。",
            advice_english="Change the ending of the name.",
            place=Place(file=path.name),
        )
    part = path.with_name(f".{path.name}.part")
    write = _write_csv if path.suffix == ".csv" else _write_excel
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch(mode=0o600)
        written = write(part, bad_rows)
        part.chmod(0o600)
        os.replace(part, path)  # noqa: PTH105  (one step, whatever stood there)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise ExchangeError(
            "隔离文件无法写入",
            "the quarantine file can't be written",
            advice_chinese="请检查磁盘空间和文件夹权限。",
            advice_english="See whether the disk has room and the folder may be written.",
            place=Place(file=path.name),
        ) from problem
    return written


def _write_csv(path: Path, bad_rows: Iterable[BadRow]) -> int:
    written, columns = 0, list[str]()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        for row in bad_rows:
            if not written:
                columns = list(row.cells)
                out.writerow([*_HEAD, *(neutralised(column) for column in columns)])
            out.writerow([neutralised(text) for text in _line(row, columns)])
            written += 1
        if not written:
            out.writerow(_HEAD)
    return written


def _write_excel(path: Path, bad_rows: Iterable[BadRow]) -> int:
    written, columns = 0, list[str]()
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        as_text = book.add_format({"num_format": "@", "text_wrap": False})
        sheet = book.add_worksheet("隔离")
        for position, head in enumerate(_HEAD):
            sheet.write_string(0, position, head)
        for row in bad_rows:
            if not written:
                columns = list(row.cells)
                for position, column in enumerate(columns, len(_HEAD)):
                    sheet.write_string(0, position, column)
            if written == _LARGEST_SHEET:
                break
            written += 1
            for position, text in enumerate(_line(row, columns)):
                sheet.write_string(written, position, text[:_LONGEST_CELL], as_text)
    return written


def _line(row: BadRow, columns: Sequence[str]) -> list[str]:
    place, faults = row.place, row.faults
    return [
        place.file or "",
        "" if place.row is None else str(place.row),
        "\n".join(fault.column for fault in faults),
        "\n".join(fault.element for fault in faults),
        "\n".join(fault.reason for fault in faults),
        "\n".join(fault.chinese for fault in faults),
        "\n".join(fault.english for fault in faults),
        *(_shown(row.cells.get(column)) for column in columns),
    ]


def _shown(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bytes):
        try:
            return plain(cell) or ""
        except BadValue:
            return cell.hex()
    return "" if cell is None else str(cell)
