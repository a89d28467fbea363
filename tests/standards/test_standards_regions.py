import csv
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import (
    IdentityNumber,
    UnknownRegion,
    check_character,
    code_table,
    current_region,
    is_region_known,
    region,
    region_history,
)

FACTS = Path(__file__).parent / "data" / "code_sets.csv"
TODAY = date(2025, 7, 1)
CODES = sorted(code_table("region").codes)


def _number(code):
    return IdentityNumber.parse(f"{code}19650301001" + check_character(f"{code}19650301001"))


def test_province_and_prefectures_are_those_of_the_facts():
    with FACTS.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "GB/T 2260 (Hebei)"]
    assert len(rows) == 12
    for row in rows:
        assert region(row["code"], TODAY).name == row["meaning"]
        assert region(row["code"], TODAY).status == "official"


@pytest.mark.parametrize(
    ("code", "name", "current", "current_name"),
    [
        ("130182", "藁城市", "130109", "藁城区"),
        ("132325", "藁城县", "130109", "藁城区"),
        ("132321", "束鹿县", "130181", "辛集市"),
        ("130221", "丰润县", "130208", "丰润区"),
        ("130323", "抚宁县", "130306", "抚宁区"),
        ("130621", "满城县", "130607", "满城区"),
        ("130622", "清苑县", "130608", "清苑区"),
        ("130625", "徐水县", "130609", "徐水区"),
        ("130721", "宣化县", "130705", "宣化区"),
        ("130733", "崇礼县", "130709", "崇礼区"),
        ("132731", "遵化县", "130281", "遵化市"),
        ("130502", "襄都区", "130502", "襄都区"),
        ("130123", "正定县", "130123", "正定县"),
        ("132400", "保定地区", "130600", "保定市"),
    ],
)
def test_an_abolished_county_is_followed_to_the_one_that_stands_today(code, name, current, current_name):
    assert region(code).name == name
    found = current_region(code, TODAY)
    assert (found.code, found.name) == (current, current_name)


def test_a_change_is_followed_only_as_far_as_the_day_that_is_asked_for():
    assert current_region("132325", date(1985, 1, 1)).name == "藁城县"
    assert current_region("132325", date(1990, 1, 1)).code == "132302"
    assert current_region("132325", date(1994, 1, 1)).code == "139005"
    assert current_region("132325", date(2000, 1, 1)).code == "130182"
    assert region("130502", date(2019, 1, 1)).name == "桥东区"
    assert region("130502", date(2021, 1, 1)).name == "襄都区"


@pytest.mark.parametrize(
    ("code", "around"),
    [("130421", "邯郸市"), ("130226", "唐山市"), ("132201", "邢台市"), ("132700", "河北省")],
)
def test_what_cannot_be_told_is_given_as_the_smallest_region_that_is_certain(code, around):
    assert current_region(code, TODAY).name == around


def test_a_code_that_was_given_to_another_county_keeps_both_meanings():
    assert [found.name for found in region_history("130226")] == ["玉田县", "迁安县"]
    assert region("130226", date(1983, 6, 1)).name == "玉田县"
    assert region("130226", date(1990, 6, 1)).name == "迁安县"


@given(st.sampled_from(CODES))
def test_every_code_of_the_table_leads_to_a_region_that_stands_today(code):
    found = current_region(code, TODAY)
    assert found.holds_in(TODAY.year)
    assert found.code[:2] == code[:2]
    assert current_region(found.code, TODAY) == found


@given(st.sampled_from(CODES))
def test_meanings_of_one_code_do_not_overlap_and_end_in_a_successor(code):
    meanings = region_history(code)
    for earlier, later in pairwise(meanings):
        assert earlier.valid_to is not None
        assert earlier.valid_to <= later.valid_from
    for meaning in meanings:
        assert (meaning.valid_to is None) == (meaning.successor is None and not meaning.shared_with)


def test_codes_tell_their_level_and_every_county_has_its_prefecture():
    assert region("130000").level == "province"
    assert region("130100").level == "prefecture"
    assert region("130109").level == "county"
    for code in CODES:
        if region(code).level == "county" and not code.startswith("1390"):
            assert f"{code[:4]}00" in CODES


def test_all_provinces_are_there():
    assert len([code for code in CODES if code.endswith("0000")]) == 34


def test_a_county_of_another_province_is_not_judged():
    found = region("510104")
    assert (found.code, found.name, found.status) == ("510104", "四川省", "unlisted")
    assert current_region("510104", TODAY).code == "510104"


@pytest.mark.parametrize("code", ["990000", "130199", "13019", "51010A", "１３０１０２", ""])
def test_an_unknown_code_is_an_error_that_prints_nothing_but_codes(code):
    with pytest.raises(UnknownRegion) as caught:
        region(code)
    assert caught.value.code == "region.unknown"
    if len(code) != 6 or not code.isascii() or not code.isdigit():
        assert not code or code not in str(caught.value)


def test_a_code_before_its_time_is_unknown_on_that_day():
    with pytest.raises(UnknownRegion):
        region("130109", date(2000, 1, 1))
    with pytest.raises(UnknownRegion):
        current_region("130109", date(2000, 1, 1))


def test_a_code_that_changed_its_county_is_followed_from_when_it_was_written():
    assert current_region("130123", TODAY).name == "正定县"
    assert current_region("130123", TODAY, written=date(1990, 1, 1)).name == "栾城区"
    assert current_region("130226", TODAY, written=date(1983, 6, 1)).name == "玉田县"
    assert current_region("130226", TODAY, written=date(1990, 6, 1)).name == "迁安市"


@pytest.mark.parametrize("code", ["132325", "130109", "510104", "991234", "810000"])
def test_a_number_with_a_region_of_yesterday_or_elsewhere_needs_no_look(code):
    assert is_region_known(_number(code))


@pytest.mark.parametrize("code", ["130199", "890000"])
def test_a_number_with_an_unknown_region_is_worth_a_look_and_nothing_more(code):
    assert not is_region_known(_number(code))
