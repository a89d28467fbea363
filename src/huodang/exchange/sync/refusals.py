"""Why a row is refused (隔离): found in SQL as it is read, told in a file that the provider can work with."""

import csv
import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from huodang.exchange.sync.canonical import Pair, unescape_text, unfit
from huodang.exchange.sync.columns import Engine, Kind
from huodang.exchange.sync.errors import SpaceError

KEY_NULL: Final = "key_null"
KEY_TWICE: Final = "key_twice"
SCIENTIFIC: Final = "scientific_notation"
UNFIT: Final = "unfit"
REASONS: Final = {
    KEY_NULL: ("主键为空", "the key is null"),
    KEY_TWICE: ("主键在来源表中出现不止一次", "the key stands more than once in the source"),
    SCIENTIFIC: (
        "疑似证件号码被写成科学计数法，末位已丢失，不能还原",
        "an identity number turned to scientific notation; its last digits are lost",
    ),
    UNFIT: (
        "值放不进目标列（类型、长度、范围或必填）",
        "the value doesn't fit the target's column (type, length, range, required)",
    ),
    "check_identity_number": ("证件号码不合格", "not a valid identity number"),
    "check_date": ("不是有效日期", "not a valid date"),
    "check_month": ("不是有效年月", "not a valid month"),
    "check_number": ("不是有效数字", "not a valid number"),
    "check_code": ("不在代码表内", "not in the code table"),
    "check_length": ("超过数据元长度", "longer than the element allows"),
}
# Identity numbers have 18 or 15 digits: 10 to the 17th and to the 14th. Any column may hold one.
_ANY_COLUMN: Final = "'[0-9](\\.[0-9]+)?[eE]\\+?1[47]'"
_NAMED_COLUMN: Final = "'[0-9](\\.[0-9]+)?[eE]\\+?1[0-9]'"
_IDENTITY_NAME: Final = re.compile(
    r"(^|_)(gm)?(sfzh|sfzhm|sfz|zjhm|zjh|sfzjhm|idcard|id_card|identity(_number|_no|_card)?|aac147|aac002)(_|$)"
    r"|身份证|身份号码|证件号",
    re.IGNORECASE,
)
_SHORTEST, _LONGEST = 4, 26
_LARGE: Final = "1e13"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")


def is_identity_column(name: str) -> bool:
    """Tell whether a column's name says that it holds identity numbers (身份证号)."""
    return bool(_IDENTITY_NAME.search(name))


def refusal(pairs: Sequence[Pair], key: Sequence[int], target_engine: Engine, *, is_exact: bool) -> str:
    """Give the expression of a row's first fault: `code:column number`, NULL if it has none."""
    tests = [(f"c{number} IS NULL", f"{KEY_NULL}:{number}") for number in key]
    for number, pair in enumerate(pairs):
        value = f"c{number}"
        if spoilt := _spoilt(pair, value):
            tests.append((spoilt, f"{SCIENTIFIC}:{number}"))
        exact = is_exact and pair.source.type == pair.target.type
        if wrong := unfit(pair, target_engine, value, is_exact=exact):
            tests.append((wrong, f"{UNFIT}:{number}"))
    return "CASE " + " ".join(f"WHEN {test} THEN '{code}'" for test, code in tests) + " END"


def _spoilt(pair: Pair, value: str) -> str | None:
    named = is_identity_column(pair.source.name)
    if pair.kind is Kind.DYNAMIC:
        number = f"(starts_with({value}, 'r') AND abs(try_cast({value}[2:] AS DOUBLE)) >= {_LARGE})"
        text = _scientific(f"{value}[2:]", named=named)
        return f"(starts_with({value}, 't') AND {text})" + (f" OR {number}" if named else "")
    if pair.source.kind in {Kind.TEXT, Kind.NATIVE}:
        return _scientific(value, named=named)
    if named and pair.source.kind in {Kind.SINGLE, Kind.DOUBLE}:
        return f"abs(try_cast({value} AS DOUBLE)) >= {_LARGE}"
    return None


def _scientific(value: str, *, named: bool) -> str:
    pattern = _NAMED_COLUMN if named else _ANY_COLUMN
    return f"(length({value}) BETWEEN {_SHORTEST} AND {_LONGEST} AND regexp_full_match({value}, {pattern}))"


def write_refused(path: Path, pairs: Sequence[Pair], batches: Iterable[list[tuple[Any, ...]]]) -> int:
    """Write refused rows as CSV that a spreadsheet opens rightly: key, column, reason, then the row as it stands.

    UTF-8 with byte order mark; a cell that a spreadsheet would run as a formula is led by an apostrophe. The file holds
    personal data: only its owner can read it.

    Raises:
        SpaceError: the file can't be written.
    """
    try:
        return _write_refused(path, pairs, batches)
    except OSError as problem:
        raise SpaceError(
            f"隔离文件写不了：{path}（{errno.errorcode.get(problem.errno or 0, '?')}）",
            f"the file of refused rows can't be written: {path} ({errno.errorcode.get(problem.errno or 0, '?')})",
            advice_chinese="请腾出空间，或用 --quarantine 换一个位置；目标表没有改动。",
            advice_english="Make room, or name another place by --quarantine; the target is unchanged.",
        ) from problem


def _write_refused(path: Path, pairs: Sequence[Pair], batches: Iterable[list[tuple[Any, ...]]]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["主键 key", "列 column", "代码 code", "原因", "reason", *(_neutral(pair.source.name) for pair in pairs)]
        )
        for batch in batches:
            for code, number, key, *fields in batch:
                chinese, english = REASONS.get(str(code), (str(code), str(code)))
                column = pairs[number].source.name if number is not None and number >= 0 else ""
                writer.writerow(
                    [
                        _neutral(_shown_key(key, pairs)),
                        _neutral(column),
                        code,
                        chinese,
                        english,
                        *(_cell(pair, field) for pair, field in zip(pairs, fields, strict=True)),
                    ]
                )
                rows += 1
    return rows


def _shown_key(key: str | None, pairs: Sequence[Pair]) -> str:
    if key is None:
        return ""
    is_dynamic = bool(pairs) and pairs[0].kind is Kind.DYNAMIC
    return " | ".join(unescape_text(part[1:] if is_dynamic else part) for part in key.split("\t"))


def _cell(pair: Pair, field: str | None) -> str:
    if field is None:
        return ""
    text = field[1:] if pair.kind is Kind.DYNAMIC else field
    return _neutral(unescape_text(text))


def _neutral(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
