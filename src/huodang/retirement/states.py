"""The words of the joint case: states, events, parties and roles, each with its label in both languages."""

from enum import StrEnum


class State(StrEnum):
    """Where a case stands (环节)."""

    DRAFT = "draft"
    CHECKING = "checking"
    EXCEPTION = "exception"
    SUPPLEMENT = "supplement"
    ARBITRATION = "arbitration"
    PUBLIC_NOTICE = "public_notice"
    WINDOW_REVIEW = "window_review"
    FILING_REVIEW = "filing_review"
    JOINT_ITEMS = "joint_items"
    FILING = "filing"
    COMPLETED = "completed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    ENDED_BY_DEATH = "ended_by_death"
    APPEAL = "appeal"


class Event(StrEnum):
    """What happens to a case (事件)."""

    SUBMIT = "submit"
    CHECKS_SETTLED = "checks_settled"
    RECHECK = "recheck"
    ACCEPT_EVIDENCE = "accept_evidence"
    REQUEST_SUPPLEMENT = "request_supplement"
    SUPPLEMENT_RECEIVED = "supplement_received"
    SUPPLEMENT_OVERDUE = "supplement_overdue"
    REFER_TO_ARBITRATION = "refer_to_arbitration"
    ARBITRATED = "arbitrated"
    NOTICE_ENDED = "notice_ended"
    OBJECTION_RECEIVED = "objection_received"
    WINDOW_PASS = "window_pass"  # noqa: S105  (an event, no password)
    FILING_PASS = "filing_pass"  # noqa: S105  (an event, no password)
    FILING_SEND_BACK = "filing_send_back"
    APPROVE_PROVISIONAL = "approve_provisional"
    JOINT_ITEMS_SETTLED = "joint_items_settled"
    VOLUME_FILED = "volume_filed"
    WITHDRAW = "withdraw"
    DEATH_REPORTED = "death_reported"
    RETURN_APPLICATION = "return_application"
    RESUBMIT = "resubmit"
    APPEAL = "appeal"
    APPEAL_UPHELD = "appeal_upheld"
    APPEAL_DISMISSED = "appeal_dismissed"


STATE_LABELS: dict[State, tuple[str, str]] = {
    State.DRAFT: ("草拟", "Draft"),
    State.CHECKING: ("核验中", "Checks running"),
    State.EXCEPTION: ("待处置", "Exception"),
    State.SUPPLEMENT: ("补正中", "Papers being supplied"),
    State.ARBITRATION: ("争议裁定", "Arbitration"),
    State.PUBLIC_NOTICE: ("公示中", "Public notice"),
    State.WINDOW_REVIEW: ("窗口初审", "Window review"),
    State.FILING_REVIEW: ("入库复审", "Filing review"),
    State.JOINT_ITEMS: ("联办中", "Joint items"),
    State.FILING: ("归档中", "Filing"),
    State.COMPLETED: ("已办结", "Completed"),
    State.RETURNED: ("已退回", "Returned"),
    State.WITHDRAWN: ("已撤回", "Withdrawn"),
    State.ENDED_BY_DEATH: ("因死亡终结", "Ended by death"),
    State.APPEAL: ("申诉中", "Appeal"),
}

EVENT_LABELS: dict[Event, tuple[str, str]] = {
    Event.SUBMIT: ("提交申请", "Submit"),
    Event.CHECKS_SETTLED: ("核验完毕", "Checks settled"),
    Event.RECHECK: ("重新核验", "Check again"),
    Event.ACCEPT_EVIDENCE: ("凭材料认定", "Accept evidence"),
    Event.REQUEST_SUPPLEMENT: ("要求补正", "Ask for papers"),
    Event.SUPPLEMENT_RECEIVED: ("收到补正", "Papers received"),
    Event.SUPPLEMENT_OVERDUE: ("补正逾期", "Papers overdue"),
    Event.REFER_TO_ARBITRATION: ("提请裁定", "Refer to arbitration"),
    Event.ARBITRATED: ("作出裁定", "Arbitrated"),
    Event.NOTICE_ENDED: ("公示期满", "Notice ended"),
    Event.OBJECTION_RECEIVED: ("收到异议", "Objection received"),
    Event.WINDOW_PASS: ("初审通过", "Window review passed"),
    Event.FILING_PASS: ("复审通过", "Filing review passed"),
    Event.FILING_SEND_BACK: ("复审退回初审", "Sent back to the window"),
    Event.APPROVE_PROVISIONAL: ("批准预发", "Approve provisional pay"),
    Event.JOINT_ITEMS_SETTLED: ("联办事项办结", "Joint items settled"),
    Event.VOLUME_FILED: ("案卷归档", "Volume filed"),
    Event.WITHDRAW: ("撤回申请", "Withdraw"),
    Event.DEATH_REPORTED: ("报告死亡", "Death reported"),
    Event.RETURN_APPLICATION: ("退回申请", "Return"),
    Event.RESUBMIT: ("重新提交", "Submit again"),
    Event.APPEAL: ("提出申诉", "Appeal"),
    Event.APPEAL_UPHELD: ("申诉成立", "Appeal upheld"),
    Event.APPEAL_DISMISSED: ("驳回申诉", "Appeal dismissed"),
}

# Whose day it is. `department:<code>` stands on the departments' own tracks of the clock, beside the case's main track.
CITIZEN = "citizen"
AGENCY = "agency"
SYSTEM = "system"

ANYONE_APPLYING = ("citizen", "employer_clerk", "window_clerk")
AGENCY_ROLES = ("window_clerk", "reviewer")
