"""One lot of one table between two databases: read both, compare, apply in one step, read back, prove."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from huodang.exchange.sync.addresses import Address, parse_address
from huodang.exchange.sync.canonical import Pair
from huodang.exchange.sync.checks import checked_element
from huodang.exchange.sync.columns import Column, Kind
from huodang.exchange.sync.errors import BusyError, CheckError, TableError
from huodang.exchange.sync.lot_run import LotRun
from huodang.exchange.sync.opening import applying, open_side, reading
from huodang.exchange.sync.plan import find_drift, new_columns, pair_columns, refuse_drift, require_columns
from huodang.exchange.sync.side import NewColumn, Side, Sides, TableName, Tables
from huodang.exchange.sync.state import LOT_TABLE, Lot, Lots
from huodang.exchange.sync.values import Progress, Proof, SyncReport, SyncRequest, no_progress
from huodang.exchange.sync.work_folder import work_folder

_LOCK_PAUSE: Final = 0.2
_MEMORY: Final = re.compile(r"[1-9]\d*(\.\d+)?\s*[KMGT]i?B", re.IGNORECASE)


def sync_table(request: SyncRequest, progress: Progress = no_progress) -> SyncReport:
    """Bring the target table to the state of the source table, and prove it.

    Both tables are read whole and compared by content, whatever the cursor says. The changes, the deletes and the
    record of the lot are one transaction at the target; the target is read back before it is committed.

    Args:
        request: which table, from where to where, and how.
        progress: told how far it is, from several threads.

    Raises:
        SyncError: with a code of its own for each reason; the target is then as it was.
        ProofError: the target, read back, differs; `.report` tells where. The lot was taken back.
    """
    began = time.monotonic()
    with _opened(request) as sides, _locked(request, sides):
        run = _plan(request, sides, progress, began)
        with work_folder(request.work_folder) as folder:
            return run.run(folder)


def verify_table(request: SyncRequest, progress: Progress = no_progress) -> Proof:
    """Read both tables anew, independent of any lot, and tell whether they hold the same rows. Changes nothing.

    Raises:
        SyncError: with a code of its own for each reason.
    """
    began = time.monotonic()
    with _opened(request, writing=False) as sides:
        run = _plan(replace(request, dry_run=True), sides, progress, began)
        with work_folder(request.work_folder) as folder:
            return run.verify(folder)


@contextmanager
def _opened(request: SyncRequest, *, writing: bool = True) -> Iterator[Sides]:
    source, target = parse_address(request.source), parse_address(request.target)
    for column, identifier in request.checks.items():
        checked_element(column, identifier)
    if not _MEMORY.fullmatch(request.memory.strip()):
        raise CheckError(
            f"内存上限 {request.memory} 的写法不对",
            f"the memory limit {request.memory} is misspelt",
            advice_chinese="请写成 512MB 或 2GB。",
            advice_english="Write it as 512MB or 2GB.",
        )
    opened: list[Side] = []
    reads_only = not writing or request.dry_run
    try:
        opened.append(open_side(source, "source", target))
        if reads_only and target.engine == "sqlite" and not target.path.is_file():
            raise _no_target(request, target)
        opened.append(open_side(target, "target", source))
        yield Sides(*opened)
    finally:
        for side in opened:
            side.close()


@contextmanager
def _locked(request: SyncRequest, sides: Sides) -> Iterator[None]:
    """Hold the target table for this sync; the database or the operating system lets go when our process ends."""
    name = sides.target.new_table(request.target_table or request.table).name
    with applying(sides.target.address):
        is_ours = request.dry_run or _lock(sides.target, f"huodang sync {sides.target.address.url.database} {name}")
    if not is_ours:
        raise BusyError(
            f"目标表 {name} 正在被另一次同步写入",
            f"another sync of the target table {name} is running",
            advice_chinese="请等它结束再运行；它若已被杀死，其锁会随连接或进程自动释放。",
            advice_english="Wait for it to end; if it was killed, its lock goes with its connection or process.",
        )
    yield


def _lock(target: Side, name: str) -> bool:
    deadline = time.monotonic() + target.lock_patience
    while not target.lock(name):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOCK_PAUSE)
    return True


def _plan(request: SyncRequest, sides: Sides, progress: Progress, began: float) -> LotRun:
    source_columns = _source_columns(request, sides.source)
    source_table = sides.source.find(request.table)
    assert source_table is not None  # noqa: S101  (found just now)
    target = sides.target
    with reading("target", target.address):
        wanted = request.target_table or source_table.name
        names_schema = source_table.name != request.table and target.engine == sides.source.engine == "postgresql"
        if names_schema and not request.target_table:
            wanted = request.table
        found = target.find(wanted)
        table = found or target.new_table(wanted)
        lots = Lots(target, table)
        if not request.dry_run:
            lots.recover(target_exists=found is not None)
        last = lots.last()
    _refuse_itself(sides, source_table, table)
    chosen = new_columns(source_columns, request.key, sides.source.engine, target.engine)
    added: tuple[str, ...] = ()
    target_columns = list(chosen)
    if found is not None:
        target_columns, added = _existing(request, sides, found, source=source_columns, chosen=chosen, last=last)
    usable = [column for column in source_columns if column.name in {one.name for one in target_columns}]
    pairs = pair_columns(usable, target_columns, sides.source.engine, target.engine)
    _judge_key(request, pairs)
    return LotRun(
        request=request,
        sides=sides,
        tables=Tables(source_table, table, is_new=found is None),
        pairs=pairs,
        lots=lots,
        last=last,
        added=added,
        source_columns=tuple((column.name, column.type) for column in source_columns),
        progress=progress,
        began=began,
    )


def _source_columns(request: SyncRequest, source: Side) -> tuple[Column, ...]:
    with reading("source", source.address):
        source.begin_reading()
        table = source.find(request.table)
        if table is None or table.name == LOT_TABLE:
            raise TableError(
                f"来源库 {source.address.shown} 里没有表 {request.table}",
                f"the source {source.address.shown} has no table {request.table}",
                advice_chinese="请核对表名与大小写；不在默认模式下的表写成 模式.表名。",
                advice_english="Check spelling and case; write schema.table for a table outside the default schema.",
            )
        columns = source.columns(table)
    if not request.key or len(set(request.key)) != len(request.key):
        raise TableError(
            "没有给出主键列，或重复给出",
            "no key column was given, or one was given twice",
            advice_chinese="写法：--key 列名；联合主键写 --key 列1,列2。",
            advice_english="Write --key COLUMN, or --key COLUMN1,COLUMN2 for a composite key.",
        )
    wanted = [*request.key, *([request.cursor] if request.cursor else []), *request.checks]
    require_columns(columns, wanted, request.table)
    return columns


def _refuse_itself(sides: Sides, source: TableName, target: TableName) -> None:
    is_same = sides.source.address.same_place == sides.target.address.same_place
    if is_same and (source.name, source.schema) == (target.name, target.schema):
        raise TableError(
            "来源表和目标表是同一张表",
            "source and target are one and the same table",
            advice_chinese="请用 --target-table 换一个目标表名。",
            advice_english="Name another target table by --target-table.",
        )


def _existing(
    request: SyncRequest,
    sides: Sides,
    table: TableName,
    *,
    source: tuple[Column, ...],
    chosen: list[Column],
    last: Lot | None,
) -> tuple[list[Column], tuple[str, ...]]:
    """Hold an existing target against the source; add what may be added."""
    target = sides.target
    with reading("target", target.address):
        columns = list(target.columns(table))
    have = {column.name: column for column in columns}
    fits = {one.name: one.name in have and have[one.name].type == one.type for one in chosen}
    drift = find_drift(source, columns, last.columns if last else None, fits)
    refuse_drift(drift, may_add=request.on_drift == "add")
    if drift.added and not request.dry_run:
        with applying(target.address):
            for one in chosen:
                if one.name in drift.added:
                    target.add_column(table, NewColumn(one.name, one.type, nullable=True, kind=one.kind))
            columns = list(target.columns(table))
    return columns, drift.added


def _judge_key(request: SyncRequest, pairs: list[Pair]) -> None:
    known = {pair.source.name: pair for pair in pairs}
    for name in request.key:
        if name not in known or known[name].target.generated:
            raise TableError(
                f"主键列 {name} 在目标表中没有，或由数据库自动生成",
                f"the key column {name} isn't in the target, or the database generates it",
                advice_chinese="请在目标表中加上该列，或换一个目标表名由系统新建。",
                advice_english="Add it to the target, or name another target table to have it made.",
            )
        if known[name].kind in {Kind.SINGLE, Kind.DOUBLE}:
            raise TableError(
                f"主键列 {name} 是浮点数，不能可靠地比较",
                f"the key column {name} is a floating-point number, which can't be compared safely",
                advice_chinese="请换一列，或在来源库建一个把该列转为文本的视图。",
                advice_english="Use another column, or make a view at the source that turns it into text.",
            )


def _no_target(request: SyncRequest, target: Address) -> TableError:
    return TableError(
        f"目标文件还不存在：{target.path}",
        f"the target file doesn't exist yet: {target.path}",
        advice_chinese=f"首次同步会新建它和表 {request.target_table or request.table}。",
        advice_english=f"The first sync makes it, with table {request.target_table or request.table}.",
    )
