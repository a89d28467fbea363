"""What is asked of a sync and what it reports: values only."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal

OnDrift = Literal["refuse", "add"]
ALGORITHM: Final = "sha-256; 4096 buckets by key hash; rows ordered by hash; root over buckets; version 1"
BUCKETS: Final = 4096
DEFAULT_MEMORY: Final = "1GB"


@dataclass(frozen=True)
class SyncRequest:
    """One lot of one table.

    Attributes:
        source: URL of the database read from.
        table: the source table, optionally with its schema.
        key: the columns that together name a row.
        target: URL of the database written to.
        target_table: the target table; empty for the name of the source table.
        cursor: a column that grows when rows are added or changed; it tells what is late and is never relied on.
        overlap: how far before the watermark a row isn't yet called late: seconds for times, units for numbers.
        on_drift: what happens when the source has new columns: refuse, or add them to the target.
        dry_run: tell what would change, change nothing.
        allow_mass_delete: the lot may delete most of the target.
        checks: column name to data element that its values must be, checked before anything is applied.
        quarantine_file: where refused rows go; None keeps them from being written.
        work_folder: where the private work folder is made; None is the system's folder for temporary files.
        memory: the most memory that the comparison takes, as `512MB` or `2GB`.
    """

    source: str
    table: str
    key: tuple[str, ...]
    target: str
    target_table: str = ""
    cursor: str | None = None
    overlap: float = 0
    on_drift: OnDrift = "refuse"
    dry_run: bool = False
    allow_mass_delete: bool = False
    checks: Mapping[str, str] = field(default_factory=dict)
    quarantine_file: Path | None = None
    work_folder: Path | None = None
    memory: str = DEFAULT_MEMORY


@dataclass(frozen=True)
class Proof:
    """The two-sided reconciliation (对账) of a lot: both sides read, hashed and compared.

    Attributes:
        equal: the two roots and counts are the same.
        source_rows: rows of the source that were compared; quarantined rows aren't.
        target_rows: rows of the target that were compared, read back after the lot was applied.
        source_root: hash over the bucket hashes of the source, hexadecimal.
        target_root: the same of the target.
        held_rows: rows of the target left as they were, as the source's row of that key is quarantined.
        unequal_buckets: numbers of the buckets that differ.
        buckets: how many buckets there are.
        algorithm: how the hashes are made; docs/sync.md tells it in full.
        read_back: the target was read again after the lot was applied; false when nothing had to be applied.
        seconds: what reconciliation cost.
    """

    equal: bool
    source_rows: int
    target_rows: int
    source_root: str
    target_root: str
    held_rows: int
    unequal_buckets: tuple[int, ...]
    read_back: bool
    seconds: float
    buckets: int = BUCKETS
    algorithm: str = ALGORITHM


@dataclass(frozen=True)
class ColumnReport:
    """A column and how its values compare."""

    name: str
    source_type: str
    target_type: str
    kind: str


@dataclass(frozen=True)
class SyncReport:
    """What one lot did.

    Attributes:
        rows: rows of the source, quarantined ones among them.
        inserted: rows that the target lacked.
        updated: rows that differed.
        deleted: rows that the source no longer has.
        late: inserted or moved rows whose cursor lies before the watermark of the last lot.
        unmoved: updated rows whose cursor stayed: what a sync by cursor alone would never find.
        quarantined: rows of the source that were refused, each with its reason.
        proof: the reconciliation; None on a dry run.
    """

    rows: int
    inserted: int
    updated: int
    deleted: int
    late: int
    unmoved: int
    quarantined: int
    proof: Proof | None
    lot: int
    source: str
    table: str
    target: str
    target_table: str
    key: tuple[str, ...]
    cursor: str | None
    watermark: str | None
    previous_watermark: str | None
    created: bool
    resumed_rows: int
    dry_run: bool
    quarantine_reasons: Mapping[str, int]
    quarantine_file: str | None
    added_columns: tuple[str, ...]
    columns: tuple[ColumnReport, ...]
    warnings: tuple[str, ...]
    at: str
    seconds: float
    timings: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """Give the report as plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Step:
    """How far a sync is: what it does now, rows or changes done, and how many there are as far as known."""

    name: str
    done: int
    total: int | None = None


Progress = Callable[[Step], None]


def no_progress(step: Step) -> None:
    """Tell nobody."""
