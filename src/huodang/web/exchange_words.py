"""Words and shapes for what the pages of the exchange show; each state has a word beside its colour."""

from typing import Any, Final

from huodang.exchange import AgreementState, Kind, LotState
from huodang.exchange.catalogue import MODE_OF_KIND, Sharing, cycle_names, words
from huodang.exchange.sharing import Standing
from huodang.web.exchange_access import Visit
from huodang.web.labels import LIGHT_SHAPES, Chip, chip_of, department_name
from huodang.web.language import mark

KIND_NAMES: Final[dict[str, str]] = {
    Kind.CHECK: mark("核验"),
    Kind.ACTION: mark("办理"),
    Kind.LIST: mark("名单"),
    Kind.TABLE: mark("库表"),
    Kind.FILE: mark("文件"),
    Kind.MATCH: mark("只比对"),
    Kind.EVENT: mark("事件"),
}
SHARINGS: Final[dict[str, Chip]] = {
    Sharing.UNCONDITIONAL: Chip("○", mark("无条件共享"), "good"),
    Sharing.CONDITIONAL: Chip("◐", mark("有条件共享"), "blue"),
    Sharing.NONE: Chip("✕", mark("不予共享"), "bad"),
}
AGREEMENT_STATES: Final[dict[str, Chip]] = {
    AgreementState.DRAFT: Chip("…", mark("草案")),
    AgreementState.CONSUMER_SIGNED: Chip("…", mark("使用方已签"), "warn"),
    AgreementState.PROVIDER_SIGNED: Chip("…", mark("提供方已签"), "warn"),
    AgreementState.IN_FORCE: Chip("✓", mark("生效"), "good"),
    AgreementState.SUPERSEDED: Chip("–", mark("已被新版替代")),
    AgreementState.REVOKED: Chip("✕", mark("已撤销"), "bad"),
    AgreementState.EXPIRED: Chip("–", mark("已到期")),
    AgreementState.WITHDRAWN: Chip("–", mark("已撤回")),
}
LOT_STATES: Final[dict[str, Chip]] = {
    LotState.OPEN: Chip("…", mark("接收中"), "blue"),
    LotState.TAKEN: Chip("✓", mark("已入库，待提供方确认"), "warn"),
    LotState.CLOSED: Chip("✓", mark("双方已确认"), "good"),
    LotState.REFUSED: Chip("✕", mark("整批未入库"), "bad"),
    LotState.ABANDONED: Chip("–", mark("已放弃")),
}
FRESHNESS: Final[dict[str, Chip]] = {
    "green": Chip("●", mark("及时，已对账"), "good"),
    "yellow": Chip("▲", mark("临近或有问题"), "warn"),
    "red": Chip("■", mark("逾期"), "bad"),
    "grey": Chip("○", mark("未交付或不定期")),
}
DELIVERY_STATES: Final[dict[str, Chip]] = {
    "landing": Chip("…", mark("入库中"), "blue"),
    "taken": Chip("✓", mark("已接收"), "good"),
    "refused": Chip("✕", mark("已拒收"), "bad"),
    "waiting": Chip("…", mark("等待"), "warn"),
}
BREAKERS: Final[dict[str, Chip]] = {
    "closed": Chip("●", mark("正常"), "good"),
    "half_open": Chip("▲", mark("试探"), "warn"),
    "open": Chip("■", mark("熔断"), "bad"),
}
CHANGES: Final[dict[str, Chip]] = {
    "created": Chip("＋", mark("新增"), "blue"),
    "changed": Chip("～", mark("变更"), "blue"),
    "withdrawn": Chip("－", mark("撤回"), "warn"),
}
CORRECTION_KINDS: Final[dict[str, str]] = {
    "correction": mark("提出疑误"),
    "announcement": mark("提供方主动更正"),
    "recall": mark("整批召回"),
}
ORIGINS: Final[dict[str, str]] = {
    "verdict": mark("单次核验"),
    "batch": mark("批量核验"),
    "lot": mark("批次"),
    "event": mark("事件"),
}
_STATE_KINDS: Final[dict[str, str]] = {
    "in_use": "good",
    "closed": "good",
    "refused": "bad",
    "disputed": "bad",
    "revoked": "bad",
    "rejected": "warn",
    "supplement": "warn",
    "renewal": "warn",
    "review": "blue",
    "answer": "blue",
    "publishing": "blue",
    "signing": "blue",
    "renewal_signing": "blue",
    "raised": "blue",
    "notifying": "blue",
}
_KIND_SHAPES: Final[dict[str, str]] = {"good": "✓", "bad": "!", "warn": "▲", "blue": "…", "": "–"}


def chip(visit: Visit, table: dict[str, Chip], code: object) -> Chip:
    """The chip of a code, in the language of the page."""
    found = chip_of(table, code)
    return Chip(found.shape, visit.say(found.word), found.kind)


def light_chip(light: str | None, word: str) -> Chip | None:
    """The light of a due day; None where nothing is due."""
    return None if light is None else Chip(*_shape(light, word))


def _shape(light: str, word: str) -> tuple[str, str, str]:
    shape, kind = LIGHT_SHAPES[light]
    return shape, word, kind


def kind_name(visit: Visit, kind: str) -> str:
    """A mode of delivery in words."""
    return visit.say(KIND_NAMES.get(kind, kind))


def cycle_name(visit: Visit, cycle: str) -> str:
    """An update cycle in words; a dash for none."""
    return visit.pick(cycle_names()[cycle]) if cycle in cycle_names() else "—"


def mode_names(visit: Visit, kind: Kind) -> str:
    """How national catalogues call the mode of a kind, in their own (Chinese) words."""
    mode = MODE_OF_KIND[kind]
    return next(word.chinese for word in words("modes") if word.value == mode) if visit.language == "zh" else mode.value


def departments(visit: Visit, codes: tuple[str, ...] | list[str]) -> str:
    """Departments in words, as one line."""
    return (", " if visit.language == "en" else "、").join(department_name(one, visit.language) for one in codes)


def standing_row(visit: Visit, standing: Standing) -> dict[str, Any]:
    """Where a demand or correction stands, ready to be shown."""
    kind = _STATE_KINDS.get(standing.state, "")
    waits = departments(visit, standing.waits_for_departments) or visit.pick(standing.waits_for_label)
    return {
        "state": Chip(_KIND_SHAPES[kind], visit.pick(standing.state_label), kind),
        "light": light_chip(standing.light, visit.pick(standing.light_label)),
        "due": standing.due_on,
        "provisional": standing.due_provisional,
        "days_late": standing.days_late,
        "escalated": standing.escalated,
        "waits_for": waits,
        "mine": visit.department in standing.waits_for_departments
        or (standing.waits_for == "meeting" and visit.actor.role == "leader"),
    }
