"""A small province for the exchange's tests: real keys, real certificates, real databases, gateways over real HTTP."""

import csv
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import uvicorn
import yaml

from huodang.exchange import (
    AGREEMENT,
    GRANT,
    Actor,
    Agreement,
    Exchange,
    Gateway,
    Grant,
    Kind,
    Refusal,
    Verdict,
    read_gateway_file,
)
from huodang.store import FixedClock
from huodang.trust import (
    Provisioner,
    SignedEnvelope,
    Signer,
    TlsPair,
    TrustedKeys,
    cosign_envelope,
    open_envelope,
    sign_envelope,
)

PARTIES = ("hub", "portal", "police", "justice", "housing_fund", "social_insurance")


def identity(first_seventeen: str) -> str:
    """Complete a made-up number with its check character (GB 11643)."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return first_seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(first_seventeen, weights, strict=True)) % 11]


WANG = identity("13010219650301001")
LI = identity("13010219700515229")  # ends in X
ZHAO_OLD_CARD = identity("13010219580707333")
STRANGER = identity("13010219611111555")

POLICE_ROWS = [
    # GMSFHM, XM, CYM, XB, CSRQ, SWRQ, GXSJ
    (WANG, "王建国", "", "1", "19650301", "00000000", "20250301080000"),
    (LI.lower(), "李红梅", "李梅", "2", "19700515", "", "20250228120000"),
    (ZHAO_OLD_CARD[:6] + ZHAO_OLD_CARD[8:17], "赵铁柱", None, "1", "19580707", "20240202", "20240203000000"),
]

POLICE = {
    "department": "police",
    "name": {"chinese": "公安厅", "english": "Public Security"},
    "database": "gateway.db",
    "keys": "keys",
    "trust": "../../trust.json",
    "agreements": "agreements",
    "listen": {"host": "127.0.0.1", "port": 0},
    "source": {"url": "sqlite:///police.db"},
    "resources": [
        {
            "resource": "police.household",
            "table": "T_CZRK_JBXX",
            "subject": "GMSFHM",
            "as_of": {"column": "GXSJ", "format": "yyyymmddhhmmss"},
            "elements": {
                "name": "XM",
                "former_name": "CYM",
                "sex": {"column": "XB", "crosswalk": {"1": "1", "2": "2"}},
                "birth_date": {"column": "CSRQ", "format": "yyyymmdd"},
                "death_date": {"column": "SWRQ", "format": "yyyymmdd", "absent_values": ["00000000"]},
            },
            "required": ["name", "birth_date"],
            "required_claims": ["name"],
            "no_row": {"outcome": "unknown", "reason": "not_registered"},
            "outcomes": [
                {"outcome": "hit", "reason": "death_registered", "when": {"death_date": "present"}},
                {
                    "outcome": "conflict",
                    "reason": "renamed",
                    "when": {"name": "differs_from_claim", "former_name": {"equals_claim": "name"}},
                },
                {"outcome": "conflict", "reason": "name_differs", "when": {"name": "differs_from_claim"}},
                {"outcome": "conflict", "reason": "birth_date_differs", "when": {"birth_date": "differs_from_claim"}},
            ],
            "otherwise": {"outcome": "clear", "reason": "matches"},
        },
    ],
}

JUSTICE = {
    "department": "justice",
    "name": {"chinese": "司法厅", "english": "Justice"},
    "database": "gateway.db",
    "keys": "keys",
    "trust": "../../trust.json",
    "agreements": "agreements",
    "listen": {"host": "127.0.0.1", "port": 0},
    "source": {"files": {"folder": "files", "encoding": "gb18030"}},
    "resources": [
        {
            "resource": "justice.custody",
            "file": "custody_*.csv",
            "subject": "证件号码",
            "as_of": {"file_time": True},
            "elements": {
                "name": "姓名",
                "custody_from": {"column": "起始日期", "format": "yyyymmdd"},
                "custody_to": {"column": "截止日期", "format": "yyyymmdd", "absent_values": ["99991231"]},
            },
            "no_row": {"outcome": "clear", "reason": "not_in_custody"},
            "outcomes": [
                {
                    "outcome": "hit",
                    "reason": "in_custody",
                    "when": {
                        "custody_from": {"on_or_before": {"parameter": "on_date"}},
                        "any": [
                            {"custody_to": "absent"},
                            {"custody_to": {"on_or_after": {"parameter": "on_date"}}},
                        ],
                    },
                },
            ],
            "otherwise": {"outcome": "clear", "reason": "custody_over"},
        },
    ],
}

HOUSING_FUND = {
    "department": "housing_fund",
    "name": {"chinese": "住房公积金中心", "english": "Housing Fund"},
    "database": "gateway.db",
    "keys": "keys",
    "trust": "../../trust.json",
    "agreements": "agreements",
    "listen": {"host": "127.0.0.1", "port": 0},
    "source": {"url": "sqlite:///housing_fund.db"},
    "actions": [
        {
            "resource": "housing_fund.seal",
            "table": "GR_ZHXX",
            "subject": "ZJHM",
            "require": {"GRZHZT": ["01", "02"]},
            "set": {"GRZHZT": "03", "FCRQ": "{on_date:yyyymmdd}"},
            "insert": {
                "table": "YW_LS",
                "key": "YWLSH",
                "values": {
                    "YWLSH": "{idempotency_key}",
                    "ZJHM": "{identity_number}",
                    "GRZH": "{row.GRZH}",
                    "YWRQ": "{on_date:yyyymmdd}",
                    "JE": "{row.GRZHYE}",
                },
            },
            "fields": {"account_balance": {"column": "JE", "unit": "yuan"}, "account_number": "GRZH"},
        },
    ],
}


def fill_police(path: Path) -> None:
    """Make the population register as such systems have it."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE T_CZRK_JBXX (GMSFHM TEXT, XM TEXT, CYM TEXT, XB TEXT, CSRQ TEXT, SWRQ TEXT, GXSJ TEXT)"
        )
        connection.executemany("INSERT INTO T_CZRK_JBXX VALUES (?, ?, ?, ?, ?, ?, ?)", POLICE_ROWS)
    connection.close()


def fill_housing_fund(path: Path) -> None:
    """Make accounts in the style of JGJ/T 320."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE GR_ZHXX (GRZH TEXT PRIMARY KEY, ZJHM TEXT, GRZHZT TEXT, GRZHYE NUMERIC, FCRQ TEXT)"
        )
        connection.execute("CREATE TABLE YW_LS (YWLSH TEXT PRIMARY KEY, ZJHM TEXT, GRZH TEXT, YWRQ TEXT, JE NUMERIC)")
        connection.executemany(
            "INSERT INTO GR_ZHXX VALUES (?, ?, ?, ?, NULL)",
            [
                ("GJJ001", WANG, "01", 123456.7),
                ("GJJ002", LI, "03", 0),
                ("GJJ003", STRANGER, "01", 1),
                ("GJJ004", STRANGER, "02", 2),
            ],
        )
    connection.close()


def write_custody(folder: Path, rows: list[list[str]], name: str = "custody_202503.csv") -> None:
    """Lay down a delivery of the justice department, in GB 18030."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([["证件号码", "姓名", "起始日期", "截止日期"], *rows])


@dataclass
class Province:
    """Keys, certificates and folders of a deployment, and a clock that stands."""

    root: Path
    clock: FixedClock
    keys: Provisioner
    opened: list[Gateway] = field(default_factory=list)

    def folder(self, department: str) -> Path:
        return self.root / "departments" / department

    def signer(self, holder: str, suite: str = "national") -> Signer:
        return Signer.load(self.keys.keys_folder(holder), holder, suite)

    @property
    def trusted(self) -> TrustedKeys:
        return self.keys.trusted()

    def tls(self, name: str) -> TlsPair:
        return TlsPair.of(self.root / "tls", name)

    def agreement(self, resource: str = "police.household", **changes: Any) -> Agreement:
        """An agreement as the joint case needs it."""
        provider = resource.partition(".")[0]
        elements: dict[str, tuple[str, ...]] = {
            "police": ("name", "former_name", "sex", "birth_date", "death_date"),
            "justice": ("name", "custody_from", "custody_to"),
            "housing_fund": ("account_number", "account_status", "account_balance"),
        }
        terms: dict[str, Any] = {
            "agreement_id": f"XY-{resource.replace('.', '-')}",
            "provider": provider,
            "consumer": "social_insurance",
            "resource": resource,
            "kind": Kind.ACTION if resource == "housing_fund.seal" else Kind.CHECK,
            "purposes": ("retirement", "retirement_prefill"),
            "legal_basis": "社会保险经办条例第八条",
            "elements": elements[provider],
            "fields": {"police": ("name", "sex"), "justice": (), "housing_fund": ("account_balance",)}[provider],
            "valid_from": date(2025, 1, 1),
        }
        return Agreement(**{**terms, **changes})

    def signed(self, agreement: Agreement, *holders: str) -> SignedEnvelope:
        """Sign an agreement, by both sides unless told otherwise."""
        first, *others = holders or (agreement.consumer, agreement.provider)
        envelope = sign_envelope(AGREEMENT, agreement.to_payload(), self.signer(first))
        for holder in others:
            envelope = cosign_envelope(envelope, self.signer(holder))
        return envelope

    def lay(self, agreement: Agreement, *holders: str) -> Path:
        """Sign an agreement and lay it into its gateway's folder."""
        folder = self.folder(agreement.provider) / "agreements"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{agreement.agreement_id}.v{agreement.version}.json"
        path.write_text(self.signed(agreement, *holders).to_json(), encoding="utf-8")
        return path

    def write(self, config: dict[str, Any]) -> Path:
        """Write a gateway's file."""
        path = self.folder(config["department"]) / "gateway.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path

    def gateway(self, config: dict[str, Any]) -> Gateway:
        """Open a gateway from its settings; its clock is the province's."""
        gateway = Gateway.open(read_gateway_file(self.write(config)), environment={}, clock=self.clock)
        self.opened.append(gateway)
        return gateway

    def grant(self, resource: str = "police.household", subject: str = WANG, **changes: Any) -> Grant:
        """A grant as the hub would make it."""
        agreement = self.agreement(resource)
        now = self.clock.now()
        self._grants = getattr(self, "_grants", 0) + 1
        claims = {"police": {"name": "王建国", "birth_date": "1965-03-01"}}.get(agreement.provider, {})
        parameters = {
            "justice": {"on_date": "2025-03-03"},
            "housing_fund": {"on_date": "2025-03-03", "idempotency_key": "case1-seal"},
        }
        terms: dict[str, Any] = {
            "grant_id": f"g-{self._grants}",
            "kind": agreement.kind,
            "resource": resource,
            "agreement_id": agreement.agreement_id,
            "agreement_version": 1,
            "provider": agreement.provider,
            "consumer": agreement.consumer,
            "purpose": "retirement",
            "legal_basis": agreement.legal_basis,
            "case_id": "case-1",
            "subject": subject,
            "claims": claims,
            "parameters": parameters.get(agreement.provider, {}),
            "elements": agreement.elements,
            "fields": agreement.fields,
            "issued_at": now,
            "expires_at": now + timedelta(minutes=5),
            "nonce": f"{self._grants:032x}",
        }
        return Grant(**{**terms, **changes})

    def sign(self, grant: Grant, holder: str = "hub") -> str:
        return sign_envelope(GRANT, grant.to_payload(), self.signer(holder)).to_json()

    def read(self, envelope: SignedEnvelope, provider: str = "police") -> Verdict | Refusal:
        """Open what a gateway answered, checking its signature."""
        payload = open_envelope(envelope, envelope.kind, self.trusted, signer=provider)
        return Verdict.from_payload(payload) if envelope.kind == "verdict" else Refusal.from_payload(payload)

    def ask(self, gateway: Gateway, grant: Grant) -> Verdict | Refusal:
        """Send one grant and open the answer."""
        return self.read(gateway.answer([self.sign(grant)])[0], grant.provider)


@contextmanager
def serving(application: Any, tls: TlsPair | None = None) -> Iterator[str]:
    """Serve an application on a free loopback port, with mutual TLS if a pair is given; give its address."""
    options: dict[str, Any] = {}
    if tls is not None:
        options = {
            "ssl_certfile": str(tls.certificate),
            "ssl_keyfile": str(tls.key),
            "ssl_ca_certs": str(tls.authority),
            "ssl_cert_reqs": 2,
        }
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off", **options)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


SYSTEM = Actor("system", "系统", "system", "social_insurance", "130000")

HubMaker = Callable[..., Exchange]
