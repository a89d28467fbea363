"""Which column of a file is which: by names known (`data/headers.yaml`), then by what `exchange.connect` knows.

Pure: headers in, matches out. Two columns for one meaning are never guessed between.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from huodang.exchange.connect import name_hints
from huodang.supervision.tables.kinds import SOURCES, Kind

_BRACKETS: Final = re.compile(r"[\(\[\{【〔<《][^\)\]\}】〕>》]*[\)\]\}】〕>》]")
_NOISE: Final = re.compile(r"[\s_\-*:：.、'\"#]+")
_STRONG: Final = 0.7
_FEN: Final = re.compile(r"(^|[_\s])fen$|分$", re.IGNORECASE)

_ELEMENTS: Final = {
    "identity_number": "identity_number",
    "name": "name",
    "sex": "sex",
    "birth_date": "birth_date",
    "scheme": "scheme",
    "benefit_from": "benefit_from",
    "amount": "benefit_amount",
    "account": "bank_account",
    "region": "household_region",
    "death_date": "death_date",
    "custody_from": "custody_from",
    "custody_to": "custody_to",
    "sentence_type": "sentence_type",
    "category": "work_category",
    "retirement_month": "retirement_month",
    "employer": "employer",
    "certified_on": "certified_on",
}
"""The data element that each column holds, for asking `exchange.connect`."""


@dataclass(frozen=True)
class Match:
    """A header that was recognised.

    Attributes:
        how: `name`, `code`, `hint` or `map`.
        rank: 0 goes before 1 and so on.
    """

    header: str
    source: str
    how: str
    rank: int


@dataclass(frozen=True)
class Recognised:
    """What the headers of one file say.

    Attributes:
        matches: by the canonical name.
        torn: canonical names for which several headers stand equally, with these.
    """

    matches: Mapping[str, Match]
    torn: Mapping[str, tuple[str, ...]]


def recognise(kind: Kind, headers: Sequence[str]) -> Recognised:
    """Find the columns of a kind among headers."""
    known = _known(kind)
    found: dict[str, list[Match]] = {}
    taken: set[str] = set()
    for header in headers:
        plain = plain_header(header)
        for source, (names, codes) in known.items():
            if plain in names:
                how = "code" if plain in codes else "name"
                found.setdefault(source, []).append(Match(header, source, how, names[plain]))
                taken.add(header)
    for header in headers:
        if header not in taken:
            for source in _hinted(kind, header):
                if source not in found or found[source][0].how == "hint":
                    found.setdefault(source, []).append(Match(header, source, "hint", 9))
    matches: dict[str, Match] = {}
    torn: dict[str, tuple[str, ...]] = {}
    for source in (one.name for one in SOURCES[kind]):
        ranked = sorted(found.get(source, ()), key=lambda one: one.rank)
        # A header that says two things (退休年月) goes to what nothing else says.
        ranked = [one for one in ranked if one.header not in {other.header for other in matches.values()}]
        best = [one for one in ranked if one.rank == ranked[0].rank]
        if len(best) > 1:
            torn[source] = tuple(one.header for one in best)
        elif best:
            matches[source] = best[0]
    return Recognised(matches, torn)


def plain_header(header: str) -> str:
    """Give a header without spaces, brackets with remarks, width and case."""
    text = unicodedata.normalize("NFKC", header).replace("\u3000", "")
    short = _NOISE.sub("", _BRACKETS.sub("", text))
    if short.endswith(("元", "分")) and len(short) > 2:
        short = short[:-1]
    return (short or _NOISE.sub("", text)).lower()


def name_of(source: str) -> str:
    """Give the Chinese name that a column goes by; its canonical name where it has none."""
    names = _data().get(source, {}).get("first", ())
    return next((name for name in names if re.match(r"[\u4e00-\u9fff]", name)), source)


def unit_of(header: str) -> str:
    """Tell by its header whether a column of money counts `yuan` or `fen`."""
    text = unicodedata.normalize("NFKC", header)
    inside = "".join(_BRACKETS.findall(text))
    if "分" in inside or "fen" in inside.lower():
        return "fen"
    return "fen" if not inside and _FEN.search(text.strip()) else "yuan"


def _hinted(kind: Kind, header: str) -> list[str]:
    wanted = {_ELEMENTS[one.name]: one.name for one in SOURCES[kind] if one.name in _ELEMENTS}
    hints = name_hints(header)
    strongest = max((hint.strength for hint in hints.values()), default=0.0)
    return [
        wanted[element]
        for element, hint in hints.items()
        if element in wanted and hint.strength >= _STRONG and hint.strength == strongest
    ]


@cache
def _known(kind: Kind) -> dict[str, tuple[dict[str, int], frozenset[str]]]:
    """By canonical name: each plain header with its rank, and which of them are element codes."""
    data = _data()
    known: dict[str, tuple[dict[str, int], frozenset[str]]] = {}
    for source in SOURCES[kind]:
        ranks: dict[str, int] = {plain_header(source.name): 0}
        codes: set[str] = set()
        # What is told for this kind goes before what holds for all.
        own = data.get(f"{kind}.{source.name}", {})
        for start, spec in ((0, own), (2 if own else 0, data.get(source.name, {}))):
            for rank, group in enumerate(("first", "then")):
                for name in spec.get(group, ()):
                    ranks.setdefault(plain_header(name), start + rank)
                    if re.fullmatch(r"[A-Z]{2,3}[0-9]{3}", name):
                        codes.add(plain_header(name))
        known[source.name] = (ranks, frozenset(codes))
    return known


@cache
def _data() -> dict[str, Any]:
    text = files("huodang.supervision.tables").joinpath("data", "headers.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
