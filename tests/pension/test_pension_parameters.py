"""Parameter files: what they must say, and how provinces are named."""

import pytest
from pension_facts import STATEMENTS

from huodang.pension import (
    ParameterFileError,
    ParameterMissing,
    Status,
    national,
    parameters,
    provinces,
    read_parameter_file,
)
from huodang.standards import Month

FILE = """
province: testland
chinese: 测试省
english: Testland
region_code: "990000"
parameters:
  rate:
    chinese: 比例
    english: rate
    unit: ratio
    law: 某号
    source: 某处
    status: official
    versions:
      - {valid_from: 2024-01, valid_to: 2024-12, value: 0.1}
      - {valid_from: 2025-01, value: "0.20", status: unverified}
"""


@pytest.mark.parametrize("name", ["hebei", "Hebei", " HEBEI ", "河北", "河北省", "13", "130000"])
def test_a_province_goes_by_code_name_or_region_code(name):
    assert parameters(name).province == "hebei"


@pytest.mark.parametrize("name", ["内蒙古", "内蒙古自治区", "neimenggu", "Inner Mongolia"])
def test_autonomous_regions_go_by_their_short_name_too(name):
    assert parameters(name).province == "neimenggu"


@pytest.mark.parametrize("name", ["", "省", "atlantis", "../hebei", "山东省", "hebei.yaml"])
def test_a_province_without_a_file_is_refused_by_name(name):
    with pytest.raises(ParameterMissing, match="没有参数文件"):
        parameters(name)


def test_every_province_of_the_statements_has_a_file():
    assert {row["province"] for row in STATEMENTS} == set(provinces())


def test_every_parameter_says_law_source_and_status():
    for province in (*provinces(), "national"):
        for parameter in parameters(province).listing():
            assert parameter.law
            assert parameter.source
            assert parameter.chinese
            assert parameter.english
            assert isinstance(parameter.status, Status)


def test_listing_of_a_province_has_its_own_and_the_national_parameters_once():
    names = [parameter.name for parameter in parameters("hebei").listing()]

    assert names.count("credited_years") == 1
    assert "payout_months" in names
    assert "transitional_pension" in names


def test_versions_hold_in_their_months_only():
    rules = read_parameter_file(FILE, "testland.yaml")

    assert rules.value("rate", Month(2024, 12)).text == "0.1"
    later = rules.value("rate", Month(2031, 5))
    assert (later.text, later.status) == ("0.20", Status.UNVERIFIED)
    with pytest.raises(ParameterMissing, match="testland"):
        rules.value("rate", Month(2023, 12))
    with pytest.raises(ParameterMissing):
        rules.sole("rate")
    with pytest.raises(ParameterMissing):
        rules.value("other", Month(2024, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    law: 某号\n", ""),
        ("status: official", "status: certain"),
        ("valid_to: 2024-12", "valid_to: 2025-01"),
        ("valid_from: 2024-01", "valid_from: 2024-13"),
        ("  rate:", "  pension_base:"),
        ("unit: ratio", "unit: ratio\n    color: red"),
        ("parameters:", "parameter:"),
        ("province: testland", "province: [testland"),
        (FILE, "just a text"),
    ],
)
def test_a_file_that_lacks_something_or_contradicts_itself_is_refused_by_name(old, new):
    assert old in FILE
    with pytest.raises(ParameterFileError, match=r"testland\.yaml"):
        read_parameter_file(FILE.replace(old, new), "testland.yaml")


def test_figures_and_tables_are_not_mistaken_for_each_other():
    with pytest.raises(ParameterFileError):
        national().sole("payout_months").text  # noqa: B018  (reading it is what fails)
    with pytest.raises(ParameterFileError):
        national().sole("basic_rate").table  # noqa: B018  (reading it is what fails)
