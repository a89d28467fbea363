"""How the demonstration tells what happened: a progress bar on standard error, tables with Chinese first."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from huodang.retirement import EVENT_LABELS, STATE_LABELS, Event, State
from huodang.simulation import DEPARTMENTS
from huodang.standards import Money

if TYPE_CHECKING:
    from huodang.simulation import Account, Figures, Population, World

_PARTIES = {
    "citizen": "申请人 / citizen",
    "agency": "经办人员 / agency staff",
    "system": "平台自动(含公示) / the platform, public notice included",
}
_OUTCOMES = {
    "clear": "无异常\nclear",
    "hit": "命中\nhit",
    "conflict": "冲突\nconflict",
    "unknown": "不明\nunknown",
    "done": "已办\ndone",
    "refused": "未办\nrefused",
}
_PORTAL_SHOWN = 3


def progress_bar() -> Progress:
    """Make the progress bar; on standard error, so that figures on standard output stay clean."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def show_figures(figures: "Figures") -> None:
    """Print everything a visitor wants to know."""
    console = Console()
    console.print(_overview(figures))
    console.print(_verdicts(figures))
    console.print(_pensions(figures))
    console.print(_elapsed(figures))
    console.print(_statements(figures))
    console.print(_exceptions(figures))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    return table


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}({part / whole:.1%})" if whole else "0"


def _overview(figures: "Figures") -> Table:
    table = _table("退休一件事 / the joint case", "指标 / figure", "结果 / result")
    for label, value in (
        ("人口 / people", str(figures.people)),
        ("联办件 / cases", str(figures.cases)),
        ("其中:窗口、单位、门户 / window, employer, portal", _ways(figures.came_by)),
        ("免申即享:事先备好的申请 / forms prepared beforehand", str(figures.prepared)),
        ("无人工干预直接办结 / straight through", _share(figures.straight_through, figures.cases)),
        ("　本省人员 / this province's own people", _share(figures.home_straight_through, figures.home_cases)),
        ("此前要求的材料 / papers asked before", str(figures.papers_before)),
        ("现在仍需携带(中位数) / papers now (median)", f"{figures.papers_after_median:g}"),
        ("首笔待遇已发放(人) / people with a first payment", str(figures.payments)),
        ("　发放记录,含补发 / records, back pay included", f"{figures.payment_records}"),
        ("　金额合计(元) / in all, yuan", Money(figures.payments_fen).text),
        ("账本条目 / ledger leaves", str(figures.ledger_leaves)),
        ("走过的工作日 / working days walked through", str(figures.days)),
        ("用时 / seconds", f"{figures.seconds:g}"),
    ):
        table.add_row(label, value)
    for state, count in sorted(figures.states.items()):
        table.add_row(f"　最后状态 / state: {' '.join(STATE_LABELS[State(state)])}", str(count))
    return table


def _ways(came_by: dict[str, int]) -> str:
    return "、".join(str(came_by.get(way, 0)) for way in ("window", "employer", "portal"))


def _verdicts(figures: "Figures") -> Table:
    outcomes = [name for name in _OUTCOMES if any(name in counts for counts in figures.verdicts.values())]
    columns = [_OUTCOMES[name] for name in outcomes]
    table = _table("各部门签名的结论 / signed verdicts by department", "部门 / department", *columns)
    for department, counts in sorted(figures.verdicts.items()):
        table.add_row(_department(department), *(str(counts.get(outcome, 0)) for outcome in outcomes))
    return table


def _department(code: str) -> str:
    department = DEPARTMENTS.get(code)
    return code if department is None else f"{department.chinese} / {department.english}"


def _pensions(figures: "Figures") -> Table:
    table = _table("月养老金分布 / pensions by band", "元每月 / yuan a month", "人数 / people")
    for band, count in figures.pension_bands.items():
        table.add_row(band, str(count))
    return table


def _elapsed(figures: "Figures") -> Table:
    elapsed = figures.elapsed_working_days
    table = _table("办理用时(工作日) / elapsed working days", "归谁 / whose", "平均 / mean")
    table.add_row("从申请到办结 / from application to the end", f"{elapsed.mean:g}")
    table.add_row("　中位数 / median", f"{elapsed.median:g}")
    table.add_row("　最长(含公示) / longest, with public notice", str(elapsed.most))
    for party, days in elapsed.by_party.items():
        whose = _PARTIES.get(party) or _department(party.removeprefix("department:"))
        table.add_row(f"　{whose}", f"{days:g}")
    return table


def _statements(figures: "Figures") -> Table:
    within = sum(statement.within for statement in figures.statements)
    table = _table(
        f"真实核定表复现:{within}/{len(figures.statements)} 在五分以内 / issued statements reproduced within 0.05 yuan",
        "案例 / case",
        "基础(核定) / basic, issued",
        "基础(算得) / computed",
        "账户(核定) / account, issued",
        "账户(算得) / computed",
        "一致 / within",
    )
    for one in figures.statements:
        table.add_row(
            one.case,
            Money(one.issued_basic).text,
            "—" if one.computed_basic is None else Money(one.computed_basic).text,
            Money(one.issued_account).text,
            "—" if one.computed_account is None else Money(one.computed_account).text,
            "✓" if one.within else "✗",
        )
    return table


def _exceptions(figures: "Figures") -> Table:
    table = _table(
        f"需人工处置的联办件:{len(figures.exceptions)} / cases that a person had to handle",
        "案件 / case",
        "原因 / reason",
        "处置 / handled by",
        "结果 / state",
    )
    for column in table.columns:
        column.justify, column.overflow = "left", "fold"
    # This province's own people first: the statements of other provinces mostly lack one and the same parameter.
    for one in sorted(figures.exceptions, key=lambda exception: exception.statement):
        chinese, english = STATE_LABELS[State(one.state)]
        done = "、".join(EVENT_LABELS[Event(event)][0] for event in one.done) or "—"
        reason = one.chinese if one.statement else f"{one.chinese}\n[dim]{one.english}[/dim]"
        state = chinese if one.statement else f"{chinese} {english}"
        table.add_row(one.case, reason, done, f"{state}(未了 / open)" if one.open else state)
    return table


def show_doors(
    world: "World",
    accounts: list["Account"],
    codes: dict[str, str],
    population: "Population",
    *,
    waiting: int,
    on_stderr: bool,
) -> None:
    """Say where the pages are, with whom one may sign in, and what waits there to be done."""
    console = Console(stderr=on_stderr)
    console.print(f"\n工作台 / workbench: [bold]{world.address('hub')}[/bold]")
    console.print(f"门户 / portal:      [bold]{world.address('portal')}[/bold]")
    table = _table("演示用户,口令仅本次有效 / users of this run", "账号 / account", "口令 / password", "角色 / role")
    for account in accounts:
        table.add_row(account.user, account.password, f"{account.name} {account.role}")
    console.print(table)
    people = {person.number: person for person in population.due}
    visitors = _table(
        "可登录门户的(虚构)申请人 / made-up applicants", "证件号码 / number", "姓名 / name", "查询码 / code"
    )
    for number, code in list(codes.items())[:_PORTAL_SHOWN]:
        visitors.add_row(number, people[number].name, code)
    console.print(visitors)
    console.print(
        f"新的一天:{waiting} 件新申请等您初审、复审 / a new morning: {waiting} new applications wait for review"
    )
    console.print("按 Ctrl-C 结束全部进程 / Ctrl-C ends every process")
