"""What proves a run: the digests of inputs, rules and results, engine and canaries; signed where keys are given."""

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import huodang.supervision.rules as rules_package
import huodang.supervision.tables as tables_package
from huodang.supervision.check.request import CheckRequest, RuleResult
from huodang.supervision.rules import Rule, RuleSettings
from huodang.supervision.tables import Kind, Understanding
from huodang.trust import Signer, sign_envelope

KIND = "check_certificate"


def rule_digest(rule: Rule) -> str:
    """Give the SHA-256 of the file that declares a rule."""
    source = inspect.getsourcefile(rule.find)
    content = Path(source).read_bytes() if source and Path(source).exists() else rule.code.encode()
    return hashlib.sha256(content).hexdigest()


@cache
def code_digest() -> str:
    """Give one SHA-256 over the code and data of tables and rules."""
    total = hashlib.sha256()
    for package in (tables_package, rules_package):
        folder = Path(str(package.__file__)).parent
        for file in sorted(one for one in folder.rglob("*") if one.suffix in {".py", ".yaml"}):
            total.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def run_key(
    request: CheckRequest,
    rules: Iterable[Rule],
    understanding: Understanding,
    digests: Mapping[Kind, tuple[str, ...]],
) -> str:
    """Give one digest over all that decides the results: inputs, columns, code, rules, settings, engine."""
    told = {
        "code": code_digest(),
        "rules": {rule.code: rule_digest(rule) for rule in rules},
        "digests": {kind.value: list(found) for kind, found in digests.items()},
        "columns": [
            [table.kind.value, [[one.header, one.canonical, one.unit, one.value] for one in table.columns]]
            for table in understanding.tables
        ],
        "months": [str(month) for month in request.months],
        "only_months": request.only_months,
        "engine": request.engine,
        "thresholds": dict(sorted(request.thresholds.items())),
        "today": str(request.today),
        "version": version("huodang"),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def certificate(
    request: CheckRequest,
    understanding: Understanding,
    digests: Mapping[Kind, tuple[str, ...]],
    *,
    settings: RuleSettings,
    results: Iterable[RuleResult],
    versions: Mapping[str, str],
    now: datetime,
) -> dict[str, object]:
    """Say what was checked, by which code, with what result. No personal data, no amounts beyond sums."""
    return {
        "made_at": now.isoformat(timespec="seconds"),
        "huodang": version("huodang"),
        "engine": dict(versions),
        "months": [str(month) for month in settings.months],
        "inputs": [
            {"kind": kind.value, "file": table.file, "sha256": digest}
            for kind in understanding.kinds
            for table, digest in zip(understanding.of(kind), digests[kind], strict=True)
        ],
        "code_sha256": code_digest(),
        "rules": [
            {
                "code": one.rule.code,
                "state": one.state,
                "code_sha256": rule_digest(one.rule),
                "result_sha256": one.digest,
                "count": one.count,
                "fen": one.fen,
                "canaries_found": one.canaries if one.state == "judged" else 0,
            }
            for one in results
        ],
        "masked": not request.unmasked_reason,
        "unmasked_reason": request.unmasked_reason,
    }


def signed(payload: Mapping[str, object], signing: tuple[Path, str] | None) -> bytes:
    """Give the certificate as it is written: an envelope signed by the holder, or plain where no keys are given."""
    if signing is None:
        return (json.dumps(payload, ensure_ascii=False, indent=2) + "\n").encode()
    folder, holder = signing
    return sign_envelope(KIND, dict(payload), Signer.load(folder, holder)).to_json().encode()
