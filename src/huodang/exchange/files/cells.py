"""Cells: numbers that lost their digits, cells that a spreadsheet would run, cells as text."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from huodang.exchange.files.formats import CellProblem

# An IEEE double, and so a cell of Excel, holds 15 significant digits; an identity number has 18.
MOST_EXACT: Final = 10**15

_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9](?:\.([0-9]*))?[eE]\+?([0-9]{1,3})")
_DANGEROUS: Final = frozenset("=+-@\t\r\n＝＋－＠")
_PLAIN_NUMBER: Final = re.compile(r"[+-][0-9]+(?:\.[0-9]+)?")
_ESCAPE: Final = "'"


def is_scientific(text: str) -> bool:
    """Say whether a text is a long number whose digits were cut, such as `1.30102E+17`."""
    match = _SCIENTIFIC.fullmatch(text.strip())
    if match is None:
        return False
    exponent = int(match[2])
    return exponent >= 10 and exponent > len(match[1] or "")


def digits_lost(column: str) -> CellProblem:
    """Say that a cell's number has lost digits: nobody can tell which they were."""
    return CellProblem(
        column,
        "digits_lost",
        "数值超过 15 位有效数字或写成科学计数法，末尾数字已丢失，不作还原",
        "the number has over 15 significant digits or is in scientific notation: digits are lost and not guessed",
    )


def is_inexact(value: object) -> bool:
    """Say whether a value read as a number may have lost digits."""
    return isinstance(value, float) and abs(value) >= MOST_EXACT


def cell_text(value: object) -> str:
    """Write a cell as text: dates as ISO 8601, numbers without exponent, nothing as the empty text."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case float():
            return _number(Decimal(repr(value)))
        case Decimal():
            return _number(value)
        case datetime():
            return value.isoformat(sep=" ", timespec="microseconds" if value.microsecond else "seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(int(value.total_seconds()))
        case _:
            return str(value)


def neutralise(text: str) -> str:
    """Keep a spreadsheet from running a cell as a formula: an apostrophe goes before it.

    Signed plain numbers stay as they are. `restore` undoes exactly this, so that what we export we read back unchanged.
    Source: OWASP, CSV Injection.
    """
    return _ESCAPE + text if _is_dangerous(text.lstrip(_ESCAPE)) else text


def restore(text: str) -> str:
    """Take away the apostrophe that `neutralise` put before a cell."""
    if text.startswith(_ESCAPE) and _is_dangerous(text.lstrip(_ESCAPE)):
        return text[1:]
    return text


def _is_dangerous(text: str) -> bool:
    return bool(text) and text[0] in _DANGEROUS and _PLAIN_NUMBER.fullmatch(text) is None


def _number(value: Decimal) -> str:
    if not value.is_finite():
        return ""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
