"""The report of a check: one HTML page that opens offline, Chinese first, with charts, law and next steps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import pyarrow as pa

from huodang.supervision.check.charts import bars, yuan
from huodang.supervision.check.request import RuleResult
from huodang.supervision.rules import reason
from huodang.supervision.tables import SAID, Kind, Reason, Understanding

_STATES: Final = {"judged": "已比对 judged", "not_judged": "未比对 not judged", "failed": "失败 FAILED"}
_MOST_BARS: Final = 20
_NOTE: Final = (
    "<p class='note'>本报告列出的是疑点，不是结论：任何一条都须先核实、告知本人并听取申辩，不得仅凭比对停发待遇。"
    "<br><span class='en'>These are suspicions to be verified, not findings of fact: nobody's pension is stopped "
    "on a match alone.</span></p>"
)
_STYLE: Final = """
:root{color-scheme:light}body{font:15px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;
max-width:960px;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}h1{font-size:1.6rem}h2{font-size:1.2rem;
border-bottom:2px solid #1f4e79;margin-top:2rem}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border:1px solid #b8c0c8;padding:.3rem .5rem;text-align:left;vertical-align:top}thead th{background:#e8eef4}
td.n{text-align:right;font-variant-numeric:tabular-nums}figure{margin:1rem 0}figcaption{font-weight:bold}svg{width:100%}
rect{fill:#1f4e79}svg text{font-size:13px;fill:#1b1f24}.failed{border-left:6px solid #a61b1b;padding-left:.6rem;
background:#fdf0f0}.en{color:#4a5560}code{word-break:break-all;font-size:.85em}.note{background:#f4f6f8;padding:.6rem}
@media print{body{max-width:none;margin:0;font-size:11pt}details{display:none}h2,figure,tr{break-inside:avoid}}
"""


def report(
    understanding: Understanding,
    results: Sequence[RuleResult],
    summary: Mapping[str, Any],
    certificate: Mapping[str, Any],
    originals: Mapping[Kind, pa.Table],
) -> str:
    """Write the page. It holds sums and counts alone: no person stands in it."""
    months = "、".join(f"{month[:4]}-{month[4:]}" for month in summary["months"])
    failed = [one for one in results if one.state == "failed"]
    parts = [
        "<h1>稽核比对报告 <span class='en'>Check report</span></h1>",
        f"<p>比对月份 Months: <b>{escape(months)}</b></p>",
        f"<p>生成时间 Made at: {escape(str(certificate['made_at']))}（UTC）</p>",
        _NOTE,
        *(_failure(one) for one in failed),
        _inputs(summary, understanding),
        _rules(results, summary),
        _charts(results, originals),
        _details(results),
        _proof(certificate),
    ]
    return (
        "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'><title>稽核比对报告</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _failure(one: RuleResult) -> str:
    return (
        f"<p class='failed'><b>规则失败 Rule failed: {escape(one.rule.chinese)}</b>（{escape(one.rule.code)}）"
        f"<br>{escape(one.reason)}。其结果不可用，其他规则不受影响。"
        "<br><span class='en'>Its results can't be used; other rules aren't affected.</span></p>"
    )


def _inputs(summary: Mapping[str, Any], understanding: Understanding) -> str:
    rows = []
    for kind, count in summary["rows"].items():
        files = "、".join(table.file for table in understanding.of(Kind(kind)))
        reasons = summary["quarantined"].get(kind, {})
        told = "；".join(f"{SAID[Reason[code.upper()]].chinese} {number:,}" for code, number in reasons.items())
        rows.append(
            f"<tr><td>{escape(Kind(kind).chinese)} <span class='en'>{kind}</span></td><td>{escape(files)}</td>"
            f"<td class='n'>{count:,}</td><td class='n'>{sum(reasons.values()):,}</td><td>{escape(told)}</td></tr>"
        )
    other = summary["other_months"]
    aside = f"<p>其他月份未比对 Other months left aside: {other:,}</p>" if other else ""
    return (
        "<h2>数据 <span class='en'>Data</span></h2><table><thead><tr><th>表 Table</th><th>文件 Files</th>"
        "<th>行数 Rows</th><th>隔离 Quarantined</th><th>隔离原因 Reasons</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{aside}"
    )


def _rules(results: Sequence[RuleResult], summary: Mapping[str, Any]) -> str:
    rows = []
    for one in results:
        told = summary["rules"][one.rule.code]
        rows.append(
            f"<tr><td>{escape(one.rule.chinese)}<br><span class='en'>{escape(one.rule.english)}</span></td>"
            f"<td>{escape(one.rule.severity.chinese)}</td><td class='n'>{one.count:,}</td>"
            f"<td class='n'>{told['persons']:,}</td><td class='n'>{yuan(one.fen)}</td>"
            f"<td class='n'>{told['unknown']:,}</td><td>{_STATES[one.state]}"
            f"{'<br>' + escape(one.reason) if one.reason else ''}</td></tr>"
        )
    return (
        "<h2>疑点 <span class='en'>Findings</span></h2><table><thead><tr><th>规则 Rule</th><th>级别 Severity</th>"
        "<th>行 Rows</th><th>人 Persons</th><th>涉及金额（元）Yuan</th>"
        "<th>无法判断 Unknown</th><th>状态 State</th></tr>"
        f"</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _charts(results: Sequence[RuleResult], originals: Mapping[Kind, pa.Table]) -> str:
    found = [one for one in results if one.count]
    if not found:
        return "<p>没有发现疑点。<span class='en'>Nothing was found.</span></p>"
    drawn = [
        bars("各规则疑点行数 Rows by rule", [(one.rule.chinese, one.count, f"{one.count:,}") for one in found]),
        bars("各规则涉及金额（元）Yuan by rule", [(one.rule.chinese, one.fen, yuan(one.fen)) for one in found]),
    ]
    table = originals.get(Kind.PAYMENTS)
    if table is not None:
        for column, title in (
            ("month", "按发放年月 By month"),
            ("region", "按行政区划 By region"),
            ("scheme", "按险种 By scheme"),
        ):
            counted = Counter(value for value in table[column].to_pylist() if value)
            lines = sorted(counted.most_common(_MOST_BARS)) if column == "month" else counted.most_common(_MOST_BARS)
            if len(lines) > 1:
                drawn.append(bars(f"疑点发放行 {title}", [(str(name), n, f"{n:,}") for name, n in lines]))
    return "<h2>图表 <span class='en'>Charts</span></h2>" + "".join(drawn)


def _details(results: Sequence[RuleResult]) -> str:
    parts = ["<h2>依据与下一步 <span class='en'>Law and next steps</span></h2>"]
    for one in results:
        if one.state != "judged" or not (one.count or one.unknown):
            continue
        law = "".join(f"<li>{escape(reference.text)}</li>" for reference in one.rule.law)
        unknown = "".join(
            f"<li>{escape(reason(code).chinese)} {escape(reason(code).english)}: {number:,}</li>"
            for code, number in one.unknown.items()
        )
        parts.append(
            f"<h3>{escape(one.rule.chinese)} <code>{escape(one.rule.code)}</code></h3><ul>{law}</ul>"
            f"<p>{escape(one.rule.next_step.chinese)}</p><p class='en'>{escape(one.rule.next_step.english)}</p>"
            + (f"<p>无法判断 Couldn't be judged:</p><ul>{unknown}</ul>" if unknown else "")
        )
    return "".join(parts)


def _proof(certificate: Mapping[str, Any]) -> str:
    inputs = "".join(
        f"<tr><td>{escape(one['file'])}</td><td><code>{one['sha256']}</code></td></tr>" for one in certificate["inputs"]
    )
    rules = "".join(
        f"<tr><td>{escape(one['code'])}</td><td class='n'>{one['canaries_found']}</td>"
        f"<td><code>{one['result_sha256']}</code></td></tr>"
        for one in certificate["rules"]
    )
    engine = ", ".join(f"{name} {value}" for name, value in certificate["engine"].items())
    return (
        "<h2>比对证明 <span class='en'>Certificate</span></h2>"
        f"<p>{escape(engine)}; huodang {escape(str(certificate['huodang']))}</p>"
        f"<table><thead><tr><th>文件 File</th><th>SHA-256</th></tr></thead><tbody>{inputs}</tbody></table>"
        "<table><thead><tr><th>规则 Rule</th><th>校验样本 Planted cases found</th>"
        "<th>结果摘要 Digest of results</th></tr>"
        f"</thead><tbody>{rules}</tbody></table>"
    )
