"""One run of a check (稽核比对): engine, canaries, certificate, findings and report.

`run_check` judges files by the rules and writes what it found, masked, with the proof of how. Planted cases stand in
every run: a rule that doesn't find its own is failed, alone and loudly.
"""

from huodang.supervision.check.engines import DuckEngine, Engine, SparkEngine
from huodang.supervision.check.errors import CheckError, EngineError, OutputTakenError
from huodang.supervision.check.judging import digest_of_findings, judge
from huodang.supervision.check.request import CheckRequest, CheckResult, Format, RuleResult
from huodang.supervision.check.running import run_check

__all__ = [
    "CheckError",
    "CheckRequest",
    "CheckResult",
    "DuckEngine",
    "Engine",
    "EngineError",
    "Format",
    "OutputTakenError",
    "RuleResult",
    "SparkEngine",
    "digest_of_findings",
    "judge",
    "run_check",
]
