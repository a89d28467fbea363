"""Local codes held against a code table of the standard: what maps by itself, and what is left to the steward. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final

from huodang.standards import CodeTable, code_table, crosswalk, crosswalk_names

_SEX: Final = {
    "男": "1", "男性": "1", "m": "1", "male": "1", "man": "1",
    "女": "2", "女性": "2", "f": "2", "female": "2", "woman": "2",
    "未知": "0", "u": "0", "unknown": "0", "未说明": "9", "不详": "0",
}  # fmt: skip
_FLAG: Final = {
    "是": "1",
    "y": "1",
    "yes": "1",
    "true": "1",
    "t": "1",
    "有": "1",
    "否": "0",
    "n": "0",
    "no": "0",
    "false": "0",
    "f": "0",
    "无": "0",
}
_NATIONAL: Final = {"nationality": "police.nationality"}
"""Crosswalks whose local codes are a national standard's, too (GB/T 3304 has letters beside figures)."""


@dataclass(frozen=True)
class CodeFit:
    """How local codes fit a code table.

    Attributes:
        named: the crosswalk of the product that maps them; empty if none is needed or fits.
        pairs: local to standard code, where the pairs were found here; empty if the codes are the standard's own.
        unmapped: how many cells hold a code that nothing maps.
        unmapped_codes: those codes.
        share: of all cells, how many are mapped.
    """

    named: str
    pairs: Mapping[str, str]
    unmapped: int
    unmapped_codes: tuple[str, ...]
    share: float


def fit_codes(
    table: str, codes: Mapping[str, int], *, element: str, department: str, sexes: Mapping[str, str] | None = None
) -> CodeFit:
    """Hold the codes of a column against a code table.

    Args:
        table: name of the code table; `region` is not one of codes with meanings.
        codes: the values with how often each stands.
        element: for which element, to find a crosswalk of the product.
        department: whose crosswalk may be taken.
        sexes: by value, the sex told by the identity numbers of the same rows.
    """
    total = sum(codes.values())
    known = code_table(table)
    told = sexes or {}
    # In the order of preference: the product's own crosswalk knows what the department's codes mean, while by looks
    # 1 and 2 fit anything. What contradicts the identity numbers of the same rows is out, however well it looks.
    ways: list[tuple[str, dict[str, str]]] = [
        (name, dict(crosswalk(name).standard_by_local))
        for name in (f"{department}.{element}", _NATIONAL.get(element, ""))
        if name in crosswalk_names()
    ]
    ways.append(("", {code: code for code in known.codes}))
    ways.append(("", {code: standard for code in codes if (standard := _meant(code, known, told)) is not None}))
    best = CodeFit("", {}, total, tuple(codes), 0.0)
    for at, (named, pairs) in enumerate(ways):
        if any(pairs.get(code, sex) != sex for code, sex in told.items()):
            continue
        own = at == len(ways) - 2
        fit = _fit(named, {} if named or own else pairs, codes.keys() & pairs.keys(), codes, total)
        if fit.share > best.share:
            best = fit
    return best


def _fit(named: str, pairs: Mapping[str, str], mapped: Set[str], codes: Mapping[str, int], total: int) -> CodeFit:
    unmapped = {code: count for code, count in codes.items() if code not in mapped}
    missing = sum(unmapped.values())
    return CodeFit(named, pairs, missing, tuple(unmapped), (total - missing) / total if total else 0.0)


def _meant(local: str, known: CodeTable, sexes: Mapping[str, str]) -> str | None:
    """Find the standard code that a local one means by its text; None if that isn't plain."""
    if local in sexes and known.name == "sex":
        return sexes[local]
    if local in known.codes:
        return local
    lowered = local.strip().lower()
    if known.name in ("sex", "flag"):
        return (_SEX if known.name == "sex" else _FLAG).get(lowered)
    if local.isdigit():
        padded = [code for code in known.codes if code.isdigit() and int(code) == int(local)]
        if len(padded) == 1:
            return padded[0]
    found = [
        code
        for code in known.codes
        if known.meaning(code) == local or (known.name == "nationality" and known.meaning(code) == f"{local}族")
    ]
    return found[0] if len(found) == 1 else None
