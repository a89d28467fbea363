"""From the rows of a file to standard rows, rows that are gone, and rows kept back with their reasons."""

from dataclasses import dataclass, field
from typing import Final

from huodang.exchange.files.cells import cell_text
from huodang.exchange.files.formats import CellProblem, FileRow
from huodang.exchange.files.mapping import ReadMapping
from huodang.exchange.quality import BadRow, Fault, SourceRow, Standardiser, StandardRow

# What a reader finds and standardising has a reason of its own for.
_SAME: Final = {"digits_lost": "number_scientific", "wrong_encoding": "encoding_broken"}


@dataclass(frozen=True, slots=True)
class FileFault(Fault):
    """A fault that a file's reader found: it brings its own words."""

    told_chinese: str = field(default="", kw_only=True)
    told_english: str = field(default="", kw_only=True)

    @property
    def chinese(self) -> str:
        """Say for the provider what is wrong, without the value."""
        return self.told_chinese

    @property
    def english(self) -> str:
        """Say the same in English."""
        return self.told_english


@dataclass(frozen=True, slots=True)
class RemovedRow:
    """A row that a file of changes says is gone."""

    row: StandardRow


Standardised = StandardRow | RemovedRow | BadRow


def standardise_row(row: FileRow, standardiser: Standardiser, mapping: ReadMapping) -> Standardised | None:
    """Standardise one row of a file and count its quality; None if the agreement doesn't cover it."""
    columns = standardiser.plan.columns
    concerned = [one for one in row.problems if not one.column or one.column in mapping.columns]
    if concerned and not all(one.column for one in concerned):
        bad = BadRow(row.place, None, tuple(_fault(one, columns) for one in concerned), row.cells)
        standardiser.count.bad(bad)
        return bad
    made = standardiser.row(SourceRow(row.place, row.cells))
    if not isinstance(made, StandardRow):
        return made
    if concerned:
        bad = BadRow(row.place, made.key, tuple(_fault(one, columns) for one in concerned), row.cells)
        standardiser.count.bad(bad, counted=made.values)
        return bad
    return RemovedRow(made) if _says_so(row, mapping) else made


def unmapped(row: FileRow) -> BadRow | None:
    """Give a row without mapping as a bad one, if anything is wrong with it."""
    if not row.problems:
        return None
    return BadRow(row.place, None, tuple(_fault(one, {}) for one in row.problems), row.cells)


def _says_so(row: FileRow, mapping: ReadMapping) -> bool:
    spec = mapping.spec.removed
    return spec is not None and cell_text(row.cells.get(spec.column)).strip() in spec.values


def _fault(problem: CellProblem, columns: dict[str, str]) -> Fault:
    return FileFault(
        problem.column,
        columns.get(problem.column, ""),
        _SAME.get(problem.reason, problem.reason),
        told_chinese=problem.chinese,
        told_english=problem.english,
    )
