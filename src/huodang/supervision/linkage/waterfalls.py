"""The page of waterfalls (关联依据): what spoke for each link and what against. Opens offline; persons masked."""

import html
import math
from pathlib import Path
from typing import Final

from huodang.standards import Place, element
from huodang.store import write_whole
from huodang.supervision.linkage.errors import LinkOutputError
from huodang.supervision.linkage.explaining import Explained
from huodang.supervision.linkage.service import Links

_WIDTH: Final = 240
_BAR: Final = 20
_WAYS: Final = {
    "number": ("号码一致", "same number"),
    "repaired": ("号码修正后一致", "same number after one slip is repaired"),
    "weighed": ("按相符程度判断", "weighed agreement"),
}
_LEARNED: Final = {
    "number": ("由本次号码一致的记录对学得", "learned from the pairs of these files that agree in number"),
    "weighing": ("由本次数据用期望最大化学得", "learned from these files by expectation–maximisation"),
    "shipped": ("数据太少，用产品自带的参数", "too little data: the shipped model was used"),
    "file": ("取自保存的模型", "from a saved model"),
}
_STYLE: Final = """
body{font:16px/1.6 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;
margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1c1c1c}
.en{color:#555;font-size:.875em}
.notice{border-left:.35rem solid #9a3412;background:#fff7ed;padding:.6rem 1rem}
section{border:1px solid #c8c8c8;border-radius:.4rem;padding:.6rem 1rem;margin:1rem 0}
h2{font-size:1.05rem;margin:.2rem 0}
table{border-collapse:collapse;margin:.4rem 0}
th,td{text-align:left;padding:.1rem .8rem .1rem 0;font-weight:normal;vertical-align:top}
th{color:#444}td.number{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;display:block}
.for{fill:#1d6f42}.against{fill:#a61b1b}.total{fill:#2c4a7c}.axis{stroke:#666;stroke-width:1}
@media print{section{break-inside:avoid}}
"""


def write_waterfalls(links: Links, page: Path) -> None:
    """Write the page.

    Raises:
        LinkOutputError: it can't be written.
    """
    body = "".join(_section(one, number) for number, one in enumerate(links.explained, start=1))
    text = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>关联依据 / why records are linked</title><style>{_STYLE}</style></head><body><main>"
        f"{_head(links)}{body}</main></body></html>\n"
    )
    try:
        write_whole(page, text.encode())
    except OSError as problem:
        raise LinkOutputError(
            f"网页写不了（{problem.strerror}）",
            f"the page can't be written ({problem.strerror})",
            place=Place(file=page.name),
        ) from None


def _head(links: Links) -> str:
    ways = "；".join(f"{_WAYS[way][0]} {count:,}" for way, count in links.ways().items()) or "0"
    english = "; ".join(f"{_WAYS[way][1]} {count:,}" for way, count in links.ways().items()) or "0"
    learned = ""
    if links.model is not None:
        told = _LEARNED[links.model.learned]
        learned = f"<li>{_both(f'各项权重：{told[0]}', f'weights: {told[1]}')}</li>"
    compared = _both(
        "比较的内容：" + "、".join(one.chinese for one in links.comparisons),
        "compared: " + ", ".join(one.english for one in links.comparisons),
    )
    shown = len(links.explained)
    return (
        f'<h1>关联依据 <span class="en" lang="en">Why records are linked</span></h1>'
        f'<p class="notice">{_both("按相似判断的关联只是线索：须向来源部门核实，不得仅凭本页暂停或终止任何人的待遇。", "A link by likeness is a lead only: verify it with the department it comes from. Nobody’s payment may be held or stopped on this page alone.")}</p>'  # noqa: E501
        f"<ul><li>{_both(f'左 {links.left_rows:,} 行，右 {links.right_rows:,} 行；关联 {links.pairs.num_rows:,} 对：{ways}', f'{links.left_rows:,} rows left, {links.right_rows:,} right; {links.pairs.num_rows:,} links: {english}')}</li>"  # noqa: E501
        f"<li>{_both(f'给出关联的最低概率 {links.threshold:.4f}（由误认与漏认的代价算得）', f'least probability of a link {links.threshold:.4f}, from the costs of a wrong and of a missed one')}</li>"  # noqa: E501
        f"{learned}<li>{compared}</li>"
        f"<li>{_both(f'以下 {shown:,} 对：最不确定的在前，另加抽样；行号从 0 起；个人信息已遮盖', f'{shown:,} links below, the least certain first, with a sample of the others; rows count from 0; persons are masked')}</li></ul>"  # noqa: E501
    )


def _section(one: Explained, number: int) -> str:
    chinese, english = _WAYS[one.way]
    heading = (
        f"<h2>{number}. 左 {one.left_row} ↔ 右 {one.right_row}：{_probability(one.probability)} "
        f'{chinese} <span class="en" lang="en">{english}</span></h2>'
    )
    return f"<section>{heading}{_records(one)}{_waterfall(one) if one.parts else ''}</section>"


def _probability(probability: float) -> str:
    return f"{100 * probability:.4f}%"


def _records(one: Explained) -> str:
    names = [name for name in (*one.left, *one.right) if name in one.left or name in one.right]
    rows = "".join(
        f"<tr><th>{_both(element(name).chinese, element(name).english)}</th>"
        f"<td>{html.escape(one.left.get(name, '—'))}</td><td>{html.escape(one.right.get(name, '—'))}</td></tr>"
        for name in dict.fromkeys(names)
    )
    head = '<tr><th></th><th>左 <span class="en">left</span></th><th>右 <span class="en">right</span></th></tr>'
    return f"<table>{head}{rows}</table>" if rows else ""


def _waterfall(one: Explained) -> str:
    """Draw how the weight builds up, comparison by comparison; the figures stand beside."""
    weights = [part.weight for part in one.parts]
    levels = [sum(weights[:count]) for count in range(len(weights) + 1)]
    low, high = min(0.0, *levels), max(1.0, *levels)
    scale = _WIDTH / (high - low)
    rows = "".join(
        f"<tr><th>{_both(part.chinese, part.english)}</th><td>{_both(part.level_chinese, part.level_english)}</td>"
        f"<td>{_bar(levels[at], part.weight, low, scale)}</td>"
        f'<td class="number">{part.weight:+.1f}</td><td>{_said(part.weight, missing=part.missing)}</td></tr>'
        for at, part in enumerate(one.parts)
    )
    total = (
        f"<tr><th>{_both('合计', 'together')}</th><td></td><td>{_bar(0.0, levels[-1], low, scale, kind='total')}</td>"
        f'<td class="number">{levels[-1]:+.1f}</td><td></td></tr>'
    )
    return f"<table>{rows}{total}</table>"


def _bar(start: float, weight: float, low: float, scale: float, *, kind: str = "") -> str:
    """Draw one step, from where the one before ended."""
    left, width = (min(start, start + weight) - low) * scale, max(abs(weight) * scale, 1.0)
    zero = -low * scale
    return (
        f'<svg aria-hidden="true" width="{_WIDTH}" height="{_BAR}" viewBox="0 0 {_WIDTH} {_BAR}">'
        f'<line class="axis" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{_BAR}"/>'
        f'<rect class="{kind or ("for" if weight >= 0 else "against")}" x="{left:.1f}" y="3" '
        f'width="{width:.1f}" height="{_BAR - 6}"/></svg>'
    )


def _said(weight: float, *, missing: bool) -> str:
    """Say a weight in words: how many times likelier in two records of one person than of two."""
    if missing:
        return _both("不作判断", "says nothing")
    times = 2 ** min(abs(weight), 60)
    figure = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
    if math.isclose(weight, 0, abs_tol=0.05):
        return _both("两可", "either way")
    if weight > 0:
        return _both(f"同一人的可能高 {figure} 倍", f"{figure} times likelier of one person")
    return _both(f"不同人的可能高 {figure} 倍", f"{figure} times likelier of two persons")


def _both(chinese: str, english: str) -> str:
    return f'{html.escape(chinese)} <span class="en" lang="en">{html.escape(english)}</span>'
