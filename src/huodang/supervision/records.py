"""The tables of supervision, each kept beside the part that owns it."""

from huodang.supervision.certification import records as certification
from huodang.supervision.clues import records as clues
from huodang.supervision.control import records as control
from huodang.supervision.recovery import records as recovery
from huodang.supervision.timeline import records as timeline
from huodang.supervision.watch import records as watch

__all__ = ["certification", "clues", "control", "recovery", "timeline", "watch"]
