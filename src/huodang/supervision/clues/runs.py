"""Findings of a run of `huodang check`, as clues take them: read from the run's folder and the files it checked.

A run's own files are masked and stay so: the numbers are read from the very files that were checked, held against the
digests in the run's certificate.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files as resource_files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import pyarrow.parquet as pq
import yaml

from huodang.standards import IdentityError, IdentityNumber, Month, MonthError, Place
from huodang.supervision.clues.errors import FindingError
from huodang.supervision.clues.matters import matter_of
from huodang.supervision.clues.values import Finding, Signal, Stance
from huodang.supervision.rules import Rule, all_rules
from huodang.supervision.tables import Kind, connect, digest_of, open_files, originals, understand
from huodang.supervision.tables.codes import schemes
from huodang.trust import canonical_json, sha256

_NOT_SEEN: Final = frozenset({"row", "fen", "text"})
_DAY: Final = 8


class Witness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which register a rule's findings stand on; see `data/signals.yaml`."""

    register: str
    kind: str
    source: str
    facts: dict[str, str]
    against: str


class Witnesses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    default: Witness
    sources: dict[str, str]
    rules: dict[str, Witness]


@dataclass(frozen=True)
class RunFindings:
    """The findings of a run.

    Attributes:
        run_id: the run's own key: the same run has the same one.
        set_aside: rows that name no valid number, by rule: they are no clue about a person.
    """

    run_id: str
    findings: tuple[Finding, ...]
    set_aside: Mapping[str, int]


@cache
def witnesses() -> Witnesses:
    """Give the data file."""
    text = resource_files("huodang.supervision.clues").joinpath("data", "signals.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Witnesses)


def findings_of_run(
    out: Path,
    files: Mapping[Kind, Sequence[Path]],
    known_at: datetime,
    *,
    mapping: Path | None = None,
    rules: Sequence[Rule] = (),
) -> RunFindings:
    """Read what a run found, one finding for a rule, person and scheme.

    Args:
        out: the folder of the run.
        files: the files it checked, at least those whose rows were found.
        known_at: when the platform came to know: the time of the run.
        mapping: the mapping file of the run, if it had one.
        rules: a county's own rules that the run judged, beside the product's.

    Raises:
        FindingError: the folder holds no run, a file isn't one it checked, or a rule isn't known.
        HuodangError: a file can't be read.
    """
    key, digests = _run(out)
    for paths in files.values():
        for path in paths:
            if digest_of(path) not in digests:
                raise FindingError(
                    "这个文件不是该次比对的输入，或已被改动",
                    "this file isn't one that the run checked, or was changed since",
                    advice_chinese="请提供比对时的原文件。",
                    advice_english="Give the files that were checked.",
                    place=Place(file=path.name),
                )
    known = {rule.code: rule for rule in (*all_rules(), *rules)}
    findings: list[Finding] = []
    set_aside: dict[str, int] = {}
    with _opened(files, mapping) as texts_of:
        for notes in sorted((out / "work" / "results").glob("*.json")):
            code = notes.stem
            if json.loads(notes.read_text(encoding="utf-8"))["key"] != key:
                continue
            rule = known.get(code)
            if rule is None:
                raise FindingError(
                    f"不认识规则 {code}",
                    f"the rule {code} isn't known",
                    advice_chinese="本地规则请用 --rules 指明。",
                    advice_english="Name a county's own rules by --rules.",
                )
            rows = pq.read_table(notes.with_suffix(".parquet")).to_pylist()
            if rows:
                found, aside = _of_rule(rule, rows, texts_of(rule, [row["row"] for row in rows]), key[:32], known_at)
                findings += found
                if aside:
                    set_aside[code] = aside
    return RunFindings(key[:32], tuple(findings), set_aside)


def _run(out: Path) -> tuple[str, frozenset[str]]:
    try:
        key = json.loads((out / "work" / "run.json").read_text(encoding="utf-8"))["key"]
        told = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
        inputs = told.get("payload", told)["inputs"]
        return str(key), frozenset(str(one["sha256"]) for one in inputs)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise FindingError(
            "这个目录不是完整的比对结果",
            "this folder doesn't hold the results of a check",
            advice_chinese="请指向 huodang check 的 --out 目录。",
            advice_english="Name the folder that `huodang check` wrote by --out.",
            place=Place(file=str(out)),
        ) from problem


@contextmanager
def _opened(files: Mapping[Kind, Sequence[Path]], mapping: Path | None) -> Iterator[Any]:
    """Open the files checked, and give what reads the texts of some rows of a rule's table."""
    with (
        TemporaryDirectory(prefix="huodang-clues-") as folder,
        closing(connect("2GB", None, Path(folder))) as connection,
    ):
        understanding = understand(files, mapping)
        if understanding.problems:
            raise understanding.problems[0]
        opened = open_files(understanding, Path(folder) / "staging", connection)

        def texts_of(rule: Rule, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
            if rule.about not in opened:
                raise FindingError(
                    f"规则 {rule.code} 的发现在{rule.about.chinese}中，请提供该文件",
                    f"what the rule {rule.code} found stands in the {rule.about.value}: give that file",
                    advice_chinese=f"请加 --{rule.about.value}。",
                    advice_english=f"Add --{rule.about.value}.",
                )
            return {one["row"]: one for one in originals(connection, opened[rule.about], rows).to_pylist()}

        yield texts_of


def _of_rule(
    rule: Rule,
    rows: Sequence[Mapping[str, Any]],
    texts: Mapping[int, Mapping[str, Any]],
    run_id: str,
    known_at: datetime,
) -> tuple[list[Finding], int]:
    """Put the rows of a rule together by person and scheme."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    set_aside = 0
    for row in rows:
        text = texts[row["row"]]
        try:
            number = IdentityNumber.parse(text["identity_number"] or "").text
        except IdentityError:
            set_aside += 1
            continue
        written = (text["scheme"] or "").strip()
        codes = schemes()
        scheme = codes.get(written, written if written in codes.values() else "")
        groups.setdefault((number, scheme), []).append({**row, "text": text})
    found = [
        Finding(
            rule=rule.code,
            identity_number=number,
            scheme=scheme,
            months=_months(group),
            fen=max(0, sum(int(one["fen"]) for one in group)),
            signals=_signals(rule.code, number, group, known_at),
            run_id=run_id,
            evidence=_evidence(rule, number, group),
            region=_region(group),
        )
        for (number, scheme), group in groups.items()
    ]
    return found, set_aside


def _signals(code: str, number: str, group: Sequence[Mapping[str, Any]], known_at: datetime) -> tuple[Signal, ...]:
    told = witnesses()
    witness = told.rules.get(code, told.default)
    first = group[0]
    named = str(first.get(witness.source) or "") if witness.source else ""
    register = next((who for word, who in told.sources.items() if word in named), witness.register)
    kind = witness.kind or matter_of(code)
    fact = {name: _plain(first[column]) for column, name in witness.facts.items() if first.get(column) is not None}
    signals = [_signal(register, kind, fact, number, known_at, Stance.FOR)]
    if witness.against and any(one.get(witness.against) for one in group):
        signals.append(_signal("police", "alive", {}, number, known_at, Stance.AGAINST))
    return tuple(signals)


def _signal(  # noqa: PLR0917  (a signal has so many sides)
    register: str, kind: str, fact: Mapping[str, str], number: str, known_at: datetime, stance: Stance
) -> Signal:
    digest = sha256(canonical_json({"register": register, "kind": kind, "fact": dict(fact), "of": number})).hex()
    return Signal(
        register=register,
        kind=kind,
        fact=fact,
        digest=digest,
        confirmed=False,
        fuzzy=False,
        known_at=known_at,
        stance=stance,
    )


def _evidence(rule: Rule, number: str, group: Sequence[Mapping[str, Any]]) -> bytes:
    """Freeze the rows as they stand in the file, with what the rule saw in them."""
    lines = [
        {
            **{name: value for name, value in one["text"].items() if value is not None},
            **{name: _plain(value) for name, value in one.items() if name not in _NOT_SEEN and value is not None},
            "fen": str(one["fen"]),
        }
        for one in group
    ]
    shown = {"rule": rule.code, "identity_number": number, "name": str(group[0]["text"].get("name") or "")}
    return canonical_json({**shown, "fen": str(sum(int(one["fen"]) for one in group)), "rows": lines})


def _months(group: Sequence[Mapping[str, Any]]) -> tuple[Month, ...]:
    found: set[Month] = set()
    for one in group:
        try:
            found.add(Month.parse(str(one["text"]["month"] or "")))
        except MonthError:  # a table without months: the clue names none
            continue
    return tuple(sorted(found))


def _region(group: Sequence[Mapping[str, Any]]) -> str:
    text = str(group[0]["text"].get("region") or "").strip()
    return text[:6] if text[:6].isdecimal() and len(text) >= 6 else ""


def _plain(value: object) -> str:
    """Write a value of a table as text: a day as 2025-03-03, everything else as it is."""
    text = str(value)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if isinstance(value, int) and len(text) == _DAY else text
