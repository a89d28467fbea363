"""`huodang match`: match two departments' sets through a hub that holds neither; budgets; what was matched."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.exchange.matching import BetweenQuestion, Matches, MatchOutcome

app = typer.Typer(
    help="可用不可见：两个部门之间比对、预算、记录 / match two departments' sets, budgets, what was matched",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]


@contextmanager
def _matches(config: Path) -> "Iterator[Matches]":
    from huodang.web import HubSettings, assemble

    services = assemble(HubSettings.load(config))
    try:
        yield services.matches
    finally:
        services.close()


@app.command()
def between(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="一方的资源 / one side's resource")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="另一方的资源 / the other side's")],
    config: Config,
    *,
    purpose: Annotated[str, typer.Option("--purpose", help="用途，双方协议都须列明 / both agreements name it")],
    by: Annotated[str, typer.Option("--by", help="谁发起，记入查阅记录 / who asks: kept in the looks")] = "system",
    case: Annotated[str, typer.Option("--case", help="事由编号 / the matter's id")] = "",
    size_only: Annotated[bool, typer.Option("--size-only", help="只求人数 / learn only how many")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="交集的证件号码写入此 CSV，仅本人可读 / who is in both, as CSV")
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", help="中断的比对，不另计次 / an interrupted match, uncounted")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只看协议、策略和预算，不比对 / look at agreements and budgets only")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """两个部门的集合互相比对，枢纽不持有任何一方 / match two departments' sets; the hub holds neither.

    退出码 / exit code: 0 完成 / done, 2 输入有误、不许可、被拒或连不上 / bad input, refused, or not reached.

    \b
    例 / examples:
      huodang match between police.deaths_match housing_fund.accounts_match --purpose supervision --size-only \
        --config hub/hub.yaml
      huodang match between police.deaths_match housing_fund.accounts_match --purpose supervision --case JC-2025-3 \
        --out 重合.csv --config hub/hub.yaml
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from huodang.exchange import Actor
    from huodang.exchange.matching import BetweenQuestion, check_out, write_persons

    if out is None and not size_only and not dry_run:
        raise typer.BadParameter("缺少 --out（或加 --size-only）/ --out is missing (or add --size-only)")
    if out is not None and size_only:
        raise typer.BadParameter(
            "只求人数时没有名单可写 / with --size-only there is nobody to write", param_hint="--out"
        )
    if out is not None:
        check_out(out)
    with _matches(config) as matches:
        actor = Actor(by, by, "system", matches.consumer)
        question = BetweenQuestion(first, second, purpose, actor, case, size_only)
        if dry_run:
            _foresee(matches, question, as_json=as_json)
            return
        shown = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*shown, transient=True, console=Console(stderr=True)) as progress:
            progress.add_task("双方盲化、比对 / blinding and comparing", total=None)
            outcome = matches.match_between(question, match_id=resume)
        if out is not None:
            write_persons(outcome.members or (), out)
    _tell(question, outcome, out, as_json=as_json)


@app.command()
def offers(config: Config, *, as_json: AsJson = False) -> None:
    """各部门提供哪些集合、今天的次数用了多少 / what may be matched, and what is used of today's budgets.

    Examples:
      huodang match offers --config hub/hub.yaml
    """
    import msgspec
    from rich.console import Console
    from rich.table import Table

    with _matches(config) as matches:
        found = matches.offers()
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("资源", "可用", "得知", "最小集合", "今日已用", "可与之比对")
    for column in table.columns:
        column.overflow = "fold"  # a name that is cut can't be copied
    for one in found:
        used = [f"{one.used_today.get(name, 0)}/{one.probes_per_day} {name}" for name in one.agreements]
        table.add_row(
            one.resource,
            "是 / yes" if one.ready else "否 / no",
            "人数 / size" if one.size_only else "交集 / members",
            f"{one.minimum_set:,}",
            "\n".join(used) or "—",
            "\n".join(one.between) or "—",
        )
    Console().print(table)


@app.command("list")
def list_(
    config: Config, *, limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20, as_json: AsJson = False
) -> None:
    """列出比对：谁、为何、人数，不含任何人 / list matches: who, what for, sizes; names nobody.

    Examples:
      huodang match list --config hub/hub.yaml
    """
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from huodang.store import shanghai_text

    with _matches(config) as matches:
        rows = matches.latest(limit=limit)
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    table = Table("比对", "资源", "用途", "谁", "状态", "一方", "另一方", "交集", "开始")
    for column in table.columns:
        column.overflow = "fold"
    for one in rows:
        sizes = (f"{one.queried:,}", *("—" if size is None else f"{size:,}" for size in (one.held, one.overlap)))
        resource = f"{one.resource}\n× {one.other}" if one.other else one.resource
        state = f"{one.state} {one.code}".strip()
        table.add_row(one.match_id, resource, one.purpose, one.user_id, state, *sizes, shanghai_text(one.asked_at))
    Console().print(table)


def _foresee(matches: "Matches", question: "BetweenQuestion", *, as_json: bool) -> None:
    import msgspec

    reveals = matches.foresee(question)
    wanted = {question.first, question.second}
    found = [one for one in matches.offers() if one.resource in wanted]
    if as_json:
        typer.echo(msgspec.json.encode({"reveals": reveals, "offers": found}).decode())
        return
    typer.echo("协议和策略都允许 / agreements and policies permit it")
    typer.echo(f"名单由其给出 / named by: {reveals}" if reveals else "只求人数 / size only")
    for one in found:
        willing = question.second if one.resource == question.first else question.first
        budget = "、".join(f"{name} {used}/{one.probes_per_day}" for name, used in one.used_today.items()) or "—"
        agrees = "是 / yes" if willing in one.between else "否 / no"
        typer.echo(f"{one.resource}: 今日已用 / used today {budget}；愿与对方比对 / lets itself be matched: {agrees}")
    for name in sorted(wanted - {one.resource for one in found}):
        typer.echo(f"{name}: 前置机连不上，或不提供 / its gateway isn't reached, or doesn't offer it")


def _tell(question: "BetweenQuestion", outcome: "MatchOutcome", out: Path | None, *, as_json: bool) -> None:
    import msgspec

    facts = {
        "match_id": outcome.match_id,
        "overlap": outcome.overlap,
        question.first: outcome.queried,
        question.second: outcome.held,
        "entry_id": outcome.entry_id,
    }
    if as_json:
        typer.echo(msgspec.json.encode(facts).decode())
        return
    typer.echo(f"比对 / match {outcome.match_id}：交集 / in both {outcome.overlap:,}")
    typer.echo(f"{question.first}: {outcome.queried:,}\n{question.second}: {outcome.held:,}")
    typer.echo(f"账本 / ledger: {outcome.entry_id}" + (f"\n名单 / written: {out}" if out is not None else ""))
