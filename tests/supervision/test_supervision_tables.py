"""The tables of a check: headers, values, quarantine and the prepared store, through the front door."""

import csv
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import SOUND, number, prepared, table, write_csv

from huodang.standards import Month, check_character, check_identity_numbers
from huodang.supervision.tables import (
    SCHEMAS,
    Kind,
    NotUnderstoodError,
    prepare,
    recognise,
    understand,
)
from huodang.supervision.tables.identity_sql import identity_fault_sql, identity_layers


@pytest.mark.parametrize(
    ("kind", "header", "canonical"),
    [
        (Kind.PAYMENTS, "公民身份号码", "identity_number"),
        (Kind.PAYMENTS, "身份证号", "identity_number"),
        (Kind.PAYMENTS, "证件号码", "identity_number"),
        (Kind.PAYMENTS, " 身份证 号码（18位）", "identity_number"),
        (Kind.PAYMENTS, "社会保障号码", "identity_number"),
        (Kind.PAYMENTS, "AAC002", "identity_number"),
        (Kind.PAYMENTS, "aac147", "identity_number"),
        (Kind.PAYMENTS, "姓　名", "name"),
        (Kind.PAYMENTS, "险种", "scheme"),
        (Kind.PAYMENTS, "发放年月", "month"),
        (Kind.PAYMENTS, "费款所属期", "month"),
        (Kind.PAYMENTS, "发放金额", "amount"),
        (Kind.PAYMENTS, "发放金额分", "amount"),
        (Kind.PAYMENTS, "发放金额（元）", "amount"),
        (Kind.PAYMENTS, "实发金额", "amount"),
        (Kind.PAYMENTS, "银行账号", "account"),
        (Kind.PAYMENTS, "开户账号", "account"),
        (Kind.PAYMENTS, "行政区划", "region"),
        (Kind.PAYMENTS, "出生日期", "birth_date"),
        (Kind.DEATHS, "死亡日期", "death_date"),
        (Kind.CUSTODY, "羁押开始日期", "custody_from"),
        (Kind.CUSTODY, "入监日期", "custody_from"),
        (Kind.CUSTODY, "羁押结束日期", "custody_to"),
        (Kind.CUSTODY, "出监日期", "custody_to"),
        (Kind.CUSTODY, "刑罚类型", "sentence_type"),
        (Kind.POPULATION, "户籍状态", "status"),
    ],
)
def test_header_is_understood_without_a_mapping_file(kind: Kind, header: str, canonical: str) -> None:
    assert recognise(kind, [header]).matches[canonical].header == header


def test_internal_person_number_is_no_identity_number() -> None:
    assert "identity_number" not in recognise(Kind.PAYMENTS, ["个人编号"]).matches


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("发放金额", "yuan"),
        ("发放金额(元)", "yuan"),
        ("养老金（元/月）", "yuan"),
        ("发放金额分", "fen"),
        ("发放金额（分）", "fen"),
        ("amount_fen", "fen"),
    ],
)
def test_unit_of_money_stands_in_the_header(tmp_path: Path, header: str, unit: str) -> None:
    path = write_csv(tmp_path / "a.csv", ["身份证号", "发放年月", header], [[SOUND, "202405", "1234"]])
    [understood] = understand({Kind.PAYMENTS: [path]}).tables
    found = understood.column("amount")
    assert found is not None
    assert found.unit == unit


def test_two_columns_for_one_meaning_are_refused_with_a_mapping_to_write(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", ["身份证号", "证件号码", "发放年月", "发放金额"], [[SOUND, SOUND, "202405", "1"]]
    )
    understanding = understand({Kind.PAYMENTS: [path]})
    with pytest.raises(NotUnderstoodError) as caught:
        prepare(understanding, tmp_path / "store")
    assert "identity_number: 身份证号" in caught.value.sentence("zh")
    mapping = tmp_path / "map.yaml"
    mapping.write_text("payments:\n  identity_number: 身份证号\n", encoding="utf-8")
    store = prepare(understand({Kind.PAYMENTS: [path]}, mapping), tmp_path / "store")
    assert store.counts == {Kind.PAYMENTS: 1}


def test_missing_column_is_named_with_the_columns_there_are(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["身份证号", "发放金额"], [[SOUND, "1"]])
    [problem] = understand({Kind.PAYMENTS: [path]}).problems
    assert "发放年月" in problem.sentence("zh")
    assert "month: 身份证号" not in problem.sentence("zh")
    assert "发放金额" in problem.sentence("zh")


def test_samples_are_masked(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", ["身份证号", "姓名", "发放年月", "发放金额"], [[SOUND, "王小明", "202405", "1"]]
    )
    [understood] = understand({Kind.PAYMENTS: [path]}).tables
    samples = {column.canonical: column.sample for column in understood.columns}
    assert SOUND not in samples.values()
    assert "王小明" not in samples.values()
    assert samples["month"] == "202405"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_text_of_any_encoding_gives_the_same_rows(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    lines = [["身份证号", "姓名", "发放年月", "发放金额"], [SOUND, "王小明", "202405", "3210.55"]]
    path.write_bytes("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    [row] = table(prepare(understand({Kind.PAYMENTS: [path]}), tmp_path / "store"), Kind.PAYMENTS)
    assert (row["name"], row["fen"], row["fault"]) == ("王小明", 321055, 0)


def test_workbook_with_title_and_dates_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2024年5月死亡人员名单"])
    sheet.merge_cells("A1:C1")
    sheet.append(["身份证号", "姓名", "死亡日期"])
    sheet.append([SOUND, "王小明", datetime(2024, 5, 3)])  # noqa: DTZ001
    sheet.append([SOUND, "王小明", "2024-05"])
    path = tmp_path / "死亡.xlsx"
    book.save(path)
    rows = table(prepare(understand({Kind.DEATHS: [path]}), tmp_path / "store"), Kind.DEATHS)
    assert [(row["died_from"], row["died_to"]) for row in rows] == [(20240503, 20240503), (20240501, 20240531)]


def test_native_types_of_parquet_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(
            {
                "identity_number": [SOUND],
                "month": [202405.0],
                "amount": [3210.55],
                "birth_date": [date(1950, 1, 1)],
            }
        ),
        path,
    )
    store = prepare(understand({Kind.PAYMENTS: [path]}), tmp_path / "store")
    [row] = table(store, Kind.PAYMENTS)
    assert (row["month"], row["fen"], row["birth"]) == (202405, 321055, 19500101)
    assert store.path(Kind.DEATHS) is None


def test_one_file_given_twice_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["身份证号", "发放年月", "发放金额"], [[SOUND, "202405", "1"]])
    [problem] = understand({Kind.PAYMENTS: [path, tmp_path / "." / "a.csv"]}).problems
    assert "两次" in problem.sentence("zh")


def test_row_with_a_wrong_check_digit_is_kept_with_its_fault(tmp_path: Path) -> None:
    wrong = SOUND[:17] + ("0" if SOUND[17] != "0" else "1")
    rows = [[wrong, "202405", "1"], [SOUND[:6] + SOUND[8:17], "202405", "1"], ["", "202405", "1"]]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额"], rows)
    found = table(store, Kind.PAYMENTS)
    assert [(row["person"], row["fault"]) for row in found] == [
        (int(SOUND[:17]), 8),
        (int(SOUND[:17]), 0),
        (None, 1),
    ]


def test_ragged_rows_are_set_aside_and_the_others_numbered_as_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f"身份证号,发放年月,发放金额\n{SOUND},202405,1\n{SOUND},202405\n{SOUND},202405,x\n", encoding="utf-8"
    )
    store = prepare(understand({Kind.PAYMENTS: [path]}), tmp_path / "store")
    assert store.counts[Kind.PAYMENTS] == 1
    assert store.quarantined[Kind.PAYMENTS] == {"ragged": 1, "amount_unreadable": 1}
    with (tmp_path / "store/quarantine/payments.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["row"] for line in csv.DictReader(file)] == ["3", "4"]


def test_rows_of_several_files_are_numbered_through_and_found_again(tmp_path: Path) -> None:
    header = ["身份证号", "姓名", "发放年月", "发放金额", "银行账号"]
    one = write_csv(tmp_path / "a.csv", header, [[SOUND, "甲甲", "202405", "1", "1111222233"]])
    two = write_csv(tmp_path / "b.csv", header, [[SOUND, "乙乙", "202406", "2", "1111222244"]])
    store = prepare(understand({Kind.PAYMENTS: [one, two]}), tmp_path / "store")
    assert [row["row"] for row in table(store, Kind.PAYMENTS)] == [0, 1]
    [shown] = store.original(Kind.PAYMENTS, [1]).to_pylist()
    assert (shown["file"], shown["file_row"], shown["name"]) == ("b.csv", 2, "乙乙")


def test_only_months_asked_for_are_taken_and_the_others_counted(tmp_path: Path) -> None:
    rows = [[SOUND, month, "1"] for month in ("202404", "202405", "202406")]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额"], rows, months=(Month(2024, 5),))
    assert (store.counts[Kind.PAYMENTS], store.other_months) == (1, 2)
    assert store.quarantined[Kind.PAYMENTS] == {}


def test_store_is_sorted_by_person_has_the_schema_and_is_read_back(tmp_path: Path) -> None:
    people = [number(f"13010219500101{sequence:03}") for sequence in (500, 100, 300)]
    store = prepared(
        tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额"], [[one, "202405", "1"] for one in people]
    )
    path = store.path(Kind.PAYMENTS)
    assert path is not None
    found = pq.read_table(path)
    assert (found.schema.names, found.schema.types) == (SCHEMAS[Kind.PAYMENTS].names, SCHEMAS[Kind.PAYMENTS].types)
    assert found["person"].to_pylist() == sorted(found["person"].to_pylist())
    made = path.stat().st_mtime_ns
    prepare(understand({Kind.PAYMENTS: [tmp_path / "payments.csv"]}), tmp_path / "store")
    assert path.stat().st_mtime_ns == made


DIGITS = st.text("0123456789", min_size=3, max_size=3)
NUMBERS = st.builds(
    lambda year, month, day, rest, last, form: form(f"130102{year:04}{month:02}{day:02}{rest}{last}"),
    st.integers(1700, 2050),
    st.integers(0, 13),
    st.integers(0, 32),
    DIGITS,
    st.sampled_from("0123456789XxOＸ"),
    st.sampled_from(
        [
            str,
            lambda text: text[:17] + check_character(text[:17]),
            lambda text: text[:6] + text[8:17],
            lambda text: f" \t{text}\u3000",
            lambda text: "".join(chr(ord(sign) + 0xFEE0) if sign.isascii() else sign for sign in text),
            lambda text: text[:9] + "e" + text[10:],
            lambda text: text[:14] + "e03" + text[17:],
            lambda text: text[:16] + "e2",
            lambda text: text[:5] + "_" + text[6:],
            lambda text: "+" + text[1:],
            lambda text: "000" + text,
            lambda text: "ABC" + text[3:15],
            lambda text: text + ".0",
            lambda _: "1.30102E+17",
        ]
    ),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(
        NUMBERS | st.text(max_size=20).map(lambda text: text.encode("ascii", "ignore").decode()),
        min_size=1,
        max_size=100,
    ),
    on=st.sampled_from([None, date(1990, 5, 5)]),
)
def test_fault_of_every_number_is_what_standards_say(tmp_path: Path, numbers: list[str], on: date | None) -> None:
    rows = pa.table({"place": range(len(numbers)), "given": numbers})
    source = "rows_"
    for layer in identity_layers("given"):
        source = f"(SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in layer.columns)} FROM {source})"  # noqa: S608
    with duckdb.connect(":memory:") as connection:
        connection.register("rows_", rows)
        found = connection.execute(
            f"SELECT {identity_fault_sql(on)}, person FROM {source} ORDER BY place"  # noqa: S608
        ).fetchall()
    assert [fault for fault, _ in found] == list(check_identity_numbers(numbers, on))
    for text, (fault, person) in zip(numbers, found, strict=True):
        if fault == 0 and text.isascii() and len(text) == 18 and text[:17].isdigit():
            assert person == int(text[:17])
