"""Looking at one file, and writing it as another: plain tools that need no platform."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from huodang.exchange.files.cells import cell_text
from huodang.exchange.files.detection import detect
from huodang.exchange.files.errors import FileMappingError, FileWriteError
from huodang.exchange.files.formats import FileFormat, Remark
from huodang.exchange.files.inspection import DataFile, Inspection, Progress
from huodang.exchange.files.mapping import ReadMapping
from huodang.exchange.files.reading import RowReader, read_rows
from huodang.exchange.files.standardising import unmapped
from huodang.exchange.files.writers import WRITTEN, write_rows
from huodang.exchange.quality import write_quarantine
from huodang.standards import Place
from huodang.trust import MaskLevel, mask

_TOLD_EVERY: Final = 10_000
_LONGEST_SHOWN: Final = 12
_ENDINGS: Final = {f".{kind.value}": kind for kind in WRITTEN}


@dataclass(frozen=True)
class Look:
    """What a file is.

    Attributes:
        skipped: records marked as deleted.
        at_fault: rows that can't be taken as they stand, whatever they mean.
        reasons: how many faults of each reason, as in `QualityReport.by_reason`.
        filled: by column, in how many rows something stands.
        shown: the first rows, masked, each with its number.
    """

    format: FileFormat
    remarks: tuple[Remark, ...]
    rows: int
    skipped: int
    at_fault: int
    reasons: Mapping[str, int]
    filled: Mapping[str, int]
    shown: tuple[tuple[int, Mapping[str, str]], ...]

    def to_payload(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {
            "format": msgspec.to_builtins(self.format),
            "remarks": [{"code": one.code, "chinese": one.chinese, "english": one.english} for one in self.remarks],
            "rows": self.rows,
            "skipped": self.skipped,
            "at_fault": self.at_fault,
            "reasons": dict(self.reasons),
            "filled": dict(self.filled),
            "shown": [{"row": row, "cells": dict(cells)} for row, cells in self.shown],
        }


@dataclass(frozen=True)
class Converted:
    """What a conversion did; `quarantine` is the file of the rows that weren't carried over, if there are any."""

    written: int
    quarantined: int
    quarantine: Path | None


def look_at(
    path: Path,
    file_format: FileFormat | None = None,
    *,
    mapping: ReadMapping | None = None,
    shown: int = 5,
    progress: Progress = lambda _name, _rows: None,
) -> Look:
    """Read a file through and tell what it is.

    Args:
        path: the file.
        file_format: how it is read, where that can't be found from it.
        mapping: names the elements, so that each is masked by its own rule; without it every text is cut short.
        shown: how many rows are shown.
        progress: told the file's name and the rows read so far.

    Raises:
        FileFormatError: it can't be read.
    """
    found = detect(path, file_format)
    filled: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    first: list[tuple[int, Mapping[str, str]]] = []
    count = at_fault = 0
    elements = mapping.plan.columns if mapping else {}
    with read_rows(path, found.format) as reader:
        for count, row in enumerate(reader, start=1):
            at_fault += bool(row.problems)
            reasons.update(f"{one.reason}||{one.column}" for one in row.problems)
            filled.update(column for column, cell in row.cells.items() if cell not in (None, ""))
            if len(first) < shown:
                cells = {column: _masked(cell_text(cell), elements.get(column)) for column, cell in row.cells.items()}
                first.append((row.place.row or 0, cells))
            if count % _TOLD_EVERY == 0:
                progress(path.name, count)
        skipped = reader.skipped
    return Look(found.format, found.remarks, count, skipped, at_fault, reasons, filled, tuple(first))


def convert(
    source: Path,
    target: Path,
    *,
    encoding: str = "utf-8",
    file_format: FileFormat | None = None,
    quarantine: Path,
    progress: Progress = lambda _name, _rows: None,
) -> Converted:
    """Write a file in another format, chosen by the target's ending.

    Args:
        source: the file.
        target: what is written; whole or not at all.
        encoding: of CSV, `utf-8` or `gb18030`.
        file_format: how the source is read, where that can't be found from it.
        quarantine: where rows are written that can't be carried over faithfully; only if there are any.
        progress: told the source's name and the rows read so far.

    Raises:
        FileFormatError: the source can't be read.
        FileWriteError: the ending or encoding isn't written, or the disk is full.
    """
    kind = _ENDINGS.get(target.suffix.lower())
    if kind is None or encoding not in ("utf-8", "gb18030"):
        raise FileWriteError(
            "kind_not_written",
            "目标应为 .csv、.xlsx、.jsonl 或 .parquet，编码应为 utf-8 或 gb18030",
            "the target is .csv, .xlsx, .jsonl or .parquet, the encoding utf-8 or gb18030",
            place=Place(file=target.name),
        )
    found = detect(source, file_format).format
    with tempfile.TemporaryDirectory(prefix="huodang-convert-") as folder:
        inspection = Inspection(Path(folder) / "inspection.db", [DataFile(source, found)])
        try:
            kept_back = inspection.run(progress).quality.quarantined
            if kept_back:
                write_quarantine(quarantine, inspection.bad_rows())
        finally:
            inspection.close()
    wanted = FileFormat(
        kind=kind, encoding="gb18030" if encoding == "gb18030" else "utf-8", columns=found.columns, delimiter=","
    )
    with read_rows(source, found) as reader:
        written = write_rows(target, wanted, _good(reader, found.columns))
    return Converted(written, kept_back, quarantine if kept_back else None)


def read_format(path: Path) -> FileFormat:
    """Read how a file is read from a YAML file of its own.

    Raises:
        FileMappingError: it can't be read or isn't shaped as `docs/files.md` says.
    """
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), FileFormat)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError, msgspec.ValidationError) as problem:
        told = f"：{problem}" if isinstance(problem, msgspec.ValidationError) else ""
        raise FileMappingError(
            "format",
            f"格式说明无法读取或不符合格式{told}",
            f"the description of the format can't be read or isn't shaped as it must be{told}",
            advice_chinese="写法见 docs/files.md。",
            advice_english="See docs/files.md.",
            place=Place(file=path.name),
        ) from None


def _good(reader: RowReader, columns: tuple[str, ...]) -> Iterator[list[object]]:
    for row in reader:
        if unmapped(row) is None:
            yield [row.cells.get(column) for column in columns]


def _masked(text: str, element: str | None) -> str:
    """Show a cell by its element's rule; where the element isn't known, its first sign and how long it is."""
    if element is not None:
        return mask(element, text, MaskLevel.PARTIAL)
    return text[:1] + "*" * min(len(text) - 1, _LONGEST_SHOWN)
