"""Handing events to those who asked for them: in order for each person, at least once, with what is given up kept.

Each handler has a name under which its place is kept. It runs in the very transaction that moves its place, so what it
writes there happens once. An event that a handler can't take is held and tried again later; whatever comes for the same
person waits behind it, and nobody else does. After many failures it is a dead letter, which an administrator revives or
dismisses; until then that person's later events go on waiting.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from huodang.exchange.events import records
from huodang.exchange.events.held import (
    DEAD,
    HELD,
    WAITING,
    aside,
    dismiss,
    is_held,
    persons_held,
    promote,
    put_before,
    revive,
)
from huodang.exchange.events.intake import Alarm, AlarmCode
from huodang.exchange.events.keeping import EVENT_KEY, raise_alarm
from huodang.exchange.events.messages import Change, open_data
from huodang.exchange.events.metrics import FAILED, HANDLED
from huodang.standards import HuodangError
from huodang.store import Clock, Database, jobs, serialise
from huodang.trust import FieldSealer

_log = structlog.get_logger("huodang.exchange.events")

_CHUNK: Final = 500
_DUE_AT_ONCE: Final = 100
_LOOK_SECONDS: Final = 0.5
_END_SECONDS: Final = 10.0


@dataclass(frozen=True)
class ReceivedEvent:
    """An event as a handler gets it.

    Attributes:
        number: its place among all events of this hub.
        event_id: the same for the same change, however often it comes: what a handler that acts outside of the given
            transaction must remember.
        person: blind index of the identity number, or the provider's pseudonym if the number isn't handed over.
        row: the provider's pseudonym of the row, by which a withdrawal finds what it takes back.
        data: standard elements, as the agreement hands them over; of a withdrawal, those before it.
    """

    number: int
    event_id: str
    resource: str
    provider: str
    sequence: int
    type: str
    change: Change
    person: str
    row: str
    noticed_at: datetime
    received_at: datetime
    data: Mapping[str, str]


Handle = Callable[[Connection, ReceivedEvent], None]
"""Takes one event in the transaction that marks it as taken. What it raises puts the event back, for later."""


@dataclass(frozen=True)
class _Handler:
    name: str
    pattern: str
    handle: Handle

    def wants(self, kind: str) -> bool:
        """Say whether events of a type are for it; `*` at the end stands for any."""
        return kind.startswith(self.pattern[:-1]) if self.pattern.endswith("*") else kind == self.pattern


class Subscriptions:
    """Hands events on.

    Args:
        database: the hub's.
        sealer: opens the events' keys.
        clock: the time.
        max_attempts: after so many failures an event is a dead letter.
    """

    def __init__(self, database: Database, sealer: FieldSealer, clock: Clock, *, max_attempts: int = 8) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._max_attempts = max_attempts
        self._handlers: dict[str, _Handler] = {}
        self._news = threading.Condition()
        self._count = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    def on(self, type_pattern: str, handle: Handle, *, name: str) -> None:
        """Have events handed to a handler, from the first that the hub holds.

        Args:
            type_pattern: a CloudEvents type, such as `cn.huodang.death.registered`; `*` at the end stands for any.
            handle: what takes them.
            name: under which its place is kept: the same at every start, and nobody else's.

        Raises:
            ValueError: another handler has this name.
        """
        if name in self._handlers:
            raise ValueError(name)
        self._handlers[name] = _Handler(name, type_pattern, handle)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the handlers of this process."""
        return tuple(self._handlers)

    def wake(self) -> None:
        """Look for events now: some have come."""
        with self._news:
            self._count += 1
            self._news.notify_all()

    def start(self) -> None:
        """Begin to hand on, in a thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="events-handlers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the events at hand."""
        self._stopping = True
        self.wake()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def run_once(self) -> int:
        """Hand on what there is for every handler, once; give how many events were taken or put aside."""
        return sum(self._advance(one) + self._retry(one) for one in self._handlers.values())

    def replay(self, connection: Connection, name: str, resource: str, from_sequence: int) -> int:
        """Have a handler take events again, from a sequence number of a resource on; give how many.

        They come in order for each person, before what comes newly for the same person. What a handler isn't to do
        twice it must tell by the event's id.
        """
        serialise(connection, _lock(name))
        events, held = records.event, records.held
        position = self._position(connection, name)
        handler = self._handlers.get(name)
        rows = connection.execute(
            sa.select(events.c.number, events.c.person, events.c.type)
            .where(events.c.resource == resource, events.c.sequence >= from_sequence, events.c.number <= position)
            .order_by(events.c.number)
        ).all()
        present = set(connection.execute(sa.select(held.c.number).where(held.c.handler == name)).scalars())
        now = self._clock.now()
        again = [
            aside(name, row, WAITING, now, "replayed")
            for row in rows
            if row.number not in present and (handler is None or handler.wants(row.type))
        ]
        if again:
            put_before(connection, name, again, now)
        return len(again)

    def revive(self, connection: Connection, name: str, number: int) -> bool:
        """Try a dead letter again, its failures counted anew; false if it is none."""
        return revive(connection, name, number, self._clock.now())

    def dismiss(self, connection: Connection, name: str, number: int) -> bool:
        """Give a dead letter up for good, so that the person's later events go on; false if it is none."""
        return dismiss(connection, name, number, self._clock.now())

    def open(self, row: Any) -> ReceivedEvent:  # noqa: ANN401  (a row of the table of events)
        """Open an event's data. Whoever calls this has decided that they may be seen."""
        attributes = json.loads(row.text)
        key = bytes.fromhex(self._sealer.open(EVENT_KEY, row.key, row.event_id))
        return ReceivedEvent(
            number=row.number,
            event_id=row.event_id,
            resource=row.resource,
            provider=row.provider,
            sequence=row.sequence,
            type=row.type,
            change=Change(row.change),
            person=row.person,
            row=row.row,
            noticed_at=row.noticed_at,
            received_at=row.received_at,
            data=open_data(attributes, key, row.suite),
        )

    def _run(self) -> None:
        seen = -1
        while not self._stopping:
            with self._news:
                seen = self._count
            try:
                done = self.run_once()
            except Exception as error:  # noqa: BLE001  (the database may be away for a while; the thread must outlive that)
                _log.error("events.cannot_hand_on", code=_code(error))
                done = 0
            if not done:
                with self._news:
                    self._news.wait_for(lambda before=seen: self._stopping or self._count != before, _LOOK_SECONDS)  # type: ignore[misc]

    def _advance(self, handler: _Handler) -> int:
        """Hand on what is new, a chunk in a transaction; give how many there were."""
        total = 0
        while not self._stopping:
            # All at once first; only if one fails, again with each by itself.
            try:
                done = self._chunk(handler, careful=False)
            except Exception as error:  # noqa: BLE001  (whatever a handler raises: the next line finds which event it was)
                _log.warning("events.chunk_failed", handler=handler.name, code=_code(error))
                done = self._chunk(handler, careful=True)
            total += done
            if done < _CHUNK:
                break
        return total

    def _chunk(self, handler: _Handler, *, careful: bool) -> int:
        events = records.event
        with self._database.read() as connection:
            if self._position(connection, handler.name) >= (
                connection.execute(sa.select(sa.func.max(events.c.number))).scalar() or 0
            ):
                return 0
        with self._database.begin() as connection:
            serialise(connection, _lock(handler.name))
            position = self._position(connection, handler.name)
            rows = connection.execute(
                sa.select(events).where(events.c.number > position).order_by(events.c.number).limit(_CHUNK)
            ).all()
            if not rows:
                return 0
            wanted = [row for row in rows if handler.wants(row.type)]
            behind = persons_held(connection, handler.name, {row.person for row in wanted})
            now = self._clock.now()
            put_aside: list[dict[str, Any]] = []
            taken = 0
            for row in wanted:
                if row.person in behind:
                    put_aside.append(aside(handler.name, row, WAITING, now, "behind_another"))
                    continue
                if not careful:
                    handler.handle(connection, self.open(row))
                    taken += 1
                    continue
                error = self._try(connection, handler, row)
                if error is None:
                    taken += 1
                    continue
                behind.add(row.person)
                first = aside(handler.name, row, HELD, now, error)
                first |= {"attempt": 1, "run_at": now + jobs.back_off(1, salt=row.number)}
                put_aside.append(first)
            if put_aside:
                connection.execute(sa.insert(records.held), put_aside)
            self._set_position(connection, handler.name, rows[-1].number)
        HANDLED.labels(handler.name).inc(taken)
        return len(rows)

    def _retry(self, handler: _Handler) -> int:
        """Try what is due of what was held; each in a transaction of its own."""
        held = records.held
        due = (
            sa.select(held.c.number)
            .where(held.c.handler == handler.name, held.c.state == HELD, held.c.run_at <= self._clock.now())
            .order_by(held.c.run_at, held.c.number)
            .limit(_DUE_AT_ONCE)
        )
        with self._database.read() as connection:
            numbers = list(connection.execute(due).scalars())
        for number in numbers:
            if self._stopping:
                break
            self._retry_one(handler, number)
        return len(numbers)

    def _retry_one(self, handler: _Handler, number: int) -> None:
        held, events = records.held, records.event
        with self._database.begin() as connection:
            serialise(connection, _lock(handler.name))
            now = self._clock.now()
            state = connection.execute(
                sa.select(held).where(*is_held(handler.name, number), held.c.state == HELD, held.c.run_at <= now)
            ).one_or_none()
            if state is None:
                return  # another process was quicker
            row = connection.execute(sa.select(events).where(events.c.number == number)).one()
            error = self._try(connection, handler, row)
            if error is None:
                connection.execute(sa.delete(held).where(*is_held(handler.name, number)))
                promote(connection, handler.name, row.person, now)
                HANDLED.labels(handler.name).inc()
                return
            attempt = state.attempt + 1
            dead = attempt >= self._max_attempts
            connection.execute(
                sa.update(held)
                .where(*is_held(handler.name, number))
                .values(
                    state=DEAD if dead else HELD,
                    attempt=attempt,
                    run_at=now + jobs.back_off(attempt, salt=number),
                    error=error[:100],
                    changed_at=now,
                )
            )
            if dead:
                raise_alarm(connection, row.resource, Alarm(AlarmCode.DEAD_LETTER, f"{handler.name}:{number}"), now)

    def _try(self, connection: Connection, handler: _Handler, row: Any) -> str | None:  # noqa: ANN401  (a row of the table of events)
        """Hand one event over with all it does undone if it fails; give the code of the failure."""
        try:
            with connection.begin_nested():
                handler.handle(connection, self.open(row))
        except Exception as error:  # noqa: BLE001  (whatever a handler raises, the event is held and the others go on)
            FAILED.labels(handler.name).inc()
            code = _code(error)
            _log.warning("events.handler_failed", handler=handler.name, number=row.number, code=code)
            return code
        return None

    def _position(self, connection: Connection, name: str) -> int:
        table = records.handler
        return connection.execute(sa.select(table.c.position).where(table.c.name == name)).scalar() or 0

    def _set_position(self, connection: Connection, name: str, position: int) -> None:
        table = records.handler
        changed = connection.execute(sa.update(table).where(table.c.name == name).values(position=position))
        if changed.rowcount == 0:
            connection.execute(sa.insert(table).values(name=name, position=position))


def _lock(name: str) -> str:
    return f"huodang.events.{name}"


def _code(error: BaseException) -> str:
    """Name an error by its code or kind only: its message could hold personal data."""
    return error.code if isinstance(error, HuodangError) else type(error).__name__
