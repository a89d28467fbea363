"""Recovery (追回) of what was overpaid, as one transition table."""

from enum import StrEnum
from typing import Final

from huodang.exchange import Action
from huodang.supervision.clues.process import Label, Process, Transition


class RecoveryState(StrEnum):
    """Where a recovery stands."""

    OPENED = "opened"
    NOTICED = "noticed"
    INSTALMENTS = "instalments"
    OFFSET = "offset"
    CLAWING_BACK = "clawing_back"
    COURT = "court"
    OBJECTED = "objected"
    WRITE_OFF = "write_off"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"
    CANCELLED = "cancelled"


class RecoveryEvent(StrEnum):
    """What happens to a recovery."""

    OPEN = "open"
    SERVE_NOTICE = "serve_notice"
    AGREE_INSTALMENTS = "agree_instalments"
    AGREE_OFFSET = "agree_offset"
    ISSUE_CLAW_BACK = "issue_claw_back"
    END_CLAW_BACK = "end_claw_back"
    REFER_TO_COURT = "refer_to_court"
    RECEIVE = "receive"
    SETTLE = "settle"
    MISS = "miss"
    OBJECT = "object"
    REJECT_OBJECTION = "reject_objection"
    UPHOLD_OBJECTION = "uphold_objection"
    PROPOSE_WRITE_OFF = "propose_write_off"
    APPROVE_WRITE_OFF = "approve_write_off"
    REFUSE_WRITE_OFF = "refuse_write_off"
    REVISE = "revise"
    OVERDUE = "overdue"


RECOVERY_STATE_LABELS: Final[dict[str, Label]] = {
    RecoveryState.OPENED: ("待通知", "To be notified"),
    RecoveryState.NOTICED: ("已通知，待还款安排", "Notified, to be arranged"),
    RecoveryState.INSTALMENTS: ("分期退回", "By instalments"),
    RecoveryState.OFFSET: ("待遇或账户抵扣", "By offset"),
    RecoveryState.CLAWING_BACK: ("银行扣回中", "Asked of the bank"),
    RecoveryState.COURT: ("移送法院", "Before the court"),
    RecoveryState.OBJECTED: ("异议核对，暂停追回", "Objected, halted"),
    RecoveryState.WRITE_OFF: ("核销待审批", "Write-off to be approved"),
    RecoveryState.SETTLED: ("已结清", "Settled"),
    RecoveryState.WRITTEN_OFF: ("已核销", "Written off"),
    RecoveryState.CANCELLED: ("已撤销", "Cancelled"),
}

RECOVERY_EVENT_LABELS: Final[dict[str, Label]] = {
    RecoveryEvent.OPEN: ("立案", "Open"),
    RecoveryEvent.SERVE_NOTICE: ("送达通知", "Serve notice"),
    RecoveryEvent.AGREE_INSTALMENTS: ("签分期协议", "Agree on instalments"),
    RecoveryEvent.AGREE_OFFSET: ("约定抵扣", "Agree on offset"),
    RecoveryEvent.ISSUE_CLAW_BACK: ("发银行扣回", "Ask the bank"),
    RecoveryEvent.END_CLAW_BACK: ("银行已回盘，未扣足", "The bank's answer fell short"),
    RecoveryEvent.REFER_TO_COURT: ("移送法院", "Refer to the court"),
    RecoveryEvent.RECEIVE: ("入账", "Receive money"),
    RecoveryEvent.SETTLE: ("结清", "Settle"),
    RecoveryEvent.MISS: ("未按计划还款", "Fall behind the plan"),
    RecoveryEvent.OBJECT: ("提出异议", "Object"),
    RecoveryEvent.REJECT_OBJECTION: ("异议不成立", "Reject the objection"),
    RecoveryEvent.UPHOLD_OBJECTION: ("异议成立", "Uphold the objection"),
    RecoveryEvent.PROPOSE_WRITE_OFF: ("提请核销", "Propose to write off"),
    RecoveryEvent.APPROVE_WRITE_OFF: ("批准核销", "Approve the write-off"),
    RecoveryEvent.REFUSE_WRITE_OFF: ("不批准核销", "Refuse the write-off"),
    RecoveryEvent.REVISE: ("重算更正", "Revise"),
    RecoveryEvent.OVERDUE: ("超期上报", "Escalate as overdue"),
}

_S, _E, _T, _A = RecoveryState, RecoveryEvent, Transition, Action
_INVESTIGATOR, _REVIEWER, _SYSTEM = ("investigator",), ("reviewer",), ("system",)
_PAYING: Final = (_S.OPENED, _S.NOTICED, _S.INSTALMENTS, _S.OFFSET, _S.CLAWING_BACK, _S.COURT)
_HALTABLE: Final = (_S.NOTICED, _S.INSTALMENTS, _S.OFFSET, _S.CLAWING_BACK, _S.COURT)
_ARRANGED: Final = (_S.NOTICED, _S.INSTALMENTS, _S.OFFSET)

RECOVERY_TRANSITIONS: Final[tuple[Transition, ...]] = (
    _T(_S.OPENED, _E.SERVE_NOTICE, _S.NOTICED, _INVESTIGATOR, _A.ACT_ON_RECOVERY, ("service_told",)),
    # 条例四十六条：分期还款协议；从后续待遇或个人账户余额抵扣。
    *(
        _T(state, event, target, _INVESTIGATOR, _A.ACT_ON_RECOVERY, guards, ("keep_plan",))
        for state in _ARRANGED
        for event, target, guards in (
            (_E.AGREE_INSTALMENTS, _S.INSTALMENTS, ("plan_adds_up",)),
            (_E.AGREE_OFFSET, _S.OFFSET, ("offset_lawful", "plan_adds_up")),
        )
    ),
    _T(
        _S.NOTICED,
        _E.ISSUE_CLAW_BACK,
        _S.CLAWING_BACK,
        ("investigator", "system"),
        _A.ACT_ON_RECOVERY,
        ("account_known",),
    ),
    _T(_S.CLAWING_BACK, _E.END_CLAW_BACK, _S.NOTICED, _SYSTEM, _A.KEEP_RECOVERY, ("something_outstanding",)),
    _T(_S.NOTICED, _E.REFER_TO_COURT, _S.COURT, _INVESTIGATOR, _A.ACT_ON_RECOVERY, ("note_given",)),
    # 钱任何时候都可以退；退够即结清。Money is taken at any time, also while an objection is checked.
    *(
        _T(state, _E.RECEIVE, state, ("investigator", "system"), _A.ACT_ON_RECOVERY, ("money_fits",), ("book",))
        for state in (*_PAYING, _S.OBJECTED, _S.WRITE_OFF)
    ),
    *(
        _T(state, _E.SETTLE, _S.SETTLED, _SYSTEM, _A.KEEP_RECOVERY, ("nothing_outstanding",))
        for state in (*_PAYING, _S.OBJECTED, _S.WRITE_OFF)
    ),
    *(
        _T(state, _E.MISS, _S.NOTICED, _SYSTEM, _A.KEEP_RECOVERY, ("behind_plan",))
        for state in (_S.INSTALMENTS, _S.OFFSET)
    ),
    # 异议即暂停，由另一人核对。An objection halts everything; somebody else decides it.
    *(
        _T(
            state,
            _E.OBJECT,
            _S.OBJECTED,
            ("citizen", "window_clerk"),
            _A.OBJECT_TO_RECOVERY,
            ("note_given",),
            ("halt",),
        )
        for state in _HALTABLE
    ),
    *(
        _T(
            _S.OBJECTED,
            _E.REJECT_OBJECTION,
            state,
            _REVIEWER,
            _A.APPROVE_RECOVERY,
            (f"halted_in_{state}", "note_given"),
            ("go_on",),
        )
        for state in _HALTABLE
    ),
    _T(
        _S.OBJECTED,
        _E.UPHOLD_OBJECTION,
        _S.CANCELLED,
        _REVIEWER,
        _A.APPROVE_RECOVERY,
        ("debt_falls_away", "note_given"),
        ("revise",),
    ),
    _T(
        _S.OBJECTED,
        _E.UPHOLD_OBJECTION,
        _S.OPENED,
        _REVIEWER,
        _A.APPROVE_RECOVERY,
        ("revision_given", "note_given"),
        ("revise",),
    ),
    # 核销：一人提请，另一人批准。A write-off takes two persons.
    *(
        _T(
            state,
            _E.PROPOSE_WRITE_OFF,
            _S.WRITE_OFF,
            _INVESTIGATOR,
            _A.ACT_ON_RECOVERY,
            ("note_given",),
            ("keep_proposer",),
        )
        for state in (_S.NOTICED, _S.COURT)
    ),
    _T(
        _S.WRITE_OFF,
        _E.APPROVE_WRITE_OFF,
        _S.WRITTEN_OFF,
        _REVIEWER,
        _A.APPROVE_RECOVERY,
        ("another_person", "note_given"),
        ("write_off",),
    ),
    _T(_S.WRITE_OFF, _E.REFUSE_WRITE_OFF, _S.NOTICED, _REVIEWER, _A.APPROVE_RECOVERY, ("note_given",)),
    # 事实更正（如死亡撤销）后重算：多收的退还。Facts corrected later: what was taken too much goes back.
    *(
        _T(state, _E.REVISE, target, ("reviewer", "system"), action, (guard, "note_given"), ("revise",))
        for state in (*_PAYING, _S.WRITE_OFF, _S.SETTLED, _S.WRITTEN_OFF)
        for target, guard, action in (
            (_S.CANCELLED, "debt_falls_away", _A.APPROVE_RECOVERY),
            (_S.OPENED, "revision_given", _A.APPROVE_RECOVERY),
        )
    ),
    *(
        _T(state, _E.OVERDUE, state, _SYSTEM, _A.KEEP_RECOVERY, (), ("escalate",))
        for state in (_S.OPENED, _S.NOTICED, _S.CLAWING_BACK, _S.OBJECTED, _S.WRITE_OFF)
    ),
)
"""(state, event) → state; what isn't here can't happen."""

CLOSED: Final = frozenset({RecoveryState.SETTLED, RecoveryState.WRITTEN_OFF, RecoveryState.CANCELLED})

RECOVERY: Final = Process(
    name="recovery",
    table=RECOVERY_TRANSITIONS,
    states=RECOVERY_STATE_LABELS,
    events=RECOVERY_EVENT_LABELS,
    first=RecoveryState.OPENED,
)
