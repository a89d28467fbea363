"""Identity numbers as SQL of DuckDB: packed into 64 bits and judged, by the million, with integers alone.

The twin of `standards.check_identity_numbers`, held equal to it by a property test. Numbers that are written plainly
take the short way; what is written otherwise is normalised first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from huodang.standards import IdentityFault

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""Source: GB 11643."""
_FULL: Final = "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "\u3000"
_HALF: Final = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)) + " "
_SPACE: Final = r"[\x09-\x0d\x1c-\x20\x{85}\p{Z}]*"
_SPREADSHEET: Final = r"""(?s)[=+@'"].*|[0-9]+(\.[0-9]*)?E[+-]?[0-9]+|[0-9]+\.[0-9]*"""
_BESIDE: Final = r"""[\s\p{Z}\x{200B}-\x{200F}\x{2010}-\x{2015}\x{FEFF}='"’‘`-]"""
"""What people and spreadsheets write around a number and between its groups, taking nothing from it."""
_OLD_CARD_LAST_YEAR: Final = 23


@dataclass(frozen=True)
class Layer:
    """A step of a nested SELECT: the columns it adds to what lies below."""

    columns: Sequence[tuple[str, str]]


def half_width(column: str) -> str:
    """Turn full-width characters into ordinary ones; cheap where there are none."""
    plain = f"strlen({column}) = length({column})"
    return f"CASE WHEN {plain} THEN {column} ELSE translate({column}, {literal(_FULL)}, {literal(_HALF)}) END"


def literal(text: str) -> str:
    """Write a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


LOST: Final = (
    "CASE WHEN eighteen_ IS NOT NULL OR fifteen_ IS NOT NULL THEN false "
    f"ELSE coalesce(regexp_full_match(id_, {literal(_SPREADSHEET)}), false) END"
)
"""SQL: a spreadsheet has lost digits of the number. Over the steps of `identity_layers`."""


def bare_identity(column: str) -> str:
    """Give a number without the spaces, dashes and quotation marks in it; any other text as it stands."""
    bare = f"regexp_replace({half_width(column)}, {literal(_BESIDE)}, '', 'g')"
    whole = f"regexp_full_match({bare}, '[0-9]{{15}}|[0-9]{{17}}[0-9Xx]')"
    plain = f"strlen({column}) = 18 AND {column} >= '1' AND {column} < ':'"
    return f"CASE WHEN {plain} THEN {column} WHEN {whole} THEN {bare} ELSE {column} END"


def identity_layers(column: str) -> tuple[Layer, ...]:
    """Give the steps that end in `person`, and in what `identity_fault_sql` asks for; `column` is SQL of the text."""
    # 18 bytes that read as an integer of 18 digits are 18 digits: a sign, a point or a space leaves too few, and an
    # exponent leaves zeros at the end.
    whole = f"CASE WHEN strlen({column}) = 18 THEN TRY_CAST({column} AS BIGINT) END"
    stripped = f"regexp_replace({half_width(column)}, '^{_SPACE}|{_SPACE}$', '', 'g')"
    ends_in_x = f"strlen({column}) = 18 AND suffix({column}, 'X')"
    normal = f"CASE WHEN {ends_in_x} THEN {column} ELSE upper({stripped}) END"
    seventeen = "TRY_CAST(CASE WHEN regexp_full_match(id_, '[0-9]{17}.') THEN substr(id_, 1, 17) END AS BIGINT)"
    fifteen = "TRY_CAST(CASE WHEN regexp_full_match(id_, '[0-9]{15}') THEN id_ END AS BIGINT)"
    century = "CASE WHEN fifteen_ % 1000 >= 996 THEN 18 ELSE 19 END"
    extended = f"(fifteen_ // 1000000000) * 100000000000 + ({century})::BIGINT * 1000000000 + fifteen_ % 1000000000"
    last = "CASE WHEN suffix(id_, 'X') THEN 10 ELSE TRY_CAST(substr(id_, 18, 1) AS INTEGER) END"
    return (
        Layer((("whole_", whole),)),
        Layer((("plain_", "coalesce(whole_ >= 100000000000000000 AND whole_ % 100 <> 0, false)"),)),
        Layer((("id_", f"CASE WHEN plain_ THEN NULL ELSE {normal} END"),)),
        Layer(
            (
                ("eighteen_", f"CASE WHEN plain_ THEN whole_ // 10 ELSE {seventeen} END"),
                ("fifteen_", f"CASE WHEN length(id_) = 15 THEN {fifteen} END"),
            )
        ),
        Layer(
            (
                ("person", f"CASE WHEN eighteen_ IS NOT NULL THEN eighteen_ ELSE {extended} END"),
                (
                    "last_",
                    f"CASE WHEN plain_ THEN CAST(whole_ % 10 AS INTEGER) WHEN eighteen_ IS NOT NULL THEN {last} END",
                ),
            )
        ),
        Layer(
            (
                ("region_", "CAST(person // 100000000000 AS INTEGER)"),
                ("born_in_", "CAST((person // 100000) % 1000000 AS INTEGER)"),
                ("tail_", "CAST(person % 100000 AS INTEGER)"),
            )
        ),
        Layer((("year_", "born_in_ // 100"), ("month_", "born_in_ % 100"), ("day_", "tail_ // 1000"))),
    )


def is_day(year: str, month: str, day: str) -> str:
    """Say in SQL whether three integers are a day of the calendar."""
    leap = f"{year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0)"
    late = f"({month} <> 2 AND ({day} <= 30 OR ({day} = 31 AND ({month} + {month} // 8) % 2 = 1)))"
    return (
        f"({month} BETWEEN 1 AND 12 AND {day} >= 1 AND "
        f"({day} <= 28 OR {late} OR ({month} = 2 AND {day} = 29 AND {leap})))"
    )


def identity_fault_sql(on: date | None = None) -> str:
    """Give the `IdentityFault` of a number, 0 for none, over the steps of `identity_layers`.

    Args:
        on: the day of the check; a later birth date is a fault.
    """
    real = f"year_ >= 1800 AND {is_day('year_', 'month_', 'day_')}"
    future = ""
    if on is not None:
        today = on.year * 10000 + on.month * 100 + on.day
        future = f"WHEN year_ * 10000 + month_ * 100 + day_ > {today} THEN {int(IdentityFault.BIRTH_FUTURE)} "
    weighed = [
        *_weighed("region_", _WEIGHTS[:6]),
        *_weighed("born_in_", _WEIGHTS[6:12]),
        *_weighed("tail_", _WEIGHTS[12:]),
    ]
    judged = (
        f"CASE WHEN NOT ({real}) THEN {int(IdentityFault.BIRTH_DATE)} {future}"
        f"WHEN eighteen_ IS NOT NULL AND ({' + '.join(weighed)} + last_) % 11 <> 1 "
        f"THEN {int(IdentityFault.CHECK_DIGIT)} ELSE 0 END"
    )
    known = "last_ IS NOT NULL OR fifteen_ IS NOT NULL"
    return f"CAST(CASE WHEN {known} THEN {judged} ELSE {_unpacked(on)} END AS TINYINT)"


def _weighed(part: str, weights: Sequence[int]) -> list[str]:
    """Give terms that sum up to the digits of a part times their weights, modulo 11.

    A digit is the part over a power of ten less ten times the part over the next one, and ten is minus one modulo 11:
    so each quotient counts by its own weight and the weight before, and no remainder is needed. In 32 bits, exactly.
    """
    backwards = weights[::-1]
    factors = [(weight + (backwards[place - 1] if place else 0)) % 11 for place, weight in enumerate(backwards)]
    return [f"({part} // {10**place}) * {factor}" for place, factor in enumerate(factors) if factor]


def _unpacked(on: date | None) -> str:
    """What is wrong with a text that isn't 15 or 18 signs of the right kind; foreigners' old cards pass here, too."""
    year, month, day = (f"TRY_CAST(substr(id_, {start}, 2) AS INTEGER)" for start in (8, 10, 12))
    future = ""
    if on is not None:
        today = on.year * 10000 + on.month * 100 + on.day
        born = "19000000 + TRY_CAST(substr(id_, 8, 6) AS INTEGER)"
        future = f"WHEN {born} > {today} THEN {int(IdentityFault.BIRTH_FUTURE)} "
    card = (
        f"CASE WHEN {year} <= {_OLD_CARD_LAST_YEAR} THEN {int(IdentityFault.CENTURY)} "
        f"WHEN NOT {is_day(f'(1900 + {year})', month, day)} THEN {int(IdentityFault.BIRTH_DATE)} {future}ELSE 0 END"
    )
    return (
        f"CASE WHEN coalesce(id_, '') = '' THEN {int(IdentityFault.EMPTY)} "
        f"WHEN regexp_full_match(id_, {literal(_SPREADSHEET)}) THEN {int(IdentityFault.SPREADSHEET)} "
        f"WHEN length(id_) NOT IN (15, 18) THEN {int(IdentityFault.LENGTH)} "
        f"WHEN regexp_full_match(id_, '[A-Z]{{3}}[0-9]{{12}}') THEN {card} "
        f"ELSE {int(IdentityFault.CHARACTERS)} END"
    )
