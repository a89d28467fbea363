import csv
import re
from pathlib import Path

import pytest

from huodang.standards import (
    PersonName,
    UnknownCode,
    UnknownCodeTable,
    UnknownElement,
    code_table,
    code_tables,
    crosswalk,
    crosswalk_names,
    element,
    elements,
)

DATA = Path(__file__).parent / "data"
# Those that cross between departments: docs/architecture.md.
CROSSING = [
    "identity_number",
    "name",
    "former_name",
    "sex",
    "birth_date",
    "nationality",
    "household_region",
    "household_address",
    "death_date",
    "certificate_number",
    "custody_from",
    "custody_to",
    "sentence_type",
    "account_number",
    "account_status",
    "account_balance",
    "arrears_months",
    "medical_months",
    "medical_status",
    "scheme",
    "enrolment_status",
    "benefit_status",
    "benefit_from",
    "contribution_months",
    "deemed_months",
    "pre_account_months",
    "credited_years",
    "credited_pre_account_years",
    "average_index",
    "indexed_wage",
    "account_amount",
    "first_contribution_month",
    "archive_birth_date",
    "archive_sex",
    "archive_name",
    "work_category",
    "decided_as_of",
    "employer",
    "bank_account",
    "phone",
    "one_child",
    "employment_kind",
    "special_trade_months",
]
TYPES = {"text", "code", "date", "month", "integer", "decimal", "money", "flag"}
MASKS = {"identity", "name", "account", "phone", "address", "date_year", "amount", "hidden", "none"}


def _facts(name):
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("identifier", CROSSING)
def test_every_element_that_crosses_between_departments_is_defined(identifier):
    assert element(identifier).identifier == identifier


@pytest.mark.parametrize("found", elements().values(), ids=lambda found: found.identifier)
def test_every_element_is_complete(found):
    assert re.fullmatch(r"[a-z_]+", found.identifier)
    assert found.chinese
    assert found.english
    assert found.source
    assert found.type in TYPES
    assert found.mask in MASKS
    assert 1 <= found.level <= 4
    assert found.length >= 1
    assert bool(found.code_table) == (found.type in {"code", "flag"})
    if found.code_table:
        assert max(map(len, code_table(found.code_table).codes)) <= found.length


@pytest.mark.parametrize("found", [found for found in elements().values() if found.code], ids=lambda found: found.code)
def test_every_element_code_was_seen_in_the_collected_facts(found):
    assert found.code in {row["code"] for row in _facts("insurance_field_codes.csv")}


def test_the_identity_document_is_type_and_number_as_the_facts_say():
    assert element("document_kind").code == "AAC058"
    assert element("identity_number").code == "AAC147"
    assert element("person_id").code == "AAC001"


def test_what_exposes_a_person_is_masked():
    for found in elements().values():
        if found.level >= 4 and found.type != "code":
            assert found.mask != "none", found.identifier
    assert element("identity_number").level == 4
    assert element("scheme").level == 1


def test_an_unknown_element_is_named():
    with pytest.raises(UnknownElement) as caught:
        element("shoe_size")
    assert caught.value.place.element == "shoe_size"


def test_every_code_set_of_the_facts_is_in_a_table_with_its_meaning():
    meanings = {(code, meaning) for table in code_tables().values() for code, meaning in table.codes.items()}
    left = [
        row
        for row in _facts("code_sets.csv")
        if not row["set"].startswith("GB 11643")
        and (row["code"], row["meaning"].partition(" ")[0]) not in meanings
        # Two meanings are written out in full in the product.
        and row["meaning"] not in {"机关事业单位(养老)", "(停发示例)"}
    ]
    assert left == []


def test_national_standards_are_whole():
    assert code_table("sex").codes == {"0": "未知的性别", "1": "男性", "2": "女性", "9": "未说明的性别"}
    nationalities = code_table("nationality").codes
    assert list(nationalities) == [f"{code:02d}" for code in range(1, 57)] + ["97", "98"]
    assert code_table("nationality").status == code_table("sex").status == "official"
    assert len(set(nationalities.values())) == 58


def test_codes_of_employee_and_residents_pension_are_told_apart():
    scheme = code_table("scheme")
    assert scheme.meaning("110") == "企业职工基本养老保险"
    assert scheme.meaning("170") == "城乡居民基本养老保险"
    assert code_table("benefit_stop_reason").meaning("1401") == "死亡"
    assert code_table("benefit_pause_reason").meaning("1202").startswith("养老待遇享受人员被判刑")


def test_an_unknown_code_is_refused_without_printing_it():
    with pytest.raises(UnknownCode) as caught:
        code_table("sex").require("132325196503010019")
    assert "132325196503010019" not in str(caught.value)
    assert "0、1、2、9" in caught.value.advice_chinese
    with pytest.raises(UnknownCode):
        code_table("sex").meaning("3")
    assert "1" in code_table("sex")
    assert code_table("sex").require("1") == "1"


def test_an_unknown_table_is_told_with_those_that_exist():
    with pytest.raises(UnknownCodeTable) as caught:
        code_table("colour")
    assert "nationality" in caught.value.advice_english


def test_code_tables_cannot_be_changed_by_their_readers():
    with pytest.raises(TypeError):
        code_table("sex").codes["3"] = "?"


def test_nationality_names_are_plain_text():
    for meaning in code_table("nationality").codes.values():
        assert PersonName.parse(meaning).text == meaning


@pytest.mark.parametrize("name", crosswalk_names())
def test_every_crosswalk_of_the_product_leads_to_codes_of_its_element(name):
    found = element(name.partition(".")[2])
    codes = code_table(found.code_table).codes
    for local, standard in crosswalk(name).standard_by_local.items():
        assert standard in codes, f"{name}: {local}"
