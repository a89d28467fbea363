"""Hubs above and below for the cascade's tests: each with keys, authority, departments and processes of its own."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import urllib3
import yaml
from exchange_events import number
from exchange_province import POLICE, WANG, fill_police

from huodang.exchange import AGREEMENT, Actor, Agreement, AnswerRecord, Kind, Question
from huodang.trust import FieldSealer, Provisioner, Signer, TlsPair, TrustedKeys, cosign_envelope, sign_envelope
from huodang.web import HubSettings, Services, assemble

HOUSEHOLD = "police.household"
DEATHS = "police.death_registered"
ELEMENTS = ("name", "former_name", "sex", "birth_date", "death_date")
EVENT_FIELDS = ("identity_number", "name", "death_date")
DEATHS_SPEC: dict[str, Any] = {
    "resource": DEATHS,
    "type": "cn.huodang.death.registered",
    "table": "T_SWZX",
    "key": "BH",
    "subject": "GMSFHM",
    "only": {"ZT": "1"},
    "sweep_seconds": 1,
    "overlap_seconds": 0,
    "watch_milliseconds": 20,
    "elements": {"name": "XM", "death_date": {"column": "SWRQ", "format": "yyyymmdd"}},
}

CONFIRM = "police.household_confirm"
CONFIRM_SPEC: dict[str, Any] = {
    "resource": CONFIRM,
    "table": "T_CZRK_JBXX",
    "subject": "GMSFHM",
    "set": {"GXSJ": "{on_date:yyyymmdd}000000"},
    "insert": {
        "table": "T_YW",
        "key": "YWLSH",
        "values": {"YWLSH": "{idempotency_key}", "GMSFHM": "{identity_number}", "YWRQ": "{on_date:yyyymmdd}"},
    },
}
BORN = "police.born"
BORN_SPEC: dict[str, Any] = {
    "resource": BORN,
    "table": "T_CZRK_JBXX",
    "within": {"column": "CSRQ", "lower": "birth_from", "upper": "birth_to", "format": "yyyymmdd"},
    "elements": {"identity_number": "GMSFHM", "name": "XM", "birth_date": {"column": "CSRQ", "format": "yyyymmdd"}},
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """One hub with a police department, in a folder of its own."""

    name: str
    root: Path
    keys: Provisioner
    ports: dict[str, int] = field(default_factory=lambda: {what: free_port() for what in ("hub", "door", "police")})
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def make(cls, name: str, root: Path) -> "Site":
        keys = Provisioner(root)
        keys.init()
        for party in (name, "portal", "police", "social_insurance"):
            keys.issue(party, suites=("national", "international") if party == name else ("national",))
        FieldSealer.create(keys.keys_folder(name))
        site = cls(name, root, keys)
        site.write_gateway()
        return site

    @property
    def house(self) -> Path:
        return self.root / "departments" / "police"

    def signer(self, holder: str) -> Signer:
        return Signer.load(self.keys.keys_folder(holder), holder)

    def write_gateway(self) -> None:
        fill_police(self.house / "police.db")
        with sqlite3.connect(self.house / "police.db") as connection:
            connection.execute(
                "CREATE TABLE T_SWZX (BH TEXT PRIMARY KEY, GMSFHM TEXT, XM TEXT, SWRQ TEXT, ZT TEXT, GXSJ INTEGER)"
            )
            connection.execute("CREATE TABLE T_YW (YWLSH TEXT PRIMARY KEY, GMSFHM TEXT, YWRQ TEXT)")
        connection.close()
        tls = TlsPair.of(self.root / "tls", "police")
        settings: dict[str, Any] = POLICE | {
            "listen": {"host": "127.0.0.1", "port": self.ports["police"]},
            "tls": {"certificate": str(tls.certificate), "key": str(tls.key), "authority": str(tls.authority)},
            "events": {"publish": [DEATHS_SPEC]},
            "actions": [CONFIRM_SPEC],
            "lists": [BORN_SPEC],
        }
        (self.house / "agreements").mkdir(parents=True, exist_ok=True)
        (self.house / "gateway.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")

    def neighbour(self, other: "Site") -> dict[str, str]:
        """What a hub's administrator writes of another hub, whose key list and authority were handed over."""
        handed = self.root / "neighbours"
        handed.mkdir(exist_ok=True)
        (handed / f"{other.name}.json").write_bytes((other.root / "trust.json").read_bytes())
        (handed / f"{other.name}.crt").write_bytes((other.root / "tls" / "authority.crt").read_bytes())
        return {
            "holder": other.name,
            "url": f"https://127.0.0.1:{other.ports['door']}",
            "trust": f"../neighbours/{other.name}.json",
            "authority": f"../neighbours/{other.name}.crt",
        }

    def write_hub(self, *, upper: "Site | None" = None, lower: "tuple[Site, ...]" = (), **more: Any) -> None:
        tls = TlsPair.of(self.root / "tls", self.name)
        folder = self.root / "hub"
        folder.mkdir(exist_ok=True)
        cascade: dict[str, Any] = {"port": self.ports["door"], "refresh_seconds": 1, **more}
        if upper is not None:
            cascade["upper"] = self.neighbour(upper)
        if lower:
            cascade["lower"] = [self.neighbour(one) for one in lower]
        settings = {
            "holder": self.name,
            "province": "hebei",
            "region": "130000",
            "database": "sqlite:///hub.db",
            "keys": str(self.keys.keys_folder(self.name)),
            "secrets": str(self.keys.keys_folder(self.name)),
            "trust": "../trust.json",
            "tls": {"certificate": str(tls.certificate), "key": str(tls.key), "authority": str(tls.authority)},
            "volumes": "volumes",
            "agreements": "agreements",
            "ferry": {"inward": "ferry/in", "outward": "ferry/out", "refused": "ferry/refused"},
            "gateways": {"police": f"https://127.0.0.1:{self.ports['police']}"},
            "listen": {"port": self.ports["hub"]},
            "cascade": cascade,
        }
        for one in ("in", "out", "refused"):
            (folder / "ferry" / one).mkdir(parents=True, exist_ok=True)
        (folder / "hub.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")

    def open(self) -> Services:
        """Open the hub beside its running process, as another of its processes would."""
        return assemble(HubSettings.load(self.root / "hub" / "hub.yaml"))

    def start(self, what: str) -> None:
        """Start `hub` or `police` as a process, and wait until it answers."""
        role = "hub" if what == "hub" else "gateway"
        config = self.root / "hub" / "hub.yaml" if what == "hub" else self.house / "gateway.yaml"
        command = [sys.executable, "-c", "from huodang.cli import main; main()", "serve", role, "--exit-with-parent"]
        with (self.root / f"{what}.log").open("ab") as log:
            self.running[what] = subprocess.Popen(
                [*command, "--config", str(config)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "HUODANG_PARENT": str(os.getpid())},
            )

    def wait(self, what: str, other: "Site") -> None:
        """Wait until a process answers one who may ask it."""
        door = what == "hub"
        asker, authority = (other, self.root / "tls" / "authority.crt") if door else (self, None)
        pair = TlsPair.of(asker.root / "tls", asker.name)
        context = TlsPair(pair.certificate, pair.key, authority or pair.authority).client_context()
        deadline = time.monotonic() + 120
        with urllib3.PoolManager(ssl_context=context, retries=False) as pool:
            while True:
                assert self.running[what].poll() is None, (self.root / f"{what}.log").read_text()[-2000:]
                try:
                    pool.request("GET", f"https://127.0.0.1:{self.ports['door' if door else what]}/health", timeout=2)
                except urllib3.exceptions.HTTPError:
                    assert time.monotonic() < deadline, (self.root / f"{what}.log").read_text()[-2000:]
                    time.sleep(0.05)
                else:
                    return

    def kill(self, what: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self.running.pop(what)
        process.send_signal(how)
        process.wait(15)

    def stop(self) -> None:
        for what in list(self.running):
            self.kill(what)

    def agree_inside(self, services: Services, **changes: Any) -> Agreement:
        """Let the police agree that their hub passes a resource on; laid at the gateway and taken by the hub."""
        wanted = {"resource": HOUSEHOLD, "consumer": self.name, **changes}
        agreement = self.terms(wanted.pop("resource"), "police", wanted.pop("consumer"), **wanted)
        envelope = sign_envelope(AGREEMENT, agreement.to_payload(), self.signer("police"))
        envelope = cosign_envelope(envelope, self.signer(agreement.consumer))
        path = self.house / "agreements" / f"{agreement.agreement_id}.v{agreement.version}.json"
        path.write_text(envelope.to_json(), encoding="utf-8")
        with services.database.begin() as connection:
            services.exchange.agreements.take(connection, envelope)
        return agreement

    def terms(self, resource: str, provider: str, consumer: str, **changes: Any) -> Agreement:
        """An agreement as the cascade needs it; events if the resource is one."""
        events = resource.endswith("death_registered")
        terms: dict[str, Any] = {
            "agreement_id": f"XY-{resource.replace('.', '-')}-{consumer}",
            "provider": provider,
            "consumer": consumer,
            "resource": resource,
            "kind": Kind.EVENT if events else Kind.CHECK,
            "purposes": ("supervision",) if events else ("retirement", "supervision"),
            "legal_basis": "社会保险经办条例第八条",
            "elements": () if events else ELEMENTS,
            "fields": EVENT_FIELDS if events else ("name", "sex"),
            "valid_from": date(2025, 1, 1),
            "grant_signer": consumer if provider != "police" else self.name,
        }
        return Agreement(**{**terms, **changes})

    def died(self, serial: int) -> None:
        """Let the police register a death."""
        with sqlite3.connect(self.house / "police.db", timeout=10) as connection:
            connection.execute(
                "INSERT INTO T_SWZX VALUES (?, ?, ?, '20250301', '1', ?)",
                (f"D{serial:06d}", number(serial), f"王{serial}", serial),
            )
        connection.close()

    def trusted(self) -> TrustedKeys:
        return self.keys.trusted()


def question(site: Site, resource: str, subject: str = WANG, name: str = "王建国", **changes: Any) -> Question:
    """A question of a hub's own, as its automatic checks put it."""
    parts: dict[str, Any] = {
        "resource": resource,
        "case_id": "case-1",
        "identity_number": subject,
        "claims": {"name": name},
        "parameters": {},
        "purpose": "retirement",
        "actor": Actor("system", "系统", "system", site.name, "130000"),
    }
    return Question(**{**parts, **changes})


def connect(provider: Site, providing: Services, asker: Site, asking: Services, resource: str, **changes: Any) -> str:
    """Publish, subscribe, propose and sign: give the name under which the asker knows the resource."""
    assert providing.cascade is not None
    assert asking.cascade is not None
    name = providing.cascade.publish(resource, by="steward").resource
    asking.cascade.subscribe(provider.name, [name])
    agreement = asker.terms(name, provider.name, asker.name, **changes)
    asking.cascade.compacts.propose(agreement)
    providing.cascade.compacts.sign(agreement.agreement_id, agreement.version)
    return name


def ask(services: Services, *questions: Question) -> list[AnswerRecord]:
    assert services.cascade is not None
    return services.cascade.call(questions)


@contextmanager
def opened(*sites: Site) -> Iterator[list[Services]]:
    services = [site.open() for site in sites]
    try:
        yield services
    finally:
        for one in services:
            one.close()


def wait_until(holds: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
