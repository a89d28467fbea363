"""The score of contributions that leap before retirement: a last year far above all years before lifts a pension."""

import numpy as np

from huodang.supervision.scores.features import Family, Feature, Words, nothing, yuan
from huodang.supervision.scores.people import People
from huodang.supervision.scores.rarity import rarity


def spike(people: People) -> Feature:
    """Score how many times the mean contribution of the last year is that of the years before, in doublings."""
    told = (people.recent > 0) & (people.before > 0)
    values = nothing(len(people))
    values[told] = np.log2(people.recent[told] / people.before[told])
    np.maximum(values, 0, out=values)

    def tell(at: int) -> Words:
        last, earlier = yuan(int(people.recent[at])), yuan(int(people.before[at]))
        times = f"{people.recent[at] / people.before[at]:.1f}"
        return Words(
            f"最后一年月均缴费 {last} 元，此前 {earlier} 元，为 {times} 倍",
            f"the last year's contributions are {last} yuan a month, {earlier} before: {times} times as much",
        )

    label = Words("退休前缴费突增", "contributions leap before retirement")
    return Feature("contribution_spike", Family.CONTRIBUTION, label, values, rarity(values), tell)
