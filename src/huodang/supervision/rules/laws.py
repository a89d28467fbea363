"""The law behind the rules: from the parameters of `pension` where they hold it, else from `data/laws.yaml`."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from huodang.pension import LawReference, Status, national


@cache
def law(name: str) -> LawReference:
    """Cite a law by its name in `data/laws.yaml`, with how firmly it stands."""
    entry = _laws()[name]
    return LawReference(name, entry["chinese"], entry["law"], Status(entry["status"]))


def pension_law(parameter: str) -> LawReference:
    """Cite the law of a national parameter of the pension rules."""
    return LawReference.of(parameter, national().sole(parameter))


@cache
def _laws() -> dict[str, Any]:
    text = files("huodang.supervision.rules").joinpath("data/laws.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read
