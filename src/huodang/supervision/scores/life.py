"""The score of life unseen: no visit, certification or contribution for long, at great age.

Whoever is 75 or older is compared with people of the same five years of age. The older people are, the fewer go
without a doctor for long, so the same silence weighs more. It is a reason to go and see the person, and nothing else.
"""

from typing import Final

import numpy as np

from huodang.supervision.scores.features import Family, Feature, Words, nothing
from huodang.supervision.scores.people import People
from huodang.supervision.scores.rarity import rarity

GREAT_AGE: Final = 75
_BAND: Final = 5
_OLDEST_BAND: Final = 4


def life_unseen(people: People) -> Feature:
    """Score the months since the last trace of life; who has none counts a year beyond the longest that was seen."""
    age = people.age()
    told = people.trace > 0
    seen = people.trace // 10_000 * 12 + people.trace // 100 % 100 - 1
    since = np.maximum(people.latest - seen, 0)
    values = nothing(len(people))
    old = age >= GREAT_AGE
    if (told & old).any():
        never = int(since[told & old].max()) + 12
        values[old] = np.where(told, since, never)[old]
    bands = np.clip((age - GREAT_AGE) // _BAND, 0, _OLDEST_BAND).astype(np.int32)

    def tell(at: int) -> Words:
        years = int(age[at])
        if not told[at]:
            return Words(
                f"{years} 岁，没有任何就诊、认证或缴费记录",
                f"{years} years old, with no visit, certification or contribution",
            )
        months = int(since[at])
        return Words(
            f"{years} 岁，已 {months} 个月没有就诊或认证记录",
            f"{years} years old, no visit or certification for {months} months",
        )

    label = Words("高龄而久无生存痕迹", "no trace of life at great age")
    return Feature(
        "life_unseen", Family.LIFE, label, values, rarity(values, bands), tell, lambda at: int(people.fen[at])
    )
