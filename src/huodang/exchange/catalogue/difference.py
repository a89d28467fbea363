"""What differs between two states of an entry, field by field, in the words that people see."""

from dataclasses import dataclass

from huodang.exchange.catalogue.entries import CatalogueEntry
from huodang.exchange.catalogue.fields import SEPARATOR, catalogue_fields
from huodang.exchange.catalogue.sheet import to_sheet
from huodang.standards import element


@dataclass(frozen=True)
class Change:
    """One field that differs; of the information items, those added and taken away.

    Attributes:
        field: as in `data/catalogue_fields.yaml`.
        before: what it said; empty if there was none.
        after: what it says.
    """

    field: str
    chinese: str
    english: str
    before: str
    after: str


def entry_changes(before: CatalogueEntry | None, after: CatalogueEntry | None) -> tuple[Change, ...]:
    """Give what differs between two states of an entry, in the order of columns; None is an entry that isn't there."""
    old = dict(to_sheet(before).fields) if before is not None else {}
    new = dict(to_sheet(after).fields) if after is not None else {}
    changes = []
    for name, field in catalogue_fields().items():
        if name == "element":
            was, now = _elements(before), _elements(after)
            gone = SEPARATOR.join(_name(one) for one in was if one not in now)
            come = SEPARATOR.join(_name(one) for one in now if one not in was)
            if gone or come or was != now:
                changes.append(Change(name, field.chinese, field.english, gone, come))
        elif field.of == "entry" and old.get(name, "") != new.get(name, ""):
            changes.append(Change(name, field.chinese, field.english, old.get(name, ""), new.get(name, "")))
    return tuple(changes)


def _elements(entry: CatalogueEntry | None) -> tuple[str, ...]:
    return entry.elements if entry is not None else ()


def _name(identifier: str) -> str:
    return f"{element(identifier).chinese}（{identifier}）"
