"""A copy under fire: a table changes, `huodang sync` brings its copy up to date over and over, and is killed."""

import random
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from huodang.exchange.sync import BusyError, SyncRequest, sync_table, verify_table
from huodang.simulation.endurance_forks import Forker

TABLE: Final = "endurance_register"
ROWS: Final = 3000
_PAUSE_SECONDS: Final = 1.0
_LOTS: Final = "huodang_sync_lot"


@dataclass(frozen=True)
class CopyCount:
    """How a copy stands at the end.

    Attributes:
        equal: source and target hold the same rows; both were read anew, and row by row.
        lots: how many lots there were.
        gaps: lot numbers that are missing.
        miscounted: rows by which what the lots say they did differs from what is there.
        changes: rows that were changed at the source.
    """

    equal: bool
    rows: int
    lots: int
    gaps: int
    miscounted: int
    changes: int


@dataclass
class Copy:
    """One table, its copy, and the runs between them.

    Args:
        name: of this copy, in logs and counts.
        source: URL of a database.
        target: URL of another.
        folder: for logs and work files.
        forker: starts the runs.
        struck: asked at each kill; false ends the killing, not the runs.
        seed: of what is drawn.
        average: seconds after which a run is killed, on average.

    Attributes:
        runs: how many runs there were, and how many of them ended by themselves.
    """

    name: str
    source: str
    target: str
    folder: Path
    forker: Forker
    struck: Callable[[str], bool]
    seed: int
    average: float = 2.0
    changes: int = 0
    finished: int = 0
    failure: BaseException | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Fill the source, then change and copy it until told to stop."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(self.source)
        with self._engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {TABLE} (k bigint primary key, v varchar(60), n bigint)"))
            rows = [{"k": one, "v": f"值{one}", "n": one % 97} for one in range(ROWS)]
            connection.execute(sa.text(f"INSERT INTO {TABLE} VALUES (:k, :v, :n)"), rows)  # noqa: S608  (our own name)
        for work in (self._change, self._copy):
            self._threads.append(threading.Thread(target=work, name=f"{self.name}-{work.__name__}", daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        """End the changes and the runs.

        Raises:
            OSError: of a run or a change that failed, as everything that either ran into.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def count(self) -> CopyCount:
        """Bring the copy up to date once more, undisturbed, and compare all there is."""
        request = self._request()
        try:
            sync_table(request)
        except BusyError:  # the server hasn't noticed yet that the killed run is gone
            self._stop.wait(0.1)
            sync_table(request)
        proof = verify_table(request)
        target = sa.create_engine(self.target)
        try:
            with self._engine.connect() as one, target.connect() as other:
                rows = [[tuple(row) for row in side.execute(_ALL)] for side in (one, other)]
                lots = [
                    tuple(row)
                    for row in other.execute(
                        sa.text(f"SELECT lot, inserted, deleted FROM {_LOTS} WHERE state = 'done' ORDER BY lot")  # noqa: S608
                    )
                ]
        finally:
            target.dispose()
            self._engine.dispose()
        numbers = [int(lot) for lot, _, _ in lots]
        told = sum(int(inserted) - int(deleted) for _, inserted, deleted in lots)
        return CopyCount(
            equal=proof.equal and rows[0] == rows[1],
            rows=len(rows[1]),
            lots=len(numbers),
            gaps=len(set(range(1, max(numbers) + 1)) - set(numbers)) + len(numbers) - len(set(numbers)),
            miscounted=abs(told - len(rows[1])),
            changes=self.changes,
        )

    def _request(self) -> SyncRequest:
        return SyncRequest(self.source, TABLE, ("k",), self.target, work_folder=self.folder, memory="200MB")

    def _change(self) -> None:
        chance = random.Random(self.seed)
        try:
            while not self._stop.wait(chance.uniform(0, 0.5)):
                with self._engine.begin() as connection:
                    for statement in _CHANGES:
                        at = chance.randrange(10 * ROWS)
                        values = {"k": at, "low": at, "high": at + 20, "v": f"改{chance.random()}"}
                        self.changes += connection.execute(statement, values).rowcount
        except sa.exc.SQLAlchemyError as problem:
            self.failure = problem

    def _copy(self) -> None:
        chance = random.Random(-self.seed)
        arguments = ["sync", "--from", self.source, "--table", TABLE, "--key", "k", "--to", self.target, "--quiet"]
        arguments += ["--memory", "200MB", "--work-folder", str(self.folder), "--report", str(self.folder / "lot.json")]
        try:
            while not self._stop.is_set():
                run = self.forker.start("huodang", arguments, log=self.folder / "sync.log", folder=self.folder)
                try:
                    run.wait(chance.expovariate(1 / self.average))
                except subprocess.TimeoutExpired:
                    if self.struck(self.name):
                        run.kill()
                    run.wait()
                else:
                    self.finished += 1
                self._stop.wait(chance.uniform(0, _PAUSE_SECONDS))
        except (OSError, RuntimeError) as problem:
            self.failure = problem


_ALL: Final = sa.text(f"SELECT k, v, n FROM {TABLE} ORDER BY k")  # noqa: S608  (our own name)
_CHANGES: Final = (
    sa.text(f"UPDATE {TABLE} SET v = :v WHERE k BETWEEN :low AND :high"),  # noqa: S608  (as above)
    sa.text(f"DELETE FROM {TABLE} WHERE k BETWEEN :low AND :high"),  # noqa: S608  (as above)
    sa.text(f"INSERT INTO {TABLE} VALUES (:k, :v, 1) ON CONFLICT (k) DO NOTHING"),  # noqa: S608  (as above)
)
