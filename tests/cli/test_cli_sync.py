"""`huodang sync` as its user meets it: the report, the exit code, and what is said."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huodang.cli import app
from huodang.exchange.sync import SpaceError


@pytest.fixture
def common(tmp_path: Path) -> list[str]:
    """The arguments of a sync of twenty rows."""
    with sqlite3.connect(tmp_path / "source.db") as source:
        source.execute("CREATE TABLE person (id TEXT, name TEXT)")
        source.executemany("INSERT INTO person VALUES (?, '张三')", [(f"P{n}",) for n in range(20)])
    files = [str(tmp_path / name) for name in ("source.db", "target.db", "lot.json")]
    return ["sync", "--from", files[0], "--table", "person", "--key", "id", "--to", files[1], "--report", files[2]]


def test_report_holds_the_counts_and_the_proof(common: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, common)
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "lot.json").read_text(encoding="utf-8"))
    assert {"rows", "inserted", "updated", "deleted", "late", "quarantined", "proof"} <= set(written)
    assert written["rows"] == written["inserted"] == 20
    assert written["proof"]["equal"]
    assert "一致" in result.output


def test_exit_code_of_a_verification_tells_whether_the_sides_agree(common: list[str], tmp_path: Path) -> None:
    CliRunner().invoke(app, common)
    assert CliRunner().invoke(app, [*common, "--verify-only"]).exit_code == 0
    with sqlite3.connect(tmp_path / "target.db") as target:
        target.execute("DELETE FROM person WHERE id = 'P5'")
    assert CliRunner().invoke(app, [*common, "--verify-only"]).exit_code == 3


def test_dry_run_makes_no_table(common: list[str], tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "target.db").close()
    (tmp_path / "target.db").touch()
    assert CliRunner().invoke(app, [*common, "--dry-run"]).exit_code == 0
    with sqlite3.connect(tmp_path / "target.db") as target:
        assert target.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.parametrize("wrong", [["--check", "name"], ["--on-drift", "perhaps"], ["--overlap", "-1"]])
def test_misspelt_option_is_refused(common: list[str], wrong: list[str]) -> None:
    assert CliRunner().invoke(app, [*common, *wrong]).exit_code == 2


def test_lot_stands_when_its_report_cannot_be_written(common: list[str], tmp_path: Path) -> None:
    (tmp_path / "lot.json").mkdir()
    result = CliRunner().invoke(app, common)
    assert result.exit_code == 4, result.output
    assert "报告写不了" in result.output
    with sqlite3.connect(tmp_path / "target.db") as target:
        assert target.execute("SELECT count(*) FROM person").fetchone() == (20,)


def test_refused_rows_that_cannot_be_written_stop_the_lot(common: list[str], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "source.db") as source:
        source.execute("INSERT INTO person VALUES (NULL, '李四')")
    (tmp_path / "refused").mkdir()
    result = CliRunner().invoke(app, [*common, "--quarantine", str(tmp_path / "refused")])
    assert isinstance(result.exception, SpaceError)
    assert "--quarantine" in result.exception.advice_chinese
    with sqlite3.connect(tmp_path / "target.db") as target:
        assert not target.execute("SELECT name FROM sqlite_master WHERE name = 'person'").fetchall()
