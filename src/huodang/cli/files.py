"""`huodang files`: look at, check, pack, convert and take in the files that departments hand over."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from huodang.cli.files_options import (
    FilesCommandError,
    format_from,
    instant_from,
    keys_of,
    mapping_from,
    period_from,
    progress_shown,
    provider_of,
    trusted_of,
    write_report,
)

app = typer.Typer(
    help="文件交换：识别、试检、打包、转换、接收 / files: look, check, pack, convert, take",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Mapping = Annotated[
    Path | None,
    typer.Option("--mapping", help="字段映射 YAML / the mapping of columns to elements", exists=True, dir_okay=False),
]
Format = Annotated[
    Path | None,
    typer.Option(
        "--format",
        help="格式说明 YAML（定长文本、无表头等） / how the file is read (fixed width, no heading)",
        exists=True,
        dir_okay=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="前置机或枢纽的 YAML / YAML of the gateway or hub", exists=True, dir_okay=False),
]
Quarantine = Annotated[
    Path | None, typer.Option("--quarantine", help="隔离文件 .csv 或 .xlsx / where bad rows are written")
]


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="文件 / the file", exists=True, dir_okay=False)],
    *,
    mapping: Mapping = None,
    file_format: Format = None,
    rows: Annotated[int, typer.Option("--rows", min=0, max=100, help="显示前几行 / rows shown")] = 5,
    as_json: Json = False,
) -> None:
    """识别一个文件：格式、编码、列、行数，前几行打码显示 / show what a file is; its first rows masked.

    [bold]例 / examples[/bold]

    huodang files read 死亡名单.xlsx

    huodang files read deaths.dat --format fixed.yaml --json
    """
    from huodang.cli.files_report import print_look
    from huodang.exchange.files import look_at

    with progress_shown("读取 / reading") as progress:
        look = look_at(file, format_from(file_format), mapping=mapping_from(mapping), shown=rows, progress=progress)
    if as_json:
        typer.echo(json.dumps(look.to_payload(), ensure_ascii=False, indent=2))
    else:
        print_look(look)


@app.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(help="交付文件夹，或几个文件 / a delivery's folder, or files", exists=True)
    ],
    *,
    mapping: Mapping = None,
    file_format: Format = None,
    config: Config = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="受信任公钥 trust.json / trusted keys", exists=True, dir_okay=False)
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="报告 JSON / the report as JSON")] = None,
    quarantine: Quarantine = None,
    as_json: Json = False,
) -> None:
    """试检：格式、质量、清单、会落地多少，不改动任何东西 / a dry run that changes nothing.

    不合格的行写入隔离文件，供提供方更正。没有平台、没有密钥也能用。退出码：0 可接收，1 会被拒收。

    Rows kept back are written to a quarantine file. It works without keys and platform, and exits with 1 if the
    delivery would be refused.

    [bold]例 / examples[/bold]

    huodang files check 死亡名单.csv --mapping mappings/health.deaths.yaml --quarantine 待更正.xlsx

    huodang files check out/2025-03 --trust trust.json --report report.json
    """
    from huodang.cli.files_report import print_check
    from huodang.exchange.files import check_delivery, check_files
    from huodang.store import SystemClock
    from huodang.trust import TrustedKeys

    clock = SystemClock()
    trusted = TrustedKeys.load(trust) if trust else trusted_of(config)
    with progress_shown("试检 / checking") as progress:
        if len(paths) == 1 and paths[0].is_dir():
            found = check_delivery(
                paths[0],
                trusted=trusted,
                mapping=mapping_from(mapping),
                today=clock.today(),
                now=clock.now(),
                quarantine=quarantine or paths[0].with_name(f"{paths[0].name}.quarantine.csv"),
                progress=progress,
            )
        else:
            if any(path.is_dir() for path in paths):
                raise FilesCommandError(
                    "一次只能试检一个文件夹，或若干文件", "check one folder at a time, or any number of files"
                )
            found = check_files(
                paths,
                mapping=mapping_from(mapping),
                today=clock.today(),
                file_format=format_from(file_format),
                quarantine=quarantine or paths[0].with_name(f"{paths[0].name}.quarantine.csv"),
                progress=progress,
            )
    write_report(found, report)
    if as_json:
        typer.echo(json.dumps(found.to_payload(), ensure_ascii=False, indent=2))
    else:
        print_check(found)
    if not found.good:
        raise typer.Exit(1)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="原文件 / the file", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("--to", help="目标：.csv .xlsx .jsonl .parquet / by its ending")],
    *,
    encoding: Annotated[
        str, typer.Option("--encoding", help="CSV 编码 / encoding of CSV: utf-8（带 BOM） | gb18030")
    ] = "utf-8",
    file_format: Format = None,
    quarantine: Quarantine = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有文件 / replace what is there")] = False,
) -> None:
    """转换格式；号码保持文本，公式单元格失效，丢了位数的行不猜 / convert; texts stay texts, nothing is guessed.

    不能忠实转换的行写入隔离文件，退出码为 1。

    Rows that can't be carried over faithfully go to a quarantine file, and the exit code is 1.

    [bold]例 / examples[/bold]

    huodang files convert 名单.xls --to 名单.csv --encoding gb18030

    huodang files convert deaths.dbf --to deaths.parquet
    """
    from huodang.exchange.files import convert as do_convert

    if target.exists() and not force:
        raise FilesCommandError(
            "目标文件已存在",
            "the target is there already",
            advice_chinese="请换一个名称，或加 --force。",
            advice_english="Take another name, or add --force.",
        )
    with progress_shown("转换 / converting") as progress:
        done = do_convert(
            source,
            target,
            encoding=encoding,
            file_format=format_from(file_format),
            quarantine=quarantine or target.with_name(f"{target.name}.quarantine.csv"),
            progress=progress,
        )
    typer.echo(f"已写出 {done.written} 行 / {done.written} rows written: {target}")
    if done.quarantined:
        typer.echo(f"{done.quarantined} 行未转换 / {done.quarantined} rows were kept back: {done.quarantine}", err=True)
        raise typer.Exit(1)


@app.command()
def pack(
    files: Annotated[list[Path], typer.Argument(help="数据文件 / files with data", exists=True, dir_okay=False)],
    resource: Annotated[str, typer.Option("--resource", help="资源 / the resource: health.deaths")],
    agreement: Annotated[str, typer.Option("--agreement", help="协议编号 / the agreement's id")],
    out: Annotated[Path, typer.Option("--out", help="新文件夹 / the folder to be made")],
    *,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="本部门密钥文件夹 / folder of keys", exists=True, file_okay=False)
    ] = None,
    department: Annotated[str | None, typer.Option("--as", help="部门代码 / the department's code")] = None,
    config: Config = None,
    agreement_version: Annotated[int, typer.Option("--agreement-version", min=1, help="协议版本 / its version")] = 1,
    sequence: Annotated[
        int | None, typer.Option("--sequence", min=1, help="交付序号，缺省自动递增 / number; counts up by itself")
    ] = None,
    changes: Annotated[bool, typer.Option("--changes", help="只有变化，不是全量 / changes only")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="数据截至时间，缺省为现在 / true as of: 2025-03-01 [08:00]")
    ] = None,
    period: Annotated[str | None, typer.Option("--period", help="数据所属期间 / span: 2025-02-01..2025-02-28")] = None,
    file_format: Format = None,
) -> None:
    """打包并签署一次交付：清单 + 文件 / pack and sign a delivery: a manifest and its files.

    把生成的文件夹原样上传到投递目录即可。

    Upload the folder as it is into the drop folder.

    [bold]例 / examples[/bold]

    huodang files pack 死亡名单.csv --resource health.deaths --agreement XY-1 --config gateway.yaml --out 2025-03

    huodang files pack a.csv b.csv --resource health.deaths --agreement XY-1 --keys keys --as health --out 2025-03
    """
    from huodang.exchange.files import PackOrder
    from huodang.exchange.files import pack as do_pack
    from huodang.store import SystemClock
    from huodang.trust import Signer

    folder, holder = keys_of(keys, department, config)
    now = SystemClock().now()
    first, last = period_from(period)
    signer = Signer.load(folder, holder)
    order = PackOrder(
        resource=resource,
        agreement_id=agreement,
        agreement_version=agreement_version,
        sequence=sequence,
        as_of=instant_from(as_of) if as_of else now,
        content="changes" if changes else "full",
        period_from=first,
        period_to=last,
    )
    with progress_shown("打包 / packing") as progress:
        packed = do_pack(
            files, order, signer, out, now, sequences=folder, file_format=format_from(file_format), progress=progress
        )
    for line in packed.manifest.files:
        rows = "—" if line.rows is None else str(line.rows)
        typer.echo(f"{line.name}：{rows} 行 / rows，{line.bytes} 字节 / bytes，SHA-256 {line.sha256[:16]}…")
    typer.echo(f"已签署，序号 {packed.manifest.sequence} / signed, number {packed.manifest.sequence}: {packed.folder}")


@app.command()
def take(
    delivery: Annotated[Path, typer.Argument(help="交付文件夹或 .zip / a delivery's folder or zip file", exists=True)],
    config: Annotated[Path, typer.Option("--config", help="枢纽的 hub.yaml", exists=True, dir_okay=False)],
    *,
    as_json: Json = False,
) -> None:
    """在枢纽接收一次交付：整批接收或整批拒收 / take a delivery in at the hub: whole, or refused whole.

    原文件夹不动。退出码：0 已接收，1 已拒收或仍需等待。

    The folder stays as it is. Exits with 0 if it was taken, 1 if it was refused or has to wait.

    [bold]例 / examples[/bold]

    huodang files take 2025-03 --config hub/hub.yaml
    """
    import structlog

    from huodang.cli.files_report import outcome_payload, print_outcome
    from huodang.web import HubSettings, assemble

    structlog.configure(logger_factory=lambda *_: structlog.WriteLogger(sys.stderr))

    services = assemble(HubSettings.load(config))
    try:
        if services.files is None:
            raise FilesCommandError(
                "hub.yaml 没有 files 一节",
                "hub.yaml has no section `files`",
                advice_chinese="写法见 docs/files.md。",
                advice_english="See docs/files.md.",
            )
        with progress_shown("接收 / taking") as progress:
            outcome = services.files.take_folder(provider_of(delivery), delivery, progress)
    finally:
        services.close()
    if as_json:
        typer.echo(json.dumps(outcome_payload(outcome), ensure_ascii=False, indent=2))
    else:
        print_outcome(outcome)
    if outcome.state != "taken":
        raise typer.Exit(1)
