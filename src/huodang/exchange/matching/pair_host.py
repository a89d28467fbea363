"""A gateway in a match with another gateway: what it admits, what it holds against signatures, what it reveals."""

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from huodang.exchange.gateway.admission import read_grant
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.matching.config import MatchSpec
from huodang.exchange.matching.errors import MatchingError, NotPermittedToMatchError
from huodang.exchange.matching.holding import Sessions
from huodang.exchange.matching.lanes import DIGEST_BYTES, Lanes
from huodang.exchange.matching.messages import PROTOCOL, check_size, malformed, version_error
from huodang.exchange.matching.offered import OUTCOME, OfferedSets, budget_of, line_of, normalisation_of
from huodang.exchange.matching.pair_session import PairSession, positions_digest
from huodang.exchange.matching.pair_words import (
    MEMBERS,
    PAIR_OPENED,
    PAIR_RAISED,
    PAIR_REVEALED,
    PAIR_SET,
    Member,
    PairOpened,
    PairParameters,
    PairWord,
    SessionOpened,
    altered,
    pair_of,
    read_opened,
    read_word,
)
from huodang.exchange.matching.probes import Probe
from huodang.exchange.matching.values import Normalisation, ValueSet, collect
from huodang.exchange.values import REFUSAL, Agreement, Grant, to_the_second
from huodang.standards import HuodangError, IdentityNumber
from huodang.trust import EnvelopeError, SignedEnvelope, sign_envelope


@dataclass
class _Pair:
    """A session with what it rests on."""

    grant: Grant
    digest: str
    agreement: Agreement
    parameters: PairParameters
    spec: MatchSpec
    mark: str
    numbers: tuple[str, ...]  # of the one who reveals, in the order of its values
    opened: SignedEnvelope | None = None
    pair: str = ""
    members: list[Member] = field(default_factory=list)

    @property
    def other_department(self) -> str:
        return self.parameters.other.partition(".")[0]


class PairHost:
    """The matches of one gateway with other gateways.

    Args:
        sets: what the gateway offers.
        workers: does the arithmetic.
        most: sessions open at once.
    """

    def __init__(self, sets: OfferedSets, workers: Lanes, *, most: int) -> None:
        self._sets = sets
        self._gateway = sets.gateway
        self._workers = workers
        self.sessions: Sessions[PairSession] = Sessions(most=most)
        self._pairs: dict[str, _Pair] = {}
        self._lock = threading.Lock()

    def open(self, body: bytes) -> SessionOpened:
        """Begin a session for a signed grant: admit it, read the own set, begin to blind it."""
        now = self._gateway.clock.now()
        try:
            envelope = SignedEnvelope.from_json(body)
        except (EnvelopeError, RecursionError):
            raise malformed("开始会话的报文不符合格式", "the message that opens a session isn't shaped right") from None
        grant = read_grant(envelope, self._gateway.trusted, now)
        if isinstance(grant, Refused):
            raise self._sets.refused(grant, None, envelope.digest, now)
        agreement, spec, parameters = self._admitted(envelope, grant, now)
        try:
            self._sets.memory.check(agreement.agreement_id, parameters.match_id, now, budget_of(spec))
            values, numbers = self._values(spec, reveals=parameters.reveals == grant.resource)
        except HuodangError as problem:
            self._sets.write(grant, envelope.digest, REFUSAL, problem.code, now)
            raise
        if self._sets.write(grant, envelope.digest, OUTCOME, "opened", now, take=True):
            raise self._sets.refused(Refused("replayed"), grant, envelope.digest, now)
        one = _Pair(grant, envelope.digest, agreement, parameters, spec, self._mark(values, parameters), numbers)
        session = PairSession(values.digests, self._workers, keeps_order=parameters.reveals == parameters.other)
        one.opened = self._signed(PAIR_OPENED, self._opening(one, session, now))
        name = self.sessions.add(session)
        with self._lock:
            # Sessions that fell silent were dropped; what they rested on goes with them.
            present = self.sessions.names()
            self._pairs = {known: kept for known, kept in self._pairs.items() if known in present} | {name: one}
        return SessionOpened(name, one.opened.to_json())

    def meet(self, name: str, signed: bytes) -> None:
        """Take the other gateway's word that it takes part: the same match, the other way round."""
        session, one, now = self._of(name)
        try:
            other = read_opened(signed, self._gateway.trusted, one.other_department, now)
        except MatchingError as problem:
            raise self._failed(one, name, problem, now) from None
        asked = one.parameters
        if other.version != PROTOCOL:
            raise version_error(other.version)
        told = (other.match_id, other.resource, other.other, other.size_only, other.reveals, other.provider)
        mine = (asked.match_id, asked.other, one.grant.resource, asked.size_only, asked.reveals, one.other_department)
        same = (other.consumer, other.purpose, other.normalisation)
        if told != mine or same != (one.grant.consumer, one.grant.purpose, normalisation_of(one.spec).value):
            raise self._failed(one, name, altered(), now)
        try:
            check_size(other.held, smallest=one.spec.minimum_set, largest=one.spec.maximum_set)
        except MatchingError as problem:
            raise self._failed(one, name, problem, now) from None
        assert one.opened is not None  # noqa: S101  (set before the session gets its name)
        pair = pair_of(one.opened, SignedEnvelope.from_json(signed))
        if one.pair not in {"", pair}:
            raise malformed("会话已有另一对方", "the session has met another side already")
        one.pair = pair
        session.meet(other.held)

    def own_word(self, name: str) -> bytes | None:
        """Give the signed word on the own blinded list; None while it is worked on."""
        session, one, now = self._met(name)
        digest = session.blinded_digest()
        return None if digest is None else self._word(PAIR_SET, one, session.size, digest, now)

    def close(self, name: str, signed: bytes) -> None:
        """Hold the other's list against its signature, count the match, and only then begin to raise it."""
        session, one, now = self._met(name)
        admitted = False

        def release() -> None:
            nonlocal admitted
            admitted = self._sets.memory.admit_pair(self._probe(one, session, now), budget_of(one.spec))

        try:
            theirs = self._read(one, PAIR_SET, signed, now)
            session.close(theirs.digest, theirs.size, release)
        except HuodangError as problem:
            raise self._failed(one, name, problem, now) from None
        self._sets.write(one.grant, one.digest, OUTCOME, "answered" if admitted else "answered_again", now)

    def raised_word(self, name: str) -> bytes | None:
        """Give the signed word on the raised list; None while it is worked on."""
        session, one, now = self._met(name)
        digest = session.raised_digest()
        return None if digest is None else self._word(PAIR_RAISED, one, session.theirs, digest, now)

    def reveal(self, name: str, signed: bytes) -> bytes:
        """Find who is on both sides by what the other gateway signed, log each, and say how many: no more is named."""
        session, one, now = self._met(name)
        try:
            if one.parameters.reveals != one.grant.resource:
                raise _reveals_nobody()
            theirs = self._read(one, PAIR_RAISED, signed, now)
            positions = session.overlap(theirs.digest, theirs.size)
        except HuodangError as problem:
            raise self._failed(one, name, problem, now) from None
        if not one.members:
            rows = session.order[positions].tolist()
            members = [Member(at, one.numbers[row]) for at, row in zip(positions.tolist(), rows, strict=True)]
            self._log(one, members, now)
            one.members = members
        return self._word(PAIR_REVEALED, one, len(positions), positions_digest(positions), now)

    def members(self, name: str, index: int) -> bytes:
        """Give one message of who is on both sides."""
        _session, one, _now = self._met(name)
        page = one.members[index * MEMBERS : (index + 1) * MEMBERS]
        if not page:
            raise malformed("没有这个序号的报文", "there is no message of this number")
        return msgspec.json.encode(page)

    def ended(self, name: str) -> None:
        """Forget a session, its secret and its numbers."""
        self.sessions.end(name)
        with self._lock:
            self._pairs.pop(name, None)

    def _admitted(
        self, envelope: SignedEnvelope, grant: Grant, now: datetime
    ) -> tuple[Agreement, MatchSpec, PairParameters]:
        agreement, spec = self._sets.admitted(envelope, grant, now)
        try:
            parameters = PairParameters.of(grant)
        except MatchingError:
            raise self._sets.refused(Refused("parameter_invalid"), grant, envelope.digest, now) from None
        if parameters.other not in spec.between or (spec.size_only and not parameters.size_only):
            raise self._sets.refused(Refused("resource_not_served", parameters.other), grant, envelope.digest, now)
        if parameters.other.partition(".")[0] == self._gateway.department:
            raise self._sets.refused(Refused("parameter_invalid"), grant, envelope.digest, now)
        if not parameters.size_only and spec.element != "identity_number":
            raise self._sets.refused(Refused("elements_insufficient", "identity_number"), grant, envelope.digest, now)
        return agreement, spec, parameters

    def _values(self, spec: MatchSpec, *, reveals: bool) -> tuple[ValueSet, tuple[str, ...]]:
        if not reveals:
            return self._sets.values(spec), ()
        cells = list(self._sets.cells(spec))
        values = self._sets.large_enough(collect(cells, Normalisation.IDENTITY_NUMBER), spec)
        return values, tuple(IdentityNumber.parse(str(cells[row])).text for row in values.rows.tolist())

    def _mark(self, values: ValueSet, parameters: PairParameters) -> str:
        """Mark the own set and whom it is matched with: a match goes on uncounted only if it can tell nothing new."""
        ordered = np.sort(np.frombuffer(values.digests, dtype=f"S{DIGEST_BYTES}")).tobytes()
        contents = hashlib.sha256(ordered).hexdigest()
        return self._gateway.secret.blind_index("match_pair_set", f"{contents}/{parameters.other}/{parameters.reveals}")

    def _probe(self, one: _Pair, session: PairSession, now: datetime) -> Probe:
        return Probe(
            match_id=one.parameters.match_id,
            agreement_id=one.agreement.agreement_id,
            agreement_version=one.agreement.version,
            resource=one.spec.resource,
            at=now,
            queried=session.theirs,
            size_only=one.parameters.size_only,
            blinding="",
            received=one.mark,
            sketch=_no_sketch(),
        )

    def _opening(self, one: _Pair, session: PairSession, now: datetime) -> PairOpened:
        return PairOpened(
            version=PROTOCOL,
            match_id=one.parameters.match_id,
            grant_digest=one.digest,
            provider=self._gateway.department,
            consumer=one.grant.consumer,
            purpose=one.grant.purpose,
            resource=one.grant.resource,
            other=one.parameters.other,
            size_only=one.parameters.size_only,
            reveals=one.parameters.reveals,
            normalisation=normalisation_of(one.spec).value,
            nonce=secrets.token_hex(16),
            held=session.size,
            answered_at=to_the_second(now),
        )

    def _word(self, kind: str, one: _Pair, size: int, digest: str, now: datetime) -> bytes:
        word = PairWord(
            match_id=one.parameters.match_id,
            pair=one.pair,
            provider=self._gateway.department,
            resource=one.grant.resource,
            size=size,
            digest=digest,
            answered_at=to_the_second(now),
        )
        return self._signed(kind, word).to_json().encode()

    def _signed(self, kind: str, word: PairOpened | PairWord) -> SignedEnvelope:
        return sign_envelope(kind, word.to_payload(), self._gateway.signer)

    def _read(self, one: _Pair, kind: str, signed: bytes, now: datetime) -> PairWord:
        word = read_word(signed, kind, self._gateway.trusted, one.other_department, now)
        if (word.match_id, word.pair, word.resource) != (one.parameters.match_id, one.pair, one.parameters.other):
            raise altered()
        return word

    def _log(self, one: _Pair, members: list[Member], now: datetime) -> None:
        line = line_of(one.grant, one.digest, OUTCOME, "revealed", now, fields=one.grant.fields)
        marks = [(self._gateway.subject_mark(member.number), at) for at, member in enumerate(members)]
        self._gateway.memory.write_page(line, [(mark, at, OUTCOME, "revealed") for mark, at in marks])

    def _failed(self, one: _Pair, name: str, problem: HuodangError, now: datetime) -> HuodangError:
        """Log why a session ends, and end it: whoever altered something gets no second try under it."""
        self._sets.write(one.grant, one.digest, REFUSAL, problem.code, now)
        self.ended(name)
        return problem

    def _of(self, name: str) -> tuple[PairSession, _Pair, datetime]:
        session = self.sessions.get(name)
        with self._lock:
            return session, self._pairs[name], self._gateway.clock.now()

    def _met(self, name: str) -> tuple[PairSession, _Pair, datetime]:
        session, one, now = self._of(name)
        if not one.pair:
            raise malformed("会话还没有对方", "the session hasn't met its other side")
        return session, one, now


def _no_sketch() -> NDArray[np.uint64]:
    return np.array([], dtype=np.uint64)


def _reveals_nobody() -> NotPermittedToMatchError:
    return NotPermittedToMatchError("授权不允许给出人员", "the grant doesn't let anybody be named")
