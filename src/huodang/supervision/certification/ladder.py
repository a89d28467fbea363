"""The ladder as data: how often, what proves, how strongly and for how long. Pure but for reading the one file."""

from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from huodang.standards import Month, Place, code_table
from huodang.supervision.certification.errors import LadderError

_NAME: Final = "supervision/certification/data/ladder.yaml"


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure: `unverified` is practice to be checked, `target` the platform's own, `source` read in a text."""

    value: int
    status: Literal["source", "unverified", "target"]
    source: str


class MeansOfProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to prove that a person lives.

    Attributes:
        kind: `data` needs nobody; `self`, `agency` and `visit` need the person.
        strength: `strong` proves alone; of `weak` ones it takes two different means near each other.
        fresh_days: an older one doesn't count any more when it arrives.
        method: 认证方式 AAC098.
        resource: what it is read from.
    """

    chinese: str
    english: str
    kind: Literal["data", "self", "agency", "visit"]
    strength: Literal["strong", "weak"]
    fresh_days: int
    method: str
    resource: str

    @property
    def roles(self) -> tuple[str, ...]:
        """Who may bring such a proof."""
        return {
            "data": ("system",),
            "self": ("system", "citizen", "window_clerk"),
            "agency": ("system", "window_clerk"),
            "visit": ("system", "window_clerk", "investigator"),
        }[self.kind]


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    period_months: Figure
    first_reminder_days: Figure
    reminder_every_days: Figure
    self_service_days: Figure
    visit_working_days: Figure
    weak_together_days: Figure
    means: dict[str, MeansOfProof]

    def due_on(self, proved_on: date) -> date:
        """Say by which day the next proof is due: the period later, on the same day or the month's last."""
        month = Month.of(proved_on) + self.period_months.value
        last = month.last_day()
        return last.replace(day=min(proved_on.day, last.day))

    def weak(self) -> tuple[str, ...]:
        """Name the means that don't prove alone."""
        return tuple(name for name, one in self.means.items() if one.strength == "weak")


@cache
def product_ladder() -> Ladder:
    """Give the ladder that comes with the product."""
    text = files("huodang.supervision.certification").joinpath("data", "ladder.yaml").read_text(encoding="utf-8")
    return _read(text, _NAME)


def read_ladder(path: Path) -> Ladder:
    """Read a deployment's own ladder.

    Raises:
        LadderError: the file can't be read, isn't YAML, or a figure is missing, unknown or not above zero.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise LadderError("认证阶梯文件无法读取", "the ladder can't be read", place=Place(file=str(path))) from problem
    return _read(text, str(path))


def _read(text: str, name: str) -> Ladder:
    try:
        ladder = msgspec.convert(yaml.safe_load(text), Ladder)
    except (yaml.YAMLError, msgspec.ValidationError) as problem:
        told = str(problem) if isinstance(problem, msgspec.ValidationError) else "YAML"
        raise LadderError(
            f"认证阶梯文件不符合格式：{told}", f"the ladder isn't shaped as it must be: {told}", place=Place(file=name)
        ) from None
    figures = {field: getattr(ladder, field).value for field in ladder.__struct_fields__ if field != "means"}
    figures |= {field: one.fresh_days for field, one in ladder.means.items()}
    for field, value in figures.items():
        if value <= 0:
            raise LadderError("须大于零", "it must be above zero", place=Place(file=name, element=field))
    known = code_table("certification_method").codes
    for field, one in ladder.means.items():
        if one.method not in known:
            raise LadderError("没有这种认证方式", "there is no such method", place=Place(file=name, element=field))
    return ladder
