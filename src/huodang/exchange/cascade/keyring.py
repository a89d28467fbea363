"""The keys that neighbours attest: fetched over mutual TLS, signed by the neighbour, kept, and passed on."""

import threading
import time
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from huodang.exchange.cascade import records
from huodang.exchange.cascade.values import HUB_KEYS, Domains, HubKeys, attest, read_domains
from huodang.exchange.client import CallFailure, GatewayClient
from huodang.standards import HuodangError
from huodang.store import Clock, Database
from huodang.trust import PublicKey, SignedEnvelope, Signer, TrustedKeys, open_envelope, sign_envelope

KEYS_PATH: Final = "/v1/hub/keys"
_SECONDS: Final = 5.0


class Keyring:
    """Who answers through which neighbour, and by which keys.

    Args:
        database: the hub's.
        signer: the hub's key.
        own: public keys of all who answer this hub: its departments, and the neighbours.
        neighbours: public keys of the neighbouring hubs.
        clock: the time.
        stale_seconds: how long an attestation is used without asking again; bounds how long a key counts that the
            neighbour has revoked.
    """

    def __init__(
        self,
        database: Database,
        signer: Signer,
        own: TrustedKeys,
        neighbours: TrustedKeys,
        clock: Clock,
        *,
        stale_seconds: float = 30.0,
    ) -> None:
        self._database = database
        self._signer = signer
        self._own = own
        self._neighbours = neighbours
        self._clock = clock
        self._stale = stale_seconds
        self._told: dict[str, tuple[float, Domains]] = {}
        self._lock = threading.Lock()

    @property
    def neighbours(self) -> TrustedKeys:
        """Give the keys of the neighbouring hubs."""
        return self._neighbours

    def attest(self) -> SignedEnvelope:
        """Say by which keys those answer who are asked through this hub."""
        hub = self._signer.holder
        answering = [key for key in self._own if key.holder not in {hub, "portal"}]
        domains: dict[str, list[PublicKey]] = {hub: answering}
        for told in self.known().values():
            for name, keys in told.items():
                domains.setdefault(name, list(keys))
        return sign_envelope(HUB_KEYS, attest(hub, domains, self._clock.now()).to_payload(), self._signer)

    def domains(self, neighbour: str, client: GatewayClient, *, anew: bool = False) -> Domains:
        """Give what a neighbour attests, from half a minute ago at most.

        Raises:
            CallFailure: it can't be asked.
            HuodangError: what it said isn't signed by it, or is no list of keys.
        """
        with self._lock:
            told = self._told.get(neighbour)
        if told is not None and not anew and time.monotonic() - told[0] < self._stale:
            return told[1]
        return self.take(neighbour, client.call("GET", KEYS_PATH, seconds=_SECONDS))

    def take(self, neighbour: str, raw: bytes) -> Domains:
        """Take an attestation of a neighbour.

        Raises:
            EnvelopeError: the neighbour didn't sign it.
            MessageError: it is misshapen.
            UnusableKeyError: one of its keys is none.
        """
        envelope = SignedEnvelope.from_json(raw)
        found = self._read(neighbour, envelope)
        now = self._clock.now()
        table = records.attestation
        with self._database.begin() as connection:
            changed = connection.execute(
                sa.update(table)
                .where(table.c.neighbour == neighbour)
                .values(envelope=envelope.to_json(), received_at=now)
            )
            if changed.rowcount == 0:
                connection.execute(
                    sa.insert(table).values(neighbour=neighbour, envelope=envelope.to_json(), received_at=now)
                )
        with self._lock:
            self._told[neighbour] = (time.monotonic(), found)
        return found

    def known(self) -> Mapping[str, Domains]:
        """Give what neighbours attested last; also of one that is away."""
        table = records.attestation
        with self._database.read() as connection:
            rows = connection.execute(sa.select(table.c.neighbour, table.c.envelope)).all()
        found = {}
        for row in rows:
            try:
                found[row.neighbour] = self._read(row.neighbour, SignedEnvelope.from_json(row.envelope))
            except HuodangError:
                continue  # its key has ended since: what it attested counts no longer
        return found

    def attestation(self, neighbour: str) -> str:
        """Give a neighbour's last attestation as it signed it; empty if there is none."""
        table = records.attestation
        with self._database.read() as connection:
            return connection.execute(sa.select(table.c.envelope).where(table.c.neighbour == neighbour)).scalar() or ""

    def refresh(self, clients: Mapping[str, GatewayClient]) -> dict[str, str]:
        """Ask every neighbour anew; give by neighbour the code of what went wrong."""
        failed = {}
        for name, client in clients.items():
            try:
                self.domains(name, client, anew=True)
            except CallFailure as problem:
                failed[name] = problem.failure.code.value
            except HuodangError as problem:
                failed[name] = problem.code
        return failed

    def _read(self, neighbour: str, envelope: SignedEnvelope) -> Domains:
        payload = open_envelope(envelope, HUB_KEYS, self._neighbours, signer=neighbour, at=self._clock.now())
        attested = HubKeys.from_payload(payload)
        found = read_domains(attested) if attested.hub == neighbour else {}
        # Nobody speaks for this hub but itself.
        found.pop(self._signer.holder, None)
        return found
