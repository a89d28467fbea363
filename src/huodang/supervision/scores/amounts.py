"""Scores of the monthly amount: against the recalculated entitlement, against peers, against the contributions."""

from typing import Final

import numpy as np

from huodang.supervision.scores.features import Family, Feature, Telling, Words, nothing, yuan
from huodang.supervision.scores.peers import Codes, Residuals, cells_of, compare
from huodang.supervision.scores.people import People
from huodang.supervision.scores.rarity import Values, rarity

# Rounding steps of a recalculation may differ by less than a yuan.
_TOLERANCE_FEN: Final = 100
_AGE_BAND: Final = 5
_YEARS_BAND: Final = 60
# Contribution rows count as a person's whole history only where the file reaches back so many months.
_WHOLE_HISTORY: Final = 120
# Parts of a doubling that ratios are compared in.
_LOGARITHM: Final = 1 << 16


def entitlement(people: People) -> Feature:
    """Score what is paid beyond the recalculated entitlement, as a share of it."""
    told = (people.expected > 0) & (people.fen > 0)
    excess = people.fen - people.expected
    values = nothing(len(people))
    share = np.where(np.abs(excess) <= _TOLERANCE_FEN, 0, excess) / np.maximum(people.expected, 1)
    values[told] = np.maximum(share[told], 0).astype(np.float32)

    def tell(at: int) -> Words:
        paid, due, over = (yuan(int(one[at])) for one in (people.fen, people.expected, excess))
        return Words(
            f"月发 {paid} 元，按规则重算应为 {due} 元，多 {over} 元",
            f"{paid} yuan a month are paid; the rules give {due}: {over} too much",
        )

    label = Words("金额与重算待遇之差", "amount beyond the recalculated entitlement")
    return Feature(
        "entitlement", Family.AMOUNT, label, values, rarity(values), tell, lambda at: max(int(excess[at]), 0)
    )


def peers(people: People, months: Codes) -> Feature:
    """Score the amount against people of the same scheme, region, sex, age band and years of contributions.

    Only those without a recalculated entitlement are judged: what the rules give tells more than what others get.
    """
    found = compare(people.fen, levels(people, months // _YEARS_BAND))
    values = nothing(len(people))
    open_ = (people.fen > 0) & (people.expected <= 0)
    values[open_] = np.maximum(found.widths[open_], 0)
    label = Words("金额与同类人群之差", "amount beyond that of peers")
    tell = _against_peers(people, found)
    # All the same everybody is among those compared with.
    digits = _among_all(values, people.fen > 0, found)
    return Feature("peers", Family.AMOUNT, label, values, digits, tell, lambda at: max(int(found.excess[at]), 0))


def short_years(people: People, months: Codes) -> Feature:
    """Score a long pension on short contributions: fen a month of contributions, against peers of scheme and region.

    The measure is a ratio, so it is compared as a logarithm.
    """
    told = (months > 0) & (people.fen > 0)
    ratio = np.where(told, np.log2(np.maximum(people.fen, 1) / np.maximum(months, 1)), 0)
    found = compare(np.rint(ratio * _LOGARITHM).astype(np.int64), levels(people, None), narrowest=1.0)
    values = nothing(len(people))
    values[told] = np.maximum(found.widths[told], 0)

    def usual(at: int) -> int:
        return round(2 ** (int(found.middle[at]) / _LOGARITHM) * int(months[at]))

    def tell(at: int) -> Words:
        years, rest = divmod(int(months[at]), 12)
        paid, peers_have = yuan(int(people.fen[at])), yuan(usual(at))
        return Words(
            f"缴费只有 {years} 年 {rest} 个月，月发 {paid} 元；同类人群按此年限约 {peers_have} 元",
            f"{years} years and {rest} months of contributions, {paid} yuan a month; peers with as many have about "
            f"{peers_have}",
        )

    label = Words("缴费年限短而待遇高", "a long pension on short contributions")
    return Feature(
        "short_years",
        Family.AMOUNT,
        label,
        values,
        rarity(values),
        tell,
        lambda at: max(int(people.fen[at]) - usual(at), 0),
    )


def contribution_months(people: People) -> Codes:
    """Tell for how many months each person contributed: as found in whole histories, else as the archive claims."""
    whole = int(people.found.max(initial=0)) >= _WHOLE_HISTORY
    if not whole:
        return people.credited
    both = (people.found >= 0) & (people.credited >= 0)
    return np.where(both, np.minimum(people.found, people.credited), np.maximum(people.found, people.credited)).astype(
        np.int32
    )


def levels(people: People, years: Codes | None) -> tuple[Codes, ...]:
    """Give everybody's cells, finest first: region, prefecture, province, scheme alone."""
    band = people.age() // _AGE_BAND
    kind = np.where(people.category >= 0, people.category, people.sex + 2).astype(np.int32)
    alike = (people.scheme, kind, band) if years is None else (people.scheme, kind, band, years)
    return (
        cells_of(*alike, people.region),
        cells_of(*alike, people.prefecture),
        cells_of(*alike),
        cells_of(people.scheme),
    )


def _among_all(values: Values, paid: np.ndarray, found: Residuals) -> Values:
    everyone = nothing(len(values))
    everyone[paid] = np.maximum(found.widths[paid], 0)
    digits = rarity(everyone)
    digits[np.isnan(values)] = 0
    return digits


def _against_peers(people: People, found: Residuals) -> Telling:
    ages = people.age()

    def tell(at: int) -> Words:
        paid, usual, over = (yuan(int(one[at])) for one in (people.fen, found.middle, found.excess))
        number = f"{int(found.peers[at]):,}"
        age = int(ages[at])
        years = "、同缴费年限" if found.level[at] < 3 else ""
        who = f"同险种、同年龄段{years}的 {number} 人" if found.level[at] < 3 else f"同险种的 {number} 人"
        return Words(
            f"月发 {paid} 元，{age} 岁；{who}的中位数为 {usual} 元，高出 {over} 元",
            f"{paid} yuan a month at {age}; the median of {number} peers is {usual}: {over} more",
        )

    return tell
