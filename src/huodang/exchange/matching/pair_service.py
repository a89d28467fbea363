"""The hub in a match between two gateways: a grant for each, their messages carried, the overlap counted and no more.

The hub sees values under the secrets of both, which are made for this match and kept by nobody; it can compare them and
can't tell whose they are. Who is in the overlap it learns, if it may, from the gateway whose agreement says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements
from huodang.exchange.client import GatewayDirectory
from huodang.exchange.decisions import Decision
from huodang.exchange.matching.booking import SUBJECT, BetweenQuestion, MatchBook, permit
from huodang.exchange.matching.errors import MatchingError, NotPermittedToMatchError, PeerLostError
from huodang.exchange.matching.messages import CHUNK, chunks_of, malformed
from huodang.exchange.matching.oblivious import POINT_BYTES
from huodang.exchange.matching.outcomes import MatchOutcome
from huodang.exchange.matching.pair_session import common, positions_digest
from huodang.exchange.matching.pair_wire import PairWire, check_list
from huodang.exchange.matching.pair_words import (
    PAIR_RAISED,
    PAIR_REVEALED,
    PAIR_SET,
    PairOpened,
    PairParameters,
    PairWord,
    altered,
    pair_of,
    read_opened,
    read_word,
)
from huodang.exchange.matching.reaching import Wire
from huodang.exchange.values import GRANT, GRANT_LIFE, Agreement, Grant, Kind, new_identifier, new_nonce, to_the_second
from huodang.standards import BadValue, IdentityNumber, Place
from huodang.store import Clock, Database
from huodang.trust import SignedEnvelope, Signer, TrustedKeys, sign_envelope

_MESSAGE: Final = CHUNK * POINT_BYTES


@dataclass
class _Side:
    """One gateway in a match."""

    grant: Grant
    envelope: SignedEnvelope
    wire: PairWire
    signed: str = ""
    held: int = 0

    @property
    def resource(self) -> str:
        return self.grant.resource


@dataclass(frozen=True)
class _Asked:
    match_id: str
    decision: Decision
    reveals: str
    grants: dict[str, Grant]
    envelopes: dict[str, SignedEnvelope]


@dataclass(frozen=True)
class _Found:
    overlap: int
    held: tuple[int, int]
    members: tuple[IdentityNumber, ...] | None
    receipts: dict[str, str]


class PairMatches:
    """Matches two departments' sets with each other; `Matches` is the front door."""

    def __init__(  # noqa: PLR0917  (the order is that of `Matches`)
        self,
        database: Database,
        book: MatchBook,
        agreements: Agreements,
        signer: Signer,
        trusted: TrustedKeys,
        directory: GatewayDirectory,
        clock: Clock,
        *,
        consumer: str,
    ) -> None:
        self._database = database
        self._book = book
        self._agreements = agreements
        self._signer = signer
        self._trusted = trusted
        self._directory = directory
        self._clock = clock
        self._consumer = consumer

    def match(self, question: BetweenQuestion, match_id: str | None) -> MatchOutcome:
        """See `Matches.match_between`."""
        now = self._clock.now()
        with self._database.begin() as connection:
            asked = self._ask(connection, question, match_id, now)
        try:
            found = self._run(asked, question)
        except MatchingError as problem:
            with self._database.begin() as connection:
                for grant in asked.grants.values():
                    self._book.fail(connection, grant, problem.code, self._clock.now())
            raise
        outcome = MatchOutcome(asked.match_id, found.overlap, *found.held, found.members, "")
        with self._database.begin() as connection:
            entry_id = self._book.finish_between(
                connection,
                question,
                outcome,
                asked.grants,
                receipts=found.receipts,
                decision=asked.decision,
                now=self._clock.now(),
            )
        return replace(outcome, entry_id=entry_id)

    def _ask(self, connection: Connection, question: BetweenQuestion, match_id: str | None, now: datetime) -> _Asked:
        names = (question.first, question.second)
        found, reveals, decision = self._terms(connection, question, now)
        name = match_id or new_identifier("m", now)
        grants, envelopes, entry_id = {}, {}, ""
        for own, other in (names, names[::-1]):
            parameters = PairParameters(match_id=name, other=other, size_only=question.size_only, reveals=reveals)
            grants[own] = self._grant(question, found[own], parameters, now)
            envelopes[own] = sign_envelope(GRANT, grants[own].to_payload(), self._signer)
            entry_id = self._book.record_grant(
                connection, question.side(own), grants[own], envelopes[own], decision=decision, now=now
            )
        first = grants[question.first]
        begun = {
            "match_id": name,
            "resource": first.resource,
            "other": question.second,
            "provider": first.provider,
            "agreement_id": first.agreement_id,
            "agreement_version": first.agreement_version,
            "purpose": question.purpose,
            "case_id": question.case_id,
            "user_id": question.actor.user_id,
            "size_only": question.size_only,
            "queried": 0,
            "set_mark": self._book.pair_mark(*names),
        }
        self._book.begin(connection, begun, taken_up=match_id is not None, entry_id=entry_id, now=now)
        return _Asked(name, decision, reveals, grants, envelopes)

    def foresee(self, question: BetweenQuestion) -> str:
        """See `Matches.foresee`."""
        with self._database.read() as connection:
            return self._terms(connection, question, self._clock.now())[1]

    def _terms(
        self, connection: Connection, question: BetweenQuestion, now: datetime
    ) -> tuple[dict[str, Agreement], str, Decision]:
        names = (question.first, question.second)
        if question.first.partition(".")[0] == question.second.partition(".")[0]:
            raise malformed("两个集合属于同一部门", "both sets are one department's")
        found = {
            name: self._book.agreement(
                connection,
                question.side(name),
                self._agreements,
                consumer=self._consumer,
                signer=self._signer.holder,
                now=now,
                field="" if question.size_only else SUBJECT,
            )
            for name in names
        }
        reveals = "" if question.size_only else _revealing(found)
        return found, reveals, permit(question, self._consumer)

    def _grant(self, question: BetweenQuestion, agreement: Agreement, asked: PairParameters, now: datetime) -> Grant:
        return Grant(
            grant_id=new_identifier("g", now),
            kind=Kind.MATCH,
            resource=agreement.resource,
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            provider=agreement.provider,
            consumer=agreement.consumer,
            purpose=question.purpose,
            legal_basis=agreement.legal_basis,
            case_id=question.case_id,
            subject="",
            parameters=asked.to_parameters(),
            elements=(SUBJECT,),
            fields=(SUBJECT,) if asked.reveals == agreement.resource else (),
            issued_at=to_the_second(now),
            expires_at=to_the_second(now) + GRANT_LIFE,
            nonce=new_nonce(),
        )

    def _run(self, asked: _Asked, question: BetweenQuestion) -> _Found:
        first, second = (self._side(asked, name) for name in (question.first, question.second))
        try:
            for one in (first, second):
                one.signed = one.wire.open(one.envelope.to_json())
                one.held = self._opened(one).held
            pair = pair_of(SignedEnvelope.from_json(first.signed), SignedEnvelope.from_json(second.signed))
            first.wire.meet(second.signed)
            second.wire.meet(first.signed)
            receipts: dict[str, str] = {}
            for own, other in ((first, second), (second, first)):
                for index in range(chunks_of(own.held)):
                    other.wire.send(index, own.wire.blinded(index, own.held))
                word = own.wire.own_word()
                self._word(own, PAIR_SET, word, pair)
                other.wire.close(word)
                receipts[f"set_{own.grant.provider}"] = word
            raised = {}
            for own, other in ((first, second), (second, first)):
                points, word = other.wire.raised(own.held), other.wire.raised_word()
                raised[own.resource] = check_list(points, self._word(other, PAIR_RAISED, word, pair), own.held)
                receipts[f"raised_{other.grant.provider}"] = word
            own, other = (second, first) if asked.reveals == second.resource else (first, second)
            positions = common(raised[own.resource], raised[other.resource])
            members = None
            if asked.reveals:
                for index in range(chunks_of(own.held)):
                    own.wire.give_back(index, raised[own.resource][index * _MESSAGE : (index + 1) * _MESSAGE])
                word = own.wire.reveal(receipts[f"raised_{other.grant.provider}"])
                told = self._word(own, PAIR_REVEALED, word, pair)
                if (told.size, told.digest) != (len(positions), positions_digest(positions)):
                    raise altered()
                receipts[f"revealed_{own.grant.provider}"] = word
                members = _members(own.wire, positions.tolist())
            return _Found(len(positions), (first.held, second.held), members, receipts)
        finally:
            for one in (first, second):
                one.wire.end()

    def _side(self, asked: _Asked, name: str) -> _Side:
        grant = asked.grants[name]
        client = self._directory.client(grant.provider)
        if client is None:
            raise PeerLostError("该部门没有前置机", "the department has no gateway", place=Place(element=name))
        return _Side(grant, asked.envelopes[name], PairWire(Wire(client.pool)))

    def _opened(self, side: _Side) -> PairOpened:
        opened = read_opened(side.signed, self._trusted, side.grant.provider, self._clock.now())
        expected = (side.grant.parameters["match_id"], side.envelope.digest, side.resource)
        if (opened.match_id, opened.grant_digest, opened.resource) != expected:
            raise altered()
        return opened

    def _word(self, side: _Side, kind: str, signed: str, pair: str) -> PairWord:
        word = read_word(signed, kind, self._trusted, side.grant.provider, self._clock.now())
        if (word.match_id, word.pair, word.resource) != (side.grant.parameters["match_id"], pair, side.resource):
            raise altered()
        return word


def _revealing(agreements: Mapping[str, Agreement]) -> str:
    for name, agreement in agreements.items():
        if SUBJECT in agreement.fields:
            return name
    raise NotPermittedToMatchError(
        "两份协议都不提供证件号码，只能求人数",
        "neither agreement hands over identity numbers: only the size can be asked for",
        advice_chinese="请改求人数（size_only），或修订一方协议的 fields。",
        advice_english="Ask for the size only, or amend the `fields` of one agreement.",
    )


def _members(wire: PairWire, positions: list[int]) -> tuple[IdentityNumber, ...]:
    told = wire.members(len(positions))
    if [one.position for one in told] != positions:
        raise altered()
    try:
        # In the order of the numbers: the order in which they crossed is one of chance.
        return tuple(sorted((IdentityNumber.parse(one.number) for one in told), key=lambda one: one.text))
    except BadValue:
        raise malformed("对方给出的证件号码无效", "the peer gave an invalid identity number") from None
