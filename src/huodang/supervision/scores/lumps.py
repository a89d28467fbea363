"""Scores of money paid beside the monthly amount: lump back pay (补发), and months far above a person's own middle."""

import numpy as np

from huodang.supervision.scores.amounts import levels
from huodang.supervision.scores.features import Family, Feature, Words, nothing, yuan
from huodang.supervision.scores.peers import compare
from huodang.supervision.scores.people import People
from huodang.supervision.scores.rarity import rarity


def lump(people: People) -> Feature:
    """Score lump sums in monthly amounts of the person's peers.

    The peers' amount is the measure, not the person's own: who is paid more each month has no smaller lump for it. A
    lump with a decision is compared with other such lumps; one without, and a sudden month, with everybody.
    """
    usual = np.maximum(compare(people.fen, levels(people, None)).middle, 1)
    jump = np.maximum(people.highest - people.middle, 0)
    beside = np.maximum(people.lump, 0) + jump
    values = nothing(len(people))
    values[:] = beside / usual
    decided = (people.lump > 0) & (people.decided == 1)
    without = np.where(decided, np.float32(0), values)
    digits = np.where(decided, rarity(np.where(decided, values, np.float32(np.nan))), rarity(without))

    def tell(at: int) -> Words:
        months = f"{beside[at] / usual[at]:,.1f}"
        if people.lump[at] > 0:
            paper = ("有核定依据", "with a decision") if people.decided[at] else ("无核定依据", "without a decision")
            return Words(
                f"一次性补发 {yuan(int(people.lump[at]))} 元（{paper[0]}），合同类人群 {months} 个月的待遇",
                f"a lump of {yuan(int(people.lump[at]))} yuan {paper[1]}: {months} months of what peers have",
            )
        return Words(
            f"某月发放 {yuan(int(people.highest[at]))} 元，高出本人平常 {yuan(int(jump[at]))} 元，"
            f"合同类人群 {months} 个月的待遇",
            f"one month was {yuan(int(people.highest[at]))} yuan, {yuan(int(jump[at]))} above the person's usual: "
            f"{months} months of what peers have",
        )

    label = Words("一次性补发或某月突增", "lump back pay or a month far above the usual")
    return Feature("lump", Family.LUMP, label, values, digits, tell, lambda at: int(beside[at]))
