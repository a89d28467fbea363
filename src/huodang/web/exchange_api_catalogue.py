"""The catalogue on the JSON API (共享目录): find entries, their versions, what is left unserved, files."""

from datetime import date, datetime
from typing import Annotated, Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from huodang.exchange import CatalogueEntry, CatalogueFormat, Sharing, Wanted, write_catalogue
from huodang.exchange.catalogue import Change
from huodang.exchange.values import Kind
from huodang.web.problems import NotFoundError
from huodang.web.roles import EXCHANGE_ROLES
from huodang.web.services import Services

_FILE: Final = "application/octet-stream"
_Short = Annotated[str, QueryParameter(max_length=200)]


class Entries(msgspec.Struct):
    """Entries of the catalogue."""

    entries: list[CatalogueEntry]


class EntryVersion(msgspec.Struct):
    """One state of an entry; version 0 came with the product. `digest` stands in the ledger as `entry_id`."""

    version: int
    event: str
    entry: CatalogueEntry
    changes: list[Change]
    by_department: str
    at: datetime | None
    digest: str
    entry_id: str


class EntryVersions(msgspec.Struct):
    """Every version of an entry, the oldest first."""

    versions: list[EntryVersion]


class Duty(msgspec.Struct):
    """One duty of the mandatory sharing list (强制共享目录), and how it stands."""

    provider: str
    title_chinese: str
    title_english: str
    resource: str
    service: str
    service_chinese: str
    service_english: str
    gap: bool
    light: str
    as_of: datetime | None
    due_by: date | None


class Duties(msgspec.Struct):
    """The mandatory sharing list."""

    duties: list[Duty]


@get("/catalogue", opt={"roles": EXCHANGE_ROLES}, sync_to_thread=True, summary="检索共享目录 / Search the catalogue")
def search_catalogue(
    *,
    services: NamedDependency[Services],
    text: _Short = "",
    provider: Annotated[str | None, QueryParameter(max_length=64)] = None,
    kind: FromQuery[Kind | None] = None,
    sharing: FromQuery[Sharing | None] = None,
    element: Annotated[str | None, QueryParameter(max_length=64)] = None,
    mandatory: FromQuery[bool | None] = None,
) -> Entries:
    """列出在用目录条目，名称相符的在前。Entries in force, those whose name fits first."""
    wanted = Wanted(
        text, provider=provider, kind=kind, sharing=sharing, element=element, mandatory=mandatory, level_at_most=None
    )
    with services.database.read() as connection:
        return Entries(services.catalogue.search(connection, wanted))


@get(
    "/catalogue/gaps", opt={"roles": EXCHANGE_ROLES}, sync_to_thread=True, summary="强制共享缺口 / Duties left unserved"
)
def catalogue_gaps(services: NamedDependency[Services]) -> Duties:
    """强制共享目录逐项的状况。How each duty of the mandatory sharing list stands."""
    with services.database.read() as connection:
        standings = services.catalogue.gaps(connection)
    return Duties(
        [
            Duty(
                provider=one.item.provider,
                title_chinese=one.item.title.chinese,
                title_english=one.item.title.english,
                resource=one.resource,
                service=one.service.value,
                service_chinese=one.label(),
                service_english=one.label("en"),
                gap=one.gap,
                light=one.light,
                as_of=one.as_of,
                due_by=one.due_by,
            )
            for one in standings
        ]
    )


@get(
    "/catalogue/export/{file_format:str}",
    opt={"roles": EXCHANGE_ROLES},
    sync_to_thread=True,
    media_type=_FILE,
    summary="导出目录 / Export the catalogue",
)
def export_catalogue(file_format: FromPath[CatalogueFormat], services: NamedDependency[Services]) -> Response[bytes]:
    """以 XML、JSON 或 Excel 导出全部条目。All entries as XML, JSON or Excel."""
    with services.database.read() as connection:
        entries = services.catalogue.entries(connection)
    written = write_catalogue(list(entries.values()), file_format)
    return Response(
        content=written,
        media_type=_FILE,
        headers={"content-disposition": f'attachment; filename="catalogue.{file_format.value}"'},
    )


@get("/catalogue/{resource:str}", opt={"roles": EXCHANGE_ROLES}, sync_to_thread=True, summary="目录条目 / One entry")
def view_entry(resource: FromPath[str], services: NamedDependency[Services]) -> CatalogueEntry:
    """一个在用条目的全部核心元数据。One entry in force with its core metadata."""
    with services.database.read() as connection:
        entry = services.catalogue.entry(connection, resource)
    if entry is None:
        raise NotFoundError
    return entry


@get(
    "/catalogue/{resource:str}/versions",
    opt={"roles": EXCHANGE_ROLES},
    sync_to_thread=True,
    summary="条目历史 / Versions of an entry",
)
def entry_versions(resource: FromPath[str], services: NamedDependency[Services]) -> EntryVersions:
    """条目的每一版和与上一版的差异，含已撤下的。Every version with what changed, also of what was withdrawn."""
    with services.database.read() as connection:
        found = services.catalogue.versions(connection, resource)
    if not found:
        raise NotFoundError
    return EntryVersions(
        [
            EntryVersion(
                version=one.version,
                event=one.event.value,
                entry=one.entry,
                changes=list(one.changes),
                by_department=one.by.department,
                at=one.at,
                digest=one.digest,
                entry_id=one.entry_id,
            )
            for one in found
        ]
    )


CATALOGUE_HANDLERS: Final = (search_catalogue, catalogue_gaps, export_catalogue, view_entry, entry_versions)
"""The routes of this module."""
