"""What a run of scores may be told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ScoreSettings:
    """How to score.

    Attributes:
        top: How many people to list.
        generic: Whether the isolation forest runs beside the scores.
        memory: What DuckDB may take for the aggregates, such as `4GB`.
        threads: How many at once; as many as there are cores if None.
        work: Folder for what doesn't fit the memory; the system's own if None.
    """

    top: int = 500
    generic: bool = True
    memory: str = "4GB"
    threads: int | None = None
    work: Path | None = None
