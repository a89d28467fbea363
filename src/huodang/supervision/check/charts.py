"""Bar charts as inline SVG with the table of their figures: readable offline, in print and without colour."""

from collections.abc import Sequence
from html import escape

_WIDTH, _LABEL, _BAR, _GAP = 860, 250, 22, 8


def yuan(fen: int) -> str:
    """Write fen as yuan with separators."""
    sign, whole = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{whole // 100:,}.{whole % 100:02}"


def bars(title: str, lines: Sequence[tuple[str, int, str]]) -> str:
    """Draw horizontal bars.

    Args:
        title: of the chart.
        lines: label, value and how the value is written.
    """
    if not lines:
        return ""
    most = max(1, *(value for _, value, _ in lines))
    height = len(lines) * (_BAR + _GAP) + _GAP
    drawn = []
    for number, (label, value, written) in enumerate(lines):
        top = _GAP + number * (_BAR + _GAP)
        length = (_WIDTH - _LABEL - 170) * max(value, 0) // most
        drawn.append(
            f'<text x="{_LABEL - 8}" y="{top + 16}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{top}" width="{max(length, 1)}" height="{_BAR}"/>'
            f'<text x="{_LABEL + length + 8}" y="{top + 16}">{escape(written)}</text>'
        )
    rows = "".join(
        f"<tr><th scope='row'>{escape(label)}</th><td class='n'>{escape(written)}</td></tr>"
        for label, _, written in lines
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(drawn)}</svg>'
        f"<details><summary>数据表 Data</summary><table><tbody>{rows}</tbody></table></details></figure>"
    )
