"""`huodang events`: what has come from the departments, what stands in the way, what was given up."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from huodang.exchange import EventOffice

app = typer.Typer(
    help="部门事件：清单、告警、死信、重放 / the departments' events: list, alarms, dead letters, replay",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 YAML 文件 / the hub's YAML file", exists=True, dir_okay=False)
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="最多多少条 / how many at most")]
HandlerName = Annotated[str, typer.Argument(help="处理程序名称 / the handler's name")]
Number = Annotated[int, typer.Argument(help="事件编号 / the event's number", min=1)]


@contextmanager
def _office(config: Path) -> "Iterator[EventOffice]":
    from huodang.web import HubSettings, assemble

    services = assemble(HubSettings.load(config))
    try:
        yield services.events
    finally:
        services.close()


def _print(rows: Sequence[Any], columns: dict[str, str], *, as_json: bool) -> None:
    from datetime import datetime

    import msgspec
    from rich.console import Console
    from rich.table import Table

    from huodang.store import shanghai_text

    if as_json:
        typer.echo(msgspec.json.encode([asdict(row) for row in rows]).decode())
        return
    table = Table(*columns.values())
    for row in rows:
        values = [getattr(row, name) for name in columns]
        table.add_row(*(shanghai_text(one) if isinstance(one, datetime) else str(one or "") for one in values))
    Console().print(table)


@app.command("list")
def list_(
    config: Config,
    *,
    resource: Annotated[str | None, typer.Option("--resource", help="只看该资源 / of one resource")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """最近收到的事件，不含个人数据 / what came last, without personal data.

    Examples:
      huodang events list --config hub/hub.yaml --resource health.death_registered
    """
    with _office(config) as office:
        rows = office.events(resource=resource, limit=limit)
    columns = {"number": "编号", "received_at": "收到", "resource": "资源", "sequence": "序号", "type": "类型"}
    _print(rows, columns | {"change": "变动", "event_id": "事件标识"}, as_json=as_json)


@app.command()
def streams(config: Config, *, as_json: Json = False) -> None:
    """每个资源收到哪里，有什么障碍 / how far each resource has been taken, and what stands in the way.

    Examples:
      huodang events streams --config hub/hub.yaml
    """
    with _office(config) as office:
        rows = office.streams()
    columns = {"resource": "资源", "cursor": "已收", "latest": "对方最新", "answered_at": "最近答复", "alarm": "障碍"}
    _print(rows, columns, as_json=as_json)


@app.command()
def alarms(config: Config, *, limit: Limit = 50, as_json: Json = False) -> None:
    """告警：伪造、断号、冲突、死信等 / alarms: forgeries, gaps, conflicts, dead letters.

    Examples:
      huodang events alarms --config hub/hub.yaml
    """
    with _office(config) as office:
        rows = office.alarms(limit=limit)
    _print(
        rows, {"number": "编号", "at": "时间", "resource": "资源", "code": "代码", "detail": "详情"}, as_json=as_json
    )


@app.command()
def show(
    number: Number,
    config: Config,
    *,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="把证据写到该文件 / write what proves it here")
    ] = None,
) -> None:
    """看一条事件及其证据，数据仍是密封的 / one event and what proves it; its data stay sealed.

    Examples:
      huodang events show 17 --config hub/hub.yaml --evidence event-17.json
    """
    import msgspec

    from huodang.store import write_whole

    with _office(config) as office:
        event, proof = office.event(number), office.evidence(number)
    if event is None or proof is None:
        typer.echo(f"没有编号为 {number} 的事件 / there is no event {number}", err=True)
        raise typer.Exit(2)
    for name, value in asdict(event).items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"账本 / ledger entry: {proof.entry_id}")
    if evidence is not None:
        write_whole(evidence, msgspec.json.encode(asdict(proof)))
        typer.echo(f"证据 / evidence: {evidence}")


@app.command("dead-letters")
def dead_letters(config: Config, *, limit: Limit = 50, as_json: Json = False) -> None:
    """多次失败而放弃的事件；同一人的后续事件在等它 / what was given up; the same person's later events wait.

    Examples:
      huodang events dead-letters --config hub/hub.yaml
    """
    with _office(config) as office:
        rows = office.dead_letters(limit=limit)
    columns = {"handler": "处理程序", "number": "编号", "resource": "资源", "type": "类型", "attempt": "次数"}
    _print(rows, columns | {"error": "原因"}, as_json=as_json)


@app.command()
def revive(handler: HandlerName, number: Number, config: Config) -> None:
    """排除原因后重新处理一条死信 / try a dead letter again, once its cause is mended.

    Examples:
      huodang events revive supervision 17 --config hub/hub.yaml
    """
    with _office(config) as office:
        done = office.revive(handler, number)
    _tell(done, "已重新排队 / it is tried again")


@app.command()
def dismiss(
    handler: HandlerName,
    number: Number,
    config: Config,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / don't ask")] = False,
) -> None:
    """永久放弃一条死信，放行同一人的后续事件 / give one up for good, and let the person's later events go on.

    Examples:
      huodang events dismiss supervision 17 --config hub/hub.yaml
    """
    if not yes and not typer.confirm("放弃后不再处理这条事件。继续？/ It won't be handled any more. Go on?"):
        raise typer.Exit(1)
    with _office(config) as office:
        done = office.dismiss(handler, number)
    _tell(done, "已放弃 / given up")


@app.command()
def replay(
    handler: HandlerName,
    resource: Annotated[str, typer.Argument(help="资源 / the resource")],
    config: Config,
    *,
    from_sequence: Annotated[int, typer.Option("--from", min=1, help="从该序号起 / from this sequence number on")] = 1,
) -> None:
    """让处理程序重新处理已收到的事件 / have a handler take again what has come.

    Events keep their ids: what a handler isn't to do twice it tells by them.

    Examples:
      huodang events replay supervision health.death_registered --from 100 --config hub/hub.yaml
    """
    with _office(config) as office:
        known = office.handlers()
        if handler not in known:
            names = "、".join(known) or "—"
            typer.echo(f"没有这个处理程序；现有 / there is no such handler; there are: {names}", err=True)
            raise typer.Exit(2)
        number = office.replay(handler, resource, from_sequence)
    typer.echo(f"将重放 {number} 条 / to be taken again: {number}")


@app.command()
def rewind(
    resource: Annotated[str, typer.Argument(help="资源 / the resource")],
    sequence: Annotated[int, typer.Argument(min=0, help="序号 / sequence number")],
    config: Config,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / don't ask")] = False,
) -> None:
    """从该序号之后重新向前置机索取；已有的不重复 / ask the gateway again for what follows this number.

    A number ahead of what was taken skips events that can't be read: those are lost to this hub.

    Examples:
      huodang events rewind health.death_registered 100 --config hub/hub.yaml
    """
    if not yes and not typer.confirm(
        "若序号大于已收序号，其间的事件将被跳过。继续？/ Events in between are skipped. Go on?"
    ):
        raise typer.Exit(1)
    with _office(config) as office:
        done = office.rewind(resource, sequence)
    _tell(done, "已设置 / set")


def _tell(done: bool, sentence: str) -> None:  # noqa: FBT001  (what came of it)
    if not done:
        typer.echo("没有这一条 / there is no such one", err=True)
        raise typer.Exit(2)
    typer.echo(sentence)
