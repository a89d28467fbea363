"""People's names: as written, and the key that two spellings of one name share."""

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from huodang.standards.elements import element
from huodang.standards.errors import BadValue
from huodang.standards.text import to_half_width

# The middle dot of minority names (间隔号), as input methods, databases and scanners write it.
_DOTS = "·•・･‧∙⋅᛫ꞏ·●﹒"
_DOT = "·"
# Stops that stand for the middle dot only between two Han characters.
_STOPS = ".。｡"
# What systems print for a character that they couldn't hold, and what masking leaves.
_PLACEHOLDERS = "?？□■〓*＊\ufffd"
_PUNCTUATION = " \u3000-‐‑'’.．。｡,，()（）" + _DOTS
_SPACES = re.compile(r"\s+")
_AROUND_DOT = re.compile(rf"\s*{_DOT}+\s*")


class NameError_(BadValue):  # noqa: N801  (the builtin holds the plain name)
    """A name is refused; the subclass and its code name what failed."""

    code: ClassVar[str] = "name.invalid"


class NameEmpty(NameError_):
    """Nothing was given."""

    code: ClassVar[str] = "name.empty"


class NameTooLong(NameError_):
    """The name is longer than the data element allows."""

    code: ClassVar[str] = "name.length"


class NameCharacters(NameError_):
    """A character stands in the name that no name holds."""

    code: ClassVar[str] = "name.characters"


class NameLostCharacter(NameError_):
    """A placeholder stands where a character of the name was lost or masked."""

    code: ClassVar[str] = "name.lost_character"


class NamePrivateCharacter(NameError_):
    """A character of a private font (造字) stands in the name: what it means is known to one system only."""

    code: ClassVar[str] = "name.private_character"


@dataclass(frozen=True)
class PersonName:
    """A person's name. Two names are equal here if they are written alike; `same_name` compares their keys."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "PersonName":
        """Take a name at the border: Unicode NFC, no space around it, nothing in it that isn't part of a name.

        Raises:
            NameError_: its code names what failed; the sentence tells the position, never the name.
        """
        normal = unicodedata.normalize("NFC", text).strip()
        if not normal:
            raise NameEmpty(
                "没有填写姓名",
                "the name is missing",
                advice_chinese="请按身份证上的写法填写姓名。",
                advice_english="Enter the name as on the identity card.",
            )
        for position, character in enumerate(normal, start=1):
            _check(character, position)
        if not any(_is_letter(character) for character in normal):
            raise NameCharacters(
                "姓名中没有文字",
                "the name holds no letter",
                advice_chinese="请按身份证上的写法填写姓名。",
                advice_english="Enter the name as on the identity card.",
            )
        limit = element("name").length
        if len(normal) > limit:
            raise NameTooLong(
                f"姓名超过 {limit} 个字符",
                f"the name is longer than {limit} characters",
                advice_chinese="请检查是否把几个人或其他内容写进了同一格。",
                advice_english="See whether several people or other text stand in one cell.",
            )
        return cls(normal)

    @property
    def key(self) -> str:
        """Give what two spellings of one name share: width, dots, spaces, case and glyph variants unified."""
        text = unicodedata.normalize("NFKC", _unify_dots(to_half_width(self.text)))
        text = "".join(character for character in text if not _is_selector(character))
        text = _AROUND_DOT.sub(_DOT, _SPACES.sub(" ", text)).strip(_DOT + " ")
        # A space between Han characters is typesetting; between Latin words it parts them.
        text = re.sub(r" ", "", text) if _has_han(text) else text
        # Some letters come apart when raised, and are put together again.
        return unicodedata.normalize("NFKC", text.upper())

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<PersonName of {len(self.text)} characters>"


def same_name(first: PersonName | str, second: PersonName | str) -> bool:
    """Tell whether two spellings are of one name.

    Raises:
        NameError_: one of them isn't a name.
    """
    return _parsed(first).key == _parsed(second).key


def _parsed(name: PersonName | str) -> PersonName:
    return name if isinstance(name, PersonName) else PersonName.parse(name)


def _check(character: str, position: int) -> None:
    category = unicodedata.category(character)
    if category == "Co":
        raise NamePrivateCharacter(
            f"姓名第 {position} 个字是某一系统自造的字，换一个系统就无法辨认",
            f"character {position} of the name comes from one system's private font",
            advice_chinese="请对照证件，改用国家标准编码的汉字（GB 18030）重新录入该字。",
            advice_english="Enter that character again from the document, by its national code (GB 18030).",
        )
    if character in _PLACEHOLDERS:
        raise NameLostCharacter(
            f"姓名第 {position} 个字已丢失或被遮盖，只剩占位符",
            f"character {position} of the name was lost or masked: only a placeholder is left",
            advice_chinese="请对照证件补录该字，不要猜。",
            advice_english="Enter that character from the document; don't guess it.",
        )
    if category[0] == "M" or character in _PUNCTUATION or _is_letter(character):
        return
    raise NameCharacters(
        f"姓名第 {position} 个字符（U+{ord(character):04X}）不能出现在姓名中",
        f"character {position} (U+{ord(character):04X}) can't stand in a name",
        advice_chinese="请删去控制字符、数字和符号，按身份证上的写法填写。",
        advice_english="Remove control characters, digits and symbols; write it as on the identity card.",
    )


def _is_letter(character: str) -> bool:
    # One of the middle dots (U+A78F) is a letter to Unicode.
    category = unicodedata.category(character)
    return character not in _DOTS and (category[0] == "L" or category == "Nl" or _is_ideograph(ord(character)))


def _is_ideograph(code: int) -> bool:
    # Planes 2 and 3 hold nothing but Han characters. Those newer than Python's own tables count as well.
    # Radicals (U+2E80 to U+2FDF) come out of PDF files in place of the characters they look like.
    return 0x20000 <= code <= 0x3FFFD or 0x2E80 <= code <= 0x2FDF


def _is_selector(character: str) -> bool:
    # Variation selectors ask for one glyph of a character; they don't make another character.
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_han(character: str) -> bool:
    code = ord(character)
    return 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or character == "〇" or _is_ideograph(code)


def _has_han(text: str) -> bool:
    return any(_is_han(character) for character in text)


def _unify_dots(text: str) -> str:
    characters = list(text)
    for index, character in enumerate(characters):
        between_han = 0 < index < len(text) - 1 and _is_han(text[index - 1]) and _is_han(text[index + 1])
        if character in _DOTS or (character in _STOPS and between_han):
            characters[index] = _DOT
    return "".join(characters)
