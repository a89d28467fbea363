"""Databases without a reader of their own pass through SQLAlchemy: tried by sending SQLite through it."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from huodang.exchange.sync import SyncRequest, sync_table
from huodang.exchange.sync import service as sync_service
from huodang.exchange.sync.columns import Engine

parse_address = sync_service.parse_address


@pytest.mark.parametrize("through_seam", [("source",), ("target",), ("source", "target")])
def test_any_database_that_sqlalchemy_knows_is_synced_by_the_same_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through_seam: tuple[str, ...]
) -> None:
    def parse(text: str) -> object:
        address = parse_address(text)
        side = "source" if "source" in text else "target"
        return replace(address, engine=Engine.OTHER) if side in through_seam else address

    monkeypatch.setattr(sync_service, "parse_address", parse)
    source = sqlite3.connect(tmp_path / "source.db", isolation_level=None)
    source.execute(
        "CREATE TABLE t (k INTEGER, name VARCHAR(20), amount NUMERIC(10, 2), score FLOAT, day DATE, raw BLOB)"
    )
    source.executemany(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",
        [(n, f"张\t{n}\\", n / 4, n / 3, f"2024-01-{n % 28 + 1:02}", bytes([n])) for n in range(100)],
    )
    request = SyncRequest(f"{tmp_path}/source.db", "t", ("k",), f"{tmp_path}/target.db", work_folder=tmp_path)
    assert sync_table(request).inserted == 100
    source.execute("UPDATE t SET name = NULL WHERE k < 5")
    source.execute("DELETE FROM t WHERE k >= 90")
    source.execute("INSERT INTO t VALUES (1000, '新', 1.25, 0.1, '2024-02-29', x'00')")
    report = sync_table(request)
    assert (report.inserted, report.updated, report.deleted, report.quarantined) == (1, 5, 10, 0)
    assert report.proof is not None
    assert report.proof.equal
    with sqlite3.connect(tmp_path / "target.db") as target:
        held = target.execute("SELECT k, name, CAST(amount AS REAL), score, day, raw FROM t ORDER BY k").fetchall()
    assert held == source.execute("SELECT k, name, amount, score, day, raw FROM t ORDER BY k").fetchall()
