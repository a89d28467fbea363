"""Entries over hub borders: what this hub passes on, and what it has taken from its neighbours into its catalogue."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy import Connection

from huodang.exchange.cascade import records
from huodang.exchange.cascade.errors import CascadeError
from huodang.exchange.cascade.values import HUB_OFFERS, LONGEST_PATH, HubOffers, Offer, outer_name
from huodang.exchange.catalogue import Catalogue, CatalogueEntry, Publisher, Sharing
from huodang.exchange.catalogue.entries import Bilingual
from huodang.exchange.errors import MessageError
from huodang.exchange.values import Kind, to_the_second
from huodang.standards import Place
from huodang.store import Clock
from huodang.trust import SignedEnvelope, Signer, TrustedKeys, open_envelope, sign_envelope

ACTIVE: Final = "active"
WITHDRAWN: Final = "withdrawn"
_KINDS: Final = frozenset({Kind.CHECK, Kind.ACTION, Kind.LIST, Kind.EVENT})
_PUBLISHER: Final = Publisher("cascade", "hub")


@dataclass(frozen=True)
class ProxiedEntry:
    """An entry that another hub answers for.

    Attributes:
        neighbour: through whom it is asked.
        path: the hubs from the neighbour to the origin.
        state: `active` or `withdrawn`.
    """

    resource: str
    neighbour: str
    origin_hub: str
    origin_resource: str
    path: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class Refreshed:
    """What looking at a neighbour's offers changed: names of resources."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


class Offers:
    """Keeps offers and proxied entries.

    Args:
        catalogue: the hub's.
        signer: the hub's key.
        neighbours: public keys of the neighbouring hubs.
        clock: the time.
    """

    def __init__(self, catalogue: Catalogue, signer: Signer, neighbours: TrustedKeys, clock: Clock) -> None:
        self._catalogue = catalogue
        self._signer = signer
        self._neighbours = neighbours
        self._clock = clock

    def publish(self, connection: Connection, inner: str, *, by: str) -> Offer:
        """Pass a resource on to the neighbours; the catalogue gets an entry under the name that they know it by.

        Raises:
            CascadeError: there is no such entry, it isn't shared, or its kind isn't passed on.
        """
        place = Place(element=inner)
        entry = self._catalogue.entry(connection, inner)
        if entry is None:
            raise CascadeError("目录中没有这项资源", "the catalogue has no such resource", place=place)
        if entry.sharing is Sharing.NONE:
            raise CascadeError("该资源不予共享", "the resource isn't shared", place=place)
        if entry.kind not in _KINDS:
            raise CascadeError(
                f"种类为 {entry.kind.value} 的资源不能级联",
                f"resources of the kind {entry.kind.value} aren't passed on",
                advice_chinese="可级联的种类：核验、办理、名单、事件。",
                advice_english="What can be passed on: checks, actions, lists and events.",
                place=place,
            )
        if inner.startswith(f"{self._signer.holder}."):
            raise CascadeError("该条目本身就是级联条目", "the entry is an offer of this hub itself", place=place)
        offer = self._offer(connection, entry)
        self._catalogue.publish(connection, offer.entry, by=_PUBLISHER)
        self._set_offer(connection, offer.resource, inner, ACTIVE, by)
        return offer

    def withdraw(self, connection: Connection, inner: str, *, by: str) -> None:
        """Pass a resource on no longer; neighbours learn of it when they look next.

        Raises:
            CascadeError: it wasn't passed on.
        """
        table = records.offer
        row = connection.execute(sa.select(table).where(table.c.inner == inner, table.c.state == ACTIVE)).one_or_none()
        if row is None:
            raise CascadeError("没有发布过这项资源", "the resource isn't passed on", place=Place(element=inner))
        if self._catalogue.entry(connection, row.resource) is not None:
            self._catalogue.withdraw(connection, row.resource, by=_PUBLISHER)
        self._set_offer(connection, row.resource, inner, WITHDRAWN, by)

    def inner_names(self, connection: Connection) -> dict[str, str]:
        """Give by the neighbours' name what is passed on, as it is called here."""
        table = records.offer
        rows = connection.execute(sa.select(table.c.resource, table.c.inner).where(table.c.state == ACTIVE))
        return {row.resource: row.inner for row in rows}

    def offered(self, connection: Connection) -> list[Offer]:
        """List what is passed on, each with its entry as it stands now; what the catalogue lost isn't offered."""
        found = []
        for inner in self.inner_names(connection).values():
            entry = self._catalogue.entry(connection, inner)
            if entry is not None and entry.sharing is not Sharing.NONE:
                found.append(self._offer(connection, entry))
        return found

    def tell(self, connection: Connection, neighbour: str) -> SignedEnvelope:
        """Say to a neighbour what is passed on to it: nothing that comes from itself."""
        offers = tuple(one for one in self.offered(connection) if neighbour not in one.path)
        told = HubOffers(hub=self._signer.holder, offers=offers, offered_at=to_the_second(self._clock.now()))
        return sign_envelope(HUB_OFFERS, told.to_payload(), self._signer)

    def read(self, neighbour: str, raw: bytes) -> tuple[Offer, ...]:
        """Read what a neighbour offers.

        Raises:
            EnvelopeError: the neighbour didn't sign it.
            MessageError: it is misshapen, or offers what isn't the neighbour's to offer.
        """
        payload = open_envelope(raw, HUB_OFFERS, self._neighbours, signer=neighbour, at=self._clock.now())
        told = HubOffers.from_payload(payload)
        for one in told.offers:
            named = (told.hub, one.resource.partition(".")[0], one.path[0], one.entry.resource)
            if named != (neighbour, neighbour, neighbour, one.resource) or one.path[-1] != one.origin_hub:
                raise MessageError(
                    "条目与提供它的平台不符",
                    "an entry doesn't fit the hub that offers it",
                    place=Place(element=one.resource),
                )
        return tuple(one for one in told.offers if self._signer.holder not in one.path)

    def take(
        self, connection: Connection, neighbour: str, offers: Sequence[Offer], wanted: Collection[str] | None
    ) -> Refreshed:
        """Take a neighbour's offers into the catalogue, in the caller's transaction: new versions and withdrawals, too.

        Args:
            connection: the caller's.
            neighbour: who offers.
            offers: as read.
            wanted: names to take newly; None for all, nothing to look only after those taken before.

        Raises:
            CascadeError: something wanted isn't offered.
            CatalogueError: an entry can't be taken; nothing is then changed if the caller rolls back.
        """
        known = {one.resource: one for one in self.entries(connection) if one.neighbour == neighbour}
        offered = {one.resource: one for one in offers}
        subscribed = {name for name, one in known.items() if one.state == ACTIVE}
        if missing := sorted(set(wanted or ()) - offered.keys()):
            raise CascadeError(
                "相邻平台没有提供该条目", "the neighbour doesn't offer this", place=Place(element=missing[0])
            )
        taking = (set(offered) if wanted is None else set(wanted)) | (subscribed & offered.keys())
        added: list[str] = []
        changed: list[str] = []
        for name in sorted(taking):
            one = offered[name]
            before = self._digest(connection, name)
            if before == one.entry.digest and name in subscribed:
                continue
            self._catalogue.publish(connection, _local(one), by=_PUBLISHER)
            self._set_entry(connection, neighbour, one)
            (changed if name in subscribed else added).append(name)
        gone = sorted(subscribed - offered.keys())
        for name in gone:
            if self._catalogue.entry(connection, name) is not None:
                self._catalogue.withdraw(connection, name, by=_PUBLISHER)
            connection.execute(
                sa.update(records.entry)
                .where(records.entry.c.resource == name)
                .values(state=WITHDRAWN, changed_at=self._clock.now())
            )
        return Refreshed(tuple(added), tuple(changed), tuple(gone))

    def entries(self, connection: Connection) -> list[ProxiedEntry]:
        """List what was taken from neighbours, also what they withdrew since."""
        table = records.entry
        return [
            ProxiedEntry(
                row.resource, row.neighbour, row.origin_hub, row.origin_resource, tuple(row.path.split(",")), row.state
            )
            for row in connection.execute(sa.select(table).order_by(table.c.resource))
        ]

    def _offer(self, connection: Connection, entry: CatalogueEntry) -> Offer:
        proxied = {one.resource: one for one in self.entries(connection) if one.state == ACTIVE}.get(entry.resource)
        hub = self._signer.holder
        name = outer_name(hub, entry.resource)
        path = (hub, *(proxied.path if proxied is not None else ()))
        if len(path) > LONGEST_PATH:
            raise CascadeError("级联层数过多", "the entry has come over too many hubs", place=Place(element=name))
        outer = replace(
            entry,
            resource=name,
            title=_through(entry.title, hub),
            mandatory=False,  # the duty is the origin's, and is watched there
            code="",
            code_status="local",
            related_codes=(),
            published_on=None,
        )
        return Offer(
            resource=name,
            origin_hub=proxied.origin_hub if proxied is not None else hub,
            origin_resource=proxied.origin_resource if proxied is not None else entry.resource,
            path=path,
            entry=outer,
        )

    def _digest(self, connection: Connection, name: str) -> str:
        table = records.entry
        return connection.execute(sa.select(table.c.digest).where(table.c.resource == name)).scalar() or ""

    def _set_offer(self, connection: Connection, name: str, inner: str, state: str, by: str) -> None:
        table = records.offer
        values = {"state": state, "published_at": self._clock.now(), "published_by": by}
        changed = connection.execute(sa.update(table).where(table.c.resource == name).values(**values))
        if changed.rowcount == 0:
            connection.execute(sa.insert(table).values(resource=name, inner=inner, **values))

    def _set_entry(self, connection: Connection, neighbour: str, one: Offer) -> None:
        table = records.entry
        values = {
            "neighbour": neighbour,
            "origin_hub": one.origin_hub,
            "origin_resource": one.origin_resource,
            "path": ",".join(one.path),
            "digest": one.entry.digest,
            "state": ACTIVE,
            "changed_at": self._clock.now(),
        }
        changed = connection.execute(sa.update(table).where(table.c.resource == one.resource).values(**values))
        if changed.rowcount == 0:
            connection.execute(sa.insert(table).values(resource=one.resource, **values))


def _through(title: Bilingual, hub: str) -> Bilingual:
    """Say in the title through which hub it comes."""
    return Bilingual(chinese=f"{title.chinese}（经 {hub}）", english=f"{title.english} (through {hub})")


def _local(offer: Offer) -> CatalogueEntry:
    """Give the entry as it is published here: this catalogue gives it a code of its own."""
    return replace(offer.entry, code="", code_status="local", published_on=None)
