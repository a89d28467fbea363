"""`huodang demo`: the main job, end to end, on a synthetic province, in eight real processes."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import contextlib
import json
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from huodang.simulation import Account, BusinessClock, Figures, Followed, Journey, Population, Processes, World

BUSINESS_DATE = "2026-11-23"  # a Monday in a year whose calendar is published: the same demonstration for ever
SEED = 20261123
HUB_PORT = 8800
_PORTAL_EVERY = 10  # every tenth applicant comes through the portal
_EMPLOYERS_WITH_CLERKS = 3


def demo(
    *,
    people: Annotated[int, typer.Option(min=1, max=20_000, help="人口数 / how many people")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="随机种子:同一种子每次结果相同 / the seed")] = SEED,
    headless: Annotated[bool, typer.Option("--headless", help="办完即退出 / end when all is done")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出结果 / print the figures as JSON")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65534, help="工作台端口,0 为任意;门户用下一个 / the workbench's port")
    ] = None,
    on: Annotated[str, typer.Option("--date", help="业务日期 / the business date")] = BUSINESS_DATE,
    root: Annotated[Path, typer.Option(help="演示目录,会被清空 / folder, emptied at each run")] = Path("var/demo"),
) -> None:
    """演示:在虚拟省份上把“退休一件事”从头办到尾 / the joint case, end to end, on a synthetic province.

    建立约两千人的虚拟省份,启动枢纽、门户和六个部门的前置机,为每一位到龄人员办理退休,列出结果,然后开放网页。
    按 Ctrl-C 结束全部进程。

    Makes about two thousand people, starts hub, portal and six gateways as processes, takes everyone who is due through
    the joint case, shows what happened, then serves the pages until Ctrl-C.

    例 / examples:

      huodang demo

      huodang demo --people 200 --headless --json

      huodang demo --port 9000 --date 2026-06-01
    """
    from huodang.simulation import demonstration_root, require_free

    day = _business_date(on)
    started = time.monotonic()
    hub_port = port if port is not None else (0 if headless else HUB_PORT)
    require_free(hub_port)
    with _ending_on_signals(), demonstration_root(root.resolve()) as folder:
        try:
            _run(folder, people=people, seed=seed, day=day, hub_port=hub_port, headless=headless, as_json=as_json)
        except KeyboardInterrupt:
            seconds = time.monotonic() - started
            typer.echo(f"\n演示已结束,全部进程已停止 / ended after {seconds:.0f} s, no process is left", err=True)


def _business_date(text: str) -> date:
    from huodang.standards import BadValue, Place

    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not date(2026, 1, 1) <= day <= date(2040, 12, 31):
        raise BadValue(
            "业务日期须是 2026-01-01 至 2040-12-31 之间的日期",
            "The business date must lie between 2026-01-01 and 2040-12-31",
            advice_chinese=f"例如 --date {BUSINESS_DATE}。",
            advice_english=f"For example --date {BUSINESS_DATE}.",
            place=Place(element="--date"),
        )
    return day


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Treat an end asked for by SIGTERM or a closed terminal like Ctrl-C: everything is ended in order."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(root: Path, *, people: int, seed: int, day: date, hub_port: int, headless: bool, as_json: bool) -> None:
    from huodang.cli.demo_report import progress_bar, show_doors, show_figures
    from huodang.simulation import (
        BusinessClock,
        Processes,
        lay_out,
        let_payees_die,
        make_population,
        open_sharing_matters,
    )

    started = time.monotonic()
    with progress_bar() as progress:
        task = progress.add_task("虚拟人口 / people", total=None)
        population = make_population(seed=seed, count=people, today=day)
        world = lay_out(root, population, hub_port=hub_port, progress=lambda part: _tell(progress, task, part))
        clock = BusinessClock(world.clock_file, day)
        accounts = make_accounts(population)
        progress.update(task, description="账号与查询码 / accounts and access codes")
        codes = install(world, accounts, population)
        processes = Processes(world)
        progress.update(task, description="启动八个进程 / starting eight processes")
        with processes:
            processes.start()
            processes.wait_healthy()
            progress.remove_task(task)
            figures, journey, cases = _journey(
                world,
                population,
                processes,
                clock,
                accounts=accounts,
                codes=codes,
                progress=progress,
                started=started,
            )
            progress.stop()
            if as_json:
                json.dump(figures.to_json(), sys.stdout, ensure_ascii=False, indent=1)
                sys.stdout.write("\n")
                sys.stdout.flush()
            else:
                show_figures(figures)
            if not headless:
                waiting = journey.open_a_new_morning(population.next_to_apply)
                open_sharing_matters(world.address("hub"), accounts, population.due[0], clock.day)
                let_payees_die(world, cases, accounts, clock.day)
                show_doors(world, accounts, codes, population, waiting=waiting, on_stderr=as_json)
                _serve(processes)


def _tell(progress: "Progress", task: "TaskID", part: str) -> None:
    progress.update(task, description=f"密钥、协议、部门数据库 / keys, agreements, databases · {part}")


def _journey(
    world: "World",
    population: "Population",
    processes: "Processes",
    clock: "BusinessClock",
    *,
    accounts: list["Account"],
    codes: dict[str, str],
    progress: "Progress",
    started: float,
) -> "tuple[Figures, Journey, list[Followed]]":
    from huodang.simulation import Journey, Team, gather

    task = progress.add_task("办理 / cases", total=len(population.due))

    def tell(ended: int, _all: int, day: str) -> None:
        progress.update(task, completed=ended, description=f"办理 / cases · {day}")

    team = Team.of(world.address("hub"), accounts)
    journey = Journey(world, population, processes, clock, team=team, access_codes=codes, progress=tell)
    cases = journey.run()
    progress.update(task, description="汇总 / figures")
    figures = gather(
        cases,
        team.reviewers[0],
        people=len(population.people),
        prepared=journey.prepared,
        days=journey.days,
        seconds=time.monotonic() - started,
    )
    return figures, journey, cases


def make_accounts(population: "Population") -> list["Account"]:
    """Make up the demonstration's users; their common password is new at each run and known nowhere else."""
    from huodang.simulation import DEPARTMENTS, Account

    password = f"Demo-{secrets.token_hex(4)}"
    staff = [
        ("chuangkou1", "窗口经办甲", "window_clerk"),
        ("chuangkou2", "窗口经办乙", "window_clerk"),
        ("fuhe1", "复核员甲", "reviewer"),
        ("fuhe2", "复核员乙", "reviewer"),
        ("dangan", "档案员", "archivist"),
        ("jihe", "稽核员", "investigator"),
        ("lingdao", "领导小组", "leader"),
        ("shenji", "审计员", "auditor"),
        ("xitong", "系统管理员", "system_administrator"),
        ("anquan", "安全管理员", "security_administrator"),
        ("sjguanli", "审计管理员", "audit_administrator"),
    ]
    accounts = [Account(user, password, name, role) for user, name, role in staff]
    for code, department in DEPARTMENTS.items():
        accounts.append(
            Account(f"{code}.guanli", password, f"{department.chinese}数据管理员", "steward", department=code)
        )
    for code in ("police", "social_insurance"):
        name = f"{DEPARTMENTS[code].chinese}校核员"
        accounts.append(Account(f"{code}.jiaohe", password, name, "corrector", department=code))
    employers = sorted(
        {person.employer.number: person.employer for person in population.due if person.employer}.items()
    )
    for position, (number, employer) in enumerate(employers[:_EMPLOYERS_WITH_CLERKS], start=1):
        accounts.append(
            Account(f"danwei{position}", password, f"{employer.name}经办人", "employer_clerk", employer=number)
        )
    return accounts


def install(world: "World", accounts: list["Account"], population: "Population") -> dict[str, str]:
    """Make the accounts, and access codes for the portal's visitors: an installer's work, before the hub runs."""
    from huodang.web import HubSettings, NewAccount, install_accounts, issue_access_codes

    settings = HubSettings.load(world.settings_file("hub"))
    install_accounts(
        settings,
        [
            NewAccount(
                user_id=account.user,
                password=account.password,
                name=account.name,
                role=account.role,
                department=account.department,
                region=settings.region,
                employer=account.employer,
            )
            for account in accounts
        ],
    )
    # Who changed the name has to come to the window with the booklet; anybody else may apply from home.
    able = [person.number for person in population.due if person.former_name is None and not person.statement]
    numbers = able[:: max(1, len(able) * _PORTAL_EVERY // len(population.due))]
    return dict(zip(numbers, issue_access_codes(settings, numbers), strict=True))


def _serve(processes: "Processes") -> None:
    """Keep the pages up until somebody ends it."""
    while True:
        time.sleep(1)
        processes.check_alive()
