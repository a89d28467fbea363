"""Files as DuckDB can query them: Parquet as it stands, everything else staged as Parquet of texts, once.

Regular CSV in UTF-8 is read by DuckDB itself; what it refuses, and every other format, by `exchange.files`, whose
reader names each broken row. A staged file is named by the digest of its source, and used again when that is unchanged.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from huodang.exchange.files import FileFormat, FileKind, FileRow, cell_text, detect, read_rows
from huodang.supervision.tables.kinds import Kind
from huodang.supervision.tables.reasons import Reason
from huodang.supervision.tables.selecting import RawFile
from huodang.supervision.tables.text_files import write_utf8
from huodang.supervision.tables.understanding import Understanding, UnderstoodTable

Progress = Callable[[str, int, int | None], None]
"""Told the step, what is done of it and how much there is, where that is known."""

_BATCH: Final = 50_000
_TEXT_REASONS: Final = {"ragged": Reason.RAGGED, "quotation": Reason.QUOTATION}


def quiet(_step: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Refused:
    """A row that a reader couldn't take: its place in the file and why."""

    row: int
    reason: Reason


@dataclass(frozen=True)
class Opened:
    """The files of one kind, with what their readers refused, by file."""

    files: tuple[RawFile, ...]
    refused: tuple[tuple[Refused, ...], ...]


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_literal(path: Path) -> str:
    """Write a path as a literal of SQL in which no sign is a pattern."""
    text = str(path).translate({ord(sign): f"[{sign}]" for sign in "*?["})
    return "'" + text.replace("'", "''") + "'"


def open_files(
    understanding: Understanding,
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    progress: Progress = quiet,
) -> dict[Kind, Opened]:
    """Make every file queryable.

    Args:
        understanding: the files.
        folder: where staged copies go.
        connection: the database that will query them.
        progress: told the rows staged.

    Raises:
        FileFormatError: a file can't be read.
    """
    opened: dict[Kind, Opened] = {}
    for kind in understanding.kinds:
        files: list[RawFile] = []
        refused: list[tuple[Refused, ...]] = []
        offset = 0
        for table in understanding.of(kind):
            path, first_row, broken = _parquet(table, folder, connection, progress)
            scan = f"read_parquet({path_literal(path)}, file_row_number = true)"
            described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
            rows = pq.read_metadata(path).num_rows
            files.append(RawFile(table, scan, {one[0]: one[1] for one in described}, offset, rows, first_row))
            refused.append(broken)
            offset += rows
        opened[kind] = Opened(tuple(files), tuple(refused))
    return opened


def _parquet(
    table: UnderstoodTable, folder: Path, connection: duckdb.DuckDBPyConnection, progress: Progress
) -> tuple[Path, int | None, tuple[Refused, ...]]:
    if table.format.kind is FileKind.PARQUET:
        return table.path, 1, ()
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps([digest_of(table.path), msgspec.to_builtins(table.format), table.encoding])
    name = f"{table.kind}-{hashlib.sha256(described.encode()).hexdigest()[:20]}"
    staged, notes = folder / f"{name}.parquet", folder / f"{name}.json"
    if not notes.exists():
        first_row, broken = _stage(table, staged, connection, progress)
        notes.write_text(json.dumps({"first_row": first_row, "refused": [[one.row, one.reason] for one in broken]}))
    told = json.loads(notes.read_text())
    return staged, told["first_row"], tuple(Refused(row, Reason(reason)) for row, reason in told["refused"])


def _stage(
    table: UnderstoodTable, staged: Path, connection: duckdb.DuckDBPyConnection, progress: Progress
) -> tuple[int | None, list[Refused]]:
    source, file_format = table.path, table.format
    if file_format.kind is FileKind.CSV:
        if table.encoding != "utf-8":
            source = _recoded(table, staged, progress)
            file_format = msgspec.structs.replace(file_format, encoding="utf-8")
        try:
            _stage_quickly(source, file_format, staged, connection)
        except duckdb.Error:
            broken = _stage_row_by_row(source, file_format, staged, table, progress)
        else:
            return file_format.first_data_row, []
        finally:
            if source is not table.path:
                source.unlink(missing_ok=True)
        return None, broken
    return None, _stage_row_by_row(source, detect(source, file_format).format, staged, table, progress)


def _recoded(table: UnderstoodTable, staged: Path, progress: Progress) -> Path:
    target, size = staged.with_suffix(".utf8"), table.path.stat().st_size
    write_utf8(table.path, target, table.encoding, lambda done: progress(f"转码 / recoding {table.file}", done, size))
    return target


def _stage_quickly(source: Path, file_format: FileFormat, staged: Path, connection: duckdb.DuckDBPyConnection) -> None:
    names = ", ".join(f"{_text(column)}: 'VARCHAR'" for column in file_format.columns)
    connection.execute(
        f"COPY (SELECT * FROM read_csv({path_literal(source)}, delim = {_text(file_format.delimiter or ',')}, "
        f"quote = '\"', escape = '\"', header = false, skip = {file_format.first_data_row - 1}, "
        f"columns = {{{names}}}, auto_detect = false, null_padding = false, strict_mode = true)) "
        f"TO {path_literal(staged)} (FORMAT parquet)"
    )


def _stage_row_by_row(
    source: Path, file_format: FileFormat, staged: Path, table: UnderstoodTable, progress: Progress
) -> list[Refused]:
    columns = file_format.columns
    schema = pa.schema([*((column, pa.string()) for column in columns), ("row_", pa.int64())])
    refused: list[Refused] = []
    total = table.rows
    done = 0
    with read_rows(source, file_format) as reader, pq.ParquetWriter(staged, schema) as writer:
        for batch in _batches(reader):
            good = [row for row in batch if not _note(row, refused)]
            arrays = [pa.array([_cell(row.cells.get(column)) for row in good], pa.string()) for column in columns]
            arrays.append(pa.array([row.place.row for row in good], pa.int64()))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            done += len(batch)
            progress(f"读取 / reading {table.file}", done, total)
    return refused


def _note(row: FileRow, refused: list[Refused]) -> bool:
    """Note a row that is broken as a whole; a cell that lost its digits is judged by what it means."""
    whole = next((one for one in row.problems if not one.column), None)
    if whole is None:
        return False
    bytes_ = Reason.WRONG_BYTES if "encod" in whole.reason or "character" in whole.reason else Reason.UNREADABLE_ROW
    refused.append(Refused(row.place.row or 0, _TEXT_REASONS.get(whole.reason, bytes_)))
    return True


def _cell(value: object) -> str | None:
    text = cell_text(value)
    return text.encode("utf-8", errors="replace").decode("utf-8") if text else None


def _batches(rows: Iterator[FileRow]) -> Iterator[list[FileRow]]:
    batch: list[FileRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def write_refused(path: Path, heading: Sequence[str], lines: Iterator[Mapping[str, object]]) -> None:
    """Write a CSV of quarantined rows."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, heading)
        writer.writeheader()
        writer.writerows(lines)
