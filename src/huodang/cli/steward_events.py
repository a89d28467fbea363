"""`huodang steward events`: what a department publishes, who has taken it, and which changed rows can't be read."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path, typer.Option("--config", help="前置机的 YAML 文件 / the gateway's YAML file", exists=True, dir_okay=False)
]


def events(
    config: Config,
    *,
    every: Annotated[bool, typer.Option("--all", help="已改正的也列出 / those mended, too")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="最多多少条 / how many at most")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")] = False,
) -> None:
    """本部门发布的事件：谁取到哪里，哪些变动无法读取 / what is published, how far it was taken, what can't be read.

    A changed row that can't be read isn't told to anybody until it is mended in the source; then it becomes an event.

    Examples:
      huodang steward events --config departments/health/gateway.yaml
    """
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from huodang.exchange import EventSteward, read_gateway_file
    from huodang.store import shanghai_text

    steward = EventSteward(read_gateway_file(config))
    try:
        streams, broken = steward.streams(), steward.quarantined(open_only=not every, limit=limit)
    finally:
        steward.close()
    if as_json:
        told = {"streams": [asdict(one) for one in streams], "quarantined": [asdict(one) for one in broken]}
        typer.echo(msgspec.json.encode(told).decode())
        return
    table = Table("资源", "订阅方", "已发布", "已取走", "最近来取")
    for one in streams:
        at = shanghai_text(one.taken_at) if one.taken_at else ""
        table.add_row(one.resource, one.consumer, str(one.last), str(one.taken), at)
    Console().print(table)
    if broken:
        table = Table("编号", "资源", "原因", "数据元", "列", "发现", "改正")
        for change in broken:
            mended = shanghai_text(change.mended_at) if change.mended_at else ""
            noticed = shanghai_text(change.noticed_at)
            table.add_row(
                str(change.number), change.resource, change.reason, change.element, change.column, noticed, mended
            )
        Console().print(table)
