"""Files of proofs taken in, part by part: millions of rows in bounded memory, taken up again after an interruption."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor
from huodang.exchange.sharing import SYSTEM
from huodang.standards import Place
from huodang.store import Clock, Database
from huodang.supervision.certification import records
from huodang.supervision.certification.errors import ProofError
from huodang.supervision.certification.judging import insert_proofs, standings
from huodang.supervision.certification.proof_files import BadLine, QuarantineFile, ReadLine, read_lines
from huodang.supervision.certification.service import Certifications
from huodang.supervision.certification.values import Payee, Taken, taken_of

PART: Final = 20_000
"""So many rows are taken in one transaction."""

Progress = Callable[[int], None]
"""Told how many rows stand so far, after each part."""


@dataclass(frozen=True)
class ImportRequest:
    """A file of proofs.

    Attributes:
        means: of the ladder; one file holds one.
        source: where it came from; the file's name if empty.
        quarantine: where rows go that can't be read; None keeps none.
        dry_run: read and count, take nothing.
    """

    path: Path
    means: str
    source: str = ""
    quarantine: Path | None = None
    dry_run: bool = False


class ProofImports:
    """Takes files of proofs; a file is known by its content and taken once."""

    def __init__(self, database: Database, certifications: Certifications, clock: Clock) -> None:
        self._database = database
        self._certifications = certifications
        self._clock = clock

    def take(self, request: ImportRequest, actor: Actor = SYSTEM, progress: Progress = lambda _rows: None) -> Taken:
        """Take a file of proofs; one that was cut off goes on behind the last part that stands.

        Raises:
            ProofError: there is no such means, it isn't for this role, or a column is missing.
            FileFormatError: the file can't be read.
        """
        means = self._certifications.ladder.means.get(request.means)
        if means is None or actor.role not in means.roles:
            raise ProofError(
                "没有这种认证方式，或不由该角色批量导入",
                "there is no such means of proof, or it isn't for this role",
                advice_chinese=f"可用：{'、'.join(self._certifications.ladder.means)}。",
                advice_english=f"One of: {', '.join(self._certifications.ladder.means)}.",
                place=Place(element=request.means[:40]),
            )
        digest = _digest(request.path)
        run_id = hashlib.sha256(f"{digest}:{request.means}".encode()).hexdigest()[:32]
        lines = read_lines(request.path, self._clock.today(), need_day=True)
        if request.dry_run:
            bad = sum(isinstance(line, BadLine) for line in lines)
            return Taken(run_id, quarantined=bad)
        done, counts = self._begin(request, run_id, digest, actor)
        if done < 0:
            return Taken(run_id, again=True)
        quarantine = QuarantineFile(request.quarantine, request.path.name, counts["last"])
        for part, rows in _parts(lines, done):
            self._part(request, run_id, actor, part, rows, counts)
            quarantine.add([row for row in rows if isinstance(row, BadLine)])
            progress(counts["rows"])
        return self._end(request, run_id, counts)

    def _begin(self, request: ImportRequest, run_id: str, digest: str, actor: Actor) -> tuple[int, dict[str, int]]:
        """Begin a run or take it up again; -1 for one that is done."""
        table = records.certification_run
        with self._database.begin() as connection:
            row = connection.execute(sa.select(table).where(table.c.run_id == run_id)).one_or_none()
            if row is not None:
                return (-1 if row.ended_at is not None else row.rows_done), json.loads(row.counts)
            counts = {"rows": 0, "bad": 0, "last": 0}
            connection.execute(
                sa.insert(table).values(
                    run_id=run_id,
                    kind="import",
                    means=request.means,
                    digest=digest,
                    rows_done=0,
                    counts=json.dumps(counts),
                    begun_at=self._clock.now(),
                    by=actor.user_id,
                    entry_id="",
                )
            )
            return 0, counts

    def _part(  # noqa: PLR0917  (a part of a run has so many sides)
        self,
        request: ImportRequest,
        run_id: str,
        actor: Actor,
        part: int,
        rows: list[ReadLine | BadLine],
        counts: dict[str, int],
    ) -> None:
        good = [row for row in rows if isinstance(row, ReadLine)]
        people = self._certifications.indexes(row.identity for row in good)
        source = request.source or request.path.name
        after = {
            "rows": counts["rows"] + len(rows),
            "bad": counts["bad"] + len(rows) - len(good),
            "last": rows[-1].row,
        }
        with self._database.begin() as connection:
            batch = self._certifications.batch(run_id, actor.user_id, part)
            proofs = [
                (person, row.day, request.means, source[:128], run_id)
                for person, row in zip(people, good, strict=True)
                if row.day is not None
            ]
            insert_proofs(connection, batch, self._certifications.ladder, proofs)
            self._certifications.settle(connection, batch)
            self._keep(connection, run_id, after)
        counts |= after

    def _end(self, request: ImportRequest, run_id: str, counts: dict[str, int]) -> Taken:
        table = records.certification_run
        with self._database.begin() as connection:
            found = standings(connection, run_id)
            facts = {"event": "import", "run": run_id, "means": request.means}
            told = {**found, "rows": counts["rows"], "bad": counts["bad"]}
            entry_id = self._certifications.record(connection, facts, {name: str(n) for name, n in told.items()})
            connection.execute(
                sa.update(table)
                .where(table.c.run_id == run_id)
                .values(ended_at=self._clock.now(), entry_id=entry_id, counts=json.dumps({**counts, **found}))
            )
        repeated = counts["rows"] - counts["bad"] - sum(found.values())
        return taken_of(run_id, found, repeated=repeated, quarantined=counts["bad"])

    @staticmethod
    def _keep(connection: Connection, run_id: str, counts: dict[str, int]) -> None:
        table = records.certification_run
        connection.execute(
            sa.update(table).where(table.c.run_id == run_id).values(rows_done=counts["rows"], counts=json.dumps(counts))
        )


def read_payees(path: Path, today: date, bad: list[BadLine]) -> Iterator[Payee]:
    """Give the payees of a file, and put the rows that can't be read into `bad`.

    Raises:
        ProofError: a column is missing.
        FileFormatError: the file can't be read.
    """
    for line in read_lines(path, today, need_day=False, need_region=True):
        if isinstance(line, BadLine):
            bad.append(line)
        elif len(line.region) != 6 or not line.region.isdigit():
            bad.append(BadLine(line.row, "region", "行政区划须是六位数字", "a region is six digits"))
        else:
            yield Payee(line.identity, line.region, line.day)


def _parts(lines: Iterator[ReadLine | BadLine], done: int) -> Iterator[tuple[int, list[ReadLine | BadLine]]]:
    """Cut the rows into parts, leaving out those that stand already; a part is numbered by its first row."""
    rows: list[ReadLine | BadLine] = []
    for number, line in enumerate(lines):
        if number < done:
            continue
        rows.append(line)
        if len(rows) >= PART:
            yield number - len(rows) + 1, rows
            rows = []
    if rows:
        yield number - len(rows) + 1, rows


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    except OSError as problem:
        raise ProofError("文件无法读取", "the file can't be read", place=Place(file=path.name)) from problem
    return found.hexdigest()
