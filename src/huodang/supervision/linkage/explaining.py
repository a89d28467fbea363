"""Taking links apart for people: what spoke for each, what against, and how much. Persons masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from huodang.supervision.linkage.comparisons import Comparison
from huodang.supervision.linkage.tables import Records
from huodang.supervision.linkage.training import paired
from huodang.trust import MaskLevel, mask

_SHOWN_OF: Final = (
    ("name", "name"),
    ("written", "identity_number"),
    ("birth", "birth_date"),
    ("sex", "sex"),
    ("region", "household_region"),
)


@dataclass(frozen=True)
class Part:
    """What one comparison says of a pair.

    Attributes:
        chinese, english: what is compared.
        level_chinese, level_english: what was found.
        weight: what it adds, base 2; below zero it speaks against.
        missing: one of the records doesn't tell.
    """

    chinese: str
    english: str
    level_chinese: str
    level_english: str
    weight: float
    missing: bool


@dataclass(frozen=True)
class Explained:
    """One link taken apart.

    Attributes:
        way: `number`, `repaired` or `weighed`.
        left, right: what the records hold, masked, by element.
        parts: of a weighed link, in the order of comparison; empty for links by number.
    """

    left_row: int
    right_row: int
    probability: float
    way: str
    left: dict[str, str]
    right: dict[str, str]
    parts: tuple[Part, ...]


def explain(records: Records, comparisons: Sequence[Comparison], shown: int) -> tuple[Explained, ...]:
    """Take apart the `shown` least certain links and a tenth as many of the others."""
    connection = records.connection
    connection.execute("""CREATE OR REPLACE TEMP TABLE every_link AS
        SELECT left_row, right_row, probability, 'weighed' AS way FROM chosen
        UNION ALL SELECT left_row, right_row, probability, way FROM by_number""")
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE shown_link AS
        (SELECT * FROM every_link ORDER BY probability, left_row, right_row LIMIT {shown})
        UNION (SELECT * FROM every_link ORDER BY hash(left_row, right_row), left_row, right_row LIMIT {shown // 10})""")
    left_names, right_names = (_columns(records, table) for table in ("left_side", "right_side"))
    joined = ""
    weights = []
    if comparisons:
        beside = paired("SELECT left_row, right_row FROM shown_link", comparisons, left="left_side", right="right_side")
        levels = ", ".join(f"{one.case()} AS level_{one.name}" for one in comparisons)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE shown_level AS SELECT left_row, right_row, {levels} FROM ({beside})"
        )
        weights = [f"v.level_{one.name}, w.part_{one.name}" for one in comparisons]
        joined = """JOIN shown_level v ON v.left_row = s.left_row AND v.right_row = s.right_row
            LEFT JOIN weighed w ON w.left_row = s.left_row AND w.right_row = s.right_row"""
    sides = ", ".join(
        [f"l.{name} AS left_{name}" for name in left_names] + [f"r.{name} AS right_{name}" for name in right_names]
    )
    told = ", ".join(part for part in ("s.left_row, s.right_row, s.probability, s.way", sides, *weights) if part)
    rows = connection.sql(f"""SELECT {told} FROM shown_link s JOIN left_side l ON l.row = s.left_row
        JOIN right_side r ON r.row = s.right_row {joined}
        ORDER BY s.probability, s.left_row, s.right_row""").to_arrow_table()
    return tuple(_explained(row, comparisons) for row in rows.to_pylist())


def _columns(records: Records, table: str) -> list[str]:
    there = {name for name, *_ in records.connection.execute(f"DESCRIBE {table}").fetchall()}
    return [name for name, _ in _SHOWN_OF if name in there]


def _explained(row: dict[str, Any], comparisons: Sequence[Comparison]) -> Explained:
    def side(name: str) -> dict[str, str]:
        return {
            element: mask(element, row.get(f"{name}_{column}") or "", MaskLevel.PARTIAL)
            for column, element in _SHOWN_OF
            if row.get(f"{name}_{column}")
        }

    parts = tuple(_part(row, one) for one in comparisons) if row["way"] == "weighed" else ()
    return Explained(
        row["left_row"], row["right_row"], row["probability"], row["way"], side("left"), side("right"), parts
    )


def _part(row: dict[str, Any], comparison: Comparison) -> Part:
    level = int(row[f"level_{comparison.name}"])
    if level < 0:
        return Part(comparison.chinese, comparison.english, "缺", "missing", 0.0, missing=True)
    found = comparison.levels[len(comparison.levels) - 1 - level]
    return Part(
        comparison.chinese,
        comparison.english,
        found.chinese,
        found.english,
        float(row[f"part_{comparison.name}"]),
        missing=False,
    )
