"""Why a row is quarantined (隔离): each reason with what the provider is told and can do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Aspect(StrEnum):
    """The four aspects of quality that a reason counts against."""

    COMPLETENESS = "completeness"  # 完整性
    VALIDITY = "validity"  # 有效性
    UNIQUENESS = "uniqueness"  # 唯一性
    TIMELINESS = "timeliness"  # 及时性


@dataclass(frozen=True)
class Reason:
    """One reason: which aspect it concerns, and the sentence."""

    aspect: Aspect
    chinese: str
    english: str


KEY_MISSING: Final = "key_missing"
KEY_DUPLICATE: Final = "key_duplicate"
REQUIRED_MISSING: Final = "required_missing"
VALUE_UNMAPPED: Final = "value_unmapped"
VALUE_BROKEN: Final = "value_broken"
VALUE_TOO_LONG: Final = "value_too_long"
DATE_FORMAT: Final = "date_format"
DATE_SERIAL: Final = "date_serial"
DATE_IMPOSSIBLE: Final = "date_impossible"
NUMBER_SCIENTIFIC: Final = "number_scientific"
IDENTITY_INVALID: Final = "identity_invalid"
IDENTITY_CHECK_DIGIT: Final = "identity_check_digit"
IDENTITY_BIRTH_DATE: Final = "identity_birth_date"
ENCODING_BROKEN: Final = "encoding_broken"
CONTROL_CHARACTER: Final = "control_character"
NAME_LOST_CHARACTER: Final = "name_lost_character"

_A = Aspect
REASONS: Final[dict[str, Reason]] = {
    KEY_MISSING: Reason(
        _A.COMPLETENESS, "主键为空，无法确定是哪一行", "the key is empty: which row it is can't be said"
    ),
    KEY_DUPLICATE: Reason(
        _A.UNIQUENESS,
        "主键重复：同一主键的各行都未交付，请保留正确的一行",
        "the key stands more than once: none of its rows was delivered; keep the right one",
    ),
    REQUIRED_MISSING: Reason(_A.COMPLETENESS, "必填项为空", "a required value is missing"),
    VALUE_UNMAPPED: Reason(
        _A.VALIDITY,
        "代码没有对照到标准代码，请补充代码对照表或更正",
        "the code has no standard code: complete the crosswalk or correct it",
    ),
    VALUE_BROKEN: Reason(_A.VALIDITY, "内容无法按该数据元读取", "the value can't be read as this element"),
    VALUE_TOO_LONG: Reason(_A.VALIDITY, "内容超过数据元的长度", "the value is longer than the element allows"),
    DATE_FORMAT: Reason(
        _A.VALIDITY,
        "日期写法与声明的格式不同，请统一格式或声明多种格式",
        "the date isn't written as declared: use one format, or declare several",
    ),
    DATE_SERIAL: Reason(
        _A.VALIDITY,
        "日期被电子表格变成了序列数，请以文本或日期重新导出",
        "a spreadsheet turned the date into a serial number: export it again as text or date",
    ),
    DATE_IMPOSSIBLE: Reason(_A.VALIDITY, "日历上没有这一天", "the calendar has no such day"),
    NUMBER_SCIENTIFIC: Reason(
        _A.VALIDITY,
        "号码被变成数值或科学计数法，末几位可能已丢失；请按文本重新导出，不要补齐",
        "the number became a figure or scientific notation; its last digits may be lost: export it again as text",
    ),
    IDENTITY_INVALID: Reason(_A.VALIDITY, "身份号码的位数或字符不对", "length or characters of the number are wrong"),
    IDENTITY_CHECK_DIGIT: Reason(
        _A.VALIDITY, "身份号码的校验码不符", "the check character of the identity number doesn't fit"
    ),
    IDENTITY_BIRTH_DATE: Reason(
        _A.VALIDITY, "身份号码中的出生日期不成立", "the birth date in the identity number can't be"
    ),
    ENCODING_BROKEN: Reason(
        _A.VALIDITY,
        "文字编码已损坏，请用 UTF-8 或 GB 18030 重新导出",
        "the text's encoding is broken: export it again as UTF-8 or GB 18030",
    ),
    CONTROL_CHARACTER: Reason(_A.VALIDITY, "内容中有控制字符", "the value holds a control character"),
    NAME_LOST_CHARACTER: Reason(
        _A.VALIDITY,
        "姓名中有占位符号（? □ * 等），原字已丢失或被遮盖",
        "a placeholder (? □ *) stands in the name where a character was lost or masked",
    ),
}
"""By code; a rule of the file brings a name of its own."""


def aspect_of(reason: str) -> Aspect:
    """Say which aspect of quality a reason counts against; rules of the file count as validity."""
    return REASONS[reason].aspect if reason in REASONS else Aspect.VALIDITY
