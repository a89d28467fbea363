from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.standards import IdentityFault, check_character, check_identity_numbers, identity_fault

TODAY = date(2025, 7, 1)


def _number(region, born, sequence):
    seventeen = f"{region}{born:%Y%m%d}{sequence:03d}"
    return seventeen + check_character(seventeen)


def _full_width(text):
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


VALID = st.builds(
    _number,
    st.sampled_from(["130102", "132325", "810000", "911124"]),
    st.dates(date(1790, 1, 1), date(2030, 12, 31)),
    st.integers(0, 999),
)
SHORT = VALID.map(lambda text: text[:6] + text[8:17])
DIGITS = st.text("0123456789", min_size=14, max_size=19)
NEARLY = st.builds(
    lambda text, position, character: text[:position] + character + text[position + 1 :],
    st.one_of(VALID, SHORT),
    st.integers(0, 17),
    st.sampled_from("0123456789Xx xＸ９·é\0=.E"),
)
WRITTEN = st.one_of(
    VALID,
    SHORT,
    DIGITS,
    NEARLY,
    VALID.map(str.lower),
    VALID.map(_full_width),
    SHORT.map(_full_width),
    VALID.map(lambda text: f" {text}\u3000"),
    VALID.map(lambda text: f'="{text}"'),
    VALID.map(lambda text: text + " " * 40),
    VALID.map(lambda text: text + "\0"),
    st.sampled_from(["", " ", "1.30102E+17", "CAN110281080312", "CAN110201010112", "can110281080312", "中" * 18]),
    st.text(max_size=20),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WRITTEN, max_size=30), st.sampled_from([None, TODAY]))
def test_both_faces_give_the_same_verdict_on_every_row(rows, on):
    expected = [identity_fault(row, on) for row in rows]
    assert check_identity_numbers(rows, on).tolist() == expected
    assert check_identity_numbers(np.array(rows, dtype=object), on).tolist() == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(WRITTEN.filter(lambda text: not text.endswith("\0")), min_size=1, max_size=30))
def test_arrays_of_text_and_of_bytes_give_the_same_verdicts_as_lists(rows):
    expected = check_identity_numbers(rows).tolist()
    assert check_identity_numbers(np.array(rows, dtype="U")).tolist() == expected
    assert check_identity_numbers(np.array(rows, dtype="U").astype(">U60")).tolist() == expected
    plain = [row for row in rows if row.isascii()]
    if plain:
        as_bytes = np.array([row.encode("ascii") for row in plain])
        assert check_identity_numbers(as_bytes).tolist() == [identity_fault(row) for row in plain]


@settings(max_examples=100, deadline=None)
@given(st.lists(VALID, min_size=1, max_size=20))
def test_bytes_in_utf8_and_gb18030_are_read_as_text(rows):
    wide = [_full_width(row) for row in rows]
    expected = [identity_fault(row) for row in wide]
    for encoding in ("utf-8", "gb18030"):
        assert check_identity_numbers(np.array([row.encode(encoding) for row in wide])).tolist() == expected


def test_bytes_that_are_no_text_are_a_fault_of_characters():
    assert check_identity_numbers(np.array([b"\xff" * 18])).tolist() == [IdentityFault.CHARACTERS]


def test_missing_values_are_empty_and_numbers_are_spoilt_by_a_spreadsheet():
    values = [None, float("nan"), np.nan, 132325196503010019, 1.32325e17, "132325196503010019", b"132325196503010019"]
    empty, spoilt = int(IdentityFault.EMPTY), int(IdentityFault.SPREADSHEET)
    assert check_identity_numbers(np.array(values, dtype=object)).tolist() == [
        empty,
        empty,
        empty,
        spoilt,
        spoilt,
        0,
        0,
    ]


@pytest.mark.parametrize(
    "nothing", [[], np.array([], dtype="U18"), np.array([], dtype="S18"), np.array([], dtype=object)]
)
def test_no_rows_give_no_verdicts(nothing):
    faults = check_identity_numbers(nothing)
    assert faults.dtype == np.uint8
    assert faults.shape == (0,)


def test_columns_of_empty_texts_are_empty():
    for column in (np.array(["", ""]), np.array([b"", b""]), ["", ""]):
        assert check_identity_numbers(column).tolist() == [IdentityFault.EMPTY] * 2


def test_a_view_that_skips_rows_is_judged_by_its_own_rows():
    rows = np.array([_number("130102", date(1965, 3, 1), n) if n % 2 else "0" * 18 for n in range(100)])
    assert not check_identity_numbers(rows[1::2]).any()
    assert check_identity_numbers(rows[::2]).all()


def test_a_table_is_not_a_column():
    with pytest.raises(ValueError, match="one column"):
        check_identity_numbers(np.array([["a", "b"]]))


def test_faults_are_found_in_every_slice_of_a_long_column():
    rows = np.array([_number("130102", date(1965, 3, 1), n % 999) for n in range(999)] * 40)
    wrong = np.array([0, 8191, 8192, 20000, len(rows) - 1])
    rows[wrong] = "132325196503010010"
    assert np.flatnonzero(check_identity_numbers(rows)).tolist() == wrong.tolist()
