"""The report of a conformance test, as JSON, Markdown, or HTML that prints on paper. Pure."""

import html
import json
from pathlib import Path
from typing import Final

from huodang.exchange.connect.conformance_values import Check, ConformanceResult, State
from huodang.exchange.connect.errors import ConnectError
from huodang.standards import Place

_WORDS: Final = {
    State.PASS: ("通过", "pass"),
    State.WARN: ("注意", "warn"),
    State.FAIL: ("不通过", "fail"),
    State.SKIP: ("不适用", "n/a"),
}
_STYLE: Final = """
body{font-family:"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:2em auto;max-width:60em;color:#111}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #777;padding:.4em;text-align:left;vertical-align:top}
th{background:#eee}.fail{font-weight:bold}.en{color:#444;font-size:.9em}
tr{break-inside:avoid}@media print{body{margin:0}}
"""


def conformance_report(result: ConformanceResult, path: Path) -> bytes:
    """Write the report in the format of a file's ending.

    Raises:
        ConnectError: the ending is none of `.json`, `.md`, `.html`.
    """
    match path.suffix.lower():
        case ".json":
            return (json.dumps(result.to_payload(), ensure_ascii=False, indent=2) + "\n").encode()
        case ".md":
            return _markdown(result).encode()
        case ".html" | ".htm":
            return _html(result).encode()
    raise ConnectError(
        "报告文件应以 .json、.md 或 .html 结尾",
        "a report ends in .json, .md or .html",
        place=Place(file=path.name),
    )


def _verdict(result: ConformanceResult) -> str:
    return "可以上线 / ready" if result.passed else "还不能上线 / not ready"


def _markdown(result: ConformanceResult) -> str:
    lines = [
        f"# 上线自测报告 / Conformance test: {result.department}",
        "",
        f"**{result.score} / 100，{_verdict(result)}**（及格 / pass mark {result.pass_mark}）",
        "",
        f"{result.file} · {result.tested_at}",
        "",
        "| 项目 / test | 结果 / result | 分 / points | 说明 / finding | 办法 / what to do |",
        "|---|---|---|---|---|",
    ]
    for one in result.checks:
        cells = (str(one.title), " ".join(_WORDS[one.state]), _points(one), str(one.detail), str(one.advice or ""))
        lines.append("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _html(result: ConformanceResult) -> str:
    rows = "".join(
        f'<tr class="{one.state.value}"><td>{_both(one.title.chinese, one.title.english)}</td>'
        f"<td>{'/'.join(_WORDS[one.state])}{' *' if one.must else ''}</td><td>{_points(one)}</td>"
        f"<td>{_both(one.detail.chinese, one.detail.english)}</td>"
        f"<td>{_both(one.advice.chinese, one.advice.english) if one.advice else ''}</td></tr>"
        for one in result.checks
    )
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>上线自测 {html.escape(result.department)}</title><style>{_STYLE}</style></head><body>"
        '<h1>上线自测报告 <span class="en" lang="en">Conformance test</span></h1>'
        f"<p>部门 / department: <b>{html.escape(result.department)}</b>"
        f" · {html.escape(result.file)} · {result.tested_at}</p>"
        f"<p><b>{result.score} / 100 — {_verdict(result)}</b>"
        f"（及格 / pass mark {result.pass_mark}；* 为必须通过 / must hold）</p>"
        "<table><thead><tr><th>项目 / test</th><th>结果 / result</th><th>分 / points</th>"
        f"<th>说明 / finding</th><th>办法 / what to do</th></tr></thead><tbody>{rows}</tbody></table></body></html>\n"
    )


def _both(chinese: str, english: str) -> str:
    return f'{html.escape(chinese)}<br><span class="en" lang="en">{html.escape(english)}</span>'


def _points(one: Check) -> str:
    return "—" if one.state is State.SKIP else f"{one.earned:g}/{one.points:g}"
