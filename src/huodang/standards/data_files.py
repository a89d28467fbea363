"""Reads the data files that stand beside this room's code."""

import csv
import io
from importlib.resources import files


def read_rows(*path: str) -> list[dict[str, str]]:
    """Read one CSV file under `standards/data/` (UTF-8, first row names the columns)."""
    text = files("huodang.standards").joinpath("data", *path).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
