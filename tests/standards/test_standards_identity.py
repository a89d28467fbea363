import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import (
    IdentityError,
    IdentityFault,
    IdentityKind,
    IdentityNumber,
    check_character,
    identity_error,
    identity_fault,
)

FACTS = Path(__file__).parent / "data" / "code_sets.csv"
# All numbers here are made up: regions and dates are put together, and the check character computed.
CITIZEN = "132325196503010019"


def number(region="130102", born=date(1965, 3, 1), sequence=1):
    seventeen = f"{region}{born:%Y%m%d}{sequence:03d}"
    return seventeen + check_character(seventeen)


NUMBERS = st.builds(
    number,
    st.sampled_from(["130102", "132325", "110101", "810000", "830000", "999999"]),
    st.dates(date(1800, 1, 1), date(2025, 12, 31)),
    st.integers(0, 999),
)


def test_check_characters_follow_the_weights_of_the_published_table():
    with FACTS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    weights = [int(row["meaning"]) for row in rows if row["set"] == "GB 11643 weight"]
    characters = {int(row["code"]): row["meaning"] for row in rows if row["set"].startswith("GB 11643 check char")}
    assert len(weights) == 17
    for position in range(17):
        seventeen = "0" * position + "7" + "0" * (16 - position)
        assert check_character(seventeen) == characters[7 * weights[position] % 11]


def test_a_number_tells_region_birth_and_sex():
    parsed = IdentityNumber.parse(CITIZEN)
    assert parsed.text == str(parsed) == CITIZEN
    assert parsed.kind is IdentityKind.CITIZEN
    assert parsed.region_code == "132325"
    assert parsed.birth_date == date(1965, 3, 1)
    assert parsed.sex == "1"
    assert IdentityNumber.parse(number(sequence=2)).sex == "2"


@pytest.mark.parametrize(
    "written",
    [
        CITIZEN,
        f" {CITIZEN}\t\r\n",
        f"\u3000{CITIZEN}\u3000",
        "".join(chr(ord(character) + 0xFEE0) for character in CITIZEN),
    ],
)
def test_width_and_white_space_around_a_number_do_not_matter(written):
    assert IdentityNumber.parse(written).text == CITIZEN


def test_a_small_or_wide_x_is_the_same_as_a_large_one():
    ends_in_x = next(found for found in (number(sequence=n) for n in range(999)) if found[-1] == "X")
    for last in ("X", "x", "Ｘ", "ｘ"):
        assert IdentityNumber.parse(ends_in_x[:17] + last).text == ends_in_x


def test_the_old_fifteen_digits_become_eighteen():
    assert IdentityNumber.parse("132325650301001").text == CITIZEN
    assert IdentityNumber.parse(CITIZEN).fifteen == "132325650301001"


@pytest.mark.parametrize(("sequence", "year"), [("995", 1902), ("996", 1802), ("999", 1802)])
def test_sequences_kept_for_centenarians_mean_the_eighteen_hundreds(sequence, year):
    assert IdentityNumber.parse(f"130102020301{sequence}").birth_date == date(year, 3, 1)


@given(NUMBERS)
def test_the_short_form_leads_back_to_the_same_number(text):
    parsed = IdentityNumber.parse(text)
    assert parsed.text == text
    if parsed.fifteen is not None:
        assert IdentityNumber.parse(parsed.fifteen) == parsed


@given(NUMBERS, st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(text, position, change):
    wrong = text[:position] + str((int(text[position]) + change) % 10) + text[position + 1 :]
    assert identity_fault(wrong) is not IdentityFault.VALID


@given(NUMBERS, st.integers(0, 15))
def test_every_swap_of_neighbours_is_found(text, position):
    swapped = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
    assert (identity_fault(swapped) is IdentityFault.VALID) == (swapped == text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "identity.empty"),
        (" \u3000", "identity.empty"),
        (CITIZEN[:17], "identity.length"),
        (CITIZEN + "0", "identity.length"),
        (CITIZEN[:6] + " " + CITIZEN[6:], "identity.length"),
        ("1323251965030100I9", "identity.characters"),
        ("13232519650301001×", "identity.characters"),
        ("13232519650301X019", "identity.characters"),
        ("13232565030100X", "identity.characters"),
        ("١٣٢٣٢٥١٩٦٥٠٣٠١٠٠١٩", "identity.characters"),
        ("132325196502300019", "identity.birth_date"),
        ("132325196513010019", "identity.birth_date"),
        ("132325179912310019", "identity.birth_date"),
        ("132325650230001", "identity.birth_date"),
        ("132325000000001", "identity.birth_date"),
        (CITIZEN[:17] + "0", "identity.check_digit"),
        ('="' + CITIZEN + '"', "identity.spreadsheet"),
        ("'" + CITIZEN, "identity.spreadsheet"),
        ("1.32325E+17", "identity.spreadsheet"),
        ("1.32325e17", "identity.spreadsheet"),
        ("132325196503010000.0", "identity.spreadsheet"),
        ("CAN110201010112", "identity.century"),
        ("CAN110281023012", "identity.birth_date"),
    ],
)
def test_each_fault_has_its_own_code_and_advice_and_never_prints_the_number(text, code):
    with pytest.raises(IdentityError) as caught:
        IdentityNumber.parse(text)
    error = caught.value
    assert error.code == code
    assert error.advice_chinese
    assert error.advice_english
    assert identity_error(error.fault).code == code
    if text.strip():
        assert text not in str(error)
        assert text[6:14] not in str(error)


def test_leap_days_follow_the_calendar():
    assert identity_fault(number(born=date(1964, 2, 29))) is IdentityFault.VALID
    assert identity_fault("13010219000229001" + check_character("13010219000229001")) is IdentityFault.BIRTH_DATE


def test_a_birth_date_after_the_day_of_the_check_is_refused_only_if_a_day_is_given():
    future = number(born=date(2025, 7, 2))
    assert identity_fault(future) is IdentityFault.VALID
    assert identity_fault(future, on=date(2025, 7, 2)) is IdentityFault.VALID
    assert identity_fault(future, on=date(2025, 7, 1)) is IdentityFault.BIRTH_FUTURE


@pytest.mark.parametrize("region", ["132325", "130182", "899999", "000000"])
def test_a_region_that_no_table_knows_does_not_make_a_number_wrong(region):
    assert IdentityNumber.parse(number(region)).region_code == region


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_residence_permits_of_hong_kong_macao_and_taiwan_are_taken(region):
    parsed = IdentityNumber.parse(number(region, date(1960, 5, 6), 24))
    assert parsed.kind is IdentityKind.RESIDENCE_PERMIT
    assert (parsed.region_code, parsed.birth_date, parsed.sex) == (region, date(1960, 5, 6), "2")
    assert parsed.fifteen is None


def test_the_new_permanent_residence_card_is_taken():
    # 9, province, nationality in three digits, birth date, sequence, check character.
    parsed = IdentityNumber.parse(number("911124", date(1981, 8, 3), 2))
    assert parsed.kind is IdentityKind.PERMANENT_RESIDENT
    assert (parsed.region_code, parsed.birth_date, parsed.sex) == ("", date(1981, 8, 3), "2")


def test_the_old_permanent_residence_card_is_taken_as_far_as_it_tells():
    parsed = IdentityNumber.parse("can110281080312")
    assert parsed.text == "CAN110281080312"
    assert parsed.kind is IdentityKind.OLD_PERMANENT_RESIDENT
    assert (parsed.region_code, parsed.birth_date, parsed.sex, parsed.fifteen) == ("", date(1981, 8, 3), "0", None)


def test_a_number_does_not_show_itself_in_logs_and_traces():
    shown = f"{[IdentityNumber.parse(CITIZEN)]!r}"
    assert CITIZEN[6:] not in shown
