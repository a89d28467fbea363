"""What goes into standardising and comes out of it: a source's row, a standard row, a bad row with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass

from huodang.exchange.quality.reasons import REASONS
from huodang.standards import Place


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as a database or a file gives it.

    Attributes:
        place: file or table, and the row's number; a column is filled in where something is wrong with it.
        cells: by column name, as the driver or reader gives them.
    """

    place: Place
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a row.

    Attributes:
        column: the source's column; empty where the row as a whole is meant.
        element: the standard element that it was to become; may be empty.
        reason: stable code out of `REASONS`, or the name of a rule of the file.
    """

    column: str
    element: str
    reason: str

    @property
    def chinese(self) -> str:
        """Say for the provider what is wrong, without the value."""
        return REASONS[self.reason].chinese if self.reason in REASONS else f"不符合质量规则 {self.reason}"

    @property
    def english(self) -> str:
        """Say the same in English."""
        return REASONS[self.reason].english if self.reason in REASONS else f"breaks the quality rule {self.reason}"


@dataclass(frozen=True, slots=True)
class StandardRow:
    """One row in standard elements.

    Attributes:
        key: the row's key as canonical text; personal data as a rule.
        mark: salted name of the key, 32 hexadecimal digits: equal on both sides, tells nothing without the salt.
        values: by element, in the elements' order; absent ones are left out.
        content: the values as canonical JSON in UTF-8: what is hashed, sent and sealed.
        digest: salted SHA-256 of the content.
        place: where it came from.
    """

    key: str
    mark: str
    values: Mapping[str, str]
    content: bytes
    digest: bytes
    place: Place


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that isn't handed over, with every fault found in it. It is kept for the provider, never dropped.

    Attributes:
        key: the canonical key, None if the key itself can't be read.
        cells: the original cells.
    """

    place: Place
    key: str | None
    faults: tuple[Fault, ...]
    cells: Mapping[str, object]
