"""A whole deployment of few people in one process: real rooms, six real gateways on loopback, hub and portal on top."""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from litestar import Litestar

from huodang.exchange import Gateway, build_parts, gateway_application, read_gateway_file
from huodang.simulation import DEPARTMENTS, BusinessClock, Person, Population, World, form_of, lay_out, make_population
from huodang.store import jobs
from huodang.web import (
    HubSettings,
    NewAccount,
    PortalSettings,
    Services,
    assemble,
    build_hub,
    build_portal,
    hub_desk,
    install_accounts,
    issue_access_code,
    portal_line,
)
from huodang.web.processes import Loop

TODAY = date(2025, 9, 15)
A_MOMENT = timedelta(seconds=20)
PASSWORD = "Blue-Kettle-27"
STAFF = {
    "window1": "window_clerk",
    "window2": "window_clerk",
    "reviewer1": "reviewer",
    "archivist1": "archivist",
    "investigator1": "investigator",
    "auditor1": "auditor",
    "leader1": "leader",
    "system1": "system_administrator",
    "security1": "security_administrator",
    "audit1": "audit_administrator",
}
KEEPERS = {
    "steward1": ("steward", "social_insurance"),
    "police1": ("steward", "police"),
    "health1": ("steward", "health"),
    "corrector1": ("corrector", "social_insurance"),
    "corrector2": ("corrector", "police"),
}
TOKEN = re.compile(r'name="_csrf_token" value="([^"]+)"')
CASE_LINK = re.compile(r'href="/cases/(TX-[^"/]+)"')


@dataclass
class Deployment:
    """Everything a test may want of one deployment."""

    world: World
    population: Population
    services: Services
    hub: Litestar
    hub_address: str
    portal_address: str
    desk_open: threading.Event
    ordinary: Iterator[Person] = field(init=False)

    def __post_init__(self) -> None:
        self.ordinary = iter(
            [
                one
                for one in self.population.due
                if not one.quirks
                and one.statement is None
                and one.employer is not None
                and one.route.value == "normal"
                and not one.career.deemed  # whose years are deemed waits for the end of a public notice
            ]
        )

    def person(self) -> Person:
        """Somebody due, with nothing unusual, whom no other test has taken."""
        return next(self.ordinary)

    def settle(self) -> None:
        """Let the workers do all that is due now or in a moment (a question asked again); sequence the ledger."""
        services = self.services
        while True:
            while services.worker.run_once():
                pass
            with services.database.read() as connection:
                due = jobs.next_due(connection)
            if due is None or due - services.clock.now() > A_MOMENT:
                break
            time.sleep(0.05)
        services.ledger.seal_batch()

    @contextlib.contextmanager
    def slow_desk(self, seconds: float) -> Iterator[None]:
        """Let the hub's ferry desk rest for a while."""
        self.desk_open.clear()
        threading.Timer(seconds, self.desk_open.set).start()
        try:
            yield
        finally:
            self.desk_open.set()

    def access_code(self, person: Person) -> str:
        """A citizen's access code."""
        return issue_access_code(self.services.settings, person.number)


class Browser:
    """A member of staff or a citizen at pages, without JavaScript."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.text = ""
        self.status = 0

    def open(self, path: str) -> "Browser":
        """Open a page."""
        answer = self.client.get(path)
        self.text, self.status = answer.text, answer.status_code
        self.path = answer.url.path
        return self

    def send(self, path: str, **fields: str) -> "Browser":
        """Send a form with the token of the page shown."""
        found = TOKEN.search(self.text)
        answer = self.client.post(path, data={"_csrf_token": found[1] if found else "", **fields})
        self.text, self.status = answer.text, answer.status_code
        self.path = answer.url.path
        return self

    def sign_in(self, user: str, password: str = PASSWORD) -> "Browser":
        """Sign in at the workbench."""
        return self.open("/sign-in").send("/sign-in", user=user, password=password)

    def through_wait(self) -> "Browser":
        """Follow the page that waits until the answer is there."""
        for _ in range(100):
            if not self.path.startswith("/wait/"):
                return self
            time.sleep(0.05)
            self.open(self.path)
        message = "no answer came over the ferry"
        raise AssertionError(message)


class Program:
    """A program at the API, with the bearer token of one account."""

    def __init__(self, client: httpx.Client, user: str) -> None:
        self.client = client
        answer = client.post("/api/v1/sign-in", json={"user": user, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.headers = {"authorization": f"Bearer {answer.json()['token']}"}

    def get(self, path: str) -> Any:
        """Ask for something that must be there."""
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object, status: int = 200) -> Any:
        """Send something that must have this status."""
        answer = self.client.post(path, json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()


def deploy(root: Path) -> Iterator[Deployment]:
    """Lay out a deployment, run its gateways, and put hub and portal together."""
    population = make_population(seed=7, count=900, today=TODAY)
    world = lay_out(root, population)
    BusinessClock(world.clock_file, TODAY)
    settings = HubSettings.load(world.settings_file("hub"))
    # All tests sign in from one address.
    settings = replace(settings, sessions=replace(settings.sessions, sign_in_per_minute=10_000))
    install_accounts(
        settings,
        [
            NewAccount(user, PASSWORD, f"{user} 的姓名", role, "social_insurance", "130000")
            for user, role in STAFF.items()
        ]
        + [
            NewAccount(user, PASSWORD, f"{user} 的姓名", role, department, "130000")
            for user, (role, department) in KEEPERS.items()
        ],
    )
    with contextlib.ExitStack() as stack:
        for department in DEPARTMENTS:
            stack.enter_context(_gateway(world, department))
        services = assemble(settings)
        stack.callback(services.close)
        line = portal_line(PortalSettings.load(world.settings_file("portal")))
        desk, desk_open = hub_desk(services), threading.Event()
        desk_open.set()
        stack.enter_context(Loop("desk", lambda: desk_open.is_set() and desk.work(), 0.02))
        stack.enter_context(Loop("line", line.take_answers, 0.02))
        portal = build_portal(PortalSettings.load(world.settings_file("portal")), line)
        hub = build_hub(services)
        addresses = [stack.enter_context(serve_in_thread(application)) for application in (hub, portal)]
        yield Deployment(world, population, services, hub, *addresses, desk_open)


@contextlib.contextmanager
def _gateway(world: World, department: str) -> Iterator[None]:
    """One department's gateway behind mutual TLS, in a thread."""
    file = read_gateway_file(world.settings_file(department))
    gateway = Gateway.open(file)
    tls = file.spec.tls
    assert tls is not None
    config = uvicorn.Config(
        gateway_application(gateway, build_parts(gateway, {})),
        host="127.0.0.1",
        port=world.ports[department],
        log_config=None,
        ws="none",
        ssl_certfile=str(file.beside(tls.certificate)),
        ssl_keyfile=str(file.beside(tls.key)),
        ssl_ca_certs=str(file.beside(tls.authority)),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
        gateway.close()


@contextlib.contextmanager
def serve_in_thread(application: Litestar) -> Iterator[str]:
    """Serve an application on a free port of loopback; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            application, host="127.0.0.1", port=port, log_config=None, ws="none", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def application_of(person: Person) -> dict[str, Any]:
    """The whole form of a person, as programs send it."""
    return form_of(person)


def typed_form(person: Person) -> dict[str, str]:
    """The same form as a browser sends it."""
    values = {name: str(value) for name, value in form_of(person).items() if value not in {"", None, False}}
    return {**values, "declaration": "yes"} | ({"one_child": "yes"} if person.one_child else {})
