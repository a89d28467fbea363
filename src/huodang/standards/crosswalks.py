"""Crosswalks: from a department's own codes to the standard ones and back, as data."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from huodang.standards.errors import BadValue, Place
from huodang.standards.text import decode_text

_COLUMNS = ("local", "standard", "note")
# A local code short enough to be a code may be named in an error; anything longer may be somebody's data.
_PRINTABLE = re.compile(r"[0-9A-Za-z._-]{1,8}|[\u4e00-\u9fff]{1,4}")


class CrosswalkMissing(BadValue):
    """A crosswalk doesn't exist, or doesn't have the code that is asked for."""

    code: ClassVar[str] = "crosswalk.missing"


class CrosswalkInvalid(BadValue):
    """A crosswalk file is broken; it is refused whole."""

    code: ClassVar[str] = "crosswalk.invalid"


@dataclass(frozen=True)
class Crosswalk:
    """One department's codes for one element.

    Several local codes may mean one standard code; the first of them in the file is what `to_local` gives back.
    """

    name: str
    standard_by_local: Mapping[str, str]
    local_by_standard: Mapping[str, str]

    def to_standard(self, local: str) -> str:
        """Give the standard code for a local one.

        Raises:
            CrosswalkMissing: the file has no such local code; it names the crosswalk and the code.
        """
        return self._look_up(self.standard_by_local, local.strip(), "本地代码", "local code")

    def to_local(self, standard: str) -> str:
        """Give the local code for a standard one.

        Raises:
            CrosswalkMissing: the file has no such standard code.
        """
        return self._look_up(self.local_by_standard, standard.strip(), "标准代码", "standard code")

    def _look_up(self, codes: Mapping[str, str], code: str, chinese: str, english: str) -> str:
        if code in codes:
            return codes[code]
        shown = f" {code}" if _PRINTABLE.fullmatch(code) else ""
        raise CrosswalkMissing(
            f"对照表 {self.name} 中没有{chinese}{shown}",
            f"the crosswalk {self.name} has no {english}{shown}",
            advice_chinese="请由数据提供部门确认该代码的含义，并补入对照表。",
            advice_english="Have the department say what the code means, and add it to the crosswalk.",
            place=Place(element=self.name.partition(".")[2] or None),
        )


@cache
def crosswalk(name: str) -> Crosswalk:
    """Give a crosswalk that comes with the product, such as `police.sex`.

    Raises:
        CrosswalkMissing: there is no such crosswalk.
        CrosswalkInvalid: its file is broken.
    """
    found = files("huodang.standards").joinpath("data", "crosswalks", f"{name}.csv")
    if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name) or not found.is_file():
        raise CrosswalkMissing(
            f"没有名为 {name} 的对照表",
            f"there is no crosswalk {name}",
            advice_chinese=f"可用的对照表：{'、'.join(crosswalk_names()) or '无'}。",
            advice_english=f"Crosswalks: {', '.join(crosswalk_names()) or 'none'}.",
        )
    return _read(found.read_bytes(), name, f"{name}.csv")


def crosswalk_names() -> tuple[str, ...]:
    """Name the crosswalks that come with the product, in order."""
    folder = files("huodang.standards").joinpath("data", "crosswalks")
    return tuple(sorted(entry.name.removesuffix(".csv") for entry in folder.iterdir() if entry.name.endswith(".csv")))


def load_crosswalk(path: Path) -> Crosswalk:
    """Read a crosswalk file that a department brings: CSV with columns `local`, `standard`, `note` in any order.

    The file is UTF-8 or GB 18030. Its name without the ending is the name of the crosswalk.

    Raises:
        CrosswalkInvalid: a column is missing, a code is empty, or a local code stands twice with two meanings.
        TextError: the bytes are in neither encoding.
        OSError: the file can't be read.
    """
    return _read(path.read_bytes(), path.stem, path.name)


def _read(data: bytes, name: str, file: str) -> Crosswalk:
    reader = csv.DictReader(io.StringIO(decode_text(data), newline=""))
    headings = [heading.strip() for heading in reader.fieldnames or []]
    reader.fieldnames = headings
    for column in _COLUMNS[:2]:
        if column not in headings:
            raise CrosswalkInvalid(
                f"对照表缺少列 {column}",
                f"the crosswalk has no column {column}",
                advice_chinese="第一行应为 local,standard,note。",
                advice_english="The first row is local,standard,note.",
                place=Place(file=file, row=1, column=column),
            )
    forward: dict[str, str] = {}
    backward: dict[str, str] = {}
    for row in reader:
        local, standard = ((row[column] or "").strip() for column in _COLUMNS[:2])
        # The count of lines read so far is right for quoted line breaks, too.
        place = Place(file=file, row=reader.line_num)
        if not local or not standard:
            raise CrosswalkInvalid(
                "对照表中有空的代码",
                "a code is empty",
                advice_chinese="每行都要填写本地代码和标准代码。",
                advice_english="Every row has a local and a standard code.",
                place=place,
            )
        if forward.setdefault(local, standard) != standard:
            raise CrosswalkInvalid(
                "同一本地代码对应了两个标准代码",
                "one local code has two standard codes",
                advice_chinese="请保留正确的一行。",
                advice_english="Keep the row that is right.",
                place=place,
            )
        backward.setdefault(standard, local)
    return Crosswalk(name, MappingProxyType(forward), MappingProxyType(backward))
