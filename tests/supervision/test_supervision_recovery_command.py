"""`huodang recovery verify` as a court meets it: a file, a list of keys, and no hub."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from supervision_people import SIGNERS, Keys, instant, person
from typer.testing import CliRunner

from huodang.cli import app
from huodang.standards import Money, Month
from huodang.store import Database, FixedClock
from huodang.supervision.timeline import DEATH, Fact, PaidMonth, Timeline


@pytest.fixture
def statement(database: Database, clock: FixedClock, tmp_path: Path) -> list[str]:
    """The arguments of a check of a death that was told late."""
    keys = Keys.of(database, clock, tmp_path, SIGNERS)
    timeline = Timeline(keys.database, keys.sealer, keys.ledger, keys.clock, keys.signer)
    clock.set(instant("2025-05-20"))
    months = [
        PaidMonth(Month(2025, n), Money(300_000), Money(300_000), datetime(2025, n, 5, tzinfo=UTC)) for n in (1, 2, 3)
    ]
    with database.begin() as connection:
        timeline.record(connection, Fact(person(1), DEATH, "2025-01-20", None, None, clock.now(), "health.x", "d"))
        envelope = timeline.recomputation(connection, person(1), "110", months)
    (tmp_path / "statement.json").write_text(envelope.to_json(), encoding="utf-8")
    keys.trusted.save(tmp_path / "trust.json")
    return ["recovery", "verify", str(tmp_path / "statement.json"), "--trust", str(tmp_path / "trust.json")]


def test_a_true_statement_is_valid_and_shows_every_month(statement: list[str]) -> None:
    result = CliRunner().invoke(app, [*statement, "--identity-number", person(1).text])
    assert result.exit_code == 0, result.output
    assert "6000.00" in result.output
    assert "2025-03" in result.output
    told = json.loads(CliRunner().invoke(app, [*statement, "--json"]).output)
    assert told["valid"] is True


def test_another_person_or_another_figure_makes_it_invalid(statement: list[str]) -> None:
    assert CliRunner().invoke(app, [*statement, "--identity-number", person(2).text]).exit_code == 1
    file = Path(statement[2])
    file.write_text(file.read_text(encoding="utf-8").replace("600000", "500000"), encoding="utf-8")
    assert CliRunner().invoke(app, statement).exit_code == 1
