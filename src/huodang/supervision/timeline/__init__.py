"""Two clocks (两个时间): facts with the time they hold and the time they were known.

Front door: `Timeline` records facts, tells what was known at an instant and signs recomputations; `recompute` is the
pure rule behind them, `verify_statement` checks one offline.
"""

from huodang.supervision.timeline.dues import CUSTODY, DEATH, Due, PaidMonth, due, latest_day
from huodang.supervision.timeline.errors import FactError, StatementError, TimelineError
from huodang.supervision.timeline.facts import Fact, KnownFact, known_at
from huodang.supervision.timeline.recomputation import RecomputedMonth, Totals, recompute
from huodang.supervision.timeline.service import Timeline
from huodang.supervision.timeline.statements import StatementCheck, StatementReport, verify_statement

__all__ = [
    "CUSTODY",
    "DEATH",
    "Due",
    "Fact",
    "FactError",
    "KnownFact",
    "PaidMonth",
    "RecomputedMonth",
    "StatementCheck",
    "StatementError",
    "StatementReport",
    "Timeline",
    "TimelineError",
    "Totals",
    "due",
    "known_at",
    "latest_day",
    "recompute",
    "verify_statement",
]
