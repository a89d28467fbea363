"""Preparing a hub from the command line: the first accounts and a citizen's code; secrets never on the command line."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from huodang.cli import app
from huodang.simulation import lay_out, make_population
from huodang.standards import HuodangError
from huodang.store import Database, SystemClock
from huodang.web import Accounts, HubSettings, SettingsError
from huodang.web.sessions import SessionKind

PASSWORD = "Blue-Kettle-27"
PEOPLE = make_population(seed=3, count=10, today=date(2025, 9, 15))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("world"), PEOPLE).settings_file("hub")


def add(config: Path, user: str, *options: str, password: str = PASSWORD, typed: str = "") -> Result:
    arguments = ["accounts", "add", user, "--config", str(config), "--name", "系统员", *options]
    environment = {"HUODANG_NEW_PASSWORD": password} if password else {}
    return CliRunner().invoke(app, arguments, input=typed, env=environment)


def test_first_administrator_is_made_and_signs_in(config: Path) -> None:
    assert add(config, "system1", "--role", "system_administrator").exit_code == 0
    made = add(config, "security1", "--role", "security_administrator", password="", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    accounts = _accounts(config)
    assert accounts.sign_in("system1", PASSWORD, SessionKind.PAGE)[1].state == "active"
    assert accounts.sign_in("security1", PASSWORD, SessionKind.PAGE)[1].state == "active"


@pytest.mark.parametrize(
    ("options", "password"),
    [
        (("--role", "god"), PASSWORD),
        (("--role", "reviewer", "--region", "13"), PASSWORD),
        (("--role", "reviewer"), "weak"),
    ],
)
def test_account_that_cannot_be_is_refused(config: Path, options: tuple[str, ...], password: str) -> None:
    refused = add(config, "reviewer9", *options, password=password)
    assert isinstance(refused.exception, HuodangError)
    assert "reviewer9" not in {user.user_id for user in _accounts(config).all_users()}


def test_citizens_code_is_made_for_the_number_typed(config: Path) -> None:
    made = CliRunner().invoke(app, ["accounts", "code", "--config", str(config)], input=f"{PEOPLE.due[0].number}\n")
    assert made.exit_code == 0
    code = made.output.strip().splitlines()[-1]
    assert len(code.split("-")) == 3
    assert PEOPLE.due[0].number not in made.output


def test_broken_settings_are_named(config: Path) -> None:
    broken = config.with_name("broken.yaml")
    broken.write_text(config.read_text("utf-8") + "\nsurprise: 1\n", "utf-8")
    refused = add(broken, "system2", "--role", "system_administrator")
    assert isinstance(refused.exception, SettingsError)


def _accounts(config: Path) -> Accounts:
    settings = HubSettings.load(config)
    return Accounts(Database.open(settings.database), SystemClock(), settings.sessions)
