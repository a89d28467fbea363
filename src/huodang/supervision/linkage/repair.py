"""Which identity numbers a wrong one may have been: one slip of the hand away, and with a valid check character. Pure.

A slip is one wrong digit, two neighbours exchanged, a digit left out or a digit too many. The check character tells for
each place the one digit that would do, so an 18-character number has a score of candidates and not hundreds. A 15-digit
number has no check character: all its neighbours are candidates, and agreement of name and birth date must decide.
Source: GB 11643 (ISO 7064 MOD 11-2).
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_WEIGHTS: Final = np.array([2 ** (17 - place) % 11 for place in range(18)], dtype=np.int64)
_POWERS: Final = 10 ** np.arange(16, -1, -1, dtype=np.int64)
_TEN: Final = 10
_INVERSE: Final = np.array([0] + [pow(number, -1, 11) for number in range(1, 11)], dtype=np.int64)


def candidates(texts: Sequence[str]) -> tuple[Integers, Integers]:
    """Give the numbers that each text may have been.

    Args:
        texts: wrong identity numbers, cleaned of all but digits and letters; 15-digit ones may also be right in form.

    Returns:
        Position of the text and the first 17 digits of a candidate as one integer, pair by pair. Whether there is such
        a person, and so such a birth date, is for the one to tell who looks them up.
    """
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    found: list[tuple[Integers, Integers]] = []
    for length, propose in ((18, _of_eighteen), (15, _of_fifteen), (17, _of_seventeen), (19, _of_nineteen)):
        rows = np.flatnonzero(lengths == length)
        rows = np.array([row for row in rows.tolist() if _is_plain(texts[row])], dtype=np.int64)
        if len(rows):
            digits = _digits([texts[row] for row in rows.tolist()], length)
            found += [(rows[at], seventeen @ _POWERS) for at, seventeen in propose(digits)]
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rows, persons = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, persons


def _is_plain(text: str) -> bool:
    # The check character X stands last, or last but one where it was exchanged with its neighbour.
    digits = text.replace("X", "0", 1)
    return text.isascii() and digits.isdigit() and "X" not in text[:-2]


def _digits(texts: Sequence[str], length: int) -> Integers:
    """Write texts as rows of digits; X is ten."""
    codes = np.array(texts, dtype=f"S{length}").view(np.uint8).reshape(len(texts), length).astype(np.int64)
    return np.where(codes == ord("X"), _TEN, codes - ord("0"))


def _valid(numbers: Integers) -> NDArray[np.bool_]:
    """Tell which rows of 18 digits pass the check: their weighted sum leaves 1 when divided by 11."""
    return np.asarray(((numbers * _WEIGHTS).sum(axis=1) % 11 == 1) & (numbers[:, :17] < _TEN).all(axis=1))


def _picked(numbers: Integers, rows: Integers) -> tuple[Integers, Integers]:
    good = _valid(numbers)
    return rows[good], numbers[good, :17]


def _of_eighteen(digits: Integers) -> Iterator[tuple[Integers, Integers]]:
    rows = np.arange(len(digits))
    # The check character alone is wrong: the 17 digits stand.
    plain = (digits[:, :17] < _TEN).all(axis=1)
    yield rows[plain], digits[plain, :17]
    lacking = (1 - (digits * _WEIGHTS).sum(axis=1)) % 11
    for place in range(17):
        right = (digits[:, place] + lacking * _INVERSE[_WEIGHTS[place]]) % 11
        changed = digits.copy()
        changed[:, place] = right
        yield _picked(changed, rows)
        swapped = digits.copy()
        swapped[:, [place, place + 1]] = digits[:, [place + 1, place]]
        yield _picked(swapped, rows)


def _of_seventeen(digits: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Put in the digit that was left out, at every place."""
    rows = np.arange(len(digits))
    for place in range(18):
        whole = np.insert(digits, place, 0, axis=1)
        lacking = (1 - (whole * _WEIGHTS).sum(axis=1)) % 11
        whole[:, place] = (lacking * _INVERSE[_WEIGHTS[place]]) % 11
        yield _picked(whole, rows)


def _of_nineteen(digits: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Take out the digit that is too many, at every place."""
    rows = np.arange(len(digits))
    for place in range(19):
        yield _picked(np.delete(digits, place, axis=1), rows)


def _of_fifteen(digits: Integers) -> Iterator[tuple[Integers, Integers]]:
    good = (digits < _TEN).all(axis=1)
    rows, digits = np.flatnonzero(good), digits[good]

    def whole(fifteen: Integers) -> Integers:
        century = np.tile(np.array([1, 9], dtype=np.int64), (len(fifteen), 1))
        return np.concatenate([fifteen[:, :6], century, fifteen[:, 6:]], axis=1)

    for place in range(15):
        for step in range(1, 10):
            changed = digits.copy()
            changed[:, place] = (changed[:, place] + step) % 10
            yield rows, whole(changed)
        if place < 14:
            swapped = digits.copy()
            swapped[:, [place, place + 1]] = digits[:, [place + 1, place]]
            yield rows, whole(swapped)
