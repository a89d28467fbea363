"""Processes that record and seal and are killed without notice; run by test_ledger_crash.py.

`statements FOLDER TEMPLATE KEYS` copies the template once for each SQL statement of a sealing transaction and has a
process kill itself there, before the statement and after it, until one ends unharmed. `random FOLDER TEMPLATE KEYS`
kills processes that work on one copy at random moments. Each line printed says `<database> <what>`, where `<what>` is
an acknowledged entry, `killed` or `unharmed`. Processes are forked, so that the imports are paid once.
"""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import event

from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Database, SystemClock
from huodang.trust import Signer

ORIGIN = "hebei.example/huodang"


def say(path: Path, what: str) -> None:
    """Tell the test; unbuffered, as whoever speaks may be dead at the next moment."""
    os.write(1, f"{path.name} {what}\n".encode())


def work(path: Path, keys: Path, *, rounds: int | None, die_at: int = 0, moment: str = "before") -> None:
    """Record five entries and seal them, over and over; die at the given statement of the last sealing."""
    database = Database.open(f"sqlite:///{path}")
    signers = (Signer.load(keys, "hub", "national"), Signer.load(keys, "hub", "international"))
    clock = SystemClock()
    ledger = Ledger(database, signers, ORIGIN, clock)
    seen = 0
    counting = False

    def count(*_: object) -> None:
        nonlocal seen
        seen += counting
        if counting and seen == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, f"{moment}_cursor_execute", count)
    number = 0
    while rounds is None or number < rounds * 5:
        for _ in range(5):
            number += 1
            with database.begin() as connection:
                entry_id = ledger.record(connection, LedgerEntry("payment", clock.now(), {"n": str(number)}), b"paid")
            say(path, entry_id)  # acknowledged: from here on it must never be lost
        counting = rounds is not None and number == rounds * 5
        ledger.seal_batch()


def in_a_process(path: Path, keys: Path, *, rounds: int | None, die_at: int = 0, moment: str = "before") -> int:
    """Fork a process that works, and return its number."""
    child = os.fork()
    if child:
        return child
    try:
        work(path, keys, rounds=rounds, die_at=die_at, moment=moment)
    except BaseException as error:  # noqa: BLE001  (a forked copy must never return into the caller)
        say(path, f"failed {type(error).__name__}")
    os._exit(0)


def at_each_statement(folder: Path, template: Path, keys: Path) -> None:
    """Kill at the first statement, the second, … until none is left."""
    for moment in ("before", "after"):
        killed, die_at = True, 0
        while killed:
            die_at += 1
            path = folder / f"{moment}{die_at}.db"
            shutil.copyfile(template, path)
            _, status = os.waitpid(in_a_process(path, keys, rounds=2, die_at=die_at, moment=moment), 0)
            killed = os.WIFSIGNALED(status)
            say(path, "killed" if killed else "unharmed")


def at_random_moments(folder: Path, template: Path, keys: Path) -> None:
    """Kill six processes in a row that work on one log."""
    chance = random.Random(20250303)
    path = folder / "random.db"
    shutil.copyfile(template, path)
    for _ in range(6):
        child = in_a_process(path, keys, rounds=None)
        time.sleep(chance.uniform(0.05, 0.4))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        say(path, "killed" if os.WIFSIGNALED(status) else "unharmed")


if __name__ == "__main__":
    mode = {"statements": at_each_statement, "random": at_random_moments}[sys.argv[1]]
    mode(Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
