"""How long each step of sharing may take, and how it stands: 红黄灯. Pure but for reading the one file of terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from huodang.exchange.sharing.errors import SharingTermsError
from huodang.standards import Deadline, Place, add_working_days, working_days_between

_NAME: Final = "exchange/sharing/data/terms.yaml"


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step's term.

    Attributes:
        days: working days.
        when_over: `overdue` lights red and escalates; `lapse` ends the matter.
        status: `source` if the number was read in a source, `target` if it is the platform's own.
        source: which, or why.
    """

    days: int
    when_over: Literal["overdue", "lapse"]
    status: Literal["source", "target"]
    source: str


class SharingTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All terms: of demands and corrections by state."""

    demand: dict[str, Term]
    correction: dict[str, Term]
    after_supplement: Literal["continues", "restarts"]
    remind_days_before_end: int
    yellow_when_left: int

    def of(self, process: str) -> Mapping[str, Term]:
        """Give the terms of one process, `demand` or `correction`."""
        return self.demand if process == "demand" else self.correction


class Light(StrEnum):
    """How a step stands against its due day (红黄灯); always shown with its word, never by colour alone."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


LIGHT_LABELS: Final = {
    Light.GREEN: ("绿灯·期限内", "Green: in time"),
    Light.YELLOW: ("黄灯·临近期限", "Yellow: due soon"),
    Light.RED: ("红灯·已超期", "Red: overdue"),
}


@dataclass(frozen=True)
class Due:
    """When a step is due, and how today stands against it.

    Attributes:
        deadline: the last day in time.
        light: red from the day after it.
        days_late: working days past it; 0 if in time.
    """

    deadline: Deadline
    light: Light
    days_late: int


@cache
def product_terms() -> SharingTerms:
    """Give the terms that come with the product."""
    return _read(files("huodang.exchange").joinpath("sharing", "data", "terms.yaml").read_text(encoding="utf-8"), _NAME)


def read_terms(path: Path) -> SharingTerms:
    """Read a deployment's own terms.

    Raises:
        SharingTermsError: the file can't be read, isn't YAML, or a term is missing, unknown or negative.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise SharingTermsError(
            "时限文件无法读取", "the file of terms can't be read", place=Place(file=str(path))
        ) from problem
    return _read(text, str(path))


def _read(text: str, name: str) -> SharingTerms:
    place = Place(file=name)
    try:
        terms = msgspec.convert(yaml.safe_load(text), SharingTerms)
    except (yaml.YAMLError, msgspec.ValidationError) as problem:
        told = str(problem) if isinstance(problem, msgspec.ValidationError) else "YAML"
        raise SharingTermsError(
            f"时限文件不符合格式：{told}", f"the file of terms isn't shaped as it must be: {told}", place=place
        ) from None
    for process in ("demand", "correction"):
        for state, term in terms.of(process).items():
            if term.days < 0:
                raise SharingTermsError(
                    "时限不能为负", "a term isn't negative", place=Place(file=name, element=f"{process}.{state}")
                )
    if name != _NAME:
        standard = product_terms()
        for process in ("demand", "correction"):
            if differing := set(standard.of(process)) ^ set(terms.of(process)):
                raise SharingTermsError(
                    f"时限缺少或多出环节：{'、'.join(sorted(differing))}",
                    f"terms are missing or unknown: {', '.join(sorted(differing))}",
                    place=Place(file=name, element=process),
                )
    return terms


def step_deadline(term: Term, used: int, today: date) -> Deadline:
    """Say by which day a step that begins or goes on today is due.

    Args:
        term: of the step.
        used: working days of it that were used before the clock stood.
        today: the present day, which isn't counted.
    """
    return add_working_days(today, max(0, term.days - used))


def light(due: date, today: date, yellow_when_left: int) -> Light:
    """Say how today stands against a due day."""
    if today > due:
        return Light.RED
    return Light.YELLOW if working_days_between(today, due) <= yellow_when_left else Light.GREEN


def stands(deadline: Deadline | None, today: date, terms: SharingTerms) -> Due | None:
    """Say how a step stands; None where nothing is due."""
    if deadline is None:
        return None
    late = max(0, working_days_between(deadline.day, today))
    return Due(deadline, light(deadline.day, today, terms.yellow_when_left), late)
