"""How the fields of an entry are called and written in files: headings, words for values, where both come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec
import yaml

from huodang.exchange.catalogue.codes import class_items, class_names
from huodang.exchange.catalogue.cycles import cycle_names
from huodang.standards import DataElement

SEPARATOR: Final = "、"


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of a catalogue file.

    Attributes:
        origin: `core` of the national core metadata, `extension` ours.
        values: `source` if its values were read in the source, `unverified` if not, `platform` if they are ours.
        headings: accepted in files that come in; the first is written.
        of: `item` if it is told of each information item.
    """

    field: str
    origin: Literal["core", "extension"]
    values: Literal["source", "unverified", "platform"]
    headings: tuple[str, ...]
    english: str
    of: Literal["entry", "item"] = "entry"

    @property
    def chinese(self) -> str:
        """The heading that is written."""
        return self.headings[0]


@cache
def catalogue_fields() -> dict[str, Field]:
    """Give the fields in the order of columns."""
    text = files("huodang.exchange").joinpath("data", "catalogue_fields.yaml").read_text(encoding="utf-8")
    return {one.field: one for one in msgspec.convert(yaml.safe_load(text), list[Field])}


@cache
def headings() -> dict[str, str]:
    """Give by every accepted heading the field that it means."""
    return {heading: field.field for field in catalogue_fields().values() for heading in field.headings}


@dataclass(frozen=True)
class Word:
    """One value of a field with a fixed set: what the code calls it, its number in national files, its names."""

    value: str
    chinese: str
    number: str = ""
    others: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """As it is written into a file."""
        return f"{self.number} {self.chinese}".strip()

    def means(self, text: str) -> bool:
        """Whether a text in a file says this value."""
        return text.replace(" ", "") in {
            self.value,
            self.chinese,
            self.number,
            self.written.replace(" ", ""),
            *self.others,
        } - {""}


_YES_NO: Final = (
    Word("yes", "是", others=("1", "true", "TRUE", "True")),
    Word("no", "否", others=("0", "false", "FALSE", "False")),
)
_WORDS: Final[Mapping[str, tuple[Word, ...]]] = {
    "sharing": (
        Word("unconditional", "无条件共享", "1", ("无条件", "无条件共享类")),
        Word("conditional", "有条件共享", "2", ("有条件", "有条件共享类")),
        Word("none", "不予共享", "3", ("不予共享类", "不共享")),
    ),
    "modes": (
        Word("database", "数据库", "1", ("库表", "库表交换")),
        Word("file", "文件", "2", ("文件下载", "文件交换")),
        Word("service", "服务接口", "3", ("接口", "服务", "webservice", "服务接口方式")),
    ),
    "format": (
        Word("electronic_file", "电子文件", "1"),
        Word("spreadsheet", "电子表格", "2"),
        Word("database", "数据库", "3"),
        Word("image", "图形图像", "4", ("图形图像类",)),
        Word("media", "流媒体", "5"),
        Word("self_describing", "自描述格式", "6"),
        Word("service", "服务接口", "7", ("接口",)),
    ),
    "update_cycle": tuple(
        Word(cycle, chinese, others=(chinese.removeprefix("每"),))
        for cycle, (chinese, _english) in cycle_names().items()
    ),
    "kind": (
        Word("check", "核验"),
        Word("action", "办理"),
        Word("list", "名单"),
        Word("table", "库表"),
        Word("file", "文件"),
        Word("match", "只比对"),
        Word("event", "事件"),
    ),
    "open_to_public": _YES_NO,
    "mandatory": _YES_NO,
    "code_status": (Word("local", "本目录"), Word("assigned", "上级平台")),
    "law_status": (Word("source", "已核"), Word("unverified", "待核")),
}
"""Numbers of sharing types and modes: facts/exchange.md. Numbers of formats are usual, and unverified."""

_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("字符型", "字符型C", "C", "字符串", "文本", "备注型", "备注型M"),
    "code": ("字符型", "字符型C", "C", "字符串", "文本"),
    "date": ("日期型", "日期型D", "D", "日期"),
    "month": ("字符型", "字符型C", "C", "日期型", "日期型D"),
    "integer": ("整型", "整型I", "I", "整数型", "数值型", "数值型N", "N"),
    "decimal": ("数值型", "数值型N", "N", "浮点型", "双精度型"),
    "money": ("货币型", "货币型Y", "Y", "数值型", "数值型N", "N"),
    "flag": ("逻辑型", "逻辑型L", "L", "字符型", "字符型C", "C"),
}
"""Data types (数据类型): the first is written. Words and letters are usual, and unverified."""


def words(field: str) -> tuple[Word, ...]:
    """Give the values of a field that has a fixed set of them; empty for others."""
    return _WORDS.get(field, ())


def written(field: str, value: str) -> str:
    """Write one value of a field with a fixed set."""
    return next(word.written for word in _WORDS[field] if word.value == value)


def meant(field: str, text: str) -> str | None:
    """Read one value of a field with a fixed set; None if it is none of them."""
    return next((word.value for word in _WORDS[field] if word.means(text)), None)


def type_written(element: DataElement) -> str:
    """Write the data type of an element."""
    return _TYPES[element.type][0]


def type_fits(element: DataElement, text: str) -> bool:
    """Whether the data type in a file is that of the element."""
    return text.replace(" ", "") in _TYPES[element.type]


def class_written(class_digit: str, item: str) -> tuple[str, str]:
    """Write class and item with their names."""
    written_item = f"{item} {class_items(class_digit)[item].chinese}" if item else ""
    return f"{class_digit} {class_names()[class_digit].chinese}", written_item


def class_meant(text: str) -> str | None:
    """Read a class: its digit, its name, or both; None if there is no such class."""
    squeezed = text.replace(" ", "")
    for digit, named in class_names().items():
        if squeezed in {digit, named.chinese, f"{named.chinese}目录", f"{digit}{named.chinese}"}:
            return digit
    return None


def item_meant(class_digit: str, text: str) -> str | None:
    """Read an item of a class: its number, its name, or both; None if there is no such item."""
    squeezed = text.replace(" ", "")
    for number, named in class_items(class_digit).items():
        if squeezed in {number, number.lstrip("0"), named.chinese, f"{number}{named.chinese}"}:
            return number
    return None
