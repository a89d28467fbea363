"""`huodang receipt`: check a receipt offline."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.ledger import ReceiptReport

app = typer.Typer(help="凭证核验 / receipts", no_args_is_help=True)


@app.callback()
def receipts() -> None:
    """凭证核验 / receipts."""


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="凭证文件 / the receipt")],
    trust: Annotated[
        Path | None, typer.Option(metavar="KEYS", help="受信任公钥清单 trust.json / the list of trusted keys")
    ] = None,
    operator: Annotated[str, typer.Option(help="账本运营方 / the holder whose keys sign the ledger")] = "hub",
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,  # noqa: FBT002  (a flag)
) -> None:
    """离线核验凭证，不需要网络和数据库 / check a receipt offline, without network or database.

    退出码：0 有效，1 无效，2 输入有误。Exit code: 0 valid, 1 not valid, 2 bad input.

    \b
    例 / examples:
      huodang receipt verify receipt.json --trust trust.json
      huodang receipt verify receipt.json --json
    """
    from huodang.ledger import verify_receipt
    from huodang.trust import TrustedKeys

    trusted = None if trust is None else TrustedKeys.load(trust)
    report = verify_receipt(_read(file), trusted, operator=operator)
    typer.echo(_as_json(report) if as_json else _as_text(report))
    if not report.valid:
        raise typer.Exit(1)


def _read(file: Path) -> bytes:
    from huodang.ledger import NotAReceiptError
    from huodang.standards import Place

    try:
        return file.read_bytes()
    except OSError as error:
        raise NotAReceiptError(
            "读不到凭证文件",
            "The receipt cannot be read",
            advice_chinese="请核对文件路径和权限。",
            advice_english="Check its path and mode.",
            place=Place(file=file.name),
        ) from error


def _as_json(report: "ReceiptReport") -> str:
    from huodang.store import utc_text

    entry = report.entry
    members = {
        "valid": report.valid,
        "key_source": report.key_source,
        "content_revealed": report.content is not None,
        "entry": None if entry is None else {"kind": entry.kind, "at": utc_text(entry.at), "facts": dict(entry.facts)},
        "checks": [
            {"code": check.code, "passed": check.passed, "zh": check.chinese, "en": check.english}
            for check in report.checks
        ],
    }
    return json.dumps(members, ensure_ascii=False, indent=2)


def _as_text(report: "ReceiptReport") -> str:
    from huodang.store import shanghai_text

    lines: list[str] = []
    if report.entry is not None:
        lines.append(f"{report.entry.kind}  {shanghai_text(report.entry.at)}（北京时间 / Beijing time）")
        lines += [f"  {name}: {value}" for name, value in report.entry.facts.items()]
    for check in report.checks:
        lines += [f"{'✓' if check.passed else '✗'} {check.chinese}", f"  {check.english}"]
    if report.content is None:
        lines += ["· 凭证未出示内容，只证明条目存在", "  the receipt shows no content: it proves the entry only"]
    if report.key_source == "receipt":
        lines += [
            "! 未提供受信任公钥：签名密钥取自凭证本身，只能证明凭证自身一致，不能证明由谁出具。请加 --trust。",
            "  no trusted keys given: the signing keys were taken from the receipt itself, so it is shown to agree",
            "  with itself, not who issued it. Add --trust.",
        ]
    lines += ["凭证有效 / the receipt is valid"] if report.valid else ["凭证无效 / the receipt is NOT valid"]
    return "\n".join(lines)
