"""Lays out a whole deployment on one machine: keys, certificates, agreements, databases, settings, free ports.

The folders are those of docs/architecture.md. Nothing here is special to a demonstration but the made-up data and the
clock: an administrator lays out a real deployment with `huodang keys` and the same files.
"""

import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import yaml

from huodang.exchange import AGREEMENT, Agreement, Kind
from huodang.simulation.data_files import data_mapping, data_text
from huodang.simulation.departments import DEPARTMENTS, Department
from huodang.simulation.people import Population
from huodang.simulation.root import DemoError
from huodang.trust import Provisioner, Signer, cosign_envelope, sign_envelope

CONSUMER = "social_insurance"
_LOOPBACK = "127.0.0.1"


class PortInUseError(DemoError):
    """Another program listens on the port asked for."""

    code: ClassVar[str] = "demo.port"


@dataclass(frozen=True)
class World:
    """Where everything of one deployment stands."""

    root: Path
    ports: Mapping[str, int]
    nodes: tuple[str, ...] = ("hub",)
    workers: tuple[str, ...] = ()

    @property
    def process_names(self) -> tuple[str, ...]:
        """The processes, gateways first: the hub asks them as soon as it is up."""
        return (*DEPARTMENTS, *self.nodes, *self.workers, "portal")

    def role(self, name: str) -> str:
        """What a process serves: `hub`, `worker`, `portal` or `gateway`."""
        if name in self.nodes:
            return "hub"
        if name in self.workers:
            return "worker"
        return "portal" if name == "portal" else "gateway"

    @property
    def tls(self) -> Path:
        """The folder of certificates."""
        return self.root / "tls"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.root / "logs"

    @property
    def clock_file(self) -> Path:
        """The offset that moves all processes to another day."""
        return self.root / "clock.offset"

    @property
    def agreements(self) -> Path:
        """All agreements, as the hub knows them."""
        return self.root / "hub" / "agreements"

    def folder(self, name: str) -> Path:
        """The folder of hub, portal or a department."""
        match self.role(name):
            case "gateway":
                return self.root / "departments" / name
            case "portal":
                return self.root / "portal"
            case _:  # nodes and workers share one folder: keys, secrets, volumes
                return self.root / "hub"

    def settings_file(self, name: str) -> Path:
        """The YAML file of hub, portal or a department's gateway."""
        role = self.role(name)
        return self.folder(name) / f"{'hub' if role == 'worker' else role}.yaml"

    def address(self, name: str) -> str:
        """The address on loopback: HTTPS with certificates on both sides for a gateway, plain for hub and portal."""
        scheme = "https" if self.role(name) == "gateway" else "http"
        return f"{scheme}://{_LOOPBACK}:{self.ports[name]}"

    def source_url(self, department: str) -> str:
        """The URL of a department's own database."""
        return f"sqlite:///{self.folder(department) / f'{department}.db'}"


def lay_out(
    root: Path,
    population: Population,
    *,
    hub_port: int = 0,
    hub_database: str = "sqlite:///hub.db",
    nodes: int = 1,
    workers: int = 0,
    source_urls: Mapping[str, str] | None = None,
    lines: Mapping[str, int] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> World:
    """Make the deployment.

    Args:
        root: an empty folder.
        population: the people; their data are laid into the departments' databases.
        hub_port: the workbench's port; 0 takes a free one. The portal takes the next one, if it is free.
        hub_database: where the hub keeps what it knows; several nodes need PostgreSQL.
        nodes: processes with pages and API; with workers, background work is theirs alone.
        workers: processes for background work.
        source_urls: departments whose database stands elsewhere (MariaDB, PostgreSQL), by code.
        lines: departments that the hub reaches by another port, through a `Line`.
        progress: told the name of each part that is done.

    Raises:
        PortInUseError: the port asked for is taken.
    """
    node_names = ("hub", *(f"hub-{number}" for number in range(2, nodes + 1)))
    worker_names = tuple(f"worker-{number}" for number in range(1, workers + 1))
    world = World(root, _ports(hub_port, node_names[1:]), node_names, worker_names)
    keys = Provisioner(root)
    keys.init()
    for name in ("hub", "portal", *DEPARTMENTS):
        world.folder(name).mkdir(parents=True, exist_ok=True)
        keys.issue(name)
    for folder in ("logs", "ferry/inward", "ferry/outward", "ferry/refused", "hub/volumes"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    progress("keys")
    _sign_agreements(world, keys, population.today)
    progress("agreements")
    for department in DEPARTMENTS.values():
        url = (source_urls or {}).get(department.code, world.source_url(department.code))
        if department.write_files is not None:
            department.write_files(population, world.folder(department.code) / "files")
        else:
            department.fill(population, url)
        _write_gateway(world, department, url)
        progress(department.code)
    _write_hub(world, hub_database, lines or {})
    _write_portal(world)
    return world


def require_free(port: int) -> None:
    """See that a port may be used, before anything of an earlier run is removed for it.

    Raises:
        PortInUseError: another program listens on it.
    """
    with socket.socket() as probe:
        _bind(probe, port)


def _bind(taken: socket.socket, port: int) -> int:
    """Bind as the servers will: a port that only lingers after a program's end is free."""
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((_LOOPBACK, port))
    except OSError as error:
        raise PortInUseError(
            f"端口 {port} 已被占用",
            f"Port {port} is in use",
            advice_chinese="请用 --port 换一个,或 --port 0 自动选取。",
            advice_english="Choose another with --port, or --port 0 for any.",
        ) from error
    return int(taken.getsockname()[1])


def _ports(hub_port: int, more: Sequence[str]) -> dict[str, int]:
    """Take free ports; all are held until all are known, so that none is given out twice."""
    with contextlib.ExitStack() as held:

        def take(wanted: int) -> int:
            return _bind(held.enter_context(socket.socket()), wanted)

        ports = {"hub": take(hub_port)}
        try:
            ports["portal"] = take(hub_port + 1 if hub_port else 0)
        except PortInUseError:
            ports["portal"] = take(0)
        return ports | {name: take(0) for name in (*DEPARTMENTS, *more)}


def _sign_agreements(world: World, keys: Provisioner, today: date) -> None:
    consumer = Signer.load(keys.keys_folder(CONSUMER), CONSUMER)
    world.agreements.mkdir(parents=True, exist_ok=True)
    for resource, terms in data_mapping("agreements.yaml").items():
        provider = resource.partition(".")[0]
        agreement = Agreement(
            agreement_id=f"XY-{resource.replace('.', '-')}",
            provider=provider,
            consumer=CONSUMER,
            resource=resource,
            kind=Kind(terms["kind"]),
            purposes=tuple(terms["purposes"]),
            legal_basis=terms["legal_basis"],
            elements=tuple(terms["elements"]),
            fields=tuple(terms["fields"]),
            valid_from=date(today.year, 1, 1),
        )
        envelope = sign_envelope(AGREEMENT, agreement.to_payload(), Signer.load(keys.keys_folder(provider), provider))
        if provider != CONSUMER:
            envelope = cosign_envelope(envelope, consumer)
        for folder in (world.folder(provider) / "agreements", world.agreements):
            folder.mkdir(exist_ok=True)
            (folder / f"{resource}.json").write_text(envelope.to_json(), encoding="utf-8")


def _write_gateway(world: World, department: Department, url: str) -> None:
    folder = world.folder(department.code)
    if department.write_files is not None:
        source: dict[str, Any] = {"files": {"folder": "files/", "encoding": "gb18030"}}
    else:
        source = {"url": url}
    head = {
        "department": department.code,
        "name": {"chinese": department.chinese, "english": department.english},
        "database": "gateway.db",
        "keys": "keys/",
        "trust": "../../trust.json",
        "agreements": "agreements/",
        "tls": {
            "certificate": f"../../tls/{department.code}.crt",
            "key": f"../../tls/{department.code}.key",
            "authority": "../../tls/authority.crt",
        },
        "listen": {"host": _LOOPBACK, "port": world.ports[department.code]},
        "clock_offset_file": "../../clock.offset",
        "source": source,
    }
    resources = data_text("gateways", f"{department.code}.yaml")
    text = f"{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}\n{resources}"
    (folder / "gateway.yaml").write_text(text, encoding="utf-8")


_FERRY = {"inward": "../ferry/inward", "outward": "../ferry/outward", "refused": "../ferry/refused"}


def _write_hub(world: World, database: str, lines: Mapping[str, int]) -> None:
    settings = {
        "holder": "hub",
        "province": "hebei",
        "region": "130000",
        "database": database,
        "keys": "keys",
        "trust": "../trust.json",
        "tls": {"authority": "../tls/authority.crt", "certificate": "../tls/hub.crt", "key": "../tls/hub.key"},
        "volumes": "volumes",
        "secrets": "keys",
        "ferry": _FERRY,
        "gateways": {code: f"https://{_LOOPBACK}:{lines.get(code, world.ports[code])}" for code in DEPARTMENTS},
        "listen": {"host": _LOOPBACK, "port": world.ports["hub"]},
        # Programs stand in for a whole agency with an account a role: no limit on what one asks in a minute.
        "sessions": {"requests_per_minute": 0},
        "worker_threads": 1,  # SQLite takes one writer at a time: a second thread would wait and burn CPU time
        "clock_offset_file": "../clock.offset",
    }
    _write_yaml(world.settings_file("hub"), settings)


def _write_portal(world: World) -> None:
    settings = {
        "holder": "portal",
        "keys": "keys",
        "trust": "../trust.json",
        "ferry": _FERRY,
        "listen": {"host": _LOOPBACK, "port": world.ports["portal"]},
        "clock_offset_file": "../clock.offset",
    }
    _write_yaml(world.settings_file("portal"), settings)


def _write_yaml(file: Path, settings: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")
