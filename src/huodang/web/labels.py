"""Words for codes: departments, purposes, outcomes, statuses, lights. Each state has a word and a shape."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from huodang.standards import BadValue, element
from huodang.web.language import mark, translate
from huodang.web.roles import ROLE_NAMES

DEPARTMENT_NAMES: Final[dict[str, str]] = {
    "police": mark("公安"),
    "health": mark("卫健"),
    "justice": mark("司法"),
    "housing_fund": mark("住房公积金"),
    "medical_insurance": mark("医保"),
    "social_insurance": mark("社保经办"),
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
}

PARTY_NAMES: Final[dict[str, str]] = {
    "citizen": mark("申请人"),
    "agency": mark("社保经办人员"),
    "system": mark("系统自动办理"),
}


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

CHECK_STATUSES: Final[dict[str, Chip]] = {
    "waiting": Chip("…", mark("正在询问"), "blue"),
    "answered": Chip("✓", mark("已答复"), "good"),
    "unanswered": Chip("?", mark("没有答复"), "warn"),
    "stopped": Chip("–", mark("已停止")),
}

ITEM_STATUSES: Final[dict[str, Chip]] = {
    "blocked": Chip("‖", mark("等前一项")),
    "waiting": Chip("…", mark("正在办理"), "blue"),
    "done": Chip("✓", mark("已办"), "good"),
    "needs_person": Chip("!", mark("需人工处置"), "bad"),
    "waived": Chip("✓", mark("已人工了结"), "good"),
    "stopped": Chip("–", mark("已停止")),
}

LIGHTS: Final[dict[str, Chip]] = {
    "green": Chip("●", mark("按时"), "good"),
    "yellow": Chip("▲", mark("将到期"), "warn"),
    "red": Chip("■", mark("已超期"), "bad"),
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


def party_name(party: str, language: str) -> str:
    """Whose day it is, in words: `agency`, or `department:police`."""
    head, _, department = party.partition(":")
    if head == "department":
        return translate(DEPARTMENT_NAMES.get(department, department), language)
    return translate(PARTY_NAMES.get(party, party), language)


def department_name(code: str, language: str) -> str:
    """A department in words."""
    return translate(DEPARTMENT_NAMES.get(code, code), language)


def role_name(code: str, language: str) -> str:
    """A role in words."""
    return translate(ROLE_NAMES.get(code, code), language)


def purpose_name(code: str, language: str) -> str:
    """A purpose in words."""
    return translate(PURPOSE_NAMES.get(code, code), language)


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
