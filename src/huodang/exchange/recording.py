"""Recording what came back: verdict, row and ledger leaf in one transaction; evidence is never overwritten."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.answers import TWO_DIFFERENT_VERDICTS, Answer, AnswerRecord, Failure, FailureCode
from huodang.exchange.calls.reuse import ReusableAnswers
from huodang.exchange.measures import ANSWERS
from huodang.exchange.values import VERDICT, Outcome, Verdict
from huodang.ledger import Ledger, LedgerEntry
from huodang.store import insert_rows
from huodang.trust import FieldSealer, SignedEnvelope

# Built once: building a statement costs more than running it on a single row.
_GRANTS: Final[sa.BindParameter[str]] = sa.bindparam("grants", expanding=True)
_SELECT_KNOWN: Final = sa.select(
    records.verdict.c.grant_id, records.verdict.c.digest, records.verdict.c.entry_id
).where(records.verdict.c.grant_id.in_(_GRANTS))
_VERDICT_COLUMNS: Final = tuple(column.name for column in records.verdict.c)
_SET_STATE: Final = (
    sa.update(records.grant).where(records.grant.c.grant_id.in_(_GRANTS)).values(state=sa.bindparam("to_state"))
)
_ANSWERED: Final = (
    sa.update(records.grant)
    .where(records.grant.c.grant_id.in_(_GRANTS), records.grant.c.state == "issued")
    .values(state="answered")
)
# A late failure doesn't undo an answer.
_SET_FAILED: Final = _SET_STATE.where(records.grant.c.state == "issued")


class AnswerBook:
    """Writes answers down."""

    def __init__(self, ledger: Ledger, sealer: FieldSealer, reusable: ReusableAnswers) -> None:
        self._ledger = ledger
        self._sealer = sealer
        self._reusable = reusable

    def record(self, connection: Connection, answers: Sequence[Answer], now: datetime) -> list[AnswerRecord]:
        """Record answers in the caller's transaction.

        The same verdict again changes nothing. A second one that differs is kept as evidence, and makes a conflict.
        """
        answered = [one.prepared.grant_id for one in answers if one.verdict is not None and not one.prepared.reused]
        all_new = bool(answered) and self._take_up(connection, answered)
        known = {} if all_new else self._known(connection, answered)
        results: list[AnswerRecord] = []
        fresh: list[tuple[int, Answer, Verdict, SignedEnvelope]] = []
        for one in answers:
            if reused := one.prepared.reused:
                results.append(replace(_with_verdict(reused.verdict, reused.entry_id), reused=True))
                continue
            if one.verdict is None or one.envelope is None:
                results.append(_without_verdict(one))
                continue
            seen = known.setdefault(one.prepared.grant_id, {})
            if one.envelope.digest not in seen:
                fresh.append((len(results), one, one.verdict, one.envelope))
            result = _with_verdict(one.verdict, seen.setdefault(one.envelope.digest, ""))
            results.append(
                replace(result, outcome=Outcome.CONFLICT, reason=TWO_DIFFERENT_VERDICTS) if len(seen) > 1 else result
            )
        self._write_failures(connection, [one for one in answers if one.verdict is None], now)
        counted = Counter((one.resource, str(one.failure.code if one.failure else one.outcome)) for one in results)
        for (resource, outcome), number in counted.items():
            ANSWERS.labels(resource, outcome).inc(number)
        for (position, *_), entry_id in zip(fresh, self._write_verdicts(connection, fresh, now), strict=True):
            results[position] = replace(results[position], entry_id=entry_id)
        self._set_states(connection, answers, known, taken_up=all_new)
        self._reusable.keep(
            connection,
            [(grant, one.prepared.agreement, said) for _, one, said, _ in fresh if (grant := one.prepared.grant)],
        )
        return results

    def verdicts_of(self, connection: Connection, grant_id: str) -> list[SignedEnvelope]:
        """Give the signed verdicts of a grant; more than one if a department contradicted itself."""
        table = records.verdict
        rows = connection.execute(sa.select(table).where(table.c.grant_id == grant_id).order_by(table.c.recorded_at))
        return [SignedEnvelope.from_json(self._sealer.open(VERDICT, row.envelope, row.grant_id)) for row in rows]

    def _take_up(self, connection: Connection, grant_ids: Sequence[str]) -> bool:
        """Mark grants as answered; true if none of them had been, as is usual: then no verdict need be looked for."""
        return connection.execute(_ANSWERED, {"grants": list(grant_ids)}).rowcount == len(grant_ids)

    def _known(self, connection: Connection, grant_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Give by grant the verdicts recorded before: digest and ledger entry."""
        known: dict[str, dict[str, str]] = {}
        if grant_ids:
            for grant_id, digest, entry_id in connection.execute(_SELECT_KNOWN, {"grants": list(grant_ids)}):
                known.setdefault(grant_id, {})[digest] = entry_id
        return known

    def _write_verdicts(
        self, connection: Connection, fresh: Sequence[tuple[int, Answer, Verdict, SignedEnvelope]], now: datetime
    ) -> list[str]:
        if not fresh:
            return []
        texts = [envelope.to_json() for *_, envelope in fresh]
        entries = [_entry(one, verdict, envelope, now) for _, one, verdict, envelope in fresh]
        ids = self._ledger.record_all(
            connection, [(entry, text.encode()) for entry, text in zip(entries, texts, strict=True)]
        )
        rows = [
            (
                verdict.grant_id,
                envelope.digest,
                verdict.outcome,
                verdict.reason,
                verdict.as_of,
                verdict.evidence_hash,
                self._sealer.seal(VERDICT, text, verdict.grant_id),
                now,
                entry_id,
            )
            for (_, _, verdict, envelope), text, entry_id in zip(fresh, texts, ids, strict=True)
        ]
        insert_rows(connection, records.verdict, _VERDICT_COLUMNS, rows)
        return ids

    def _write_failures(self, connection: Connection, failed: Sequence[Answer], now: datetime) -> None:
        rows = [
            {
                "grant_id": one.prepared.grant_id,
                "at": now,
                "code": one.failure.code,
                "detail": one.failure.detail,
                "received": one.received,
            }
            for one in failed
            if one.failure is not None and one.prepared.grant is not None
        ]
        if rows:
            connection.execute(sa.insert(records.failure), rows)

    def _set_states(
        self,
        connection: Connection,
        answers: Sequence[Answer],
        known: Mapping[str, Mapping[str, str]],
        *,
        taken_up: bool,
    ) -> None:
        states: dict[str, list[str]] = {}
        for one in answers:
            if one.prepared.grant is not None:
                verdicts = len(known.get(one.prepared.grant_id, ()))
                state = "failed" if verdicts == 0 else "answered" if verdicts == 1 else "conflict"
                if state != "answered" or not taken_up:
                    states.setdefault(state, []).append(one.prepared.grant_id)
        for state, grant_ids in states.items():
            statement = _SET_FAILED if state == "failed" else _SET_STATE
            connection.execute(statement, {"grants": grant_ids, "to_state": state})


def _without_verdict(answer: Answer) -> AnswerRecord:
    failure = answer.failure or Failure.of(FailureCode.GARBAGE)
    prepared = answer.prepared
    return AnswerRecord(
        prepared.grant_id, prepared.resource, Outcome.UNKNOWN, failure.code, answered=False, failure=failure
    )


def _entry(answer: Answer, verdict: Verdict, envelope: SignedEnvelope, now: datetime) -> LedgerEntry:
    facts = {
        "grant": verdict.grant_id,
        "resource": verdict.resource,
        "provider": verdict.provider,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "case": answer.prepared.case_id,
        "evidence": verdict.evidence_hash,
        "digest": envelope.digest,
    }
    return LedgerEntry(VERDICT, now, facts)


def _with_verdict(verdict: Verdict, entry_id: str) -> AnswerRecord:
    return AnswerRecord(
        grant_id=verdict.grant_id,
        resource=verdict.resource,
        outcome=verdict.outcome,
        reason=verdict.reason,
        answered=True,
        as_of=verdict.as_of,
        fields=dict(verdict.fields),
        entry_id=entry_id,
        rows=tuple(dict(row) for row in verdict.rows),
    )
