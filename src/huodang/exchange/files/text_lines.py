"""Lines of a text file, one at a time: decoded each by itself, so that a wrong byte damages its own line only."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from huodang.exchange.files.errors import FileFormatError
from huodang.exchange.files.formats import CellProblem, Position
from huodang.standards import Place, decode_text

LONGEST_LINE: Final = 4 * 1024 * 1024
"""Bytes of one line at most: what is longer is no table, and must not fill the memory."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_FIRST_THREE_BYTE_CHARACTER: Final = "\u0800"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        text: with its line end; lone surrogates stand for bytes that are no characters.
        raw: the bytes.
        end: offset of the byte behind it.
        problem: why the line can't be believed, or None.
    """

    number: int
    text: str
    raw: bytes
    end: int
    problem: CellProblem | None


class LineReader:
    """Reads the lines of a file from a position on.

    Bytes are split before they are decoded: the byte of a line end is part of no other character, neither in UTF-8 nor
    in GB 18030.

    Raises (while reading):
        FileFormatError: the file can't be read, or a line is longer than `LONGEST_LINE`.
    """

    def __init__(self, path: Path, encoding: Literal["utf-8", "gb18030"], position: Position) -> None:
        self._path = path
        self._encoding = encoding
        self._number = position.row
        self._offset = position.offset
        self._file: BinaryIO = open_binary(path)
        self._file.seek(position.offset)
        if position.offset == 0 and self._file.read(3) != _BYTE_ORDER_MARK:
            self._file.seek(0)
        self._offset = self._file.tell()

    def next(self) -> Line | None:
        """Give the next line; None at the end."""
        try:
            raw = self._file.readline(LONGEST_LINE + 1)
        except OSError as error:
            raise unreadable(self._path) from error
        if not raw:
            return None
        self._number += 1
        self._offset += len(raw)
        if len(raw) > LONGEST_LINE:
            raise FileFormatError(
                "line_too_long",
                f"一行超过 {LONGEST_LINE // 1024 // 1024} MiB，不是数据表文本",
                f"a line is longer than {LONGEST_LINE // 1024 // 1024} MiB: this is no text with a table",
                place=Place(file=self._path.name, row=self._number),
            )
        text, problem = self._decode(raw)
        return Line(self._number, text, raw, self._offset, problem)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _decode(self, raw: bytes) -> tuple[str, CellProblem | None]:
        if raw.isascii():
            text = raw.decode("ascii")
            return text, (_NUL if "\0" in text else None)
        if _BYTE_ORDER_MARK in raw:
            return raw.decode(self._encoding, errors="surrogateescape"), _MARK_INSIDE
        if self._encoding == "utf-8":
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                return raw.decode("utf-8", errors="surrogateescape"), _NOT_TEXT
        else:
            if looks_like_utf8(raw):
                return raw.decode("gb18030", errors="surrogateescape"), _MIXED
            try:
                text = raw.decode("gb18030")
            except UnicodeDecodeError:
                return raw.decode("gb18030", errors="surrogateescape"), _NOT_TEXT
            if _PRIVATE.search(text):
                # Some private signs have had code points of their own since; `decode_text` knows them.
                text = decode_text(raw, "gb18030")
        return text, (_NUL if "\0" in text else None)


def looks_like_utf8(raw: bytes) -> bool:
    """Say whether bytes beyond ASCII are UTF-8 with characters of three bytes, which GB 18030 text hardly ever is."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not text.isascii() and max(text) >= _FIRST_THREE_BYTE_CHARACTER


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        FileFormatError: it can't be.
    """
    try:
        return path.open("rb")
    except OSError as problem:
        raise unreadable(path) from problem


def unreadable(path: Path) -> FileFormatError:
    """Make the error of a file that can't be read."""
    return FileFormatError(
        "unreadable",
        "文件无法读取",
        "the file can't be read",
        advice_chinese="请检查文件是否存在、权限和磁盘。",
        advice_english="Check that the file is there, its permissions and the disk.",
        place=Place(file=path.name),
    )


_NOT_TEXT: Final = CellProblem(
    "",
    "wrong_encoding",
    "该行含有不符合文件编码的字节（编码混用，或汉字被截断）",
    "the row holds bytes that aren't in the file's encoding (encodings are mixed, or a character is cut)",
)
_MIXED: Final = CellProblem(
    "",
    "mixed_encoding",
    "文件为 GB 18030，但该行像是 UTF-8，不作猜测",
    "the file is GB 18030, but this row looks like UTF-8: not guessed",
)
_MARK_INSIDE: Final = CellProblem(
    "",
    "mark_inside",
    "字节顺序标记（BOM）出现在文件中间，多为几个文件直接拼接所致",
    "a byte order mark stands inside the file: most often several files were joined",
)
_NUL: Final = CellProblem("", "nul_byte", "该行含有空字节（NUL）", "the row holds NUL bytes")
