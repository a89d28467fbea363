"""Masking: what someone sees of a value, by the masking rule of its data element and the level decided for the viewer.

A rule that does not recognise a value hides all of it: a mask may show too little, never too much.
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum

from huodang.standards import UnknownElement, element

HIDDEN_TEXT = "***"
_NAME_SEPARATORS = frozenset("·•‧・．.  　")  # middle dots as people type them, full stops, spaces
_YEAR = re.compile(r"(\d{4})(?=[-/.年]|\d{2}$|\d{4}$)")
# Letters that names of prefectures and counties hold; those of streets, villages and houses end the match, so that
# 中山路北区 is never taken for a county. The first letter of a county may be any: 路南区, 市中区, 道县, 镇赉县.
_LETTER = r"[^省市区县旗盟路街道镇村号巷弄组室栋\W\dA-Za-z]"
_PROVINCE = r"(?:[一-鿿]{2,8}?(?:省|自治区|特别行政区)|(?:北京|上海|天津|重庆)市)"
_PREFECTURE = rf"(?:{_LETTER}{{2,9}}(?:自治州|地区|盟)|(?:景德镇|镇江|{_LETTER}{{2,4}}(?<!超))市)"
_COUNTY = rf"(?:[一-鿿]{_LETTER}{{1,13}}自治[县旗]|[一-鿿]{_LETTER}{{0,3}}(?:县|旗|(?<!超)市|(?<![小社校厂院园])区))"
_ADDRESS = re.compile(rf"(?:{_PROVINCE})?(?:{_PREFECTURE})?(?:{_COUNTY})?")


class MaskLevel(StrEnum):
    """How much of a value its viewer may see."""

    FULL_VIEW = "full_view"
    PARTIAL = "partial"
    HIDDEN = "hidden"


def mask(element_identifier: str, text: str, level: MaskLevel) -> str:
    """Mask one value.

    Args:
        element_identifier: Which data element the value is of.
        text: The value, normalised.
        level: `FULL_VIEW` shows it; `PARTIAL` applies the element's masking rule; `HIDDEN` hides all but values of
            level 1 (public).

    Returns:
        What may be shown. A value of an element that is not in the table is hidden at every level; an empty value
        stays empty.
    """
    if not text:
        return ""
    try:
        described = element(element_identifier)
    except UnknownElement:
        return HIDDEN_TEXT
    if level is MaskLevel.FULL_VIEW:
        return text
    if level is MaskLevel.HIDDEN:
        return text if described.level == 1 and described.mask == "none" else HIDDEN_TEXT
    return _RULES.get(described.mask, _hide)(text)


def _identity(text: str) -> str:
    """Region and last four of 18 (`130102********1234`); region and last three of 15."""
    if not text.isascii() or len(text) not in {15, 18}:
        return "*" * len(text)
    tail = 4 if len(text) == 18 else 3
    return text[:6] + "*" * (len(text) - 6 - tail) + text[-tail:]


def _name(text: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 欧阳小明 → 欧**明, 阿卜杜拉·买买提 → 阿***·***, one character → *."""
    letters = _letters(text)
    separated = any(letter in _NAME_SEPARATORS for letter in letters)
    if sum(letter not in _NAME_SEPARATORS for letter in letters) <= 1:
        return "*" * len(letters)
    last = len(letters) - 1
    shown: list[str] = []
    first_part_is_one = len(letters) > 1 and letters[1] in _NAME_SEPARATORS
    for place, letter in enumerate(letters):
        keeps = (place == 0 and not first_part_is_one) or (place == last and not separated and last >= 2)
        shown.append(letter if keeps or letter in _NAME_SEPARATORS else "*")
    return "".join(shown)


def _letters(text: str) -> list[str]:
    """Split into what a reader sees as one character: a letter with its combining marks and variation selectors."""
    letters: list[str] = []
    for point in text:
        if letters and unicodedata.category(point) in {"Mn", "Me", "Cf"}:
            letters[-1] += point
        else:
            letters.append(point)
    return letters


def _account(text: str) -> str:
    """The last four of eight or more; the number of stars tells nothing of the length."""
    return "****" + (text[-4:] if len(text) >= 8 else "")


def _phone(text: str) -> str:
    """138****5678; of other numbers the last four, if there are eight or more."""
    if len(text) == 11 and text.isdecimal() and text.startswith("1"):
        return text[:3] + "****" + text[-4:]
    return _account(text)


def _address(text: str) -> str:
    """Down to the county: 河北省石家庄市长安区****. What is not recognised as part of it is hidden."""
    found = _ADDRESS.match(text)
    return (found.group() if found else "") + "****"


def _date_year(text: str) -> str:
    """Only the year."""
    found = _YEAR.match(text)
    return f"{found.group(1)}-**-**" if found else HIDDEN_TEXT


def _hide(_text: str) -> str:
    return HIDDEN_TEXT


def _show(text: str) -> str:
    return text


_RULES: dict[str, Callable[[str], str]] = {
    "none": _show,
    "amount": _show,  # whoever works on a case needs the figures; at HIDDEN they are gone
    "identity": _identity,
    "name": _name,
    "account": _account,
    "phone": _phone,
    "address": _address,
    "date_year": _date_year,
    "hidden": _hide,
}
