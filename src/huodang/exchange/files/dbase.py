"""dBASE and FoxPro tables (.dbf): read record by record, deleted records counted and left out."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO, Final

from huodang.exchange.files.cells import digits_lost, is_inexact, is_scientific
from huodang.exchange.files.delimited import visible
from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.formats import CellProblem, FileFormat, FileRow, Position
from huodang.exchange.files.text_lines import open_binary
from huodang.standards import Place, TextError, decode_text

VERSIONS: Final = frozenset({0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0x8E, 0xF5})
_FOXPRO: Final = frozenset({0x30, 0x31, 0x32, 0xF5})
_LARGEST_MEMO: Final = 4 * 1024 * 1024
_DELETED: Final = b"*"[0]
_KNOWN_TYPES: Final = "CDFILMNTBYV@+O"
_JULIAN_OFFSET: Final = 1_721_425  # from a Julian day to a proleptic Gregorian ordinal


@dataclass(frozen=True)
class DbaseField:
    """One column as the header describes it."""

    name: str
    kind: str
    start: int
    length: int
    decimals: int


@dataclass(frozen=True)
class DbaseHeader:
    """What stands before the records."""

    version: int
    records: int
    header_length: int
    record_length: int
    fields: tuple[DbaseField, ...]


def read_header(path: Path, file: BinaryIO) -> DbaseHeader:
    """Read the header of a table.

    Raises:
        FileFormatError: it is no table, its columns don't fit its records, or records are missing at the end.
    """
    start = file.read(32)
    if len(start) < 32 or start[0] not in VERSIONS:
        raise _broken(path, "文件头有误", "the header is broken")
    records, header_length, record_length = struct.unpack("<IHH", start[4:12])
    fields: list[DbaseField] = []
    position = 1
    while (descriptor := file.read(32)) and descriptor[0] not in (0x0D, 0x00) and len(descriptor) == 32:
        try:
            name = decode_text(descriptor[:11].split(b"\0")[0], "gb18030").strip()
        except TextError:
            raise _broken(path, "字段名无法读取", "a field's name can't be read") from None
        kind = chr(descriptor[11])
        length, decimals = descriptor[16], descriptor[17]
        if kind == "C":
            length, decimals = length + 256 * decimals, 0
        if kind not in _KNOWN_TYPES + "0" or not length or not name:
            raise _broken(path, f"字段 {len(fields) + 1} 的类型或长度有误", f"field {len(fields) + 1} is broken")
        if kind != "0":  # FoxPro's own column of flags
            fields.append(DbaseField(name, kind, position, length, decimals))
        position += length
    if not fields or position != record_length or header_length < 32 + 32 * len(fields):
        raise _broken(path, "字段长度与记录长度不符", "the fields don't fit the records")
    if path.stat().st_size < header_length + records * record_length:
        raise _broken(
            path, "记录数少于文件头所写，文件不完整", "there are fewer records than the header says: it is cut"
        )
    return DbaseHeader(start[0], records, header_length, record_length, tuple(fields))


class DbaseRows:
    """The records of a table; `skipped` counts those marked as deleted."""

    def __init__(self, path: Path, file_format: FileFormat, position: Position) -> None:
        self._path = path
        self._columns = file_format.columns
        self._encoding = file_format.encoding or "gb18030"
        self._file = open_binary(path)
        self._memos: _Memos | None = None
        self.skipped = 0
        self.position = position
        try:
            self._header = read_header(path, self._file)
            if any(field.kind == "M" for field in self._header.fields):
                self._memos = _Memos(path, self._header.version)
        except FileFormatError:
            self.close()
            raise
        self._file.seek(self._header.header_length + position.offset * self._header.record_length)

    def rows(self) -> Iterator[FileRow]:
        """Give the rows that follow; a record's row is its number in the table."""
        length, name = self._header.record_length, self._path.name
        named = tuple(zip(self._columns, self._header.fields, strict=True))
        for number in range(self.position.offset + 1, self._header.records + 1):
            record = self._file.read(length)
            self.position = Position(number, number)
            if record[0] == _DELETED:
                self.skipped += 1
                continue
            problems: list[CellProblem] = []
            cells = {
                column: self._cell(record[field.start : field.start + field.length], column, field, problems)
                for column, field in named
            }
            yield FileRow(Place(file=name, row=number), cells, tuple(problems))

    def close(self) -> None:
        """Let go of table and memos."""
        self._file.close()
        if self._memos is not None:
            self._memos.close()

    def _cell(self, raw: bytes, column: str, field: DbaseField, problems: list[CellProblem]) -> object:
        try:
            value = self._value(raw, field)
        except TextError:
            problems.append(_fault(column, "wrong_encoding", "文字编码有误", "the text isn't in the table's encoding"))
            return visible(raw.decode(self._encoding, errors="surrogateescape"))
        except (ValueError, InvalidOperation, OverflowError, struct.error):
            problems.append(
                _fault(column, "broken_cell", "单元格不符合字段类型", "the cell doesn't fit its field's type")
            )
            return visible(raw.decode("ascii", errors="surrogateescape"))
        if is_inexact(value) or (isinstance(value, str) and is_scientific(value)):
            problems.append(digits_lost(column))
            return str(value)
        return value

    def _value(self, raw: bytes, field: DbaseField) -> object:
        match field.kind:
            case "C" | "V":
                return decode_text(raw, self._encoding).rstrip(" \0\u3000")
            case "N" | "F":
                return _number(raw)
            case "D":
                text = raw.decode("ascii").strip(" \0")
                return None if text in ("", "00000000") else datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  (a day)
            case "L":
                return {84: True, 89: True, 116: True, 121: True, 70: False, 78: False, 102: False, 110: False}.get(
                    raw[0]
                )
            case "I" | "+":
                return int(struct.unpack("<i", raw)[0])
            case "B" | "O" if field.length == 8:
                return float(struct.unpack("<d", raw)[0])
            case "Y":
                return Decimal(struct.unpack("<q", raw)[0]) / 10_000
            case "T" | "@":
                return _moment(raw)
            case "M" if self._memos is not None:
                memo = self._memos.read(raw)
                return None if memo is None else decode_text(memo, self._encoding)
        raise ValueError(field.kind)


class _Memos:
    """The file of long texts beside a table: .fpt of FoxPro, .dbt of dBASE III and IV."""

    def __init__(self, table: Path, version: int) -> None:
        self._foxpro = version in _FOXPRO
        self._fourth = version in (0x8B, 0x8E)
        wanted = ".fpt" if self._foxpro else ".dbt"
        found = [one for one in table.parent.glob(f"{table.stem}.*") if one.suffix.lower() == wanted]
        if not found:
            raise _broken(table, f"缺少备注文件 {table.stem}{wanted}", f"the memo file {table.stem}{wanted} is missing")
        self._file = open_binary(found[0])
        self._size = found[0].stat().st_size
        start = self._file.read(512)
        if self._foxpro:
            self._block = struct.unpack(">H", start[6:8])[0] or 1
        elif self._fourth:
            self._block = struct.unpack("<H", start[20:22])[0] or 512
        else:
            self._block = 512

    def read(self, pointer: bytes) -> bytes | None:
        """Give the text that a record points at; None if it points at none."""
        block = struct.unpack("<I", pointer)[0] if len(pointer) == 4 else int(pointer.strip(b" \0") or b"0")
        if not block:
            return None
        offset = block * self._block
        if offset + 8 > self._size:
            raise ValueError("beyond the end")
        self._file.seek(offset)
        if self._foxpro or self._fourth:
            head = self._file.read(8)
            length = struct.unpack(">I", head[4:8])[0] if self._foxpro else struct.unpack("<I", head[4:8])[0] - 8
            if not 0 <= length <= min(_LARGEST_MEMO, self._size - offset - 8):
                raise ValueError("too long")
            return self._file.read(length)
        text = bytearray()
        while (piece := self._file.read(512)) and len(text) <= _LARGEST_MEMO:
            head, end, _ = piece.partition(b"\x1a")
            text += head
            if end:
                return bytes(text)
        raise ValueError("without end")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _number(raw: bytes) -> object:
    text = raw.decode("ascii").strip(" \0")
    if not text:
        return None
    if is_scientific(text):
        return text
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("no number")
    return int(value) if value == value.to_integral_value() and "." not in text else value


def _moment(raw: bytes) -> datetime | None:
    day, milliseconds = struct.unpack("<ii", raw)
    if day == 0:
        return None
    return datetime.combine(date.fromordinal(day - _JULIAN_OFFSET), time()) + timedelta(milliseconds=milliseconds)


def _fault(column: str, reason: str, chinese: str, english: str) -> CellProblem:
    return CellProblem(column, reason, chinese, english)


def _broken(path: Path, chinese: str, english: str) -> FileFormatError:
    return FileFormatError(
        "damaged",
        f"DBF 文件有误：{chinese}",
        f"the DBF table is broken: {english}",
        advice_chinese="请重新导出；有备注字段时，备注文件须一并交付。",
        advice_english="Export it again; a table with memos comes with its memo file.",
        place=Place(file=path.name),
    )
