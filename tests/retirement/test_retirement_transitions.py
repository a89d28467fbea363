"""The transition table holds together, and its pictures hold every row of it."""

import re
import xml.etree.ElementTree as ET
from collections import deque
from itertools import pairwise
from pathlib import Path

import pytest

from huodang.exchange import ROLES
from huodang.retirement import EVENT_LABELS, STATE_LABELS, TRANSITIONS, Event, State, diagram_svg, mermaid_text
from huodang.retirement.effects import EFFECTS
from huodang.retirement.guards import GUARDS
from huodang.retirement.transitions import events_open_to, names_used, transitions_from

ENDS = {State.COMPLETED, State.WITHDRAWN, State.RETURNED, State.ENDED_BY_DEATH}


def test_every_guard_and_effect_of_the_table_has_a_meaning_and_none_is_left_over() -> None:
    guards, effects = names_used()
    assert guards == set(GUARDS)
    assert effects == set(EFFECTS)


def test_every_state_and_event_has_both_labels_and_stands_in_the_table() -> None:
    assert set(STATE_LABELS) == set(State)
    assert set(EVENT_LABELS) == set(Event)
    assert {row.event for row in TRANSITIONS} == set(Event)
    assert {row.state for row in TRANSITIONS} | {row.target for row in TRANSITIONS} == set(State)


def test_roles_of_the_table_are_those_that_policies_speak_of() -> None:
    assert {role for row in TRANSITIONS for role in row.roles} <= set(ROLES)


def test_every_state_can_be_reached_from_a_draft_and_every_live_state_can_end() -> None:
    def reached(start: State) -> set[State]:
        seen, waiting = {start}, deque([start])
        while waiting:
            state = waiting.popleft()
            for row in TRANSITIONS:
                if row.state is state and row.target not in seen:
                    seen.add(row.target)
                    waiting.append(row.target)
        return seen

    assert reached(State.DRAFT) == set(State)
    for state in State:
        assert reached(state) & ENDS


def test_the_day_is_nobodys_exactly_at_an_end() -> None:
    for row in TRANSITIONS:
        assert (row.day_of == "") == (row.target in ENDS), row


def test_the_days_of_papers_being_supplied_are_the_citizens() -> None:
    assert {row.day_of for row in TRANSITIONS if row.target is State.SUPPLEMENT} == {"citizen"}


def test_of_several_rows_for_one_event_no_earlier_one_makes_a_later_one_unreachable() -> None:
    for state in State:
        for event in Event:
            rows = transitions_from(state, event)
            for earlier, later in pairwise(rows):
                assert earlier.guards, (state, event)
                assert not set(earlier.guards) <= set(later.guards), (state, event)


def test_events_of_the_platform_are_open_to_nobody_else() -> None:
    own = {
        Event.CHECKS_SETTLED,
        Event.NOTICE_ENDED,
        Event.SUPPLEMENT_OVERDUE,
        Event.JOINT_ITEMS_SETTLED,
        Event.VOLUME_FILED,
    }
    for row in TRANSITIONS:
        assert (row.roles == ("system",)) == (row.event in own)


def test_only_a_window_clerk_reviews_at_the_window_and_only_a_reviewer_files() -> None:
    assert Event.WINDOW_PASS in events_open_to(State.WINDOW_REVIEW, "window_clerk")
    assert Event.WINDOW_PASS not in events_open_to(State.WINDOW_REVIEW, "reviewer")
    assert Event.FILING_PASS in events_open_to(State.FILING_REVIEW, "reviewer")
    assert Event.FILING_PASS not in events_open_to(State.FILING_REVIEW, "window_clerk")
    assert events_open_to(State.FILING_REVIEW, "leader") == ()


def test_nothing_is_withdrawn_or_returned_once_it_is_decided() -> None:
    for state in (State.JOINT_ITEMS, State.FILING, State.COMPLETED):
        assert not transitions_from(state, Event.WITHDRAW)
        assert not transitions_from(state, Event.RETURN_APPLICATION)


def test_the_mermaid_text_has_one_line_for_every_row() -> None:
    text = mermaid_text()
    for row in TRANSITIONS:
        wanted = re.escape(f"    {row.state.value} --> {row.target.value}: {row.chinese} {row.event.value}")
        guards = re.escape(f" [{' & '.join(row.guards)}]") if row.guards else ""
        assert re.search(f"^{wanted}{guards}$", text, re.MULTILINE), row
    arrows = [line for line in text.splitlines() if "-->" in line and "[*]" not in line]
    assert len(arrows) == len(TRANSITIONS)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("current", [None, *(state.value for state in State)])
def test_the_svg_is_well_formed_and_holds_every_row(language: str, current: str | None) -> None:
    root = ET.fromstring(diagram_svg(current, language))  # noqa: S314  (our own text)
    space = "{http://www.w3.org/2000/svg}"
    drawn = {
        (path.get("data-from"), path.get("data-to"), event)
        for path in root.iter(f"{space}path")
        if path.get("data-events")
        for event in str(path.get("data-events")).split()
    }
    assert drawn == {(row.state.value, row.target.value, row.event.value) for row in TRANSITIONS}
    boxes = {group.get("data-state") for group in root.iter(f"{space}g")}
    assert boxes == {state.value for state in State}
    if current is not None:
        word = STATE_LABELS[State(current)][0 if language == "zh" else 1]
        assert word in str(root.findtext(f"{space}desc"))


def test_no_two_boxes_of_the_svg_overlap_and_all_lie_within_it() -> None:
    root = ET.fromstring(diagram_svg())  # noqa: S314  (our own text)
    space = "{http://www.w3.org/2000/svg}"
    _, _, width, height = (int(part) for part in str(root.get("viewBox")).split())
    corners = []
    for box in root.iter(f"{space}rect"):
        left, top = int(str(box.get("x"))), int(str(box.get("y")))
        wide, high = int(str(box.get("width"))), int(str(box.get("height")))
        assert 0 <= left <= width - wide
        assert 0 <= top <= height - high
        for other_left, other_top, other_wide, other_high in corners:
            apart = left + wide <= other_left or other_left + other_wide <= left
            assert apart or top + high <= other_top or other_top + other_high <= top
        corners.append((left, top, wide, high))


def test_the_document_shows_the_table_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "joint_case.md").read_text("utf-8")
    shown = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    assert shown[1] == mermaid_text()
