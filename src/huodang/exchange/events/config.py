"""The section `events:` of a gateway's file, read strictly; what it means stands in `docs/events.md`."""

from typing import Annotated

import msgspec

from huodang.exchange.gateway.shapes import ElementSpec, Filled, Shape, Title
from huodang.exchange.values import Identifier, ResourceName

EventType = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+){2,9}\Z", max_length=120)]


class EventSpec(Shape, frozen=True, kw_only=True):
    """One kind of change that the gateway publishes.

    Attributes:
        type: the CloudEvents type, such as `cn.huodang.death.registered`.
        withdrawn_type: the type when a row is gone or no longer counts; `type` with `.withdrawn` unless given.
        table: table or view; `file`: pattern of file names.
        key: the column or columns that name a row for good.
        cursor: a column that grows with every change; None compares all rows at a slower pace.
        subject: column of the identity number.
        only: rows count whose column has one of these values.
        notify: PostgreSQL only: channel that a trigger of the department notifies.
        watch_milliseconds: pause between two looks at the cursor, or at the folder.
        sweep_seconds: pause between two comparisons of all rows, which find what a cursor can't tell; 0 for never.
        overlap_seconds: how late a transaction may commit after it took its place in the order of the cursor.
        existing: publish what stands in the source when the watch begins, too.
    """

    resource: ResourceName
    type: EventType
    subject: Filled
    key: Filled | tuple[Filled, ...]
    elements: dict[Identifier, str | ElementSpec]
    withdrawn_type: EventType | None = None
    title: Title | None = None
    table: Filled | None = None
    file: Filled | None = None
    take: Filled | None = None
    cursor: Filled | None = None
    only: dict[str, str | tuple[str, ...]] = {}
    notify: Identifier | None = None
    watch_milliseconds: Annotated[int, msgspec.Meta(ge=10, le=60_000)] = 200
    sweep_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 300
    overlap_seconds: Annotated[int, msgspec.Meta(ge=0, le=3_600)] = 10
    existing: bool = False


class EventsSection(Shape, frozen=True, kw_only=True):
    """What the gateway publishes, and how long its log keeps it.

    Attributes:
        database: the log's own SQLite file.
        keep_days: events older than this are taken out of the log.
        longest_wait_seconds: how long a subscriber's request is held at most when there is nothing new.
        page_bytes: how much one answer holds, about.
    """

    publish: Annotated[tuple[EventSpec, ...], msgspec.Meta(min_length=1, max_length=64)]
    database: Filled = "events.db"
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 400
    longest_wait_seconds: Annotated[int, msgspec.Meta(ge=1, le=60)] = 20
    page_bytes: Annotated[int, msgspec.Meta(ge=65_536, le=12 * 1024 * 1024)] = 4 * 1024 * 1024
