"""What a querier writes down: the rows of its own file that the other side has too, or how many there are."""

import csv
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from huodang.exchange.matching.errors import MatchFileError
from huodang.exchange.matching.querying import MatchResult
from huodang.exchange.matching.tables import Table
from huodang.exchange.matching.values import ValueSet, plain_text
from huodang.standards import IdentityNumber, Place


def write_members(
    table: Table, values: ValueSet, result: MatchResult, out: Path, *, values_only: str = "", encoding: str = "utf-8"
) -> int:
    """Write the first row of each value of the overlap, in the order of the own file, as CSV; whole or not at all.

    Args:
        table: the own file.
        values: its distinct values.
        result: what was learnt.
        out: the file; what stood there is replaced only when all is written.
        values_only: a column, to write it alone; empty for all columns.
        encoding: of the file.

    Returns:
        The rows written.

    Raises:
        MatchFileError: the file can't be written, or the own file was changed in the meantime.
    """
    assert result.members is not None  # noqa: S101  (who asked for the size only has no members to write)
    wanted = np.sort(values.rows[result.members])
    at = table.position(values_only) if values_only else None
    written = 0
    with _whole(out, encoding) as writer:
        writer.writerow([table.columns[at]] if at is not None else [_neutral(name) for name in table.columns])
        upcoming = iter(wanted.tolist())
        following = next(upcoming, None)
        for number, row in enumerate(table.rows()):
            if following is None:
                break
            if number == following:
                cells = row if at is None else [row[at]]
                writer.writerow([_neutral(plain_text(cell)) for cell in cells])
                written += 1
                following = next(upcoming, None)
        if written != len(wanted):
            raise MatchFileError(
                "文件在比对过程中被改动", "the file was changed during the match", place=Place(file=table.path.name)
            )
    return written


def write_size(result: MatchResult, out: Path, *, encoding: str = "utf-8") -> None:
    """Write the sizes alone, as CSV.

    Raises:
        MatchFileError: the file can't be written.
    """
    with _whole(out, encoding) as writer:
        writer.writerow(["overlap", "queried", "held"])
        writer.writerow([result.overlap, result.queried, result.held])


def write_persons(members: Sequence[IdentityNumber], out: Path) -> None:
    """Write who is in an overlap as CSV, readable by its owner alone; whole or not at all.

    Raises:
        MatchFileError: the file can't be written.
    """
    with _whole(out, "utf-8") as writer:
        writer.writerow(["identity_number"])
        writer.writerows([one.text] for one in members)


def check_out(out: Path) -> None:
    """See before the work whether a result can be written.

    Raises:
        MatchFileError: the folder isn't there, or the name is a folder's.
    """
    if out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise MatchFileError(
            "结果文件无法写入",
            "the result can't be written there",
            advice_chinese="请核对 --out 的文件夹是否存在、是否可写。",
            advice_english="See whether the folder of --out exists and may be written to.",
            place=Place(file=out.name),
        )


@contextmanager
def _whole(out: Path, encoding: str) -> Iterator[Any]:
    """Write beside the file and rename at the end: half an answer never stands there."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
            yield csv.writer(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except (OSError, UnicodeEncodeError) as problem:
        Path(name).unlink(missing_ok=True)
        raise MatchFileError(
            f"结果文件无法写入（{type(problem).__name__}）",
            f"the result can't be written ({type(problem).__name__})",
            place=Place(file=out.name),
        ) from None
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _neutral(text: str | None) -> str:
    """Keep a spreadsheet from taking a cell for a formula."""
    # Only now: the gateway's file reads this room's section before all of the exchange stands.
    from huodang.exchange.files import neutralise  # noqa: PLC0415

    return neutralise(text) if text else ""
