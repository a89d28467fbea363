"""`huodang sharing`: demands, corrections and what is overdue, at the hub; takes what departments have signed."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.web.services import Services

app = typer.Typer(
    help="供需对接与校核纠错：需求、协议、疑误、超期 / demands, agreements, corrections, what is overdue",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
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


def _json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


@app.command("list")
def list_demands(
    config: Config, *, state: Annotated[str | None, typer.Option()] = None, as_json: AsJson = False
) -> None:
    """列出需求 / list demands.

    Examples:
      huodang sharing list --config hub/hub.yaml
    """
    from huodang.exchange.sharing import SYSTEM

    with _services(config) as services:
        rows = services.sharing.demands(SYSTEM, state=state)
    if as_json:
        _json(rows)
        return
    for row in rows:
        standing = row.standing
        who = "、".join(standing.waits_for_departments) or standing.waits_for_label[0]
        due = f"  {standing.light_label[0]} {standing.due_on.isoformat()}" if standing.due_on else ""
        wanted = row.resource or row.wished[:30]
        typer.echo(
            f"{row.demand_id}  {row.consumer} ← {row.provider}  {wanted}  "
            f"{standing.state_label[0]} / {standing.state_label[1]}  {who}{due}"
        )
    if not rows:
        typer.echo("没有需求 / no demands")


@app.command()
def show(demand_id: Annotated[str, typer.Argument(help="需求编号 / the demand's id")], config: Config) -> None:
    """一项需求的全部：条款、状态、历史 / all of one demand, as JSON.

    Examples:
      huodang sharing show dxxxx --config hub/hub.yaml
    """
    from huodang.exchange.sharing import SYSTEM

    with _services(config) as services:
        _json(services.sharing.view(SYSTEM, demand_id))


@app.command()
def draft(
    demand_id: Annotated[str, typer.Argument(help="需求编号 / the demand's id")],
    config: Config,
    out: Annotated[Path, typer.Option("--out", help="协议条款 YAML / the agreement's terms as YAML")],
) -> None:
    """取已同意的协议文本，交双方签署 / fetch the approved text for both sides to sign.

    The consumer signs with `huodang steward draft`, the provider with `huodang steward sign`.

    Examples:
      huodang sharing draft dxxxx --config hub/hub.yaml --out terms.yaml
    """
    import json

    import yaml

    from huodang.exchange.sharing import SYSTEM
    from huodang.store import write_whole

    with _services(config) as services:
        terms = services.sharing.draft(SYSTEM, demand_id).to_payload()
    plain = json.loads(json.dumps(terms))
    write_whole(out, yaml.safe_dump(plain, allow_unicode=True, sort_keys=False).encode())
    typer.echo(f"协议文本 / the agreement's text: {out}")


@app.command()
def overdue(config: Config, *, as_json: AsJson = False) -> None:
    """超期事项：哪一件、谁、晚了几天 / what is overdue, by whom, by how many working days.

    Examples:
      huodang sharing overdue --config hub/hub.yaml --json
    """
    from huodang.exchange.sharing import SYSTEM

    with _services(config) as services:
        lines = [*services.sharing.overdue(SYSTEM), *services.corrections.overdue(SYSTEM)]
    if as_json:
        _json(lines)
        return
    for line in lines:
        who = "、".join(line.standing.waits_for_departments) or line.standing.waits_for_label[0]
        typer.echo(
            f"{line.standing.light_label[0]}  {line.matter_id}  {line.standing.state_label[0]}  {who}  "
            f"超期 {line.standing.days_late} 个工作日 / {line.standing.days_late} working days late"
        )
    if not lines:
        typer.echo("没有超期事项 / nothing is overdue")


@app.command()
def corrections(config: Config, *, as_json: AsJson = False) -> None:
    """列出疑误、争议和召回，不含任何值 / list corrections, disputes and recalls; no values.

    Examples:
      huodang sharing corrections --config hub/hub.yaml --json
    """
    from huodang.exchange.sharing import SYSTEM

    with _services(config) as services:
        rows = services.corrections.corrections(SYSTEM)
    if as_json:
        _json(rows)
        return
    for row in rows:
        typer.echo(
            f"{row.correction_id}  {row.kind}  {row.resource}  {row.element or '—'}  {row.standing.state_label[0]}  "
            f"{row.standing.light_label[0]}"
        )


@app.command()
def take(
    files: Annotated[list[Path], typer.Argument(help="部门签署的文件 / signed files", exists=True, dir_okay=False)],
    config: Config,
) -> None:
    """收下部门签署的文件：需求、办理、协议、撤销 / take what departments have signed.

    Each file is taken whole or refused whole; the same file again changes nothing.

    Examples:
      huodang sharing take D.json A.json XY-1.json --config hub/hub.yaml
    """
    from huodang.exchange import AGREEMENT, AGREEMENT_REVOCATION
    from huodang.standards import HuodangError, Place
    from huodang.trust import SignedEnvelope

    with _services(config) as services:
        for file in files:
            try:
                envelope = SignedEnvelope.from_json(file.read_bytes())
                if envelope.kind == AGREEMENT:
                    told = services.sharing.take_agreement(envelope).state.value
                elif envelope.kind == AGREEMENT_REVOCATION:
                    told = f"{len(services.sharing.take_revocation(envelope))} 份已撤销 / ended"
                else:
                    done = services.sharing_acts.take(envelope)
                    told = f"{done.what} {done.matter} {'（先前已收 / taken before）' if done.again else done.state}"
            except HuodangError as problem:
                raise problem.at(Place(file=str(file))) from None
            typer.echo(f"{file}: {told}")


@app.command()
def notice(
    notice_id: Annotated[str, typer.Argument(help="通知编号 / the notice's id")],
    config: Config,
    department: Annotated[str, typer.Option(help="使用方 / the consumer it is for")],
    out: Annotated[Path, typer.Option("--out", help="写到该文件 / write here")],
) -> None:
    """取出一份更正或召回通知交使用方；个人的值只有使用方能打开 / fetch a notice for its consumer.

    Examples:
      huodang sharing notice nxxxx --department social_insurance --config hub/hub.yaml --out N.json
    """
    from huodang.exchange import Actor
    from huodang.store import write_whole

    with _services(config) as services:
        carrier = Actor(f"{department}:steward", department, "steward", department)
        envelope = services.corrections.notice(carrier, notice_id)
    write_whole(out, envelope.to_json().encode())
    typer.echo(f"通知 / the notice: {out}")


@app.command()
def notices(config: Config, department: Annotated[str, typer.Option(help="使用方 / the consumer")]) -> None:
    """列出给一个部门的通知 / list what a department was told, as JSON.

    Examples:
      huodang sharing notices --department social_insurance --config hub/hub.yaml
    """
    from huodang.exchange import Actor

    with _services(config) as services:
        carrier = Actor(f"{department}:steward", department, "steward", department)
        _json(services.corrections.notices(carrier))
