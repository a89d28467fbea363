"""How many wrong payments did no register show: captures by health, police and civil affairs, turned into an estimate.

Of two registers Chapman's estimate is given, of three a log-linear one. What can't be known from the counts is said in
words beside the numbers: what was assumed, which registers depend on one another, and where cells are too small.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from huodang.supervision.watch.chapman import TwoLists, chapman
from huodang.supervision.watch.errors import CaptureError
from huodang.supervision.watch.loglinear import CELLS, PAIRS, three_lists

REGISTER_LABELS: Final = {
    "health": ("卫健", "health"),
    "police": ("公安", "police"),
    "civil_affairs": ("民政", "civil affairs"),
    "justice": ("司法", "justice"),
}
"""What people call the registers."""

_FEW: Final = 10


@dataclass(frozen=True)
class Captures:
    """Who stands in which register, as counts; it holds nobody's number.

    Attributes:
        registers: their names, in the order in which cells name them.
        counts: persons by cell: one digit a register, 1 for those who stand in it.
    """

    registers: tuple[str, ...]
    counts: Mapping[str, int]

    @classmethod
    def of(cls, persons: Mapping[str, Collection[object]]) -> "Captures":
        """Count persons, given those of each register under any key that is the same in all.

        Of more than three registers the three largest are taken; who stands in others only isn't counted.

        Raises:
            CaptureError: fewer than two registers have anybody.
        """
        filled = sorted((name for name in persons if persons[name]), key=lambda name: (-len(persons[name]), name))[:3]
        if len(filled) < 2:
            raise CaptureError(
                "至少要有两个登记来源才能估计漏查",
                "two registers at least are needed for an estimate",
                advice_chinese="请在核查时提供卫健、公安或民政中至少两个来源的死亡记录，并注明来源。",
                advice_english="Check deaths from two of health, police and civil affairs, each with its source.",
            )
        order = tuple(name for name in (*REGISTER_LABELS, *sorted(filled)) if name in filled)
        names = tuple(dict.fromkeys(order))
        sets = [set(persons[name]) for name in names]
        everybody = set().union(*sets)
        cells = Counter("".join("1" if who in one else "0" for one in sets) for who in everybody)
        return cls(names, dict(cells))

    @property
    def seen(self) -> int:
        """How many stand in one register at least."""
        return sum(self.counts.values())

    def both(self, first: int, second: int) -> TwoLists:
        """Count two of the registers by their places."""
        one = sum(number for cell, number in self.counts.items() if cell[first] == "1")
        other = sum(number for cell, number in self.counts.items() if cell[second] == "1")
        common = sum(number for cell, number in self.counts.items() if cell[first] == cell[second] == "1")
        return TwoLists(one, other, common)


@dataclass(frozen=True)
class PairEstimate:
    """What two of the registers alone would say."""

    registers: tuple[str, str]
    missed: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """How many no register saw, in persons, with the interval of 95 of 100 cases.

    Attributes:
        seen: how many stand in one register at least.
        missed: how many in none, as estimated.
        low, high: its interval.
        method: `chapman` or `loglinear`.
        depend: the pairs of registers that the chosen model has depend on one another.
        pairs: what each pair alone would say; wide apart, they show dependence.
        remarks: what is to be kept in mind, in Chinese and English.
    """

    captures: Captures
    seen: int
    missed: float
    low: float
    high: float
    method: str
    depend: tuple[tuple[str, str], ...]
    pairs: tuple[PairEstimate, ...]
    remarks: tuple[tuple[str, str], ...]


def estimate(captures: Captures, *, draws: int = 1000, seed: int = 1) -> Estimate:
    """Estimate how many no register saw.

    Args:
        captures: of two or three registers.
        draws: of the bootstrap, where there are three.
        seed: of its random numbers.

    Raises:
        CaptureError: nothing can be estimated from these counts.
    """
    names = captures.registers
    pairs = tuple(_pair(captures, first, second) for first, second in combinations(range(len(names)), 2))
    if len(names) == 2:
        alone = pairs[0]
        remarks = [_ASSUMED, *_small(captures)]
        return Estimate(
            captures, captures.seen, alone.missed, alone.low, alone.high, "chapman", (), pairs, tuple(remarks)
        )
    found = three_lists({cell: captures.counts.get(cell, 0) for cell in CELLS}, draws=draws, seed=seed)
    depend = tuple((names[a], names[b]) for a, b in found.best.pairs)
    remarks = [*_dependence(depend), *_small(captures), _THREE]
    if found.best.pairs == PAIRS:
        remarks.append(_SATURATED)
    if found.smoothed:
        remarks.append(_SMOOTHED)
    return Estimate(
        captures=captures,
        seen=captures.seen,
        missed=found.missed,
        low=found.low - found.seen,
        high=found.high - found.seen,
        method="loglinear",
        depend=depend,
        pairs=pairs,
        remarks=tuple(remarks),
    )


def label(register: str) -> tuple[str, str]:
    """Give what people call a register."""
    return REGISTER_LABELS.get(register, (register, register))


def _pair(captures: Captures, first: int, second: int) -> PairEstimate:
    lists = captures.both(first, second)
    found = chapman(lists)
    names = (captures.registers[first], captures.registers[second])
    return PairEstimate(names, max(0.0, found.missed), max(0.0, found.low - lists.seen), found.high - lists.seen)


def _dependence(depend: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    if not depend:
        return [
            (
                "所选模型认为三个来源互相独立。",
                "The chosen model has the three registers independent of one another.",
            )
        ]
    chinese = "；".join(f"{label(a)[0]}与{label(b)[0]}" for a, b in depend)
    english = "; ".join(f"{label(a)[1]} and {label(b)[1]}" for a, b in depend)
    return [
        (
            f"下列来源互相关联（在一处登记的人，在另一处登记的可能性不同）：{chinese}。只按两处独立估计会有偏差，模型已计入。",
            (
                f"These depend on one another (who stands in one is likelier, or less likely, to stand in the other): "
                f"{english}. "
                "Taken as independent they would mislead; the model allows for it."
            ),
        )
    ]


def _small(captures: Captures) -> list[tuple[str, str]]:
    pairs = list(combinations(range(len(captures.registers)), 2))
    if all(captures.both(first, second).both >= _FEW for first, second in pairs):
        return []
    return [
        (
            f"有两个来源的重合人数不足 {_FEW} 人，估计很不稳定，只宜看区间。",
            f"Two registers have fewer than {_FEW} people in common: look at the interval only.",
        )
    ]


_ASSUMED: Final = (
    "只有两个来源，假定互相独立，数据无法检验。两处若正相关（例如同在医院登记），实际漏查更多。",
    (
        "Two registers only: they are assumed independent, which the data can't test. If standing in one "
        "makes the other likelier (as after a death in hospital), more are missed."
    ),
)
_THREE: Final = (
    "三个来源共有的漏记（例如一律不登记的人群）无法从重合中看出，不在估计之内。",
    "What all three miss alike (people whom nobody registers) doesn't show in overlaps and isn't in the estimate.",
)
_SATURATED: Final = (
    "三对来源都相关的模型最符合，没有余地再检验它；区间很宽时请补充第四个来源。",
    (
        "The model with all three pairs dependent fits best and can't be tested further; where the interval is wide, "
        "add a fourth register."
    ),
)
_SMOOTHED: Final = (
    "有的组合无人，已在每格加四分之一后估计。",
    "Some combination has nobody: a quarter was added to each cell.",
)
