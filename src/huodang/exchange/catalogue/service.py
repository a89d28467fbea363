"""The catalogue in the hub's database: what is published, and beneath it what comes with the product."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.catalogue.entries import CatalogueEntry, checked, product_catalogue
from huodang.store import Clock


class Catalogue:
    """The catalogue in the hub's database."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def publish(self, connection: Connection, entry: CatalogueEntry) -> None:
        """Publish an entry, or replace the one of that name.

        Raises:
            UnknownElement: an element isn't in the standard.
        """
        checked(entry)
        table = records.catalogue
        connection.execute(sa.delete(table).where(table.c.resource == entry.resource))
        connection.execute(
            sa.insert(table).values(
                resource=entry.resource,
                provider=entry.provider,
                kind=entry.kind,
                entry=msgspec.json.encode(entry).decode(),
                updated_at=self._clock.now(),
            )
        )

    def withdraw(self, connection: Connection, resource: str) -> None:
        """Take an entry out; agreements in force go on until they are revoked."""
        table = records.catalogue
        connection.execute(sa.delete(table).where(table.c.resource == resource))

    def entries(self, connection: Connection) -> dict[str, CatalogueEntry]:
        """Give all entries by resource: those published here, and beneath them those that come with the product."""
        rows = connection.execute(sa.select(records.catalogue.c.entry).order_by(records.catalogue.c.resource))
        published = [msgspec.json.decode(row.entry, type=CatalogueEntry) for row in rows]
        return product_catalogue() | {one.resource: one for one in published}
