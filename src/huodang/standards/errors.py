"""One hierarchy for every error of the product: a code, two sentences, what to do, and where.

An error never holds personal data: the place says where the value stands, so nobody needs to print the value.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Place:
    """Where a value stands: file, row (counted from 1, the heading is row 1), column and data element."""

    file: str | None = None
    row: int | None = None
    column: str | None = None
    element: str | None = None

    def sentence(self, language: Language = "zh") -> str:
        """Tell the place for people; empty if nothing is known."""
        if language == "zh":
            parts = (
                f"文件 {self.file}" if self.file else "",
                f"第 {self.row} 行" if self.row is not None else "",
                f"列 {self.column}" if self.column else "",
                f"数据元 {self.element}" if self.element else "",
            )
            return "，".join(part for part in parts if part)
        parts = (
            f"file {self.file}" if self.file else "",
            f"row {self.row}" if self.row is not None else "",
            f"column {self.column}" if self.column else "",
            f"element {self.element}" if self.element else "",
        )
        return ", ".join(part for part in parts if part)

    def within(self, outer: "Place") -> "Place":
        """Fill what this place doesn't say from the place around it."""
        return replace(
            self,
            file=self.file if self.file is not None else outer.file,
            row=self.row if self.row is not None else outer.row,
            column=self.column if self.column is not None else outer.column,
            element=self.element if self.element is not None else outer.element,
        )


NOWHERE = Place()


class HuodangError(Exception):
    """The root of every error that the product raises on purpose.

    Attributes:
        code: Stable and dotted, such as `identity.check_digit`; safe to log.
        chinese: What was wrong, for the user.
        english: The same in English.
        advice_chinese: What to do next; may be empty.
        advice_english: The same in English.
        place: Where it was wrong.
    """

    code: ClassVar[str] = "huodang"

    def __init__(
        self,
        chinese: str,
        english: str,
        *,
        advice_chinese: str = "",
        advice_english: str = "",
        place: Place = NOWHERE,
    ) -> None:
        super().__init__(chinese, english)
        self.chinese = chinese
        self.english = english
        self.advice_chinese = advice_chinese
        self.advice_english = advice_english
        self.place = place

    def at(self, place: Place) -> Self:
        """Add the place around the one known so far, and hand back this same error to raise."""
        self.place = self.place.within(place)
        return self

    def sentence(self, language: Language = "zh") -> str:
        """Say what was wrong, where, and what to do. Holds no personal data."""
        where = self.place.sentence(language)
        if language == "zh":
            text = self.chinese + (f"（{where}）" if where else "")
            return f"{text}。{self.advice_chinese}" if self.advice_chinese else f"{text}。"
        text = self.english + (f" ({where})" if where else "")
        return f"{text}. {self.advice_english}" if self.advice_english else f"{text}."

    def __str__(self) -> str:
        return f"[{self.code}] {self.sentence('zh')} / {self.sentence('en')}"


class BadValue(HuodangError):  # noqa: N818  (the name that every room's contract uses)
    """A value fails at a border: it is refused as a whole, never repaired by guessing."""

    code: ClassVar[str] = "value.bad"
