"""What the names in recovery's table mean: guards and effects. Every fen is moved here and nowhere else."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from huodang.ledger import Ledger, LedgerEntry
from huodang.pension import RefundLine, RefundPlan, refund_plan
from huodang.standards import HuodangError, Money, Month
from huodang.store import jobs
from huodang.supervision.recovery import records
from huodang.supervision.recovery.engine import day_after, used_days
from huodang.supervision.recovery.errors import RecoveryGuardError
from huodang.supervision.recovery.matters import DebtChange, Effect, Guard
from huodang.supervision.recovery.values import RECEIVED, Debtor, Means, OverpaidMonth
from huodang.trust import canonical_json

PLAN_DUE: Final = "recovery.plan_due"
_HALTABLE: Final = ("noticed", "instalments", "offset", "clawing_back", "court")


class RecoverySteps:
    """Guards and effects of recovery.

    Args:
        ledger: where every movement of money leaves an entry: the payer's receipt.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def guards(self) -> Mapping[str, Guard]:
        """Give the conditions by name."""
        return {
            "note_given": _note_given,
            "service_told": _service_told,
            "plan_adds_up": _plan_adds_up,
            "offset_lawful": _offset_lawful,
            "account_known": _account_known,
            "money_fits": _money_fits,
            "nothing_outstanding": _outstanding(wanted=False),
            "something_outstanding": _outstanding(wanted=True),
            "behind_plan": _behind_plan,
            "another_person": _another_person,
            "debt_falls_away": _debt_falls_away,
            "revision_given": _revision_given,
            **{f"halted_in_{state}": _halted_in(state) for state in _HALTABLE},
        }

    def effects(self) -> Mapping[str, Effect]:
        """Give what is done, by name."""
        return {
            "keep_plan": _keep_plan,
            "book": self._book,
            "halt": _halt,
            "go_on": _go_on,
            "revise": self._revise,
            "keep_proposer": _keep_proposer,
            "write_off": self._write_off,
            "escalate": _escalate,
        }

    def _book(self, change: DebtChange) -> None:
        amount = change.money("amount") or Money.zero()
        matter = change.matter
        self._move(change, Means(change.text("means")), amount, change.text("reference"))
        change.updates |= {"recovered": matter.recovered + amount, "outstanding": matter.outstanding - amount}

    def _write_off(self, change: DebtChange) -> None:
        matter = change.matter
        self._move(change, Means.WRITE_OFF, matter.outstanding, f"event:{matter.sequence + 1}")
        change.updates |= {"written_off": matter.written_off + matter.outstanding, "outstanding": Money.zero()}

    def _revise(self, change: DebtChange) -> None:
        """Set the debt anew; what was recovered beyond it goes back, what was written off beyond it is undone."""
        matter = change.matter
        months = change.months() or ()
        debt = sum((one.overpaid for one in months), Money.zero())
        recovered = min(matter.recovered, debt)
        written_off = min(matter.written_off, debt - recovered)
        reference = f"event:{matter.sequence + 1}"
        if recovered < matter.recovered:
            self._move(change, Means.REFUND, recovered - matter.recovered, reference)
        if written_off < matter.written_off:
            self._move(change, Means.WRITE_OFF, written_off - matter.written_off, reference)
        insert_months(change.connection, matter.recovery_id, matter.sequence + 1, months)
        change.updates |= {
            "debt": debt,
            "recovered": recovered,
            "written_off": written_off,
            "outstanding": debt - recovered - written_off,
            "stopped_state": "",
            "statement": change.text("statement") or matter.row["statement"],
        }

    def _move(self, change: DebtChange, means: Means, amount: Money, reference: str) -> None:
        moved_on = change.day("moved_on") or change.today
        facts = {"recovery": change.matter.recovery_id, "means": means.value, "on": moved_on.isoformat()}
        content = canonical_json({**facts, "amount": str(amount.fen), "reference": reference})
        change.connection.execute(
            sa.insert(records.movement).values(
                recovery_id=change.matter.recovery_id,
                means=means.value,
                amount=amount,
                moved_on=moved_on,
                reference=reference,
                by=change.actor.user_id,
                at=change.now,
                entry_id=self._ledger.record(
                    change.connection, LedgerEntry("recovery_money", change.now, facts), content
                ),
            )
        )


def insert_months(
    connection: sa.Connection, recovery_id: str, revision: int, months: tuple[OverpaidMonth, ...]
) -> None:
    """Write the months of a debt; a revision has the number of the event that made it."""
    if not months:
        return
    connection.execute(
        sa.insert(records.overpaid_month),
        [
            {
                "recovery_id": recovery_id,
                "revision": revision,
                "month": one.month,
                "paid": one.paid,
                "due": one.due,
                "code": one.code,
                "law": one.law,
            }
            for one in months
        ],
    )


def plan_of(change: DebtChange) -> RefundPlan:
    """Make the plan that the event asks for, over what is outstanding.

    Raises:
        BadFacts: the plan can't be, such as more instalments than fen.
    """
    first = change.data.get("first_month")
    instalments = change.data.get("instalments", 1)
    return refund_plan(
        change.matter.outstanding,
        first if isinstance(first, Month) else Month.of(change.today) + 1,
        instalments=instalments if isinstance(instalments, int) else 0,
        account_offset=change.money("account_offset"),
        monthly_benefit_offset=change.money("monthly_benefit_offset"),
    )


def _refuse(guard: str, chinese: str, english: str) -> RecoveryGuardError:
    return RecoveryGuardError(guard, chinese, english)


def _note_given(change: DebtChange) -> RecoveryGuardError | None:
    if change.note:
        return None
    return _refuse("note_given", "请写明理由", "give the reason as a note")


def _service_told(change: DebtChange) -> RecoveryGuardError | None:
    served = change.day("served_on")
    if served is not None and served <= change.today and change.note:
        return None
    return _refuse(
        "service_told",
        "请写明通知送达的日期（served_on，不晚于今天）和送达方式（备注）",
        "tell on which day (`served_on`, not after today) and how (note) the notice was served",
    )


def _plan_adds_up(change: DebtChange) -> RecoveryGuardError | None:
    try:
        plan_of(change)
    except HuodangError as problem:
        return _refuse("plan_adds_up", problem.sentence("zh"), problem.sentence("en"))
    return None


def _offset_lawful(change: DebtChange) -> RecoveryGuardError | None:
    account, monthly = change.money("account_offset"), change.money("monthly_benefit_offset")
    if account is None and monthly is None:
        return _refuse(
            "offset_lawful", "请写明从账户或每月待遇抵扣多少", "say how much is taken from account or benefit"
        )
    if monthly is not None and change.matter.debtor == Debtor.HEIRS:
        # The person's benefit has ended; funeral and survivor grants are the family's, and no rule at hand lets them
        # be taken.
        return _refuse(
            "offset_lawful",
            "参保人已去世，没有后续待遇可抵；丧葬补助金和抚恤金属于家属，不用于抵扣",
            "the person has died: there is no later benefit, and funeral and survivor grants aren't offset",
        )
    return None


def _account_known(change: DebtChange) -> RecoveryGuardError | None:
    if change.matter.row["account"] and change.matter.row["bank"]:
        return None
    return _refuse("account_known", "没有登记银行和账号", "bank and account aren't known")


def _money_fits(change: DebtChange) -> RecoveryGuardError | None:
    amount, moved_on = change.money("amount"), change.day("moved_on")
    if change.text("means") not in RECEIVED or not change.text("reference") or moved_on is None:
        return _refuse(
            "money_fits",
            "请写明方式（means）、凭证号（reference）和日期（moved_on）",
            "give `means`, the voucher's number (`reference`) and the day (`moved_on`)",
        )
    if moved_on > change.today:
        return _refuse("money_fits", "入账日期在将来", "the day lies in the future")
    if amount is None or amount <= Money.zero() or amount > change.matter.outstanding:
        return _refuse(
            "money_fits",
            f"金额须大于零、不多于尚须退回的 {change.matter.outstanding.text} 元；多退的请原路退还",
            f"the amount is above nothing and at most the {change.matter.outstanding.text} yuan still outstanding",
        )
    return None


def _outstanding(*, wanted: bool) -> Guard:
    def guard(change: DebtChange) -> RecoveryGuardError | None:
        if bool(change.matter.outstanding) is wanted:
            return None
        if wanted:
            return _refuse("something_outstanding", "已没有未退金额", "nothing is outstanding")
        return _refuse("nothing_outstanding", "还有未退金额", "something is outstanding still")

    return guard


def _behind_plan(change: DebtChange) -> RecoveryGuardError | None:
    month = change.data.get("month")
    if isinstance(month, Month) and change.matter.outstanding > _planned_outstanding(change, month):
        return None
    return _refuse("behind_plan", "还款没有落后于计划", "the plan is kept")


def _planned_outstanding(change: DebtChange, month: Month) -> Money:
    """Say what may still be outstanding when a month is over: the lines of the latest plan that come after it."""
    table = records.plan_line
    rows = change.connection.execute(
        sa.select(table.c.revision, table.c.month, table.c.amount).where(
            table.c.recovery_id == change.matter.recovery_id
        )
    ).all()
    latest = max((row.revision for row in rows), default=0)
    return sum((row.amount for row in rows if row.revision == latest and row.month > month), Money.zero())


def _another_person(change: DebtChange) -> RecoveryGuardError | None:
    if change.matter.row["proposed_by"] != change.actor.user_id:
        return None
    return _refuse("another_person", "提请人不能自己批准", "who proposed it can't approve it")


def _debt_falls_away(change: DebtChange) -> RecoveryGuardError | None:
    if change.months() == ():
        return None
    return _refuse("debt_falls_away", "还有多发的月份", "some months are overpaid still")


def _revision_given(change: DebtChange) -> RecoveryGuardError | None:
    months = change.months()
    if (
        months
        and all(one.overpaid > Money.zero() for one in months)
        and len({one.month for one in months}) == len(months)
    ):
        return None
    return _refuse(
        "revision_given",
        "请给出重算后的月份（months），每月一次且多发大于零",
        "give the `months` as recomputed, each once",
    )


def _halted_in(state: str) -> Guard:
    def guard(change: DebtChange) -> RecoveryGuardError | None:
        if change.matter.row["stopped_state"] == state:
            return None
        return _refuse(f"halted_in_{state}", "异议不是在该环节提出的", "the objection halted another step")

    return guard


def _keep_plan(change: DebtChange) -> None:
    recovery_id, revision = change.matter.recovery_id, change.matter.sequence + 1
    lines: tuple[RefundLine, ...] = plan_of(change).lines
    change.connection.execute(
        sa.insert(records.plan_line),
        [
            {
                "recovery_id": recovery_id,
                "revision": revision,
                "line": number,
                "month": line.month,
                "means": line.means.value,
                "amount": line.amount,
            }
            for number, line in enumerate(lines, start=1)
        ],
    )
    for month in sorted({line.month for line in lines}):
        _watch_plan(change, revision, month)


def _halt(change: DebtChange) -> None:
    """Keep what was used of the step's term; the days until it goes on aren't counted."""
    change.updates |= {
        "stopped_state": change.matter.state,
        "days_used": used_days(change.matter, change.today),
    }


def _go_on(change: DebtChange) -> None:
    """Go on where the objection halted it; a plan is looked at again when the present month is over."""
    change.used = change.matter.row["days_used"]
    change.updates["stopped_state"] = ""
    table = records.plan_line
    revision = change.connection.execute(
        sa.select(sa.func.max(table.c.revision)).where(table.c.recovery_id == change.matter.recovery_id)
    ).scalar_one()
    if revision is not None:
        _watch_plan(change, revision, Month.of(change.today))


def _watch_plan(change: DebtChange, revision: int, month: Month) -> None:
    """Look after a month whether the plan is kept."""
    recovery_id = change.matter.recovery_id
    jobs.enqueue(
        change.connection,
        PLAN_DUE,
        {"recovery": recovery_id, "revision": revision, "month": str(month)},
        run_at=day_after(month.last_day()),
        key=f"{PLAN_DUE}:{recovery_id}:{revision}:{month}",
    )


def _keep_proposer(change: DebtChange) -> None:
    change.updates["proposed_by"] = change.actor.user_id


def _escalate(change: DebtChange) -> None:
    change.updates["overdue"] = True
