"""What the signals of registers justify: look, hold, stop, or let departments settle it. Pure, exact in fractions.

A single record is wrong more often than not, so what may be done follows from who says it, how often that register was
wrong before, and what a mistake costs whom:

- signals for and against: arbitration, and the payment goes on meanwhile;
- likeness alone (`fuzzy`), the agency's own data alone, or nothing at all: verify, never more;
- one witness: a hold, if the expected harm of holding is less than that of paying on;
- two witnesses that don't copy one another: a stop, if the expected harm of stopping is less, else what one is worth.

The chance that a suspicion is wrong is the chance that every witness is wrong, each on its own: it can only fall with
another witness, so more independent evidence never lowers the measure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from huodang.supervision.clues.values import Signal, Stance, Tier

MILLE: Final = 1000


class Measure(StrEnum):
    """What may be done with the payment."""

    VERIFY = "verify"  # 核查：照常发放
    HOLD = "hold"  # 暂停一个周期
    STOP = "stop"  # 终止
    ARBITRATE = "arbitrate"  # 提请仲裁：照常发放


MEASURE_LABELS: Final = {
    Measure.VERIFY: ("核查，照常发放", "Verify; payment goes on"),
    Measure.HOLD: ("暂停下一期，至多一期", "Hold the next payment, once"),
    Measure.STOP: ("终止发放", "Stop"),
    Measure.ARBITRATE: ("部门仲裁，照常发放", "Arbitrate; payment goes on"),
}


@dataclass(frozen=True)
class Rate:
    """How often a register's records were right and wrong, as the two counts of a Beta distribution, above zero."""

    right: Fraction
    wrong: Fraction

    @property
    def chance_wrong(self) -> Fraction:
        """The expected share of wrong records."""
        return self.wrong / (self.right + self.wrong)

    def after(self, right: int, wrong: int) -> "Rate":
        """Learn from so many outcomes."""
        return Rate(self.right + right, self.wrong + wrong)


@dataclass(frozen=True)
class Rates:
    """What is believed of every register now.

    Attributes:
        learned: by register and kind, prior and outcomes together.
        priors: by register, where there are no outcomes; `default` for those not named.
        confirmed: of records that their register confirmed when asked back.
        copies: register → the one it copies from.
        not_witnesses: registers that name a doubt and no fact.
    """

    learned: Mapping[tuple[str, str], Rate]
    priors: Mapping[str, Rate]
    confirmed: Rate
    copies: Mapping[str, str]
    not_witnesses: frozenset[str]

    def of(self, register: str, kind: str) -> Rate:
        """Give what is believed of a register's records of a kind."""
        return self.learned.get((register, kind)) or self.priors.get(register) or self.priors["default"]

    def chance_wrong(self, signal: Signal) -> Fraction:
        """Give the chance that a signal is wrong; asking back can only have made it surer."""
        chance = self.of(signal.register, signal.kind).chance_wrong
        return min(chance, self.confirmed.chance_wrong) if signal.confirmed else chance


@dataclass(frozen=True)
class Harm:
    """What a mistake weighs, per mille of one month overpaid: a month wrongly held, a month wrongly stopped."""

    wrong_hold: int
    wrong_stop: int


@dataclass(frozen=True)
class Judgement:
    """A measure, and what it rests on.

    Attributes:
        witnesses: the independent origins behind it, in order of their names.
        chance_wrong: that the suspicion is wrong; 1 without any witness.
        reason: `conflict`, `no_witness`, `own_data_only`, `one_witness`, `independent_witnesses` or `harm_outweighs`.
    """

    measure: Measure
    witnesses: tuple[str, ...]
    chance_wrong: Fraction
    reason: str

    @property
    def mille_wrong(self) -> int:
        """The chance of being wrong per mille, rounded up: never shown smaller than it is."""
        return -(-self.chance_wrong.numerator * MILLE // self.chance_wrong.denominator)


def measure(signals: Iterable[Signal], rates: Rates, harm: Harm) -> Measure:
    """Say what the signals justify; see `judge`."""
    return judge(tuple(signals), rates, harm).measure


def judge(signals: Sequence[Signal], rates: Rates, harm: Harm) -> Judgement:
    """Weigh all signals of a matter; their order doesn't count.

    Args:
        signals: those that stand; none that were withdrawn.
        rates: what is believed of each register.
        harm: what a mistake weighs.
    """
    of_origin: dict[str, Fraction] = {}
    exact = [one for one in signals if one.stance is Stance.FOR and not one.fuzzy]
    origins = origins_of(exact, rates)
    for signal in exact:
        origin = origins[signal.register]
        if signal.register in rates.not_witnesses or origin in rates.not_witnesses:
            continue
        chance = rates.chance_wrong(signal)
        of_origin[origin] = min(chance, of_origin.get(origin, chance))
    witnesses = tuple(sorted(of_origin))
    chance_wrong = Fraction(1)
    for chance in of_origin.values():
        chance_wrong *= chance
    speaks_against = any(
        one.stance is Stance.AGAINST and not one.fuzzy and one.register not in rates.not_witnesses for one in signals
    )
    if speaks_against:
        return Judgement(Measure.ARBITRATE, witnesses, chance_wrong, "conflict")
    if not witnesses:
        return Judgement(Measure.VERIFY, (), Fraction(1), "own_data_only" if exact else "no_witness")
    if len(witnesses) > 1 and _outweighs(chance_wrong, harm.wrong_stop):
        return Judgement(Measure.STOP, witnesses, chance_wrong, "independent_witnesses")
    if _outweighs(chance_wrong, harm.wrong_hold):
        return Judgement(
            Measure.HOLD, witnesses, chance_wrong, "one_witness" if len(witnesses) == 1 else "harm_outweighs"
        )
    return Judgement(Measure.VERIFY, witnesses, chance_wrong, "harm_outweighs")


def origins_of(signals: Iterable[Signal], rates: Rates) -> dict[str, str]:
    """Give the origin of each register's records: registers that copy from one another, by whatever way, are one."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            name = parent[name]
        return name

    ties = [*rates.copies.items(), *((one.register, one.copy_of or one.register) for one in signals)]
    for one, other in ties:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return {one.register: root(one.register) for one in signals}


def _outweighs(chance_wrong: Fraction, weight: int) -> bool:
    """Say whether paying on costs more than acting: p(right) · a month overpaid > p(wrong) · the harm done."""
    return (1 - chance_wrong) * MILLE > chance_wrong * weight


def tier_of(judgement: Judgement) -> Tier:
    """Say how pressing a clue is, from what its signals justify."""
    if judgement.measure is Measure.STOP or judgement.reason == "conflict":
        return Tier.URGENT
    if judgement.witnesses:
        return Tier.HIGH
    return Tier.NORMAL if judgement.reason == "own_data_only" else Tier.LOOK
