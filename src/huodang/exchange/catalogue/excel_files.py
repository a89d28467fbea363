"""Catalogue files as Excel: Chinese headings, one row an information item, what belongs to the entry repeated."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

import python_calamine
import xlsxwriter

from huodang.exchange.catalogue.entries import CatalogueEntry, one_line
from huodang.exchange.catalogue.fields import Field, catalogue_fields, headings, words
from huodang.exchange.catalogue.sheet import Cell, RawEntry, to_sheet
from huodang.exchange.catalogue.tree_files import Found
from huodang.exchange.errors import CatalogueError
from huodang.standards import Place

_NEEDED: Final = ("title", "abstract", "element", "sharing", "update_cycle")
_HEADING_WITHIN: Final = 12
"""Rows in which the headings must stand: files from elsewhere have a title and remarks above them."""
_FEWEST_HEADINGS: Final = 4
_LARGEST_UNPACKED: Final = 256 * 1024 * 1024
_MOST_CELLS: Final = 8_000_000
_SHEET: Final = re.compile(r"xl/.+\.xml", re.IGNORECASE)
_CELL_REFERENCE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,4})(\d{1,9})[\"']")
_ROW_REFERENCE: Final = re.compile(rb"\br\s*=\s*[\"'](\d{1,9})[\"']")
_EXACT_INTEGER: Final = 10**15
_ORIGINS: Final = {"core": "国家目录核心元数据", "extension": "本平台扩展"}
_VALUES: Final = {"source": "取值已核", "unverified": "取值待核", "platform": "本平台取值"}


def write_excel(entries: Iterable[CatalogueEntry]) -> bytes:
    """Write entries as an Excel workbook; a second sheet says what each column is and where its values come from."""
    fields = list(catalogue_fields().values())
    buffer = io.BytesIO()
    # The date of making is fixed, so that the same entries give the same file.
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": "共享目录", "created": datetime(2000, 1, 1, tzinfo=UTC)})
        heading = workbook.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True})
        sheet = workbook.add_worksheet("共享目录")
        for column, one in enumerate(fields):
            sheet.write_string(0, column, one.chinese, heading)
            sheet.set_column(column, column, 30 if one.field in {"abstract", "title", "condition"} else 15)
        row = 0
        for entry in entries:
            texts = to_sheet(entry)
            for item in texts.items:
                row += 1
                for column, one in enumerate(fields):
                    # Always as text: nothing is a formula, and no code loses its zeros.
                    sheet.write_string(row, column, (item if one.of == "item" else texts.fields)[one.field])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(row, 1), len(fields) - 1)
        explained = workbook.add_worksheet("说明")
        for column, text in enumerate(("列", "英文", "来源", "取值核对", "可填的值")):
            explained.write_string(0, column, text, heading)
        explained.set_column(0, 4, 24)
        for number, one in enumerate(fields, start=1):
            allowed = "；".join(word.written for word in words(one.field))
            cells = (one.chinese, one.english, _ORIGINS[one.origin], _VALUES[one.values], allowed)
            for column, text in enumerate(cells):
                explained.write_string(number, column, text)
    return buffer.getvalue()


def read_excel(data: bytes, file: str) -> Found:
    """Read an Excel file of entries: columns in any order, headings in one row or two, merged cells.

    Raises:
        CatalogueError: it can't be read as Excel, has no headings that mean a catalogue, or a heading twice.
    """
    _check_size(data, file)
    try:
        workbook = python_calamine.CalamineWorkbook.from_object(io.BytesIO(data))
        sheets = [
            (name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in workbook.sheet_names
        ]
    except (python_calamine.CalamineError, OSError, ValueError) as problem:
        raise _unusable(
            "不是可读的 Excel 文件（或有密码）", "it isn't a readable Excel file, or has a password", file
        ) from problem
    for name, rows in sheets:
        columns = _columns(rows, file)
        if columns is not None:
            first, by_column, ignored = columns
            found = Found(ignored=dict.fromkeys(ignored))
            _read_rows(rows, first, by_column, Place(file=f"{file} [{name}]"), found)
            return found
    raise _unusable("找不到表头“信息资源名称”等列", "no row of headings such as 信息资源名称 was found", file)


def _columns(rows: Sequence[Sequence[object]], file: str) -> tuple[int, dict[int, Field], list[str]] | None:
    """Find the headings: first row of data, fields by column, headings that mean nothing here."""
    known = headings()
    best: tuple[int, int] | None = None
    for number, row in enumerate(rows[:_HEADING_WITHIN]):
        count = sum(1 for cell in row if _heading(cell) in known)
        if count >= _FEWEST_HEADINGS and (best is None or count > best[0]):
            best = (count, number)
    if best is None:
        return None
    number = best[1]
    # Groups such as 共享属性 stand in a row of their own, over or under the row with most of the headings.
    below = number + 1 < len(rows) and sum(1 for cell in rows[number + 1] if _heading(cell) in known) > 0
    above = rows[number - 1] if number else []
    lower = rows[number + 1] if below else []
    by_column: dict[int, Field] = {}
    ignored: list[str] = []
    for column in range(max(len(row) for row in (rows[number], lower, above))):
        told = [_heading(row[column]) for row in (lower, rows[number], above) if column < len(row)]
        name = next((known[one] for one in told if one in known), None)
        if name is None:
            ignored += [one for one in told[:2] if one][:1]
        elif any(field.field == name for field in by_column.values()):
            raise _unusable(f"列“{catalogue_fields()[name].chinese}”重复", f"column {name} stands twice", file)
        else:
            by_column[column] = catalogue_fields()[name]
    missing = [catalogue_fields()[one].chinese for one in _NEEDED if one not in {f.field for f in by_column.values()}]
    if missing:
        raise _unusable(f"缺少列：{'、'.join(missing)}", f"columns are missing: {', '.join(missing)}", file)
    return number + 1 + int(below), by_column, ignored


def _heading(cell: object) -> str:
    return "".join(str(cell).split()).rstrip("*＊") if isinstance(cell, str) else ""


def _read_rows(
    rows: Sequence[Sequence[object]], first: int, columns: dict[int, Field], outer: Place, found: Found
) -> None:
    current: RawEntry | None = None
    for number, row in enumerate(rows[first:], start=first + 1):
        place = Place(file=outer.file, row=number)
        cells = {
            field.field: Cell(_text(row[column], place, field), Place(outer.file, number, field.chinese))
            for column, field in columns.items()
            if column < len(row)
        }
        if not any(one_line(cell.text) for cell in cells.values()):
            continue
        told = {name: cell for name, cell in cells.items() if catalogue_fields()[name].of == "entry"}
        if current is None or _begins(current, told):
            current = RawEntry(place, told)
            found.entries.append(current)
        else:
            _check_repeated(current, told)
        item = {name: cell for name, cell in cells.items() if catalogue_fields()[name].of == "item"}
        if any(one_line(cell.text) for cell in item.values()):
            current.items.append(item)


def _begins(current: RawEntry, told: dict[str, Cell]) -> bool:
    """Whether a row begins another entry: it names a resource, code or name that isn't the one above."""
    for name in ("resource", "code", "title"):
        here = one_line(told[name].text) if name in told else ""
        above = one_line(current.fields[name].text) if name in current.fields else ""
        if here and above:
            return here != above
        if here and not above and name != "code":
            return True
    return False


def _check_repeated(current: RawEntry, told: dict[str, Cell]) -> None:
    """Refuse a row that says something else of the same entry than its first row."""
    for name, cell in told.items():
        text = one_line(cell.text)
        if text and text != one_line(current.fields[name].text):
            raise CatalogueError(
                "同一资源的各行在这一列不一致",
                "the rows of one resource differ in this column",
                advice_chinese="同一资源的公共列请填相同的值，或只填首行。",
                advice_english="Repeat the same value, or fill the first row only.",
                place=cell.place,
            )


def _text(value: object, place: Place, field: Field) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float | int):
        if abs(value) >= _EXACT_INTEGER:
            raise CatalogueError(
                "长数字被 Excel 存成了数值，末位已不可靠",
                "a long number was stored as a number; its last digits can't be relied on",
                advice_chinese="请把该列设为文本后重新填写。",
                advice_english="Format the column as text and enter it again.",
                place=place.within(Place(column=field.chinese)),
            )
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _check_size(data: bytes, file: str) -> None:
    """Refuse a workbook that unpacks to much more than a catalogue ever needs, or whose sheets span as much.

    The reader keeps room for every cell between the first and the last one: a workbook of a few kilobytes with one cell
    far out would take all memory. The older .xls can't span more than it can hold.
    """
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return  # .xls, or nothing that Excel knows: the reader says so
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > _LARGEST_UNPACKED:
                raise _unusable("Excel 文件解开后过大", "the Excel file unpacks to too much", file)
            sheets = [name for name in packed.namelist() if _SHEET.fullmatch(name)]
            spans = [_cells_spanned(packed.read(name)) for name in sheets]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as problem:
        raise _unusable(
            "Excel 文件已损坏，或者有密码", "the Excel file is damaged, or has a password", file
        ) from problem
    if not sheets or max(spans) > _MOST_CELLS:
        raise _unusable(
            "不是 Excel 工作簿，或者有单元格远在表格之外", "it isn't a workbook, or a cell stands far out", file
        )


def _cells_spanned(sheet: bytes) -> int:
    columns = {match.group(1) for match in _CELL_REFERENCE.finditer(sheet)}
    rows = [int(match.group(1)) for match in _ROW_REFERENCE.finditer(sheet)]
    rows += [int(match.group(2)) for match in _CELL_REFERENCE.finditer(sheet)]
    return max(rows, default=0) * max((_column_number(one) for one in columns), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _unusable(chinese: str, english: str, file: str) -> CatalogueError:
    return CatalogueError(
        chinese,
        english,
        advice_chinese="表头见 docs/catalogue.md；先导出一份作样本。",
        advice_english="See docs/catalogue.md for the headings; export one as a sample first.",
        place=Place(file=file),
    )
