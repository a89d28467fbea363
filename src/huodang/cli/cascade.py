"""`huodang cascade`: hubs above and below: what is passed on, what is taken from them, and what proves an answer."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.exchange import Cascade
    from huodang.exchange.cascade import DemandAbove

app = typer.Typer(help="级联：上级与下级平台 / hubs above and below", no_args_is_help=True)

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
]
By = Annotated[str, typer.Option("--by", help="谁发布，记入历史 / who does it: kept in the history")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Number = Annotated[int, typer.Option("--version", min=1, help="版本 / version")]
AgreementId = Annotated[str, typer.Argument(metavar="AGREEMENT", help="协议编号 / the agreement's id")]
NeighbourName = Annotated[str, typer.Argument(metavar="NEIGHBOUR", help="相邻平台的 holder / the neighbour's holder")]


class Often(StrEnum):
    """How often data are wished for."""

    ONCE = "once"
    REALTIME = "realtime"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


_LIGHTS = {"green": "● 绿灯 / green", "yellow": "▲ 黄灯 / yellow", "red": "■ 红灯 / red"}


@contextmanager
def _cascade(config: Path) -> Iterator["Cascade"]:
    """Open a hub beside its running process."""
    from huodang.exchange.cascade import CascadeError
    from huodang.standards import Place
    from huodang.web import HubSettings, assemble

    services = assemble(HubSettings.load(config))
    try:
        if services.cascade is None:
            raise CascadeError(
                "hub.yaml 没有 cascade 一节",
                "hub.yaml has no section `cascade`",
                advice_chinese="请参照 docs/cascade.md 写上相邻平台。",
                advice_english="Name the neighbours there as docs/cascade.md shows.",
                place=Place(file=config.name),
            )
        yield services.cascade
    finally:
        services.close()


@app.command()
def publish(
    resources: Annotated[
        list[str], typer.Argument(metavar="RESOURCE...", help="本平台目录中的资源 / of this catalogue")
    ],
    config: Config,
    *,
    by: By = "steward",
) -> None:
    """把本平台的资源提供给相邻平台；使用仍须协议 / pass resources on; using them still takes an agreement.

    Examples:
      huodang cascade publish health.death_registered police.household --config hub/hub.yaml
    """
    with _cascade(config) as cascade:
        for one in resources:
            offer = cascade.publish(one, by=by)
            typer.echo(f"{one} → {offer.resource}")


@app.command()
def withdraw(
    resources: Annotated[
        list[str], typer.Argument(metavar="RESOURCE...", help="本平台目录中的资源 / of this catalogue")
    ],
    config: Config,
    *,
    by: By = "steward",
) -> None:
    """不再提供；相邻平台随后撤下，已有请求即刻拒绝 / pass on no longer: refused from the next question on.

    Examples:
      huodang cascade withdraw police.household --config hub/hub.yaml
    """
    with _cascade(config) as cascade:
        for one in resources:
            cascade.withdraw(one, by=by)
            typer.echo(f"已撤下 / withdrawn: {one}")


@app.command()
def subscribe(
    neighbour: NeighbourName,
    config: Config,
    resources: Annotated[
        list[str] | None, typer.Argument(metavar="[RESOURCE...]", help="不写则全部 / all if none is named")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看，不收 / look, take nothing")] = False,
) -> None:
    """把相邻平台的条目收进本目录；此后的新版本与撤下自动跟随 / take entries; versions and withdrawals then follow.

    Examples:
      huodang cascade subscribe province --dry-run --config hub/hub.yaml

      huodang cascade subscribe province province.police__household --config hub/hub.yaml
    """
    with _cascade(config) as cascade:
        if dry_run:
            for offer in cascade.look(neighbour):
                typer.echo(
                    f"{offer.resource}  {offer.entry.kind}  {' → '.join(offer.path)}  {offer.entry.title.chinese}"
                )
            return
        done = cascade.subscribe(neighbour, resources or None)
    for label, names in (
        ("新增 / added", done.added),
        ("更新 / changed", done.changed),
        ("撤下 / withdrawn", done.withdrawn),
    ):
        typer.echo(f"{label}: {'、'.join(names) or '—'}")


@app.command("list")
def list_(config: Config, *, as_json: Json = False) -> None:
    """本平台提供了什么，收了什么，与谁相邻 / what is passed on, what was taken, and from whom.

    Examples:
      huodang cascade list --config hub/hub.yaml
    """
    with _cascade(config) as cascade:
        offered, entries = cascade.offered(), cascade.entries()
        neighbours = cascade.settings.neighbours
    told = {
        "neighbours": [{"holder": one.holder, "url": one.url, "upper": one.upper} for one in neighbours],
        "offered": [{"resource": one.resource, "origin": one.origin_resource, "path": one.path} for one in offered],
        "taken": [
            {"resource": one.resource, "origin": one.origin_resource, "path": one.path, "state": one.state}
            for one in entries
        ],
    }
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for one in neighbours:
        typer.echo(f"{'上级 / above' if one.upper else '下级 / below'}: {one.holder}  {one.url}")
    for offer in offered:
        typer.echo(f"提供 / offered: {offer.resource}  ← {offer.origin_resource} @ {offer.origin_hub}")
    for entry in entries:
        typer.echo(f"收入 / taken: {entry.resource}  {' → '.join(entry.path)}  {entry.state}")


@app.command()
def propose(
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="收入的条目 / a taken entry")],
    config: Config,
    *,
    agreement_id: Annotated[str, typer.Option("--id", help="协议编号 / the agreement's id")],
    purpose: Annotated[list[str], typer.Option("--purpose", help="用途，可多次 / purpose, any number of times")],
    law: Annotated[str, typer.Option("--law", help="依据 / the law it rests on")],
    element: Annotated[list[str] | None, typer.Option("--element", help="可核对的数据元 / may be compared")] = None,
    field: Annotated[list[str] | None, typer.Option("--field", help="可返回的数据元 / may be handed over")] = None,
    valid_from: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="起 / first day")] = None,
    valid_to: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="止 / last day")] = None,
    calls_per_minute: Annotated[int | None, typer.Option("--per-minute", min=1, help="每分钟限额 / a minute")] = None,
    version: Number = 1,
) -> None:
    """作为使用方签署协议并送交提供的平台 / sign as the side that asks, and hand it to the hub that answers.

    Examples:
      huodang cascade propose province.police__household --id XY-2025-7 --purpose supervision --law 社会保险经办条例 \
          --element name --element death_date --field death_date --config hub/hub.yaml
    """
    from huodang.exchange import Agreement
    from huodang.exchange.cascade import CascadeError
    from huodang.standards import Place
    from huodang.store import SystemClock, shanghai_date

    with _cascade(config) as cascade:
        entry = cascade.entry(resource)
        if entry is None:
            raise CascadeError("没有收入该条目", "the entry hasn't been taken", place=Place(element=resource))
        today: date = shanghai_date(SystemClock().now())
        agreement = Agreement.from_payload(
            {
                "agreement_id": agreement_id,
                "version": version,
                "provider": entry.provider,
                "consumer": cascade.holder,
                "grant_signer": cascade.holder,
                "resource": resource,
                "kind": entry.kind.value,
                "purposes": purpose,
                "legal_basis": law,
                "elements": element or [],
                "fields": field or [],
                "valid_from": (valid_from.date() if valid_from else today).isoformat(),
                "valid_to": valid_to.date().isoformat() if valid_to else None,
                "calls_per_minute": calls_per_minute,
            }
        )
        taken = cascade.compacts.propose(agreement)
    typer.echo(f"{agreement_id} v{version}: {taken.state}")


@app.command()
def sign(agreement_id: AgreementId, config: Config, *, version: Number = 1) -> None:
    """作为提供方签署相邻平台提出的协议并送回；随即生效 / sign what a neighbour proposed, and hand it back.

    Examples:
      huodang cascade sign XY-2025-7 --config hub/hub.yaml
    """
    with _cascade(config) as cascade:
        typer.echo(f"{agreement_id} v{version}: {cascade.compacts.sign(agreement_id, version).state}")


@app.command()
def revoke(
    agreement_id: AgreementId,
    config: Config,
    *,
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    version: Number = 1,
) -> None:
    """撤销与相邻平台的协议：本平台即刻生效，并通知对方 / end an agreement: here at once, and the other side is told.

    Examples:
      huodang cascade revoke XY-2025-7 --reason 用途已终止 --config hub/hub.yaml
    """
    with _cascade(config) as cascade:
        cascade.compacts.revoke(agreement_id, version, reason)
    typer.echo(f"已撤销 / revoked: {agreement_id} v{version}")


@app.command()
def demand(
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="收入的条目 / a taken entry")],
    config: Config,
    *,
    purpose: Annotated[list[str], typer.Option("--purpose", help="用途，可多次 / purpose, any number of times")],
    law: Annotated[str, typer.Option("--law", help="依据 / the law it rests on")],
    element: Annotated[list[str] | None, typer.Option("--element", help="需核对的数据元 / to be compared")] = None,
    field: Annotated[list[str] | None, typer.Option("--field", help="需返回的数据元 / to be handed over")] = None,
    frequency: Annotated[Often, typer.Option("--frequency", help="多久一次 / how often")] = Often.REALTIME,
    note: Annotated[str, typer.Option("--note", help="说明 / what it is for")] = "",
) -> None:
    """向相邻平台的部门提出需求；答复、时限、红黄灯随后返回 / ask a department behind a neighbour for data.

    Examples:
      huodang cascade demand province.police__household --purpose supervision --law 社会保险经办条例 \
          --element name --element death_date --note 稽核核对 --config hub/hub.yaml
    """
    from huodang.exchange.cascade import CascadeError
    from huodang.standards import Place
    from huodang.store import SystemClock, shanghai_date

    with _cascade(config) as cascade:
        entry = cascade.entry(resource)
        if entry is None:
            raise CascadeError("没有收入该条目", "the entry hasn't been taken", place=Place(element=resource))
        asked = cascade.demands.ask(
            resource,
            entry.kind,
            purposes=tuple(purpose),
            legal_basis=law,
            frequency=frequency.value,
            valid_from=shanghai_date(SystemClock().now()),
            elements=tuple(element or ()),
            fields=tuple(field or ()),
            note=note,
        )
    _tell_demand(asked)


@app.command()
def demands(config: Config, *, as_json: Json = False) -> None:
    """向相邻平台提出的需求：状态、时限、红黄灯、答复 / demands put to neighbours: state, due day, light, answer.

    Examples:
      huodang cascade demands --config hub/hub.yaml
    """
    import msgspec

    with _cascade(config) as cascade:
        failed = cascade.demands.refresh()
        found = cascade.demands.asked()
    if as_json:
        typer.echo(msgspec.json.encode({"demands": found, "not_refreshed": failed}).decode())
        return
    for one in found:
        _tell_demand(one)
    for reference, code in failed.items():
        typer.echo(f"未能更新 / not refreshed: {reference} {code}")
    if not found:
        typer.echo("没有需求 / no demands")


def _tell_demand(one: "DemandAbove") -> None:
    stands = one.standing
    if stands is None:
        typer.echo(f"{one.reference}  {one.resource}  尚未送达，将重送 / not handed over yet, will be")
        return
    due = f"  {_LIGHTS.get(stands.light, '')} {stands.due_on.isoformat()}" if stands.due_on is not None else ""
    word = f"  {stands.note}" if stands.note else ""
    law = f"（{stands.law}）" if stands.law else ""
    waits = "、".join(stands.waits_for)
    typer.echo(f"{one.reference}  {one.resource}  {stands.chinese} / {stands.english}  {waits}{due}{word}{law}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="级联凭证 / the receipt")],
    *,
    trust: Annotated[
        Path,
        typer.Option("--trust", exists=True, dir_okay=False, help="查询方的 trust.json / the asking side's trust.json"),
    ],
    neighbours: Annotated[
        Path,
        typer.Option(
            "--neighbours", exists=True, dir_okay=False, help="相邻平台的公钥清单 / the neighbour's list of keys"
        ),
    ],
    as_json: Json = False,
) -> None:
    """离线核验经过多个平台的凭证 / check a receipt over several hubs, without network or database.

    退出码：0 有效，1 无效，2 输入有误。Exit code: 0 valid, 1 not valid, 2 bad input.

    Examples:
      huodang cascade verify chain.json --trust trust.json --neighbours neighbours/province.json
    """
    from huodang.exchange.cascade import verify_chain_receipt
    from huodang.trust import TrustedKeys

    report = verify_chain_receipt(file.read_bytes(), TrustedKeys.load(trust), TrustedKeys.load(neighbours))
    origin = report.origin
    if as_json:
        told = {
            "valid": report.valid,
            "fault": report.fault,
            "checks": report.checks,
            "origin": None if origin is None else {"hub": origin.hub, "department": origin.department},
            "path": None if origin is None else origin.path,
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for name, holds in report.checks.items():
            typer.echo(f"{'✓' if holds else '✗'} {name}")
        if origin is not None:
            typer.echo(f"来源 / origin: {origin.department} @ {origin.hub}  ({' → '.join(origin.path)})")
        typer.echo("凭证有效 / the receipt is valid" if report.valid else f"凭证无效 / NOT valid: {report.fault}")
    if not report.valid:
        raise typer.Exit(1)
