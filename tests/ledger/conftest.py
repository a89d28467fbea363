"""Fixtures of the ledger's tests: signers, a ledger, entries."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Clock, Database
from huodang.trust import Signer, TrustedKeys

ORIGIN = "hebei.example/huodang"
AT = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def signers() -> tuple[Signer, Signer]:
    """The hub's signers, one of each suite."""
    return Signer.generate("hub", "national"), Signer.generate("hub", "international")


@pytest.fixture(scope="session")
def trusted(signers: tuple[Signer, Signer]) -> TrustedKeys:
    """A list of trusted keys with the hub's and a department's."""
    return TrustedKeys((*(one.public for one in signers), Signer.generate("police").public))


@pytest.fixture
def ledger(database: Database, signers: tuple[Signer, Signer], clock: Clock) -> Ledger:
    """A ledger on a fresh SQLite file."""
    return Ledger(database, signers, ORIGIN, clock)


@pytest.fixture
def record(database: Database, ledger: Ledger) -> Callable[[int], list[str]]:
    """Record so many entries, numbered, and return their identifiers."""

    def write(count: int) -> list[str]:
        entries = [
            (LedgerEntry("grant", AT, {"number": str(number)}), b"content %d" % number) for number in range(count)
        ]
        with database.begin() as connection:
            return ledger.record_all(connection, entries)

    return write
