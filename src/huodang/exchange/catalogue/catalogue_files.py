"""Catalogue files in the three formats: Excel, XML, JSON."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from huodang.exchange.catalogue.entries import CatalogueEntry
from huodang.exchange.catalogue.excel_files import read_excel, write_excel
from huodang.exchange.catalogue.tree_files import Found, read_json, read_xml, write_json, write_xml
from huodang.exchange.errors import CatalogueError
from huodang.standards import Place

LARGEST_FILE: Final = 32 * 1024 * 1024
"""Bytes of a catalogue file at most: a province's whole catalogue is a tenth of it."""


class CatalogueFormat(StrEnum):
    """In what a catalogue travels."""

    EXCEL = "xlsx"
    XML = "xml"
    JSON = "json"


_WRITERS: Final[Mapping[CatalogueFormat, Callable[[Iterable[CatalogueEntry]], bytes]]] = {
    CatalogueFormat.EXCEL: write_excel,
    CatalogueFormat.XML: write_xml,
    CatalogueFormat.JSON: write_json,
}
_READERS: Final[Mapping[str, Callable[[bytes, str], Found]]] = {
    "xlsx": read_excel,
    "xlsm": read_excel,
    "xls": read_excel,
    "et": read_excel,
    "xml": read_xml,
    "json": read_json,
}


def write_catalogue(entries: Iterable[CatalogueEntry], file_format: CatalogueFormat) -> bytes:
    """Write entries as a file; the same entries give the same bytes."""
    return _WRITERS[file_format](entries)


def read_catalogue(data: bytes, file: str) -> Found:
    """Read a catalogue file by the ending of its name; nothing in it is checked yet.

    Raises:
        CatalogueError: the ending isn't one of a catalogue file, the file is too large, or it can't be read.
    """
    place = Place(file=PurePath(file).name)
    reader = _READERS.get(PurePath(file).suffix.removeprefix(".").lower())
    if reader is None:
        endings = "、".join(f".{one}" for one in _READERS)
        raise CatalogueError(f"目录文件应为 {endings}", f"a catalogue file ends in {endings}", place=place)
    if len(data) > LARGEST_FILE:
        raise CatalogueError("目录文件过大", "the catalogue file is too large", place=place)
    return reader(data, PurePath(file).name)
