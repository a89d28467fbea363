"""`huodang check`: payments held against deaths, custody, other schemes and registers; on files alone."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from huodang.standards import Month
    from huodang.supervision.check import CheckResult, Format
    from huodang.supervision.rules import Rule
    from huodang.supervision.tables import Kind, Progress, Understanding

_Files = list[Path] | None
_FAILED = 3
_HOW = {"name": "列名 / name", "code": "指标代码 / code", "hint": "列名推断 / hint", "map": "对照文件 / map"}


def check(
    *,
    out: Annotated[Path, typer.Option("--out", help="结果目录 / folder for the results", file_okay=False)],
    payments: Annotated[_Files, typer.Option("--payments", help="待遇发放明细，可多个 / payments; repeatable")] = None,
    month: Annotated[
        list[str] | None,
        typer.Option("--month", help="比对月份 2024-05 或 2024-01..2024-12，可多次；缺省为明细中所有月份 / months"),
    ] = None,
    deaths: Annotated[_Files, typer.Option("--deaths", help="死亡信息 / deaths")] = None,
    custody: Annotated[_Files, typer.Option("--custody", help="服刑羁押信息 / custody terms")] = None,
    enrolments: Annotated[_Files, typer.Option("--enrolments", help="其他险种待遇或缴费 / other schemes")] = None,
    population: Annotated[_Files, typer.Option("--population", help="户籍人口 / population register")] = None,
    certifications: Annotated[_Files, typer.Option("--certifications", help="资格认证 / certifications")] = None,
    archives: Annotated[_Files, typer.Option("--archives", help="退休档案 / retirement archives")] = None,
    balances: Annotated[_Files, typer.Option("--balances", help="个人账户余额 / account balances")] = None,
    decisions: Annotated[_Files, typer.Option("--decisions", help="待遇核定或调整 / decisions on amounts")] = None,
    institutions: Annotated[
        _Files, typer.Option("--institutions", help="机构集体账户 / institutions' accounts")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="列名对照文件（YAML）/ which column is which", dir_okay=False)
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="本地规则目录 / a folder of your own rules", file_okay=False)
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="只用这些规则，可多次 / only these rules")] = None,
    only_months: Annotated[
        bool,
        typer.Option("--only-months", help="其他月份的发放行不读入，只计数 / leave payments of other months aside"),
    ] = False,
    account_persons: Annotated[
        int, typer.Option("--account-persons", min=1, help="同一账户超过几人算疑点 / persons who may share an account")
    ] = 3,
    engine: Annotated[
        str, typer.Option("--engine", help="duckdb、spark、spark:local[2] 或 spark://主机:7077 / the engine")
    ] = "duckdb",
    store: Annotated[
        Path | None,
        typer.Option("--store", help="保留整理好的数据供下次使用 / keep the prepared tables", file_okay=False),
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="csv、xlsx、parquet，可多次 / how findings are written")
    ] = None,
    unmasked: Annotated[
        str,
        typer.Option("--unmasked", help="显示完整证件号码等的理由，会被记录 / why persons are shown whole; recorded"),
    ] = "",
    sign_keys: Annotated[
        tuple[Path, str] | None, typer.Option("--sign-keys", help="签名密钥目录和持有者 / folder of keys and holder")
    ] = None,
    memory: Annotated[str, typer.Option("--memory", help="内存上限 / memory")] = "4GB",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="覆盖该目录中上一次比对的结果 / replace the last run's results")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="只说读懂了什么、会用哪些规则，不比对 / tell what was understood, judge nothing"
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="结果以 JSON 输出到标准输出 / print findings.json")] = False,
) -> None:
    """稽核比对：发放明细对死亡、服刑、重复参保和各类登记 / check payments against registers, on files.

    CSV（任意编码）、Excel、Parquet、DBF；列按指标代码、中文列名或 --map 识别，比对前先列表说明。结果默认隐去个人信息。
    结果是疑点，不是结论 / findings are suspicions to verify.

    Exit codes: 0 done, with or without findings; 2 bad input, nothing judged; 3 a rule failed, the others are done.

    Examples:
      huodang check --payments 发放2024.xlsx --deaths 死亡.csv --month 2024-05 --out 结果

      huodang check --payments p.parquet --deaths d.csv --custody c.csv --month 2024-01..2024-12 --out r

      huodang check --payments p.csv --dry-run --out r

      huodang check --payments p.csv --map 列名.yaml --only paid_after_death --format xlsx --unmasked "审计取证" --out r
    """
    from huodang.supervision.check import CheckRequest, run_check
    from huodang.supervision.tables import Kind, understand

    given = {
        Kind.PAYMENTS: payments,
        Kind.DEATHS: deaths,
        Kind.CUSTODY: custody,
        Kind.ENROLMENTS: enrolments,
        Kind.POPULATION: population,
        Kind.CERTIFICATIONS: certifications,
        Kind.ARCHIVES: archives,
        Kind.BALANCES: balances,
        Kind.DECISIONS: decisions,
        Kind.INSTITUTIONS: institutions,
    }
    files = {kind: tuple(paths) for kind, paths in given.items() if paths}
    if not files:
        raise typer.BadParameter("至少要有一个文件 / give at least one file", param_hint="--payments")
    months = _months(month or [])
    chosen = _rules(rules, only or [])
    request = CheckRequest(
        files,
        out,
        months,
        only_months=only_months,
        rules=chosen,
        engine=engine,
        mapping=mapping,
        store=store,
        unmasked_reason=unmasked.strip(),
        formats=_formats(formats or ["csv"]),
        memory=memory,
        thresholds={"account_persons": account_persons},
        signing=sign_keys,
        overwrite=overwrite,
    )
    understanding = understand(files, mapping)
    _tell_understanding(understanding)
    if understanding.problems:
        for problem in understanding.problems:
            sys.stderr.write(f"{problem.sentence('zh')}\n{problem.sentence('en')}\n")
        raise typer.Exit(2)
    if dry_run:
        _tell_rules(chosen, set(files))
        return
    with _bar() as bar:
        result = run_check(request, _shown(bar), understanding=understanding)
    if as_json:
        sys.stdout.write((out / "findings.json").read_text(encoding="utf-8"))
    _tell_result(result)
    if result.failed:
        raise typer.Exit(_FAILED)


def _months(given: list[str]) -> "tuple[Month, ...]":
    from huodang.standards import Month

    found: set[Month] = set()
    for text in (one for several in given for one in re.split(r"[,，\s]+", several) if one):
        first, dots, last = text.partition("..")
        begin = Month.parse(first)
        end = Month.parse(last) if dots else begin
        if end < begin:
            raise typer.BadParameter(f"起止颠倒 / the range is reversed: {text}", param_hint="--month")
        found.update(begin + step for step in range(end - begin + 1))
    return tuple(sorted(found))


def _formats(given: list[str]) -> "tuple[Format, ...]":
    known: dict[str, Format] = {"csv": "csv", "xlsx": "xlsx", "excel": "xlsx", "parquet": "parquet"}
    names = [name for text in given for name in re.split(r"[,，\s]+", text.lower()) if name]
    for name in names:
        if name not in known:
            raise typer.BadParameter("csv | xlsx | parquet", param_hint="--format")
    return tuple(dict.fromkeys(known[name] for name in names))


def _rules(folder: Path | None, only: list[str]) -> "tuple[Rule, ...]":
    from huodang.supervision.rules import UnknownRuleError, all_rules, rules_of_folder

    rules = {rule.code: rule for rule in all_rules()}
    if folder is not None:
        own = rules_of_folder(folder)
        rules |= {rule.code: rule for rule in own}
        for refused in own.refused:
            sys.stderr.write(
                f"本地规则未采用 / refused: {refused.file.name}\n{refused.error.sentence('zh')}\n"
                f"{refused.error.sentence('en')}\n"
            )
    codes = [code for text in only for code in re.split(r"[,，\s]+", text) if code]
    unknown = [code for code in codes if code not in rules]
    if unknown:
        raise UnknownRuleError(
            f"没有规则 {'、'.join(unknown)}",
            f"there is no rule {', '.join(unknown)}",
            advice_chinese=f"可用：{'、'.join(rules)}。",
            advice_english=f"There are: {', '.join(rules)}.",
        )
    return tuple(rules[code] for code in (codes or rules))


def _tell_understanding(understanding: "Understanding") -> None:
    from rich.table import Table

    console = _console()
    for file in understanding.tables:
        rows = f"，{file.rows:,} 行 / rows" if file.rows is not None else ""
        encoding = f"，{file.encoding}" if file.encoding else ""
        shown = Table(
            title=f"{file.kind.chinese} {file.kind}: {file.file}（{file.format.kind.value}{encoding}{rows}）",
            title_justify="left",
        )
        for heading in ("列 / column", "读作 / read as", "依据 / by", "单位 / unit", "样例（已隐去）/ sample, masked"):
            shown.add_column(heading)
        for one in file.columns:
            shown.add_row(one.header or "（固定值 / fixed）", one.canonical, _HOW[one.how], one.unit, one.sample)
        console.print(shown, markup=False)
        if file.unused:
            console.print("未使用的列 / unused:", "、".join(file.unused), markup=False)


def _tell_rules(rules: "tuple[Rule, ...]", given: "set[Kind]") -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(title="试运行，不比对 / dry run, nothing judged", title_justify="left")
    for heading in ("规则 / rule", "代码 / code", "会比对 / runs", "缺少 / missing"):
        shown.add_column(heading)
    for rule in rules:
        missing = sorted(f"--{kind.value}" for kind in rule.needs - given)
        shown.add_row(rule.chinese, rule.code, "否 / no" if missing else "是 / yes", " ".join(missing))
    Console().print(shown, markup=False)


def _tell_result(result: "CheckResult") -> None:
    from rich.table import Table

    console = _console()
    shown = Table(title="疑点 / findings", title_justify="left")
    for heading, justify in (("规则 / rule", "left"), ("行 / rows", "right"), ("元 / yuan", "right")):
        shown.add_column(heading, justify="right" if justify == "right" else "left")
    shown.add_column("无法判断 / unknown", justify="right")
    shown.add_column("状态 / state")
    for one in result.rules:
        if one.state != "not_judged":
            state = "已比对 / judged" if one.state == "judged" else f"失败 / FAILED: {one.reason}"
            unknown = sum(one.unknown.values())
            shown.add_row(
                f"{one.rule.chinese} {one.rule.code}", f"{one.count:,}", _yuan(one.fen), f"{unknown:,}", state
            )
    console.print(shown, markup=False)
    aside = [one.rule.code for one in result.rules if one.state == "not_judged"]
    if aside:
        console.print("缺少数据未比对 / not judged, tables not given:", "、".join(aside), markup=False)
    _tell_aside(result, console)
    console.print(f"报告 / report: {result.out / 'report.html'}", markup=False)


def _tell_aside(result: "CheckResult", console: "Console") -> None:
    """Say what was not held against anything: rows set aside, and months in which nobody was paid."""
    from msgspec import convert

    from huodang.supervision.tables import SAID, Kind, Reason

    counts = convert(result.summary["rows"], dict[str, int])
    for kind, reasons in convert(result.summary["quarantined"], dict[str, dict[str, int]]).items():
        told = "、".join(f"{SAID[Reason[code.upper()]].chinese} {count:,}" for code, count in reasons.items())
        whole = "" if counts.get(kind) else "（没有一行能用 / NO ROW COULD BE USED）"
        console.print(
            f"已隔离 / quarantined, {Kind(kind).chinese} {kind}: {sum(reasons.values()):,}{whole}：{told}", markup=False
        )
    if result.summary["quarantined"]:
        console.print(f"逐行原因见 / row by row: {result.out / 'quarantine'}", markup=False)
    idle = convert(result.summary["months_without_payments"], list[str])
    if idle:
        console.print("明细中没有这些月份 / the payments hold none of these months:", "、".join(idle), markup=False)


def _yuan(fen: int) -> str:
    sign, (yuan, rest) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{rest:02d}"


def _console() -> "Console":
    """Write to the standard error; a table that isn't read on a terminal isn't cut to its width."""
    from rich.console import Console

    return Console(stderr=True, width=None if sys.stderr.isatty() else 140)


def _bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _shown(bar: "Bar") -> "Progress":
    tasks: dict[str, TaskID] = {}

    def show(step: str, done: int, total: int | None) -> None:
        if step not in tasks:
            tasks[step] = bar.add_task(step, total=total)
        bar.update(tasks[step], completed=done, total=total)

    return show
