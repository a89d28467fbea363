"""The front door of the joint case: what people do with it, and the jobs that do the rest."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, false, func, select
from sqlalchemy.sql import ColumnElement

from huodang.archive import PaymentRecords, Volumes
from huodang.exchange import (
    Action,
    Actor,
    CallDesk,
    Decision,
    DecisionRequest,
    Exchange,
    Look,
    Looks,
    decide,
    evidence_of_case,
)
from huodang.ledger import Ledger
from huodang.retirement import due, intake, records
from huodang.retirement.case_view import CaseReceipt, CaseView, EventChoice, Label, QueueRow
from huodang.retirement.cases import CaseRecord, checks_of, form_of, load
from huodang.retirement.check_jobs import CheckHandler
from huodang.retirement.checks import PROVIDERS
from huodang.retirement.clocks import LIGHT_LABELS, ClockEntry, light, step_deadline
from huodang.retirement.desk import Desk, RetirementSettings
from huodang.retirement.due import DuePerson
from huodang.retirement.effects import CHECK_JOB, EFFECTS, NOTICE_JOB, OVERDUE_JOB, SETTLE_JOB
from huodang.retirement.engine import Engine
from huodang.retirement.errors import (
    FieldProblem,
    FormError,
    GuardError,
    IllegalEventError,
    NotAllowedError,
    UnknownCaseError,
)
from huodang.retirement.filing import FilingHandler
from huodang.retirement.form import ApplicationForm
from huodang.retirement.guards import GUARDS
from huodang.retirement.item_effects import FILE_JOB, ITEM_JOB, ITEMS_SETTLED_JOB
from huodang.retirement.item_jobs import ItemHandler
from huodang.retirement.joint_items import ITEM_PROVIDERS
from huodang.retirement.materials import MaterialsList, after_answers
from huodang.retirement.states import Event, State
from huodang.retirement.step_jobs import each_case, event_step, settle_step
from huodang.retirement.views import VIEW_ELEMENTS, build_view, choices, history_entries, reason_view, state_label
from huodang.standards import IdentityNumber, Month, PersonName, same_name
from huodang.store import Clock, Database, Handler
from huodang.trust import FieldSealer, MaskLevel, mask

_AUDIT: Final = "audit"
# What each role finds in its queue unless it asks for a state of its own.
QUEUES: Final[dict[str, tuple[State, ...]]] = {
    "window_clerk": (State.EXCEPTION, State.WINDOW_REVIEW, State.SUPPLEMENT, State.JOINT_ITEMS),
    "reviewer": (State.FILING_REVIEW, State.ARBITRATION, State.APPEAL, State.EXCEPTION),
    "archivist": (State.FILING, State.COMPLETED),
}
_LONGEST_QUEUE: Final = 500
_EVENT_DATA: Final = frozenset({"check", "item", "evidence", "papers", "subject", "finding", "form", "died_on"})


class RetirementOffice:
    """The joint case (退休一件事) of one agency. Safe to share between threads."""

    def __init__(  # noqa: PLR0917  (the order is that of docs/architecture.md)
        self,
        database: Database,
        exchange: Exchange,
        ledger: Ledger,
        volumes: Volumes,
        payments: PaymentRecords,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
        settings: RetirementSettings | None = None,
    ) -> None:
        self._desk = Desk(
            database=database,
            exchange=exchange,
            calls=CallDesk(exchange),
            ledger=ledger,
            volumes=volumes,
            payments=payments,
            sealer=sealer,
            looks=looks,
            clock=clock,
            settings=settings or RetirementSettings(),
        )
        self._engine = Engine(self._desk, GUARDS, EFFECTS)

    def prefill(self, actor: Actor, identity_number: str, name: str) -> intake.Prefill:
        """Give what is known of a person before the form is filled in; see `intake.prefill`."""
        return intake.prefill(self._desk, actor, identity_number, name)

    def submit(self, actor: Actor, form: ApplicationForm) -> str:
        """Take an application in, whole or refused whole; give the number of the case. See `intake.submit`."""
        return intake.submit(self._desk, self._engine, actor, form)

    def act(
        self,
        actor: Actor,
        case_id: str,
        event: Event | str,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> CaseView:
        """Do what a person does with a case, and show it as it is then; see `move`."""
        self.move(actor, case_id, event, note=note, data=data)
        return self.view(actor, case_id)

    def move(
        self,
        actor: Actor,
        case_id: str,
        event: Event | str,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> State:
        """Do what a person does with a case: any event of the table that is open to the actor.

        Args:
            actor: who does it.
            case_id: which case.
            event: what; see `events_for`.
            note: what the actor says about it.
            data: what the event needs: `check` or `item` with `evidence`; `papers`; `subject` with `finding`; `form`
                (an `ApplicationForm` or its values) to submit again; `died_on`.

        Returns:
            Where the case stands then.

        Raises:
            UnknownCaseError: there is no such case for this actor.
            IllegalEventError: the table has no such event in this state for this role.
            GuardError: a condition doesn't hold; it says which.
            FormError: the form handed in again isn't whole.
        """
        named = _event(event)
        # Only what events know: nothing from outside reaches guards and effects under another name.
        values = {name: value for name, value in (data or {}).items() if name in _EVENT_DATA}
        if "form" in values:
            if not isinstance(values["form"], ApplicationForm | Mapping):
                raise GuardError("form", "申请表格式不对", "the form isn't shaped as it must be")
            values["form"] = self._form(actor, values["form"])
        action = Action.REVIEW_CASE if actor.role == "reviewer" else Action.ACT_ON_CASE
        with self._desk.database.begin() as connection:
            case = load(connection, case_id, lock=True)
            self._permit(actor, case, action)
            if "form" in values:
                self._same_person(case, values["form"])
            row = self._engine.apply(connection, case_id, named, actor, note=note, data=values, case=case)
        return row.target

    def view(self, actor: Actor, case_id: str) -> CaseView:
        """Show a case as the policies let this actor see it, and record the look.

        Raises:
            UnknownCaseError: there is no such case for this actor.
        """
        with self._desk.database.begin() as connection:
            case = load(connection, case_id)
            decision = self._permit(actor, case, Action.VIEW_CASE)
            view = build_view(connection, self._desk, case, decision, actor.role)
            self._desk.looks.record(
                connection,
                actor=actor,
                purpose=self._purpose(actor),
                case_id=case_id,
                subject_index=case.person_index,
                elements=decision.elements,
                decision=decision,
                what="retirement.case",
            )
        return view

    def events_for(self, actor: Actor, case_id: str) -> tuple[EventChoice, ...]:
        """Give the events that are open to this actor now."""
        with self._desk.database.read() as connection:
            case = load(connection, case_id)
        self._permit(actor, case, Action.VIEW_CASE)
        return choices(case, actor.role)

    def queue(self, actor: Actor, *, state: State | str | None = None, limit: int = 50) -> list[QueueRow]:
        """List the cases of this actor's region or employer, longest waiting first, names masked; one look a listing.

        Args:
            actor: who looks.
            state: one state; without it those that wait for the actor's role.
            limit: at most so many, 500 in any case.

        Raises:
            NotAllowedError: the policies don't permit it.
        """
        desk = self._desk
        purpose = self._purpose(actor)
        request = DecisionRequest(
            actor, Action.LIST_CASES, purpose, ("name",), employer=actor.employer, region=actor.region
        )
        decision = decide(request)
        if not decision.permitted:
            raise NotAllowedError("您不能查看联办件列表", "you may not list cases")
        states = [State(state)] if state else list(QUEUES.get(actor.role, tuple(State)))
        table = records.case
        statement = (
            select(table)
            .where(table.c.state.in_([one.value for one in states]), _mine(actor))
            .order_by(table.c.state_since, table.c.case_id)
            .limit(max(1, min(limit, _LONGEST_QUEUE)))
        )
        with desk.database.begin() as connection:
            rows = [self._row(CaseRecord.of(row)) for row in connection.execute(statement).mappings()]
            desk.looks.record(
                connection,
                actor=actor,
                purpose=purpose,
                case_id="",
                subject_index="",
                elements=("name",),
                decision=decision,
                what="retirement.queue",
            )
        return rows

    def counts(self, actor: Actor) -> dict[State, int]:
        """Count the cases of this actor's region or employer by state; holds nothing personal."""
        table = records.case
        statement = select(table.c.state, func.count()).where(_mine(actor)).group_by(table.c.state)
        with self._desk.database.read() as connection:
            return {State(state): int(number) for state, number in connection.execute(statement)}

    def of_citizen(self, identity_number: str, name: str) -> CaseView | None:
        """Show a person their own latest case; None when there is none or the name isn't that of the case."""
        number, person = IdentityNumber.parse(identity_number), PersonName.parse(name)
        owner = self._desk.exchange.subject_index(number.text)
        table = records.case
        with self._desk.database.read() as connection:
            row = (
                connection.execute(
                    select(table)
                    .where(table.c.person_index == owner)
                    .order_by(table.c.live_index.is_(None), table.c.created_at.desc())
                    .limit(1)
                )
                .mappings()
                .one_or_none()
            )
            if row is None:
                return None
            case = CaseRecord.of(row)
            if not same_name(PersonName.parse(form_of(self._desk.sealer, case).name), person):
                return None
        return self.view(self.citizen(number.text, person.text), case.case_id)

    def looks_of_citizen(self, identity_number: str, *, limit: int = 200) -> Sequence[Look]:
        """Tell a person who looked at their data, newest first."""
        number = IdentityNumber.parse(identity_number)
        return self._desk.looks.of_subject(self._desk.exchange.subject_index(number.text), limit=limit)

    def citizen(self, identity_number: str, name: str) -> Actor:
        """Give the actor for a citizen who has proved to be the one: known by the blind index of the number alone."""
        owner = self._desk.exchange.subject_index(IdentityNumber.parse(identity_number).text)
        return Actor(user_id=owner, name=name, role="citizen", department="", region="")

    def materials(self, case_id: str) -> MaterialsList:
        """Compute what must still be brought for a case, from what the departments answered; holds nothing personal."""
        with self._desk.database.read() as connection:
            case = load(connection, case_id)
            checks = checks_of(connection, self._desk.sealer, [case_id])[case_id]
            return after_answers(form_of(self._desk.sealer, case), checks)

    def find_due(self, actor: Actor, month: Month) -> list[DuePerson]:
        """Find who reaches the lawful age in a month (免申即享); see `due.find_due`."""
        return due.find_due(self._desk, actor, month)

    def prepare_due(self, actor: Actor, month: Month) -> int:
        """Prepare a draft for each of them who has no case yet; give how many. See `due.prepare_due`."""
        return due.prepare_due(self._desk, actor, month)

    def receipts(self, actor: Actor, case_id: str) -> list[CaseReceipt]:
        """List the ledger's entries of a case, oldest first: what was asked and answered, and every step.

        Raises:
            UnknownCaseError: there is no such case for this actor.
        """
        with self._desk.database.read() as connection:
            case = load(connection, case_id)
            self._permit(actor, case, Action.VIEW_CASE)
            steps = history_entries(connection, case_id)
        asked = evidence_of_case(self._desk.database, case_id)
        entries = [CaseReceipt(one.kind, one.resource, one.at, one.entry_id) for one in asked]
        return sorted([*entries, *steps], key=lambda one: one.at)

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers of this room's jobs, by kind, for the store's `Worker`."""
        desk, engine = self._desk, self._engine
        handlers: dict[str, Handler] = {
            f"{CHECK_JOB}{provider}": CheckHandler(desk, provider) for provider in PROVIDERS
        }
        handlers |= {f"{ITEM_JOB}{provider}": ItemHandler(desk, provider) for provider in ITEM_PROVIDERS}
        handlers |= {
            SETTLE_JOB: each_case(desk, State.CHECKING, settle_step(desk, engine)),
            NOTICE_JOB: each_case(desk, State.PUBLIC_NOTICE, event_step(desk, engine, Event.NOTICE_ENDED)),
            OVERDUE_JOB: each_case(desk, State.SUPPLEMENT, event_step(desk, engine, Event.SUPPLEMENT_OVERDUE)),
            ITEMS_SETTLED_JOB: each_case(desk, State.JOINT_ITEMS, event_step(desk, engine, Event.JOINT_ITEMS_SETTLED)),
            FILE_JOB: FilingHandler(desk, engine),
        }
        return handlers

    def _permit(self, actor: Actor, case: CaseRecord, action: Action) -> Decision:
        """Ask the policies; a case that this actor may not touch doesn't exist for them."""
        decision = decide(
            DecisionRequest(
                actor,
                action,
                self._purpose(actor),
                VIEW_ELEMENTS,
                case_id=case.case_id,
                owner=case.person_index,
                employer=case.employer,
                region=case.region,
            )
        )
        if actor.role == "system" or not decision.permitted:
            raise UnknownCaseError
        return decision

    def _purpose(self, actor: Actor) -> str:
        return _AUDIT if actor.role == "auditor" else self._desk.settings.purpose

    def _form(self, actor: Actor, given: ApplicationForm | Mapping[str, Any]) -> ApplicationForm:
        values = given.to_values() if isinstance(given, ApplicationForm) else dict(given)
        kind = intake.KIND_OF_ROLE.get(actor.role)
        return ApplicationForm.parse({**values, **({"applicant_kind": kind} if kind else {})})

    def _same_person(self, case: CaseRecord, form: ApplicationForm) -> None:
        if self._desk.exchange.subject_index(form.identity_number) != case.person_index:
            raise FormError((_OTHER_PERSON,))

    def _row(self, case: CaseRecord) -> QueueRow:
        today = self._desk.clock.today()
        due_day = step_deadline(ClockEntry("", case.state.value, case.state_since, None))
        shown = light(due_day, today)
        name = form_of(self._desk.sealer, case).name
        return QueueRow(
            case_id=case.case_id,
            name=mask("name", name, MaskLevel.PARTIAL),
            state=case.state,
            state_label=state_label(case.state),
            state_since=case.state_since,
            category=case.category,
            route=case.route,
            retirement_month=case.retirement_month,
            submitted_at=case.submitted_at,
            reasons=tuple(reason_view(reason) for reason in case.reasons),
            step_due=None if due_day is None else due_day.day,
            light=shown.value,
            light_label=Label(*LIGHT_LABELS[shown]),
        )


_OTHER_PERSON: Final = FieldProblem(
    "identity_number", "other_person", "重新提交的申请须为同一人", "the application must be for the same person"
)


def _event(event: Event | str) -> Event:
    try:
        return Event(event)
    except ValueError:
        raise IllegalEventError(
            "没有这种事件",
            "there is no such event",
            advice_chinese="请从当前可执行的事件中选择。",
            advice_english="Choose one of the events that are open.",
        ) from None


def _mine(actor: Actor) -> ColumnElement[bool]:
    """Bound a list to the actor's own: the employer's people, or the region and what lies in it."""
    columns = records.case.c
    if actor.role == "employer_clerk":
        return and_(columns.employer == actor.employer, columns.employer != "")
    if actor.role == "citizen":
        return columns.person_index == actor.user_id
    prefix = actor.region
    while len(prefix) > 1 and prefix.endswith("00"):
        prefix = prefix[:-2]
    return columns.region.startswith(prefix, autoescape=True) if prefix else false()
