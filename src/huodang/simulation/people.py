"""The synthetic people: who they are, what they worked, and what is awkward about them.

Everything follows from one seed. A `Person` holds the truth and the quirks; what each department wrongly or rightly
knows about the person is laid down by `simulation.departments`.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from huodang.pension import Category, Route
from huodang.simulation.statements import Statement
from huodang.standards import Money, Month

ACCOUNTS_BEGAN = Month(1996, 1)  # Hebei's 建账时间; what was worked before it earns the transitional part


class Standing(StrEnum):
    """Where in life a person stands."""

    WORKING = "working"
    DUE = "due"  # has reached, or reaches next month, the age or the wished month, and draws nothing yet
    RETIRED = "retired"


class Quirk(StrEnum):
    """What is awkward about a person: the departments' data disagree, are missing, or stand in the way."""

    DEAD_ON_PAPER = "dead_on_paper"  # 户籍误注销: the register says dead, the person stands at the window
    DIED_WHILE_PENDING = "died_while_pending"
    IN_PRISON = "in_prison"
    ON_PROBATION = "on_probation"
    TWO_SCHEMES = "two_schemes"  # enrolled in the residents' scheme too
    DUPLICATE_BENEFIT = "duplicate_benefit"  # draws a residents' pension already
    BIRTH_DATE_DIFFERS = "birth_date_differs"  # between archive and register
    FIFTEEN_DIGITS = "fifteen_digits"  # a source still holds the number of 15 digits
    RENAMED = "renamed"
    ABOLISHED_REGION = "abolished_region"
    NOT_REGISTERED = "not_registered"  # household moved here, register hasn't the person yet
    HOUSING_ARREARS = "housing_arrears"
    YEARS_SHORT = "years_short"


@dataclass(frozen=True, slots=True)
class Spell:
    """Months worked and paid for without a break, both ends included."""

    first: Month
    last: Month

    @property
    def months(self) -> int:
        """How many months the spell has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Career:
    """What the social-insurance archive knows of a working life."""

    spells: tuple[Spell, ...]
    deemed: tuple[Spell, ...]  # 视同缴费年限: worked for the state before contributions began
    average_index: Decimal
    account: Money
    special_trade_months: int = 0

    @property
    def contribution_months(self) -> int:
        """Months really paid for."""
        return sum(spell.months for spell in self.spells)

    @property
    def deemed_months(self) -> int:
        """Months that count without payment."""
        return sum(spell.months for spell in self.deemed)

    @property
    def pre_account_months(self) -> int:
        """Months credited before individual accounts began."""
        return sum(
            max(0, min(spell.last, ACCOUNTS_BEGAN - 1) - spell.first + 1) for spell in (*self.spells, *self.deemed)
        )


@dataclass(frozen=True, slots=True)
class Employer:
    """An employer (单位): its number and its made-up name."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person."""

    serial: int
    number: str
    name: str
    sex: str
    born: date  # as the archive's earliest record has it
    nationality: str
    household_region: str
    province: str
    phone: str
    bank_account: str
    category: Category
    standing: Standing
    route: Route
    wished: Month  # the month of retirement asked for: the lawful one unless the route says otherwise
    lawful: Month
    career: Career
    employer: Employer | None
    housing_account: bool = True
    housing_balance: Money = field(default_factory=Money.zero)
    medical_months: int = 0
    one_child: bool = False
    former_name: str | None = None
    died: date | None = None
    notice_given_on: date | None = None  # flexible routes: the written notice to, or agreement with, the employer
    quirks: frozenset[Quirk] = frozenset()
    statement: Statement | None = None

    @property
    def registered_birth(self) -> date:
        """The birth date in the register and in the identity number."""
        return date(int(self.number[6:10]), int(self.number[10:12]), int(self.number[12:14]))


@dataclass(frozen=True)
class Population:
    """Everybody of the synthetic province, on one business date."""

    seed: int
    today: date
    people: tuple[Person, ...]

    @property
    def due(self) -> tuple[Person, ...]:
        """Those who go through the joint case, in the order of their numbers."""
        return tuple(person for person in self.people if person.standing is Standing.DUE)

    @property
    def next_to_apply(self) -> tuple[Person, ...]:
        """Those who reach the age next month, take their time and have nothing awkward: a new morning's applicants."""
        month = Month.of(self.today) + 1
        return tuple(
            person
            for person in self.people
            if person.standing is Standing.WORKING and person.lawful == month and not person.quirks
        )
