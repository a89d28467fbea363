"""`huodang scores` as its user has it: files in, a list, a page and a summary out."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from scores_scene import Crowd, crowd, full_number
from typer.testing import CliRunner

from huodang.cli import app
from huodang.standards import HuodangError
from huodang.supervision.tables import Kind


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def made() -> Crowd:
    made = crowd(400)
    made.of(Kind.PAYMENTS, 100)["fen"] += 90_000
    for at in range(200, 207):
        made.of(Kind.PAYMENTS, at)["account"] = 10_200
    return made


@pytest.fixture(scope="module")
def files(made: Crowd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_csv(
        folder / "发放.csv",
        [
            {
                "身份证号": full_number(row["person"]),
                "姓名": "王小明",
                "险种": "企业职工基本养老保险",
                "发放年月": "2025-06",
                "发放金额(元)": f"{row['fen'] / 100:.2f}",
                "应发金额": f"{row['expected_fen'] / 100:.2f}",
                "银行账号": f"62220000{row['account']}",
                "行政区划": row["region"],
            }
            for row in made.rows[Kind.PAYMENTS]
        ],
    )
    write_csv(
        folder / "档案.csv",
        [
            {
                "身份证号": full_number(row["person"]),
                "退休年月": row["retirement_month"],
                "人员类别": "男",
                "单位名称": row["employer"],
                "鉴定医师": row["doctor"],
                "经办人": row["clerk"],
                "家庭住址": f"某街{row['address']}号",
                "累计缴费月数": row["contribution_months"],
                "人工改动次数": row["overrides"],
            }
            for row in made.rows[Kind.ARCHIVES]
        ],
    )
    return folder


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["scores", *map(str, arguments)])


def listed(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def out(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "r06"
    done = run("--payments", files / "发放.csv", "--archives", files / "档案.csv", "--out", folder, "--no-generic")
    assert done.exit_code == 0, done.output
    return folder


def test_the_overpaid_person_stands_first_masked_with_reason_file_and_row(made: Crowd, out: Path) -> None:
    first = listed(out)[0]
    number = full_number(made.persons[100])
    assert first["证件号码 identity_number"] == number[:6] + "********" + number[-4:]
    assert first["姓名 name"] == "王*明"
    assert "按规则重算应为" in first["主要原因 reasons_zh"]
    assert "too much" in first["reasons_en"]
    assert (first["文件 file"], first["行 row"]) == ("发放.csv", "102")
    assert {one["等级 tier"] for one in listed(out)} == {"look"}


def test_no_file_that_stays_holds_a_whole_number_or_account(made: Crowd, out: Path) -> None:
    kept = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert set(kept) == {"scores.csv", "scores.xlsx", "network.html", "scores.json"}
    for at in (100, 200):
        for content in kept.values():
            assert full_number(made.persons[at]).encode() not in content
            assert str(made.persons[at]).encode() not in content


def test_the_workbook_holds_the_same_list(out: Path) -> None:
    [heading, *rows] = load_workbook(out / "scores.xlsx").active.iter_rows(values_only=True)
    assert [str(cell or "") for cell in rows[0]] == list(listed(out)[0].values())
    assert heading[0] == "排名 rank"


def test_the_summary_says_that_a_score_is_no_finding(out: Path) -> None:
    told = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert "不能据此暂停或停发" in told["notice"]["chinese"]
    assert told["tier"] == "look"
    assert told["people"] == 400
    assert told["listed"] == len(listed(out))
    assert told["network"]["groups"] >= 1


def test_the_next_run_says_what_has_drifted_and_that_the_rest_has_not(files: Path, out: Path, tmp_path: Path) -> None:
    text = (files / "发放.csv").read_text(encoding="gb18030").splitlines()
    moved = [text[0]]
    for line in text[1:]:
        cells = line.split(",")
        cells[4] = f"{float(cells[4]) * 1.2:.2f}"
        moved.append(",".join(cells))
    changed = tmp_path / "发放7.csv"
    changed.write_text("\n".join(moved), encoding="utf-8")
    arguments = ("--archives", files / "档案.csv", "--no-generic", "--previous", out / "scores.json")
    done = run("--payments", changed, *arguments, "--out", tmp_path / "r07")
    assert done.exit_code == 0, done.output
    assert "漂移 / drift" in done.output
    told = json.loads((tmp_path / "r07" / "scores.json").read_text(encoding="utf-8"))
    grades = {one["name"]: one["grade"] for one in told["drift"]}
    assert grades["entitlement"] == "drifted"
    assert grades["shared_account"] == grades["early"] == "stable"


def test_persons_are_shown_in_full_for_a_reason_that_is_kept(made: Crowd, files: Path, tmp_path: Path) -> None:
    reason = "稽核立案 2025-17"
    done = run("--payments", files / "发放.csv", "--out", tmp_path / "r", "--no-generic", "--unmasked", reason)
    assert done.exit_code == 0, done.output
    assert listed(tmp_path / "r")[0]["证件号码 identity_number"] == full_number(made.persons[100])
    [look] = (tmp_path / "r" / "looks.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(look)["reason"] == reason
    assert json.loads((tmp_path / "r" / "scores.json").read_text(encoding="utf-8"))["unmasked_reason"] == reason


def test_a_dry_run_tells_what_was_understood_and_writes_nothing(files: Path, tmp_path: Path) -> None:
    done = run("--payments", files / "发放.csv", "--out", tmp_path / "r", "--dry-run")
    assert done.exit_code == 0
    assert "发放金额" in done.output
    assert not (tmp_path / "r").exists()


def test_a_folder_with_results_is_not_written_over(files: Path, out: Path) -> None:
    before = (out / "scores.csv").read_bytes()
    done = run("--payments", files / "发放.csv", "--out", out)
    assert done.exit_code == 2
    assert "请换一个目录" in done.output
    assert (out / "scores.csv").read_bytes() == before


def test_a_file_without_amounts_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write_csv(tmp_path / "p.csv", [{"身份证号": full_number(13010119500101001), "发放年月": "202506"}])
    done = run("--payments", tmp_path / "p.csv", "--out", tmp_path / "r")
    assert done.exit_code == 2
    assert "p.csv" in done.output
    assert not (tmp_path / "r").exists()


def test_what_is_not_a_summary_of_an_earlier_run_is_refused(files: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"version": 99}', encoding="utf-8")
    done = run("--payments", files / "发放.csv", "--out", tmp_path / "r", "--previous", tmp_path / "other.json")
    assert isinstance(done.exception, HuodangError)
    assert done.exception.code == "scores.previous_run"
    assert "other.json" in done.exception.sentence("zh")


def test_a_refused_run_leaves_nothing_behind(files: Path, tmp_path: Path) -> None:
    asked = ["scores", "--payments", str(files / "发放.csv"), "--out"]
    done = CliRunner().invoke(app, [*asked, str(tmp_path / "out"), "--memory", "much"])
    assert isinstance(done.exception, HuodangError)
    assert not (tmp_path / "out").exists()
    (tmp_path / "letter").write_text("x")
    assert CliRunner().invoke(app, [*asked, str(tmp_path / "letter" / "out")]).exit_code == 2


def test_help_shows_examples() -> None:
    done = run("--help")
    assert "huodang scores --payments" in done.output
