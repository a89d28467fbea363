"""Takes deliveries in a process that kills itself at a chosen step; run by `test_exchange_files_crash.py`."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exchange_files import make_desk
from exchange_province import Province

from huodang.exchange.files import drop, inspection, landing, places, returns, taking
from huodang.exchange.lots.service import Lots
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock, parse_instant
from huodang.trust import Provisioner

STEPS: tuple[tuple[Any, str], ...] = (
    (drop.places, "claim"),
    (Lots, "open"),
    (inspection.Inspection, "_keep"),
    (inspection.Inspection, "_collect_twins"),
    (Lots, "stage"),
    (landing.deliveries, "move_landing"),
    (Lots, "close"),
    (taking.deliveries, "update_delivery"),
    (returns, "write_back_rows"),
    (returns, "write_receipt"),
    (places, "put_away"),
)


@contextmanager
def dying_at(step: int, die: Callable[[], None]) -> Any:
    """Die before and after each of the steps that a delivery takes: at the one with the given number."""
    passed = 0
    before = [(owner, name, getattr(owner, name)) for owner, name in STEPS]

    def reached() -> None:
        nonlocal passed
        passed += 1
        if passed == step:
            die()

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            reached()
            made = real(*args, **options)
            reached()
            return made

        return call

    for owner, name, real in before:
        setattr(owner, name, wrapped(real))
    try:
        yield
    finally:
        for owner, name, real in before:
            setattr(owner, name, real)


def small_pages() -> None:
    """Many pages and checkpoints in little data."""
    landing.PAGE_ROWS = 10  # type: ignore[misc]
    inspection.CHECKPOINT_EVERY = 15  # type: ignore[misc]


def main() -> None:
    root, url, now, step = Path(sys.argv[1]), sys.argv[2], parse_instant(sys.argv[3]), int(sys.argv[4])
    small_pages()
    province = Province(root / "root", FixedClock(now), Provisioner(root / "root"))
    database = Database.open(url)
    ledger = Ledger(
        database,
        (province.signer("hub", "national"), province.signer("hub", "international")),
        "test.example/huodang",
        province.clock,
    )
    desk = make_desk(province, database, ledger, root)
    with dying_at(step, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        desk.work()


if __name__ == "__main__":
    main()
