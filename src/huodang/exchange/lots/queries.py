"""What the hub can tell of lots and copies: lists, what was wrong in them, who holds a delivered row. Shows no row."""

from typing import Final

import sqlalchemy as sa

from huodang.exchange.lots import book, records, staging
from huodang.exchange.lots.values import Delivery, FaultCount, Holding, Lot, LotState
from huodang.exchange.quality import RowMarks, differing_buckets
from huodang.store import Database
from huodang.trust import FieldSealer

_SALT: Final = "lot_salt"


class LotQueries:
    """Reads lots and holdings; needs no decision, as it shows no personal data."""

    def __init__(self, database: Database, sealer: FieldSealer) -> None:
        self._database = database
        self._sealer = sealer

    def salt(self, agreement_id: str) -> bytes:
        """Give the salt of an agreement's marks and digests. It stands in no table: the sealing secret makes it."""
        return bytes.fromhex(self._sealer.blind_index(_SALT, agreement_id))

    def key_index(self, agreement_id: str, key: str) -> str:
        """Give the mark under which a row with this key stands in an agreement's copy."""
        return RowMarks(self.salt(agreement_id)).mark(key)

    def lot(self, lot_id: str) -> Lot:
        """Give a lot.

        Raises:
            UnknownLotError: there is none of that name.
        """
        with self._database.read() as connection:
            return book.get_lot(connection, lot_id)

    def of_resource(self, resource: str, *, limit: int = 100) -> list[Lot]:
        """List the lots of a resource, newest first."""
        with self._database.read() as connection:
            return book.lots_where(connection, records.holding.c.resource == resource, limit=limit)

    def latest(self, *, limit: int = 100) -> list[Lot]:
        """List the newest lots of all resources."""
        with self._database.read() as connection:
            return book.lots_where(connection, sa.true(), limit=limit)

    def open_lot(self, agreement_id: str) -> Lot | None:
        """Give the lot that is at work under an agreement."""
        with self._database.read() as connection:
            condition = sa.and_(records.holding.c.agreement_id == agreement_id, records.lot.c.state == LotState.OPEN)
            return next(iter(book.lots_where(connection, condition, limit=1)), None)

    def unconfirmed(self, agreement_id: str) -> Lot | None:
        """Give the lot that the hub has taken and whose provider hasn't confirmed it yet."""
        with self._database.read() as connection:
            condition = sa.and_(records.holding.c.agreement_id == agreement_id, records.lot.c.state == LotState.TAKEN)
            return next(iter(book.lots_where(connection, condition, limit=1)), None)

    def holdings(self, resource: str | None = None) -> list[Holding]:
        """List the copies that the hub keeps, of one resource if asked."""
        condition = sa.true() if resource is None else records.holding.c.resource == resource
        with self._database.read() as connection:
            return book.holdings_where(connection, condition)

    def holding_of(self, agreement_id: str) -> Holding | None:
        """Give the copy that stands under an agreement; None if nothing was ever begun."""
        with self._database.read() as connection:
            found = book.holdings_where(connection, records.holding.c.agreement_id == agreement_id)
        return found[0] if found else None

    def faults(self, lot_id: str) -> list[FaultCount]:
        """Tell what was kept back in a lot, the most frequent first."""
        with self._database.read() as connection:
            return book.faults_of(connection, lot_id)

    def deliveries_of(self, resource: str, key_index: str) -> list[Delivery]:
        """List every delivered version of a row, in every copy, the newest first: whom a correction must reach."""
        rows = records.delivered_row
        condition = sa.and_(records.holding.c.resource == resource, rows.c.key_index == key_index)
        with self._database.read() as connection:
            return book.deliveries(connection, condition)

    def copies_of(self, resource: str, key: str) -> list[Delivery]:
        """The same by the key itself, as canonical text; marks differ from agreement to agreement."""
        found: list[Delivery] = []
        for holding in self.holdings(resource):
            found += [
                one
                for one in self.deliveries_of(resource, self.key_index(holding.agreement_id, key))
                if one.agreement_id == holding.agreement_id
            ]
        return found

    def deliveries_about(self, subject_index: str) -> list[Delivery]:
        """List every delivered row about a person that a copy still holds."""
        condition = sa.and_(
            records.delivered_row.c.subject_index == subject_index, records.delivered_row.c.until.is_(None)
        )
        with self._database.read() as connection:
            return book.deliveries(connection, condition)

    def verify(self, agreement_id: str) -> tuple[int, ...]:
        """Read a copy again and name the buckets that aren't as they were proven; empty if all are."""
        with self._database.read() as connection:
            found = book.holdings_where(connection, records.holding.c.agreement_id == agreement_id)
            generation = book.generation_of(connection, found[0].number) if found else 0
        if not found:
            return ()
        buckets, _ = staging.hash_copy(self._database, found[0].number, generation)
        return differing_buckets(found[0].buckets, buckets)
