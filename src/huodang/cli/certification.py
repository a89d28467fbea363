"""`huodang certification`: who is enrolled, proved by data or by hand, due, visited; the day's walk of the ladder."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huodang.cli.supervising import Agency, AsJson, Config, User, agency, print_json

if TYPE_CHECKING:
    from rich.progress import Progress

    from huodang.supervision.certification import Certifications

app = typer.Typer(
    help="领取资格认证：纳入、按数据认证、到期名单、上门 / certification: enrol, prove by data, who is due, visits",
    no_args_is_help=True,
)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="公民身份号码 / the identity number")]
File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只读只数，不写入 / read and count, change nothing")]
Quarantine = Annotated[
    Path | None,
    typer.Option("--quarantine", help="读不懂的行及原因写到该 CSV / rows set aside go here", dir_okay=False),
]


@contextmanager
def _desk(config: Path) -> "Iterator[tuple[Agency, Certifications]]":
    with agency(config) as here:
        yield here, here.services.supervision.certifications


@app.command()
def enrol(file: File, config: Config, quarantine: Quarantine = None, *, dry_run: DryRun = False) -> None:
    """纳入领取待遇的人：证件号码、行政区划，可有最近资格认证日期 / enrol who is paid.

    Examples:
    \b
      huodang certification enrol 发放名单.csv --config hub/hub.yaml --dry-run
      huodang certification enrol 发放名单.xlsx --config hub/hub.yaml --quarantine 退回.csv
    """
    from huodang.supervision.certification import BadLine, QuarantineFile, read_payees

    bad: list[BadLine] = []
    with _desk(config) as (here, certifications):
        payees = read_payees(file, here.services.clock.today(), bad)
        with _bar() as bar:
            shown = bar.track(payees, description="人 / persons")
            number = sum(1 for _ in shown) if dry_run else certifications.enrol(shown)
    QuarantineFile(quarantine, file.name, 0).add(bad)
    if dry_run:
        typer.echo(f"试运行 / dry run: 可纳入 / good {number:,}，读不懂 / set aside {len(bad):,}")
        return
    typer.echo(f"新纳入 / enrolled {number:,}，读不懂 / set aside {len(bad):,}")


@app.command("import")
def import_file(
    file: File,
    config: Config,
    means: Annotated[str, typer.Option("--means", help="方式，如 medical_visit / means, such as medical_visit")],
    source: Annotated[str, typer.Option("--source", help="来源，缺省为文件名 / where it came from")] = "",
    quarantine: Quarantine = None,
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """批量按数据认证：就医、住院、接种……；同一文件只收一次，中断后再执行即接着收 / prove by a file of data.

    Examples:
    \b
      huodang certification import 门诊.csv --means medical_visit --config hub/hub.yaml --dry-run
      huodang certification import 门诊.csv --means medical_visit --config hub/hub.yaml --quarantine 退回.csv
    """
    from huodang.supervision.certification import ImportRequest, ProofImports

    with _desk(config) as (here, certifications), _bar() as bar:
        task = bar.add_task("行 / rows", total=None)
        imports = ProofImports(here.services.database, certifications, here.services.clock)
        taken = imports.take(
            ImportRequest(file, means, source, quarantine, dry_run),
            progress=lambda rows: bar.update(task, completed=rows),
        )
    if as_json:
        print_json(taken)
    elif taken.again:
        typer.echo("这个文件先前已收，本次没有变化 / this file was taken before; nothing changed")
    elif dry_run:
        typer.echo(f"试运行 / dry run: 读不懂 / set aside {taken.quarantined:,}")
    else:
        typer.echo(
            f"认可 / counted {taken.counted:,}，待佐证 / waiting {taken.waiting:,}，太久 / stale {taken.stale:,}，"
            f"与死亡矛盾 / contradicted {taken.contradicted:,}，不在名单 / strangers {taken.stranger:,}，"
            f"重复 / repeated {taken.repeated:,}，读不懂 / set aside {taken.quarantined:,}"
        )


@app.command()
def prove(
    number: Number,
    config: Config,
    user: User,
    means: Annotated[str, typer.Option("--means", help="方式，如 visit、window / means, such as visit")],
    on: Annotated[str, typer.Option("--on", help="哪一天，如 2025-03-03；缺省今天 / which day")] = "",
) -> None:
    """认证一个人：窗口、上门 / certify one person: at the window, at a visit.

    Examples:
    \b
      huodang certification prove 130102… --means visit --on 2025-03-03 --config hub/hub.yaml --user li
    """
    from datetime import date

    from huodang.standards import IdentityNumber
    from huodang.supervision.certification import Proof

    with _desk(config) as (here, certifications):
        actor = here.signed_in(user)
        try:
            day = date.fromisoformat(on) if on else here.services.clock.today()
        except ValueError:
            raise typer.BadParameter("写成 2025-03-03 / write 2025-03-03", param_hint="--on") from None
        identity = IdentityNumber.parse(number)
        with here.services.database.begin() as connection:
            taken = certifications.prove(connection, Proof(identity, day, means, f"by.{actor.role}"), actor)
        view = certifications.of_person(actor, identity)
    if taken.repeated:
        typer.echo("这一天已用这种方式认证过 / certified by this means on this day before")
    typer.echo(f"{view.words[0]}\n{view.words[1]}")


@app.command("not-found")
def not_found(
    number: Number,
    config: Config,
    user: User,
    note: Annotated[str, typer.Option("--note", help="上门见到的情况 / what the visitor found")],
) -> None:
    """上门未能确认：转稽核调查，养老金照常发放 / a visit could not confirm: investigated, and paid on.

    Examples:
    \b
      huodang certification not-found 130102… --note 家中无人 --config hub/hub.yaml --user li
    """
    from huodang.standards import IdentityNumber

    with _desk(config) as (here, certifications):
        actor = here.signed_in(user)
        with here.services.database.begin() as connection:
            certifications.not_found(connection, actor, IdentityNumber.parse(number), note)
    typer.echo("已转稽核调查，养老金照常发放 / handed to investigators; the pension goes on")


@app.command()
def due(
    config: Config,
    user: User,
    on: Annotated[str, typer.Option("--on", help="到哪一天，缺省今天 / by which day; today by default")] = "",
    state: Annotated[str | None, typer.Option(help="环节，如 visiting / state, such as visiting")] = None,
    limit: Annotated[int, typer.Option(min=1, help="至多多少人 / at most so many")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """谁该认证了，号码按权限遮盖，查看留痕 / who is due; numbers masked, each look recorded.

    Examples:
    \b
      huodang certification due --config hub/hub.yaml --user li
      huodang certification due --state visiting --config hub/hub.yaml --user li --json
    """
    from datetime import date

    from rich.console import Console
    from rich.table import Table

    with _desk(config) as (here, certifications):
        actor = here.signed_in(user)
        try:
            day = date.fromisoformat(on) if on else here.services.clock.today()
        except ValueError:
            raise typer.BadParameter("写成 2025-03-03 / write 2025-03-03", param_hint="--on") from None
        rows, counts = certifications.due(actor, day, state=state, limit=limit), certifications.counts()
    if as_json:
        print_json({"rows": rows, "counts": counts})
        return
    table = Table("号码 / number", "地区", "环节 / state", "到期 / due", "上次 / last", "提醒")
    for one in rows:
        table.add_row(
            one.identity_number,
            one.region,
            one.state_label[0],
            one.due_on.isoformat(),
            one.proved_on.isoformat(),
            str(one.reminders),
        )
    Console().print(table)
    typer.echo("，".join(f"{name} {number:,}" for name, number in counts.items()))


@app.command()
def show(number: Number, config: Config, user: User) -> None:
    """一个人的认证：由什么证明、有效到何时、接下来怎样 / one person's certification, in plain words.

    Examples:
    \b
      huodang certification show 130102… --config hub/hub.yaml --user li
    """
    from huodang.standards import IdentityNumber

    with _desk(config) as (here, certifications):
        print_json(certifications.of_person(here.signed_in(user), IdentityNumber.parse(number)))


@app.command()
def walk(config: Config, *, as_json: AsJson = False) -> None:
    """走一次阶梯：提醒、到期、转上门；平台每天自动走，重复执行没有坏处 / walk the ladder once.

    Examples:
    \b
      huodang certification walk --config hub/hub.yaml
    """
    from huodang.supervision.certification import CERTIFICATION

    with _desk(config) as (_, certifications):
        walked = certifications.walk()
    if as_json:
        print_json(walked)
        return
    for event, number in walked.moved.items():
        typer.echo(f"{CERTIFICATION.events[event][0]} / {CERTIFICATION.events[event][1]}: {number:,}")
    if not walked.moved:
        typer.echo("今天没有要走的 / nothing to do today")


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
