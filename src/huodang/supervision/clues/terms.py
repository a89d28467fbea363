"""How long each step of a clue may take, by tier, and how it stands (红黄灯). Pure but for reading its file."""

from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from huodang.exchange.sharing import Light
from huodang.standards import Place, working_days_between
from huodang.supervision.clues.errors import ClueDataError
from huodang.supervision.clues.values import Tier

_NAME: Final = "supervision/clues/data/terms.yaml"


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step's term in working days, by tier."""

    urgent: int
    high: int
    normal: int
    look: int
    status: Literal["source", "target"]
    source: str

    def days(self, tier: Tier) -> int:
        """Give the working days for a tier."""
        return {Tier.URGENT: self.urgent, Tier.HIGH: self.high, Tier.NORMAL: self.normal, Tier.LOOK: self.look}[tier]


class ClueTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All terms by state."""

    terms: dict[str, Term]
    answer_days: int
    yellow_when_left: int


@cache
def product_clue_terms() -> ClueTerms:
    """Give the terms that come with the product."""
    text = files("huodang.supervision.clues").joinpath("data", "terms.yaml").read_text(encoding="utf-8")
    return _read(text, _NAME)


def read_clue_terms(path: Path) -> ClueTerms:
    """Read a deployment's own terms.

    Raises:
        ClueDataError: the file can't be read, isn't YAML, or a term is missing, unknown or negative.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ClueDataError(
            "疑点时限文件无法读取", "the file of terms can't be read", place=Place(file=str(path))
        ) from problem
    found = _read(text, str(path))
    if differing := set(found.terms) ^ set(product_clue_terms().terms):
        raise ClueDataError(
            f"疑点时限缺少或多出环节：{'、'.join(sorted(differing))}",
            f"terms are missing or unknown: {', '.join(sorted(differing))}",
            place=Place(file=str(path)),
        )
    return found


def _read(text: str, name: str) -> ClueTerms:
    try:
        found = msgspec.convert(yaml.safe_load(text), ClueTerms)
    except (yaml.YAMLError, msgspec.ValidationError) as problem:
        told = str(problem) if isinstance(problem, msgspec.ValidationError) else "YAML"
        raise ClueDataError(
            f"疑点时限文件不符合格式：{told}",
            f"the file of terms isn't shaped as it must be: {told}",
            place=Place(file=name),
        ) from None
    for state, term in found.terms.items():
        if min(term.days(tier) for tier in Tier) < 0:
            raise ClueDataError("时限不能为负", "a term isn't negative", place=Place(file=name, element=state))
    return found


def light_of(due: date, today: date, yellow_when_left: int) -> Light:
    """Say how today stands against a due day; red from the day after it."""
    if today > due:
        return Light.RED
    return Light.YELLOW if working_days_between(today, due) <= yellow_when_left else Light.GREEN
