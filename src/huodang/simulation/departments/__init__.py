"""The six departments: each with its own database, its own schema and its own codes, as such systems have them.

One module a department says which tables it keeps (SQLAlchemy Core, so that the same definition stands on SQLite,
MariaDB and PostgreSQL) and what it knows of each person, rightly or wrongly. What it shares stands in
`data/gateways/<code>.yaml`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, MetaData, Table, create_engine, text

from huodang.simulation.departments import (
    health,
    housing_fund,
    justice,
    medical_insurance,
    police,
    social_insurance,
)
from huodang.simulation.departments.rows import Rows
from huodang.simulation.people import Population

_CHUNK = 20_000


@dataclass(frozen=True)
class Department:
    """One department: its code, its names, its tables and what it knows.

    Attributes:
        views: name of a view and its SELECT; a gateway reads them like tables.
        write_files: for a department that delivers files and keeps no database.
    """

    code: str
    chinese: str
    english: str
    metadata: MetaData | None = None
    rows: Callable[[Population], Rows] | None = None
    views: Mapping[str, str] = field(default_factory=dict)
    write_files: Callable[[Population, Path], None] | None = None

    def fill(self, population: Population, url: str) -> None:
        """Make the tables and views anew in the database at a URL and lay the rows in."""
        if self.metadata is None or self.rows is None:
            message = f"{self.code} keeps no database"
            raise ValueError(message)
        engine = create_engine(url)
        try:
            create_schema(engine, self.metadata, self.views)
            _insert(engine, self.rows(population).items())
        finally:
            engine.dispose()


def create_schema(engine: Engine, metadata: MetaData, views: Mapping[str, str]) -> None:
    """Drop what is there of these tables and views, and make them."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA journal_mode=WAL"))
        for view in views:
            connection.execute(text(f"DROP VIEW IF EXISTS {view}"))
        metadata.drop_all(connection)
        metadata.create_all(connection)
        for view, select in views.items():
            connection.execute(text(f"CREATE VIEW {view} AS {select}"))


def _insert(engine: Engine, rows: Iterable[tuple[Table, list[tuple[object, ...]]]]) -> None:
    """Insert by the driver's own executemany: a working life is hundreds of rows, and there are thousands of lives."""
    with engine.begin() as connection:
        for table, values in rows:
            insert = str(table.insert().compile(dialect=engine.dialect, column_keys=[c.name for c in table.columns]))
            insert = _positional(insert, table)
            for start in range(0, len(values), _CHUNK):
                connection.exec_driver_sql(insert, values[start : start + _CHUNK])


def _positional(insert: str, table: Table) -> str:
    """Turn named parameters (PostgreSQL's and MariaDB's drivers) into positional ones; SQLite's are so already."""
    for column in table.columns:
        insert = insert.replace(f"%({column.name})s", "%s")
    return insert


DEPARTMENTS: Mapping[str, Department] = {
    department.code: department
    for department in (
        Department("police", "公安", "Public Security", police.metadata, police.rows),
        Department("health", "卫生健康", "Health", health.metadata, health.rows),
        Department("justice", "司法行政", "Justice", write_files=justice.write_files),
        Department("housing_fund", "住房公积金", "Housing fund", housing_fund.metadata, housing_fund.rows),
        Department(
            "medical_insurance", "医疗保障", "Medical insurance", medical_insurance.metadata, medical_insurance.rows
        ),
        Department(
            "social_insurance",
            "社会保险经办",
            "Social insurance",
            social_insurance.metadata,
            social_insurance.rows,
            social_insurance.VIEWS,
        ),
    )
}

__all__ = ["DEPARTMENTS", "Department", "create_schema"]
