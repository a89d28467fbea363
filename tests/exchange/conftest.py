"""Fixtures of the exchange's tests; the parts stand in `exchange_province.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from exchange_province import (
    HOUSING_FUND,
    PARTIES,
    POLICE,
    HubMaker,
    Province,
    fill_housing_fund,
    fill_police,
)

from huodang.exchange import Exchange, Gateway, GatewayClient, GatewayDirectory, Patience
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import FieldSealer, Provisioner


@pytest.fixture(scope="session")
def province_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates, made once."""
    root = tmp_path_factory.mktemp("province")
    keys = Provisioner(root)
    keys.init()
    for party in PARTIES:
        keys.issue(party)
    return root


@pytest.fixture
def province(province_keys: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Province]:
    """A province of its own for each test, with the same keys."""
    root = tmp_path / "root"
    root.mkdir()
    for name in ("tls", "hub", "portal", "trust.json"):
        (root / name).symlink_to(province_keys / name)
    for department in PARTIES[2:]:
        (root / "departments" / department / "agreements").mkdir(parents=True)
        (root / "departments" / department / "keys").symlink_to(province_keys / "departments" / department / "keys")
    made = Province(root, clock, Provisioner(root))
    yield made
    for gateway in made.opened:
        gateway.close()


@pytest.fixture
def police(province: Province) -> Gateway:
    """The police gateway over its register, with an agreement in force."""
    fill_police(province.folder("police") / "police.db")
    province.lay(province.agreement())
    return province.gateway(POLICE)


@pytest.fixture
def housing_fund(province: Province) -> Gateway:
    """The housing fund's gateway over its accounts, with an agreement in force."""
    fill_housing_fund(province.folder("housing_fund") / "housing_fund.db")
    province.lay(province.agreement("housing_fund.seal"))
    return province.gateway(HOUSING_FUND)


@pytest.fixture
def ledger(database: Database, province: Province) -> Ledger:
    """The hub's ledger, signed under both suites."""
    signers = (province.signer("hub", "national"), province.signer("hub", "international"))
    return Ledger(database, signers, "test.example/huodang", province.clock)


@pytest.fixture
def make_hub(database: Database, ledger: Ledger, province: Province) -> Iterator[HubMaker]:
    """Make the hub's exchange over addresses by department."""
    directories: list[GatewayDirectory] = []

    def make(urls: dict[str, str], *, patience: Patience | None = None) -> Exchange:
        context = province.tls("hub").client_context()
        clients = {
            name: GatewayClient(url, context if url.startswith("https") else None, patience=patience)
            for name, url in urls.items()
        }
        directory = GatewayDirectory(clients, remember_seconds=0.0)
        directories.append(directory)
        return Exchange(
            database,
            ledger,
            province.signer("hub"),
            province.trusted,
            directory,
            FieldSealer.create(province.keys.keys_folder("hub")),
            province.clock,
        )

    yield make
    for directory in directories:
        directory.close()
