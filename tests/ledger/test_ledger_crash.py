"""Kill the process that sequences, at every statement and at random moments: nothing is lost, doubled or forked."""

import subprocess
import sys
from pathlib import Path

from huodang.ledger import Ledger, verify_receipt
from huodang.store import Database, SystemClock
from huodang.trust import Signer, TrustedKeys

ORIGIN = "hebei.example/huodang"
PROGRAM = Path(__file__).with_name("crashing_ledger.py")


def crash(mode: str, folder: Path, template: Path, signers: tuple[Signer, Signer]) -> dict[str, list[str]]:
    """Run the processes that are killed; return what each database's processes said."""
    for signer in signers:
        signer.save(folder / "keys")
    told = subprocess.run(
        [sys.executable, str(PROGRAM), mode, str(folder), str(template), str(folder / "keys")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said: dict[str, list[str]] = {}
    for line in told.stdout.splitlines():
        name, what = line.split(" ", 1)
        said.setdefault(name, []).append(what)
    return said


def check(path: Path, signers: tuple[Signer, Signer], acknowledged: list[str], *, deaths: int) -> None:
    """After crashes: the log is whole, sealing goes on, and all that was acknowledged is there once, in order."""
    database = Database.open(f"sqlite:///{path}")
    ledger = Ledger(database, signers, ORIGIN, SystemClock())
    assert ledger.verify_all().valid
    ledger.seal_batch()
    audit = ledger.verify_all()
    assert audit.valid
    receipts = [ledger.receipt(entry_id) for entry_id in acknowledged]
    indexes = [one.index for one in receipts]
    assert indexes == sorted(set(indexes))
    trusted = TrustedKeys(tuple(one.public for one in signers))
    assert all(verify_receipt(one, trusted).valid for one in receipts[-3:])
    # A process may be killed after a commit and before it could say so: one entry a death at most.
    assert len(acknowledged) <= audit.size <= len(acknowledged) + deaths
    database.close()


def test_killed_before_and_after_each_statement_of_sealing(
    tmp_path: Path, migrated_template: Path, signers: tuple[Signer, Signer]
) -> None:
    said = crash("statements", tmp_path, migrated_template, signers)
    endings = [what[-1] for what in said.values()]
    # Nine statements at least: look, last checkpoint, highest leaf, edge, pending, three writes, checkpoint; the last
    # of each series comes too late to hit one.
    assert endings.count("killed") >= 2 * 9
    assert endings.count("unharmed") == 2
    for name, what in said.items():
        acknowledged = what[:-1]
        assert len(acknowledged) == 10
        check(tmp_path / name, signers, acknowledged, deaths=0)


def test_killed_at_random_moments_again_and_again_on_one_log(
    tmp_path: Path, migrated_template: Path, signers: tuple[Signer, Signer]
) -> None:
    what = crash("random", tmp_path, migrated_template, signers)["random.db"]
    acknowledged = [one for one in what if one != "killed"]
    assert len(what) - len(acknowledged) == 6
    assert len(acknowledged) > 20
    check(tmp_path / "random.db", signers, acknowledged, deaths=6)
