"""A delivery that is interrupted anywhere goes on, and counts once."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from crashing_files import dying_at
from exchange_files import RESOURCE, Desk, make_desk, terms_of
from exchange_province import Province

from huodang.exchange.files import inspection, landing
from huodang.ledger import Ledger
from huodang.store import Database, utc_text

ROWS = [*terms_of(40), ["1.30102E+17", "李红", "20250101"], [*terms_of(1)[0][:2], "20250102"]]


class Killed(BaseException):
    """The process is gone; nothing may count on being told."""


@pytest.fixture
def desk(
    province: Province, database: Database, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setattr(landing, "PAGE_ROWS", 10)
    monkeypatch.setattr(inspection, "CHECKPOINT_EVERY", 15)
    return make_desk(province, database, ledger, tmp_path)


def check_taken_once(desk: Desk) -> None:
    assert desk.held() == 39
    (delivery,) = desk.desk.deliveries()
    assert (delivery.state, delivery.rows, delivery.quarantined) == ("taken", 42, 3)
    (lot,) = desk.lots.of_resource(RESOURCE)
    assert (lot.inserted, lot.rows) == (39, 39)
    assert not list(desk.settings.work.glob("*/*"))
    (home,) = (desk.settings.taken / "justice").iterdir()
    assert (home / "receipt.json").exists()
    assert list((desk.settings.returned / "justice").glob("*/待更正.xlsx"))
    with desk.database.read() as connection:
        kinds = connection.execute(sa.text("SELECT leaf FROM ledger_pending")).scalars().all()
    assert sum('"file_delivery"' in leaf for leaf in kinds) == 1


def test_delivery_interrupted_at_any_step_goes_on_and_counts_once(
    desk: Desk,
) -> None:
    def die() -> None:
        raise Killed

    desk.lay(desk.pack(ROWS))
    # Each run dies one step later than the one before it got; the last one comes through.
    for step in range(1, 80):
        try:
            with dying_at(1 + step % 7, die):
                desk.work()
        except Killed:
            continue
        if desk.desk.deliveries() and not list(desk.settings.work.glob("*/*")):
            break
    desk.work()
    check_taken_once(desk)


@pytest.mark.parametrize("step", [3, 13, 22, 31])
def test_delivery_whose_process_is_killed_goes_on_and_counts_once(
    desk: Desk, province: Province, tmp_path: Path, step: int
) -> None:
    desk.lay(desk.pack(ROWS))
    now = utc_text(province.clock.now())
    script = Path(__file__).with_name("crashing_files.py")
    url = f"sqlite:///{tmp_path / 'test.db'}"
    killed = subprocess.run(
        [sys.executable, str(script), str(tmp_path), url, now, str(step)], capture_output=True, check=False
    )
    assert killed.returncode == -9, killed.stderr.decode()
    desk.work()
    check_taken_once(desk)
