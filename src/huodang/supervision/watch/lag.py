"""Lag in money (时滞): from the events that were watched to lines by department and month."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Change
from huodang.standards import Month
from huodang.store import SHANGHAI, Database, shanghai_date
from huodang.supervision.watch.payees import PaidSpan, Payees
from huodang.supervision.watch.records import watched, watched_hold
from huodang.supervision.watch.spans import Days, LagLine, Span, Way, shares
from huodang.supervision.watch.terms import Payday, default_payday

ALL: Final = ""
"""The line of all departments together."""

_CHUNK: Final = 500
# A death as a department told it: neither taken back, nor the message that takes it back.
_STANDS: Final = (
    watched.c.kind == "death",
    watched.c.withdrawn_at.is_(None),
    watched.c.change != Change.WITHDRAWN.value,
)


@dataclass(frozen=True)
class _Told:
    """One death as one department told it."""

    department: str
    person: str
    way: Way
    received_at: datetime


def lag(database: Database, payees: Payees, months: Sequence[Month], payday: Payday | None = None) -> list[LagLine]:
    """Tell for each month and department how long the way from death to hold took, and what it cost.

    A death belongs to the month in which it reached the platform. A department's line counts all that was overpaid for
    the deaths that it told, by its own dates; the line of all together counts each death once, by who told first. It
    holds no personal data.

    Args:
        database: the hub's.
        payees: what was paid in which months.
        months: in which the deaths came.
        payday: on which day benefits are paid; the product's own unless told.
    """
    chosen = payday or default_payday()
    lines: list[LagLine] = []
    with database.read() as connection:
        for month in sorted(set(months)):
            told = _told(connection, month)
            spans = payees.spans(connection, sorted({one.person for one in told}))
            by_department: dict[str, list[_Told]] = defaultdict(list)
            for one in told:
                by_department[one.department].append(one)
            first: dict[str, _Told] = {}
            for one in sorted(told, key=lambda each: each.received_at):
                first.setdefault(one.person, one)
            if told:
                lines.append(_line(ALL, month, first.values(), spans, chosen))
            lines += [_line(name, month, each, spans, chosen) for name, each in sorted(by_department.items())]
    return lines


def _line(
    department: str, month: Month, told: Iterable[_Told], spans: Mapping[str, list[PaidSpan]], payday: Payday
) -> LagLine:
    listed = list(told)
    fen = dict.fromkeys(Span, 0)
    paid = unheld = 0
    for one in listed:
        cost = shares(one.way, spans[one.person], payday)
        fen = {span: fen[span] + cost[span] for span in Span}
        still = any(each.last >= Month.of(one.way.died) for each in spans[one.person])
        paid += still
        unheld += still and one.way.held is None and any(cost.values())
    timed = (Span.RECORD, Span.PLATFORM, Span.HOLD)
    days: dict[Span, Days] = {span: Days.of(one.way.days(span) for one in listed) for span in timed}
    return LagLine(department, month, len(listed), paid, unheld, days, fen)


def _told(connection: Connection, month: Month) -> list[_Told]:
    """Read the deaths that came in a month and stand, each once a department, by its first record."""
    begin, end = _instant(month.first_day()), _instant((month + 1).first_day())
    rows = connection.execute(
        sa.select(watched)
        .where(*_STANDS, watched.c.happened_to.is_not(None))
        .where(watched.c.received_at >= begin, watched.c.received_at < end)
        .order_by(watched.c.received_at, watched.c.event_id)
    ).all()
    # What was told before this month isn't new in it.
    before = set(_before(connection, {row.person_index for row in rows}, begin))
    held = _held(connection, sorted({row.person_index for row in rows}))
    found: dict[tuple[str, str], _Told] = {}
    for row in rows:
        key = (row.department, row.person_index)
        if key in before or key in found:
            continue
        way = Way(
            row.happened_to, shanghai_date(row.recorded_at), shanghai_date(row.received_at), held.get(row.person_index)
        )
        found[key] = _Told(row.department, row.person_index, way, row.received_at)
    return list(found.values())


def _before(connection: Connection, persons: set[str], begin: datetime) -> Iterator[tuple[str, str]]:
    for chunk in _chunks(sorted(persons)):
        rows = connection.execute(
            sa.select(watched.c.department, watched.c.person_index).where(
                *_STANDS, watched.c.person_index.in_(chunk), watched.c.received_at < begin
            )
        )
        yield from ((row.department, row.person_index) for row in rows)


def _held(connection: Connection, persons: Sequence[str]) -> dict[str, date]:
    """Tell since when each person's payment has been held or stopped."""
    held: dict[str, date] = {}
    for chunk in _chunks(persons):
        rows = connection.execute(
            sa.select(watched_hold.c.person_index, sa.func.min(watched_hold.c.held_at).label("held_at"))
            .where(watched_hold.c.person_index.in_(chunk))
            .group_by(watched_hold.c.person_index)
        )
        held |= {row.person_index: shanghai_date(row.held_at) for row in rows}
    return held


def _chunks(listed: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(listed), _CHUNK):
        yield listed[at : at + _CHUNK]


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
