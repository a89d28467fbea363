"""Reads the data files that stand beside this room's code."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


def data_text(*path: str) -> str:
    """Give the text of a file under `simulation/data/`."""
    return files("huodang.simulation").joinpath("data", *path).read_text("utf-8")


@cache
def data_mapping(name: str) -> dict[str, Any]:
    """Give a YAML file under `simulation/data/` as a mapping."""
    values: dict[str, Any] = yaml.safe_load(data_text(name))
    return values


def words(text: str) -> tuple[str, ...]:
    """Split a line of words."""
    return tuple(text.split())
