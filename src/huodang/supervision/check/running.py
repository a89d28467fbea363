"""One run of a check: files understood and loaded, rules judged each by itself, results written; it can be resumed."""

import getpass
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from huodang.standards import HuodangError, Month, Place
from huodang.store import Clock, SystemClock, utc_text, write_whole
from huodang.supervision.check.columns import columns_read
from huodang.supervision.check.engines import DuckEngine, Engine, SparkEngine, is_spark
from huodang.supervision.check.errors import CheckError, OutputTakenError
from huodang.supervision.check.findings import Shown, rows_found, write_findings
from huodang.supervision.check.judging import judge
from huodang.supervision.check.keeping import keep, read_back
from huodang.supervision.check.proof import certificate, run_key, signed
from huodang.supervision.check.report import report
from huodang.supervision.check.request import CheckRequest, CheckResult, RuleResult
from huodang.supervision.rules import Rule, RuleSettings, all_rules, plant_all
from huodang.supervision.tables import (
    SAID,
    Kind,
    Prepared,
    PrepareSettings,
    Progress,
    Reason,
    Understanding,
    digest_of,
    prepare,
    understand,
)

_ANY: Final = RuleSettings(Month(2025, 1))
_RUN: Final = "run.json"
_MANY: Final = 2_000_000
"""Rows from which it pays to find out which columns the rules read, and to load no others."""


@dataclass
class _Input:
    """What was loaded of the files."""

    months: tuple[Month, ...]
    counts: Mapping[str, int]
    quarantined: Mapping[str, Mapping[str, int]]
    other_months: int
    months_without_payments: tuple[Month, ...]

    def to_payload(self) -> dict[str, Any]:
        return {
            "months": [str(month) for month in self.months],
            "rows": dict(self.counts),
            "quarantined": {kind: dict(reasons) for kind, reasons in self.quarantined.items() if reasons},
            "other_months": self.other_months,
            "months_without_payments": [str(month) for month in self.months_without_payments],
        }


def quiet(_step: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


def run_check(
    request: CheckRequest,
    progress: Progress = quiet,
    *,
    understanding: Understanding | None = None,
    clock: Clock | None = None,
    on_rule: Callable[[RuleResult], None] = lambda _: None,
) -> CheckResult:
    """Run a check and write its results.

    Args:
        request: what to check.
        progress: told each step.
        understanding: what was understood of the files, where that was shown already.
        clock: of the certificate.
        on_rule: told the result of each rule.

    Raises:
        HuodangError: a file can't be read or understood, the engine isn't there, or `out` holds another run's work.
    """
    clock = clock or SystemClock()
    spark = is_spark(request.engine)
    understanding = understanding or understand(request.files, request.mapping)
    if understanding.problems:
        raise understanding.problems[0]
    rules = request.rules or all_rules()
    with ThreadPoolExecutor(2) as pool:
        digests = _digests(understanding, pool)
    key = run_key(request, rules, understanding, digests)
    with _folder(request, key):
        work = request.out / "work"
        duck = DuckEngine(request.memory, request.threads, work)
        engine: Engine = duck
        try:
            duck.open(understanding, progress)
            store = _store(request, understanding, progress, needed=spark)
            taken = _load(request, duck, rules, understanding=understanding, store=store, progress=progress)
            settings = RuleSettings(taken.months[-1], taken.months, **request.thresholds)
            planted = plant_all(rules, settings)
            if spark:
                assert store is not None  # noqa: S101  (Spark always has one)
                engine = SparkEngine(request.engine, request.memory)
                engine.load(store, planted)
            else:
                duck.plant(planted, prepared=store is not None)
            _note_run(work, key)
            results: list[RuleResult] = []
            for number, rule in enumerate(rules):
                progress("比对 / judging", number, len(rules))
                result = read_back(work, key, rule) or judge(rule, engine, settings, planted)
                keep(work, key, result)
                on_rule(result)
                results.append(result)
            progress("比对 / judging", len(rules), len(rules))
            versions = engine.versions()
            found = {kind: duck.originals(kind, rows) for kind, rows in rows_found(results).items()}
        finally:
            if engine is not duck:
                engine.close()
            duck.close()
            shutil.rmtree(work / "spill", ignore_errors=True)
        progress("写出 / writing", 0, None)
        return _write(
            request,
            understanding,
            digests,
            settings=settings,
            taken=taken,
            results=results,
            versions=versions,
            found=found,
            clock=clock,
        )


def _digests(understanding: Understanding, pool: ThreadPoolExecutor) -> dict[Kind, tuple[str, ...]]:
    asked = {
        kind: [pool.submit(digest_of, table.path) for table in understanding.of(kind)] for kind in understanding.kinds
    }
    return {kind: tuple(one.result() for one in futures) for kind, futures in asked.items()}


@contextmanager
def _folder(request: CheckRequest, key: str) -> Iterator[None]:
    """Take the folder of results; a run that is refused leaves nothing there, so that it can be named again."""
    fresh = _take_folder(request, key)
    try:
        yield
    except HuodangError:
        if fresh:
            shutil.rmtree(request.out, ignore_errors=True)
        raise


def _take_folder(request: CheckRequest, key: str) -> bool:
    """Make the folder of results, or go on in it where it holds this very run's work; say whether it was empty."""
    notes = request.out / "work" / _RUN
    held = request.out.exists() and any(request.out.iterdir())
    if held and not request.overwrite:
        same = notes.exists() and json.loads(notes.read_text(encoding="utf-8"))["key"] == key
        if not same:
            raise OutputTakenError(
                f"输出目录已有其他内容：{request.out}",
                f"the folder for the results holds something else: {request.out}",
                advice_chinese="请换一个目录，或用 --overwrite 覆盖上一次比对的结果。",
                advice_english="Choose another folder, or replace the last run's results by --overwrite.",
                place=Place(file=str(request.out)),
            )
    if held and request.overwrite:
        if not notes.exists():
            raise OutputTakenError(
                f"输出目录不是比对结果，不覆盖：{request.out}",
                f"the folder holds no results of a check and isn't overwritten: {request.out}",
                advice_chinese="请换一个目录。",
                advice_english="Choose another folder.",
            )
        shutil.rmtree(request.out / "work" / "results", ignore_errors=True)
        for file in request.out.glob("*.*"):
            file.unlink()
    try:
        (request.out / "work").mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CheckError(
            f"输出目录无法建立：{problem.strerror}",
            f"the folder for the results can't be made: {problem.strerror}",
            place=Place(file=str(request.out)),
        ) from problem
    _note_run(request.out / "work", key)
    return not held


def _note_run(work: Path, key: str) -> None:
    write_whole(work / _RUN, json.dumps({"key": key}).encode())


def _store(request: CheckRequest, understanding: Understanding, progress: Progress, *, needed: bool) -> Prepared | None:
    if request.store is None and not needed:
        return None
    folder = request.store or request.out / "work" / "store"
    months = request.months if request.only_months else ()
    settings = PrepareSettings(months=months, memory=request.memory, threads=request.threads, on=request.today)
    return prepare(understanding, folder, settings, progress)


def _load(
    request: CheckRequest,
    duck: DuckEngine,
    rules: Sequence[Rule],
    *,
    understanding: Understanding,
    store: Prepared | None,
    progress: Progress,
) -> _Input:
    quarantine = request.out / "quarantine"
    shutil.rmtree(quarantine, ignore_errors=True)
    quarantine.mkdir()
    if store is not None:
        duck.view(store)
        for file in (store.folder / "quarantine").glob("*.csv"):
            shutil.copy(file, quarantine / file.name)
        counts = {kind.value: count for kind, count in store.counts.items()}
        quarantined = {kind.value: reasons for kind, reasons in store.quarantined.items()}
        other = store.other_months
    else:
        only = tuple(int(str(month)) for month in request.months) if request.only_months else ()
        columns = columns_read(rules, _ANY, understanding.kinds) if duck.row_count >= _MANY else {}
        loaded = duck.load(columns, quarantine, only, request.today, progress)
        counts = {kind.value: one.rows for kind, one in loaded.items()}
        quarantined = {kind.value: one.quarantined for kind, one in loaded.items()}
        other = sum(one.other_months for one in loaded.values())
    months = request.months
    paid: frozenset[Month] = frozenset()
    if Kind.PAYMENTS in understanding.kinds:
        paid = frozenset(Month(code // 100, code % 100) for code in duck.months())
        months = months or tuple(sorted(paid))
    unfit = quarantined.get(Kind.PAYMENTS, {})
    if not months and unfit:
        told = {SAID[Reason[code.upper()]]: count for code, count in unfit.items()}
        raise CheckError(
            f"发放明细没有一行能读懂：{'；'.join(f'{said.chinese} {count} 行' for said, count in told.items())}",
            f"no row of the payments can be read: {'; '.join(f'{said.english}: {n}' for said, n in told.items())}",
            advice_chinese="请核对各列读作什么、金额单位，或用 --map 指明列名和单位。",
            advice_english="Look at what each column was read as and at the unit of money, or say both by --map.",
        )
    if not months:
        raise CheckError(
            "不知道比对哪个月",
            "no month to check",
            advice_chinese="请用 --month 指明，或提供有年月的发放明细。",
            advice_english="Say it by --month, or give payments that have months.",
        )
    idle = tuple(month for month in sorted(set(months)) if month not in paid)
    return _Input(
        tuple(sorted(set(months))), counts, quarantined, other, idle if Kind.PAYMENTS in understanding.kinds else ()
    )


def _write(
    request: CheckRequest,
    understanding: Understanding,
    digests: Mapping[Kind, tuple[str, ...]],
    *,
    settings: RuleSettings,
    taken: _Input,
    results: Sequence[RuleResult],
    versions: Mapping[str, str],
    found: Mapping[Kind, pa.Table],
    clock: Clock,
) -> CheckResult:
    shown = Shown(found, masked=not request.unmasked_reason)
    if request.unmasked_reason:
        _note_look(request, results, clock)
    write_findings(request.out, results, shown, request.formats)
    summary = {
        **taken.to_payload(),
        "rules": {one.rule.code: _summary(one, shown) for one in results},
        "masked": not request.unmasked_reason,
    }
    write_whole(request.out / "findings.json", (json.dumps(summary, ensure_ascii=False, indent=2) + "\n").encode())
    proof = certificate(
        request,
        understanding,
        digests,
        settings=settings,
        results=results,
        versions=versions,
        now=clock.now(),
    )
    write_whole(request.out / "certificate.json", signed(proof, request.signing))
    page = report(understanding, results, summary, proof, found)
    write_whole(request.out / "report.html", page.encode())
    # Copies of whole files, with everybody's numbers in clear: the folder of results is handed on, they are not.
    for name in ("staging", "store"):
        shutil.rmtree(request.out / "work" / name, ignore_errors=True)
    return CheckResult(request.out, understanding, settings.months, tuple(results), summary, proof)


def _summary(one: RuleResult, shown: Shown) -> dict[str, object]:
    return {
        "count": one.count,
        "fen": one.fen,
        "persons": shown.persons(one) if one.count else 0,
        "unknown": sum(one.unknown.values()),
        "unknown_reasons": dict(one.unknown),
        "state": one.state,
        "reason": one.reason,
        "digest": one.digest,
    }


def _note_look(request: CheckRequest, results: Sequence[RuleResult], clock: Clock) -> None:
    """Record that whole identity numbers, names and accounts were shown: who, when, why, of how many rows."""
    who = "unknown"
    with suppress(OSError, KeyError):
        who = getpass.getuser()
    line = {
        "at": utc_text(clock.now()),
        "who": who,
        "reason": request.unmasked_reason,
        "rows": {one.rule.code: one.count for one in results if one.count},
    }
    with (request.out / "looks.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
