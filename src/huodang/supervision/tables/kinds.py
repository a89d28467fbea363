"""The kinds of table a check takes, and the columns looked for in each: what a file may tell, in its own words.

A column here is what is read; what the rules see is in `schema.py`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Kind(StrEnum):
    """A kind of table, named as its option of `huodang check`."""

    PAYMENTS = "payments"
    DEATHS = "deaths"
    CUSTODY = "custody"
    ENROLMENTS = "enrolments"
    POPULATION = "population"
    CERTIFICATIONS = "certifications"
    ARCHIVES = "archives"
    BALANCES = "balances"
    DECISIONS = "decisions"
    INSTITUTIONS = "institutions"
    VISITS = "visits"

    @property
    def chinese(self) -> str:
        """Its name in Chinese."""
        return _CHINESE[self]


_CHINESE: Final = {
    Kind.PAYMENTS: "待遇发放明细",
    Kind.DEATHS: "死亡信息",
    Kind.CUSTODY: "服刑羁押信息",
    Kind.ENROLMENTS: "其他险种待遇或缴费",
    Kind.POPULATION: "户籍人口",
    Kind.CERTIFICATIONS: "资格认证",
    Kind.ARCHIVES: "退休档案",
    Kind.BALANCES: "个人账户余额",
    Kind.DECISIONS: "待遇核定或调整",
    Kind.INSTITUTIONS: "机构集体账户",
    Kind.VISITS: "就诊等生存痕迹",
}

Meaning = Literal[
    "identity", "text", "name", "account", "date", "span", "month", "money", "sex", "code", "flag", "count"
]
"""How the values of a column are read; a `span` is a date of which only year or month may be known."""


@dataclass(frozen=True)
class Source:
    """One column that is looked for.

    Attributes:
        name: its canonical name, as in a mapping file.
        meaning: how its values are read.
        element: the data element by whose rule it is masked; empty: never masked.
        required: without it the table can't be used.
    """

    name: str
    meaning: Meaning
    element: str = ""
    required: bool = False


_IDENTITY: Final = Source("identity_number", "identity", "identity_number", required=True)
_PERHAPS: Final = Source("identity_number", "identity", "identity_number")
_NAME: Final = Source("name", "name", "name")
_SCHEME: Final = Source("scheme", "code")
_MONTH: Final = Source("month", "month", required=True)
_REGION: Final = Source("region", "text")
_SEX: Final = Source("sex", "sex")
_BIRTH: Final = Source("birth_date", "date", "birth_date")

SOURCES: Final[dict[Kind, tuple[Source, ...]]] = {
    Kind.PAYMENTS: (
        _IDENTITY,
        _NAME,
        _SCHEME,
        _MONTH,
        Source("amount", "money", required=True),
        Source("account", "account", "bank_account"),
        _REGION,
        Source("kind", "code"),
        _SEX,
        _BIRTH,
        Source("category", "code"),
        Source("benefit_from", "month"),
        Source("expected_amount", "money"),
        Source("decision", "text"),
    ),
    Kind.DEATHS: (
        _IDENTITY,
        _NAME,
        Source("death_date", "span", "death_date", required=True),
        Source("source", "text"),
    ),
    Kind.CUSTODY: (
        _IDENTITY,
        _NAME,
        Source("custody_from", "date", "custody_from", required=True),
        Source("custody_to", "date", "custody_to"),
        Source("sentence_type", "code"),
    ),
    Kind.ENROLMENTS: (_IDENTITY, _NAME, _SCHEME, _MONTH, Source("amount", "money"), Source("kind", "code"), _REGION),
    Kind.POPULATION: (
        _IDENTITY,
        _NAME,
        _SEX,
        _BIRTH,
        Source("status", "code"),
        Source("death_date", "date", "death_date"),
    ),
    Kind.CERTIFICATIONS: (
        _IDENTITY,
        _NAME,
        Source("certified_on", "date", "certified_on"),
        Source("due_on", "date", "certified_on"),
        Source("result", "code"),
    ),
    Kind.ARCHIVES: (
        _IDENTITY,
        _NAME,
        _SEX,
        _BIRTH,
        Source("category", "code"),
        Source("retirement_month", "month"),
        Source("special", "flag"),
        Source("employer", "text"),
        Source("contribution_months", "count"),
        Source("doctor", "text"),
        Source("clerk", "text"),
        Source("address", "account", "household_address"),
        Source("overrides", "count"),
    ),
    Kind.BALANCES: (_IDENTITY, _NAME, Source("balance", "money", required=True), Source("as_of", "date")),
    Kind.DECISIONS: (_IDENTITY, _NAME, _MONTH, Source("amount", "money"), Source("decision", "text")),
    Kind.INSTITUTIONS: (
        _PERHAPS,
        Source("name", "text"),
        Source("account", "account", "bank_account", required=True),
    ),
    Kind.VISITS: (_IDENTITY, _NAME, Source("last_on", "date", required=True)),
}
