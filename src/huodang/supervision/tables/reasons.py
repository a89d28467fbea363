"""Why a row is set aside: each reason with its number in tables, its column and its sentence."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Reason(IntEnum):
    """A reason for quarantine; its name in small letters is its code."""

    EMPTY_ROW = 1
    IDENTITY_DIGITS_LOST = 2
    MONTH_UNREADABLE = 3
    AMOUNT_UNREADABLE = 4
    DEATH_UNREADABLE = 5
    DEATH_BEFORE_BIRTH = 6
    CUSTODY_START_UNREADABLE = 7
    CUSTODY_END_UNREADABLE = 8
    CUSTODY_INVERTED = 9
    ACCOUNT_UNREADABLE = 10
    RAGGED = 11
    QUOTATION = 12
    WRONG_BYTES = 13
    UNREADABLE_ROW = 14

    @property
    def code(self) -> str:
        """Its stable name."""
        return self.name.lower()


@dataclass(frozen=True)
class Said:
    """A reason in words; `column` is the canonical name of the column it speaks of."""

    column: str
    chinese: str
    english: str


SAID: Final[dict[Reason, Said]] = {
    Reason.EMPTY_ROW: Said("", "整行为空", "the row is empty"),
    Reason.IDENTITY_DIGITS_LOST: Said(
        "identity_number",
        "身份号码被电子表格改成了数值或科学计数法，末尾数字已丢失",
        "a spreadsheet turned the identity number into a figure; its last digits are lost",
    ),
    Reason.MONTH_UNREADABLE: Said("month", "年月为空或无法识别", "the month is missing or can't be read"),
    Reason.AMOUNT_UNREADABLE: Said(
        "amount", "金额为空、无法识别或不是整分", "the amount is missing, can't be read or isn't a whole number of fen"
    ),
    Reason.DEATH_UNREADABLE: Said(
        "death_date", "死亡日期为空或无法识别", "the date of death is missing or can't be read"
    ),
    Reason.DEATH_BEFORE_BIRTH: Said(
        "death_date", "死亡日期早于号码中的出生日期", "the death lies before the birth date in the identity number"
    ),
    Reason.CUSTODY_START_UNREADABLE: Said(
        "custody_from", "羁押开始日期为空或无法识别", "the first day of custody is missing or can't be read"
    ),
    Reason.CUSTODY_END_UNREADABLE: Said("custody_to", "羁押结束日期无法识别", "the last day of custody can't be read"),
    Reason.CUSTODY_INVERTED: Said("custody_to", "羁押结束早于开始", "custody ends before it begins"),
    Reason.ACCOUNT_UNREADABLE: Said("account", "账号为空或数字已丢失", "the account is missing or has lost digits"),
    Reason.RAGGED: Said("", "该行单元格数与表头不同", "the row has more or fewer cells than the heading"),
    Reason.QUOTATION: Said("", "引号不配对", "quotation marks don't close"),
    Reason.WRONG_BYTES: Said("", "该行有不是字符的字节", "the row holds bytes that are no characters"),
    Reason.UNREADABLE_ROW: Said("", "该行无法读取", "the row can't be read"),
}
