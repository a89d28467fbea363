"""The prepared store: each kind as one Parquet file, packed and sorted by person, made once and read back after."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from huodang.standards import Month
from huodang.store import write_whole
from huodang.supervision.tables.errors import ChangedFileError
from huodang.supervision.tables.kinds import Kind
from huodang.supervision.tables.loading import Loaded, connect, load
from huodang.supervision.tables.original import originals
from huodang.supervision.tables.raw_files import Opened, Progress, digest_of, open_files, path_literal, quiet
from huodang.supervision.tables.understanding import Understanding

VERSION: Final = 2
"""Of the layout: a store of another version is made anew."""

_NOTES: Final = "prepared.json"


@dataclass(frozen=True)
class PrepareSettings:
    """How files are prepared.

    Attributes:
        month: the month of the payday at hand, where only one counts.
        months: payments of other months are left aside; none: all are taken.
        memory: what the database may use, as `4GB`.
        threads: how many; None: one a core.
        on: the day of the check; a birth date after it is a fault. None: not asked.
    """

    month: Month | None = None
    months: tuple[Month, ...] = ()
    memory: str = "4GB"
    threads: int | None = None
    on: date | None = None

    @property
    def codes(self) -> tuple[int, ...]:
        """The months as `YYYYMM`."""
        return tuple(sorted({int(str(month)) for month in (*self.months, *([self.month] if self.month else []))}))


@dataclass(frozen=True)
class Prepared:
    """A prepared store.

    Attributes:
        counts: rows by kind.
        quarantined: rows set aside, by kind and the code of the reason.
        digests: SHA-256 of every source file, by kind in the order they were given.
        other_months: payments left aside.
    """

    folder: Path
    understanding: Understanding
    counts: Mapping[Kind, int]
    quarantined: Mapping[Kind, Mapping[str, int]]
    digests: Mapping[Kind, tuple[str, ...]]
    other_months: int = 0
    memory: str = "4GB"
    _opened: dict[Kind, Opened] = field(default_factory=dict, repr=False, compare=False)

    def path(self, kind: Kind) -> Path | None:
        """Give the Parquet file of a kind; None where no file was given."""
        return self.folder / f"{kind}.parquet" if kind in self.counts else None

    @cached_property
    def digest(self) -> str:
        """One digest over all that was prepared."""
        named = {kind.value: list(digests) for kind, digests in self.digests.items()}
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()

    def original(self, kind: Kind, rows: Sequence[int]) -> pa.Table:
        """Read what findings show of some rows: `row`, `file`, `file_row` and the texts as they stand in the files.

        Raises:
            ChangedFileError: a file was changed after it was prepared.
        """
        with closing(connect(self.memory, None, self.folder / "spill")) as connection:
            if not self._opened:
                self._check_unchanged()
                self._opened.update(open_files(self.understanding, self.folder / "staging", connection))
            return originals(connection, self._opened[kind], rows)

    def _check_unchanged(self) -> None:
        for kind, digests in self.digests.items():
            for table, digest in zip(self.understanding.of(kind), digests, strict=True):
                if digest_of(table.path) != digest:
                    raise ChangedFileError(
                        f"文件在整理之后被改动：{table.file}",
                        f"the file was changed after it was prepared: {table.file}",
                        advice_chinese="请重新运行。",
                        advice_english="Run it anew.",
                    )


def prepare(
    understanding: Understanding,
    folder: Path,
    settings: PrepareSettings | None = None,
    progress: Progress = quiet,
) -> Prepared:
    """Make the prepared store of some files, or read it back where files and settings are as they were.

    Args:
        understanding: of `understand`, without problems.
        folder: where it goes; made if there is none.
        settings: how.
        progress: told each step.

    Raises:
        HuodangError: the first of the understanding's problems; or a file can't be read.
    """
    if understanding.problems:
        raise understanding.problems[0]
    settings = settings or PrepareSettings()
    folder.mkdir(parents=True, exist_ok=True)
    digests = {kind: tuple(digest_of(table.path) for table in understanding.of(kind)) for kind in understanding.kinds}
    key = _key(understanding, settings, digests)
    found = _read_back(folder, key)
    if found is None:
        loaded = _make(understanding, folder, settings, progress)
        found = {
            "key": key,
            "counts": {kind.value: one.rows for kind, one in loaded.items()},
            "quarantined": {kind.value: dict(one.quarantined) for kind, one in loaded.items()},
            "other_months": sum(one.other_months for one in loaded.values()),
        }
        write_whole(folder / _NOTES, json.dumps(found, ensure_ascii=False, indent=2).encode())
    return Prepared(
        folder,
        understanding,
        {Kind(kind): count for kind, count in found["counts"].items()},
        {Kind(kind): reasons for kind, reasons in found["quarantined"].items()},
        digests,
        found["other_months"],
        settings.memory,
    )


def _key(understanding: Understanding, settings: PrepareSettings, digests: Mapping[Kind, tuple[str, ...]]) -> str:
    columns = [
        [table.kind, [[one.header, one.canonical, one.unit, one.value] for one in table.columns]]
        for table in understanding.tables
    ]
    told = {
        "version": VERSION,
        "duckdb": duckdb.__version__,
        "digests": {kind.value: list(found) for kind, found in digests.items()},
        "columns": columns,
        "formats": [msgspec.to_builtins(table.format) for table in understanding.tables],
        "months": settings.codes,
        "on": str(settings.on),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _read_back(folder: Path, key: str) -> dict[str, Any] | None:
    notes = folder / _NOTES
    if not notes.exists():
        return None
    told: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
    whole = all((folder / f"{kind}.parquet").exists() for kind in told["counts"])
    return told if told["key"] == key and whole else None


def _make(
    understanding: Understanding, folder: Path, settings: PrepareSettings, progress: Progress
) -> dict[Kind, Loaded]:
    quarantine = folder / "quarantine"
    shutil.rmtree(quarantine, ignore_errors=True)
    quarantine.mkdir()
    (folder / _NOTES).unlink(missing_ok=True)
    loaded: dict[Kind, Loaded] = {}
    with closing(connect(settings.memory, settings.threads, folder / "spill")) as connection:
        for kind, opened in open_files(understanding, folder / "staging", connection, progress).items():
            loaded[kind] = load(
                connection, kind, opened, quarantine, months=settings.codes, on=settings.on, progress=progress
            )
            target = path_literal(folder / f"{kind}.parquet")
            connection.execute(f"COPY (SELECT * FROM {kind} ORDER BY person, row) TO {target} (FORMAT parquet)")
            connection.execute(f"DROP TABLE {kind}")
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return loaded
