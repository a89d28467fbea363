"""The lawful retirement age, the payout months of an age, and the months of contributions it takes. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache

from huodang.pension.errors import BadFacts
from huodang.pension.parameter_files import Parameter, Status, national
from huodang.standards import Month, to_half_width

# A birth outside these years is a slip of the pen, not a person who retires.
EARLIEST_BIRTH = Month(1900, 1)
LATEST_BIRTH = Month(2100, 12)


class Category(StrEnum):
    """The three categories of the retirement age: men, women of 55 and women of 50 (原法定退休年龄)."""

    MALE = "male"
    FEMALE55 = "female55"
    FEMALE50 = "female50"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {"male": "男职工", "female55": "原 55 岁退休女职工", "female50": "原 50 岁退休女职工"}[self.value]

    @classmethod
    def parse(cls, text: str) -> "Category":
        """Read a category as codes or people write it: `male`, 男, 女55, 女干部, 女50, 女工人, 灵活就业女, ….

        Raises:
            BadFacts: the text is another, or says only 女, which leaves 50 or 55 open.
        """
        found = _WORDS.get(to_half_width(text).strip().lower().replace(" ", ""))
        if found is None:
            raise BadFacts(
                "人员类别无法识别",
                "the category isn't known",
                advice_chinese="请写 male（男）、female55（女55、女干部、灵活就业女）或 female50（女50、女工人）。",
                advice_english="Write male, female55 or female50.",
            )
        return found


_WORDS = {
    word: category
    for category, words in (
        (Category.MALE, "male 男 男性 男职工 男60 男60岁"),
        (Category.FEMALE55, "female55 女55 女55岁 女性55 女职工55 女干部 灵活就业女 灵活就业女性 女灵活就业"),
        (Category.FEMALE50, "female50 女50 女50岁 女性50 女职工50 女工人"),
    )
    for word in words.split()
}


def category_of(sex: str, *, manager: bool = False, flexible_employment: bool = False) -> Category:
    """Choose the category of a person.

    Women in flexible employment (灵活就业) have the original age 55, whatever their work before: their delay runs from
    1970-01 by 4 months to 58, not from 1975-01 by 2.

    Args:
        sex: Code of GB/T 2261.1, `1` or `2`.
        manager: The woman holds a managerial or technical post (管理、技术岗位, 女干部).
        flexible_employment: The woman pays as a flexibly employed person.

    Raises:
        BadFacts: the sex is neither.

    Source: 国发〔1978〕104号; rule R-RET-08 (unverified for posts).
    """
    if sex == "1":
        return Category.MALE
    if sex == "2":
        return Category.FEMALE55 if manager or flexible_employment else Category.FEMALE50
    raise BadFacts("性别代码应为 1 或 2", "the code of sex is 1 or 2")


@dataclass(frozen=True)
class LawReference:
    """The law behind one figure.

    Attributes:
        concerns: Name of the figure, such as `delay_months`.
        chinese: What the figure is, in Chinese.
        law: Law and clause.
        status: How firmly it stands.
    """

    concerns: str
    chinese: str
    law: str
    status: Status

    @classmethod
    def of(cls, concerns: str, parameter: Parameter) -> "LawReference":
        """Cite the law of a parameter."""
        return cls(concerns, parameter.chinese, parameter.law, parameter.status)

    @property
    def text(self) -> str:
        """Say it in one line, with a mark where it isn't verified."""
        mark = "（待核实）" if self.status is Status.UNVERIFIED else ""
        return f"{self.chinese}：{self.law}{mark}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class RetirementAge:
    """What follows from category and month of birth.

    Attributes:
        delay_months: Months added to the original age (延迟月数).
        age_months: Lawful retirement age in months.
        retirement_month: Month in which that age is reached.
        payout_months: 计发月数 at that age, to 0.1.
        minimum_contribution_months: Months of contributions that a retirement in that year takes.
        laws: The law of each figure.
    """

    delay_months: int
    age_months: int
    retirement_month: Month
    payout_months: Decimal
    minimum_contribution_months: int
    laws: tuple[LawReference, ...]


@cache
def retirement_age(category: Category, born: Month) -> RetirementAge:
    """Compute the lawful retirement age of the gradual delay.

    Whoever reached the original age before the law's first month has no delay. From then on every started step of 4
    months (men and women of 55) or 2 months (women of 50) of later birth adds one month, up to the category's limit:
    `min(floor(k / step) + 1, limit)`, with `k` the months from the first birth month concerned.

    Raises:
        BadFacts: the month of birth is outside 1900 to 2100.

    Source: 《国务院关于渐进式延迟法定退休年龄的办法》第一条、第二条; 国发〔2005〕38号附件.
    """
    if not EARLIEST_BIRTH <= born <= LATEST_BIRTH:
        raise BadFacts(
            f"出生年月不在 {EARLIEST_BIRTH.iso} 至 {LATEST_BIRTH.iso} 之间",
            f"the month of birth isn't between {EARLIEST_BIRTH.iso} and {LATEST_BIRTH.iso}",
            advice_chinese="请核对出生年月。",
            advice_english="Check the month of birth.",
        )
    rules = national()
    original = original_age_months(category)
    delay_rule = rules.find("retirement_delay", born + original)
    delay = delay_months(category, born, delay_rule)
    age = original + delay
    month = born + age
    minimum = rules.value("minimum_contribution_months", month)
    return RetirementAge(
        delay_months=delay,
        age_months=age,
        retirement_month=month,
        payout_months=payout_months(age),
        minimum_contribution_months=minimum.number,
        laws=(
            LawReference.of("delay_months", delay_rule or rules.sole("original_retirement_age")),
            LawReference.of("age_months", rules.sole("original_retirement_age")),
            LawReference.of("payout_months", rules.sole("payout_months")),
            LawReference.of("min_contribution_months", minimum),
        ),
    )


def original_age_months(category: Category) -> int:
    """Give the original lawful age (原法定退休年龄) in months: 720, 660 or 600.

    Source: 国发〔1978〕104号.
    """
    return national().sole("original_retirement_age").figure(category.value)


def delay_months(category: Category, born: Month, rule: Parameter | None) -> int:
    """Give the months of delay under one version of the rule; none without a rule."""
    if rule is None:
        return 0
    steps = rule.table[category.value]
    elapsed = born - Month.parse(steps["first_birth_month"])
    if elapsed < 0:
        return 0
    return int(min(elapsed // int(steps["months_per_step"]) + 1, int(steps["most_months"])))


def minimum_contribution_months(retirement_month: Month) -> int:
    """Give the months of contributions that a retirement in this month takes: 180 to 2029, then 6 more a year to 240.

    Source: 《国务院关于渐进式延迟法定退休年龄的办法》第二条.
    """
    return national().value("minimum_contribution_months", retirement_month).number


def payout_months(age_months: int) -> Decimal:
    """Give the payout months (计发月数) of an age in months.

    Between two birthdays the table is interpolated linearly by month; the result is rounded HALF_UP to 0.1.

    Raises:
        BadFacts: the age is below 40 or above 70 years, where the table ends.

    Source: 国发〔2005〕38号附件; interpolation and rounding fit 13 ages of public statements.
    """
    table = national().sole("payout_months").table
    years, months = divmod(age_months, 12)
    low = table.get(str(years))
    high = low if months == 0 else table.get(str(years + 1))
    if low is None or high is None:
        raise BadFacts(
            "退休年龄超出计发月数表（40 至 70 岁）",
            "the retirement age is outside the table of payout months (40 to 70 years)",
            advice_chinese="请核对出生年月和退休年月。",
            advice_english="Check the months of birth and retirement.",
        )
    exact = Fraction(int(low)) + Fraction((int(high) - int(low)) * months, 12)
    tenths = (2 * 10 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return Decimal(tenths).scaleb(-1).normalize() if tenths % 10 else Decimal(tenths // 10)
