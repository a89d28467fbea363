"""What hub and gateways tell each other of agreements: signed agreements down, revocations both ways.

Each is a job until the gateway has it, so that a gateway that is away learns of it when it is back.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements, AgreementState
from huodang.exchange.client import CallFailure, GatewayDirectory
from huodang.exchange.sharing import records
from huodang.exchange.sharing.demand_steps import DELIVER
from huodang.exchange.values import Revocation
from huodang.store import Clock, Database, Handler, Job, LeaseLost, jobs
from huodang.trust import SignedEnvelope

REVOCATIONS: Final = "/v1/revocations"
AGREEMENTS: Final = "/v1/agreements"
_GLANCE_SECONDS: Final = 5.0


class _Revocations(msgspec.Struct):
    revocations: list[msgspec.Raw]


class GatewayPost:
    """Carries signed agreements and revocations to the gateways, and fetches the revocations made there.

    Args:
        database: the hub's.
        directory: the gateways.
        agreements: the hub's agreements.
        clock: the time.
    """

    def __init__(self, database: Database, directory: GatewayDirectory, agreements: Agreements, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._agreements = agreements
        self._clock = clock

    def keep(self, connection: Connection, revocation: Revocation, envelope: SignedEnvelope, provider: str) -> None:
        """Keep a revocation; one that the provider didn't make itself is carried to its gateway."""
        table, now = records.revocation, self._clock.now()
        key = (
            table.c.agreement_id == revocation.agreement_id,
            table.c.version == revocation.version,
            table.c.signer == envelope.signer,
        )
        if connection.execute(sa.select(table.c.taken_at).where(*key)).one_or_none() is not None:
            return
        connection.execute(
            sa.insert(table).values(
                agreement_id=revocation.agreement_id,
                version=revocation.version,
                signer=envelope.signer,
                envelope=envelope.to_json(),
                taken_at=now,
                delivered_at=now if envelope.signer == provider else None,
            )
        )
        if envelope.signer != provider:
            payload = {
                "what": "revocation",
                "provider": provider,
                "agreement": revocation.agreement_id,
                "version": revocation.version,
                "signer": envelope.signer,
            }
            job_key = f"{DELIVER}:revocation:{revocation.agreement_id}:{revocation.version}:{envelope.signer}"
            jobs.enqueue(connection, DELIVER, payload, run_at=now, key=job_key)

    def handlers(self) -> dict[str, Handler]:
        """Give the job that carries what gateways are to be told."""
        return {DELIVER: self._deliver_all}

    def collect(self) -> dict[str, list[bytes]]:
        """Ask every gateway for the revocations that stand on its shelf; one that can't be reached says nothing."""
        found: dict[str, list[bytes]] = {}
        for department in self._directory.departments:
            client = self._directory.client(department)
            try:
                raw = client.call("GET", REVOCATIONS, seconds=_GLANCE_SECONDS) if client is not None else b""
                told = msgspec.json.decode(raw, type=_Revocations).revocations
            except (CallFailure, msgspec.MsgspecError):
                continue
            if news := [one for one in map(bytes, told) if not self._known(one)]:
                found[department] = news
        return found

    def undelivered(self) -> int:
        """Count the revocations that a gateway hasn't got yet."""
        table = records.revocation
        with self._database.read() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.delivered_at.is_(None))
            ).scalar_one()

    def _known(self, raw: bytes) -> bool:
        try:
            envelope = SignedEnvelope.from_json(raw)
            revocation = Revocation.from_payload(envelope.payload)
        except Exception:  # noqa: BLE001  (what can't be read is judged, and refused by its code, where it is taken)
            return False
        table = records.revocation
        with self._database.read() as connection:
            statement = sa.select(table.c.taken_at).where(
                table.c.agreement_id == revocation.agreement_id,
                table.c.version == revocation.version,
                table.c.signer == envelope.signer,
            )
            return connection.execute(statement).one_or_none() is not None

    def _deliver_all(self, batch: list[Job]) -> None:
        for job in batch:
            try:
                self._deliver(job)
            except LeaseLost:
                continue

    def _deliver(self, job: Job) -> None:
        path, body = self._message(job.payload)
        client = self._directory.client(job.payload["provider"])
        problem = "no_gateway"
        if body is not None and client is not None:
            try:
                client.call("POST", path, body)
                problem = ""
            except CallFailure as failure:
                problem = f"{failure.failure.code}:{failure.failure.detail}"
        with self._database.begin() as connection:
            if body is None or not problem:
                self._mark(connection, job.payload)
                jobs.complete(connection, job)
            elif client is None:
                # The steward carries the file by hand.
                jobs.complete(connection, job)
            else:
                later = self._clock.now() + jobs.back_off(job.attempt, salt=job.id)
                jobs.retry(connection, job, later, problem)

    def _message(self, payload: Mapping[str, Any]) -> tuple[str, bytes | None]:
        """Give what is to be said; None where it doesn't count any more."""
        with self._database.read() as connection:
            if payload["what"] == "agreement":
                known = self._agreements.get(connection, payload["agreement"], payload["version"])
                in_force = known is not None and known.state is AgreementState.IN_FORCE
                text = known.envelope.to_json() if known is not None and in_force else None
                return AGREEMENTS, None if text is None else _wrapped("agreements", text)
            table = records.revocation
            text = connection.execute(
                sa.select(table.c.envelope).where(
                    table.c.agreement_id == payload["agreement"],
                    table.c.version == payload["version"],
                    table.c.signer == payload["signer"],
                )
            ).scalar_one_or_none()
            return REVOCATIONS, None if text is None else _wrapped("revocations", text)

    def _mark(self, connection: Connection, payload: Mapping[str, Any]) -> None:
        if payload["what"] != "revocation":
            return
        table = records.revocation
        connection.execute(
            sa.update(table)
            .where(
                table.c.agreement_id == payload["agreement"],
                table.c.version == payload["version"],
                table.c.signer == payload["signer"],
            )
            .values(delivered_at=self._clock.now())
        )


def _wrapped(name: str, envelope: str) -> bytes:
    return b"{" + json.dumps(name).encode() + b":[" + envelope.encode() + b"]}"
