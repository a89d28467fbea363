"""Two registers, capture and recapture: how many did neither of them see? Pure.

What both found tells how thorough each is: of the second's, the share that the first had found, too. It holds if the
registers work independently of one another; where whoever stands in one is likelier to stand in the other (a death in
hospital reaches both), the number is too low.

Source: Chapman (1951), nearly unbiased and finite without any overlap; interval by the transformed logit of Sadinle
(2009), which stays above what was seen and near its nominal coverage also for few cases.
"""

import math
from dataclasses import dataclass

from huodang.supervision.watch.errors import CaptureError

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class TwoLists:
    """What two registers saw.

    Attributes:
        first: how many the first has.
        second: how many the second has.
        both: how many of them stand in both.
    """

    first: int
    second: int
    both: int

    @property
    def seen(self) -> int:
        """How many stand in one of them at least."""
        return self.first + self.second - self.both


@dataclass(frozen=True)
class TwoListEstimate:
    """How many there are in all, in persons.

    Attributes:
        total: estimated number of all.
        low, high: the interval in which it lies in 95 of 100 cases.
    """

    lists: TwoLists
    total: float
    low: float
    high: float

    @property
    def missed(self) -> float:
        """Those that neither register saw."""
        return self.total - self.lists.seen


def chapman(lists: TwoLists) -> TwoListEstimate:
    """Estimate how many there are from two registers.

    Raises:
        CaptureError: the counts contradict one another, or a register is empty.
    """
    first, second, both = lists.first, lists.second, lists.both
    if min(first, second) <= 0 or not 0 <= both <= min(first, second):
        raise CaptureError(
            "两个登记来源的人数不能成立，无法估计",
            "the counts of the two registers can't be: nothing is estimated",
            advice_chinese="每个来源至少一人，重合人数不多于任一来源。",
            advice_english="Each register needs one person at least, and no more can stand in both than in either.",
        )
    total = (first + 1) * (second + 1) / (both + 1) - 1
    only_first, only_second, common = first - both + 0.5, second - both + 0.5, both + 0.5
    least, unseen = first + second - both - 0.5, only_first * only_second / common
    # Registers that hold the same people expect next to nobody unseen: what is below half a person counts as half here.
    spread = math.sqrt(1 / common + 1 / only_first + 1 / only_second + 1 / max(unseen, 0.5))
    low, high = (least + unseen * math.exp(sign * _NORMAL_95 * spread) for sign in (-1, 1))
    return TwoListEstimate(lists, total, max(low, float(lists.seen)), high)
