"""Events for the exchange's tests: a register that publishes deaths, and a hub that takes them."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange_province import Province, identity, serving

from huodang.exchange import (
    Agreement,
    EventOffice,
    Exchange,
    Gateway,
    GatewayClient,
    GatewayDirectory,
    Kind,
    gateway_application,
)
from huodang.exchange.events.part import EventsPart
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import FieldSealer

DEATHS = "police.death_registered"
DIED = "cn.huodang.death.registered"
SPEC: dict[str, Any] = {
    "resource": DEATHS,
    "type": DIED,
    "table": "T_SWZX",
    "key": "BH",
    "subject": "GMSFHM",
    "only": {"ZT": "1"},
    "sweep_seconds": 1,
    "overlap_seconds": 0,
    "watch_milliseconds": 20,
    "elements": {"name": "XM", "death_date": {"column": "SWRQ", "format": "yyyymmdd"}},
}
FIELDS = ("identity_number", "name", "death_date")


def gateway_settings(*specs: dict[str, Any], url: str = "sqlite:///police.db") -> dict[str, Any]:
    """A police gateway that publishes events and answers nothing else."""
    return {
        "department": "police",
        "name": {"chinese": "公安厅", "english": "Public Security"},
        "database": "gateway.db",
        "keys": "keys",
        "trust": "../../trust.json",
        "agreements": "agreements",
        "listen": {"host": "127.0.0.1", "port": 0},
        "source": {"url": url},
        "events": {"publish": list(specs)},
    }


def number(serial: int) -> str:
    """A valid made-up identity number."""
    return identity(f"1301021940{serial // 1000 % 12 + 1:02d}01{serial % 1000:03d}")


@dataclass
class Register:
    """The register of deaths, as its clerks write it."""

    path: Path

    def make(self) -> None:
        self.do("CREATE TABLE T_SWZX (BH TEXT PRIMARY KEY, GMSFHM TEXT, XM TEXT, SWRQ TEXT, ZT TEXT, GXSJ INTEGER)")

    def do(self, statement: str, *values: object) -> None:
        with sqlite3.connect(self.path, timeout=10) as connection:
            connection.execute(statement, values)
        connection.close()

    def died(self, serial: int, day: str = "20250301", *, changed: int | None = None, state: str = "1") -> None:
        self.do(
            "INSERT INTO T_SWZX VALUES (?, ?, ?, ?, ?, ?)",
            f"D{serial:06d}",
            number(serial),
            f"王{serial}",
            day,
            state,
            serial if changed is None else changed,
        )

    def died_many(self, first: int, count: int) -> None:
        with sqlite3.connect(self.path, timeout=10) as connection:
            connection.executemany(
                "INSERT INTO T_SWZX VALUES (?, ?, ?, '20250301', '1', ?)",
                [(f"D{one:06d}", number(one), f"王{one}", one) for one in range(first, first + count)],
            )
        connection.close()


def event_agreement(province: Province, **changes: Any) -> Agreement:
    terms: dict[str, Any] = {
        "agreement_id": "XY-police-deaths",
        "kind": Kind.EVENT,
        "purposes": ("supervision",),
        "elements": (),
        "fields": FIELDS,
    }
    chosen = {**terms, **changes}
    return province.agreement(chosen.pop("resource", DEATHS), **chosen)


@contextmanager
def running(gateway: Gateway, *, watch: bool = True) -> Iterator[tuple[str, EventsPart]]:
    """Serve a gateway's events over HTTP."""
    section = gateway.file.spec.events
    assert section is not None
    part = EventsPart(gateway, section)
    try:
        with serving(gateway_application(gateway, [part])) as url:
            if watch:
                part.start()
                wait_until(lambda: all(one.begun for one in part.watchers))
            yield url, part
            part.leave()
    finally:
        part.stop()


def event_office(
    province: Province, database: Database, ledger: Ledger, url: str, **options: Any
) -> tuple[EventOffice, GatewayDirectory, Exchange]:
    directory = GatewayDirectory({"police": GatewayClient(url, None)})
    sealer = FieldSealer.create(province.keys.keys_folder("hub"))
    exchange = Exchange(database, ledger, province.signer("hub"), province.trusted, directory, sealer, province.clock)
    office = EventOffice(
        database,
        exchange.agreements,
        ledger,
        (province.signer("hub"), province.signer("hub", "international")),
        province.trusted,
        directory=directory,
        sealer=sealer,
        clock=province.clock,
        **options,
    )
    return office, directory, exchange


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it didn't come to hold in time"
        time.sleep(0.01)
