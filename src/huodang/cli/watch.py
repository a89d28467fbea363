"""`huodang watch`: who is paid, what each department's lag costs, what events and registers missed."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.exchange import Actor
    from huodang.standards import Month
    from huodang.supervision.watch import ConfirmedLine, Estimate, LagLine
    from huodang.web.services import Services

app = typer.Typer(help="监测：谁在领取、时滞与漏查 / who is paid, lag, what was missed", no_args_is_help=True)

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
]
By = Annotated[str, typer.Option("--by", help="办理人账号，权限以账号为准 / whose account it is; its role decides")]
Checked = Annotated[
    list[Path], typer.Option(help="核查时的原文件 / files that were checked", exists=True, dir_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]


@contextmanager
def _services(config: Path) -> "Iterator[Services]":
    from huodang.web import HubSettings, assemble

    services = assemble(HubSettings.load(config))
    try:
        yield services
    finally:
        services.close()


def _actor(services: "Services", user_id: str) -> "Actor":
    for user in services.accounts.all_users():
        if user.user_id == user_id:
            return user.actor
    raise typer.BadParameter("没有这个账号 / there is no such account", param_hint="--by")


def _json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


@app.command()
def payee(
    identity: Annotated[
        str, typer.Option("--identity", help="公民身份号码；写 - 则从标准输入读 / number; - reads standard input")
    ],
    purpose: Annotated[str, typer.Option("--purpose", help="用途 / purpose: supervision | audit")],
    by: By,
    config: Config,
    *,
    case: Annotated[str, typer.Option("--case", help="所属疑点或案件 / the clue or case it belongs to")] = "",
    as_json: AsJson = False,
) -> None:
    """此人在哪里领待遇、多少、自何时起；查询留痕 / is this person paid anywhere, how much, since when; recorded.

    退出码 / exit code: 0 在领 / paid; 1 未在领 / not paid; 2 输入有误或不许可 / bad input, not permitted.

    Examples:
      huodang watch payee --identity 130102195001010012 --purpose supervision --by jihe1 --config hub/hub.yaml

      echo 130102195001010012 | huodang watch payee --identity - --purpose audit --by shenji --config hub/hub.yaml
    """
    from rich.console import Console
    from rich.table import Table

    number = sys.stdin.readline().strip() if identity == "-" else identity
    with _services(config) as services:
        answer = services.supervision.payee_desk.find(_actor(services, by), number, purpose, case_id=case)
    if as_json:
        _json(answer)
    elif answer.rows:
        table = Table(
            "险种 scheme", "自 since", "至 last", "月金额 yuan a month", "经办区划 region", title=answer.identity_number
        )
        for row in answer.rows:
            table.add_row(row.scheme, row.since, row.last, row.amount, row.region)
        Console().print(table)
    else:
        typer.echo(f"{answer.identity_number}：辖区内未在领 / not paid in your region")
    if answer.elsewhere and not as_json:
        typer.echo(f"辖区外另有 {answer.elsewhere} 项 / {answer.elsewhere} more outside of your region")
    raise typer.Exit(0 if answer.is_paid else 1)


@app.command()
def load(
    files: Annotated[
        list[Path], typer.Argument(help="发放清单 / the month's list", exists=True, dir_okay=False, metavar="FILE…")
    ],
    config: Config,
    *,
    month: Annotated[
        str, typer.Option("--month", help="清单所属月份，缺省取文件中最新的 / its month; by default the latest in it")
    ] = "",
    payer: Annotated[
        str, typer.Option("--payer", help="清单名称，如县区代码；全省一份时不写 / name of the list, such as a county")
    ] = "",
    mapping: Annotated[
        Path | None, typer.Option("--map", help="列的对应文件 / which column is which", exists=True, dir_okay=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只看懂不懂、多少行 / only look what would be taken")
    ] = False,
    memory: Annotated[str, typer.Option("--memory", help="最多占用内存 / memory to use")] = "1GB",
) -> None:
    """把一个月的发放清单装入在线库；整月一次生效，可中断续装 / take a month's list; it shows whole, and can be resumed.

    Examples:
      huodang watch load 202503.csv --month 2025-03 --config hub/hub.yaml

      huodang watch load 长安区.xlsx --payer 130102 --config hub/hub.yaml --dry-run
    """
    import tempfile

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from huodang.standards import Month
    from huodang.supervision.tables import Kind, PrepareSettings, prepare, understand
    from huodang.supervision.watch import month_list

    chosen = Month.parse(month) if month else None
    with tempfile.TemporaryDirectory(prefix="huodang-watch-") as folder:
        understood = understand({Kind.PAYMENTS: list(files)}, mapping)
        prepared = prepare(understood, Path(folder), PrepareSettings(month=chosen, memory=memory))
        listed = month_list(prepared, chosen)
        left = listed.left_out + sum(prepared.quarantined.get(Kind.PAYMENTS, {}).values())
        typer.echo(
            f"{listed.month.iso}：可装入 {listed.rows:,} 行，另 {left:,} 行号码无效、补发或读不懂\n"
            f"{listed.month.iso}: {listed.rows:,} rows to be taken, {left:,} left aside"
        )
        if dry_run:
            return
        shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with (
            _services(config) as services,
            Progress(*shown, transient=True, console=Console(stderr=True)) as progress,
        ):
            reading = progress.add_task("索引 / indexing", total=listed.rows)
            writing = progress.add_task("写入 / writing", total=None)
            done = services.supervision.payees.load(
                listed.lines(),
                listed.month,
                payer=payer,
                memory=memory,
                indexed=lambda rows: progress.update(reading, completed=rows),
                progress=lambda part, of: progress.update(writing, completed=part, total=of),
            )
    if done.again:
        typer.echo("同一清单此前已装入，没有改动 / this very list was taken before; nothing changed")
        return
    typer.echo(
        f"在领 {done.rows:,}；新增 {done.added:,}，变动 {done.changed:,}，退出 {done.gone:,}\n"
        f"paid {done.rows:,}; added {done.added:,}, changed {done.changed:,}, gone {done.gone:,}"
    )


@app.command()
def lag(
    months: Annotated[
        str,
        typer.Option("--months", help="月份，逗号或 .. 连接 / months: 2025-01 or 2025-01,2025-03 or 2025-01..2025-06"),
    ],
    config: Config,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="另写 .xlsx 或 .html / also write an .xlsx or .html file", dir_okay=False),
    ] = None,
    payday: Annotated[
        int | None, typer.Option("--payday", min=1, max=31, help="每月发放日 / day of the month that pays")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """各部门从死亡到暂停用了多少天、因此多付多少 / what each department's lag took, in days, and cost, in yuan.

    Examples:
      huodang watch lag --months 2025-01..2025-03 --config hub/hub.yaml --out 时滞.xlsx
    """
    from huodang.store import write_whole
    from huodang.supervision.watch import Payday, lag_report_html, lag_workbook
    from huodang.supervision.watch import lag as measure

    if out is not None and out.suffix.lower() not in {".xlsx", ".html"}:
        raise typer.BadParameter("写 .xlsx 或 .html / an .xlsx or .html file", param_hint="--out")
    chosen = _months(months)
    with _services(config) as services:
        lines = measure(services.database, services.supervision.payees, chosen, Payday(payday) if payday else None)
    if out is not None:
        told = f"{chosen[0].iso} – {chosen[-1].iso}"
        page = lag_workbook(lines) if out.suffix.lower() == ".xlsx" else lag_report_html(lines, told).encode()
        write_whole(out, page)
    if as_json:
        _json(
            [
                {
                    "department": one.department,
                    "month": str(one.month),
                    "deaths": one.deaths,
                    "paid": one.paid,
                    "unheld": one.unheld,
                    "days": one.days,
                    "fen": one.fen,
                    "overpaid": one.overpaid,
                }
                for one in lines
            ]
        )
        return
    _show_lag(lines)


def _show_lag(lines: "Sequence[LagLine]") -> None:
    from rich.console import Console
    from rich.table import Table

    from huodang.standards import Money
    from huodang.supervision.watch import SPAN_LABELS, Span, department_label

    table = Table("月份", "部门 department", "死亡", "在领", "未暂停")
    for span in (Span.RECORD, Span.PLATFORM, Span.HOLD):
        table.add_column(f"{SPAN_LABELS[span][0]}\n中位天数", justify="right")
    for span in Span:
        table.add_column(f"{SPAN_LABELS[span][0]}\n多付（元）", justify="right")
    table.add_column("合计（元）", justify="right")
    for line in lines:
        days = [line.days[span] for span in (Span.RECORD, Span.PLATFORM, Span.HOLD)]
        table.add_row(
            line.month.iso,
            department_label(line.department)[0],
            *(f"{one:,}" for one in (line.deaths, line.paid, line.unheld)),
            *(f"{one.median:g}" if one.count else "—" for one in days),
            *(Money(line.fen[span]).text for span in Span),
            Money(line.overpaid).text,
        )
    if lines:
        Console().print(table)
    else:
        typer.echo("这些月份没有死亡事件 / no deaths came in these months")


def _months(text: str) -> "list[Month]":
    from huodang.standards import Month

    months: list[Month] = []
    for part in text.split(","):
        first, dots, last = part.partition("..")
        begin = Month.parse(first.strip())
        end = Month.parse(last.strip()) if dots else begin
        if end < begin or end - begin > 600:
            raise typer.BadParameter("先写较早的月份 / the earlier month first", param_hint="--months")
        months += [begin + ahead for ahead in range((end - begin) + 1)]
    return sorted(set(months))


@app.command()
def missed(
    run: Annotated[
        Path, typer.Argument(help="huodang check 的结果文件夹 / folder of a check", exists=True, file_okay=False)
    ],
    config: Config,
    payments: Checked,
    *,
    enrolments: Checked | None = None,
    population: Checked | None = None,
    certifications: Checked | None = None,
    archives: Checked | None = None,
    balances: Checked | None = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="核查时的列对应文件 / the check's mapping", exists=True, dir_okay=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看有多少发现 / only count the findings")] = False,
    as_json: AsJson = False,
) -> None:
    """月度核对：全量核查发现的，事件此前是否已经发现；漏掉的立为疑点 / what a full check found and no event had told.

    只核对死亡与羁押类规则；核查所用的原文件须一并给出 / deaths and custody only; give the very files that were checked.

    Examples:
      huodang watch missed out/202503 --payments 202503.csv --config hub/hub.yaml
    """
    from huodang.supervision.clues.runs import findings_of_run
    from huodang.supervision.tables import Kind
    from huodang.supervision.watch import WATCHED

    given = {
        Kind.PAYMENTS: payments,
        Kind.ENROLMENTS: enrolments,
        Kind.POPULATION: population,
        Kind.CERTIFICATIONS: certifications,
        Kind.ARCHIVES: archives,
        Kind.BALANCES: balances,
    }
    files = {kind: tuple(paths) for kind, paths in given.items() if paths}
    with _services(config) as services:
        found = findings_of_run(run, files, services.clock.now(), mapping=mapping)
        wanted = [one for one in found.findings if one.rule in WATCHED]
        if dry_run:
            typer.echo(
                f"可核对的发现 {len(wanted):,} 项，没有改动 / {len(wanted):,} findings to compare; nothing changed"
            )
            return
        lines = services.supervision.confirmation.confirm(found.run_id, wanted)
    if as_json:
        _json(lines)
        return
    _show_missed(lines)


def _show_missed(lines: "Sequence[ConfirmedLine]") -> None:
    from rich.console import Console
    from rich.table import Table

    from huodang.standards import Money
    from huodang.supervision.watch import REASONS

    table = Table("规则 rule", "核查发现 found", "事件已发现 told", "漏掉 missed", "漏掉金额（元）", "原因 why")
    for line in lines:
        why = "；".join(f"{REASONS[reason][0]} {number:,}" for reason, number in line.reasons.items())
        figures = (f"{one:,}" for one in (line.found, line.told, line.missed))
        table.add_row(line.rule, *figures, Money(line.missed_fen).text, why or "—")
    if lines:
        Console().print(table)
    else:
        typer.echo("没有可与事件核对的发现 / no finding that an event could have told")


@app.command("missed-estimate")
def missed_estimate(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="huodang check --store 的文件夹 / folders of `huodang check --store`", exists=True, file_okay=False
        ),
    ] = None,
    *,
    payments: Checked | None = None,
    deaths: Checked | None = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="列的对应文件 / which column is which", exists=True, dir_okay=False)
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=100, max=20_000, help="自助抽样次数 / bootstrap draws")] = 1000,
    as_json: AsJson = False,
) -> None:
    """死亡后领取中，各登记部门都没有记录的约有多少（捕获—再捕获）/ how many payments after death no register shows.

    死亡记录须注明来源（卫健、公安、民政）/ each death names its source: health, police, civil affairs.

    Examples:
      huodang watch missed-estimate --payments 202503.csv --deaths 死亡.csv

      huodang watch missed-estimate store/202501 store/202502 store/202503 --json
    """
    import tempfile

    from huodang.supervision.tables import Kind, prepare, understand
    from huodang.supervision.watch import captures_of_runs, estimate

    folders = list(runs or [])
    if not folders and not (payments and deaths):
        raise typer.BadParameter("给出 RUN，或 --payments 与 --deaths / give RUN, or --payments and --deaths")
    with tempfile.TemporaryDirectory(prefix="huodang-watch-") as work:
        if payments and deaths:
            files = {Kind.PAYMENTS: list(payments), Kind.DEATHS: list(deaths)}
            folders.append(prepare(understand(files, mapping), Path(work)).folder)
        found = estimate(captures_of_runs(folders), draws=draws)
    if as_json:
        _json(found)
        return
    _show_estimate(found)


def _show_estimate(found: "Estimate") -> None:
    from rich.console import Console
    from rich.table import Table

    from huodang.supervision.watch import register_label

    names = found.captures.registers
    table = Table(*(f"{register_label(name)[0]} {register_label(name)[1]}" for name in names), "人数 persons")
    for cell, number in sorted(found.captures.counts.items(), reverse=True):
        table.add_row(*("有" if digit == "1" else "—" for digit in cell), f"{number:,}")
    console = Console()
    console.print(table)
    console.print(
        f"已发现 {found.seen:,} 人；估计另有 {found.missed:,.0f} 人各处均无记录"
        f"（95% 区间 {found.low:,.0f}–{found.high:,.0f}）\n"
        f"seen: {found.seen:,}; no register shows another {found.missed:,.0f} (95%: {found.low:,.0f}–{found.high:,.0f})"
    )
    for pair in found.pairs:
        chinese = " + ".join(register_label(name)[0] for name in pair.registers)
        console.print(f"  只按 {chinese}：{pair.missed:,.0f}（{pair.low:,.0f}–{pair.high:,.0f}）")
    for chinese, english in found.remarks:
        console.print(f"· {chinese}\n  {english}", markup=False)
