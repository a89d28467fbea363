"""`huodang steward`: what a department's data steward does at the own gateway."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huodang.cli import steward_lots

if TYPE_CHECKING:
    from huodang.exchange import Agreement, Steward

app = typer.Typer(
    help="部门数据管理员：看协议、签署、撤销、查日志 / a data steward: see, sign, revoke, read the log",
    no_args_is_help=True,
)

app.add_typer(steward_lots.app, name="lots")

Config = Annotated[
    Path, typer.Option("--config", help="前置机的 YAML 文件 / the gateway's YAML file", exists=True, dir_okay=False)
]
Out = Annotated[
    Path | None, typer.Option("--out", help="写到该文件，缺省为原文件 / write here instead of the same file")
]


def _open(config: Path) -> "Steward":
    from huodang.exchange import Steward, read_gateway_file

    return Steward(read_gateway_file(config))


def _tell(agreement: "Agreement") -> None:
    until = agreement.valid_to.isoformat() if agreement.valid_to else "长期 / open"
    for chinese, english, value in (
        ("协议", "agreement", f"{agreement.agreement_id}，第 {agreement.version} 版 / version {agreement.version}"),
        ("提供方", "provider", agreement.provider),
        ("使用方", "consumer", agreement.consumer),
        ("资源", "resource", f"{agreement.resource} ({agreement.kind.value})"),
        ("用途", "purposes", "、".join(agreement.purposes)),
        ("依据", "legal basis", agreement.legal_basis),
        ("可比对", "may be compared", "、".join(agreement.elements) or "—"),
        ("原样返回", "handed over raw", "、".join(agreement.fields) or "—"),
        ("只限这些行", "only rows with", _rows(agreement)),
        ("每分钟上限", "a minute at most", str(agreement.calls_per_minute or "不限 / no bound")),
        ("可留用秒数", "may be kept for", f"{agreement.cache_seconds} s"),
        ("有效期", "valid", f"{agreement.valid_from.isoformat()} — {until}"),
        ("授权签名者", "grant signer", agreement.grant_signer),
    ):
        typer.echo(f"{chinese} / {english}: {value}")


def _rows(agreement: "Agreement") -> str:
    limits = [f"{name} = {'、'.join(values)}" for name, values in agreement.rows.items()]
    return "；".join(limits) or "全部 / all"


@app.command()
def show(config: Config) -> None:
    """看本部门的协议 / show this department's agreements.

    Examples:
      huodang steward show --config departments/police/gateway.yaml
    """
    steward = _open(config)
    for one in steward.agreements():
        state = "有效 / in force" if one.in_force else f"不生效 / doesn't count: {one.reason}"
        typer.echo(f"\n【{state}】")
        _tell(one.agreement)
    for problem in steward.problems():
        typer.echo(f"\n不能用的文件 / unusable file: {problem}", err=True)


@app.command()
def draft(
    terms: Annotated[Path, typer.Argument(help="条款 YAML / the terms as YAML", exists=True, dir_okay=False)],
    config: Config,
    out: Annotated[Path, typer.Option("--out", help="协议文件 / the agreement's file")],
) -> None:
    """起草并由本部门签署一份协议 / write an agreement and sign it for this department.

    The terms are the fields of an agreement: agreement_id, version, provider, consumer, resource, kind, purposes,
    legal_basis, elements, fields, valid_from, valid_to.

    Examples:
      huodang steward draft terms.yaml --config departments/police/gateway.yaml --out XY-1.json
    """
    import yaml

    from huodang.exchange import Agreement, GatewayConfigError
    from huodang.standards import Place
    from huodang.store import write_whole

    try:
        raw = yaml.safe_load(terms.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise GatewayConfigError("不是有效的 YAML", "this isn't valid YAML", place=Place(file=str(terms))) from problem
    agreement = Agreement.from_payload(raw)
    envelope = _open(config).draw_up(agreement)
    write_whole(out, envelope.to_json().encode())
    _tell(agreement)
    typer.echo(f"\n已签署，请交对方签署 / signed; hand it to the other side: {out}")


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="待签的协议 / the agreement to sign", exists=True, dir_okay=False)],
    config: Config,
    *,
    out: Out = None,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / don't ask")] = False,
) -> None:
    """看清条款后签署；双方齐备即生效 / read the terms, then sign; with both signatures it holds.

    Examples:
      huodang steward sign XY-1.json --config departments/police/gateway.yaml
    """
    from huodang.store import write_whole

    steward = _open(config)
    agreement, signed = steward.read(file.read_bytes())
    _tell(agreement)
    typer.echo(f"已签署 / signed by: {'、'.join(sorted(signed))}")
    if not yes and not typer.confirm("签署？/ Sign?"):
        raise typer.Exit(1)
    envelope, laid = steward.sign(file.read_bytes())
    write_whole(out or file, envelope.to_json().encode())
    if laid is not None:
        typer.echo(f"双方已签署，协议生效 / both have signed; it holds: {laid}")
    else:
        typer.echo(f"已签署，请交对方或提供方 / signed; hand it to the other side: {out or file}")


@app.command()
def revoke(
    agreement_id: Annotated[str, typer.Argument(help="协议编号 / the agreement's id")],
    config: Config,
    reason: Annotated[str, typer.Option("--reason", help="撤销原因 / why")],
) -> None:
    """立即撤销一份协议：下一个请求起即被拒绝 / end an agreement at once.

    Examples:
      huodang steward revoke XY-1 --reason 用途变更 --config departments/police/gateway.yaml
    """
    path = _open(config).revoke(agreement_id, reason)
    typer.echo(f"已撤销，即刻生效；请把该文件交给枢纽 / revoked as of now; hand this file to the hub: {path}")


@app.command()
def log(
    config: Config,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="最近多少条 / how many")] = 50,
    resource: Annotated[str | None, typer.Option("--resource", help="只看该资源 / of one resource")] = None,
    person: Annotated[
        bool, typer.Option("--person", help="询问证件号码后只看该人 / ask for a number, show one person")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")] = False,
) -> None:
    """查本前置机答复过什么 / what this gateway has answered.

    The number is asked for, so that it doesn't stay in the shell's history.

    Examples:
      huodang steward log --config departments/police/gateway.yaml --limit 20

      huodang steward log --config departments/police/gateway.yaml --person
    """
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from huodang.store import shanghai_text

    number = typer.prompt("证件号码 / identity number", hide_input=True) if person else None
    lines = _open(config).log(limit=limit, identity_number=number, resource=resource)
    if as_json:
        typer.echo(msgspec.json.encode(lines).decode())
        return
    table = Table("时间", "资源", "使用方", "用途", "办件", "结论", "原因", "返回字段")
    for line in lines:
        table.add_row(
            shanghai_text(line.answered_at),
            line.resource,
            line.consumer,
            line.purpose,
            line.case_id,
            line.outcome,
            line.reason,
            "、".join(line.fields),
        )
    Console().print(table)
