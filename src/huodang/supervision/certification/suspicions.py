"""From what certification can't settle to findings of clues."""

import hashlib

from huodang.supervision.certification.values import Suspicion
from huodang.supervision.clues import Finding, Signal, Stance
from huodang.trust import canonical_json


def finding_of(suspicion: Suspicion, scheme: str) -> Finding:
    """Make the finding that a clue is opened with, or joined by.

    A visit that could not confirm opens a clue on which nothing is held. Data that speak for life after a recorded
    death join the clue about that death, as a signal against it.

    Args:
        suspicion: what it is about.
        scheme: code of the scheme that is paid.
    """
    against = suspicion.rule == "proof_after_death"
    evidence = canonical_json(
        {"rule": suspicion.rule, "on": suspicion.on.isoformat(), "means": suspicion.means, "note": suspicion.note}
    )
    signal = Signal(
        register="medical_insurance" if against else "social_insurance",
        kind="alive" if against else "certification",
        fact={"on": suspicion.on.isoformat(), "means": suspicion.means},
        digest=hashlib.sha256(evidence + suspicion.digest.encode()).hexdigest(),
        confirmed=not against,
        fuzzy=False,
        known_at=suspicion.known_at,
        stance=Stance.AGAINST if against else Stance.FOR,
    )
    return Finding(
        rule="death_registered" if against else "certification_overdue",
        identity_number=suspicion.identity_number.text,
        scheme=scheme,
        months=(),
        fen=0,
        signals=(signal,),
        run_id=suspicion.digest,
        evidence=evidence,
        region=suspicion.region,
    )
