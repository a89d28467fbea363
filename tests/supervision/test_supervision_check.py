"""One run of a check through the front door: findings, canaries, masks, certificate, resumption, the command."""

import csv
import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from huodang.cli import app
from huodang.standards import Month, check_character
from huodang.store import FixedClock
from huodang.supervision.check import (
    CheckError,
    CheckRequest,
    CheckResult,
    EngineError,
    OutputTakenError,
    digest_of_findings,
    run_check,
    running,
)
from huodang.supervision.check.columns import columns_read
from huodang.supervision.rules import Mint, Planted, Rule, RuleSettings, Tables, all_rules, rule
from huodang.supervision.tables import Kind, TablesError
from huodang.trust import Signer, TrustedKeys, open_envelope

CLOCK = FixedClock(datetime(2024, 6, 1, tzinfo=UTC))
FIVE = ("paid_after_death", "paid_in_custody", "paid_twice", "identity_invalid", "account_shared")


def number(sequence: int) -> str:
    seventeen = f"13010219500101{sequence:03}"
    return seventeen + check_character(seventeen)


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


Files = dict[Kind, tuple[Path, ...]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return made_files(tmp_path_factory.mktemp("files"))


@dataclass(frozen=True)
class Done:
    """One run over all months, shared by the tests that only read its results."""

    result: CheckResult
    out: Path
    signer: Signer


@pytest.fixture(scope="module")
def done(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("done")
    signer = Signer.generate("social_insurance")
    signer.save(folder / "keys")
    signing = (folder / "keys", "social_insurance")
    result = check(files, folder / "out", formats=("csv", "xlsx", "parquet"), signing=signing)
    return Done(result, folder / "out", signer)


def made_files(tmp_path: Path) -> Files:
    wrong = number(7)[:17] + ("0" if number(7)[17] != "0" else "1")
    rows = [
        f"{number(n)},人{chr(0x4E00 + n)}{chr(0x5200 + n)},110,202405,1000.50,622200000{n:05},130102"
        for n in range(1, 7)
    ]
    rows.append(f"{wrong},庚庚,110,202405,70,622200000{70:05},130103")
    rows += [
        f"{number(n)},共{chr(0x4E00 + n)}{chr(0x5200 + n)},110,202405,10,622299999999,130103" for n in range(10, 14)
    ]
    rows.append(f"{number(20)},=cmd|x,110,202406,10,622200000{20:05},130103")
    return {
        Kind.PAYMENTS: (
            write(tmp_path / "发放.csv", ["公民身份号码,姓名,险种,发放年月,发放金额,银行账号,行政区划", *rows]),
        ),
        Kind.DEATHS: (
            write(
                tmp_path / "死亡.csv",
                ["身份证号,死亡日期", f"{number(1)},2024-04-30", f"{number(2)},2024-05-01", f"{number(20)},2024"],
            ),
        ),
        Kind.CUSTODY: (
            write(
                tmp_path / "服刑.csv",
                ["证件号码,入监日期,出监日期", f"{number(3)},2023-01-01,", f"{number(4)},2023-01-01,x"],
            ),
        ),
        Kind.ENROLMENTS: (write(tmp_path / "居保.csv", ["身份证号,险种,发放年月", f"{number(5)},170,202405"]),),
    }


def check(files: Files, out: Path, **more: object) -> CheckResult:
    request = CheckRequest(files, out, rules=tuple(rule(code) for code in FIVE))
    return run_check(replace(request, **more), clock=CLOCK)  # type: ignore[arg-type]


def found_rows(result: CheckResult, code: str) -> list[int]:
    return next(one.found["row"].to_pylist() for one in result.rules if one.rule.code == code)


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_planted_wrong_is_found_and_nothing_else(done: Done) -> None:
    result = done.result
    assert {code: found_rows(result, code) for code in FIVE} == {
        "paid_after_death": [0],
        "paid_in_custody": [2],
        "paid_twice": [4],
        "identity_invalid": [6],
        "account_shared": [7, 8, 9, 10],
    }
    summary = json.loads((done.out / "findings.json").read_text(encoding="utf-8"))
    assert summary["rules"]["paid_after_death"]["count"] == 1
    assert summary["rules"]["paid_after_death"]["fen"] == 100050
    assert summary["rules"]["account_shared"]["persons"] == 4
    assert summary["quarantined"] == {"custody": {"custody_end_unreadable": 1}}
    assert not result.failed


def test_without_months_all_that_are_found_are_judged(done: Done) -> None:
    assert done.result.months == (Month(2024, 5), Month(2024, 6))


def test_findings_are_masked_and_formulas_are_harmless(done: Done) -> None:
    written = [path for path in done.out.glob("*.*") if path.suffix in {".csv", ".json", ".html"}]
    text = "".join(path.read_text(encoding="utf-8-sig") for path in written)
    assert "130102********" in text
    assert not any(number(n) in text for n in range(1, 21))
    assert "622299999999" not in text
    assert not (done.out / "looks.jsonl").exists()


def test_no_copy_of_the_files_stays_in_the_folder_of_results(done: Done) -> None:
    tables = [pq.read_table(path).to_pylist() for path in done.out.rglob("*.parquet")]
    assert len(tables) > len(FIVE)
    assert not any(number(n)[:17] in str(tables) for n in range(1, 21))


def test_unmasked_findings_leave_their_reason_in_certificate_and_looks(files: Files, tmp_path: Path) -> None:
    check(files, tmp_path / "out", unmasked_reason="审计取证 2024-17")
    [line] = lines_of(tmp_path / "out/paid_after_death.csv")
    assert line["identity_number"] == number(1)
    proof = json.loads((tmp_path / "out/certificate.json").read_text(encoding="utf-8"))
    assert proof["unmasked_reason"] == "审计取证 2024-17"
    [look] = (tmp_path / "out/looks.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(look)["rows"]["paid_after_death"] == 1


def test_prepared_store_gives_the_same_digests_as_the_files(files: Files, done: Done, tmp_path: Path) -> None:
    stored = check(files, tmp_path / "two", store=tmp_path / "store")
    assert [one.digest for one in done.result.rules] == [one.digest for one in stored.rules]
    assert all(one.digest for one in stored.rules)


def test_many_rows_are_loaded_without_columns_nobody_reads_and_give_the_same(
    files: dict[Kind, tuple[Path, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = check(files, tmp_path / "one", rules=all_rules())
    monkeypatch.setattr(running, "_MANY", 0)
    slim = check(files, tmp_path / "two", rules=all_rules())
    assert [(one.state, one.digest, one.unknown) for one in every.rules] == [
        (one.state, one.digest, one.unknown) for one in slim.rules
    ]
    read = columns_read([rule("paid_after_death")], RuleSettings(Month(2024, 5)), [Kind.PAYMENTS, Kind.DEATHS])
    assert read[Kind.PAYMENTS] == {"row", "person", "fault", "month", "fen"}
    assert read[Kind.DEATHS] == {"row", "person", "fault", "died_from", "died_to", "source"}


def test_certificate_is_signed_over_inputs_and_results(done: Done) -> None:
    trusted = TrustedKeys()
    trusted.add(done.signer.public)
    proof = open_envelope((done.out / "certificate.json").read_bytes(), "check_certificate", trusted)
    assert [one["result_sha256"] for one in proof["rules"]] == [one.digest for one in done.result.rules]
    assert len(proof["inputs"]) == 4
    assert all(one["canaries_found"] for one in proof["rules"])


def broken_find(_: Tables, __: RuleSettings) -> None:
    raise RuntimeError("a number 130102195001010017 stands here")


def test_rule_that_raises_stops_itself_alone_and_tells_no_value(files: Files, tmp_path: Path) -> None:
    broken = replace(rule("paid_twice"), code="broken", find=broken_find)
    result = check(files, tmp_path / "out", rules=(broken, rule("paid_after_death")))
    assert [one.state for one in result.rules] == ["failed", "judged"]
    assert "130102" not in result.failed[0].reason
    assert "规则失败" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_rule_that_misses_its_planted_case_is_failed(files: Files, tmp_path: Path) -> None:
    whole = rule("identity_invalid")
    blind = replace(whole, find=lambda tables, settings: whole.find(tables, settings).filter(False))
    result = check(files, tmp_path / "out", rules=(blind,))
    assert result.rules[0].state == "failed"
    assert "没有找到" in result.rules[0].reason


def test_rule_without_its_table_is_not_judged(files: Files, tmp_path: Path) -> None:
    result = check({Kind.PAYMENTS: files[Kind.PAYMENTS]}, tmp_path / "out")
    states = {one.rule.code: one.state for one in result.rules}
    assert states["paid_after_death"] == "not_judged"
    assert states["identity_invalid"] == "judged"


def test_same_run_goes_on_where_it_was_and_reads_results_back(files: Files, done: Done, tmp_path: Path) -> None:
    shutil.copytree(done.out, tmp_path / "out")
    (tmp_path / "out/work/results/paid_twice.json").unlink()
    second = check(files, tmp_path / "out")
    assert {one.rule.code: one.read_back for one in second.rules} == {code: code != "paid_twice" for code in FIVE}
    assert [one.digest for one in done.result.rules] == [one.digest for one in second.rules]


def test_other_runs_results_are_never_overwritten_silently(files: Files, done: Done, tmp_path: Path) -> None:
    shutil.copytree(done.out, tmp_path / "out")
    with pytest.raises(OutputTakenError):
        check(files, tmp_path / "out", months=(Month(2024, 5),))
    check(files, tmp_path / "out", months=(Month(2024, 5),), overwrite=True)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("x")
    with pytest.raises(OutputTakenError):
        check(files, foreign, overwrite=True)
    assert (foreign / "letter.txt").exists()


def test_excel_and_parquet_hold_the_same_findings(done: Done) -> None:
    lines = lines_of(done.out / "findings.csv")
    sheet = openpyxl.load_workbook(done.out / "findings.xlsx").active
    assert sheet is not None
    assert sheet.max_row - 1 == len(lines) == pq.read_table(done.out / "findings.parquet").num_rows


def test_report_opens_offline(done: Done) -> None:
    page = (done.out / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert not any(word in page for word in ("http://", "https://", "<script", "src="))


def test_digest_is_the_same_for_any_order_of_rows(done: Done) -> None:
    found = next(one.found for one in done.result.rules if one.rule.code == "account_shared")
    turned = found.take(list(reversed(range(found.num_rows))))
    assert digest_of_findings(turned) == digest_of_findings(found)
    assert digest_of_findings(found.slice(1)) != digest_of_findings(found)


def test_unknown_engine_is_refused_before_anything_is_written(files: Files, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        check(files, tmp_path / "out", engine="oracle")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    made_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_command_exits_with_0_where_it_finds_something(command: CliRunner) -> None:
    done = command.invoke(
        app,
        "check --payments 发放.csv --deaths 死亡.csv --month 2024-05,2030-01 --only paid_after_death --out r --json",
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rules"]["paid_after_death"]["count"] == 1
    assert "1,000.50" in done.output
    assert "203001" in done.output


def test_command_with_dry_run_writes_nothing(command: CliRunner, tmp_path: Path) -> None:
    done = command.invoke(app, ["check", "--payments", "发放.csv", "--out", "r", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "paid_after_death" in done.stdout
    assert not (tmp_path / "r").exists()


def test_command_exits_with_2_where_columns_cannot_be_told(command: CliRunner, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["甲,乙", "1,2"])
    done = command.invoke(app, ["check", "--payments", "a.csv", "--out", "r"])
    assert done.exit_code == 2
    assert not (tmp_path / "r").exists()


def test_refused_run_leaves_nothing_so_that_the_same_folder_can_be_named_again(files: Files, tmp_path: Path) -> None:
    bad = write(tmp_path / "a.csv", ["身份证号,发放年月,发放金额", f"{number(1)},五月,1", f"{number(2)},202405,x"])
    with pytest.raises(CheckError, match="年月为空或无法识别 1 行"):
        check({Kind.PAYMENTS: (bad,)}, tmp_path / "out")
    with pytest.raises(TablesError, match="内存"):
        check(files, tmp_path / "out", memory="much")
    assert not (tmp_path / "out").exists()


def plant_nothing(mint: Mint) -> Planted:
    return mint.planted()


def test_own_rule_is_any_rule(files: Files, tmp_path: Path) -> None:
    small: Rule = replace(
        rule("identity_invalid"),
        code="small",
        evidence=(),
        find=lambda tables, _: tables.require(Kind.PAYMENTS).filter(lambda t: t.fen < 2000).select("row", "fen"),
        plant=plant_nothing,
    )
    result = check(files, tmp_path / "out", rules=(small,))
    assert found_rows(result, "small") == [7, 8, 9, 10, 11]
