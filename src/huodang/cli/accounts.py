"""`huodang accounts`: the first accounts of a hub, and citizens' access codes, by whoever installs it."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="账号与查询码 / accounts and access codes", no_args_is_help=True)

ConfigFile = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
]


@app.command()
def add(
    user_id: Annotated[str, typer.Argument(help="账号 / the account's name")],
    config: ConfigFile,
    name: Annotated[str, typer.Option(help="姓名 / the person's name")],
    role: Annotated[str, typer.Option(help="角色 / the role, such as system_administrator")],
    *,
    department: Annotated[str, typer.Option(help="部门代码 / department")] = "social_insurance",
    region: Annotated[str, typer.Option(help="行政区划代码 / region, six digits")] = "130000",
    employer: Annotated[str, typer.Option(help="单位编号，仅单位经办人 / employer, for its clerk only")] = "",
) -> None:
    """建立马上可以登录的账号 / make an account that may sign in at once.

    For installing a hub: make the three administrators this way, and let them make everybody else on the pages.
    The password is asked for, or taken from HUODANG_NEW_PASSWORD; never from the command line, which others can read.
    Roles: employer_clerk, window_clerk, reviewer, archivist, leader, auditor, system_administrator,
    security_administrator, audit_administrator.

    Examples:
      huodang accounts add system1 --config hub/hub.yaml --name 系统员 --role system_administrator
    """
    from huodang.web import HubSettings, NewAccount, install_accounts

    password = os.environ.get("HUODANG_NEW_PASSWORD") or typer.prompt(
        "密码 / password", hide_input=True, confirmation_prompt=True
    )
    account = NewAccount(
        user_id=user_id,
        password=password,
        name=name,
        role=role,
        department=department,
        region=region,
        employer=employer,
    )
    install_accounts(HubSettings.load(config), [account])
    typer.echo(f"账号已建立 / the account is made: {user_id}")


@app.command()
def code(
    config: ConfigFile,
) -> None:
    """生成一个查询码，旧码作废 / make a citizen's access code; an older one stops working.

    The identity number is asked for, so that it stands in no history.

    Examples:
      huodang accounts code --config hub/hub.yaml
    """
    from huodang.web import HubSettings, issue_access_code

    number = typer.prompt("身份证号 / identity number", hide_input=True)
    typer.echo(issue_access_code(HubSettings.load(config), number))
