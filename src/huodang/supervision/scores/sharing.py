"""Scores of what several people share: one bank account, one address. Declared institutions' accounts are left out."""

from typing import Final

import numpy as np

from huodang.supervision.scores.features import Family, Feature, Words, nothing
from huodang.supervision.scores.people import People
from huodang.supervision.scores.rarity import rarity

# People share for honest reasons, too; an address still more than an account.
_MOST_ACCOUNT: Final = 5.0
_MOST_ADDRESS: Final = 3.0


def shared_account(people: People) -> Feature:
    """Score how many homes are paid to the same account; a couple or a home of one address counts once."""
    told = people.account >= 0
    values = nothing(len(people))
    values[told] = np.log2(people.account_homes[told])

    def tell(at: int) -> Words:
        number, homes = int(people.account_people[at]), int(people.account_homes[at])
        return Words(
            f"{number} 名领取人共用同一银行账户，分属 {homes} 个不同地址",
            f"{number} people of {homes} different addresses are paid to one bank account",
        )

    label = Words("多户共用银行账户", "one bank account for several homes")
    return Feature("shared_account", Family.SHARING, label, values, rarity(values), tell, most=_MOST_ACCOUNT)


def shared_address(people: People) -> Feature:
    """Score how many pensioners give the same address."""
    told = people.address >= 0
    values = nothing(len(people))
    values[told] = np.log2(people.address_people[told])

    def tell(at: int) -> Words:
        number = int(people.address_people[at])
        return Words(f"{number} 名领取人登记同一地址", f"{number} people who are paid give one address")

    label = Words("多人登记同一地址", "one address for several people")
    return Feature("shared_address", Family.SHARING, label, values, rarity(values), tell, most=_MOST_ADDRESS)
