"""Agreements between neighbouring hubs: proposed by the one that asks, signed by the one that answers, ended by any."""

from collections.abc import Mapping
from typing import Final

from huodang.exchange.agreements import AgreementRecord, Agreements, revoke_envelope
from huodang.exchange.cascade.errors import CascadeError, NeighbourError
from huodang.exchange.client import CallFailure, GatewayClient
from huodang.exchange.values import AGREEMENT, Agreement, Revocation
from huodang.standards import Place
from huodang.store import Clock, Database
from huodang.trust import SignedEnvelope, Signer, cosign_envelope, sign_envelope

_SECONDS: Final = 5.0


class Compacts:
    """The agreements of a hub with its neighbours.

    Args:
        database: the hub's.
        agreements: all of the hub's agreements.
        signer: the hub's key.
        clients: the ways to the neighbours.
        clock: the time.
    """

    def __init__(
        self,
        database: Database,
        agreements: Agreements,
        signer: Signer,
        clients: Mapping[str, GatewayClient],
        clock: Clock,
    ) -> None:
        self._database = database
        self._agreements = agreements
        self._signer = signer
        self._clients = clients
        self._clock = clock

    def propose(self, agreement: Agreement) -> AgreementRecord:
        """Sign an agreement with a neighbour as the side that asks, keep it, and hand it to that neighbour.

        Raises:
            CascadeError: the provider is no neighbour, or this hub isn't the one that asks.
            AgreementError: the catalogue doesn't hold what it names.
            NeighbourError: it is kept, but the neighbour can't be reached: `send` it again.
        """
        self._between(agreement)
        if (agreement.consumer, agreement.grant_signer) != (self._signer.holder, self._signer.holder):
            raise CascadeError(
                "使用方与授权签名者须是本平台",
                "consumer and grant signer must be this hub",
                place=Place(element=agreement.agreement_id),
            )
        envelope = sign_envelope(AGREEMENT, agreement.to_payload(), self._signer)
        with self._database.begin() as connection:
            taken = self._agreements.take(connection, envelope)
        self.send(agreement.agreement_id, agreement.version)
        return taken

    def sign(self, agreement_id: str, version: int = 1) -> AgreementRecord:
        """Add this hub's signature to an agreement that a neighbour has signed, and hand it back.

        Raises:
            CascadeError: there is no such agreement with a neighbour.
            NeighbourError: it is signed and kept, but the neighbour can't be reached: `send` it again.
        """
        known = self._known(agreement_id, version)
        if self._signer.holder not in {one.holder for one in known.envelope.signatures}:
            with self._database.begin() as connection:
                known = self._agreements.take(connection, cosign_envelope(known.envelope, self._signer))
        self.send(agreement_id, version)
        return known

    def send(self, agreement_id: str, version: int = 1) -> None:
        """Hand an agreement to the neighbour that is the other side of it.

        Raises:
            CascadeError: there is no such agreement with a neighbour.
            NeighbourError: the neighbour can't be reached, or doesn't take it.
        """
        known = self._known(agreement_id, version)
        self._hand(known, b'{"agreements":[' + known.envelope.to_json().encode() + b"]}", "/v1/agreements")

    def revoke(self, agreement_id: str, version: int, reason: str) -> None:
        """End an agreement with a neighbour: here at once, there as soon as it is told.

        Raises:
            CascadeError: there is no such agreement with a neighbour.
            NeighbourError: it has ended here, but the neighbour can't be told now.
        """
        known = self._known(agreement_id, version)
        envelope = revoke_envelope(known.agreement, reason, self._signer, self._clock)
        with self._database.begin() as connection:
            self._agreements.take_revocation(connection, envelope)
        self._hand(known, b'{"revocations":[' + envelope.to_json().encode() + b"]}", "/v1/revocations")

    def take(self, raw: bytes) -> str:
        """Take an agreement from a neighbour; give the state it is in.

        Raises:
            CascadeError: it isn't between this hub and a neighbour.
            EnvelopeError, AgreementError: as `Agreements.take`.
        """
        envelope = SignedEnvelope.from_json(raw)
        self._between(Agreement.from_payload(envelope.payload))
        with self._database.begin() as connection:
            return self._agreements.take(connection, envelope).state.value

    def take_revocation(self, raw: bytes) -> str:
        """Take a neighbour's revocation; give the id of the agreement.

        Raises:
            CascadeError: the agreement isn't between this hub and a neighbour.
            EnvelopeError, AgreementError: as `Agreements.take_revocation`.
        """
        envelope = SignedEnvelope.from_json(raw)
        revocation = Revocation.from_payload(envelope.payload)
        with self._database.begin() as connection:
            for one in self._agreements.versions(connection, revocation.agreement_id):
                self._between(one.agreement)
            self._agreements.take_revocation(connection, envelope)
        return revocation.agreement_id

    def _known(self, agreement_id: str, version: int) -> AgreementRecord:
        with self._database.read() as connection:
            known = self._agreements.get(connection, agreement_id, version)
        if known is None:
            raise CascadeError("没有这份协议", "there is no such agreement", place=Place(element=agreement_id))
        self._between(known.agreement)
        return known

    def _between(self, agreement: Agreement) -> str:
        """Name the neighbour that is the other side of an agreement of this hub."""
        sides = {agreement.provider, agreement.consumer}
        others = sides - {self._signer.holder}
        if self._signer.holder not in sides or len(others) != 1 or not others <= self._clients.keys():
            raise CascadeError(
                "该协议不是本平台与相邻平台之间的",
                "the agreement isn't between this hub and a neighbour",
                place=Place(element=agreement.agreement_id),
            )
        return others.pop()

    def _hand(self, known: AgreementRecord, body: bytes, path: str) -> None:
        neighbour = self._between(known.agreement)
        try:
            self._clients[neighbour].call("POST", path, body, seconds=_SECONDS)
        except CallFailure as problem:
            raise away(neighbour, problem) from None


def away(neighbour: str, problem: CallFailure) -> NeighbourError:
    """Say that a neighbour can't be asked, and why."""
    failure = problem.failure
    told = f"{failure.code.value}:{failure.detail}" if failure.detail else failure.code.value
    return NeighbourError(
        f"相邻平台未能处理（{told}）",
        f"the neighbouring hub couldn't be asked ({told})",
        advice_chinese="请核对对方是否运行、地址与证书，稍后重试；已在本平台完成的部分不会丢失。",
        advice_english="See whether it runs, its address and certificates, and try again; what was done here is kept.",
        place=Place(element=neighbour),
    )
