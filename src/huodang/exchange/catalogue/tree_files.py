"""Catalogue files as JSON and XML: one object an entry, its fields as texts, its information items within.

The names of fields are ours (`data/catalogue_fields.yaml`), in XML with their Chinese heading beside; no schema of a
national platform is claimed, as none could be read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import msgspec

from huodang.exchange.catalogue.entries import CatalogueEntry
from huodang.exchange.catalogue.fields import SEPARATOR, catalogue_fields
from huodang.exchange.catalogue.sheet import Cell, RawEntry, to_sheet
from huodang.exchange.errors import CatalogueError
from huodang.standards import HuodangError, Place, TextEncoding, decode_text
from huodang.trust import parse_strict

FORMAT_NAME: Final = "huodang.catalogue"
FORMAT_VERSION: Final = "1"
ITEMS: Final = "information_items"
_ITEM: Final = "information_item"
_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")
_ENCODING: Final = re.compile(rb"\A\s*<\?xml[^>]*encoding=[\"']([A-Za-z0-9_-]+)[\"']")
_ENCODINGS: Final[Mapping[bytes, TextEncoding]] = {
    b"utf-8": "utf-8",
    b"utf8": "utf-8",
    b"gb18030": "gb18030",
    b"gbk": "gb18030",
    b"gb2312": "gb18030",
}
_DEEPEST: Final = 6


@dataclass
class Found:
    """What stood in a catalogue file: entries, and names that mean nothing here."""

    entries: list[RawEntry] = field(default_factory=list)
    ignored: dict[str, None] = field(default_factory=dict)


def write_json(entries: Iterable[CatalogueEntry]) -> bytes:
    """Write entries as JSON, indented, in UTF-8."""
    listed = []
    for one in entries:
        sheet = to_sheet(one)
        listed.append({**sheet.fields, ITEMS: [dict(item) for item in sheet.items]})
    document = {"format": FORMAT_NAME, "version": FORMAT_VERSION, "entries": listed}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def read_json(data: bytes, file: str) -> Found:
    """Read a JSON file of entries.

    Raises:
        CatalogueError: it isn't JSON of this format.
    """
    try:
        document = parse_strict(decode_text(data))
    except (HuodangError, ValueError, RecursionError) as problem:
        raise _unusable(
            "不是有效的 JSON（数字须写成文本）", "it isn't valid JSON with texts for numbers", file
        ) from problem
    if not isinstance(document, dict) or not isinstance(listed := document.get("entries"), list):
        raise _unusable("JSON 须有 entries 列表", "the JSON must hold a list of entries", file)
    _check_version(document.get("format"), document.get("version"), file)
    found = Found()
    for number, one in enumerate(listed, start=1):
        place = Place(file=file, row=number)
        if not isinstance(one, dict):
            raise _unusable("entries 的每一项须是对象", "each of the entries must be an object", file, number)
        items = one.get(ITEMS, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise _unusable(f"{ITEMS} 须是对象列表", f"{ITEMS} must be a list of objects", file, number)
        raw = RawEntry(place, _cells({k: v for k, v in one.items() if k != ITEMS}, place, found, "entry"))
        raw.items = [_cells(item, place, found, "item") for item in items]
        found.entries.append(raw)
    return found


def _cells(values: Mapping[str, object], place: Place, found: Found, of: str) -> dict[str, Cell]:
    cells = {}
    for name, value in values.items():
        known = catalogue_fields().get(name)
        if known is None or known.of != of:
            found.ignored[name] = None
        else:
            cells[name] = Cell(_text(value), place.within(Place(column=known.chinese)))
    return cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return SEPARATOR.join(_text(one) for one in value)
    return str(value)


def write_xml(entries: Iterable[CatalogueEntry]) -> bytes:
    """Write entries as XML in UTF-8: no namespace, no document type."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<catalogue format="{FORMAT_NAME}" version="{FORMAT_VERSION}">']
    for one in entries:
        sheet = to_sheet(one)
        lines.append("  <entry>")
        lines += [f"    {_element(name, text)}" for name, text in sheet.fields.items()]
        lines.append(f"    <{ITEMS}>")
        for item in sheet.items:
            lines.append(f"      <{_ITEM}>")
            lines += [f"        {_element(name, text)}" for name, text in item.items()]
            lines.append(f"      </{_ITEM}>")
        lines += [f"    </{ITEMS}>", "  </entry>"]
    lines.append("</catalogue>\n")
    return "\n".join(lines).encode()


def _element(name: str, text: str) -> str:
    return f"<{name} label={quoteattr(catalogue_fields()[name].chinese)}>{escape(text)}</{name}>"


def read_xml(data: bytes, file: str) -> Found:
    """Read an XML file of entries. A document type, and with it every entity, is refused unread.

    Raises:
        CatalogueError: it isn't XML of this format; the place names the line.
    """
    told = _ENCODING.match(data)
    encoding = _ENCODINGS.get(told.group(1).lower() if told else b"utf-8")
    if encoding is None:
        raise _unusable("XML 须是 UTF-8 或 GB 18030", "the XML must be UTF-8 or GB 18030", file)
    try:
        text = decode_text(data, encoding)
    except HuodangError as problem:
        raise _unusable("读不懂文件的编码", "the file's encoding can't be read", file) from problem
    reader = _XmlReader(file)
    try:
        reader.parser.Parse(_DECLARATION.sub("", text).encode(), True)  # noqa: FBT003  (expat's own signature)
    except expat.ExpatError as problem:
        raise _unusable("不是格式良好的 XML", "it isn't well-formed XML", file, problem.lineno) from problem
    if not reader.complete:
        raise _unusable("没有 catalogue 根元素", "there is no root element catalogue", file)
    return reader.found


class _XmlReader:
    def __init__(self, file: str) -> None:
        self.found = Found()
        self.complete = False
        self._file = file
        self._path: list[str] = []
        self._pieces: list[str] = []
        self._line = 0
        self.parser = expat.ParserCreate(encoding="utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._pieces.append
        self.parser.StartDoctypeDeclHandler = self._refuse_document_type

    def _refuse_document_type(self, *_declared: object) -> None:
        raise _unusable(
            "XML 不得含 DOCTYPE 或实体", "XML with a document type or entities is refused", self._file, self._row
        )

    @property
    def _row(self) -> int:
        return self.parser.CurrentLineNumber

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path:
            if name != "catalogue":
                raise _unusable("根元素须是 catalogue", "the root element must be catalogue", self._file, self._row)
            _check_version(attributes.get("format"), attributes.get("version"), self._file)
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise _unusable("XML 嵌套过深", "the XML is nested too deeply", self._file, self._row)
        if self._path[1:] == ["entry"]:
            self.found.entries.append(RawEntry(Place(file=self._file, row=self._row)))
        elif self._path[1:] == ["entry", ITEMS, _ITEM]:
            self.found.entries[-1].items.append({})
        self._pieces.clear()
        self._line = self._row

    def _end(self, _name: str) -> None:
        inner = self._path[1:]
        text = "".join(self._pieces)
        match inner:
            case ["entry", field_name] if field_name != ITEMS:
                self._take(self.found.entries[-1].fields, field_name, text, "entry")
            case ["entry", items, item, field_name] if (items, item) == (ITEMS, _ITEM):
                self._take(self.found.entries[-1].items[-1], field_name, text, "item")
            case ["entry"] | ["entry", _] | ["entry", _, _] | []:
                pass
            case _:
                self.found.ignored["/".join(inner)] = None
        self._path.pop()
        self._pieces.clear()
        self.complete = self.complete or not self._path

    def _take(self, cells: dict[str, Cell], name: str, text: str, of: str) -> None:
        known = catalogue_fields().get(name)
        if known is None or known.of != of:
            self.found.ignored[name] = None
            return
        if name in cells:
            raise _unusable(f"元素 {name} 重复", f"element {name} stands twice", self._file, self._line)
        cells[name] = Cell(text, Place(file=self._file, row=self._line, column=known.chinese))


def _check_version(name: object, version: object, file: str) -> None:
    if name not in {None, FORMAT_NAME} or version not in {None, FORMAT_VERSION}:
        raise _unusable(
            f"不是 {FORMAT_NAME} 第 {FORMAT_VERSION} 版的文件",
            f"it isn't {FORMAT_NAME}, version {FORMAT_VERSION}",
            file,
        )


def _unusable(chinese: str, english: str, file: str, row: int | None = None) -> CatalogueError:
    return CatalogueError(
        chinese,
        english,
        advice_chinese="格式见 docs/catalogue.md；先导出一份作样本。",
        advice_english="See docs/catalogue.md; export one as a sample first.",
        place=Place(file=file, row=row),
    )
