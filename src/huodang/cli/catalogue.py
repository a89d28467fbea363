"""`huodang catalogue`: the shared catalogue, read, carried to other platforms and back, and what is left unserved."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huodang.cli.catalogue_report import (
    change_payload,
    entry_payload,
    plan_payload,
    standing_payload,
    tell_changes,
    tell_plan,
)

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Connection

    from huodang.exchange import Catalogue, CatalogueEntry

app = typer.Typer(help="共享目录 / the shared catalogue", no_args_is_help=True)

OptionalConfig = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="枢纽的 hub.yaml；不写则看随产品提供的条目 / the hub's hub.yaml; without it, what comes with the product",
        exists=True,
        dir_okay=False,
    ),
]
Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Resource = Annotated[str, typer.Argument(help="资源标识，如 police.household / the resource")]
By = Annotated[str, typer.Option("--by", help="谁发布，记入历史与账本 / who publishes: kept in history and ledger")]


@contextmanager
def _reading(config: Path) -> Iterator[tuple["Catalogue", "Connection"]]:
    """Open the hub's catalogue to read it, without starting anything."""
    from huodang.exchange.catalogue import Catalogue, read_mandatory_list
    from huodang.store import Database, SystemClock
    from huodang.web import HubSettings

    settings = HubSettings.load(config)
    mandatory = read_mandatory_list(settings.mandatory_sharing) if settings.mandatory_sharing else None
    database = Database.open(settings.database)
    try:
        with database.read() as connection:
            yield Catalogue(SystemClock(), mandatory=mandatory), connection
    finally:
        database.close()


def _entries(config: Path | None) -> dict[str, "CatalogueEntry"]:
    from huodang.exchange import product_catalogue

    if config is None:
        return product_catalogue()
    with _reading(config) as (catalogue, connection):
        return catalogue.entries(connection)


def _print_table(table: "Table") -> None:
    from rich.console import Console

    # Into a file or a pipe nothing is cut off for want of a wide window.
    (Console() if sys.stdout.isatty() else Console(width=150)).print(table)


def _print_json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


@app.command("list")
def list_entries(
    text: Annotated[str, typer.Argument(help="要找的词 / words to look for")] = "",
    config: OptionalConfig = None,
    *,
    provider: Annotated[str | None, typer.Option(help="提供部门代码 / department")] = None,
    kind: Annotated[str | None, typer.Option(help="交换种类 / kind: check action list table file match event")] = None,
    class_code: Annotated[str, typer.Option("--class", help="分类码开头 / class code begins with")] = "",
    element: Annotated[str | None, typer.Option(help="含此数据元 / holds this element")] = None,
    mandatory: Annotated[bool, typer.Option("--mandatory", help="只看强制共享 / mandatory ones only")] = False,
    as_json: Json = False,
) -> None:
    """查目录：按名称、摘要、信息项、提供方、分类 / find entries by name, abstract, element, provider, class.

    Examples:
      huodang catalogue list

      huodang catalogue list 死亡 --kind event

      huodang catalogue list --provider police --element death_date --config hub/hub.yaml --json
    """
    from rich.table import Column, Table

    from huodang.cli.rules import CommandError
    from huodang.exchange import Kind, Wanted
    from huodang.exchange.catalogue import search_entries, to_sheet

    if kind is not None and kind not in set(Kind):
        raise CommandError(f"没有交换种类 {kind}", f"there is no kind {kind}")
    wanted = Wanted(
        text,
        provider=provider,
        kind=Kind(kind) if kind else None,
        class_code=class_code,
        element=element,
        mandatory=True if mandatory else None,
    )
    found = search_entries(_entries(config).values(), wanted)
    if as_json:
        _print_json([entry_payload(one) for one in found])
        return
    headings = ("名称", "种类", "共享", "周期", "级", "强制")
    table = Table(Column("资源标识", no_wrap=True), Column("代码", no_wrap=True), *headings)
    for one in found:
        told = to_sheet(one).fields
        table.add_row(
            one.resource,
            one.code,
            one.title.chinese,
            told["kind"],
            told["sharing"].partition(" ")[2],
            told["update_cycle"],
            str(one.level),
            "是" if one.mandatory else "",
        )
    _print_table(table)
    typer.echo(f"共 {len(found)} 项 / {len(found)} entries")


@app.command()
def show(resource: Resource, config: OptionalConfig = None, *, as_json: Json = False) -> None:
    """看一个条目的全部元数据和信息项 / show all metadata and information items of an entry.

    Examples:
      huodang catalogue show police.household
    """
    from rich.table import Table

    from huodang.exchange.catalogue import catalogue_fields, to_sheet

    entry = _require(_entries(config), resource)
    if as_json:
        _print_json(entry_payload(entry))
        return
    sheet = to_sheet(entry)
    for name, field in catalogue_fields().items():
        if field.of == "entry":
            mark = "（取值待核 / values unverified）" if field.values == "unverified" else ""
            typer.echo(f"{field.chinese} / {field.english}{mark}: {sheet.fields[name] or '—'}")
    typer.echo(f"条目级别 / level: {entry.level}")
    columns = [field for field in catalogue_fields().values() if field.of == "item"]
    table = Table(*(f"{field.chinese} / {field.english}" for field in columns))
    for item in sheet.items:
        table.add_row(*(item[field.field] for field in columns))
    _print_table(table)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="目标文件：.xlsx、.xml 或 .json / target file", dir_okay=False)],
    config: OptionalConfig = None,
    *,
    provider: Annotated[str | None, typer.Option(help="只导出该部门 / this department only")] = None,
) -> None:
    """导出目录，供国家或省级平台填报 / export the catalogue for a national or provincial platform.

    Columns and values that aren't verified against the standard are marked in the workbook's second sheet and in
    docs/catalogue.md.

    Examples:
      huodang catalogue export --out 目录.xlsx

      huodang catalogue export --config hub/hub.yaml --provider police --out police.xml
    """
    from huodang.cli.rules import CommandError
    from huodang.exchange import CatalogueFormat, write_catalogue
    from huodang.store import write_whole

    ending = out.suffix.removeprefix(".").lower()
    if ending not in set(CatalogueFormat):
        raise CommandError("目标文件应为 .xlsx、.xml 或 .json", "the target file ends in .xlsx, .xml or .json")
    chosen = [one for one in _entries(config).values() if provider in {None, one.provider}]
    write_whole(out, write_catalogue(chosen, CatalogueFormat(ending)))
    typer.echo(f"已导出 {len(chosen)} 项 / {len(chosen)} entries exported: {out}")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="目录文件 / a catalogue file", exists=True, dir_okay=False)],
    config: Config,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="真正导入；缺省只试算 / do it; else a dry run")] = False,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="文件是各部门的全部目录，缺的撤下 / it is all that its departments have: withdraw the rest",
        ),
    ] = False,
    by: By = "hub",
    report: Annotated[Path | None, typer.Option("--report", help="结果写成 JSON / write the outcome as JSON")] = None,
) -> None:
    """导入目录：先试算，再整份导入，或整份不导入 / import: first a dry run; then whole or not at all.

    Examples:
      huodang catalogue import 目录.xlsx --config hub/hub.yaml

      huodang catalogue import 目录.xlsx --config hub/hub.yaml --by zhang --apply
    """
    from huodang.exchange import Publisher, read_catalogue
    from huodang.exchange.catalogue import ImportRefusedError
    from huodang.store import write_whole
    from huodang.web import HubSettings, assemble

    found = read_catalogue(file.read_bytes(), file.name)
    if not apply:
        with _reading(config) as (catalogue, connection):
            plan = catalogue.plan(connection, found, complete=complete)
    else:
        services = assemble(HubSettings.load(config))
        try:
            with services.database.begin() as connection:
                publisher = Publisher(user_id=by)
                plan = services.catalogue.take(connection, found, complete=complete, by=publisher)
        except ImportRefusedError as refused:
            plan = refused.plan
        finally:
            services.close()
    if report is not None:
        import msgspec

        write_whole(report, msgspec.json.format(msgspec.json.encode(plan_payload(plan, apply=apply)), indent=2))
    tell_plan(plan)
    if plan.refused:
        typer.echo("整份未导入；请按所列位置改正 / nothing was imported; mend what is listed", err=True)
        raise typer.Exit(2)
    done = "已导入 / imported" if apply else "以上为试算；确认后加 --apply / this was a dry run; add --apply to do it"
    typer.echo(done)


@app.command()
def withdraw(
    resource: Resource,
    config: Config,
    *,
    by: By = "hub",
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / don't ask")] = False,
) -> None:
    """撤下一个条目；强制共享的不能撤 / withdraw an entry; a mandatory one can't be.

    Examples:
      huodang catalogue withdraw housing_fund.accounts_match --config hub/hub.yaml --by zhang
    """
    from huodang.exchange import Publisher
    from huodang.web import HubSettings, assemble

    _require(_entries(config), resource)
    if not yes and not typer.confirm(f"撤下 {resource}？/ Withdraw it?"):
        raise typer.Exit(1)
    services = assemble(HubSettings.load(config))
    try:
        with services.database.begin() as connection:
            services.catalogue.withdraw(connection, resource, by=Publisher(user_id=by))
    finally:
        services.close()
    typer.echo(f"已撤下 / withdrawn: {resource}")


@app.command()
def history(resource: Resource, config: OptionalConfig = None, *, as_json: Json = False) -> None:
    """看一个条目的各个版本：谁、何时、改了什么 / every version of an entry: who, when, what changed.

    Examples:
      huodang catalogue history police.household --config hub/hub.yaml
    """
    from huodang.store import shanghai_text, utc_text

    if config is None:
        _require(_entries(None), resource)
        typer.echo("随产品提供，没有历史 / it comes with the product and has no history")
        return
    with _reading(config) as (catalogue, connection):
        versions = catalogue.versions(connection, resource)
    if not versions:
        raise _unknown(resource)
    if as_json:
        _print_json(
            [
                {
                    "version": one.version,
                    "event": one.event.value,
                    "at": utc_text(one.at) if one.at else None,
                    "by": one.by.user_id,
                    "department": one.by.department,
                    "digest": one.digest,
                    "ledger_entry": one.entry_id,
                    "changes": [change_payload(change) for change in one.changes],
                    "entry": one.entry.to_payload(),
                }
                for one in versions
            ]
        )
        return
    events = {"product": "随产品提供 / with the product", "publish": "发布 / published", "withdraw": "撤下 / withdrawn"}
    for one in versions:
        at = shanghai_text(one.at) if one.at else "—"
        typer.echo(f"\n第 {one.version} 版 / version {one.version}  {events[one.event.value]}  {at}  {one.by.user_id}")
        tell_changes(one.changes)
        typer.echo(f"  SM3 {one.digest}" + (f"  账本 / ledger {one.entry_id}" if one.entry_id else ""))


@app.command()
def gaps(
    config: Config,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="不问前置机 / don't ask the gateways")] = False,
    mandatory_list: Annotated[
        Path | None,
        typer.Option(
            "--list", help="本省的强制共享目录 YAML / the province's own mandatory list", exists=True, dir_okay=False
        ),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="有缺口时退出码为 1 / exit with 1 on a gap")] = False,
    as_json: Json = False,
) -> None:
    """强制共享目录里谁没有提供什么 / who leaves which mandatory item unserved.

    Examples:
      huodang catalogue gaps --config hub/hub.yaml

      huodang catalogue gaps --config hub/hub.yaml --list 强制共享目录.yaml --json --exit-code
    """
    from rich.table import Table

    from huodang.exchange import Catalogue
    from huodang.exchange.catalogue import read_mandatory_list
    from huodang.store import shanghai_text
    from huodang.web import HubSettings, assemble

    own = read_mandatory_list(mandatory_list) if mandatory_list else None
    services = assemble(HubSettings.load(config))
    try:
        available = None if offline else services.exchange.availability()
        catalogue = services.catalogue if own is None else Catalogue(services.clock, mandatory=own)
        with services.database.read() as connection:
            standings = catalogue.gaps(connection, available)
    finally:
        services.close()
    if as_json:
        _print_json([standing_payload(one) for one in standings])
    else:
        table = Table("灯", "事项", "部门", "资源", "情况", "数据截至", "依据")
        colours = {"red": "[red]● 红[/red]", "yellow": "[yellow]● 黄[/yellow]", "green": "[green]● 绿[/green]"}
        for one in standings:
            table.add_row(
                colours[one.light],
                one.item.title.chinese,
                one.item.provider,
                one.resource,
                f"{one.label()} / {one.label('en')}",
                shanghai_text(one.as_of) if one.as_of else "—",
                one.item.law + ("" if one.item.status == "source" else "（待核）"),
            )
        _print_table(table)
        count = sum(one.gap for one in standings)
        typer.echo(f"缺口 {count} 项 / {count} gaps")
    if exit_code and any(one.gap for one in standings):
        raise typer.Exit(1)


def _require(entries: dict[str, "CatalogueEntry"], resource: str) -> "CatalogueEntry":
    entry = entries.get(resource)
    if entry is None:
        raise _unknown(resource)
    return entry


def _unknown(resource: str) -> Exception:
    from huodang.cli.rules import CommandError

    return CommandError(f"目录中没有 {resource}", f"the catalogue has no {resource}")
