"""The states and events of a controlled payment, and what people call them."""

from enum import StrEnum
from typing import Final

from huodang.exchange import Action
from huodang.supervision.clues import Process, Transition


class ControlState(StrEnum):
    """How a payment to a person in a scheme stands."""

    PAYING = "paying"
    HELD = "held"
    STOPPED = "stopped"


class ControlEvent(StrEnum):
    """What happens to a payment."""

    HOLD = "hold"
    LAPSE = "lapse"
    RELEASE = "release"
    UPHOLD = "uphold"
    STOP = "stop"
    RESTORE = "restore"
    RESUME = "resume"


STATE_LABELS: Final[dict[str, tuple[str, str]]] = {
    ControlState.PAYING: ("正常发放", "Paid"),
    ControlState.HELD: ("暂停一期", "Held for one payment"),
    ControlState.STOPPED: ("终止发放", "Stopped"),
}

EVENT_LABELS: Final[dict[str, tuple[str, str]]] = {
    ControlEvent.HOLD: ("暂停", "Hold"),
    ControlEvent.LAPSE: ("期满自动恢复", "The hold ends by itself"),
    ControlEvent.RELEASE: ("解除暂停", "Let the hold go"),
    ControlEvent.UPHOLD: ("人工维持", "Uphold, by a person"),
    ControlEvent.STOP: ("终止", "Stop"),
    ControlEvent.RESTORE: ("纠正恢复", "Restore: the stop was wrong"),
    ControlEvent.RESUME: ("续发", "Resume"),
}

_S, _E, _T, _A = ControlState, ControlEvent, Transition, Action
_SYSTEM = ("system",)
_JUDGES = ("investigator", "reviewer")
_BACK = ("end_ground", "pay_back")

CONTROL_TRANSITIONS: Final[tuple[Transition, ...]] = (
    # 暂停：同一疑点只有一次，只停下一期，到期自动恢复并补发。A hold: once a clue, one payment, and it ends by itself.
    *(
        _T(
            state,
            _E.HOLD,
            _S.HELD,
            _SYSTEM,
            _A.KEEP_PAYMENTS,
            ("justified_hold", "never_held_before"),
            ("begin_hold", "tell_held"),
        )
        for state in (_S.PAYING, _S.HELD)
    ),
    *(
        row
        for event, who, action, guards, tell in (
            (_E.LAPSE, _SYSTEM, _A.KEEP_PAYMENTS, ("hold_is_over",), ("escalate", "tell_lapsed")),
            (_E.RELEASE, _SYSTEM, _A.KEEP_PAYMENTS, ("hold_not_justified",), ("tell_released",)),
            (_E.RELEASE, _JUDGES, _A.JUDGE_HOLD, ("note_given",), ("tell_released",)),
        )
        for row in (
            _T(_S.HELD, event, _S.HELD, who, action, ("has_hold", *guards, "another_hold"), (*_BACK, *tell)),
            _T(_S.HELD, event, _S.PAYING, who, action, ("has_hold", *guards), (*_BACK, *tell)),
            _T(_S.STOPPED, event, _S.STOPPED, who, action, ("has_hold", *guards), (*_BACK, *tell)),
        )
    ),
    # 终止：两个独立来源，或两个人的认定。A stop: two independent witnesses, or a decision by two people.
    *(
        _T(
            state,
            _E.STOP,
            _S.STOPPED,
            _SYSTEM,
            _A.KEEP_PAYMENTS,
            ("justified_stop",),
            ("begin_stop", "pay_back", "tell_stopped"),
        )
        for state in (_S.PAYING, _S.HELD, _S.STOPPED)
    ),
    # 机器作出的暂停、终止，由人维持或解除。What the platform held or stopped, a person upholds or lets go.
    *(
        _T(state, _E.UPHOLD, state, _JUDGES, _A.JUDGE_HOLD, ("has_ground", "note_given"), ("uphold",))
        for state in (_S.HELD, _S.STOPPED)
    ),
    # 纠正：终止错了，恢复并补发。The stop was wrong: reversed and paid back.
    *(
        _T(_S.STOPPED, _E.RESTORE, target, who, action, ("has_stop", *guards, *more), (*_BACK, "tell_restored"))
        for who, action, guards in (
            (_SYSTEM, _A.KEEP_PAYMENTS, ("stop_not_justified",)),
            (_JUDGES, _A.JUDGE_HOLD, ("stop_by_signals", "note_given")),
        )
        for target, more in (
            (_S.STOPPED, ("another_stop",)),
            (_S.HELD, ("another_hold",)),
            (_S.PAYING, ()),
        )
    ),
    # 续发：终止的原因消失(如刑满)，从某月起续发，之前的不补。The reason is over: paid again from a month on.
    *(
        _T(
            _S.STOPPED,
            _E.RESUME,
            target,
            ("reviewer",),
            _A.JUDGE_HOLD,
            ("has_stop", "note_given", "month_given", *more),
            ("end_from_month", "pay_back", "tell_resumed"),
        )
        for target, more in ((_S.STOPPED, ("another_stop",)), (_S.HELD, ("another_hold",)), (_S.PAYING, ()))
    ),
)
"""(state, event) → state; what isn't here can't happen."""

CONTROL: Final = Process(
    name="control",
    table=CONTROL_TRANSITIONS,
    states=STATE_LABELS,
    events=EVENT_LABELS,
    first=ControlState.PAYING,
)
