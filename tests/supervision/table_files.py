"""Small files of one kind, prepared, for the tests of the tables."""

import csv
from pathlib import Path

import pyarrow.parquet as pq

from huodang.standards import check_character
from huodang.supervision.tables import Kind, Prepared, PrepareSettings, prepare, understand

SOUND = "13010219500101123" + check_character("13010219500101123")


def number(seventeen: str) -> str:
    return seventeen + check_character(seventeen)


def write_csv(path: Path, header: list[str], rows: list[list[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def prepared(tmp_path: Path, kind: Kind, header: list[str], rows: list[list[str]], **settings: object) -> Prepared:
    path = write_csv(tmp_path / f"{kind}.csv", header, rows)
    return prepare(understand({kind: [path]}), tmp_path / "store", PrepareSettings(**settings))


def table(store: Prepared, kind: Kind) -> list[dict[str, object]]:
    path = store.path(kind)
    assert path is not None
    return sorted(pq.read_table(path).to_pylist(), key=lambda row: row["row"])
