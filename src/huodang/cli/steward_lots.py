"""`huodang steward lots`: what a department's data steward does about lots at the own gateway."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="本部门的库表批次：列表、质量、隔离行、放行 / this department's lots: list, quality, quarantine, allow",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Option("--config", help="前置机的 YAML 文件 / the gateway's YAML file", exists=True, dir_okay=False)
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]


@app.command(name="list")
def list_lots(
    config: Config, *, limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20, as_json: Json = False
) -> None:
    """列出批次 / list lots.

    Examples:
      huodang steward lots list --config departments/police/gateway.yaml
    """
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from huodang.exchange import LotSteward, read_gateway_file

    lots = LotSteward(read_gateway_file(config)).lots(limit=limit)
    if as_json:
        typer.echo(msgspec.json.encode(lots).decode())
        return
    table = Table("批次", "资源", "状态", "开始", "读取", "新增", "更新", "删除", "迟到", "隔离", "问题")
    for column in table.columns:
        column.overflow = "fold"  # a name that is cut can't be copied
    for one in lots:
        counts = (one.rows, one.inserted, one.updated, one.deleted, one.late, one.quarantined)
        table.add_row(one.lot_id, one.resource, one.state, one.opened_at, *map(str, counts), one.problem)
    Console().print(table)


@app.command()
def quality(
    lot: Annotated[str, typer.Argument(help="批次编号 / the lot")], config: Config, *, as_json: Json = False
) -> None:
    """看一个批次的质量：完整性、有效性、唯一性、及时性 / show the quality of a lot.

    Examples:
      huodang steward lots quality tabcdef --config departments/police/gateway.yaml
    """
    import msgspec

    from huodang.exchange import LotSteward, read_gateway_file

    report = LotSteward(read_gateway_file(config)).quality(lot)
    if as_json:
        typer.echo(msgspec.json.encode(report.to_payload()).decode())
        return
    typer.echo(f"行数 / rows: {report.rows}；交付 / taken: {report.taken}；隔离 / quarantined: {report.quarantined}")
    for chinese, english, share in (
        ("有效性", "validity", report.validity),
        ("唯一性", "uniqueness", report.uniqueness),
        ("及时性", "timeliness", report.timeliness),
    ):
        typer.echo(f"{chinese} / {english}: {share:.2%}")
    for element, share in report.completeness.items():
        typer.echo(f"完整性 / completeness {element}: {share:.2%}")
    for name, number in report.by_reason.items():
        reason, element, column = name.split("|", 2)
        typer.echo(f"隔离原因 / kept back for {reason}（{element}，列 {column}）: {number}")


@app.command()
def quarantine(
    resource: Annotated[str, typer.Argument(help="资源 / the resource")],
    config: Config,
    out: Annotated[Path, typer.Option("--out", help="写到 .csv 或 .xlsx / write here, .csv or .xlsx")],
    *,
    lot: Annotated[str, typer.Option("--lot", help="批次，缺省为最近一批 / the lot, else the newest")] = "",
) -> None:
    """导出隔离行：原始内容、位置、原因，供更正 / write the rows kept back, with their reasons.

    The file holds personal data: only its owner may read it.

    Examples:
      huodang steward lots quarantine police.household_table --config departments/police/gateway.yaml --out bad.xlsx
    """
    from huodang.exchange import LotSteward, read_gateway_file

    written = LotSteward(read_gateway_file(config)).export_quarantine(resource, out, lot=lot)
    typer.echo(f"已写出 {written} 行，含个人信息，请妥善保管 / {written} rows written; they hold personal data: {out}")


@app.command()
def allow(
    resource: Annotated[str, typer.Argument(help="资源 / the resource")],
    config: Config,
    what: Annotated[str, typer.Option("--what", help="schema：列类型变化；deletes：大量删除 / schema or deletes")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / don't ask")] = False,
) -> None:
    """核对后放行下一批：列类型变化或大量删除 / let the next lot pass, once: changed kinds, or many deletes.

    Examples:
      huodang steward lots allow police.household_table --what deletes --config departments/police/gateway.yaml
    """
    from huodang.exchange import LotSteward, read_gateway_file

    steward = LotSteward(read_gateway_file(config))
    if not yes and not typer.confirm("只放行下一批，确认来源无误？/ Only the next lot passes. Is the source right?"):
        raise typer.Exit(1)
    steward.allow(resource, what)
    typer.echo("下一批放行 / the next lot passes")
