"""Recoveries: opened from a recomputation, moved by the table, seen with history; every fen reconciled at each step."""

import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor, Looks
from huodang.exchange.sharing import SYSTEM
from huodang.ledger import Ledger
from huodang.standards import Money, Month, Place, code_table
from huodang.store import Clock, Database, Handler, Job, LeaseLost, jobs
from huodang.supervision.recovery import records, views
from huodang.supervision.recovery.engine import DEADLINE, RecoveryEngine, may_see, unknown, view_decision
from huodang.supervision.recovery.errors import (
    DebtError,
    IllegalRecoveryEventError,
    RecoveryGuardError,
    UnknownRecoveryError,
)
from huodang.supervision.recovery.matters import ACCOUNT, IDENTITY, DebtMatter, seat
from huodang.supervision.recovery.notice import render_notice
from huodang.supervision.recovery.states import CLOSED, RECOVERY, RecoveryEvent
from huodang.supervision.recovery.steps import PLAN_DUE, RecoverySteps, insert_months
from huodang.supervision.recovery.terms import Terms, product_recovery_terms
from huodang.supervision.recovery.values import Debt, RecoveryFigures, RecoveryRow, RecoveryView
from huodang.trust import FieldSealer

_ELEMENTS: Final = (IDENTITY, ACCOUNT)


class Recoveries:
    """The recoveries of one hub.

    Args:
        database: the hub's.
        ledger: where every step and every movement of money leaves an entry.
        sealer: seals identity and account numbers and notes.
        looks: where seeing a recovery is recorded.
        clock: business time.
        terms: of the steps; None for the product's.
    """

    def __init__(  # noqa: PLR0917  (one place builds it)
        self,
        database: Database,
        ledger: Ledger,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
        terms: Terms | None = None,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._looks = looks
        self._clock = clock
        steps = RecoverySteps(ledger)
        self._engine = RecoveryEngine(
            ledger, sealer, clock, terms or product_recovery_terms(), steps.guards(), steps.effects()
        )

    def open(self, connection: Connection, debt: Debt, actor: Actor = SYSTEM, note: str = "") -> str:
        """Open a recovery in the caller's transaction and give its id; the same matter again gives the same id.

        Raises:
            DebtError: there is no overpaid month, one stands twice, or isn't overpaid.
            UnknownCode: the scheme isn't in the code table.
        """
        table = records.recovery
        code_table("scheme").require(debt.scheme)
        before = connection.execute(
            sa.select(table.c.recovery_id).where(table.c.matter == debt.matter)
        ).scalar_one_or_none()
        if before is not None:
            return str(before)
        _check(debt)
        recovery_id = secrets.token_hex(16)
        zero, today = Money.zero(), self._clock.today()
        connection.execute(
            sa.insert(table).values(
                recovery_id=recovery_id,
                matter=debt.matter,
                person_index=self._sealer.blind_index(IDENTITY, debt.identity_number.text),
                identity=self._sealer.seal(IDENTITY, debt.identity_number.text, seat(recovery_id, IDENTITY)),
                scheme=debt.scheme,
                region=debt.region,
                cause=debt.cause,
                debtor=debt.debtor.value,
                bank=debt.bank,
                account=self._sealer.seal(ACCOUNT, debt.account, seat(recovery_id, ACCOUNT)) if debt.account else "",
                statement=debt.statement,
                debt=debt.total,
                recovered=zero,
                written_off=zero,
                outstanding=debt.total,
                opened_at=self._clock.now(),
                opened_by=actor.user_id,
                proposed_by="",
                state=RECOVERY.first,
                sequence=0,
                step_since=today,
                due_provisional=False,
                days_used=0,
                stopped_state="",
                overdue=False,
            )
        )
        insert_months(connection, recovery_id, 1, debt.months)
        self._engine.begin(connection, self._engine.load(connection, recovery_id), actor, note)
        return recovery_id

    def act(
        self,
        actor: Actor,
        recovery_id: str,
        event: str,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> RecoveryView:
        """Bring an event about and show the recovery as it is then.

        Args:
            actor: who.
            recovery_id: which.
            event: of the table.
            note: what the actor says about it; kept sealed.
            data: what the event needs: `served_on`; `instalments`, `first_month`, `account_offset`,
                `monthly_benefit_offset`; `means`, `amount`, `moved_on`, `reference`; `months`.

        Raises:
            RecoveryError: see `RecoveryEngine.apply`; nothing was changed then.
        """
        with self._database.begin() as connection:
            self.move(connection, actor, recovery_id, event, note=note, data=data)
            return self._view(connection, self._engine.load(connection, recovery_id), actor)

    def move(
        self,
        connection: Connection,
        actor: Actor,
        recovery_id: str,
        event: str,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> DebtMatter:
        """Do the same in the caller's transaction, without a view and so without a look."""
        given = dict(data or {})
        if event == RecoveryEvent.RECEIVE and self._booked(connection, recovery_id, given):
            return self._engine.load(connection, recovery_id)
        return self._engine.apply(connection, recovery_id, event, actor, note=note, data=given)

    def view(self, actor: Actor, recovery_id: str) -> RecoveryView:
        """Show a recovery, masked as the policy says; the look is recorded.

        Raises:
            UnknownRecoveryError: there is none, or it isn't the actor's to see.
        """
        with self._database.begin() as connection:
            matter = self._engine.load(connection, recovery_id)
            if not may_see(actor, matter):
                raise unknown(recovery_id)
            return self._view(connection, matter, actor)

    def recoveries(self, actor: Actor, *, state: str | None = None, limit: int = 100) -> list[RecoveryRow]:
        """List the recoveries that the actor may know of: what is due first comes first; no personal values."""
        table = records.recovery
        statement = sa.select(table).order_by(table.c.due_on.is_(None), table.c.due_on, table.c.outstanding.desc())
        if state is not None:
            statement = statement.where(table.c.state == state)
        return self._rows(actor, statement, limit)

    def overdue(self, actor: Actor, limit: int = 100) -> list[RecoveryRow]:
        """List what is past its day, the latest first."""
        table = records.recovery
        late = table.c.due_on < self._clock.today()
        return self._rows(actor, sa.select(table).where(late).order_by(table.c.due_on), limit)

    def of_person(self, actor: Actor, person_index: str) -> list[RecoveryRow]:
        """List the recoveries of one person, for the person and for staff who may see them."""
        table = records.recovery
        statement = sa.select(table).where(table.c.person_index == person_index).order_by(table.c.opened_at)
        return self._rows(actor, statement, 100)

    def of_matter(self, connection: Connection, prefix: str) -> list[DebtMatter]:
        """List the recoveries that came of a matter, such as a clue in several schemes."""
        table = records.recovery
        rows = connection.execute(sa.select(table).where(table.c.matter.startswith(prefix, autoescape=True)))
        return [DebtMatter.of(row) for row in rows.mappings()]

    def notice(self, actor: Actor, recovery_id: str) -> str:
        """Give the notice to the person or heirs as HTML to be printed; the look is recorded."""
        view = self.view(actor, recovery_id)
        return render_notice(view, self._clock.today())

    def figures(self, connection: Connection) -> RecoveryFigures:
        """Sum up all recoveries."""
        return views.figures(connection)

    def handlers(self) -> dict[str, Handler]:
        """Give the jobs: deadlines, and plans that a month should have kept."""
        return {DEADLINE: self._each(self._overdue), PLAN_DUE: self._each(self._plan_due)}

    def _overdue(self, connection: Connection, job: Job) -> None:
        matter = self._engine.load(connection, job.payload["recovery"], lock=True)
        due: date | None = matter.row["due_on"]
        if due is None or due >= self._clock.today() or matter.row["overdue"] or matter.state in CLOSED:
            return
        self._engine.apply(connection, matter.recovery_id, RecoveryEvent.OVERDUE, SYSTEM)

    def _plan_due(self, connection: Connection, job: Job) -> None:
        recovery_id, table = job.payload["recovery"], records.plan_line
        latest = sa.select(sa.func.max(table.c.revision)).where(table.c.recovery_id == recovery_id)
        if connection.execute(latest).scalar_one() != job.payload["revision"]:
            return
        try:
            month = Month.parse(job.payload["month"])
            self._engine.apply(connection, recovery_id, RecoveryEvent.MISS, SYSTEM, data={"month": month})
        except (IllegalRecoveryEventError, RecoveryGuardError):
            return  # kept, settled, or halted by an objection

    def _each(self, step: Callable[[Connection, Job], None]) -> Handler:
        """Run each job in a transaction of its own, so that one bad matter doesn't hold up the others."""

        def handler(batch: list[Job]) -> None:
            faults: list[Exception] = []
            for job in batch:
                try:
                    with self._database.begin() as connection:
                        jobs.complete(connection, job)
                        step(connection, job)
                except LeaseLost:
                    continue
                except Exception as error:  # noqa: BLE001  (the others must go on; the last one is raised below)
                    faults.append(error)
            if faults:
                raise faults[-1]

        return handler

    def _booked(self, connection: Connection, recovery_id: str, data: Mapping[str, Any]) -> bool:
        """Tell whether this very money was booked before.

        Raises:
            RecoveryGuardError: it was, with another amount.
        """
        table = records.movement
        row = connection.execute(
            sa.select(table.c.amount).where(
                table.c.recovery_id == recovery_id,
                table.c.means == str(data.get("means", "")),
                table.c.reference == str(data.get("reference", "")),
            )
        ).one_or_none()
        if row is None:
            return False
        if row.amount != data.get("amount"):
            raise RecoveryGuardError(
                "money_fits", "该凭证已入账，金额与本次不同", "this voucher was booked before, with another amount"
            )
        return True

    def _rows(self, actor: Actor, statement: sa.Select[Any], limit: int) -> list[RecoveryRow]:
        found: list[RecoveryRow] = []
        with self._database.read() as connection:
            for row in connection.execute(statement).mappings():
                matter = DebtMatter.of(row)
                if may_see(actor, matter):
                    found.append(views.row_of(matter))
                if len(found) >= limit:
                    break
        return found

    def _view(self, connection: Connection, matter: DebtMatter, actor: Actor) -> RecoveryView:
        decision = view_decision(actor, matter, _ELEMENTS)
        if not decision.permitted:
            raise UnknownRecoveryError(
                "没有这笔追回，或无权查看", "there is no such recovery, or it isn't yours to see"
            )
        self._looks.record(
            connection,
            actor=actor,
            purpose="audit" if actor.role == "auditor" else "supervision",
            case_id=matter.recovery_id,
            subject_index=matter.person_index,
            elements=decision.elements,
            decision=decision,
            what="recovery",
        )
        identity = self._sealer.open(IDENTITY, matter.row["identity"], seat(matter.recovery_id, IDENTITY))
        account = ""
        if matter.row["account"]:
            account = self._sealer.open(ACCOUNT, matter.row["account"], seat(matter.recovery_id, ACCOUNT))
        return views.view_of(
            connection,
            self._engine,
            matter,
            actor,
            decision.show(IDENTITY, identity),
            decision.show(ACCOUNT, account) if account else "",
        )


def _check(debt: Debt) -> None:
    place = Place(element="months")
    if not debt.months or len({one.month for one in debt.months}) != len(debt.months):
        raise DebtError(
            "没有多发的月份，或同一月份出现两次", "there is no overpaid month, or one stands twice", place=place
        )
    if any(one.overpaid <= Money.zero() or one.due < Money.zero() for one in debt.months):
        raise DebtError("有的月份并未多发", "a month isn't overpaid", place=place)
