"""The effects of the joint items: starting, retrying, settling by hand, the first payment, filing, notices."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from huodang.archive import PaymentDraft, PaymentKind
from huodang.retirement import records
from huodang.retirement.cases import FINAL, CaseRecord, checks_of, decision_values, form_of
from huodang.retirement.decisions import load_proposal
from huodang.retirement.desk import Desk
from huodang.retirement.engine import Change, start_department_clock, stop_department_clocks
from huodang.retirement.entitlement import Proposal
from huodang.retirement.form import ApplicationForm
from huodang.retirement.guards import paper_name
from huodang.retirement.joint_items import ITEM_OF, REGISTER_BENEFIT, Item, ItemStatus, idempotency_key, plan
from huodang.retirement.materials import after_answers
from huodang.retirement.reasons import Reason
from huodang.retirement.states import State
from huodang.retirement.texts import Recipient, fill, tell
from huodang.standards import IdentityNumber, Money, Month
from huodang.store import jobs

ITEM_JOB: Final = "retirement.item."
ITEMS_SETTLED_JOB: Final = "retirement.items_settled"
FILE_JOB: Final = "retirement.file"
SCHEME: Final = "110"  # 企业职工基本养老保险
_SETTLED: Final = (ItemStatus.DONE.value, ItemStatus.WAIVED.value)


def enqueue_item(connection: Connection, case_id: str, resource: str, run_at: datetime) -> None:
    """Have a department's items of this case carried out."""
    kind = f"{ITEM_JOB}{ITEM_OF[resource].provider}"
    jobs.enqueue(connection, kind, {"case": case_id}, run_at=run_at, key=f"{kind}:{case_id}")


def start_joint_items(change: Change) -> None:
    """Lay down the items of this case and start those that wait for no other."""
    case, desk = change.case, change.desk
    form = form_of(desk.sealer, case)
    checks = checks_of(change.connection, desk.sealer, [case.case_id])[case.case_id]
    change.updates["papers_after"] = after_answers(form, checks).papers_after
    table = records.item
    done = {
        row.resource
        for row in change.connection.execute(
            select(table.c.resource).where(table.c.case_id == case.case_id, table.c.status.in_(_SETTLED))
        )
    } - {REGISTER_BENEFIT}
    wanted = [item for item in plan(form, checks) if item.resource not in done]
    change.connection.execute(
        table.delete().where(table.c.case_id == case.case_id, table.c.resource.in_([item.resource for item in wanted]))
    )
    change.connection.execute(insert(table), [_row(change, item, done) for item in wanted])
    for item in wanted:
        if not item.after or item.after in done:
            _start(change, item)


def _row(change: Change, item: Item, done: set[str]) -> dict[str, object]:
    blocked = bool(item.after) and item.after not in done
    return {
        "case_id": change.case.case_id,
        "resource": item.resource,
        "provider": item.provider,
        "idempotency_key": idempotency_key(change.case.case_id, item.resource, change.case.decision_number),
        "status": (ItemStatus.BLOCKED if blocked else ItemStatus.WAITING).value,
        "reason": "",
        "attempts": 0,
        "started_at": change.now,
    }


def _start(change: Change, item: Item) -> None:
    case_id = change.case.case_id
    start_department_clock(change.connection, case_id, item.resource, State.JOINT_ITEMS.value, change.now)
    enqueue_item(change.connection, case_id, item.resource, change.now)


def try_items_again(change: Change) -> None:
    """Give every item that waits for a person another round of attempts."""
    table = records.item
    case_id = change.case.case_id
    waits = table.c.case_id == case_id, table.c.status == ItemStatus.NEEDS_PERSON.value
    rows = change.connection.execute(select(table.c.resource).where(*waits)).all()
    change.connection.execute(
        update(table).where(*waits).values(status=ItemStatus.WAITING.value, attempts=0, reason="")
    )
    for row in rows:
        _start(change, ITEM_OF[row.resource])


def settle_item_by_hand(change: Change) -> None:
    """A clerk has settled an item outside the platform: who, when and by which paper is kept."""
    resource = str(change.data["item"])
    table = records.item
    change.connection.execute(
        update(table)
        .where(table.c.case_id == change.case.case_id, table.c.resource == resource)
        .values(
            status=ItemStatus.WAIVED.value,
            settled_at=change.now,
            settled_by=change.actor.user_id,
            evidence=paper_name(change.data["evidence"]),
        )
    )
    after_item_settled(change.connection, change.desk, change.case, resource, change.now)


def after_item_settled(connection: Connection, desk: Desk, case: CaseRecord, resource: str, now: datetime) -> None:
    """Do what follows from a settled item: the first payment, the item behind it, the end of all.

    Money waits for the benefit's registration and for nothing else.
    """
    stop_department_clocks(connection, case.case_id, now, resource)
    if resource == REGISTER_BENEFIT:
        record_payments(connection, desk, case)
    table = records.item
    rows = {
        row.resource: row.status
        for row in connection.execute(select(table.c.resource, table.c.status).where(table.c.case_id == case.case_id))
    }
    for name, status in rows.items():
        if status == ItemStatus.BLOCKED.value and ITEM_OF[name].after == resource:
            connection.execute(
                update(table)
                .where(table.c.case_id == case.case_id, table.c.resource == name)
                .values(status=ItemStatus.WAITING.value)
            )
            start_department_clock(connection, case.case_id, name, State.JOINT_ITEMS.value, now)
            enqueue_item(connection, case.case_id, name, now)
    if all(status in _SETTLED for status in rows.values()):
        jobs.enqueue(
            connection,
            ITEMS_SETTLED_JOB,
            {"case": case.case_id},
            run_at=now,
            key=f"{ITEMS_SETTLED_JOB}:{case.case_id}",
        )


def stop_items(change: Change) -> None:
    """Start no further item; one that a department is carrying out is still recorded when its answer comes."""
    table = records.item
    registered = select(table.c.resource).where(
        table.c.case_id == change.case.case_id,
        table.c.resource == REGISTER_BENEFIT,
        table.c.status.in_(_SETTLED),
    )
    if change.connection.execute(registered).first() is not None:
        change.updates["reasons"] = [Reason("benefit_to_stop").to_values()]
    waiting = (ItemStatus.BLOCKED.value, ItemStatus.WAITING.value, ItemStatus.NEEDS_PERSON.value)
    change.connection.execute(
        update(table)
        .where(table.c.case_id == change.case.case_id, table.c.status.in_(waiting))
        .values(status=ItemStatus.STOPPED.value)
    )


def record_payments(connection: Connection, desk: Desk, case: CaseRecord) -> None:
    """Record what is due now: the first payment, and a line of back pay for each month that is late.

    The first payment is that of the present month, or of the first month paid when that is still to come; a month
    between the first one paid and the present one is back pay at the full amount. A decision reopened on appeal pays
    the difference for every month paid before, when there is one in the person's favour.
    """
    found = decision_values(connection, desk.sealer, case)
    if found is None:
        return
    proposal = Proposal.from_values(found[1])
    earlier = _earlier_final(connection, desk, case)
    if earlier is not None:
        _pay_difference(connection, desk, case, proposal, earlier)
        return
    current = max(proposal.pay_from, Month.of(desk.clock.today()))
    number = IdentityNumber.parse(form_of(desk.sealer, case).identity_number)
    parts = parts_of(proposal)
    first = PaymentDraft(number, SCHEME, current, proposal.payable, case.case_id, parts)
    desk.payments.record_first(connection, first)
    for later in range(current - proposal.pay_from):
        month = proposal.pay_from + later
        draft = PaymentDraft(number, SCHEME, month, proposal.payable, case.case_id, parts)
        desk.payments.record(connection, draft, PaymentKind.BACK_PAY)


def parts_of(proposal: Proposal) -> dict[str, Money]:
    """Give the parts that a payment is made of; those that are nothing are left out."""
    parts = {"basic": proposal.basic, "account": proposal.account}
    if proposal.transitional:
        parts["transitional"] = proposal.transitional
    return parts


def _earlier_final(connection: Connection, desk: Desk, case: CaseRecord) -> Proposal | None:
    """Give the decision that an appeal reopened: the last final one before the present."""
    table = records.decision
    last = connection.execute(
        select(func.max(table.c.number)).where(
            table.c.case_id == case.case_id, table.c.number < case.decision_number, table.c.stage == FINAL
        )
    ).scalar_one()
    if last is None:
        return None
    found = decision_values(connection, desk.sealer, replace(case, decision_number=int(last)))
    return None if found is None else Proposal.from_values(found[1])


def _pay_difference(
    connection: Connection, desk: Desk, case: CaseRecord, proposal: Proposal, earlier: Proposal
) -> None:
    """Pay what an upheld appeal adds, as one line for the present month; what it takes off is left to supervision."""
    current = max(proposal.pay_from, Month.of(desk.clock.today()))
    months = current - proposal.pay_from + 1
    paid_months = max(0, current - earlier.pay_from + 1)
    owed = proposal.payable * months - earlier.payable * paid_months
    if owed > Money.zero():
        number = IdentityNumber.parse(form_of(desk.sealer, case).identity_number)
        draft = PaymentDraft(number, SCHEME, current, owed, case.case_id, {"appeal_difference": owed})
        desk.payments.record(connection, draft, PaymentKind.BACK_PAY)


def start_filing(change: Change) -> None:
    """Have the volume put together."""
    case_id = change.case.case_id
    jobs.enqueue(change.connection, FILE_JOB, {"case": case_id}, run_at=change.now, key=f"{FILE_JOB}:{case_id}")


def tell_completed(change: Change) -> None:
    """Tell the person and the employer, and keep where the volume stands."""
    desk, case = change.desk, change.case
    change.updates["volume_id"] = change.data.get("volume_id")
    form = form_of(desk.sealer, case)
    proposal = load_proposal(change)
    if proposal is None:
        return
    _tell(change, "person", "completed", completed_texts(form, case.case_id, proposal))
    if form.employer:
        shared = {
            "name": form.name,
            "case": case.case_id,
            "month": proposal.retirement_month.iso,
            "pay_from": proposal.pay_from.iso,
        }
        _tell(change, "employer", "employer_completed", fill("employer_completed", shared, shared))


def completed_texts(form: ApplicationForm, case_id: str, proposal: Proposal) -> tuple[str, str]:
    """Say what was decided, in both languages."""
    shared = {
        "name": form.name,
        "case": case_id,
        "month": proposal.retirement_month.iso,
        "pay_from": proposal.pay_from.iso,
        "amount": proposal.payable.text,
        "basic": proposal.basic.text,
        "account": proposal.account.text,
    }
    parts = (
        ("待核定", "to be determined")
        if proposal.transitional is None
        else (
            f"{proposal.transitional.text} 元",
            f"{proposal.transitional.text} yuan",
        )
    )
    provisional = ("", "")
    if proposal.provisional or proposal.total is None:
        provisional = ("本次为预发，参数公布后重核补差。", "This is provisional; any difference is made up later.")
    return fill(
        "completed",
        {**shared, "transitional": parts[0], "provisional": provisional[0]},
        {**shared, "transitional": parts[1], "provisional": provisional[1]},
    )


def _tell(change: Change, recipient: Recipient, kind: str, texts: tuple[str, str]) -> None:
    tell(
        change.connection,
        change.desk.sealer,
        change.case.case_id,
        recipient=recipient,
        kind=kind,
        occasion=change.sequence,
        texts=texts,
        now=change.now,
    )
