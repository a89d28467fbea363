"""What a check is asked for, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import pyarrow as pa

from huodang.standards import Month
from huodang.supervision.rules import Rule
from huodang.supervision.tables import Kind, Understanding

Format = Literal["csv", "xlsx", "parquet"]
State = Literal["judged", "not_judged", "failed"]


@dataclass(frozen=True)
class CheckRequest:
    """One check.

    Attributes:
        files: the files by kind of table; payments are needed by most rules, none by all.
        out: the folder of the results.
        months: the months under check; none: all that are found in the payments.
        only_months: leave payments of other months aside altogether (else they serve as history).
        rules: which rules; none: all.
        engine: `duckdb`, `spark`, `spark:local[N]` or `spark://…`.
        mapping: a mapping file of columns.
        store: a folder where the prepared tables are kept for the next run; without it DuckDB reads the files directly.
        unmasked_reason: why identity numbers, names and accounts are to be shown whole; empty: they are masked.
        formats: how findings are written.
        memory: what the engine may use.
        threads: how many; None: one a core.
        thresholds: settings of `RuleSettings` by name.
        signing: folder of keys and holder who signs the certificate.
        today: the day of the check: no birth date lies after it.
        overwrite: replace another run's work in `out`.
    """

    files: Mapping[Kind, tuple[Path, ...]]
    out: Path
    months: tuple[Month, ...] = ()
    only_months: bool = False
    rules: tuple[Rule, ...] = ()
    engine: str = "duckdb"
    mapping: Path | None = None
    store: Path | None = None
    unmasked_reason: str = ""
    formats: tuple[Format, ...] = ("csv",)
    memory: str = "4GB"
    threads: int | None = None
    thresholds: Mapping[str, int] = field(default_factory=dict)
    signing: tuple[Path, str] | None = None
    today: date | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class RuleResult:
    """What one rule gave.

    Attributes:
        found: `row`, `fen` and the evidence, in the order of rows; canaries are taken out.
        unknown: how many rows couldn't be judged, by reason.
        unknown_rows: the first of them: `row`, `reason`.
        digest: SHA-256 over the findings, the same on every engine.
        reason: why it isn't judged, or failed.
        canaries: how many planted rows it had to find.
        seconds: how long it took; 0 where it was read back.
        read_back: an earlier run's result over the same inputs.
    """

    rule: Rule
    state: State
    found: pa.Table
    unknown: Mapping[str, int] = field(default_factory=dict)
    unknown_rows: pa.Table | None = None
    digest: str = ""
    reason: str = ""
    canaries: int = 0
    seconds: float = 0.0
    read_back: bool = False

    @property
    def count(self) -> int:
        """How many rows were found."""
        return int(self.found.num_rows)

    @property
    def fen(self) -> int:
        """What is at stake, in fen."""
        return sum(self.found["fen"].to_pylist()) if self.count else 0


@dataclass(frozen=True)
class CheckResult:
    """What a check gave.

    Attributes:
        summary: what stands in `findings.json`.
        certificate: what stands in `certificate.json`, unsigned.
    """

    out: Path
    understanding: Understanding
    months: tuple[Month, ...]
    rules: tuple[RuleResult, ...]
    summary: Mapping[str, object]
    certificate: Mapping[str, object]

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """The rules that failed."""
        return tuple(one for one in self.rules if one.state == "failed")
