"""One month's list into the store: only what differs is written, a slice a transaction, and the month shows at once.

Rows of a load carry the generation after the list's; nobody sees them until the list's number is moved to it, in one
transaction. A load that was cut off goes on at the slice it had reached, if the same list comes again; if another
comes, what it had written is taken away first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.standards import Month
from huodang.store import Clock, Database, insert_rows, serialise
from huodang.supervision.watch.errors import LateListError, ListBusyError, ListError
from huodang.supervision.watch.payee_lines import SLICES, ReadyList, StoredLine, bounds
from huodang.supervision.watch.records import payee, payee_list, payee_load

_OPEN: Final = "open"
_TAKEN: Final = "taken"
_COLUMNS: Final = tuple(column.name for column in payee.c)
_ENDING: Final = sa.text(
    "UPDATE supervision_payee SET ended = :ended, last = :last "
    "WHERE person_index = :person_index AND scheme = :scheme AND payer = :payer AND generation = :generation"
)


_Statement = TypeVar("_Statement", sa.Select[Any], sa.Update, sa.Delete)


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Attributes:
        rows: persons and schemes in the list.
        fen: their sum.
        added: who wasn't paid by this list the month before.
        changed: whose sum, region or account is another.
        gone: who was paid the month before and isn't any more.
        again: this very list had been taken before; nothing was done.
    """

    payer: str
    month: Month
    rows: int
    fen: int
    added: int
    changed: int
    gone: int
    again: bool


@dataclass(frozen=True)
class _Standing:
    """Where a list stands when a load begins, and where it goes on."""

    generation: int
    before: Month | None
    slices: int


@dataclass(frozen=True)
class _Old:
    generation: int
    since: str
    first: str
    last: str | None
    same: tuple[int, str, str]
    live: bool


def load_list(
    database: Database,
    clock: Clock,
    ready: ReadyList,
    *,
    payer: str,
    month: Month,
    progress: Callable[[int, int], None],
    batch: int,
) -> Loaded:
    """Bring the store to what a list says, about `batch` lines a transaction.

    Raises:
        ListError: the list is empty.
        LateListError: the store holds a later month of this list.
        ListBusyError: the list was moved by another process meanwhile.
    """
    if not ready.rows:
        raise ListError(
            "清单中没有可用的行，未改动",
            "the list holds no row that can be taken; nothing was changed",
            advice_chinese="请核对月份和列名；证件号码无效的行不入库。",
            advice_english="Check month and columns; rows whose identity number fails aren't taken.",
        )
    standing = _begin(database, clock, ready, payer, month)
    if standing is None:
        return _taken(database, payer, again=True)
    step = min(SLICES, max(1, SLICES * batch // ready.rows))
    for first in range(standing.slices, SLICES, step):
        end = min(first + step, SLICES)
        lines = ready.slices(first, end)
        with database.begin() as connection:
            serialise(connection, f"payees:{payer}")
            _slices(connection, (payer, month), standing, (first, end), lines)
        progress(end, SLICES)
    _finish(database, clock, payer, standing.generation)
    return _taken(database, payer, again=False)


def _begin(database: Database, clock: Clock, ready: ReadyList, payer: str, month: Month) -> _Standing | None:
    """Open a load, or go on with one of the same list; None if the list has been taken."""
    with database.begin() as connection:
        serialise(connection, f"payees:{payer}")
        now = connection.execute(sa.select(payee_list).where(payee_list.c.payer == payer)).one_or_none()
        standing_month = Month.parse(now.month) if now else None
        if standing_month is not None and month < standing_month:
            raise LateListError(
                f"已有 {standing_month.iso} 的清单，不能再装入更早的 {month.iso}",
                f"the list of {standing_month.iso} stands; one of {month.iso} comes too late",
                advice_chinese="历史月份请用 huodang check 核查；本库只向前更新。",
                advice_english="Check past months with `huodang check`; the store only goes forward.",
            )
        generation = now.generation if now else 0
        if now and now.month == str(month) and _load_of(connection, payer, generation).digest == ready.digest:
            return None
        before = month - 1 if standing_month == month else standing_month
        opened = connection.execute(_where(sa.select(payee_load), payer, generation + 1)).one_or_none()
        if opened is not None and (opened.digest, opened.month) == (ready.digest, str(month)):
            return _Standing(generation + 1, before, opened.slices)
        if opened is not None:
            _take_back(connection, payer, generation + 1)
        values = {"payer": payer, "generation": generation + 1, "month": str(month), "digest": ready.digest}
        counts = dict.fromkeys(("slices", "added", "changed", "gone"), 0)
        connection.execute(
            sa.insert(payee_load).values(
                **values, **counts, state=_OPEN, rows=ready.rows, fen=ready.fen, begun_at=clock.now()
            )
        )
        return _Standing(generation + 1, before, 0)


def _slices(
    connection: Connection,
    whose: tuple[str, Month],
    standing: _Standing,
    which: tuple[int, int],
    lines: Sequence[StoredLine],
) -> None:
    payer, month = whose
    load = connection.execute(_where(sa.select(payee_load.c.slices), payer, standing.generation)).scalar()
    if load != which[0]:
        raise ListBusyError(
            f"清单 {payer or '（全省）'} 正由另一进程装入",
            f"the list {payer or '(whole)'} is being loaded by another process",
            advice_chinese="请等它完成后再试；中断的装入会从断点继续。",
            advice_english="Wait for it; a load that was cut off goes on where it was.",
        )
    held = _held(connection, payer, standing, which) if standing.before is not None else {}
    before = str(standing.before) if standing.before is not None else ""
    this, generation = str(month), standing.generation
    added: list[tuple[Any, ...]] = []
    ended: list[dict[str, Any]] = []
    new = changed = 0
    for line in lines:
        key = (line.person_index, line.scheme)
        old = held.pop(key, None)
        same = (line.fen, line.region, line.account)
        if old is not None and old.live and old.same == same:
            continue
        goes_on = old is not None and (old.live or (old.last is not None and old.last >= before))
        since = old.since if old is not None and goes_on else this
        if old is not None and old.live:
            ended.append(_end(key, payer, old, generation, before))
            changed += 1
        else:
            new += 1
        added.append((*key, payer, generation, since, this, None, *same, None))
    gone = [_end(key, payer, old, generation, before) for key, old in held.items() if old.live]
    if ended or gone:
        connection.execute(_ENDING, [*ended, *gone])
    _insert(connection, added)
    connection.execute(
        _where(sa.update(payee_load), payer, generation).values(
            slices=which[1],
            added=payee_load.c.added + new,
            changed=payee_load.c.changed + changed,
            gone=payee_load.c.gone + len(gone),
        )
    )


def _held(
    connection: Connection, payer: str, standing: _Standing, which: tuple[int, int]
) -> dict[tuple[str, str], _Old]:
    """Read the newest row of each person and scheme in the slices."""
    low, high = bounds(*which)
    rows = connection.execute(
        sa.select(payee)
        .where(payee.c.person_index >= low, payee.c.person_index < high, payee.c.payer == payer)
        .where(payee.c.generation < standing.generation)
        .order_by(payee.c.person_index, payee.c.scheme, payee.c.generation)
    )
    held = {}
    for person, scheme, _, generation, since, first, last, fen, region, account, ended in rows:
        held[person, scheme] = _Old(generation, since, first, last, (fen, region, account), ended is None)
    return held


def _end(key: tuple[str, str], payer: str, old: _Old, generation: int, before: str) -> dict[str, Any]:
    person, scheme = key
    return {
        "person_index": person,
        "scheme": scheme,
        "payer": payer,
        "generation": old.generation,
        "ended": generation,
        "last": before,
    }


def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name != "postgresql":
        insert_rows(connection, payee, _COLUMNS, rows)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY supervision_payee ({', '.join(_named())}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _named() -> Iterable[str]:
    return (f'"{name}"' for name in _COLUMNS)


def _finish(database: Database, clock: Clock, payer: str, generation: int) -> None:
    """Show the month: the list's number is moved to its generation."""
    with database.begin() as connection:
        serialise(connection, f"payees:{payer}")
        values = {"generation": generation, "month": _load_of(connection, payer, generation).month}
        mine = payee_list.c.payer == payer
        if connection.execute(sa.select(payee_list.c.generation).where(mine)).scalar() is None:
            connection.execute(sa.insert(payee_list).values(payer=payer, **values))
        else:
            connection.execute(sa.update(payee_list).where(mine).values(**values))
        connection.execute(_where(sa.update(payee_load), payer, generation).values(state=_TAKEN, taken_at=clock.now()))


def _take_back(connection: Connection, payer: str, generation: int) -> None:
    """Undo an open load: nobody has seen what it wrote."""
    rows = payee.c
    connection.execute(sa.delete(payee).where(rows.payer == payer, rows.generation == generation))
    connection.execute(
        sa.update(payee).where(rows.payer == payer, rows.ended == generation).values(ended=None, last=None)
    )
    connection.execute(_where(sa.delete(payee_load), payer, generation))


def _taken(database: Database, payer: str, *, again: bool) -> Loaded:
    with database.read() as connection:
        now = connection.execute(sa.select(payee_list).where(payee_list.c.payer == payer)).one()
        done = _load_of(connection, payer, now.generation)
    return Loaded(payer, Month.parse(done.month), done.rows, done.fen, done.added, done.changed, done.gone, again=again)


def _load_of(connection: Connection, payer: str, generation: int) -> sa.Row[Any]:
    return connection.execute(_where(sa.select(payee_load), payer, generation)).one()


def _where(statement: _Statement, payer: str, generation: int) -> _Statement:
    return statement.where(payee_load.c.payer == payer, payee_load.c.generation == generation)
