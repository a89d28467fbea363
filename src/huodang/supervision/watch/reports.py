"""What an event says of a payment: the months in question and the signal of its register. Pure.

A death concerns every month after it; custody those that the law leaves unpaid. A household moved, or insurance taken
elsewhere, says nothing against a payment: it is kept as a fact, and only a registration cancelled for settling abroad
asks for a look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Final

from huodang.exchange import Change, ReceivedEvent
from huodang.pension import Custody, PaymentAction, payment_effect_of_custody, payment_effect_of_death
from huodang.standards import Month
from huodang.supervision.clues import Signal, Stance
from huodang.supervision.timeline import CUSTODY, DEATH, latest_day
from huodang.supervision.watch.payees import PaidSpan
from huodang.trust import canonical_json


class EventKind(StrEnum):
    """What an event is about."""

    DEATH = "death"
    CUSTODY = "custody"
    MOVED = "moved"
    ENROLLED = "enrolled_elsewhere"


TYPES: Final = {
    "cn.huodang.death.": EventKind.DEATH,
    "cn.huodang.custody.": EventKind.CUSTODY,
    "cn.huodang.household.": EventKind.MOVED,
    "cn.huodang.insurance.": EventKind.ENROLLED,
}
"""Beginnings of CloudEvents types, and what they are about."""
ENDED: Final = ".ended"
"""End of a type whose withdrawal means that it is over (released), not that it never was."""
RULES: Final = {
    EventKind.DEATH: "death_registered",
    EventKind.CUSTODY: "custody_changed",
    EventKind.MOVED: "moved",
    EventKind.ENROLLED: "moved",
}
"""Rule of a clue by kind: enrolment elsewhere is a matter of residence, for which nothing is held."""

_ABROAD: Final = "cancelled_abroad"
_ELEMENT: Final = {
    EventKind.DEATH: DEATH,
    EventKind.CUSTODY: CUSTODY,
    EventKind.MOVED: "household_status",
    EventKind.ENROLLED: "medical_status",
}
_CUSTODY: Final = {
    "prison": Custody.PRISON,
    "imprisonment": Custody.PRISON,
    "detention": Custody.DETENTION,
    "probation": Custody.PROBATION,
    "control": Custody.CONTROL,
    "outside": Custody.OUTSIDE,
    "parole": Custody.OUTSIDE,
}


@dataclass(frozen=True)
class Report:
    """One event, read.

    Attributes:
        kind: what it is about.
        register: the department whose record it is.
        began: first day on which it can hold; None if not told.
        bound: the last day on which it can have begun, where it isn't known to the day.
        ended: last day of it, if told.
        value: what the timeline keeps.
        digest: of the record as it came, 64 hexadecimal digits.
    """

    kind: EventKind
    register: str
    began: date | None
    bound: date | None
    ended: date | None
    value: str
    digest: str
    fact: Mapping[str, str]

    @property
    def element(self) -> str:
        """Data element of the fact."""
        return _ELEMENT[self.kind]


def read_report(event: ReceivedEvent) -> Report | None:
    """Read an event; None if the watch has no use for its type, or it doesn't say what must be known."""
    kind = next((each for beginning, each in TYPES.items() if event.type.startswith(beginning)), None)
    if kind is None:
        return None
    data = event.data
    facts = {name: text for name, text in data.items() if name not in {"identity_number", "name"}}
    begin = {EventKind.DEATH: "death_date", EventKind.CUSTODY: "custody_from"}.get(kind, "")
    bound = latest_day(data.get(begin, ""))
    end = latest_day(data.get("custody_to", "")) if kind is EventKind.CUSTODY else None
    value = {
        EventKind.DEATH: data.get("death_date", ""),
        EventKind.CUSTODY: data.get("sentence_type", "") or "prison",
        EventKind.MOVED: data.get("household_status", "") or "moved",
        EventKind.ENROLLED: data.get("medical_status", ""),
    }[kind]
    if not value or (kind in {EventKind.DEATH, EventKind.CUSTODY} and bound is None):
        return None
    digest = sha256(canonical_json({"event": event.event_id, "resource": event.resource, "data": dict(data)}))
    return Report(kind, event.provider, _earliest(data.get(begin, "")), bound, end, value, digest.hexdigest(), facts)


def signal_of(report: Report, event: ReceivedEvent, *, stance: Stance = Stance.FOR) -> Signal:
    """Make the signal of a report; against the suspicion where a register has annulled its own record."""
    kind = "alive" if stance is Stance.AGAINST else report.kind.value
    return Signal(
        register=report.register,
        kind=kind,
        fact=dict(report.fact),
        digest=report.digest if stance is Stance.FOR else sha256(f"annulled:{report.digest}".encode()).hexdigest(),
        confirmed=False,
        fuzzy=False,
        known_at=event.received_at,
        stance=stance,
    )


def asks_for_a_look(report: Report) -> bool:
    """Say whether a report gives reason to doubt a payment at all."""
    if report.kind is EventKind.DEATH:
        return True
    if report.kind is EventKind.CUSTODY and report.bound is not None:
        effect = payment_effect_of_custody(_CUSTODY.get(report.value, Custody.OUTSIDE), report.bound, _end(report))
        return effect.action is not PaymentAction.PAY
    return report.kind is EventKind.MOVED and report.value == _ABROAD


def months_in_question(report: Report, paid: Sequence[PaidSpan]) -> dict[Month, int]:
    """Give the months that were paid and weren't due by this report, with their fen."""
    if not paid or report.bound is None:
        return {}
    first, last = min(one.first for one in paid), max(one.last for one in paid)
    months = [first + ahead for ahead in range((last - first) + 1)]
    if report.kind is EventKind.DEATH:
        undue = payment_effect_of_death(report.bound, months).unduly_paid
    elif report.kind is EventKind.CUSTODY:
        kind = _CUSTODY.get(report.value, Custody.OUTSIDE)
        undue = payment_effect_of_custody(kind, report.bound, _end(report), months).unduly_paid
    else:
        return {}
    fen = {month: sum(one.paid_in(month) for one in paid) for month in undue}
    return {month: each for month, each in fen.items() if each}


def is_over(event: ReceivedEvent) -> bool:
    """Say whether a withdrawal means that something true is over: released, and not imprisoned by mistake."""
    return event.change is Change.WITHDRAWN and event.type.endswith(ENDED)


def _end(report: Report) -> date | None:
    """Give the last day of a term; one that ends before it begins has no end that can be trusted."""
    if report.ended is None or report.bound is None or report.ended < report.bound:
        return None
    return report.ended


def _earliest(text: str) -> date | None:
    """Give the first day that a date can mean."""
    last = latest_day(text)
    if last is None:
        return None
    parts = text.strip().split("-")
    month = last.month if len(parts) > 1 else 1
    return last if len(parts) > 2 else last.replace(day=1, month=month)
