"""What an investigator finds on a new morning: people who are paid, and whose death a hospital has certified."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import islice

from huodang.simulation.client import Account, Desk, connections
from huodang.simulation.faults import certify_death
from huodang.simulation.journey import Followed
from huodang.simulation.world import World

_DEATHS = 3
_DAYS_AGO = 2


def let_payees_die(world: World, cases: Sequence[Followed], accounts: Sequence[Account], today: date) -> int:
    """Write death certificates of some who are paid into health's register; the events do the rest.

    Args:
        world: the demonstration's.
        cases: the applications; of those that are completed, the first few.
        accounts: with a reviewer, who looks up how a case ended.
        today: the business date.

    Returns:
        How many clues the hub is about to open.
    """
    reviewer = next(one for one in accounts if one.role == "reviewer")
    reader = Desk(connections(), world.address("hub"), reviewer)
    completed = (one for one in cases if reader.get(f"/api/v1/cases/{one.case_id}")["state"] == "completed")
    chosen = list(islice(completed, _DEATHS))
    for at, one in enumerate(chosen):
        certify_death(world.source_url("health"), one.person, today - timedelta(days=_DAYS_AGO + at))
    return len(chosen)
