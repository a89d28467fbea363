"""The section `matches:` of a gateway's file, read strictly; what it means stands in `docs/matching.md`."""

from typing import Annotated

import msgspec

from huodang.exchange.gateway.shapes import Filled, Shape, Title
from huodang.exchange.values import Identifier, ResourceName


class MatchSpec(Shape, frozen=True, kw_only=True):
    """One set that the gateway matches against.

    Attributes:
        table: table or view; `file`: pattern of file names.
        column: holds the values.
        element: what they are, `identity_number` or another element compared as text.
        only: rows count whose column has one of these values.
        take: files only: `latest` by name, or `all`.
        size_only: tells how many values both sides have, never which.
        minimum_set: distinct values that either side must have; fewer would tell about single persons.
        maximum_set: distinct values that the querier may send.
        probes_per_day: matches under one agreement in a day, Beijing time.
        similarity_percent: a set of which so much stands in an earlier one, and the other way, isn't matched again …
        similarity_days: … within so many days; 0 for no such look.
        between: other departments' sets that it may be matched with; none that isn't named.
    """

    resource: ResourceName
    column: Filled
    element: Identifier = "identity_number"
    title: Title | None = None
    table: Filled | None = None
    file: Filled | None = None
    take: Filled | None = None
    only: dict[str, str | tuple[str, ...]] = {}
    size_only: bool = False
    minimum_set: Annotated[int, msgspec.Meta(ge=1)] = 1000
    maximum_set: Annotated[int, msgspec.Meta(ge=1, le=20_000_000)] = 5_000_000
    probes_per_day: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 4
    similarity_percent: Annotated[int, msgspec.Meta(ge=50, le=100)] = 95
    similarity_days: Annotated[int, msgspec.Meta(ge=0, le=366)] = 20
    between: Annotated[tuple[ResourceName, ...], msgspec.Meta(max_length=64)] = ()


class MatchesSection(Shape, frozen=True, kw_only=True):
    """What the gateway matches against.

    Attributes:
        database: the probes' own SQLite file.
        sessions: matches open at once.
    """

    offer: Annotated[tuple[MatchSpec, ...], msgspec.Meta(min_length=1, max_length=64)]
    database: Filled = "matches.db"
    sessions: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
