"""Files that other departments can open: written whole or not at all, and nothing in them runs."""

import contextlib
import csv
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import duckdb
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from huodang.exchange.files import parquet
from huodang.exchange.files.archives import cannot_write
from huodang.exchange.files.cells import cell_text, neutralise
from huodang.exchange.files.errors import FileWriteError
from huodang.exchange.files.formats import FileFormat, FileKind
from huodang.standards import Place
from huodang.store import sync_folder

WRITTEN: Final = (FileKind.CSV, FileKind.XLSX, FileKind.JSON_LINES, FileKind.PARQUET)
_MOST_SHEET_ROWS: Final = 1_048_576
_LONGEST_EXCEL_CELL: Final = 32_767
_BATCH: Final = 10_000

Cells = Sequence[object]


def write_rows(path: Path, file_format: FileFormat, rows: Iterable[Cells]) -> int:
    """Write a table; give how many rows it has, without the heading.

    Texts stay texts: an identity number is never a number of Excel. In CSV and Excel, cells that a spreadsheet would
    run as a formula are neutralised; `read_rows` gives them back unchanged.

    Args:
        path: the file; it appears when it is complete, in place of what was there.
        file_format: kind, columns, encoding (of CSV; UTF-8 is written with a byte order mark) and delimiter.
        rows: cells in the order of `file_format.columns`.

    Raises:
        FileWriteError: the disk is full, the kind isn't written, or the rows don't fit the kind.
    """
    writer = _WRITERS.get(file_format.kind)
    if writer is None:
        raise FileWriteError(
            "kind_not_written",
            f"不能写出 {file_format.kind.value} 格式",
            f"{file_format.kind.value} isn't written",
            advice_chinese="可写出：csv、xlsx、jsonl、parquet。",
            advice_english="Written are csv, xlsx, jsonl, parquet.",
            place=Place(file=path.name),
        )
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        count = writer(temporary, file_format, rows, path.name)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except (OSError, XlsxWriterException, duckdb.Error) as problem:
        raise cannot_write(path) from problem
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return count


def _write_csv(path: Path, file_format: FileFormat, rows: Iterable[Cells], name: str) -> int:
    gb = file_format.encoding == "gb18030"
    count = 0
    with path.open("w", encoding="gb18030" if gb else "utf-8-sig", newline="", errors="strict") as file:
        writer = csv.writer(file, delimiter=file_format.delimiter or ",")
        if file_format.header:
            writer.writerow([neutralise(column) for column in file_format.columns])
        for count, row in enumerate(rows, start=1):
            try:
                writer.writerow([neutralise(cell_text(cell)) for cell in row])
            except UnicodeEncodeError:
                raise _unfit(name, count, "字符无法写入该编码", "a character can't be written") from None
    return count


def _write_xlsx(path: Path, file_format: FileFormat, rows: Iterable[Cells], name: str) -> int:
    options = {
        "constant_memory": True,
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "tmpdir": str(path.parent),
    }
    workbook = xlsxwriter.Workbook(str(path), options)
    workbook.use_zip64()
    sheet = workbook.add_worksheet("数据")
    as_text, heading = workbook.add_format({"num_format": "@"}), workbook.add_format({"bold": True, "num_format": "@"})
    offset = 0
    if file_format.header:
        for number, column in enumerate(file_format.columns):
            sheet.write_string(0, number, neutralise(column), heading)
        sheet.freeze_panes(1, 0)
        offset = 1
    count = 0
    try:
        for count, row in enumerate(rows, start=1):
            if count + offset > _MOST_SHEET_ROWS:
                raise _unfit(name, count, "超过 Excel 的行数上限", "Excel can't hold so many rows")
            for number, cell in enumerate(row):
                text = neutralise(cell_text(cell))
                if not text:
                    continue
                if len(text) > _LONGEST_EXCEL_CELL:
                    raise _unfit(name, count, "单元格超过 Excel 的 32767 字", "a cell is too long for Excel")
                sheet.write_string(count - 1 + offset, number, text, as_text)
    finally:
        # Also where rows fail half way: the library's own temporary files go with it.
        workbook.close()
    return count


def _write_json(path: Path, file_format: FileFormat, rows: Iterable[Cells], name: str) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for count, row in enumerate(rows, start=1):
            members = dict(zip(file_format.columns, map(_json_value, row), strict=True))
            try:
                file.write(json.dumps(members, ensure_ascii=False, separators=(",", ":")) + "\n")
            except UnicodeEncodeError:
                raise _unfit(name, count, "字符无法写入该编码", "a character can't be written") from None
    return count


def _write_parquet(path: Path, file_format: FileFormat, rows: Iterable[Cells], name: str) -> int:
    spool = path.with_suffix(".spool")
    columns = [f'"{column.replace(chr(34), chr(34) * 2)}"' for column in file_format.columns]
    count = 0
    connection = duckdb.connect(
        str(spool), config={"memory_limit": "1GB", "threads": "1", "autoload_known_extensions": "false"}
    )
    try:
        connection.execute(f"CREATE TABLE spool ({', '.join(f'{column} VARCHAR' for column in columns)})")
        slots = ", ".join(f"unnest(${number}::VARCHAR[])" for number in range(1, len(columns) + 1))
        for batch in _batches(rows):
            connection.execute(f"INSERT INTO spool SELECT {slots}", [list(cells) for cells in zip(*batch, strict=True)])
            count += len(batch)
        connection.execute(f"COPY (SELECT * FROM spool ORDER BY rowid) TO {parquet.quoted(path)} (FORMAT parquet)")  # noqa: S608  (a quoted path)
    except UnicodeEncodeError:
        raise _unfit(name, count, "字符无法写入该编码", "a character can't be written") from None
    finally:
        connection.close()
        for left in (spool, spool.with_name(spool.name + ".wal")):
            left.unlink(missing_ok=True)
    return count


def _batches(rows: Iterable[Cells]) -> Iterator[list[list[str | None]]]:
    batch: list[list[str | None]] = []
    for row in rows:
        batch.append([None if cell is None else cell_text(cell) for cell in row])
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _json_value(cell: object) -> object:
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, Decimal) and cell == cell.to_integral_value():
        return int(cell)
    return cell_text(cell)


def _unfit(name: str, row: int, chinese: str, english: str) -> FileWriteError:
    return FileWriteError("does_not_fit", chinese, english, place=Place(file=name, row=row))


_WRITERS: Final[dict[FileKind, Callable[[Path, FileFormat, Iterable[Cells], str], int]]] = {
    FileKind.CSV: _write_csv,
    FileKind.XLSX: _write_xlsx,
    FileKind.JSON_LINES: _write_json,
    FileKind.PARQUET: _write_parquet,
}
