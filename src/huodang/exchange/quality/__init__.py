"""Quality (数据质量): a department's rows become standard rows, or are quarantined with every reason named.

Pure but for the quarantine file. `compile_plan` understands a mapping, `Standardiser` reads rows by it and counts
`QualityReport`, `write_quarantine` makes the file that a provider can work with; `RowMarks` and `bucket_hashes` are
what both sides of a delivery prove their agreement with.
"""

from huodang.exchange.gateway.shapes import RuleSpec
from huodang.exchange.quality.marks import (
    BUCKETS,
    RowMarks,
    bucket_bounds,
    bucket_hashes,
    bucket_of,
    differing_buckets,
    root_of,
)
from huodang.exchange.quality.plan import RowPlan, compile_plan
from huodang.exchange.quality.quarantine import neutralised, write_quarantine
from huodang.exchange.quality.reasons import KEY_DUPLICATE, REASONS, Aspect, Reason, aspect_of
from huodang.exchange.quality.report import QualityCount, QualityReport
from huodang.exchange.quality.rules import Rule
from huodang.exchange.quality.standardiser import Standardiser
from huodang.exchange.quality.values import BadRow, Fault, SourceRow, StandardRow

__all__ = [
    "BUCKETS",
    "KEY_DUPLICATE",
    "REASONS",
    "Aspect",
    "BadRow",
    "Fault",
    "QualityCount",
    "QualityReport",
    "Reason",
    "RowMarks",
    "RowPlan",
    "Rule",
    "RuleSpec",
    "SourceRow",
    "StandardRow",
    "Standardiser",
    "aspect_of",
    "bucket_bounds",
    "bucket_hashes",
    "bucket_of",
    "compile_plan",
    "differing_buckets",
    "neutralised",
    "root_of",
    "write_quarantine",
]
