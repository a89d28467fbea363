"""`huodang receipt verify`: exit code 0 valid, 1 not valid, 2 bad input; offline, without a database."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from huodang.cli import main
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Database, FixedClock
from huodang.trust import Provisioner, Signer, TrustedKeys

AT = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


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


@pytest.fixture
def receipt(tmp_path: Path, database: Database) -> Path:
    """A receipt of a real ledger with its trust.json beside it; the database is closed before anyone verifies."""
    provisioner = Provisioner(tmp_path)
    provisioner.init()
    signers = provisioner.issue("hub").signers
    ledger = Ledger(database, signers, "hebei.example/huodang", FixedClock(AT))
    with database.begin() as connection:
        entry_id = ledger.record(connection, LedgerEntry("verdict", AT, {"outcome": "clear"}), b"evidence")
    ledger.seal_batch()
    path = tmp_path / "receipt.json"
    path.write_text(ledger.receipt(entry_id, b"evidence").to_json(), encoding="utf-8")
    database.close()
    return path


def test_a_true_receipt_is_valid_under_the_trusted_keys(run, receipt: Path) -> None:
    code, out, _ = run("receipt", "verify", receipt, "--trust", receipt.with_name("trust.json"))
    assert code == 0
    assert "凭证有效 / the receipt is valid" in out
    assert "取自凭证本身" not in out
    assert "2025-03-03 09:00:00" in out  # Beijing time
    assert "✗" not in out


def test_without_trusted_keys_it_says_plainly_where_the_key_was_taken_from(run, receipt: Path) -> None:
    code, out, _ = run("receipt", "verify", receipt)
    assert code == 0
    assert "签名密钥取自凭证本身" in out
    assert "taken from the receipt itself" in out


def test_a_changed_receipt_is_not_valid_and_the_failing_check_is_shown(run, receipt: Path) -> None:
    receipt.write_text(receipt.read_text(encoding="utf-8").replace("clear", "hit"), encoding="utf-8")
    code, out, _ = run("receipt", "verify", receipt, "--trust", receipt.with_name("trust.json"))
    assert code == 1
    assert "✗ 叶子在 SM3 树中" in out
    assert "NOT valid" in out


def test_a_receipt_that_strangers_signed_is_not_valid(run, receipt: Path, tmp_path: Path) -> None:
    TrustedKeys((Signer.generate("hub").public,)).save(tmp_path / "strangers.json")
    assert run("receipt", "verify", receipt, "--trust", tmp_path / "strangers.json")[0] == 1


def test_the_ledger_of_another_operator_is_verified_under_its_name(run, receipt: Path) -> None:
    trust = receipt.with_name("trust.json")
    assert run("receipt", "verify", receipt, "--trust", trust, "--operator", "police")[0] == 1


def test_the_json_report_names_every_check(run, receipt: Path) -> None:
    code, out, _ = run("receipt", "verify", receipt, "--trust", receipt.with_name("trust.json"), "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["valid"], report["key_source"], report["content_revealed"]) == (True, "trust", True)
    assert report["entry"] == {"kind": "verdict", "at": "2025-03-03T01:00:00Z", "facts": {"outcome": "clear"}}
    assert len(report["checks"]) == 10
    assert all(check["zh"] and check["en"] for check in report["checks"])


def test_a_receipt_with_a_missing_member_is_not_valid(run, receipt: Path) -> None:
    members = json.loads(receipt.read_text(encoding="utf-8"))
    del members["trees"]
    receipt.write_text(json.dumps(members), encoding="utf-8")
    code, out, _ = run("receipt", "verify", receipt, "--json")
    assert code == 1
    assert json.loads(out)["valid"] is False


def test_bad_input_ends_with_two_and_both_languages(run, receipt: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    for arguments in (
        (tmp_path / "absent.json",),
        (tmp_path / "other.json",),
        (receipt, "--trust", tmp_path / "absent.json"),
        (receipt, "--trust", tmp_path / "other.json"),
    ):
        code, _, err = run("receipt", "verify", *arguments)
        assert code == 2
        assert len(err.splitlines()) == 2
    assert run("receipt", "verify")[0] == 2


def test_help_shows_examples_and_exit_codes(run) -> None:
    code, out, _ = run("receipt", "verify", "--help")
    assert code == 0
    assert "huodang receipt verify receipt.json" in out
