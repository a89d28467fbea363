"""The gateway's file as it is proposed, with what was found and what is to be decided as comments in Chinese. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from huodang.exchange.connect.coverage import TableQuality
from huodang.exchange.connect.mapping import ColumnMapping
from huodang.exchange.connect.proposal import Offer, TableProposal
from huodang.exchange.connect.said import Said
from huodang.exchange.quality import REASONS
from huodang.exchange.values import Kind

_PLAIN: Final = re.compile(r"[A-Za-z_\u4e00-\u9fff][A-Za-z0-9_.\u4e00-\u9fff]*")
_RESERVED: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
_LONGEST_COMMENT: Final = 300
_SECTIONS: Final = (
    (Kind.TABLE, "tables", "deliver"),
    (Kind.EVENT, "events", "publish"),
    (Kind.MATCH, "matches", "offer"),
)


@dataclass(frozen=True)
class GatewayFrame:
    """What of the gateway's file doesn't come from the source.

    Attributes:
        source: the section `source`, with `${VARIABLE}` in the place of a password.
    """

    department: str
    chinese: str
    english: str
    source: Mapping[str, Any]
    port: int = 8801


def write_gateway(
    frame: GatewayFrame,
    proposals: Sequence[TableProposal],
    quality: Mapping[str, TableQuality],
    remarks: Sequence[Said] = (),
) -> str:
    """Write the file; it is accepted by `read_gateway_file` as it stands.

    Args:
        frame: department and source.
        proposals: of all tables.
        quality: by table, what was measured.
        remarks: on the source as a whole.
    """
    lines = [
        "# 前置机配置：由 huodang connect 根据来源库提出，须由数据管理员核对后使用。 / Proposed: check before use.",
        "# 标“问”的是拿不准、没有采用的列；标“查”的已采用但须看一眼。口令不写入文件，只写环境变量名。",
        *(_comment(f"注意：{one.chinese}") for one in remarks),
        f"department: {_scalar(frame.department)}",
        f"name: {_flow({'chinese': frame.chinese, 'english': frame.english})}",
        "database: gateway.db",
        "keys: keys/",
        "trust: ../../trust.json",
        "agreements: agreements/",
        f"tls: {_flow(_tls(frame.department))}",
        f"listen: {_flow({'host': '127.0.0.1', 'port': frame.port})}",
        f"source: {_flow(frame.source)}",
    ]
    _checks(lines, proposals, quality)
    for kind, section, entries in _SECTIONS:
        offered = [(one, proposal) for proposal in proposals for one in proposal.offers if one.kind is kind]
        if offered:
            lines += ["", f"{section}:", f"  {entries}:"]
            for one, proposal in offered:
                _offer(lines, one, proposal, indent="    ", detailed=False)
    lists = [(one, proposal) for proposal in proposals for one in proposal.offers if one.kind is Kind.LIST]
    if lists:
        lines += ["", "lists:"]
        for one, proposal in lists:
            _offer(lines, one, proposal, indent="  ", detailed=False)
    lines += _left_out(proposals)
    return "\n".join(lines) + "\n"


def _checks(lines: list[str], proposals: Sequence[TableProposal], quality: Mapping[str, TableQuality]) -> None:
    offered = [(one, proposal) for proposal in proposals for one in proposal.offers if one.kind is Kind.CHECK]
    lines += ["", "resources:" if offered else "resources: []"]
    for one, proposal in offered:
        facts = proposal.mapping.facts
        count = "行数未知" if facts.rows is None else f"{'' if facts.exact else '约 '}{facts.rows} 行"
        lines.append("  " + _comment(f"{facts.name}：{facts.comment or '无注释'}；{count}"))
        measured = quality.get(facts.name)
        if measured is not None:
            lines.append("  " + _comment(_told_quality(measured)))
        for note in one.notes:
            lines.append("  " + _comment(note.chinese))
        _offer(lines, one, proposal, indent="  ", detailed=True)


def _told_quality(measured: TableQuality) -> str:
    reasons: dict[str, int] = {}
    for text, count in measured.report.by_reason.items():
        reasons[text.split("|")[0]] = reasons.get(text.split("|")[0], 0) + count
    told = "；".join(
        f"{REASONS[reason].chinese if reason in REASONS else reason} {count}"
        for reason, count in sorted(reasons.items())
    )
    fresh = f"；最新 {measured.newest}" if measured.newest else ""
    return (
        f"抽样 {measured.rows} 行，按此映射将隔离 {measured.quarantined} 行{'（' + told + '）' if told else ''}{fresh}"
    )


def _offer(lines: list[str], offer: Offer, proposal: TableProposal, *, indent: str, detailed: bool) -> None:
    lines.append(f"{indent}- resource: {_scalar(offer.resource)}")
    inner = indent + "  "
    for key, value in offer.spec.items():
        if key == "elements":
            lines.append(f"{inner}elements:")
            _elements(lines, value, proposal, indent=inner + "  ", detailed=detailed)
        elif key in ("outcomes", "rules") and value:
            lines.append(f"{inner}{key}:")
            lines += [f"{inner}  - {_flow(one)}" for one in value]
        else:
            lines.append(f"{inner}{key}: {_flow(value)}")


def _elements(
    lines: list[str], specs: Mapping[str, Any], proposal: TableProposal, *, indent: str, detailed: bool
) -> None:
    for name, spec in specs.items():
        mapped = proposal.mapping.used[name]
        told = f"  {_comment(_why(mapped))}" if detailed else ""
        lines.append(f"{indent}{name}: {_flow(spec)}{told}")
        if detailed:
            lines += [f"{indent}{_comment('查：' + one.chinese)}" for one in mapped.questions]
    if detailed:
        for one in proposal.mapping.asked:
            text = f"问：{one.column} 可能是 {one.element.chinese}（{_why(one)}）"
            lines.append(f"{indent}{_comment(text)}")
            lines.append(f"{indent}{_comment(f'  {one.element.identifier}: {_flow(one.spec(several_formats=False))}')}")


def _why(mapped: ColumnMapping) -> str:
    return f"{mapped.element.chinese} {mapped.confidence:.0%}：{'；'.join(one.chinese for one in mapped.evidence)}"


def _left_out(proposals: Sequence[TableProposal]) -> list[str]:
    left = [one for one in proposals if not one.offers]
    if not left:
        return []
    lines = ["", "# 没有提出资源的表："]
    lines += [_comment(f"  {one.mapping.facts.name}：{one.why_not.chinese if one.why_not else ''}") for one in left]
    return lines


def _tls(department: str) -> dict[str, str]:
    folder = "../../tls"
    return {
        "certificate": f"{folder}/{department}.crt",
        "key": f"{folder}/{department}.key",
        "authority": f"{folder}/authority.crt",
    }


def _comment(text: str) -> str:
    """Make one line of comment, whatever a column's name or comment holds."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return "# " + shown[:_LONGEST_COMMENT]


def _flow(value: Any) -> str:  # noqa: ANN401  (whatever a gateway's file holds)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    # JSON's strings are YAML's double-quoted ones; what isn't printable stands escaped.
    return json.dumps(text, ensure_ascii=not text.isprintable())
