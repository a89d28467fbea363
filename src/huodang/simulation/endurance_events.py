"""Events (事件) under fire: whoever is handed them writes down each one, and the books are compared at the end.

Run as a module (`python -m huodang.simulation.endurance_events HUB.YAML`) this is such a recorder: a process of its own
that is killed like all others. Its book stands in the hub's database and has no key, so that an event which is handled
twice stands in it twice.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
import yaml

from huodang.exchange import ReceivedEvent, Subscriptions
from huodang.store import Database, OffsetClock
from huodang.trust import FieldSealer

RECORDER: Final = "endurance"
_BOOK: Final = sa.Table(
    "endurance_event",
    sa.MetaData(),  # not the hub's own: no migration knows it
    sa.Column("place", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(160), nullable=False),
    sa.Column("resource", sa.String(129), nullable=False),
    sa.Column("person", sa.String(32), nullable=False),
    sa.Column("change", sa.String(16), nullable=False),
)
_STORED: Final = sa.table(
    "exchange_event", *(sa.column(one) for one in ("number", "event_id", "resource", "person", "change"))
)
_HELD: Final = sa.table("exchange_event_held", sa.column("number"))


def make_book(database: Database) -> None:
    """Lay out the recorders' book."""
    with database.begin() as connection:
        _BOOK.create(connection)


def changes_stored(database: Database, resource: str, person: str) -> list[str]:
    """Tell what the hub has stored about a person (blind index), in order."""
    with database.read() as connection:
        found = connection.execute(
            sa.select(_STORED.c.change)
            .where(_STORED.c.resource == resource, _STORED.c.person == person)
            .order_by(_STORED.c.number)
        )
        return list(found.scalars())


@dataclass(frozen=True)
class EventCount:
    """How the books compare.

    Attributes:
        expected: changes that were written at the departments.
        stored: events that the hub holds.
        handled: lines of the recorders' book.
        lost: changes without an event, or events that nobody handled.
        doubled: events beyond the changes, or handled more than once.
        out_of_order: persons whose events were stored or handled in another order than they happened.
    """

    expected: int
    stored: int
    handled: int
    lost: int
    doubled: int
    out_of_order: int

    @property
    def exact(self) -> bool:
        """Whether each change is there once, and was handled once, in order."""
        return not (self.lost or self.doubled or self.out_of_order)


def compare(database: Database, expected: Sequence[tuple[str, str, str]]) -> EventCount:
    """Compare what was written (resource, person, change, in order) with what was stored and handled."""
    with database.read() as connection:
        stored = connection.execute(sa.select(_STORED).order_by(_STORED.c.number)).all()
        handled = connection.execute(sa.select(_BOOK).order_by(_BOOK.c.place)).all()
    happened = _by_person(expected)
    kept = _by_person([(row.resource, row.person, row.change) for row in stored])
    done = _by_person([(row.resource, row.person, row.change) for row in handled])
    lost = doubled = out_of_order = 0
    for key in happened.keys() | kept.keys() | done.keys():
        for one, other in ((happened[key], kept[key]), (kept[key], done[key])):
            lost += max(0, len(one) - len(other))
            doubled += max(0, len(other) - len(one))
            out_of_order += len(one) == len(other) and one != other
    again = len(handled) - len({row.event_id for row in handled})
    return EventCount(len(expected), len(stored), len(handled), lost, max(doubled, again), out_of_order)


def _by_person(rows: Sequence[tuple[str, str, str]]) -> defaultdict[tuple[str, str], list[str]]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for resource, person, change in rows:
        found[resource, person].append(change)
    return found


def is_quiet(database: Database, expected: int) -> bool:
    """Whether as many events are stored as were expected, every one is in the book, and none is held."""
    with database.read() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (_STORED, _BOOK, _HELD)
        ]
    return expected <= counts[0] <= counts[1] and counts[2] == 0


def _write_down(connection: sa.Connection, event: ReceivedEvent) -> None:
    connection.execute(
        sa.insert(_BOOK).values(
            number=event.number,
            event_id=event.event_id,
            resource=event.resource,
            person=event.person,
            change=event.change.value,
        )
    )


def _record(file: Path) -> None:
    settings = yaml.safe_load(file.read_text("utf-8"))
    database = Database.open(settings["database"])
    sealer = FieldSealer(file.parent / settings["secrets"])
    subscriptions = Subscriptions(database, sealer, OffsetClock(file.parent / settings["clock_offset_file"]))
    subscriptions.on("*", _write_down, name=RECORDER)
    subscriptions.start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    subscriptions.stop()


if __name__ == "__main__":
    _record(Path(sys.argv[1]))
