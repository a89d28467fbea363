"""Parts of the tests of lots: agreements on tables, rows made under a salt, a hub's lots."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from exchange_province import POLICE, Province, identity, serving

from huodang.exchange import (
    Actor,
    Agreement,
    Agreements,
    Failure,
    FailureCode,
    Gateway,
    GatewayClient,
    GatewayDirectory,
    Kind,
    Looks,
    Lot,
    Lots,
    build_parts,
    gateway_application,
)
from huodang.exchange.client import CallFailure
from huodang.exchange.lots.gateway_part import TablesPart
from huodang.exchange.lots.puller import Hub, LotPuller
from huodang.exchange.lots.values import LOT_STATEMENT, LotStatement
from huodang.exchange.quality import RowMarks, bucket_hashes, root_of
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import FieldSealer, SignedEnvelope, sign_envelope

TABLE = "police.household_table"
FIELDS = ("identity_number", "name", "sex", "birth_date", "death_date", "household_region")
AS_OF = datetime(2025, 3, 3, 0, 30, tzinfo=UTC)


def number(serial: int) -> str:
    """A made-up identity number; each serial has its own."""
    return identity(f"130102{1940 + serial // 900}0101{serial % 900 + 100:03d}")


def table_agreement(province: Province, **changes: Any) -> Agreement:
    terms = {
        "agreement_id": "XY-table",
        "kind": Kind.TABLE,
        "fields": FIELDS,
        "elements": FIELDS,
        "purposes": ("supervision",),
        "valid_from": date(2025, 1, 1),
    }
    return province.agreement(TABLE, **{**terms, **changes})


def make_lots(province: Province, database: Database, ledger: Ledger) -> Lots:
    return Lots(
        database,
        ledger,
        province.signer("hub"),
        province.trusted,
        FieldSealer.create(province.keys.keys_folder("hub")),
        Looks(database, ledger, province.clock),
        province.clock,
    )


def statement(
    province: Province, agreement: Agreement, held: dict[str, bytes], salt: bytes, **changes: Any
) -> SignedEnvelope:
    """What a provider that holds these rows (content by key) says after a lot."""
    marks = RowMarks(salt)
    hashed = bucket_hashes(sorted((marks.mark(key), marks.digest(content)) for key, content in held.items()))
    told: dict[str, Any] = {
        "lot": "remote-1",
        "resource": agreement.resource,
        "agreement_id": agreement.agreement_id,
        "agreement_version": agreement.version,
        "provider": agreement.provider,
        "sent": len(held),
        "pages": 1,
        "as_of": AS_OF,
        "rows": len(held),
        "buckets": {f"{bucket:02x}": value for bucket, value in hashed.items()},
        "root": root_of(hashed),
    }
    return sign_envelope(
        LOT_STATEMENT, LotStatement(**{**told, **changes}).to_payload(), province.signer(agreement.provider)
    )


POLICE_TABLE: dict[str, Any] = {
    "resource": TABLE,
    "table": "T_CZRK_JBXX",
    "key": "identity_number",
    "elements": {
        "identity_number": "GMSFHM",
        "name": "XM",
        "sex": {"column": "XB", "crosswalk": {"1": "1", "2": "2"}},
        "birth_date": {"column": "CSRQ", "format": "yyyymmdd"},
        "death_date": {"column": "SWRQ", "format": "yyyymmdd", "absent_values": ["00000000"]},
        "household_region": "HKSZD",
    },
    "required": ["name"],
    "cursor": {"column": "GXSJ", "format": "yyyymmddhhmmss"},
    "rules": [{"rule": "death_before_birth", "element": "death_date", "not_before": "birth_date"}],
    "page_rows": 10,
}


def register_row(serial: int, **changes: Any) -> dict[str, Any]:
    """One row of a population register."""
    key = number(serial)
    row = {
        "GMSFHM": key,
        "XM": "王建国",
        "XB": "1",
        "CSRQ": key[6:14],
        "SWRQ": "00000000",
        "HKSZD": "130102",
        "GXSJ": "20250301080000",
    }
    return {**row, **changes}


class Register:
    """The department's own table, on any database."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)
        self.table = sa.Table(
            "T_CZRK_JBXX", sa.MetaData(), *(sa.Column(name, sa.String(60)) for name in register_row(0))
        )
        self.table.create(self.engine)

    def run(self, statement: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)

    def add(self, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(self.table), list(rows))

    def change(self, serial: int, **values: Any) -> None:
        self.run(sa.update(self.table).where(number(serial) == self.table.c.GMSFHM).values(values))

    def remove(self, serial: int) -> None:
        self.run(sa.delete(self.table).where(number(serial) == self.table.c.GMSFHM))


@dataclass
class Walk:
    """A police gateway over a register behind real HTTP, and the hub that pulls from it."""

    province: Province
    register: Register
    database: Database
    lots: Lots
    puller: LotPuller
    agreements: Agreements
    hub: Hub
    gateway: Gateway
    part: TablesPart
    switch: "Switch"
    address: str

    def agree(self, agreement: Agreement) -> None:
        self.province.lay(agreement)
        with self.database.begin() as connection:
            self.agreements.take(connection, self.province.signed(agreement))

    def pull(self) -> Lot:
        return self.puller.pull(TABLE)

    def names(self) -> list[str]:
        system = Actor("system", "系统", "system", "social_insurance", "130000")
        rows = self.lots.rows(system, "supervision", TABLE, agreements=[table_agreement(self.province)], limit=500)
        return sorted(row.values["name"] for row in rows)


class Switch(GatewayClient):
    """The way to the gateway, which a test can cut, or on which it can alter what comes back."""

    def __init__(self, url: str, tls: Any) -> None:
        super().__init__(url, tls)
        self.calls: list[str] = []
        self.cut_before: str = ""
        self.alter: Any = None

    def call(self, method: str, path: str, body: bytes | None = None, *, seconds: float | None = None) -> bytes:
        self.calls.append(path)
        if self.cut_before and self.cut_before in path:
            raise CallFailure(Failure.of(FailureCode.UNREACHABLE, "cut"))
        raw = super().call(method, path, body, seconds=seconds)
        return self.alter(path, raw) if self.alter else raw


@contextmanager
def walking(province: Province, database: Database, ledger: Ledger, url: str, **changes: Any) -> Iterator[Walk]:
    """Serve a police gateway that delivers its register, and pull from it."""
    config = {key: value for key, value in POLICE.items() if key != "resources"}
    config |= {"source": {"url": url}, "tables": {"deliver": [{**POLICE_TABLE, **changes}]}}
    register = Register(url)
    try:
        with _served(province, database, ledger, register, config) as walk:
            yield walk
    finally:
        register.engine.dispose()


@contextmanager
def _served(
    province: Province, database: Database, ledger: Ledger, register: Register, config: dict[str, Any]
) -> Iterator[Walk]:
    gateway = province.gateway(config)
    part = next(one for one in build_parts(gateway, {}) if isinstance(one, TablesPart))
    lots = make_lots(province, database, ledger)
    agreements = Agreements(ledger, province.trusted, province.clock)
    sealer = FieldSealer.create(province.keys.keys_folder("hub"))
    looks = Looks(database, ledger, province.clock)
    with serving(gateway_application(gateway, [part]), province.tls("police")) as address:
        switch = Switch(address, province.tls("hub").client_context())
        directory = GatewayDirectory({"police": switch}, remember_seconds=0.0)
        hub = Hub(
            database,
            ledger,
            province.signer("hub"),
            province.trusted,
            sealer,
            looks,
            directory,
            agreements,
            province.clock,
        )
        walk = Walk(
            province, register, database, lots, LotPuller(hub, lots), agreements, hub, gateway, part, switch, address
        )
        walk.agree(table_agreement(province))
        try:
            yield walk
        finally:
            part.stop()
            directory.close()
