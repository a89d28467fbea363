"""A clue's life as one transition table: `(state, event) → state`, with roles, guards and effects.

Where one event may lead to several states, the rows are tried in order and the first whose guards all hold is taken.
Names of guards and effects get their meaning in `guards.py` and `effects.py`.
"""

from typing import Final

from huodang.exchange import Action
from huodang.supervision.clues.process import SYSTEM_ROLE, Process, Transition
from huodang.supervision.clues.states import CLUE_EVENT_LABELS, CLUE_STATE_LABELS, ClueEvent, ClueState

_S, _E, _T, _A = ClueState, ClueEvent, Transition, Action
_INVESTIGATOR, _REVIEWER, _LEADER = ("investigator",), ("reviewer",), ("leader",)
_SYSTEM = (SYSTEM_ROLE,)
_OPEN = (_S.NEW, _S.ASSIGNED, _S.VERIFYING, _S.PROPOSED)
UNDECIDED: Final = frozenset({*_OPEN, _S.ARBITRATION})
"""Nobody has said yet whether it is true."""

DECIDED: Final = frozenset({_S.CONFIRMED, _S.OBJECTION, _S.CLOSED})
"""Where an outcome may stand that an objection or a withdrawal takes back."""

CLUE_TRANSITIONS: Final[tuple[Transition, ...]] = (
    # 分派与领办：领办后锁定，别人不能同时办。Assigned and taken: who takes it locks it.
    *(
        _T(state, _E.ASSIGN, _S.ASSIGNED, _REVIEWER, _A.REVIEW_CLUE, ("investigator_named",), ("assign",))
        for state in (_S.NEW, _S.ASSIGNED, _S.VERIFYING)
    ),
    _T(_S.NEW, _E.TAKE, _S.VERIFYING, _INVESTIGATOR, _A.WORK_CLUE, (), ("lock",)),
    _T(_S.ASSIGNED, _E.TAKE, _S.VERIFYING, _INVESTIGATOR, _A.WORK_CLUE, ("is_assigned",), ("lock",)),
    _T(_S.VERIFYING, _E.TAKE, _S.VERIFYING, _INVESTIGATOR, _A.WORK_CLUE, ("is_free",), ("lock",)),
    _T(_S.VERIFYING, _E.RELEASE, _S.NEW, _INVESTIGATOR, _A.WORK_CLUE, ("has_lock",), ("unlock",)),
    _T(_S.VERIFYING, _E.RELEASE, _S.NEW, _REVIEWER, _A.REVIEW_CLUE, ("note_given",), ("unlock",)),
    # 函询与答复。Asking the departments, and their answers: by the department itself, or recorded from its letter.
    _T(
        _S.VERIFYING,
        _E.ASK_DEPARTMENT,
        _S.VERIFYING,
        _INVESTIGATOR,
        _A.WORK_CLUE,
        ("has_lock", "department_named"),
        ("ask",),
    ),
    *(
        _T(state, _E.ANSWER, state, who, action, (*guards, "was_asked", "answer_given"), ("record_answer",))
        for state in (_S.VERIFYING, _S.ARBITRATION)
        for who, action, guards in (
            (("corrector",), _A.ANSWER_CLUE, ()),
            (_INVESTIGATOR, _A.WORK_CLUE, ("may_record", "letter_named")),
        )
    ),
    # 证据冲突：转仲裁，发放照常。Evidence that conflicts goes to the departments; payment goes on.
    *(_T(state, _E.CONFLICT, _S.ARBITRATION, _SYSTEM, _A.KEEP_CLUES, (), ("unlock", "ask_sides")) for state in _OPEN),
    _T(
        _S.VERIFYING,
        _E.REFER,
        _S.ARBITRATION,
        _INVESTIGATOR,
        _A.WORK_CLUE,
        ("has_lock", "note_given"),
        ("unlock", "ask_sides"),
    ),
    _T(_S.ARBITRATION, _E.AGREE, _S.REFUTED, _SYSTEM, _A.KEEP_CLUES, ("all_say_no",), ("refute",)),
    _T(_S.ARBITRATION, _E.AGREE, _S.VERIFYING, _SYSTEM, _A.KEEP_CLUES, ("all_say_yes", "no_conflict")),
    _T(
        _S.ARBITRATION,
        _E.DECIDE_FOR,
        _S.CONFIRMED,
        _LEADER,
        _A.SETTLE_CLUE,
        ("meeting_recorded", "law_given", "a_register_says_so"),
        ("propose", "confirm"),
    ),
    _T(
        _S.ARBITRATION,
        _E.DECIDE_AGAINST,
        _S.REFUTED,
        _LEADER,
        _A.SETTLE_CLUE,
        ("meeting_recorded",),
        ("propose", "refute"),
    ),
    # 认定：属实要两个人，不属实一个人即可。True takes two people, untrue takes one.
    _T(
        _S.VERIFYING,
        _E.CONFIRM,
        _S.PROPOSED,
        _INVESTIGATOR,
        _A.WORK_CLUE,
        ("has_lock", "note_given", "law_given", "a_register_says_so", "fact_dated"),
        ("propose",),
    ),
    _T(_S.PROPOSED, _E.APPROVE, _S.CONFIRMED, _REVIEWER, _A.REVIEW_CLUE, ("not_the_proposer",), ("confirm", "unlock")),
    _T(_S.PROPOSED, _E.SEND_BACK, _S.VERIFYING, _REVIEWER, _A.REVIEW_CLUE, ("note_given",), ("drop_proposal",)),
    _T(
        _S.VERIFYING,
        _E.REFUTE,
        _S.REFUTED,
        _INVESTIGATOR,
        _A.WORK_CLUE,
        ("has_lock", "note_given"),
        ("propose", "refute", "unlock"),
    ),
    _T(
        _S.PROPOSED,
        _E.REFUTE,
        _S.REFUTED,
        _REVIEWER,
        _A.REVIEW_CLUE,
        ("note_given",),
        ("propose", "refute", "unlock"),
    ),
    # 本人异议。The person objects; who appears in person is a witness against it.
    *(
        _T(state, _E.OBJECT, state, ("window_clerk", "investigator"), _A.OBJECT_CLUE, ("note_given",), ("hear",))
        for state in (*_OPEN, _S.ARBITRATION)
    ),
    *(
        row
        for state in (_S.CONFIRMED, _S.CLOSED)
        for row in (
            _T(
                state,
                _E.OBJECT,
                _S.VERIFYING,
                ("window_clerk", "investigator"),
                _A.OBJECT_CLUE,
                ("note_given", "was_confirmed", "seen_in_person"),
                ("take_back", "hear"),
            ),
            _T(
                state,
                _E.OBJECT,
                _S.OBJECTION,
                ("window_clerk", "investigator"),
                _A.OBJECT_CLUE,
                ("note_given", "was_confirmed"),
                ("hear",),
            ),
        )
    ),
    _T(_S.OBJECTION, _E.UPHOLD, _S.CONFIRMED, _REVIEWER, _A.REVIEW_CLUE, ("note_given", "law_given")),
    *(
        _T(state, _E.REOPEN, _S.VERIFYING, _REVIEWER, _A.REVIEW_CLUE, ("note_given",), ("take_back",))
        for state in (_S.CONFIRMED, _S.OBJECTION, _S.REFUTED, _S.CLOSED)
    ),
    # 线索的增减，由平台记入。Signals that join or are withdrawn.
    *(
        _T(state, _E.JOIN, state, _SYSTEM, _A.KEEP_CLUES)
        for state in (*_OPEN, _S.ARBITRATION, _S.CONFIRMED, _S.OBJECTION)
    ),
    *(
        _T(state, _E.WITHDRAWN, _S.REFUTED, _SYSTEM, _A.KEEP_CLUES, ("nothing_stands",), ("refute", "unlock"))
        for state in (*_OPEN, _S.ARBITRATION)
    ),
    _T(_S.ARBITRATION, _E.WITHDRAWN, _S.VERIFYING, _SYSTEM, _A.KEEP_CLUES, ("no_conflict",)),
    *(_T(state, _E.WITHDRAWN, state, _SYSTEM, _A.KEEP_CLUES) for state in (*_OPEN, _S.ARBITRATION, _S.REFUTED)),
    *(
        row
        for state in (_S.CONFIRMED, _S.OBJECTION, _S.CLOSED)
        for row in (
            _T(
                state,
                _E.WITHDRAWN,
                _S.VERIFYING,
                _SYSTEM,
                _A.KEEP_CLUES,
                ("was_confirmed", "nothing_stands"),
                ("take_back",),
            ),
            _T(state, _E.WITHDRAWN, state, _SYSTEM, _A.KEEP_CLUES),
        )
    ),
    *(
        _T(state, _E.MERGE, _S.MERGED, _REVIEWER, _A.REVIEW_CLUE, ("joinable_named",), ("move_signals",))
        for state in (_S.NEW, _S.ASSIGNED, _S.VERIFYING)
    ),
    *(_T(state, _E.CLOSE, _S.CLOSED, _REVIEWER, _A.REVIEW_CLUE) for state in (_S.CONFIRMED, _S.REFUTED)),
    # 超期与暂停期满：上报，不影响发放。Overdue, or a hold that is over: reported; payment is not touched by it.
    *(
        _T(state, event, state, _SYSTEM, _A.KEEP_CLUES, (), ("escalate",))
        for state in (*_OPEN, _S.ARBITRATION, _S.OBJECTION)
        for event in (_E.OVERDUE, _E.HOLD_LAPSED)
    ),
)
"""(state, event) → state; what isn't here can't happen."""

CLUES: Final = Process(
    name="clue",
    table=CLUE_TRANSITIONS,
    states=CLUE_STATE_LABELS,
    events=CLUE_EVENT_LABELS,
    first=ClueState.NEW,
)
