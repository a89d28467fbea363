"""Five years of a province: what is overpaid, who is wronged, what is missed; against what agencies do today.

A made-up province in which people die, are imprisoned, and are reported dead by mistake. Registers record with their
own lags and gaps, some numbers are wrong, some departments contradict each other, some reports are annulled. The same
people go through three ways of watching them:

- the product: events; its own judgement (`clues.judge`) with the priors and harms it comes with; a hold is one payment,
  once; two independent registers or a person's decision stop; contradictions go to arbitration while payment goes on;
  certification overdue leads to a visit and a decision, never to a stop;
- monthly matching by hand: lists of two registers a month, exact numbers, stop on a hit, restored on complaint;
- yearly certification only: whoever hasn't certified is stopped, restored when they do.

What people, registers and offices are like is assumed and stands in `ASSUMED`; nothing here is measured in a province.
`HUODANG_BENCHMARK_PEOPLE` sets the number of people (1,000,000).
"""

import math
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

from huodang.pension import Custody, payment_effect_of_custody, payment_effect_of_death
from huodang.standards import Month
from huodang.supervision.clues import Measure, Signal, Stance, judge, product_registers
from huodang.supervision.watch import Payday

PEOPLE = int(os.environ.get("HUODANG_BENCHMARK_PEOPLE", "1000000"))
BEGAN = date(2025, 1, 1)
MONTHS = 60
PAYDAYS = [(Month(2025, 1) + ahead, Payday(15).of(Month(2025, 1) + ahead)) for ahead in range(MONTHS)]
DAYS = [(day - BEGAN).days for _, day in PAYDAYS]
HORIZON = DAYS[-1] + 1
SEED = 20250101

ASSUMED = {
    "deaths a year": 0.035,
    "imprisonments a year": 0.0005,
    "false death reports a year and register": 0.0002,
    "records with a wrong number": 0.05,
    "deaths a department contradicts": 0.01,
    "false reports another department contradicts": 0.30,
    "people who certify late": 0.015,
    "a person's decision is right": 0.995,
}
# Register: share of deaths it ever records, median days until it does, spread of the logarithm.
REGISTERS = {"health": (0.65, 3, 0.8), "police": (0.80, 20, 1.1), "civil_affairs": (0.70, 5, 0.7)}
JUSTICE = (0.95, 15, 0.8)
BY_HAND = ("health", "police")


@dataclass(frozen=True)
class Report:
    """What one register says: from which day, until when it stands, with a wrong number or not, for or against."""

    register: str
    day: int
    annulled: int = HORIZON
    dirty: bool = False
    against: bool = False


@dataclass
class Case:
    """One person to whom something happens, or is said to have happened.

    Attributes:
        kind: `death`, `custody` or `false` (alive, and said to be dead).
        begin, end: days of it; of a false report the day of the first.
        fen: paid a month.
        certified: the month of the year in which the person certifies, 0 to 11.
    """

    kind: str
    begin: int
    end: int
    fen: int
    certified: int
    reports: list[Report] = field(default_factory=list)

    def undue(self) -> set[int]:
        """Give the places of the paydays whose month isn't due, by the product's own rules."""
        if self.kind == "false":
            return set()
        months = [month for month, _ in PAYDAYS]
        began = BEGAN + timedelta(days=self.begin)
        if self.kind == "death":
            undue = payment_effect_of_death(began, months).unduly_paid
        else:
            ended = BEGAN + timedelta(days=self.end)
            undue = payment_effect_of_custody(Custody.PRISON, began, ended, months).unduly_paid
        return {month - months[0] for month in undue}


@dataclass(frozen=True)
class Withheld:
    """A stretch of days on which nothing is paid; at its end what was withheld is paid back, or not."""

    begin: int
    end: int
    paid_back: bool
    stopped: bool


@dataclass
class Tally:
    """What one way of watching came to."""

    overpaid: int = 0
    undue: int = 0
    wrong_days: int = 0
    wrongly_stopped: int = 0
    wrongly_held: int = 0
    missed: int = 0

    def add(self, case: Case, stretches: list[Withheld]) -> None:
        """Count one case."""
        undue = case.undue()
        paid_unduly = 0
        for place, day in enumerate(DAYS):
            over = next((one for one in stretches if one.begin <= day < one.end), None)
            paid = over is None or over.paid_back
            if place in undue:
                self.undue += case.fen
                paid_unduly += paid
            elif over is not None and (case.kind != "death" or day < case.begin):
                self.wrong_days += min(over.end, HORIZON) - day
        self.overpaid += paid_unduly * case.fen
        self.missed += bool(undue) and paid_unduly == len(undue)
        if case.kind == "false":
            hit = [one for one in stretches if any(one.begin <= day < one.end for day in DAYS)]
            self.wrongly_stopped += any(one.stopped for one in hit)
            self.wrongly_held += any(not one.stopped for one in hit)


def lag(draw: random.Random, median: float, spread: float) -> int:
    """Draw a lag in days."""
    return max(0, round(median * math.exp(draw.gauss(0, spread))))


def cases(draw: random.Random) -> Iterator[Case]:
    """Draw the people to whom something happens in five years."""
    wrong, years = ASSUMED["records with a wrong number"], MONTHS / 12

    def case(kind: str, begin: int, end: int = HORIZON) -> Case:
        return Case(kind, begin, end, round(300_000 * math.exp(draw.gauss(0, 0.3))), draw.randrange(12))

    for _ in range(round(PEOPLE * ASSUMED["deaths a year"] * years)):
        made = case("death", draw.randrange(HORIZON))
        for register, (share, median, spread) in REGISTERS.items():
            if draw.random() < share:
                made.reports.append(
                    Report(register, made.begin + lag(draw, median, spread), dirty=draw.random() < wrong)
                )
        if made.reports and draw.random() < ASSUMED["deaths a department contradicts"]:
            other = next((one for one in REGISTERS if all(one != each.register for each in made.reports)), None)
            if other:
                made.reports.append(Report(other, made.reports[0].day + lag(draw, 5, 0.5), against=True))
        yield made
    for _ in range(round(PEOPLE * ASSUMED["imprisonments a year"] * years)):
        begin = draw.randrange(HORIZON)
        made = case("custody", begin, begin + 60 + lag(draw, 500, 0.8))
        share, median, spread = JUSTICE
        if draw.random() < share:
            made.reports.append(Report("justice", begin + lag(draw, median, spread), dirty=draw.random() < wrong))
        yield made
    for register in REGISTERS:
        for _ in range(round(PEOPLE * ASSUMED["false death reports a year and register"] * years)):
            made = case("false", draw.randrange(HORIZON))
            made.reports.append(Report(register, made.begin, annulled=made.begin + lag(draw, 40, 0.8)))
            if draw.random() < ASSUMED["false reports another department contradicts"]:
                other = "police" if register != "police" else "health"
                made.reports.append(Report(other, made.begin + lag(draw, 5, 0.5), against=True))
            yield made


@cache
def judged(signals: tuple[tuple[str, bool, bool], ...]) -> Measure:
    """Ask the product what signals justify: register, likeness only, against."""
    registers = product_registers()
    made = [
        Signal(
            register,
            "alive" if against else "death",
            {},
            f"{place:064x}",
            confirmed=False,
            fuzzy=fuzzy,
            known_at=datetime(2025, 1, 1, tzinfo=UTC),
            stance=Stance.AGAINST if against else Stance.FOR,
        )
        for place, (register, fuzzy, against) in enumerate(signals)
    ]
    judgement = judge(made, registers.rates({}), registers.weighed())
    if judgement.measure is Measure.STOP:
        assert len(judgement.witnesses) > 1, "a single register must never stop a payment"
    return judgement.measure


def next_payday(day: int) -> int:
    """Give the first payday after a day."""
    return next((each for each in DAYS if each > day), HORIZON)


def product(case: Case, draw: random.Random) -> list[Withheld]:
    """Walk one case as the product has it."""
    moments = sorted(
        {one.day for one in case.reports} | {one.annulled for one in case.reports if one.annulled < HORIZON}
    )
    opened = moments[0] if moments else overdue_visit(case, draw)
    if opened is None or opened >= HORIZON:
        return []
    deadline = opened + lag(draw, 14, 0.5)
    if any(one.against for one in case.reports):
        deadline += 30  # two departments have to settle it
    true = case.kind != "false"
    right = draw.random() < ASSUMED["a person's decision is right"]
    stretches: list[Withheld] = []
    held = False
    edges = [one for one in moments if one < deadline]
    for day, until in pairwise([*edges, deadline]):
        standing = tuple(
            sorted((one.register, one.dirty, one.against) for one in case.reports if one.day <= day < one.annulled)
        )
        measure = judged(standing) if standing else Measure.VERIFY
        if measure is Measure.STOP:
            # What no longer justifies a stop lets it go, paid back.
            stretches.append(Withheld(day, until, paid_back=until < deadline, stopped=True))
        elif measure is Measure.HOLD and not held:
            held = True
            lapses = next_payday(next_payday(day))
            # One payment, and it ends by itself: then it is paid back, unless somebody has decided before.
            stretches.append(Withheld(day, min(lapses, deadline), paid_back=lapses < deadline, stopped=False))
    confirmed = true == right
    if not true and confirmed:  # wrongly confirmed: the person objects, and is paid back
        return [Withheld(opened, deadline + 60, paid_back=True, stopped=True)]
    end = case.end if case.kind == "custody" else HORIZON
    if confirmed and deadline < end:
        return [*stretches, Withheld(deadline, end, paid_back=False, stopped=True)]
    return [Withheld(one.begin, one.end, paid_back=True, stopped=one.stopped) for one in stretches]


def overdue_visit(case: Case, draw: random.Random) -> int | None:
    """Whom no register shows is found when the certification is overdue: somebody pays a visit."""
    if case.kind == "false":
        return None
    return certification_day(case) + 30 + lag(draw, 30, 0.5)


def certification_day(case: Case) -> int:
    """Give the last day by which a person must have certified, the first that falls after what happened."""
    month = case.certified
    while month < MONTHS + 12:
        day = (Month(2025, 1) + month).last_day()
        if (day - BEGAN).days > case.begin:
            return (day - BEGAN).days
        month += 12
    return HORIZON


def by_hand(case: Case, draw: random.Random) -> list[Withheld]:
    """Match two registers' lists of a month, by exact number, and stop on a hit."""
    lists = [
        one.day for one in case.reports if not (one.against or one.dirty) and one.register in (*BY_HAND, "justice")
    ]
    if not lists:
        return []
    seen = min(lists)
    month = Month.of(BEGAN + timedelta(days=seen))
    stop = (month.last_day() - BEGAN).days + 20  # lists come at the month's end and take three weeks
    if case.kind == "false":
        complaint = next_payday(stop) + lag(draw, 30, 0.6)
        return [Withheld(stop, min(complaint, HORIZON), paid_back=True, stopped=True)]
    end = case.end + 45 if case.kind == "custody" else HORIZON
    return [Withheld(stop, end, paid_back=False, stopped=True)] if stop < end else []


def certification_only(case: Case, _draw: random.Random) -> list[Withheld]:
    """Stop whoever hasn't certified by the end of the month after."""
    if case.kind == "false":
        return []
    stop = certification_day(case) + 30
    end = case.end + 45 if case.kind == "custody" else HORIZON
    return [Withheld(stop, end, paid_back=False, stopped=True)] if stop < end else []


def late_certifiers(tally: Tally, draw: random.Random) -> None:
    """Count the living who certify late, and go without until they do."""
    for _ in range(round(PEOPLE * ASSUMED["people who certify late"] * MONTHS / 12)):
        stop = draw.randrange(HORIZON)
        back = stop + lag(draw, 45, 0.8)
        missed = [day for day in DAYS if stop <= day < back]
        if missed:
            tally.wrongly_stopped += 1
            tally.wrong_days += sum(min(back, HORIZON) - day for day in missed)


def run() -> list[str]:
    """Walk everybody through all three; give the lines of a report."""
    ways: dict[str, Callable[[Case, random.Random], list[Withheld]]] = {
        "the product": product,
        "monthly matching by hand": by_hand,
        "yearly certification only": certification_only,
    }
    drawn = list(cases(random.Random(SEED)))
    rows = []
    for name, way in ways.items():
        began = time.perf_counter()
        draw, tally = random.Random(SEED + 1), Tally()
        for case in drawn:
            tally.add(case, way(case, draw))
        if way is certification_only:
            late_certifiers(tally, draw)
        wrong = sum(1 for case in drawn if case.undue())
        years = PEOPLE * MONTHS / 12
        rows.append(
            f"| {name} | {tally.overpaid / 1e8:,.1f} | {100 * tally.overpaid / tally.undue:.1f} | "
            f"{100 * tally.missed / wrong:.2f} | {1e5 * tally.wrongly_stopped / years:.2f} | "
            f"{1e5 * tally.wrongly_held / years:.2f} | {tally.wrong_days:,} | {time.perf_counter() - began:.0f} |"
        )
    kinds = {kind: sum(1 for case in drawn if case.kind == kind) for kind in ("death", "custody", "false")}
    told = (
        f"{PEOPLE:,} people over {MONTHS} months: {kinds['death']:,} deaths, {kinds['custody']:,} prison terms, "
        f"{kinds['false']:,} false reports of death. Made up: see `ASSUMED` in the module."
    )
    heads = (
        "| way of watching | overpaid, million yuan | % of all that wasn't due | % of wrong payments not found in time "
        "| false stops a 100,000 person-years | false holds | wrongly unpaid person-days | s |"
    )
    note = (
        "A hold is one payment, paid back by itself; a stop lasts until somebody decides. Days count from each payday "
        "missed to the day on which it was paid back."
    )
    return [told, "", heads, "|---|---:|---:|---:|---:|---:|---:|---:|", *rows, "", note]


if __name__ == "__main__":
    print("\n".join(run()))
