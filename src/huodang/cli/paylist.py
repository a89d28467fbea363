"""`huodang paylist`: the gate of the monthly list: check, judge what stands against it, release."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huodang.cli.supervising import AsJson, Config, Note, User, agency, print_json

if TYPE_CHECKING:
    from huodang.supervision.control.paylist_values import Paylist

app = typer.Typer(
    help="发放清单的关口：检查、判断、放行 / the gate of the monthly list: check, judge, release", no_args_is_help=True
)

ListId = Annotated[str, typer.Argument(metavar="LIST", help="清单编号 / the list's id")]


@app.command()
def check(  # noqa: PLR0917  (the options are named on the command line)
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="当月清单 / the monthly list", exists=True, dir_okay=False)
    ],
    month: Annotated[str, typer.Option("--month", help="发放月份，如 2025-04 / the month paid")],
    config: Config,
    user: User,
    out: Annotated[Path, typer.Option("--out", help="结果目录 / where the results go", file_okay=False)],
    scheme: Annotated[
        str, typer.Option("--scheme", help="清单没有险种列时的险种代码 / for a list without schemes")
    ] = "",
    memory: Annotated[str, typer.Option("--memory", help="内存上限 / memory limit")] = "4GB",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只比对，平台不留记录 / compare only, keep nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """对照暂停、终止和拟认定检查清单，精确到分 / compare a list with holds, stops and proposals, to the fen.

    Writes clean.csv (what is paid, as the file has it), withheld.csv (each with clue and reason, naming nobody) and
    totals.json. A list with one row that can't be read is refused whole. Who checks can't release.

    Examples:
    \b
      huodang paylist check list.csv --month 2025-04 --config hub/hub.yaml --user li --out out/
      huodang paylist check list.xlsx --month 202504 --scheme 170 --config hub/hub.yaml --user li --out out/ --dry-run
    """
    from rich.progress import Progress, TaskID

    from huodang.standards import Month

    paid = Month.parse(month)
    with agency(config) as here:
        actor = here.signed_in(user)
        with Progress(transient=True) as bar:
            tasks: dict[str, TaskID] = {}

            def told(step: str, done: int, total: int | None) -> None:
                if step not in tasks:
                    tasks[step] = bar.add_task(step, total=total)
                bar.update(tasks[step], completed=done, total=total)

            found = here.paylists.check(
                actor, file, paid, out, scheme=scheme, dry_run=dry_run, memory=memory, told=told
            )
    print_json(found) if as_json else _tell(found)


@app.command()
def release(
    list_id: ListId,
    config: Config,
    user: User,
    out: Annotated[
        Path, typer.Option("--out", help="检查时的结果目录 / the check's folder", exists=True, file_okay=False)
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看能不能放行 / only say what waits")] = False,
) -> None:
    """放行一份清单，整份放行或不放行，须由另一人办理 / release a list, whole, by another person.

    Examples:
    \b
      huodang paylist release p1234 --config hub/hub.yaml --user wang --out out/
    """
    with agency(config) as here:
        actor = here.signed_in(user)
        found = here.paylists.show(actor, list_id) if dry_run else here.paylists.release(actor, list_id, out)
    _tell(found)
    if dry_run and found.unjudged:
        raise typer.Exit(2)


@app.command()
def judge(
    clue: Annotated[str, typer.Argument(metavar="CLUE", help="疑点编号 / the clue's id")],
    config: Config,
    user: User,
    note: Note,
    *,
    uphold: Annotated[
        bool, typer.Option("--uphold/--let-go", help="维持，或解除并补发 / uphold, or let go and pay back")
    ],
) -> None:
    """判断平台作出的暂停或终止 / judge what the platform held or stopped.

    Examples:
    \b
      huodang paylist judge c1234 --uphold --note 死亡记录已与医院核对 --config hub/hub.yaml --user li
      huodang paylist judge c1234 --let-go --note 本人来电 --config hub/hub.yaml --user li
    """
    with agency(config) as here:
        actor = here.signed_in(user)
        schemes = (here.control.uphold if uphold else here.control.let_go)(actor, clue, note)
    told = "已维持 / upheld" if uphold else "已解除并补发 / let go and paid back"
    typer.echo(f"{clue}  {told}：{'、'.join(schemes)}")


@app.command()
def resume(
    clue: Annotated[str, typer.Argument(metavar="CLUE", help="疑点编号 / the clue's id")],
    month: Annotated[str, typer.Option("--month", help="从哪个月起续发 / paid again from this month")],
    config: Config,
    user: User,
    note: Note,
) -> None:
    """终止的原因消失(如刑满)，从某月起续发 / the reason of a stop is over: pay again from a month on.

    Examples:
    \b
      huodang paylist resume c1234 --month 2025-06 --note 刑满释放 --config hub/hub.yaml --user wang
    """
    from huodang.standards import Month

    start = Month.parse(month)
    with agency(config) as here:
        schemes = here.control.resume(here.signed_in(user), clue, start, note)
    typer.echo(f"{clue}  自 {start.iso} 起续发 / resumed：{'、'.join(schemes)}")


@app.command("list")
def list_lists(config: Config, user: User, *, as_json: AsJson = False) -> None:
    """列出检查过的清单 / list the lists.

    Examples:
    \b
      huodang paylist list --config hub/hub.yaml --user li
    """
    with agency(config) as here:
        found = here.paylists.lists(here.signed_in(user))
    if as_json:
        print_json(found)
        return
    for one in found:
        typer.echo(f"{one.list_id}  {one.month.iso}  {one.state}  {one.totals.rows} 行  待判断 {len(one.unjudged)}")
    if not found:
        typer.echo("没有清单 / no lists")


@app.command()
def show(list_id: ListId, config: Config, user: User, *, as_json: AsJson = False) -> None:
    """一份清单的合计和待判断的疑点 / a list's totals, and the clues that wait.

    Examples:
    \b
      huodang paylist show p1234 --config hub/hub.yaml --user li
    """
    with agency(config) as here:
        found = here.paylists.show(here.signed_in(user), list_id)
    print_json(found) if as_json else _tell(found)


def _tell(found: "Paylist") -> None:
    from rich.console import Console
    from rich.table import Table

    from huodang.standards import Money

    totals = found.totals
    state = {"checked": "已检查 / checked", "released": "已放行 / released"}[found.state]
    table = Table("", "行 / rows", "金额(元) / yuan", title=f"{found.list_id}  {found.month.iso}  {state}")
    for label, rows, fen in (
        ("清单 / list", totals.rows, totals.fen),
        ("发放 / paid", totals.clean_rows, totals.clean_fen),
        ("暂停 / held", totals.held_rows, totals.held_fen),
        ("终止 / stopped", totals.stopped_rows, totals.stopped_fen),
    ):
        table.add_row(label, f"{rows:,}", Money(fen).text)
    Console().print(table)
    if totals.not_compared:
        typer.echo(f"{totals.not_compared} 行号码无法比对，照常发放 / rows that can't be compared are paid")
    if found.unjudged:
        typer.echo(f"待人判断 / waiting for a person: {'、'.join(found.unjudged)}")
