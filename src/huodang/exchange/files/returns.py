"""What goes back to a department: receipt (回执), refusal with its reason (拒收通知), the rows to be corrected."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from huodang.exchange.files.checking import Problem, quality_payload
from huodang.exchange.files.deliveries import FileDelivery
from huodang.exchange.files.inspection import Inspected
from huodang.exchange.files.manifest import Manifest
from huodang.exchange.quality import BadRow, write_quarantine
from huodang.store import shanghai_text, write_whole

REASON: Final = "reason.json"
REASON_TEXT: Final = "拒收原因.txt"
RECEIPT: Final = "receipt.json"
RECEIPT_TEXT: Final = "回执.txt"
_MOST_IN_EXCEL: Final = 500_000


def write_refusal(folders: list[Path], manifest: Manifest | None, problems: list[Problem], at: str) -> None:
    """Write why a delivery was refused whole, for machines and for people, into several folders."""
    payload: dict[str, Any] = {
        "state": "refused",
        "at": at,
        **_named(manifest),
        "problems": [{"reason": one.reason, "chinese": one.chinese, "english": one.english} for one in problems],
    }
    lines = [
        "本次交付整批拒收，没有任何一行被采用。",
        "This delivery was refused whole; no row of it was taken.",
        *_told(manifest),
        "",
        *(f"[{one.reason}] {one.chinese}\n    {one.english}" for one in problems),
        "",
        "更正后请重新打包签署，使用新的序号。",
        "Correct it, pack and sign it again under a new number.",
    ]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / REASON, json.dumps(payload, ensure_ascii=False, indent=2).encode())
        write_whole(folder / REASON_TEXT, ("\r\n".join(lines) + "\r\n").encode("utf-8-sig"))


def write_receipt(
    folders: list[Path], manifest: Manifest, delivery: FileDelivery, found: Inspected, effect: dict[str, Any]
) -> None:
    """Write what was taken, for machines and for people.

    Args:
        folders: where to.
        manifest: of the delivery.
        delivery: as it is kept.
        found: what was read.
        effect: the reconciliation: rows inserted, updated, deleted, roots.
    """
    payload: dict[str, Any] = {
        "state": "taken",
        "at": shanghai_text(delivery.ended_at) if delivery.ended_at else "",
        **_named(manifest),
        "lot": delivery.lot_id,
        "missing_before": delivery.missing_before,
        "quality": quality_payload(found),
        "effect": effect,
    }
    lines = [
        "本次交付已接收。 / This delivery was taken.",
        *_told(manifest),
        f"读到 {found.quality.rows} 行，采用 {found.quality.taken} 行，退回更正 {found.quality.quarantined} 行。",
        f"{found.quality.rows} rows were read, {found.quality.taken} taken, {found.quality.quarantined} sent back.",
        f"新增 {effect['inserted']}，更新 {effect['updated']}，删除 {effect['deleted']}；",
        f"库中现有 {effect['hub_rows']} 行。 / Now {effect['hub_rows']} rows are held.",
        f"批次 / lot: {delivery.lot_id}",
    ]
    if delivery.missing_before:
        lines += [
            f"注意：此前有 {delivery.missing_before} 个序号没有收到，请核对是否漏交。",
            f"Note: {delivery.missing_before} numbers before this one never came; see whether any was forgotten.",
        ]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RECEIPT, json.dumps(payload, ensure_ascii=False, indent=2).encode())
        write_whole(folder / RECEIPT_TEXT, ("\r\n".join(lines) + "\r\n").encode("utf-8-sig"))


def write_back_rows(folder: Path, bad_rows: Iterator[BadRow], count: int) -> None:
    """Write the rows to be corrected beside the receipt; as Excel unless there are too many."""
    if count:
        folder.mkdir(parents=True, exist_ok=True)
        write_quarantine(folder / ("待更正.xlsx" if count <= _MOST_IN_EXCEL else "待更正.csv"), bad_rows)


def _named(manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return {}
    return {
        "manifest": manifest.manifest_id,
        "resource": manifest.resource,
        "agreement": manifest.agreement_id,
        "sequence": manifest.sequence,
    }


def _told(manifest: Manifest | None) -> list[str]:
    if manifest is None:
        return []
    return [
        f"资源 / resource: {manifest.resource}",
        f"协议 / agreement: {manifest.agreement_id}；序号 / number: {manifest.sequence}",
        "文件 / files: " + "、".join(line.name for line in manifest.files),
    ]
