"""Codes of the catalogue: class, item, category and detail (类、项、目、细目), running number, provider."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from huodang.exchange.errors import CatalogueError
from huodang.standards import Place

DEPARTMENT_CLASS: Final = "3"
"""部门信息资源: what an entry belongs to as long as nobody classes it more closely."""
_CLASS_CODE: Final = re.compile(r"([1-3])(?:(\d{2})(?:(\d{3})([0-9A-Z]{0,16}))?)?", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)
_ASSIGNED: Final = re.compile(r"[1-3][0-9A-Za-z/._-]{0,63}", re.ASCII)
_NUMBER_DIGITS: Final = 6
_CREDIT_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_LENGTH: Final = 18
_PROVIDER_CODE: Final = re.compile(r"[0-9A-Z]{1,32}", re.ASCII)


@dataclass(frozen=True)
class Named:
    """A name in both languages."""

    chinese: str
    english: str


@dataclass(frozen=True)
class ClassCode:
    """Where a resource is classed; what isn't told is empty.

    Source: Sichuan's sheet of 2018: 类 1 digit, 项 2, 目 3, 细目 of no fixed length.
    """

    kind: str
    item: str = ""
    category: str = ""
    detail: str = ""

    @classmethod
    def parse(cls, text: str, place: Place | None = None) -> "ClassCode":
        """Read a class code such as `1`, `101`, `101001` or `101001A2`.

        Raises:
            CatalogueError: it isn't built that way, or there is no such class or item.
        """
        match = _CLASS_CODE.fullmatch(text)
        if match is None:
            raise _wrong_code(
                "信息资源分类码应为类（1 位，1 至 3）、项（2 位）、目（3 位）、细目",
                "a class code is class (one digit, 1 to 3), item (two), category (three) and detail",
                place,
            )
        found = cls(*(part or "" for part in match.groups()))
        if found.item and found.item not in class_items(found.kind):
            raise _wrong_code("没有这个“项”", "there is no such item in this class", place)
        return found

    @property
    def text(self) -> str:
        """The parts in one."""
        return self.kind + self.item + self.category + self.detail

    def names(self) -> tuple[Named, ...]:
        """Name class and, if it is told, item."""
        found = [class_names()[self.kind]]
        if self.item:
            found.append(class_items(self.kind)[self.item])
        return tuple(found)


def local_code(class_code: str, number: int) -> str:
    """Write the code of a resource: class code, `/`, running number.

    The parts are those of Sichuan's sheet. The stroke between them is seen in public code and isn't verified.
    """
    return f"{class_code}/{number:0{_NUMBER_DIGITS}d}"


def running_number(code: str, class_code: str) -> int | None:
    """Give the running number of a code in a class; None if it stands in another class or is built otherwise."""
    front, stroke, back = code.partition("/")
    return int(back) if stroke and front == class_code and _NUMBER.fullmatch(back) else None


def next_number(class_code: str, taken: Iterable[str]) -> int:
    """Give the first running number above all that are taken in a class."""
    return 1 + max((running_number(code, class_code) or 0 for code in taken), default=0)


def check_resource_code(code: str, class_code: str, *, assigned: bool, place: Place | None = None) -> None:
    """Hold a resource code against its class.

    Args:
        code: empty as long as none is given.
        class_code: as the entry says.
        assigned: a platform above gave it; then only its characters and its class digit are checked, as their structure
            differs from province to province.
        place: where it stands.

    Raises:
        CatalogueError: it doesn't fit.
    """
    if not code:
        return
    if assigned:
        fits = _ASSIGNED.fullmatch(code) is not None and code[0] == class_code[0]
    else:
        number = running_number(code, class_code)
        fits = number is not None and number > 0
    if not fits:
        raise _wrong_code(
            f"信息资源代码应为分类码 {class_code}、斜线和顺序号",
            f"the resource code must be the class code {class_code}, a stroke and a running number",
            place,
        )


def check_provider_code(code: str, place: Place | None = None) -> None:
    """Check the code of a provider: capital letters and digits; of 18 characters, a unified social credit code.

    Source: GB 32100 (check character by weights of 3 to the power of the position, modulo 31; unverified).

    Raises:
        CatalogueError: it can't be one.
    """
    if not code:
        return
    if _PROVIDER_CODE.fullmatch(code) is None:
        raise _wrong_code(
            "提供方代码只含数字和大写字母", "a provider's code holds digits and capital letters only", place
        )
    if len(code) == _CREDIT_LENGTH:
        values = [_CREDIT_CHARACTERS.find(one) for one in code]
        weights = sum(value * pow(3, position, 31) for position, value in enumerate(values[:-1]))
        if -1 in values or values[-1] != -weights % 31:
            raise _wrong_code(
                "提供方代码的校验位不对（统一社会信用代码）",
                "the check character of the provider's code is wrong (unified social credit code)",
                place,
            )


def class_names() -> dict[str, Named]:
    """Give the classes (类) by digit."""
    return {digit: Named(one["chinese"], one["english"]) for digit, one in _data()["classes"].items()}


def class_items(digit: str) -> dict[str, Named]:
    """Give the items (项) of a class by number."""
    items: dict[str, dict[str, str]] = _data()["classes"][digit]["items"]
    return {number: Named(**one) for number, one in items.items()}


def provider_names() -> dict[str, Named]:
    """Give the names of the departments that the product's own entries come from."""
    return {name: Named(**one) for name, one in _data()["providers"].items()}


@cache
def _data() -> dict[str, Any]:
    text = files("huodang.exchange").joinpath("data", "catalogue_classes.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def _wrong_code(chinese: str, english: str, place: Place | None) -> CatalogueError:
    return CatalogueError(
        chinese,
        english,
        advice_chinese="代码规则见 docs/catalogue.md。",
        advice_english="docs/catalogue.md says how codes are built.",
        place=place or Place(),
    )
