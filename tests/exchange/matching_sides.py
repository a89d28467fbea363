"""Two sides of a match in one process, and made-up numbers, for the tests of matching."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from exchange_province import identity

from huodang.exchange.matching import (
    Address,
    HandHost,
    HandServer,
    HoldingSession,
    Lanes,
    Normalisation,
    Rules,
    Terms,
    ValueSet,
    Welcome,
    collect,
)
from huodang.standards import IdentityNumber
from huodang.trust import TlsPair


def numbers(start: int, count: int) -> list[IdentityNumber]:
    """Made-up numbers of people born on the days of 1960."""
    made = (
        identity(f"13010219{60 + n // 300_000}{1 + n // 28 % 12:02d}{1 + n % 28:02d}{n // 336:03d}")
        for n in range(start, start + count)
    )
    return [IdentityNumber.parse(one) for one in made]


def texts(*values: str) -> ValueSet:
    return collect(values, Normalisation.TEXT)


class InProcess:
    """A holder in the same process; writes down all that crosses."""

    def __init__(
        self, values: ValueSet, workers: Lanes, session: Callable[..., HoldingSession] = HoldingSession
    ) -> None:
        self._values, self._workers, self._make = values, workers, session
        self.sent: list[bytes] = []
        self.answered: list[bytes] = []
        self.tagged: list[bytes] = []

    def open(self, terms: Terms) -> Welcome:
        self._session = self._make(terms, self._values.digests, self._workers)
        return Welcome(version=1, session="0" * 32, held=self._session.held)

    def send(self, index: int, points: bytes) -> None:
        self.sent.append(points)
        self._session.take(index, points)

    def close(self) -> str:
        return self._session.close()

    def answers(self, index: int) -> bytes:
        self.answered.append(waited(lambda: self._session.answers(index)))
        return self.answered[-1]

    def tags(self, index: int) -> bytes:
        self.tagged.append(waited(lambda: self._session.tags(index)))
        return self.tagged[-1]

    def end(self) -> None:
        self._session.drop()


def waited(ask: Callable[[], bytes | None]) -> bytes:
    """Ask until the work is done."""
    while (data := ask()) is None:
        time.sleep(0.001)
    return data


@contextmanager
def serving_set(values: ValueSet, rules: Rules | None = None, tls: TlsPair | None = None) -> Iterator[Address]:
    """Serve a set by hand on a free port."""
    workers = Lanes(2)
    server = HandServer(HandHost(values, workers, rules or Rules()), Address("127.0.0.1", 0), tls)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join(10)
        workers.close()
