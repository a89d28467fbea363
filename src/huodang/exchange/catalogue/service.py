"""The catalogue in the hub's database: what is published, its history, and beneath it what comes with the product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy import Connection

from huodang.exchange import records as exchange_records
from huodang.exchange.catalogue import records
from huodang.exchange.catalogue.codes import local_code, next_number
from huodang.exchange.catalogue.difference import Change, entry_changes
from huodang.exchange.catalogue.entries import CatalogueEntry, checked, product_catalogue
from huodang.exchange.catalogue.imports import ImportChange, ImportPlan, ImportRefusedError, plan_import
from huodang.exchange.catalogue.mandatory import (
    MandatoryItem,
    MandatoryStanding,
    check_mandatory,
    check_withdrawal,
    mandatory_list,
    mandatory_standings,
)
from huodang.exchange.catalogue.search import Wanted, search_entries
from huodang.exchange.catalogue.tree_files import Found
from huodang.exchange.errors import CatalogueError
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place
from huodang.store import Clock, serialise, shanghai_date
from huodang.trust import canonical_json

_IN_FORCE: Final = "in_force"
_LATEST_ANSWERS: Final = 5000
"""How many of the newest answers are looked through for how fresh each resource was."""


class CatalogueEvent(StrEnum):
    """What happens to an entry."""

    PRODUCT = "product"  # 随产品提供
    PUBLISH = "publish"  # 发布
    WITHDRAW = "withdraw"  # 撤下


@dataclass(frozen=True)
class Publisher:
    """Who publishes: a user, and for which department.

    Attributes:
        department: may publish its own entries only; `hub` stands for the platform, which takes in files of all.
    """

    user_id: str = "hub"
    department: str = "hub"


HUB_PUBLISHER: Final = Publisher()


@dataclass(frozen=True)
class CatalogueVersion:
    """One state of an entry.

    Attributes:
        version: counts up from 1; 0 is the entry that comes with the product.
        changes: against the version before.
        at: None for what comes with the product.
        digest: SM3 of the entry, hex; the ledger holds it.
        entry_id: of the ledger; empty where there was none.
    """

    resource: str
    version: int
    event: CatalogueEvent
    entry: CatalogueEntry
    changes: tuple[Change, ...]
    by: Publisher
    at: datetime | None
    digest: str
    entry_id: str


class Catalogue:
    """Publishes and withdraws entries, with history; finds them; tells who leaves a duty to share unserved.

    Args:
        clock: the time.
        ledger: where every publication and withdrawal leaves code and digest; None where nobody keeps one.
        mandatory: the mandatory sharing list; None for the product's.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger | None = None, *, mandatory: Sequence[MandatoryItem] | None = None
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._mandatory = mandatory_list() if mandatory is None else tuple(mandatory)

    def publish(
        self, connection: Connection, entry: CatalogueEntry, *, by: Publisher = HUB_PUBLISHER
    ) -> CatalogueVersion:
        """Publish an entry, or a new version of it; the same again changes nothing.

        A code is given if it has none, and the day of publication if that isn't told.

        Raises:
            UnknownElement: an element isn't in the standard.
            CatalogueError: the entry doesn't hold together, is another department's, has a code of another resource, or
                takes out of sharing what must be shared.
        """
        serialise(connection, "exchange_catalogue")
        self._check_department(entry.resource, by)
        before = self.entry(connection, entry.resource)
        check_mandatory(checked(entry), self._mandatory, previous=before)
        coded = self._coded(connection, entry, before)
        latest = self._latest(connection, entry.resource)
        if before is not None and latest is not None:
            same = coded if coded.published_on is not None else replace(coded, published_on=before.published_on)
            if same == before:
                return latest
        if coded.published_on is None:
            coded = replace(coded, published_on=self._clock.today())
        table = exchange_records.catalogue
        connection.execute(sa.delete(table).where(table.c.resource == entry.resource))
        connection.execute(
            sa.insert(table).values(
                resource=entry.resource,
                provider=entry.provider,
                kind=entry.kind,
                entry=_text(coded),
                updated_at=self._clock.now(),
            )
        )
        return self._remember(connection, CatalogueEvent.PUBLISH, coded, before=before, latest=latest, by=by)

    def withdraw(self, connection: Connection, resource: str, *, by: Publisher = HUB_PUBLISHER) -> CatalogueVersion:
        """Take an entry out; agreements in force go on until they are revoked.

        Raises:
            CatalogueError: there is no such entry, it is another department's, or it must be shared.
        """
        serialise(connection, "exchange_catalogue")
        self._check_department(resource, by)
        entry = self.entry(connection, resource)
        if entry is None:
            raise CatalogueError("目录中没有这项资源", "there is no such entry", place=Place(element=resource))
        check_withdrawal(entry, self._mandatory)
        latest = self._latest(connection, resource)
        table = exchange_records.catalogue
        connection.execute(sa.delete(table).where(table.c.resource == resource))
        return self._remember(connection, CatalogueEvent.WITHDRAW, entry, before=entry, latest=latest, by=by)

    def plan(self, connection: Connection, found: Found, *, complete: bool = False) -> ImportPlan:
        """Tell what a catalogue file would do; nothing happens."""
        return plan_import(found, self.entries(connection), self._mandatory, complete=complete)

    def take(
        self, connection: Connection, found: Found, *, complete: bool = False, by: Publisher = HUB_PUBLISHER
    ) -> ImportPlan:
        """Take in a catalogue file, whole or not at all, in the caller's transaction.

        Raises:
            ImportRefusedError: an entry of it is refused; nothing has happened.
            CatalogueError: an entry is another department's.
        """
        serialise(connection, "exchange_catalogue")
        plan = self.plan(connection, found, complete=complete)
        if plan.refused:
            raise ImportRefusedError(plan)
        for item in plan.items:
            self._check_department(item.resource, by)
        for item in plan.items:
            if item.change is ImportChange.WITHDRAWN:
                self.withdraw(connection, item.resource, by=by)
            elif item.change is not ImportChange.UNCHANGED and item.entry is not None:
                self.publish(connection, item.entry, by=by)
        return plan

    def entries(self, connection: Connection) -> dict[str, CatalogueEntry]:
        """Give all entries by resource: those published here, and beneath them those that come with the product."""
        table = exchange_records.catalogue
        rows = connection.execute(sa.select(table.c.entry).order_by(table.c.resource))
        published = {one.resource: one for one in (_read(row.entry) for row in rows)}
        history = records.version
        withdrawn = connection.execute(
            sa.select(history.c.resource).where(history.c.event == CatalogueEvent.WITHDRAW).distinct()
        )
        gone = {row.resource for row in withdrawn}
        return {name: one for name, one in product_catalogue().items() if name not in gone} | published

    def entry(self, connection: Connection, resource: str) -> CatalogueEntry | None:
        """Give one entry in force."""
        return self.entries(connection).get(resource)

    def search(self, connection: Connection, wanted: Wanted | str) -> list[CatalogueEntry]:
        """Find entries by words, or by what they are."""
        return search_entries(self.entries(connection).values(), Wanted(wanted) if isinstance(wanted, str) else wanted)

    def versions(self, connection: Connection, resource: str) -> list[CatalogueVersion]:
        """Give every version of an entry, oldest first; also of one that was withdrawn."""
        table = records.version
        rows = connection.execute(sa.select(table).where(table.c.resource == resource).order_by(table.c.version))
        found: list[CatalogueVersion] = []
        product = product_catalogue().get(resource)
        if product is not None:
            found.append(
                CatalogueVersion(
                    resource, 0, CatalogueEvent.PRODUCT, product, (), HUB_PUBLISHER, None, product.digest, ""
                )
            )
        for row in rows:
            entry, event = _read(row.entry), CatalogueEvent(row.event)
            before = found[-1].entry if found and found[-1].event is not CatalogueEvent.WITHDRAW else None
            changes = entry_changes(before, None if event is CatalogueEvent.WITHDRAW else entry)
            by = Publisher(row.by_user, row.by_department)
            found.append(
                CatalogueVersion(resource, row.version, event, entry, changes, by, row.at, row.digest, row.entry_id)
            )
        return found

    def difference(self, connection: Connection, resource: str, older: int, newer: int) -> tuple[Change, ...]:
        """Give what differs between two versions of an entry.

        Raises:
            CatalogueError: it has no such version.
        """
        found = {one.version: one.entry for one in self.versions(connection, resource)}
        for number in (older, newer):
            if number not in found:
                raise CatalogueError(
                    f"没有第 {number} 版", f"there is no version {number}", place=Place(element=resource)
                )
        return entry_changes(found[older], found[newer])

    def gaps(
        self,
        connection: Connection,
        available: Mapping[str, bool] | None = None,
        freshness: Mapping[str, datetime] | None = None,
    ) -> list[MandatoryStanding]:
        """Tell how each duty of the mandatory list stands, unserved ones (`.gap`) with why.

        Args:
            connection: to the hub's database.
            available: from `Exchange.availability()`; None if the gateways weren't asked.
            freshness: by resource, of what is delivered in lots or events; answers to single questions are known here.
        """
        today = self._clock.today()
        known = latest_answers(connection)
        for resource, as_of in (freshness or {}).items():
            known[resource] = max(as_of, known.get(resource, as_of))
        table = exchange_records.agreement
        agreed = connection.execute(
            sa.select(table.c.resource)
            .where(
                table.c.state == _IN_FORCE,
                table.c.valid_from <= today,
                sa.or_(table.c.valid_to.is_(None), table.c.valid_to >= today),
            )
            .distinct()
        )
        return mandatory_standings(
            self._mandatory,
            self.entries(connection),
            agreed={row.resource for row in agreed},
            available=available,
            freshness=known,
            today=shanghai_date(self._clock.now()),
        )

    def _check_department(self, resource: str, by: Publisher) -> None:
        if by.department not in {HUB_PUBLISHER.department, resource.partition(".")[0]}:
            raise CatalogueError(
                "只能发布或撤下本部门的目录条目",
                "a department publishes and withdraws its own entries only",
                place=Place(element=resource),
            )

    def _coded(self, connection: Connection, entry: CatalogueEntry, before: CatalogueEntry | None) -> CatalogueEntry:
        table = records.code
        given = {row.code: row.resource for row in connection.execute(sa.select(table))}
        product = {one.code: one.resource for one in product_catalogue().values() if one.code}
        owners = product | given
        code = entry.code
        if not code and before is not None and before.class_code == entry.class_code:
            code = before.code
        if not code:
            code = local_code(entry.class_code, next_number(entry.class_code, owners))
        if owners.get(code, entry.resource) != entry.resource:
            raise CatalogueError(
                "信息资源代码已属于另一资源",
                "the code belongs to another resource",
                advice_chinese="代码一经给出不再另用；留空则自动赋码。",
                advice_english="A code is never given again; leave it empty to have one given.",
                place=Place(element=f"{entry.resource}.code"),
            )
        if code not in given:
            connection.execute(sa.insert(table).values(code=code, resource=entry.resource))
        return replace(entry, code=code)

    def _latest(self, connection: Connection, resource: str) -> CatalogueVersion | None:
        found = self.versions(connection, resource)
        return found[-1] if found and found[-1].version else None

    def _remember(
        self,
        connection: Connection,
        event: CatalogueEvent,
        entry: CatalogueEntry,
        *,
        before: CatalogueEntry | None,
        latest: CatalogueVersion | None,
        by: Publisher,
    ) -> CatalogueVersion:
        now = self._clock.now()
        version = latest.version + 1 if latest is not None else 1
        facts = {
            "resource": entry.resource,
            "version": str(version),
            "event": event.value,
            "department": by.department,
            "digest": entry.digest,
        }
        entry_id = ""
        if self._ledger is not None:
            content = canonical_json({"by": by.user_id, "entry": entry.to_payload(), **facts})
            entry_id = self._ledger.record(connection, LedgerEntry("catalogue", now, facts), content)
        connection.execute(
            sa.insert(records.version).values(
                resource=entry.resource,
                version=version,
                event=event,
                entry=_text(entry),
                by_user=by.user_id,
                by_department=by.department,
                at=now,
                digest=entry.digest,
                entry_id=entry_id,
            )
        )
        changes = entry_changes(before, None if event is CatalogueEvent.WITHDRAW else entry)
        return CatalogueVersion(entry.resource, version, event, entry, changes, by, now, entry.digest, entry_id)


def latest_answers(connection: Connection) -> dict[str, datetime]:
    """Give by resource how fresh the newest answers to single questions were, among the last few thousand."""
    grant, verdict = exchange_records.grant, exchange_records.verdict
    # Grants are named in the order of time, so the newest are found by their key.
    newest = (
        sa.select(grant.c.resource, verdict.c.as_of)
        .join_from(verdict, grant, verdict.c.grant_id == grant.c.grant_id)
        .order_by(verdict.c.grant_id.desc())
        .limit(_LATEST_ANSWERS)
        .subquery()
    )
    rows = connection.execute(sa.select(newest.c.resource, newest.c.as_of))
    found: dict[str, datetime] = {}
    for row in rows:
        found[row.resource] = max(row.as_of, found.get(row.resource, row.as_of))
    return found


def _text(entry: CatalogueEntry) -> str:
    return msgspec.json.encode(entry).decode()


@lru_cache(maxsize=4096)
def _read(text: str) -> CatalogueEntry:
    return msgspec.json.decode(text, type=CatalogueEntry)
