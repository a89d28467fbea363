"""What the exchange can prove and count: the ledger's entries behind a case, and answers by department. Codes only."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from huodang.exchange import records
from huodang.exchange.values import GRANT, VERDICT, Outcome
from huodang.store import Database


@dataclass(frozen=True)
class EvidenceEntry:
    """One entry of the ledger for which a receipt can be issued.

    Attributes:
        kind: `grant` or `verdict`.
        outcome: of a verdict; None of a grant.
    """

    kind: str
    resource: str
    provider: str
    grant_id: str
    outcome: Outcome | None
    at: datetime
    entry_id: str


def evidence_of_case(database: Database, case_id: str) -> list[EvidenceEntry]:
    """List the grants and verdicts of a case in order of time."""
    grants, verdicts = records.grant, records.verdict
    asked = sa.select(grants).where(grants.c.case_id == case_id)
    answered = (
        sa.select(verdicts, grants.c.resource, grants.c.provider)
        .join(grants, grants.c.grant_id == verdicts.c.grant_id)
        .where(grants.c.case_id == case_id)
    )
    with database.read() as connection:
        entries = [
            EvidenceEntry(GRANT, row.resource, row.provider, row.grant_id, None, row.issued_at, row.entry_id)
            for row in connection.execute(asked)
        ]
        entries += [
            EvidenceEntry(
                VERDICT, row.resource, row.provider, row.grant_id, Outcome(row.outcome), row.recorded_at, row.entry_id
            )
            for row in connection.execute(answered)
        ]
    return sorted(entries, key=lambda one: (one.at, one.kind, one.resource))


def verdict_counts(database: Database) -> dict[str, dict[Outcome, int]]:
    """Count all verdicts by department and outcome."""
    grants, verdicts = records.grant, records.verdict
    statement = (
        sa.select(grants.c.provider, verdicts.c.outcome, sa.func.count())
        .join(grants, grants.c.grant_id == verdicts.c.grant_id)
        .group_by(grants.c.provider, verdicts.c.outcome)
        .order_by(grants.c.provider, verdicts.c.outcome)
    )
    counted: dict[str, dict[Outcome, int]] = {}
    with database.read() as connection:
        for provider, outcome, number in connection.execute(statement):
            counted.setdefault(provider, {})[Outcome(outcome)] = int(number)
    return counted
