"""Findings as people read them: the row as it stands in its file, masked unless a reason was given, and evidence."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from huodang.exchange.files import FileFormat, FileKind, cell_text, neutralise, write_rows
from huodang.supervision.check.request import Format, RuleResult
from huodang.supervision.rules import reason
from huodang.supervision.tables import Kind
from huodang.trust import MaskLevel, mask

_MASKED: Final = {"identity_number": "identity_number", "name": "name", "account": "bank_account"}
_ROW: Final = ("row", "file", "file_row", "identity_number", "name", "scheme", "month", "amount", "account", "region")
ALL_COLUMNS: Final = ("rule", "rule_chinese", "severity", *_ROW, "fen", "evidence")
"""The columns of the file of all findings; `row` counts from 0 in its kind, `file_row` from 1 in its file."""
_SHEET_ROWS: Final = 1_048_575

Cells = list[object]


class Shown:
    """The original texts of the rows found, masked or not, by kind of table."""

    def __init__(self, tables: Mapping[Kind, pa.Table], *, masked: bool) -> None:
        self._rows: dict[Kind, dict[int, Cells]] = {}
        self._people: dict[Kind, dict[int, str]] = {}
        for kind, table in tables.items():
            columns = {name: table[name].to_pylist() for name in table.column_names}
            self._people[kind] = {
                row: (text or "").strip().upper()
                for row, text in zip(columns["row"], columns["identity_number"], strict=True)
            }
            if masked:
                for name, element in _MASKED.items():
                    known: dict[str, str] = {}
                    columns[name] = [_masked(element, text, known) for text in columns[name]]
            self._rows[kind] = {row: list(cells) for row, *cells in zip(*(columns[name] for name in _ROW), strict=True)}

    def cells(self, kind: Kind, row: int) -> Cells:
        """Give what is shown of a row, after its number."""
        return self._rows[kind][row]

    def persons(self, result: RuleResult) -> int:
        """Count the different identity numbers among the rows found."""
        people = self._people.get(result.rule.about, {})
        return len({people[row] for row in result.found["row"].to_pylist()})


def rows_found(results: Sequence[RuleResult]) -> dict[Kind, pa.Array]:
    """Give all rows found, once each, by kind of table."""
    by_kind: dict[Kind, list[pa.ChunkedArray]] = {}
    for one in results:
        if one.count:
            by_kind.setdefault(one.rule.about, []).append(one.found["row"])
    return {
        kind: pc.unique(pa.concat_arrays([c for a in arrays for c in a.chunks])) for kind, arrays in by_kind.items()
    }


def write_findings(out: Path, results: Sequence[RuleResult], shown: Shown, formats: Sequence[Format]) -> None:
    """Write one file a rule and one of all findings, in each format."""
    for each in formats:
        for one in results:
            if one.state == "judged":
                # What the rule made of a column stands beside the text of the file under a name of its own.
                evidence = (f"judged_{name}" if name in _ROW else name for name in one.rule.evidence)
                columns = (*_ROW, "fen", *evidence)
                _write(out / f"{one.rule.code}.{each}", each, columns, _rule_rows(one, shown))
        _write(out / f"findings.{each}", each, ALL_COLUMNS, _all_rows(results, shown))
        _write(out / f"unknown.{each}", each, ("rule", "row", "reason", "chinese", "english"), _unknown_rows(results))


def _rule_rows(result: RuleResult, shown: Shown) -> Iterator[Cells]:
    for row, *rest in _tuples(result.found):
        yield [row, *shown.cells(result.rule.about, row), *rest]


def _all_rows(results: Sequence[RuleResult], shown: Shown) -> Iterator[Cells]:
    for one in results:
        names = one.rule.evidence
        for row, fen, *evidence in _tuples(one.found):
            told = "; ".join(
                f"{name}={cell_text(value)}" for name, value in zip(names, evidence, strict=True) if value is not None
            )
            cells = shown.cells(one.rule.about, row)
            yield [one.rule.code, one.rule.chinese, one.rule.severity.chinese, row, *cells, fen, told]


def _unknown_rows(results: Sequence[RuleResult]) -> Iterator[Cells]:
    for one in results:
        if one.unknown_rows is not None:
            for row, code in zip(
                one.unknown_rows["row"].to_pylist(), one.unknown_rows["reason"].to_pylist(), strict=True
            ):
                said = reason(str(code))
                yield [one.rule.code, row, code, said.chinese, said.english]


def _tuples(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches(max_chunksize=50_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _masked(element: str, text: str | None, known: dict[str, str]) -> str | None:
    if text is None:
        return None
    if text not in known:
        known[text] = mask(element, text.strip(), MaskLevel.PARTIAL)
    return known[text]


def _write(path: Path, kind: Format, columns: Sequence[str], rows: Iterator[Cells]) -> None:
    if kind == "csv":
        write_rows(path, FileFormat(kind=FileKind.CSV, columns=tuple(columns), encoding="utf-8"), rows)
    elif kind == "xlsx":
        _write_workbook(path, columns, rows)
    else:
        _write_parquet(path, columns, rows)


def _write_workbook(path: Path, columns: Sequence[str], rows: Iterator[Cells]) -> None:
    """Write a workbook; what is too long for one sheet goes on in the next."""
    part = path.with_name(f".{path.name}.part")
    workbook = xlsxwriter.Workbook(
        str(part), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    try:
        text, heading = workbook.add_format({"num_format": "@"}), workbook.add_format({"bold": True})
        sheet = _sheet(workbook, 1, columns, heading)
        for number, cells in enumerate(rows):
            if number and number % _SHEET_ROWS == 0:
                sheet = _sheet(workbook, number // _SHEET_ROWS + 1, columns, heading)
            for column, cell in enumerate(cells):
                if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) < 10**15:
                    sheet.write_number(number % _SHEET_ROWS + 1, column, cell)
                elif cell is not None:
                    sheet.write_string(number % _SHEET_ROWS + 1, column, neutralise(cell_text(cell)), text)
    finally:
        workbook.close()
    part.replace(path)


def _sheet(workbook: xlsxwriter.Workbook, number: int, columns: Sequence[str], heading: CellFormat) -> Worksheet:
    sheet = workbook.add_worksheet(f"疑点{number}")
    for column, name in enumerate(columns):
        sheet.write_string(0, column, name, heading)
    sheet.freeze_panes(1, 0)
    return sheet


def _write_parquet(path: Path, columns: Sequence[str], rows: Iterator[Cells]) -> None:
    whole = {"row", "file_row", "fen"}
    schema = pa.schema([(name, pa.int64() if name in whole else pa.string()) for name in columns])
    with pq.ParquetWriter(path, schema) as writer:
        batch: list[Cells] = []
        for cells in rows:
            batch.append(cells)
            if len(batch) == 50_000:
                writer.write_table(_arrow(batch, schema))
                batch = []
        writer.write_table(_arrow(batch, schema))


def _arrow(batch: Sequence[Cells], schema: pa.Schema) -> pa.Table:
    arrays = []
    for index, field in enumerate(schema):
        cells = [cells[index] for cells in batch]
        if field.type == pa.string():
            cells = [None if cell is None else cell_text(cell) for cell in cells]
        arrays.append(pa.array(cells, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
