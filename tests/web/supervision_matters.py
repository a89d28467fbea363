"""Made-up matters of supervision at a deployed hub."""

from datetime import date

import numpy as np
from web_deployment import Deployment

from huodang.simulation.identity_numbers import NumberMaker
from huodang.standards import Month
from huodang.supervision.clues import Finding, Signal
from huodang.trust import sha256

_MAKER = NumberMaker(np.random.default_rng(41))


def dead_payee(deployment: Deployment, *, fen: int = 412_345) -> tuple[str, str]:
    """A clue about somebody paid after the health department registered the death: its id, and the number."""
    number = _MAKER.make("130102", date(1950, 3, 8), "1")
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
