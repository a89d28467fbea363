"""From cells to a set of values that both sides write alike: identity numbers, or text. Pure.

Each value becomes a digest of fixed size, bound to how it was normalised, so that a number compared as text never meets
the same number compared as a number. The digests stay on their own side: what crosses is blinded.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huodang.exchange.matching.errors import MatchFileError
from huodang.standards import IdentityFault, IdentityNumber, Place, check_identity_numbers

DIGEST_BYTES: Final = 32
BATCH: Final = 20_000
_MOSTLY: Final = 0.5
_EXACT: Final = 2**53
_TOLD: Final = 20


class Normalisation(StrEnum):
    """How values are written before they are compared; both sides must agree."""

    IDENTITY_NUMBER = "identity_number"  # 证件号码: 15 digits become 18, full-width becomes ASCII, x becomes X
    TEXT = "text"  # 文本: NFKC, white space at the ends dropped


@dataclass(frozen=True)
class Quarantined:
    """A cell that can't be compared; where and why, never what it holds."""

    row: int
    fault: str


@dataclass(frozen=True)
class ValueSet:
    """The distinct values of one side.

    Attributes:
        digests: 32 bytes a value, in the order of first appearance.
        rows: position of the first row of each value, from 0.
        duplicates: rows whose value an earlier row holds.
        empty: rows without a value.
        quarantined: rows whose value isn't valid.
        quarantine: the first of them.
    """

    normalisation: Normalisation
    digests: bytes
    rows: NDArray[np.int64]
    duplicates: int = 0
    empty: int = 0
    quarantined: int = 0
    quarantine: tuple[Quarantined, ...] = field(default=())

    @property
    def size(self) -> int:
        """Count the distinct values."""
        return len(self.digests) // DIGEST_BYTES


def identity_values(numbers: Iterable[IdentityNumber]) -> ValueSet:
    """Make the set of identity numbers that were parsed before."""
    return collect((one.text for one in numbers), Normalisation.IDENTITY_NUMBER)


def choose(sample: Sequence[object]) -> Normalisation:
    """Tell how a column is to be compared: as identity numbers if most of what it holds are such.

    Args:
        sample: cells of the column.
    """
    filled = [one for one in sample if not _is_empty(one)]
    if not filled:
        return Normalisation.TEXT
    # A number that a spreadsheet rounded was an identity number once: it goes to quarantine, not among the texts.
    faults = check_identity_numbers(filled)
    like = int(np.count_nonzero((faults == IdentityFault.VALID) | (faults == IdentityFault.SPREADSHEET)))
    valid = int(np.count_nonzero(faults == IdentityFault.VALID))
    return Normalisation.IDENTITY_NUMBER if valid and like >= _MOSTLY * len(filled) else Normalisation.TEXT


def collect(cells: Iterable[object], normalisation: Normalisation, *, first_row: int = 0) -> ValueSet:
    """Make the set of the values of a column.

    Args:
        cells: one a row.
        normalisation: how they are written.
        first_row: what is added to a position to tell people the row.
    """
    judge = _identity_batch if normalisation is Normalisation.IDENTITY_NUMBER else _text_batch
    pieces: list[bytes] = []
    rows: list[NDArray[np.int64]] = []
    quarantine: list[Quarantined] = []
    position = empty = quarantined = 0
    for batch in _batches(cells):
        kept: list[int] = []
        digests: list[bytes] = []
        for offset, (digest, fault) in enumerate(judge(batch)):
            if digest is not None:
                kept.append(position + offset)
                digests.append(digest)
            elif fault:
                quarantined += 1
                if len(quarantine) < _TOLD:
                    quarantine.append(Quarantined(position + offset + first_row, fault))
            else:
                empty += 1
        pieces.append(b"".join(digests))
        rows.append(np.array(kept, dtype=np.int64))
        position += len(batch)
    distinct, first, duplicates = _distinct(b"".join(pieces), rows)
    return ValueSet(normalisation, distinct, first, duplicates, empty, quarantined, tuple(quarantine))


def digest_of(normalisation: Normalisation, text: str) -> bytes:
    """Give the digest of a value that is normalised already."""
    return hashlib.blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, person=_PERSON[normalisation]
    ).digest()


_PERSON: Final = {
    Normalisation.IDENTITY_NUMBER: b"huodang-match-id",
    Normalisation.TEXT: b"huodang-match-tx",
}


def _distinct(data: bytes, rows: list[NDArray[np.int64]]) -> tuple[bytes, NDArray[np.int64], int]:
    """Keep the first of equal digests, with its position, in order; and count the others."""
    positions = np.concatenate(rows) if rows else np.array([], dtype=np.int64)
    if not data:
        return b"", positions, 0
    column = np.frombuffer(data, dtype=f"S{DIGEST_BYTES}")
    _, first = np.unique(column, return_index=True)
    first.sort()
    matrix = np.frombuffer(data, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
    return matrix[first].tobytes(), positions[first], len(column) - len(first)


def _batches(cells: Iterable[object]) -> Iterator[list[object]]:
    batch: list[object] = []
    for cell in cells:
        batch.append(cell)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


_Judged = tuple[bytes | None, str]


def _identity_batch(batch: list[object]) -> Iterator[_Judged]:
    faults = check_identity_numbers(batch)
    for cell, fault in zip(batch, faults, strict=True):
        if fault == IdentityFault.EMPTY:
            yield None, ""
        elif fault != IdentityFault.VALID:
            yield None, IdentityFault(int(fault)).name.lower()
        else:
            yield digest_of(Normalisation.IDENTITY_NUMBER, _identity_text(str(cell))), ""


def _identity_text(text: str) -> str:
    # Written plainly, as nearly all are: parsing again would cost ten times as much as the digest.
    if len(text) == 18 and text.isascii() and not text[17].islower():
        return text
    return IdentityNumber.parse(text).text


def _text_batch(batch: list[object]) -> Iterator[_Judged]:
    for cell in batch:
        if _is_empty(cell):
            yield None, ""
            continue
        text = plain_text(cell)
        if text is None:
            yield None, "spreadsheet"
            continue
        normal = unicodedata.normalize("NFKC", text).strip()
        yield (digest_of(Normalisation.TEXT, normal), "") if normal else (None, "")


def plain_text(cell: object) -> str | None:
    """Write a cell as text; None for a number that a spreadsheet may have rounded."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if not cell.is_integer():
            return repr(cell)
        return str(int(cell)) if abs(cell) < _EXACT else None
    if isinstance(cell, datetime) and cell.hour == cell.minute == cell.second == 0:
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _is_empty(cell: object) -> bool:
    # NaN is the one value that differs from itself.
    return cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())  # noqa: PLR0124


def require_values(values: ValueSet, place: Place) -> ValueSet:
    """Hand back a set that has at least one value.

    Raises:
        MatchFileError: it has none.
    """
    if values.size:
        return values
    raise MatchFileError(
        f"没有可比对的值：空 {values.empty} 行，隔离 {values.quarantined} 行",
        f"there is nothing to match: {values.empty} rows are empty, {values.quarantined} are quarantined",
        advice_chinese="请核对列名和 --as；证件号码在电子表格中应存为文本。",
        advice_english="Check the column and --as; a spreadsheet must hold identity numbers as text.",
        place=place,
    )
