"""The watch (监测): an arriving death or custody meets the payments of that person in the event's own transaction.

What the event says is recorded in the timeline, every payment of the person is found, a clue is opened or joined with
the register's signal, and payment control holds what the signals justify. All of it stands or falls together, once for
each event. A withdrawal takes the signal back; if another register still says the same, the two contradict each other,
and the clue goes to arbitration while payment goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from huodang.archive import PaymentRecords
from huodang.exchange import Action, Actor, Change, DecisionRequest, EventOffice, Looks, ReceivedEvent, decide
from huodang.standards import BadValue, IdentityNumber, Month, UnknownCode, code_table
from huodang.store import Clock, Database, shanghai_date
from huodang.supervision.clues import ClueDesk, ClueOutcome, Finding, Judgement, Stance
from huodang.supervision.control import PaymentControl
from huodang.supervision.timeline import Fact, Timeline
from huodang.supervision.watch.payees import PaidSpan, Payee, Payees
from huodang.supervision.watch.records import watched, watched_hold
from huodang.supervision.watch.reports import (
    RULES,
    TYPES,
    EventKind,
    Report,
    asks_for_a_look,
    is_over,
    months_in_question,
    read_report,
    signal_of,
)
from huodang.trust import canonical_json

PURPOSE: Final = "supervision"
SYSTEM: Final = Actor("system", "平台", "system", "social_insurance")
"""Who looks when an event arrives: the hub itself."""
SEEN: Final = ("identity_number", "scheme", "benefit_from", "benefit_amount")
"""Data elements that an answer about a payee shows."""
NAME: Final = "supervision.watch"
"""Name under which the watch's place among the events is kept."""

_REGION_DIGITS: Final = 6
_log = structlog.get_logger("huodang.supervision.watch")


@dataclass(frozen=True)
class Parts:
    """What the watch works with."""

    payees: Payees
    payments: PaymentRecords
    clues: ClueDesk
    control: PaymentControl
    timeline: Timeline
    looks: Looks


class Watch:
    """Takes events and acts on them.

    Args:
        database: the hub's.
        events: where events come from; None where they are handed over by hand.
        parts: the store of payees, clues, control, the timeline.
        clock: business time.
    """

    def __init__(self, database: Database, events: EventOffice | None, parts: Parts, clock: Clock) -> None:
        self._database = database
        self._events = events
        self._parts = parts
        self._clock = clock

    def start(self) -> None:
        """Subscribe, before the events' own start, and after payment control has registered with the clue desk."""
        self._parts.clues.on_judged(NAME, self._judged)
        self._parts.clues.on_outcome(NAME, self._ended)
        if self._events is not None:
            for beginning, kind in TYPES.items():
                self._events.subscriptions.on(f"{beginning}*", self.take, name=f"{NAME}.{kind.value}")

    def take(self, connection: Connection, event: ReceivedEvent) -> None:
        """Take one event, in the transaction that marks it as taken; the same event again changes nothing."""
        report = read_report(event)
        known = connection.execute(sa.select(watched.c.event_id).where(watched.c.event_id == event.event_id)).first()
        if known is not None:
            return
        if report is None:
            _log.warning("watch.event_without_facts", resource=event.resource, number=event.number)
            return
        try:
            identity = IdentityNumber.parse(event.data.get("identity_number", ""))
        except BadValue as error:
            # A gateway publishes no such number; an agreement that doesn't hand it over can't be acted on.
            _log.warning("watch.no_identity_number", resource=event.resource, number=event.number, code=error.code)
            return
        before = self._standing(connection, event)
        if event.change is Change.WITHDRAWN:
            self._withdrawn(connection, event, report, identity, before)
            return
        fact = self._record(connection, event, report, identity, replaces=before)
        clue_id, judged, found = self._find(connection, event, report, identity)
        self._keep(connection, event, report, identity, fact=fact, clue_id=clue_id, judged=judged, payees=found)
        for one in before:  # after the new record has joined: the matter must not stand on nothing in between
            self._take_back(connection, one)

    def _find(
        self, connection: Connection, event: ReceivedEvent, report: Report, identity: IdentityNumber
    ) -> tuple[str, str, int]:
        """Find the person's payments and open a clue; give its id, what was judged, and how many payments there are."""
        parts = self._parts
        person = parts.payees.person_index(identity.text)
        paid = parts.payees.paid(connection, person, parts.payments.of_person(identity))
        spans = parts.payees.spans(connection, [person])[person]
        if report.kind is EventKind.CUSTODY or report.kind is EventKind.DEATH:
            # Who isn't paid any more may have been overpaid before.
            schemes = {one.scheme for one in spans if months_in_question(report, [one])} | {one.scheme for one in paid}
        else:
            schemes = {one.scheme for one in paid}
        self._look(connection, person, event)
        if not schemes or not asks_for_a_look(report):
            return "", "", len(paid)
        clue_id = ""
        for scheme in sorted(schemes):
            of_scheme = [one for one in spans if one.scheme == scheme]
            finding = _finding(event, report, identity, scheme=scheme, spans=of_scheme, paid=paid)
            clue_id = parts.clues.open(connection, finding)
        return clue_id, parts.clues.judgement(connection, clue_id).measure.value, len(paid)

    def _withdrawn(
        self,
        connection: Connection,
        event: ReceivedEvent,
        report: Report,
        identity: IdentityNumber,
        before: Sequence[sa.Row[Any]],
    ) -> None:
        """Take back what a register takes back; where a term of custody is over, note its end."""
        over = is_over(event)
        fact = self._record(connection, event, report, identity, replaces=before, over=over)
        self._keep(connection, event, report, identity, fact=fact, clue_id=before[0].clue_id if before else "")
        if over:  # what comes next of this row corrects the fact that it has ended
            for one in before:
                connection.execute(sa.update(watched).where(watched.c.event_id == one.event_id).values(fact=fact))
            return
        for one in before:
            self._take_back(connection, one)
        others = connection.execute(
            sa.select(watched).where(
                watched.c.person_index == self._parts.payees.person_index(identity.text),
                watched.c.kind == report.kind.value,
                watched.c.withdrawn_at.is_(None),
                watched.c.change != Change.WITHDRAWN.value,
                watched.c.department != event.provider,
                watched.c.clue_id != "",
            )
        ).first()
        if others is not None and report.kind is EventKind.DEATH:
            against = signal_of(report, event, stance=Stance.AGAINST)
            self._parts.clues.open(
                connection,
                Finding(
                    rule=RULES[report.kind],
                    identity_number=identity.text,
                    scheme="",
                    months=(),
                    fen=0,
                    signals=(against,),
                    run_id=_run_id(event),
                    evidence=canonical_json({"event": event.event_id, "annulled": report.digest}),
                ),
            )

    def _take_back(self, connection: Connection, row: sa.Row[Any]) -> None:
        """Withdraw the signal of an event that was taken before."""
        if row.withdrawn_at is not None:
            return
        connection.execute(
            sa.update(watched).where(watched.c.event_id == row.event_id).values(withdrawn_at=self._clock.now())
        )
        if row.clue_id:
            self._parts.clues.withdraw(connection, row.digest)

    def _record(
        self,
        connection: Connection,
        event: ReceivedEvent,
        report: Report,
        identity: IdentityNumber,
        *,
        replaces: Sequence[sa.Row[Any]],
        over: bool = False,
    ) -> int:
        """Record what an event says with its two times; give the fact's number, 0 if there is nothing to take back."""
        gone = event.change is Change.WITHDRAWN and not over
        replaced = max((one.fact for one in replaces), default=0)
        if gone and not replaced:
            return 0
        end = report.ended or (shanghai_date(event.noticed_at) if over else None)
        began = report.began
        if began is not None and end is not None and end < began:
            end = None  # inverted at the source: the beginning stands, the end isn't known
        return self._parts.timeline.record(
            connection,
            Fact(
                identity_number=identity,
                element=report.element,
                value="" if gone else report.value,
                valid_from=began if began is not None else shanghai_date(event.noticed_at),
                valid_to=end,
                known_at=min(event.received_at, self._clock.now()),
                source=event.resource,
                digest=report.digest,
                replaces=replaced,
            ),
        )

    def _standing(self, connection: Connection, event: ReceivedEvent) -> list[sa.Row[Any]]:
        """Give what this row of the register said before and hasn't been taken back."""
        return list(
            connection.execute(
                sa.select(watched)
                .where(watched.c.row == event.row, watched.c.department == event.provider)
                .where(watched.c.withdrawn_at.is_(None), watched.c.change != Change.WITHDRAWN.value)
            )
        )

    def _keep(
        self,
        connection: Connection,
        event: ReceivedEvent,
        report: Report,
        identity: IdentityNumber,
        *,
        fact: int,
        clue_id: str = "",
        judged: str = "",
        payees: int = 0,
    ) -> None:
        connection.execute(
            sa.insert(watched).values(
                event_id=event.event_id,
                person_index=self._parts.payees.person_index(identity.text),
                kind=report.kind.value,
                change=event.change.value,
                department=event.provider,
                row=event.row,
                digest=report.digest,
                fact=fact,
                happened_from=report.began,
                happened_to=report.bound,
                recorded_at=event.noticed_at,
                received_at=event.received_at,
                handled_at=self._clock.now(),
                payees=payees,
                clue_id=clue_id,
                measure=judged,
                withdrawn_at=None,
            )
        )

    def _look(self, connection: Connection, person: str, event: ReceivedEvent) -> None:
        decision = decide(DecisionRequest(SYSTEM, Action.FIND_PAYEE, PURPOSE, SEEN))
        self._parts.looks.record(
            connection,
            actor=SYSTEM,
            purpose=PURPOSE,
            case_id=f"event-{event.number}",
            subject_index=person,
            elements=decision.elements,
            decision=decision,
            what="supervision.payees",
        )

    def _judged(self, connection: Connection, clue_id: str, _judgement: Judgement) -> None:
        """Note since when a clue's payments are held, once payment control has acted on the judgement."""
        self._note_holds(connection, clue_id)

    def _ended(self, connection: Connection, outcome: ClueOutcome) -> None:
        """Note what a person's decision stopped."""
        self._note_holds(connection, outcome.clue_id)

    def _note_holds(self, connection: Connection, clue_id: str) -> None:
        since = self._parts.control.held_since(connection, clue_id)
        noted = sa.select(watched_hold.c.clue_id).where(watched_hold.c.clue_id == clue_id)
        if since is None or connection.execute(noted).first() is not None:
            return
        person = self._parts.clues.load(connection, clue_id).person_index
        connection.execute(sa.insert(watched_hold).values(clue_id=clue_id, person_index=person, held_at=since))


def _finding(
    event: ReceivedEvent,
    report: Report,
    identity: IdentityNumber,
    *,
    scheme: str,
    spans: Sequence[PaidSpan],
    paid: Sequence[Payee],
) -> Finding:
    """Put together what is suspected in one scheme: months overpaid so far, or else the next payment."""
    overpaid = months_in_question(report, spans)
    next_fen = sum(one.fen for one in paid if one.scheme == scheme)
    regions = [one.region for one in paid if one.scheme == scheme and len(one.region) == _REGION_DIGITS]
    return Finding(
        rule=RULES[report.kind],
        identity_number=identity.text,
        scheme=_scheme(scheme),
        months=tuple(sorted(overpaid)),
        fen=sum(overpaid.values()) or next_fen,
        signals=(signal_of(report, event),),
        run_id=_run_id(event),
        evidence=_evidence(event, report, scheme, overpaid, next_fen),
        region=regions[0] if regions else "",
    )


def _evidence(event: ReceivedEvent, report: Report, scheme: str, overpaid: Mapping[Month, int], next_fen: int) -> bytes:
    return canonical_json(
        {
            **event.data,
            "event": event.event_id,
            "resource": event.resource,
            "type": event.type,
            "digest": report.digest,
            "scheme": scheme,
            "paid": {str(month): str(fen) for month, fen in sorted(overpaid.items())},
            "monthly_fen": str(next_fen),
        }
    )


def _scheme(text: str) -> str:
    """Give the scheme's code; a scheme that the standard doesn't name is left open."""
    try:
        return code_table("scheme").require(text) and text
    except UnknownCode:
        return ""


def _run_id(event: ReceivedEvent) -> str:
    return f"event-{event.number}"
