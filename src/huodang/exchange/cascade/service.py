"""The cascade (级联) of one hub, put together: what it passes on, whom it asks, and what it keeps up to date."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from huodang.exchange.agreements import Agreements, AgreementState
from huodang.exchange.answers import AnswerRecord
from huodang.exchange.cascade.compacts import Compacts, away
from huodang.exchange.cascade.demands import Demands
from huodang.exchange.cascade.door import Door
from huodang.exchange.cascade.errors import CascadeError
from huodang.exchange.cascade.event_relay import EventRelay
from huodang.exchange.cascade.keyring import Keyring
from huodang.exchange.cascade.neighbours import CascadeSettings, Neighbour, client_context
from huodang.exchange.cascade.offers import ACTIVE, Offers, ProxiedEntry, Refreshed
from huodang.exchange.cascade.proofs import Proof, Proofs, RelayClient
from huodang.exchange.cascade.receipts import write_chain_receipt
from huodang.exchange.cascade.relay import Relay
from huodang.exchange.cascade.values import Offer
from huodang.exchange.catalogue import Catalogue, CatalogueEntry
from huodang.exchange.client import CallFailure, GatewayClient, GatewayDirectory
from huodang.exchange.events.keeping import EventStore
from huodang.exchange.events.office import EventOffice
from huodang.exchange.events.subscriber import EventSubscriber
from huodang.exchange.looks import Looks
from huodang.exchange.questions import Question
from huodang.exchange.service import Exchange
from huodang.exchange.sharing import SharingDesk
from huodang.exchange.values import to_the_second
from huodang.ledger import Ledger
from huodang.standards import HuodangError, Place
from huodang.store import Clock, Database, utc_text
from huodang.trust import FieldSealer, SignedEnvelope, Signer, TlsPair, TrustedKeys

_log = structlog.get_logger("huodang.exchange.cascade")
_SECONDS: Final = 5.0


class Cascade:
    """One hub among hubs.

    Args:
        settings: whom it knows.
        database: the hub's.
        ledger: the hub's.
        signers: the hub's keys, one a suite; the first signs grants and verdicts.
        trusted: public keys of this hub's departments, and of the neighbours.
        neighbours: public keys of the neighbours alone: only their grants count.
        gateways: addresses of this hub's own departments.
        tls: this hub's certificate, with the authority of its own departments.
        sealer: the hub's.
        catalogue: the hub's.
        events: the hub's own events, of which it passes on.
        sharing: raises neighbours' demands for this hub's departments.
        clock: the time.
    """

    def __init__(
        self,
        settings: CascadeSettings,
        database: Database,
        ledger: Ledger,
        signers: Sequence[Signer],
        *,
        trusted: TrustedKeys,
        neighbours: TrustedKeys,
        gateways: Mapping[str, Sequence[str]],
        tls: TlsPair,
        sealer: FieldSealer,
        catalogue: Catalogue,
        events: EventOffice,
        sharing: SharingDesk,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.tls = tls
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._signer = signers[0]
        self._catalogue = catalogue
        self._by_name = {one.holder: one for one in settings.neighbours}
        proofs = self._proofs = Proofs(database, ledger, sealer, clock)
        self.keyring = Keyring(
            database, signers[0], trusted, neighbours, clock, stale_seconds=float(settings.refresh_seconds)
        )
        self._clients = {
            one.holder: RelayClient(
                one.holder,
                one.url,
                keyring=self.keyring,
                proofs=proofs,
                clock=clock,
                tls=client_context(tls, one) if one.url.startswith("https:") else None,
            )
            for one in settings.neighbours
        }
        inside = tls.client_context()
        self._directory = GatewayDirectory(
            {
                **{name: [GatewayClient(url, inside) for url in urls] for name, urls in gateways.items()},
                **self._clients,
            }
        )
        self._outside = GatewayDirectory(dict(self._clients))
        self.exchange = Exchange(
            database, ledger, signers[0], trusted, self._directory, sealer, clock, consumer=signers[0].holder
        )
        self.compacts = Compacts(database, self.exchange.agreements, signers[0], self._clients, clock)
        self.offers = Offers(catalogue, signers[0], neighbours, clock)
        self.demands = Demands(database, ledger, sharing, self.offers, signers[0], neighbours, self._clients, clock)
        door = Door(database, self.exchange.agreements, signers[0], neighbours, clock)
        self.relay = Relay(
            database,
            self.exchange,
            ledger,
            door,
            self.offers,
            proofs=proofs,
            longest_path=settings.longest_path,
        )
        looks = Looks(database, ledger, clock)
        self.events = EventRelay(
            database, self.exchange.agreements, self.offers, door, sealer=sealer, looks=looks, clock=clock
        )
        events.subscriptions.on("*", self.events.pass_on, name="cascade")
        self._subscriber = EventSubscriber(
            database,
            self.exchange.agreements,
            EventStore(database, ledger, looks, sealer, clock),
            signers,
            trusted,
            directory=self._outside,
            clock=clock,
            consumer=signers[0].holder,
            on_events=events.subscriptions.wake,
        )

    @property
    def holder(self) -> str:
        """Give this hub's name among hubs."""
        return self._signer.holder

    @property
    def agreements(self) -> Agreements:
        """Give the hub's agreements."""
        return self.exchange.agreements

    def call(self, questions: Sequence[Question]) -> list[AnswerRecord]:
        """Ask through neighbours and wait; as `Exchange.call`, under agreements whose consumer is this hub."""
        return self.exchange.call(questions)

    def proof(self, grant_id: str) -> Proof | None:
        """Give the signed chain behind an answer; None if it didn't come through a neighbour."""
        return self._proofs.of(grant_id)

    def receipt(self, grant_id: str) -> str:
        """Write what proves an answer that came through neighbours to anyone, offline: see `verify_chain_receipt`.

        It shows what was asked of whom, so it names the person: whoever calls this has decided that it may be shown.

        Raises:
            CascadeError: no answer to this grant came through a neighbour.
            NotSealedYetError: the ledger hasn't sealed its entry yet.
        """
        proof = self.proof(grant_id)
        with self._database.read() as connection:
            verdicts = self.exchange.verdicts_of(connection, grant_id)
            grant = self.exchange.grant_of(connection, grant_id)
        if proof is None or grant is None or not verdicts:
            raise CascadeError(
                "该授权没有经相邻平台得到的答复",
                "no answer to this grant came through a neighbour",
                place=Place(element=grant_id),
            )
        return write_chain_receipt(
            grant,
            verdicts[0],
            proof.chain,
            self.keyring.attestation(proof.neighbour),
            self._ledger.receipt(proof.entry_id, msgspec.json.encode(list(proof.chain))),
        )

    def publish(self, inner: str, *, by: str) -> Offer:
        """Pass a resource on to the neighbours.

        Raises:
            CascadeError: it can't be.
        """
        with self._database.begin() as connection:
            return self.offers.publish(connection, inner, by=by)

    def withdraw(self, inner: str, *, by: str) -> None:
        """Pass a resource on no longer.

        Raises:
            CascadeError: it wasn't.
        """
        with self._database.begin() as connection:
            self.offers.withdraw(connection, inner, by=by)

    def look(self, neighbour: str) -> tuple[Offer, ...]:
        """Ask a neighbour what it offers; nothing is taken.

        Raises:
            CascadeError: there is no such neighbour.
            NeighbourError: it can't be reached.
            HuodangError: what it said isn't signed by it, or is misshapen.
        """
        self.neighbour(neighbour)
        try:
            raw = self._clients[neighbour].call("GET", f"/v1/hub/offers/{self.holder}", seconds=_SECONDS)
        except CallFailure as problem:
            raise away(neighbour, problem) from None
        return self.offers.read(neighbour, raw)

    def subscribe(self, neighbour: str, resources: Collection[str] | None = None) -> Refreshed:
        """Take a neighbour's entries into this catalogue: those named, or all; new versions and withdrawals follow.

        Raises:
            CascadeError, NeighbourError, HuodangError: as `look`; or something named isn't offered.
        """
        offers = self.look(neighbour)
        with self._database.begin() as connection:
            return self.offers.take(connection, neighbour, offers, resources)

    def entries(self) -> list[ProxiedEntry]:
        """List what was taken from neighbours."""
        with self._database.read() as connection:
            return self.offers.entries(connection)

    def entry(self, resource: str) -> CatalogueEntry | None:
        """Give the catalogue entry of something taken from a neighbour; None if it isn't, or was withdrawn."""
        if resource not in {one.resource for one in self.entries() if one.state == ACTIVE}:
            return None
        with self._database.read() as connection:
            return self._catalogue.entry(connection, resource)

    def offered(self) -> list[Offer]:
        """List what is passed on."""
        with self._database.read() as connection:
            return self.offers.offered(connection)

    def tell_offers(self, neighbour: str) -> SignedEnvelope:
        """Say to a neighbour what is passed on to it.

        Raises:
            CascadeError: it is no neighbour.
        """
        self.neighbour(neighbour)
        with self._database.read() as connection:
            return self.offers.tell(connection, neighbour)

    def neighbour(self, holder: str) -> Neighbour:
        """Give a neighbour.

        Raises:
            CascadeError: there is none of this name.
        """
        found = self._by_name.get(holder)
        if found is None:
            raise CascadeError(
                "没有配置这个相邻平台",
                "there is no such neighbour in the settings",
                advice_chinese="请核对 hub.yaml 的 cascade 一节。",
                advice_english="Look at the section `cascade` of hub.yaml.",
                place=Place(element=holder),
            )
        return found

    def conformance(self) -> dict[str, Any]:
        """Tell what is passed on, and what of it can be answered now."""
        ready = self.exchange.availability()
        with self._database.read() as connection:
            inner = self.offers.inner_names(connection)
            agreed = [
                one.agreement
                for one in self.agreements.all(connection)
                if one.state is AgreementState.IN_FORCE and one.agreement.provider == self.holder
            ]
            entries = self._catalogue.entries(connection)
        return {
            "department": self.holder,
            "now": utc_text(to_the_second(self._clock.now())),
            "source_reachable": True,
            "resources": [
                {
                    "resource": name,
                    "kind": entries[name].kind.value if name in entries else "",
                    "agreements": sorted(one.agreement_id for one in agreed if one.resource == name),
                    "ready": ready.get(own, False),
                }
                for name, own in sorted(inner.items())
            ],
        }

    def keep(self) -> dict[str, str]:
        """Look at every neighbour's keys and offers again; give by neighbour the code of what went wrong.

        New versions and withdrawals of entries taken before are taken, nothing new is.
        """
        failed = self.keyring.refresh(self._clients)
        taken_from = {one.neighbour for one in self.entries()}
        for name in taken_from & self._clients.keys() - failed.keys():
            try:
                self.subscribe(name, ())
            except HuodangError as problem:
                failed[name] = problem.code
        for name, code in failed.items():
            _log.warning("cascade.neighbour_not_refreshed", neighbour=name, code=code)
        for reference, code in self.demands.refresh().items():
            _log.warning("cascade.demand_not_refreshed", reference=reference, code=code)
        self.events.prune()
        return failed

    def start(self) -> None:
        """Subscribe to the neighbours' events, until `stop`."""
        self._subscriber.start()

    def stop(self) -> None:
        """End the subscriptions."""
        self._subscriber.stop()

    def take_events(self, neighbour: str, *, wait: float = 0.0) -> int | None:
        """Ask one neighbour for events once; as `EventSubscriber.take_once`."""
        return self._subscriber.take_once(neighbour, wait=wait)

    def close(self) -> None:
        """Close the kept connections."""
        self._directory.close()
