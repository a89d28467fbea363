"""What clues are about (疑点事项): rules that speak of one matter join in one clue. Read from `data/matters.yaml`."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
import yaml

_FILE: Final = "data/matters.yaml"


class Matter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One matter.

    Attributes:
        chinese, english: what people call it.
        rules: codes of the rules and events that find it.
        holds: whether a payment may be held for it; of others somebody looks, and nothing is held.
    """

    chinese: str
    english: str
    rules: tuple[str, ...]
    holds: bool


@cache
def matters() -> Mapping[str, Matter]:
    """Give all matters by code."""
    text = files("huodang.supervision.clues").joinpath(_FILE).read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, Matter])


@cache
def _matter_of() -> Mapping[str, str]:
    return {rule: code for code, matter in matters().items() for rule in matter.rules}


def matter_of(rule: str) -> str:
    """Give the matter that a rule speaks of; a rule of a county's own is a matter of its own."""
    return _matter_of().get(rule, rule)


def matter_label(code: str) -> tuple[str, str]:
    """Give what people call a matter, in Chinese and English."""
    found = matters().get(code)
    return (f"本地规则 {code}", f"own rule {code}") if found is None else (found.chinese, found.english)


def may_hold(code: str) -> bool:
    """Say whether a payment may be held for a matter; never for a rule that no data file speaks of."""
    found = matters().get(code)
    return found is not None and found.holds
