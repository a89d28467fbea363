"""The checks as jobs: verdicts are written, and a case whose last check is settled is weighed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from huodang.exchange import Answer, AnswerRecord, Outcome, Question
from huodang.retirement import records
from huodang.retirement.asking import Asked, DepartmentHandler, reason_of
from huodang.retirement.cases import FIELDS_ELEMENT, CaseRecord
from huodang.retirement.checks import CheckStatus, question
from huodang.retirement.effects import SETTLE_JOB
from huodang.retirement.engine import stop_department_clocks
from huodang.retirement.form import ApplicationForm
from huodang.retirement.states import State
from huodang.store import jobs

# What a gateway says when its own source is away for the moment: worth another try, unlike any other answer.
_PASSING: Final = frozenset({"source_unreachable"})


class CheckHandler(DepartmentHandler):
    """Asks one department the checks of a batch of cases."""

    table = records.check
    state = State.CHECKING
    waiting_status = CheckStatus.WAITING.value

    def most_attempts(self) -> int:
        """Say how often a department is asked before the check counts as unanswered."""
        return self.desk.settings.check_attempts

    def worth_another_try(self, answer: Answer) -> bool:
        """Only a verdict that says the source is away: any other is the department's word."""
        verdict = answer.verdict
        return verdict is not None and verdict.outcome is Outcome.UNKNOWN and verdict.reason in _PASSING

    def question(
        self,
        connection: Connection,  # noqa: ARG002  (items need it)
        case: CaseRecord,
        form: ApplicationForm,
        row: Row[Any],
    ) -> Question:
        """Ask what the plan says, in the platform's own name."""
        desk = self.desk
        required = desk.settings.medical_months_of(form.sex)
        asked = question(row.resource, form, desk.clock.today(), medical_months_required=required)
        return Question(
            resource=row.resource,
            case_id=case.case_id,
            identity_number=form.identity_number,
            claims=asked.claims,
            parameters=asked.parameters,
            purpose=desk.settings.purpose,
            actor=desk.system,
        )

    def settle(
        self, connection: Connection, case: CaseRecord, one: Asked, found: AnswerRecord, *, waits: bool, now: datetime
    ) -> None:
        """Write the answer to the check, unless the case has moved on or the check was asked anew."""
        if case.state is not State.CHECKING:
            return
        row = one.row
        values: dict[str, Any] = {"attempts": row.attempts + 1, "asked_at": now, "grant_id": found.grant_id or None}
        values |= {"reason": reason_of(found)} if waits else self._answered(row, found, now)
        table = records.check
        changed = connection.execute(
            update(table)
            .where(
                table.c.case_id == row.case_id,
                table.c.resource == row.resource,
                table.c.round == row.round,
                table.c.status == CheckStatus.WAITING.value,
            )
            .values(**values)
        )
        if changed.rowcount and not waits:
            stop_department_clocks(connection, row.case_id, now, row.resource)

    def _answered(self, row: Row[Any], found: AnswerRecord, now: datetime) -> dict[str, Any]:
        sealed = None
        if found.fields:
            text = json.dumps(found.fields, ensure_ascii=False, sort_keys=True)
            sealed = self.desk.sealer.seal(FIELDS_ELEMENT, text, f"{row.case_id}:{row.resource}")
        status = CheckStatus.ANSWERED if found.answered else CheckStatus.UNANSWERED
        return {
            "status": status.value,
            "outcome": found.outcome.value,
            "reason": reason_of(found),
            "as_of": found.as_of,
            "answered_at": now,
            "fields_sealed": sealed,
        }

    def after_batch(self, connection: Connection, cases: Mapping[str, CaseRecord], now: datetime) -> None:
        """Have the cases weighed whose last check is settled."""
        table = records.check
        unsettled = set(
            connection.execute(
                select(table.c.case_id).where(
                    table.c.case_id.in_(list(cases)), table.c.status == CheckStatus.WAITING.value
                )
            ).scalars()
        )
        for case in cases.values():
            if case.state is State.CHECKING and case.case_id not in unsettled:
                key = f"{SETTLE_JOB}:{case.case_id}"
                jobs.enqueue(connection, SETTLE_JOB, {"case": case.case_id}, run_at=now, key=key)
