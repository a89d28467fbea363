"""CSV tables at the border: read whole, every odd row known by its number, columns and order kept."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from huodang.pension.errors import FactMissing
from huodang.standards import AmbiguousTextError, BadValue, HuodangError, Language, Place, TextError, decode_text

PROBLEM = "problem"
Value = TypeVar("Value")


class TableError(BadValue):
    """A CSV file as a whole can't be taken: it is empty, not text, or its heading is wrong."""

    code: ClassVar[str] = "pension.table"


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        cells: The cells by column, without space around them.
        raw: The cells as written, for the output.
        ragged: What is wrong with the number of cells, or None.
    """

    cells: dict[str, str]
    raw: tuple[str, ...]
    ragged: HuodangError | None


@dataclass(frozen=True)
class Table:
    """A CSV file: its name, its columns in order, its rows in order."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def require(self, columns: Iterable[str]) -> None:
        """Check that the heading has these columns.

        Raises:
            TableError: one is absent; it is named.
        """
        for column in columns:
            if column not in self.columns:
                raise TableError(
                    f"表头缺少列 {column}",
                    f"the heading lacks column {column}",
                    advice_chinese="表头须在第一行，列名用英文逗号分隔。",
                    advice_english="The heading stands in the first row, names separated by commas.",
                    place=Place(file=self.file, row=1, column=column),
                )


def read_table(data: bytes, file: str) -> Table:
    """Read a CSV file in UTF-8 (with or without byte order mark) or GB 18030.

    Blank lines are passed over. A row with too few or too many cells stays in the table and says so: which cell belongs
    to which column can't be told, so nothing is computed from it. Empty cells beyond the heading, as spreadsheets
    write them, are let go.

    Raises:
        TableError: the file is empty, isn't text or CSV, or its heading has an empty or repeated name.
    """
    text = _decode(data, file)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: tuple[str, ...] | None = None
    rows: list[Row] = []
    try:
        for cells in reader:
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                continue
            if columns is None:
                columns = _heading(cells, file, reader.line_num)
            else:
                rows.append(_row(cells, columns, file, reader.line_num))
    except csv.Error as error:
        raise TableError(
            "CSV 格式有误（引号未闭合、含空字符或单元格过长）",
            f"the file isn't sound CSV ({error})",
            advice_chinese="请用表格软件重新另存为 CSV。",
            advice_english="Save it again as CSV.",
            place=Place(file=file, row=reader.line_num),
        ) from None
    if columns is None:
        raise TableError(
            "文件是空的",
            "the file is empty",
            advice_chinese="第一行应为表头。",
            advice_english="The first row is the heading.",
            place=Place(file=file),
        )
    return Table(file, columns, tuple(rows))


@dataclass(frozen=True)
class ComputedTable:
    """A table with columns added.

    Attributes:
        text: The CSV text, lines ending in a line feed.
        rows: Number of rows.
        problems: Number of rows with a `problem`.
    """

    text: str
    rows: int
    problems: int


class Cells:
    """Reads the cells of one row and gathers what is wrong with them.

    Attributes:
        problems: Everything wrong so far, each at its column, in the order found.
    """

    def __init__(self, row: Row) -> None:
        self._cells = row.cells
        self.problems: list[HuodangError] = []

    def blank(self, column: str) -> bool:
        """Tell whether a cell is empty, or its column absent."""
        return not self._cells.get(column)

    def text(self, column: str) -> str:
        """Give a cell as written; empty if its column is absent."""
        return self._cells.get(column, "")

    def read(self, column: str, parse: Callable[[str], Value]) -> Value | None:
        """Read a cell; None if it is blank or broken. What is broken goes to the problems."""
        if self.blank(column):
            return None
        try:
            return parse(self._cells[column])
        except HuodangError as error:
            self.add(error.at(Place(column=column)))
            return None

    def add(self, error: HuodangError) -> None:
        """Add a problem, unless its column has one already: one reason a cell is enough."""
        column = error.place.column
        if column is None or all(column != known.place.column for known in self.problems):
            self.problems.append(error)

    def miss(self, column: str, chinese: str, english: str) -> None:
        """Say that a cell which is needed is blank; a broken one has said so already."""
        self.add(FactMissing(column, chinese, english).at(Place(column=column)))


def write_table(table: Table, added: Sequence[str], compute: Callable[[Cells], dict[str, str]]) -> ComputedTable:
    """Write a table with columns added at the end, `problem` last; rows and other columns keep their order.

    An input column with the name of an added one is replaced by it, so that no name stands twice. A row's problems
    stand in its `problem`; the other rows go on.
    """
    new = (*added, PROBLEM)
    kept = [position for position, column in enumerate(table.columns) if column not in new]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(table.columns[position] for position in kept), *new])
    problems = 0
    for row in table.rows:
        cells = Cells(row)
        if row.ragged is not None:
            values: dict[str, str] = {}
            cells.add(row.ragged)
        else:
            values = compute(cells)
        values[PROBLEM] = problem_text(cells.problems)
        problems += bool(cells.problems)
        writer.writerow([*(row.raw[position] for position in kept), *(values.get(column, "") for column in new)])
    return ComputedTable(out.getvalue(), len(table.rows), problems)


def problem_text(errors: Iterable[HuodangError]) -> str:
    """Say what is wrong with a row: for each problem Chinese, then English after a slash, column first."""
    return " | ".join(f"{_said(error, 'zh')} / {_said(error, 'en')}" for error in errors)


def _said(error: HuodangError, language: Language) -> str:
    column = error.place.column
    sentence = error.chinese if language == "zh" else error.english
    if not column:
        return sentence
    return f"列 {column}：{sentence}" if language == "zh" else f"column {column}: {sentence}"


def _decode(data: bytes, file: str) -> str:
    """Read a file as text; where both encodings are possible, the words of our own columns decide.

    The only such word that is sound in both is 女. Without it the bytes are taken as UTF-8: what isn't ASCII then
    stands in cells that are carried through, and comes out as the same bytes whichever encoding was meant.
    """
    try:
        return decode_text(data)
    except AmbiguousTextError:
        other = decode_text(data, "gb18030")
        return other if "女" in other else decode_text(data, "utf-8")
    except TextError as error:
        raise error.at(Place(file=file)) from None


def _heading(cells: list[str], file: str, line: int) -> tuple[str, ...]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise TableError("表头是空的", "the heading is empty", place=Place(file=file, row=line))
    for position, name in enumerate(names):
        if not name:
            raise TableError(
                f"表头第 {position + 1} 列没有列名",
                f"column {position + 1} of the heading has no name",
                place=Place(file=file, row=line, column=str(position + 1)),
            )
        if name in names[:position]:
            raise TableError(
                f"表头中列名 {name} 重复",
                f"column {name} stands twice in the heading",
                advice_chinese="请删去或改名其中一列。",
                advice_english="Remove or rename one of them.",
                place=Place(file=file, row=line, column=name),
            )
    return tuple(names)


def _row(cells: list[str], columns: tuple[str, ...], file: str, line: int) -> Row:
    width, count = len(columns), len(cells)
    surplus = any(cell.strip() for cell in cells[width:])
    ragged: HuodangError | None = None
    if count < width or surplus:
        ragged = TableError(
            f"本行有 {count} 个单元格，表头有 {width} 列",
            f"the row has {count} cells, the heading {width} columns",
            place=Place(file=file, row=line),
        )
    raw = tuple((cells + [""] * width)[:width])
    return Row({column: cell.strip() for column, cell in zip(columns, raw, strict=True)}, raw, ragged)
