"""The catalogue (共享目录) on pages: find, read, compare versions, see what is unserved, export, import."""

import base64
import binascii
from typing import Annotated, Any, Final

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from huodang.exchange import CatalogueEntry, CatalogueFormat, ImportPlan, Kind, Publisher, Wanted
from huodang.exchange.catalogue import (
    IMPORT_LABELS,
    CatalogueVersion,
    Change,
    ImportChange,
    Sharing,
    catalogue_fields,
    read_catalogue,
    to_sheet,
    write_catalogue,
)
from huodang.standards import BadValue, HuodangError, Place, element
from huodang.web.exchange_access import Visit, may_manage
from huodang.web.exchange_words import KIND_NAMES, SHARINGS, chip, cycle_name, kind_name, light_chip
from huodang.web.labels import DEPARTMENT_NAMES, Chip, department_name
from huodang.web.language import mark
from huodang.web.pages import render
from huodang.web.problems import BadFormError, NotFoundError, problem_of, shown
from huodang.web.roles import EXCHANGE_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services

LARGEST_UPLOAD: Final = 4 * 1024 * 1024
"""Bytes of a request with a catalogue file: a province's whole catalogue is a tenth of it."""
_ROLES: Final = {"roles": EXCHANGE_ROLES}
_MEDIA: Final = {
    CatalogueFormat.EXCEL: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    CatalogueFormat.XML: "application/xml",
    CatalogueFormat.JSON: "application/json",
}
_EVENTS: Final[dict[str, str]] = {"product": mark("随产品提供"), "publish": mark("发布"), "withdraw": mark("撤下")}
_CHANGES: Final[dict[str, tuple[str, str]]] = {
    ImportChange.NEW: ("＋", "blue"),
    ImportChange.CHANGED: ("～", "warn"),
    ImportChange.UNCHANGED: ("＝", ""),
    ImportChange.WITHDRAWN: ("－", "warn"),
    ImportChange.REFUSED: ("✕", "bad"),
}

Upload = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


@get("/exchange/catalogue", opt=_ROLES, sync_to_thread=True)
def catalogue(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The entries that fit what is looked for, and the duties of the mandatory list."""
    visit = Visit(request, services)
    asked = {
        name: request.query_params.get(name, "")[:200] for name in ("q", "provider", "kind", "sharing", "mandatory")
    }
    with services.database.read() as connection:
        found = services.catalogue.search(connection, _wanted(asked))
        gaps = services.catalogue.gaps(connection, services.exchange.availability())
    return render(
        request,
        "exchange_catalogue.html",
        asked=asked,
        found=[_row(visit, one) for one in found],
        choices=_choices(visit),
        gaps=[
            {
                "title": visit.pick((one.item.title.chinese, one.item.title.english)),
                "department": department_name(one.item.provider, visit.language),
                "light": light_chip(one.light, one.label(visit.language)),
                "resource": one.resource,
                "as_of": one.as_of,
                "due": one.due_by,
                "law": one.item.law,
                "unverified": one.item.status == "unverified",
            }
            for one in sorted(gaps, key=lambda one: (not one.gap, one.light == "green"))
        ],
        may_publish=_may_publish(visit),
    )


@get("/exchange/catalogue/export/{ending:str}", opt=_ROLES, sync_to_thread=True)
def export(request: StaffRequest, services: NamedDependency[Services], ending: FromPath[str]) -> Response[bytes]:
    """All entries, or one department's, as a file."""
    if ending not in set(CatalogueFormat):
        raise NotFoundError
    file_format = CatalogueFormat(ending)
    provider = request.query_params.get("provider") or None
    with services.database.read() as connection:
        entries = services.catalogue.search(connection, Wanted(provider=provider))
    name = "".join(one for one in provider or "all" if one.isalnum() or one == "_")
    return Response(
        write_catalogue(entries, file_format),
        media_type=_MEDIA[file_format],
        headers={"content-disposition": f'attachment; filename="catalogue-{name}.{file_format.value}"'},
    )


@get("/exchange/catalogue/import", opt={"roles": frozenset({Role.STEWARD})}, sync_to_thread=True)
def import_page(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The form to take a file in."""
    visit = Visit(request, services)
    visit.require(_may_publish(visit))
    return _import_page(visit)


@post(
    "/exchange/catalogue/import",
    opt={"roles": frozenset({Role.STEWARD})},
    request_max_body_size=LARGEST_UPLOAD,
    sync_to_thread=True,
)
def take(request: StaffRequest, services: NamedDependency[Services], data: Upload) -> Response[str]:
    """Say what a file would do; with `apply`, do it, whole or not at all."""
    visit = Visit(request, services)
    visit.require(_may_publish(visit))
    try:
        name, content = _file(data)
        found = read_catalogue(content, name)
        complete = data.get("complete") == "yes"
        if data.get("apply") != "yes":
            with services.database.read() as connection:
                plan = services.catalogue.plan(connection, found, complete=complete)
            return _import_page(visit, plan=plan, held=(name, base64.b64encode(content).decode()), complete=complete)
        by = Publisher(visit.actor.user_id, visit.department)
        with services.database.begin() as connection:
            plan = services.catalogue.take(connection, found, complete=complete, by=by)
    except HuodangError as error:
        return _import_page(visit, error=error)
    return _import_page(visit, plan=plan, done=True)


@get("/exchange/catalogue/{resource:str}", opt=_ROLES, sync_to_thread=True)
def entry(request: StaffRequest, services: NamedDependency[Services], resource: FromPath[str]) -> Response[str]:
    """One entry with its elements, agreements and versions, and what differs between two of them."""
    visit = Visit(request, services)
    with services.database.read() as connection:
        versions = services.catalogue.versions(connection, resource)
        agreements = [one for one in services.exchange.agreements.all(connection) if one.agreement.resource == resource]
    if not versions:
        raise NotFoundError
    shown_entry = visit.entries.get(resource, versions[-1].entry)
    older, newer, changes = _difference(visit, resource, versions)
    headings = {one.field: visit.pick((one.chinese, one.english)) for one in catalogue_fields().values()}
    sheet = to_sheet(shown_entry)
    return render(
        request,
        "exchange_entry.html",
        entry=shown_entry,
        title=visit.pick((shown_entry.title.chinese, shown_entry.title.english)),
        abstract=visit.pick((shown_entry.abstract.chinese, shown_entry.abstract.english)),
        condition=visit.pick((shown_entry.condition.chinese, shown_entry.condition.english)),
        withdrawn=resource not in visit.entries,
        row=_row(visit, shown_entry),
        core=[
            (headings[name], sheet.fields.get(name, "") or "—", one.values == "unverified")
            for name, one in catalogue_fields().items()
            if one.of == "entry" and name in sheet.fields and not name.endswith("_english")
        ],
        elements=[_element(visit, name) for name in shown_entry.elements],
        agreements=[
            one.agreement
            for one in agreements
            if one.state == "in_force" and visit.oversees(one.agreement.provider, one.agreement.consumer)
        ],
        in_force=sum(one.state == "in_force" for one in agreements),
        versions=[_version(visit, one) for one in reversed(versions)],
        numbers=[one.version for one in versions],
        older=older,
        newer=newer,
        changes=[_change(visit, one) for one in changes],
        may_demand=visit.actor.role == Role.STEWARD and shown_entry.provider != visit.department,
    )


def _wanted(asked: dict[str, str]) -> Wanted:
    return Wanted(
        text=asked["q"],
        provider=asked["provider"] or None,
        kind=Kind(asked["kind"]) if asked["kind"] in set(Kind) else None,
        sharing=Sharing(asked["sharing"]) if asked["sharing"] in set(Sharing) else None,
        mandatory={"yes": True, "no": False}.get(asked["mandatory"]),
    )


def _choices(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    everything = ("", visit.say("全部"))
    providers = dict.fromkeys(one.provider for one in visit.entries.values())
    return {
        "provider": [everything, *((one, visit.say(DEPARTMENT_NAMES.get(one, one))) for one in providers)],
        "kind": [everything, *((code, visit.say(name)) for code, name in KIND_NAMES.items())],
        "sharing": [everything, *((code, visit.say(one.word)) for code, one in SHARINGS.items())],
        "mandatory": [everything, ("yes", visit.say("强制共享")), ("no", visit.say("非强制"))],
    }


def _row(visit: Visit, one: CatalogueEntry) -> dict[str, Any]:
    return {
        "resource": one.resource,
        "title": visit.pick((one.title.chinese, one.title.english)),
        "code": one.code,
        "provider": department_name(one.provider, visit.language),
        "kind": kind_name(visit, one.kind),
        "sharing": chip(visit, SHARINGS, one.sharing),
        "mandatory": one.mandatory,
        "level": one.level,
        "cycle": cycle_name(visit, one.update_cycle),
        "elements": len(one.elements),
    }


def _element(visit: Visit, identifier: str) -> dict[str, Any]:
    try:
        known = element(identifier)
    except BadValue:
        return {"name": identifier, "identifier": identifier, "code": "", "type": "", "length": "", "level": ""}
    return {
        "name": visit.pick((known.chinese, known.english)),
        "identifier": identifier,
        "code": known.code,
        "type": known.type,
        "length": known.length,
        "level": known.level,
    }


def _version(visit: Visit, one: CatalogueVersion) -> dict[str, Any]:
    return {
        "number": one.version,
        "event": visit.say(_EVENTS[one.event]),
        "at": one.at,
        "by": f"{one.by.user_id} · {department_name(one.by.department, visit.language)}" if one.at else "—",
        "changes": [_change(visit, change) for change in one.changes] if one.version else [],
        "digest": one.digest,
        "entry_id": one.entry_id,
    }


def _change(visit: Visit, one: Change) -> dict[str, str]:
    return {"field": visit.pick((one.chinese, one.english)), "before": one.before, "after": one.after}


def _difference(visit: Visit, resource: str, versions: list[CatalogueVersion]) -> tuple[int, int, tuple[Change, ...]]:
    """Read which two versions are to be compared; without a choice the last two."""
    numbers = [one.version for one in versions]
    asked = [visit.request.query_params.get(name, "") for name in ("older", "newer")]
    older, newer = numbers[max(0, len(numbers) - 2)], numbers[-1]
    if all(one.isdecimal() and len(one) < 10 and int(one) in numbers for one in asked):
        older, newer = int(asked[0]), int(asked[1])
    with visit.services.database.read() as connection:
        return older, newer, visit.services.catalogue.difference(connection, resource, older, newer)


def _may_publish(visit: Visit) -> bool:
    return bool(visit.department) and may_manage(visit.actor, visit.department)


def _file(data: dict[str, Any]) -> tuple[str, bytes]:
    """Give the file that came, or the one that a preview handed back.

    Raises:
        BadFormError: there is none.
    """
    upload = data.get("file")
    if isinstance(upload, UploadFile) and upload.filename:
        return upload.filename[:200], upload.file.read()
    name, content = data.get("held_name"), data.get("held")
    if isinstance(name, str) and isinstance(content, str) and content:
        try:
            return name[:200], base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise BadFormError("held") from None
    raise BadValue(
        "请选择目录文件",
        "Choose a catalogue file",
        advice_chinese="可用 Excel、XML 或 JSON。",
        advice_english="Excel, XML or JSON.",
        place=Place(element="file"),
    )


def _import_page(
    visit: Visit,
    *,
    plan: ImportPlan | None = None,
    held: tuple[str, str] | None = None,
    complete: bool = False,
    done: bool = False,
    error: HuodangError | None = None,
) -> Response[str]:
    problem = problem_of(error) if error else None
    return render(
        visit.request,
        "exchange_import.html",
        status=problem.status if problem else 200,
        plan=plan,
        counts=[] if plan is None else [(visit.pick(IMPORT_LABELS[one]), plan.counts[one]) for one in ImportChange],
        items=[] if plan is None else [_item(visit, one) for one in plan.items if one.change != ImportChange.UNCHANGED],
        held=held,
        complete=complete,
        done=done,
        department=department_name(visit.department, visit.language),
        problem=shown(problem, visit.language) if problem else None,
    )


def _item(visit: Visit, one: Any) -> dict[str, Any]:  # noqa: ANN401  (an item of the plan)
    shape, kind = _CHANGES[one.change]
    return {
        "resource": one.resource,
        "chip": Chip(shape, visit.pick(IMPORT_LABELS[one.change]), kind),
        "row": one.place.row,
        "changes": [_change(visit, change) for change in one.changes] if one.change is ImportChange.CHANGED else [],
        "problems": [
            (visit.pick((problem.chinese, problem.english)), _where(visit, problem.place)) for problem in one.problems
        ],
    }


def _where(visit: Visit, place: Place) -> str:
    said = []
    if place.row is not None:
        said.append(visit.say("第 {row} 行", row=place.row))
    said += [str(one) for one in (place.column, place.element) if one]
    return " · ".join(said)


exchange_catalogue_router: Final = Router(
    path="/", route_handlers=[catalogue, export, import_page, take, entry], include_in_schema=False
)
