"""Checks asked for by `--check COLUMN=ELEMENT`: the values of a column against a standard data element."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np

from huodang.exchange.sync.canonical import Pair, unescape_text
from huodang.exchange.sync.columns import Kind
from huodang.exchange.sync.comparison import Comparison
from huodang.exchange.sync.errors import CheckError
from huodang.standards import BadValue, DataElement, Month, check_identity_numbers, code_table, element

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DATES: Final = (re.compile(r"(\d{4})-(\d{2})-(\d{2})( 00:00:00)?"), re.compile(r"(\d{4})(\d{2})(\d{2})"))


def checked_element(column: str, identifier: str) -> DataElement:
    """Give the element that a column is checked against.

    Raises:
        CheckError: there is no such element.
    """
    try:
        return element(identifier)
    except BadValue:
        raise CheckError(
            f"没有名为 {identifier} 的数据元，列 {column} 无从检查",
            f"there is no data element {identifier} to check column {column} against",
            advice_chinese="写法：--check 列名=数据元，如 --check sfzh=identity_number；数据元见 docs/standards.md。",
            advice_english="Write --check COLUMN=ELEMENT, such as --check sfzh=identity_number; see docs/standards.md.",
        ) from None


def run_checks(comparison: Comparison, pairs: Mapping[str, Pair], checks: Mapping[str, str]) -> None:
    """Refuse rows whose values aren't what their element asks for; an empty value isn't judged."""
    for column, identifier in checks.items():
        wanted = checked_element(column, identifier)
        number = list(pairs).index(column)
        is_dynamic = pairs[column].kind is Kind.DYNAMIC
        for batch in comparison.column_values(column):
            rows = [
                (key, unescape_text(field[1:] if is_dynamic else field)) for key, field in batch if field is not None
            ]
            if wanted.identifier == "identity_number":
                faults = check_identity_numbers([text for _, text in rows])
                wrong = [rows[row][0] for row in np.flatnonzero(faults)]
                comparison.refuse(wrong, number, "check_identity_number")
                continue
            code, is_right = _judge(wanted)
            comparison.refuse([key for key, text in rows if text and not is_right(text)], number, code)


def _judge(wanted: DataElement) -> tuple[str, Callable[[str], bool]]:
    match wanted.type:
        case "date":
            return "check_date", _is_date
        case "month":
            return "check_month", _is_month
        case "integer" | "decimal" | "money":
            return "check_number", lambda text: bool(_NUMBER.fullmatch(text))
        case "code":
            return "check_code", partial(_is_in, frozenset(code_table(wanted.code_table).codes))
    return "check_length", lambda text: len(text) <= wanted.length


def _is_in(codes: frozenset[str], text: str) -> bool:
    return text in codes


def _is_date(text: str) -> bool:
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            try:
                datetime(int(found[1]), int(found[2]), int(found[3]))  # noqa: DTZ001  (a day has no time zone)
            except ValueError:
                return False
            return True
    return False


def _is_month(text: str) -> bool:
    try:
        Month.parse(text)
    except BadValue:
        return False
    return True
