"""Correction and dispute (校核纠错, 争议), and recall of what was delivered (数据召回), as one transition table."""

from enum import StrEnum
from typing import Final

from huodang.exchange.decisions import Action
from huodang.exchange.sharing.process import Label, Process, Side, Transition


class CorrectionState(StrEnum):
    """Where a correction stands."""

    RAISED = "raised"
    NOTIFYING = "notifying"
    CLOSED = "closed"
    REJECTED = "rejected"
    DISPUTED = "disputed"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


class CorrectionEvent(StrEnum):
    """What happens to a correction."""

    RAISE = "raise"
    ANNOUNCE = "announce"
    RECALL = "recall"
    ACCEPT = "accept"
    REJECT = "reject"
    ACKNOWLEDGED = "acknowledged"
    DISPUTE = "dispute"
    UPHOLD = "uphold"
    DISMISS = "dismiss"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"
    OVERDUE = "overdue"


CORRECTION_STATE_LABELS: Final[dict[str, Label]] = {
    CorrectionState.RAISED: ("待核查", "To be checked"),
    CorrectionState.NOTIFYING: ("通知各使用方", "Telling every consumer"),
    CorrectionState.CLOSED: ("已办结", "Closed"),
    CorrectionState.REJECTED: ("不予更正", "Rejected"),
    CorrectionState.DISPUTED: ("争议协商", "In dispute"),
    CorrectionState.DISMISSED: ("维持原值", "The value stands"),
    CorrectionState.WITHDRAWN: ("已撤回", "Withdrawn"),
}

CORRECTION_EVENT_LABELS: Final[dict[str, Label]] = {
    CorrectionEvent.RAISE: ("提出疑误", "Mark as wrong"),
    CorrectionEvent.ANNOUNCE: ("主动更正", "Correct of one's own accord"),
    CorrectionEvent.RECALL: ("召回", "Recall"),
    CorrectionEvent.ACCEPT: ("更正", "Correct"),
    CorrectionEvent.REJECT: ("不予更正", "Reject"),
    CorrectionEvent.ACKNOWLEDGED: ("全部确认", "Acknowledged by all"),
    CorrectionEvent.DISPUTE: ("提出争议", "Dispute"),
    CorrectionEvent.UPHOLD: ("裁定更正", "Decide: to be corrected"),
    CorrectionEvent.DISMISS: ("裁定维持", "Decide: the value stands"),
    CorrectionEvent.LAPSE: ("逾期未争议", "Lapse"),
    CorrectionEvent.WITHDRAW: ("撤回", "Withdraw"),
    CorrectionEvent.OVERDUE: ("超期上报", "Escalate as overdue"),
}

_S, _E, _T, _A = CorrectionState, CorrectionEvent, Transition, Action
_CORRECTED = ("corrected_value_given", "note_given")
_TELL = ("keep_corrected_value", "forget_answers", "tell_consumers")

CORRECTION_TRANSITIONS: Final[tuple[Transition, ...]] = (
    _T(_S.RAISED, _E.ACCEPT, _S.NOTIFYING, Side.PROVIDER, _A.ANSWER_CORRECTION, Side.CONSUMER, _CORRECTED, _TELL),
    _T(
        _S.RAISED,
        _E.REJECT,
        _S.REJECTED,
        Side.PROVIDER,
        _A.ANSWER_CORRECTION,
        Side.CONSUMER,
        ("reason_and_law_given",),
    ),
    _T(_S.RAISED, _E.WITHDRAW, _S.WITHDRAWN, Side.CONSUMER, _A.RAISE_CORRECTION, None),
    # 争议：不服的可以提请联席会议。A rejection may be disputed; the joint meeting decides.
    _T(
        _S.REJECTED,
        _E.DISPUTE,
        _S.DISPUTED,
        Side.CONSUMER,
        _A.DISPUTE_CORRECTION,
        Side.MEETING,
        ("note_given",),
    ),
    _T(_S.REJECTED, _E.LAPSE, _S.DISMISSED, Side.SYSTEM, _A.KEEP_SHARING_TERMS, None),
    _T(
        _S.DISPUTED,
        _E.UPHOLD,
        _S.RAISED,
        Side.MEETING,
        _A.SETTLE_DISPUTE,
        Side.PROVIDER,
        ("decision_recorded",),
        ("record_decision",),
    ),
    _T(
        _S.DISPUTED,
        _E.DISMISS,
        _S.DISMISSED,
        Side.MEETING,
        _A.SETTLE_DISPUTE,
        None,
        ("decision_recorded",),
        ("record_decision",),
    ),
    _T(
        _S.DISPUTED,
        _E.ACCEPT,
        _S.NOTIFYING,
        Side.PROVIDER,
        _A.ANSWER_CORRECTION,
        Side.CONSUMER,
        _CORRECTED,
        _TELL,
    ),
    # 每一份送达的副本都要确认。Every copy delivered is told, and each is acknowledged.
    _T(
        _S.NOTIFYING,
        _E.ACKNOWLEDGED,
        _S.CLOSED,
        Side.SYSTEM,
        _A.KEEP_SHARING_TERMS,
        None,
        ("all_acknowledged",),
    ),
    *(
        _T(state, _E.OVERDUE, state, Side.SYSTEM, _A.KEEP_SHARING_TERMS, waits, (), ("escalate",))
        for state, waits in (
            (_S.RAISED, Side.PROVIDER),
            (_S.NOTIFYING, Side.CONSUMER),
            (_S.DISPUTED, Side.MEETING),
        )
    ),
)
"""(state, event) → state; what isn't here can't happen."""

DOUBTFUL: Final = frozenset({CorrectionState.RAISED, CorrectionState.DISPUTED})
"""While a correction stands here, the value shows as disputed wherever it is used."""

CORRECTION: Final = Process(
    name="correction",
    table=CORRECTION_TRANSITIONS,
    states=CORRECTION_STATE_LABELS,
    events=CORRECTION_EVENT_LABELS,
    ways_in=(
        (CorrectionEvent.RAISE, CorrectionState.RAISED),
        (CorrectionEvent.ANNOUNCE, CorrectionState.NOTIFYING),
        (CorrectionEvent.RECALL, CorrectionState.NOTIFYING),
    ),
)
