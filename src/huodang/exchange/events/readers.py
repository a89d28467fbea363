"""How a watch reads its source: rows after a cursor, all rows in the order of their key, or a file that arrived."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from huodang.exchange.errors import SourceError
from huodang.exchange.events.watched import Watched
from huodang.exchange.gateway.conversion import Row
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.file_source import FileSource
from huodang.standards import Place

PAGE_ROWS: Final = 2_000
"""Rows read, and taken, at once: what bounds a watch's memory and the length of its transactions."""

_SNAPSHOT: Final = sa.text(
    "SELECT pg_snapshot_xmin(one)::text::bigint, pg_snapshot_xmax(one)::text::bigint FROM pg_current_snapshot() AS one"
)


@dataclass(frozen=True)
class Transactions:
    """What PostgreSQL tells of transactions: all below `running_from` are over, none from `next` on has begun."""

    running_from: int
    next: int


class TableReader:
    """Reads a table or view of a department's database."""

    def __init__(self, watched: Watched, source: DatabaseSource) -> None:
        self._source = source
        self._columns = watched.columns
        table = source.table(watched.source_name)
        self._key = [table.c[name] for name in watched.key]
        self._cursor = table.c[watched.spec.cursor] if watched.spec.cursor else None
        self._select = sa.select(*(table.c[name] for name in watched.columns))
        self._table = table

    def changed(self, floor: object) -> Iterator[list[Row]]:
        """Give the rows whose cursor is at or after a value, in the order of cursor and key, a page at a time."""
        cursor = self._cursor
        assert cursor is not None  # noqa: S101  (asked only of a watch with a cursor)
        condition = cursor >= sa.literal(floor, cursor.type) if floor is not None else cursor.is_not(None)
        yield from self._pages([cursor, *self._key], condition)

    def everything(self) -> Iterator[list[Row]]:
        """Give all rows in the order of their key, a page at a time."""
        yield from self._pages(self._key, sa.true())

    def front(self) -> object:
        """Give the greatest value of the cursor; None of an empty table."""
        with self._source.reading() as connection:
            return connection.execute(sa.select(sa.func.max(self._cursor))).scalar()

    def transactions(self) -> Transactions | None:
        """Ask PostgreSQL which transactions are running; None of other databases."""
        if self._source.kind != "postgresql":
            return None
        with self._source.reading() as connection:
            running_from, following = connection.execute(_SNAPSHOT).one()
        return Transactions(int(running_from), int(following))

    def _pages(self, order: Sequence[sa.ColumnClause[Any]], condition: sa.ColumnElement[bool]) -> Iterator[list[Row]]:
        names = [column.name for column in order]
        after: list[object] | None = None
        while True:
            statement = self._select.where(condition).order_by(*order).limit(PAGE_ROWS)
            if after is not None:
                statement = statement.where(_beyond(order, after))
            with self._source.reading() as connection:
                found = [dict(zip(self._columns, record, strict=True)) for record in connection.execute(statement)]
            if found:
                yield list(found)
            if len(found) < PAGE_ROWS:
                return
            after = [found[-1][name] for name in names]


def _beyond(order: Sequence[sa.ColumnClause[Any]], after: Sequence[object]) -> sa.ColumnElement[bool]:
    """Say "after this row" in the order of several columns; spelled out, as not every database compares rows."""
    alternatives = [
        sa.and_(
            *(order[before] == sa.literal(after[before], order[before].type) for before in range(at)),
            order[at] > sa.literal(after[at], order[at].type),
        )
        for at in range(len(order))
    ]
    return sa.or_(*alternatives)


Stamp = list[list[Any]]


class DeliveryReader:
    """Reads delivered files."""

    def __init__(self, watched: Watched, source: FileSource) -> None:
        self._source = source
        self._watched = watched
        self._take_all = watched.spec.take == "all"
        self.broken: list[str] = []

    @property
    def whole_truth(self) -> bool:
        """Whether what isn't in the delivery is gone; false where each file only adds."""
        return not self._take_all

    def stamp(self) -> Stamp:
        """Say which files there are, how large and how old."""
        return [
            [path.name, (status := path.stat()).st_mtime_ns, status.st_size]
            for path in self._source.files(self._watched.source_name, take_all=self._take_all)
        ]

    def rows(self) -> Iterator[list[Row]]:
        """Give the rows of the delivery, a page at a time; lines that are no rows are put aside in `broken`.

        Raises:
            SourceError: a file can't be read, or misses a column.
        """
        self.broken = []
        page: list[Row] = []
        for path in self._source.files(self._watched.source_name, take_all=self._take_all):
            for row in self._rows_of(path):
                page.append(row)
                if len(page) == PAGE_ROWS:
                    yield page
                    page = []
        if page:
            yield page

    def _rows_of(self, path: Path) -> Iterator[Row]:
        lines = self._source.lines(path)
        heading = next(lines)[1]
        for column in self._watched.columns:
            if column not in heading:
                raise SourceError(
                    "文件中没有这一列",
                    "the file has no such column",
                    advice_chinese="请改正后重新交付；在此之前不发布任何变更。",
                    advice_english="Correct and deliver again; until then no change is published.",
                    place=Place(file=path.name, column=column),
                )
        for _number, cells, text in lines:
            if len(cells) != len(heading) or any("\udc80" <= sign <= "\udcff" for sign in text):
                self.broken.append(text)
                continue
            yield dict(zip(heading, cells, strict=True))


def write_value(value: object) -> list[str] | None:
    """Write a cursor's value so that it can be read back with its type; None stays.

    Raises:
        SourceError: values of this type have no order that can be kept.
    """
    match value:
        case None:
            return None
        case bool():
            pass
        case int():
            return ["int", str(value)]
        case float():
            return ["float", repr(value)]
        case str():
            return ["str", value]
        case Decimal():
            return ["decimal", str(value)]
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case _:
            pass
    raise SourceError(
        "该列不能作为 cursor：应为数字、文本、日期或时间",
        "the column can't be a cursor: numbers, texts, dates and instants can",
    )


def read_value(written: Sequence[str] | None) -> object:
    """Read what `write_value` wrote."""
    if written is None:
        return None
    kind, text = written
    readers: dict[str, Callable[[str], object]] = {
        "int": int,
        "float": float,
        "str": str,
        "decimal": Decimal,
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
    }
    return readers[kind](text)


def is_settled(stamp: Stamp, before: Stamp | None, now: datetime) -> bool:
    """Say whether a delivery is complete as far as one can tell: unchanged since the last look, or a while old."""
    newest = max((mark for _, mark, _ in stamp), default=0) / 1e9
    return stamp == before or now.astimezone(UTC).timestamp() - newest > _SETTLED_SECONDS


_SETTLED_SECONDS: Final = 2.0
