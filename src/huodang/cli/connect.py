"""`huodang connect`: inspect a source and propose its gateway file; test a gateway before going live."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huodang.exchange.connect import Inspection, Progress

app = typer.Typer(rich_markup_mode="rich")
_BELOW = 3


@app.callback(invoke_without_command=True)
def connect(
    context: typer.Context,
    *,
    database: Annotated[
        str | None,
        typer.Option(
            "--database", help="数据库地址或 SQLite 文件,口令可写 ${变量} / database URL; the password as ${VARIABLE}"
        ),
    ] = None,
    files: Annotated[
        Path | None, typer.Option("--files", help="交换文件所在文件夹 / a folder of files", file_okay=False)
    ] = None,
    department: Annotated[
        str, typer.Option("--department", help="部门代码,如 police / code of the department")
    ] = "department",
    table: Annotated[
        list[str] | None, typer.Option("--table", help="只看这些表,可多次 / only these tables, repeatable")
    ] = None,
    schema: Annotated[str | None, typer.Option("--schema", help="数据库模式 / schema of the database")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="写出前置机配置 / write the gateway's file", dir_okay=False)
    ] = None,
    entries: Annotated[
        Path | None, typer.Option("--entries", help="写出目录条目 JSON / write the catalogue entries", dir_okay=False)
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--json", help="写出全部发现 JSON / write all findings as JSON", dir_okay=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有文件 / replace files that exist")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="不写任何文件(不写 --out 等时即如此) / write nothing (the default)")
    ] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="全部查看的总时限 / time for looking at everything")
    ] = 300.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示表格与进度 / no tables, no progress")] = False,
) -> None:
    """接入:看清来源库(只读、抽样、打码),提出映射与目录条目,上线前自测 / connect: inspect, propose, test.

    退出码 / exit codes: 0 done; 2 refused.

    Examples:
      huodang connect --database police.db --department police

      huodang connect --database 'postgresql://reader:${PASSWORD}@db/rkk' --department police --out gateway.yaml --force

      huodang connect --files /data/jiaohuan --department justice --json found.json

      huodang connect check --config gateway.yaml --report check.html
    """
    if context.invoked_subcommand is not None:
        return
    from huodang.exchange.connect import (
        ConnectError,
        InspectionSettings,
        Limits,
        inspect_database,
        inspect_files,
        inspection_json,
        write_outputs,
    )
    from huodang.store import SystemClock

    if (database is None) is (files is None):
        raise ConnectError(
            "请给出 --database 或 --files 之一",
            "give either --database or --files",
            advice_chinese="用法见 huodang connect --help。",
            advice_english="See huodang connect --help.",
        )
    settings = InspectionSettings(
        department, SystemClock().today(), tuple(table or ()), schema, Limits(total_seconds=seconds)
    )
    with _progress(quiet=quiet) as progress:
        if database is not None:
            found = inspect_database(database, settings, progress)
        else:
            found = inspect_files(files or Path(), settings, progress)
    outputs = {path: made for path, made in _outputs(found, out, entries).items() if not dry_run}
    if report is not None and not dry_run:
        outputs[report] = inspection_json(found)
    write_outputs(outputs, force=force)
    if not quiet:
        from huodang.cli.connect_report import show_inspection

        show_inspection(found, tuple(outputs))


@app.command()
def check(
    config: Annotated[
        Path, typer.Option("--config", help="前置机配置 / the gateway's file", exists=True, dir_okay=False)
    ],
    *,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", help="写出报告:.json、.html 或 .md,可多次 / write the report, repeatable"),
    ] = None,
    pass_mark: Annotated[int, typer.Option("--pass", min=0, max=100, help="及格分 / the pass mark")] = 80,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有报告 / replace a report that exists")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示表格 / no table")] = False,
) -> None:
    """上线前自测,百分制:用临时密钥与协议在本进程内试答,不改来源数据 / conformance test before going live.

    退出码 / exit codes: 0 passed; 2 refused; 3 below the pass mark, or something that must hold doesn't.

    Examples:
      huodang connect check --config gateway.yaml --report check.html --report check.json --pass 90
    """
    from huodang.exchange.connect import check_conformance, conformance_report, write_outputs

    with _progress(quiet=quiet) as progress:
        result = check_conformance(config, pass_mark=pass_mark, progress=progress)
    write_outputs({path: conformance_report(result, path) for path in report or ()}, force=force)
    if not quiet:
        from huodang.cli.connect_report import show_conformance

        show_conformance(result)
    if not result.passed:
        raise typer.Exit(_BELOW)


def _outputs(found: "Inspection", out: Path | None, entries: Path | None) -> dict[Path, bytes]:
    outputs: dict[Path, bytes] = {}
    if out is not None:
        outputs[out] = found.gateway_text(out).encode()
    if entries is not None:
        outputs[entries] = found.entries_text()
    return outputs


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("查看 / looking", total=None)

        def show(name: str, done: int, total: int) -> None:
            bar.update(task, description=name[:40].replace("[", "("), completed=done, total=total)

        yield show
