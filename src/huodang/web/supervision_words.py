"""Shapes that the pages of a clue and of a recovery share: what may be done now, and what the table lets come next."""

from collections.abc import Iterable
from typing import Any

from huodang.supervision.clues import ROLE_LABELS, EventChoice, Process
from huodang.supervision.recovery import RecoveryChoice
from huodang.web.exchange_access import Visit


def choice_rows(
    visit: Visit, may: Iterable[EventChoice | RecoveryChoice], danger: frozenset[str]
) -> list[dict[str, Any]]:
    """The buttons of what may be done, each with the fields that it needs; those of `danger` look like it."""
    return [
        {
            "event": one.event,
            "label": visit.pick(one.label),
            "needs": one.needs,
            "kind": "danger" if one.event in danger else "",
        }
        for one in may
    ]


def coming_rows(visit: Visit, process: Process, state: str) -> list[tuple[str, str, str]]:
    """What the table lets come next: event, whose act it is, state it leads to."""
    return [
        (visit.pick(process.events[row.event]), visit.pick(ROLE_LABELS[role]), visit.pick(process.states[row.target]))
        for row in process.rows_from(state)
        for role in row.roles
    ]
