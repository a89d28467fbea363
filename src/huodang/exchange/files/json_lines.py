"""JSON lines: one object a line; numbers keep the digits that they were written with."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from huodang.exchange.files.cells import digits_lost, is_scientific
from huodang.exchange.files.delimited import visible
from huodang.exchange.files.formats import CellProblem, FileFormat, FileRow, Position
from huodang.exchange.files.text_lines import LineReader
from huodang.standards import Place

_LONGEST_SHOWN: Final = 1000


class _Scientific(str):
    """A number in a notation that has lost its digits, as it was written."""

    __slots__ = ()


class _RepeatedNameError(ValueError):
    """An object names one member twice."""


class JsonRows:
    """The rows of a JSON lines file; blank lines are none."""

    def __init__(self, path: Path, file_format: FileFormat, position: Position) -> None:
        self._path = path
        self._columns = file_format.columns
        self._lines = LineReader(path, "utf-8", position)
        self.position = position

    def rows(self) -> Iterator[FileRow]:
        """Give the rows that follow."""
        while (line := self._lines.next()) is not None:
            self.position = Position(line.number, line.end)
            if not line.text.strip():
                continue
            place = Place(file=self._path.name, row=line.number)
            if line.problem is not None:
                yield FileRow(place, self._shown(line.text), (line.problem,))
                continue
            try:
                value = decode_line(line.text)
            except (ValueError, RecursionError) as problem:
                broken = _REPEATED if isinstance(problem, _RepeatedNameError) else _BROKEN
                yield FileRow(place, self._shown(line.text), (broken,))
                continue
            if not isinstance(value, dict):
                yield FileRow(place, self._shown(line.text), (_BROKEN,))
                continue
            yield self._row(place, value)

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _row(self, place: Place, members: dict[str, object]) -> FileRow:
        cells: dict[str, object] = dict.fromkeys(self._columns)
        problems: list[CellProblem] = []
        for name, value in members.items():
            if isinstance(value, _Scientific):
                problems.append(digits_lost(name))
                cells[name] = str(value)
            elif isinstance(value, str):
                if not value.isprintable() and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value):
                    problems.append(_not_text(name))
                    cells[name] = "".join(
                        "\ufffd" if sign == "\0" or "\ud800" <= sign <= "\udfff" else sign for sign in value
                    )
                else:
                    cells[name] = value
            elif isinstance(value, dict | list):
                problems.append(_nested(name))
                cells[name] = json.dumps(value, ensure_ascii=True, default=str)[:_LONGEST_SHOWN]
            else:
                cells[name] = value
        return FileRow(place, cells, tuple(problems))

    def _shown(self, text: str) -> dict[str, object]:
        return {(self._columns or ("",))[0]: visible(text.strip())[:_LONGEST_SHOWN]}


def decode_line(text: str) -> object:
    """Read one line; numbers with a fraction come as decimals, long ones in scientific notation as marked text.

    Raises:
        ValueError: it isn't JSON, or a member is named twice.
    """
    return _DECODER.decode(text.strip())


def _number(text: str) -> Decimal | _Scientific:
    return _Scientific(text) if is_scientific(text) else Decimal(text)


def _refuse(text: str) -> object:
    raise ValueError(text)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RepeatedNameError
    return members


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_members, parse_float=_number, parse_constant=_refuse)


def _nested(column: str) -> CellProblem:
    return CellProblem(column, "nested", "单元格是对象或数组，不是单个值", "the cell is an object or a list")


def _not_text(column: str) -> CellProblem:
    return CellProblem(column, "wrong_encoding", "单元格含有不成字符的编码", "the cell holds what is no character")


_BROKEN: Final = CellProblem("", "json", "该行不是一个 JSON 对象", "the row is no JSON object")
_REPEATED: Final = CellProblem("", "json_repeated", "该行的同一名称出现两次", "the row names one member twice")
