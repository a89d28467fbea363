"""Certification (资格认证) as one transition table; no event of it stops or lowers a pension: silence cuts nobody."""

from enum import StrEnum
from typing import Final

from huodang.exchange import Action
from huodang.supervision.clues.process import Label, Process, Transition


class CertificationState(StrEnum):
    """Where a person's certification stands."""

    VALID = "valid"
    REMINDING = "reminding"
    OVERDUE = "overdue"
    VISITING = "visiting"
    REFERRED = "referred"
    ENDED = "ended"


class CertificationEvent(StrEnum):
    """What happens to it."""

    ENROL = "enrol"
    PROVE = "prove"
    APPROACH = "approach"
    REMIND = "remind"
    LAPSE = "lapse"
    SEND_VISIT = "send_visit"
    ESCALATE = "escalate"
    NOT_FOUND = "not_found"
    END = "end"


STATE_LABELS: Final[dict[str, Label]] = {
    CertificationState.VALID: ("认证有效", "Proved"),
    CertificationState.REMINDING: ("即将到期，提醒自助认证", "Due soon, reminded"),
    CertificationState.OVERDUE: ("已到期，仍可自助认证", "Overdue, self-service open"),
    CertificationState.VISITING: ("待上门核实", "To be visited"),
    CertificationState.REFERRED: ("已转稽核调查", "Referred to investigation"),
    CertificationState.ENDED: ("不再领取", "No longer paid"),
}

EVENT_LABELS: Final[dict[str, Label]] = {
    CertificationEvent.ENROL: ("纳入", "Enrol"),
    CertificationEvent.PROVE: ("认证通过", "Prove"),
    CertificationEvent.APPROACH: ("临近到期", "Come near the day"),
    CertificationEvent.REMIND: ("再次提醒", "Remind again"),
    CertificationEvent.LAPSE: ("到期未认证", "Lapse"),
    CertificationEvent.SEND_VISIT: ("转上门核实", "Send a visit"),
    CertificationEvent.ESCALATE: ("上门超期上报", "Escalate the visit"),
    CertificationEvent.NOT_FOUND: ("上门未能确认", "Not confirmed at the visit"),
    CertificationEvent.END: ("停止纳入", "End"),
}

_S, _E, _T, _A = CertificationState, CertificationEvent, Transition, Action
_SYSTEM: Final = ("system",)
_PAID: Final = (_S.VALID, _S.REMINDING, _S.OVERDUE, _S.VISITING, _S.REFERRED)

CERTIFICATION_TRANSITIONS: Final[tuple[Transition, ...]] = (
    # 数据已能证明的，不再打扰本人。Whom data prove is not asked.
    *(
        _T(
            state,
            _E.PROVE,
            _S.VALID,
            ("system", "citizen", "window_clerk", "investigator"),
            _A.CERTIFY,
            ("proof_counts",),
        )
        for state in _PAID
    ),
    _T(_S.VALID, _E.APPROACH, _S.REMINDING, _SYSTEM, _A.CERTIFY, ("first_reminder_reached",)),
    _T(_S.REMINDING, _E.REMIND, _S.REMINDING, _SYSTEM, _A.CERTIFY, ("next_reminder_reached",)),
    _T(_S.REMINDING, _E.LAPSE, _S.OVERDUE, _SYSTEM, _A.CERTIFY, ("due_day_over",)),
    _T(_S.OVERDUE, _E.SEND_VISIT, _S.VISITING, _SYSTEM, _A.CERTIFY, ("self_service_over",)),
    _T(_S.VISITING, _E.ESCALATE, _S.VISITING, _SYSTEM, _A.CERTIFY, ("visit_term_over",)),
    # 涉嫌丧失资格的须调查：转疑点，由人查清，期间照常发放。Investigated as a clue; paid on meanwhile.
    _T(
        _S.VISITING,
        _E.NOT_FOUND,
        _S.REFERRED,
        ("window_clerk", "investigator"),
        _A.CERTIFY,
        ("note_given",),
        ("tell_suspicion",),
    ),
    *(_T(state, _E.END, _S.ENDED, _SYSTEM, _A.CERTIFY) for state in _PAID),
    _T(_S.ENDED, _E.ENROL, _S.VALID, _SYSTEM, _A.CERTIFY),
)
"""(state, event) → state; what isn't here can't happen."""

CERTIFICATION: Final = Process(
    name="certification",
    table=CERTIFICATION_TRANSITIONS,
    states=STATE_LABELS,
    events=EVENT_LABELS,
    first=CertificationState.VALID,
)
