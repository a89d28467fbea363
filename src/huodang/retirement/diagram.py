"""The transition table as a picture: Mermaid text for the documents, plain SVG for the workbench.

Both are drawn from `TRANSITIONS` and nothing else, so neither can tell another story than the one the engine follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from huodang.retirement.states import EVENT_LABELS, STATE_LABELS, State
from huodang.retirement.transitions import TRANSITIONS, Transition

_BOX_WIDTH: Final = 150
_BOX_HEIGHT: Final = 48
_COLUMN: Final = 235
_ROW: Final = 92
_MARGIN: Final = 24
_WAYS_OUT: Final = 2

# Where each state stands: column 0 what needs a person, 1 the straight way, 2 the ways out.
_PLACES: Final[dict[State, tuple[int, int]]] = {
    State.DRAFT: (1, 0),
    State.CHECKING: (1, 1),
    State.PUBLIC_NOTICE: (1, 2),
    State.WINDOW_REVIEW: (1, 3),
    State.FILING_REVIEW: (1, 4),
    State.JOINT_ITEMS: (1, 5),
    State.FILING: (1, 6),
    State.COMPLETED: (1, 7),
    State.EXCEPTION: (0, 1),
    State.ARBITRATION: (0, 2),
    State.SUPPLEMENT: (0, 3),
    State.WITHDRAWN: (2, 1),
    State.ENDED_BY_DEATH: (2, 3),
    State.RETURNED: (2, 5),
    State.APPEAL: (2, 7),
}


@dataclass(frozen=True)
class _Arrow:
    """All rows of the table that lead from one state to another."""

    source: State
    target: State
    rows: tuple[Transition, ...]


def _arrows() -> Sequence[_Arrow]:
    joined: dict[tuple[State, State], list[Transition]] = {}
    for row in TRANSITIONS:
        joined.setdefault((row.state, row.target), []).append(row)
    return [_Arrow(source, target, tuple(rows)) for (source, target), rows in joined.items()]


def mermaid_text() -> str:
    """Draw the table as a Mermaid state diagram; every row of the table is one line of it."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {state.value}: {chinese} {english}" for state, (chinese, english) in STATE_LABELS.items()]
    lines.append("    [*] --> draft")
    for row in TRANSITIONS:
        guards = f" [{' & '.join(row.guards)}]" if row.guards else ""
        lines.append(f"    {row.state.value} --> {row.target.value}: {row.chinese} {row.event.value}{guards}")
    lines += [f"    {state.value} --> [*]" for state in (State.COMPLETED, State.WITHDRAWN, State.ENDED_BY_DEATH)]
    return "\n".join(lines) + "\n"


def diagram_svg(current_state: str | None = None, language: Literal["zh", "en"] = "zh") -> str:
    """Draw the table as SVG that stands by itself: no script, no outside font, no style sheet needed.

    The current state is framed and named in the description, so that it isn't told by colour alone. What leads on from
    it is written under the boxes it leads to; every arrow has its events as title.
    """
    at = State(current_state) if current_state else None
    width = 3 * _COLUMN + 2 * _MARGIN
    height = (max(row for _, row in _PLACES.values()) + 1) * _ROW + _MARGIN
    word = 0 if language == "zh" else 1
    heading = ("退休一件事流程图", "The joint case, step by step")[word]
    where = "" if at is None else (("当前环节：", "Now at: ")[word] + STATE_LABELS[at][word])
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'class="case-diagram" lang="{"zh-CN" if word == 0 else "en"}" font-family="sans-serif" font-size="13">'
        ),
        f"<title>{heading}</title><desc>{escape(where)}</desc>",
        (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
            'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" fill="#5b6472"/></marker></defs>'
        ),
    ]
    arrows = _arrows()
    # Arrows first, so that no line crosses a box.
    parts += [_draw_arrow(arrow, emphasised=arrow.source is at, word=word) for arrow in arrows]
    parts += [_draw_state(state, current=state is at, word=word) for state in _PLACES]
    parts += _draw_captions([arrow for arrow in arrows if arrow.source is at and arrow.target is not at], word)
    parts.append("</svg>")
    return "".join(parts)


def _corner(state: State) -> tuple[int, int]:
    column, row = _PLACES[state]
    return _MARGIN + column * _COLUMN + (_COLUMN - _BOX_WIDTH) // 2, _MARGIN + row * _ROW


def _draw_state(state: State, *, current: bool, word: int) -> str:
    left, top = _corner(state)
    frame = 'stroke="#1d4ed8" stroke-width="4" fill="#dbeafe"' if current else 'stroke="#5b6472" fill="#ffffff"'
    mark = "▶ " if current else ""
    return (
        f'<g data-state="{state.value}">'
        f'<rect x="{left}" y="{top}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6" {frame}/>'
        f'<text x="{left + _BOX_WIDTH // 2}" y="{top + _BOX_HEIGHT // 2 + 5}" text-anchor="middle" fill="#111827">'
        f"{mark}{escape(STATE_LABELS[state][word])}</text></g>"
    )


def _draw_arrow(arrow: _Arrow, *, emphasised: bool, word: int) -> str:
    events = "、".join(dict.fromkeys(EVENT_LABELS[row.event][word] for row in arrow.rows))
    names = " ".join(dict.fromkeys(row.event.value for row in arrow.rows))
    title = f"{STATE_LABELS[arrow.source][word]} → {STATE_LABELS[arrow.target][word]}：{events}"
    # The many ways out are drawn faintly, so that the straight way stays readable.
    way_out = _PLACES[arrow.target][0] == _WAYS_OUT
    style = 'stroke="#d5dae1" stroke-width="1"' if way_out else 'stroke="#7b8594" stroke-width="1.2"'
    style = 'stroke="#1d4ed8" stroke-width="2.5"' if emphasised else style
    return (
        f'<path data-from="{arrow.source.value}" data-to="{arrow.target.value}" data-events="{names}" '
        f'd="{_route(arrow)}" fill="none" {style} marker-end="url(#head)"><title>{escape(title)}</title></path>'
    )


def _route(arrow: _Arrow) -> str:
    """Lay a line from box to box: straight down the middle, bowed where it goes back or passes others by."""
    left, top = _corner(arrow.source)
    to_left, to_top = _corner(arrow.target)
    column, row = _PLACES[arrow.source]
    to_column, to_row = _PLACES[arrow.target]
    middle, to_middle = top + _BOX_HEIGHT // 2, to_top + _BOX_HEIGHT // 2
    if arrow.source is arrow.target:
        edge = left + _BOX_WIDTH
        return f"M{edge} {middle - 10}C{edge + 34} {middle - 26} {edge + 34} {middle + 26} {edge} {middle + 10}"
    if column == to_column:
        if to_row == row + 1:
            centre = left + _BOX_WIDTH // 2
            return f"M{centre} {top + _BOX_HEIGHT}L{centre} {to_top}"
        # Downwards past others on the right side, upwards on the left.
        side, bow = (left + _BOX_WIDTH, 36) if to_row > row else (left, -36)
        return f"M{side} {middle + 6}C{side + bow} {middle} {side + bow} {to_middle} {side} {to_middle - 6}"
    rightwards = to_column > column
    start = left + _BOX_WIDTH if rightwards else left
    end = to_left if rightwards else to_left + _BOX_WIDTH
    # Each direction enters at another height, so that going and coming back are two lines.
    shift = 8 if rightwards else -8
    half = (start + end) // 2
    return f"M{start} {middle + shift}C{half} {middle + shift} {half} {to_middle + shift} {end} {to_middle + shift}"


def _draw_captions(arrows: Sequence[_Arrow], word: int) -> list[str]:
    """Write the events that lead on from the current state under each box that they lead to."""
    captions = []
    for arrow in arrows:
        left, top = _corner(arrow.target)
        events = " / ".join(dict.fromkeys(EVENT_LABELS[row.event][word] for row in arrow.rows))
        captions.append(
            f'<text x="{left + _BOX_WIDTH // 2}" y="{top + _BOX_HEIGHT + 15}" text-anchor="middle" font-size="11" '
            f'fill="#1e3a8a" stroke="#ffffff" stroke-width="3" paint-order="stroke">{escape(events)}</text>'
        )
    return captions
