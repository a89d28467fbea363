"""A bank's answer to a claw-back file, read whole or refused whole with the row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from huodang.exchange.files import FileRow, cell_text, read_rows, restore
from huodang.standards import BadValue, Money, Place
from huodang.supervision.recovery.bank_layouts import BankLayout
from huodang.supervision.recovery.errors import BankFileError


@dataclass(frozen=True)
class AnswerLine:
    """What the bank did about one line."""

    line: int
    returned: Money
    on: date


def read_answer(  # noqa: PLR0917  (a batch has so many sides)
    path: Path, layout: BankLayout, batch_id: str, asked: Mapping[int, Money], issued_on: date, today: date
) -> list[AnswerLine]:
    """Read an answer.

    Args:
        path: CSV, Excel or any file that `read_rows` reads.
        layout: of the bank.
        batch_id: the batch that it answers.
        asked: what was asked for, by line.
        issued_on: no money came back before.
        today: no money comes back after.

    Raises:
        BankFileError: a column is missing, a line is missing, strange or there twice, or says what can't be; the place
            names the row. Nothing of the file is taken then.
        FileFormatError: the file can't be read.
    """
    found: dict[int, AnswerLine] = {}
    for row, cells in _rows(path, layout):
        line = _line(cells[layout.answered.line], row, layout)
        if cells[layout.answered.batch] != batch_id:
            raise _wrong(row, layout.answered.batch, "批次号不是本批次", "the batch is another one")
        if line not in asked or line in found:
            raise _wrong(
                row, layout.answered.line, "序号不在本批次，或出现两次", "the line isn't in the batch, or twice"
            )
        found[line] = _answered(cells, row, layout, asked[line], line, (issued_on, today))
    if missing := sorted(set(asked) - set(found)):
        raise BankFileError(
            f"回盘缺少 {len(missing)} 行，第一个缺少的序号是 {missing[0]}",
            f"{len(missing)} lines are missing, the first is {missing[0]}",
            advice_chinese="请银行提供整批的完整回盘；本次未入账。",
            advice_english="Ask the bank for the answer to the whole batch; nothing was booked.",
            place=Place(file=path.name, column=layout.answered.line),
        )
    return [found[line] for line in sorted(found)]


def _rows(path: Path, layout: BankLayout) -> Iterator[tuple[FileRow, dict[str, str]]]:
    with read_rows(path) as reader:
        for name in layout.answered.columns:
            if name not in reader.format.columns:
                raise BankFileError(
                    f"回盘缺少列“{name}”", f"the answer has no column {name}", place=Place(file=path.name, column=name)
                )
        for row in reader:
            if row.problems:
                problem = row.problems[0]
                raise _wrong(row, problem.column, problem.chinese, problem.english)
            yield row, {name: restore(cell_text(row.cells.get(name))).strip() for name in layout.answered.columns}


def _line(text: str, row: FileRow, layout: BankLayout) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise _wrong(row, layout.answered.line, "序号不是数字", "the line is no number")
    return int(text)


def _answered(  # noqa: PLR0917  (as above)
    cells: Mapping[str, str], row: FileRow, layout: BankLayout, asked: Money, line: int, span: tuple[date, date]
) -> AnswerLine:
    names = layout.answered
    result = layout.results.get(cells[names.result])
    if result is None:
        raise _wrong(
            row,
            names.result,
            f"处理结果须是：{'、'.join(layout.results)}",
            f"the result is one of {len(layout.results)}",
        )
    try:
        returned = Money.yuan(cells[names.returned]) if cells[names.returned] else Money.zero()
    except BadValue as problem:
        raise _wrong(row, names.returned, problem.chinese, problem.english) from None
    fits = {"full": returned == asked, "part": Money.zero() < returned < asked, "none": not returned}
    if not fits[result]:
        raise _wrong(row, names.returned, "实际扣回与处理结果不符", "the amount doesn't fit the result")
    if not returned:
        return AnswerLine(line, returned, span[1])
    try:
        on = datetime.fromisoformat(cells[names.day]).date()
    except ValueError:
        raise _wrong(row, names.day, "扣回日期须写成 2025-03-03", "write the day as 2025-03-03") from None
    if not span[0] <= on <= span[1]:
        raise _wrong(row, names.day, "扣回日期早于发盘或在将来", "the day lies before the batch, or in the future")
    return AnswerLine(line, returned, on)


def _wrong(row: FileRow, column: str, chinese: str, english: str) -> BankFileError:
    return BankFileError(
        chinese,
        english,
        advice_chinese="整个回盘未入账；请银行更正后重新提供。",
        advice_english="Nothing of the answer was booked; have the bank correct it and send it again.",
        place=Place(file=row.place.file, row=row.place.row, column=column),
    )
