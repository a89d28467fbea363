"""Matching at the hub: under an agreement, for a purpose, with a signed grant; ledgered before and after.

What is kept of a match is who asked, sizes and digests. The overlap goes to the caller and stands nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements
from huodang.exchange.client import GatewayDirectory
from huodang.exchange.decisions import Decision
from huodang.exchange.errors import MessageError
from huodang.exchange.looks import Looks
from huodang.exchange.matching import records
from huodang.exchange.matching.agreed import (
    MATCH_ANSWER,
    MATCH_OPENED,
    MatchAnswered,
    MatchOpened,
    MatchParameters,
    OpeningRequest,
)
from huodang.exchange.matching.booking import SUBJECT, BetweenQuestion, MatchBook, MatchQuestion, permit
from huodang.exchange.matching.errors import (
    MatchingError,
    MatchRefusedError,
    PeerLostError,
)
from huodang.exchange.matching.lanes import Lanes
from huodang.exchange.matching.messages import Terms, Welcome
from huodang.exchange.matching.oblivious import commitment
from huodang.exchange.matching.offers import MatchOffer, offers_of
from huodang.exchange.matching.outcomes import MatchOutcome, MatchRow
from huodang.exchange.matching.pair_service import PairMatches
from huodang.exchange.matching.querying import MatchResult, match
from huodang.exchange.matching.reaching import HttpHolder
from huodang.exchange.matching.values import ValueSet, identity_values, require_values
from huodang.exchange.values import GRANT, GRANT_LIFE, Agreement, Grant, Kind, new_identifier, new_nonce, to_the_second
from huodang.ledger import Ledger
from huodang.standards import IdentityNumber, Place
from huodang.store import Clock, Database
from huodang.trust import EnvelopeError, FieldSealer, SignedEnvelope, Signer, TrustedKeys, open_envelope, sign_envelope


@dataclass(frozen=True)
class _Asked:
    match_id: str
    agreement: Agreement
    decision: Decision
    grant: Grant
    envelope: SignedEnvelope
    secret: bytes


class Matches:
    """Matches sets against departments' tables without either being handed over.

    Args:
        database: the hub's.
        ledger: where grant, look and result become leaves.
        looks: who learnt about whom.
        sealer: seals the secrets that blind, and makes blind indexes.
        signer: the hub's key; agreements name its holder as grant signer.
        trusted: public keys of all departments.
        directory: the gateways.
        clock: the time.
        consumer: department in whose name is asked.
        workers: does the arithmetic; None for one thread a core.
    """

    def __init__(  # noqa: PLR0917  (the order is that of docs/architecture.md)
        self,
        database: Database,
        ledger: Ledger,
        looks: Looks,
        sealer: FieldSealer,
        signer: Signer,
        trusted: TrustedKeys,
        directory: GatewayDirectory,
        clock: Clock,
        *,
        consumer: str = "social_insurance",
        workers: Lanes | None = None,
    ) -> None:
        self._database = database
        self._book = MatchBook(ledger, looks, sealer)
        self._signer = signer
        self._trusted = trusted
        self._directory = directory
        self._clock = clock
        self.consumer = consumer
        self._workers = workers or Lanes()
        self._agreements = Agreements(ledger, trusted, clock)
        self._pairs = PairMatches(
            database, self._book, self._agreements, signer, trusted, directory, clock, consumer=consumer
        )

    def match(
        self, question: MatchQuestion, numbers: Sequence[IdentityNumber], *, match_id: str | None = None
    ) -> MatchOutcome:
        """Match a set of persons against a department's.

        Args:
            question: against what, what for, by whom.
            numbers: the persons; each counts once.
            match_id: of an interrupted match that is to go on, with the same set; it isn't counted again.

        Raises:
            NotPermittedToMatchError: no agreement or policy covers it; nothing was asked.
            MatchingError: the gateway refuses (`BudgetError`, `NearIdenticalError`, `SetTooSmallError` …), can't be
                reached, or answers what it shouldn't. The match stands as failed, with the code.
        """
        values = require_values(identity_values(numbers), Place(element=question.resource))
        now = self._clock.now()
        with self._database.begin() as connection:
            asked = self._ask(connection, question, values, match_id, now)
        holder = self._holder(asked)
        try:
            result = match(values, holder, self._workers, size_only=question.size_only, blind=asked.secret)
            receipt = self._receipt(asked, holder.signed, result)
        except MatchingError as problem:
            with self._database.begin() as connection:
                self._book.fail(connection, asked.grant, problem.code, self._clock.now())
            raise
        members = None if result.members is None else _persons(numbers, values, result)
        with self._database.begin() as connection:
            entry_id = self._book.finish(
                connection,
                question,
                asked.grant,
                result,
                receipt=receipt,
                members=members,
                decision=asked.decision,
                now=self._clock.now(),
            )
        return MatchOutcome(asked.match_id, result.overlap, result.queried, result.held, members, entry_id)

    def match_between(self, question: BetweenQuestion, *, match_id: str | None = None) -> MatchOutcome:
        """Match two departments' sets with each other; neither hands its set to the hub or to the other.

        Args:
            question: which two, what for, by whom.
            match_id: of an interrupted match that is to be begun anew; it isn't counted again.

        Raises:
            NotPermittedToMatchError: no agreement or policy covers it, or a department doesn't let itself be matched
                with the other.
            MatchingError: a gateway refuses, can't be reached, or answers what it shouldn't. The match stands as
                failed, with the code.
        """
        return self._pairs.match(question, match_id)

    def foresee(self, question: BetweenQuestion) -> str:
        """Tell whose agreement would name the persons, or nothing if only the size is asked for; nobody is asked.

        Raises:
            NotPermittedToMatchError: no agreement or policy covers it.
        """
        return self._pairs.foresee(question)

    def shown(self, question: BetweenQuestion, outcome: MatchOutcome) -> list[str] | None:
        """Write who is in an overlap as the policies show it to who asked; None if only the size was asked for."""
        if outcome.members is None:
            return None
        decision = permit(question, self.consumer)
        return [decision.show(SUBJECT, one.text) for one in outcome.members]

    def offers(self) -> list[MatchOffer]:
        """List what departments let be matched, with their rules and what is used of today's budgets."""
        return [one for department in self._directory.departments for one in offers_of(self._directory, department)]

    def unfinished(self) -> list[str]:
        """Name the matches that were begun and have neither result nor failure: the process ended in between."""
        table = records.match
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(table.c.match_id).where(table.c.state == "asked").order_by(table.c.asked_at)
            )
            return [row[0] for row in rows]

    def latest(self, *, limit: int = 100) -> list[MatchRow]:
        """List the newest matches with their sizes."""
        table = records.match
        columns = [table.c[name] for name in MatchRow.__dataclass_fields__]
        statement = sa.select(*columns).order_by(table.c.asked_at.desc(), table.c.match_id.desc()).limit(limit)
        with self._database.read() as connection:
            return [MatchRow(**row) for row in connection.execute(statement).mappings()]

    def _ask(
        self,
        connection: Connection,
        question: MatchQuestion,
        values: ValueSet,
        match_id: str | None,
        now: datetime,
    ) -> _Asked:
        agreement = self._book.agreement(
            connection, question, self._agreements, consumer=self.consumer, signer=self._signer.holder, now=now
        )
        decision = permit(question, self.consumer)
        name = match_id or new_identifier("m", now)
        mark = self._book.set_mark(values)
        secret = self._book.secret(connection, agreement, now)
        grant = self._grant(question, agreement, values, match_id=name, secret=secret, now=now)
        envelope = sign_envelope(GRANT, grant.to_payload(), self._signer)
        entry_id = self._book.record_grant(connection, question, grant, envelope, decision=decision, now=now)
        self._book.begin(
            connection, _begun(question, grant, values, mark), taken_up=match_id is not None, entry_id=entry_id, now=now
        )
        return _Asked(name, agreement, decision, grant, envelope, secret)

    def _grant(
        self,
        question: MatchQuestion,
        agreement: Agreement,
        values: ValueSet,
        *,
        match_id: str,
        secret: bytes,
        now: datetime,
    ) -> Grant:
        parameters = MatchParameters(
            match_id=match_id,
            size=values.size,
            size_only=question.size_only,
            normalisation=values.normalisation.value,
            blinding=commitment(secret),
        )
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
            parameters=parameters.to_parameters(),
            elements=(SUBJECT,),
            issued_at=to_the_second(now),
            expires_at=to_the_second(now) + GRANT_LIFE,
            nonce=new_nonce(),
        )

    def _holder(self, asked: _Asked) -> HttpHolder:
        client = self._directory.client(asked.agreement.provider)
        if client is None:
            raise PeerLostError("该部门没有前置机", "the department has no gateway")

        def opening(terms: Terms) -> tuple[bytes, str]:
            grant = msgspec.Raw(asked.envelope.to_json().encode())
            return msgspec.json.encode(OpeningRequest(grant, msgspec.Raw(terms.to_json()))), ""

        def checking(answer: bytes, _proof: str) -> bytes:
            opened = self._opened(asked, answer)
            return msgspec.json.encode(Welcome(version=opened.version, session=opened.session, held=opened.held))

        return HttpHolder(client.pool, opening=opening, checking=checking)

    def _opened(self, asked: _Asked, answer: bytes) -> MatchOpened:
        try:
            payload = open_envelope(answer, MATCH_OPENED, self._trusted, signer=asked.agreement.provider)
            opened = MatchOpened.from_payload(payload)
        except (EnvelopeError, MessageError):
            raise _unsigned() from None
        if (opened.match_id, opened.grant_digest) != (asked.match_id, asked.envelope.digest):
            raise _unsigned()
        return opened

    def _receipt(self, asked: _Asked, signed: str, result: MatchResult) -> str:
        """Check what the provider signed about the match; give it to be kept."""
        try:
            payload = open_envelope(signed, MATCH_ANSWER, self._trusted, signer=asked.agreement.provider)
            told = MatchAnswered.from_payload(payload)
        except (EnvelopeError, MessageError):
            raise _unsigned() from None
        expected = (asked.match_id, asked.envelope.digest, result.queried, result.held)
        if (told.match_id, told.grant_digest, told.queried, told.held) != expected:
            raise _unsigned()
        return signed


def _persons(numbers: Sequence[IdentityNumber], values: ValueSet, result: MatchResult) -> tuple[IdentityNumber, ...]:
    assert result.members is not None  # noqa: S101  (asked before)
    return tuple(numbers[row] for row in values.rows[result.members].tolist())


def _unsigned() -> MatchRefusedError:
    return MatchRefusedError(
        "前置机的答复没有有效签名，或不是对这次比对的答复",
        "the gateway's answer isn't validly signed, or is no answer to this match",
        advice_chinese="请核对该部门的密钥和前置机版本；没有采用任何结果。",
        advice_english="Check the department's key and the gateway's release; no result was taken.",
    )


def _begun(question: MatchQuestion, grant: Grant, values: ValueSet, mark: str) -> dict[str, Any]:
    return {
        "match_id": grant.parameters["match_id"],
        "resource": grant.resource,
        "other": "",
        "provider": grant.provider,
        "agreement_id": grant.agreement_id,
        "agreement_version": grant.agreement_version,
        "purpose": question.purpose,
        "case_id": question.case_id,
        "user_id": question.actor.user_id,
        "size_only": question.size_only,
        "queried": values.size,
        "set_mark": mark,
    }
