"""Linkage of dirty records (记录关联): repaired numbers first, then weighed agreement, each link explained.

`link` links two files or finds the records of one person within one; `write_links` and `write_waterfalls` write what it
found; `signal_of` makes of a link what a clue may be told. A link by likeness names a candidate and no more: nobody's
payment is stopped by it.
"""

from huodang.supervision.linkage.choosing import Unlinked
from huodang.supervision.linkage.columns import Column, Role
from huodang.supervision.linkage.comparisons import Comparison, Level
from huodang.supervision.linkage.errors import (
    LinkageError,
    LinkModelError,
    LinkOutputError,
    LinkSettingsError,
    NothingSharedError,
)
from huodang.supervision.linkage.explaining import Explained, Part
from huodang.supervision.linkage.model import Model, Weights, load_model, shipped_model
from huodang.supervision.linkage.repair import candidates
from huodang.supervision.linkage.service import Links, Plan, link, plan
from huodang.supervision.linkage.settings import LinkSettings
from huodang.supervision.linkage.signals import SignalFields, signal_of
from huodang.supervision.linkage.waterfalls import write_waterfalls
from huodang.supervision.linkage.writing import check_output, unlinked_file, write_links

__all__ = [
    "Column",
    "Comparison",
    "Explained",
    "Level",
    "LinkModelError",
    "LinkOutputError",
    "LinkSettings",
    "LinkSettingsError",
    "LinkageError",
    "Links",
    "Model",
    "NothingSharedError",
    "Part",
    "Plan",
    "Role",
    "SignalFields",
    "Unlinked",
    "Weights",
    "candidates",
    "check_output",
    "link",
    "load_model",
    "plan",
    "shipped_model",
    "signal_of",
    "unlinked_file",
    "write_links",
    "write_waterfalls",
]
