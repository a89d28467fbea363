"""Identity numbers by the million: the vectorised twin of `identity.identity_fault`.

Rows that are written plainly (15 or 18 characters, no white space) are judged by column arithmetic, in slices that
stay in the processor's cache. What is written otherwise goes through the scalar face, row by row, so both agree.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from huodang.standards.identity import CENTENARIAN_SEQUENCES, CHECK_CHARACTERS, WEIGHTS, identity_fault
from huodang.standards.identity_faults import IdentityFault
from huodang.standards.text import TextError, decode_text

# Longer texts are judged one by one: a single long cell must not widen a column of a million.
_WIDEST = 24
_SLICE = 8192
_EIGHTEEN, _FIFTEEN = 18, 15
_WEIGHTS = np.array(WEIGHTS, dtype=np.uint16)
_CHECK = np.frombuffer(CHECK_CHARACTERS.encode("ascii"), dtype=np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.uint8)
_FULL_WIDTH_FIRST, _FULL_WIDTH_LAST, _FULL_WIDTH_STEP = 0xFF01, 0xFF5E, 0xFEE0

Faults = NDArray[np.uint8]
Codes = NDArray[np.uint8] | NDArray[np.uint32]


def check_identity_numbers(values: NDArray[Any] | Sequence[object], on: date | None = None) -> Faults:
    """Check many identity numbers at once, each with the verdict that the scalar face would give.

    Args:
        values: Texts in a one-dimensional array of `U`, `S` or objects, or any sequence. A missing value (None, NaN)
            counts as empty; a number that isn't text counts as spoilt by a spreadsheet.
        on: The day of the check; a birth date after it is a fault. None checks the calendar only.

    Returns:
        One `IdentityFault` a row, as uint8; 0 is valid.

    Raises:
        ValueError: the array isn't one-dimensional.
    """
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise ValueError("check_identity_numbers takes one column")
    if isinstance(values, np.ndarray) and values.dtype.kind in "US" and values.dtype.itemsize:
        return _check_array(values, on)
    if isinstance(values, np.ndarray) and values.dtype.kind in "US":
        return np.full(len(values), IdentityFault.EMPTY, dtype=np.uint8)
    rows: list[object] = list(values)
    if all(kind is str for kind in set(map(type, rows))):
        return _check_texts(cast("list[str]", rows), on)
    return np.fromiter((_object_fault(row, on) for row in rows), dtype=np.uint8, count=len(rows))


def _check_texts(rows: list[str], on: date | None) -> Faults:
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    widest = min(int(lengths.max(initial=1)) or 1, _WIDEST)
    column = np.array(rows, dtype=f"U{widest}")
    # An array cuts a long text and forgets trailing NUL characters: those rows are judged as they were given.
    changed = np.flatnonzero(lengths != np.char.str_len(column)) if _may_differ(rows, lengths) else ()
    faults = _check_array(column, on)
    for row in changed:
        faults[row] = identity_fault(rows[row], on)
    return faults


def _may_differ(rows: list[str], lengths: NDArray[np.int64]) -> bool:
    return bool((lengths > _WIDEST).any()) or any("\0" in row for row in rows)


def _check_array(column: NDArray[Any], on: date | None) -> Faults:
    column = np.ascontiguousarray(column)
    if not column.dtype.isnative:
        column = column.astype(column.dtype.newbyteorder("="))
    is_text = column.dtype.kind == "U"
    one: Callable[[Any, date | None], int] = _text_fault if is_text else _bytes_fault
    width = column.dtype.itemsize // (4 if is_text else 1)
    codes = cast("Codes", column.view(np.uint32 if is_text else np.uint8).reshape(len(column), width))
    faults = np.empty(len(column), dtype=np.uint8)
    for start in range(0, len(column), _SLICE):
        stop = start + _SLICE
        verdicts, plain = _check_slice(codes[start:stop], on)
        faults[start:stop] = verdicts
        if not plain.all():
            for row in np.flatnonzero(~plain):
                faults[start + row] = one(column[start + row], on)
    return faults


def _check_slice(codes: Codes, on: date | None) -> tuple[Faults, NDArray[np.bool_]]:
    """Judge one slice; the second array tells which rows it could judge."""
    rows, width = codes.shape
    verdicts = np.zeros(rows, dtype=np.uint8)
    if width < _FIFTEEN:
        return verdicts, np.zeros(rows, dtype=np.bool_)
    characters = _ascii_columns(codes)
    judged = np.zeros(rows, dtype=np.bool_)
    if width >= _EIGHTEEN:
        # Most rows have 18 characters: they are judged where they stand, without being picked out first.
        digits = (characters[:17] - 48).astype(np.uint8, copy=False)
        last = characters[17]
        judged = (digits <= 9).all(axis=0) & (((last - 48) <= 9) | ((last & 0xDF) == ord("X")))
        judged &= ~characters[_EIGHTEEN:].any(axis=0)
        verdicts = _verdicts_of_eighteen(digits, last, on)
    if not judged.all():
        short = np.flatnonzero(~judged)
        picked = characters[:, short]
        digits = picked[:_FIFTEEN] - 48
        is_fifteen = (digits <= 9).all(axis=0) & ~picked[_FIFTEEN:].any(axis=0)
        found = short[is_fifteen]
        verdicts[found] = _verdicts_of_fifteen(digits[:, is_fifteen], on)
        judged[found] = True
    return verdicts, judged


def _ascii_columns(codes: Codes) -> NDArray[np.uint8]:
    """Turn rows of character codes into contiguous columns of ASCII; what isn't ASCII becomes 255, no digit at all."""
    columns = codes.T
    if codes.dtype == np.uint32 and int(codes.max(initial=0)) > 0x7F:
        wide = (columns >= _FULL_WIDTH_FIRST) & (columns <= _FULL_WIDTH_LAST)
        columns = np.where(wide, columns - _FULL_WIDTH_STEP, np.minimum(columns, 255))
    return np.ascontiguousarray(columns, dtype=np.uint8)


def _verdicts_of_eighteen(digits: NDArray[np.uint8], last: NDArray[np.uint8], on: date | None) -> Faults:
    # 9 × the sum of weights is 9 × 90: 16 bits are plenty. Rows that aren't numbers give nonsense that nobody reads.
    total = np.zeros(digits.shape[1], dtype=np.uint16)
    for digit, weight in zip(digits, _WEIGHTS, strict=True):
        total += digit * weight
    given = np.where(last > ord("9"), ord("X"), last)
    year = digits[6] * np.uint16(1000) + digits[7] * np.uint16(100) + digits[8] * np.uint16(10) + digits[9]
    verdicts = _birth_verdicts(year, digits[10] * 10 + digits[11], digits[12] * 10 + digits[13], on)
    wrong = (verdicts == IdentityFault.VALID) & (_CHECK[total % len(CHECK_CHARACTERS)] != given)
    verdicts[wrong] = IdentityFault.CHECK_DIGIT
    return verdicts


def _verdicts_of_fifteen(digits: NDArray[np.uint8], on: date | None) -> Faults:
    sequence = digits[12] * np.uint16(100) + digits[13] * np.uint16(10) + digits[14]
    century = np.where(sequence >= CENTENARIAN_SEQUENCES.start, np.uint16(1800), np.uint16(1900))
    year = century + digits[6] * np.uint16(10) + digits[7]
    return _birth_verdicts(year, digits[8] * 10 + digits[9], digits[10] * 10 + digits[11], on)


def _birth_verdicts(
    year: NDArray[np.uint16], month: NDArray[np.uint8], day: NDArray[np.uint8], on: date | None
) -> Faults:
    is_month = (month >= 1) & (month <= 12)
    days = _DAYS[np.where(is_month, month, 0)]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = days + ((month == 2) & leap)
    real = is_month & (day >= 1) & (day <= days) & (year >= 1800)
    verdicts = np.where(real, np.uint8(IdentityFault.VALID), np.uint8(IdentityFault.BIRTH_DATE))
    if on is not None:
        born = year.astype(np.uint32) * 10000 + month.astype(np.uint32) * 100 + day
        verdicts[real & (born > on.year * 10000 + on.month * 100 + on.day)] = IdentityFault.BIRTH_FUTURE
    return verdicts


def _text_fault(text: str, on: date | None) -> int:
    return identity_fault(str(text), on)


def _bytes_fault(data: bytes, on: date | None) -> int:
    try:
        return identity_fault(decode_text(bytes(data)), on)
    except TextError:
        return IdentityFault.CHARACTERS


def _object_fault(value: object, on: date | None) -> int:
    if isinstance(value, str):
        return _text_fault(value, on)
    if isinstance(value, bytes):
        return _bytes_fault(value, on)
    # NaN is the one value that differs from itself.
    if value is None or value != value:  # noqa: PLR0124  (the test for NaN without importing its library)
        return IdentityFault.EMPTY
    return IdentityFault.SPREADSHEET
