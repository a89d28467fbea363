"""What a rule is: what it finds, what it can't judge, by which law, and the planted rows that prove it bites.

A rule is declared once as Ibis expressions, and runs unchanged on every engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

import ibis.expr.types as ir

from huodang.pension import LawReference
from huodang.supervision.rules.errors import SettingsError
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind


@dataclass(frozen=True)
class Bilingual:
    """One sentence for users, Chinese first."""

    chinese: str
    english: str


class Severity(StrEnum):
    """How near a finding is to a wrong payment. It orders the work; it stops nobody's pension."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {"high": "高", "medium": "中", "low": "低"}[self.value]


@dataclass(frozen=True)
class Tables:
    """The prepared tables of one check on one engine; None where none was given. Columns: `tables.SCHEMAS`."""

    payments: ir.Table | None = None
    deaths: ir.Table | None = None
    custody: ir.Table | None = None
    enrolments: ir.Table | None = None
    population: ir.Table | None = None
    certifications: ir.Table | None = None
    archives: ir.Table | None = None
    balances: ir.Table | None = None
    decisions: ir.Table | None = None
    institutions: ir.Table | None = None

    @classmethod
    def of(cls, tables: Mapping[Kind, ir.Table]) -> "Tables":
        """Take the tables that there are; kinds that no rule speaks of are passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{kind.value: table for kind, table in tables.items() if kind.value in known})

    def get(self, kind: Kind) -> ir.Table | None:
        """Give a table that may be missing."""
        found: ir.Table | None = getattr(self, kind.value)
        return found

    def require(self, kind: Kind) -> ir.Table:
        """Give a table that the rule names in `needs`.

        Raises:
            SettingsError: it wasn't given; a rule is to be run only where its `needs` are met.
        """
        found = self.get(kind)
        if found is None:
            raise SettingsError(
                f"规则所需的表没有提供：{kind.chinese}",
                f"a table that the rule needs wasn't given: {kind.value}",
                advice_chinese=f"请用 --{kind.value} 提供该表。",
                advice_english=f"Give it with --{kind.value}.",
            )
        return found


Find = Callable[[Tables, RuleSettings], ir.Table]
Plant = Callable[[Mint], Planted]


def nothing_unknown(_: Tables, __: RuleSettings) -> None:
    """Say that a rule can judge every row."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        code: Stable, as in `findings.json`.
        chinese, english: What it is called.
        severity: How near its findings are to a wrong payment.
        law: The law it applies, each with how firmly it stands.
        needs: Tables without which nothing can be judged.
        about: The kind of table whose rows it finds.
        evidence: Columns of a finding beyond `row` and `fen`.
        next_step: What may lawfully follow; never a stop by itself.
        find: The rows found: `row` int64 of `about`, once each; `fen` int64, what is at stake (0 where nothing is); and
            the evidence.
        unknown: The rows that couldn't be judged: `row` and `reason`, a code; None where every row can be.
        plant: Rows planted in every run, and which of them must be found.
    """

    code: str
    chinese: str
    english: str
    severity: Severity
    law: tuple[LawReference, ...]
    needs: frozenset[Kind]
    about: Kind
    evidence: tuple[str, ...]
    next_step: Bilingual
    find: Find
    plant: Plant
    unknown: Callable[[Tables, RuleSettings], ir.Table | None] = nothing_unknown
