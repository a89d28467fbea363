"""Clues (疑点): from finding to outcome, with evidence frozen, a deadline and a person who decides."""

from huodang.supervision.clues.clue_record import ClueRecord
from huodang.supervision.clues.desk import ClueDesk
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
from huodang.supervision.clues.process import ROLE_LABELS, Label, Process, Transition
from huodang.supervision.clues.registers import Registers, product_registers, read_registers
from huodang.supervision.clues.states import ClueEvent, ClueState
from huodang.supervision.clues.terms import ClueTerms, product_clue_terms, read_clue_terms
from huodang.supervision.clues.transitions import CLUES, UNDECIDED
from huodang.supervision.clues.values import ClueOutcome, Finding, Outcome, Signal, Stake, Stance, Tier
from huodang.supervision.clues.views import TIER_LABELS, AskedRow, ClueRow, ClueView, Counts, EventChoice, Evidence

__all__ = [
    "CLUES",
    "MEASURE_LABELS",
    "ROLE_LABELS",
    "TIER_LABELS",
    "UNDECIDED",
    "AskedRow",
    "ClueDataError",
    "ClueDesk",
    "ClueError",
    "ClueEvent",
    "ClueGuardError",
    "ClueNotPermittedError",
    "ClueOutcome",
    "ClueRecord",
    "ClueRow",
    "ClueState",
    "ClueTerms",
    "ClueView",
    "Counts",
    "EventChoice",
    "Evidence",
    "EvidenceAlteredError",
    "Finding",
    "FindingError",
    "Harm",
    "IllegalClueEventError",
    "Judgement",
    "Label",
    "Matter",
    "Measure",
    "Outcome",
    "Process",
    "Rate",
    "Rates",
    "Registers",
    "Signal",
    "Stake",
    "Stance",
    "Tier",
    "Transition",
    "UnknownClueError",
    "judge",
    "matter_label",
    "matter_of",
    "matters",
    "may_hold",
    "measure",
    "origins_of",
    "product_clue_terms",
    "product_registers",
    "read_clue_terms",
    "read_registers",
    "tier_of",
]
