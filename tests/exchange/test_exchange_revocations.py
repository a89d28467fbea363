"""Revocation at the gateway: at once, without the hub, and told to the hub at the next contact."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3
from exchange_province import POLICE, Province, fill_police, serving
from exchange_sharing import CONSUMER, Office

from huodang.exchange import (
    Agreement,
    Catalogue,
    Gateway,
    GatewayClient,
    GatewayDirectory,
    Refusal,
    Verdict,
    build_parts,
    gateway_application,
    revoke_envelope,
)
from huodang.exchange.sharing import GatewayPost, SharingDesk
from huodang.ledger import Ledger
from huodang.store import Database, Worker
from huodang.trust import SignedEnvelope, sign_envelope

SECONDS = 2.0


def client_of(province: Province, url: str) -> GatewayClient:
    return GatewayClient(url, province.tls("hub").client_context())


def revocation(province: Province, agreement: Agreement, holder: str) -> SignedEnvelope:
    return revoke_envelope(agreement, "用途终止", province.signer(holder), province.clock)


@pytest.fixture
def served(province: Province, police: Gateway) -> Iterator[str]:
    """The police gateway with its parts, over mutual TLS."""
    with serving(gateway_application(police, build_parts(police, {})), province.tls("police")) as url:
        yield url


def post(province: Province, url: str, path: str, body: Any) -> urllib3.BaseHTTPResponse:
    pool = urllib3.PoolManager(ssl_context=province.tls("hub").client_context())
    return pool.request("POST", url + path, body=body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize("holder", ["social_insurance", "police"])
def test_a_side_s_signed_word_ends_an_agreement_at_the_gateway_at_once(
    province: Province, police: Gateway, served: str, holder: str
) -> None:
    assert isinstance(province.ask(police, province.grant()), Verdict)
    word = revocation(province, province.agreement(), holder)
    body = {"revocations": [json.loads(word.to_json())]}
    assert post(province, served, "/v1/revocations", body).status == 200
    assert post(province, served, "/v1/revocations", body).status == 200  # the same again is no news
    answer = province.ask(police, province.grant())
    assert isinstance(answer, Refusal)
    assert answer.code == "agreement_revoked"
    told = json.loads(client_of(province, served).call("GET", "/v1/revocations"))
    assert told == {"revocations": [json.loads(word.to_json())]}


def test_nobody_else_s_word_ends_an_agreement(province: Province, police: Gateway, served: str) -> None:
    agreement = province.agreement()
    forged = json.loads(revocation(province, agreement, "police").to_json())
    forged["payload"] = json.loads(revocation(province, province.agreement(version=9), "police").to_json())["payload"]
    bodies: list[Any] = [
        {"revocations": [json.loads(revocation(province, agreement, "housing_fund").to_json())]},
        {"revocations": [json.loads(revocation(province, agreement, "hub").to_json())]},
        {"revocations": [forged]},
        {"revocations": [json.loads(province.signed(agreement).to_json())]},
        {"revocations": "all"},
        {"agreements": []},
        {"revocations": [{}] * 65},
        b"[" * 200_000,
        b"",
    ]
    for body in bodies:
        assert post(province, served, "/v1/revocations", body).status == 400
    other = revocation(province, province.agreement("justice.custody"), "justice")
    assert post(province, served, "/v1/revocations", {"revocations": [json.loads(other.to_json())]}).status == 400
    assert isinstance(province.ask(police, province.grant()), Verdict)
    assert list((province.folder("police") / "agreements").glob("*.revoked.json")) == []


def test_only_an_agreement_with_both_signatures_is_laid_on_the_shelf(
    province: Province, police: Gateway, served: str
) -> None:
    newer = province.agreement(version=2, fields=("name",))
    half = province.signed(newer, "social_insurance")
    foreign = province.signed(province.agreement("justice.custody"))
    for envelope in (half, foreign):
        body = {"agreements": [json.loads(envelope.to_json())]}
        assert post(province, served, "/v1/agreements", body).status == 400
    assert isinstance(province.ask(police, province.grant()), Verdict)
    whole = {"agreements": [json.loads(province.signed(newer).to_json())]}
    assert post(province, served, "/v1/agreements", whole).status == 200
    answer = province.ask(police, province.grant())
    assert isinstance(answer, Refusal)
    assert answer.code == "agreement_superseded"


class Hub:
    """A hub's desk with a way to the police gateway."""

    def __init__(self, province: Province, database: Database, ledger: Ledger, url: str) -> None:
        self.province, self.database = province, database
        self.office = Office.open(province, database, ledger)
        self.directory = GatewayDirectory({"police": client_of(province, url)}, remember_seconds=0.0)
        self.post = GatewayPost(database, self.directory, self.office.agreements, province.clock)
        catalogue = Catalogue(province.clock)
        self.office.sharing = SharingDesk(database, self.office.agreements, catalogue, self.office.desk, self.post)

    def work(self) -> None:
        worker = Worker(self.database, self.office.sharing.handlers(), self.province.clock)
        while worker.run_once():
            pass


@pytest.fixture
def hub(province: Province, database: Database, ledger: Ledger, served: str) -> Iterator[Hub]:
    made = Hub(province, database, ledger, served)
    yield made
    made.directory.close()


def shelved(province: Province) -> set[str]:
    return {path.name for path in (province.folder("police") / "agreements").glob("XY-d*")}


def test_what_both_have_signed_is_usable_at_once_and_the_consumers_word_reaches_the_gateway(
    hub: Hub, province: Province, police: Gateway
) -> None:
    demand = hub.office.in_use()
    assert demand.agreement is not None
    hub.work()
    number = demand.agreement.agreement_id
    assert shelved(province) == {f"{number}.v1.json"}
    grant = province.grant(
        agreement_id=number, elements=demand.agreement.elements, fields=("name",), claims={"name": "王建国"}
    )
    refused_only_for_want_of_elements = province.ask(police, grant)
    assert getattr(refused_only_for_want_of_elements, "code", "") in {"", "elements_insufficient"}
    hub.office.sharing.take_revocation(revocation(province, demand.agreement, "social_insurance"))
    assert hub.post.undelivered() == 1
    hub.work()
    assert hub.post.undelivered() == 0
    answer = province.ask(police, province.grant(agreement_id=number, elements=("name",), fields=("name",)))
    assert isinstance(answer, Refusal)
    assert answer.code == "agreement_revoked"


def test_what_a_department_ended_by_itself_is_learned_at_the_next_contact(
    hub: Hub, province: Province, police: Gateway
) -> None:
    demand = hub.office.in_use()
    assert demand.agreement is not None
    hub.work()
    path = province.folder("police") / "agreements" / f"{demand.agreement.agreement_id}.v1.revoked.json"
    path.write_text(revocation(province, demand.agreement, "police").to_json(), encoding="utf-8")
    assert hub.office.sharing.view(CONSUMER, demand.demand_id).standing.state == "in_use"
    hub.office.sharing.keep()
    view = hub.office.sharing.view(CONSUMER, demand.demand_id)
    assert (view.standing.state, view.history[-1].department) == ("revoked", "police")
    assert hub.office.sharing.collect_revocations() == 0


def test_a_gateway_that_is_away_is_told_when_it_is_back(
    province: Province, database: Database, ledger: Ledger, police: Gateway
) -> None:
    away = Hub(province, database, ledger, "https://127.0.0.1:1")
    demand = away.office.in_use()
    assert demand.agreement is not None
    province.lay(demand.agreement)
    away.office.sharing.take_revocation(revocation(province, demand.agreement, "social_insurance"))
    away.work()
    assert away.post.undelivered() == 1
    assert away.office.sharing.collect_revocations() == 0
    with serving(gateway_application(police, build_parts(police, {})), province.tls("police")) as url:
        back = Hub(province, database, ledger, url)
        province.clock.set(datetime(2025, 3, 3, 2, 0, tzinfo=UTC))
        back.work()
        assert back.post.undelivered() == 0
        back.directory.close()
    assert any(name.endswith(".revoked.json") for name in shelved(province))
    away.directory.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_steward_revokes_with_the_hub_down_and_the_next_call_is_refused_within_two_seconds(
    province: Province, tmp_path: Path
) -> None:
    """Real processes: the gateway, and the steward's command line; no hub runs at all."""
    fill_police(province.folder("police") / "police.db")
    offset = int((province.clock.now() - datetime.now(UTC)).total_seconds())
    (province.root / "clock.offset").write_text(str(offset), encoding="ascii")
    port = free_port()
    tls = {
        name: f"../../tls/{file}"
        for name, file in (("certificate", "police.crt"), ("key", "police.key"), ("authority", "authority.crt"))
    }
    config = province.write(
        POLICE | {"listen": {"host": "127.0.0.1", "port": port}, "tls": tls, "clock_offset_file": "../../clock.offset"}
    )
    province.lay(province.agreement())
    command = [sys.executable, "-m", "huodang"]
    serve = [*command, "serve", "gateway", "--config", str(config)]
    client = client_of(province, f"https://127.0.0.1:{port}")
    province.clock.set(datetime.now(UTC).fromtimestamp(time.time() + offset, tz=UTC))
    with subprocess.Popen(serve, stderr=subprocess.DEVNULL) as gateway:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    client.call("GET", "/v1/revocations")
                    break
                except Exception:  # noqa: BLE001  (not up yet)
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            assert _outcome(province, client) == "verdict"
            word = "用途终止"
            subprocess.run(
                [*command, "steward", "revoke", "XY-police-household", "--reason", word, "--config", str(config)],
                check=True,
                capture_output=True,
            )
            since = time.monotonic()
            while _outcome(province, client) != "agreement_revoked":
                assert time.monotonic() - since < SECONDS
            assert time.monotonic() - since < SECONDS
        finally:
            os.kill(gateway.pid, signal.SIGTERM)
            client.close()


def _outcome(province: Province, client: GatewayClient) -> str:
    """Present a fresh grant, signed by the hub's key beforehand as it were, and tell what came."""
    grant = province.grant()
    text = sign_envelope("grant", grant.to_payload(), province.signer("hub")).to_json()
    (raw,) = client.answers([text])
    answer = province.read(SignedEnvelope.from_json(raw))
    return answer.code if isinstance(answer, Refusal) else "verdict"
