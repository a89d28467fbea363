"""The hub's side of a batch: one grant for up to ten thousand subjects, recorded before it is sent; then its answers.

`BatchDesk` walks a whole roll (名册): it is cut into batches, two of which are on their way at once, so that hub and
gateway both have work. A batch that was recorded under a run's name is not asked again when the run is resumed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import Agreements
from huodang.exchange.answers import Failure, FailureCode
from huodang.exchange.calls import records
from huodang.exchange.calls.batch_judging import BatchAnswer, PreparedBatch, judge_batch
from huodang.exchange.calls.batch_results import BatchResult, Piece
from huodang.exchange.calls.budgets import Budgets
from huodang.exchange.calls.messages import (
    BATCH_GRANT,
    BATCH_VERDICT,
    LARGEST_BATCH,
    PAGE_LINES,
    AnsweredPage,
    AskedPage,
    BatchGrant,
    BatchVerdict,
    read_answered,
    read_asked,
    tree_root,
    write_page,
)
from huodang.exchange.calls.proofs import LineProof, prove_line
from huodang.exchange.calls.rolls import Line, Roll, lines_of, page_of
from huodang.exchange.client import CallFailure, GatewayDirectory
from huodang.exchange.errors import MessageError
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.questions import SUBJECT, Question, Terms, find_terms
from huodang.exchange.values import (
    GRANT_LIFE,
    Kind,
    new_identifier,
    new_nonce,
    to_the_second,
)
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import Clock, Database, insert_rows, shanghai_date
from huodang.trust import (
    FieldSealer,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    canonical_json,
    sign_envelope,
    suite,
)

PAGE: Final = "batch_page"
_RUN: Final = "batch_run"
_AT_ONCE: Final = 2


@dataclass(frozen=True)
class _Draft:
    """A batch before it is signed: the question, on what terms it may be asked, and roots of its pages."""

    question: Question
    terms: Terms
    claims: tuple[str, ...]
    roots: tuple[bytes, ...]
    subjects: int


@dataclass(frozen=True)
class BatchDesk:
    """Asks one question about many persons. Built by `Exchange`, whose arguments these are."""

    database: Database
    ledger: Ledger
    signer: Signer
    trusted: TrustedKeys
    directory: GatewayDirectory
    sealer: FieldSealer
    clock: Clock
    consumer: str
    agreements: Agreements
    looks: Looks
    budgets: Budgets

    def verify(self, roll: Roll, run: str = "") -> BatchResult:
        """Ask about everybody of a roll; see `Exchange.verify_many`.

        Raises:
            MessageError: a column of claims isn't as long as the roll.
        """
        if any(len(column) != len(roll.subjects) for column in roll.claims.values()):
            raise MessageError("声明各列与名册人数不同", "a column of claims isn't as long as the roll")
        lines, where = lines_of(roll)
        pieces = [lines[start : start + LARGEST_BATCH] for start in range(0, len(lines), LARGEST_BATCH)]
        with ThreadPoolExecutor(_AT_ONCE) as together:
            done = list(together.map(lambda one: self._piece(roll, one[1], run, one[0]), enumerate(pieces)))
        return BatchResult(roll.resource, tuple(done), tuple(where))

    def _piece(self, roll: Roll, lines: Sequence[Line], run: str, number: int) -> Piece:
        name = self._run_name(roll, lines, run)
        known = self._recorded(name, number) if run else None
        if known is not None:
            return known
        with self.database.begin() as connection:
            prepared = self.prepare(connection, roll, lines, name, number)
        answer = self.ask(roll.resource.partition(".")[0], prepared)
        with self.database.begin() as connection:
            return self.record(connection, answer)

    def prepare(
        self, connection: Connection, roll: Roll, lines: Sequence[Line], run: str = "", piece: int = 0
    ) -> PreparedBatch:
        """Find the agreement, decide, sign, and record grant and looks, in the caller's transaction."""
        now = self.clock.now()
        question = roll.question()
        in_force = self.agreements.in_force(connection, [roll.resource], shanghai_date(now))
        terms = find_terms(question, in_force.get(roll.resource, ()), self.signer.holder, self.consumer)
        if not isinstance(terms, Failure) and terms.agreement.kind is not Kind.CHECK:
            terms = Failure.of(FailureCode.NO_AGREEMENT, "kind")
        if not isinstance(terms, Failure):
            terms = self.budgets.spend(terms.agreement, len(lines), now) or terms
        if isinstance(terms, Failure):
            return PreparedBatch(0, None, None, failure=terms)
        claims = tuple(roll.claims)
        asked = tuple(page_of(lines[start : start + PAGE_LINES], claims) for start in range(0, len(lines), PAGE_LINES))
        digest = suite(self.signer.suite).digest
        roots = tuple(page.root(digest, claims) for page in asked)
        draft = _Draft(question, terms, claims, roots, len(lines))
        head = _head(draft, now)
        envelope = sign_envelope(BATCH_GRANT, head.to_payload(), self.signer)
        number = self._record_grant(connection, draft, head, envelope, {"run": run, "piece": piece})
        row = f"{head.batch_id}:"
        insert_rows(
            connection,
            records.page,
            ("batch", "page", "asked"),
            [
                (number, at, self.sealer.seal(PAGE, write_page(page).decode(), f"{row}{at}"))
                for at, page in enumerate(asked)
            ],
        )
        indexes = self.sealer.blind_indexes(SUBJECT, [line[0] or "" for line in lines])
        # In the order of the index they lie in, which spares the database most of its searching.
        rows = sorted((index, number, at) for at, index in enumerate(indexes))
        insert_rows(connection, records.subject, ("subject_index", "batch", "line"), rows)
        return PreparedBatch(number, head, envelope, asked)

    def ask(self, provider: str, prepared: PreparedBatch) -> BatchAnswer:
        """Send a batch and judge what comes back, page by page. Touches no database."""
        group = self.directory.group(provider)
        if prepared.failure is not None or prepared.head is None or prepared.envelope is None:
            return BatchAnswer(prepared, failure=prepared.failure or Failure.of(FailureCode.NOT_PERMITTED))
        if group is None:
            return BatchAnswer(prepared, failure=Failure.of(FailureCode.UNREACHABLE, "no_gateway"))
        try:
            lines = group.batch(prepared.envelope.to_json(), [write_page(page) for page in prepared.asked])
            return judge_batch(prepared, lines, self.trusted, self.clock.now())
        except CallFailure as problem:
            return BatchAnswer(prepared, failure=problem.failure)

    def record(self, connection: Connection, answer: BatchAnswer) -> Piece:
        """Record what came back, in the caller's transaction: verdict, pages and one leaf. What is recorded stays."""
        now = self.clock.now()
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
        entry_id = self.ledger.record(connection, LedgerEntry(BATCH_VERDICT, now, facts), text.encode())
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
            {"at": at, "sealed": self.sealer.seal(PAGE, raw.decode(), f"{batch_id}:{at}:answered")}
            for at, raw in enumerate(written)
        ]
        connection.execute(statement, sealed)

    def _recorded(self, run: str, piece: int) -> Piece | None:
        """Give a piece of a run that was recorded before."""
        table, pages = records.batch, records.page
        statement = sa.select(table).where(table.c.run == run, table.c.piece == piece, table.c.state == "answered")
        with self.database.read() as connection:
            row = connection.execute(statement.order_by(table.c.number).limit(1)).one_or_none()
            if row is None:
                return None
            found = connection.execute(sa.select(pages).where(pages.c.batch == row.number).order_by(pages.c.page)).all()
        opened = [self._open_page(row.batch_id, one) for one in found]
        asked, answered = tuple(one for one, _ in opened), tuple(one for _, one in opened)
        return Piece(row.batch_id, asked, answered, row.verdict_entry_id or "")

    def proofs(self, subject: str) -> list[LineProof]:
        """Make the proofs of all lines about a person, of answered batches, the newest first."""
        table, lines = records.batch, records.subject
        statement = (
            sa.select(table, lines.c.line)
            .join(lines, lines.c.batch == table.c.number)
            .where(lines.c.subject_index == self.sealer.blind_index(SUBJECT, subject), table.c.state == "answered")
            .order_by(table.c.number.desc(), lines.c.line)
        )
        pages, made = records.page, list[LineProof]()
        with self.database.read() as connection:
            for row in connection.execute(statement).all():
                at = row.line // PAGE_LINES
                found = connection.execute(
                    sa.select(pages).where(pages.c.batch == row.number, pages.c.page == at)
                ).one()
                heads = [SignedEnvelope.from_json(text) for text in (row.grant_head, row.verdict_head)]
                made.append(prove_line(heads[0], heads[1], row.line, self._open_page(row.batch_id, found)))
        return made

    def _open_page(self, batch_id: str, row: sa.Row[Any]) -> tuple[AskedPage, AnsweredPage]:
        name = f"{batch_id}:{row.page}"
        asked = self.sealer.open(PAGE, row.asked, name).encode()
        answered = self.sealer.open(PAGE, row.answered, f"{name}:answered").encode()
        return read_asked(asked), read_answered(answered)

    def _run_name(self, roll: Roll, lines: Sequence[Line], run: str) -> str:
        """Name a piece of a run by what it asks, so that a run's name can't bring the answers to another question."""
        if not run:
            return ""
        asked = (run, roll.resource, roll.case_id, roll.purpose, sorted(roll.parameters.items()), tuple(roll.claims))
        text = msgspec.json.encode((asked, roll.elements, roll.fields, roll.actor.user_id, lines)).decode()
        return self.sealer.blind_index(_RUN, text)

    def _record_grant(
        self,
        connection: Connection,
        draft: _Draft,
        head: BatchGrant,
        envelope: SignedEnvelope,
        run: Mapping[str, object],
    ) -> int:
        """Write grant and look, a row and two leaves for all; give the number of the row."""
        now = self.clock.now()
        root = tree_root(suite(envelope.suite).digest, draft.roots)
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
        decision, actor = draft.terms.decision, draft.question.actor
        look = LookEntry(actor, head.purpose, head.case_id, "", elements, decision, head.resource)
        text = envelope.to_json()
        granted, looked = self.ledger.record_all(
            connection,
            [(LedgerEntry(BATCH_GRANT, now, facts), text.encode()), self.looks.leaf(look, now, shared)],
        )
        inserted = connection.execute(
            sa.insert(records.batch).values(
                batch_id=head.batch_id,
                **run,
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


def _head(draft: _Draft, now: datetime) -> BatchGrant:
    agreement, question = draft.terms.agreement, draft.question
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
        subjects=draft.subjects,
        pages=tuple(root.hex() for root in draft.roots),
        claims=draft.claims,
        parameters=dict(question.parameters),
        elements=draft.terms.elements,
        fields=draft.terms.fields,
    )
