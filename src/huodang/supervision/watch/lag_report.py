"""Lag in money, for people: a page that opens offline, the same as a piece of another page, and an Excel file."""

import io
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Final

import xlsxwriter

from huodang.standards import Money
from huodang.supervision.watch.lag import ALL
from huodang.supervision.watch.spans import SPAN_LABELS, LagLine, Span

_TIMED: Final = (Span.RECORD, Span.PLATFORM, Span.HOLD)
_COLOURS: Final = {Span.RECORD: "#1f5f8b", Span.PLATFORM: "#b3541e", Span.HOLD: "#3d7a3d", Span.AFTER: "#6b6b6b"}
_DEPARTMENTS: Final = {
    ALL: ("全部（每人一次）", "all, each death once"),
    "health": ("卫健", "health"),
    "police": ("公安", "police"),
    "civil_affairs": ("民政", "civil affairs"),
    "justice": ("司法", "justice"),
    "medical_insurance": ("医保", "medical insurance"),
    "social_insurance": ("社保", "social insurance"),
}
_STYLE: Final = (
    "body{font:16px/1.6 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2rem;color:#1b1b1b}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #9a9a9a;padding:.35rem .6rem;text-align:right}"
    "th{background:#f0f0f0}td:first-child,td:nth-child(2),th:first-child,th:nth-child(2){text-align:left}"
    "small{color:#4a4a4a}svg{max-width:100%}"
)
_HEADINGS: Final = (
    ("月份", "month"),
    ("部门", "department"),
    ("死亡", "deaths"),
    ("其中在领", "of these paid"),
    ("未暂停", "not held yet"),
)


def department_label(code: str) -> tuple[str, str]:
    """Give what people call a department, in Chinese and English."""
    return _DEPARTMENTS.get(code, (code, code))


def lag_table_html(lines: Sequence[LagLine]) -> str:
    """Give table and chart as a piece of HTML, for the dashboard and the monthly report; it holds no personal data."""
    if not lines:
        return "<p>没有死亡事件 <small>no deaths came in these months</small></p>"
    heads = [*_HEADINGS]
    for span in _TIMED:
        chinese, english = SPAN_LABELS[span]
        heads.append((f"{chinese} 天（中位/平均/最长）", f"{english}: days, median/mean/longest"))
    for span in Span:
        chinese, english = SPAN_LABELS[span]
        heads.append((f"{chinese} 多付（元）", f"{english}: overpaid, yuan"))
    heads.append(("多付合计（元）", "overpaid in all, yuan"))
    head = "".join(
        f'<th scope="col">{escape(one)}<br><small lang="en">{escape(two)}</small></th>' for one, two in heads
    )
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(line))}</tr>" for line in lines)
    caption = "<caption>死亡到暂停的时滞及其多付金额 <small>lag from death to hold, and what it cost</small></caption>"
    return f"{_chart(lines)}<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def lag_report_html(lines: Sequence[LagLine], months: str) -> str:
    """Give a whole page that opens without a network.

    Args:
        lines: of `lag`.
        months: which months it is about, as people read it.
    """
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>时滞报告</title>'
        f"<style>{_STYLE}</style></head><body><h1>时滞报告 <small>Lag in money</small></h1><p>{escape(months)}</p>"
        f"{lag_table_html(lines)}"
        "<p>死亡次月起发放的各月整月计为多付，按发放日落入哪一段计入该段；各段之和等于多付合计。"
        "同一死亡由几个部门先后报送的，各部门按自己的日期各计一次，“全部”一行每人只计一次（最先报送者）。<br>"
        '<small lang="en">Every month paid after the month of death is overpaid whole, and counts for the part of the '
        "way in which its payday fell; the parts sum up to the total. A death told by several departments counts "
        "once for each by its own dates, and once in the line of all, by who told first.</small></p></body></html>"
    )


def lag_workbook(lines: Sequence[LagLine]) -> bytes:
    """Give the same lines as an Excel file; money in yuan as numbers with two decimals."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("时滞 lag")
    bold, yuan, days = (book.add_format(one) for one in ({"bold": True}, {"num_format": "0.00"}, {"num_format": "0.0"}))
    heads = [f"{chinese} {english}" for chinese, english in _HEADINGS]
    for span in _TIMED:
        chinese, english = SPAN_LABELS[span]
        heads += [f"{chinese} {word} / {english}" for word in ("中位天数", "平均天数", "最长天数")]
    heads += [f"{SPAN_LABELS[span][0]} 多付（元） / {SPAN_LABELS[span][1]}" for span in Span]
    heads.append("多付合计（元） overpaid")
    sheet.write_row(0, 0, heads, bold)
    for row, line in enumerate(lines, start=1):
        sheet.write_row(row, 0, [line.month.iso, " ".join(department_label(line.department))])
        sheet.write_row(row, 2, [line.deaths, line.paid, line.unheld])
        timed = [figure for span in _TIMED for figure in _days(line, span)]
        sheet.write_row(row, len(_HEADINGS), timed, days)
        at = len(_HEADINGS) + len(timed)
        for ahead, fen in enumerate([*(line.fen[span] for span in Span), line.overpaid]):
            sheet.write_number(row, at + ahead, Decimal(Money(fen).text), yuan)
    sheet.autofit()
    book.close()
    return buffer.getvalue()


def _days(line: LagLine, span: Span) -> tuple[float, float, int]:
    days = line.days[span]
    return days.median, days.mean, days.longest


def _cells(line: LagLine) -> list[str]:
    cells = [line.month.iso, department_label(line.department)[0]]
    cells += [f"{one:,}" for one in (line.deaths, line.paid, line.unheld)]
    for span in _TIMED:
        median, mean, longest = _days(line, span)
        cells.append(f"{median:g} / {mean:.1f} / {longest}" if line.days[span].count else "—")
    cells += [Money(line.fen[span]).text for span in Span]
    return [*cells, Money(line.overpaid).text]


def _chart(lines: Sequence[LagLine]) -> str:
    """Draw a bar a line, cut by the parts of the way; each part is named in words, too."""
    most = max((line.overpaid for line in lines), default=0)
    if not most:
        return ""
    height, left, width = 26, 220, 640
    bars = []
    for place, line in enumerate(lines):
        at = float(left)
        y = place * height + 4
        label = f"{line.month.iso} {department_label(line.department)[0]}"
        bars.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end" font-size="13">{escape(label)}</text>')
        for span in Span:
            wide = width * line.fen[span] / most
            if wide:
                told = f"{label} {SPAN_LABELS[span][0]}: {Money(line.fen[span]).text} 元"
                bars.append(
                    f'<rect x="{at:.1f}" y="{y}" width="{wide:.1f}" height="18" fill="{_COLOURS[span]}">'
                    f"<title>{escape(told)}</title></rect>"
                )
            at += wide
    legend = "".join(
        f'<tspan fill="{_COLOURS[span]}" dx="12">■ {escape(SPAN_LABELS[span][0])}</tspan>' for span in Span
    )
    bottom = len(lines) * height + 24
    size = f'viewBox="0 0 900 {bottom + 8}" width="900"'
    return (
        f'<svg role="img" aria-label="各段多付金额 overpaid by part of the way" {size}>'
        f'{"".join(bars)}<text x="{left}" y="{bottom}" font-size="13">{legend}</text></svg>'
    )
