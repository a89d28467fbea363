"""Looking a delivery through before anything of it is taken: every row read once, in bounded memory, from checkpoints.

What is found is kept in a SQLite file beside the delivery: keys (as salted marks) to find twins, rows kept back, and
how far reading has come. A process that is killed goes on at its last checkpoint.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from huodang.exchange.files.archives import cannot_write
from huodang.exchange.files.cells import cell_text
from huodang.exchange.files.formats import FileFormat, FileRow, Position
from huodang.exchange.files.mapping import ReadMapping
from huodang.exchange.files.reading import read_rows
from huodang.exchange.files.standardising import FileFault, RemovedRow, standardise_row, unmapped
from huodang.exchange.quality import (
    KEY_DUPLICATE,
    BadRow,
    Fault,
    QualityCount,
    QualityReport,
    Standardiser,
    StandardRow,
)
from huodang.standards import Place

CHECKPOINT_EVERY: Final = 20_000
_MOST_TWINS: Final = 1_000_000
_LONGEST_CELL: Final = 2_000

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS seen (mark BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bad (file INTEGER, row INTEGER, content TEXT, PRIMARY KEY (file, row)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (file INTEGER PRIMARY KEY, state TEXT NOT NULL);
"""


@dataclass(frozen=True)
class DataFile:
    """A file with data and how it is read."""

    path: Path
    format: FileFormat


@dataclass(frozen=True)
class FileCount:
    """What was read of one file.

    Attributes:
        rows: rows of data.
        skipped: records marked as deleted in the file itself, which are no rows.
    """

    name: str
    rows: int
    skipped: int


@dataclass(frozen=True)
class Inspected:
    """What was found.

    Attributes:
        quality: of all files together; without a mapping it counts rows and what their reader found.
        removed: rows of which a file of changes says that they are gone; part of the taken ones.
        outside: rows that the agreement doesn't cover.
    """

    files: tuple[FileCount, ...]
    quality: QualityReport
    removed: int
    outside: int


Progress = Callable[[str, int], None]


class Inspection:
    """One delivery being looked through.

    Args:
        database: the SQLite file of this inspection; an unfinished one is taken up again.
        files: what is read, in this order.
        mapping: how columns become elements; None to look at format and cells only.
        new_standardiser: makes a fresh standardiser for a mapping.
    """

    def __init__(
        self,
        database: Path,
        files: Sequence[DataFile],
        mapping: ReadMapping | None = None,
        new_standardiser: Callable[[], Standardiser] | None = None,
    ) -> None:
        self._path = database
        self._files = files
        self._mapping = mapping
        self._new_standardiser = new_standardiser
        self._database = sqlite3.connect(database, isolation_level=None)
        try:
            database.chmod(0o600)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.executescript(_TABLES)
        except (sqlite3.Error, OSError) as problem:
            self._database.close()
            raise cannot_write(database) from problem

    def run(self, progress: Progress = lambda _name, _rows: None) -> Inspected:
        """Look through what hasn't been looked through yet.

        Raises:
            FileFormatError: a file can't be read on.
            FileWriteError: the disk is full; what was found so far stays.
        """
        try:
            states = [self._file(number, file, progress) for number, file in enumerate(self._files)]
            twins = self._state(_TWINS) or self._collect_twins()
        except sqlite3.Error as problem:
            raise cannot_write(self._path) from problem
        return Inspected(
            files=tuple(
                FileCount(file.path.name, state["read"], state["skipped"])
                for file, state in zip(self._files, states, strict=True)
            ),
            quality=QualityReport.from_payload(_sum([*(state["quality"] for state in states), twins["quality"]])),
            removed=sum(state["removed"] for state in states),
            outside=sum(state["outside"] for state in states),
        )

    def twins(self) -> frozenset[str]:
        """Give the marks of keys that stand more than once: none of their rows is taken."""
        found = self._database.execute("SELECT mark FROM seen WHERE times > 1 LIMIT ?", (_MOST_TWINS,))
        return frozenset(mark.hex() for (mark,) in found)

    def bad_rows(self) -> Iterator[BadRow]:
        """Give the rows kept back, in the order of files and rows."""
        for file, row, content in self._database.execute("SELECT file, row, content FROM bad ORDER BY file, row"):
            kept = json.loads(content)
            yield BadRow(
                Place(file=self._files[file].path.name, row=row),
                None,
                tuple(_told(*fault) for fault in kept["faults"]),
                kept["cells"],
            )

    def close(self) -> None:
        """Let go of the SQLite file."""
        self._database.close()

    def _file(self, number: int, file: DataFile, progress: Progress) -> dict[str, Any]:
        state = self._state(number) or dict(_BEGINNING)
        if state["done"]:
            return state
        with read_rows(file.path, file.format, start=Position(state["row"], state["offset"])) as reader:
            skipped = state["skipped"]
            while True:
                standardiser = self._new_standardiser() if self._new_standardiser else None
                rows = list(islice(reader, CHECKPOINT_EVERY))
                marks, bad, removed = self._rows(rows, standardiser)
                quality = standardiser.report().to_payload() if standardiser else _plain_quality(len(rows), bad)
                state = {
                    "row": reader.position.row,
                    "offset": reader.position.offset,
                    "read": state["read"] + len(rows),
                    "skipped": skipped + reader.skipped,
                    "removed": state["removed"] + removed,
                    "outside": state["outside"] + (standardiser.outside if standardiser else 0),
                    "done": len(rows) < CHECKPOINT_EVERY,
                    "quality": _sum([state["quality"], quality]),
                }
                self._keep(number, marks, bad, state)
                progress(file.path.name, state["read"])
                if state["done"]:
                    return state

    def _rows(
        self, rows: Sequence[FileRow], standardiser: Standardiser | None
    ) -> tuple[list[bytes], list[BadRow], int]:
        marks: list[bytes] = []
        bad: list[BadRow] = []
        removed = 0
        for row in rows:
            if standardiser is None or self._mapping is None:
                broken = unmapped(row)
                if broken is not None:
                    bad.append(broken)
                continue
            made = standardise_row(row, standardiser, self._mapping)
            if isinstance(made, BadRow):
                bad.append(made)
            elif made is not None:
                removed += isinstance(made, RemovedRow)
                marks.append(bytes.fromhex((made.row if isinstance(made, RemovedRow) else made).mark))
        return marks, bad, removed

    def _keep(self, number: int, marks: Sequence[bytes], bad: Sequence[BadRow], state: dict[str, Any]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(
                "INSERT INTO seen VALUES (?, 1) ON CONFLICT (mark) DO UPDATE SET times = times + 1",
                ((mark,) for mark in sorted(marks)),
            )
            self._database.executemany(_KEEP_BAD, ((number, row.place.row, _content(row)) for row in bad))
            self._database.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (number, json.dumps(state)))
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise

    def _collect_twins(self) -> dict[str, Any]:
        """Read again where keys stand more than once, for the cells of all their rows."""
        quality = _EMPTY
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for number, bad, row in self._twin_rows(self.twins()):
                quality = _sum([quality, _twin_quality(bad, row)])
                self._database.execute(_KEEP_BAD, (number, bad.place.row, _content(bad)))
            state = {"quality": quality}
            self._database.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (_TWINS, json.dumps(state)))
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        return state

    def _twin_rows(self, twins: frozenset[str]) -> Iterator[tuple[int, BadRow, StandardRow]]:
        if not twins or self._mapping is None or self._new_standardiser is None:
            return
        standardiser, plan = self._new_standardiser(), self._mapping.plan
        column = next((column for column, name in plan.columns.items() if name == plan.key[0]), "")
        for number, file in enumerate(self._files):
            with read_rows(file.path, file.format) as reader:
                for row in reader:
                    made = standardise_row(row, standardiser, self._mapping)
                    standard = made.row if isinstance(made, RemovedRow) else made
                    if isinstance(standard, StandardRow) and standard.mark in twins:
                        fault = Fault(column, plan.key[0], KEY_DUPLICATE)
                        yield number, BadRow(row.place, standard.key, (fault,), row.cells), standard

    def _state(self, number: int) -> dict[str, Any] | None:
        found = self._database.execute("SELECT state FROM progress WHERE file = ?", (number,)).fetchone()
        return json.loads(found[0]) if found else None


def _content(row: BadRow) -> str:
    faults = [(one.column, one.element, one.reason, one.chinese, one.english) for one in row.faults]
    cells = {column: cell_text(cell)[:_LONGEST_CELL] for column, cell in row.cells.items()}
    return json.dumps({"faults": faults, "cells": cells}, ensure_ascii=True)


def _told(column: str, element: str, reason: str, chinese: str, english: str) -> Fault:
    return FileFault(column, element, reason, told_chinese=chinese, told_english=english)


def _plain_quality(rows: int, bad: Sequence[BadRow]) -> dict[str, Any]:
    count = QualityCount()
    for row in bad:
        count.bad(row)
    return _sum([count.report().to_payload(), {"rows": rows - len(bad), "taken": rows - len(bad)}])


def _twin_quality(bad: BadRow, row: StandardRow) -> dict[str, Any]:
    """What changes when a row that was counted as good turns out to have a twin."""
    count = QualityCount()
    count.bad(bad, counted=row.values)
    return count.report().to_payload()


def _sum(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for report in reports:
        for name, value in report.items():
            if isinstance(value, int):
                total[name] = total.get(name, 0) + value
            else:
                parts = total.setdefault(name, {})
                for key, number in value.items():
                    parts[key] = parts.get(key, 0) + number
    return total


_KEEP_BAD: Final = "INSERT OR REPLACE INTO bad VALUES (?, ?, ?)"
_TWINS: Final = -1
_EMPTY: Final[dict[str, Any]] = QualityReport().to_payload()
_BEGINNING: Final[dict[str, Any]] = {
    **dict.fromkeys(("row", "offset", "read", "skipped", "removed", "outside"), 0),
    "done": False,
    "quality": _EMPTY,
}
