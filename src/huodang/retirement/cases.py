"""Reading a case: its row, form, checks, clock, decision. Every sealed value is opened here and nowhere else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from huodang.exchange import Outcome
from huodang.retirement import records
from huodang.retirement.checks import CHECKS, CheckResult, CheckStatus
from huodang.retirement.clocks import ClockEntry
from huodang.retirement.errors import UnknownCaseError
from huodang.retirement.form import ApplicationForm
from huodang.retirement.reasons import Reason
from huodang.retirement.states import State
from huodang.standards import Month
from huodang.trust import FieldSealer

FORM_ELEMENT = "retirement_form"
FIELDS_ELEMENT = "retirement_check_fields"
DECISION_ELEMENT = "retirement_decision"
NOTE_ELEMENT = "retirement_note"
MESSAGE_ELEMENT = "retirement_notice"

PROPOSED = "proposed"
FINAL = "final"


@dataclass(frozen=True)
class CaseRecord:
    """The row of one case."""

    case_id: str
    person_index: str
    live_index: str | None
    state: State
    state_since: datetime
    sequence: int
    form_sealed: str
    applicant_kind: str
    applicant_user: str
    employer: str
    category: str
    route: str
    province: str
    region: str
    retirement_month: Month | None
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    findings: Mapping[str, str]
    papers_asked: tuple[str, ...]
    came_from: str | None
    notice_required: bool
    provisional_approved_by: str | None
    window_reviewer: str | None
    decided_by: str | None
    decision_number: int
    created_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None
    volume_id: str | None
    papers_after: int | None

    @classmethod
    def of(cls, row: RowMapping) -> "CaseRecord":
        """Read a row."""
        values: dict[str, Any] = dict(row)
        values["state"] = State(values["state"])
        values["reasons"] = tuple(Reason.from_values(one) for one in values["reasons"])
        values["notes"] = tuple(Reason.from_values(one) for one in values["notes"])
        values["papers_asked"] = tuple(values["papers_asked"])
        return cls(**values)


@dataclass(frozen=True)
class NoticeRecord:
    """One public notice (公示)."""

    number: int
    grounds: tuple[str, ...]
    starts_on: date
    ends_on: date
    provisional: bool
    objections: int
    closed_at: datetime | None


def load(connection: Connection, case_id: str, *, lock: bool = False) -> CaseRecord:
    """Read one case; with `lock` nobody else may move it until the transaction ends.

    Raises:
        UnknownCaseError: there is none.
    """
    statement = select(records.case).where(records.case.c.case_id == case_id)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise UnknownCaseError
    return CaseRecord.of(row)


def load_many(connection: Connection, case_ids: Sequence[str], *, lock: bool = False) -> dict[str, CaseRecord]:
    """Read several cases by number, locked in the order of their numbers so that two writers can't block each other."""
    table = records.case
    statement = select(table).where(table.c.case_id.in_(sorted(set(case_ids)))).order_by(table.c.case_id)
    rows = connection.execute(statement.with_for_update() if lock else statement).mappings()
    return {row["case_id"]: CaseRecord.of(row) for row in rows}


def form_of(sealer: FieldSealer, case: CaseRecord) -> ApplicationForm:
    """Open a case's form."""
    values = json.loads(sealer.open(FORM_ELEMENT, case.form_sealed, case.case_id))
    return ApplicationForm.parse(values, draft=case.state is State.DRAFT)


def seal_form(sealer: FieldSealer, case_id: str, form: ApplicationForm) -> str:
    """Seal a form for its case."""
    return sealer.seal(FORM_ELEMENT, json.dumps(form.to_values(), ensure_ascii=False), case_id)


def check_of(sealer: FieldSealer, row: RowMapping) -> CheckResult:
    """Read one check's row."""
    sealed = row["fields_sealed"]
    fields: dict[str, str] = {}
    if sealed is not None:
        fields = json.loads(sealer.open(FIELDS_ELEMENT, sealed, f"{row['case_id']}:{row['resource']}"))
    return CheckResult(
        resource=row["resource"],
        status=CheckStatus(row["status"]),
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        as_of=row["as_of"],
        fields=fields,
        accepted_evidence=row["accepted_evidence"],
        accepted_by=row["accepted_by"],
        accepted_at=row["accepted_at"],
        asked_at=row["asked_at"],
        answered_at=row["answered_at"],
        attempts=row["attempts"],
        grant_id=row["grant_id"],
    )


def checks_of(
    connection: Connection, sealer: FieldSealer, case_ids: Sequence[str]
) -> dict[str, dict[str, CheckResult]]:
    """Read the checks of some cases, by case and resource, in the order of the plan."""
    order = {check.resource: place for place, check in enumerate(CHECKS)}
    found: dict[str, dict[str, CheckResult]] = {case_id: {} for case_id in case_ids}
    rows = connection.execute(select(records.check).where(records.check.c.case_id.in_(list(found)))).mappings()
    for row in sorted(rows, key=lambda one: order[one["resource"]]):
        found[row["case_id"]][row["resource"]] = check_of(sealer, row)
    return found


def clock_of(connection: Connection, case_id: str) -> list[ClockEntry]:
    """Read whose day it was, in order of time."""
    table = records.clock_entry
    rows = connection.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.since, table.c.id))
    return [ClockEntry(row.party, row.step, row.since, row.until) for row in rows]


def notices_of(connection: Connection, case_id: str) -> list[NoticeRecord]:
    """Read the public notices of a case, first to last."""
    table = records.public_notice
    rows = connection.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.number))
    return [
        NoticeRecord(
            row.number, tuple(row.grounds), row.starts_on, row.ends_on, row.provisional, row.objections, row.closed_at
        )
        for row in rows
    ]


def present_notice(connection: Connection, case: CaseRecord) -> NoticeRecord | None:
    """Read the public notice of the present decision, if there is one."""
    return next((one for one in notices_of(connection, case.case_id) if one.number == case.decision_number), None)


def decision_values(connection: Connection, sealer: FieldSealer, case: CaseRecord) -> tuple[str, dict[str, Any]] | None:
    """Read the stage (`proposed` or `final`) and values of the present decision; None when there is none yet."""
    table = records.decision
    row = connection.execute(
        select(table).where(table.c.case_id == case.case_id, table.c.number == case.decision_number)
    ).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = json.loads(
        sealer.open(DECISION_ELEMENT, row.decision_sealed, f"{case.case_id}:{row.number}")
    )
    return row.stage, values
