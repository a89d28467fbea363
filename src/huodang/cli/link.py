"""`huodang link`: the records of one person in two files, numbers wrong or missing."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.supervision.linkage import Links, Plan

_STEPS = {
    "read_left": "读取左文件 / reading the left file",
    "read_right": "读取右文件 / reading the right file",
    "numbers": "号码一致 / same number",
    "repairs": "号码修正 / numbers repaired",
    "candidates": "候选记录对 / candidates",
    "train": "学习权重 / learning weights",
    "weigh": "逐对计算 / weighing",
    "choose": "选定关联 / choosing",
}
_WAYS = {
    "number": "号码一致 / same number",
    "repaired": "号码修正后一致 / repaired number",
    "weighed": "按相符程度 / weighed agreement",
}
_REASONS = {
    "no_candidate": "没有相近的人 / nobody alike",
    "below_threshold": "有相近的人但不够确定 / somebody alike, not certain enough",
    "ambiguous": "不止一人同样相近，未猜 / several equally alike, not guessed",
    "number_alone": "只有号码相近，姓名、出生日期都不支持 / only the number is alike, neither name nor birth date",
    "taken": "相近的人已与另一条关联 / the one alike is linked to another record",
}


def link(
    left: Annotated[Path, typer.Argument(help="左文件，如领取人员名单 / the left file, such as the payees")],
    right: Annotated[
        Path, typer.Argument(help="右文件，如死亡信息；与左文件相同时查重 / the right file; the same: duplicates")
    ],
    out: Annotated[Path, typer.Option("--out", help="关联结果 .csv .parquet .xlsx / where the links go")],
    *,
    cost_wrong: Annotated[float, typer.Option("--cost-wrong", help="误认一人的代价 / what a wrong link costs")] = 19,
    cost_missed: Annotated[float, typer.Option("--cost-missed", help="漏认一人的代价 / what a missed link costs")] = 1,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="模型文件：有则用，无则训练后写入 / a model: used if there, else written"),
    ] = None,
    shown: Annotated[
        int, typer.Option("--shown", min=0, help="网页展示最不确定的多少对 / how many links the page shows")
    ] = 500,
    memory: Annotated[str, typer.Option("--memory", help="内存上限 / memory limit")] = "4GB",
    work_folder: Annotated[
        Path | None, typer.Option("--work-folder", help="放临时数据的文件夹 / where temporary data go", file_okay=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只说明识别了哪些列，不关联 / tell what was recognised, link nothing")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示进度和汇总 / no progress, no summary")] = False,
) -> None:
    """记录关联：号码有错、有缺时，找出两个文件中的同一人 / find one person's records in two files.

    结果 / out: left_row,right_row,probability（行号从 0 起 / rows from 0）。同名另有 / beside it: F.html 逐对依据 /
    why, F.unlinked.csv 未关联的原因 / why not. 按相似判断的关联只是线索，不得仅凭它停发待遇 / likeness is a lead only.

    最低概率 / least probability = cost-wrong / (cost-wrong + cost-missed).

    Exit codes: 0 done; 2 bad input, nothing written.

    Examples:
      huodang link payees.csv deaths.xlsx --out links.csv

      huodang link payees.parquet deaths.csv --out links.parquet --cost-wrong 99 --model county.json

      huodang link persons.csv persons.csv --out duplicates.csv
    """
    from huodang.supervision.linkage import (
        LinkSettings,
        check_output,
        plan,
        unlinked_file,
        write_links,
        write_waterfalls,
    )
    from huodang.supervision.linkage import link as link_files

    settings = LinkSettings(
        cost_wrong=cost_wrong, cost_missed=cost_missed, model=model, shown=shown, memory=memory, folder=work_folder
    )
    planned = plan(left, right)
    if not quiet:
        _tell_plan(planned)
    if dry_run:
        return
    check_output(out, left, right, *([model] if model else []))
    with _progress(quiet=quiet) as show:
        links = link_files(left, right, settings, show)
        write_links(links, out)
        write_waterfalls(links, Path(f"{out}.html"))
    if not quiet:
        _tell(links)
        beside = f"{out}.html" if links.same else f"{out}.html  {unlinked_file(out)}"
        typer.echo(f"已写入 / written: {out}  {beside}")


class _Shown:
    """A progress bar a step; nothing where nobody looks."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[rows]:>14}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None, rows="")

    def __enter__(self) -> Callable[[str, int], None]:
        self._bar.start()

        def show(step: str, rows: int) -> None:
            self._bar.update(self._task, description=_STEPS[step], rows=f"{rows:,}" if rows else "")

        return show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _progress(*, quiet: bool) -> _Shown:
    return _Shown(quiet=quiet)


def _tell_plan(planned: "Plan") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="比较的内容 / what is compared", title_justify="left")
    for heading in ("内容 / thing", "左列 / left column", "右列 / right column"):
        table.add_column(heading)
    for column in planned.columns:
        table.add_row(column.role.value, column.left or "—", column.right or "—")
    console = Console()
    console.print(table)
    unused = [
        f"{side}：{'、'.join(names)}"
        for side, names in (("左 / left", planned.left_unused), ("右 / right", planned.right_unused))
        if names
    ]
    if unused:
        console.print("未用的列 / columns not used:", "；".join(unused), markup=False)


def _tell(links: "Links") -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"关联 / links: {links.pairs.num_rows:,}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("左、右行数 / rows left, right", f"{links.left_rows:,}, {links.right_rows:,}")
    for way, count in links.ways().items():
        table.add_row(_WAYS[way], f"{count:,}")
    table.add_section()
    for reason, count in sorted(Counter(links.unlinked.column("reason").to_pylist()).items()):
        table.add_row(_REASONS[reason], f"{count:,}")
    console = Console()
    console.print(table)
    if links.model is not None and links.model.learned == "shipped":
        console.print(
            "数据太少，无法自学权重，用了产品自带的参数 / too little data to learn from: the shipped model was used",
            markup=False,
        )
    console.print(
        "按相似判断的关联只是线索，须核实，不得仅凭它停发待遇 / a link by likeness is a lead: "
        "verify it, never stop a payment on it",
        markup=False,
    )
