"""Values that one product keeps and another spells, cuts or refuses: they cross, or their row alone is refused."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from huodang.exchange.sync import SyncReport, SyncRequest, sync_table

BITS = (
    "CREATE TABLE flags (k int PRIMARY KEY, few bit(8), all_of_them bit(64))",
    "INSERT INTO flags VALUES (1, 5, 18446744073709551615), (2, 0, 0), (3, 255, 1)",
)
ZEROS = (
    "CREATE TABLE score (k int PRIMARY KEY, wide double precision, narrow real)",
    "INSERT INTO score VALUES (1, '-0', '-0'), (2, '0', '0'), (3, '-1.5', '5e-30')",
)
LOOSE = """CREATE TABLE moment (k INTEGER PRIMARY KEY, day DATE, at TIMESTAMP, clock TIME);
INSERT INTO moment VALUES (1, '2025-01-02', '2025-01-02 03:04:05', '08:30'), (2, '20250102', NULL, NULL),
(3, '', NULL, NULL), (4, 45678, NULL, NULL), (5, NULL, '去年', NULL), (6, NULL, NULL, 'noon'),
(7, NULL, NULL, '8:30:00');
"""


def run(url: str, *statements: str) -> None:
    """Run statements at a server."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def lot(source: str, table: str, target: str, folder: Path, **more: str) -> SyncReport:
    """Do one lot by the key `k`, and see that it is proved."""
    report = sync_table(SyncRequest(source, table, ("k",), target, work_folder=folder, **more))  # type: ignore[arg-type]
    assert report.proof is not None
    assert report.proof.equal
    return report


@pytest.mark.mariadb
def test_bits_cross_to_a_table_of_bits_and_to_sqlite(mariadb_url: str, tmp_path: Path) -> None:
    run(mariadb_url, *BITS)
    for target, table in ((mariadb_url, "flags_copy"), (str(tmp_path / "target.db"), "flags")):
        first = lot(mariadb_url, "flags", target, tmp_path, target_table=table)
        assert (first.inserted, first.quarantined) == (3, 0)
    run(mariadb_url, "UPDATE flags SET few = 7 WHERE k = 1")
    assert lot(mariadb_url, "flags", mariadb_url, tmp_path, target_table="flags_copy").updated == 1


@pytest.mark.postgresql
def test_zero_below_zero_is_zero_where_the_target_keeps_no_sign(postgresql_url: str, tmp_path: Path) -> None:
    run(postgresql_url, *ZEROS)
    target = str(tmp_path / "target.db")
    assert lot(postgresql_url, "score", target, tmp_path).inserted == 3
    assert lot(postgresql_url, "score", target, tmp_path).updated == 0


@pytest.mark.parametrize(
    "server",
    [
        pytest.param("mariadb_url", marks=pytest.mark.mariadb),
        pytest.param("postgresql_url", marks=pytest.mark.postgresql),
    ],
)
def test_only_rows_whose_dates_and_times_are_none_are_refused(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "source.db") as source:
        source.executescript(LOOSE)
    report = lot(str(tmp_path / "source.db"), "moment", request.getfixturevalue(server), tmp_path)
    assert (report.inserted, report.quarantine_reasons) == (2, {"unfit": 5})
