"""Deliveries on the JSON API: lots and copies, delivered rows, files, events from a cursor (批次, 文件, 事件)."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from huodang.exchange import AlarmRow, Freshness, HeldRow, Lot, StreamRow
from huodang.exchange.files import DeliveryState
from huodang.exchange.lots.values import FaultCount
from huodang.standards import BadValue, IdentityNumber, Place
from huodang.web.exchange_access import may_keep_system, may_manage, may_oversee
from huodang.web.problems import ForbiddenError, NotFoundError
from huodang.web.roles import CASE_ROLES, DELIVERY_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

Limit = Annotated[int, QueryParameter(ge=1, le=500)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Resource = Annotated[str | None, QueryParameter(max_length=200)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
_MOST: Final = 500


class Lots(msgspec.Struct):
    """Lots, the newest first."""

    lots: list[Lot]


class LotShown(msgspec.Struct):
    """One lot with what was kept back in it; `lot.reconciliation` is the signed two-sided proof."""

    lot: Lot
    faults: list[FaultCount]


class Copies(msgspec.Struct):
    """The copies that the hub keeps, and how fresh and proven each is."""

    copies: list[Freshness]


class PullAsked(msgspec.Struct, forbid_unknown_fields=True):
    """The resource whose copy is to be brought up to date."""

    resource: Name


class PullTaken(msgspec.Struct):
    """The job that pulls; asked for twice, it pulls once."""

    job: int


class RowsAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whose delivered rows are wanted and what for; a page begins after the `after` of the page before."""

    resource: Name
    purpose: Name
    identity_number: Name
    case_id: Name = ""
    after: Name = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = 50


class RowShown(msgspec.Struct):
    """A delivered row, as the policy lets one see it."""

    agreement_id: str
    values: dict[str, str]
    as_of: datetime | None


class RowsShown(msgspec.Struct):
    """Delivered rows; `after` is None where there are no more."""

    rows: list[RowShown]
    after: str | None


class FileShown(msgspec.Struct):
    """One delivery of files; `reason` says why it was refused."""

    manifest_digest: str
    department: str
    resource: str
    agreement_id: str
    sequence: int
    state: DeliveryState
    lot_id: str
    files: int
    bytes: int
    rows: int
    quarantined: int
    missing_before: int
    reason: str
    as_of: datetime
    received_at: datetime
    ended_at: datetime | None


class Files(msgspec.Struct):
    """Deliveries of files, the newest first."""

    deliveries: list[FileShown]


class EventShown(msgspec.Struct):
    """One event without what it says of the person."""

    number: int
    event_id: str
    resource: str
    provider: str
    sequence: int
    type: str
    change: str
    noticed_at: datetime
    received_at: datetime
    digest: str


class Events(msgspec.Struct):
    """Events in the order in which they came; read on from `cursor`, which stays where it is while there is no news."""

    events: list[EventShown]
    cursor: int


class EventProof(msgspec.Struct):
    """What proves an event to anyone who has the provider's public key; its data stay sealed."""

    envelope: str
    text: str
    position: int
    entry_id: str


class Streams(msgspec.Struct):
    """How far the events of each resource have been taken, and what went wrong."""

    streams: list[StreamRow]
    alarms: list[AlarmRow]


class DeadLetters(msgspec.Struct):
    """What handlers gave up, the oldest first."""

    dead_letters: list[HeldRow]


class DeadLetterNamed(msgspec.Struct, forbid_unknown_fields=True):
    """A dead letter: the handler that gave it up, and the event's number."""

    handler: Name
    number: Number


@get("/lots", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="批次清单 / List lots")
def list_lots(
    request: StaffRequest, services: NamedDependency[Services], resource: Resource = None, limit: Limit = 100
) -> Lots:
    """本人可以看的批次，新的在前。Lots of resources that one may oversee."""
    found = services.lots.latest(limit=limit) if resource is None else services.lots.of_resource(resource, limit=limit)
    return Lots([one for one in found if _oversees(request, services, one.provider, one.agreement_id)])


@get("/lots/freshness", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="新鲜度 / How fresh copies are")
def freshness(request: StaffRequest, services: NamedDependency[Services]) -> Copies:
    """每份副本按更新周期的红黄灯和对账情况。Every copy against its declared update cycle."""
    found = services.lot_office.freshness()
    return Copies([one for one in found if _oversees(request, services, one.provider, one.agreement_id)])


@get("/lots/{lot_id:str}", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="批次详情 / One lot")
def view_lot(request: StaffRequest, lot_id: FromPath[str], services: NamedDependency[Services]) -> LotShown:
    """批次、质量、隔离原因和双方对账书。A lot with quality, what was kept back and why, and the reconciliation."""
    lot = services.lots.lot(lot_id)
    if not _oversees(request, services, lot.provider, lot.agreement_id):
        raise NotFoundError
    return LotShown(lot, services.lots.faults(lot_id))


@post(
    "/lots/pull",
    opt={"roles": DELIVERY_ROLES},
    sync_to_thread=True,
    status_code=HTTP_202_ACCEPTED,
    summary="立即同步 / Pull now",
)
def pull_now(request: StaffRequest, data: JSONBody[PullAsked], services: NamedDependency[Services]) -> PullTaken:
    """尽快拉取一批；重复请求只拉一次。Have a lot pulled as soon as a worker is free; asked twice, it is pulled once."""
    if data.resource not in services.lot_office.puller.resources():
        raise NotFoundError
    if not (may_keep_system(request.user.actor) or may_manage(request.user.actor, *_sides(services, data.resource))):
        raise ForbiddenError
    with services.database.begin() as connection:
        return PullTaken(services.lot_office.ask(connection, data.resource))


@post(
    "/rows",
    opt={"roles": CASE_ROLES, "takes_key": False},
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    summary="查看数据 / See rows",
)
def see_rows(request: StaffRequest, data: JSONBody[RowsAsked], services: NamedDependency[Services]) -> RowsShown:
    """按用途查看一人的已交换数据，逐项遮盖并留痕。Rows about a person: decided, masked, each look recorded."""
    try:
        number = IdentityNumber.parse(data.identity_number)
    except BadValue as problem:
        raise problem.at(Place(element="identity_number")) from None
    with services.database.read() as connection:
        known = services.exchange.agreements.in_force(connection, [data.resource], services.clock.today())
    rows = services.lots.rows(
        request.user.actor,
        data.purpose,
        data.resource,
        agreements=[one.agreement for one in known.get(data.resource, ())],
        subject_index=services.subject_index(number.text),
        after=data.after,
        limit=data.limit,
        case_id=data.case_id,
    )
    shown = [RowShown(one.agreement_id, dict(one.values), one.as_of) for one in rows]
    return RowsShown(shown, rows[-1].key_index if len(rows) == data.limit else None)


@get("/files", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="文件交换 / Deliveries of files")
def list_files(
    request: StaffRequest, services: NamedDependency[Services], resource: Resource = None, limit: Limit = 100
) -> Files:
    """文件交换清单，拒收的写明原因。Deliveries of files; a refused one says why."""
    found = [] if services.files is None else services.files.deliveries(resource, limit=limit)
    return Files(
        [
            FileShown(**{name: getattr(one, name) for name in FileShown.__struct_fields__})
            for one in found
            if _oversees(request, services, one.department, one.agreement_id)
        ]
    )


@get("/events", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="按游标读事件 / Read events from a cursor")
def read_events(
    request: StaffRequest,
    services: NamedDependency[Services],
    after: Annotated[int, QueryParameter(ge=0, le=2**53 - 1)] = 0,
    resource: Resource = None,
    limit: Limit = 100,
) -> Events:
    """从游标之后按到达次序读取；至少一次，以 event_id 去重。After a cursor, in the order in which they came.

    No event holds personal data here: a subscriber fetches proof and sealed text by number, and asks the provider
    under its own agreement for what it may know of the person.
    """
    found = services.events.after(after, resource=resource, limit=limit)
    sides: dict[str, bool] = {}
    for one in found:
        if one.resource not in sides:
            sides[one.resource] = may_oversee(request.user.actor, *_sides(services, one.resource))
    shown = [one for one in found if sides[one.resource]]
    return Events(
        [EventShown(**{name: getattr(one, name) for name in EventShown.__struct_fields__}) for one in shown],
        cursor=found[-1].number if found else after,
    )


@get("/events/streams", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="事件流状况 / How streams stand")
def event_streams(request: StaffRequest, services: NamedDependency[Services]) -> Streams:
    """每个事件流接收到哪里，有何告警。How far each stream has been taken, and the alarms."""
    actor = request.user.actor
    return Streams(
        [one for one in services.events.streams() if may_oversee(actor, *_sides(services, one.resource))],
        [one for one in services.events.alarms() if may_oversee(actor, *_sides(services, one.resource))],
    )


@get("/events/dead-letters", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="死信 / Dead letters")
def dead_letters(request: StaffRequest, services: NamedDependency[Services], limit: Limit = 100) -> DeadLetters:
    """处理多次失败而放弃的事件。Events that handlers gave up."""
    actor = request.user.actor
    found = services.events.dead_letters(limit=limit)
    return DeadLetters([one for one in found if may_oversee(actor, *_sides(services, one.resource))])


@post(
    "/events/dead-letters/revivals",
    opt={"roles": DELIVERY_ROLES},
    sync_to_thread=True,
    status_code=HTTP_204_NO_CONTENT,
    summary="重新处理死信 / Try a dead letter again",
)
def revive(request: StaffRequest, data: JSONBody[DeadLetterNamed], services: NamedDependency[Services]) -> None:
    """重新处理一件死信；只限系统管理员。Try a dead letter again; for who keeps the system."""
    if not may_keep_system(request.user.actor):
        raise ForbiddenError
    if not services.events.revive(data.handler, data.number):
        raise NotFoundError


@get(
    "/events/{number:int}/proof",
    opt={"roles": DELIVERY_ROLES},
    sync_to_thread=True,
    summary="事件证明 / An event's proof",
)
def event_proof(
    request: StaffRequest,
    number: Annotated[int, PathParameter(ge=1, le=2**53 - 1)],
    services: NamedDependency[Services],
) -> EventProof:
    """提供部门签名的一批和密封的事件原文。The provider's signed batch and the event's sealed text."""
    event, evidence = services.events.event(number), services.events.evidence(number)
    if event is None or evidence is None or not may_oversee(request.user.actor, *_sides(services, event.resource)):
        raise NotFoundError
    return EventProof(evidence.envelope, evidence.text, evidence.position, evidence.entry_id)


def _sides(services: Services, resource: str) -> set[str]:
    """The departments that a resource concerns: its provider, and the consumers of agreements in force."""
    with services.database.read() as connection:
        known = services.exchange.agreements.in_force(connection, [resource], services.clock.today())
    return {resource.partition(".")[0], *(one.agreement.consumer for one in known.get(resource, ()))}


def _oversees(request: StaffRequest, services: Services, provider: str, agreement_id: str) -> bool:
    """Whether one may see states and figures of what was delivered under an agreement."""
    with services.database.read() as connection:
        known = services.exchange.agreements.versions(connection, agreement_id)
    return may_oversee(request.user.actor, provider, *({known[-1].agreement.consumer} if known else ()))


DELIVERY_HANDLERS: Final = (
    list_lots,
    freshness,
    view_lot,
    pull_now,
    see_rows,
    list_files,
    read_events,
    event_streams,
    dead_letters,
    revive,
    event_proof,
)
"""The routes of this module."""
