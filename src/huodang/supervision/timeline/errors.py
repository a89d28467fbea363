"""What can go wrong with facts and recomputations, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError


class TimelineError(HuodangError):
    """Base of every error of the timeline."""

    code: ClassVar[str] = "timeline"


class FactError(TimelineError):
    """A fact contradicts itself, comes from the future, or replaces what it can't; the place names the element."""

    code: ClassVar[str] = "timeline.fact"


class StatementError(TimelineError):
    """A recomputation can't be made, or what was handed in is none."""

    code: ClassVar[str] = "timeline.statement"
