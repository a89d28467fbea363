"""What `huodang files` shows: tables of what was found, with the reasons in Chinese and English."""

# ruff: noqa: PLC0415  (a library is imported when it is needed, so that `--help` stays quick)

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from huodang.exchange.files import CheckReport, DropOutcome, Look


def print_look(look: "Look") -> None:
    """Show what a file is."""
    from rich.console import Console
    from rich.table import Table

    found = look.format
    typer.echo(f"格式 / kind: {found.kind.value}")
    if found.encoding:
        typer.echo(f"编码 / encoding: {found.encoding}")
    if found.delimiter:
        typer.echo(f"分隔符 / delimiter: {found.delimiter!r}")
    if found.sheet:
        typer.echo(f"工作表 / sheet: {found.sheet}")
    heading = f"第 {found.header_row} 行 / row {found.header_row}" if found.header else "无 / none"
    typer.echo(f"表头 / heading: {heading}")
    typer.echo(f"行数 / rows: {look.rows}；已删除 / deleted: {look.skipped}；有问题 / with problems: {look.at_fault}")
    for remark in look.remarks:
        typer.echo(f"注意 / note: {remark.chinese} / {remark.english}")
    table = Table("列 / column", "非空 / filled", *(f"第 {row} 行 / row {row}" for row, _ in look.shown))
    for column in found.columns:
        table.add_row(column, str(look.filled.get(column, 0)), *(cells.get(column, "") for _, cells in look.shown))
    Console().print(table)
    _print_reasons(look.reasons)


def print_check(found: "CheckReport") -> None:
    """Show what a dry run found."""
    manifest = found.manifest
    if manifest is not None:
        signed = "签名有效 / signature holds" if found.verified else "签名未验证（没有公钥） / signature not checked"
        content = "全量 / full" if manifest.content == "full" else "变化 / changes"
        typer.echo(f"清单 / manifest: {manifest.resource}，序号 / number {manifest.sequence}，{content}，{signed}")
    for name, one in found.formats.items():
        typer.echo(f"{name}: {one.kind.value} {one.encoding}，{len(one.columns)} 列 / columns")
        for remark in found.remarks.get(name, ()):
            typer.echo(f"  注意 / note: {remark.chinese} / {remark.english}")
    if found.inspected is not None:
        quality = found.inspected.quality
        typer.echo(
            f"行 / rows: {quality.rows}；合格 / good: {quality.taken}"
            f"（其中删除 / of them removals: {found.inspected.removed}）；隔离 / kept back: {quality.quarantined}"
        )
        _print_reasons(quality.by_reason)
    for problem in found.problems:
        typer.echo(f"拒收 / refused [{problem.reason}]: {problem.chinese}\n  {problem.english}", err=True)
    typer.echo("结论：可接收 / it would be taken" if found.good else "结论：会被整批拒收 / it would be refused whole")


def print_outcome(outcome: "DropOutcome") -> None:
    """Show what became of a delivery."""
    delivery = outcome.delivery
    if outcome.state == "taken" and delivery is not None:
        typer.echo(
            f"已接收 / taken: {delivery.resource}，序号 / number {delivery.sequence}，批次 / lot {delivery.lot_id}\n"
            f"行 / rows: {delivery.rows}；退回更正 / sent back: {delivery.quarantined}"
        )
        if delivery.missing_before:
            typer.echo(f"注意：缺 {delivery.missing_before} 个序号 / {delivery.missing_before} numbers never came")
    else:
        state = "已拒收 / refused" if outcome.state == "refused" else "等待 / waiting"
        typer.echo(f"{state} [{outcome.reason}]", err=True)
    if outcome.folder is not None:
        typer.echo(f"存放于 / kept in: {outcome.folder}")


def outcome_payload(outcome: "DropOutcome") -> "dict[str, object]":
    """Give it as JSON."""
    delivery = outcome.delivery
    return {
        "state": outcome.state,
        "reason": outcome.reason,
        "folder": str(outcome.folder) if outcome.folder else None,
        "lot": delivery.lot_id if delivery else None,
        "rows": delivery.rows if delivery else None,
        "quarantined": delivery.quarantined if delivery else None,
        "missing_before": delivery.missing_before if delivery else None,
    }


def _print_reasons(reasons: "dict[str, int] | object") -> None:
    from collections.abc import Mapping

    if isinstance(reasons, Mapping):
        for reason, number in reasons.items():
            code, _, where = str(reason).partition("|")
            element, _, column = where.partition("|")
            typer.echo(f"  {code}（列 / column {column or '—'}，数据元 / element {element or '—'}）: {number}")
