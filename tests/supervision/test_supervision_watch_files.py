"""Files in, as users have them: a month's list for the store, registers for the estimate."""

import csv
import json
from pathlib import Path

import pytest
from supervision_watch import identity_of
from typer.testing import CliRunner

from huodang.cli import app
from huodang.standards import Month
from huodang.supervision.tables import Kind, Prepared, prepare, understand
from huodang.supervision.watch import ListError, RunError, captures_of_runs, month_list, register_of

PAYMENTS = ["公民身份号码", "姓名", "险种", "发放年月", "发放金额", "银行账号", "行政区划"]
DEATHS = ["公民身份号码", "姓名", "死亡日期", "来源"]


def write(path: Path, heads: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([heads, *rows])
    return path


def payments(folder: Path, people: range, month: str = "2025-03") -> Path:
    rows = [
        [identity_of(who), "王某", "企业职工基本养老保险", month, f"{3000 + who}.50", f"6222{who:012d}", "130102"]
        for who in people
    ]
    return write(folder / "payments.csv", PAYMENTS, [*rows, ["130102194001010000", "坏", "x", month, "1.00", "1", "1"]])


def deaths(folder: Path, sources: dict[str, range]) -> Path:
    rows = [[identity_of(who), "王某", "2025-01-20", source] for source, people in sources.items() for who in people]
    return write(folder / "deaths.csv", DEATHS, rows)


def prepared(folder: Path, **files: Path) -> Prepared:
    return prepare(understand({Kind(kind): [path] for kind, path in files.items()}, None), folder / "store")


def test_the_rows_of_a_month_come_with_their_very_numbers_and_the_unfit_are_counted(tmp_path: Path) -> None:
    listed = month_list(prepared(tmp_path, payments=payments(tmp_path, range(30))))
    lines = sorted(listed.lines(), key=lambda one: one.fen)
    assert (listed.month, listed.rows) == (Month(2025, 3), 30)
    assert [one.identity_number for one in lines] == [identity_of(who) for who in range(30)]
    assert {(one.scheme, one.region) for one in lines} == {("110", "130102")}
    assert [one.fen for one in lines] == [300_050 + 100 * who for who in range(30)]
    assert len({one.account for one in lines}) == 30


def test_a_month_that_the_list_does_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError):
        month_list(prepared(tmp_path, payments=payments(tmp_path, range(3))), Month(2025, 2))


@pytest.mark.parametrize(
    ("source", "register"),
    [("省卫健委死亡医学证明", "health"), ("公安厅", "police"), ("民政厅殡葬", "civil_affairs"), ("Health", "health")],
)
def test_a_source_names_its_register(source: str, register: str) -> None:
    assert register_of(source) == register


def test_only_who_was_paid_after_death_is_counted(tmp_path: Path) -> None:
    store = prepared(
        tmp_path,
        payments=payments(tmp_path, range(20)),
        deaths=deaths(tmp_path, {"卫健委": range(15), "公安厅": range(10, 40)}),
    )
    captures = captures_of_runs([store.folder])
    assert captures.registers == ("health", "police")
    assert captures.counts == {"10": 10, "11": 5, "01": 5}


def test_deaths_without_a_source_can_not_be_told_apart(tmp_path: Path) -> None:
    store = prepared(tmp_path, payments=payments(tmp_path, range(5)), deaths=deaths(tmp_path, {"": range(5)}))
    with pytest.raises(RunError):
        captures_of_runs([store.folder])


def test_the_command_estimates_from_files(tmp_path: Path) -> None:
    sources = {"卫健": range(60), "公安": range(20, 90), "民政": range(10, 70)}
    told = CliRunner().invoke(
        app,
        [
            "watch",
            "missed-estimate",
            f"--payments={payments(tmp_path, range(100))}",
            f"--deaths={deaths(tmp_path, sources)}",
            "--json",
            "--draws=100",
        ],
    )
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["seen"] == 90
    assert found["low"] <= found["missed"] <= found["high"]


def test_the_command_refuses_a_folder_without_prepared_tables(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["watch", "missed-estimate", str(tmp_path)])
    assert isinstance(told.exception, RunError)
