"""`huodang lots`: the copies that departments deliver, at the hub."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="枢纽的库表副本：拉取、批次、对账、复核 / copies at the hub: pull, list, show, verify", no_args_is_help=True
)

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 YAML 文件 / the hub's YAML file", exists=True, dir_okay=False)
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]


@app.command()
def pull(resource: Annotated[str, typer.Argument(help="资源 / the resource")], config: Config) -> None:
    """拉取一个批次并对账；中断后再次执行即续传 / pull one lot and reconcile it; run again to go on.

    Examples:
      huodang lots pull police.household_table --config hub/hub.yaml
    """
    from rich.progress import Progress

    from huodang.web.assembly import assemble
    from huodang.web.settings import HubSettings

    services = assemble(HubSettings.load(config))
    try:
        with Progress(transient=True) as shown:
            task = shown.add_task("页 / pages", total=None)
            lot = services.lot_office.puller.pull(
                resource, progress=lambda done, whole: shown.update(task, completed=done, total=whole)
            )
    finally:
        services.close()
    typer.echo(
        f"批次 / lot {lot.lot_id}: 新增 / inserted {lot.inserted}，更新 / updated {lot.updated}，"
        f"删除 / deleted {lot.deleted}，迟到 / late {lot.late}，隔离 / quarantined {lot.quarantined}"
    )
    typer.echo(f"副本 / copy: {lot.rows} 行 / rows，两侧一致 / both sides equal: {lot.root}")


@app.command(name="list")
def list_copies(config: Config, *, as_json: Json = False) -> None:
    """列出副本：行数、时点、红黄灯 / list the copies: rows, as of, standing.

    Examples:
      huodang lots list --config hub/hub.yaml
    """
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from huodang.store import shanghai_text
    from huodang.web.assembly import assemble
    from huodang.web.settings import HubSettings

    services = assemble(HubSettings.load(config))
    try:
        copies = services.lot_office.freshness()
    finally:
        services.close()
    if as_json:
        typer.echo(msgspec.json.encode(copies).decode())
        return
    table = Table("资源", "协议", "行数", "截至", "更新周期", "应更新于", "状态", "已对账", "问题")
    for column in table.columns:
        column.overflow = "fold"  # a name that is cut can't be copied
    for one in copies:
        table.add_row(
            one.resource,
            one.agreement_id,
            str(one.rows),
            shanghai_text(one.as_of) if one.as_of else "—",
            one.cycle or "—",
            one.due.isoformat() if one.due else "—",
            one.light.value,
            "是 / yes" if one.proven else "否 / no",
            one.trouble,
        )
    Console().print(table)


@app.command()
def show(lot: Annotated[str, typer.Argument(help="批次编号 / the lot")], config: Config) -> None:
    """看一个批次：数量、对账单、隔离原因 / show a lot: counts, reconciliation, what was kept back.

    Examples:
      huodang lots show labcdef --config hub/hub.yaml
    """
    import msgspec

    from huodang.web.assembly import assemble
    from huodang.web.settings import HubSettings

    services = assemble(HubSettings.load(config))
    try:
        found, faults = services.lots.lot(lot), services.lots.faults(lot)
    finally:
        services.close()
    typer.echo(msgspec.json.format(msgspec.json.encode({"lot": found, "faults": faults}), indent=2).decode())


@app.command()
def verify(agreement: Annotated[str, typer.Argument(help="协议编号 / the agreement")], config: Config) -> None:
    """重新读取副本，核对是否仍与对账时一致 / read a copy again and hold it against its proof.

    Exits with 1 if it differs.

    Examples:
      huodang lots verify XY-table --config hub/hub.yaml
    """
    from huodang.web.assembly import assemble
    from huodang.web.settings import HubSettings

    services = assemble(HubSettings.load(config))
    try:
        held, differing = services.lots.holding_of(agreement), services.lots.verify(agreement)
    finally:
        services.close()
    if held is None:
        typer.echo("没有这份协议的副本 / no copy stands under this agreement", err=True)
        raise typer.Exit(2)
    if differing:
        typer.echo(f"副本与对账时不同，分桶 / the copy differs in buckets: {', '.join(map(str, differing))}", err=True)
        raise typer.Exit(1)
    typer.echo(f"一致 / equal: {held.rows} 行 / rows, {held.root}")
