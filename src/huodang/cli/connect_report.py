"""What `huodang connect` shows: tables of findings, masked, Chinese first."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from huodang.exchange.connect import ColumnMapping, ConformanceResult, Inspection, TableProposal

_MOST_UNMAPPED = 30
_STATES = {
    "pass": "[green]通过 pass[/]",
    "warn": "[yellow]注意 warn[/]",
    "fail": "[red]不通过 FAIL[/]",
    "skip": "[dim]不适用 n/a[/]",
}


def show_inspection(found: Inspection, written: tuple[Path, ...]) -> None:
    """Show what was found, table by table, and what was written."""
    console = Console()
    console.print(f"[bold]{escape(found.source.shown)}[/]  {found.source.kind}  {len(found.proposals)} 张表 / tables")
    for remark in found.source.remarks:
        console.print(f"[yellow]{escape(str(remark))}[/]")
    skew = found.source.clock_skew_seconds
    if skew is not None and abs(skew) > 60:
        console.print(f"[yellow]数据库时钟与本机相差 {skew:+.0f} 秒 / the database's clock differs[/]")
    for proposal in found.proposals:
        if proposal.offers:
            _show_table(console, found, proposal)
    left = [one for one in found.proposals if not one.offers]
    if left:
        table = Table(title=f"没有提出资源的表 / tables without a proposal ({len(left)})", title_justify="left")
        for heading in ("表 / table", "行数 / rows", "原因 / why"):
            table.add_column(heading, overflow="fold")
        for one in left:
            table.add_row(escape(one.mapping.facts.name), _rows(one), escape(str(one.why_not or "")))
        console.print(table)
    for path in written:
        console.print(f"已写出 / written: {escape(str(path))}", highlight=False)
    if not written:
        console.print("试运行，没有写任何文件；写出用 --out、--entries、--json / nothing was written")


def _show_table(console: Console, found: Inspection, proposal: TableProposal) -> None:
    mapping, facts = proposal.mapping, proposal.mapping.facts
    quality = found.quality.get(facts.name)
    title = f"{escape(facts.name)}  {escape(facts.comment)}  {_rows(proposal)} 行 / rows"
    table = Table(title=title, title_justify="left", title_style="bold")
    headings = (
        "列 / column",
        "数据元 / element",
        "把握",
        "有值",
        "可读",
        "不重复",
        "样例（打码） / masked",
        "依据与问题 / evidence",
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for one in mapping.used.values():
        measured = quality.elements.get(one.element.identifier) if quality else None
        table.add_row(
            escape(one.column),
            f"{one.element.chinese} [dim]{one.element.identifier}[/]",
            f"{one.confidence:.0%}",
            f"{mapping.profiles[one.column].coverage:.0%}",
            f"{measured.validity:.1%}" if measured else "",
            f"{measured.unique:.0%}" if measured else "",
            escape("  ".join(found.samples(mapping, one.column))),
            _evidence(one),
        )
    for one in mapping.asked:
        table.add_row(
            escape(one.column),
            f"[yellow]问 {one.element.chinese}?[/] [dim]{one.element.identifier}[/]",
            f"{one.confidence:.0%}",
            f"{mapping.profiles[one.column].coverage:.0%}",
            "",
            "",
            escape("  ".join(found.samples(mapping, one.column))),
            _evidence(one),
        )
    console.print(table)
    if quality is not None:
        reasons = "；".join(f"{text.replace('|', ' ')} ×{count}" for text, count in quality.report.by_reason.items())
        fresh = f"；最新 / newest {quality.newest}（{quality.days_old} 天前）" if quality.newest else "；没有更新时间列"
        console.print(
            f"  质量 / quality: 抽样 {quality.rows} 行，将隔离 {quality.quarantined} 行 / to be quarantined"
            f"{escape('：' + reasons) if reasons else ''}{fresh}",
            highlight=False,
        )
    offers = "  ".join(f"{one.resource}({one.kind.value})" for one in proposal.offers)
    console.print(f"  拟提供 / proposed: {offers}", highlight=False)
    if mapping.unmapped:
        named = "、".join(list(mapping.unmapped)[:_MOST_UNMAPPED])
        console.print(f"  [dim]未对应的列 / not mapped: {escape(named)}[/]", highlight=False)


def _evidence(one: ColumnMapping) -> str:
    lines = [escape(said.chinese) for said in one.evidence]
    lines += [f"[yellow]{escape(said.chinese)}[/]" for said in one.questions]
    return "；".join(lines)


def _rows(proposal: TableProposal) -> str:
    facts = proposal.mapping.facts
    if facts.rows is None:
        return "?"
    return f"{'' if facts.exact else '约 ~'}{facts.rows:,}"


def show_conformance(result: ConformanceResult) -> None:
    """Show the result of a conformance test."""
    console = Console()
    table = Table(title=f"上线自测 / conformance  {escape(result.department)}", title_justify="left")
    for heading in ("项目 / test", "结果 / result", "分 / points", "说明与办法 / what to do"):
        table.add_column(heading, overflow="fold")
    for one in result.checks:
        told = f"{one.detail.chinese} [dim]{escape(one.detail.english)}[/]"
        if one.advice is not None:
            told += f"\n[yellow]{escape(one.advice.chinese)}[/]"
        points = "—" if one.state.value == "skip" else f"{one.earned:g}/{one.points:g}"
        table.add_row(f"{one.title.chinese}\n[dim]{one.title.english}[/]", _STATES[one.state.value], points, told)
    console.print(table)
    colour = "green" if result.passed else "red"
    verdict = "可以上线 / ready" if result.passed else "还不能上线 / not ready"
    console.print(f"[{colour} bold]{result.score} / 100   {verdict}[/]（及格 / pass mark {result.pass_mark}）")
