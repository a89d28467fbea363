"""A health department with a real gateway over its own register, and a hub that takes its events."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
import yaml

from huodang.exchange import (
    AGREEMENT,
    Agreement,
    EventOffice,
    Gateway,
    GatewayClient,
    GatewayDirectory,
    Kind,
    gateway_application,
    read_gateway_file,
)
from huodang.exchange.agreements import Agreements
from huodang.exchange.events.part import EventsPart
from huodang.ledger import Ledger
from huodang.store import Clock, Database
from huodang.trust import FieldSealer, Provisioner, Signer, cosign_envelope, sign_envelope

RESOURCE = "health.death_registered"
GATEWAY: dict[str, Any] = {
    "department": "health",
    "name": {"chinese": "卫生健康委", "english": "Health"},
    "database": "gateway.db",
    "keys": "keys",
    "trust": "../../trust.json",
    "agreements": "agreements",
    "listen": {"host": "127.0.0.1", "port": 0},
    "source": {"url": "sqlite:///health.db"},
    "events": {
        "publish": [
            {
                "resource": RESOURCE,
                "type": "cn.huodang.death.registered",
                "withdrawn_type": "cn.huodang.death.annulled",
                "table": "DEATH_CERT",
                "key": "CERT_NO",
                "subject": "DECEDENT_ID_NO",
                "only": {"VALID_FLAG": "1"},
                "sweep_seconds": 1,
                "overlap_seconds": 0,
                "watch_milliseconds": 20,
                "elements": {"name": "DECEDENT_NAME", "death_date": {"column": "DEATH_TM", "format": "yyyymmdd"}},
            }
        ]
    },
}
MADE = (
    "CREATE TABLE DEATH_CERT (CERT_NO TEXT PRIMARY KEY, DECEDENT_ID_NO TEXT, DECEDENT_NAME TEXT, DEATH_TM TEXT, "
    "VALID_FLAG TEXT)"
)


@dataclass
class HealthDepartment:
    """Its register, as the clerks there write it."""

    path: Path

    def do(self, statement: str, *values: object) -> None:
        with sqlite3.connect(self.path, timeout=10) as connection:
            connection.execute(statement, values)
        connection.close()

    def certify(self, certificate: str, number: str, day: str) -> None:
        self.do("INSERT INTO DEATH_CERT VALUES (?, ?, '王某', ?, '1')", certificate, number, day)

    def annul(self, certificate: str) -> None:
        self.do("UPDATE DEATH_CERT SET VALID_FLAG = '0' WHERE CERT_NO = ?", certificate)


@contextmanager
def health_events(
    root: Path, database: Database, clock: Clock
) -> Iterator[tuple[HealthDepartment, EventOffice, FieldSealer]]:
    """Lay out keys, agreement and gateway, and serve them."""
    keys = Provisioner(root)
    keys.init()
    for party in ("hub", "health", "social_insurance"):
        keys.issue(party)
    folder = root / "departments" / "health"
    (folder / "agreements").mkdir(parents=True, exist_ok=True)
    register = HealthDepartment(folder / "health.db")
    register.do(MADE)
    envelope = sign_envelope(AGREEMENT, _agreement().to_payload(), _signer(keys, "social_insurance"))
    envelope = cosign_envelope(envelope, _signer(keys, "health"))
    (folder / "agreements" / "deaths.json").write_text(envelope.to_json(), encoding="utf-8")
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(GATEWAY, allow_unicode=True), encoding="utf-8")
    gateway = Gateway.open(read_gateway_file(file), environment={}, clock=clock)
    section = gateway.file.spec.events
    assert section is not None
    part = EventsPart(gateway, section)
    signers = (_signer(keys, "hub"), Signer.load(keys.keys_folder("hub"), "hub", "international"))
    ledger = Ledger(database, signers, "test.example", clock)
    agreements = Agreements(ledger, keys.trusted(), clock)
    with database.begin() as connection:
        agreements.take(connection, envelope)
    sealer = FieldSealer.create(keys.keys_folder("hub"))
    with _served(gateway_application(gateway, [part])) as url:
        part.start()
        wait_until(lambda: all(one.begun for one in part.watchers))
        directory = GatewayDirectory({"health": GatewayClient(url, None)})
        office = EventOffice(
            database,
            agreements,
            ledger,
            signers,
            keys.trusted(),
            directory=directory,
            sealer=sealer,
            clock=clock,
        )
        try:
            yield register, office, sealer
        finally:
            directory.close()
            part.leave()
            part.stop()
            gateway.close()


def drain(office: EventOffice) -> None:
    """Take all that the gateway has, and hand it on."""
    while office.subscriber.take_once("health"):
        pass
    while office.subscriptions.run_once():
        pass


def wait_until(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it didn't come to hold in time"
        time.sleep(0.02)


def _signer(keys: Provisioner, holder: str) -> Signer:
    return Signer.load(keys.keys_folder(holder), holder)


def _agreement() -> Agreement:
    return Agreement(
        agreement_id="XY-deaths",
        provider="health",
        consumer="social_insurance",
        resource=RESOURCE,
        kind=Kind.EVENT,
        purposes=("supervision",),
        legal_basis="社会保险经办条例第八条",
        elements=(),
        fields=("identity_number", "name", "death_date"),
        valid_from=date(2025, 1, 1),
    )


@contextmanager
def _served(application: Any) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
