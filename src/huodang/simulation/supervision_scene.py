"""What an investigator finds on a new morning: people who are paid, and whose death a hospital has certified."""

from collections.abc import Sequence
from datetime import date, timedelta

from huodang.simulation.faults import certify_death
from huodang.simulation.people import Person
from huodang.simulation.world import World

_DEATHS = 3
_DAYS_AGO = 2


def let_payees_die(world: World, paid: Sequence[Person], today: date) -> int:
    """Write death certificates of some who are paid into health's register; the events do the rest.

    Args:
        world: the demonstration's.
        paid: persons whose case is completed.
        today: the business date.

    Returns:
        How many clues the hub is about to open.
    """
    chosen = paid[:: max(1, len(paid) // _DEATHS)][:_DEATHS]
    for at, person in enumerate(chosen):
        certify_death(world.source_url("health"), person, today - timedelta(days=_DAYS_AGO + at))
    return len(chosen)
