"""Encoding, delimiter and heading of text files; a block at a time, and no more of the file than decides it."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Final, Literal

import msgspec

from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.formats import (
    DELIMITERS,
    FileFormat,
    FileKind,
    Position,
    Remark,
    numbered_columns,
    with_columns,
)
from huodang.exchange.files.json_lines import decode_line
from huodang.exchange.files.text_lines import LineReader, looks_like_utf8, open_binary
from huodang.standards import Place

_BLOCK: Final = 1024 * 1024
_ENOUGH: Final = 2 * 1024 * 1024
"""Bytes beyond ASCII blocks that decide the encoding."""
_SAMPLE_LINES: Final = 200
_VALUE: Final = re.compile(
    r"[0-9]{15}|[0-9]{17}[0-9Xx]|[+-]?[0-9]+(\.[0-9]+)?|[0-9]{4}[-/.年][0-9]{1,2}([-/.月][0-9]{1,2}日?)?.*"
)


def complete_text_format(path: Path, declared: FileFormat, remarks: list[Remark]) -> FileFormat:
    """Fill in what is left open about a text file.

    Raises:
        FileFormatError: the encoding can't be told, or the heading is broken.
    """
    found = declared
    if found.kind is FileKind.JSON_LINES:
        return with_columns(msgspec.structs.replace(found, encoding="utf-8"), json_columns(path))
    encoding = found.encoding or find_encoding(path, remarks)
    found = msgspec.structs.replace(found, encoding=encoding)
    if found.kind is FileKind.FIXED:
        if not found.fields:
            raise FileFormatError(
                "no_fields",
                "定长文本须声明每列的位置（fields）",
                "a fixed-width file needs its columns declared (`fields`)",
                place=Place(file=path.name),
            )
        return msgspec.structs.replace(found, header=False, columns=tuple(field.name for field in found.fields))
    return _delimited(path, found, declared)


def find_encoding(path: Path, remarks: list[Remark]) -> Literal["utf-8", "gb18030"]:
    """Tell UTF-8 from GB 18030 by the lines that aren't ASCII.

    Raises:
        FileFormatError: both read, with different results, or neither does.
    """
    votes: Counter[str] = Counter()
    seen = 0
    with open_binary(path) as file:
        if file.read(3) == b"\xef\xbb\xbf":
            return "utf-8"
        file.seek(0)
        rest = b""
        while seen < _ENOUGH and (block := file.read(_BLOCK)):
            block = rest + block
            cut = block.rfind(b"\n") + 1 or len(block)
            block, rest = block[:cut], block[cut:]
            if block.isascii():
                continue
            seen += len(block)
            for line in block.split(b"\n"):
                if not line.isascii():
                    votes[_vote(line)] += 1
    return _judge(path, remarks, votes)


def _vote(line: bytes) -> str:
    if looks_like_utf8(line):
        return "chinese_utf8"
    if _reads(line, "utf-8"):
        return "plain_utf8"
    return "only_gb" if _reads(line, "gb18030") else "neither"


def _judge(path: Path, remarks: list[Remark], votes: Counter[str]) -> Literal["utf-8", "gb18030"]:
    chinese_utf8, plain_utf8, only_gb = votes["chinese_utf8"], votes["plain_utf8"], votes["only_gb"]
    if votes["neither"] > chinese_utf8 + only_gb + plain_utf8:
        raise FileFormatError(
            "wrong_encoding",
            "文件既不是 UTF-8 也不是 GB 18030",
            "the file is neither UTF-8 nor GB 18030",
            advice_chinese="请重新导出为 UTF-8 或 GB 18030。",
            advice_english="Export it again as UTF-8 or GB 18030.",
            place=Place(file=path.name),
        )
    if chinese_utf8 and only_gb:
        remarks.append(
            Remark(
                "mixed_encoding",
                "文件混用 UTF-8 和 GB 18030，按多数读取，少数行将被隔离",
                "the file mixes UTF-8 and GB 18030: read as most of it is, the other rows are quarantined",
            )
        )
    if plain_utf8 and not chinese_utf8 and not only_gb:
        raise FileFormatError(
            "ambiguous_encoding",
            "文件既可按 UTF-8 也可按 GB 18030 读出，结果不同",
            "the file can be read as UTF-8 and as GB 18030, with different results",
            advice_chinese="请声明文件的编码，或在文件开头加上 UTF-8 字节顺序标记。",
            advice_english="Declare the encoding of the file, or start it with a UTF-8 byte order mark.",
            place=Place(file=path.name),
        )
    return "gb18030" if only_gb > chinese_utf8 else "utf-8"


def find_delimiter(lines: list[str]) -> Literal[",", ";", "\t", "|"]:
    """Find what stands between cells: what gives the most rows of the heading's width, and the most columns then."""
    best: tuple[tuple[float, int], Literal[",", ";", "\t", "|"]] = ((0.0, 1), ",")
    for delimiter in DELIMITERS:
        try:
            rows = list(csv.reader(io.StringIO("".join(lines)), delimiter=delimiter))
        except csv.Error:
            continue
        widths = [len(row) for row in rows if row]
        if not widths or widths[0] < 2:
            continue
        share = Counter(widths)[widths[0]] / len(widths)
        score = (round(share, 1), widths[0])
        if score > best[0]:
            best = (score, delimiter)
    return best[1]


def csv_columns(path: Path, cells: list[str]) -> tuple[str, ...]:
    """Give the names of a heading; cells without a name at its end are none.

    Raises:
        FileFormatError: a column in between has no name.
    """
    names = [cell.strip(" \t\r\n\u3000") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if "" in names:
        raise FileFormatError(
            "unnamed_column",
            f"表头第 {names.index('') + 1} 列没有名称",
            f"column {names.index('') + 1} of the heading has no name",
            advice_chinese="请补全列名；表头不要合并单元格。",
            advice_english="Name every column; don't merge cells of the heading.",
            place=Place(file=path.name, row=1),
        )
    return tuple(names)


def looks_like_heading(cells: list[str]) -> bool:
    """Say whether cells name columns: none of them looks like a number, a date or an identity number."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and not any(_VALUE.fullmatch(cell.lstrip("'")) for cell in filled)


def json_columns(path: Path) -> tuple[str, ...]:
    """Collect the names in the first lines of a JSON lines file.

    Raises:
        FileFormatError: no line there is an object.
    """
    names: dict[str, None] = {}
    for text in _first_lines(path, "utf-8", 1000):
        try:
            value = decode_line(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            names |= dict.fromkeys(name for name in value if name)
    if not names:
        raise FileFormatError(
            "json",
            "文件中没有 JSON 对象；每行应是一个对象",
            "the file holds no JSON object; each line is to be one",
            advice_chinese="整个文件是一个数组时，请改为每行一个对象。",
            advice_english="Where the whole file is one array, write one object a line instead.",
            place=Place(file=path.name),
        )
    return tuple(names)


def _delimited(path: Path, found: FileFormat, declared: FileFormat) -> FileFormat:
    assert found.encoding  # noqa: S101  (just found)
    lines = _first_lines(path, found.encoding, _SAMPLE_LINES)
    if lines and "\r" in lines[0].rstrip("\r\n"):
        raise FileFormatError(
            "line_ends",
            "换行符为单独的 CR（旧 Mac 格式）",
            "lines end with a lone CR (old Macintosh)",
            advice_chinese="请以 LF 或 CRLF 换行重新导出。",
            advice_english="Export it with LF or CRLF.",
            place=Place(file=path.name),
        )
    delimiter = found.delimiter or find_delimiter(lines)
    found = msgspec.structs.replace(found, delimiter=delimiter)
    try:
        rows = [row for row in csv.reader(lines[found.header_row - 1 :], delimiter=delimiter) if row]
    except csv.Error:
        rows = [lines[found.header_row - 1].rstrip("\r\n").split(delimiter)]
    if not rows:
        raise FileFormatError("empty", "文件中没有内容", "the file holds nothing", place=Place(file=path.name))
    first = rows[0]
    if not declared.header or (declared.delimiter == "" and not declared.columns and not looks_like_heading(first)):
        names = declared.columns or numbered_columns(len(first))
        return msgspec.structs.replace(found, header=False, columns=names)
    if not any(cell.strip() for cell in first):
        raise FileFormatError("empty", "表头为空", "the heading is empty", place=Place(file=path.name, row=1))
    if any("\udc80" <= sign <= "\udcff" for cell in first for sign in cell) or "\0" in "".join(first):
        raise FileFormatError(
            "wrong_encoding",
            "表头编码有误",
            "the heading isn't in the file's encoding",
            place=Place(file=path.name, row=1),
        )
    return with_columns(found, csv_columns(path, first))


def _first_lines(path: Path, encoding: Literal["utf-8", "gb18030"], count: int) -> list[str]:
    reader, lines = LineReader(path, encoding, Position()), list[str]()
    try:
        while len(lines) < count and (line := reader.next()) is not None:
            lines.append(line.text)
    finally:
        reader.close()
    return lines


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
