"""The section `tables:` of a gateway's file, read strictly; what it means stands in `docs/lots.md`."""

from typing import Annotated

import msgspec

from huodang.exchange.gateway.shapes import ElementSpec, Filled, RuleSpec, Shape, Title
from huodang.exchange.values import Identifier, ResourceName


class CursorSpec(Shape, frozen=True, kw_only=True):
    """The column that tells when a row was last written: by it late rows are told apart.

    Attributes:
        column: of an instant, a date or a number that grows.
        format: how it is written, if it is text.
        overlap_minutes: a row that is older than the newest one delivered by no more than this isn't late.
    """

    column: Filled
    format: Filled | None = None
    overlap_minutes: Annotated[int, msgspec.Meta(ge=0, le=527_040)] = 0


class TableSpec(Shape, frozen=True, kw_only=True):
    """One table that the gateway delivers in lots.

    Attributes:
        key: the element, or elements, that name a row for good.
        only: rows count whose column has one of these values.
        required: elements that may not be absent.
        rules: what rows must keep beyond that.
        page_rows: rows of a page at most.
        in_pages: the table is read in pages along a unique column, if it has one: a source that goes away on the way is
            gone on with after the last key.
        largest_delete_percent: a lot that would end a larger share of more than 100 rows waits for the steward.
    """

    resource: ResourceName
    table: Filled
    key: Identifier | Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=8)]
    elements: dict[Identifier, str | ElementSpec]
    title: Title | None = None
    cursor: CursorSpec | None = None
    only: dict[str, str | tuple[str, ...]] = {}
    required: tuple[Identifier, ...] = ()
    rules: Annotated[tuple[RuleSpec, ...], msgspec.Meta(max_length=64)] = ()
    page_rows: Annotated[int, msgspec.Meta(ge=10, le=20_000)] = 4_000
    in_pages: bool = True
    largest_delete_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class TablesSection(Shape, frozen=True, kw_only=True):
    """What the gateway delivers by table.

    Attributes:
        deliver: the tables.
        database: SQLite file of its own, which holds what was delivered last and what was kept back.
    """

    deliver: Annotated[tuple[TableSpec, ...], msgspec.Meta(min_length=1, max_length=64)]
    database: Filled = "lots.db"
