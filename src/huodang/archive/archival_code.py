"""The archival code (档号): the name under which a volume or an item is kept for good. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Self

from huodang.archive.errors import ArchivalCodeError

CLASSES: dict[str, str] = {
    "WS": "文书",
    "KJ": "科技",
    "RS": "人事",
    "KU": "会计",
    "ZY": "专业",
    "ZP": "照片",
    "LY": "录音",
    "LX": "录像",
    "SJ": "业务数据",
    "YJ": "公务电子邮件",
    "WY": "网页信息",
    "MT": "社交媒体",
    "SW": "实物",
}
"""Class codes. Source: DA/T 13-2022 (the codes; what each stands for is unverified)."""

PERMANENT = "Y"

_FONDS = re.compile(r"[A-Z][0-9]{3}")
_SUBCLASS = re.compile(r"[A-Z]{2,6}")
_YEAR = re.compile(r"[0-9]{4}")
_TERM = re.compile(r"Y|D[1-9][0-9]{0,2}")
_UNIT = re.compile(r"[^\W_]{1,40}")
_NUMBER = re.compile(r"[0-9]{3,8}")


@dataclass(frozen=True)
class ArchivalCode:
    """One archival code, printed as `Z130-ZY·YL·2026·D100-00001`.

    Attributes:
        fonds: 全宗号, a capital and three digits.
        category: 类别号, one of `CLASSES`.
        subclasses: below the class, as the agency divides it.
        year: 年度, or None where the class is kept without years.
        term: 保管期限, `Y` for permanent or `D30` for thirty years; only with a year.
        unit: 机构（问题）, only with a term.
        numbers: volume number and, of an item, item number; digits, kept as written.

    Raises:
        ArchivalCodeError: a part has another form, or stands without the one it follows.

    Source: DA/T 13-2022 (form of the parts and two examples; which numbers follow in a volume of items is unverified).
    """

    fonds: str
    category: str
    subclasses: tuple[str, ...] = ()
    year: str | None = None
    term: str | None = None
    unit: str | None = None
    numbers: tuple[str, ...] = ("00001",)

    def __post_init__(self) -> None:
        parts = (
            (_FONDS.fullmatch(self.fonds) is not None, "全宗号", "fonds"),
            (self.category in CLASSES, "类别号", "class"),
            (all(_SUBCLASS.fullmatch(part) for part in self.subclasses), "下位类", "sub-class"),
            (self.year is None or _YEAR.fullmatch(self.year) is not None, "年度", "year"),
            (
                self.term is None or (self.year is not None and _TERM.fullmatch(self.term) is not None),
                "保管期限",
                "term",
            ),
            (self.unit is None or (self.term is not None and _UNIT.fullmatch(self.unit) is not None), "机构", "unit"),
            (1 <= len(self.numbers) <= 2 and all(map(_NUMBER.fullmatch, self.numbers)), "卷件号", "numbers"),
        )
        for good, chinese, english in parts:
            if not good:
                raise _bad(chinese, english)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an archival code.

        Raises:
            ArchivalCodeError: the text has another form.
        """
        fonds, _, rest = text.partition("-")
        middle, _, numbers = rest.partition("-")
        category, *segments = middle.split("·")
        subclasses = []
        while segments and _SUBCLASS.fullmatch(segments[0]):
            subclasses.append(segments.pop(0))
        if len(segments) > 3:
            raise _bad("分段数", "count of segments")
        year, term, unit = [*segments, None, None, None][:3]
        return cls(fonds, category, tuple(subclasses), year, term, unit, tuple(numbers.split("-")))

    def __str__(self) -> str:
        parts = (self.category, *self.subclasses, self.year, self.term, self.unit)
        middle = "·".join(part for part in parts if part is not None)
        return "-".join((self.fonds, middle, *self.numbers))

    @property
    def series(self) -> str:
        """Give all but the numbers: what is counted through together."""
        return str(self).rsplit("-", len(self.numbers))[0]

    def item(self, number: str) -> Self:
        """Give the code of an item of this volume."""
        return replace(self, numbers=(self.numbers[0], number))


def _bad(chinese: str, english: str) -> ArchivalCodeError:
    return ArchivalCodeError(
        f"档号的{chinese}不符合编制规则",
        f"The {english} of the archival code has the wrong form",
        advice_chinese="档号形如 Z130-ZY·YL·2026·D100-00001。",
        advice_english="An archival code looks like Z130-ZY·YL·2026·D100-00001.",
    )
