"""`huodang recovery`: debts, notices, signed recomputations, files to banks and back, and the check of one offline."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huodang.cli.supervising import AsJson, Config, Note, User, agency, print_json

if TYPE_CHECKING:
    from huodang.exchange import Actor
    from huodang.supervision.recovery import ClawBackFile, ClawBacks, Recoveries
    from huodang.supervision.timeline import Timeline

app = typer.Typer(
    help="追回多发的待遇：列表、通知、重算书、银行扣回、离线核验 / recovery of what was overpaid",
    no_args_is_help=True,
)

RecoveryId = Annotated[str, typer.Argument(metavar="RECOVERY", help="追回编号 / the recovery's id")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只说会怎样，不写入 / tell what would happen, change nothing")]


@dataclass(frozen=True)
class _Desk:
    actor: "Actor"
    recoveries: "Recoveries"
    claw_backs: "ClawBacks"
    timeline: "Timeline"


@contextmanager
def _desk(config: Path, user: str) -> Iterator[_Desk]:
    from huodang.supervision.recovery import ClawBacks, Recoveries
    from huodang.supervision.timeline import Timeline

    with agency(config) as here:
        all_ = here.services
        recoveries = Recoveries(all_.database, all_.ledger, all_.sealer, all_.looks, all_.clock)
        claw_backs = ClawBacks(all_.database, recoveries, all_.ledger, all_.sealer, all_.looks, all_.clock)
        timeline = Timeline(all_.database, all_.sealer, all_.ledger, all_.clock, all_.signer)
        yield _Desk(here.signed_in(user), recoveries, claw_backs, timeline)


@app.command("list")
def list_recoveries(
    config: Config,
    user: User,
    state: Annotated[str | None, typer.Option(help="环节，如 noticed / state, such as noticed")] = None,
    limit: Annotated[int, typer.Option(min=1, help="至多多少笔 / at most so many")] = 50,
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="只看超期的 / overdue only")] = False,
    as_json: AsJson = False,
) -> None:
    """列出追回：先到期的在前，不含个人信息 / list recoveries, what is due first comes first; nobody is named.

    Examples:
    \b
      huodang recovery list --config hub/hub.yaml --user li
      huodang recovery list --config hub/hub.yaml --user li --overdue --json
    """
    from rich.console import Console
    from rich.table import Table

    with _desk(config, user) as desk:
        if overdue:
            rows = [one for one in desk.recoveries.overdue(desk.actor, limit) if state in {None, one.state}]
        else:
            rows = desk.recoveries.recoveries(desk.actor, state=state, limit=limit)
    if as_json:
        print_json(rows)
        return
    table = Table("编号 / id", "原因", "环节 / state", "应退", "已退", "已核销", "未退(元)", "时限 / due")
    for column in (table.columns[0], table.columns[7]):
        column.overflow = "fold"  # an id that is cut can't be copied
    for one in rows:
        table.add_row(
            one.recovery_id,
            one.cause,
            one.state_label[0],
            one.debt.text,
            one.recovered.text,
            one.written_off.text,
            one.outstanding.text,
            f"{one.due_on}{' 超期' if one.overdue else ''}" if one.due_on else "",
        )
    Console().print(table)
    typer.echo(f"{len(rows)} 笔 / recoveries")


@app.command()
def show(
    recovery: RecoveryId,
    config: Config,
    user: User,
    notice: Annotated[
        Path | None, typer.Option("--notice", help="退回通知写到该 HTML / write the notice here", dir_okay=False)
    ] = None,
) -> None:
    """一笔追回的全部，个人信息按权限遮盖，查看留痕 / all of a recovery, masked; the look is recorded.

    Examples:
    \b
      huodang recovery show 3f2a… --config hub/hub.yaml --user li
      huodang recovery show 3f2a… --config hub/hub.yaml --user li --notice 通知.html
    """
    from huodang.store import write_whole

    with _desk(config, user) as desk:
        view = desk.recoveries.view(desk.actor, recovery)
        if notice is not None:
            write_whole(notice, desk.recoveries.notice(desk.actor, recovery).encode())
    print_json(view)


@app.command()
def act(  # noqa: PLR0917  (the options are named on the command line)
    recovery: RecoveryId,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="办理事项，见 show 的 may / see `may` in show")],
    config: Config,
    user: User,
    note: Note = "",
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="名=值，可多次；金额写元，月份写 2025-03 / NAME=VALUE; amounts in yuan"),
    ] = None,
) -> None:
    """办理一步：送达、分期、抵扣、入账、核销 / one step: notice, instalments, offset, money, write-off.

    Examples:
    \b
      huodang recovery act 3f2a… serve_notice --note 邮寄 --data served_on=2025-03-03 --config hub/hub.yaml --user li
      huodang recovery act 3f2a… agree_instalments --data instalments=6 --config hub/hub.yaml --user li
      huodang recovery act 3f2a… receive --data means=repayment --data amount=500.00 --data moved_on=2025-03-03 \
--data reference=P123 --config hub/hub.yaml --user li
    """
    given = dict(_pair(one) for one in data or [])
    with _desk(config, user) as desk:
        view = desk.recoveries.act(desk.actor, recovery, event, note=note, data=given)
    row = view.row
    typer.echo(
        f"{row.state_label[0]} / {row.state_label[1]}；应退 {row.debt.text} = 已退 {row.recovered.text} + "
        f"核销 {row.written_off.text} + 未退 {row.outstanding.text}"
    )


@app.command()
def statement(
    recovery: RecoveryId,
    config: Config,
    user: User,
    out: Annotated[
        Path, typer.Option("--out", help="重算书写到该 JSON / write the recomputation here", dir_okay=False)
    ],
) -> None:
    """取出签名的逐月重算书，可离线核验 / fetch the signed month-by-month recomputation.

    Examples:
    \b
      huodang recovery statement 3f2a… --config hub/hub.yaml --user li --out 重算书.json
    """
    from huodang.store import write_whole

    with _desk(config, user) as desk:
        view = desk.recoveries.view(desk.actor, recovery)
        if not view.statement:
            typer.echo("这笔追回没有重算书 / no recomputation stands behind this recovery", err=True)
            raise typer.Exit(2)
        write_whole(out, desk.timeline.statement(view.statement).to_json().encode())
    typer.echo(f"重算书 / the recomputation: {out}")


@app.command()
def clawback(
    config: Config,
    user: User,
    out: Annotated[Path, typer.Option("--out", help="扣回文件 .csv 或 .xlsx / the file for the bank", dir_okay=False)],
    bank: Annotated[str, typer.Option("--bank", help="银行 / the bank")] = "",
    batch: Annotated[str, typer.Option("--batch", help="再写一份该批次的文件 / write this batch's file again")] = "",
    *,
    dry_run: DryRun = False,
) -> None:
    """发银行扣回文件：已通知、没有其他安排、有该行账号的 / ask a bank to take money back.

    Examples:
    \b
      huodang recovery clawback --bank 建设银行 --out 扣回.xlsx --config hub/hub.yaml --user li --dry-run
      huodang recovery clawback --bank 建设银行 --out 扣回.xlsx --config hub/hub.yaml --user li
      huodang recovery clawback --batch 9c1e… --out 扣回.csv --config hub/hub.yaml --user li
    """
    if bool(bank) is bool(batch):
        raise typer.BadParameter("写明 --bank 或 --batch 其中一个 / give either --bank or --batch")
    with _desk(config, user) as desk:
        done: ClawBackFile
        if batch:
            done = desk.claw_backs.write_again(desk.actor, batch, out)
        else:
            done = desk.claw_backs.issue(desk.actor, bank, out, dry_run=dry_run)
    if dry_run:
        typer.echo(f"试运行，未发 / dry run, nothing asked: {done.lines} 笔 / lines, {done.amount.text} 元 / yuan")
        return
    typer.echo(f"批次 / batch {done.batch_id}: {done.lines} 笔 / lines, {done.amount.text} 元 / yuan → {out}")


@app.command("import-responses")
def import_responses(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="批次号 / the batch")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="银行回盘 / the bank's answer", exists=True, dir_okay=False)
    ],
    config: Config,
    user: User,
    *,
    dry_run: DryRun = False,
) -> None:
    """收银行回盘：整批入账，或整批不收并指出行列 / take a bank's answer: whole, or refused whole naming the row.

    Examples:
    \b
      huodang recovery import-responses 9c1e… 回盘.xlsx --config hub/hub.yaml --user li --dry-run
    """
    with _desk(config, user) as desk:
        done = desk.claw_backs.take_answer(desk.actor, batch, file, dry_run=dry_run)
    if done.again:
        typer.echo("这份回盘先前已入账，本次没有变化 / this answer was booked before; nothing changed")
        return
    what = "试运行，未入账 / dry run" if dry_run else "已入账 / booked"
    typer.echo(f"{what}: {done.booked.text} 元 / yuan；未扣足 / short: {done.short} 笔 / lines")
    if done.excess:
        typer.echo(f"银行多扣，须退回原账户 / taken beyond the debt, to be returned: {done.excess.text} 元 / yuan")


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="重算书 / the recomputation", exists=True, dir_okay=False)
    ],
    trust: Annotated[
        Path, typer.Option("--trust", help="受信任公钥 trust.json / trusted keys", exists=True, dir_okay=False)
    ],
    identity_number: Annotated[
        str, typer.Option("--identity-number", help="核对是否确为该人 / whether it is about this person")
    ] = "",
    holder: Annotated[str, typer.Option(help="签署方 / who must have signed")] = "hub",
    *,
    as_json: AsJson = False,
) -> None:
    """离线核验重算书：签名、逐月按事实重新计算 / check a recomputation offline, recomputed from its own facts.

    退出码：0 有效，1 无效，2 输入有误。Exit code: 0 valid, 1 not valid, 2 bad input.

    Examples:
    \b
      huodang recovery verify 重算书.json --trust trust.json
      huodang recovery verify 重算书.json --trust trust.json --identity-number 130102…
    """
    from rich.console import Console
    from rich.table import Table

    from huodang.standards import IdentityNumber
    from huodang.supervision.timeline import verify_statement
    from huodang.trust import TrustedKeys

    identity = IdentityNumber.parse(identity_number) if identity_number else None
    report = verify_statement(file.read_bytes(), TrustedKeys.load(trust), holder=holder, identity=identity)
    if as_json:
        print_json({"valid": report.valid, "report": report})
    else:
        for check in report.checks:
            typer.echo(f"{'✓' if check.passed else '✗'} {check.chinese} / {check.english}")
        table = Table("月份", "实发", "发放日已知应发", "现在应发", "差额(元)", "原因")
        for line in report.lines:
            table.add_row(
                line.month.iso,
                line.paid.text,
                line.due_then.text,
                line.due_now.text,
                line.difference.text,
                ", ".join(line.reasons),
            )
        if report.totals is not None:
            Console().print(table)
            typer.echo(
                f"多发 / overpaid {report.totals.overpaid.text}（其中发放日已知 / known on payday "
                f"{report.totals.known_then.text}）；应补 / owed {report.totals.owed.text}"
            )
        typer.echo("重算书有效 / the recomputation is valid" if report.valid else "重算书无效 / it is NOT valid")
    if not report.valid:
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, object]:
    from huodang.standards import Money, Month

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter("写成 名=值 / write NAME=VALUE", param_hint="--data")
    if name in {"amount", "account_offset", "monthly_benefit_offset"}:
        return name, Money.yuan(value)
    if name == "first_month":
        return name, Month.parse(value)
    if name == "instalments":
        if not value.isdigit():
            raise typer.BadParameter("期数须是整数 / a whole number", param_hint="--data")
        return name, int(value)
    return name, value
