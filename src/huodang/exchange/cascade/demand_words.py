"""What walks between hubs about a demand: what is asked, and where it stands. Values only."""

from datetime import date
from typing import Annotated, Final

import msgspec

from huodang.exchange.sharing.demand_terms import Frequency, Said
from huodang.exchange.values import Identifier, Instant, Kind, Message, Names, ResourceName, Token

CASCADE_DEMAND: Final = "cascade_demand"
"""Kind of the envelope in which a hub asks a department of a neighbour."""
CASCADE_STANDING: Final = "cascade_demand_standing"
"""Kind of the envelope in which the neighbour says where that stands."""


class CarriedDemand(Message, frozen=True, kw_only=True):
    """What a hub asks of a department of a neighbouring hub.

    Attributes:
        reference: of the hub that asks: the same again is the same demand.
        asker: that hub.
        resource: as the neighbour offers it.
        note: reason or request.
    """

    reference: Token
    asker: Identifier
    resource: ResourceName
    purposes: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=64)]
    legal_basis: Said
    kind: Kind
    frequency: Frequency
    valid_from: date
    valid_to: date | None = None
    elements: Names = ()
    fields: Names = ()
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    asked_at: Instant


class DemandStanding(Message, frozen=True, kw_only=True):
    """Where a carried demand stands at the hub that took it.

    Attributes:
        state: see `DemandState`; `chinese` and `english` say it in words.
        waits_for: departments of that hub whose turn it is.
        due_on: the last day in time; None where nothing is due.
        light: `green`, `yellow` or `red`; empty where nothing is due.
        note, law: of the department's last word.
        told_at: when this was so.
    """

    reference: Token
    demand_id: Token
    hub: Identifier
    state: str
    chinese: str
    english: str
    waits_for: tuple[str, ...] = ()
    due_on: date | None = None
    light: str = ""
    days_late: int = 0
    note: str = ""
    law: str = ""
    told_at: Instant
