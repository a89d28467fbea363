"""The overview of the exchange: what a department owes and by when, and what is red, for who keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from litestar import Response, Router, get
from litestar.di import NamedDependency

from huodang.exchange.sharing import Standing
from huodang.web.exchange_access import Visit
from huodang.web.exchange_words import FRESHNESS, chip, departments, light_chip, standing_row
from huodang.web.labels import Chip, department_name
from huodang.web.language import mark
from huodang.web.pages import render
from huodang.web.roles import CORRECTION_ROLES, DELIVERY_ROLES, DEMAND_ROLES, EXCHANGE_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_LISTED: Final = 200
_NO_DAY: Final = date.max
_SETTLED: Final = frozenset({"in_use"})
"""States whose next step is nobody's duty: an agreement in use may be renewed or revoked, but needn't be."""

_WHERE_RED: Final[dict[str, str]] = {
    "lots": mark("批次与对账"),
    "catalogue": mark("强制共享"),
    "events": mark("事件"),
    "files": mark("文件"),
    "calls": mark("接口调用"),
}


@dataclass(frozen=True)
class _Trouble:
    """Something red or yellow."""

    where: str
    what: str
    department: str
    chip: Chip
    path: str


@get("/exchange", opt={"roles": EXCHANGE_ROLES}, sync_to_thread=True)
def overview(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """What is owed today, and what is red."""
    visit = Visit(request, services)
    owed = sorted(_owed(visit), key=lambda one: (one["standing"]["due"] or _NO_DAY, one["path"]))
    notices = services.corrections.notices(visit.actor, open_only=True) if _may(visit, CORRECTION_ROLES) else []
    troubles = list(_troubles(visit)) if _may(visit, DELIVERY_ROLES) else []
    mine = [one for one in owed if one["standing"]["mine"]]
    others = [one for one in owed if not one["standing"]["mine"]]
    return render(
        request,
        "exchange_overview.html",
        department=department_name(visit.department, visit.language),
        steward=bool(visit.actor.role in {"steward", "corrector"}),
        mine=mine,
        others=others,
        notices=[
            {
                "title": visit.title(one.resource),
                "issued_at": one.issued_at,
                "path": "/exchange/corrections",
            }
            for one in notices
        ],
        watches=_may(visit, DELIVERY_ROLES),
        troubles=troubles,
        reds=sum(one.chip.kind == "bad" for one in troubles),
        late=sum(bool(one["standing"]["days_late"]) for one in owed),
    )


def _may(visit: Visit, roles: frozenset[Any]) -> bool:
    return visit.request.user.role in roles


def _owed(visit: Visit) -> Iterator[dict[str, Any]]:
    services, actor = visit.services, visit.actor
    if _may(visit, DEMAND_ROLES):
        for demand in services.sharing.demands(actor, limit=_LISTED):
            if _open(demand.standing):
                title = visit.title(demand.resource) if demand.resource else demand.wished
                sides = departments(visit, (demand.consumer, demand.provider))
                path = f"/exchange/demands/{demand.demand_id}"
                yield {"what": visit.say("需求"), **_line(visit, title, sides, demand.standing), "path": path}
    if _may(visit, CORRECTION_ROLES):
        for one in services.corrections.corrections(actor, limit=_LISTED):
            if _open(one.standing):
                sides = departments(visit, tuple(filter(None, (one.consumer, one.provider))))
                path = f"/exchange/corrections/{one.correction_id}"
                line = _line(visit, visit.title(one.resource), sides, one.standing)
                yield {"what": visit.say("校核"), **line, "path": path}


def _open(standing: Standing) -> bool:
    return bool(standing.waits_for) and standing.state not in _SETTLED


def _line(visit: Visit, title: str, sides: str, standing: Standing) -> dict[str, Any]:
    return {"title": title, "sides": sides, "standing": standing_row(visit, standing)}


def _troubles(visit: Visit) -> Iterator[_Trouble]:
    """What is red first, then what is yellow."""
    found = [*_late_copies(visit), *_gaps(visit), *_streams(visit), *_refused_files(visit), *_gateways(visit)]
    yield from sorted(found, key=lambda one: one.chip.kind != "bad")


def _late_copies(visit: Visit) -> Iterator[_Trouble]:
    for one in visit.services.lot_office.freshness():
        if one.light in {"red", "yellow"} and visit.oversees(one.provider, _consumer(visit, one.agreement_id)):
            yield _trouble(visit, "lots", visit.title(one.resource), one.provider, chip(visit, FRESHNESS, one.light))


def _consumer(visit: Visit, agreement_id: str) -> str:
    with visit.services.database.read() as connection:
        known = visit.services.exchange.agreements.versions(connection, agreement_id)
    return known[-1].agreement.consumer if known else ""


def _gaps(visit: Visit) -> Iterator[_Trouble]:
    with visit.services.database.read() as connection:
        standings = visit.services.catalogue.gaps(connection)
    for one in standings:
        if one.gap and visit.oversees(one.item.provider):
            title = visit.pick((one.item.title.chinese, one.item.title.english))
            shown = light_chip(one.light, one.label(visit.language))
            assert shown is not None  # noqa: S101  (a gap always has a light)
            yield _trouble(visit, "catalogue", title, one.item.provider, shown)


def _streams(visit: Visit) -> Iterator[_Trouble]:
    for one in visit.services.events.streams():
        if one.alarm and visit.oversees(one.provider):
            shown = Chip("■", visit.say("有告警"), "bad")
            yield _trouble(visit, "events", visit.title(one.resource), one.provider, shown)
    dead: dict[str, int] = {}
    for letter in visit.services.events.dead_letters(limit=_LISTED):
        dead[letter.resource] = dead.get(letter.resource, 0) + 1
    for resource, number in dead.items():
        provider = resource.partition(".")[0]
        if visit.oversees(provider):
            shown = Chip("■", visit.say("死信 {count} 件", count=number), "bad")
            yield _trouble(visit, "events", visit.title(resource), provider, shown)


def _refused_files(visit: Visit) -> Iterator[_Trouble]:
    if visit.services.files is None:
        return
    newest: dict[str, Any] = {}
    for one in visit.services.files.deliveries(limit=_LISTED):
        newest.setdefault(one.resource, one)
    for resource, one in newest.items():
        if one.state == "refused" and visit.oversees(one.department):
            shown = Chip("✕", visit.say("最近一次被拒收"), "bad")
            yield _trouble(visit, "files", visit.title(resource), one.department, shown)


def _gateways(visit: Visit) -> Iterator[_Trouble]:
    for department, gateways in visit.services.directory.standing().items():
        away = [one for one in gateways if one.state != "closed"]
        if away and visit.oversees(department):
            shown = Chip("■", visit.say("熔断 {count} 台", count=len(away)), "bad")
            yield _trouble(visit, "calls", visit.say("前置机"), department, shown)


def _trouble(visit: Visit, where: str, what: str, department: str, shown: Chip) -> _Trouble:
    named = department_name(department, visit.language)
    return _Trouble(visit.say(_WHERE_RED[where]), what, named, shown, f"/exchange/{where}")


exchange_overview_router: Final = Router(path="/", route_handlers=[overview], include_in_schema=False)
