"""The joint items as jobs: actions at a department, each under its stable key.

A crash after the department has acted and before it is recorded asks again with the same key; the department answers
`done` again and does nothing, so the effect is there once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from huodang.exchange import Answer, AnswerRecord, Outcome, Question
from huodang.retirement import records
from huodang.retirement.asking import Asked, DepartmentHandler, reason_of
from huodang.retirement.cases import CaseRecord, decision_values
from huodang.retirement.desk import SYSTEM_USER
from huodang.retirement.engine import stop_department_clocks
from huodang.retirement.entitlement import Proposal
from huodang.retirement.errors import RetirementError
from huodang.retirement.form import ApplicationForm
from huodang.retirement.item_effects import after_item_settled
from huodang.retirement.joint_items import ITEM_OF, ItemStatus, parameters
from huodang.retirement.states import State


class ItemHandler(DepartmentHandler):
    """Has one department carry out the items of a batch of cases."""

    table = records.item
    state = State.JOINT_ITEMS
    waiting_status = ItemStatus.WAITING.value

    def most_attempts(self) -> int:
        """Say how often an action is tried before a person is needed."""
        return self.desk.settings.item_attempts

    def worth_another_try(self, answer: Answer) -> bool:
        """A verdict that doesn't know whether the action was done: the same key makes asking again safe."""
        return answer.verdict is not None and answer.verdict.outcome is Outcome.UNKNOWN

    def question(self, connection: Connection, case: CaseRecord, form: ApplicationForm, row: Row[Any]) -> Question:
        """Ask for the action, with what it needs and nothing else.

        Raises:
            RetirementError: the case has no decision, which no case at this step can lack.
        """
        desk = self.desk
        found = decision_values(connection, desk.sealer, case)
        if found is None:
            raise RetirementError("联办件没有待遇核定结果", "the case has no decision")
        proposal = Proposal.from_values(found[1])
        return Question(
            resource=row.resource,
            case_id=case.case_id,
            identity_number=form.identity_number,
            claims={"name": form.name},
            parameters=parameters(ITEM_OF[row.resource], row.idempotency_key, form, proposal),
            purpose=desk.settings.purpose,
            actor=desk.system,
        )

    def settle(
        self, connection: Connection, case: CaseRecord, one: Asked, found: AnswerRecord, *, waits: bool, now: datetime
    ) -> None:
        """Write how the item went; what a department carried out is recorded even when the case has ended meanwhile."""
        row = one.row
        values: dict[str, Any] = {"attempts": row.attempts + 1, "grant_id": found.grant_id or None}
        done = found.outcome is Outcome.DONE
        if done:
            values |= {"status": ItemStatus.DONE.value, "reason": "done", "settled_at": now, "settled_by": SYSTEM_USER}
        elif waits:
            values["reason"] = reason_of(found)
        else:
            values |= {"status": ItemStatus.NEEDS_PERSON.value, "reason": reason_of(found)}
        open_still = [ItemStatus.WAITING.value, *([ItemStatus.STOPPED.value] if done else [])]
        table = records.item
        changed = connection.execute(
            update(table)
            .where(
                table.c.case_id == row.case_id,
                table.c.resource == row.resource,
                table.c.idempotency_key == row.idempotency_key,
                table.c.status.in_(open_still),
            )
            .values(**values)
        )
        if not changed.rowcount:
            return
        if done and case.state is State.JOINT_ITEMS:
            after_item_settled(connection, self.desk, case, row.resource, now)
        elif "status" in values:
            stop_department_clocks(connection, row.case_id, now, row.resource)

    def after_batch(self, connection: Connection, cases: Mapping[str, CaseRecord], now: datetime) -> None:
        """Nothing more: each item has called for what follows it."""
