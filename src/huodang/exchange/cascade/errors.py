"""What can go wrong between hubs."""

from typing import ClassVar

from huodang.exchange.errors import ExchangeError


class CascadeError(ExchangeError):
    """Something about a neighbouring hub can't be done as asked; nothing was changed."""

    code: ClassVar[str] = "exchange.cascade"


class NeighbourError(CascadeError):
    """A neighbouring hub can't be reached, or what it said can't be believed."""

    code: ClassVar[str] = "exchange.cascade_neighbour"


class DemandRefusedError(NeighbourError):
    """A neighbouring hub doesn't take a demand."""

    code: ClassVar[str] = "exchange.cascade_demand_refused"
