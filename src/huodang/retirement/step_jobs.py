"""The platform's own steps as jobs: weighing the checks, ends of terms, settled items.

Each job looks at the case as it is now: one that has moved on meanwhile is left alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from huodang.retirement import records
from huodang.retirement.cases import CaseRecord, checks_of, form_of, load_many, present_notice
from huodang.retirement.checks import CheckStatus
from huodang.retirement.desk import Desk
from huodang.retirement.determination import Circumstances, Determination, determine
from huodang.retirement.engine import Engine
from huodang.retirement.joint_items import REGISTER_BENEFIT, ItemStatus
from huodang.retirement.states import Event, State
from huodang.store import Handler, Job, LeaseLost, jobs

Step = Callable[[Connection, CaseRecord, Job], None]


def each_case(desk: Desk, state: State, step: Step) -> Handler:
    """Make a handler that runs a step for every case of the batch that still stands in a state.

    The batch is one transaction; should one case fail in it, each is done in a transaction of its own, so that one bad
    case doesn't hold up the others.
    """

    def run(batch: list[Job]) -> None:
        with desk.database.begin() as connection:
            cases = load_many(connection, [job.payload["case"] for job in batch], lock=True)
            for job in batch:
                try:
                    jobs.complete(connection, job)
                except LeaseLost:
                    continue
                case = cases.get(job.payload["case"])
                if case is not None and case.state is state:
                    step(connection, case, job)

    def handler(batch: list[Job]) -> None:
        if len(batch) == 1:
            run(batch)
            return
        try:
            run(batch)
        except Exception:  # noqa: BLE001  (whatever it was, it is raised again for the one case that has it)
            faults: list[Exception] = []
            for job in batch:
                try:
                    run([job])
                except Exception as error:  # noqa: BLE001  (the others must go on; the last one is raised below)
                    faults.append(error)
            if faults:
                raise faults[-1] from None

    return handler


def settle_step(desk: Desk, engine: Engine) -> Step:
    """Weigh the checks of a case and take the branch that follows."""

    def step(connection: Connection, case: CaseRecord, _job: Job) -> None:
        results = checks_of(connection, desk.sealer, [case.case_id])[case.case_id]
        if any(result.status is CheckStatus.WAITING for result in results.values()):
            return  # a check was asked anew: its answer will call for this again
        determination = weigh(desk, connection, case)
        data: Mapping[str, Any] = {"determination": determination, "reasons": determination.reasons}
        engine.apply(connection, case.case_id, Event.CHECKS_SETTLED, desk.system, data=data, case=case)

    return step


def weigh(desk: Desk, connection: Connection, case: CaseRecord) -> Determination:
    """Determine what follows from the checks of a case as they are."""
    results = checks_of(connection, desk.sealer, [case.case_id])[case.case_id]
    today = desk.clock.today()
    notice = present_notice(connection, case)
    table = records.item
    registered = connection.execute(
        select(table.c.status).where(table.c.case_id == case.case_id, table.c.resource == REGISTER_BENEFIT)
    ).scalar_one_or_none()
    circumstances = Circumstances(
        findings=case.findings,
        notice_over=notice is not None and notice.ends_on < today,
        provisional_approved=case.provisional_approved_by is not None,
        own_benefit=registered in {ItemStatus.DONE.value, ItemStatus.WAIVED.value},
        ahead_months=desk.settings.ahead_months,
        employer=case.employer,
    )
    return determine(form_of(desk.sealer, case), results, today, circumstances)


def event_step(desk: Desk, engine: Engine, event: Event) -> Step:
    """Apply an event of the platform's own when its condition holds; else nothing is to be done."""

    def step(connection: Connection, case: CaseRecord, job: Job) -> None:
        expected = job.payload.get("sequence")
        if expected is None or expected == case.sequence:
            engine.apply(connection, case.case_id, event, desk.system, case=case)

    return step
