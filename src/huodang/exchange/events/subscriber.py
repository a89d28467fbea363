"""The hub's subscriptions: for each provider one request is always under way, and answered the moment there is news."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import structlog
from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements, AgreementState
from huodang.exchange.answers import Failure, FailureCode
from huodang.exchange.client import CallFailure, GatewayDirectory
from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.events.intake import Judge, Pages, StreamPosition
from huodang.exchange.events.keeping import Asked, EventStore
from huodang.exchange.events.messages import CURSOR, EPOCH
from huodang.exchange.values import (
    GRANT,
    GRANT_LIFE,
    Agreement,
    Grant,
    Kind,
    new_identifier,
    new_nonce,
    to_the_second,
)
from huodang.standards import HuodangError
from huodang.store import Clock, Database, shanghai_date
from huodang.trust import SignedEnvelope, Signer, TrustedKeys, sign_envelopes

_log = structlog.get_logger("huodang.exchange.events")

HELD_SECONDS: Final = 20.0
"""How long a gateway is asked to hold a request when there is nothing new."""
_NO_AGREEMENT_SECONDS: Final = 2.0
_AWAY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_END_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 15.0
_MOST: Final = 64


@dataclass(frozen=True)
class _Question:
    """One subscription as it is asked for."""

    agreement: Agreement
    position: StreamPosition
    grant: Grant
    envelope: SignedEnvelope
    decision: Decision


class EventSubscriber:
    """Takes events from the gateways.

    Args:
        database: the hub's.
        agreements: those in force decide what is subscribed to.
        store: where events are kept.
        signers: the hub's keys, one a suite; the first signs grants.
        trusted: public keys of all departments.
        directory: the gateways.
        clock: the time.
        consumer: department in whose name is asked.
        on_events: called when events were kept.
    """

    def __init__(
        self,
        database: Database,
        agreements: Agreements,
        store: EventStore,
        signers: Sequence[Signer],
        trusted: TrustedKeys,
        *,
        directory: GatewayDirectory,
        clock: Clock,
        consumer: str,
        on_events: Callable[[], None],
    ) -> None:
        self._database = database
        self._agreements = agreements
        self._store = store
        self._signers = tuple(signers)
        self._trusted = trusted
        self._directory = directory
        self._clock = clock
        self._actor = Actor("system", "系统", "system", consumer)
        self._consumer = consumer
        self._on_events = on_events
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin: a thread for each department that has a gateway."""
        self._stopping.clear()
        for provider in self._directory.departments:
            thread = threading.Thread(target=self._run, args=(provider,), name=f"events-{provider}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End; a request under way is let go of, as nothing of it was kept."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_END_SECONDS / max(1, len(self._threads)))
        self._threads.clear()

    def take_once(self, provider: str, *, wait: float = 0.0) -> int | None:
        """Ask one provider once; give how many events were kept, None if there is no agreement to ask under.

        Raises:
            CallFailure: nothing came that could be judged.
        """
        questions = self._questions(provider)
        client = self._directory.client(provider)
        if not questions or client is None:
            return None
        grants = b",".join(one.envelope.to_json().encode() for one in questions)
        body = b'{"grants":[' + grants + f'],"wait":{wait}}}'.encode()
        raw = client.call("POST", "/v1/events", body, seconds=wait + _ANSWER_SECONDS)
        if self._stopping.is_set():
            return None
        return self._keep(questions, raw)

    def _keep(self, questions: Sequence[_Question], raw: bytes) -> int:
        try:
            pages = msgspec.json.decode(raw, type=Pages).pages
        except (msgspec.MsgspecError, RecursionError):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "shape")) from None
        if len(pages) != len(questions):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "count"))
        now = self._clock.now()
        kept = 0
        for question, page in zip(questions, pages, strict=True):
            judge = Judge(question.agreement, self._signers, self._trusted)
            asked = Asked(question.grant, question.envelope.digest, question.agreement, question.decision, self._actor)
            kept += self._store.keep(asked, question.position, judge.judge(page, question.position, now))
        if kept:
            self._on_events()
        return kept

    def _run(self, provider: str) -> None:
        away = 0
        while not self._stopping.is_set():
            try:
                began = time.monotonic()
                kept = self.take_once(provider, wait=HELD_SECONDS)
                away = 0
                if kept is None:
                    self._stopping.wait(_NO_AGREEMENT_SECONDS)
                elif kept == 0 and time.monotonic() - began < _AWAY_SECONDS[0]:
                    # Answered at once without anything new: refused, or wrong in a way that asking again won't mend.
                    self._stopping.wait(_AWAY_SECONDS[-2])
            except Exception as error:  # noqa: BLE001  (whatever comes back, the subscription must outlive it)
                self._tell(provider, error, first=away == 0)
                self._stopping.wait(_AWAY_SECONDS[min(away, len(_AWAY_SECONDS) - 1)])
                away += 1

    def _tell(self, provider: str, error: Exception, *, first: bool) -> None:
        if isinstance(error, CallFailure):
            code: str = error.failure.code.value
        else:
            code = error.code if isinstance(error, HuodangError) else type(error).__name__
            _log.error("events.subscription_failed", provider=provider, code=code)
        if not first or self._stopping.is_set():
            return
        try:
            with self._database.read() as connection:
                resources = [one.resource for one in self._in_force(connection, provider)]
            self._store.unreachable(provider, resources, code)
        except HuodangError as problem:
            _log.error("events.cannot_tell", provider=provider, code=problem.code)

    def _in_force(self, connection: Connection, provider: str) -> list[Agreement]:
        day = shanghai_date(self._clock.now())
        found: dict[str, Agreement] = {}
        for one in self._agreements.all(connection):
            agreement = one.agreement
            ours = (agreement.provider, agreement.consumer, agreement.kind) == (provider, self._consumer, Kind.EVENT)
            if not ours or one.state is not AgreementState.IN_FORCE or not agreement.covers(day):
                continue
            # The gateway chooses the same among several: that which began last.
            other = found.get(agreement.resource)
            if other is None or (other.valid_from, other.agreement_id) < (agreement.valid_from, agreement.agreement_id):
                found[agreement.resource] = agreement
        return list(found.values())[:_MOST]

    def _questions(self, provider: str) -> list[_Question]:
        now = self._clock.now()
        drafts: list[tuple[Agreement, StreamPosition, Grant, Decision]] = []
        with self._database.read() as connection:
            for agreement in self._in_force(connection, provider):
                position = self._store.position(connection, agreement.resource)
                decided = self._decide(agreement)
                if decided is not None:
                    purpose, decision = decided
                    drafts.append((agreement, position, self._grant(agreement, position, purpose, now), decision))
        envelopes = sign_envelopes(GRANT, [grant.to_payload() for _, _, grant, _ in drafts], self._signers[0])
        return [
            _Question(agreement, position, grant, envelope, decision)
            for (agreement, position, grant, decision), envelope in zip(drafts, envelopes, strict=True)
        ]

    def _decide(self, agreement: Agreement) -> tuple[str, Decision] | None:
        """Find the purpose of the agreement under which policy lets the hub subscribe to all that it hands over."""
        for purpose in agreement.purposes:
            decision = decide(DecisionRequest(self._actor, Action.SUBSCRIBE_EVENTS, purpose, agreement.fields))
            if decision.permitted and set(agreement.fields) <= set(decision.elements):
                return purpose, decision
        return None

    def _grant(self, agreement: Agreement, position: StreamPosition, purpose: str, instant: datetime) -> Grant:
        return Grant(
            grant_id=new_identifier("g", instant),
            kind=Kind.EVENT,
            resource=agreement.resource,
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            provider=agreement.provider,
            consumer=agreement.consumer,
            purpose=purpose,
            legal_basis=agreement.legal_basis,
            case_id="",
            subject="",
            parameters={CURSOR: str(position.cursor), EPOCH: position.epoch},
            elements=agreement.elements,
            fields=agreement.fields,
            issued_at=to_the_second(instant),
            expires_at=to_the_second(instant) + GRANT_LIFE,
            nonce=new_nonce(),
        )
