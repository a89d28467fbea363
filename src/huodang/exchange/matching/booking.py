"""What the hub writes down of matches: grant and look before anybody is asked, the result or its failure afterwards."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records as exchange_records
from huodang.exchange.agreements import Agreements
from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.matching import records
from huodang.exchange.matching.errors import NotPermittedToMatchError
from huodang.exchange.matching.messages import malformed
from huodang.exchange.matching.oblivious import random_scalar
from huodang.exchange.matching.outcomes import MatchOutcome
from huodang.exchange.matching.querying import MatchResult
from huodang.exchange.matching.values import ValueSet
from huodang.exchange.values import GRANT, Agreement, Grant, Kind
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import IdentityNumber, Place
from huodang.store import shanghai_date
from huodang.trust import FieldSealer, SignedEnvelope

SUBJECT: Final = "identity_number"
MATCH: Final = "match"
_SECRET: Final = "match_secret"  # noqa: S105  (names what is sealed)
_SET: Final = "match_set"


@dataclass(frozen=True)
class MatchQuestion:
    """What a set is to be matched against, and what for.

    Attributes:
        resource: `department.what`, of an agreement of the kind `match`.
        purpose: code of the purpose (用途), which the agreement must name.
        size_only: learn only how many.
        region, assigned: of the matter, as in DecisionRequest.
    """

    resource: str
    purpose: str
    actor: Actor
    case_id: str = ""
    size_only: bool = False
    region: str = ""
    assigned: bool = False


@dataclass(frozen=True)
class BetweenQuestion:
    """Which two departments' sets are to be matched with each other, and what for.

    Attributes:
        first, second: `department.what`, each of an agreement of the kind `match` that names the purpose. Unless only
            the size is asked for, one of the agreements hands over the identity number among its `fields`.
        purpose, size_only, region, assigned: as in `MatchQuestion`.
    """

    first: str
    second: str
    purpose: str
    actor: Actor
    case_id: str = ""
    size_only: bool = False
    region: str = ""
    assigned: bool = False

    def side(self, resource: str) -> MatchQuestion:
        """Give the question as it is put to one side."""
        return MatchQuestion(
            resource, self.purpose, self.actor, self.case_id, self.size_only, self.region, self.assigned
        )


def permit(question: MatchQuestion | BetweenQuestion, consumer: str) -> Decision:
    """Ask the policies whether the actor may have these sets matched in the name of a department.

    How many stand in two departments' sets is no personal data. How many of a set that the asker picks stand in
    another's is: sets can be picked so that the number tells about one person.

    Raises:
        NotPermittedToMatchError: none permits it.
    """
    counts = isinstance(question, BetweenQuestion) and question.size_only
    decision = decide(
        DecisionRequest(
            actor=question.actor,
            action=Action.COUNT_OVERLAP if counts else Action.MATCH_SETS,
            purpose=question.purpose,
            elements=() if counts else (SUBJECT,),
            case_id=question.case_id,
            region=question.region,
            department=consumer,
            assigned=question.assigned,
        )
    )
    if not decision.permitted:
        raise NotPermittedToMatchError("没有策略允许这次比对", "no policy permits this match")
    return decision


class MatchBook:
    """Writes matches down, each method in the caller's transaction."""

    def __init__(self, ledger: Ledger, looks: Looks, sealer: FieldSealer) -> None:
        self._ledger = ledger
        self._looks = looks
        self._sealer = sealer

    def set_mark(self, values: ValueSet) -> str:
        """Mark a set, so that a match can only go on with the same one; tells nothing without the hub's secret."""
        return self._sealer.blind_index(_SET, hashlib.sha256(values.digests).hexdigest())

    def pair_mark(self, first: str, second: str) -> str:
        """Mark a question about two departments' sets: it goes on as the same one only."""
        return self._sealer.blind_index(_SET, f"{first} {second}")

    @staticmethod
    def agreement(
        connection: Connection,
        question: MatchQuestion,
        agreements: Agreements,
        *,
        consumer: str,
        signer: str,
        now: datetime,
        field: str = "",
    ) -> Agreement:
        """Find the agreement in force on which a match may rest, rather one that hands over a field if one is named.

        Raises:
            NotPermittedToMatchError: there is none.
        """
        found = [
            one.agreement
            for one in agreements.in_force(connection, [question.resource], shanghai_date(now)).get(
                question.resource, ()
            )
            if one.agreement.kind is Kind.MATCH
            and one.agreement.consumer == consumer
            and one.agreement.grant_signer == signer
            and question.purpose in one.agreement.purposes
            and SUBJECT in one.agreement.elements
        ]
        if found:
            return next((one for one in found if field in one.fields), found[0])
        raise NotPermittedToMatchError(
            "没有生效的比对协议覆盖该资源和用途",
            "no agreement on matching in force covers the resource and the purpose",
            advice_chinese="请先与提供部门签订 match 类协议。",
            advice_english="Sign an agreement of the kind `match` with the department first.",
            place=Place(element=question.resource),
        )

    def begin(
        self, connection: Connection, begun: Mapping[str, Any], *, taken_up: bool, entry_id: str, now: datetime
    ) -> None:
        """Write that a match is asked for, or asked for again.

        Raises:
            NotPermittedToMatchError: there is none of this id to be taken up.
            MalformedMessageError: the match began with another set or question.
        """
        table = records.match
        name = begun["match_id"]
        known = connection.execute(sa.select(table).where(table.c.match_id == name)).one_or_none()
        if known is None and taken_up:
            raise NotPermittedToMatchError("没有这个编号的比对", "there is no match of this id")
        if known is None:
            connection.execute(
                sa.insert(table).values(**begun, state="asked", code="", receipt="", asked_at=now, entry_id=entry_id)
            )
            return
        if any(getattr(known, key) != begun[key] for key in ("set_mark", "resource", "other", "size_only", "purpose")):
            raise malformed("与该编号的比对先前所用的不同", "this match began with another set or question")
        connection.execute(sa.update(table).where(table.c.match_id == name).values(state="asked", code=""))

    def secret(self, connection: Connection, agreement: Agreement, now: datetime) -> bytes:
        """Give the secret of an agreement's version: the same as long as it lasts, see `docs/matching.md`."""
        table = records.match_secret
        row = f"{agreement.agreement_id}/{agreement.version}"
        sealed = connection.scalar(
            sa.select(table.c.sealed).where(
                table.c.agreement_id == agreement.agreement_id, table.c.agreement_version == agreement.version
            )
        )
        if sealed is not None:
            return bytes.fromhex(self._sealer.open(_SECRET, sealed, row))
        secret = random_scalar()
        connection.execute(
            sa.insert(table).values(
                agreement_id=agreement.agreement_id,
                agreement_version=agreement.version,
                sealed=self._sealer.seal(_SECRET, secret.hex(), row),
                made_at=now,
            )
        )
        return secret

    def record_grant(
        self,
        connection: Connection,
        question: MatchQuestion,
        grant: Grant,
        envelope: SignedEnvelope,
        *,
        decision: Decision,
        now: datetime,
    ) -> str:
        """Write grant and look, before anything is asked; give the ledger's entry."""
        facts = {
            "grant": grant.grant_id,
            "match": grant.parameters["match_id"],
            "resource": grant.resource,
            "provider": grant.provider,
            "consumer": grant.consumer,
            "agreement": f"{grant.agreement_id}/{grant.agreement_version}",
            "purpose": grant.purpose,
            "case": grant.case_id,
            "queried": grant.parameters.get("size", ""),
            "other": grant.parameters.get("other", ""),
            "digest": envelope.digest,
        }
        entry_id = self._ledger.record(connection, LedgerEntry(GRANT, now, facts), envelope.to_json().encode())
        connection.execute(
            sa.insert(exchange_records.grant).values(
                grant_id=grant.grant_id,
                resource=grant.resource,
                provider=grant.provider,
                agreement_id=grant.agreement_id,
                agreement_version=grant.agreement_version,
                purpose=grant.purpose,
                case_id=grant.case_id,
                subject_index="",
                digest=envelope.digest,
                envelope=self._sealer.seal(GRANT, envelope.to_json(), grant.grant_id),
                issued_at=grant.issued_at,
                expires_at=grant.expires_at,
                state="issued",
                entry_id=entry_id,
            )
        )
        self._looks.record_all(connection, [self._look(question, "", decision)])
        return entry_id

    def finish(
        self,
        connection: Connection,
        question: MatchQuestion,
        grant: Grant,
        result: MatchResult,
        *,
        receipt: str,
        members: tuple[IdentityNumber, ...] | None,
        decision: Decision,
        now: datetime,
    ) -> str:
        """Write sizes and the provider's receipt, and who turned out to be on both sides as looked at."""
        match_id = grant.parameters["match_id"]
        facts = {
            "match": match_id,
            "grant": grant.grant_id,
            "resource": grant.resource,
            "provider": grant.provider,
            "size_only": "yes" if question.size_only else "no",
            "queried": str(result.queried),
            "held": str(result.held),
            "overlap": str(result.overlap),
            "digest": SignedEnvelope.from_json(receipt).digest,
        }
        entry_id = self._ledger.record(connection, LedgerEntry(MATCH, now, facts), receipt.encode())
        table, grants = records.match, exchange_records.grant
        connection.execute(
            sa.update(table)
            .where(table.c.match_id == match_id)
            .values(
                state="answered",
                code="",
                held=result.held,
                overlap=result.overlap,
                receipt=receipt,
                ended_at=now,
                entry_id=entry_id,
            )
        )
        connection.execute(sa.update(grants).where(grants.c.grant_id == grant.grant_id).values(state="answered"))
        # Whoever turned out to be on both sides was looked at, and can see by whom.
        self._looks.record_all(
            connection,
            [self._look(question, self._sealer.blind_index(SUBJECT, one.text), decision) for one in members or ()],
        )
        return entry_id

    def finish_between(
        self,
        connection: Connection,
        question: BetweenQuestion,
        outcome: MatchOutcome,
        grants: Mapping[str, Grant],
        *,
        receipts: Mapping[str, str],
        decision: Decision,
        now: datetime,
    ) -> str:
        """Write sizes and what both gateways signed, and who was named as looked at; give the ledger's entry."""
        facts = {
            "match": outcome.match_id,
            "resource": question.first,
            "other": question.second,
            "size_only": "yes" if question.size_only else "no",
            "queried": str(outcome.queried),
            "held": str(outcome.held),
            "overlap": str(outcome.overlap),
        } | {f"digest_{name}": SignedEnvelope.from_json(signed).digest for name, signed in receipts.items()}
        kept = json.dumps(dict(receipts), sort_keys=True)
        entry_id = self._ledger.record(connection, LedgerEntry(MATCH, now, facts), kept.encode())
        table, issued = records.match, exchange_records.grant
        connection.execute(
            sa.update(table)
            .where(table.c.match_id == outcome.match_id)
            .values(
                state="answered",
                code="",
                queried=outcome.queried,
                held=outcome.held,
                overlap=outcome.overlap,
                receipt=kept,
                ended_at=now,
                entry_id=entry_id,
            )
        )
        names = [one.grant_id for one in grants.values()]
        connection.execute(sa.update(issued).where(issued.c.grant_id.in_(names)).values(state="answered"))
        marks = [self._sealer.blind_index(SUBJECT, one.text) for one in outcome.members or ()]
        # Both departments' records led to the person: each is a look of its own.
        looks = [self._look(question.side(name), mark, decision) for name in grants for mark in marks]
        self._looks.record_all(connection, looks)
        return entry_id

    def fail(self, connection: Connection, grant: Grant, code: str, now: datetime) -> None:
        """Write that a match failed, with the code."""
        match_id = grant.parameters["match_id"]
        facts = {"match": match_id, "grant": grant.grant_id, "resource": grant.resource, "code": code}
        self._ledger.record(connection, LedgerEntry(MATCH, now, facts), code.encode())
        table, grants = records.match, exchange_records.grant
        connection.execute(
            sa.update(table).where(table.c.match_id == match_id).values(state="failed", code=code, ended_at=now)
        )
        connection.execute(sa.update(grants).where(grants.c.grant_id == grant.grant_id).values(state="failed"))

    def _look(self, question: MatchQuestion, subject_index: str, decision: Decision) -> LookEntry:
        return LookEntry(
            actor=question.actor,
            purpose=question.purpose,
            case_id=question.case_id,
            subject_index=subject_index,
            elements=(SUBJECT,),
            decision=decision,
            what=question.resource,
        )
