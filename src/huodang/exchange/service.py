"""The hub's side of a call with a purpose: decide, sign, record, only then ask; judge what comes back, record that."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.agreements import Agreements, AgreementState
from huodang.exchange.answers import Answer, Answered, AnswerRecord, Failure, FailureCode, PreparedGrant, judge
from huodang.exchange.calls.batch_results import BatchResult
from huodang.exchange.calls.batches import BatchDesk
from huodang.exchange.calls.budgets import Budgets
from huodang.exchange.calls.proofs import LineProof
from huodang.exchange.calls.reuse import ReusableAnswers
from huodang.exchange.calls.rolls import Roll
from huodang.exchange.client import CallFailure, GatewayDirectory
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.questions import (
    SUBJECT,
    Drafted,
    Permitted,
    Question,
    asked_before,
    not_asked,
    permit,
    sign_all,
)
from huodang.exchange.recording import AnswerBook
from huodang.exchange.values import GRANT, Kind
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Clock, Database, insert_rows, shanghai_date
from huodang.trust import FieldSealer, SignedEnvelope, Signer, TrustedKeys, sha256

_GRANT_COLUMNS: Final = tuple(column.name for column in records.grant.c)
LARGEST_BATCH: Final = 256
"""Grants in one request at most."""


class Exchange:
    """Asks departments. Nothing is asked before grant and look are recorded; nothing raises for one bad answer of many.

    Args:
        database: the hub's.
        ledger: where every grant, look and verdict becomes a leaf.
        signer: the hub's key; agreements name its holder as grant signer.
        trusted: public keys of all departments.
        directory: the gateways.
        sealer: seals grants and verdicts at rest and makes blind indexes.
        clock: the time.
        consumer: department in whose name is asked.
    """

    def __init__(  # noqa: PLR0917  (the order is that of docs/architecture.md)
        self,
        database: Database,
        ledger: Ledger,
        signer: Signer,
        trusted: TrustedKeys,
        directory: GatewayDirectory,
        sealer: FieldSealer,
        clock: Clock,
        *,
        consumer: str = "social_insurance",
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._signer = signer
        self._trusted = trusted
        self._directory = directory
        self._sealer = sealer
        self._clock = clock
        self._consumer = consumer
        self.agreements = Agreements(ledger, trusted, clock)
        self._looks = Looks(database, ledger, clock)
        self._reusable = ReusableAnswers(sealer)
        self._book = AnswerBook(ledger, sealer, self._reusable)
        self._budgets = Budgets()
        self._batches = BatchDesk(
            database,
            ledger,
            signer,
            trusted,
            directory,
            sealer,
            clock,
            consumer,
            self.agreements,
            self._looks,
            self._budgets,
        )

    def prepare(self, connection: Connection, questions: Sequence[Question]) -> list[PreparedGrant]:
        """Find the agreement, decide, sign and record for each question, in the caller's transaction.

        A question that no agreement or policy covers comes back with its failure and without a grant; the others go on.
        """
        now = self._clock.now()
        resources = [question.resource for question in questions]
        agreements = self.agreements.in_force(connection, resources, shanghai_date(now))
        holder = self._signer.holder
        found = [permit(one, agreements.get(one.resource, ()), holder, self._consumer, now) for one in questions]
        permitted = [one for one in found if isinstance(one, Permitted)]
        known = self._reusable.find(connection, [(one.grant, one.agreement) for one in permitted], now)
        prepared = [self._settle(question, one, known, now) for question, one in zip(questions, found, strict=True)]
        again = [(one, known[one.grant.grant_id]) for one in permitted if one.grant.grant_id in known]
        if again:
            self._record_reuse(connection, again, now)
        signed = iter(sign_all([one for one in prepared if isinstance(one, Permitted)], self._signer))
        drafted = [next(signed) if isinstance(one, Permitted) else one for one in prepared]
        made = [one for one in drafted if isinstance(one, Drafted)]
        if made:
            self._record_drafts(connection, made, now)
        return [one.prepared if isinstance(one, Drafted) else one for one in drafted]

    def _settle(
        self, question: Question, found: Permitted | Failure, known: Mapping[str, Answered], now: datetime
    ) -> PreparedGrant | Permitted:
        """Say of a question that it needs or may have no asking; else give back what is to be signed."""
        if isinstance(found, Failure):
            return not_asked(question, found)
        if answer := known.get(found.grant.grant_id):
            return asked_before(found, answer)
        failure = self._budgets.spend(found.agreement, 1, now)
        return found if failure is None else not_asked(question, failure)

    def forget_answers(self, connection: Connection, *, resource: str, identity_number: str | None = None) -> int:
        """Use no recorded answer of a resource again, or none about one person: it was corrected or recalled.

        Returns:
            How many answers were forgotten; as evidence they stay.
        """
        index = None if identity_number is None else self.subject_index(identity_number)
        return self._reusable.forget(connection, resource=resource, subject_index=index)

    def ask(self, provider: str, prepared: Sequence[PreparedGrant]) -> list[Answer]:
        """Send grants of one provider, many in one request, and judge what comes back. Touches no database."""
        answers: dict[int, Answer] = {}
        sendable: list[tuple[int, PreparedGrant, str]] = []
        for position, one in enumerate(prepared):
            if one.reused is not None:
                answers[position] = Answer(one, verdict=one.reused.verdict, envelope=one.reused.envelope)
            elif one.failure is not None or one.envelope is None:
                answers[position] = Answer(one, failure=one.failure or Failure.of(FailureCode.NOT_PERMITTED))
            elif one.provider != provider:
                answers[position] = Answer(one, failure=Failure.of(FailureCode.NOT_ALLOWED, "provider"))
            else:
                sendable.append((position, one, one.text))
        for start in range(0, len(sendable), LARGEST_BATCH):
            batch = sendable[start : start + LARGEST_BATCH]
            for (position, one, _), raw in zip(batch, self._send(provider, batch), strict=True):
                answers[position] = self._judge(one, raw, self._clock.now())
        return [answers[position] for position in range(len(prepared))]

    def call(self, questions: Sequence[Question]) -> list[AnswerRecord]:
        """Ask and wait: grants are recorded and committed, then the departments are asked, then answers are recorded.

        Raises:
            HuodangError: the database can't take grants or answers. A gateway's failure is an answer, never raised.
        """
        with self._database.begin() as connection:
            prepared = self.prepare(connection, questions)
        by_provider: dict[str, list[int]] = {}
        for position, one in enumerate(prepared):
            by_provider.setdefault(one.provider, []).append(position)
        answers: dict[int, Answer] = {}
        for provider, positions in by_provider.items():
            answers |= zip(positions, self.ask(provider, [prepared[at] for at in positions]), strict=True)
        with self._database.begin() as connection:
            return self.record_all(connection, [answers[position] for position in range(len(prepared))])

    def verify_many(self, roll: Roll, *, run: str = "") -> BatchResult:
        """Ask one question about many persons, ten thousand to a grant, and wait for the recorded answers.

        Everybody is answered as if asked alone; a number that is none concerns itself alone. Grant and looks are
        committed before anything is asked, the answers before they are used.

        Args:
            roll: the persons and the question.
            run: names the undertaking, so that after a crash the same call asks only what was not yet recorded; empty
                asks anew each time.

        Raises:
            MessageError: a column of claims isn't as long as the roll.
            HuodangError: the database can't take grants or answers. A gateway's failure is told in the result.
        """
        return self._batches.verify(roll, run)

    def batch_proofs(self, identity_number: str) -> list[LineProof]:
        """Prove a person's part of every batch it stood in, the newest first, without showing anybody else's."""
        return self._batches.proofs(identity_number)

    def record(self, connection: Connection, answer: Answer) -> AnswerRecord:
        """Record one answer; see `record_all`."""
        return self.record_all(connection, [answer])[0]

    def record_all(self, connection: Connection, answers: Sequence[Answer]) -> list[AnswerRecord]:
        """Record what came back, in the caller's transaction.

        The same verdict recorded again changes nothing. A second verdict that differs is kept as evidence, and the
        grant's outcome becomes a conflict.
        """
        return self._book.record(connection, answers, self._clock.now())

    def availability(self) -> dict[str, bool]:
        """Tell by resource what can be answered now: gateway reached, source readable, agreement in force."""
        departments = self._directory.departments
        with ThreadPoolExecutor(max_workers=max(1, len(departments))) as together:
            offers = list(together.map(self._directory.conformance, departments))
        ready: dict[str, bool] = {}
        for offered in offers:
            for one in (offered or {}).get("resources", ()):
                if isinstance(one, dict) and isinstance(name := one.get("resource"), str):
                    ready[name] = one.get("ready") is True
        with self._database.read() as connection:
            agreed = [one for one in self.agreements.all(connection) if one.state is AgreementState.IN_FORCE]
        return {one.agreement.resource: ready.get(one.agreement.resource, False) for one in agreed}

    def verdicts_of(self, connection: Connection, grant_id: str) -> list[SignedEnvelope]:
        """Give the signed verdicts of a grant; more than one if a department contradicted itself."""
        return self._book.verdicts_of(connection, grant_id)

    def grant_of(self, connection: Connection, grant_id: str) -> SignedEnvelope | None:
        """Give a signed grant of this hub; None if there is none of this id."""
        table = records.grant
        sealed = connection.execute(sa.select(table.c.envelope).where(table.c.grant_id == grant_id)).scalar()
        return None if sealed is None else SignedEnvelope.from_json(self._sealer.open(GRANT, sealed, grant_id))

    def subject_index(self, identity_number: str) -> str:
        """Give the blind index under which grants and looks of a person stand."""
        return self._sealer.blind_index(SUBJECT, identity_number)

    def _record_drafts(self, connection: Connection, made: Sequence[Drafted], now: datetime) -> None:
        texts = [one.prepared.text for one in made]
        looks = [self._look(one.permitted) for one in made]
        entries = [(LedgerEntry(GRANT, now, _facts(one)), text.encode()) for one, text in zip(made, texts, strict=True)]
        ids = self._ledger.record_all(connection, [*entries, *(self._looks.leaf(look, now) for look in looks)])
        rows = []
        for one, text, look, entry_id in zip(made, texts, looks, ids[: len(made)], strict=True):
            grant = one.permitted.grant
            rows.append(
                (
                    grant.grant_id,
                    grant.resource,
                    grant.provider,
                    grant.agreement_id,
                    grant.agreement_version,
                    grant.purpose,
                    grant.case_id,
                    look.subject_index,
                    one.envelope.digest,
                    self._sealer.seal(GRANT, text, grant.grant_id),
                    grant.issued_at,
                    grant.expires_at,
                    "issued",
                    entry_id,
                )
            )
        insert_rows(connection, records.grant, _GRANT_COLUMNS, rows)
        self._looks.insert(connection, looks, ids[len(made) :], now)

    def _record_reuse(self, connection: Connection, again: Sequence[tuple[Permitted, Answered]], now: datetime) -> None:
        """Record the looks at persons whose answers are used again; each names the grant that it goes back to."""
        looks = [self._look(one) for one, _ in again]
        leaves = [
            self._looks.leaf(look, now, {"reused": answer.verdict.grant_id})
            for look, (_, answer) in zip(looks, again, strict=True)
        ]
        self._looks.insert(connection, looks, self._ledger.record_all(connection, leaves), now)

    def _look(self, one: Permitted) -> LookEntry:
        question = one.question
        return LookEntry(
            actor=question.actor,
            purpose=question.purpose,
            case_id=question.case_id,
            subject_index=self.subject_index(one.grant.subject) if one.grant.subject else "",
            elements=tuple(dict.fromkeys((*one.grant.elements, *one.grant.fields))),
            decision=one.decision,
            what=one.grant.resource,
        )

    def _send(self, provider: str, batch: Sequence[tuple[int, PreparedGrant, str]]) -> Sequence[bytes | Failure]:
        group = self._directory.group(provider)
        if group is None:
            return [Failure.of(FailureCode.UNREACHABLE, "no_gateway")] * len(batch)
        asked = [one for _, one, _ in batch]
        # An action is never put to two gateways at once; what reads only may be.
        reads = all(one.grant is not None and one.grant.kind is not Kind.ACTION for one in asked)

        def good(came: Sequence[bytes]) -> bool:
            """Say whether this is worth having; what a slower gateway has taken already is refused by a quicker one."""
            now = self._clock.now()
            judged = [judge(one, raw, self._trusted, now) for one, raw in zip(asked, came, strict=True)]
            return not any(one.failure is not None and one.failure.detail == "replayed" for one in judged)

        try:
            return group.answers([text for *_, text in batch], good=good if reads else None)
        except CallFailure as problem:
            return [problem.failure] * len(batch)

    def _judge(self, prepared: PreparedGrant, raw: bytes | Failure, now: datetime) -> Answer:
        if isinstance(raw, Failure):
            return Answer(prepared, failure=raw)
        answer = judge(prepared, raw, self._trusted, now)
        # What can't be used is remembered by its digest, so that it can be told apart later; it is kept nowhere.
        return answer if answer.verdict is not None else replace(answer, received=sha256(raw).hex())


def _facts(one: Drafted) -> dict[str, str]:
    grant = one.permitted.grant
    return {
        "grant": grant.grant_id,
        "resource": grant.resource,
        "provider": grant.provider,
        "consumer": grant.consumer,
        "agreement": f"{grant.agreement_id}/{grant.agreement_version}",
        "purpose": grant.purpose,
        "case": grant.case_id,
        "digest": one.envelope.digest,
    }
