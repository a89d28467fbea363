"""Clues (疑点): from finding to outcome, with evidence frozen, a deadline and a person who decides."""

from huodang.supervision.clues.errors import (
    ClueDataError,
    ClueError,
    ClueGuardError,
    ClueNotPermittedError,
    EvidenceAlteredError,
    FindingError,
    IllegalClueEventError,
    UnknownClueError,
)
from huodang.supervision.clues.matters import Matter, matter_label, matter_of, matters, may_hold
from huodang.supervision.clues.measures import (
    MEASURE_LABELS,
    Harm,
    Judgement,
    Measure,
    Rate,
    Rates,
    judge,
    measure,
    origins_of,
    tier_of,
)
from huodang.supervision.clues.registers import Registers, product_registers, read_registers
from huodang.supervision.clues.states import ClueEvent, ClueState
from huodang.supervision.clues.values import ClueOutcome, Finding, Outcome, Signal, Stake, Stance, Tier

__all__ = [
    "MEASURE_LABELS",
    "ClueDataError",
    "ClueError",
    "ClueEvent",
    "ClueGuardError",
    "ClueNotPermittedError",
    "ClueOutcome",
    "ClueState",
    "EvidenceAlteredError",
    "Finding",
    "FindingError",
    "Harm",
    "IllegalClueEventError",
    "Judgement",
    "Matter",
    "Measure",
    "Outcome",
    "Rate",
    "Rates",
    "Registers",
    "Signal",
    "Stake",
    "Stance",
    "Tier",
    "UnknownClueError",
    "judge",
    "matter_label",
    "matter_of",
    "matters",
    "may_hold",
    "measure",
    "origins_of",
    "product_registers",
    "read_registers",
    "tier_of",
]
