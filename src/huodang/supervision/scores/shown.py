"""What a person may see of a scored person: the original texts, masked unless a reason to show them was given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from huodang.supervision.scores.sources import PreparedTables
from huodang.supervision.tables import Kind
from huodang.trust import MaskLevel, mask


class Texts(Protocol):
    """A table of texts, as Arrow gives it."""

    def to_pylist(self) -> list[dict[str, Any]]:
        """Give the rows."""
        ...


class PreparedWithOriginals(PreparedTables, Protocol):
    """Prepared tables that can still be read as they were written."""

    def original(self, kind: Kind, rows: Sequence[int]) -> Texts:
        """Read the original texts of some rows."""
        ...


@dataclass(frozen=True)
class ShownPerson:
    """The texts of one payment row, as they may be shown."""

    identity_number: str
    name: str
    scheme: str
    region: str
    account: str
    file: str
    file_row: int


def show_people(prepared: PreparedWithOriginals, rows: Sequence[int], *, unmasked: bool) -> Mapping[int, ShownPerson]:
    """Read what stands in the payments of some rows, by row.

    Args:
        prepared: Where the originals are.
        rows: Rows of the payments.
        unmasked: Show persons in full. Whoever asks for it has given a reason that is kept.
    """
    level = MaskLevel.FULL_VIEW if unmasked else MaskLevel.PARTIAL
    if not rows:
        return {}
    found = prepared.original(Kind.PAYMENTS, sorted(set(rows))).to_pylist()
    return {
        int(one["row"]): ShownPerson(
            identity_number=mask("identity_number", one["identity_number"] or "", level),
            name=mask("name", one["name"] or "", level),
            scheme=one["scheme"] or "",
            region=one["region"] or "",
            account=mask("bank_account", one["account"] or "", level),
            file=one["file"] or "",
            file_row=int(one["file_row"]),
        )
        for one in found
    }
