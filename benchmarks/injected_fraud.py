"""A made-up month of pensions with fraud injected and the truth kept: what anomaly scores are measured on.

`make(folder, people, seed)` writes prepared tables and gives the truth. Which kinds of fraud there are, how strong and
how many of each, the seed decides; two kinds are of a sort that no score of ours looks at. The honest are no saints:
mines retire people early, couples share accounts, some change jobs late, some see no doctor, some have lumps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from huodang.pension.vectorised import retirement_ages
from huodang.supervision.tables import SCHEMAS, Kind

MONTH = 202506
NOW = 2025 * 12 + 5
FRAUD_SHARE = 0.001
KINDS_A_RUN = 9
PREFECTURES, COUNTIES = 11, 15


@dataclass
class Truth:
    """Who was made a fraud: the packed numbers, and of which kind each is (index into `kinds`; -1 honest)."""

    person: np.ndarray
    kind: np.ndarray
    kinds: tuple[str, ...]


class Tables:
    """A folder of prepared tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, kind: Kind) -> Path | None:
        """Tell where a table stands."""
        file = self.folder / f"{kind.value}.parquet"
        return file if file.exists() else None


@dataclass
class Province:
    """Columns of everybody; -1 is not told."""

    random: np.random.Generator
    person: np.ndarray
    age_months: np.ndarray
    region: np.ndarray
    category: np.ndarray
    started: np.ndarray
    special: np.ndarray
    credited: np.ndarray
    index: np.ndarray
    fen: np.ndarray
    expected: np.ndarray
    lump: np.ndarray
    decided: np.ndarray
    seen: np.ndarray
    certified: np.ndarray
    recent: np.ndarray
    before: np.ndarray
    employer: np.ndarray
    doctor: np.ndarray
    clerk: np.ndarray
    overrides: np.ndarray
    account: np.ndarray
    address: np.ndarray


def honest(count: int, random: np.random.Generator) -> Province:
    """Make people who are paid rightly."""
    female = random.random(count) < 0.54
    category = np.where(female, np.where(random.random(count) < 0.35, 1, 2), 0).astype(np.int32)
    age = (60 - 5 * (category == 1) - 9 * (category == 2)) * 12 + (random.gamma(1.7, 70, count)).astype(np.int64)
    age = np.minimum(age, random.integers(80 * 12, 104 * 12, count))
    born = NOW - age
    place = random.integers(0, PREFECTURES * COUNTIES, count)
    region = 130000 + (place // COUNTIES + 1) * 100 + place % COUNTIES + 1
    day = born // 12 * 10_000 + (born % 12 + 1) * 100 + random.integers(1, 29, count)
    sequence = random.permutation(count) % 499 * 2 + np.where(female, 0, 1)
    person = (region.astype(np.int64) * 10**8 + day) * 1000 + sequence
    # Two strangers may be given one number here; the later one moves on.
    while len(twins := np.setdiff1d(np.arange(count), np.unique(person, return_index=True)[1])):
        person[twins] += 10**11 * random.integers(1, 80, len(twins)) + 2 * random.integers(0, 200, len(twins))
    employers = max(count // 60, 20)
    employer = np.minimum((random.pareto(1.1, count) * employers / 12).astype(np.int64), employers - 1)
    mine = random.random(employers) < 0.03
    special = (random.random(count) < np.where(mine[employer], 0.7, 0.02)).astype(np.int8)
    lawful = retirement_ages(category, np.clip(born, 1900 * 12, 2100 * 12)).retirement_ordinals
    started = np.minimum(lawful - 60 * special + np.minimum(random.geometric(0.7, count) - 1, 18), NOW)
    credited = np.clip(random.normal(330, 75, count), 180, 540).astype(np.int64)
    index = np.clip(random.lognormal(-0.35, 0.4, count), 0.4, 3.0)
    base = 5_600 * (1 + 0.03 * (place % PREFECTURES) / 10)
    due = base * (1 + index) / 2 * credited / 1200 + index * credited * 2.0 + 6 * np.maximum(age / 12 - 60, 0)
    expected = (due * 100 * random.lognormal(0, 0.03, count)).astype(np.int64)
    off = np.where(random.random(count) < 0.03, 1 + random.normal(0, 0.012, count), 1.0)
    lump = np.where(random.random(count) < 0.01, random.integers(1, 8, count) * expected, 0)
    usual_gap = np.clip(14 - (age / 12 - 55) * 0.3, 2, 14)
    seen = np.minimum((random.exponential(usual_gap)).astype(np.int64), 80)
    seen[random.random(count) < np.where(age > 75 * 12, 0.01, 0.04)] = -1
    certified = np.where(random.random(count) < 0.93, random.integers(0, 13, count), -1)
    wage = 5_000_00 * index * 0.24
    leap = np.where(random.random(count) < 0.02, random.uniform(1.3, 2.5, count), 1)
    recent = (wage * 1.12 * leap * random.lognormal(0, 0.08, count)).astype(np.int64)
    account = np.arange(count) + 10**6
    pair = np.flatnonzero(random.random(count // 2) < 0.06) * 2
    account[pair] = account[pair + 1]
    address = np.arange(count) + 5 * 10**8
    home = np.flatnonzero(random.random(count // 2) < 0.35) * 2
    address[home] = address[home + 1]
    aged = np.flatnonzero(age > 76 * 12)
    for _ in range(max(count // 20_000, 1)):
        inmates = random.choice(aged, random.integers(8, 40), replace=False)
        address[inmates] = address[inmates[0]]
        if random.random() < 0.3:
            account[inmates] = account[inmates[0]]
    return Province(
        random, person, age, region, category, started, special, credited, index, (expected * off).astype(np.int64),
        np.where(random.random(count) < 0.85, expected, -1), lump, random.random(count) < 0.95, seen, certified,
        recent, wage.astype(np.int64), employer, random.integers(0, 300, count),
        place * 3 + random.integers(0, 3, count), random.poisson(0.03, count), account, address,
    )  # fmt: skip


def inflated(p: Province, who: np.ndarray, strength: float) -> None:
    """The amount was raised by hand."""
    p.fen[who] = (p.fen[who] * (1 + p.random.uniform(0.08, 0.6, len(who)) * strength)).astype(np.int64)


def inflated_with_papers(p: Province, who: np.ndarray, strength: float) -> None:
    """The amount was raised, and nothing is there to recalculate it from."""
    p.fen[who] = (p.fen[who] * (1 + p.random.uniform(0.3, 1.2, len(who)) * strength)).astype(np.int64)
    p.expected[who] = -1


def short_contributions(p: Province, who: np.ndarray, strength: float) -> None:
    """A long pension on 8 to 14 years; the recalculation rests on the same false years."""
    p.credited[who] = (p.random.integers(96, 169, len(who)) / max(strength, 0.7)).astype(np.int64)


def undue_lump(p: Province, who: np.ndarray, strength: float) -> None:
    """Back pay that nothing decided, or that a made-up decision covers."""
    p.lump[who] = (p.fen[who] * p.random.uniform(8, 36, len(who)) * strength).astype(np.int64)
    p.decided[who] = p.random.random(len(who)) < 0.3


def ghost(p: Province, who: np.ndarray, strength: float) -> None:
    """Dead for years, and paid on; some are certified by a relative once more."""
    older = who[np.argsort(-p.age_months[who], kind="stable")]
    p.seen[older] = np.where(p.random.random(len(older)) < 0.6, -1, (p.random.integers(30, 80, len(older)) * strength))
    p.certified[older] = np.where(p.random.random(len(older)) < 0.15, p.random.integers(0, 13, len(older)), -1)


def false_early(p: Province, who: np.ndarray, strength: float) -> None:
    """A false date of birth in the archive: retired years early with no special trade."""
    p.started[who] -= (p.random.integers(18, 96, len(who)) * strength).astype(np.int64)
    p.special[who] = 0


def bought_approvals(p: Province, who: np.ndarray, strength: float) -> None:
    """A doctor and a few employers sell special trades."""
    sellers = p.random.integers(0, 300, max(len(who) // 40, 1))
    p.special[who] = 1
    p.started[who] -= int(60 * min(strength, 1))
    p.doctor[who] = p.random.choice(sellers, len(who))
    few = p.random.choice(np.unique(p.employer), max(len(who) // 25, 1))
    p.employer[who] = p.random.choice(few, len(who))


def leap_of_contributions(p: Province, who: np.ndarray, strength: float) -> None:
    """Contributions leap in the last year."""
    p.recent[who] = (p.before[who] * p.random.uniform(3, 8, len(who)) * strength).astype(np.int64)


def one_account(p: Province, who: np.ndarray, strength: float) -> None:
    """Rings of people who are paid to one account."""
    size = max(int(8 * strength), 4)
    p.account[who] = p.account[who[np.arange(len(who)) // size * size]]


def one_address(p: Province, who: np.ndarray, strength: float) -> None:
    """Rings of people enrolled from one address."""
    size = max(int(12 * strength), 5)
    p.address[who] = p.address[who[np.arange(len(who)) // size * size]]


def overriding_clerk(p: Province, who: np.ndarray, strength: float) -> None:
    """A clerk changes results by hand, a little each."""
    p.overrides[who] = p.random.integers(2, 7, len(who))
    clerks = p.random.choice(np.unique(p.clerk), max(len(who) // 60, 1))
    p.clerk[who] = clerks[np.arange(len(who)) // 60 % len(clerks)]
    p.fen[who] = (p.fen[who] * (1 + p.random.uniform(0.04, 0.12, len(who)) * strength)).astype(np.int64)


def round_amounts(p: Province, who: np.ndarray, strength: float) -> None:
    """Invented people with round amounts; no score of ours looks at roundness."""
    p.fen[who] = (p.fen[who] * (1 + 0.2 * strength) / 50_000).astype(np.int64) * 50_000
    p.expected[who] = p.fen[who]


def far_from_home(p: Province, who: np.ndarray, strength: float) -> None:
    """People of no archive and a bare minimum of everything; no score of ours looks at that."""
    p.fen[who] = (p.fen[who] * 0.4 / max(strength, 0.5)).astype(np.int64)
    p.expected[who] = -1
    p.index[who] = 0.4


KINDS: tuple[Callable[[Province, np.ndarray, float], None], ...] = (
    inflated, inflated_with_papers, short_contributions, undue_lump, ghost, false_early, bought_approvals,
    leap_of_contributions, one_account, one_address, overriding_clerk, round_amounts, far_from_home,
)  # fmt: skip


# Who can be made a fraud of a kind: the dead are old, contributions leap for those who just went.
ABLE: dict[Callable[[Province, np.ndarray, float], None], Callable[[Province], np.ndarray]] = {
    ghost: lambda p: p.age_months > 80 * 12,
    leap_of_contributions: lambda p: p.started > NOW - 72,
}


def _anybody(p: Province) -> np.ndarray:
    return np.ones(len(p.person), dtype=bool)


def make(folder: Path, count: int, seed: int) -> Truth:
    """Write the tables of a province of so many pensioners, one of a thousand a fraud."""
    random = np.random.default_rng(seed)
    province = honest(count, random)
    chosen = random.choice(len(KINDS), KINDS_A_RUN, replace=False)
    frauds = max(int(count * FRAUD_SHARE), KINDS_A_RUN)
    shares = np.cumsum(random.dirichlet(np.full(KINDS_A_RUN, 4.0)))[:-1]
    kind = np.full(count, -1)
    taken = np.zeros(count, dtype=bool)
    for number, share in enumerate(np.diff([0, *(shares * frauds).astype(int), frauds])):
        made = KINDS[chosen[number]]
        able = np.flatnonzero(ABLE.get(made, _anybody)(province) & ~taken)
        who = random.choice(able, share, replace=False)
        made(province, who, random.uniform(0.6, 1.4))
        taken[who] = True
        kind[who] = number
    _write(folder, province)
    return Truth(province.person, kind, tuple(KINDS[number].__name__ for number in chosen))


def _write(folder: Path, p: Province) -> None:
    count = len(p.person)
    everybody = np.arange(count)
    lumps = np.flatnonzero(p.lump > 0)
    rows = np.concatenate([everybody, lumps])
    is_lump = np.arange(len(rows)) >= count
    decided = is_lump & p.decided[rows]
    _table(folder, Kind.PAYMENTS, rows, p.person, {
        "month": np.full(len(rows), MONTH), "scheme": _texts(np.full(len(rows), 110), ""),
        "fen": np.where(is_lump, p.lump[rows], p.fen[rows]), "account": p.account[rows],
        "region": _texts(p.region[rows], ""),
        "kind": pa.array(["regular", "back_pay"]).take(pa.array(is_lump.astype(int))),
        "expected_fen": pa.array(p.expected[rows], mask=(p.expected[rows] < 0) | is_lump),
        "decision": pa.array(["made-up decision", None]).take(pa.array(np.where(decided, 0, 1))),
    })  # fmt: skip
    _table(folder, Kind.ARCHIVES, everybody, p.person, {
        "category": pa.array(["male", "female55", "female50"]).take(pa.array(p.category)),
        "retirement_month": _month(p.started),
        "special": p.special, "employer": _texts(p.employer, "made-up employer "),
        "doctor": _texts(p.doctor, "doctor "), "clerk": _texts(p.clerk, "clerk "),
        "address": p.address, "contribution_months": p.credited, "overrides": p.overrides,
    })  # fmt: skip
    seen = np.flatnonzero(p.seen >= 0)
    _table(folder, Kind.VISITS, seen, p.person, {"last_on": _month(NOW - p.seen[seen]) * 100 + 15})
    told = np.flatnonzero(p.certified >= 0)
    _table(folder, Kind.CERTIFICATIONS, told, p.person, {"certified_on": _month(NOW - p.certified[told]) * 100 + 20})
    # Contribution rows of those who went in the last six years: a month of each quarter of the last two years.
    late = np.flatnonzero(p.started > NOW - 72)
    quarters = np.arange(8)
    who = np.repeat(late, len(quarters))
    back = np.tile(quarters * 3, len(late))
    _table(folder, Kind.ENROLMENTS, who, p.person, {
        "month": _month(p.started[who] - 1 - back), "fen": np.where(back < 12, p.recent[who], p.before[who]),
        "kind": pa.array(["contribution"]).take(pa.array(np.zeros(len(who), dtype=int))),
    })  # fmt: skip


def _table(folder: Path, kind: Kind, rows: np.ndarray, person: np.ndarray, columns: dict[str, object]) -> None:
    schema = SCHEMAS[kind]
    given = {
        "row": np.arange(len(rows)),
        "person": person[rows],
        "fault": np.zeros(len(rows), dtype=np.int8),
        **columns,
    }
    arrays = [
        pa.nulls(len(rows), field.type) if field.name not in given else pa.array(given[field.name]).cast(field.type)
        for field in schema
    ]
    folder.mkdir(parents=True, exist_ok=True)
    ordered = pa.Table.from_arrays(arrays, schema=schema).take(pa.array(np.argsort(person[rows], kind="stable")))
    pq.write_table(ordered, folder / f"{kind.value}.parquet", compression="zstd")


def _texts(codes: np.ndarray, prefix: str) -> pa.Array:
    values, which = np.unique(codes, return_inverse=True)
    return pa.array([f"{prefix}{value}" for value in values.tolist()]).take(pa.array(which))


def _month(ordinal: np.ndarray) -> np.ndarray:
    return ordinal // 12 * 100 + ordinal % 12 + 1
