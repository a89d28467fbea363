"""Months, dates, money and codes as SQL of DuckDB: each takes a column of a file and gives the canonical value or NULL.

What is written plainly takes the short way; only the rest meets a regular expression. A value that can't be read is
NULL here, and `selecting.py` says where that means quarantine.
"""

from typing import Final

from huodang.supervision.tables.identity_sql import Layer, half_width, is_day, literal

_WHOLE: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_FLOAT: Final = frozenset({"FLOAT", "DOUBLE"})
_CALENDAR: Final = ("DATE", "TIMESTAMP")
_SCIENTIFIC: Final = r"[+-]?[0-9](\.[0-9]*)?[eE]\+?[0-9]{1,3}"
_SERIAL: Final = (32_874, 73_050)
"""Days since 1899-12-30, as a spreadsheet counts them, from 1990 to 2099; lower ones could be 20245 for 2024-5."""
_NOT_TOLD: Final = r"[\s\x{3000}]*([0\-/—]*|无|空|null|NULL|None|NaN|nan|NaT)[\s\x{3000}]*"
_LASTING: Final = "至今|长期|在押|在狱|在监|服刑中|羁押中|尚未释放|未释放|未出监|未结束"
_SLOW_DATE: Final = (
    r"^\s*([0-9]{4})(?:\s*[-/.年]\s*([0-9]{1,2})(?:\s*[-/.月]\s*(?:([0-9]{1,2})\s*日?)?)?|\s*年)?"
    r"(?:[T\s]+[0-9:.]+)?\s*$"
)
_SLOW_MONTH: Final = (
    r"^\s*([0-9]{4})(?:\s*[-/.年]\s*([0-9]{1,2})|([0-9]{2}))"
    r"(?:\.0+|\s*月|[-/.月]?\s*[0-9]{1,2}\s*日?(?:[T\s]+[0-9:.]+)?)?\s*$"
)


def text_of(column: str, kind: str) -> str:
    """Give a column of any type as text."""
    if kind == "VARCHAR":
        return column
    if kind in _FLOAT:
        # 202405.0 is how a spreadsheet's number comes out; digits beyond the fifteenth are lost.
        whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        return f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
    return f"CAST({column} AS VARCHAR)"


def plain_text(column: str, kind: str) -> str:
    """Give a text without spaces around it; NULL where it is empty."""
    return f"nullif(trim({text_of(column, kind)}), '')"


def account_text(column: str, kind: str) -> str:
    """Give an account's text; NULL where there is none, or a spreadsheet has lost its digits."""
    text = f"trim({text_of(column, kind)})"
    bare = f"CASE WHEN strlen({text}) = length({text}) AND NOT contains({text}, ' ') THEN {text} "
    bare += f"ELSE replace({half_width(text)}, ' ', '') END"
    lost = f"regexp_full_match({text}, {literal(_SCIENTIFIC)})"
    nothing = f"regexp_full_match({text}, {literal(_NOT_TOLD)})"
    # An account is longer than what means "none", and has no sign in it unless its digits are lost.
    return (
        f"CASE WHEN strlen({text}) > 8 AND NOT contains({text}, '+') THEN {bare} "
        f"WHEN {nothing} OR {lost} THEN NULL ELSE {bare} END"
    )


def account_key(text: str) -> str:
    """Give the 60-bit key of an account's text: the same text, the same key."""
    return f"CASE WHEN {text} IS NOT NULL THEN CAST(hash({text}) >> 4 AS BIGINT) END"


def money(column: str, kind: str, unit: str) -> str:
    """Give an amount in fen, exactly; NULL where there is none or it isn't a whole number of fen."""
    factor = 100 if unit == "yuan" else 1
    if kind in _WHOLE:
        return f"CAST({column} AS BIGINT) * {factor}"
    if kind in _FLOAT:
        # The nearest number of four decimals is the one that was written; below 10^11 a double tells it apart.
        exact = f"CASE WHEN abs({column}) < 1e11 THEN CAST({column} AS DECIMAL(18, 4)) END"
    elif kind.startswith("DECIMAL"):
        exact = f"TRY_CAST({column} AS DECIMAL(18, 4))"
    else:
        text = text_of(column, kind)
        bare = f"regexp_replace({half_width(text)}, '[,￥¥元\\s]', '', 'g')"
        exact = (
            f"CASE WHEN TRY_CAST({text} AS DECIMAL(18, 4)) IS NOT NULL THEN TRY_CAST({text} AS DECIMAL(18, 4)) "
            f"ELSE TRY_CAST({bare} AS DECIMAL(18, 4)) END"
        )
    scale = 2 if unit == "yuan" else 0
    rounded = f"CAST({exact} AS DECIMAL(18, {scale}))"
    return f"CASE WHEN {exact} = {rounded} THEN CAST({rounded} * {factor} AS BIGINT) END"


def month(column: str, kind: str) -> str:
    """Give a month as `YYYYMM`; of a date, the month it lies in."""
    if kind.startswith(_CALENDAR):
        return f"CAST(year({column}) * 100 + month({column}) AS INTEGER)"
    if kind in _WHOLE:
        serial = _serial(column)
        value = (
            f"CASE WHEN {column} >= 10000000 THEN {column} // 100 "
            f"WHEN {serial} IS NOT NULL THEN year({serial}) * 100 + month({serial}) ELSE {column} END"
        )
    else:
        text = text_of(column, kind)
        found = f"regexp_extract({half_width(text)}, {literal(_SLOW_MONTH)}, ['y', 'm', 'n'])"
        slow = f"TRY_CAST({found}.y AS INTEGER) * 100 + TRY_CAST(({found}.m || {found}.n) AS INTEGER)"
        whole = f"CASE WHEN strlen({text}) = 6 THEN TRY_CAST({text} AS INTEGER) END"
        day = _serial(_five_digits(text))
        serial = f"CASE WHEN {day} IS NOT NULL THEN year({day}) * 100 + month({day}) END"
        value = f"coalesce({whole}, {slow}, {serial})"
    real = f"{value} BETWEEN 190000 AND 299999 AND {value} % 100 BETWEEN 1 AND 12"
    return f"CAST(CASE WHEN {real} THEN {value} END AS INTEGER)"


def span_layers(column: str, kind: str, name: str) -> tuple[Layer, ...]:
    """Give the steps that end in `NAME_from` and `NAME_to`: first and last day that a date can be, as `YYYYMMDD`.

    They are equal where the day is known; zeros in place of a month or a day mean that it isn't.
    """
    if kind.startswith(_CALENDAR):
        day = f"CAST(year({column}) * 10000 + month({column}) * 100 + day({column}) AS INTEGER)"
        return (Layer(((f"{name}_from", day), (f"{name}_to", day))),)
    text, digits = f"{name}_text_", f"{name}_digits_"
    year, month_, day = f"{name}_y_", f"{name}_m_", f"{name}_d_"
    parts = tuple((part, _number(digits, start, n)) for part, start, n in ((year, 1, 4), (month_, 5, 2), (day, 7, 2)))
    last = (
        f"CASE WHEN {month_} = 2 THEN CASE WHEN {year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0) "
        f"THEN 29 ELSE 28 END WHEN {month_} IN (4, 6, 9, 11) THEN 30 ELSE 31 END"
    )

    def bound(whole_year: str, whole_month: str) -> str:
        return (
            f"CASE WHEN NOT ({year} BETWEEN 1800 AND 9999) THEN NULL "
            f"WHEN {is_day(year, month_, day)} THEN {year} * 10000 + {month_} * 100 + {day} "
            f"WHEN {month_} = 0 AND {day} = 0 THEN {year} * 10000 + {whole_year} "
            f"WHEN {day} = 0 AND {month_} BETWEEN 1 AND 12 THEN {year} * 10000 + {month_} * 100 + {whole_month} END"
        )

    return (
        Layer(((text, f"trim({half_width(text_of(column, kind))})"),)),
        Layer(((digits, _date_digits(text)),)),
        Layer(parts),
        Layer(((f"{name}_from", bound("101", "1")), (f"{name}_to", bound("1231", last)))),
    )


def is_end_told(column: str, kind: str) -> str:
    """Say whether a cell tells an end: nothing, a dash or 至今 mean that there is none yet."""
    lasting = f"regexp_full_match(trim({text_of(column, kind)}), {literal(_LASTING)})"
    return f"({is_told(column, kind)} AND NOT coalesce({lasting}, false))"


def is_told(column: str, kind: str) -> str:
    """Say whether anything stands in a cell: a dash or zeros are nothing."""
    if kind.startswith(_CALENDAR):
        return f"{column} IS NOT NULL"
    return f"coalesce(NOT regexp_full_match({text_of(column, kind)}, {literal(_NOT_TOLD)}), false)"


def mapped(column: str, kind: str, exact: dict[str, str], parts: tuple[tuple[str, str], ...] = ()) -> str:
    """Give the code of a text: by the whole of it, then by the first part found; else the text as it stands."""
    text = f"trim({text_of(column, kind)})"
    lines = "".join(f"WHEN {literal(word)} THEN {literal(code)} " for word, code in exact.items())
    contained = "".join(f"WHEN contains({text}, {literal(part)}) THEN {literal(code)} " for part, code in parts)
    rest = f"CASE {contained}ELSE {text} END" if parts else text
    # A code of three signs, as most tables have, is nobody's word.
    return (
        f"nullif(CASE WHEN strlen({text}) BETWEEN 2 AND 3 THEN {text} ELSE CASE {text} {lines}ELSE {rest} END END, '')"
    )


def sex(column: str, kind: str) -> str:
    """Give the sex by GB/T 2261.1, 1 or 2; NULL where it isn't told."""
    text = f"upper(trim({text_of(column, kind)}))"
    return (
        f"CAST(CASE WHEN {text} IN ('1', '男', '男性', 'M', 'MALE') THEN 1 "
        f"WHEN {text} IN ('2', '女', '女性', 'F', 'FEMALE') THEN 2 END AS TINYINT)"
    )


def flag(column: str, kind: str) -> str:
    """Give yes as 1, no as 0."""
    text = f"upper(trim({text_of(column, kind)}))"
    return (
        f"CAST(CASE WHEN {text} IN ('1', '是', '有', 'Y', 'YES', 'TRUE', 'T') THEN 1 "
        f"WHEN {text} IN ('0', '2', '否', '无', 'N', 'NO', 'FALSE', 'F') THEN 0 END AS TINYINT)"
    )


def _number(digits: str, start: int, length: int) -> str:
    part = f"substr({digits}, {start}, {length})"
    return f"CASE WHEN {part} = '' THEN 0 ELSE TRY_CAST({part} AS INTEGER) END"


def _date_digits(text: str) -> str:
    """Give 4, 6 or 8 digits of a date's text; what can't be read gives none."""
    dashed = (
        f"strlen({text}) >= 10 AND substr({text}, 5, 1) IN ('-', '/', '.') AND substr({text}, 8, 1) IN ('-', '/', '.') "
        f"AND (strlen({text}) = 10 OR substr({text}, 11, 1) IN (' ', 'T'))"
    )
    found = f"regexp_extract({half_width(text)}, {literal(_SLOW_DATE)}, ['y', 'm', 'd'])"
    slow = (
        f"{found}.y || CASE WHEN {found}.m = '' THEN '' ELSE lpad({found}.m, 2, '0') END || "
        f"CASE WHEN {found}.d = '' THEN '' ELSE lpad({found}.d, 2, '0') END"
    )
    joined = f"substr({text}, 1, 4) || substr({text}, 6, 2) || substr({text}, 9, 2)"
    compact = f"strlen({text}) IN (6, 8) AND TRY_CAST({text} AS INTEGER) IS NOT NULL"
    day = _serial(_five_digits(text))
    instant = f"strlen({text}) = 14 AND regexp_full_match({text}, '[0-9]{{14}}')"
    return (
        f"CASE WHEN {compact} THEN {text} WHEN {dashed} THEN {joined} WHEN {instant} THEN substr({text}, 1, 8) "
        f"WHEN {day} IS NOT NULL THEN strftime({day}, '%Y%m%d') ELSE {slow} END"
    )


def _five_digits(text: str) -> str:
    return f"CASE WHEN strlen({text}) = 5 THEN TRY_CAST({text} AS INTEGER) END"


def _serial(number: str) -> str:
    """Give the day that a spreadsheet's number means; NULL where it is none."""
    first, last = _SERIAL
    return f"CASE WHEN {number} BETWEEN {first} AND {last} THEN DATE '1899-12-30' + CAST({number} AS INTEGER) END"


def count(column: str, kind: str) -> str:
    """Give a whole number of at least 0, as of months; NULL where there is none."""
    text = f"TRY_CAST({half_width(text_of(column, kind))} AS DECIMAL(18, 4))"
    return f"CAST(CASE WHEN {text} BETWEEN 0 AND 999999 AND {text} = trunc({text}) THEN {text} END AS INTEGER)"
