"""What goes where: the source's columns beside the target's, and what changed since the last lot. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from huodang.exchange.sync.canonical import Pair
from huodang.exchange.sync.columns import Column, Engine, Kind, column_of, common_kind, type_for
from huodang.exchange.sync.errors import ColumnsError, DriftError, TableError
from huodang.standards import Place

MOST_NAMED: Final = 20


@dataclass(frozen=True)
class Drift:
    """How the source's columns changed.

    Attributes:
        added: columns that the target lacks.
        dropped: columns of the last lot that the source no longer has and the target still has.
        retyped: columns whose type isn't that of the last lot, with the old and the new type.
        renamed: what looks like a new name, old to new.
    """

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    retyped: tuple[tuple[str, str, str], ...]
    renamed: tuple[tuple[str, str], ...]


def find_drift(
    source: Sequence[Column], target: Sequence[Column], last: Sequence[tuple[str, str]] | None, fits: Mapping[str, bool]
) -> Drift:
    """Compare the source's columns with the target's and with those of the last lot.

    Args:
        source: columns of the source now.
        target: columns of the target now.
        last: name and type of the source's columns at the last lot; None before the first.
        fits: for each column name, whether the target's column is of the type that we would choose for it now.
    """
    have = {column.name for column in target}
    now = {column.name: column.type for column in source}
    before = dict(last or ())
    added = tuple(name for name in now if name not in have)
    dropped = tuple(name for name in before if name not in now and name in have)
    retyped = tuple(
        (name, before[name], declared)
        for name, declared in now.items()
        if name in before and before[name] != declared and name in have and not fits.get(name, False)
    )
    pairs = [(old, new) for old in dropped for new in added if before[old] == now[new]]
    olds, news = [old for old, _ in pairs], [new for _, new in pairs]
    renamed = tuple((old, new) for old, new in pairs if olds.count(old) == 1 and news.count(new) == 1)
    return Drift(added, dropped, retyped, renamed)


def refuse_drift(drift: Drift, *, may_add: bool) -> None:
    """Raise a `DriftError` that names the columns and what to do, unless nothing is left to refuse."""
    added = () if may_add and not drift.renamed else drift.added
    if not (added or drift.dropped or drift.retyped):
        return
    renamed_from, renamed_to = {old for old, _ in drift.renamed}, {new for _, new in drift.renamed}
    chinese, english = [], []
    for old, new in drift.renamed:
        chinese.append(f"列 {old} 疑似改名为 {new}")
        english.append(f"column {old} seems to be called {new} now")
    if fresh := [name for name in added if name not in renamed_to]:
        chinese.append(f"新增列 {'、'.join(fresh)}")
        english.append(f"added: {', '.join(fresh)}")
    if gone := [name for name in drift.dropped if name not in renamed_from]:
        chinese.append(f"缺少列 {'、'.join(gone)}")
        english.append(f"dropped: {', '.join(gone)}")
    for name, old, new in drift.retyped:
        chinese.append(f"列 {name} 的类型由 {old} 变为 {new}")
        english.append(f"column {name} was {old} and is {new} now")
    only_added = bool(added) and not drift.dropped and not drift.retyped
    raise DriftError(
        f"来源表结构与目标表不一致：{'；'.join(chinese)}；未写入任何数据",
        f"the source's columns no longer match the target's: {'; '.join(english)}; nothing was applied",
        advice_chinese="要接受新增列请加 --on-drift add；" * only_added
        + "改名、删除或改类型请先在目标表上做同样的修改，再重新同步。" * (not only_added),
        advice_english="Take added columns by --on-drift add. " * only_added
        + "For a renamed, dropped or retyped column change the target in the same way, then sync again."
        * (not only_added),
    )


def new_columns(source: Sequence[Column], key: Sequence[str], source_engine: Engine, engine: Engine) -> list[Column]:
    """Choose the columns of a target table that is to be made."""
    return [
        column_of(
            engine,
            column.name,
            type_for(engine, column, source_engine, is_key=column.name in key),
            nullable=column.nullable and column.name not in key,
        )
        if engine is not Engine.OTHER
        else Column(column.name, column.kind.value, column.kind, column.nullable)
        for column in source
    ]


def pair_columns(
    source: Sequence[Column], target: Sequence[Column], source_engine: Engine, target_engine: Engine
) -> list[Pair]:
    """Put each column of the source beside the target's column of the same name.

    Raises:
        ColumnsError: a column can't hold what the source's column holds, or a required one gets nothing.
    """
    both_sqlite = source_engine is target_engine is Engine.SQLITE
    found = {column.name: column for column in target}
    pairs = []
    for column in source:
        if column.name not in found:
            continue
        kind = common_kind(column, found[column.name], both_sqlite=both_sqlite)
        if kind is None:
            declared = found[column.name].type
            raise ColumnsError(
                f"来源列的类型 {column.type} 放不进目标列的类型 {declared}",
                f"a source column of type {column.type} doesn't fit the target's type {declared}",
                advice_chinese="请修改目标列的类型，或换一个目标表名让系统新建。",
                advice_english="Change the target's column, or name another target table to have it made.",
                place=Place(column=column.name),
            )
        if kind is Kind.NATIVE and not (source_engine is target_engine and column.type == found[column.name].type):
            kind = Kind.TEXT
        pairs.append(Pair(column, found[column.name], kind))
    return pairs


def require_columns(columns: Sequence[Column], wanted: Sequence[str], table: str) -> None:
    """Refuse names that the table doesn't have.

    Raises:
        TableError: naming the column, and those that there are.
    """
    names = [column.name for column in columns]
    for name in wanted:
        if name not in names:
            shown = "、".join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")
            raise TableError(
                f"表 {table} 没有列 {name}",
                f"table {table} has no column {name}",
                advice_chinese=f"该表的列有：{shown}。列名区分大小写。",
                advice_english=f"It has: {shown}. Names are case-sensitive.",
            )
