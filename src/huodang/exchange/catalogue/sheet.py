"""An entry as a file shows it: every field a text, every information item a row; and back, cell by cell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from huodang.exchange.catalogue.codes import ClassCode
from huodang.exchange.catalogue.entries import Bilingual, CatalogueEntry, Mode, checked, one_line
from huodang.exchange.catalogue.fields import (
    SEPARATOR,
    catalogue_fields,
    class_meant,
    class_written,
    item_meant,
    meant,
    type_fits,
    type_written,
    words,
    written,
)
from huodang.exchange.errors import CatalogueError, MessageError
from huodang.exchange.values import Kind
from huodang.standards import DataElement, HuodangError, Place, element, elements

_KIND_OF_MODE: Final[dict[str, Kind]] = {
    Mode.DATABASE.value: Kind.TABLE,
    Mode.FILE.value: Kind.FILE,
    Mode.SERVICE.value: Kind.CHECK,
}
_LIST: Final = re.compile(r"[、,，;；\s]+")
_DATE: Final = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", re.ASCII)
_NO_CONDITION: Final = Bilingual(chinese="无", english="None")


@dataclass(frozen=True)
class Sheet:
    """An entry as texts by field, and its information items."""

    fields: Mapping[str, str]
    items: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Cell:
    """One text of a file, and where it stands."""

    text: str
    place: Place


@dataclass
class RawEntry:
    """One entry as it was found in a file; nothing is checked."""

    place: Place
    fields: dict[str, Cell] = field(default_factory=dict)
    items: list[dict[str, Cell]] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an entry of a file."""

    place: Place
    chinese: str
    english: str

    @classmethod
    def of(cls, error: HuodangError, place: Place) -> "Problem":
        """Tell an error as a problem of an entry at a place."""
        return cls(error.place.within(place), error.chinese, error.english)


class Unreadable(Exception):  # noqa: N818  (carries its problems to the import plan, which tells them as values)
    """An entry of a file can't be read."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def to_sheet(entry: CatalogueEntry) -> Sheet:
    """Write an entry as texts."""
    code = ClassCode.parse(entry.class_code)
    class_text, item_text = class_written(code.kind, code.item)
    fields = {
        "class": class_text,
        "item": item_text,
        "category": code.category,
        "detail": code.detail,
        "title": entry.title.chinese,
        "code": entry.code,
        "provider_name": entry.provider_name,
        "provider_code": entry.provider_code,
        "abstract": entry.abstract.chinese,
        "format": written("format", entry.format or ""),
        "sharing": written("sharing", entry.sharing),
        "condition": entry.condition.chinese,
        "modes": SEPARATOR.join(written("modes", mode) for mode in entry.modes),
        "open_to_public": written("open_to_public", "yes" if entry.open_to_public else "no"),
        "open_condition": entry.open_condition,
        "update_cycle": written("update_cycle", entry.update_cycle),
        "published_on": entry.published_on.isoformat() if entry.published_on else "",
        "related_codes": SEPARATOR.join(entry.related_codes),
        "resource": entry.resource,
        "kind": written("kind", entry.kind),
        "code_status": written("code_status", entry.code_status),
        "mandatory": written("mandatory", "yes" if entry.mandatory else "no"),
        "law": entry.law,
        "law_status": written("law_status", entry.law_status),
        "title_english": entry.title.english,
        "abstract_english": entry.abstract.english,
        "condition_english": entry.condition.english,
    }
    return Sheet(fields, tuple(_item(element(name)) for name in entry.elements))


def _item(one: DataElement) -> dict[str, str]:
    return {
        "element": one.chinese,
        "element_type": type_written(one),
        "element_length": str(one.length),
        "element_identifier": one.identifier,
        "element_level": str(one.level),
    }


def from_raw(raw: RawEntry, known: Mapping[str, CatalogueEntry]) -> CatalogueEntry:
    """Read an entry of a file.

    Args:
        raw: as it was found.
        known: the catalogue in force; what a file from elsewhere doesn't hold is taken from the entry of that resource,
            or of that code, in it.

    Raises:
        Unreadable: with every problem that was found, each with its place.
    """
    return _Reader(raw, known).entry()


class _Reader:
    def __init__(self, raw: RawEntry, known: Mapping[str, CatalogueEntry]) -> None:
        self._raw = raw
        self._problems: list[Problem] = []
        self._before = self._known_entry(known)

    def entry(self) -> CatalogueEntry:
        before = self._before
        resource = self._text("resource") or (before.resource if before else "")
        if not resource:
            self._wrong(
                "resource", "新资源须写明资源标识（如 police.household）", "a new resource needs its identifier"
            )
        modes = self._modes()
        sharing = self._word("sharing")
        kind = self._word("kind", before.kind if before else _KIND_OF_MODE[modes[0]] if modes else None)
        payload = {
            "resource": resource,
            "title": self._pair("title", before.title if before else None),
            "abstract": self._pair("abstract", before.abstract if before else None),
            "condition": self._condition(sharing),
            "kind": kind,
            "elements": self._elements(),
            "sharing": sharing,
            "update_cycle": self._word("update_cycle"),
            "mandatory": self._flag("mandatory", default=before.mandatory if before else False),
            "law": self._kept("law"),
            "law_status": self._word("law_status", before.law_status if before else "unverified"),
            "class_code": self._class_code(),
            "code": self._kept("code"),
            "code_status": self._word("code_status", before.code_status if before else "local"),
            "provider_name": self._kept("provider_name"),
            "provider_code": self._kept("provider_code"),
            "format": self._word("format", (before.format or "") if before else "") or None,
            "modes": modes,
            "open_to_public": self._flag("open_to_public", default=False),
            "open_condition": self._text("open_condition"),
            "published_on": self._date("published_on"),
            "related_codes": [one for one in _LIST.split(self._text("related_codes")) if one],
        }
        if self._problems:
            raise Unreadable(self._problems)
        return self._built(payload)

    def _built(self, payload: dict[str, object]) -> CatalogueEntry:
        try:
            return checked(CatalogueEntry.from_payload(payload))
        except (CatalogueError, MessageError) as error:
            raise Unreadable([Problem.of(error, self._raw.place)]) from None

    def _known_entry(self, known: Mapping[str, CatalogueEntry]) -> CatalogueEntry | None:
        if resource := self._text("resource"):
            return known.get(resource)
        code = self._text("code")
        return next((one for one in known.values() if code and one.code == code), None)

    def _cell(self, name: str) -> Cell | None:
        found = self._raw.fields.get(name)
        return found if found is not None and one_line(found.text) else None

    def _text(self, name: str) -> str:
        found = self._cell(name)
        return one_line(found.text) if found is not None else ""

    def _kept(self, name: str) -> str:
        """Give what the file says, or else what the entry in force says."""
        before: str = getattr(self._before, name) if self._before is not None else ""
        return self._text(name) or before

    def _wrong(self, name: str, chinese: str, english: str, place: Place | None = None) -> None:
        found = self._raw.fields.get(name)
        where = place or (found.place if found else self._raw.place)
        heading = catalogue_fields()[name].chinese
        self._problems.append(Problem(where.within(Place(column=heading)), chinese, english))

    def _word(self, name: str, default: str | None = None) -> str:
        text = self._text(name)
        if not text:
            if default is None:
                self._wrong(name, "不能为空", "it can't be empty")
            return default or ""
        value = meant(name, text)
        if value is None:
            allowed = SEPARATOR.join(word.written for word in words(name))
            self._wrong(name, f"没有这个值；可填：{allowed}", f"there is no such value; one of: {allowed}")
        return value or ""

    def _flag(self, name: str, *, default: bool) -> bool:
        return self._word(name, "yes" if default else "no") == "yes"

    def _modes(self) -> list[str]:
        texts = [one for one in re.split(r"[、,，;；]+", self._text("modes")) if one.strip()]
        if not texts:
            return [mode.value for mode in self._before.modes] if self._before else []
        values = [meant("modes", one.strip()) for one in texts]
        if None in values:
            allowed = SEPARATOR.join(word.written for word in words("modes"))
            self._wrong("modes", f"没有这个值；可填：{allowed}", f"there is no such value; one of: {allowed}")
        return [one for one in values if one is not None]

    def _pair(self, name: str, before: Bilingual | None) -> dict[str, str]:
        chinese = self._text(name)
        if not chinese:
            self._wrong(name, "不能为空", "it can't be empty")
        kept = before.english if before is not None and before.chinese == chinese else chinese
        return {"chinese": chinese, "english": self._text(f"{name}_english") or kept}

    def _condition(self, sharing: str) -> dict[str, str]:
        if self._text("condition") or sharing == "conditional":
            return self._pair("condition", self._before.condition if self._before else None)
        return {"chinese": _NO_CONDITION.chinese, "english": _NO_CONDITION.english}

    def _class_code(self) -> str:
        text = self._text("class")
        if not text:
            return self._before.class_code if self._before else "3"
        digit = class_meant(text)
        if digit is None:
            self._wrong("class", "没有这个“类”", "there is no such class")
            return "3"
        item = item_meant(digit, self._text("item")) if self._text("item") else ""
        if item is None:
            self._wrong("item", "这一“类”下没有这个“项”", "there is no such item in this class")
            return digit
        category, detail = (self._text(name).split(" ")[0] for name in ("category", "detail"))
        if (category and not item) or (detail and not category):
            self._wrong("category", "分类须逐级填写", "a class is told from the top, without a gap")
            return digit
        return digit + item + category + detail

    def _date(self, name: str) -> str | None:
        text = self._text(name)
        if not text:
            return self._before.published_on.isoformat() if self._before and self._before.published_on else None
        match = _DATE.fullmatch(text)
        if match is not None:
            try:
                return date(*(int(part) for part in match.groups())).isoformat()
            except ValueError:
                pass
        self._wrong(name, "不是日期（如 2025-08-01）", "it isn't a date, such as 2025-08-01")
        return None

    def _elements(self) -> list[str]:
        found = [self._element(item) for item in self._raw.items]
        if not found:
            self._wrong("element", "没有信息项", "it has no information item")
        return [one for one in found if one]

    def _element(self, item: dict[str, Cell]) -> str:
        def told(name: str) -> str:
            return one_line(item[name].text) if name in item else ""

        def wrong(name: str, chinese: str, english: str) -> str:
            self._wrong(name, chinese, english, item[name].place if name in item else None)
            return ""

        identifier, name = told("element_identifier"), told("element")
        one = elements().get(identifier) if identifier else _by_chinese_name(name)
        if one is None:
            return wrong(
                "element_identifier" if identifier else "element",
                "数据元标准里没有这个信息项",
                "the standard has no such information item",
            )
        if name and name != one.chinese:
            return wrong("element", f"与标识不符，标准名称是“{one.chinese}”", f"the standard calls it {one.chinese}")
        if told("element_type") and not type_fits(one, told("element_type")):
            right = type_written(one)
            return wrong("element_type", f"与标准不符，应为{right}", f"the standard says {right}")
        for heading, right in (("element_length", str(one.length)), ("element_level", str(one.level))):
            if told(heading) and told(heading) != right:
                return wrong(heading, f"与标准不符，应为 {right}", f"the standard says {right}")
        return one.identifier


def _by_chinese_name(name: str) -> DataElement | None:
    return next((one for one in elements().values() if one.chinese == name), None)
