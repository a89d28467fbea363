"""The hub's side of a batch: one grant for up to ten thousand subjects, recorded before it is sent; then its answers.

`BatchDesk` walks a whole roll (名册): it is cut into batches, two of which are on their way at once, so that hub and
gateway both have work. A batch that was recorded under a run's name is not asked again when the run is resumed.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements
from huodang.exchange.answers import SKEW, Failure, FailureCode, refusal_failure
from huodang.exchange.calls import records
from huodang.exchange.calls.batch_results import BatchResult, Piece
from huodang.exchange.calls.budgets import Budgets
from huodang.exchange.calls.messages import (
    BATCH_GRANT,
    BATCH_VERDICT,
    LARGEST_BATCH,
    PAGE_LINES,
    SALT_BYTES,
    AnsweredPage,
    AskedPage,
    BatchGrant,
    BatchVerdict,
    read_answered,
    read_asked,
    tree_root,
    write_page,
)
from huodang.exchange.calls.numbers import identities
from huodang.exchange.client import CallFailure, GatewayDirectory
from huodang.exchange.decisions import Actor
from huodang.exchange.errors import MessageError
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.questions import SUBJECT, Question, Terms, find_terms
from huodang.exchange.values import (
    GRANT_LIFE,
    OUTCOMES,
    REFUSAL,
    Kind,
    Outcome,
    Refusal,
    new_identifier,
    new_nonce,
    to_the_second,
)
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Clock, Database, insert_rows, shanghai_date
from huodang.trust import (
    EnvelopeError,
    FieldSealer,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    canonical_json,
    open_envelope,
    sign_envelope,
    suite,
)

PAGE: Final = "batch_page"
_RUN: Final = "batch_run"
_AT_ONCE: Final = 2
_SAID: Final = frozenset({one.value for one in OUTCOMES[Kind.CHECK]} | {Outcome.REFUSED.value})


@dataclass(frozen=True)
class Roll:
    """Many persons and one question about each (名册).

    Attributes:
        resource: `department.what`, a check.
        case_id: the case or matter that all belong to.
        subjects: identity numbers; one that is none, or a gateway refuses, concerns itself alone.
        claims: what is said of each person, a column an element as long as the subjects; None says nothing.
        parameters: what the question needs beyond the person, the same for all.
        purpose, actor, elements, fields, owner, employer, region, assigned: as in Question.
    """

    resource: str
    case_id: str
    subjects: Sequence[str]
    purpose: str
    actor: Actor
    claims: Mapping[str, Sequence[str | None]]
    parameters: Mapping[str, str]
    elements: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    owner: str = ""
    employer: str = ""
    region: str = ""
    assigned: bool = False

    def question(self) -> Question:
        """Give the question without the persons: what agreement and policy are looked up for."""
        return Question(
            resource=self.resource,
            case_id=self.case_id,
            identity_number="",
            claims={},
            parameters=self.parameters,
            purpose=self.purpose,
            actor=self.actor,
            elements=self.elements,
            fields=self.fields,
            owner=self.owner,
            employer=self.employer,
            region=self.region,
            assigned=self.assigned,
        )


_Line = tuple[str | None, ...]


@dataclass(frozen=True)
class PreparedBatch:
    """A batch that is signed and recorded, ready to be sent; or why nothing may be asked.

    Attributes:
        number: of the batch's row.
        asked: the pages, in order.
    """

    number: int
    head: BatchGrant | None
    envelope: SignedEnvelope | None
    asked: tuple[AskedPage, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class BatchAnswer:
    """What came back for a batch: pages that the signed head answers for, or why there are none."""

    prepared: PreparedBatch
    envelope: SignedEnvelope | None = None
    answered: tuple[AnsweredPage, ...] = ()
    written: tuple[bytes, ...] = ()
    failure: Failure | None = None


class BatchDesk:
    """Asks one question about many persons. Built by `Exchange`, whose arguments these are."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        signer: Signer,
        trusted: TrustedKeys,
        directory: GatewayDirectory,
        sealer: FieldSealer,
        clock: Clock,
        consumer: str,
        agreements: Agreements,
        looks: Looks,
        budgets: Budgets,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._signer = signer
        self._trusted = trusted
        self._directory = directory
        self._sealer = sealer
        self._clock = clock
        self._consumer = consumer
        self._agreements = agreements
        self._looks = looks
        self._budgets = budgets

    def verify(self, roll: Roll, run: str = "") -> BatchResult:
        """Ask about everybody of a roll; see `Exchange.verify_many`.

        Raises:
            MessageError: a column of claims isn't as long as the roll.
        """
        if any(len(column) != len(roll.subjects) for column in roll.claims.values()):
            raise MessageError("声明各列与名册人数不同", "a column of claims isn't as long as the roll")
        lines, where = _lines(roll)
        pieces = [lines[start : start + LARGEST_BATCH] for start in range(0, len(lines), LARGEST_BATCH)]
        with ThreadPoolExecutor(_AT_ONCE) as together:
            done = list(together.map(lambda one: self._piece(roll, one[1], run, one[0]), enumerate(pieces)))
        return BatchResult(roll.resource, tuple(done), tuple(where))

    def _piece(self, roll: Roll, lines: Sequence[_Line], run: str, number: int) -> Piece:
        name = self._run_name(roll, lines, run)
        known = self._recorded(name, number) if run else None
        if known is not None:
            return known
        with self._database.begin() as connection:
            prepared = self.prepare(connection, roll, lines, name, number)
        answer = self.ask(roll.resource.partition(".")[0], prepared)
        with self._database.begin() as connection:
            return self.record(connection, answer)

    def prepare(
        self, connection: Connection, roll: Roll, lines: Sequence[_Line], run: str = "", piece: int = 0
    ) -> PreparedBatch:
        """Find the agreement, decide, sign, and record grant and looks, in the caller's transaction."""
        now = self._clock.now()
        question = roll.question()
        in_force = self._agreements.in_force(connection, [roll.resource], shanghai_date(now))
        terms = find_terms(question, in_force.get(roll.resource, ()), self._signer.holder, self._consumer)
        if not isinstance(terms, Failure) and terms.agreement.kind is not Kind.CHECK:
            terms = Failure.of(FailureCode.NO_AGREEMENT, "kind")
        if not isinstance(terms, Failure):
            terms = self._budgets.spend(terms.agreement, len(lines), now) or terms
        if isinstance(terms, Failure):
            return PreparedBatch(0, None, None, failure=terms)
        claims = tuple(roll.claims)
        asked = tuple(_page(lines[start : start + PAGE_LINES], claims) for start in range(0, len(lines), PAGE_LINES))
        digest = suite(self._signer.suite).digest
        roots = [page.root(digest, claims) for page in asked]
        head = self._head(question, terms, claims, roots, len(lines), now)
        envelope = sign_envelope(BATCH_GRANT, head.to_payload(), self._signer)
        number = self._record_grant(connection, question, terms, head, envelope, tree_root(digest, roots), run, piece)
        row = f"{head.batch_id}:"
        insert_rows(
            connection,
            records.page,
            ("batch", "page", "asked"),
            [
                (number, at, self._sealer.seal(PAGE, write_page(page).decode(), f"{row}{at}"))
                for at, page in enumerate(asked)
            ],
        )
        indexes = self._sealer.blind_indexes(SUBJECT, [line[0] or "" for line in lines])
        # In the order of the index they lie in, which spares the database most of its searching.
        rows = sorted((index, number, at) for at, index in enumerate(indexes))
        insert_rows(connection, records.subject, ("subject_index", "batch", "line"), rows)
        return PreparedBatch(number, head, envelope, asked)

    def ask(self, provider: str, prepared: PreparedBatch) -> BatchAnswer:
        """Send a batch and judge what comes back, page by page. Touches no database."""
        client = self._directory.client(provider)
        if prepared.failure is not None or prepared.head is None or prepared.envelope is None:
            return BatchAnswer(prepared, failure=prepared.failure or Failure.of(FailureCode.NOT_PERMITTED))
        if client is None:
            return BatchAnswer(prepared, failure=Failure.of(FailureCode.UNREACHABLE, "no_gateway"))
        try:
            lines = client.batch(prepared.envelope.to_json(), [write_page(page) for page in prepared.asked])
            return self._judge(prepared, prepared.head, prepared.envelope, lines)
        except CallFailure as problem:
            return BatchAnswer(prepared, failure=problem.failure)

    def record(self, connection: Connection, answer: BatchAnswer) -> Piece:
        """Record what came back, in the caller's transaction: verdict, pages and one leaf. What is recorded stays."""
        now = self._clock.now()
        prepared, envelope, head = answer.prepared, answer.envelope, answer.prepared.head
        table = records.batch
        if head is None:
            return Piece("", (), (), failure=answer.failure)
        mine = sa.and_(table.c.number == prepared.number, table.c.state != "answered")
        if answer.failure is not None or envelope is None:
            failure = answer.failure or Failure.of(FailureCode.GARBAGE)
            connection.execute(
                sa.update(table).where(mine).values(state="failed", failure=failure.code, answered_at=now)
            )
            return Piece(head.batch_id, prepared.asked, (), failure=failure)
        digest = suite(envelope.suite).digest
        root = tree_root(digest, [bytes.fromhex(page) for page in BatchVerdict.from_payload(envelope.payload).pages])
        facts = {
            "batch": head.batch_id,
            "resource": head.resource,
            "provider": head.provider,
            "case": head.case_id,
            "subjects": str(head.subjects),
            "root": root.hex(),
            "digest": envelope.digest,
        }
        text = envelope.to_json()
        entry_id = self._ledger.record(connection, LedgerEntry(BATCH_VERDICT, now, facts), text.encode())
        changed = connection.execute(
            sa.update(table)
            .where(mine)
            .values(state="answered", failure=None, verdict_head=text, verdict_entry_id=entry_id, answered_at=now)
        )
        if changed.rowcount:
            self._record_pages(connection, prepared.number, head.batch_id, answer.written)
        return Piece(head.batch_id, prepared.asked, answer.answered, entry_id)

    def _record_pages(self, connection: Connection, number: int, batch_id: str, written: Sequence[bytes]) -> None:
        table = records.page
        statement = (
            sa.update(table)
            .where(table.c.batch == number, table.c.page == sa.bindparam("at"))
            .values(answered=sa.bindparam("sealed"))
        )
        sealed = [
            {"at": at, "sealed": self._sealer.seal(PAGE, raw.decode(), f"{batch_id}:{at}:answered")}
            for at, raw in enumerate(written)
        ]
        connection.execute(statement, sealed)

    def _recorded(self, run: str, piece: int) -> Piece | None:
        """Give a piece of a run that was recorded before."""
        table, pages = records.batch, records.page
        statement = sa.select(table).where(table.c.run == run, table.c.piece == piece, table.c.state == "answered")
        with self._database.read() as connection:
            row = connection.execute(statement.order_by(table.c.number).limit(1)).one_or_none()
            if row is None:
                return None
            found = connection.execute(sa.select(pages).where(pages.c.batch == row.number).order_by(pages.c.page)).all()
        name = f"{row.batch_id}:"
        asked = tuple(read_asked(self._sealer.open(PAGE, one.asked, f"{name}{one.page}").encode()) for one in found)
        answered = tuple(
            read_answered(self._sealer.open(PAGE, one.answered, f"{name}{one.page}:answered").encode()) for one in found
        )
        return Piece(row.batch_id, asked, answered, row.verdict_entry_id or "")

    def _run_name(self, roll: Roll, lines: Sequence[_Line], run: str) -> str:
        """Name a piece of a run by what it asks, so that a run's name can't bring the answers to another question."""
        if not run:
            return ""
        asked = (run, roll.resource, roll.case_id, roll.purpose, sorted(roll.parameters.items()), tuple(roll.claims))
        text = msgspec.json.encode((asked, roll.elements, roll.fields, roll.actor.user_id, lines)).decode()
        return self._sealer.blind_index(_RUN, text)

    def _head(
        self,
        question: Question,
        terms: Terms,
        claims: tuple[str, ...],
        roots: Iterable[bytes],
        subjects: int,
        now: datetime,
    ) -> BatchGrant:
        agreement = terms.agreement
        return BatchGrant(
            batch_id=new_identifier("b", now),
            resource=agreement.resource,
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            provider=agreement.provider,
            consumer=agreement.consumer,
            purpose=question.purpose,
            legal_basis=agreement.legal_basis,
            case_id=question.case_id,
            issued_at=to_the_second(now),
            expires_at=to_the_second(now) + GRANT_LIFE,
            nonce=new_nonce(),
            subjects=subjects,
            pages=tuple(root.hex() for root in roots),
            claims=claims,
            parameters=dict(question.parameters),
            elements=terms.elements,
            fields=terms.fields,
        )

    def _record_grant(
        self,
        connection: Connection,
        question: Question,
        terms: Terms,
        head: BatchGrant,
        envelope: SignedEnvelope,
        root: bytes,
        run: str,
        piece: int,
    ) -> int:
        now = self._clock.now()
        shared = {"batch": head.batch_id, "subjects": str(head.subjects), "root": root.hex()}
        facts = {
            **shared,
            "resource": head.resource,
            "provider": head.provider,
            "consumer": head.consumer,
            "agreement": f"{head.agreement_id}/{head.agreement_version}",
            "purpose": head.purpose,
            "case": head.case_id,
            "digest": envelope.digest,
        }
        elements = tuple(dict.fromkeys((*head.elements, *head.fields)))
        decision, actor = terms.decision, question.actor
        look = LookEntry(actor, head.purpose, head.case_id, "", elements, decision, head.resource)
        text = envelope.to_json()
        granted, looked = self._ledger.record_all(
            connection,
            [(LedgerEntry(BATCH_GRANT, now, facts), text.encode()), self._looks.leaf(look, now, shared)],
        )
        inserted = connection.execute(
            sa.insert(records.batch).values(
                batch_id=head.batch_id,
                run=run,
                piece=piece,
                state="issued",
                resource=head.resource,
                provider=head.provider,
                agreement_id=head.agreement_id,
                agreement_version=head.agreement_version,
                subjects=head.subjects,
                grant_head=text,
                at=now,
                grant_entry_id=granted,
                user_id=actor.user_id,
                user_name=actor.name,
                role=actor.role,
                department=actor.department,
                purpose=head.purpose,
                case_id=head.case_id,
                elements=canonical_json(list(elements)).decode(),
                policy=decision.policy,
                mask_level=decision.mask_level.value,
                entry_id=looked,
            )
        )
        return int(inserted.inserted_primary_key[0])  # type: ignore[index]  # a single row has its key

    def _judge(
        self, prepared: PreparedBatch, head: BatchGrant, grant: SignedEnvelope, lines: Iterable[bytes]
    ) -> BatchAnswer:
        pages, written, last = list[AnsweredPage](), list[bytes](), b""
        try:
            for line in lines:
                if last:
                    pages.append(read_answered(last))
                    written.append(last)
                    if len(pages) > len(head.pages):
                        return BatchAnswer(prepared, failure=Failure.of(FailureCode.GARBAGE, "pages"))
                last = line
            envelope = SignedEnvelope.from_json(last)
        except (MessageError, EnvelopeError):
            return BatchAnswer(prepared, failure=Failure.of(FailureCode.GARBAGE, "shape"))
        try:
            kind = REFUSAL if envelope.kind == REFUSAL else BATCH_VERDICT
            payload = open_envelope(envelope, kind, self._trusted, signer=head.provider, at=self._clock.now())
        except EnvelopeError as problem:
            return BatchAnswer(prepared, failure=Failure.of(FailureCode.WRONGLY_SIGNED, problem.code))
        try:
            if kind == REFUSAL:
                refused = refusal_failure(Refusal.from_payload(payload), head.provider, grant.digest)
                return BatchAnswer(prepared, failure=refused)
            failure = _fault(prepared, head, grant, BatchVerdict.from_payload(payload), pages, envelope.suite)
        except MessageError:
            failure = Failure.of(FailureCode.GARBAGE, "shape")
        if failure is not None:
            return BatchAnswer(prepared, failure=failure)
        return BatchAnswer(prepared, envelope, tuple(pages), tuple(written))


def _fault(
    prepared: PreparedBatch,
    head: BatchGrant,
    grant: SignedEnvelope,
    verdict: BatchVerdict,
    pages: Sequence[AnsweredPage],
    suite_name: str,
) -> Failure | None:
    """Say what keeps pages and signed head from being the answer to this batch."""
    answered = (verdict.batch_id, verdict.grant_digest, verdict.resource, verdict.provider, verdict.subjects)
    if answered != (head.batch_id, grant.digest, head.resource, head.provider, head.subjects):
        return Failure.of(FailureCode.FOR_OTHER_GRANT)
    if not len(pages) == len(verdict.pages) == len(head.pages):
        return Failure.of(FailureCode.GARBAGE, "pages")
    digest = suite(suite_name).digest
    for asked, page, root in zip(prepared.asked, pages, verdict.pages, strict=True):
        if page.fields.keys() != set(head.fields) or not _SAID.issuperset(page.outcomes):
            return Failure.of(FailureCode.NOT_ALLOWED, "outcome")
        if page.root(digest, asked, head.fields).hex() != root:
            return Failure.of(FailureCode.GARBAGE, "root")
    if not head.issued_at - SKEW <= verdict.answered_at <= head.expires_at + SKEW:
        return Failure.of(FailureCode.LATE)
    return None


def _lines(roll: Roll) -> tuple[list[_Line], list[int]]:
    """Give the lines to be asked, each once, and for every person of the roll the line; -1 for who can't be asked."""
    numbers = identities(roll.subjects)
    columns = list(roll.claims.values())
    rows: Iterable[tuple[str | None, ...]] = zip(*columns, strict=True) if columns else ((),) * len(numbers)
    places: dict[_Line, int] = {}
    where = [
        -1 if number is None else places.setdefault((number.text, *claims), len(places))
        for number, claims in zip(numbers, rows, strict=True)
    ]
    return list(places), where


def _page(lines: Sequence[_Line], claims: Sequence[str]) -> AskedPage:
    subjects, *columns = zip(*lines, strict=True)
    return AskedPage(
        salts=os.urandom(SALT_BYTES * len(lines)).hex(),
        subjects=subjects,
        claims=dict(zip(claims, columns, strict=True)),
    )
