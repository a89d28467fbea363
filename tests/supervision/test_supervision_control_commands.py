"""`huodang clues` and `huodang paylist` as an agency uses them: a check's findings to a released list, by four eyes."""

import json
from datetime import date
from pathlib import Path

import pytest
from clue_scene import NUMBERS
from typer.testing import CliRunner, Result

from huodang.cli import app
from huodang.simulation import lay_out, make_population
from huodang.standards import HuodangError
from huodang.web import HubSettings, NewAccount, assemble, install_accounts

PASSWORD = "Sunflower-Gate-2025"
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis calls it
PEOPLE = (("li", "investigator"), ("wang", "reviewer"), ("zhao", "reviewer"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The settings of a hub that has run, with an investigator and two reviewers."""
    people = make_population(seed=3, count=3, today=date(2025, 9, 15))
    file = lay_out(tmp_path_factory.mktemp("world"), people).settings_file("hub")
    settings = HubSettings.load(file)
    assemble(settings).close()
    accounts = [
        NewAccount(
            user_id=user, password=PASSWORD, name=user, role=role, department="social_insurance", region="130000"
        )
        for user, role in PEOPLE
    ]
    install_accounts(settings, accounts)
    return str(file)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month's payments to six people, of whom the second died the year before and the third has a broken number."""
    folder = tmp_path_factory.mktemp("files")
    broken = NUMBERS[2][:17] + ("0" if NUMBERS[2][17] != "0" else "1")
    who = [NUMBERS[0], NUMBERS[1], broken, *NUMBERS[3:6]]
    lines = [
        f"{number},张三,企业职工基本养老保险,202503,{1000 + at}.50,62220000{at:04d},130102"
        for at, number in enumerate(who)
    ]
    head = "身份证号,姓名,险种,发放年月,发放金额(元),银行账号,行政区划"
    (folder / "payments.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    (folder / "deaths.csv").write_text(f"身份证号,姓名,死亡日期\n{NUMBERS[1]},张三,2024-11-20\n", encoding="utf-8")
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments], env={"HUODANG_PASSWORD": PASSWORD, "COLUMNS": "200"})


def test_from_a_check_to_a_released_list(hub: str, files: Path, tmp_path: Path) -> None:
    payments, out = str(files / "payments.csv"), str(tmp_path / "run")
    rules = ("--only", "paid_after_death", "--only", "identity_invalid")
    deaths = str(files / "deaths.csv")
    checked = run("check", "--payments", payments, "--deaths", deaths, "--month", "2025-03", "--out", out, *rules)
    assert checked.exit_code == 0, checked.output
    take = ("clues", "open-from-check", out, "--payments", payments, "--config", hub, "--user", "li")
    assert "将立 1 项" in run(*take, "--dry-run").output
    taken = run(*take)
    assert taken.exit_code == 0, taken.output
    assert "identity_invalid 1" in taken.output
    assert "1 项发现，1 条疑点" in taken.output
    assert "1 项发现，1 条疑点" in run(*take).output
    (row,) = json.loads(run("clues", "list", "--config", hub, "--user", "li", "--json").output)
    assert (row["matter"], row["tier"], row["measure"], row["fen"]) == ("death", "high", "hold", 100_150)
    clue = row["clue_id"]
    shown = run("clues", "show", clue, "--config", hub, "--user", "li", "--evidence", "--letters", str(tmp_path / "l"))
    told = json.loads(shown.output)
    assert NUMBERS[1] not in shown.output
    assert told["clue"]["identity"].startswith(NUMBERS[1][:6])
    assert told["payments"][0]["state"] == "held"
    assert told["clue"]["signals"][0]["register"] == "health"
    (page,) = (tmp_path / "l").glob("*.html")
    assert "暂停" in page.read_text(encoding="utf-8")
    assert_list_is_gated(hub, clue, payments, str(tmp_path / "list"), told["payments"][0]["grounds"][0]["from_month"])


def assert_list_is_gated(hub: str, clue: str, payments: str, out: str, month: dict[str, int]) -> None:
    held = f"{month['year']}-{month['month']:02d}"
    check = ("paylist", "check", payments, "--month", held, "--config", hub, "--out", out)
    checked = json.loads(run(*check, "--user", "wang", "--json").output)
    assert checked["totals"]["held_fen"] == 100_150
    assert checked["unjudged"] == [clue]
    release = ("paylist", "release", checked["list_id"], "--config", hub, "--out", out)
    assert run(*release, "--user", "wang").exception is not None
    assert run(*release, "--user", "zhao").exception is not None
    judged = run("paylist", "judge", clue, "--uphold", "--note", "已与医院核对", "--config", hub, "--user", "li")
    assert "已维持" in judged.output
    assert run(*release, "--user", "zhao", "--dry-run").exit_code == 0
    released = run(*release, "--user", "zhao")
    assert released.exit_code == 0, released.output
    assert "已放行" in released.output
    (listed,) = json.loads(run("paylist", "list", "--config", hub, "--user", "li", "--json").output)
    assert listed["state"] == "released"


def test_bad_input_is_told_and_changes_nothing(hub: str, files: Path, tmp_path: Path) -> None:
    common = ("--config", hub, "--user", "li")
    wrong = [
        ("clues", "open-from-check", str(tmp_path), "--payments", str(files / "payments.csv"), *common),
        ("clues", "show", "c0", *common),
        ("clues", "act", "c0", "take", *common),
        ("paylist", "check", str(files / "deaths.csv"), "--month", "2025-03", "--out", str(tmp_path / "o"), *common),
        ("paylist", "check", str(files / "payments.csv"), "--month", "2025-13", "--out", str(tmp_path / "o"), *common),
        ("paylist", "judge", "c0", "--uphold", "--note", "核对", *common),
    ]
    for arguments in wrong:
        assert isinstance(run(*arguments).exception, HuodangError), arguments
    assert run("clues", "act", "c0", "take", "--data", "law", *common).exit_code == 2
    refused = CliRunner().invoke(app, ["clues", "list", *common], env={"HUODANG_PASSWORD": "wrong"})
    assert isinstance(refused.exception, HuodangError)


def test_files_that_were_not_checked_are_refused(hub: str, files: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(
        "check",
        "--payments",
        str(files / "payments.csv"),
        "--month",
        "2025-03",
        "--out",
        str(out),
        "--only",
        "identity_invalid",
    )
    other = tmp_path / "other.csv"
    other.write_text((files / "payments.csv").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    result = run("clues", "open-from-check", str(out), "--payments", str(other), "--config", hub, "--user", "li")
    assert isinstance(result.exception, HuodangError)
    assert "other.csv" in str(result.exception)
