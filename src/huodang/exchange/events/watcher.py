"""The watch over one resource: a thread that notices new, changed and withdrawn rows and has them published.

With a cursor, each round reads what lies at or beyond a floor. The floor follows the cursor only once nobody can commit
before it any more: after the overlap, and on PostgreSQL when every transaction that ran then is over. A sweep over all
rows, slower and in pages between the rounds, finds what no cursor tells: deleted rows, a cursor set back, a clock that
jumped. Without a cursor, the sweep is all there is.
"""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from huodang.exchange.errors import SourceError
from huodang.exchange.events.publishing import NoRecipientKeyError, Publisher
from huodang.exchange.events.readers import (
    DeliveryReader,
    Stamp,
    TableReader,
    Transactions,
    is_settled,
    read_value,
    write_value,
)
from huodang.exchange.events.signals import Signal
from huodang.exchange.events.watched import Problems, RowReader, Watched
from huodang.exchange.gateway.conversion import Row
from huodang.exchange.gateway.sources import forms_of
from huodang.standards import HuodangError, IdentityNumber, to_half_width
from huodang.store import Clock

_log = structlog.get_logger("huodang.exchange.events")

_IDLE_SECONDS: Final = 1.0
_NO_CURSOR_SECONDS: Final = 2.0
_MOST_PAUSE_SECONDS: Final = 60.0
_FEW: Final = 100
_SHARE: Final = 0.2
_WITHDRAW_AT_ONCE: Final = 1_000


def _line(error: BaseException) -> str:
    """Name the line where an error came from: its message could hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


class Watcher:
    """Watches one resource.

    Args:
        watched: what is watched.
        reader: of its rows.
        source: of the rows.
        publisher: of the changes.
        signal: what is waited on between rounds.
        clock: the time.
        problems: where what stands in the way is told.
        position: how far an earlier watch came.
        count_known: counts the rows that are remembered.
        missing: lists remembered rows that aren't among some, up to a bound.
        on_events: called when events were made.
        stopping: set when the watch is to end.
    """

    def __init__(
        self,
        watched: Watched,
        reader: RowReader,
        source: TableReader | DeliveryReader,
        publisher: Publisher,
        *,
        signal: Signal,
        clock: Clock,
        problems: Problems,
        position: dict[str, Any] | None,
        count_known: Callable[[], int],
        missing: Callable[[set[str], int], list[str]],
        on_events: Callable[[], None],
        stopping: threading.Event,
    ) -> None:
        self.watched = watched
        self._reader = reader
        self._source = source
        self._publisher = publisher
        self._signal = signal
        self._clock = clock
        self._problems = problems
        self._position: dict[str, Any] = position or {}
        self._count_known = count_known
        self._missing = missing
        self._on_events = on_events
        self._stopping = stopping
        self._floors: deque[tuple[float, object, int]] = deque()
        self._seen: dict[tuple[object, ...], tuple[object, ...]] = {}
        self._front: object = None
        self._sweep: Generator[None, None, None] | None = None
        self._present: set[str] | None = None
        self._next_sweep = 0.0
        self._doubted: set[str] = set()
        self._doubted_since = 0.0
        self._note = ""
        self._stamp: Stamp | None = None
        self._thread = threading.Thread(target=self._run, name=f"events-{watched.resource}", daemon=True)

    @property
    def begun(self) -> bool:
        """Whether the watch knows what stood in the source when it began: changes from then on are published."""
        return bool(self._position.get("begun"))

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end, once the stop was told."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        failures, changed, pause = 0, True, 0.0
        while not self._stopping.is_set():
            try:
                pause = self.round(changed=changed)
                failures = 0
                if self._note:
                    self._problems.tell(self.watched.resource, self._note)
                else:
                    self._problems.clear(self.watched.resource)
            except Exception as error:  # noqa: BLE001  (whatever a source does, the watch must outlive it)
                failures += 1
                self._tell(error)
                self._stopping.wait(min(0.2 * 2 ** min(failures, 8), 15.0))
                changed = True
                continue
            changed = self._signal.wait(pause)
        self._signal.close()

    def round(self, *, changed: bool) -> float:
        """Look once; give for how many seconds to wait for a sign.

        Args:
            changed: the source may have changed since the last round.

        Raises:
            SourceError: the source can't be read; nothing was half taken, and the next round takes it up.
        """
        began = time.monotonic()
        if isinstance(self._source, DeliveryReader):
            self._look_at_delivery(self._source)
            return self.watched.spec.watch_milliseconds / 1000
        if not self.begun:
            self._begin(self._source)
            return 0.0
        if self.watched.spec.cursor is not None:
            if changed:
                self._look(self._source)
            taken = time.monotonic() - began
            if self._sweep_a_page(self._source):
                return max(0.01, time.monotonic() - began)
            return min(max(self._quick_pause(), 2 * taken), _MOST_PAUSE_SECONDS)
        if changed or self._doubted:
            for _ in self._sweeping(self._source):
                if self._stopping.is_set():
                    return 0.0
        return min(max(self._slow_pause(), 4 * (time.monotonic() - began)), _MOST_PAUSE_SECONDS)

    def _quick_pause(self) -> float:
        return self.watched.spec.watch_milliseconds / 1000 if self._signal.polls else _NO_CURSOR_SECONDS

    def _slow_pause(self) -> float:
        return _NO_CURSOR_SECONDS if self._signal.polls else _IDLE_SECONDS

    def _begin(self, source: TableReader) -> None:
        """Learn what stands in the source; the cursor's place is taken first, so that nothing falls in between."""
        floor = source.front() if self.watched.spec.cursor is not None else None
        silently = not self.watched.spec.existing
        unfinished = {"begun": False}
        for page in source.everything():
            self._take(page, unfinished, silently=silently)
            if self._stopping.is_set():
                return
        position = {"begun": True, "floor": write_value(floor)}
        self._publisher.take([], self._clock.now(), position)
        self._position = position
        self._next_sweep = time.monotonic() + self.watched.spec.sweep_seconds

    def _look(self, source: TableReader) -> None:
        # Asked before the rows are read: what is over by then is surely seen by this look, and needs no further one.
        began, running = time.monotonic(), source.transactions()
        floor = read_value(self._position.get("floor"))
        key = (*self.watched.key, self.watched.spec.cursor or "")
        front = self._front if self._front is not None else floor
        seen: dict[tuple[object, ...], tuple[object, ...]] = {}
        for page in source.changed(floor):
            fresh = []
            for row in page:
                named, values = tuple(row[name] for name in key), tuple(row.values())
                seen[named] = values
                if self._seen.get(named) != values:
                    fresh.append(row)
            front = page[-1][self.watched.spec.cursor or ""]
            if fresh:
                self._take(fresh, self._position)
            if self._stopping.is_set():
                return
        self._seen = seen
        self._advance_floor(began, running)
        if front != self._front or not self._floors:
            self._front = front
            after = source.transactions()
            self._floors.append((time.monotonic(), front, after.next if after else 0))

    def _advance_floor(self, began: float, running: Transactions | None) -> None:
        """Move the floor to the last place before which nothing could be committed any more when this look began."""
        floor = read_value(self._position.get("floor"))
        reached = floor
        while self._floors:
            noticed, value, following = self._floors[0]
            over = running is None or following <= running.running_from
            if began - noticed < self.watched.spec.overlap_seconds or not over:
                break
            reached = value
            self._floors.popleft()
        if reached != floor:
            self._position = {**self._position, "floor": write_value(reached)}
            self._publisher.take([], self._clock.now(), self._position)

    def _take(self, rows: list[Row], position: dict[str, Any], *, silently: bool = False) -> list[str]:
        seen = self._reader.read_all(rows)
        marks = [one.mark for one in seen]
        if self._present is not None:
            self._present.update(marks)
        if self._publisher.take(seen, self._clock.now(), position, silently=silently):
            self._on_events()
        return marks

    def _sweep_a_page(self, source: TableReader) -> bool:
        """Go on with the sweep by a page, or begin one that is due; false if none is under way."""
        if self._sweep is None:
            if self.watched.spec.sweep_seconds == 0 or time.monotonic() < self._next_sweep:
                return False
            self._sweep = self._sweeping(source)
        try:
            next(self._sweep)
        except StopIteration:
            return False
        return True

    def _sweeping(self, source: TableReader) -> Generator[None, None, None]:
        """Hold all rows against what is known of them, and withdraw those that are gone."""
        self._present = set()
        try:
            for page in source.everything():
                self._take(page, self._position)
                yield
            self._withdraw(self._present, [], time.monotonic() - self.watched.spec.sweep_seconds)
        finally:
            self._present, self._sweep = None, None
            self._next_sweep = time.monotonic() + self.watched.spec.sweep_seconds

    def _withdraw(self, present: set[str], broken: list[str], doubted_before: float) -> None:
        """Withdraw rows that are gone; when very many seem to be, only once a later look finds the same.

        A table that is emptied and filled again overnight must not take all the dead for living.

        Args:
            present: marks of the rows that are there.
            broken: lines that couldn't be read.
            doubted_before: a doubt from before this moment counts as confirmed.
        """
        missing = set(self._missing(present, 1_000_000))
        new, doubted = missing - self._doubted, missing & self._doubted
        if self._doubted_since <= doubted_before:
            released, doubted = doubted, set()
        else:
            released = set()
        if len(new) > max(_FEW, int(_SHARE * self._count_known())):
            if not doubted:
                self._doubted_since = time.monotonic()
            new, doubted = set(), doubted | new
        self._doubted = doubted
        self._note = "mass_withdrawal_held" if doubted else ""
        missing = released | new
        if broken:
            missing = {mark for mark in missing if not self._may_be_broken(mark, broken)}
        marks = sorted(missing)
        for start in range(0, len(marks), _WITHDRAW_AT_ONCE):
            if self._publisher.withdraw(marks[start : start + _WITHDRAW_AT_ONCE], self._clock.now(), self._position):
                self._on_events()

    def _may_be_broken(self, mark: str, broken: list[str]) -> bool:
        """Say whether one of the lines that couldn't be read may be this row."""
        number = (self._publisher.last_values(mark) or {}).get("identity_number")
        if number is None:
            return True
        forms = [form.upper() for form in forms_of(IdentityNumber.parse(number))]
        return any(form in to_half_width(text).upper() for text in broken for form in forms)

    def _look_at_delivery(self, source: DeliveryReader) -> None:
        stamp = source.stamp()
        settled = is_settled(stamp, self._stamp, datetime.now(UTC))
        self._stamp = stamp
        if not stamp or not settled or stamp == self._position.get("stamp"):
            if not stamp:
                raise SourceError("没有找到交付文件", "there is no delivered file")
            return
        silently = not self.begun and not self.watched.spec.existing
        self._present = set()
        for page in source.rows():
            self._take(page, self._position, silently=silently)
        present, self._present = self._present, None
        self._note = ""
        if self.begun and source.whole_truth:
            self._withdraw(present, source.broken, time.monotonic())
        self._position = {"begun": True, "stamp": stamp}
        self._publisher.take([], self._clock.now(), self._position)
        if source.broken:
            self._note = "broken_lines"

    def _tell(self, error: Exception) -> None:
        if isinstance(error, NoRecipientKeyError):
            code = "no_key_of_subscriber"
        else:
            code = error.code if isinstance(error, HuodangError) else type(error).__name__
        self._seen.clear()  # what wasn't taken must be taken up again
        if self._problems.tell(self.watched.resource, code):
            _log.error("events.watch_failed", resource=self.watched.resource, code=code, at=_line(error))
