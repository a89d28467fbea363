"""Scores of the offices behind an approval: employers, doctors and clerks with more early ones than others have.

A doctor or clerk is held against the rates that the same employers have with all others: whoever serves a mine isn't
suspected for the mine, and who works with one employer isn't explained by what the two did together. Only those who
did retire early, or whose result was overridden, carry the points of their office.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from huodang.supervision.scores.concentration import SHRINKAGE, Concentration, concentrate
from huodang.supervision.scores.features import Family, Feature, Words, nothing
from huodang.supervision.scores.people import Codes, Names, People
from huodang.supervision.scores.rarity import rarity

Flags = npt.NDArray[np.bool_]

_LABELS: Final = {
    "employer": Words("提前退休集中于某单位", "early retirements heaped on one employer"),
    "doctor": Words("提前退休集中于某鉴定医师", "early retirements heaped on one doctor"),
    "clerk": Words("提前退休集中于某经办人", "early retirements heaped on one clerk"),
    "override": Words("人工改动集中于某经办人", "overrides heaped on one clerk"),
}
# What an office did says little of one person and adds little. Whole trades retire early by law: employers add least.
_MOST: Final = {"employer": 1.0, "doctor": 3.0, "clerk": 3.0, "override": 2.0}
_MOST_OVERRIDDEN: Final = 3.0
_WHO: Final = {
    "employer": ("单位", "employer"),
    "doctor": ("医师", "doctor"),
    "clerk": ("经办人", "clerk"),
    "override": ("经办人", "clerk"),
}


@dataclass(frozen=True)
class _Office:
    """Who approved: what is counted, each person's office, the names, and the rate that is usual for each person."""

    what: str
    codes: Codes
    names: tuple[str, ...]
    usual: np.ndarray


def concentrations(people: People, names: Names, early: Flags) -> tuple[Feature, ...]:
    """Score the heaps of early retirements on employers, doctors and clerks."""
    told = people.started > 0
    usual = _rate(early, told)
    offices = (
        _Office("employer", people.employer, names.employer, np.full(len(people), usual)),
        _Office("doctor", people.doctor, names.doctor, _elsewhere(people.employer, people.doctor, early, told, usual)),
        _Office("clerk", people.clerk, names.clerk, _elsewhere(people.employer, people.clerk, early, told, usual)),
    )
    return tuple(_heap(office, early, told) for office in offices)


def overrides(people: People, names: Names) -> tuple[Feature, Feature]:
    """Score how often a result was changed by hand, of the person and of the clerk."""
    told = people.overrides >= 0
    values = nothing(len(people))
    values[told] = people.overrides[told]

    def tell(at: int) -> Words:
        times = int(people.overrides[at])
        return Words(f"核定结果被人工改动 {times} 次", f"the computed result was changed by hand {times} times")

    label = Words("核定结果被反复人工改动", "the result was changed by hand again and again")
    own = Feature("overridden", Family.OVERRIDE, label, values, rarity(values), tell, most=_MOST_OVERRIDDEN)
    changed = people.overrides > 0
    usual = np.full(len(people), _rate(changed, told))
    return own, _heap(_Office("override", people.clerk, names.clerk, usual), changed, told)


def _heap(office: _Office, marked: Flags, told: Flags) -> Feature:
    what, codes, names = office.what, office.codes, office.names
    count = len(codes)
    known = told & (codes >= 0)
    found = _concentrate(codes, len(names), marked, known, office.usual)
    digits = np.zeros(count, dtype=np.float32)
    values = nothing(count)
    values[known] = 0
    carry = known & marked
    digits[carry] = found.digits[codes[carry]]
    values[carry] = found.digits[codes[carry]]

    def tell(at: int) -> Words:
        group = int(codes[at])
        rate, expected = f"{found.early[group] / found.total[group]:.0%}", f"{found.expected[group]:.0%}"
        early, total = f"{int(found.early[group]):,}", f"{int(found.total[group]):,}"
        chinese, english = _WHO[what]
        done = ("人工改动", "overridden") if what == "override" else ("提前退休", "early")
        return Words(
            f"{chinese}“{names[group]}”经手 {total} 件，{done[0]} {early} 件（{rate}），按常态应约 {expected}",
            f"{english} “{names[group]}”: {early} of {total} are {done[1]} ({rate}), where {expected} is usual",
        )

    family = Family.OVERRIDE if what == "override" else Family.APPROVAL
    return Feature(f"{what}_heap", family, _LABELS[what], values, digits, tell, most=_MOST[what])


def _concentrate(codes: Codes, groups: int, marked: Flags, known: Flags, usual: np.ndarray) -> Concentration:
    return concentrate(
        np.bincount(codes[known], minlength=groups).astype(np.float64),
        np.bincount(codes[known & marked], minlength=groups).astype(np.float64),
        np.bincount(codes[known], weights=usual[known], minlength=groups).astype(np.float64),
    )


def _rate(marked: Flags, told: Flags) -> float:
    return float(np.count_nonzero(marked & told)) / max(int(np.count_nonzero(told)), 1)


def _elsewhere(employers: Codes, offices: Codes, marked: Flags, told: Flags, usual: float) -> np.ndarray:
    """Tell each person the employer's rate with all other offices, drawn towards the usual."""
    rates = np.full(len(employers), usual)
    known = np.flatnonzero(told & (employers >= 0) & (offices >= 0))
    pairs = employers[known].astype(np.int64) * (int(offices.max(initial=0)) + 1) + offices[known]
    _, pair = np.unique(pairs, return_inverse=True)
    early = marked[known].astype(np.float64)
    total = np.bincount(employers[known])[employers[known]] - np.bincount(pair)[pair]
    found = np.bincount(employers[known], weights=early)[employers[known]] - np.bincount(pair, weights=early)[pair]
    rates[known] = (found + SHRINKAGE * usual) / (total + SHRINKAGE)
    return rates
