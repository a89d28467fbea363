"""Files of proofs and of payees, row by row; what can't be read is set aside with its reason, nothing is guessed."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from huodang.exchange.files import FileRow, cell_text, read_rows, restore
from huodang.standards import HuodangError, IdentityNumber, Place
from huodang.supervision.certification.errors import ProofError

IDENTITY_HEADINGS: Final = ("公民身份号码", "身份证号", "证件号码", "身份证号码", "identity_number", "AAC147")
DAY_HEADINGS: Final = (
    *("认证日期", "就诊日期", "结算日期", "入院日期", "住院日期", "接种日期", "体检日期", "刷卡日期", "乘车日期"),
    *("购药日期", "出入境日期", "核实日期", "日期", "最近资格认证日期", "proved_on", "certified_on", "AAC095"),
)
REGION_HEADINGS: Final = ("行政区划", "行政区划代码", "地区", "region", "AAB301")


@dataclass(frozen=True)
class ReadLine:
    """One row as read.

    Attributes:
        day: None where the column isn't asked for and is empty.
    """

    row: int
    identity: IdentityNumber
    day: date | None
    region: str


@dataclass(frozen=True)
class BadLine:
    """One row that was set aside; it holds no value."""

    row: int
    column: str
    chinese: str
    english: str


def read_lines(path: Path, today: date, *, need_day: bool, need_region: bool = False) -> Iterator[ReadLine | BadLine]:
    """Read persons with a day each.

    Args:
        path: any file that `read_rows` reads.
        today: no day lies after it.
        need_day: a row without a day is set aside.
        need_region: the file must tell the region.

    Raises:
        ProofError: a column is missing; the place names the file.
        FileFormatError: the file can't be read.
    """
    with read_rows(path) as reader:
        columns = reader.format.columns
        identity = _column(path, columns, IDENTITY_HEADINGS, "证件号码", needed=True)
        day = _column(path, columns, DAY_HEADINGS, "日期", needed=need_day)
        region = _column(path, columns, REGION_HEADINGS, "行政区划", needed=need_region)
        for row in reader:
            yield _line(row, (identity, day, region), today, need_day=need_day)


def _line(row: FileRow, columns: tuple[str, str, str], today: date, *, need_day: bool) -> ReadLine | BadLine:
    number = row.place.row or 0
    if row.problems:
        problem = row.problems[0]
        return BadLine(number, problem.column, problem.chinese, problem.english)
    identity, day_name, region = (restore(cell_text(row.cells.get(name))).strip() if name else "" for name in columns)
    try:
        person = IdentityNumber.parse(identity, on=today)
    except HuodangError as problem:
        return BadLine(number, columns[0], problem.chinese, problem.english)
    day = _day(day_name)
    if day is None and (day_name or need_day):
        return BadLine(number, columns[1], "日期无法识别", "the day can't be read")
    if day is not None and not person.birth_date <= day <= today:
        return BadLine(number, columns[1], "日期早于出生或在将来", "the day lies before birth or in the future")
    return ReadLine(number, person, day, region)


def _day(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S", "%Y年%m月%d日"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  (a day of the calendar, no instant)
        except ValueError:
            continue
    return None


def _column(path: Path, columns: Sequence[str], headings: Sequence[str], told: str, *, needed: bool) -> str:
    for heading in headings:
        if heading in columns:
            return heading
    if needed:
        raise ProofError(
            f"找不到“{told}”一列",
            f"no column of {headings[0]} or another of its headings was found",
            advice_chinese=f"请把该列的标题写成：{'、'.join(headings[:6])} 之一。",
            advice_english=f"Name the column one of: {', '.join(headings[:6])}.",
            place=Place(file=path.name),
        )
    return ""


class QuarantineFile:
    """The rows that were set aside, as CSV; taken up again after an interruption without a line twice.

    Args:
        path: where; None keeps none.
        source: name of the file that they come from.
        done: rows of it up to which everything stands already.
    """

    def __init__(self, path: Path | None, source: str, done: int) -> None:
        self._path = path
        self._source = source
        kept: list[list[str]] = []
        if path is not None and done and path.exists():
            with path.open(encoding="utf-8-sig", newline="") as file:
                kept = [row for row in csv.reader(file) if len(row) > 1 and row[1].isdigit() and int(row[1]) <= done]
        if path is not None:
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file).writerows([["文件", "行", "列", "原因", "reason"], *kept])

    def add(self, lines: Sequence[BadLine]) -> None:
        """Set rows aside."""
        if self._path is None or not lines:
            return
        with self._path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([self._source, one.row, one.column, one.chinese, one.english] for one in lines)
