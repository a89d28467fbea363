"""What of a record is compared: numbers taken apart, names with their sound, dates in one form. A batch at a time.

A number holds region, birth date, sex and order. They are compared as the things that they are, once: `birth` is the
date that the record tells, `birth_number` the one in its number where the record tells one beside it, and so on. What
of a number is its own, the three digits of order, is `sequence`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huodang.standards import IdentityFault, IdentityNumber, NameError_, PersonName, check_identity_numbers
from huodang.supervision.linkage.columns import Column, Role
from huodang.supervision.linkage.sounds import sound_of

_PLAIN_NAME: Final = re.compile("[\u4e00-\u9fff]{1,8}")
_PLAIN_NUMBER: Final = "^[0-9X]*$"
_DATE: Final = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})")
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
_SEX: Final = {
    "1": "1",
    "男": "1",
    "男性": "1",
    "M": "1",
    "MALE": "1",
    "2": "2",
    "女": "2",
    "女性": "2",
    "F": "2",
    "FEMALE": "2",
}
_PERSON_POWERS: Final = 10 ** np.arange(16, -1, -1, dtype=np.int64)
_TEXTS: Final = {
    Role.ADDRESS: "text",
    Role.TEXT: "text",
    Role.CODE: "code",
    Role.SHORT: "code",
    Role.PHONE: "code",
    Role.DATE: "date",
}


def features(batch: pa.Table, columns: Sequence[Column], *, is_left: bool, first_row: int) -> pa.Table:
    """Turn a batch of a file into the columns that are compared.

    Args:
        batch: texts, as the file has them.
        columns: what is compared.
        is_left: which of the two headers of a column is meant.
        first_row: the number of the batch's first row, from 0.

    Returns:
        One row a record with `row`, and for what the files hold: `written number person checked sequence name sound
        birth birth_number told_birth sex told_sex region region_number`, and one column for each other thing.
    """
    header = {column.name: column.left if is_left else column.right for column in columns}
    found: dict[str, Any] = {"row": pa.array(np.arange(first_row, first_row + batch.num_rows, dtype=np.int64))}
    nothing = pa.nulls(batch.num_rows, pa.string())

    def cells(name: str) -> Any:  # noqa: ANN401  (Arrow has no types)
        told = header.get(name)
        return batch.column(told).combine_chunks() if told else None

    present = {column.name for column in columns}
    number: dict[str, Any] = {}
    if Role.IDENTITY in present:
        number = _number(cells(Role.IDENTITY), batch.num_rows)
        found |= {name: number[name] for name in ("written", "number", "person", "checked", "sequence")}
    for name, clean in ((Role.BIRTH, date_text), (Role.SEX, _sex), (Role.REGION, _region)):
        if name in present or number:
            said = cells(name)
            told = nothing if said is None else by_unique(said, clean)
            short = name.value.split("_", maxsplit=1)[0]
            implied = number.get(short, nothing)
            found[short] = pc.coalesce(told, implied)
            found[f"{short}_number"] = pc.if_else(pc.is_valid(told), implied, None)
            found[f"told_{short}"] = pc.is_valid(told)
    for column in columns:
        said = cells(column.name)
        if said is None:
            continue
        if column.role is Role.NAME:
            found["name"] = by_unique(said, name_key)
            found["sound"] = by_unique(found["name"], sound_of)
        elif column.role in _TEXTS:
            clean = {"text": _plain, "code": _code, "date": date_text}[_TEXTS[column.role]]
            found[column.name] = by_unique(said, clean)
    return pa.table(found)


def by_unique(array: Any, turn: Callable[[str], str | None]) -> Any:  # noqa: ANN401  (Arrow has no types)
    """Turn each different value once."""
    encoded = array.dictionary_encode()
    turned = pa.array([None if value is None else turn(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return turned.take(encoded.indices)


def name_key(text: str) -> str | None:
    """Give what two spellings of one name share; of a name with a lost character, what is left of it."""
    if _PLAIN_NAME.fullmatch(text):
        return text  # as nearly all are: nothing in it is written in two ways
    try:
        return PersonName.parse(text).key
    except NameError_:
        left = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one)[0] == "L")
        return left.upper() or None


def date_text(text: str) -> str | None:
    """Give a date as eight digits, also one that no calendar has; None where a part of it is missing."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if match := _DATE.match(plain):
        return f"{match[1]}{int(match[2]):02d}{int(match[3]):02d}"
    if match := _DAY_FIRST.fullmatch(plain):
        day, month = (match[2], match[1]) if int(match[2]) > 12 else (match[1], match[2])
        return f"{match[3]}{int(month):02d}{int(day):02d}"
    plain = plain.removesuffix(".0")
    return plain[:8] if re.fullmatch(r"[0-9]{8}([0-9]{6})?|[0-9]{8}[ T].*", plain) else None


def clean_number(text: str) -> str:
    """Write an identity number, also a wrong one, without what never belongs to it."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix(".0").upper()
    return re.sub(r"[^0-9A-Z]", "", plain)


def _number(cells: Any, rows: int) -> dict[str, Any]:  # noqa: ANN401  (Arrow has no types)
    """Take identity numbers apart; a wrong one as far as its parts stand where they should."""
    if cells is None:
        empty = pa.nulls(rows, pa.string())
        return {
            **dict.fromkeys(("written", "number", "sequence", "birth", "sex", "region"), empty),
            "person": pa.nulls(rows, pa.int64()),
            "checked": pa.array(np.zeros(rows, dtype=bool)),
        }
    written = pc.utf8_upper(pc.utf8_trim_whitespace(cells))
    odd = np.flatnonzero(~np.asarray(pc.match_substring_regex(written, _PLAIN_NUMBER)))
    texts: list[str] = written.to_pylist()
    for row in odd:
        texts[row] = clean_number(texts[row])
    faults = check_identity_numbers(texts)
    numbers = list(texts)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=rows)
    for row in np.flatnonzero((lengths == 15) & (faults == IdentityFault.VALID)):
        numbers[row] = IdentityNumber.parse(texts[row]).text
    for row in np.flatnonzero((lengths == 15) & (faults != IdentityFault.VALID)):
        # Not to be trusted, but taken apart like the others.
        numbers[row] = f"{texts[row][:6]}19{texts[row][6:]}"
    whole = np.fromiter(map(len, numbers), dtype=np.int64, count=rows)
    digits = np.array(
        [text if len(text) == 18 and text[:17].isascii() and text[:17].isdigit() else "0" * 18 for text in numbers],
        dtype="S18",
    )
    packed = (
        (digits.view(np.uint8).reshape(rows, 18)[:, :17].astype(np.int64) - 48) @ _PERSON_POWERS
        if rows
        else np.zeros(0, np.int64)
    )
    valid = (faults == IdentityFault.VALID) & (packed > 0)
    laid_out = pa.array(whole >= 17)
    text = pa.array(numbers, pa.string())
    parity = pc.utf8_slice_codeunits(text, 16, 17)
    return {
        "written": pa.array([text or None for text in texts], pa.string()),
        "number": pc.if_else(pa.array(valid), text, None),
        "person": pa.array(packed, mask=~valid),
        "checked": pa.array(valid & (lengths == 18)),
        "sequence": pc.if_else(laid_out, pc.utf8_slice_codeunits(text, 14, 17), None),
        "birth": pc.if_else(laid_out, pc.utf8_slice_codeunits(text, 6, 14), None),
        "sex": pc.if_else(
            laid_out, by_unique(parity, lambda digit: ("2", "1")[int(digit) % 2] if digit.isdigit() else None), None
        ),
        "region": pc.if_else(laid_out, pc.utf8_slice_codeunits(text, 0, 6), None),
    }


def _sex(text: str) -> str | None:
    return _SEX.get(unicodedata.normalize("NFKC", text).strip().upper().removesuffix(".0"))


def _region(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix(".0")
    return plain[:6] if re.fullmatch(r"[0-9]{6}([0-9]{6})?", plain) else plain or None


def _plain(text: str) -> str | None:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split()) or None


def _code(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix(".0").upper()
    return re.sub(r"[\s\-]", "", plain) or None
