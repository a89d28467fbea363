"""The words for the reasons why a row couldn't be judged, from `data/reasons.yaml`."""

from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from huodang.supervision.rules.rule import Bilingual


def reason(code: str) -> Bilingual:
    """Say a reason of `unknown` in words; a reason of a county's own rule is its own word."""
    return reasons().get(code, Bilingual(code, code))


@cache
def reasons() -> MappingProxyType[str, Bilingual]:
    """Give the words for every reason that the product's rules name."""
    text = files("huodang.supervision.rules").joinpath("data/reasons.yaml").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = yaml.safe_load(text)
    return MappingProxyType({code: Bilingual(words["chinese"], words["english"]) for code, words in read.items()})
