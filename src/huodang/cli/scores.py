"""`huodang scores`: whose figures are rare among people alike, and why; on files, with no hub."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from huodang.supervision.scores import Scores, Written
    from huodang.supervision.tables import Understanding

_STEPS = {
    "gather": "汇总每人的数据 / gathering people",
    "score": "评分 / scoring",
    "generic": "通用检测 / generic detector",
    "explain": "写明原因 / explaining",
}
_SHOWN = 10

Files = list[Path] | None


def _files(name: str, words: str) -> object:
    return typer.Option(f"--{name}", help=words, exists=True, dir_okay=False)


def scores(
    payments: Annotated[list[Path], _files("payments", "待遇发放明细，可多次 / payments; repeatable")],
    out: Annotated[Path, typer.Option("--out", help="结果目录 / folder for the results", file_okay=False)],
    *,
    archives: Annotated[Files, _files("archives", "退休档案 / retirement archives")] = None,
    enrolments: Annotated[Files, _files("enrolments", "缴费明细 / contributions")] = None,
    certifications: Annotated[Files, _files("certifications", "资格认证 / certifications")] = None,
    visits: Annotated[Files, _files("visits", "最近就诊等生存痕迹 / last visits")] = None,
    institutions: Annotated[Files, _files("institutions", "机构集体账户 / accounts of institutions")] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="列名对应 YAML / what columns mean", exists=True, dir_okay=False)
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=100_000, help="列出多少人 / how many to list")] = 500,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous", help="上次的 scores.json，用来看漂移 / an earlier run, to watch drift", dir_okay=False
        ),
    ] = None,
    generic: Annotated[
        bool, typer.Option("--generic/--no-generic", help="另做通用检测（需 scikit-learn）/ isolation forest beside")
    ] = True,
    unmasked: Annotated[
        str,
        typer.Option("--unmasked", metavar="REASON", help="显示全部个人信息的理由，会被记录 / shows persons; recorded"),
    ] = "",
    memory: Annotated[str, typer.Option("--memory", help="数据库内存上限 / memory of the database")] = "4GB",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只说明读懂了什么，不评分 / only tell what was understood")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示进度和汇总 / no progress, no summary")] = False,
) -> None:
    """异常评分：谁的数据在同类人中少见，为什么 / score whose figures are rare among people alike, and why.

    只需发放明细；给得越多，能判断的越多。评分不是违规认定，不能据此停发。
    Only payments are needed; every other table lets more be judged. A score is no finding: nothing is held on it.

    写出 / writes: scores.csv  scores.xlsx  network.html  scores.json（下次用于 --previous）

    退出码 / exit code: 0 完成 / done; 2 输入有误 / bad input.

    \b
    例 / examples:
      huodang scores --payments 发放2025-06.csv --out 评分
      huodang scores --payments p.parquet --archives a.xlsx --visits v.csv --certifications rz.csv --out r06
      huodang scores --payments pay.parquet --out r07 --previous r06/scores.json --top 200
      huodang scores --payments pay.csv --out r --unmasked "稽核立案 2025-17，需上门核实"
      huodang scores --payments pay.csv --out r --dry-run
    """
    from huodang.store import SystemClock
    from huodang.supervision.scores import SUMMARY, ScoreSettings, read_previous, score, write_report
    from huodang.supervision.tables import Kind, PrepareSettings, prepare, understand

    if (out / SUMMARY).exists():
        raise typer.BadParameter(
            f"{out} 已有一次评分的结果，请换一个目录 / holds the results of a run; choose another folder",
            param_hint="--out",
        )
    given: dict[Kind, list[Path]] = {
        Kind.PAYMENTS: payments,
        Kind.ARCHIVES: archives or [],
        Kind.ENROLMENTS: enrolments or [],
        Kind.CERTIFICATIONS: certifications or [],
        Kind.VISITS: visits or [],
        Kind.INSTITUTIONS: institutions or [],
    }
    spreads = read_previous(previous) if previous else None
    understanding = understand(given, mapping)
    if not quiet:
        _tell_understood(understanding)
    if understanding.problems:
        for problem in understanding.problems:
            sys.stderr.write(f"{problem.sentence('zh')}\n{problem.sentence('en')}\n")
        raise typer.Exit(2)
    if dry_run:
        typer.echo("试运行，没有评分，也没有写文件 / dry run: nothing scored, nothing written")
        return
    clock = SystemClock()
    with _work(out) as work, _bar(quiet=quiet) as bar:
        task = bar.add_task("整理 / preparing", total=None)

        def show(step: str, done: int, whole: int | None) -> None:
            bar.update(task, description=_STEPS.get(step, step), completed=done, total=whole)

        prepared = prepare(understanding, work / "tables", PrepareSettings(memory=memory, on=clock.today()), show)
        found = score(prepared, ScoreSettings(top=top, generic=generic, memory=memory, work=work), show)
        written = write_report(found, prepared, out, clock.now(), previous=spreads, unmasked_reason=unmasked.strip())
        if any(prepared.quarantined.values()):
            shutil.rmtree(out / "quarantine", ignore_errors=True)
            (work / "tables" / "quarantine").rename(out / "quarantine")
    if not quiet:
        _tell(
            found, written, {kind.chinese: dict(reasons) for kind, reasons in prepared.quarantined.items() if reasons}
        )


@contextmanager
def _work(out: Path) -> Iterator[Path]:
    """Give a folder for what is prepared; it holds everybody's numbers, packed but not sealed, and never stays."""
    work, fresh = out / "work", not out.exists()
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise typer.BadParameter(
            f"结果目录无法建立 / the folder can't be made: {problem.strerror}", param_hint="--out"
        ) from None
    try:
        yield work
    except BaseException:
        if fresh:
            shutil.rmtree(out, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _tell_understood(understanding: "Understanding") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="读懂的列 / what was understood", title_justify="left")
    for heading in ("表 / table", "文件 / file", "列 / column", "含义 / meaning", "样例（打码） / masked"):
        table.add_column(heading, overflow="fold")
    for one in understanding.tables:
        for number, column in enumerate(one.columns):
            unit = f" ({column.unit})" if column.unit else ""
            table.add_row(
                one.kind.chinese if not number else "",
                escape(one.file) if not number else "",
                escape(column.header or "—"),
                f"{column.canonical}{unit}",
                escape(column.sample),
            )
    Console(stderr=True).print(table)


def _tell(found: "Scores", written: "Written", quarantined: dict[str, dict[str, int]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from huodang.supervision.scores import reasons_text

    console = Console()
    console.print(
        f"{len(found.people):,} 人已评分 / people scored；{found.unjudged:,} 笔发放无法判断 / payments not judged"
    )
    for kind, reasons in quarantined.items():
        console.print(
            f"[yellow]{kind} 隔离 / quarantined:[/] {escape(', '.join(f'{k} {n:,}' for k, n in reasons.items()))}"
        )
    idle = [one.label for one in found.features if not one.judged]
    if idle:
        console.print(
            f"[yellow]缺少数据、未能判断 / not judged for want of data:[/] {'、'.join(map(str, idle))}", highlight=False
        )
    table = Table(title=f"评分最高的 {min(_SHOWN, len(found.rows))} 人 / the highest", title_justify="left")
    for heading in ("排名", "证件号码", "姓名", "评分", "原因 / why"):
        table.add_column(heading, overflow="fold")
    for rank, one in enumerate(found.rows[:_SHOWN], start=1):
        person = written.shown[one.row]
        table.add_row(
            str(rank), person.identity_number, person.name, f"{one.score:.1f}", escape("\n".join(reasons_text(one)))
        )
    console.print(table)
    for drift in written.drift:
        if drift.grade != "stable":
            console.print(f"[yellow]漂移 / drift:[/] {escape(str(drift.words))}", highlight=False)
    network = written.network
    console.print(f"关联网络 / network: {network.total:,} 组 / groups")
    for path in written.files:
        console.print(f"已写出 / written: {escape(str(path))}", highlight=False)
    console.print(
        "[bold]评分不是违规认定，不能据此停发；只供决定先看哪里 / a score is no finding; nothing is held on it[/]"
    )


def _bar(*, quiet: bool) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
