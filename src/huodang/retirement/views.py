"""Building what is shown of a case from its rows, masked as the decision of the policies says."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, select

from huodang.exchange import Decision
from huodang.exchange.sharing import Doubts
from huodang.retirement import records
from huodang.retirement.case_view import (
    CaseReceipt,
    CaseView,
    CheckView,
    ClockView,
    EventChoice,
    HistoryView,
    ItemView,
    Label,
    MessageView,
    NoticeView,
    PartyDays,
    ReasonView,
)
from huodang.retirement.cases import (
    NOTE_ELEMENT,
    CaseRecord,
    checks_of,
    clock_of,
    decision_values,
    form_of,
    notices_of,
)
from huodang.retirement.checks import CHECK_OF, CheckResult, CheckStatus
from huodang.retirement.clocks import LIGHT_LABELS, PARTY_LABELS, ClockEntry, case_clock, terms
from huodang.retirement.desk import Desk
from huodang.retirement.form import ApplicationForm
from huodang.retirement.joint_items import ITEM_OF, ItemStatus
from huodang.retirement.materials import after_answers
from huodang.retirement.reasons import Reason
from huodang.retirement.states import EVENT_LABELS, STATE_LABELS, Event, State
from huodang.retirement.texts import notices_of as messages_of
from huodang.retirement.transitions import events_open_to, transitions_from

# What a view shows of a person, by data element; each value passes the mask of its own element.
VIEW_ELEMENTS: Final = (
    "identity_number",
    "name",
    "birth_date",
    "sex",
    "phone",
    "bank_account",
    "bank_name",
    "employer",
    "one_child",
    "special_trade_months",
    "contribution_months",
    "deemed_months",
    "pre_account_months",
    "credited_years",
    "credited_pre_account_years",
    "average_index",
    "indexed_wage",
    "account_amount",
    "archive_birth_date",
    "archive_name",
    "archive_sex",
    "work_category",
    "employment_kind",
    "first_contribution_month",
    "decided_as_of",
    "former_name",
    "death_date",
    "sentence_type",
    "custody_from",
    "custody_to",
    "scheme",
    "enrolment_status",
    "benefit_status",
    "benefit_from",
    "benefit_amount",
    "medical_months",
    "medical_status",
    "account_number",
    "account_status",
    "account_balance",
    "arrears_months",
)
_AMOUNT: Final = "benefit_amount"
_MONEY: Final = ("basic", "account", "transitional", "total", "payable")
_HIDDEN_AMOUNT: Final = "***"
# Samples that every mask alters: what comes back unaltered is shown unmasked.
_SOME_AMOUNT: Final = "123456"
_SOME_NAME: Final = "张三丰"
_GUARD_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "note_given": ("note",),
    "papers_named": ("papers",),
    "finding_given": ("subject", "finding"),
}
CHECK_STATUS_LABELS: Final = {
    CheckStatus.WAITING: Label("等待答复", "Waiting"),
    CheckStatus.ANSWERED: Label("已答复", "Answered"),
    CheckStatus.UNANSWERED: Label("未得到答复", "No answer"),
    CheckStatus.STOPPED: Label("已停止", "Stopped"),
}
ITEM_STATUS_LABELS: Final = {
    ItemStatus.BLOCKED: Label("等待前项", "Waiting for another item"),
    ItemStatus.WAITING: Label("办理中", "Under way"),
    ItemStatus.DONE: Label("已办", "Done"),
    ItemStatus.NEEDS_PERSON: Label("需人工处置", "Needs a person"),
    ItemStatus.WAIVED: Label("人工了结", "Settled by hand"),
    ItemStatus.STOPPED: Label("已停止", "Stopped"),
}


def state_label(state: State | str | None) -> Label:
    """Give the word for a state; empty for none."""
    return Label("", "") if state is None else Label(*STATE_LABELS[State(state)])


def reason_view(reason: Reason) -> ReasonView:
    """Give a reason with its sentences."""
    return ReasonView(
        code=reason.code,
        subject=reason.subject,
        sentence=Label(reason.sentence("zh"), reason.sentence("en")),
        advice=Label(reason.advice("zh"), reason.advice("en")),
        law=reason.law,
        ways=reason.ways,
    )


def choices(case: CaseRecord, role: str) -> tuple[EventChoice, ...]:
    """Give the events that a role may cause now, with what each needs."""
    return tuple(
        EventChoice(event, Label(*EVENT_LABELS[event]), _needs(case.state, event))
        for event in events_open_to(case.state, role)
    )


def _needs(state: State, event: Event) -> tuple[str, ...]:
    needs: dict[str, None] = {}
    for row in transitions_from(state, event):
        for guard in row.guards:
            needs |= dict.fromkeys(_GUARD_NEEDS.get(guard, ()))
            if guard == "evidence_named":
                needs |= dict.fromkeys(("item" if state is State.JOINT_ITEMS else "check", "evidence"))
    if event is Event.RESUBMIT:
        needs["form"] = None
    return tuple(needs)


def clock_view(case: CaseRecord, entries: Sequence[ClockEntry], today: date) -> ClockView:
    """Give how a case stands in time."""
    clock = case_clock(entries, case.submitted_at, case.ended_at, today)
    return ClockView(
        parties=tuple(
            PartyDays(party, Label(*PARTY_LABELS.get(party, (party, party))), days)
            for party, days in clock.by_party.items()
        ),
        counted=clock.counted,
        promised=terms().whole_case,
        was=terms().was,
        due=None if clock.due is None else clock.due.day,
        due_provisional=clock.due is not None and clock.due.provisional,
        light=clock.light.value,
        light_label=Label(*LIGHT_LABELS[clock.light]),
        step_due=None if clock.step_due is None else clock.step_due.day,
        step_light=clock.step_light.value,
        step_light_label=Label(*LIGHT_LABELS[clock.step_light]),
    )


def build_view(connection: Connection, desk: Desk, case: CaseRecord, decision: Decision, role: str) -> CaseView:
    """Build the view of one case for somebody whom the policies permit to see it."""
    form = form_of(desk.sealer, case)
    checks = checks_of(connection, desk.sealer, [case.case_id])[case.case_id]
    found = decision_values(connection, desk.sealer, case)
    return CaseView(
        case_id=case.case_id,
        state=case.state,
        state_label=state_label(case.state),
        state_since=case.state_since,
        person=_person(form, decision),
        category=case.category,
        route=case.route,
        retirement_month=case.retirement_month,
        applicant_kind=case.applicant_kind,
        reasons=tuple(reason_view(reason) for reason in case.reasons),
        notes=tuple(reason_view(note) for note in case.notes),
        checks=tuple(_check(result, decision, _disputed(connection, desk, form, result)) for result in checks.values()),
        items=_items(connection, case),
        decision=None if found is None else _decision(found[1], decision),
        decision_stage="" if found is None else found[0],
        provisional=case.provisional_approved_by is not None or (found is not None and bool(found[1]["provisional"])),
        notices=tuple(
            NoticeView(one.starts_on, one.ends_on, one.objections, one.closed_at is not None)
            for one in notices_of(connection, case.case_id)
        ),
        messages=_messages(connection, desk, case, decision),
        papers_asked=case.papers_asked,
        materials=after_answers(form, checks) if checks else None,
        clock=clock_view(case, clock_of(connection, case.case_id), desk.clock.today()),
        history=_history(connection, desk, case, decision),
        events=choices(case, role),
        findings=dict(case.findings),
        submitted_at=case.submitted_at,
        ended_at=case.ended_at,
        volume_id=case.volume_id,
        mask_level=decision.mask_level.value,
    )


def _person(form: ApplicationForm, decision: Decision) -> dict[str, str]:
    born = "" if form.born is None else form.born.isoformat()
    values = {
        "identity_number": form.identity_number,
        "name": form.name,
        "birth_date": born,
        "sex": form.sex or "",
        "phone": form.phone,
        "bank_account": form.bank_account,
        "bank_name": form.bank_name,
        "employer": form.employer,
        "one_child": "1" if form.one_child else "0",
        "special_trade_months": str(form.special_trade_months),
    }
    return {name: decision.show(name, value) if value else "" for name, value in values.items()}


def _disputed(connection: Connection, desk: Desk, form: ApplicationForm, result: CheckResult) -> tuple[str, ...]:
    if not form.identity_number:
        return ()  # a draft may lack it
    doubts = Doubts(desk.sealer)
    subject = doubts.subject_index(form.identity_number)
    return tuple(doubts.disputed_elements(connection, result.resource, subject))


def _check(result: CheckResult, decision: Decision, disputed: tuple[str, ...]) -> CheckView:
    check = CHECK_OF[result.resource]
    return CheckView(
        resource=result.resource,
        label=Label(check.chinese, check.english),
        department=Label(*PARTY_LABELS[f"department:{check.provider}"]),
        status=result.status.value,
        status_label=CHECK_STATUS_LABELS[result.status],
        outcome=result.outcome.value,
        reason=result.reason,
        as_of=result.as_of,
        answered_at=result.answered_at,
        attempts=result.attempts,
        fields={name: decision.show(name, value) for name, value in result.fields.items()},
        accepted_evidence=result.accepted_evidence,
        accepted_by=result.accepted_by,
        accepted_at=result.accepted_at,
        grant_id=result.grant_id,
        disputed=disputed,
    )


def _items(connection: Connection, case: CaseRecord) -> tuple[ItemView, ...]:
    table = records.item
    order = {resource: place for place, resource in enumerate(ITEM_OF)}
    rows = connection.execute(select(table).where(table.c.case_id == case.case_id)).all()
    return tuple(
        ItemView(
            resource=row.resource,
            label=Label(ITEM_OF[row.resource].chinese, ITEM_OF[row.resource].english),
            department=Label(*PARTY_LABELS[f"department:{row.provider}"]),
            status=row.status,
            status_label=ITEM_STATUS_LABELS[ItemStatus(row.status)],
            reason=row.reason,
            attempts=row.attempts,
            settled_at=row.settled_at,
            settled_by=row.settled_by,
            evidence=row.evidence,
        )
        for row in sorted(rows, key=lambda one: order[one.resource])
    )


def _decision(values: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    """Show the amounts only to whom the policies show amounts; else the law and the months remain."""
    shown = dict(values)
    if not _sees_amounts(decision):
        shown |= dict.fromkeys((*_MONEY, "base"))
        shown["trace"] = [{**line, "formula": _HIDDEN_AMOUNT, "value": _HIDDEN_AMOUNT} for line in values["trace"]]
    return shown


def _sees_amounts(decision: Decision) -> bool:
    return decision.show(_AMOUNT, _SOME_AMOUNT) == _SOME_AMOUNT


def _sees_names(decision: Decision) -> bool:
    return decision.show("name", _SOME_NAME) == _SOME_NAME


def _messages(connection: Connection, desk: Desk, case: CaseRecord, decision: Decision) -> tuple[MessageView, ...]:
    # A notice names the person and the amount: who sees only masked values sees that it was sent, not what it says.
    whole = _sees_names(decision) and _sees_amounts(decision)
    return tuple(
        MessageView(
            recipient=one["recipient"],
            kind=one["kind"],
            at=one["at"],
            text=Label(one["chinese"], one["english"]) if whole else Label(_HIDDEN_AMOUNT, _HIDDEN_AMOUNT),
        )
        for one in messages_of(connection, desk.sealer, case.case_id)
    )


def _history(connection: Connection, desk: Desk, case: CaseRecord, decision: Decision) -> tuple[HistoryView, ...]:
    table = records.history
    rows = connection.execute(select(table).where(table.c.case_id == case.case_id).order_by(table.c.sequence))
    whole = _sees_names(decision)
    shown = []
    for row in rows:
        note = ""
        if row.note_sealed is not None:
            row_name = f"{case.case_id}:{row.sequence}"
            note = desk.sealer.open(NOTE_ELEMENT, row.note_sealed, row_name) if whole else _HIDDEN_AMOUNT
        label = EVENT_LABELS.get(Event(row.event))
        shown.append(
            HistoryView(
                sequence=row.sequence,
                event=row.event,
                label=Label(*(label or (row.event, row.event))),
                from_state=state_label(row.from_state),
                to_state=state_label(row.to_state),
                actor_id=row.actor_id,
                actor_role=row.actor_role,
                at=row.at,
                note=note,
                codes=tuple(row.codes),
                ledger_entry=row.ledger_entry,
            )
        )
    return tuple(shown)


def history_entries(connection: Connection, case_id: str) -> list[CaseReceipt]:
    """Give the ledger entries of a case's steps."""
    table = records.history
    rows = connection.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.sequence))
    return [CaseReceipt("case", row.event, row.at, row.ledger_entry) for row in rows if row.ledger_entry]
