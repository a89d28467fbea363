"""What a file is, found from its bytes and never from its name alone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from huodang.exchange.files import dbase, excel, parquet
from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.excel_heading import find_heading
from huodang.exchange.files.formats import FileFormat, FileKind, Remark, with_columns
from huodang.exchange.files.text_detection import complete_text_format
from huodang.exchange.files.text_lines import open_binary, unreadable
from huodang.standards import Place

_HEAD: Final = 4096
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SUFFIXES: Final = {
    FileKind.CSV: {".csv", ".txt", ".tsv", ".dat"},
    FileKind.XLSX: {".xlsx", ".xlsm"},
    FileKind.XLS: {".xls", ".et"},
    FileKind.DBF: {".dbf"},
    FileKind.FIXED: {".txt", ".dat", ".fix"},
    FileKind.PARQUET: {".parquet", ".pq"},
    FileKind.JSON_LINES: {".jsonl", ".ndjson", ".json"},
}


@dataclass(frozen=True)
class Detected:
    """What was found about a file.

    Attributes:
        format: complete: it can be handed to `read_rows`.
        remarks: what a person should know about it.
    """

    format: FileFormat
    remarks: tuple[Remark, ...] = ()


def detect(path: Path, declared: FileFormat | None = None) -> Detected:
    """Find out how a file is read.

    Args:
        path: the file.
        declared: what is known already; it is held against the bytes, and what it leaves open is found.

    Raises:
        FileFormatError: it is empty, damaged, of no known kind or another than declared, or its heading is broken.
    """
    kind = _kind(path, declared)
    place = Place(file=path.name)
    remarks: list[Remark] = []
    if declared is None and path.suffix.lower() not in _SUFFIXES[kind]:
        remarks.append(
            Remark(
                "other_extension",
                f"扩展名为“{path.suffix}”，内容其实是 {kind.value}，按内容读取",
                f"the extension is {path.suffix or 'missing'}, the content is {kind.value}: read by its content",
            )
        )
    found = declared or FileFormat(kind=kind)
    match kind:
        case FileKind.CSV | FileKind.FIXED | FileKind.JSON_LINES:
            found = complete_text_format(path, found, remarks)
        case FileKind.XLSX | FileKind.XLS:
            found = _excel(path, msgspec.structs.replace(found, kind=kind), remarks)
        case FileKind.DBF:
            with open_binary(path) as file:
                header = dbase.read_header(path, file)
            found = with_columns(found, tuple(field.name for field in header.fields))
            found = msgspec.structs.replace(found, encoding=found.encoding or "gb18030")
        case FileKind.PARQUET:
            found = with_columns(found, parquet.columns_of(path))
    _check_columns(found, declared, place)
    return Detected(found, tuple(remarks))


def _kind(path: Path, declared: FileFormat | None) -> FileKind:
    place = Place(file=path.name)
    try:
        size = path.stat().st_size
    except OSError as problem:
        raise unreadable(path) from problem
    if not path.is_file():
        raise unreadable(path)
    if size == 0:
        raise FileFormatError(
            "empty",
            "文件是空的",
            "the file is empty",
            advice_chinese="没有数据时也请交付只有表头的文件。",
            advice_english="Where there are no data, deliver a file with the heading only.",
            place=place,
        )
    with open_binary(path) as file:
        head = file.read(_HEAD)
    kind = _kind_of_head(head, path)
    if declared is None:
        return kind
    excel_kinds = (FileKind.XLSX, FileKind.XLS)
    text_kinds = (FileKind.CSV, FileKind.FIXED, FileKind.JSON_LINES)
    if declared.kind == kind or (declared.kind in text_kinds and kind in text_kinds):
        return declared.kind
    if declared.kind in excel_kinds and kind in excel_kinds:
        return kind
    raise FileFormatError(
        "other_kind",
        f"文件内容是 {kind.value}，不是声明的 {declared.kind.value}",
        f"the content is {kind.value}, not {declared.kind.value} as declared",
        advice_chinese="请按声明的格式重新导出，或更正声明。",
        advice_english="Export it as declared, or correct what is declared.",
        place=place,
    )


def _kind_of_head(head: bytes, path: Path) -> FileKind:
    place = Place(file=path.name)
    if head.startswith(_OLE):
        return FileKind.XLS
    if head.startswith(b"PK\x03\x04"):
        return FileKind.XLSX
    if head.startswith(b"PAR1"):
        return FileKind.PARQUET
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileFormatError(
            "utf16",
            "文件是 UTF-16（Excel 的“Unicode 文本”）",
            "the file is UTF-16 (Excel's “Unicode text”)",
            advice_chinese="请另存为“CSV UTF-8”或 .xlsx。",
            advice_english="Save it as “CSV UTF-8” or .xlsx.",
            place=place,
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:256].lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head", b"<style")):
        raise FileFormatError(
            "markup",
            "文件其实是网页（HTML/XML），不是表格文件",
            "the file is a web page (HTML or XML), no table",
            advice_chinese="请用 Excel 打开后另存为 .xlsx 或 CSV。",
            advice_english="Open it in Excel and save it as .xlsx or CSV.",
            place=place,
        )
    if _is_dbase(head, path):
        return FileKind.DBF
    # A few NUL bytes break their rows; many, or one in the heading, are no text.
    if head.count(b"\0") * 100 > len(head) or b"\0" in head.partition(b"\n")[0]:
        raise FileFormatError(
            "not_text",
            "文件不是文本，也不是可识别的表格格式",
            "the file is neither text nor a known table format",
            advice_chinese="可读格式：CSV、.xlsx、.xls、DBF、定长文本、Parquet、JSON Lines。",
            advice_english="Known: CSV, .xlsx, .xls, DBF, fixed width, Parquet, JSON lines.",
            place=place,
        )
    return FileKind.JSON_LINES if start.startswith(b"{") else FileKind.CSV


def _is_dbase(head: bytes, path: Path) -> bool:
    if len(head) < 32 or head[0] not in dbase.VERSIONS or not 1 <= head[2] <= 12 or not 1 <= head[3] <= 31:
        return False
    header_length = int.from_bytes(head[8:10], "little")
    return header_length > 32 and (b"\0" in head[:64] or path.suffix.lower() == ".dbf")


def _excel(path: Path, declared: FileFormat, remarks: list[Remark]) -> FileFormat:
    workbook = excel.open_workbook(path, declared.kind)
    try:
        heading = find_heading(workbook, path, declared, remarks)
    finally:
        workbook.close()
    return heading


def _check_columns(found: FileFormat, declared: FileFormat | None, place: Place) -> None:
    repeated = [column for column, count in Counter(found.columns).items() if count > 1]
    if repeated:
        raise FileFormatError(
            "duplicate_column",
            "表头中有重复的列名",
            "the heading names a column twice",
            advice_chinese="请让每一列的名称各不相同。",
            advice_english="Give every column a name of its own.",
            place=Place(column=repeated[0]).within(place),
        )
    if not found.columns:
        raise FileFormatError("no_columns", "文件中没有列", "the file has no columns", place=place)
    if declared is not None and declared.columns and found.header and found.columns != declared.columns:
        missing = [column for column in declared.columns if column not in found.columns]
        raise FileFormatError(
            "other_columns",
            "文件的列与声明的不同" + (f"，缺少：{'、'.join(missing)}" if missing else ""),
            "the columns differ from what is declared" + (f"; missing: {', '.join(missing)}" if missing else ""),
            place=place,
        )
