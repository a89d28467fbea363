"""`huodang serve`: run one process of a deployment."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="运行服务 / run a process", no_args_is_help=True)

ConfigFile = Annotated[
    Path, typer.Option("--config", help="YAML 配置文件 / the YAML file", exists=True, dir_okay=False)
]
ExitWithParent = Annotated[
    bool, typer.Option("--exit-with-parent", help="父进程结束时一并结束 / end when the parent process is gone")
]


@app.command()
def gateway(
    config: ConfigFile,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="只检查配置与数据源，然后退出 / check file and source, then exit")
    ] = False,
    exit_with_parent: ExitWithParent = False,
) -> None:
    """运行部门的前置机 / run a department's gateway.

    The file's format stands in docs/gateway.md. SIGTERM or SIGINT end the process cleanly.

    Examples:
      huodang serve gateway --config departments/police/gateway.yaml --check

      huodang serve gateway --config departments/police/gateway.yaml
    """
    from huodang.cli.serving import ServingTls, run_application
    from huodang.exchange import Gateway, build_parts, gateway_application, read_gateway_file

    file = read_gateway_file(config)
    built = Gateway.open(file)
    parts = build_parts(built, os.environ)
    for warning in built.warnings:
        typer.echo(f"提醒 / warning: {warning}", err=True)
    if check:
        names = "、".join((*built.resources, *(one["resource"] for part in parts for one in part.offers())))
        typer.echo(f"配置可用 / the file is usable: {file.spec.department}: {names}")
        for part in parts:
            part.stop()
        built.close()
        return
    tls = file.spec.tls
    run_application(
        gateway_application(built, parts),
        host=file.spec.listen.host,
        port=file.spec.listen.port,
        tls=ServingTls(file.beside(tls.certificate), file.beside(tls.key), file.beside(tls.authority)) if tls else None,
        exit_with_parent=exit_with_parent,
    )


@app.command()
def hub(
    config: ConfigFile,
    *,
    workers: Annotated[
        bool,
        typer.Option(
            "--workers/--no-workers",
            help="是否在本进程内运行作业、账本与摆渡 / whether jobs, ledger and ferry run in this process",
        ),
    ] = True,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="代替设置中的端口 / in place of the settings' port")
    ] = 0,
    exit_with_parent: ExitWithParent = False,
) -> None:
    """运行枢纽：工作台、接口、作业、账本、摆渡 / run the hub: workbench, API, jobs, ledger, ferry.

    The settings stand in docs/administrator.md. SIGTERM or SIGINT end the process cleanly. Several nodes on one
    PostgreSQL database share jobs and sessions: docs/operations.md.

    Examples:
      huodang serve hub --config hub/hub.yaml

      huodang serve hub --config hub/hub.yaml --no-workers --port 8801
    """
    from dataclasses import replace

    from huodang.cli.serving import follow_parent
    from huodang.web import HubSettings, serve_hub

    if exit_with_parent:
        follow_parent()
    settings = HubSettings.load(config)
    if port:
        settings = replace(settings, listen=replace(settings.listen, port=port))
    serve_hub(settings, workers=workers)


@app.command()
def worker(config: ConfigFile, *, exit_with_parent: ExitWithParent = False) -> None:
    """运行枢纽的后台作业进程，可同时运行多个 / run background work of a hub; any number of them at once.

    Examples:
      huodang serve worker --config hub/hub.yaml
    """
    from huodang.cli.serving import follow_parent
    from huodang.web import HubSettings, serve_worker

    if exit_with_parent:
        follow_parent()
    serve_worker(HubSettings.load(config))


@app.command()
def portal(config: ConfigFile, *, exit_with_parent: ExitWithParent = False) -> None:
    """运行公众门户：没有数据库，只经摆渡与枢纽往来 / run the citizens' portal: no database, only the ferry.

    The settings stand in docs/administrator.md. SIGTERM or SIGINT end the process cleanly.

    Examples:
      huodang serve portal --config portal/portal.yaml
    """
    from huodang.cli.serving import follow_parent
    from huodang.web import PortalSettings, serve_portal

    if exit_with_parent:
        follow_parent()
    serve_portal(PortalSettings.load(config))
