"""What a gateway needs of a department's own source, whatever kind it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import msgspec

from huodang.exchange.gateway.conversion import ElementSource, Row
from huodang.standards import IdentityNumber

DISTINCT_LIMIT: Final = 1000
"""How many different codes of a column start-up looks at."""


@dataclass(frozen=True)
class Selection:
    """Which rows of a source answer for a person.

    Attributes:
        table: table or view, or pattern of file names.
        subject: column of the identity number.
        columns: the columns to read, the subject's among them.
        only: column to the local values that count.
        order: column that orders the rows of one person; empty leaves it to the source.
        take_all: files only: every file counts, not only the last by name.
        elements: files only: what each row is checked against when the file is read.
    """

    table: str
    subject: str
    columns: tuple[str, ...]
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: str = ""
    descending: bool = False
    take_all: bool = False
    elements: tuple[ElementSource, ...] = ()


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """Whom a source is asked about; the name only helps to see whether a quarantined row may be meant."""

    identity: IdentityNumber
    name: str = ""


class Found(msgspec.Struct, frozen=True, gc=False):
    """The rows of one person.

    Attributes:
        quarantined: a row that couldn't be read may concern the person, so the rows found may not be the whole truth.
        file_time: when the file was laid down, for files.
    """

    rows: tuple[Row, ...] = ()
    quarantined: bool = False
    file_time: datetime | None = None


class Lookup(Protocol):
    """One resource's way into its source."""

    def find(self, wanted: Sequence[Wanted]) -> list[Found]:
        """Find the rows of many persons at once, in their order.

        Raises:
            SourceError: the source can't be read at this moment.
        """
        ...


class Source(Protocol):
    """A department's own database or folder of files. Each method may raise SourceError."""

    def columns(self, table: str) -> tuple[str, ...]:
        """List the columns of a table, view or file pattern; empty if there is none of that name."""
        ...

    def lookup(self, selection: Selection) -> Lookup:
        """Prepare the way into one resource."""
        ...

    def distinct(self, table: str, column: str) -> list[str]:
        """List the different values of a column, up to a bound."""
        ...

    def reachable(self) -> bool:
        """Say whether the source can be read at this moment."""
        ...

    def quarantine(self) -> tuple[str, ...]:
        """Name the rows that couldn't be read: file, row and column, no content."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def forms_of(identity: IdentityNumber) -> tuple[str, ...]:
    """Give every form in which a source may hold a number: 18 characters, lower-case x, 15 digits."""
    text, fifteen = identity.text, identity.fifteen
    lower = text.lower()
    forms = (text,) if lower == text else (text, lower)
    return (*forms, fifteen) if fifteen else forms
