"""Finding entries of the catalogue: by words in name, abstract, element, provider and class, and by what they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from huodang.exchange.catalogue.codes import ClassCode
from huodang.exchange.catalogue.entries import CatalogueEntry, Sharing
from huodang.exchange.values import Kind
from huodang.standards import element

_NOWHERE: Final = 2


@dataclass(frozen=True)
class Wanted:
    """What is looked for; None and empty leave it open.

    Attributes:
        text: words, apart by blanks; each must occur somewhere, in any letter case.
        class_code: the class code begins with it.
        element: identifier of an information item that it holds.
        level_at_most: the most sensitive element that one may have.
    """

    text: str = ""
    provider: str | None = None
    kind: Kind | None = None
    sharing: Sharing | None = None
    class_code: str = ""
    element: str | None = None
    mandatory: bool | None = None
    level_at_most: int | None = None


def search_entries(entries: Iterable[CatalogueEntry], wanted: Wanted) -> list[CatalogueEntry]:
    """Give the entries that fit, those first whose name or code holds the words."""
    ranked = [(_rank(one, wanted.text), one.resource, one) for one in entries if _is(one, wanted)]
    return [one for rank, _resource, one in sorted(ranked, key=lambda found: found[:2]) if rank < _NOWHERE]


def _is(entry: CatalogueEntry, wanted: Wanted) -> bool:
    return (
        wanted.provider in {None, entry.provider}
        and wanted.kind in {None, entry.kind}
        and wanted.sharing in {None, entry.sharing}
        and entry.class_code.startswith(wanted.class_code)
        and (wanted.element is None or wanted.element in entry.elements)
        and wanted.mandatory in {None, entry.mandatory}
        and (wanted.level_at_most is None or entry.level <= wanted.level_at_most)
    )


def _rank(entry: CatalogueEntry, text: str) -> int:
    """Give 0 if the names hold every word, 1 if the rest is needed for it, `_NOWHERE` if a word doesn't occur."""
    names = " ".join((entry.title.chinese, entry.title.english, entry.resource, entry.code)).casefold()
    words = text.casefold().split()
    if all(word in names for word in words):
        return 0
    rest = f"{names} {_rest(entry)}".casefold()
    return 1 if all(word in rest for word in words) else _NOWHERE


def _rest(entry: CatalogueEntry) -> str:
    named = [element(one) for one in entry.elements]
    classes = ClassCode.parse(entry.class_code).names()
    return " ".join(
        (
            entry.abstract.chinese,
            entry.abstract.english,
            entry.provider_name,
            entry.law,
            *(f"{one.identifier} {one.chinese} {one.english} {one.code}" for one in named),
            *(f"{one.chinese} {one.english}" for one in classes),
        )
    )
