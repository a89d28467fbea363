"""Words for codes: departments, purposes, outcomes, statuses, lights. Each state has a word and a shape."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from huodang.standards import BadValue, Money, code_table, element
from huodang.web.language import mark, translate
from huodang.web.roles import ROLE_NAMES

DEPARTMENT_NAMES: Final[dict[str, str]] = {
    "police": mark("公安"),
    "health": mark("卫健"),
    "justice": mark("司法"),
    "housing_fund": mark("住房公积金"),
    "medical_insurance": mark("医保"),
    "social_insurance": mark("社保经办"),
    "hub": mark("枢纽"),
    "citizen": mark("本人"),
    "employer": mark("用人单位"),
}

PURPOSE_NAMES: Final[dict[str, str]] = {
    "retirement": mark("办理退休"),
    "retirement_prefill": mark("预填退休申请"),
    "retirement_due": mark("查找到龄人员"),
    "archive": mark("档案管理"),
    "audit": mark("审计"),
    "supervision": mark("稽核"),
    "sharing": mark("供需对接"),
    "correction": mark("校核纠错"),
}


# A look may concern forty data elements; a table shows as many as this.
FEW: Final = 6


@dataclass(frozen=True)
class Chip:
    """How a state is shown: a shape, a word and a kind of colour."""

    shape: str
    word: str
    kind: str = ""


OUTCOMES: Final[dict[str, Chip]] = {
    "clear": Chip("✓", mark("无异常"), "good"),
    "hit": Chip("!", mark("有记录"), "bad"),
    "conflict": Chip("≠", mark("有矛盾"), "bad"),
    "unknown": Chip("?", mark("未知"), "warn"),
    "done": Chip("✓", mark("已办"), "good"),
    "refused": Chip("✕", mark("被拒绝"), "bad"),
}

# Shape and kind of what the rooms' own labels put into words.
CHECK_SHAPES: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("…", "blue"),
    "answered": ("✓", "good"),
    "unanswered": ("?", "warn"),
    "stopped": ("–", ""),
    "disputed": ("!", "warn"),
}
ITEM_SHAPES: Final[dict[str, tuple[str, str]]] = {
    "blocked": ("‖", ""),
    "waiting": ("…", "blue"),
    "done": ("✓", "good"),
    "needs_person": ("!", "bad"),
    "waived": ("✓", "good"),
    "stopped": ("–", ""),
}
LIGHT_SHAPES: Final[dict[str, tuple[str, str]]] = {
    "green": ("●", "good"),
    "yellow": ("▲", "warn"),
    "red": ("■", "bad"),
}

PARAMETER_STATUSES: Final[dict[str, Chip]] = {
    "official": Chip("✓", mark("国家规定"), "good"),
    "provincial": Chip("✓", mark("省级规定"), "good"),
    "statement": Chip("◦", mark("据核定表"), "blue"),
    "unverified": Chip("?", mark("待核实"), "warn"),
}

STATE_KINDS: Final[dict[str, str]] = {
    "exception": "bad",
    "arbitration": "bad",
    "appeal": "warn",
    "supplement": "warn",
    "completed": "good",
    "window_review": "blue",
    "filing_review": "blue",
}


def chip_of(table: dict[str, Chip], code: object) -> Chip:
    """The chip of a code; one that nobody foresaw is shown as it is."""
    return table.get(str(code), Chip("·", str(code)))


def shaped(shapes: dict[str, tuple[str, str]], code: str, word: str) -> Chip:
    """A chip whose word a room hands out itself."""
    shape, kind = shapes.get(code, ("·", ""))
    return Chip(shape, word, kind)


def department_name(code: str, language: str) -> str:
    """A department in words."""
    return translate(DEPARTMENT_NAMES.get(code, code), language)


def role_name(code: str, language: str) -> str:
    """A role in words."""
    return translate(ROLE_NAMES.get(code, code), language)


def purpose_name(code: str, language: str) -> str:
    """A purpose in words."""
    return translate(PURPOSE_NAMES.get(code, code), language)


def few_element_names(identifiers: Sequence[str], language: str) -> str:
    """The first few data elements in words, where a line has no room for all; empty when all are few enough."""
    if len(identifiers) <= FEW:
        return ""
    few = element_names(identifiers[: FEW - 1], language)
    return translate("{few} 等 {count} 项", language, few=few, count=len(identifiers))


def shown_value(identifier: str, value: str, language: str) -> str:
    """A data element's value as people read it: money in yuan, a code with its meaning; a mask stays a mask."""
    if not value or "*" in value:
        return value or "—"
    try:
        known = element(identifier)
        if known.type == "money":
            return Money(int(value)).text
        # The code tables speak Chinese only.
        if known.type == "code" and known.code_table and language == "zh":
            return code_table(known.code_table).meaning(value)
    except (BadValue, ValueError):
        pass  # what a department sent beyond the standard is shown as it came
    return value


def element_names(identifiers: Iterable[str], language: str) -> str:
    """Data elements in words, as one line."""
    names = []
    for identifier in identifiers:
        try:
            known = element(identifier)
        except BadValue:
            names.append(identifier)
        else:
            names.append(known.english if language == "en" else known.chinese)
    return (", " if language == "en" else "、").join(names)
