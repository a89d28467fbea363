"""Pages of a lot and rows kept back, as a gateway stores them: sealed, found again by lot and number."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from huodang.exchange.quality import BadRow, Fault
from huodang.standards import Place
from huodang.trust import FieldSealer, sha256

PAGE: Final = "lot_page"
QUARANTINED: Final = "lot_quarantine"
_READ_AT_ONCE: Final = 50_000


class Page(msgspec.Struct, frozen=True):
    """A page as it travels: marks and contents of rows put, in the same order, and marks of rows removed."""

    marks: list[str]
    rows: list[msgspec.Raw]
    removed: list[str]


def page_binding(lot_id: str, number: int) -> str:
    """Name what a sealed page is bound to."""
    return f"{lot_id}:{number}"


def write_page(connection: sqlite3.Connection, sealer: FieldSealer, lot_id: str, number: int, page: Page) -> None:
    """Write a page, sealed, with the digest by which the hub knows it."""
    text = msgspec.json.encode(page)
    sealed = sealer.seal(PAGE, text.decode(), page_binding(lot_id, number))
    connection.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)", (lot_id, number, sealed, sha256(text).hex()))


def in_order(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, bytes]]:
    """Give marks and digests of a table of marks, in the order of the marks."""
    rows = connection.execute(f"SELECT mark, digest FROM {table} ORDER BY mark")  # noqa: S608  (a number)
    while portion := rows.fetchmany(_READ_AT_ONCE):
        for mark, digest in portion:
            yield mark.hex(), digest


def bad_row_to_text(row: BadRow) -> str:
    """Write a quarantined row as JSON; cells as the driver shows them."""
    return json.dumps(
        {
            "file": row.place.file,
            "row": row.place.row,
            "faults": [[fault.column, fault.element, fault.reason] for fault in row.faults],
            "cells": {column: _cell(cell) for column, cell in row.cells.items()},
        },
        ensure_ascii=False,
    )


def bad_row_from_text(text: str) -> BadRow:
    """Read what `bad_row_to_text` wrote."""
    told = json.loads(text)
    faults = tuple(Fault(*one) for one in told["faults"])
    return BadRow(Place(told["file"], told["row"]), None, faults, told["cells"])


def _cell(cell: object) -> str | None:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="backslashreplace")
    return None if cell is None else str(cell)
