"""What a hub's door to its neighbours checks with: their keys, the agreements with them, numbers taken once, its rate.

It has the shape that the gateway's parts need of a gateway, so that a neighbour is answered by the same rules.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements, AgreementState
from huodang.exchange.calls.limits import WINDOW_SECONDS, Spending
from huodang.exchange.cascade import records
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.refusals import Refused, rate_limited
from huodang.exchange.gateway.shelf import ShelfContents
from huodang.exchange.values import Agreement
from huodang.store import Clock, Database, serialise
from huodang.trust import Signer, TrustedKeys

LOCK: Final = "huodang.cascade"
SKEW: Final = timedelta(seconds=120)


class Door:
    """The hub as a provider to its neighbours.

    Args:
        database: the hub's.
        agreements: the hub's.
        signer: the hub's key.
        neighbours: public keys of the neighbouring hubs: no other key's grant counts here.
        clock: the time.
    """

    def __init__(
        self, database: Database, agreements: Agreements, signer: Signer, neighbours: TrustedKeys, clock: Clock
    ) -> None:
        self._database = database
        self._agreements = agreements
        self.department = signer.holder
        self.signer = signer
        self.trusted = neighbours
        self.clock = clock
        self.skew = SKEW

    @property
    def shelf(self) -> "Door":
        """Give where the agreements stand."""
        return self

    @property
    def memory(self) -> "Door":
        """Give what remembers numbers."""
        return self

    def contents(self) -> ShelfContents:
        """Give the agreements by which neighbours are answered, as they stand now."""
        newest: dict[str, Agreement] = {}
        revoked: dict[str, int] = {}
        with self._database.read() as connection:
            for one in self._agreements.all(connection):
                agreement = one.agreement
                name = agreement.agreement_id
                if agreement.provider != self.department:
                    continue
                if one.state is AgreementState.REVOKED:
                    revoked[name] = max(revoked.get(name, 0), agreement.version)
                elif one.state is AgreementState.IN_FORCE:
                    newest[name] = agreement
        return ShelfContents(newest, revoked)

    def write(self, lines: Sequence[tuple[str | None, datetime | None, LogLine]]) -> set[int]:
        """Take numbers, each once; give the places of those that were taken before."""
        with self._database.begin() as connection:
            return self.take_numbers(connection, [(number, until) for number, until, _ in lines])

    def take_numbers(self, connection: Connection, numbers: Sequence[tuple[str | None, datetime | None]]) -> set[int]:
        """Take numbers in the caller's transaction; give the places of those that were taken before."""
        serialise(connection, LOCK)
        table = records.nonce
        connection.execute(sa.delete(table).where(table.c.expires_at < self.clock.now()))
        wanted = [number for number, _ in numbers if number is not None]
        known = set(connection.execute(sa.select(table.c.nonce).where(table.c.nonce.in_(wanted))).scalars())
        late: set[int] = set()
        for place, (number, until) in enumerate(numbers):
            if number is None or until is None:
                continue
            if number in known:
                late.add(place)
                continue
            known.add(number)
            connection.execute(sa.insert(table).values(nonce=number, expires_at=until))
        return late

    def over_limit(self, connection: Connection, agreement: Agreement, now: datetime) -> Refused | None:
        """Say until when nothing more is answered under an agreement; None if this may be, of all nodes."""
        if agreement.calls_per_minute is None:
            return None
        table = records.relayed
        since = now - timedelta(seconds=WINDOW_SECONDS)
        moments = connection.execute(
            sa.select(table.c.at).where(table.c.agreement_id == agreement.agreement_id, table.c.at > since)
        ).scalars()
        spent = Spending()
        for moment in moments:
            spent = spent.spend(int(moment.timestamp()), 1)
        wait = spent.wait(int(now.timestamp()), 1, agreement.calls_per_minute)
        return None if not wait else rate_limited(now, wait)
