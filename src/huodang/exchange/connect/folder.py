"""Looking at a folder of files as a source: every kind that `exchange.files` reads, grouped as deliveries."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from huodang.exchange.connect.errors import ConnectError
from huodang.exchange.connect.facts import ColumnFacts, ColumnKind, SourceFacts, TableFacts
from huodang.exchange.connect.reading import SAMPLE_ROWS, Progress
from huodang.exchange.connect.said import Said
from huodang.exchange.files import FileError, FileKind, read_rows
from huodang.standards import Place

_ENDINGS: Final = frozenset({".csv", ".txt", ".tsv", ".xlsx", ".xls", ".dbf", ".parquet", ".jsonl", ".ndjson"})
_DIGITS: Final = re.compile(r"[0-9]{4,}")
_COUNTED_BYTES: Final = 64 * 1024 * 1024


def read_folder(folder: Path, *, only: Sequence[str] = (), progress: Progress) -> SourceFacts:
    """Look at the newest file of each delivery in a folder.

    Args:
        folder: of files; names that differ in runs of digits only are one delivery, the last by name counts.
        only: patterns as they are proposed, such as `custody_*.csv`; empty for all.
        progress: told at each delivery.

    Raises:
        ConnectError: there is no such folder, or no file in it that can be read.
    """
    if not folder.is_dir():
        raise ConnectError("没有这个文件夹", "there is no such folder", place=Place(file=str(folder)))
    newest: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix.lower() in _ENDINGS:
            newest[_DIGITS.sub("*", path.name)] = path
    if only:
        newest = {pattern: path for pattern, path in newest.items() if pattern in only or path.name in only}
    if not newest:
        raise ConnectError(
            "文件夹中没有可识别的文件",
            "the folder holds no file of a known kind",
            advice_chinese=f"可识别：{'、'.join(sorted(_ENDINGS))}。",
            advice_english=f"Known kinds: {', '.join(sorted(_ENDINGS))}.",
            place=Place(file=str(folder)),
        )
    found = []
    for number, (pattern, path) in enumerate(newest.items()):
        progress(pattern, number, len(newest))
        found.append(_file(pattern, path))
    progress("", len(newest), len(newest))
    return SourceFacts(str(folder), "files", tuple(found))


def _file(pattern: str, path: Path) -> TableFacts:
    try:
        with read_rows(path) as reader:
            rows = list(islice(reader, SAMPLE_ROWS))
            rest = 0
            small = path.stat().st_size <= _COUNTED_BYTES
            if small:
                rest = sum(1 for _ in reader)
            file_format = reader.format
    except FileError as problem:
        return TableFacts(pattern, (), problem=Said(problem.sentence("zh"), problem.sentence("en")))
    except OSError:
        return TableFacts(pattern, (), problem=Said("文件读不了", "the file can't be read"))
    columns = tuple(ColumnFacts(name, ColumnKind.TEXT) for name in file_format.columns)
    remarks = []
    if file_format.kind is not FileKind.CSV:
        remarks.append(
            Said(
                f"{file_format.kind.value} 文件不能由前置机直接核验，请用文件交换投递或另存为 CSV",
                f"a gateway answers from CSV only: deliver {file_format.kind.value} files through the file exchange",
            )
        )
    count = len(rows) + rest
    return TableFacts(
        pattern,
        columns,
        rows=count if small else None,
        exact=small,
        sample=[row.cells for row in rows],
        whole=small and not rest,
        remarks=tuple(remarks),
        file_format=file_format,
    )
