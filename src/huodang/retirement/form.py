"""The one application form (一张表): parsed once at the border, whole or refused whole.

Pure: no database and no clock. What a department knows of the person comes later, from its verdict.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final, Self, TypeVar

from huodang.pension import Category, Route
from huodang.retirement.errors import FieldProblem, FormError
from huodang.standards import HuodangError, IdentityNumber, Month, PersonName

APPLICANT_KINDS: Final = ("person", "employer_clerk", "window_clerk")
_PHONE: Final = re.compile(r"(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8})\Z")
_ACCOUNT: Final = re.compile(r"[0-9]{8,30}\Z")
_PROVINCE: Final = re.compile(r"[a-z]{4,20}\Z")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_MALE: Final = "1"
Choice = TypeVar("Choice", Category, Route)


@dataclass(frozen=True)
class ApplicationForm:
    """What one person asks for (退休一件事申请表).

    Attributes:
        category: male, female55 (管理技术岗) or female50 (工人岗).
        route: normal, flexible early or late, or special early retirement (特殊工种).
        wished_month: the month asked for; None means the month that the law gives.
        employer: last employer; empty for flexible employment.
        applicant_kind: who files it: the person, the employer's clerk or the window's.
        one_child: the person holds an only-child parent's certificate and asks for the award.
        special_trade_months: months in a special trade (特殊工种) that the person states.
        notice_given_on: day of the written notice (flexible early) or of the agreement with the employer (flexible
            late).
        declaration: the person has signed that the statements are true (告知承诺).
        province: whose parameters are applied unless the agency's record says another.
    """

    identity_number: str
    name: str
    phone: str
    bank_account: str
    bank_name: str
    category: Category
    route: Route = Route.NORMAL
    wished_month: Month | None = None
    employer: str = ""
    applicant_kind: str = "person"
    one_child: bool = False
    special_trade_months: int = 0
    notice_given_on: date | None = None
    declaration: bool = False
    province: str = "hebei"

    @property
    def born(self) -> date | None:
        """The birth date within the identity number; None for a number that carries none."""
        return IdentityNumber.parse(self.identity_number).birth_date

    @property
    def sex(self) -> str | None:
        """The sex within the identity number, GB/T 2261.1; None for a number that carries none."""
        return IdentityNumber.parse(self.identity_number).sex

    def to_values(self) -> dict[str, Any]:
        """Give the form as plain values that JSON can hold; `parse` reads them back to an equal form."""
        values = asdict(self)
        values["category"] = self.category.value
        values["route"] = self.route.value
        values["wished_month"] = None if self.wished_month is None else str(self.wished_month)
        values["notice_given_on"] = None if self.notice_given_on is None else self.notice_given_on.isoformat()
        return values

    @classmethod
    def parse(cls, values: Mapping[str, Any], *, draft: bool = False) -> Self:
        """Read a form from texts or plain values, checking every field.

        Args:
            values: by field name; texts as people type them, or what `to_values` gave.
            draft: a form prepared for the person, whose phone, account and declaration may still be missing.

        Raises:
            FormError: names every field that fails; nothing is guessed or cut.
        """
        reader = _Reader(values)
        known = {field.name for field in fields(cls)}
        for name in sorted(set(values) - known):
            reader.fail(name, "unknown_field", "申请表没有这一项", "the form has no such field")
        form = cls(
            identity_number=reader.identity_number(),
            name=reader.name(),
            phone=reader.pattern(
                "phone", _PHONE, "应为手机号或带区号的固定电话", "a mobile or a landline with area code", draft=draft
            ),
            bank_account=reader.pattern("bank_account", _ACCOUNT, "应为 8 至 30 位数字", "8 to 30 digits", draft=draft),
            bank_name=reader.text("bank_name", longest=60, needed=not draft),
            category=reader.choice("category", Category, None),
            route=reader.choice("route", Route, Route.NORMAL),
            wished_month=reader.month("wished_month"),
            employer=reader.text("employer", longest=100, needed=False),
            applicant_kind=reader.one_of("applicant_kind", APPLICANT_KINDS),
            one_child=reader.truth("one_child"),
            special_trade_months=reader.count("special_trade_months", most=720),
            notice_given_on=reader.day("notice_given_on"),
            declaration=reader.truth("declaration"),
            province=reader.pattern(
                "province", _PROVINCE, "应为省份的拼音代码", "a province's code in pinyin", default="hebei"
            ),
        )
        if not reader.problems:
            _check_together(form, reader, draft=draft)
        if reader.problems:
            raise FormError(tuple(reader.problems))
        return form


def _check_together(form: ApplicationForm, reader: "_Reader", *, draft: bool) -> None:
    """Check what only two fields together can break."""
    if form.sex is not None and (form.sex == _MALE) != (form.category is Category.MALE):
        reader.fail(
            "category", "category_sex", "与身份证号码中的性别不符", "differs from the sex in the identity number"
        )
    if form.route is not Route.NORMAL and form.wished_month is None:
        reader.fail(
            "wished_month", "required", "弹性或提前退休须填写希望退休的年月", "this route needs the month asked for"
        )
    if form.route in {Route.FLEXIBLE_EARLY, Route.FLEXIBLE_LATE} and form.notice_given_on is None:
        reader.fail(
            "notice_given_on",
            "required",
            "弹性退休须填写书面告知或协商一致的日期",
            "flexible retirement needs the day of the written notice or agreement",
        )
    if not draft and not form.declaration:
        reader.fail("declaration", "required", "须由本人勾选告知承诺", "the person must confirm the declaration")


class _Reader:
    """Reads field by field and gathers what fails, so that the person hears everything at once."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.problems: list[FieldProblem] = []

    def fail(self, field: str, code: str, chinese: str, english: str) -> None:
        """Note one problem."""
        self.problems.append(FieldProblem(field, code, chinese, english))

    def _plain(self, field: str) -> str:
        """Give a field as trimmed text; a missing one as empty."""
        value = self._values.get(field)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.fail(field, "not_text", "应为文字", "must be text")
            return ""
        return unicodedata.normalize("NFC", str(value)).strip(" \u3000")

    def _by(self, field: str, parse: Callable[[str], str]) -> str:
        """Parse a needed field by a rule of the standards room, whose error names what failed."""
        text = self._plain(field)
        if not text:
            self._missing(field)
            return ""
        try:
            return parse(text)
        except HuodangError as error:
            self.fail(field, error.code, error.chinese, error.english)
            return ""

    def _missing(self, field: str) -> None:
        if not any(problem.field == field for problem in self.problems):
            self.fail(field, "required", "此项必填", "must be filled in")

    def identity_number(self) -> str:
        """Read and normalise the identity number."""
        return self._by("identity_number", lambda text: IdentityNumber.parse(text).text)

    def name(self) -> str:
        """Read the name as written."""
        return self._by("name", lambda text: PersonName.parse(text).text)

    def text(self, field: str, *, longest: int, needed: bool) -> str:
        """Read one line of text."""
        text = self._plain(field)
        if not text and needed:
            self._missing(field)
        if len(text) > longest:
            self.fail(field, "too_long", f"不得超过 {longest} 个字", f"must not be longer than {longest} characters")
        if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text):
            self.fail(field, "control_character", "含有不可见的控制字符", "holds a control character")
        return text

    def pattern(
        self, field: str, form: re.Pattern[str], chinese: str, english: str, *, draft: bool = False, default: str = ""
    ) -> str:
        """Read a text of a fixed shape."""
        text = unicodedata.normalize("NFKC", self._plain(field)).replace(" ", "") or default
        if not text:
            if not draft:
                self._missing(field)
        elif not form.match(text):
            self.fail(field, "shape", chinese, f"must be {english}")
        return text

    def one_of(self, field: str, allowed: tuple[str, ...]) -> str:
        """Read one of some words; the first is the default."""
        text = self._plain(field) or allowed[0]
        if text not in allowed:
            self.fail(field, "choice", "不是可选的值", "isn't one of the choices")
        return text

    def choice(self, field: str, kind: type[Choice], default: Choice | None) -> Choice:
        """Read one value of an enumeration."""
        text = self._plain(field)
        if not text and default is not None:
            return default
        if not text:
            self._missing(field)
        elif text not in {member.value for member in kind}:
            self.fail(field, "choice", "不是可选的值", "isn't one of the choices")
        else:
            return kind(text)
        return next(iter(kind))

    def month(self, field: str) -> Month | None:
        """Read a month, or none."""
        text = self._plain(field)
        if not text:
            return None
        try:
            month = Month.parse(text)
        except HuodangError as error:
            self.fail(field, error.code, error.chinese, error.english)
            return None
        if not 1990 <= month.year <= 2100:
            self.fail(field, "range", "年份应在 1990 至 2100 之间", "the year must lie between 1990 and 2100")
        return month

    def day(self, field: str) -> date | None:
        """Read a day written YYYY-MM-DD, or none."""
        text = self._plain(field)
        if not text:
            return None
        found = _DAY.match(text)
        day = None
        if found is not None:
            with suppress(ValueError):  # a day such as 31 February
                day = date(int(found[1]), int(found[2]), int(found[3]))
        if day is None:
            self.fail(
                field, "date", "不是存在的日期，应写成 2025-01-31", "isn't a date that exists, written 2025-01-31"
            )
            return None
        if not 1990 <= day.year <= 2100:
            self.fail(field, "range", "年份应在 1990 至 2100 之间", "the year must lie between 1990 and 2100")
        return day

    def count(self, field: str, *, most: int) -> int:
        """Read a whole number of months."""
        text = self._plain(field) or "0"
        if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > most:
            self.fail(field, "number", f"应为 0 至 {most} 的整数", f"must be a whole number from 0 to {most}")
            return 0
        return int(text)

    def truth(self, field: str) -> bool:
        """Read yes or no, as a JSON truth value or as a form's check box sends it."""
        value = self._values.get(field)
        if isinstance(value, bool):
            return value
        text = self._plain(field).lower()
        if text not in {"", "0", "1", "true", "false", "on", "yes", "no", "是", "否"}:
            self.fail(field, "choice", "应为是或否", "must be yes or no")
        return text in {"1", "true", "on", "yes", "是"}
