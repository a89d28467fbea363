"""Archival codes read and print alike; retention terms and profiles come from data files."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang import archive
from huodang.archive import (
    CLASSES,
    ArchivalCode,
    ArchivalCodeError,
    ArchiveProfile,
    ProfileError,
    item_kinds,
    metadata_elements,
    personnel_categories,
    retention_term,
    retention_terms,
)

# Examples of DA/T 13-2022.
EXAMPLES = ["J019-ZY·JC·CC·2019·D30-001-001", "A002-RS-001-002", "Z109-WS·2011·Y·办公室-0001"]


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_standard_read_and_print_alike(text: str) -> None:
    assert str(ArchivalCode.parse(text)) == text


def test_the_parts_of_a_code_are_told_apart() -> None:
    code = ArchivalCode.parse("J019-ZY·JC·CC·2019·D30-001-002")
    assert code == ArchivalCode("J019", "ZY", ("JC", "CC"), "2019", "D30", None, ("001", "002"))
    assert ArchivalCode.parse("Z109-WS·2011·Y·办公室-0001").unit == "办公室"
    assert code.series == "J019-ZY·JC·CC·2019·D30"


years = st.integers(0, 9999).map("{:04}".format)
terms = st.one_of(st.just("Y"), st.integers(1, 999).map("D{}".format))
units = st.text("办公室人事财务科研部ABC123", min_size=1, max_size=10)
tails = st.one_of(
    st.just((None, None, None)),
    st.tuples(years, st.none(), st.none()),
    st.tuples(years, terms, st.none()),
    st.tuples(years, terms, units),
)
codes = st.builds(
    lambda fonds, category, subclasses, tail, numbers: ArchivalCode(fonds, category, subclasses, *tail, numbers),
    st.from_regex(r"[A-Z][0-9]{3}", fullmatch=True),
    st.sampled_from(sorted(CLASSES)),
    st.lists(st.from_regex(r"[A-Z]{2,6}", fullmatch=True), max_size=3).map(tuple),
    tails,
    st.lists(st.integers(1, 99999999).map("{:03}".format), min_size=1, max_size=2).map(tuple),
)


@given(codes)
def test_every_code_printed_and_read_is_the_same(code: ArchivalCode) -> None:
    assert ArchivalCode.parse(str(code)) == code


@given(codes)
def test_a_volume_and_its_items_stand_in_one_series(code: ArchivalCode) -> None:
    item = code.item("007")
    assert item.series == code.series
    assert str(item).startswith(f"{code.series}-{code.numbers[0]}-")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "J019",
        "J19-ZY·2019·D30-001",
        "j019-ZY·2019·D30-001",
        "J019-XX·2019·D30-001",
        "J019-ZY·19·D30-001",
        "J019-ZY·2019·D0-001",
        "J019-ZY·2019·X-001",
        "J019-ZY·Y-001",
        "J019-ZY·2019·D30-1",
        "J019-ZY·2019·D30-001-001-001",
        "J019-ZY·2019·D30·办公室·二科-001",
        "J019-ZY·2019·D30·../etc-001",
        "J019-ZY·2019·D30-001\n",
        "J019-ZY·2019·D30-٠٠١",
        "../J019-ZY·2019·D30-001",
    ],
)
def test_a_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ArchivalCodeError):
        ArchivalCode.parse(text)


def test_the_example_profile_makes_codes_of_the_standard() -> None:
    code = ArchiveProfile.load().code(2026, 1)
    assert str(code) == "Z130-ZY·YL·DY·2026·D100-00001"
    assert ArchivalCode.parse(str(code)) == code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fonds: Z130", "fonds: Z13"),
        ("category: ZY", "category: XX"),
        ("volume_digits: 5", "volume_digits: five"),
        ("founding_unit: ", "founded_by: "),
        ("retention_subject: pension_benefit", "retention_subject: lunch"),
        ("subclasses:", "subclasses: 7\nignored:"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    text = (Path(archive.__file__).parent / "data" / "profile.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "agency.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises((ProfileError, ArchivalCodeError)) as caught:
        ArchiveProfile.load(path)
    assert ".yaml" in caught.value.sentence("zh")


def test_terms_are_those_of_the_order_and_count_from_the_following_year() -> None:
    years = {term.years for term in retention_terms().values()}
    assert years == {None, 100, 50, 30, 10}
    assert retention_term("payment_details").kept_until(date(2025, 3, 3)) == date(2055, 12, 31)
    assert retention_term("unit_registration").kept_until(date(2025, 3, 3)) is None
    assert [retention_term(name).code for name in ("unit_registration", "audit")] == ["Y", "D30"]


def test_a_term_without_a_source_says_so() -> None:
    assert retention_term("pension_benefit").status == "unverified"
    with pytest.raises(ProfileError):
        retention_term("lunch")


def test_the_ten_categories_are_ten() -> None:
    codes_ = [category.code for category in personnel_categories()]
    assert {code.split("-")[0] for code in codes_} == {str(number) for number in range(1, 11)}
    assert [code for code in codes_ if "-" in code] == [f"4-{n}" for n in range(1, 5)] + [f"9-{n}" for n in range(1, 5)]


def test_the_kinds_of_item_that_a_joint_case_files_are_there() -> None:
    needed = {"application", "verdict", "trace", "review", "notice", "joint_item", "materials"}
    assert needed <= item_kinds().keys()
    assert all(kind.chinese and kind.english for kind in item_kinds().values())


def test_a_metadata_element_has_a_number_only_where_the_standard_was_read() -> None:
    numbers = {element.chinese: element.number for element in metadata_elements().values() if element.number}
    assert numbers == {"题名": "M22", "说明题名文字": "M25"}
