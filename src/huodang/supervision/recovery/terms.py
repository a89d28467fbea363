"""How long each step of a recovery may take. Pure but for reading the one file of terms."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from huodang.standards import Place
from huodang.supervision.recovery.errors import RecoveryTermsError

_NAME: Final = "supervision/recovery/data/terms.yaml"


class RecoveryTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step's term.

    Attributes:
        days: working days.
        status: `unverified` where a text is named but its reach isn't verified, `target` for the platform's own.
        source: which, or why.
    """

    days: int
    status: Literal["source", "unverified", "target"]
    source: str


Terms = dict[str, RecoveryTerm]


@cache
def product_recovery_terms() -> Terms:
    """Give the terms that come with the product."""
    text = files("huodang.supervision.recovery").joinpath("data", "terms.yaml").read_text(encoding="utf-8")
    return _read(text, _NAME)


def read_recovery_terms(path: Path) -> Terms:
    """Read a deployment's own terms.

    Raises:
        RecoveryTermsError: the file can't be read, isn't YAML, or a term is missing, unknown or negative.
    """
    place = Place(file=str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise RecoveryTermsError("追回时限文件无法读取", "the file of terms can't be read", place=place) from problem
    terms = _read(text, str(path))
    if differing := set(terms) ^ set(product_recovery_terms()):
        told = "、".join(sorted(differing))
        raise RecoveryTermsError(f"时限缺少或多出环节：{told}", f"terms are missing or unknown: {told}", place=place)
    return terms


def _read(text: str, name: str) -> Terms:
    try:
        terms = msgspec.convert(yaml.safe_load(text), Terms)
    except (yaml.YAMLError, msgspec.ValidationError) as problem:
        told = str(problem) if isinstance(problem, msgspec.ValidationError) else "YAML"
        raise RecoveryTermsError(
            f"追回时限文件不符合格式：{told}",
            f"the file of terms isn't shaped as it must be: {told}",
            place=Place(file=name),
        ) from None
    for state, term in terms.items():
        if term.days < 0:
            raise RecoveryTermsError("时限不能为负", "a term isn't negative", place=Place(file=name, element=state))
    return terms
