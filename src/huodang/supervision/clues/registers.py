"""What is believed of registers beforehand, who copies whom, how harm is weighed: read from `data/registers.yaml`."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from huodang.standards import Place
from huodang.supervision.clues.errors import ClueDataError
from huodang.supervision.clues.measures import Harm, Rate, Rates

_NAME: Final = "supervision/clues/data/registers.yaml"


class Prior(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is believed of a register before there are outcomes of our own.

    Attributes:
        right, wrong: as a source counted them.
        weight: how many of our own outcomes that is worth.
        status: `source` if read in a source, `target` if the platform's own assumption.
    """

    right: int
    wrong: int
    weight: int
    status: Literal["source", "target"]
    source: str

    def rate(self) -> Rate:
        """Give the two counts of the Beta distribution."""
        whole = Fraction(self.weight, self.right + self.wrong)
        return Rate(self.right * whole, self.wrong * whole)


class HarmTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mistake weighs, per mille of a month overpaid."""

    wrong_hold: int
    wrong_stop: int
    status: Literal["source", "target"]
    source: str


class Registers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    priors: dict[str, Prior]
    confirmed: Prior
    copies: dict[str, str]
    not_witnesses: tuple[str, ...]
    harm: HarmTerms

    def weighed(self) -> Harm:
        """Give what a mistake weighs."""
        return Harm(self.harm.wrong_hold, self.harm.wrong_stop)

    def rates(self, outcomes: Mapping[tuple[str, str], tuple[int, int]]) -> Rates:
        """Give what is believed after so many right and wrong outcomes by register and kind."""
        priors = {name: prior.rate() for name, prior in self.priors.items()}
        learned = {
            (register, kind): (priors.get(register) or priors["default"]).after(right, wrong)
            for (register, kind), (right, wrong) in outcomes.items()
        }
        return Rates(learned, priors, self.confirmed.rate(), self.copies, frozenset(self.not_witnesses))


@cache
def product_registers() -> Registers:
    """Give what comes with the product."""
    text = files("huodang.supervision.clues").joinpath("data", "registers.yaml").read_text(encoding="utf-8")
    return _read(text, _NAME)


def read_registers(path: Path) -> Registers:
    """Read a deployment's own file.

    Raises:
        ClueDataError: it can't be read, isn't YAML, or a figure is missing, unknown or not above zero.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ClueDataError(
            "登记来源文件无法读取", "the file of registers can't be read", place=Place(file=str(path))
        ) from problem
    return _read(text, str(path))


def _read(text: str, name: str) -> Registers:
    try:
        found = msgspec.convert(yaml.safe_load(text), Registers)
    except (yaml.YAMLError, msgspec.ValidationError) as problem:
        told = str(problem) if isinstance(problem, msgspec.ValidationError) else "YAML"
        raise ClueDataError(
            f"登记来源文件不符合格式：{told}",
            f"the file of registers isn't shaped as it must be: {told}",
            place=Place(file=name),
        ) from None
    if "default" not in found.priors:
        raise _unfit(name, "priors.default")
    for register, prior in {**found.priors, "confirmed": found.confirmed}.items():
        if min(prior.right, prior.wrong, prior.weight) <= 0:
            raise _unfit(name, register)
    if min(found.harm.wrong_hold, found.harm.wrong_stop) <= 0:
        raise _unfit(name, "harm")
    return found


def _unfit(name: str, element: str) -> ClueDataError:
    return ClueDataError(
        "登记来源文件缺少此项，或数值不大于零",
        "this is missing in the file of registers, or isn't above zero",
        place=Place(file=name, element=element),
    )
