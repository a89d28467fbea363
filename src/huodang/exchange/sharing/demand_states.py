"""A demand (共享需求) from raising to its end, as one transition table."""

from enum import StrEnum
from typing import Final

from huodang.exchange.decisions import Action
from huodang.exchange.sharing.process import Label, Process, Side, Transition


class DemandState(StrEnum):
    """Where a demand stands."""

    REVIEW = "review"
    SUPPLEMENT = "supplement"
    ANSWER = "answer"
    PUBLISHING = "publishing"
    SIGNING = "signing"
    IN_USE = "in_use"
    RENEWAL = "renewal"
    RENEWAL_SIGNING = "renewal_signing"
    DISPUTED = "disputed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"


class DemandEvent(StrEnum):
    """What happens to a demand."""

    RAISE = "raise"
    ACCEPT = "accept"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLY = "supply"
    LAPSE = "lapse"
    APPROVE = "approve"
    PUBLISH = "publish"
    REFUSE = "refuse"
    DISPUTE = "dispute"
    DECIDE_TO_SHARE = "decide_to_share"
    DECIDE_NOT_TO_SHARE = "decide_not_to_share"
    SIGNED = "signed"
    REMIND = "remind"
    RENEW = "renew"
    CALL_OFF_RENEWAL = "call_off_renewal"
    REVOKE = "revoke"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    OVERDUE = "overdue"


DEMAND_STATE_LABELS: Final[dict[str, Label]] = {
    DemandState.REVIEW: ("待审核", "Under review"),
    DemandState.SUPPLEMENT: ("待补正", "To be supplemented"),
    DemandState.ANSWER: ("待答复", "To be answered"),
    DemandState.PUBLISHING: ("待发布资源", "Resource to be published"),
    DemandState.SIGNING: ("待双方签署", "To be signed by both"),
    DemandState.IN_USE: ("使用中", "In use"),
    DemandState.RENEWAL: ("待续签", "To be renewed"),
    DemandState.RENEWAL_SIGNING: ("续签待签署", "Renewal to be signed"),
    DemandState.DISPUTED: ("争议协商", "In dispute"),
    DemandState.REFUSED: ("不予共享", "Refused"),
    DemandState.WITHDRAWN: ("已撤回", "Withdrawn"),
    DemandState.REVOKED: ("已撤销", "Revoked"),
    DemandState.EXPIRED: ("已到期", "Expired"),
}

DEMAND_EVENT_LABELS: Final[dict[str, Label]] = {
    DemandEvent.RAISE: ("提出需求", "Raise a demand"),
    DemandEvent.ACCEPT: ("受理", "Accept for answering"),
    DemandEvent.ASK_SUPPLEMENT: ("要求补正", "Ask for a supplement"),
    DemandEvent.SUPPLY: ("补正", "Supply"),
    DemandEvent.LAPSE: ("逾期未补正", "Lapse"),
    DemandEvent.APPROVE: ("同意共享", "Approve"),
    DemandEvent.PUBLISH: ("发布资源", "Publish the resource"),
    DemandEvent.REFUSE: ("拒绝", "Refuse"),
    DemandEvent.DISPUTE: ("提请协调", "Take to the joint meeting"),
    DemandEvent.DECIDE_TO_SHARE: ("裁定应当共享", "Decide: to be shared"),
    DemandEvent.DECIDE_NOT_TO_SHARE: ("裁定不予共享", "Decide: not to be shared"),
    DemandEvent.SIGNED: ("双方签齐", "Signed by both"),
    DemandEvent.REMIND: ("到期提醒", "Remind of the end"),
    DemandEvent.RENEW: ("续签", "Renew"),
    DemandEvent.CALL_OFF_RENEWAL: ("取消续签", "Call the renewal off"),
    DemandEvent.REVOKE: ("撤销协议", "Revoke"),
    DemandEvent.EXPIRE: ("协议到期", "Expire"),
    DemandEvent.WITHDRAW: ("撤回", "Withdraw"),
    DemandEvent.OVERDUE: ("超期上报", "Escalate as overdue"),
}

_S, _E, _T, _A = DemandState, DemandEvent, Transition, Action
_CONSUMER, _PROVIDER, _EITHER, _MEETING, _SYSTEM = (
    Side.CONSUMER,
    Side.PROVIDER,
    Side.EITHER,
    Side.MEETING,
    Side.SYSTEM,
)
_REFUSABLE = ("reason_and_law_given", "not_mandatory")
_LIVE_BEFORE_USE = (_S.REVIEW, _S.SUPPLEMENT, _S.ANSWER, _S.PUBLISHING, _S.SIGNING, _S.DISPUTED)
_AGREED = (_S.IN_USE, _S.RENEWAL, _S.RENEWAL_SIGNING)
_ESCALATED = (
    (_S.REVIEW, _PROVIDER),
    (_S.ANSWER, _PROVIDER),
    (_S.PUBLISHING, _PROVIDER),
    (_S.SIGNING, _EITHER),
    (_S.RENEWAL_SIGNING, _EITHER),
    (_S.DISPUTED, _MEETING),
)

DEMAND_TRANSITIONS: Final[tuple[Transition, ...]] = (
    # 审核。Review: is the demand complete enough to be answered?
    _T(_S.REVIEW, _E.ACCEPT, _S.ANSWER, _PROVIDER, _A.REVIEW_DEMAND, _PROVIDER),
    _T(
        _S.REVIEW,
        _E.ASK_SUPPLEMENT,
        _S.SUPPLEMENT,
        _PROVIDER,
        _A.REVIEW_DEMAND,
        _CONSUMER,
        ("note_given",),
        ("stop_clock",),
    ),
    _T(_S.REVIEW, _E.REFUSE, _S.REFUSED, _PROVIDER, _A.REVIEW_DEMAND, _CONSUMER, _REFUSABLE),
    # 补正。Supplement: the consumer's days; the provider's clock stands.
    _T(
        _S.SUPPLEMENT,
        _E.SUPPLY,
        _S.REVIEW,
        _CONSUMER,
        _A.RAISE_DEMAND,
        _PROVIDER,
        ("stopped_in_review", "terms_hold"),
        ("change_terms", "go_on"),
    ),
    _T(
        _S.SUPPLEMENT,
        _E.SUPPLY,
        _S.ANSWER,
        _CONSUMER,
        _A.RAISE_DEMAND,
        _PROVIDER,
        ("stopped_in_answer", "terms_hold"),
        ("change_terms", "go_on"),
    ),
    _T(_S.SUPPLEMENT, _E.LAPSE, _S.WITHDRAWN, _SYSTEM, _A.KEEP_SHARING_TERMS, None),
    # 答复。Answer: shared, to be published first, or refused with reason and law.
    _T(
        _S.ANSWER,
        _E.ASK_SUPPLEMENT,
        _S.SUPPLEMENT,
        _PROVIDER,
        _A.REVIEW_DEMAND,
        _CONSUMER,
        ("note_given",),
        ("stop_clock",),
    ),
    _T(
        _S.ANSWER,
        _E.APPROVE,
        _S.SIGNING,
        _PROVIDER,
        _A.REVIEW_DEMAND,
        _EITHER,
        ("resource_offered", "not_beyond_the_demand"),
        ("narrow_terms", "draw_up_agreement"),
    ),
    _T(_S.ANSWER, _E.APPROVE, _S.PUBLISHING, _PROVIDER, _A.REVIEW_DEMAND, _PROVIDER, ("resource_not_offered",)),
    _T(_S.ANSWER, _E.REFUSE, _S.REFUSED, _PROVIDER, _A.REVIEW_DEMAND, _CONSUMER, _REFUSABLE),
    # 发布。Publishing: what was unpublished becomes an entry of the catalogue.
    _T(
        _S.PUBLISHING,
        _E.PUBLISH,
        _S.SIGNING,
        _PROVIDER,
        _A.REVIEW_DEMAND,
        _EITHER,
        ("named_resource_offered",),
        ("name_resource", "draw_up_agreement"),
    ),
    # 协调。A refusal may be taken to the joint meeting.
    _T(_S.REFUSED, _E.DISPUTE, _S.DISPUTED, _CONSUMER, _A.RAISE_DEMAND, _MEETING, ("note_given",)),
    _T(
        _S.DISPUTED,
        _E.DECIDE_TO_SHARE,
        _S.ANSWER,
        _MEETING,
        _A.SETTLE_DISPUTE,
        _PROVIDER,
        ("decision_recorded",),
        ("record_decision",),
    ),
    _T(
        _S.DISPUTED,
        _E.DECIDE_NOT_TO_SHARE,
        _S.REFUSED,
        _MEETING,
        _A.SETTLE_DISPUTE,
        _CONSUMER,
        ("decision_recorded",),
        ("record_decision",),
    ),
    # 签署与使用。Signing and use.
    _T(
        _S.SIGNING,
        _E.SIGNED,
        _S.IN_USE,
        _SYSTEM,
        _A.KEEP_SHARING_TERMS,
        _CONSUMER,
        ("in_force",),
        ("deliver_agreement", "watch_end"),
    ),
    _T(_S.IN_USE, _E.REMIND, _S.RENEWAL, _SYSTEM, _A.KEEP_SHARING_TERMS, _CONSUMER, ("end_is_near",)),
    _T(
        _S.IN_USE,
        _E.RENEW,
        _S.RENEWAL_SIGNING,
        _CONSUMER,
        _A.RENEW_AGREEMENT,
        _EITHER,
        ("later_end_named",),
        ("draw_up_renewal",),
    ),
    _T(
        _S.RENEWAL,
        _E.RENEW,
        _S.RENEWAL_SIGNING,
        _CONSUMER,
        _A.RENEW_AGREEMENT,
        _EITHER,
        ("later_end_named",),
        ("draw_up_renewal",),
    ),
    _T(
        _S.RENEWAL_SIGNING,
        _E.SIGNED,
        _S.IN_USE,
        _SYSTEM,
        _A.KEEP_SHARING_TERMS,
        _CONSUMER,
        ("in_force",),
        ("deliver_agreement", "watch_end"),
    ),
    _T(
        _S.RENEWAL_SIGNING,
        _E.CALL_OFF_RENEWAL,
        _S.RENEWAL,
        _EITHER,
        _A.RENEW_AGREEMENT,
        _CONSUMER,
        ("note_given",),
        ("drop_renewal",),
    ),
    # 撤销和到期。The signed revocation of either side ends it at once.
    *(
        _T(state, _E.REVOKE, _S.REVOKED, _EITHER, _A.REVOKE_AGREEMENT, None, ("revocation_taken",), ("drop_renewal",))
        for state in _AGREED
    ),
    *(
        _T(state, _E.EXPIRE, _S.EXPIRED, _SYSTEM, _A.KEEP_SHARING_TERMS, None, ("end_has_passed",), ("drop_renewal",))
        for state in _AGREED
    ),
    *(
        _T(state, _E.WITHDRAW, _S.WITHDRAWN, _CONSUMER, _A.RAISE_DEMAND, None, (), ("withdraw_agreement",))
        for state in _LIVE_BEFORE_USE
    ),
    # 超期：状态不变，亮红灯并上报。What is overdue stays where it is, with a red light, and is escalated.
    *(
        _T(state, _E.OVERDUE, state, _SYSTEM, _A.KEEP_SHARING_TERMS, waits, (), ("escalate",))
        for state, waits in _ESCALATED
    ),
)
"""(state, event) → state; what isn't here can't happen."""

DEMAND: Final = Process(
    name="demand",
    table=DEMAND_TRANSITIONS,
    states=DEMAND_STATE_LABELS,
    events=DEMAND_EVENT_LABELS,
    ways_in=((DemandEvent.RAISE, DemandState.REVIEW),),
)
