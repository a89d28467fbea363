"""Figures without personal data, for leader, auditor and whoever watches the system."""

from dataclasses import dataclass

from huodang.archive import PaymentKind
from huodang.exchange import Action, Actor, DecisionRequest, Outcome, decide, verdict_counts
from huodang.retirement import State
from huodang.store import jobs
from huodang.web.problems import ForbiddenError
from huodang.web.services import Services


@dataclass(frozen=True)
class Summary:
    """Where the hub stands.

    Attributes:
        cases: by state, of the asker's region.
        verdicts: by department and outcome.
        first_payments: people whose first payment stands.
        payments: all payment records, back pay included.
        payments_fen: sum of the payments recorded, in fen.
    """

    cases: dict[State, int]
    verdicts: dict[str, dict[Outcome, int]]
    first_payments: int
    payments: int
    payments_fen: int
    ledger_leaves: int
    ledger_pending: int
    jobs_due: int


def summary_of(services: Services, actor: Actor) -> Summary:
    """Gather the figures.

    Raises:
        ForbiddenError: the policies don't permit it.
    """
    if not decide(DecisionRequest(actor, Action.VIEW_STATISTICS, department=actor.department)).permitted:
        raise ForbiddenError
    with services.database.read() as connection:
        due = jobs.pending(connection, services.clock.now())
    return Summary(
        cases=services.office.counts(actor),
        verdicts=verdict_counts(services.database),
        first_payments=services.payments.count(PaymentKind.FIRST),
        payments=services.payments.count(),
        payments_fen=services.payments.total().fen,
        ledger_leaves=services.ledger.size(),
        ledger_pending=services.ledger.pending(),
        jobs_due=due,
    )
