"""The states and events of a clue, and what people call them."""

from enum import StrEnum
from typing import Final

from huodang.supervision.clues.process import Label


class ClueState(StrEnum):
    """Where a clue stands."""

    NEW = "new"
    ASSIGNED = "assigned"
    VERIFYING = "verifying"
    PROPOSED = "proposed"
    ARBITRATION = "arbitration"
    CONFIRMED = "confirmed"
    OBJECTION = "objection"
    REFUTED = "refuted"
    CLOSED = "closed"
    MERGED = "merged"


class ClueEvent(StrEnum):
    """What happens to a clue."""

    JOIN = "join"
    ASSIGN = "assign"
    TAKE = "take"
    RELEASE = "release"
    ASK_DEPARTMENT = "ask_department"
    ANSWER = "answer"
    OBJECT = "object"
    UPHOLD = "uphold"
    CONFLICT = "conflict"
    REFER = "refer"
    AGREE = "agree"
    CONFIRM = "confirm"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    REFUTE = "refute"
    DECIDE_FOR = "decide_for"
    DECIDE_AGAINST = "decide_against"
    WITHDRAWN = "withdrawn"
    REOPEN = "reopen"
    MERGE = "merge"
    CLOSE = "close"
    OVERDUE = "overdue"
    HOLD_LAPSED = "hold_lapsed"


CLUE_STATE_LABELS: Final[dict[str, Label]] = {
    ClueState.NEW: ("待分派", "New"),
    ClueState.ASSIGNED: ("已分派", "Assigned"),
    ClueState.VERIFYING: ("核查中", "Being verified"),
    ClueState.PROPOSED: ("待复核", "Proposed as confirmed"),
    ClueState.ARBITRATION: ("部门仲裁", "In arbitration"),
    ClueState.CONFIRMED: ("属实", "Confirmed"),
    ClueState.OBJECTION: ("异议复查", "Objection being looked into"),
    ClueState.REFUTED: ("不属实", "Refuted"),
    ClueState.CLOSED: ("已办结", "Closed"),
    ClueState.MERGED: ("已并案", "Merged"),
}

CLUE_EVENT_LABELS: Final[dict[str, Label]] = {
    ClueEvent.JOIN: ("并入新线索", "Joined by a finding"),
    ClueEvent.ASSIGN: ("分派", "Assign"),
    ClueEvent.TAKE: ("领办", "Take"),
    ClueEvent.RELEASE: ("退回分派", "Let go"),
    ClueEvent.ASK_DEPARTMENT: ("函询部门", "Ask a department"),
    ClueEvent.ANSWER: ("部门答复", "Department answers"),
    ClueEvent.OBJECT: ("本人异议", "The person objects"),
    ClueEvent.UPHOLD: ("维持认定", "Uphold"),
    ClueEvent.CONFLICT: ("证据冲突", "Evidence conflicts"),
    ClueEvent.REFER: ("提请仲裁", "Refer to arbitration"),
    ClueEvent.AGREE: ("各方答复一致", "The departments agree"),
    ClueEvent.CONFIRM: ("拟认定属实", "Propose as confirmed"),
    ClueEvent.APPROVE: ("复核同意", "Approve"),
    ClueEvent.SEND_BACK: ("复核退回", "Send back"),
    ClueEvent.REFUTE: ("认定不属实", "Refute"),
    ClueEvent.DECIDE_FOR: ("裁定属实", "Decide: true"),
    ClueEvent.DECIDE_AGAINST: ("裁定不属实", "Decide: untrue"),
    ClueEvent.WITHDRAWN: ("来源撤回", "Withdrawn at the source"),
    ClueEvent.REOPEN: ("重新核查", "Reopen"),
    ClueEvent.MERGE: ("并案", "Merge"),
    ClueEvent.CLOSE: ("办结", "Close"),
    ClueEvent.OVERDUE: ("超期上报", "Escalate as overdue"),
    ClueEvent.HOLD_LAPSED: ("暂停期满上报", "Escalate: the hold is over"),
}
