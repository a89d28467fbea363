"""Matching as a part of the gateway: sessions under a signed grant, with budgets, and a line for each in the log."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar.types import ControllerRouterHandler

from huodang.exchange.gateway.admission import read_grant
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.matching.agreed import (
    MATCH_ANSWER,
    MATCH_OPENED,
    MatchAnswered,
    MatchOpened,
    MatchParameters,
    OpeningRequest,
)
from huodang.exchange.matching.config import MatchesSection, MatchSpec
from huodang.exchange.matching.door import match_routes
from huodang.exchange.matching.errors import MatchingError
from huodang.exchange.matching.holding import HoldingSession, Sessions
from huodang.exchange.matching.lanes import Lanes
from huodang.exchange.matching.messages import PROTOCOL, Terms, check_terms, malformed
from huodang.exchange.matching.oblivious import scalar_of
from huodang.exchange.matching.offered import OUTCOME, OfferedSets, budget_of, normalisation_of
from huodang.exchange.matching.pair_door import pair_routes
from huodang.exchange.matching.pair_host import PairHost
from huodang.exchange.matching.probes import Probe
from huodang.exchange.matching.sketches import sketch
from huodang.exchange.values import REFUSAL, Agreement, Grant, Kind, to_the_second
from huodang.standards import HuodangError
from huodang.trust import EnvelopeError, SignedEnvelope, sign_envelope


@dataclass
class _Open:
    """A session with what it rests on."""

    grant: Grant
    digest: str
    agreement: Agreement
    parameters: MatchParameters
    spec: MatchSpec


class MatchesPart:
    """The matches of one gateway.

    Args:
        gateway: whose source, keys and agreements count.
        section: of the gateway's file.

    Raises:
        GatewayConfigError: an entry doesn't fit the source or the standard.
        SourceError: the source can't be read at start-up.
    """

    def __init__(self, gateway: Gateway, section: MatchesSection) -> None:
        self._gateway = gateway
        self._sets = OfferedSets(gateway, section)
        self.memory = self._sets.memory
        self.sessions: Sessions[HoldingSession] = Sessions(most=section.sessions)
        self._workers = Lanes()
        self._pairs = PairHost(self._sets, self._workers, most=section.sessions)
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give the handlers under `/v1/matches`."""
        return [match_routes(self), pair_routes(self._pairs)]

    def offers(self) -> Sequence[dict[str, Any]]:
        """Tell what can be matched against, and how."""
        contents, today = self._gateway.shelf.contents(), self._gateway.clock.today()
        now = self._gateway.clock.now()
        reachable = self._gateway.source.reachable()
        return [
            {
                "resource": name,
                "kind": Kind.MATCH.value,
                "agreements": sorted(one.agreement_id for one in contents.in_force(name, today)),
                "ready": reachable and bool(contents.in_force(name, today)),
                "size_only": spec.size_only,
                "minimum_set": spec.minimum_set,
                "probes_per_day": spec.probes_per_day,
                "between": list(spec.between),
                "used_today": {
                    one.agreement_id: self.memory.count(one.agreement_id, now) for one in contents.in_force(name, today)
                },
            }
            for name, spec in self._sets.specs.items()
        ]

    def start(self) -> None:
        """Do nothing: a match begins when it is asked for."""

    def stop(self) -> None:
        """Drop the open sessions and close the memory."""
        if not self._stopped:
            self._stopped = True
            self.sessions.close()
            self._pairs.sessions.close()
            self._workers.close()
            self.memory.close()

    def open(self, body: bytes, _proof: str) -> tuple[bytes, str]:
        """Begin a session for a grant."""
        now = self._gateway.clock.now()
        try:
            request = msgspec.json.decode(body, type=OpeningRequest)
            envelope = SignedEnvelope.from_json(bytes(request.grant))
        except (msgspec.MsgspecError, EnvelopeError, RecursionError):
            raise malformed("开始会话的报文不符合格式", "the message that opens a session isn't shaped right") from None
        terms = Terms.from_json(bytes(request.terms))
        grant = read_grant(envelope, self._gateway.trusted, now)
        if isinstance(grant, Refused):
            raise self._sets.refused(grant, None, envelope.digest, now)
        one = self._admitted(envelope, grant, now)
        try:
            session, held = self._session(one, terms, now)
        except HuodangError as problem:
            self._sets.write(one.grant, one.digest, REFUSAL, problem.code, now)
            raise
        if self._gateway.memory.seen([grant.nonce]) or self._sets.write(
            one.grant, one.digest, OUTCOME, "opened", now, take=True
        ):
            session.drop()
            raise self._sets.refused(Refused("replayed"), grant, envelope.digest, now)
        name = self.sessions.add(session)
        with self._lock:
            # Sessions that fell silent were dropped; what they rested on goes with them.
            present = self.sessions.names()
            self._open = {known: held_for for known, held_for in self._open.items() if known in present} | {name: one}
        opened = MatchOpened(
            version=PROTOCOL,
            match_id=one.parameters.match_id,
            grant_digest=one.digest,
            provider=self._gateway.department,
            session=name,
            held=held,
            answered_at=to_the_second(now),
        )
        return sign_envelope(MATCH_OPENED, opened.to_payload(), self._gateway.signer).to_json().encode(), ""

    def close(self, name: str) -> tuple[str, str]:
        """End the taking of values: count the match, look whether it repeats another, then let it be answered."""
        session = self.sessions.get(name)
        with self._lock:
            one = self._open[name]
        now = self._gateway.clock.now()
        admitted = False

        def release(points: bytes) -> None:
            nonlocal admitted
            admitted = self.memory.admit(self._probe(one, points, now), budget_of(one.spec))

        try:
            received = session.close(release)
        except HuodangError as problem:
            self._sets.write(one.grant, one.digest, REFUSAL, problem.code, now)
            self.ended(name)
            raise
        self._sets.write(one.grant, one.digest, OUTCOME, "answered" if admitted else "answered_again", now)
        answered = MatchAnswered(
            match_id=one.parameters.match_id,
            grant_digest=one.digest,
            provider=self._gateway.department,
            received=received,
            queried=session.terms.size,
            held=session.held,
            size_only=session.terms.size_only,
            answered_at=to_the_second(now),
        )
        return received, sign_envelope(MATCH_ANSWER, answered.to_payload(), self._gateway.signer).to_json()

    def ended(self, name: str) -> None:
        """Forget a session."""
        self.sessions.end(name)
        with self._lock:
            self._open.pop(name, None)

    def _admitted(self, envelope: SignedEnvelope, grant: Grant, now: datetime) -> _Open:
        agreement, spec = self._sets.admitted(envelope, grant, now)
        try:
            parameters = MatchParameters.of(grant)
        except MatchingError:
            raise self._sets.refused(Refused("parameter_invalid"), grant, envelope.digest, now) from None
        return _Open(grant, envelope.digest, agreement, parameters, spec)

    def _session(self, one: _Open, terms: Terms, now: datetime) -> tuple[HoldingSession, int]:
        spec, asked = one.spec, one.parameters
        if (terms.size, terms.size_only, terms.normalisation) != (asked.size, asked.size_only, asked.normalisation):
            raise malformed("会话与授权所述不同", "the session differs from what the grant says")
        check_terms(
            terms,
            normalisation_of(spec),
            smallest=spec.minimum_set,
            largest=spec.maximum_set,
            only_size=spec.size_only,
        )
        self.memory.check(one.agreement.agreement_id, asked.match_id, now, budget_of(spec))
        values = self._sets.values(spec)
        # The same key when an interrupted match is taken up again: it then tells nothing that it didn't before.
        key = scalar_of(self._sets.derived("match_key", asked.match_id))
        return HoldingSession(terms, values.digests, self._workers, key=key), values.size

    def _probe(self, one: _Open, points: bytes, now: datetime) -> Probe:
        return Probe(
            match_id=one.parameters.match_id,
            agreement_id=one.agreement.agreement_id,
            agreement_version=one.agreement.version,
            resource=one.spec.resource,
            at=now,
            queried=one.parameters.size,
            size_only=one.parameters.size_only,
            blinding=one.parameters.blinding,
            received=hashlib.sha256(points).hexdigest(),
            sketch=sketch(points, self._sets.derived("match_sketch", one.agreement.agreement_id)),
        )
