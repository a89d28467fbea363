"""A rule's result kept in the work folder, and read back when the same run goes on."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from huodang.store import write_whole
from huodang.supervision.check.judging import digest_of_findings
from huodang.supervision.check.request import RuleResult
from huodang.supervision.rules import Rule


def keep(work: Path, key: str, result: RuleResult) -> None:
    """Keep what a rule found. What failed isn't kept: it is tried again."""
    if result.state != "judged" or result.read_back:
        return
    folder = work / "results"
    folder.mkdir(exist_ok=True)
    pq.write_table(result.found, folder / f"{result.rule.code}.parquet")
    if result.unknown_rows is not None:
        pq.write_table(result.unknown_rows, folder / f"{result.rule.code}.unknown.parquet")
    notes = {"key": key, "unknown": dict(result.unknown), "digest": result.digest, "canaries": result.canaries}
    write_whole(folder / f"{result.rule.code}.json", json.dumps(notes, ensure_ascii=False).encode())


def read_back(work: Path, key: str, rule: Rule) -> RuleResult | None:
    """Give what a rule found in an earlier, interrupted run over the very same; None where there is nothing whole."""
    folder = work / "results"
    notes, found = folder / f"{rule.code}.json", folder / f"{rule.code}.parquet"
    if not notes.exists() or not found.exists():
        return None
    told = json.loads(notes.read_text(encoding="utf-8"))
    table = pq.read_table(found)
    if told["key"] != key or digest_of_findings(table) != told["digest"]:
        return None
    listed = folder / f"{rule.code}.unknown.parquet"
    return RuleResult(
        rule,
        "judged",
        table,
        told["unknown"],
        pq.read_table(listed) if told["unknown"] and listed.exists() else None,
        told["digest"],
        canaries=told["canaries"],
        read_back=True,
    )
