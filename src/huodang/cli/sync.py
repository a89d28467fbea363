"""`huodang sync`: one table from one database to another, by hand, with proof."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from huodang.exchange.sync import Progress as ShowProgress
    from huodang.exchange.sync import Proof, Step, SyncReport

_STEPS = {
    "read_source": "读取来源 / reading the source",
    "read_target": "读取目标 / reading the target",
    "hash_source": "核算来源 / hashing the source",
    "hash_target": "核算目标 / hashing the target",
    "compare": "比对 / comparing",
    "apply": "写入 / applying",
}
_UNEQUAL = 3
_NO_REPORT = 4


def sync(
    source: Annotated[
        str, typer.Option("--from", help="来源库地址或 SQLite 文件 / the source: a URL or a SQLite file")
    ],
    table: Annotated[str, typer.Option("--table", help="来源表，可写 模式.表 / the source table, or schema.table")],
    key: Annotated[str, typer.Option("--key", help="主键列，联合主键用逗号分开 / key column, or several with commas")],
    target: Annotated[str, typer.Option("--to", help="目标库地址或 SQLite 文件 / the target: a URL or a SQLite file")],
    *,
    cursor: Annotated[
        str | None,
        typer.Option("--cursor", help="随变更增长的列，用来识别迟到数据 / a column that grows; tells what is late"),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="报告写到该 JSON 文件 / write the report as JSON")
    ] = None,
    target_table: Annotated[
        str, typer.Option("--target-table", help="目标表名，缺省同来源表 / the target table's name")
    ] = "",
    overlap: Annotated[
        float,
        typer.Option(
            "--overlap", min=0, help="水位前多少秒（或数值）内不算迟到 / not yet late this far before the watermark"
        ),
    ] = 0,
    on_drift: Annotated[
        str,
        typer.Option(
            "--on-drift", help="来源新增列时：refuse 拒绝，add 加到目标 / when columns are added: refuse, or add them"
        ),
    ] = "refuse",
    check: Annotated[
        list[str] | None,
        typer.Option(
            "--check", help="按数据元检查一列：列=数据元，可多次 / check a column: COLUMN=ELEMENT, repeatable"
        ),
    ] = None,
    quarantine: Annotated[
        Path | None, typer.Option("--quarantine", help="被隔离的行写到该 CSV / where refused rows go")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只说会改什么，不写入 / tell what would change, change nothing")
    ] = False,
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="只重新读取两边并对账 / only read both sides anew and reconcile")
    ] = False,
    allow_mass_delete: Annotated[
        bool,
        typer.Option(
            "--allow-mass-delete", help="允许删除目标表一半以上的行 / the lot may delete over half of the target"
        ),
    ] = False,
    memory: Annotated[str, typer.Option("--memory", help="比对用内存上限 / memory for the comparison")] = "1GB",
    work_folder: Annotated[
        Path | None,
        typer.Option(
            "--work-folder", help="工作目录，需能放下两份表数据 / needs room for both tables", file_okay=False
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示进度和汇总 / no progress, no summary")] = False,
) -> None:
    """库表同步：整表比对、一次提交、读回对账 / sync one table: compared whole, applied once, proved.

    地址 / addresses: postgresql://用户@主机/库  mysql://用户@主机/库  sqlite:///a.db  a.db

    Exit codes: 0 done and proved; 1 interrupted; 2 refused, the target is as it was; 3 source and target differ;
    4 the lot is done and the report couldn't be written.

    Examples:
      huodang sync --from postgresql://reader@10.0.0.8/gongan --table hukou --key sfzh --to hub.db --report lot.json

      huodang sync --from mysql://u@db/gjj --table 账户 --key 账号 --cursor 更新时间 --to postgresql://u@db/hub

      huodang sync --from a.db --table t --key k1,k2 --to b.db --dry-run

      huodang sync --from a.db --table t --key k1,k2 --to b.db --verify-only
    """
    from huodang.exchange.sync import ProofError, SyncRequest, sync_table, verify_table

    beside = report.with_suffix(".quarantine.csv") if report else Path(f"{table}.quarantine.csv".replace("/", "_"))
    request = SyncRequest(
        source=source,
        table=table,
        key=tuple(name.strip() for name in key.split(",") if name.strip()),
        target=target,
        target_table=target_table,
        cursor=cursor or None,
        overlap=overlap,
        on_drift=_drift(on_drift),
        dry_run=dry_run,
        allow_mass_delete=allow_mass_delete,
        checks=_checks(check or []),
        quarantine_file=quarantine or beside,
        work_folder=work_folder,
        memory=memory,
    )
    with _bar(quiet=quiet) as bar:
        show = _shown(bar)
        try:
            if verify_only:
                proof = verify_table(request, show)
                _write(report, _plain(proof))
                if not quiet:
                    bar.stop()
                    _tell_proof(proof)
                raise typer.Exit(0 if proof.equal else _UNEQUAL)
            done = sync_table(request, show)
        except ProofError as error:
            bar.stop()
            sys.stderr.write(f"{error.sentence('zh')}\n{error.sentence('en')}\n")
            if error.report is not None:
                _write(report, {**error.report.to_json(), "applied": False})
            raise typer.Exit(_UNEQUAL) from None
        except KeyboardInterrupt:
            bar.stop()
            sys.stderr.write("已中断，目标表没有改动 / interrupted; the target is unchanged\n")
            raise typer.Exit(1) from None
    _write(report, {**done.to_json(), "applied": not dry_run})
    if not quiet:
        _tell(done)


def _plain(proof: "Proof") -> dict[str, object]:
    from dataclasses import asdict

    return {"proof": asdict(proof)}


def _drift(text: str) -> Literal["add", "refuse"]:
    if text == "add":
        return "add"
    if text == "refuse":
        return "refuse"
    raise typer.BadParameter("refuse | add", param_hint="--on-drift")


def _checks(given: list[str]) -> dict[str, str]:
    checks = {}
    for one in given:
        column, equals, element = one.rpartition("=")
        if not equals or not column or not element:
            raise typer.BadParameter("写成 列=数据元 / write COLUMN=ELEMENT", param_hint="--check")
        checks[column] = element
    return checks


def _write(file: Path | None, values: dict[str, object]) -> None:
    if file is None:
        return
    from huodang.store import write_whole

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, (json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode())
    except OSError as problem:
        sys.stderr.write(
            f"报告写不了：{file}（{problem.strerror}）。批次本身的结果不受影响；可用 --verify-only 再出对账报告。\n"
            f"the report can't be written: {file} ({problem.strerror}). What the lot did stands; "
            "--verify-only reports on both sides anew.\n"
        )
        raise typer.Exit(_NO_REPORT) from None


def _bar(*, quiet: bool) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )


def _shown(bar: "Bar") -> "ShowProgress":
    import threading
    import time

    tasks: dict[str, tuple[TaskID, float]] = {}
    lock = threading.Lock()

    def show(step: "Step") -> None:
        with lock:
            if step.name not in tasks:
                tasks[step.name] = (
                    bar.add_task(_STEPS.get(step.name, step.name), total=step.total, speed=""),
                    time.monotonic(),
                )
            number, began = tasks[step.name]
            seconds = time.monotonic() - began
            speed = f"{step.done / seconds:,.0f} 行/s" if step.done and seconds > 1 else ""
            total = max(step.total, step.done) if step.total is not None else None
            bar.update(number, completed=step.done, total=total, speed=speed)

    return show


def _tell(done: "SyncReport") -> None:
    from rich.console import Console
    from rich.table import Table

    title = "试运行，未写入 / dry run, nothing applied" if done.dry_run else f"第 {done.lot} 批次 / lot {done.lot}"
    shown = Table(title=f"{done.table} → {done.target_table}    {title}", title_justify="left", show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    for label, value in (
        ("来源行数 / rows", done.rows),
        ("新增 / inserted", done.inserted),
        ("更新 / updated", done.updated),
        ("删除 / deleted", done.deleted),
        ("其中迟到 / of these late", done.late),
        ("隔离 / quarantined", done.quarantined),
    ):
        shown.add_row(label, f"{value:,}")
    if done.watermark is not None:
        shown.add_row(f"水位 / watermark ({done.cursor})", done.watermark)
    shown.add_row("用时 / seconds", f"{done.seconds:,.1f}  ({done.rows / max(done.seconds, 0.001):,.0f} 行/s)")
    console = Console()
    console.print(shown)
    if done.created and not done.dry_run:
        console.print("目标表已新建，主键为 / the target table was made, its key:", "、".join(done.key), markup=False)
    if done.added_columns:
        console.print("目标表新增列 / columns added:", "、".join(done.added_columns), markup=False)
    if done.quarantine_file:
        console.print("被隔离的行及原因 / refused rows with reasons:", done.quarantine_file, markup=False)
    for warning in done.warnings:
        console.print(warning, markup=False)
    if done.proof is not None:
        _tell_proof(done.proof)


def _tell_proof(proof: "Proof") -> None:
    verdict = "一致 / equal" if proof.equal else "不一致 / NOT equal"
    typer.echo(
        f"对账 / reconciliation: {verdict}; {proof.source_rows:,} = {proof.target_rows:,} 行 / rows; "
        f"sha256 {proof.source_root[:16]}… {proof.target_root[:16]}…; {proof.seconds:.1f} s"
        if proof.equal
        else f"对账 / reconciliation: {verdict}; {proof.source_rows:,} ≠ {proof.target_rows:,}; "
        f"桶 / buckets {', '.join(map(str, proof.unequal_buckets[:20]))}"
    )
