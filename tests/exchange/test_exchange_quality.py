"""From a department's cells to standard rows: what fits is read exactly, what doesn't is named, nothing is guessed."""

import csv
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from exchange_lots import number
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import GatewayConfigError
from huodang.exchange.gateway.shapes import ElementSpec
from huodang.exchange.quality import (
    BadRow,
    Fault,
    RowMarks,
    RowPlan,
    RuleSpec,
    SourceRow,
    Standardiser,
    StandardRow,
    bucket_hashes,
    bucket_of,
    compile_plan,
    differing_buckets,
    neutralised,
    root_of,
    write_quarantine,
)
from huodang.standards import Place

TODAY = date(2025, 3, 3)


class Beside:
    def beside(self, relative: str) -> Path:
        return Path(relative)


ELEMENTS: dict[str, str | ElementSpec] = {
    "identity_number": "证件号码",
    "name": "姓名",
    "sex": ElementSpec(column="性别", crosswalk={"男": "1", "女": "2"}),
    "birth_date": ElementSpec(column="出生日期", format="yyyymmdd | yyyy-mm-dd"),
    "death_date": ElementSpec(column="死亡日期", format="yyyymmdd", absent_values=("00000000",)),
    "account_balance": ElementSpec(column="余额", unit="yuan"),
    "bank_account": "银行账号",
}
GOOD: dict[str, object] = {
    "证件号码": number(1),
    "姓名": "王建国",
    "性别": "男",
    "出生日期": "19400101",
    "死亡日期": "00000000",
    "余额": "12.30",
    "银行账号": "6222000011112222",
}


def plan(**changes: Any) -> RowPlan:
    rules = [
        RuleSpec(rule="death_before_birth", element="death_date", not_before="birth_date"),
        RuleSpec(rule="death_in_future", element="death_date", not_after="today"),
        RuleSpec(rule="balance_too_large", element="account_balance", not_after="100000000"),
    ]
    given_parts = {"required": ["name"], "rules": rules, **changes}
    return compile_plan(
        "police.household_table",
        ["identity_number"],
        ELEMENTS,
        beside=Beside(),
        place=Place(element="x"),
        **given_parts,
    )


def standardise(**cells: object) -> StandardRow | BadRow | None:
    return Standardiser(plan(), today=TODAY).row(SourceRow(Place(file="t", row=1), {**GOOD, **cells}))


def reasons(**cells: object) -> list[str]:
    made = standardise(**cells)
    assert isinstance(made, BadRow)
    return [fault.reason for fault in made.faults]


def test_good_row_becomes_standard_values_in_the_order_of_their_names() -> None:
    made = standardise()
    assert isinstance(made, StandardRow)
    assert list(made.values) == sorted(made.values)
    assert made.values["sex"] == "1"
    assert made.values["birth_date"] == "1940-01-01"
    assert made.values["account_balance"] == "1230"
    assert "death_date" not in made.values


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"证件号码": "1.30102E+17"}, "number_scientific"),
        ({"证件号码": 1.30102e17}, "number_scientific"),
        ({"证件号码": float(int(number(1)[:17] + "0"))}, "number_scientific"),
        ({"证件号码": number(1)[:-2]}, "identity_invalid"),
        ({"证件号码": None}, "key_missing"),
        ({"姓名": "  "}, "required_missing"),
        ({"姓名": "王?国"}, "name_lost_character"),
        ({"姓名": "王\ufffd国"}, "encoding_broken"),
        ({"姓名": b"\xff\xfe\xff"}, "encoding_broken"),
        ({"姓名": "王\x01国"}, "control_character"),
        ({"姓名": "王" * 51}, "value_too_long"),
        ({"性别": "未知"}, "value_unmapped"),
        ({"出生日期": "1940/01/01"}, "date_format"),
        ({"出生日期": "45000"}, "date_serial"),
        ({"出生日期": 45000}, "date_serial"),
        ({"出生日期": 45000.5}, "date_serial"),
        ({"出生日期": "20250230"}, "date_impossible"),
        ({"死亡日期": "2024-01-01"}, "date_format"),
        ({"死亡日期": "19000101"}, "death_before_birth"),
        ({"死亡日期": "20990101"}, "death_in_future"),
        ({"余额": "1.234"}, "value_broken"),
        ({"余额": "1000000000"}, "balance_too_large"),
        ({"银行账号": "6.22200001E+15"}, "number_scientific"),
        ({"银行账号": 6.222000011112222e15}, "number_scientific"),
    ],
)
def test_cell_that_does_not_fit_is_named_and_never_mended(cells: dict[str, object], reason: str) -> None:
    assert reasons(**cells) == [reason]


@pytest.mark.parametrize(
    ("cells", "element", "value"),
    [
        ({"证件号码": int(number(2)) if number(2).isdigit() else number(2)}, "identity_number", number(2)),
        ({"证件号码": Decimal(number(5)) if number(5).isdigit() else number(5)}, "identity_number", number(5)),
        ({"证件号码": f" {number(1).lower()} "}, "identity_number", number(1)),
        ({"出生日期": "1940-01-01"}, "birth_date", "1940-01-01"),
        ({"出生日期": date(1940, 1, 1)}, "birth_date", "1940-01-01"),
        ({"出生日期": datetime(1940, 1, 1, 8, 0)}, "birth_date", "1940-01-01"),  # noqa: DTZ001
        ({"姓名": "王建国".encode("gb18030")}, "name", "王建国"),
    ],
)
def test_cell_in_another_true_form_is_read(cells: dict[str, object], element: str, value: str) -> None:
    made = standardise(**cells)
    assert isinstance(made, StandardRow)
    assert made.values[element] == value


def test_every_fault_of_a_row_is_told_at_once() -> None:
    assert reasons(证件号码="1.3E+17", 性别="?", 姓名="") == ["number_scientific", "value_unmapped", "required_missing"]


def test_rows_outside_the_agreement_are_passed_over_and_only_its_elements_are_handed_over() -> None:
    standardiser = Standardiser(plan(), today=TODAY, hand_over=["name"], only={"sex": ("2",), "birth_date": ("1940*",)})
    rows = [SourceRow(Place(row=at), {**GOOD, "性别": sex}) for at, sex in enumerate(["男", "女", "女"])]
    made = [one for one in standardiser.rows(rows) if isinstance(one, StandardRow)]
    assert [one.values for one in made] == [{"name": "王建国"}] * 2
    assert standardiser.outside == 1
    assert standardiser.report().rows == 2


def test_quality_is_counted_by_its_four_aspects() -> None:
    standardiser = Standardiser(plan(), today=TODAY)
    for cells in ({}, {"死亡日期": "20240101"}, {"性别": "?"}, {"姓名": None}):
        standardiser.row(SourceRow(Place(row=1), {**GOOD, **cells}))
    report = standardiser.report(late=1, changed=4)
    assert (report.rows, report.taken, report.quarantined) == (4, 2, 2)
    assert (report.validity, report.uniqueness, report.timeliness) == (0.75, 1.0, 0.75)
    assert report.completeness["death_date"] == 0.5
    assert type(report).from_payload(report.to_payload()) == report


@pytest.mark.parametrize(
    "wrong",
    [
        {"required": ["employer"]},
        {"rules": [RuleSpec(rule="a", element="employer", pattern="x")]},
        {"rules": [RuleSpec(rule="a", element="name")]},
        {"rules": [RuleSpec(rule="a", element="name", pattern="(")]},
        {"rules": [RuleSpec(rule="a", element="death_date", not_before="name")]},
        {"rules": [RuleSpec(rule="a", element="death_date", not_before="1900-13-01")]},
    ],
)
def test_plan_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(GatewayConfigError):
        plan(**wrong)


BAD = BadRow(Place("t.csv", 7), None, (Fault("姓名", "name", "name_lost_character"),), {"姓名": "=1+1", "备注": "-2"})


def test_quarantine_file_shows_cells_place_and_reason_and_no_formula(tmp_path: Path) -> None:
    assert write_quarantine(tmp_path / "bad.csv", [BAD]) == 1
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
        head, line = csv.reader(file)
    told = dict(zip(head, line, strict=True))
    assert (told["姓名"], told["备注"], told["行 row"], told["原因代码 reason"]) == (
        "'=1+1",
        "'-2",
        "7",
        "name_lost_character",
    )
    assert write_quarantine(tmp_path / "bad.xlsx", [BAD]) == 1
    sheet = openpyxl.load_workbook(tmp_path / "bad.xlsx").active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert "=1+1" in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "bad.xlsx"]


@given(st.text())
def test_neutralised_text_never_begins_a_formula_and_keeps_the_rest(text: str) -> None:
    made = neutralised(text)
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert made in (text, "'" + text)


@given(st.dictionaries(st.text(), st.binary(), max_size=40), st.binary(min_size=1, max_size=16))
def test_sides_that_hold_the_same_rows_agree_and_one_changed_row_shows_in_its_bucket(
    rows: dict[str, bytes], salt: bytes
) -> None:
    marks = RowMarks(salt)

    def hashed(held: dict[str, bytes]) -> dict[int, str]:
        return bucket_hashes(sorted((marks.mark(key), marks.digest(content)) for key, content in held.items()))

    one, other = hashed(rows), hashed(dict(reversed(rows.items())))
    assert root_of(one) == root_of(other)
    for key in list(rows)[:3]:
        changed = hashed({**rows, key: rows[key] + b"x"})
        assert differing_buckets(one, changed) == (bucket_of(marks.mark(key)),)
        assert root_of(one) != root_of(changed)


def test_marks_under_another_salt_tell_nothing_of_each_other() -> None:
    assert RowMarks(b"a").mark("1") != RowMarks(b"b").mark("1")
    assert RowMarks(b"a").digest(b"1") != RowMarks(b"b").digest(b"1")
