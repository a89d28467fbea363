"""Answers that are used again (缓存): as long as the agreement lets the consumer, for the same question and purpose.

Each reuse is decided on, looked at and ledgered like a question of its own; what it saves is the call. An unknown is
never kept, what was put in doubt or corrected since is asked anew, and what no agreement in force covers any more is
never found, as agreement and version are in the index.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records as exchange_records
from huodang.exchange.answers import Answered
from huodang.exchange.calls import records
from huodang.exchange.sharing import Doubts
from huodang.exchange.values import VERDICT, Agreement, Grant, Kind, Outcome, Verdict
from huodang.trust import FieldSealer, SignedEnvelope, canonical_json

_QUESTION: Final = "question"


class ReusableAnswers:
    """Keeps which verdicts may be used again, in the hub's database."""

    def __init__(self, sealer: FieldSealer) -> None:
        self._sealer = sealer
        self._doubts = Doubts(sealer)

    def question_index(self, grant: Grant) -> str:
        """Give the blind index of all that a question says but when it was asked and for which case."""
        said = [
            grant.resource,
            grant.agreement_id,
            grant.agreement_version,
            grant.purpose,
            grant.subject,
            dict(grant.claims),
            dict(grant.parameters),
            sorted(grant.elements),
            sorted(grant.fields),
        ]
        return self._sealer.blind_index(_QUESTION, canonical_json(said).decode())

    def find(
        self, connection: Connection, asked: Sequence[tuple[Grant, Agreement]], now: datetime
    ) -> dict[str, Answered]:
        """Give by grant id what answers it already: young enough for its agreement, and not in doubt since."""
        wanted = {
            self.question_index(grant): (grant, agreement)
            for grant, agreement in asked
            if agreement.kind is Kind.CHECK and agreement.cache_seconds
        }
        if not wanted:
            return {}
        kept, verdicts, grants = records.reusable, exchange_records.verdict, exchange_records.grant
        rows = connection.execute(
            sa.select(kept.c.question_index, kept.c.answered_at, verdicts)
            .join(verdicts, verdicts.c.grant_id == kept.c.grant_id)
            .join(grants, sa.and_(grants.c.grant_id == kept.c.grant_id, grants.c.state == "answered"))
            .where(kept.c.question_index.in_(list(wanted)))
        )
        found: dict[str, Answered] = {}
        for row in rows:
            grant, agreement = wanted[row.question_index]
            young = timedelta() <= now - row.answered_at < timedelta(seconds=agreement.cache_seconds)
            subject = self._doubts.subject_index(grant.subject)
            if young and not self._doubts.corrected_since(connection, grant.resource, subject, row.answered_at):
                envelope = SignedEnvelope.from_json(self._sealer.open(VERDICT, row.envelope, row.grant_id))
                verdict = Verdict.from_payload(envelope.payload)
                found[grant.grant_id] = Answered(verdict, envelope, row.entry_id)
        return found

    def keep(self, connection: Connection, answered: Sequence[tuple[Grant, Agreement | None, Verdict]]) -> None:
        """Keep what may be used again; the newest answer to a question takes the place of the one before."""
        rows = [
            {
                "question_index": self.question_index(grant),
                "grant_id": grant.grant_id,
                "resource": grant.resource,
                "subject_index": self._sealer.blind_index("identity_number", grant.subject),
                "answered_at": verdict.answered_at,
            }
            for grant, agreement, verdict in answered
            if agreement is not None
            and agreement.kind is Kind.CHECK
            and agreement.cache_seconds
            and verdict.outcome is not Outcome.UNKNOWN
        ]
        if not rows:
            return
        newest = {row["question_index"]: row for row in rows}
        connection.execute(sa.delete(records.reusable).where(records.reusable.c.question_index.in_(list(newest))))
        connection.execute(sa.insert(records.reusable), list(newest.values()))

    def forget(self, connection: Connection, *, resource: str, subject_index: str | None = None) -> int:
        """Use no answer of a resource again, or none about one person: it was corrected or recalled; give how many."""
        table = records.reusable
        statement = sa.delete(table).where(table.c.resource == resource)
        if subject_index is not None:
            statement = statement.where(table.c.subject_index == subject_index)
        return connection.execute(statement).rowcount
