"""Tables in files as both ends of `huodang intersect` read them: CSV in GB 18030 or UTF-8, Excel, Parquet."""

import codecs
import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
from python_calamine import CalamineError, CalamineWorkbook

from huodang.exchange.matching.errors import MatchFileError
from huodang.exchange.matching.values import Normalisation, ValueSet, choose, collect, require_values
from huodang.standards import HuodangError, Place, TextEncoding, decode_text

_DELIMITERS: Final = (",", "\t", ";", "|")
_SAMPLE: Final = 5000
_BLOCK: Final = 1 << 20
_CHINESE: Final = re.compile("[一-鿿]")
_ENOUGH: Final = 4
_FETCH: Final = 20_000
_LONGEST_CELL: Final = 1 << 20
_LONG_NUMBER: Final = 6
_LARGEST_WORKBOOK: Final = 2 * 1024**3
"""Bytes of a workbook unpacked; more is no sheet of a million rows."""
_EXCEL: Final = frozenset({".xlsx", ".xlsm", ".xls"})

Row = Sequence[object]


@dataclass(frozen=True)
class Table:
    """A file whose header was read.

    Attributes:
        columns: names as they stand.
        first_row: row of the file in which the data begin, as people count.
        rows: opens the file and gives its rows after the header; may be called again.
    """

    path: Path
    columns: tuple[str, ...]
    first_row: int
    rows: Callable[[], Iterator[Row]]

    def position(self, column: str) -> int:
        """Find a column by its name, however its width and spaces are written.

        Raises:
            MatchFileError: there is none, or there are two.
        """
        wanted = _key(column)
        found = [number for number, name in enumerate(self.columns) if _key(name) == wanted]
        if len(found) == 1:
            return found[0]
        place = Place(file=self.path.name, column=column)
        if found:
            raise MatchFileError("有两列同名", "two columns have this name", advice_chinese="请先改名。", place=place)
        known = "、".join(name for name in self.columns if _is_name(name))
        raise MatchFileError(
            "文件中没有这一列",
            "the file has no such column",
            advice_chinese=f"文件中的列：{known or '（第一行不像列名）'}。",
            advice_english=f"The columns are: {known or '(the first row holds no names)'}.",
            place=place,
        )

    def cells(self, column: str) -> Iterator[object]:
        """Give the cells of a column, one a row; a row that is cut short has an empty one."""
        at = self.position(column)
        return (row[at] if at < len(row) else None for row in self.rows())


def open_table(path: Path, *, encoding: TextEncoding | None = None, sheet: str | None = None) -> Table:
    """Read the header of a file.

    Args:
        path: `.csv` or `.txt`, `.xlsx` or `.xls`, `.parquet`; told by its ending.
        encoding: of a text file; None to find it out.
        sheet: of a workbook; None for the first.

    Raises:
        MatchFileError: the file isn't there, is empty, or isn't what its ending says.
        TextError: the text is neither UTF-8 nor GB 18030.
    """
    place = Place(file=path.name)
    if not path.is_file():
        raise MatchFileError("文件不存在", "there is no such file", place=place)
    if path.stat().st_size == 0:
        raise MatchFileError("文件是空的", "the file is empty", place=place)
    ending = path.suffix.lower()
    if ending in _EXCEL:
        return _excel(path, sheet)
    if ending in {".parquet", ".pq"}:
        return _parquet(path)
    return _text(path, encoding)


def read_values(
    table: Table, column: str, normalisation: Normalisation | None, told: Callable[[int], None] = lambda _: None
) -> ValueSet:
    """Read the distinct values of a column.

    Args:
        table: as `open_table` gives it.
        column: its name.
        normalisation: how to write them; None to find it out from the first 5,000 rows.
        told: is given the number of rows read so far.

    Raises:
        MatchFileError: there is no such column, or no value in it.
    """
    if normalisation is None:
        sample = [cell for cell, _ in zip(table.cells(column), range(_SAMPLE), strict=False)]
        normalisation = choose(sample)
    values = collect(_counted(table.cells(column), told), normalisation, first_row=table.first_row)
    return require_values(values, Place(file=table.path.name, column=column))


def _counted(cells: Iterator[object], told: Callable[[int], None]) -> Iterator[object]:
    number = 0
    for number, cell in enumerate(cells, start=1):
        yield cell
        if number % _FETCH == 0:
            told(number)
    told(number)


def find_encoding(path: Path) -> TextEncoding:
    """Tell whether a file is UTF-8 or GB 18030, looking at all of it.

    Raises:
        TextError: it is neither, or may be both with different results.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond: list[bytes] = []
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                text = decoder.decode(block)
                if not beyond and not text.isascii():
                    beyond.append(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as problem:
        # Characters that stand as UTF-8 before the fault tell of UTF-8 that was cut or damaged: reading it says where.
        before = (beyond[0] if beyond else b"") + problem.object[: problem.start]
        return "utf-8" if len(_CHINESE.findall(before.decode(errors="ignore"))) >= _ENOUGH else "gb18030"
    if beyond:
        with path.open("rb") as file:
            head = file.read(3)
        if head != b"\xef\xbb\xbf":
            decode_text(_whole_lines(beyond[0]))  # raises if it can be read in two ways
    return "utf-8"


def _whole_lines(block: bytes) -> bytes:
    """Cut a block where lines end, so that no character is cut."""
    start = 0 if len(block) < _BLOCK else block.find(b"\n") + 1
    end = block.rfind(b"\n") + 1 if len(block) == _BLOCK else len(block)
    return block[start:end] or b""


def _text(path: Path, declared: TextEncoding | None) -> Table:
    encoding = declared or find_encoding(path)
    with _telling(path), _opened(path, encoding) as file:
        header = ""
        for header in file:
            if header.strip():
                break
    if not header.strip():
        raise MatchFileError("文件是空的", "the file is empty", place=Place(file=path.name))
    delimiter = max(_DELIMITERS, key=header.count)
    columns = tuple(next(csv.reader([header], delimiter=delimiter)))

    def rows() -> Iterator[Row]:
        with _telling(path), _opened(path, encoding) as file:
            reader = csv.reader(file, delimiter=delimiter)
            waiting = True
            for row in reader:
                if waiting:
                    waiting = not any(cell.strip() for cell in row)
                elif row:
                    yield row

    return Table(path, columns, 2, rows)


def _opened(path: Path, encoding: TextEncoding) -> Any:  # noqa: ANN401  (a text file of the standard library)
    csv.field_size_limit(_LONGEST_CELL)
    return path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def _excel(path: Path, sheet: str | None) -> Table:
    # Only now: the gateway's file reads this room's section before all of the exchange stands.
    from huodang.exchange.files import ArchiveLimits, check_archive  # noqa: PLC0415

    place = Place(file=path.name)
    with _telling(path):
        if path.suffix.lower() != ".xls":
            check_archive(
                path, ArchiveLimits(total_bytes=_LARGEST_WORKBOOK, members=5000, ratio=400), plain_names=False
            )
        workbook = CalamineWorkbook.from_path(path)
        if sheet is not None and sheet not in workbook.sheet_names:
            raise MatchFileError("工作簿中没有这张表", "the workbook has no such sheet", place=place)
        if not workbook.sheet_names:
            raise MatchFileError("工作簿是空的", "the workbook is empty", place=place)
        name = sheet if sheet is not None else workbook.sheet_names[0]
        found = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    header = next((number for number, row in enumerate(found) if any(cell != "" for cell in row)), None)
    if header is None:
        raise MatchFileError("工作表是空的", "the sheet is empty", place=place)
    columns = tuple(str(cell) for cell in found[header])
    body = found[header + 1 :]
    return Table(path, columns, header + 2, body.__iter__)


def _parquet(path: Path) -> Table:
    with _telling(path), duckdb.connect() as connection:
        columns = tuple(one[0] for one in connection.read_parquet(str(path)).description)

    def rows() -> Iterator[Row]:
        with _telling(path), duckdb.connect() as connection:
            connection.execute("SET threads = 1")  # rows keep the order of the file
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
            while batch := cursor.fetchmany(_FETCH):
                yield from batch

    return Table(path, columns, 1, rows)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except HuodangError as problem:
        raise problem.at(Place(file=path.name)) from None
    except (OSError, UnicodeDecodeError, csv.Error, CalamineError, duckdb.Error) as problem:
        raise MatchFileError(
            f"文件无法读取（{type(problem).__name__}）",
            f"the file can't be read ({type(problem).__name__})",
            advice_chinese="请核对文件是否完整，扩展名是否与内容一致，编码是否为 UTF-8 或 GB 18030。",
            advice_english="See whether the file is whole, fits its ending, and is UTF-8 or GB 18030 if it is text.",
            place=Place(file=path.name),
        ) from None


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().lstrip("\ufeff")


def _is_name(text: str) -> bool:
    """Say whether a cell may be shown as the name of a column: it is if it holds no long number."""
    return bool(text.strip()) and sum(one.isdigit() for one in text) < _LONG_NUMBER
