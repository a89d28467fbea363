"""`huodang steward demand|review|correct|…`: what a department does about demands and corrections, as signed files."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from huodang.exchange import Steward
    from huodang.trust import SignedEnvelope

Config = Annotated[
    Path, typer.Option("--config", help="前置机的 YAML 文件 / the gateway's YAML file", exists=True, dir_okay=False)
]
Out = Annotated[Path, typer.Option("--out", help="写到该文件，交给枢纽 / write here, to be handed to the hub")]
Note = Annotated[str, typer.Option("--note", help="原因或要求 / reason or request")]


def register(app: typer.Typer) -> None:
    """Put the commands of this file under `huodang steward`."""
    for name, command in (
        ("demand", demand),
        ("review", review),
        ("correct", correct),
        ("answer-correction", answer_correction),
        ("recall", recall),
        ("notice", notice),
        ("acknowledge", acknowledge),
        ("end-use", end_use),
    ):
        app.command(name)(command)


def _open(config: Path) -> "Steward":
    from huodang.exchange import Steward, read_gateway_file

    return Steward(read_gateway_file(config))


def _write(envelope: "SignedEnvelope", out: Path) -> None:
    from huodang.store import write_whole

    write_whole(out, envelope.to_json().encode())
    typer.echo(f"已签署，请交给枢纽（huodang sharing take）/ signed; hand it to the hub: {out}")


def _yaml(path: Path) -> Any:  # noqa: ANN401  (what a YAML file holds is judged where it is read)
    import yaml

    from huodang.exchange import MessageError
    from huodang.standards import Place

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as problem:
        raise MessageError("不是有效的 YAML", "this isn't valid YAML", place=Place(file=str(path))) from problem


def demand(
    terms: Annotated[Path, typer.Argument(help="需求 YAML / the demand as YAML", exists=True, dir_okay=False)],
    config: Config,
    out: Out,
    *,
    note: Note = "",
) -> None:
    """提出共享需求 / raise a demand.

    The YAML holds: provider, resource (or `wished` in words), purposes, legal_basis, kind, frequency, elements, fields,
    rows, valid_from, valid_to. See docs/sharing.md.

    Examples:
      huodang steward demand demand.yaml --config departments/social_insurance/gateway.yaml --out D.json
    """
    from huodang.exchange import MessageError
    from huodang.exchange.sharing import DemandTerms
    from huodang.standards import Place

    steward = _open(config)
    raw = _yaml(terms)
    if not isinstance(raw, dict):
        raise MessageError("应为键值", "this should be a mapping", place=Place(file=str(terms)))
    wanted = DemandTerms.from_payload({"consumer": steward.department, **raw})
    _write(steward.act("demand", note=note, data={"terms": wanted.to_payload()}), out)


def review(
    demand_id: Annotated[str, typer.Argument(help="需求编号 / the demand's id")],
    event: Annotated[
        str,
        typer.Argument(
            help="accept 受理 | ask_supplement 要求补正 | supply 补正 | approve 同意 | publish 发布 | refuse 拒绝 | "
            "dispute 提请协调 | renew 续签 | call_off_renewal 取消续签 | withdraw 撤回"
        ),
    ],
    config: Config,
    out: Out,
    *,
    note: Note = "",
    law: Annotated[str, typer.Option(help="法律依据，拒绝时必填 / the law, for a refusal")] = "",
    resource: Annotated[str, typer.Option(help="已发布的资源名 / the entry that was published")] = "",
    valid_to: Annotated[str, typer.Option(help="续签后的止期 / the new last day, 2027-12-31")] = "",
    terms: Annotated[
        Path | None, typer.Option(help="缩小或补正的条款 YAML / changed terms as YAML", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """办理一项需求的一步 / take one step with a demand.

    Examples:
      huodang steward review dxxxx accept --config departments/police/gateway.yaml --out A.json

      huodang steward review dxxxx refuse --note 涉密 --law 保守国家秘密法 --config gateway.yaml --out A.json
    """
    from huodang.exchange import MessageError
    from huodang.exchange.sharing import DemandEvent

    if event not in set(DemandEvent):
        raise MessageError(f"没有“{event[:40]}”这一步", f"there is no step {event[:40]}")
    data: dict[str, Any] = {"event": event}
    data |= {name: value for name, value in (("law", law), ("resource", resource), ("valid_to", valid_to)) if value}
    if terms is not None:
        data["terms"] = _jsonable(_yaml(terms))
    _write(_open(config).act("demand_event", demand_id, note=note, data=data), out)


def correct(
    config: Config,
    out: Out,
    resource: Annotated[str, typer.Option(help="资源 / the resource")],
    element: Annotated[str, typer.Option(help="数据元 / the element")],
    reference: Annotated[str, typer.Option(help="授权、批次或事件编号 / id of the grant, lot or event")],
    *,
    origin: Annotated[str, typer.Option(help="verdict | batch | lot | event")] = "verdict",
    evidence: Annotated[
        Path | None,
        typer.Option(help="证据文件，只记摘要 / evidence; only its digest leaves", exists=True, dir_okay=False),
    ] = None,
    note: Note = "",
) -> None:
    """对收到的数据提出疑误 / mark a value that was received as wrong.

    Number and right value are asked for, so that they stay in no history; they leave sealed for the hub.

    Examples:
      huodang steward correct --resource police.household --element name --reference gxxxx --evidence 户口簿.pdf
      --config departments/social_insurance/gateway.yaml --out C.json
    """
    import hashlib

    from huodang.exchange.sharing import CorrectionClaim, check_claim, seal_claim

    digest = "" if evidence is None else hashlib.sha256(evidence.read_bytes()).hexdigest()
    claim = CorrectionClaim(
        resource=resource,
        identity_number=typer.prompt("证件号码 / identity number", hide_input=True),
        element=element,
        believed=typer.prompt("正确的值 / the right value", hide_input=True),
        origin=origin,
        reference=reference,
        evidence=digest,
    )
    check_claim(claim, note)
    _write(_open(config).act("correction", note=note, sealed=seal_claim(claim)), out)


def answer_correction(
    correction_id: Annotated[str, typer.Argument(help="疑误编号 / the correction's id")],
    event: Annotated[str, typer.Argument(help="accept 更正 | reject 不予更正 | dispute 提出争议 | withdraw 撤回")],
    config: Config,
    out: Out,
    *,
    note: Note = "",
    law: Annotated[str, typer.Option(help="法律依据，不予更正时必填 / the law, for a rejection")] = "",
    in_force_from: Annotated[str, typer.Option(help="更正生效日期 / from which day, 2025-03-03")] = "",
) -> None:
    """答复或推进一项疑误 / answer a correction, or take it on.

    The corrected value is asked for and leaves sealed for the hub.

    Examples:
      huodang steward answer-correction cxxxx accept --in-force-from 2025-03-03 --note 已核实 --config gateway.yaml
      --out A.json
    """
    sealed = None
    if event == "accept":
        sealed = {"corrected": typer.prompt("更正后的值 / the corrected value", hide_input=True)}
    data = {"event": event, "law": law, "in_force_from": in_force_from}
    _write(_open(config).act("correction_event", correction_id, note=note, data=data, sealed=sealed), out)


def recall(
    resource: Annotated[str, typer.Argument(help="资源 / the resource")],
    reference: Annotated[str, typer.Argument(help="批次、授权或事件编号 / id of the lot, grant or event")],
    config: Config,
    out: Out,
    note: Annotated[str, typer.Option("--note", help="召回原因 / why")],
    *,
    origin: Annotated[str, typer.Option(help="lot | batch | verdict | event")] = "lot",
) -> None:
    """召回一次已送达的交换 / recall a whole delivery.

    Examples:
      huodang steward recall police.household_table lxxxx --note 抽取口径错误 --config gateway.yaml --out R.json
    """
    data = {"resource": resource, "origin": origin, "reference": reference}
    _write(_open(config).act("recall", note=note, data=data), out)


def notice(
    file: Annotated[Path, typer.Argument(help="更正或召回通知 / the notice", exists=True, dir_okay=False)],
    config: Config,
    *,
    show: Annotated[bool, typer.Option("--show", help="显示所涉个人的值 / show the person's values")] = False,
) -> None:
    """核验并打开更正或召回通知 / check and open a correction notice.

    Examples:
      huodang steward notice N.json --show --config departments/social_insurance/gateway.yaml
    """
    read, values = _open(config).open_notice(file.read_bytes())
    typer.echo(f"通知 / notice: {read.notice_id} ({read.kind})")
    typer.echo(
        f"资源 / resource: {read.resource}  数据元 / element: {read.element or '—'}  原因 / reason: {read.reason}"
    )
    for copy in read.copies:
        typer.echo(f"  收到于 / received by: {copy.origin} {copy.reference}")
    if show:
        for name, value in values.items():
            typer.echo(f"{name}: {value}")
    elif values:
        typer.echo("个人的值未显示；加 --show 显示 / the person's values aren't shown; add --show")


def acknowledge(
    notice_id: Annotated[str, typer.Argument(help="通知编号 / the notice's id")],
    config: Config,
    out: Out,
) -> None:
    """确认已按通知处理 / say that a notice was acted on.

    Examples:
      huodang steward acknowledge nxxxx --config departments/social_insurance/gateway.yaml --out K.json
    """
    _write(_open(config).act("acknowledge", notice_id), out)


def end_use(
    agreement: Annotated[Path, typer.Argument(help="已签协议文件 / the signed agreement", exists=True, dir_okay=False)],
    config: Config,
    out: Out,
    reason: Annotated[str, typer.Option("--reason", help="撤销原因 / why")],
) -> None:
    """使用方撤销协议：生成撤销文件交枢纽，由枢纽送达提供方前置机 / end an agreement as its consumer.

    The provider's own gateway ends it with `huodang steward revoke`, which needs no hub.

    Examples:
      huodang steward end-use XY-1.json --reason 业务终止 --config gateway.yaml --out R.json
    """
    _write(_open(config).revoke_signed(agreement.read_bytes(), reason), out)


def _jsonable(value: Any) -> Any:  # noqa: ANN401  (YAML's own days become text, as envelopes carry them)
    import msgspec

    return msgspec.to_builtins(value)
