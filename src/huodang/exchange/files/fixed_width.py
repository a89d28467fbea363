"""Fixed-width text (定长文本): columns by bytes, as mainframes write GB 18030, or by characters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from huodang.exchange.files.cells import digits_lost, is_scientific
from huodang.exchange.files.delimited import visible
from huodang.exchange.files.formats import CellProblem, FileFormat, FileRow, Position
from huodang.exchange.files.text_lines import LineReader
from huodang.standards import Place, TextError, decode_text

_PADDING: Final = " \t\u3000"


class FixedRows:
    """The rows of a fixed-width file; each line is one row, and blank lines are none."""

    def __init__(self, path: Path, file_format: FileFormat, position: Position) -> None:
        self._path = path
        self._format = file_format
        assert file_format.encoding  # noqa: S101  (the front door sees to it)
        self._encoding = file_format.encoding
        self._lines = LineReader(path, file_format.encoding, position)
        self._length = max(field.start + field.length - 1 for field in file_format.fields)
        # The last field may be cut where blanks at the end of lines were taken away.
        self._needed = max(field.start for field in file_format.fields)
        self.position = position

    def rows(self) -> Iterator[FileRow]:
        """Give the rows that follow."""
        to_skip = self._format.first_data_row - 1 if self.position.offset == 0 else 0
        while (line := self._lines.next()) is not None:
            self.position = Position(line.number, line.end)
            if line.number <= to_skip or not line.raw.strip():
                continue
            place = Place(file=self._path.name, row=line.number)
            problems = [line.problem] if line.problem else []
            raw: bytes | str = line.raw.rstrip(b"\r\n") if self._format.unit == "byte" else line.text.rstrip("\r\n")
            if not self._needed <= len(raw) <= self._length and len(raw.rstrip()) != self._length:
                problems.append(_wrong_length(self._length, len(raw)))
            cells: dict[str, object] = {}
            for field in self._format.fields:
                piece = raw[field.start - 1 : field.start - 1 + field.length]
                text = self._text(piece, field.name, problems) if isinstance(piece, bytes) else piece
                text = visible(text.strip(_PADDING))
                if is_scientific(text):
                    problems.append(digits_lost(field.name))
                cells[field.name] = text
            yield FileRow(place, cells, tuple(problems))

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _text(self, piece: bytes, column: str, problems: list[CellProblem]) -> str:
        try:
            return decode_text(piece, self._encoding)
        except TextError:
            problems.append(_cut_character(column))
            return piece.decode(self._encoding, errors="surrogateescape")


def _wrong_length(wanted: int, found: int) -> CellProblem:
    return CellProblem(
        "", "line_length", f"该行长度为 {found}，应为 {wanted}", f"the row is {found} long, not {wanted}"
    )


def _cut_character(column: str) -> CellProblem:
    return CellProblem(
        column,
        "cut_character",
        "列的边界把一个汉字截断，列位置按字节还是按字符声明有误",
        "a column's edge cuts a character: its position counts bytes, or characters, wrongly",
    )
