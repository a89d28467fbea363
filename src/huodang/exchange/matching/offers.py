"""What departments let be matched, as their gateways tell: rules, budgets, and what is used of them today."""

from dataclasses import dataclass

import msgspec

from huodang.exchange.client import GatewayDirectory
from huodang.exchange.values import Kind


@dataclass(frozen=True)
class MatchOffer:
    """One set that a department lets be matched.

    Attributes:
        ready: the department's source can be read and an agreement is in force.
        size_only: it tells how many, never who.
        minimum_set: distinct values that either side must have.
        probes_per_day: matches under one agreement in a day, Beijing time.
        used_today: matches by agreement, today.
        between: other departments' sets that it may be matched with.
    """

    resource: str
    ready: bool
    agreements: tuple[str, ...]
    size_only: bool
    minimum_set: int
    probes_per_day: int
    used_today: dict[str, int]
    between: tuple[str, ...]

    @property
    def department(self) -> str:
        """Whose set it is."""
        return self.resource.partition(".")[0]


class _Told(msgspec.Struct):
    resource: str
    kind: str = ""
    ready: bool = False
    agreements: list[str] = []
    size_only: bool = False
    minimum_set: int = 0
    probes_per_day: int = 0
    used_today: dict[str, int] = {}
    between: list[str] = []


def offers_of(directory: GatewayDirectory, department: str) -> list[MatchOffer]:
    """List what one department's gateway offers; nothing if it can't be reached or tells what can't be read."""
    told = directory.conformance(department)
    try:
        offered = msgspec.convert((told or {}).get("resources", []), list[_Told])
    except msgspec.ValidationError:
        return []
    return [
        MatchOffer(
            resource=one.resource,
            ready=one.ready,
            agreements=tuple(one.agreements),
            size_only=one.size_only,
            minimum_set=one.minimum_set,
            probes_per_day=one.probes_per_day,
            used_today=one.used_today,
            between=tuple(one.between),
        )
        for one in offered
        if one.kind == Kind.MATCH and one.resource.startswith(f"{department}.")
    ]
