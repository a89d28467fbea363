"""A made-up crowd of pensioners as prepared tables, whose rows a test can change before they are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from huodang.standards import check_character
from huodang.supervision.tables import SCHEMAS, Kind

MONTH = 202506
Row = dict[str, Any]


@dataclass
class Crowd:
    """Rows by table; `person(n)` is the packed number of the n-th pensioner."""

    rows: dict[Kind, list[Row]] = field(default_factory=dict)
    persons: list[int] = field(default_factory=list)

    def of(self, kind: Kind, at: int) -> Row:
        """Give the first row of a pensioner in a table."""
        return next(row for row in self.rows[kind] if row["person"] == self.persons[at])

    def write(self, folder: Path, *, shuffled: int | None = None, without: tuple[Kind, ...] = ()) -> "Prepared":
        """Write the tables; in another order of rows, if asked."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind, rows in self.rows.items():
            if kind in without:
                continue
            given = [{"row": number, "fault": 0, **row} for number, row in enumerate(rows)]
            if shuffled is not None:
                given = [given[at] for at in np.random.default_rng(shuffled).permutation(len(given))]
            whole = [{name: row.get(name) for name in SCHEMAS[kind].names} for row in given]
            pq.write_table(pa.Table.from_pylist(whole, schema=SCHEMAS[kind]), folder / f"{kind.value}.parquet")
        return Prepared(folder)


@dataclass(frozen=True)
class Prepared:
    """A folder of prepared tables, as `score` takes it."""

    folder: Path

    def path(self, kind: Kind) -> Path | None:
        """Tell where a table is."""
        file = self.folder / f"{kind.value}.parquet"
        return file if file.exists() else None

    def original(self, kind: Kind, rows: Sequence[int]) -> pa.Table:
        """Give the texts of some rows, as the file would hold them."""
        stored = pq.read_table(self.folder / f"{kind.value}.parquet").to_pylist()
        return pa.Table.from_pylist(
            [
                {
                    "row": row["row"],
                    "file": "made-up.csv",
                    "file_row": row["row"] + 2,
                    "identity_number": full_number(row["person"]),
                    "name": "王小明",
                    "scheme": row["scheme"],
                    "month": str(row["month"]),
                    "amount": str(row["fen"]),
                    "account": str(row["account"]),
                    "region": row["region"],
                }
                for row in stored
                if row["row"] in set(rows)
            ]
        )


def full_number(person: int) -> str:
    """Give the 18 characters of a packed number."""
    return f"{person:017d}{check_character(f'{person:017d}')}"


def crowd(count: int = 1500, seed: int = 5) -> Crowd:
    """Make men of 62 to 95 who retired at 60, are paid what the rules give and see a doctor."""
    random = np.random.default_rng(seed)
    made = Crowd({kind: [] for kind in (Kind.PAYMENTS, Kind.ARCHIVES, Kind.VISITS, Kind.ENROLMENTS)})
    for number in range(count):
        age = int(random.integers(62, 95))
        born = 2025 - age
        person = (130100 + int(random.integers(1, 4))) * 10**11 + (born * 10_000 + 315) * 1000 + number * 2 % 1000 + 1
        person += number * 2 // 1000 * 10**11 * 10
        months = int(random.integers(200, 480))
        due = int(months * random.normal(900, 60)) + 20_000
        wage = int(random.normal(60_000, 5_000))
        made.persons.append(person)
        made.rows[Kind.PAYMENTS].append(
            {
                "person": person,
                "month": MONTH,
                "scheme": "110",
                "fen": due + int(random.normal(0, 20)),
                "account": 10_000 + number,
                "region": str(person // 10**11),
                "expected_fen": due,
            }
        )
        made.rows[Kind.ARCHIVES].append(
            {
                "person": person,
                "category": "male",
                "retirement_month": (born + 60) * 100 + 3,
                "special": 0,
                "employer": f"单位{number % 40}",
                "doctor": f"医师{number % 7}",
                "clerk": f"经办{number % 9}",
                "address": 90_000 + number,
                "contribution_months": months,
                "overrides": 0,
            }
        )
        made.rows[Kind.VISITS].append({"person": person, "last_on": 20250000 + int(random.integers(1, 6)) * 100 + 15})
        for back, fen in ((1, wage), (8, wage), (15, int(wage * 0.95)), (22, int(wage * 0.9))):
            ordinal = (born + 60) * 12 + 2 - back
            month = ordinal // 12 * 100 + ordinal % 12 + 1
            made.rows[Kind.ENROLMENTS].append({"person": person, "month": month, "fen": fen, "kind": "contribution"})
    return made
