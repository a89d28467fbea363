"""Made-up matters of supervision at a deployed hub."""

from datetime import date

import numpy as np
from web_deployment import Deployment

from huodang.archive import PaymentDraft, PaymentKind
from huodang.simulation.identity_numbers import NumberMaker
from huodang.standards import IdentityNumber, Money, Month
from huodang.supervision.clues import Finding, Signal
from huodang.trust import sha256

_MAKER = NumberMaker(np.random.default_rng(41))


def dead_payee(deployment: Deployment, *, fen: int = 412_345, of: str = "") -> tuple[str, str]:
    """A clue about somebody paid after the health department registered the death: its id, and the number."""
    number = of or _MAKER.make("130102", date(1950, 3, 8), "1")
    services = deployment.services
    signal = Signal(
        register="health",
        kind="death",
        fact={"death_date": "2025-07-03"},
        digest=sha256(number.encode()).hex(),
        confirmed=False,
        fuzzy=False,
        known_at=services.clock.now(),
    )
    run_id = "run-" + sha256(number.encode()).hex()[:8]
    evidence = f'{{"name":"赵建国","identity_number":"{number}","month":"202508"}}'.encode()
    found = Finding("paid_after_death", number, "110", (Month(2025, 8),), fen, (signal,), run_id, evidence, "130000")
    with services.database.begin() as connection:
        return services.supervision.clues.open(connection, found), number


def pay(deployment: Deployment, number: str, months: tuple[Month, ...], *, fen: int = 412_345) -> None:
    """Record a payment of each month."""
    services = deployment.services
    identity = IdentityNumber.parse(number)
    with services.database.begin() as connection:
        for at, month in enumerate(months):
            draft = PaymentDraft(identity, "110", month, Money(fen), f"TX-{number[6:14]}-{at}", {"basic": Money(fen)})
            if at == 0:
                services.payments.record_first(connection, draft)
            else:
                services.payments.record(connection, draft, PaymentKind.MONTHLY)
