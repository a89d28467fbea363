"""The joint case as one transition table: `(state, event) → state`, with guards, effects and whose day it becomes.

The engine moves a case by this table only, and the diagrams in the workbench and in `docs/joint_case.md` are drawn
from it. Where one event may lead to several states, the rows are tried in order and the first whose guards all hold is
taken. This module is pure: guards and effects are named here and given their meaning in `guards.py` and `effects.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from huodang.retirement.states import AGENCY, AGENCY_ROLES, ANYONE_APPLYING, CITIZEN, EVENT_LABELS, SYSTEM, Event, State


@dataclass(frozen=True)
class Transition:
    """One row of the table.

    Attributes:
        guards: names of conditions, all of which must hold.
        effects: names of what is done in the same transaction, in order.
        roles: who may do it; `system` is the platform's own jobs.
        day_of: whose day it becomes: `citizen`, `agency`, `system` or `department:<code>`; "" when nobody's (the end).
    """

    state: State
    event: Event
    target: State
    roles: tuple[str, ...]
    day_of: str
    guards: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()

    @property
    def chinese(self) -> str:
        """The event's Chinese label."""
        return EVENT_LABELS[self.event][0]

    @property
    def english(self) -> str:
        """The event's English label."""
        return EVENT_LABELS[self.event][1]


S, E, T = State, Event, Transition
_SYSTEM_ONLY = ("system",)
_REVIEWER = ("reviewer",)
_CLERK = ("window_clerk",)
_WITHDRAWABLE = (
    S.DRAFT,
    S.CHECKING,
    S.EXCEPTION,
    S.SUPPLEMENT,
    S.ARBITRATION,
    S.PUBLIC_NOTICE,
    S.WINDOW_REVIEW,
    S.FILING_REVIEW,
    S.RETURNED,
)
_DEATH_REPORTABLE = (*_WITHDRAWABLE, S.JOINT_ITEMS)
_RETURNABLE = (S.EXCEPTION, S.ARBITRATION, S.WINDOW_REVIEW, S.FILING_REVIEW)

TRANSITIONS: tuple[Transition, ...] = (
    T(S.DRAFT, E.SUBMIT, S.CHECKING, ANYONE_APPLYING, SYSTEM, ("declared",), ("start_checks",)),
    # The checks decide the branch; the rows stand in the order in which they bind.
    T(
        S.CHECKING,
        E.CHECKS_SETTLED,
        S.ENDED_BY_DEATH,
        _SYSTEM_ONLY,
        "",
        ("found_dead",),
        ("store_determination", "offer_family_benefits"),
    ),
    T(
        S.CHECKING,
        E.CHECKS_SETTLED,
        S.ARBITRATION,
        _SYSTEM_ONLY,
        AGENCY,
        ("found_conflicting",),
        ("store_determination",),
    ),
    T(S.CHECKING, E.CHECKS_SETTLED, S.EXCEPTION, _SYSTEM_ONLY, AGENCY, ("found_exception",), ("store_determination",)),
    T(
        S.CHECKING,
        E.CHECKS_SETTLED,
        S.PUBLIC_NOTICE,
        _SYSTEM_ONLY,
        SYSTEM,
        ("notice_needed",),
        ("store_determination", "open_public_notice"),
    ),
    T(S.CHECKING, E.CHECKS_SETTLED, S.WINDOW_REVIEW, _SYSTEM_ONLY, AGENCY, ("found_clear",), ("store_determination",)),
    # What staff do with an exception.
    T(S.EXCEPTION, E.RECHECK, S.CHECKING, AGENCY_ROLES, SYSTEM, (), ("check_again",)),
    T(
        S.EXCEPTION,
        E.ACCEPT_EVIDENCE,
        S.CHECKING,
        AGENCY_ROLES,
        SYSTEM,
        ("evidence_named", "not_own_application"),
        ("accept_check", "settle"),
    ),
    T(
        S.EXCEPTION,
        E.REQUEST_SUPPLEMENT,
        S.SUPPLEMENT,
        AGENCY_ROLES,
        CITIZEN,
        ("papers_named",),
        ("ask_for_papers",),
    ),
    T(S.EXCEPTION, E.REFER_TO_ARBITRATION, S.ARBITRATION, AGENCY_ROLES, AGENCY, ("note_given",)),
    T(
        S.EXCEPTION,
        E.APPROVE_PROVISIONAL,
        S.PUBLIC_NOTICE,
        _REVIEWER,
        SYSTEM,
        ("only_parameter_missing", "notice_still_needed"),
        ("mark_provisional", "open_public_notice"),
    ),
    T(
        S.EXCEPTION,
        E.APPROVE_PROVISIONAL,
        S.WINDOW_REVIEW,
        _REVIEWER,
        AGENCY,
        ("only_parameter_missing",),
        ("mark_provisional",),
    ),
    # Papers being supplied: the applicant's days, not the agency's.
    T(
        S.SUPPLEMENT,
        E.SUPPLEMENT_RECEIVED,
        S.WINDOW_REVIEW,
        ANYONE_APPLYING,
        AGENCY,
        ("papers_named", "asked_at_window_review"),
        ("note_papers",),
    ),
    T(
        S.SUPPLEMENT,
        E.SUPPLEMENT_RECEIVED,
        S.EXCEPTION,
        ANYONE_APPLYING,
        AGENCY,
        ("papers_named",),
        ("note_papers",),
    ),
    T(S.SUPPLEMENT, E.SUPPLEMENT_OVERDUE, S.RETURNED, _SYSTEM_ONLY, "", ("nothing_paid",), ("tell_returned",)),
    # Two sources say different things: a person decides, with a note.
    T(
        S.ARBITRATION,
        E.ARBITRATED,
        S.CHECKING,
        _REVIEWER,
        SYSTEM,
        ("note_given", "finding_given", "not_own_application"),
        ("record_finding", "settle"),
    ),
    # Public notice (公示).
    T(S.PUBLIC_NOTICE, E.NOTICE_ENDED, S.WINDOW_REVIEW, _SYSTEM_ONLY, AGENCY, ("notice_term_over",), ("close_notice",)),
    T(
        S.PUBLIC_NOTICE,
        E.OBJECTION_RECEIVED,
        S.ARBITRATION,
        AGENCY_ROLES,
        AGENCY,
        ("note_given",),
        ("record_objection",),
    ),
    # The double review (双链审核): never by one and the same person.
    T(
        S.WINDOW_REVIEW,
        E.WINDOW_PASS,
        S.FILING_REVIEW,
        _CLERK,
        AGENCY,
        ("not_own_application",),
        ("sign_window_review",),
    ),
    T(
        S.WINDOW_REVIEW,
        E.REQUEST_SUPPLEMENT,
        S.SUPPLEMENT,
        AGENCY_ROLES,
        CITIZEN,
        ("papers_named",),
        ("ask_for_papers",),
    ),
    T(S.WINDOW_REVIEW, E.REFER_TO_ARBITRATION, S.ARBITRATION, AGENCY_ROLES, AGENCY, ("note_given",)),
    T(S.WINDOW_REVIEW, E.RECHECK, S.CHECKING, AGENCY_ROLES, SYSTEM, (), ("check_again",)),
    T(
        S.FILING_REVIEW,
        E.FILING_PASS,
        S.JOINT_ITEMS,
        _REVIEWER,
        SYSTEM,
        ("not_the_window_reviewer", "not_own_application", "decision_stands"),
        ("finalise_decision", "start_joint_items"),
    ),
    T(S.FILING_REVIEW, E.FILING_SEND_BACK, S.WINDOW_REVIEW, _REVIEWER, AGENCY, ("note_given",)),
    # Joint items: one that is refused stops only itself.
    T(
        S.JOINT_ITEMS,
        E.ACCEPT_EVIDENCE,
        S.JOINT_ITEMS,
        AGENCY_ROLES,
        SYSTEM,
        ("evidence_named", "item_needs_person"),
        ("settle_item_by_hand",),
    ),
    T(S.JOINT_ITEMS, E.RECHECK, S.JOINT_ITEMS, AGENCY_ROLES, SYSTEM, (), ("try_items_again",)),
    T(
        S.JOINT_ITEMS,
        E.JOINT_ITEMS_SETTLED,
        S.FILING,
        _SYSTEM_ONLY,
        SYSTEM,
        ("items_settled", "first_payment_stands"),
        ("start_filing",),
    ),
    T(S.FILING, E.VOLUME_FILED, S.COMPLETED, _SYSTEM_ONLY, "", (), ("tell_completed",)),
    # Ways out before the decision.
    *(
        T(state, E.WITHDRAW, S.WITHDRAWN, ANYONE_APPLYING, "", ("nothing_paid",), ("stop_work",))
        for state in _WITHDRAWABLE
    ),
    *(
        T(
            state,
            E.DEATH_REPORTED,
            S.ENDED_BY_DEATH,
            (*ANYONE_APPLYING, "reviewer"),
            "",
            ("note_given",),
            ("stop_work", "offer_family_benefits"),
        )
        for state in _DEATH_REPORTABLE
    ),
    *(
        T(
            state,
            E.RETURN_APPLICATION,
            S.RETURNED,
            AGENCY_ROLES,
            "",
            ("note_given", "nothing_paid"),
            ("stop_work", "tell_returned"),
        )
        for state in _RETURNABLE
    ),
    T(
        S.RETURNED,
        E.RESUBMIT,
        S.CHECKING,
        ANYONE_APPLYING,
        SYSTEM,
        ("declared", "no_other_live_case"),
        ("start_checks",),
    ),
    # Appeals.
    *(
        T(state, E.APPEAL, S.APPEAL, ANYONE_APPLYING, AGENCY, ("note_given",), ("remember_appealed_state",))
        for state in (S.RETURNED, S.COMPLETED, S.ENDED_BY_DEATH)
    ),
    T(
        S.APPEAL,
        E.APPEAL_UPHELD,
        S.CHECKING,
        _REVIEWER,
        SYSTEM,
        ("note_given", "not_the_decider", "no_other_live_case"),
        ("reopen_decision", "check_again"),
    ),
    T(S.APPEAL, E.APPEAL_DISMISSED, S.RETURNED, _REVIEWER, "", ("note_given", "not_the_decider", "appealed_return")),
    T(
        S.APPEAL,
        E.APPEAL_DISMISSED,
        S.ENDED_BY_DEATH,
        _REVIEWER,
        "",
        ("note_given", "not_the_decider", "appealed_death"),
    ),
    T(
        S.APPEAL,
        E.APPEAL_DISMISSED,
        S.COMPLETED,
        _REVIEWER,
        "",
        ("note_given", "not_the_decider", "appealed_completion"),
    ),
)


def transitions_from(state: State, event: Event) -> tuple[Transition, ...]:
    """Give the rows for an event in a state, in the order in which they are tried; empty when it is not allowed."""
    return tuple(row for row in TRANSITIONS if row.state is state and row.event is event)


def events_open_to(state: State, role: str) -> tuple[Event, ...]:
    """Give the events that a role may cause in a state, in the table's order, each once."""
    events: dict[Event, None] = {}
    for row in TRANSITIONS:
        if row.state is state and role in row.roles:
            events[row.event] = None
    return tuple(events)


def names_used(rows: Iterable[Transition] = TRANSITIONS) -> tuple[frozenset[str], frozenset[str]]:
    """Give all guard names and all effect names of the table."""
    listed = tuple(rows)
    return (
        frozenset(name for row in listed for name in row.guards),
        frozenset(name for row in listed for name in row.effects),
    )
