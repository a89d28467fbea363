"""`huodang keys`, as an administrator uses it."""

import re
import sys
from pathlib import Path

import pytest

from huodang.cli import main
from huodang.trust import Signer, TlsPair, TrustedKeys


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line; return exit code, standard output and standard error."""

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["huodang", *(str(one) for one in arguments)])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_a_deployment_gets_its_keys_from_three_commands(run, tmp_path: Path) -> None:
    assert run("keys", "init", tmp_path)[0] == 0
    code, out, _ = run("keys", "issue", "hub", "--dir", tmp_path, "--host", "hub.example", "--host", "127.0.0.1")
    assert code == 0
    assert Signer.load(tmp_path / "hub" / "keys", "hub").key_id in out
    assert Signer.load(tmp_path / "hub" / "keys", "hub", "international").key_id in out
    assert run("keys", "issue", "police", "--dir", tmp_path, "--suite", "international")[0] == 0
    code, out, _ = run("keys", "list", tmp_path)
    assert code == 0
    assert sorted(tuple(line.split()[:2]) for line in out.splitlines()) == [
        ("hub", "international"),
        ("hub", "national"),
        ("police", "international"),
    ]
    assert len(TrustedKeys.load(tmp_path / "trust.json")) == 3
    TlsPair.of(tmp_path / "tls", "hub").server_context()


def test_a_key_is_never_overwritten_and_the_error_is_in_both_languages(run, tmp_path: Path) -> None:
    run("keys", "init", tmp_path)
    run("keys", "issue", "police", "--dir", tmp_path)
    before = Signer.load(tmp_path / "departments" / "police" / "keys", "police").key_id
    code, _, err = run("keys", "issue", "police", "--dir", tmp_path)
    assert code == 2
    chinese, english = err.splitlines()
    assert "不会覆盖" in chinese
    assert "not overwritten" in english
    assert Signer.load(tmp_path / "departments" / "police" / "keys", "police").key_id == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("police", "--suite", "roman"), 2),
        (("../police",), 2),
        (("police", "--host", "a host"), 2),
        ((), 2),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing_behind(
    run, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    run("keys", "init", tmp_path)
    before = sorted(path for path in tmp_path.rglob("*"))
    assert run("keys", "issue", *arguments, "--dir", tmp_path)[0] == code
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_issuing_into_a_folder_that_is_no_deployment_says_what_to_do(run, tmp_path: Path) -> None:
    code, _, err = run("keys", "issue", "hub", "--dir", tmp_path)
    assert code == 2
    assert "huodang keys init" in err
    assert run("keys", "list", tmp_path)[0] == 2


def test_initialising_twice_changes_nothing(run, tmp_path: Path) -> None:
    run("keys", "init", tmp_path)
    run("keys", "issue", "police", "--dir", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert run("keys", "init", tmp_path)[0] == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("command", ["init", "issue", "list", "revoke"])
def test_every_command_has_help_with_an_example(run, command: str) -> None:
    code, out, _ = run("keys", command, "--help")
    assert code == 0
    assert re.search(rf"huodang keys {command}", out)


def test_a_key_that_leaked_is_revoked_and_one_that_was_replaced_only_ends(run, tmp_path: Path) -> None:
    run("keys", "init", tmp_path)
    for name in ("police", "health"):
        run("keys", "issue", name, "--dir", tmp_path)
    police, health = (
        Signer.load(tmp_path / "departments" / name / "keys", name).key_id for name in ("police", "health")
    )
    assert run("keys", "revoke", "police", police, "--dir", tmp_path)[0] == 0
    assert run("keys", "revoke", "health", health, "--dir", tmp_path, "--replaced")[0] == 0
    trusted = TrustedKeys.load(tmp_path / "trust.json")
    ended = {key.holder: (key.revoked_at is not None, key.valid_to is not None) for key in trusted}
    assert ended == {"police": (True, False), "health": (False, True)}
    out = run("keys", "list", tmp_path)[1]
    assert "已作废 / revoked" in out
    assert "有效至 / valid until" in out


def test_revoking_what_is_not_there_changes_nothing(run, tmp_path: Path) -> None:
    assert run("keys", "revoke", "police", "0" * 32, "--dir", tmp_path)[0] == 2
    assert list(tmp_path.iterdir()) == []
    run("keys", "init", tmp_path)
    before = (tmp_path / "trust.json").read_bytes()
    assert run("keys", "revoke", "police", "0" * 32, "--dir", tmp_path)[0] == 2
    assert (tmp_path / "trust.json").read_bytes() == before
