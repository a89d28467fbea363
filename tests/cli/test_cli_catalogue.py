"""The catalogue from the command line: without a server, and against a hub's settings file."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from huodang.cli import app
from huodang.exchange import CatalogueEntry, CatalogueFormat, product_catalogue, write_catalogue
from huodang.simulation import lay_out, make_population
from huodang.standards import HuodangError
from huodang.web import HubSettings, assemble

MOVED = product_catalogue()["police.moved"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["catalogue", *arguments])


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The settings of a hub that has run, with nobody at its gateways."""
    people = make_population(seed=3, count=5, today=date(2025, 9, 15))
    file = lay_out(tmp_path_factory.mktemp("world"), people).settings_file("hub")
    assemble(HubSettings.load(file)).close()
    return str(file)


@pytest.mark.parametrize("file_format", list(CatalogueFormat))
def test_catalogue_is_exported_without_a_server(tmp_path: Path, file_format: CatalogueFormat) -> None:
    out = tmp_path / f"out.{file_format}"
    assert run("export", "--out", str(out), "--provider", "police").exit_code == 0
    mine = [one for one in product_catalogue().values() if one.provider == "police"]
    assert out.read_bytes() == write_catalogue(mine, file_format)


def test_entries_are_listed_and_shown() -> None:
    listed = json.loads(run("list", "死亡", "--kind", "event", "--json").output)
    assert {one["resource"] for one in listed} == {"health.death_registered", "police.death_registered"}
    assert "police.household_table" in run("list").output
    shown = run("show", "justice.custody")
    assert "待核" in shown.output
    assert "sentence_type" in shown.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "police.passport"),
        ("history", "police.passport"),
        ("list", "--kind", "gift"),
        ("export", "--out", "catalogue.csv"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(arguments: tuple[str, ...]) -> None:
    assert isinstance(run(*arguments).exception, HuodangError)


def test_import_is_a_dry_run_until_it_is_applied(config: str, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.xlsx"
    weekly = CatalogueEntry.from_payload(MOVED.to_payload() | {"update_cycle": "weekly"})
    file.write_bytes(write_catalogue([weekly], CatalogueFormat.EXCEL))
    dry = run("import", str(file), "--config", config)
    assert dry.exit_code == 0, dry.output
    assert "实时 → 每周" in dry.output
    assert len(json.loads(run("history", "police.moved", "--config", config, "--json").output)) == 1
    report = tmp_path / "report.json"
    done = run("import", str(file), "--config", config, "--apply", "--by", "zhang", "--report", str(report))
    assert done.exit_code == 0, done.output
    assert json.loads(report.read_text("utf-8"))["applied"] is True
    history = json.loads(run("history", "police.moved", "--config", config, "--json").output)
    assert [(one["version"], one["by"]) for one in history] == [(0, "hub"), (1, "zhang")]
    assert history[1]["ledger_entry"]


def test_refused_import_names_row_and_column_and_changes_nothing(config: str, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.xlsx"
    unshared = CatalogueEntry.from_payload(MOVED.to_payload() | {"sharing": "none"})
    file.write_bytes(write_catalogue([unshared], CatalogueFormat.EXCEL))
    for how in ((), ("--apply",)):
        refused = run("import", str(file), "--config", config, *how)
        assert refused.exit_code == 2
        assert "第 2 行，列 共享类型" in refused.output
    assert isinstance(run("withdraw", "police.moved", "--config", config, "--yes").exception, HuodangError)


def test_gaps_tell_what_no_gateway_serves(config: str, tmp_path: Path) -> None:
    asked = run("gaps", "--config", config, "--json", "--exit-code")
    assert asked.exit_code == 1
    assert {one["service"] for one in json.loads(asked.output)} <= {"not_served", "no_agreement"}
    own = tmp_path / "list.yaml"
    own.write_text(
        "- {item: cremation, title: {chinese: 火化, english: Cremation}, provider: civil_affairs,"
        " resources: [civil_affairs.cremation], law: 待核, status: unverified}",
        encoding="utf-8",
    )
    (gap,) = json.loads(run("gaps", "--config", config, "--offline", "--list", str(own), "--json").output)
    assert (gap["service"], gap["light"]) == ("not_published", "red")
