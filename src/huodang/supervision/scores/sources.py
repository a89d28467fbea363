"""The prepared tables as views of one DuckDB, the same columns whether a file was given or not.

A table that wasn't prepared is an empty view, a column that a source doesn't tell is NULL: the scores ask one question
whatever was given, and what could not be judged shows as "not told".
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import duckdb

from huodang.supervision.tables import Kind


class PreparedTables(Protocol):
    """What the scores need of `tables.Prepared`."""

    def path(self, kind: Kind) -> Path | None:
        """Tell where the Parquet file of a kind stands, if it was prepared."""
        ...


# What the scores read of each table, with the type an absent column takes.
COLUMNS: Final[dict[Kind, dict[str, str]]] = {
    Kind.PAYMENTS: {
        "row": "BIGINT",
        "person": "BIGINT",
        "fault": "TINYINT",
        "month": "INTEGER",
        "scheme": "VARCHAR",
        "fen": "BIGINT",
        "account": "BIGINT",
        "region": "VARCHAR",
        "kind": "VARCHAR",
        "category": "VARCHAR",
        "benefit_from": "INTEGER",
        "expected_fen": "BIGINT",
        "decision": "VARCHAR",
    },
    Kind.ARCHIVES: {
        "person": "BIGINT",
        "category": "VARCHAR",
        "retirement_month": "INTEGER",
        "special": "TINYINT",
        "employer": "VARCHAR",
        "doctor": "VARCHAR",
        "clerk": "VARCHAR",
        "address": "BIGINT",
        "contribution_months": "INTEGER",
        "overrides": "INTEGER",
    },
    Kind.ENROLMENTS: {"person": "BIGINT", "month": "INTEGER", "fen": "BIGINT", "kind": "VARCHAR"},
    Kind.CERTIFICATIONS: {"person": "BIGINT", "certified_on": "INTEGER"},
    Kind.VISITS: {"person": "BIGINT", "last_on": "INTEGER"},
    Kind.INSTITUTIONS: {"account": "BIGINT"},
}


@dataclass(frozen=True)
class Sources:
    """One open DuckDB over the prepared tables.

    Attributes:
        connection: With a view for each kind of `COLUMNS`, named as the kind.
        given: The kinds that were prepared.
    """

    connection: duckdb.DuckDBPyConnection
    given: frozenset[Kind]


@contextmanager
def open_sources(prepared: PreparedTables, memory: str, threads: int | None, work: Path | None) -> Iterator[Sources]:
    """Open the prepared tables; what doesn't fit the memory goes to a folder that is gone afterwards.

    Args:
        prepared: Where the tables stand.
        memory: What DuckDB may take, such as `4GB`.
        threads: How many at once; as many as there are cores if None.
        work: Where to put what doesn't fit; the system's own place if None.
    """
    spill = tempfile.mkdtemp(prefix="huodang-scores-", dir=work)
    options: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory, "temp_directory": spill}
    if threads:
        options["threads"] = threads
    connection = duckdb.connect(config=options)
    try:
        connection.execute("SET preserve_insertion_order = false")
        given = frozenset(kind for kind in COLUMNS if _view(connection, kind, prepared.path(kind)))
        yield Sources(connection, given)
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def _view(connection: duckdb.DuckDBPyConnection, kind: Kind, path: Path | None) -> bool:
    wanted = COLUMNS[kind]
    if path is None or not path.exists():
        nothing = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in wanted.items())
        connection.execute(f"CREATE VIEW {kind.value} AS SELECT {nothing} WHERE false")
        return False
    source = f"read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
    told = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    chosen = ", ".join(
        f"{name}::{type_} AS {name}" if name in told else f"NULL::{type_} AS {name}" for name, type_ in wanted.items()
    )
    connection.execute(f"CREATE VIEW {kind.value} AS SELECT {chosen} FROM {source}")
    return True
