"""Planted rows (金丝雀): cases made up for a rule, which must be found in every run, and near misses which must not.

Their rows are numbered below 0. Their persons stand in a region that no number has (999999) and their accounts beyond
the 60 bits of real ones, so they meet no real person and disturb no finding.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from huodang.supervision.rules.errors import SettingsError
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import SCHEMAS, Kind

_REGION: Final = 999_999
_SEQUENCES: Final = 1000
_FIRST_ACCOUNT: Final = 1 << 60
_NUMERALS: Final = "零一二三四五六七八九"
_BORN: Final = 19550615

Cell = int | str | None


@dataclass(frozen=True)
class Planted:
    """Planted rows.

    Attributes:
        tables: The rows by kind of table.
        expected: By rule, the rows that it must find.
        spared: By rule, near misses that it must not find.
    """

    tables: dict[Kind, pa.Table]
    expected: dict[str, tuple[int, ...]]
    spared: dict[str, tuple[int, ...]]


@dataclass
class Mint:
    """Makes planted rows for a check: each row number, person, name and account once.

    Attributes:
        settings: What the check asks for; what is planted is to be found in its month, by its thresholds.
    """

    settings: RuleSettings
    _rows: dict[Kind, list[dict[str, Cell]]] = field(default_factory=dict)
    _sequences: Counter[int] = field(default_factory=Counter)
    _people: int = 0
    _accounts: int = 0
    _expected: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _spared: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def person(self, born: int = _BORN, *, female: bool = False) -> int:
        """Give a person that no real one can be.

        Args:
            born: Date of birth in the number, YYYYMMDD.
            female: By the last digit, as in real numbers.

        Raises:
            SettingsError: more people of one birth date and sex are planted than there are numbers.
        """
        key = born * 2 + int(female)
        sequence = 2 * self._sequences[key] + (0 if female else 1)
        if sequence >= _SEQUENCES:
            raise SettingsError("植入的人员过多", "too many people are planted")
        self._sequences[key] += 1
        return (_REGION * 10**8 + born) * _SEQUENCES + sequence

    def name(self) -> str:
        """Give a name that is nobody's."""
        self._people += 1
        return "校验样本" + "".join(_NUMERALS[int(digit)] for digit in str(self._people))

    def account(self) -> int:
        """Give an account that is nobody's."""
        self._accounts += 1
        return _FIRST_ACCOUNT + self._accounts

    def day(self, months: int, day: int = 15) -> int:
        """Give a day, YYYYMMDD, in the month so many months after the one under check (before it, if negative)."""
        return self.code(months) * 100 + day

    def code(self, months: int = 0) -> int:
        """Give the month so many months after the one under check as YYYYMM."""
        return int(str(self.settings.month + months))

    def row(self, table: Kind, person: int | None, /, **cells: Cell) -> int:
        """Plant a row and give its number.

        Every cell that isn't given is NULL, but `fault` (0), `name` (nobody's), and a payment's `month` (the one under
        check) and `fen` (1,000 yuan).

        Raises:
            SettingsError: the table has no such column.
        """
        unknown = set(cells) - set(SCHEMAS[table].names)
        if unknown:
            column = min(unknown)
            raise SettingsError(f"表 {table.value} 没有列 {column}", f"table {table.value} has no column {column}")
        rows = self._rows.setdefault(table, [])
        number = -1 - len(rows)
        made: dict[str, Cell] = {"row": number, "person": person, "fault": 0, "name": self.name()}
        if table is Kind.PAYMENTS:
            made |= {"month": self.code(), "fen": 100_000}
        rows.append({**dict.fromkeys(SCHEMAS[table].names), **made, **cells})
        return number

    def payment(self, person: int | None, /, **cells: Cell) -> int:
        """Plant a payment, by default of 1,000 yuan in the month under check."""
        return self.row(Kind.PAYMENTS, person, **cells)

    def done(self, code: str, expected: tuple[int, ...], spared: tuple[int, ...] = ()) -> Planted:
        """Note which rows a rule must find and which not, and give all that was planted so far."""
        self._expected[code] = expected
        self._spared[code] = spared
        return self.planted()

    def planted(self) -> Planted:
        """Give all that was planted so far."""
        tables = {kind: pa.Table.from_pylist(rows, schema=SCHEMAS[kind]) for kind, rows in self._rows.items()}
        return Planted(tables, dict(self._expected), dict(self._spared))
