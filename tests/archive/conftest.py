"""A ledger, a sealer and the archive's services on either database."""

from pathlib import Path

import pytest

from huodang.archive import PaymentRecords, Volumes
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import FieldSealer, Signer


@pytest.fixture(scope="session")
def signers() -> tuple[Signer, ...]:
    return (Signer.generate("hub", "national"), Signer.generate("hub", "international"))


@pytest.fixture
def sealer(tmp_path: Path) -> FieldSealer:
    return FieldSealer.create(tmp_path / "keys")


@pytest.fixture
def ledger(any_database: Database, signers: tuple[Signer, ...], clock: FixedClock) -> Ledger:
    return Ledger(any_database, signers, "test.example/huodang", clock)


@pytest.fixture
def payments(any_database: Database, ledger: Ledger, sealer: FieldSealer, clock: FixedClock) -> PaymentRecords:
    return PaymentRecords(any_database, ledger, sealer, clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "volumes"


@pytest.fixture
def volumes(any_database: Database, ledger: Ledger, sealer: FieldSealer, clock: FixedClock, folder: Path) -> Volumes:
    return Volumes(any_database, sealer, ledger, clock, folder)
