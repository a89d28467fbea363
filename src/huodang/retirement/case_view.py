"""What is shown of a case: values only, already masked; built by `views.py`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from huodang.retirement.materials import MaterialsList
from huodang.retirement.states import Event, State
from huodang.standards import Month


@dataclass(frozen=True)
class Label:
    """A word in both languages."""

    chinese: str
    english: str


@dataclass(frozen=True)
class EventChoice:
    """An event that this person may cause now.

    Attributes:
        needs: what `act` wants with it: `note`, or keys of its `data`: `check`, `item`, `evidence`, `papers`,
            `subject`, `finding`, `form`.
    """

    event: Event
    label: Label
    needs: tuple[str, ...]


@dataclass(frozen=True)
class ReasonView:
    """Why the case waits for a person, or what is worth knowing."""

    code: str
    subject: str
    sentence: Label
    advice: Label
    law: str
    ways: tuple[Event, ...]


@dataclass(frozen=True)
class CheckView:
    """One check and what the department said.

    Attributes:
        fields: masked.
        disputed: elements of this person that are in doubt now at this resource: a correction was asked for.
    """

    resource: str
    label: Label
    department: Label
    status: str
    status_label: Label
    outcome: str
    reason: str
    as_of: datetime | None
    answered_at: datetime | None
    attempts: int
    fields: dict[str, str]
    accepted_evidence: str | None
    accepted_by: str | None
    accepted_at: datetime | None
    grant_id: str | None
    disputed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemView:
    """One joint item and how it went."""

    resource: str
    label: Label
    department: Label
    status: str
    status_label: Label
    reason: str
    attempts: int
    settled_at: datetime | None
    settled_by: str | None
    evidence: str | None


@dataclass(frozen=True)
class HistoryView:
    """One thing that happened; `ledger_entry` is what a receipt can be issued for."""

    sequence: int
    event: str
    label: Label
    from_state: Label
    to_state: Label
    actor_id: str
    actor_role: str
    at: datetime
    note: str
    codes: tuple[str, ...]
    ledger_entry: str | None


@dataclass(frozen=True)
class PartyDays:
    """Working days that were one party's."""

    party: str
    label: Label
    days: int


@dataclass(frozen=True)
class ClockView:
    """How the case stands in time; `was` is what it took before the departments shared data."""

    parties: tuple[PartyDays, ...]
    counted: int
    promised: int
    was: int
    due: date | None
    due_provisional: bool
    light: str
    light_label: Label
    step_due: date | None
    step_light: str
    step_light_label: Label


@dataclass(frozen=True)
class NoticeView:
    """A public notice (公示) of the case."""

    starts_on: date
    ends_on: date
    objections: int
    closed: bool


@dataclass(frozen=True)
class MessageView:
    """A notice told to the person, the family or the employer."""

    recipient: str
    kind: str
    at: datetime
    text: Label


@dataclass(frozen=True)
class CaseView:
    """One case as this actor may see it.

    Attributes:
        person: form values by field, masked as the decision says.
        decision: the pension decision's values (see `entitlement.Proposal.to_values`: money in fen), or None.
        decision_stage: `proposed` or `final`, or "".
        materials: what must be brought, and what not with its source; None for a draft.
        mask_level: the strictest mask that was applied.
    """

    case_id: str
    state: State
    state_label: Label
    state_since: datetime
    person: dict[str, str]
    category: str
    route: str
    retirement_month: Month | None
    applicant_kind: str
    reasons: tuple[ReasonView, ...]
    notes: tuple[ReasonView, ...]
    checks: tuple[CheckView, ...]
    items: tuple[ItemView, ...]
    decision: dict[str, Any] | None
    decision_stage: str
    provisional: bool
    notices: tuple[NoticeView, ...]
    messages: tuple[MessageView, ...]
    papers_asked: tuple[str, ...]
    materials: MaterialsList | None
    clock: ClockView
    history: tuple[HistoryView, ...]
    events: tuple[EventChoice, ...]
    findings: dict[str, str]
    submitted_at: datetime | None
    ended_at: datetime | None
    volume_id: str | None
    mask_level: str


@dataclass(frozen=True)
class CaseReceipt:
    """One entry of the ledger that belongs to a case; `what` is the resource asked or the event."""

    kind: str
    what: str
    at: datetime
    entry_id: str


@dataclass(frozen=True)
class QueueRow:
    """One case in a list; the name is always masked."""

    case_id: str
    name: str
    state: State
    state_label: Label
    state_since: datetime
    category: str
    route: str
    retirement_month: Month | None
    submitted_at: datetime | None
    reasons: tuple[ReasonView, ...]
    step_due: date | None
    light: str
    light_label: Label
