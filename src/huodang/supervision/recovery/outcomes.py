"""From a clue's outcome to recoveries: the confirmed fact enters the timeline, months are recomputed, debts opened."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import Connection

from huodang.archive import PaymentRecord, PaymentRecords
from huodang.exchange.sharing import SYSTEM
from huodang.pension import duplicate_benefits
from huodang.standards import IdentityNumber, Money, Month
from huodang.supervision.clues import ClueOutcome, Outcome, Stake
from huodang.supervision.recovery.service import Recoveries
from huodang.supervision.recovery.states import RecoveryEvent
from huodang.supervision.recovery.values import CODES, Debt, OverpaidMonth, months_of, refund_law
from huodang.supervision.timeline import CUSTODY, DEATH, Fact, PaidMonth, Timeline

_ELEMENTS: Final = {"death": DEATH, "custody": CUSTODY}

Paid = Callable[[IdentityNumber, str], list[PaidMonth]]
"""What was paid to a person in a scheme, month by month."""


def recorded_payments(payments: PaymentRecords) -> Paid:
    """Tell what was paid from the hub's own payment records; the instant of recording counts as payday."""

    def paid(identity: IdentityNumber, scheme: str) -> list[PaidMonth]:
        by_month: dict[Month, list[PaymentRecord]] = defaultdict(list)
        for record in payments.of_person(identity):
            if record.scheme == scheme:
                by_month[record.month].append(record)
        return [
            PaidMonth(month, total, total, min(one.created_at for one in found))
            for month, found in sorted(by_month.items())
            if (total := sum((one.amount for one in found), Money.zero()))
        ]

    return paid


class RecoveryOpener:
    """Opens recoveries when a clue is confirmed, and takes them back when that outcome is.

    Args:
        recoveries: where debts are opened.
        timeline: where the confirmed fact is recorded and months are recomputed.
        paid: tells what was paid.
    """

    def __init__(self, recoveries: Recoveries, timeline: Timeline, paid: Paid) -> None:
        self._recoveries = recoveries
        self._timeline = timeline
        self._paid = paid

    def on_outcome(self, connection: Connection, outcome: ClueOutcome) -> None:
        """Act on an outcome in the clue's own transaction; `ClueDesk.on_outcome` calls it."""
        if outcome.outcome is not Outcome.CONFIRMED:
            return
        if outcome.reopened:
            self._take_back(connection, outcome)
            return
        identity = IdentityNumber.parse(outcome.identity_number)
        self._record(connection, outcome, identity)
        for stake in outcome.stakes:
            self._open(connection, outcome, identity, stake)

    def _record(self, connection: Connection, outcome: ClueOutcome, identity: IdentityNumber) -> None:
        element = _ELEMENTS.get(outcome.matter)
        if element is None or not outcome.fact_from:
            return
        told = [signal.fact for signal in outcome.signals if signal.kind == outcome.matter]
        # As in a check's files: custody of which no kind is told is a prison term.
        kind = next((fact["sentence_type"] for fact in told if fact.get("sentence_type")), "prison")
        until = next((fact["custody_to"] for fact in told if fact.get("custody_to")), "")
        fact = Fact(
            identity_number=identity,
            element=element,
            value=outcome.fact_from if element == DEATH else kind,
            valid_from=date.fromisoformat(outcome.fact_from),
            valid_to=date.fromisoformat(until) if until and element == CUSTODY else None,
            known_at=outcome.decided_at,
            source=f"clue.{outcome.clue_id}",
            digest=outcome.signals[0].digest if outcome.signals else outcome.clue_id,
        )
        self._timeline.record(connection, fact)

    def _open(self, connection: Connection, outcome: ClueOutcome, identity: IdentityNumber, stake: Stake) -> None:
        paid = self._paid(identity, stake.scheme)
        if outcome.matter in _ELEMENTS:
            lines, totals = self._timeline.recomputed(connection, outcome.person_index, paid)
            if not totals.overpaid:
                return
            months = months_of(lines, outcome.matter)
            statement = self._timeline.recomputation(connection, identity, stake.scheme, paid).digest
        else:
            months, statement = _paid_twice(paid, stake, outcome.matter), ""
        if not months:
            return
        debt = Debt(
            matter=f"{outcome.clue_id}:{stake.scheme}",
            identity_number=identity,
            scheme=stake.scheme,
            region=outcome.region,
            cause=outcome.matter,
            months=months,
            statement=statement,
        )
        self._recoveries.open(connection, debt)

    def _take_back(self, connection: Connection, outcome: ClueOutcome) -> None:
        source = f"clue.{outcome.clue_id}"
        identity = IdentityNumber.parse(outcome.identity_number)
        for fact in self._timeline.standing(connection, outcome.person_index):
            if fact.source == source:
                annulled = Fact(
                    identity, fact.element, "", None, None, outcome.decided_at, source, fact.digest, fact.number
                )
                self._timeline.record(connection, annulled)
        for matter in self._recoveries.of_matter(connection, f"{outcome.clue_id}:"):
            if matter.debt:
                self._recoveries.move(
                    connection,
                    SYSTEM,
                    matter.recovery_id,
                    RecoveryEvent.REVISE,
                    note="疑点结论已撤回 / the clue's outcome was taken back",
                    data={"months": ()},
                )


def _paid_twice(paid: list[PaidMonth], stake: Stake, cause: str) -> tuple[OverpaidMonth, ...]:
    """Say that nothing was due for the months in question, as of a second benefit.

    Source: 人社部发〔2014〕17号第八条 (R-TRF-03, unverified).
    """
    law = duplicate_benefits(Money.zero(), Money.zero(), Money.zero()).laws[0].text
    return tuple(
        OverpaidMonth(one.month, one.paid, Money.zero(), CODES.get(cause, ""), f"{law}\n{refund_law()}")
        for one in paid
        if one.month in stake.months and one.paid
    )
