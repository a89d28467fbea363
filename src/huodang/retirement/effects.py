"""The effects of the transition table, up to the review; those of the joint items stand in `item_effects.py`.

Each effect works in the transaction of its change and leaves the state itself to the engine.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from huodang.exchange import Outcome
from huodang.retirement import records
from huodang.retirement.cases import form_of, present_notice, seal_form
from huodang.retirement.checks import CHECKS, Check, CheckStatus
from huodang.retirement.decisions import finalise_decision, propose, reopen_decision
from huodang.retirement.determination import CONTRIBUTIONS, Determination
from huodang.retirement.engine import Change, Effect, start_department_clock, stop_department_clocks
from huodang.retirement.family import offer_family_benefits
from huodang.retirement.form import ApplicationForm
from huodang.retirement.guards import finding_of, paper_name
from huodang.retirement.item_effects import (
    settle_item_by_hand,
    start_filing,
    start_joint_items,
    stop_items,
    tell_completed,
    try_items_again,
)
from huodang.retirement.reasons import Reason
from huodang.retirement.states import State
from huodang.retirement.texts import fill, tell
from huodang.standards import add_working_days
from huodang.store import SHANGHAI, jobs

SETTLE_JOB: Final = "retirement.settle"
NOTICE_JOB: Final = "retirement.notice_end"
OVERDUE_JOB: Final = "retirement.supplement_overdue"
CHECK_JOB: Final = "retirement.check."


def day_begins(day: date) -> datetime:
    """Give the instant at which a day begins in China."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def form_columns(form: ApplicationForm) -> dict[str, Any]:
    """Give the open columns of a case that follow from its form."""
    return {
        "category": form.category.value,
        "route": form.route.value,
        "province": form.province,
        "retirement_month": form.wished_month,
        "applicant_kind": form.applicant_kind,
    }


def enqueue_checks(change: Change, checks: list[Check]) -> None:
    """Ask for these checks: rows waiting in a new round, a clock for each department, one job a provider."""
    case_id = change.case.case_id
    table = records.check
    rounds = {
        row.resource: row.round
        for row in change.connection.execute(select(table.c.resource, table.c.round).where(table.c.case_id == case_id))
    }
    resources = [check.resource for check in checks]
    change.connection.execute(delete(table).where(table.c.case_id == case_id, table.c.resource.in_(resources)))
    change.connection.execute(
        insert(table),
        [
            {
                "case_id": case_id,
                "resource": check.resource,
                "provider": check.provider,
                "round": rounds.get(check.resource, 0) + 1,
                "status": CheckStatus.WAITING.value,
                "outcome": Outcome.UNKNOWN.value,
                "reason": "",
                "attempts": 0,
            }
            for check in checks
        ],
    )
    for check in checks:
        start_department_clock(change.connection, case_id, check.resource, State.CHECKING.value, change.now)
    for provider in dict.fromkeys(check.provider for check in checks):
        kind = f"{CHECK_JOB}{provider}"
        jobs.enqueue(change.connection, kind, {"case": case_id}, run_at=change.now, key=f"{kind}:{case_id}")


def start_checks(change: Change) -> None:
    """Take the form as submitted and ask every department."""
    form = change.data.get("form")
    if form is not None:
        change.updates |= form_columns(form)
        change.updates["form_sealed"] = seal_form(change.desk.sealer, change.case.case_id, form)
        change.updates["applicant_user"] = change.actor.user_id
        change.updates["employer"] = change.actor.employer
    if change.case.submitted_at is None:
        change.updates["submitted_at"] = change.now
    else:
        # What is submitted again is decided, and where needed made public, anew.
        change.updates["decision_number"] = change.case.decision_number + 1
    change.updates |= {
        "reasons": [],
        "notes": [],
        "findings": {},
        "papers_asked": [],
        "came_from": None,
        "notice_required": False,
        "provisional_approved_by": None,
        "window_reviewer": None,
        "decided_by": None,
    }
    enqueue_checks(change, list(CHECKS))


def check_again(change: Change) -> None:
    """Ask anew what isn't clear; from a review or an appeal, ask everything that no paper has settled."""
    table = records.check
    rows = change.connection.execute(select(table).where(table.c.case_id == change.case.case_id)).all()
    by_hand = {row.resource for row in rows if row.accepted_evidence is not None}
    clear = {row.resource for row in rows if (row.status, row.outcome) == (CheckStatus.ANSWERED, Outcome.CLEAR)}
    asked = {check.resource for check in CHECKS} - by_hand
    if change.case.state is State.EXCEPTION:
        concerned = {reason.subject or CONTRIBUTIONS for reason in change.case.reasons}
        asked = {resource for resource in asked if resource not in clear or resource in concerned}
    # With nothing left to ask, the rules at least are applied anew: a parameter may have been entered.
    asked = asked or {CONTRIBUTIONS}
    change.updates["window_reviewer"] = None
    enqueue_checks(change, [check for check in CHECKS if check.resource in asked])


def settle(change: Change) -> None:
    """Have the checks weighed anew."""
    case_id = change.case.case_id
    jobs.enqueue(change.connection, SETTLE_JOB, {"case": case_id}, run_at=change.now, key=f"{SETTLE_JOB}:{case_id}")


def store_determination(change: Change) -> None:
    """Keep reasons, notes and the proposed decision."""
    determination: Determination = change.data["determination"]
    notes = determination.notes
    change.updates |= {
        "reasons": [reason.to_values() for reason in determination.reasons],
        "notes": [note.to_values() for note in notes],
        "notice_required": any(note.kind in {"notice_special_early", "notice_deemed_years"} for note in notes),
    }
    if determination.proposal is not None:
        change.updates["retirement_month"] = determination.proposal.retirement_month
        propose(change, determination.proposal)


def accept_check(change: Change) -> None:
    """Take a check as settled by a paper: who, when and what is kept."""
    table = records.check
    resource = change.data["check"]
    change.connection.execute(
        update(table)
        .where(table.c.case_id == change.case.case_id, table.c.resource == resource)
        .values(
            accepted_evidence=paper_name(change.data["evidence"]),
            accepted_by=change.actor.user_id,
            accepted_at=change.now,
        )
    )
    stop_department_clocks(change.connection, change.case.case_id, change.now, resource)


def ask_for_papers(change: Change) -> None:
    """Ask the applicant for papers; the clock stops for the agency and a due day begins to run."""
    papers = [paper_name(paper) for paper in change.data["papers"]]
    due = add_working_days(change.desk.clock.today(), change.desk.settings.supplement_days).day
    change.updates |= {"papers_asked": papers, "came_from": change.case.state.value}
    case_id = change.case.case_id
    jobs.enqueue(
        change.connection,
        OVERDUE_JOB,
        {"case": case_id, "sequence": change.sequence},
        run_at=day_begins(due + timedelta(days=1)),
        key=f"{OVERDUE_JOB}:{case_id}:{change.sequence}",
    )
    values = {
        "name": form_of(change.desk.sealer, change.case).name,
        "case": case_id,
        "papers": "、".join(str(paper) for paper in papers),
        "due": due.isoformat(),
    }
    _tell_person(change, "papers_asked", values, values)


def note_papers(change: Change) -> None:
    """The papers are here: the agency's days run again."""
    change.updates |= {"papers_asked": [], "came_from": None}


def tell_returned(change: Change) -> None:
    """Tell the person why the application comes back."""
    overdue = ("补正逾期", "the papers weren't handed in in time")
    values = {"name": form_of(change.desk.sealer, change.case).name, "case": change.case.case_id}
    change.updates |= {"decided_by": change.actor.user_id, "papers_asked": []}
    _tell_person(
        change, "returned", {**values, "note": change.note or overdue[0]}, {**values, "note": change.note or overdue[1]}
    )


def _tell_person(change: Change, kind: str, chinese: dict[str, str], english: dict[str, str]) -> None:
    texts = fill(kind, chinese, english)
    tell(
        change.connection,
        change.desk.sealer,
        change.case.case_id,
        recipient="person",
        kind=kind,
        occasion=change.sequence,
        texts=texts,
        now=change.now,
    )


def record_finding(change: Change) -> None:
    """Keep what a person decided where the sources disagree."""
    found = finding_of(dict(change.data))
    if found is not None:
        change.updates["findings"] = {**change.case.findings, found[0]: found[1]}
    change.updates["window_reviewer"] = None


def record_objection(change: Change) -> None:
    """An objection during the notice: a person judges it, and an earlier judgement doesn't cover it."""
    table = records.public_notice
    change.connection.execute(
        update(table)
        .where(table.c.case_id == change.case.case_id, table.c.number == change.case.decision_number)
        .values(objections=table.c.objections + 1)
    )
    change.updates["reasons"] = [Reason("notice_objection").to_values()]
    change.updates["findings"] = {name: found for name, found in change.case.findings.items() if name != "objection"}


def open_public_notice(change: Change) -> None:
    """Begin the public notice, or let one that has begun run on to its day."""
    case = change.case
    today = change.desk.clock.today()
    notice = present_notice(change.connection, case)
    if notice is None:
        term = add_working_days(today, change.desk.settings.notice_days)
        determination: Determination | None = change.data.get("determination")
        notes = case.notes if determination is None else determination.notes
        grounds = [note.kind for note in notes if note.kind.startswith("notice_")]
        change.connection.execute(
            insert(records.public_notice).values(
                case_id=case.case_id,
                number=case.decision_number,
                grounds=grounds,
                starts_on=today,
                ends_on=term.day,
                provisional=term.provisional,
                objections=0,
            )
        )
        ends_on = term.day
    else:
        ends_on = notice.ends_on
    jobs.enqueue(
        change.connection,
        NOTICE_JOB,
        {"case": case.case_id},
        run_at=day_begins(ends_on + timedelta(days=1)),
        key=f"{NOTICE_JOB}:{case.case_id}",
    )


def close_notice(change: Change) -> None:
    """The term has run without an objection that stands."""
    table = records.public_notice
    change.connection.execute(
        update(table)
        .where(table.c.case_id == change.case.case_id, table.c.number == change.case.decision_number)
        .values(closed_at=change.now)
    )


def mark_provisional(change: Change) -> None:
    """A reviewer answers for paying the parts that are determined."""
    kept = [note for note in change.case.notes if note.kind != "provisional_parts"]
    change.updates |= {
        "provisional_approved_by": change.actor.user_id,
        "reasons": [],
        "notes": [note.to_values() for note in (*kept, Reason("provisional_parts"))],
    }


def sign_window_review(change: Change) -> None:
    """Who passed the window review can't pass the filing review."""
    change.updates["window_reviewer"] = change.actor.user_id


def stop_work(change: Change) -> None:
    """The case has ended: nobody is waited for any more."""
    case_id = change.case.case_id
    table = records.check
    change.connection.execute(
        update(table)
        .where(table.c.case_id == case_id, table.c.status == CheckStatus.WAITING.value)
        .values(status=CheckStatus.STOPPED.value)
    )
    stop_department_clocks(change.connection, case_id, change.now)
    stop_items(change)
    if present_notice(change.connection, change.case) is not None:
        close_notice(change)


def remember_appealed_state(change: Change) -> None:
    """Keep what the appeal is against, so that a dismissal leads back there."""
    change.updates["came_from"] = change.case.state.value


EFFECTS: Final[dict[str, Effect]] = {
    effect.__name__: effect
    for effect in (
        accept_check,
        ask_for_papers,
        check_again,
        close_notice,
        finalise_decision,
        mark_provisional,
        note_papers,
        offer_family_benefits,
        open_public_notice,
        record_finding,
        record_objection,
        remember_appealed_state,
        reopen_decision,
        settle,
        settle_item_by_hand,
        sign_window_review,
        start_checks,
        start_filing,
        start_joint_items,
        stop_work,
        store_determination,
        tell_completed,
        tell_returned,
        try_items_again,
    )
}
