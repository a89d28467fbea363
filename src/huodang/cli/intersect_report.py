"""What `huodang intersect` shows: progress on the terminal, counts and warnings; no value of either set."""

# ruff: noqa: PLC0415  (rich is imported when a command runs, so that `--help` stays quick)

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from huodang.exchange.matching import HandHost, Served, ValueSet


def watch(host: "HandHost", stopped: threading.Event, running: threading.Thread, progress: "Progress") -> None:
    """Show the work of open matches until stopped."""
    task = progress.add_task("比对 / matching", total=1, visible=False)
    while running.is_alive() and not stopped.wait(0.25):
        shares = host.sessions.shares()
        done, total = sum(one[1] for one in shares), sum(one[2] for one in shares)
        progress.update(task, completed=done, total=max(total, 1), visible=bool(shares))


def stages(progress: "Progress") -> Any:  # noqa: ANN401  (a function as `match` takes it)
    """Make what shows how far a match is."""
    names = {"send": "盲化并发送 / blinding", "answers": "取回并去盲 / unblinding", "tags": "取对方标签 / tags"}
    tasks: dict[str, Any] = {}

    def told(stage: str, done: int, of: int) -> None:
        if stage not in tasks:
            tasks[stage] = progress.add_task(names[stage], total=of)
        progress.update(tasks[stage], completed=done, total=of)

    return told


def tell_set(values: "ValueSet", *, quiet: bool) -> dict[str, Any]:
    """Tell of a set: how many values, how many rows left out; give the counts."""
    for one in values.quarantine:
        typer.echo(f"隔离 / quarantined: 第 {one.row} 行 / row {one.row}: {one.fault}", err=True)
    if values.quarantined > len(values.quarantine):
        typer.echo(f"……共 {values.quarantined:,} 行 / {values.quarantined:,} rows in all", err=True)
    facts = {
        "values": values.size,
        "compared_as": values.normalisation.value,
        "duplicates": values.duplicates,
        "empty": values.empty,
        "quarantined": values.quarantined,
    }
    sentence = (
        f"{values.size:,} 个不同的值 / distinct values（{values.normalisation.value}）；重复 / duplicates "
        f"{values.duplicates:,}，空 / empty {values.empty:,}，隔离 / quarantined {values.quarantined:,}"
    )
    if not quiet:
        tell(facts, sentence, as_json=False)
    return facts


def tell_served(one: "Served", *, as_json: bool) -> None:
    """Tell of a match that ended."""
    facts = {"queried": one.queried, "size_only": one.size_only, "completed": one.completed}
    kind = "只求人数 / size only" if one.size_only else "求交集 / members"
    end = "完成 / completed" if one.completed else "中断 / broken off"
    tell(facts, f"比对 / match: 对方 {one.queried:,} 个值 / values，{kind}，{end}", as_json=as_json)


def tell(facts: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print a sentence, or its facts as JSON."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else sentence)
    sys.stdout.flush()


def warn(*, loopback: bool, encrypted: bool) -> None:
    """Warn of a line in the clear that leaves this machine."""
    if not loopback and not encrypted:
        typer.echo(
            "警告：没有使用 TLS，线路上的人可以冒充对方、看到双方集合的大小。请用 --tls-folder。\n"
            "Warning: without TLS anyone on the line may pose as the other side and sees the sizes of both sets. "
            "Use --tls-folder.",
            err=True,
        )


def columns() -> tuple[Any, ...]:
    """Give the parts of a progress bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    return TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()


def console() -> Any:  # noqa: ANN401  (rich is imported only when a command runs)
    """Give the console of progress: standard error."""
    from rich.console import Console

    return Console(stderr=True)
