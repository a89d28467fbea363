"""`huodang rules` as a user runs it: single persons, whole files, broken rows, broken files."""

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huodang.cli import app
from huodang.standards import HuodangError

DATA = Path(__file__).parents[1] / "pension" / "data"
ADDED_AGES = ["delay_months", "age_months", "retire_month", "payout_months", "min_contribution_months", "problem"]
ADDED_PENSIONS = ["basic", "account_pension", "transition", "total", "problem"]
HEBEI = {
    "province": "hebei",
    "retire": "2023-02",
    "base": "6849",
    "avg_index": "0.7737",
    "indexed_wage": "5299.07",
    "total_years": "30.67",
    "deemed_years": "0",
    "pre_account_years": "3.5",
    "account": "89850.24",
    "payout_months": "195",
}
AMOUNTS = {"basic": "1862.91", "account_pension": "460.77", "transition": "241.11", "total": "2564.79"}


def rules(*arguments, standard_input=None):
    return CliRunner().invoke(app, ["rules", *arguments], input=standard_input, catch_exceptions=False)


def table(command, text, *options):
    """Run a table command on a text given on standard input, and read what it prints."""
    data = text if isinstance(text, bytes) else text.encode()
    result = rules(command, "--csv", "-", *options, standard_input=data)
    assert result.exit_code == 0
    return list(csv.DictReader(io.StringIO(result.stdout, newline="")))


def pension(**cells):
    """Run one row, given as the Hebei statement with some cells changed."""
    row = {**HEBEI, **cells}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(row)
    writer.writerow(row.values())
    [found] = table("pension", out.getvalue())
    return found


def amounts(row):
    return {name: row[name] for name in AMOUNTS}


def test_single_person_gets_every_figure_with_its_law():
    result = rules("retirement-age", "--category", "male", "--born", "1965-03")

    assert result.exit_code == 0
    for text in ("延迟月数", ": 1 ", "60 岁 1 个月", "2025-04", "138.4", "180", "第一条", "第二条", "国发〔2005〕38号"):
        assert text in result.stdout


def test_json_carries_exact_numbers():
    facts = json.loads(
        rules("retirement-age", "--category", "女50", "--born", "197503", "--json").stdout, parse_float=Decimal
    )

    laws = facts.pop("laws")
    assert facts == {
        "category": "female50",
        "born": "197503",
        "delay_months": 2,
        "age_months": 602,
        "retire_month": "202505",
        "payout_months": Decimal("194.2"),
        "min_contribution_months": 180,
    }
    assert {law["concerns"] for law in laws} >= {"delay_months", "payout_months", "min_contribution_months"}
    assert all(law["law"] for law in laws)


def test_whole_payout_months_are_whole_numbers():
    facts = json.loads(rules("retirement-age", "--category", "male", "--born", "1963-12", "--json").stdout)

    assert facts["payout_months"] == 139
    assert isinstance(facts["payout_months"], int)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--category", "male"),
        ("--born", "1965-03"),
        (),
        ("--category", "male", "--born", "1965-03", "--csv", "-"),
        ("--csv", "-", "--json"),
        ("--category", "male", "--born", "1965-03", "--out", "x.csv"),
        ("--category", "女", "--born", "1965-03"),
        ("--category", "male", "--born", "1965-13"),
        ("--category", "male", "--born", "1865-03"),
        ("--csv", "no-such-file.csv"),
    ],
)
def test_what_cannot_be_done_is_an_error_in_two_languages(arguments):
    with pytest.raises(HuodangError) as caught:
        rules("retirement-age", *arguments, standard_input="")

    assert caught.value.chinese
    assert caught.value.english


def test_the_command_exits_with_2_and_says_why_on_standard_error():
    result = subprocess.run(
        [sys.executable, "-c", "from huodang.cli import main; main()", "rules", "retirement-age", "--csv", "no.csv"],
        capture_output=True,
        check=False,
    )

    assert result.returncode == 2
    assert result.stdout == b""
    assert "no.csv" in result.stderr.decode()
    assert "无法读取文件" in result.stderr.decode()


def test_table_keeps_columns_and_rows_in_order_and_adds_its_own_at_the_end():
    found = table("retirement-age", '姓名,birth_ym,备注,category\n甲,1965-03,"a,b\nc",male\n乙,197503,,女50\n')

    assert list(found[0]) == ["姓名", "birth_ym", "备注", "category", *ADDED_AGES]
    assert [row["姓名"] for row in found] == ["甲", "乙"]
    assert found[0]["备注"] == "a,b\nc"
    assert [row["retire_month"] for row in found] == ["2025-04", "202505"]
    assert [row["payout_months"] for row in found] == ["138.4", "194.2"]
    assert [row["problem"] for row in found] == ["", ""]


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("1965-01", "2025-02"),
        ("1965-1", "2025-02"),
        ("196501", "202502"),
        ("1965/01", "2025/02"),
        ("1965.01", "2025.02"),
        ("1965年1月", "2025年2月"),
        (" 1965-01 ", "2025-02"),
    ],
)
def test_retirement_month_is_written_as_the_birth_is(born, expected):
    [row] = table("retirement-age", f"category,birth_ym\nmale,{born}\n")

    assert row["retire_month"] == expected
    assert row["birth_ym"] == born


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("male,", "birth_ym"),
        (",1965-03", "category"),
        (",", "category"),
        ("female,1965-03", "category"),
        ("male,1965-13", "birth_ym"),
        ("male,1965-00", "birth_ym"),
        ("male,1965-03-01", "birth_ym"),
        ("male,65-03", "birth_ym"),
        ("male,1850-03", "birth_ym"),
        ("male,soon", "birth_ym"),
        ("male", "1 个单元格"),
        ("male,1965-03,surplus", "3 个单元格"),
    ],
)
def test_a_broken_row_says_why_and_the_others_are_computed(row, named):
    found = table("retirement-age", f"category,birth_ym\nmale,1965-01\n{row}\nfemale55,1971-04\n")

    assert [line["retire_month"] for line in found] == ["2025-02", "", "2026-08"]
    assert named in found[1]["problem"]
    assert " / " in found[1]["problem"]
    assert all(found[1][column] == "" for column in ADDED_AGES[:-1])


def test_both_broken_cells_of_a_row_are_named():
    [row] = table("retirement-age", "category,birth_ym\nx,y\n")

    assert "category" in row["problem"]
    assert "birth_ym" in row["problem"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_are_read_in_the_encodings_that_offices_write(encoding):
    [row] = table("retirement-age", "单位,category,birth_ym\r\n河北省某厂,女工人,1975-03\r\n".encode(encoding))

    assert row["单位"] == "河北省某厂"
    assert row["age_months"] == "602"


def test_a_file_that_could_be_either_encoding_goes_by_its_words_and_loses_no_byte():
    # 女 is C5 AE in GB 18030, which is also sound UTF-8; so are ¥ (C2 A5) and the digits of other scripts.
    [row] = table("retirement-age", "category,birth_ym\n女55,1971-04\n".encode("gb18030"))
    assert row["age_months"] == "664"

    found = table("retirement-age", "category,birth_ym,note\nmale,1965-01,¥5 é\nmale,١٩٦٥-٠١,\n")
    assert [row["delay_months"] for row in found] == ["1", ""]
    assert found[0]["note"] == "¥5 é"
    assert "birth_ym" in found[1]["problem"]


def test_blank_lines_and_empty_cells_beyond_the_heading_are_passed_over():
    found = table("retirement-age", "category,birth_ym,,\n\nmale,1965-01,,\n\n  \nmale,1965-06,,\n\n")

    assert [row["delay_months"] for row in found] == ["1", "2"]
    assert list(found[0]) == ["category", "birth_ym", *ADDED_AGES]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空"),
        (b"\n\n", "空"),
        (b",,\nmale,1965-03,\n", "表头"),
        (b"category,birth\nmale,1965-03\n", "birth_ym"),
        (b"category,birth_ym,category\nmale,1965-03,male\n", "category"),
        (b"category,,birth_ym\nmale,,1965-03\n", "没有列名"),
        (b'category,birth_ym\nmale,"1965-03\n', "CSV"),
        (b"category,birth_ym\nmale,\xff\xff\xff\n", "GB18030"),
    ],
)
def test_a_broken_file_is_refused_whole_and_named(data, words, tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes(data)
    with pytest.raises(HuodangError) as caught:
        rules("retirement-age", "--csv", str(file))

    assert words in caught.value.sentence("zh")
    assert "people.csv" in caught.value.sentence("zh")
    assert "people.csv" in caught.value.sentence("en")


def test_columns_added_before_are_computed_anew_and_stand_once():
    once = rules("retirement-age", "--csv", str(DATA / "retirement_age_cases.csv")).stdout
    [*rows] = table("retirement-age", once)

    assert list(rows[0]).count("age_months") == 1
    assert len(rows) == 15
    for row in rows:
        assert row["delay_months"] == row["delay"]
        assert row["retire_month"] == row["retire_ym"]
        assert row["min_contribution_months"] == row["min_months"]


def test_output_file_is_written_whole_with_nothing_on_standard_output(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("category,birth_ym\nmale,1965-01\nx,1965-01\n", encoding="utf-8")
    target.write_text("old", encoding="utf-8")

    result = rules("retirement-age", "--csv", str(source), "--out", str(target))

    assert result.stdout == ""
    assert "2 行中有 1 行有问题" in result.stderr
    assert [row["delay_months"] for row in csv.DictReader(io.StringIO(target.read_text(encoding="utf-8")))] == ["1", ""]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
    with pytest.raises(HuodangError, match="无法写入"):
        rules("retirement-age", "--csv", str(source), "--out", str(tmp_path / "none" / "out.csv"))


def test_issued_statements_come_out_of_the_file_as_issued():
    found = list(csv.DictReader(io.StringIO(rules("pension", "--csv", str(DATA / "pension_cases.csv")).stdout)))

    assert len(found) == 36
    assert list(found[0])[-5:] == ADDED_PENSIONS
    for row in found:
        assert abs(Decimal(row["basic"]) - Decimal(row["exp_basic"])) <= Decimal("0.05")
        assert abs(Decimal(row["account_pension"]) - Decimal(row["exp_account"])) <= Decimal("0.05")
        if row["province"] == "hebei":
            assert (row["transition"], row["total"], row["problem"]) == (row["exp_transition"], row["exp_total"], "")
        else:
            assert (row["transition"], row["total"]) == ("", "")
            assert "transitional_pension" in row["problem"]
            assert row["province"] in row["problem"]


@pytest.mark.parametrize("province", ["hebei", "Hebei", "河北", "河北省", "130000"])
def test_hebei_is_known_by_its_names(province):
    row = pension(province=province)

    assert amounts(row) == AMOUNTS
    assert row["problem"] == ""


@pytest.mark.parametrize(
    ("blank", "left", "named"),
    [
        ("base", {"account_pension", "transition"}, "base"),
        ("total_years", {"account_pension", "transition"}, "total_years"),
        ("account", {"basic", "transition"}, "account"),
        ("payout_months", {"basic", "transition"}, "payout_months"),
        ("province", {"basic", "account_pension"}, "province"),
    ],
)
@pytest.mark.parametrize("absent", [False, True], ids=["blank", "absent"])
def test_what_can_be_computed_is_and_what_is_missing_is_named(blank, left, named, absent):
    cells = {**HEBEI, blank: ""}
    if absent:
        del cells[blank]
    [row] = table("pension", f"{','.join(cells)}\n{','.join(cells.values())}\n")

    assert {name for name, amount in amounts(row).items() if amount} == left
    assert all(row[name] == AMOUNTS[name] for name in left)
    assert named in row["problem"]


def test_index_serves_where_no_indexed_wage_is_given_and_one_of_them_must_be():
    assert amounts(pension(indexed_wage="")) == AMOUNTS
    assert amounts(pension(avg_index="")) == AMOUNTS
    neither = pension(avg_index="", indexed_wage="")
    assert amounts(neither) == {"basic": "", "account_pension": "460.77", "transition": "", "total": ""}
    assert "avg_index" in neither["problem"]


def test_an_index_without_a_base_names_only_the_base():
    row = pension(base="", indexed_wage="")

    assert amounts(row) == {"basic": "", "account_pension": "460.77", "transition": "", "total": ""}
    assert "base" in row["problem"]
    assert "avg_index" not in row["problem"]


def test_one_kind_of_early_years_blank_counts_as_none_but_both_blank_are_missing():
    assert amounts(pension(deemed_years="")) == AMOUNTS
    assert pension(pre_account_years="")["transition"] == "0.00"
    both = pension(deemed_years="", pre_account_years="")
    assert (both["basic"], both["transition"], both["total"]) == ("1862.91", "", "")
    assert "deemed_years" in both["problem"]


def test_deemed_and_paid_years_before_the_account_add_up():
    # The statement Hebei 2024-11: 10.04 deemed and 4 paid years, 952.96.
    row = pension(
        retire="2024-11",
        base="7122",
        avg_index="",
        indexed_wage="5221.14",
        total_years="42.96",
        deemed_years="10.04",
        pre_account_years="4",
        account="71796.67",
        payout_months="139",
    )
    assert row["transition"] == "952.96"
    assert row["basic"] == "2651.31"


def test_payout_months_follow_from_category_and_birth_where_not_given():
    assert pension(payout_months="", category="female50", birth_ym="1973-02")["account_pension"] == "460.77"
    # 89850.24 / 138.4
    assert pension(payout_months="", category="男", birth_ym="1965-01")["account_pension"] == "649.21"
    given = pension(payout_months="195", category="男", birth_ym="1965-01")
    assert given["account_pension"] == "460.77"
    half = pension(payout_months="", category="男", birth_ym="")
    assert half["account_pension"] == ""
    assert "birth_ym" in half["problem"]


@pytest.mark.parametrize("column", [name for name in HEBEI if name not in {"province", "retire"}])
@pytest.mark.parametrize(
    "cell", ["-1", "abc", "1,000.5", "１２", "nan", "inf", "1e3", "--5", "1.2.3", "0x10", "1_000", "+5", "9" * 30, "¥5"]
)
def test_a_cell_that_is_no_plain_figure_breaks_what_depends_on_it_and_is_named(column, cell):
    row = pension(**{column: cell})

    assert column in row["problem"]
    assert row["total"] == ""
    assert row[column] == cell


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        ({"payout_months": "0"}, "payout_months"),
        ({"base": "0"}, "base"),
        ({"total_years": "368"}, "total_years"),
        ({"avg_index": "77.37", "indexed_wage": ""}, "avg_index"),
        ({"payout_months": "1950"}, "payout_months"),
        ({"account": "89850.245"}, "account"),
        ({"pre_account_years": "31"}, "pre_account_years"),
        ({"retire": "2023-13"}, "retire"),
        ({"province": "atlantis"}, "atlantis"),
        ({"retire": "2005-12"}, "transitional_pension"),
    ],
)
def test_figures_that_cannot_be_are_named(cells, named):
    row = pension(**cells)

    assert named in row["problem"]
    assert row["total"] == ""


def test_without_a_month_of_retirement_the_only_rule_the_province_has_had_is_used():
    row = pension(retire="")

    assert amounts(row) == AMOUNTS
    assert row["problem"] == ""


def test_zero_years_and_an_empty_account_are_figures_like_others():
    row = pension(total_years="0", pre_account_years="0", account="0")

    assert amounts(row) == {"basic": "0.00", "account_pension": "0.00", "transition": "0.00", "total": "0.00"}


def test_a_broken_row_leaves_the_others_alone_and_keeps_every_column():
    heading = "source,exp_total,gender,base,avg_index,total_years,account,payout_months\n"
    found = table(
        "pension", heading + "a,1,男,7988,0.627,40.83,85790.01,139\nb,2,男,x,y\nc,3,女,-1,0.5,20,10,195\nd,,,,,,,\n"
    )

    assert [row["source"] for row in found] == ["a", "b", "c", "d"]
    assert [row["basic"] for row in found] == ["2653.23", "", "", ""]
    assert [row["account_pension"] for row in found] == ["617.19", "", "0.05", ""]
    assert found[2]["exp_total"] == "3"
    assert "5 个单元格" in found[1]["problem"]
    assert "base" in found[2]["problem"]
    assert all(row["problem"] for row in found)


def test_a_file_with_none_of_the_columns_is_refused():
    with pytest.raises(HuodangError, match="没有一个可用的列"):
        rules("pension", "--csv", "-", standard_input="a;b\n1;2\n")


def test_parameters_of_a_province_are_listed_with_law_source_and_status():
    text = rules("parameters", "--province", "hebei").stdout
    for words in ("7410.00", "冀人社字〔2025〕105号", "待核实 unverified", "0.013", "计发月数", "2025-01 – 2025-12"):
        assert words in text

    listing = json.loads(rules("parameters", "--province", "河北", "--json").stdout)
    base = [entry for entry in listing if entry["name"] == "pension_base"]
    assert [entry["value"] for entry in base] == ["6575.00", "6849.00", "7122.00", "7265.00", "7410.00"]
    assert base[0]["status"] == "unverified"
    assert all(entry["law"] and entry["source"] for entry in listing)
    with pytest.raises(HuodangError, match="atlantis"):
        rules("parameters", "--province", "atlantis")


@pytest.mark.parametrize("command", ["retirement-age", "pension", "parameters"])
def test_every_command_has_help_with_examples(command):
    result = rules(command, "--help")

    assert result.exit_code == 0
    assert f"huodang rules {command}" in result.stdout
    assert "examples" in result.stdout
