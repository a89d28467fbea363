"""What can be wrong with an identity number, each with its code, sentence and advice. None prints the number."""

from enum import IntEnum
from typing import ClassVar

from huodang.standards.errors import BadValue


class IdentityFault(IntEnum):
    """The verdict on one identity number: `VALID` or the first thing found wrong."""

    VALID = 0
    EMPTY = 1
    SPREADSHEET = 2
    LENGTH = 3
    CHARACTERS = 4
    CENTURY = 5
    BIRTH_DATE = 6
    BIRTH_FUTURE = 7
    CHECK_DIGIT = 8


class IdentityError(BadValue):
    """An identity number is refused; the subclass and its code name what failed."""

    code: ClassVar[str] = "identity.invalid"
    fault: ClassVar[IdentityFault]
    sentences: ClassVar[tuple[str, str]]
    advice: ClassVar[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__(
            *self.sentences,
            advice_chinese=self.advice[0],
            advice_english=self.advice[1],
        )

    def __reduce__(self) -> tuple[type["IdentityError"], tuple[()], dict[str, object]]:
        return type(self), (), self.__dict__


class IdentityEmptyError(IdentityError):
    """Nothing was given."""

    code: ClassVar[str] = "identity.empty"
    fault: ClassVar[IdentityFault] = IdentityFault.EMPTY
    sentences: ClassVar[tuple[str, str]] = ("没有填写公民身份号码", "the identity number is missing")
    advice: ClassVar[tuple[str, str]] = ("请填写证件上的 18 位号码。", "Enter the 18 characters on the document.")


class IdentitySpreadsheetError(IdentityError):
    """A spreadsheet has turned the number into a formula, a rounded figure or a marked text."""

    code: ClassVar[str] = "identity.spreadsheet"
    fault: ClassVar[IdentityFault] = IdentityFault.SPREADSHEET
    sentences: ClassVar[tuple[str, str]] = (
        "号码被电子表格改成了公式、数值或科学计数法，后几位可能已经丢失",
        "a spreadsheet turned the number into a formula, a figure or scientific notation; its last digits may be lost",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请从来源系统重新导出，并把该列设为“文本”格式；不要手工补齐丢失的数字。",
        'Export it again from its source with the column set to "text"; don\'t fill in lost digits by hand.',
    )


class IdentityLengthError(IdentityError):
    """The number has neither 18 nor 15 characters."""

    code: ClassVar[str] = "identity.length"
    fault: ClassVar[IdentityFault] = IdentityFault.LENGTH
    sentences: ClassVar[tuple[str, str]] = (
        "身份号码应为 18 位（旧号码 15 位），位数不对",
        "an identity number has 18 characters (15 in its old form)",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请对照证件检查是否漏填、多填，中间不要有空格或横线。",
        "Compare it with the document: nothing missing, nothing added, no space or dash inside.",
    )


class IdentityCharactersError(IdentityError):
    """A character stands where the form allows none such."""

    code: ClassVar[str] = "identity.characters"
    fault: ClassVar[IdentityFault] = IdentityFault.CHARACTERS
    sentences: ClassVar[tuple[str, str]] = (
        "身份号码中有不允许的字符：前 17 位只能是数字，末位是数字或 X",
        "the number holds a character that isn't allowed: 17 digits, then a digit or X",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请检查是否把数字 0、1 写成了字母 O、I，或把 X 写成了乘号。",
        "Look for the letters O or I in place of 0 or 1, or a multiplication sign in place of X.",
    )


class IdentityCenturyError(IdentityError):
    """An old permanent residence card tells two digits of a birth year that could be of either century."""

    code: ClassVar[str] = "identity.century"
    fault: ClassVar[IdentityFault] = IdentityFault.CENTURY
    sentences: ClassVar[tuple[str, str]] = (
        "旧版外国人永久居留证号码只有两位出生年份，无法确定是哪个世纪",
        "the old permanent residence card tells two digits of the birth year, and either century is possible",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请使用新版永久居留身份证上的 18 位号码。",
        "Use the 18-character number of the new permanent resident identity card.",
    )


class IdentityBirthDateError(IdentityError):
    """The birth date inside the number isn't a day of the calendar."""

    code: ClassVar[str] = "identity.birth_date"
    fault: ClassVar[IdentityFault] = IdentityFault.BIRTH_DATE
    sentences: ClassVar[tuple[str, str]] = (
        "身份号码第 7 至 14 位不是一个真实的出生日期",
        "positions 7 to 14 of the number aren't a real birth date",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请对照证件核对出生日期部分。",
        "Compare the part that tells the birth date with the document.",
    )


class IdentityBirthFutureError(IdentityError):
    """The birth date inside the number lies after the day of the check."""

    code: ClassVar[str] = "identity.birth_future"
    fault: ClassVar[IdentityFault] = IdentityFault.BIRTH_FUTURE
    sentences: ClassVar[tuple[str, str]] = (
        "身份号码中的出生日期晚于核对之日",
        "the birth date in the number lies in the future",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请对照证件核对出生日期部分。",
        "Compare the part that tells the birth date with the document.",
    )


class IdentityCheckDigitError(IdentityError):
    """The last character doesn't follow from the 17 before it."""

    code: ClassVar[str] = "identity.check_digit"
    fault: ClassVar[IdentityFault] = IdentityFault.CHECK_DIGIT
    sentences: ClassVar[tuple[str, str]] = (
        "身份号码的校验码不对，至少有一位写错",
        "the check digit of the number is wrong: at least one character is",
    )
    advice: ClassVar[tuple[str, str]] = (
        "请对照证件逐位核对；不要改末位去凑校验码。",
        "Compare every character with the document; don't change the last one to make it fit.",
    )


_ERRORS: dict[IdentityFault, type[IdentityError]] = {
    kind.fault: kind
    for kind in (
        IdentityEmptyError,
        IdentitySpreadsheetError,
        IdentityLengthError,
        IdentityCharactersError,
        IdentityCenturyError,
        IdentityBirthDateError,
        IdentityBirthFutureError,
        IdentityCheckDigitError,
    )
}


def identity_error(fault: IdentityFault) -> IdentityError:
    """Give the error for a fault that a vectorised check has found.

    Raises:
        KeyError: the fault is `VALID`.
    """
    return _ERRORS[fault]()
